// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/ensure_future.h"
#include "qasyncio/timeout.h"

namespace QAsyncio {

namespace detail {

/// Cancels a future and waits until it is done.
QASYNCIO_EXPORT Coroutine<> cancel_and_wait(AnyFuture future);
[[noreturn]] QASYNCIO_EXPORT void throw_timeout(std::exception_ptr cause);

template<class T, class A>
Coroutine<T> wait_no_longer(A awaitable)
{
    auto future = ensure_future(std::move(awaitable));
    if (future.done())
        co_return std::move(future).result();
    co_await cancel_and_wait(future);
    try {
        co_return std::move(future).result();
    } catch (const CancelledError &) {
        throw_timeout(std::current_exception());
    }
}

template<class T, class A>
Coroutine<T> run_wait_for(A awaitable, std::optional<std::chrono::nanoseconds> limit)
{
    if (limit && *limit <= std::chrono::nanoseconds::zero())
        co_return co_await wait_no_longer<T, A>(std::move(awaitable));

    std::optional<TimePoint> when;
    if (limit)
        when = deadline(get_running_loop().time(), *limit);
    const auto body = [&](Timeout &) { return as_coroutine(std::move(awaitable)); };
    co_return co_await run_timeout<T>(when, body);
}

} // namespace detail

/// Awaits `awaitable`, but no longer than `limit`, and gives its result. A coroutine runs in the
/// calling task.
///
///     try {
///         show(co_await wait_for(download(address), 5s));
///     } catch (const TimeoutError &) {
///         complain(u"The server does not answer."_s);
///     }
///
/// When the time is over the awaitable is cancelled, and wait_for() waits until it has ended,
/// however long its clean-up takes. Then it throws TimeoutError, unless the awaitable has given a
/// result or an exception of its own instead. With a limit of zero or less the awaitable is
/// cancelled at once if it is not done; a coroutine is then not started.
/// Cancellation: cancelling the caller cancels the awaitable. If that completes in the same turn,
/// its result is lost.
/// Throws ValueError for NaN, at the call, and RuntimeError outside of a task. Thread: that of the
/// running loop.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.wait_for
template<detail::Awaitable A, class Rep, class Period>
auto wait_for(A &&awaitable, std::chrono::duration<Rep, Period> limit)
{
    using T = std::decay_t<detail::await_result_t<A>>;
    return detail::run_wait_for<T, std::decay_t<A>>(std::forward<A>(awaitable),
                                                    detail::saturated(limit));
}
/// The same without a limit: a plain await.
template<detail::Awaitable A>
auto wait_for(A &&awaitable, std::nullopt_t)
{
    using T = std::decay_t<detail::await_result_t<A>>;
    return detail::run_wait_for<T, std::decay_t<A>>(std::forward<A>(awaitable), std::nullopt);
}

} // namespace QAsyncio
