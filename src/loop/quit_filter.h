// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "loop/loop_p.h"

#include <QtCore/qcoreapplication.h>

namespace QAsyncio::detail {

/// Decides, while a loop runs in a GUI program, whether the closing of the last window means the end of the program: not if
/// the window was a dialog that a task awaits, and not if another window is there by the turn after next.
class QuitFilter : public QObject
{
public:
    explicit QuitFilter(LoopPrivate &loop) : m_loop(loop) { QCoreApplication::instance()->installEventFilter(this); }

protected:
    bool eventFilter(QObject *watched, QEvent *event) override
    {
        // quit() sends a spontaneous event in GUI programs, the last window posts one that is not.
        if (event->type() != QEvent::Quit || event->spontaneous() || watched != QCoreApplication::instance())
            return false;
        if (m_loop.quit_is_unmeant())
            return true;
        if (!m_loop.hooks || !m_loop.hooks->window_is_open)
            return false;
        m_loop.loop->call_soon([loop = &m_loop] { // not this: the filter goes with the run
            loop->loop->call_soon([loop] {
                if (!loop->hooks->window_is_open())
                    QCoreApplication::exit(0);
            });
        });
        return true;
    }

private:
    LoopPrivate &m_loop;
};

} // namespace QAsyncio::detail
