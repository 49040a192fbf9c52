// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/clock.h"
#include "qasyncio/detail/loop/loop_core.h"

#include <QtCore/qfile.h>
#include <QtCore/qjsonobject.h>

#include <source_location>
#include <unordered_map>

namespace QAsyncio::detail {

/// Writes what a loop executes to a file that Perfetto opens: a span for each step and callback,
/// and an arrow from the one that queues another to that one. In the loop's thread.
class Trace
{
public:
    /// Throws OSError if the file cannot be written.
    Trace(const QString &file, const LoopCore &core);
    ~Trace();
    Q_DISABLE_COPY_MOVE(Trace)

    /// What is known when a step begins.
    struct Step
    {
        QString name;
        std::source_location resumed_at; // of a task
        TimePoint begun;
        std::size_t queued = 0; // behind it
        qint64 arrow = 0;       // from who has queued it; 0: none
    };
    Step begin(const Runnable &item);
    /// Nothing is written once it is closed.
    void end(const Step &step);
    void close();

private:
    void write(QJsonObject event, TimePoint when);

    const LoopCore &m_core;
    QFile m_file;
    const TimePoint m_begun;
    std::unordered_map<const Runnable *, qint64> m_arrows; // to those that are queued
    qint64 m_last_arrow = 0;
    bool m_is_first = true;
};

} // namespace QAsyncio::detail
