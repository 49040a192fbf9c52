// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/ready_queue.h"

#include <QtCore/qobject.h>

#include <atomic>
#include <mutex>
#include <vector>

namespace QAsyncio::detail {

/// What other threads hand to a loop. They ring its doorbell only while it sleeps: Qt's post costs a system call, a push
/// into an open inbox some ten nanoseconds.
class Inbox
{
public:
    /// From any thread. False, and nothing done, if the loop is closed.
    bool push(Runnable *item);

    // The rest is for the loop's thread.

    /// Who gets a wake-up event; null: nobody is to be woken.
    void set_doorbell(QObject *doorbell);
    bool maybe_filled() const { return m_filled.load(std::memory_order_relaxed); }
    void drain_into(ReadyQueue &ready);
    /// The next push rings. False if there is something already: then the loop must not sleep.
    bool sleep();
    void stay_awake();
    /// Refuses everything from now on and gives what is left.
    std::vector<Runnable *> close();

private:
    std::mutex m_mutex;
    std::vector<Runnable *> m_items;
    std::vector<Runnable *> m_drained; // spare capacity, used by drain_into() alone
    QObject *m_doorbell = nullptr;
    bool m_sleeping = false;
    bool m_closed = false;
    std::atomic<bool> m_filled{false};
};

} // namespace QAsyncio::detail
