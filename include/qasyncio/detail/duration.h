// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/clock.h"

#include <chrono>
#include <cmath>
#include <utility>

namespace QAsyncio::detail {

[[noreturn]] QASYNCIO_EXPORT void throw_nan_delay();

/// Nanoseconds, at the ends of their range where `delay` is beyond it. Throws ValueError for NaN (L-060).
template<class Rep, class Period>
std::chrono::nanoseconds saturated(std::chrono::duration<Rep, Period> delay)
{
    using std::chrono::nanoseconds;
    if constexpr (std::chrono::treat_as_floating_point_v<Rep>) {
        if (std::isnan(delay.count()))
            throw_nan_delay();
        using Wide = std::chrono::duration<long double, std::nano>;
        if (Wide(delay) >= Wide(nanoseconds::max()))
            return nanoseconds::max();
        if (Wide(delay) <= Wide(nanoseconds::min()))
            return nanoseconds::min();
    } else if constexpr (std::ratio_greater_equal_v<Period, std::nano>) {
        using Wide = std::chrono::duration<std::chrono::nanoseconds::rep, Period>; // Rep may be narrow, or unsigned
        if (std::cmp_greater(delay.count(), std::chrono::duration_cast<Wide>(nanoseconds::max()).count()))
            return nanoseconds::max();
        if (std::cmp_less(delay.count(), std::chrono::duration_cast<Wide>(nanoseconds::min()).count()))
            return nanoseconds::min();
    }
    return std::chrono::ceil<nanoseconds>(delay); // up: never early
}

/// `now + delay`, TimePoint::max() where that is beyond the clock's range.
template<class Rep, class Period>
TimePoint deadline(TimePoint now, std::chrono::duration<Rep, Period> delay)
{
    const std::chrono::nanoseconds step = saturated(delay);
    if (step > TimePoint::max() - now)
        return TimePoint::max();
    if (now.time_since_epoch() > std::chrono::nanoseconds::zero() && step < -now.time_since_epoch())
        return TimePoint();
    return now + step;
}

} // namespace QAsyncio::detail
