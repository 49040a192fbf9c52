// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/semaphore.h"

#include "base/logging.h"

namespace QAsyncio {

static_assert(detail::SyncSource<detail::SemaphoreState>);

namespace detail {

SemaphoreState::SemaphoreState(int value, int most, const char *type_name)
    : SyncState(type_name), m_value(value), m_most(most)
{
    if (value < 0)
        throw ValueError(QStringLiteral("Semaphore initial value must be >= 0"));
}

void SemaphoreState::add_permit()
{
    check_thread();
    if (m_value >= m_most)
        throw ValueError(QStringLiteral("BoundedSemaphore released too many times"));
    put_back();
}

void SemaphoreState::put_back(quint32) noexcept
{
    if (m_value < m_most)
        return put_back();
    qCWarning(logCategory, "the guard of a semaphore found its permit released already");
}

QString SemaphoreState::describe_state() const
{
    return is_free() ? QStringLiteral("unlocked, value:%1").arg(m_value) : QStringLiteral("locked");
}

} // namespace detail

Semaphore::Semaphore(int value, int most, const char *type_name)
    : m_state(detail::Ref<detail::SemaphoreState>::adopt(
          new detail::SemaphoreState(value, most, type_name)))
{ }

Semaphore::~Semaphore()
{
    m_state->queue.abandon();
}

} // namespace QAsyncio
