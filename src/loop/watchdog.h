// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/clock.h"

#include <QtCore/qstring.h>

#include <condition_variable>
#include <mutex>
#include <source_location>
#include <thread>

namespace QAsyncio::detail {

/// "Task 'load' has held the thread for 0.143 s after it had resumed at page.cpp:12 in load()"
QString freeze_text(const char *verb, const QString &name, std::chrono::nanoseconds taken,
                    const std::source_location &resumed_at);

/// A thread that says so while a callback or a step of a task holds the loop's thread for longer
/// than a limit: once, and again each time that it has taken twice as long.
class Watchdog
{
public:
    explicit Watchdog(std::chrono::nanoseconds limit);
    ~Watchdog();
    Q_DISABLE_COPY_MOVE(Watchdog)

    // In the loop's thread:
    void set_limit(std::chrono::nanoseconds limit);
    void begin_step(const QString &name, const std::source_location &resumed_at);
    /// It has ended, or has opened an event loop, which serves others.
    void end_step();

private:
    void watch();

    std::mutex m_mutex;
    std::condition_variable m_end;
    bool m_ends = false;
    bool m_in_step = false;
    std::chrono::nanoseconds m_limit;
    std::chrono::nanoseconds m_next; // how long the step takes when it is next reported
    TimePoint m_begun;
    QString m_name;
    std::source_location m_resumed_at;
    std::thread m_thread; // last: it uses the others
};

} // namespace QAsyncio::detail
