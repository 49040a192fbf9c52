// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "frame_meter.h"

#include <qasyncio/sleep.h>

#include <QtQuick/qquickwindow.h>

#include <algorithm>

namespace Demo {

using namespace QAsyncio;
using namespace std::chrono_literals;

namespace {
constexpr int slice_length = 100; // milliseconds
constexpr int slices_a_second = 1000 / slice_length;
constexpr int slices = 5 * slices_a_second;
} // namespace

FrameMeter::FrameMeter(QObject *parent) : QObject(parent), m_slices(slices)
{
    m_slice.start();
}

void FrameMeter::observe(QQuickWindow *window)
{
    // With a render thread this is a queued call: the time at which the window's thread hears of
    // the frame.
    connect(window, &QQuickWindow::frameSwapped, this, &FrameMeter::count_frame);
}

Coroutine<> FrameMeter::run()
{
    for (;;) {
        co_await sleep(4ms);
        count_turn();
        if (m_slice.elapsed() >= slice_length)
            begin_slice();
    }
}

void FrameMeter::count_frame()
{
    Slice &now = m_slices.back();
    ++now.frames;
    if (m_frame.isValid()) {
        const int gap = static_cast<int>(m_frame.elapsed());
        now.frame = std::max(now.frame, gap);
        m_reset_frame = std::max(m_reset_frame, gap);
    }
    m_frame.start();
}

void FrameMeter::count_turn()
{
    if (m_turn.isValid()) {
        const int gap = static_cast<int>(m_turn.elapsed());
        m_slices.back().turn = std::max(m_slices.back().turn, gap);
        m_reset_turn = std::max(m_reset_turn, gap);
    }
    m_turn.start();
}

void FrameMeter::begin_slice()
{
    m_slice.start();
    m_fps = 0;
    for (auto slice = m_slices.end() - slices_a_second; slice != m_slices.end(); ++slice)
        m_fps += slice->frames;
    m_slices.pop_front();
    m_slices.emplace_back();
    Q_EMIT changed();
}

int FrameMeter::longestFrame() const
{
    int longest = 0;
    for (const Slice &slice : m_slices)
        longest = std::max(longest, slice.frame);
    return longest;
}

int FrameMeter::longestTurn() const
{
    int longest = 0;
    for (const Slice &slice : m_slices)
        longest = std::max(longest, slice.turn);
    return longest;
}

QList<qreal> FrameMeter::history() const
{
    QList<qreal> result;
    // the last has just begun
    for (auto slice = m_slices.begin(); slice != m_slices.end() - 1; ++slice)
        result.append(slice->frame);
    return result;
}

void FrameMeter::reset()
{
    m_frame.invalidate();
    m_turn.invalidate();
    m_reset_frame = 0;
    m_reset_turn = 0;
}

} // namespace Demo
