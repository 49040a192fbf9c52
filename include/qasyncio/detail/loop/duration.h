// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/clock.h"
#include "qasyncio/detail/loop/nanoseconds.h"

#include <chrono>
#include <climits>

// Arithmetic with time points that cannot overflow: a result beyond the range of a clock (292 years
// to both sides) becomes the end of that range.

namespace QAsyncio::detail {

/// `now + delay`; TimePoint::max() or min() where that is beyond the clock's range.
template<class Rep, class Period>
TimePoint deadline(TimePoint now, std::chrono::duration<Rep, Period> delay)
{
    const std::chrono::nanoseconds step = saturated(delay);
    std::chrono::nanoseconds::rep sum = 0;
    if (__builtin_add_overflow(now.time_since_epoch().count(), step.count(), &sum))
        return step > std::chrono::nanoseconds::zero() ? TimePoint::max() : TimePoint::min();
    return TimePoint(std::chrono::nanoseconds(sum));
}

/// `until - from`; the longest duration where it is longer, since two time points can be twice as
/// far apart.
inline std::chrono::nanoseconds time_between(TimePoint from, TimePoint until)
{
    std::chrono::nanoseconds::rep difference = 0;
    if (__builtin_sub_overflow(until.time_since_epoch().count(), from.time_since_epoch().count(),
                               &difference))
        return until > from ? std::chrono::nanoseconds::max() : std::chrono::nanoseconds::min();
    return std::chrono::nanoseconds(difference);
}

/// What Qt's timers take: whole milliseconds from now on, rounded up, 24 days at most.
inline int timer_milliseconds(std::chrono::nanoseconds delay)
{
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(delay).count();
    return wait < 0 ? 0 : wait > INT_MAX ? INT_MAX : int(wait);
}

} // namespace QAsyncio::detail
