// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/loop/nanoseconds.h"
#include "qasyncio/global.h"

#include <QtCore/qstring.h>

#include <chrono>

namespace QAsyncio {

/// A point in time on a loop's clock. `TimePoint::max()` means "never".
///
/// Every function of QAsyncio that takes a duration accepts any representation and any period. The
/// value is rounded up to whole nanoseconds, so that nothing happens too early. A value outside the
/// range of 64-bit nanoseconds (some 292 years, or an infinity) is replaced by the end of that
/// range. NaN is refused with ValueError.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

/// The source of a loop's time. All deadlines of the loop (timers, sleeps, timeouts) are measured
/// with it. Pass one to LoopOptions::clock().
///
/// A loop without a clock of its own uses the system's monotonic clock. A clock must never go
/// backwards. It may start at any value, also below zero.
/// Thread: called only in the loop's thread.
class QASYNCIO_EXPORT Clock
{
public:
    virtual ~Clock();

    /// The current time.
    virtual TimePoint now() = 0;

    /// Called when nothing is ready and the next timer is due at `next`. A clock that is
    /// independent of real time moves to `next` and returns true: the loop goes on at once. The
    /// default returns false: the loop waits in real time.
    /// Not called while a function runs in one of the loop's executors, since its result may come
    /// first.
    virtual bool advance(TimePoint next);
};

/// A clock that stands still as long as anything is ready, and then jumps to the next deadline. A
/// test of a one-hour timeout takes no time and always runs in the same order.
///
///     auto clock = std::make_shared<VirtualClock>();
///     QAsyncioLoop loop(LoopOptions().clock(clock));
class QASYNCIO_EXPORT VirtualClock : public Clock
{
public:
    TimePoint now() override { return m_now; }
    bool advance(TimePoint next) override;

    /// Moves the time forward by `step` without waiting, at most to TimePoint::max(). Throws
    /// ValueError for NaN.
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
