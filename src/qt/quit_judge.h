// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "loop/loop_p.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qeventloop.h>
#include <QtCore/qpointer.h>

#include <optional>

namespace QAsyncio::detail {

/// Decides, while a loop runs in the main thread, which closing of a window is the end of the
/// program. Owned by the run.
///
/// Qt ends a program when its last window closes or its last QEventLoopLocker goes. Neither happens
/// in a run of our own, which holds a locker. What the closing of the last window means is judged
/// once, when everything that was ready at that moment has run and Qt has delivered its events. To
/// judge, the run lets go of its locker for a moment, and Qt applies its own rule to the windows
/// that are visible then, and to the program's lockers. An attached run holds no locker: there the
/// quit that Qt has posted is held back, and asked for again in the same way.
///
/// Closing a dialog that a task awaits, or has opened with exec(), is not the end: the task goes on
/// after it. But if an ordinary window was closed before, and none shown since, it is the end of
/// that window, which the dialog has only delayed.
///
/// If a judgement is still due when the run ends, or the loop is detached, under an exec() of the
/// program's, it is left to Qt.
class QuitJudge final : public QObject
{
    Q_OBJECT

public:
    explicit QuitJudge(LoopPrivate &loop);
    ~QuitJudge() override;

public Q_SLOTS:
    void lastWindowClosed();

protected:
    bool eventFilter(QObject *watched, QEvent *event) override;
    bool event(QEvent *event) override;

private:
    void hear_of_last_window();
    void look_at_hidden(QObject *window);
    void begin_to_judge();
    void wait_until_quiet();
    void judge();
    void let_go(bool qt_judges);

    LoopPrivate &m_loop;
    const bool m_has_windows;
    std::optional<QEventLoopLocker> m_locker;
    QMetaObject::Connection m_last_window;
    QPointer<QObject> m_closing;  // an ordinary window that was asked to close
    bool m_window_closed = false; // it has been hidden since, and no other one shown
    bool m_dialog_closed = false; // the window that was hidden last was a dialog of a task
    bool m_waits = false;         // a judgement is due
    bool m_judging = false;       // the quit that comes now is Qt's answer
    int m_rounds = 0;
};

} // namespace QAsyncio::detail
