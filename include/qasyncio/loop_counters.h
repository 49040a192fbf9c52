// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/global.h"

#include <QtCore/qglobal.h>
#include <QtCore/qstring.h>

#include <chrono>

namespace QAsyncio {

/// What a loop has done so far, and its tasks: QAsyncioLoop::counters().
struct QASYNCIO_EXPORT LoopCounters
{
    qint64 turns = 0;
    qint64 callbacks = 0; ///< that were run: callbacks and steps of tasks
    qint64 wake_ups = 0;  ///< how many times Qt's event loop has called the loop
    /// The longest turn while the loop was being measured: see QAsyncioLoop::measure_turns().
    std::chrono::nanoseconds longest_turn{};
    // Unfinished tasks, by what they do (see TaskActivity):
    qint64 tasks = 0; ///< all of them
    qint64 not_started = 0;
    qint64 ready = 0;
    qint64 running = 0;
    qint64 waiting = 0;

    friend bool operator==(const LoopCounters &, const LoopCounters &) = default;
    /// "<LoopCounters turns=12 callbacks=40 wake_ups=3 longest_turn=0.002 tasks=5 waiting=4>"
    QString to_string() const;
};

} // namespace QAsyncio
