// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "loop/inbox.h"

#include "qt/bridge.h"

namespace QAsyncio::detail {

constinit InboxNode Inbox::asleep{nullptr};
constinit InboxNode Inbox::closed{nullptr};

bool Inbox::push(InboxNode &node) noexcept
{
    InboxNode *head = m_head.load(std::memory_order_relaxed);
    do {
        if (head == &closed)
            return false;
        if (head == &asleep)
            return push_and_ring(node);
        node.next = head;
    } while (!m_head.compare_exchange_weak(head, &node, std::memory_order_release,
                                           std::memory_order_relaxed));
    return true; // from here on the loop may end and take this object with it
}

bool Inbox::push_and_ring(InboxNode &node) noexcept
{
    // The lock keeps the doorbell, and with it the loop, alive until it has rung.
    const std::lock_guard lock(m_mutex);
    InboxNode *head = m_head.load(std::memory_order_relaxed);
    do {
        if (head == &closed)
            return false;
        node.next = head == &asleep ? nullptr : head;
    } while (!m_head.compare_exchange_weak(head, &node, std::memory_order_release,
                                           std::memory_order_relaxed));
    if (head == &asleep && m_doorbell)
        Bridge::ring(m_doorbell);
    return true;
}

void Inbox::set_doorbell(QObject *doorbell)
{
    const std::lock_guard lock(m_mutex);
    m_doorbell = doorbell;
    stay_awake();
}

void Inbox::drain_into(ReadyQueue &ready)
{
    queue_all(m_head.exchange(nullptr, std::memory_order_acquire), ready);
}

bool Inbox::sleep() noexcept
{
    InboxNode *head = nullptr;
    return m_head.compare_exchange_strong(head, &asleep, std::memory_order_relaxed)
        || head == &asleep;
}

void Inbox::stay_awake() noexcept
{
    InboxNode *head = &asleep;
    if (m_head.load(std::memory_order_relaxed) == head)
        m_head.compare_exchange_strong(head, nullptr, std::memory_order_relaxed);
}

void Inbox::close_into(ReadyQueue &ready)
{
    const std::lock_guard lock(m_mutex);
    m_doorbell = nullptr;
    stay_awake();
    queue_all(m_head.exchange(&closed, std::memory_order_acquire), ready);
}

void Inbox::queue_all(InboxNode *last, ReadyQueue &ready)
{
    InboxNode *first = nullptr;
    while (last) {
        InboxNode *const next = std::exchange(last->next, first);
        first = std::exchange(last, next);
    }
    while (first) {
        Runnable *const item = first->item;
        first = first->next;
        ready.push(item);
    }
}

} // namespace QAsyncio::detail
