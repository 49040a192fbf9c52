// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/lock.h"

#include "sync/current_task.h"

namespace QAsyncio {

static_assert(detail::SyncSource<detail::LockState>);

namespace detail {

void LockState::took() noexcept
{
    m_locked = true;
    m_ticket = ++m_last_ticket;
    m_owner = current_task_number();
}

void LockState::unlock()
{
    check_thread();
    if (!m_locked)
        throw RuntimeError(QStringLiteral("Lock is not acquired."));
    put_back();
}

QString LockState::describe_state() const
{
    return m_locked ? QStringLiteral("locked") : QStringLiteral("unlocked");
}

QString LockState::describe_wait() const
{
    const QString owner = m_locked ? task_name(m_owner) : QString();
    const QString words = SyncState::describe_wait();
    return owner.isEmpty() ? words : words + QStringLiteral(" held by Task '%1'").arg(owner);
}

} // namespace detail

Lock::Lock() : m_state(detail::Ref<detail::LockState>::adopt(new detail::LockState)) { }

Lock::~Lock()
{
    m_state->queue.abandon();
}

} // namespace QAsyncio
