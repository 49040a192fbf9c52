// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/sleep.h"

#include "loop/loop_p.h"

namespace QAsyncio::detail {

void SleepTimer::invoke()
{
    if (TaskStateBase *task = std::exchange(m_task, nullptr))
        task->schedule(); // it resumes in the next turn, as if a future had been completed here
}

bool SleepTimer::cancel_wait(const QString &message)
{
    TaskStateBase *task = std::exchange(m_task, nullptr);
    if (!task)
        return false;
    m_task_cancelled = true;
    m_message = message;
    cancel();
    task->schedule();
    return true;
}

QString SleepTimer::describe() const
{
    return QStringLiteral("<sleep %1>").arg(TimerState::describe());
}

void SleepAwaiter::start_timer(PromiseBase &frame)
{
    auto &core = static_cast<LoopPrivate &>(*m_task->core);
    m_timer = new SleepTimer(deadline(core.now(), m_delay), *m_task);
    core.add_timer(m_timer);
    m_task->suspend_on(frame, m_timer);
}

void SleepAwaiter::end_timer() noexcept
{
    m_timer->cancel(); // only of effect when the task is unwound
    std::exchange(m_timer, nullptr)->release();
}

void SleepAwaiter::finish()
{
    const bool cancelled = m_timer && m_timer->task_cancelled();
    const bool must_cancel = m_task->take_must_cancel();
    if (cancelled)
        throw CancelledError(m_timer->message());
    if (must_cancel)
        m_task->throw_cancelled_task();
}

} // namespace QAsyncio::detail
