// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/detail/sync/wait_queue.h"

#include <utility>

namespace QAsyncio::detail {

void WaitQueue::append(Waiter &waiter) noexcept
{
    waiter.m_state = Waiter::Waiting;
    waiter.m_previous = m_last;
    (m_last ? m_last->m_next : m_first) = &waiter;
    m_last = &waiter;
    if (!m_first_waiting)
        m_first_waiting = &waiter;
    ++m_size;
    ++m_live;
}

Waiter::State WaitQueue::leave(Waiter &waiter) noexcept
{
    const Waiter::State was = waiter.m_state;
    if (was == Waiter::Waiting || was == Waiter::Woken)
        --m_live;
    if (was != Waiter::Outside && was != Waiter::Abandoned)
        unlink(waiter);
    waiter.m_state = Waiter::Outside;
    return was;
}

void WaitQueue::unlink(Waiter &waiter) noexcept
{
    if (m_first_waiting == &waiter)
        m_first_waiting = waiter.m_next;
    (waiter.m_previous ? waiter.m_previous->m_next : m_first) = waiter.m_next;
    (waiter.m_next ? waiter.m_next->m_previous : m_last) = waiter.m_previous;
    waiter.m_previous = waiter.m_next = nullptr;
    --m_size;
}

void WaitQueue::cancel(Waiter &waiter) noexcept
{
    waiter.m_state = Waiter::Cancelled;
    --m_live;
}

bool WaitQueue::wake(Waiter &waiter) noexcept
{
    if (waiter.m_state != Waiter::Waiting)
        return false;
    waiter.m_state = Waiter::Woken;
    if (waiter.wake())
        return true;
    leave(waiter);
    return false;
}

bool WaitQueue::wake_next() noexcept
{
    while (m_first_waiting) {
        if (wake(*std::exchange(m_first_waiting, m_first_waiting->m_next)))
            return true;
    }
    return false;
}

void WaitQueue::wake_first() noexcept
{
    if (m_first && m_first->m_state == Waiter::Waiting)
        wake_next();
}

void WaitQueue::abandon() noexcept
{
    m_is_abandoned = true;
    while (m_first_waiting) {
        Waiter &waiter = *m_first_waiting;
        if (waiter.m_state != Waiter::Waiting) { // cancelled
            m_first_waiting = waiter.m_next;
            continue;
        }
        leave(waiter);
        waiter.m_state = Waiter::Abandoned;
        waiter.wake();
    }
}

} // namespace QAsyncio::detail
