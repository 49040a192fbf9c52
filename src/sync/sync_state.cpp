// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/detail/sync/sync_state.h"

#include "loop/loop_p.h"
#include "sync/current_task.h"

namespace QAsyncio::detail {

SyncState::~SyncState() = default;

void SyncState::bind(LoopCore &core)
{
    if (!m_core)
        m_core = Ref<LoopCore>::share(&core);
    else if (m_core.get() != &core)
        throw RuntimeError(describe() + QStringLiteral(" is bound to a different event loop"));
}

void SyncState::check_thread_slow() const
{
    check_thread_of(*m_core);
}

void SyncState::throw_abandoned() const
{
    throw RuntimeError(QStringLiteral("The %1 was destroyed while a task was waiting for it")
                           .arg(QLatin1String(m_type_name)));
}

QString SyncState::describe() const
{
    QString text = QStringLiteral("<%1 [%2").arg(QLatin1String(m_type_name), describe_state());
    if (queue.size() > 0)
        text += QStringLiteral(", waiters:%1").arg(queue.size());
    return text + QStringLiteral("]>");
}

QString SyncState::describe_wait() const
{
    return QString::fromLatin1(m_type_name).toLower();
}

bool complete_if_pending(Future<> &future) noexcept
{
    if (future.done())
        return false;
    try {
        future.set_result();
    } catch (const Error &) {
        return false;
    }
    return true;
}

quint32 current_task_number() noexcept
{
    const QAsyncioLoop *const running = thread_data().running;
    const TaskStateBase *const task = running ? LoopPrivate::of(*running).current_task : nullptr;
    return task ? task->number() : 0;
}

QString task_name(quint32 number)
{
    const QAsyncioLoop *const running = thread_data().running;
    const TaskStateBase *task = running ? LoopPrivate::of(*running).first_task : nullptr;
    while (task && task->number() != number)
        task = task->next;
    return task ? task->name() : QString();
}

} // namespace QAsyncio::detail
