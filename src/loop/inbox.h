// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/loop/loop_core.h"

#include <QtCore/qobject.h>

#include <atomic>
#include <mutex>

namespace QAsyncio::detail {

/// What other threads hand to a loop: a stack without locks, which the loop takes whole and turns round. They ring its
/// doorbell only while it sleeps: Qt's post costs a system call, a push into an open inbox some ten nanoseconds.
class Inbox
{
public:
    /// From any thread. False, and nothing done, if the loop is closed. The inbox must be there until the call returns, or
    /// `node` be what its loop waits for.
    bool push(InboxNode &node) noexcept;

    // The rest is for the loop's thread.

    /// Who gets a wake-up event; null: nobody is to be woken.
    void set_doorbell(QObject *doorbell);
    bool maybe_filled() const noexcept
    {
        const InboxNode *head = m_head.load(std::memory_order_relaxed);
        return head && head != &asleep && head != &closed;
    }
    void drain_into(ReadyQueue &ready);
    /// The next push rings. False if there is something already: then the loop must not sleep.
    bool sleep() noexcept;
    void stay_awake() noexcept;
    /// Refuses everything from now on; what is left goes into `ready`.
    void close_into(ReadyQueue &ready);

private:
    bool push_and_ring(InboxNode &node) noexcept;
    static void queue_all(InboxNode *last, ReadyQueue &ready);

    // What m_head is instead of null: empty and the loop sleeps; closed for good.
    static InboxNode asleep;
    static InboxNode closed;

    std::atomic<InboxNode *> m_head{nullptr}; // the last one pushed
    std::mutex m_mutex;                       // of m_doorbell
    QObject *m_doorbell = nullptr;
};

} // namespace QAsyncio::detail
