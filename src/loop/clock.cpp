// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/clock.h"

#include "qasyncio/detail/loop/duration.h"
#include "qasyncio/errors.h"

namespace QAsyncio {

Clock::~Clock() = default;

bool Clock::advance(TimePoint)
{
    return false;
}

bool VirtualClock::advance(TimePoint next)
{
    if (next > m_now)
        m_now = next;
    return true;
}

void VirtualClock::move_by(std::chrono::nanoseconds step)
{
    m_now = detail::deadline(m_now, step);
}

void detail::throw_nan_delay()
{
    throw ValueError(QStringLiteral("Invalid delay: NaN (not a number)"));
}

} // namespace QAsyncio
