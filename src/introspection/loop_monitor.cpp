// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/loop_monitor.h"

#include "loop/loop_p.h"

#include <chrono>

namespace QAsyncio {

LoopMonitor::LoopMonitor(QAsyncioLoop &loop, QObject *parent)
    : QObject(parent), m_core(detail::Ref<detail::LoopCore>::share(&loop.core())),
      m_counters(loop.counters())
{
    loop.measure_turns(true);
    connect(&m_timer, &QTimer::timeout, this, &LoopMonitor::refresh);
    m_timer.start(m_interval);
}

LoopMonitor::~LoopMonitor()
{
    static_cast<detail::LoopPrivate &>(*m_core).measure_turns(false);
}

void LoopMonitor::set_interval(int milliseconds)
{
    if (milliseconds == m_interval)
        return;
    m_interval = milliseconds;
    if (milliseconds > 0)
        m_timer.start(milliseconds);
    else
        m_timer.stop();
    Q_EMIT intervalChanged();
}

double LoopMonitor::longest_turn() const
{
    return std::chrono::duration<double, std::milli>(m_counters.longest_turn).count();
}

void LoopMonitor::refresh()
{
    if (!m_core->loop)
        return;
    const LoopCounters now = m_core->loop->counters();
    if (now == m_counters)
        return;
    m_counters = now;
    Q_EMIT changed();
}

} // namespace QAsyncio
