// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// Qt's side of a run: which event loop of Qt's runs the turns, how a run ends without ending anything else, and what the end
// of the application does. docs/design/hosting.md says what Qt does and why this is as it is.

#include "loop/loop_p.h"

#include "loop/quit_filter.h"

#include <QtCore/qabstracteventdispatcher.h>
#include <QtCore/qcoreapplication.h>
#include <QtCore/qeventloop.h>
#include <QtCore/qscopeguard.h>
#include <QtCore/qthread.h>
#include <QtCore/qtimer.h>

namespace QAsyncio::detail {

namespace {

/// What our own exit() of Qt's loop gives back: no program's code, so that a real quit can be told from it.
constexpr int stop_code = 0x51417379;

const QEvent::Type wake_type = QEvent::Type(QEvent::registerEventType());
const QEvent::Type exit_type = QEvent::Type(QEvent::registerEventType());
const QEvent::Type advance_type = QEvent::Type(QEvent::registerEventType());

int loop_level()
{
    return QThread::currentThread()->loopLevel();
}

bool in_main_thread()
{
    return QCoreApplication::instance() && QThread::currentThread() == QCoreApplication::instance()->thread();
}

} // namespace

// Bridge

/// Made in a place of the bridge's own, and given back when Qt deletes it.
class Bridge::Spare final : public QEvent
{
public:
    Spare(QEvent::Type type, std::atomic<bool> &taken) : QEvent(type), m_taken(taken) { }
    ~Spare() override { m_taken.store(false, std::memory_order_release); }

