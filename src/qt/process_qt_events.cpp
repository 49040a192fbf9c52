// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/process_qt_events.h"

#include "loop/loop_p.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qcoreevent.h>
#include <QtCore/qelapsedtimer.h>
#include <QtCore/qscopeguard.h>
#include <QtCore/qthread.h>

#include <limits>
#include <new>

namespace QAsyncio::detail {

namespace {

const QEvent::Type passed_type = QEvent::Type(QEvent::registerEventType());

constexpr int most_wait = 250; // milliseconds to wait for windows that do not appear

bool paints_here()
{
    const QCoreApplication *const app = QCoreApplication::instance();
    return app && app->inherits("QGuiApplication") && app->thread() == QThread::currentThread();
}

/// How long QWindow::requestUpdate() may hold an update back, in milliseconds: Qt's default, or
/// what the environment says.
int update_interval()
{
    bool is_set = false;
    const int interval = qEnvironmentVariableIntValue("QT_QPA_UPDATE_IDLE_TIME", &is_set);
    return is_set && interval >= 0 ? interval : 5;
}

/// Counts passes of Qt's dispatcher. Each begins with a timer, since a pass that fires one has
/// looked at the window system and at everything else. It ends with an event of the lowest
/// priority, which comes when all others are delivered, including those that these have caused.
class Passes final : public QObject
{
public:
    Passes(QAsyncioLoop &loop, bool (*windows_ready)())
        : completed(make_named_future<void>(loop.core(), "Qt's pending events")),
          m_windows_ready(paints_here() ? windows_ready : nullptr)
    {
        m_waited.start();
        // Longer than the timer of an update that is pending now, so that it is served first.
        startTimer(paints_here() ? update_interval() + 1 : 0, Qt::PreciseTimer);
    }

    Future<> completed;

protected:
    void timerEvent(QTimerEvent *event) override
    {
        auto *const passed = new (std::nothrow) QEvent(passed_type);
        if (!passed) // no memory: tried again at the next tick of this timer
            return;
        killTimer(event->timerId());
        QCoreApplication::postEvent(this, passed, std::numeric_limits<int>::min());
    }
    bool event(QEvent *event) override
    {
        if (event->type() != passed_type)
            return QObject::event(event);
        if (m_windows_ready && !m_windows_ready() && m_waited.elapsed() < most_wait)
            startTimer(update_interval() + 1, Qt::PreciseTimer);
        else if (--m_left > 0)
            startTimer(0);
        else if (!completed.done())
            completed.set_result();
        return true;
    }

private:
    bool (*const m_windows_ready)();
    QElapsedTimer m_waited;
    // Passes: what the window system had ready in the first may come late in it, or in the second.
    int m_left = 3;
};

} // namespace

Coroutine<> process_qt_events(bool (*windows_ready)())
{
    QAsyncioLoop &loop = get_running_loop();
    // None: the loop of a thread has outlived it, and Qt delivers nothing any more.
    if (!QCoreApplication::instance())
        co_return;
    LoopPrivate &d = LoopPrivate::of(loop);
    ++d.jobs_in_flight; // a virtual clock must not jump ahead meanwhile
    const QScopeGuard no_longer([&d] { d.job_ended(); });
    Passes passes(loop, windows_ready);
    co_await passes.completed;
}

} // namespace QAsyncio::detail
