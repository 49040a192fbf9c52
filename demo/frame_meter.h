// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <qasyncio/coroutine.h>

#include <QtCore/qelapsedtimer.h>
#include <QtCore/qlist.h>
#include <QtCore/qobject.h>

#include <deque>

QT_BEGIN_NAMESPACE
class QQuickWindow;
QT_END_NAMESPACE

namespace Demo {

/// Shows whether the window stalls: frames a second, the longest time between two frames, and the
/// longest time for which the event loop did not come round. Something in the window has to move
/// all the time for it.
class FrameMeter : public QObject
{
    Q_OBJECT
    Q_PROPERTY(int fps READ fps NOTIFY changed)
    Q_PROPERTY(int longestFrame READ longestFrame NOTIFY changed)
    Q_PROPERTY(int longestTurn READ longestTurn NOTIFY changed)
    Q_PROPERTY(QList<qreal> history READ history NOTIFY changed)

public:
    explicit FrameMeter(QObject *parent = nullptr);

    /// Counts the frames of this window.
    void observe(QQuickWindow *window);
    /// Runs for ever: looks how late it is woken.
    QAsyncio::Coroutine<> run();

    int fps() const { return m_fps; }
    /// Milliseconds, of the last five seconds.
    int longestFrame() const;
    int longestTurn() const;
    /// The longest frame of each tenth of a second, in milliseconds; the last is the newest.
    QList<qreal> history() const;

    /// Forgets the past: what comes is measured on its own.
    void reset();
    int longest_frame_since_reset() const { return m_reset_frame; }
    int longest_turn_since_reset() const { return m_reset_turn; }

Q_SIGNALS:
    void changed();

private:
    struct Slice
    {
        int frames = 0;
        int frame = 0; // the longest, in milliseconds
        int turn = 0;
    };

    void count_frame();
    void count_turn();
    void begin_slice();

    std::deque<Slice> m_slices;
    QElapsedTimer m_frame;
    QElapsedTimer m_turn;
    QElapsedTimer m_slice;
    int m_fps = 0;
    int m_reset_frame = 0;
    int m_reset_turn = 0;
};

} // namespace Demo
