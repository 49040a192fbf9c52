// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "loop/timer_queue.h"

#include <algorithm>
#include <limits>

namespace QAsyncio::detail {

namespace {
constexpr std::size_t arity = 4;
constexpr std::size_t few_timers = 100; // asyncio's limit: up to this size the heap is not rebuilt
} // namespace

void TimerQueue::push(TimerState *timer)
{
    m_heap.emplace_back();
    sift_up(m_heap.size() - 1, Entry{timer->when, m_sequence++, timer});
}

TimerState *TimerQueue::pop()
{
    TimerState *timer = m_heap.front().timer;
    remove_top();
    timer->scheduled_in = nullptr;
    if (timer->cancelled())
        --m_cancelled;
    return timer;
}

void TimerQueue::purge()
{
    if (m_cancelled == 0)
        return;
    if (m_heap.size() > few_timers && m_cancelled * 2 > m_heap.size())
        return rebuild_without_cancelled();
    while (!m_heap.empty() && m_heap.front().timer->cancelled())
        pop()->release();
}

void TimerQueue::clear()
{
    const std::vector<Entry> all = std::exchange(m_heap, {});
    m_cancelled = 0;
    for (const Entry &entry : all)
        entry.timer->scheduled_in = nullptr;
    for (const Entry &entry : all)
        entry.timer->release();
}

void TimerQueue::remove_top()
{
    const Entry last = m_heap.back();
    m_heap.pop_back();
    if (!m_heap.empty())
        sift_down(0, last);
}

void TimerQueue::sift_up(std::size_t index, Entry entry)
{
    while (index > 0) {
        const std::size_t parent = (index - 1) / arity;
        if (!(entry < m_heap[parent]))
            break;
        m_heap[index] = m_heap[parent];
        index = parent;
    }
    m_heap[index] = entry;
}

void TimerQueue::sift_down(std::size_t index, Entry entry)
{
    const std::size_t size = m_heap.size();
    for (;;) {
        const std::size_t first = index * arity + 1;
        if (first >= size)
            break;
        std::size_t least = first;
        const std::size_t end = std::min(first + arity, size);
        for (std::size_t child = first + 1; child < end; ++child) {
            if (m_heap[child] < m_heap[least])
                least = child;
        }
        if (!(m_heap[least] < entry))
            break;
        m_heap[index] = m_heap[least];
        index = least;
    }
    m_heap[index] = entry;
}

void TimerQueue::rebuild_without_cancelled()
{
    // In place, since there may be no memory: the cancelled ones are moved to the end. The rest is
    // sorted, which makes it a heap.
    const auto dropped = std::partition(
        m_heap.begin(), m_heap.end(), [](const Entry &entry) { return !entry.timer->cancelled(); });
    std::sort(m_heap.begin(), dropped);
    std::for_each(dropped, m_heap.end(), [](Entry &entry) {
        entry.when = TimePoint::max();
        entry.sequence = std::numeric_limits<quint64>::max();
    });
    // A destructor may schedule other timers.
    while (!m_heap.empty() && m_heap.back().timer->cancelled()) {
        TimerState *const timer = m_heap.back().timer;
        m_heap.pop_back();
        --m_cancelled;
        timer->scheduled_in = nullptr;
        timer->release();
    }
}

} // namespace QAsyncio::detail
