// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/loop_counters.h"

#include "base/seconds.h"
#include "introspection/awaited_by.h"
#include "loop/loop_p.h"

namespace QAsyncio {

using namespace detail;

QString LoopCounters::to_string() const
{
    QString text = QStringLiteral("<LoopCounters turns=%1 callbacks=%2 wake_ups=%3")
                       .arg(turns)
                       .arg(callbacks)
                       .arg(wake_ups);
    if (longest_turn.count() > 0)
        text += QStringLiteral(" longest_turn=") + in_seconds(longest_turn);
    const auto add = [&text](const char *name, qint64 count) {
        if (count > 0)
            text += QStringLiteral(" %1=%2").arg(QLatin1String(name)).arg(count);
    };
    add("tasks", tasks);
    add("not_started", not_started);
    add("ready", ready);
    add("running", running);
    add("waiting", waiting);
    return text + u'>';
}

LoopCounters LoopPrivate::counters() const
{
    LoopCounters counters;
    counters.turns = m_turns;
    counters.callbacks = m_callbacks - static_cast<qint64>(m_batch_left);
    counters.wake_ups = m_wake_ups;
    counters.longest_turn = m_longest_turn;
    for (const TaskStateBase *task = first_task; task; task = task->next) {
        ++counters.tasks;
        switch (activity_of(*task)) {
        case TaskActivity::NotStarted:
            ++counters.not_started;
            break;
        case TaskActivity::Ready:
            ++counters.ready;
            break;
        case TaskActivity::Running:
            ++counters.running;
            break;
        case TaskActivity::Waiting:
            ++counters.waiting;
            break;
        }
    }
    return counters;
}

} // namespace QAsyncio

QAsyncio::LoopCounters QAsyncioLoop::counters() const
{
    return QAsyncio::detail::LoopPrivate::of(*this).counters();
}

void QAsyncioLoop::measure_turns(bool on)
{
    QAsyncio::detail::LoopPrivate::of(*this).measure_turns(on);
}
