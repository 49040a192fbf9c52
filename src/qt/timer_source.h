// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/clock.h"

#include <functional>
#include <memory>

QT_BEGIN_NAMESPACE
class QObject;
QT_END_NAMESPACE

namespace QAsyncio::detail {

/// Wakes the loop once, at a deadline of the monotonic clock or a little later, never before.
class TimerSource
{
public:
    virtual ~TimerSource();

    /// Replaces the deadline that was armed. `now` saves a look at the clock.
    virtual void arm(TimePoint when, TimePoint now) = 0;
    virtual void disarm() = 0;
};

/// A precise timer of Qt: whole milliseconds, rounded up. `owner` receives its QTimerEvent.
std::unique_ptr<TimerSource> make_qt_timer_source(QObject *owner);
/// A timerfd that Qt watches: microseconds. Null where there is none.
std::unique_ptr<TimerSource> make_timerfd_source(std::function<void()> wake);

} // namespace QAsyncio::detail
