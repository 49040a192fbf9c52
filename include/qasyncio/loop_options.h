// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/clock.h"
#include "qasyncio/selector.h"

#include <QtCore/qstring.h>

#include <memory>
#include <utility>

namespace QAsyncio {

/// How a loop is made.
class QASYNCIO_EXPORT LoopOptions
{
public:
    LoopOptions() { }

    /// What watches descriptors; the loop that is made with these options owns it. Default: epoll behind one QSocketNotifier
    /// where there is epoll, else a notifier each; the environment variable QASYNCIO_SELECTOR=notifier asks for the latter.
    LoopOptions &selector(std::unique_ptr<Selector> selector)
    {
        m_selector = std::move(selector);
        return *this;
    }
    /// Default: the monotonic clock of the system.
    LoopOptions &clock(std::shared_ptr<Clock> clock)
    {
        m_clock = std::move(clock);
        return *this;
    }
    /// Strict: the selector is asked in every turn, as asyncio does. Otherwise at every wake-up, and within one that goes on
    /// after 40 us (10 us while descriptors are ready), between two callbacks of a turn, too: beside callbacks that go on for
    /// longer a reader may run earlier, by less than a turn, or later, by as long, than in asyncio.
    LoopOptions &strict(bool strict = true)
    {
        m_strict = strict;
        return *this;
    }
    /// How long turns may follow each other before Qt gets control again. Default 500 us. Zero or less: a few callbacks.
    template<class Rep, class Period>
    LoopOptions &time_slice(std::chrono::duration<Rep, Period> slice)
    {
        m_time_slice = detail::saturated(slice);
        return *this;
    }
    /// Timers of microseconds: a timerfd instead of a Qt timer, which counts milliseconds. Every deadline is then a
    /// wake-up of its own. Linux only; elsewhere without effect.
    LoopOptions &precise_timers(bool precise = true)
    {
        m_precise_timers = precise;
        return *this;
    }
    /// Of an attached loop: how long the clean-up of its tasks may hold back the end of the application. Default 5 s.
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
