// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/clock.h"
#include "qasyncio/selector.h"

#include <QtCore/qstring.h>

#include <memory>
#include <utility>

namespace QAsyncio {

/// Options for making a loop: `QAsyncioLoop loop(LoopOptions().precise_timers());`.
class QASYNCIO_EXPORT LoopOptions
{
public:
    LoopOptions() { }

    /// What watches the file descriptors. The loop owns it: a second loop with these
    /// options throws ValueError.
    /// Default: where there is epoll, epoll behind a single QSocketNotifier; elsewhere one notifier
    /// for each descriptor. The environment variable QASYNCIO_SELECTOR=notifier selects the latter.
    LoopOptions &selector(std::unique_ptr<Selector> selector)
    {
        m_selector = std::move(selector);
        return *this;
    }
    /// The clock. Default: the system's monotonic clock.
    LoopOptions &clock(std::shared_ptr<Clock> clock)
    {
        m_clock = std::move(clock);
        return *this;
    }
    /// In strict mode the selector is asked in every turn, as in asyncio. Otherwise it is asked at
    /// every wake-up; in a wake-up that goes on it is asked again after 40 us (10 us while
    /// descriptors are ready), even between two callbacks of one turn. Next to callbacks that take
    /// longer than that, a reader may run earlier or later than in asyncio, by less than a turn.
    LoopOptions &strict(bool strict = true)
    {
        m_strict = strict;
        return *this;
    }
    /// For how long turns may follow each other before control goes back to Qt. Default: 500 us.
    /// Zero or less: for a few callbacks. Throws ValueError for NaN.
    template<class Rep, class Period>
    LoopOptions &time_slice(std::chrono::duration<Rep, Period> slice)
    {
        m_time_slice = detail::saturated(slice);
        return *this;
    }
    /// Timers with a resolution of microseconds: a timerfd instead of a Qt timer, which counts
    /// milliseconds. Each deadline then causes a wake-up of its own. Linux only; no effect
    /// elsewhere.
    LoopOptions &precise_timers(bool precise = true)
    {
        m_precise_timers = precise;
        return *this;
    }
    /// How long an attached loop may delay the end of the application while its tasks clean up.
    /// Default: 5 s. Throws ValueError for NaN.
    template<class Rep, class Period>
    LoopOptions &quit_deadline(std::chrono::duration<Rep, Period> deadline)
    {
        m_quit_deadline = detail::saturated(deadline);
        return *this;
    }
    /// "<LoopOptions strict time_slice=0.000500 quit_deadline=5.000>"
    QString to_string() const;

private:
    friend class QAsyncioLoop;
    std::shared_ptr<Selector> m_selector;
    std::shared_ptr<Clock> m_clock;
    bool m_strict = false;
    bool m_precise_timers = false;
    std::chrono::nanoseconds m_time_slice = std::chrono::microseconds(500);
    std::chrono::nanoseconds m_quit_deadline = std::chrono::seconds(5);
};

} // namespace QAsyncio
