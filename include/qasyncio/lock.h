// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/sync/held.h"

namespace QAsyncio {

namespace detail {
/// What a Lock shares with those who wait for it or hold it.
class QASYNCIO_EXPORT LockState final : public SyncState
{
public:
    explicit LockState(const char *type_name = "Lock") : SyncState(type_name) { }

    bool is_locked() const noexcept { return m_locked; }
    bool is_free() const noexcept { return !m_locked && !queue.is_contended(); }
    bool try_take() noexcept
    {
        if (!is_free())
            return false;
        took();
        return true;
    }
    void took() noexcept;
    void gave_up(Waiter::State) noexcept
    {
        if (!m_locked)
            queue.wake_first();
    }
    /// Throws RuntimeError if it is not locked.
    void unlock();
    /// Tells this acquisition from all others.
    quint32 ticket() const noexcept { return m_ticket; }
    /// A wait for a Condition has taken the lock again, perhaps in another task: for whoever had it
    /// before, it is the same acquisition.
    void resume_ticket(quint32 ticket) noexcept { m_ticket = ticket; }
    /// Unlocks it if it is still held by this acquisition. It is not if it was released by hand, or
    /// if the guard's task was unwound while it waited for a Condition.
    void put_back(quint32 ticket) noexcept
    {
        if (m_locked && m_ticket == ticket)
            put_back();
    }
    void put_back() noexcept
    {
        m_locked = false;
        queue.wake_first();
    }
    QString describe_wait() const override;

private:
    QString describe_state() const override;

    bool m_locked = false;
    quint32 m_ticket = 0;
    quint32 m_last_ticket = 0;
    quint32 m_owner = 0; // the number of the task that has taken it
};
} // namespace detail

/// Releases a Lock at the end of its scope: what `co_await lock.scoped()` gives. It can be moved
/// but not copied. release() releases the lock earlier. The guard may outlive its lock.
using LockGuard = detail::Held<detail::LockState>;

/// A mutex for tasks: only one of them has it at a time. Those who wait get it in the order in
/// which they came.
///
///     Lock lock;
///     ...
///     {
///         const auto held = co_await lock.scoped();
///         co_await write(file, line);
///     } // released here
///
/// For tasks of one loop only: another thread needs a QMutex. A loop is bound to the lock by the
/// first task that has to wait; a task of another loop that has to wait then gets RuntimeError.
/// Lifetime: if the lock is destroyed while tasks wait for it, their await throws RuntimeError.
/// Thread: the loop's. In debug mode release() throws RuntimeError in another thread once somebody
/// has waited; without debug mode the loop is corrupted.
/// \sa https://docs.python.org/3/library/asyncio-sync.html#asyncio.Lock
class QASYNCIO_EXPORT Lock
{
public:
    Lock();
    ~Lock();
    Q_DISABLE_COPY_MOVE(Lock)

    /// `co_await lock.acquire()`: waits until the lock is free, and takes it. Does not suspend if
    /// it is free and nobody is in front. Whoever has taken it has to release() it; scoped() does
    /// that in every case. Cancellation: the lock is left to others. race() takes it only for the
    /// winner.
    [[nodiscard("await it")]] auto acquire() { return detail::acquire_from(m_state); }
    /// The same, and gives a LockGuard, which releases the lock when it is dropped: what was taken
    /// here, not what somebody has taken by acquire() since.
    [[nodiscard("await it")]] auto scoped() { return detail::scoped_from(m_state); }
    /// Releases the lock and wakes the first one in the queue. Any task may do so, and code outside
    /// of tasks too. Throws RuntimeError if the lock is not locked.
    void release() { m_state->unlock(); }
    /// Whether somebody has it. False also when it was released for a task that has yet to go on.
    bool locked() const { return m_state->is_locked(); }
    /// "<Lock [locked, waiters:3]>"
    QString to_string() const { return m_state->describe(); }

private:
    friend class Condition;
    const detail::Ref<detail::LockState> m_state;
};

} // namespace QAsyncio
