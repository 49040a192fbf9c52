// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/global.h"

#include <QtCore/qglobal.h>

#include <cstddef>

namespace QAsyncio::detail {

class WaitQueue;

/// One place in a WaitQueue. It is left by whoever has it, never by the queue: one that was woken
/// or cancelled keeps its place until its task goes on, as the futures in asyncio's queues do.
class QASYNCIO_EXPORT Waiter
{
public:
    enum State : quint8 {
        Outside,   // in no queue
        Waiting,   // to be woken
        Woken,     // and not gone on yet
        Cancelled, // the same, because its wait was cancelled
        Abandoned, // was Waiting when the primitive was destroyed
    };

    State state() const noexcept { return m_state; }

protected:
    Waiter() = default;
    Waiter(Waiter &&) noexcept { } // only before it is in a queue
    ~Waiter() = default;

    /// Lets whoever waits go on. False if that one no longer wants to.
    virtual bool wake() noexcept = 0;

private:
    friend class WaitQueue;

    Waiter *m_previous = nullptr;
    Waiter *m_next = nullptr;
    State m_state = Outside;
};

/// Those who wait for a synchronisation primitive, in the order in which they came. Nothing here
/// allocates memory, and all but abandon() takes the same time however many there are.
class QASYNCIO_EXPORT WaitQueue
{
public:
    WaitQueue() = default;
    Q_DISABLE_COPY_MOVE(WaitQueue)

    /// How many have a place.
    std::size_t size() const noexcept { return m_size; }
    /// Whether somebody has a place who was not cancelled: newcomers wait behind that one.
    bool is_contended() const noexcept { return m_live > 0; }

    void append(Waiter &waiter) noexcept;
    /// Gives up the place of `waiter`, if it has one. Returns what it was.
    Waiter::State leave(Waiter &waiter) noexcept;
    /// Marks one that is Waiting as Cancelled.
    void cancel(Waiter &waiter) noexcept;
    /// Wakes the first one that is Waiting. False if there is none.
    bool wake_next() noexcept;
    /// Wakes the first in the queue, unless that one was woken or cancelled already and has yet to
    /// go on: then nobody is woken.
    void wake_first() noexcept;
    /// The primitive is destroyed: makes those who are Waiting Abandoned, and wakes them. Those who
    /// were woken before go on as if nothing had happened.
    void abandon() noexcept;
    bool is_abandoned() const noexcept { return m_is_abandoned; }

private:
    bool wake(Waiter &waiter) noexcept;
    void unlink(Waiter &waiter) noexcept;

    Waiter *m_first = nullptr;
    Waiter *m_last = nullptr;
    Waiter *m_first_waiting = nullptr; // all before it are Woken or Cancelled
    std::size_t m_size = 0;
    std::size_t m_live = 0; // Waiting or Woken
    bool m_is_abandoned = false;
};

} // namespace QAsyncio::detail
