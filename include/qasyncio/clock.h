// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/loop/nanoseconds.h"
#include "qasyncio/global.h"

#include <QtCore/qstring.h>

#include <chrono>

namespace QAsyncio {

/// A moment of a loop's clock. `TimePoint::max()` is "never".
///
/// Wherever QAsyncio takes a duration, it takes one of any type and any period: it is rounded up to whole nanoseconds, so that
/// nothing is early, and what is beyond their range, centuries or an infinity, counts as the end of it. NaN is a ValueError.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

/// Where a loop takes its time from. Every deadline of the loop (timers, sleeps, timeouts) is measured by it.
///
/// A loop without one uses the monotonic clock of the system. A clock must never go backwards. It may begin anywhere, below
/// zero, too.
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

    /// Moves on without waiting for anything, to TimePoint::max() at most. Throws ValueError for NaN.
    template<class Rep, class Period>
    void move(std::chrono::duration<Rep, Period> step)
    {
        move_by(detail::saturated(step));
    }
    /// "<VirtualClock now=1000.000>"
    QString to_string() const;

private:
    void move_by(std::chrono::nanoseconds step);

    TimePoint m_now{std::chrono::seconds(1000)};
};

} // namespace QAsyncio
