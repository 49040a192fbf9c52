// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/global.h"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <ratio>
#include <type_traits>

namespace QAsyncio::detail {

[[noreturn]] QASYNCIO_EXPORT void throw_nan_delay();

__extension__ using WideUnsigned = unsigned __int128;

/// The nanoseconds in a tick of `Period`, as a fraction in lowest terms.
template<class Period>
struct NanosecondsOf
{
    static constexpr std::intmax_t common = std::gcd(std::intmax_t(std::nano::den),
                                                     Period::type::den);
    static constexpr WideUnsigned numerator = WideUnsigned(Period::type::num)
        * WideUnsigned(std::nano::den / common);
    static constexpr WideUnsigned denominator = WideUnsigned(Period::type::den / common);
};

/// `magnitude` nanoseconds with a sign; the end of their range where it is beyond it.
constexpr std::chrono::nanoseconds saturated_nanoseconds(WideUnsigned magnitude, bool negative)
{
    using std::chrono::nanoseconds;
    constexpr auto most = WideUnsigned(nanoseconds::max().count());
    if (negative)
        return magnitude > most ? nanoseconds::min() : nanoseconds(-nanoseconds::rep(magnitude));
    return magnitude > most ? nanoseconds::max() : nanoseconds(nanoseconds::rep(magnitude));
}

/// `count` ticks of `Period`, exactly, rounded up. A product that does not fit into 128 bits is
/// beyond the range anyway: the denominator has 63 bits at most.
template<class Period, class Rep>
constexpr std::chrono::nanoseconds exact_nanoseconds(Rep count)
{
    using Ratio = NanosecondsOf<Period>;
    constexpr WideUnsigned beyond = std::numeric_limits<std::uint64_t>::max();
    bool negative = false;
    if constexpr (std::numeric_limits<Rep>::is_signed)
        negative = count < 0;
    const WideUnsigned ticks = negative ? WideUnsigned(0) - WideUnsigned(count)
                                        : WideUnsigned(count);
    WideUnsigned whole = 0;
    WideUnsigned part = 0; // in units of 1 / denominator
    if (__builtin_mul_overflow(ticks, Ratio::numerator / Ratio::denominator, &whole)
        || __builtin_mul_overflow(ticks, Ratio::numerator % Ratio::denominator, &part))
        return saturated_nanoseconds(beyond, negative);
    const WideUnsigned full = part / Ratio::denominator;
    const bool round_up = !negative && part % Ratio::denominator != 0;
    if (__builtin_add_overflow(whole, full + round_up, &whole))
        return saturated_nanoseconds(beyond, negative);
    return saturated_nanoseconds(whole, negative);
}

/// `count` ticks of `Period`, rounded up, except for the rounding error of the type: 0.1 s is
/// 100,000,000 ns although the double nearest to 0.1 is a little more. A value that exceeds a whole
/// number by no more than half of the type's last digit counts as that number.
template<class Period, class Rep>
std::chrono::nanoseconds ceiled_nanoseconds(Rep count)
{
    using std::chrono::nanoseconds;
    using Ratio = NanosecondsOf<Period>;
    using Wide = long double;
    const Wide exact = Wide(count) * Wide(Ratio::numerator) / Wide(Ratio::denominator);
    const Wide below = std::floor(exact);
    const Wide half_digit = std::abs(exact) * Wide(std::numeric_limits<Rep>::epsilon()) / 2;
    const Wide rounded = half_digit < 1 && exact - below <= half_digit ? below : std::ceil(exact);
    constexpr Wide range = 9223372036854775808.0L; // 2 to the 63rd
    if (rounded >= range)
        return nanoseconds::max();
    if (rounded <= -range)
        return nanoseconds::min();
    return nanoseconds(nanoseconds::rep(rounded));
}

/// `delay`, of any period, in nanoseconds: rounded up, so that nothing is early; the end of their
/// range where it is beyond it. Throws ValueError for NaN.
template<class Rep, class Period>
std::chrono::nanoseconds saturated(std::chrono::duration<Rep, Period> delay)
{
    if constexpr (std::is_same_v<std::chrono::duration<Rep, Period>, std::chrono::nanoseconds>) {
        return delay;
    } else if constexpr (std::is_floating_point_v<Rep>) {
        if (std::isnan(delay.count()))
            throw_nan_delay();
        return ceiled_nanoseconds<Period>(delay.count());
    } else if constexpr (std::numeric_limits<Rep>::is_integer) {
        return exact_nanoseconds<Period>(delay.count());
    } else { // a class: its own arithmetic decides
        return std::chrono::ceil<std::chrono::nanoseconds>(delay);
    }
}

} // namespace QAsyncio::detail