    static void *operator new(std::size_t, void *place) { return place; }
    static void operator delete(void *) { }
    static void operator delete(void *, void *) { }

private:
    std::atomic<bool> &m_taken;
};

Bridge::~Bridge()
{
    QCoreApplication::removePostedEvents(this); // before the places of the spare ones go
}

QEvent *Bridge::make_event(QEvent::Type type) noexcept
{
    static_assert(sizeof(Spare) <= sizeof(Place::memory));
    if (auto *event = new (std::nothrow) QEvent(type))
        return event;
    for (Place &place : m_spares) {
        if (!place.taken.exchange(true, std::memory_order_acquire))
            return new (place.memory) Spare(type, place.taken);
    }
    return nullptr;
}

void Bridge::post(Bridge *bridge, QEvent *event, int priority)
{
    if (event)
        QCoreApplication::postEvent(bridge, event, priority);
}

void Bridge::ring(QObject *object)
{
    auto *const bridge = static_cast<Bridge *>(object);
    QEvent *const wake = bridge->make_event(wake_type);
    bridge->m_rung.fetch_add(1, std::memory_order_release);
    post(bridge, wake, Qt::NormalEventPriority);
}

void Bridge::post_exit()
{
    post(this, make_event(exit_type), Qt::LowEventPriority * 1000);
}

void Bridge::post_advance()
{
    post(this, make_event(advance_type), Qt::LowEventPriority * 1000);
}

void Bridge::remove_posted()
{
    take_over();
    QCoreApplication::removePostedEvents(this);
}

bool Bridge::event(QEvent *event)
{
    take_over();
    if (event->type() == wake_type)
        m_loop.wake_arrived();
    else if (event->type() == QEvent::Timer)
        m_loop.timer_arrived();
    else if (event->type() == exit_type)
        m_loop.leave_qt_loop();
    else if (event->type() == advance_type)
        m_loop.advance_clock();
    else
        return QObject::event(event);
    return true;
}

// Runs

void LoopPrivate::check_runnable() const
{
    if (has(Closed))
        throw RuntimeError(QStringLiteral("Event loop is closed"));
    if (has(Running))
        throw RuntimeError(QStringLiteral("This event loop is already running"));
    if (thread_data().running)
        throw RuntimeError(QStringLiteral("Cannot run the event loop while another loop is running"));
    if (!in_own_thread())
        throw RuntimeError(QStringLiteral("The event loop belongs to another thread"));
    if (!QCoreApplication::instance())
        throw RuntimeError(QStringLiteral("The event loop needs a QCoreApplication"));
}

void LoopPrivate::begin_run()
{
    thread->running = loop;
    set(Running, true);
    QScopeGuard not_begun([this] { end_run(); }); // out of memory
    m_left = m_exit_posted = m_end_is_ripe = m_break_batch = false;
    m_own_level = loop_level() + 1;
    QAbstractEventDispatcher *dispatcher = QAbstractEventDispatcher::instance();
    const auto turns = [this] { dispatcher_turns(); };
    m_awake = QObject::connect(dispatcher, &QAbstractEventDispatcher::awake, bridge.get(), turns, Qt::DirectConnection);
    m_about_to_block =
        QObject::connect(dispatcher, &QAbstractEventDispatcher::aboutToBlock, bridge.get(), turns, Qt::DirectConnection);
    if (in_main_thread() && QCoreApplication::instance()->inherits("QGuiApplication"))
        m_quit_filter = std::make_unique<QuitFilter>(*this);
    inbox.set_doorbell(bridge.get());
    fds.selector().set_enabled(true);
    post_wake(); // at least one turn (L-020)
    not_begun.dismiss();
}

void LoopPrivate::end_run() noexcept
{
    QObject::disconnect(m_awake);
    QObject::disconnect(m_about_to_block);
    m_quit_filter.reset();
    fds.selector().set_enabled(false);
    inbox.set_doorbell(nullptr);
    disarm_timer();
    bridge->remove_posted();
    m_advance_posted = false;
    m_batch_left = 0;
    flags &= ~WakePosted;
    set(Running, false);
    stop_requested = false; // does not survive the run (L-023)
    thread->running = nullptr;
}

RunEnd LoopPrivate::run()
{
    begin_run();
    const int code = exec_qt();
    end_run();
    if (leaving)
        std::rethrow_exception(std::exchange(leaving, nullptr));
    return {code != stop_code, code};
}

int LoopPrivate::exec_qt()
{
    // Only under QCoreApplication::exec() do quit() and the closing of the last window mean anything; but it cannot be nested.
    if (in_main_thread() && loop_level() == 0) {
        QCoreApplication *app = QCoreApplication::instance();
        const int code = hooks ? hooks->exec() : QCoreApplication::exec();
        // leave_qt_loop() silences aboutToQuit, which Qt emits whenever exec() returns: a stop is no quit.
        if (m_left) {
            app->blockSignals(false);
            if (code != stop_code) // exit(n) came behind our own exit, in the same pass: it is a quit after all
                QMetaObject::invokeMethod(app, "aboutToQuit", Qt::DirectConnection);
        }
        return code;
    }
    QEventLoop event_loop;
    m_event_loop = &event_loop;
    const int code = event_loop.exec();
    m_event_loop = nullptr;
    return code;
}

bool LoopPrivate::may_end_here() const
{
    return attached ? m_depth <= 1 : loop_level() == m_own_level;
}

void LoopPrivate::end_if_possible() noexcept
{
    if (!m_end_is_ripe || m_exit_posted || m_depth > 0 || !may_end_here())
        return;
    if (!attached) {
        m_exit_posted = true;
        bridge->post_exit();
        return;
    }
    const std::exception_ptr exception = std::exchange(leaving, nullptr);
    detach();
    if (!exception)
        return;
    // There is no run_forever() to rethrow it from: the application ends as the exception says.
    try {
        std::rethrow_exception(exception);
    } catch (const LoopExit &exit) {
        QCoreApplication::exit(exit.code());
    } catch (...) {
        QCoreApplication::exit(130);
    }
}

void LoopPrivate::leave_qt_loop() noexcept
{
    m_exit_posted = false;
    if (!has(Running) || !m_end_is_ripe)
        return;
    if (!may_end_here()) // somebody has opened a dialog since: turns go on until it is closed
        return post_wake();
    m_left = true;
    if (m_event_loop)
        return m_event_loop->exit(stop_code);
    QCoreApplication::instance()->blockSignals(true);
    QCoreApplication::exit(stop_code);
}

void LoopPrivate::dispatcher_turns() noexcept
{
    if (!has(Running) || m_left)
        return;
    if (!attached && loop_level() > m_own_level)
        m_dialog_turn = m_turns;
    if (m_end_is_ripe)
        end_if_possible();
    // Outside of process(), whatever is scheduled wakes us by itself. Inside of it a nested event loop is about to sleep.
    if (m_depth > 0)
        sleep_or_wake();
}

void LoopPrivate::dialog_awaited(bool begins) noexcept
{
    dialogs_awaited += begins ? 1 : -1;
    m_dialog_turn = m_turns;
}

// Attached

void LoopPrivate::attach()
{
    check_runnable();
    begin_run();
    attached = true;
    if (!in_main_thread())
        return;
    m_about_to_quit = QObject::connect(QCoreApplication::instance(), &QCoreApplication::aboutToQuit, bridge.get(), [this] {
        if (!attached || m_drain)
            return;
        if (quit_requested && !quit_requested.done())
            quit_requested.set_result();
        for (const AnyTask &task : loop->all_tasks())
            AnyTask(task).cancel();
        QEventLoop drain; // works here: exec() has returned already
        m_drain = &drain;
        QTimer::singleShot(std::chrono::ceil<std::chrono::milliseconds>(quit_deadline), &drain, [&drain] { drain.exit(1); });
        if (first_task)
            drain.exec();
        m_drain = nullptr;
        ended_with_application = true;
        detach();
    });
}

void LoopPrivate::detach() noexcept
{
    if (!attached)
        return;
    QObject::disconnect(m_about_to_quit);
    end_run();
    attached = false;
}

} // namespace QAsyncio::detail
