// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/condition.h"

namespace QAsyncio {

namespace detail {
class BarrierState;
} // namespace detail

/// Lets a number of tasks wait for each other: when so many have come, all of them go on. Then the
/// barrier is as new.
///
///     Barrier start(3);
///     ...
///     co_await start.wait();   // in three tasks
///
/// For tasks of one loop only. Lifetime: if the barrier is destroyed while tasks wait at it, their
/// await throws RuntimeError. Thread: the loop's.
/// \sa https://docs.python.org/3/library/asyncio-sync.html#asyncio.Barrier
class QASYNCIO_EXPORT Barrier
{
public:
    /// For so many tasks. Throws ValueError for less than one.
    explicit Barrier(int parties);
    ~Barrier();
    Q_DISABLE_COPY_MOVE(Barrier)

    /// `co_await barrier.wait()`: waits until all parties have come, and gives each of them another
    /// number from 0 to parties() - 1. The last one to come goes on first. Whoever comes while the
    /// parties before are still going on waits until they have.
    /// Cancellation: as if this task had never come; the barrier goes on waiting for another one.
    /// Throws BrokenBarrierError if the barrier is aborted or reset meanwhile, or was aborted
    /// before.
    Coroutine<int> wait();
    /// Sends those who wait away with BrokenBarrierError. The barrier can be used again, also if it
    /// was broken.
    Coroutine<> reset();
    /// Breaks the barrier: those who wait, and all who come later, get BrokenBarrierError until
    /// reset().
    Coroutine<> abort();

    int parties() const;
    /// How many wait for the others; 0 while they go on, and if the barrier is broken.
    int n_waiting() const;
    /// Whether abort() was called, and reset() not since.
    bool broken() const;
    /// "<Barrier [filling, waiters:1/3]>"
    QString to_string() const;

private:
    const detail::Ref<detail::BarrierState> m_state;
};

} // namespace QAsyncio
