// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/loop/loop_core.h"

#include <QtCore/qobject.h>

#include <atomic>
#include <mutex>

namespace QAsyncio::detail {

/// What other threads send to a loop: a stack without locks, which the loop takes as a whole and
/// reverses. Its doorbell is rung only while the loop sleeps: posting an event to Qt costs a system
/// call, a push to a loop that is awake some ten nanoseconds.
class Inbox
{
public:
    /// From any thread. Returns false and does nothing if the loop is closed. The inbox must exist
    /// until the call returns, unless the loop cannot end before `node` arrives.
    bool push(InboxNode &node) noexcept;

    // The rest is for the loop's thread.

    /// The bridge that gets the wake-up events; null: nobody is to be woken.
    void set_doorbell(QObject *doorbell);
    bool maybe_filled() const noexcept
    {
        const InboxNode *head = m_head.load(std::memory_order_relaxed);
        return head && head != &asleep && head != &closed;
    }
    void drain_into(ReadyQueue &ready);
    /// From now on a push rings. Returns false if something is there already: then the loop must
    /// not sleep.
    bool sleep() noexcept;
    void stay_awake() noexcept;
    /// Refuses everything from now on; what is left goes into `ready`.
    void close_into(ReadyQueue &ready);

private:
    bool push_and_ring(InboxNode &node) noexcept;
    static void queue_all(InboxNode *last, ReadyQueue &ready);

    // Special values of m_head: empty while the loop sleeps; closed for good.
    static InboxNode asleep;
    static InboxNode closed;

    std::atomic<InboxNode *> m_head{nullptr}; // the last one pushed
    std::mutex m_mutex;                       // guards m_doorbell
    QObject *m_doorbell = nullptr;
};

} // namespace QAsyncio::detail
