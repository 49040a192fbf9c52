// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/global.h"

#include <chrono>

namespace QAsyncio {

/// A moment of a loop's clock. `TimePoint::max()` is "never".
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

/// Where a loop takes its time from. Every deadline of the loop (timers, sleeps, timeouts) is measured by it (L-061).
///
/// A loop without one uses the monotonic clock of the system. A clock must never go backwards.
/// Thread: called in the loop's thread only.
class QASYNCIO_EXPORT Clock
{
public:
    virtual ~Clock();

    virtual TimePoint now() = 0;

    /// Called when nothing is ready and the next timer is due at `next`. A clock that is not bound to real time moves to
    /// `next` and returns true: the loop goes on at once. False (the default): the loop waits in real time.
    /// It is not called while a function runs in one of the loop's executors: its result may come first.
    virtual bool advance(TimePoint next);
};

/// A clock that stands still while anything is ready and then jumps to the next deadline: a test of a one-hour timeout
/// takes no time and gives the same order every time.
class QASYNCIO_EXPORT VirtualClock : public Clock
{
public:
    TimePoint now() override { return m_now; }
    bool advance(TimePoint next) override;

    /// Moves on without waiting for anything.
    void move(std::chrono::nanoseconds step) { m_now += step; }
    /// "<VirtualClock now=1000.000>"
    QString to_string() const;

private:
    TimePoint m_now{std::chrono::seconds(1000)};
};

} // namespace QAsyncio
