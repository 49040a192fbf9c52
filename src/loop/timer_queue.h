// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/loop/handle_state.h"

#include <vector>

namespace QAsyncio::detail {

/// The timers of a loop, by (deadline, order of scheduling). Owns a reference to each. A part of
/// LoopPrivate.
class TimerQueue
{
public:
    TimerQueue() = default;
    ~TimerQueue() { clear(); }
    Q_DISABLE_COPY_MOVE(TimerQueue)

    bool empty() const { return m_heap.empty(); }
    std::size_t size() const { return m_heap.size(); }
    TimePoint first_deadline() const { return m_heap.front().when; }

    void push(TimerState *timer);
    /// Takes the first timer out; the caller gets its reference.
    TimerState *pop();
    void note_cancelled() { ++m_cancelled; }
    /// Drops cancelled timers as asyncio does: all of them if there are many, else those at the top
    /// (L-069).
    void purge();
    void clear();

private:
    struct Entry
    {
        TimePoint when;
        quint64 sequence; // equal deadlines: first come, first served (L-014)
        TimerState *timer;

        bool operator<(const Entry &other) const
        {
            return when != other.when ? when < other.when : sequence < other.sequence;
        }
    };

    void sift_up(std::size_t index, Entry entry);
    void sift_down(std::size_t index, Entry entry);
    void remove_top();
    void rebuild_without_cancelled();

    // Four children per node: half the levels of a binary heap, and they share cache lines.
    std::vector<Entry> m_heap;
    std::size_t m_cancelled = 0; // how many in the heap are cancelled
    quint64 m_sequence = 0;
};

} // namespace QAsyncio::detail
