// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/sleep.h"

#include "base/seconds.h"
#include "loop/loop_p.h"

namespace QAsyncio::detail {

void SleepTimer::invoke()
{
    if (TaskStateBase *task = std::exchange(m_task, nullptr))
        task->schedule(); // it resumes in the next turn, as if a future had been completed here
}

QString SleepTimer::describe() const
{
    return QStringLiteral("<sleep %1>").arg(TimerState::describe());
}

void SleepAwaiter::start_timer()
{
    auto &core = static_cast<LoopPrivate &>(*task()->core);
    m_timer = new SleepTimer(deadline(core.now(), m_delay), *task());
    core.add_timer(m_timer);
}

void SleepAwaiter::end_timer() noexcept
{
    m_timer->cancel(); // has an effect only if the task is being unwound
    std::exchange(m_timer, nullptr)->release();
}

bool SleepAwaiter::await_cancel(const QString &message)
{
    if (!m_timer) // it sleeps for no time: its next step is under way
        return false;
    m_timer->cancel();
    return resume_cancelled(message);
}

QString SleepAwaiter::await_description() const
{
    if (!m_timer)
        return QString(); // its next step is under way
    if (m_timer->when == TimePoint::max())
        return QStringLiteral("a timer that is never due");
    const std::chrono::nanoseconds left = time_between(task()->core->now(), m_timer->when);
    return QStringLiteral("timer in %1 s").arg(in_seconds(left));
}

} // namespace QAsyncio::detail
