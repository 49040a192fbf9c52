// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/loop.h"

namespace QAsyncio {

namespace detail {
/// Throws RuntimeError if the loop is closed.
QASYNCIO_EXPORT void check_open(const LoopCore &core);
} // namespace detail

/// Makes a future of anything that can be awaited. A future or a task is returned as it is. A
/// coroutine becomes a task of the running loop. Any other awaitable is copied or moved into a new
/// task, which awaits it.
///
///     Task<int> task = ensure_future(count());   // count() is a coroutine
///
/// Cancellation: cancelling the future cancels what it was made of.
/// Thread: that of the running loop.
/// Throws RuntimeError if no loop runs in this thread or the loop is closed, unless it is given a
/// future or a task. A coroutine is closed then.
/// \sa https://docs.python.org/3/library/asyncio-future.html#asyncio.ensure_future
template<class T>
Future<T> ensure_future(Future<T> future)
{
    return future;
}
/// The same: returns the task as it is.
template<class T>
Task<T> ensure_future(Task<T> task)
{
    return task;
}
/// The same: starts the coroutine as a task.
template<class T>
Task<T> ensure_future(Coroutine<T> coroutine)
{
    // A coroutine that is refused is closed, and so not reported as never awaited.
    struct Closer
    {
        Coroutine<T> &coroutine;
        ~Closer() { coroutine.close(); }
    } closer{coroutine};
    QAsyncioLoop &loop = get_running_loop();
    detail::check_open(loop.core());
    return loop.create_task(std::move(coroutine));
}

namespace detail {
template<class A>
concept OtherAwaitable = Awaitable<A> && !std::is_base_of_v<AnyFuture, std::remove_cvref_t<A>>
    && !IsCoroutine<std::remove_cvref_t<A>>::value;
} // namespace detail

/// The same: starts a task that awaits `awaitable`.
template<detail::OtherAwaitable A>
auto ensure_future(A &&awaitable)
{
    return ensure_future(detail::await_in_task<std::decay_t<A>>(std::forward<A>(awaitable)));
}

namespace detail {
/// The type of the future that `A` becomes.
template<class A>
using ensured_t = decltype(ensure_future(std::declval<A>()));
/// The type of that future's result.
template<class A>
using ensured_value_t = typename ensured_t<A>::value_type;
} // namespace detail

} // namespace QAsyncio
