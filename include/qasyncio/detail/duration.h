// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/clock.h"

#include <chrono>
#include <cmath>

namespace QAsyncio::detail {

[[noreturn]] QASYNCIO_EXPORT void throw_nan_delay();

/// Nanoseconds, at the ends of their range where `delay` is beyond it. Throws ValueError for NaN (L-060).
template<class Rep, class Period>
std::chrono::nanoseconds saturated(std::chrono::duration<Rep, Period> delay)
{
    using std::chrono::nanoseconds;
    using Wide = std::chrono::duration<long double, std::nano>;
    if constexpr (std::chrono::treat_as_floating_point_v<Rep>) {
        if (std::isnan(delay.count()))
            throw_nan_delay();
    }
    if constexpr (std::is_same_v<std::chrono::duration<Rep, Period>, nanoseconds>) {
        return delay;
    } else {
        const Wide wide(delay);
        if (wide >= Wide(nanoseconds::max()))
            return nanoseconds::max();
        if (wide <= Wide(nanoseconds::min()))
            return nanoseconds::min();
        return std::chrono::ceil<nanoseconds>(delay); // up: never early
    }
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
