// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "loop/inbox.h"

#include "loop/bridge.h"

namespace QAsyncio::detail {

bool Inbox::push(Runnable *item)
{
    const std::lock_guard lock(m_mutex);
    if (m_closed)
        return false;
    m_items.push_back(item);
    m_filled.store(true, std::memory_order_relaxed);
    if (std::exchange(m_sleeping, false) && m_doorbell)
        Bridge::ring(m_doorbell); // under the lock, which keeps the doorbell alive
    return true;
}

void Inbox::set_doorbell(QObject *doorbell)
{
    const std::lock_guard lock(m_mutex);
    m_doorbell = doorbell;
    m_sleeping = false;
}

void Inbox::drain_into(ReadyQueue &ready)
{
    {
        const std::lock_guard lock(m_mutex);
        m_drained.swap(m_items);
        m_filled.store(false, std::memory_order_relaxed);
    }
    for (Runnable *item : m_drained)
        ready.push(item);
    m_drained.clear();
}

bool Inbox::sleep()
{
    const std::lock_guard lock(m_mutex);
    m_sleeping = m_items.empty();
    return m_sleeping;
}

void Inbox::stay_awake()
{
    const std::lock_guard lock(m_mutex);
    m_sleeping = false;
}

std::vector<Runnable *> Inbox::close()
{
    const std::lock_guard lock(m_mutex);
    m_closed = true;
    m_doorbell = nullptr;
    m_filled.store(false, std::memory_order_relaxed);
    return std::exchange(m_items, {});
}

} // namespace QAsyncio::detail
