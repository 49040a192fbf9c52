// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "common.h"

#include <QtCore/qobject.h>

#include <QTimer>

#include <algorithm>
#include <chrono>
#include <functional>
#include <ratio>
#include <utility>
#include <vector>

/// A precise Qt timer of 2 ms; after `n` ticks it calls `done`.
class Ticks
{
public:
    Ticks(int n, std::function<void()> done)
    {
        m_gaps.reserve(n);
        m_timer.setTimerType(Qt::PreciseTimer);
        m_timer.setInterval(2);
        QObject::connect(&m_timer, &QTimer::timeout, [this, n, done = std::move(done)] {
            const auto now = std::chrono::steady_clock::now();
            m_gaps.push_back(std::chrono::duration<double, std::milli>(now - m_last).count());
            m_last = now;
            if (int(m_gaps.size()) == n)
                done();
        });
        m_timer.start();
    }

    /// 99th percentile of the gap between two ticks.
    bench::Result p99()
    {
        m_timer.stop();
        std::sort(m_gaps.begin(), m_gaps.end());
        return {"p99_ms", m_gaps[m_gaps.size() * 99 / 100]};
    }

private:
    QTimer m_timer;
    std::chrono::steady_clock::time_point m_last = std::chrono::steady_clock::now();
    std::vector<double> m_gaps;
};
