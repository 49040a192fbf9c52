// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/body_awaiter.h"
#include "qasyncio/detail/coroutine/closure.h"
#include "qasyncio/loop.h"

namespace QAsyncio {

/// The scope that timeout() gives to its body: it can move the deadline.
///
/// Thread: the loop's; debug mode refuses reschedule() in another one with RuntimeError, otherwise the loop is corrupted.
/// Lifetime: that of the timeout() it belongs to.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.Timeout
class QASYNCIO_EXPORT Timeout
{
public:
    /// The deadline by the loop's clock, or nothing.
    std::optional<TimePoint> when() const { return m_when; }
    /// Sets another deadline, or none. One that is past ends the body at its next suspension.
    /// Throws RuntimeError once the deadline has passed or the scope was left, if no loop runs, or if that of its task,
    /// which need not be the running one, is closed; the deadline is then as before.
    void reschedule(std::optional<TimePoint> when);
    /// Whether the deadline passed while the body ran.
    bool expired() const { return m_state == Expiring || m_state == Expired; }

    /// "<Timeout [active] when=12.500>", "<Timeout [expired]>"
    QString to_string() const;

    // What timeout() is made of. Entered by the constructor; throws RuntimeError outside of a task.
    explicit Timeout(std::optional<TimePoint> when);
    ~Timeout();
    Q_DISABLE_COPY_MOVE(Timeout)
    /// Leaves the scope: gives what is to be thrown now instead of `exception`, which the body threw (null: nothing).
    std::exception_ptr leave(std::exception_ptr exception);

private:
    enum State { Active, Expiring, Expired, Finished };

    void expire();

    std::optional<TimePoint> m_when;
    AnyTask m_task;
    int m_cancelling; // requests that were there on entry
    State m_state = Active;
    Handle m_handle;
};

namespace detail {
template<class T, class F, class... Args>
Coroutine<T> run_timeout(std::optional<TimePoint> when, F body, Args... args)
{
    Timeout scope(when);
    const auto run_body = [&] { return std::invoke(body, scope, std::move(args)...); };
    Outcome<T> outcome = co_await BodyAwaiter<T>(run_body);
    if (std::exception_ptr exception = scope.leave(outcome.exception()))
        std::rethrow_exception(std::move(exception));
    if constexpr (!std::is_void_v<T>)
        co_return std::move(outcome).value();
}
} // namespace detail

/// Runs `body(scope, args...)`, a function that gives a coroutine, until it ends or `when` has come; gives its result.
/// The function and the arguments are kept here for as long as it runs.
///
/// At the deadline the task is cancelled: the body sees CancelledError at its await, may clean up (however long that takes),
/// and TimeoutError is thrown here. A body that never suspends is not interrupted.
/// Cancellation from outside stays CancelledError, also if both happen. Without a deadline (std::nullopt) it is
/// just a call. Throws RuntimeError if no loop runs in this thread.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.timeout
template<class F, class... Args>
auto timeout_at(std::optional<TimePoint> when, F &&body, Args &&...args)
{
    detail::check_closure<F>();
    using T = detail::coroutine_value_t<
        std::invoke_result_t<detail::closure_t<F> &, Timeout &, std::decay_t<Args>...>>;
    return detail::run_timeout<T, detail::closure_t<F>, std::decay_t<Args>...>(when, std::forward<F>(body),
                                                                               std::forward<Args>(args)...);
}
/// The same with a deadline `delay` from now. Throws ValueError for NaN.
template<class Rep, class Period, class F, class... Args>
auto timeout(std::chrono::duration<Rep, Period> delay, F &&body, Args &&...args)
{
    const TimePoint when = detail::deadline(get_running_loop().time(), delay);
    return timeout_at(when, std::forward<F>(body), std::forward<Args>(args)...);
}
template<class F, class... Args>
auto timeout(std::nullopt_t, F &&body, Args &&...args)
{
    return timeout_at(std::nullopt, std::forward<F>(body), std::forward<Args>(args)...);
}

} // namespace QAsyncio
