// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/sync/held.h"

#include <limits>

namespace QAsyncio {

namespace detail {
/// What a Semaphore shares with those who wait for it or hold a permit.
class QASYNCIO_EXPORT SemaphoreState final : public SyncState
{
public:
    /// Throws ValueError for a negative value.
    SemaphoreState(int value, int most, const char *type_name);

    bool is_free() const noexcept { return m_value > 0 && !queue.is_contended(); }
    bool try_take() noexcept
    {
        if (!is_free())
            return false;
        --m_value;
        return true;
    }
    /// The permit was counted off when the waiter was woken.
    void took() noexcept { wake_others(); }
    void gave_up(Waiter::State was) noexcept
    {
        if (was == Waiter::Woken)
            ++m_value;
        wake_others();
    }
    void put_back() noexcept
    {
        ++m_value;
        wake_next();
    }
    /// put_back() that throws ValueError above the highest value.
    void add_permit();
    quint32 ticket() const noexcept { return 0; }
    /// For a guard: a permit too many is reported instead of thrown.
    void put_back(quint32) noexcept;

private:
    QString describe_state() const override;

    bool wake_next() noexcept
    {
        if (!queue.wake_next())
            return false;
        --m_value;
        return true;
    }
    /// Some may have come while a permit was there and somebody in front.
    void wake_others() noexcept
    {
        while (m_value > 0 && wake_next())
            ;
    }

    int m_value;
    const int m_most;
};
} // namespace detail

/// Gives a permit back at the end of its scope: what `co_await semaphore.scoped()` gives. It can be
/// moved but not copied. release() gives the permit back earlier. The guard may outlive its
/// semaphore.
using SemaphoreGuard = detail::Held<detail::SemaphoreState>;

/// A number of permits: so many tasks at most have one at a time. Those who wait get one in the
/// order in which they came.
///
///     Semaphore connections(6);
///     ...
///     const auto permit = co_await connections.scoped();
///     co_await download(address);
///
/// For tasks of one loop only. Lifetime: if the semaphore is destroyed while tasks wait for it,
/// their await throws RuntimeError. Thread: the loop's. In debug mode release() throws RuntimeError
/// in another thread once somebody has waited; without debug mode the loop is corrupted.
/// \sa https://docs.python.org/3/library/asyncio-sync.html#asyncio.Semaphore
class QASYNCIO_EXPORT Semaphore
{
public:
    /// So many permits at the beginning. Throws ValueError for a negative number.
    explicit Semaphore(int value = 1)
        : Semaphore(value, std::numeric_limits<int>::max(), "Semaphore")
    { }
    ~Semaphore();
    Q_DISABLE_COPY_MOVE(Semaphore)

    /// `co_await semaphore.acquire()`: waits for a permit and takes it. Does not suspend if there
    /// is one and nobody is in front. Whoever has taken it has to release() it; scoped() does that
    /// in every case. Cancellation: the permit is left to others. race() takes one only for the
    /// winner.
    [[nodiscard("await it")]] auto acquire() { return detail::acquire_from(m_state); }
    /// The same, and gives a SemaphoreGuard, which gives the permit back when it is dropped.
    [[nodiscard("await it")]] auto scoped() { return detail::scoped_from(m_state); }
    /// Adds a permit, which goes to the first one in the queue. There may be more permits than at
    /// the beginning, unlike in a BoundedSemaphore.
    void release() { m_state->add_permit(); }
    /// Whether acquire() would have to wait: there is no permit, or somebody is in front.
    bool locked() const { return !m_state->is_free(); }
    /// "<Semaphore [unlocked, value:2]>", "<Semaphore [locked, waiters:3]>"
    QString to_string() const { return m_state->describe(); }

protected:
    Semaphore(int value, int most, const char *type_name);

private:
    const detail::Ref<detail::SemaphoreState> m_state;
};

/// A Semaphore of which no more can be released than was acquired.
/// \sa https://docs.python.org/3/library/asyncio-sync.html#asyncio.BoundedSemaphore
class QASYNCIO_EXPORT BoundedSemaphore : public Semaphore
{
public:
    /// So many permits. release() throws ValueError beyond that. Throws ValueError for a negative
    /// number.
    explicit BoundedSemaphore(int value = 1) : Semaphore(value, value, "BoundedSemaphore") { }
};

} // namespace QAsyncio
