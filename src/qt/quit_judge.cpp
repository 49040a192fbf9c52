// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qt/quit_judge.h"

#include "qasyncio/detail/qt/signal_future.h"

#include <QtCore/qthread.h>
#include <QtCore/qvariant.h>

namespace QAsyncio::detail {

namespace {
const QEvent::Type judge_type = QEvent::Type(QEvent::registerEventType());
const QEvent::Type forget_type = QEvent::Type(QEvent::registerEventType());
constexpr int most_rounds = 10; // to wait for a loop that is never idle
} // namespace

QuitJudge::QuitJudge(LoopPrivate &loop)
    : m_loop(loop), m_has_windows(QCoreApplication::instance()->inherits("QGuiApplication"))
{
    if (!loop.attached)
        m_locker.emplace();
    if (!m_has_windows)
        return;
    QCoreApplication *app = QCoreApplication::instance();
    app->installEventFilter(this);
    hear_of_last_window();
}

void QuitJudge::hear_of_last_window()
{
    if (m_locker && !m_last_window) // by name: this library does not need Qt GUI
        m_last_window = QObject::connect(QCoreApplication::instance(), SIGNAL(lastWindowClosed()),
                                         this, SLOT(lastWindowClosed()));
}

QuitJudge::~QuitJudge()
{
    // Letting go of the locker would make Qt post a quit. That is wanted only if the closing of the
    // last window has not been judged yet, and there is an exec() of the program's to be ended:
    // then Qt judges.
    const bool is_handed_on = m_waits && !m_loop.quit_was_requested
        && !m_loop.ended_with_application && QThread::currentThread()->loopLevel() > 0;
    let_go(is_handed_on);
}

void QuitJudge::let_go(bool qt_judges)
{
    const bool enabled = QCoreApplication::isQuitLockEnabled();
    QCoreApplication::setQuitLockEnabled(qt_judges);
    if (qt_judges && !m_locker)
        m_locker.emplace();
    m_locker.reset(); // Qt posts a quit now, if it is to judge and nothing speaks against it
    QCoreApplication::setQuitLockEnabled(enabled);
}

void QuitJudge::lastWindowClosed()
{
    // Once the quit is known, a window that the clean-up shows and closes does not count as a
    // second one.
    if (!m_dialog_closed && !m_loop.quit_was_requested
        && QCoreApplication::instance()->property("quitOnLastWindowClosed").toBool())
        begin_to_judge();
}

namespace {
/// Not a dialog, a tool window, a splash screen or the like. By name: this library does not need Qt
/// GUI.
bool is_ordinary_window(const QObject &object)
{
    if (!object.isWindowType())
        return false;
    const auto type = object.property("flags").value<Qt::WindowFlags>() & Qt::WindowType_Mask;
    return type == Qt::Window || type == Qt::Widget;
}
} // namespace

bool QuitJudge::eventFilter(QObject *watched, QEvent *event)
{
    if (event->type() == QEvent::Hide) {
        hear_of_last_window(); // the program may have disconnected all slots of the application
        look_at_hidden(watched);
        return false;
    }
    if (event->type() == QEvent::Close && is_ordinary_window(*watched))
        m_closing = watched;
    if (event->type() == QEvent::Show && is_ordinary_window(*watched))
        m_window_closed = false;
    // quit() sends a spontaneous event in GUI programs; Qt itself, for the last window, posts one
    // that is not.
    if (event->type() != QEvent::Quit || event->spontaneous()
        || watched != QCoreApplication::instance() || m_judging)
        return false;
    if (!m_dialog_closed)
        begin_to_judge();
    return true;
}

void QuitJudge::look_at_hidden(QObject *window)
{
    if (window == m_closing)
        m_window_closed = true;
    if (window->isWidgetType() && inherits_dialog(*window)) {
        m_dialog_closed = !m_window_closed
            && (m_loop.is_nested() || m_loop.dialogs_awaited.contains(window));
        // Comes after the quit that Qt may post for this dialog; a later quit has another cause.
        if (m_dialog_closed)
            QCoreApplication::postEvent(this, new QEvent(forget_type), Qt::LowEventPriority * 1000);
    } else if ((window->isWidgetType() && !window->parent())
               || (window->isWindowType() && !window->inherits("QWidgetWindow"))) {
        m_dialog_closed = false;
    }
}

void QuitJudge::begin_to_judge()
{
    m_rounds = 0;
    if (!std::exchange(m_waits, true))
        wait_until_quiet();
}

void QuitJudge::wait_until_quiet()
{
    // Comes after all that is ready now, and then after all that is posted.
    QCoreApplication::postEvent(this, new QEvent(judge_type), Qt::LowEventPriority * 1000);
}

bool QuitJudge::event(QEvent *event)
{
    if (event->type() == forget_type)
        m_dialog_closed = false;
    if (event->type() != judge_type)
        return QObject::event(event);
    if (m_loop.is_busy() && ++m_rounds < most_rounds) {
        wait_until_quiet();
    } else {
        m_waits = false;
        judge();
    }
    return true;
}

void QuitJudge::judge()
{
    m_judging = true;
    const bool held = m_locker.has_value();
    let_go(true);
    if (held)
        m_locker.emplace();
    const QPointer<QuitJudge> alive(this);
    QCoreApplication::sendPostedEvents(QCoreApplication::instance(), QEvent::Quit);
    if (alive) // else an event filter has ended the run
        m_judging = false;
}

} // namespace QAsyncio::detail
