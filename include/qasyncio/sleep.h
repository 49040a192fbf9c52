// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/awaiter.h"
#include "qasyncio/detail/loop/duration.h"
#include "qasyncio/detail/loop/handle_state.h"

namespace QAsyncio {

namespace detail {

/// The timer that a sleeping task waits for. When it is due, the task is queued for the next turn,
/// as it would be after awaiting a future.
class QASYNCIO_EXPORT SleepTimer final : public TimerState
{
public:
    SleepTimer(TimePoint when, TaskStateBase &task) : TimerState(when), m_task(&task) { }

    void invoke() override;
    void drop() noexcept override { m_task = nullptr; }
    QString describe() const override;

private:
    TaskStateBase *m_task; // null once it has been queued
};

/// Suspends a task for some time.
class QASYNCIO_EXPORT SleepAwaiter : public AwaiterBase
{
public:
    explicit SleepAwaiter(std::chrono::nanoseconds delay) : m_delay(delay) { }
    SleepAwaiter(SleepAwaiter &&other) noexcept
        : AwaiterBase(std::move(other)), m_delay(other.m_delay)
    { }
    ~SleepAwaiter()
    {
        if (m_timer)
            end_timer();
    }

    bool await_ready() const noexcept { return false; }
    void await_suspend()
    {
        if (m_delay > std::chrono::nanoseconds::zero())
            start_timer();
        else
            task()->schedule();
    }
    void await_resume() const { }
    bool await_cancel(const QString &message) override;
    QString await_description() const override;

private:
    void start_timer();
    void end_timer() noexcept;

    std::chrono::nanoseconds m_delay;
    SleepTimer *m_timer = nullptr; // owns a reference
};

/// The same, and gives a result.
template<class T>
class SleepResultAwaiter : public SleepAwaiter
{
public:
    SleepResultAwaiter(std::chrono::nanoseconds delay, T result)
        : SleepAwaiter(delay), m_result(std::move(result))
    { }

    T await_resume()
    {
        SleepAwaiter::await_resume();
        return std::move(m_result);
    }

private:
    T m_result;
};

} // namespace detail

/// `co_await sleep(delay)` suspends the awaiting task for `delay` or longer, but never for less.
/// Zero or a negative delay lets every other ready callback run once. It is always a cancellation
/// point.
///
///     co_await sleep(100ms);
///     co_await sleep(0s); // let the other tasks run
///
/// It does not let Qt paint or take input: for that await process_qt_events().
/// Cancellation: ends it at once.
/// Throws ValueError for NaN, at the call. Thread: that of the running loop.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.sleep
template<class Rep, class Period>
[[nodiscard("sleep() does nothing until it is awaited")]] detail::Await<detail::SleepAwaiter> sleep(
    std::chrono::duration<Rep, Period> delay)
{
    return detail::Await<detail::SleepAwaiter>(std::in_place, detail::saturated(delay));
}
/// The same, and gives `result`: `const int value = co_await sleep(1s, 42);`.
template<class Rep, class Period, class T>
[[nodiscard("sleep() does nothing until it is awaited")]] detail::Await<
    detail::SleepResultAwaiter<std::decay_t<T>>>
sleep(std::chrono::duration<Rep, Period> delay, T &&result)
{
    using Awaiter = detail::SleepResultAwaiter<std::decay_t<T>>;
    return detail::Await<Awaiter>(std::in_place, detail::saturated(delay), std::forward<T>(result));
}

/// A bare number has no unit: write sleep(5s) or sleep(0s).
template<class N>
    requires std::is_arithmetic_v<N>
void sleep(N) = delete;

} // namespace QAsyncio
