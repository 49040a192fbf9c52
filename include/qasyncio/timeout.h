// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/body_awaiter.h"
#include "qasyncio/detail/coroutine/closure.h"
#include "qasyncio/loop.h"

namespace QAsyncio {

/// What timeout() passes to its body: it knows the deadline and can move it.
///
/// Thread: the loop's. In another thread debug mode lets reschedule() throw RuntimeError; without
/// debug mode the loop is corrupted.
/// Lifetime: that of the timeout() call it belongs to.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.Timeout
class QASYNCIO_EXPORT Timeout
{
public:
    /// The deadline on the loop's clock; std::nullopt if there is none.
    std::optional<TimePoint> when() const { return m_when; }
    /// Sets another deadline, or none with std::nullopt. A deadline in the past ends the body at
    /// its next suspension.
    /// Throws RuntimeError once the deadline has passed or the body has ended, if no loop runs in
    /// this thread, and if the loop of its task (which need not be the running task) is closed. The
    /// deadline then stays as it was.
    void reschedule(std::optional<TimePoint> when);
    /// Whether the deadline passed while the body was running.
    bool expired() const { return m_state == Expiring || m_state == Expired; }

    /// "<Timeout [active] when=12.500>", "<Timeout [expired]>"
    QString to_string() const;

    /// Used by timeout() and wait_for(). The constructor enters the scope; it throws RuntimeError
    /// outside of a task.
    explicit Timeout(std::optional<TimePoint> when);
    ~Timeout();
    Q_DISABLE_COPY_MOVE(Timeout)
    /// Leaves the scope. Returns what to throw in place of `exception`, which is what the body
    /// threw; null for nothing.
    std::exception_ptr leave(std::exception_ptr exception);

private:
    enum State { Active, Expiring, Expired, Finished };

    void expire();

    std::optional<TimePoint> m_when;
    AnyTask m_task;
    int m_cancelling; // how many cancellation requests there were on entry
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

/// Runs `body(scope, args...)`, a function that returns a coroutine, until it ends or `when` is
/// reached, and gives its result. The function and the arguments are kept here until the end.
///
/// At the deadline the task is cancelled: the body gets CancelledError at its await and may clean
/// up, however long that takes. Then TimeoutError is thrown here. A body that never suspends is not
/// interrupted. Without a deadline (std::nullopt) this is just a call.
/// Cancellation: a cancellation from outside remains CancelledError, even if the deadline passes as
/// well.
/// Throws, at the await, RuntimeError if no loop runs in this thread. Thread: that of the running
/// loop.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.timeout_at
template<class F, class... Args>
auto timeout_at(std::optional<TimePoint> when, F &&body, Args &&...args)
{
    detail::check_closure<F>();
    using T = detail::coroutine_value_t<
        std::invoke_result_t<detail::closure_t<F> &, Timeout &, std::decay_t<Args>...>>;
    return detail::run_timeout<T, detail::closure_t<F>, std::decay_t<Args>...>(
        when, std::forward<F>(body), std::forward<Args>(args)...);
}
/// The same with a deadline `delay` from now:
///
///     const auto body = [&](Timeout &scope) -> Coroutine<QByteArray> {
///         Connection connection = co_await connect_to(host);
///         scope.reschedule(get_running_loop().time() + 30s); // more time for the rest
///         co_return co_await connection.read_all();
///     };
///     const QByteArray answer = co_await timeout(5s, body);
///
/// Throws ValueError for NaN and RuntimeError if no loop runs in this thread, both at the call.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.timeout
template<class Rep, class Period, class F, class... Args>
auto timeout(std::chrono::duration<Rep, Period> delay, F &&body, Args &&...args)
{
    const TimePoint when = detail::deadline(get_running_loop().time(), delay);
    return timeout_at(when, std::forward<F>(body), std::forward<Args>(args)...);
}
/// The same without a deadline. The body can set one with Timeout::reschedule().
template<class F, class... Args>
auto timeout(std::nullopt_t, F &&body, Args &&...args)
{
    return timeout_at(std::nullopt, std::forward<F>(body), std::forward<Args>(args)...);
}

} // namespace QAsyncio
