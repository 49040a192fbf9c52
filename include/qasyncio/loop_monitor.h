// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/ref.h"
#include "qasyncio/detail/loop/loop_core.h"
#include "qasyncio/loop_counters.h"

#include <QtCore/qobject.h>
#include <QtCore/qtimer.h>

namespace QAsyncio {

/// The counters of a loop as properties, for a window or QML.
///
///     LoopMonitor monitor(loop);
///     connect(&monitor, &LoopMonitor::changed, label, [&] { label->setNum(int(monitor.tasks()));
///     });
///
/// While one exists the loop measures its turns, which costs two looks at the clock for each.
/// Thread: that of the loop. Lifetime: the loop may go first; the properties then stay as they are.
class QASYNCIO_EXPORT LoopMonitor : public QObject
{
    Q_OBJECT
    Q_PROPERTY(int interval READ interval WRITE set_interval NOTIFY intervalChanged)
    Q_PROPERTY(qint64 turns READ turns NOTIFY changed)
    Q_PROPERTY(qint64 callbacks READ callbacks NOTIFY changed)
    Q_PROPERTY(qint64 wakeUps READ wake_ups NOTIFY changed)
    Q_PROPERTY(double longestTurn READ longest_turn NOTIFY changed)
    Q_PROPERTY(qint64 tasks READ tasks NOTIFY changed)
    Q_PROPERTY(qint64 notStartedTasks READ not_started_tasks NOTIFY changed)
    Q_PROPERTY(qint64 readyTasks READ ready_tasks NOTIFY changed)
    Q_PROPERTY(qint64 runningTasks READ running_tasks NOTIFY changed)
    Q_PROPERTY(qint64 waitingTasks READ waiting_tasks NOTIFY changed)

public:
    explicit LoopMonitor(QAsyncioLoop &loop, QObject *parent = nullptr);
    ~LoopMonitor() override;

    /// How often the counters are looked at, in milliseconds of real time: at first 1000. 0 or
    /// less: only by refresh().
    int interval() const { return m_interval; }
    void set_interval(int milliseconds);

    /// The values of the last look.
    const LoopCounters &counters() const { return m_counters; }
    qint64 turns() const { return m_counters.turns; }
    qint64 callbacks() const { return m_counters.callbacks; }
    qint64 wake_ups() const { return m_counters.wake_ups; }
    /// In milliseconds.
    double longest_turn() const;
    qint64 tasks() const { return m_counters.tasks; }
    qint64 not_started_tasks() const { return m_counters.not_started; }
    qint64 ready_tasks() const { return m_counters.ready; }
    qint64 running_tasks() const { return m_counters.running; }
    qint64 waiting_tasks() const { return m_counters.waiting; }

public Q_SLOTS:
    /// Looks at the counters now.
    void refresh();

Q_SIGNALS:
    /// A look has found other values than the one before. Never more often than the interval says,
    /// apart from refresh().
    void changed();
    void intervalChanged();

private:
    const detail::Ref<detail::LoopCore> m_core;
    LoopCounters m_counters;
    QTimer m_timer;
    int m_interval = 1000;
};

} // namespace QAsyncio
