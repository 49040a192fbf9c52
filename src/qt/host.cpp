// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// Qt's side of a run: which event loop of Qt's runs the turns, how a run ends without ending
// anything else, and what the end of the application does. docs/design/hosting.md says what Qt does
// and why this is as it is.

#include "base/exception_kind.h"
#include "base/logging.h"
#include "loop/loop_p.h"

#include "qt/quit_judge.h"

#include <QtCore/qabstracteventdispatcher.h>
#include <QtCore/qcoreapplication.h>
#include <QtCore/qeventloop.h>
#include <QtCore/qpointer.h>
#include <QtCore/qscopeguard.h>
#include <QtCore/qstringlist.h>
#include <QtCore/qthread.h>
#include <QtCore/qtimer.h>

#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace QAsyncio::detail {

namespace {

/// What our own exit() of Qt's loop gives back: no program's code, so that a real quit can be told
/// from it.
constexpr int stop_code = 0x51417379;

int loop_level()
{
    return QThread::currentThread()->loopLevel();
}

bool in_main_thread()
{
    return QCoreApplication::instance()
        && QThread::currentThread() == QCoreApplication::instance()->thread();
}

} // namespace

// Runs

void LoopPrivate::check_runnable() const
{
    if (has(Closed) || m_closing || m_end_waits)
        throw RuntimeError(QStringLiteral("Event loop is closed"));
    if (has(Running))
        throw RuntimeError(QStringLiteral("This event loop is already running"));
    if (m_depth > 0) // detached inside an event loop that this code has opened
        throw RuntimeError(
            QStringLiteral("Cannot run the event loop while code of it is on the stack"));
    if (thread_data().running)
        throw RuntimeError(
            QStringLiteral("Cannot run the event loop while another loop is running"));
    if (!in_own_thread())
        throw RuntimeError(QStringLiteral("The event loop belongs to another thread"));
    if (!QCoreApplication::instance())
        throw RuntimeError(QStringLiteral("The event loop needs a QCoreApplication"));
}

void LoopPrivate::begin_run(bool attaching)
{
    thread->running = loop;
    set(Running, true);
    attached = attaching;
    QScopeGuard not_begun([this] { // out of memory
        end_run();
        attached = false;
    });
    ++m_runs;
    leaving = nullptr; // of a run that a slot's exception has ended
    m_left = m_ends_here = m_end_is_ripe = m_last_pass = m_break_batch = false;
    m_passes_to_leave = m_blocks_unanswered = 0;
    m_own_frame = nullptr;
    m_own_level = loop_level() + 1;
    QAbstractEventDispatcher *dispatcher = QAbstractEventDispatcher::instance();
    const auto awake = [this] {
        dispatcher_turns(false, static_cast<const char *>(__builtin_frame_address(0)));
    };
    const auto blocks = [this] {
        dispatcher_turns(true, static_cast<const char *>(__builtin_frame_address(0)));
    };
    m_awake = QObject::connect(dispatcher, &QAbstractEventDispatcher::awake, bridge.get(), awake,
                               Qt::DirectConnection);
    m_about_to_block = QObject::connect(dispatcher, &QAbstractEventDispatcher::aboutToBlock,
                                        bridge.get(), blocks, Qt::DirectConnection);
    if (in_main_thread())
        m_quit_judge = std::make_unique<QuitJudge>(*this);
    inbox.set_doorbell(bridge.get());
    fds.selector().set_enabled(true);
    post_wake(); // at least one turn (L-020)
    not_begun.dismiss();
}

void LoopPrivate::end_run() noexcept
{
    QObject::disconnect(m_awake);
    QObject::disconnect(m_about_to_block);
    m_quit_judge.reset();
    fds.selector().set_enabled(false);
    inbox.set_doorbell(nullptr);
    disarm_timer();
    bridge->remove_posted();
    m_advance_posted = false;
    m_batch_left = 0;
    flags &= ~WakePosted;
    if (!has(Running)) // the loop was destroyed in this run
        return;
    set(Running, false);
    stop_requested = false; // does not survive the run (L-023)
    thread->running = nullptr;
}

RunEnd LoopPrivate::run()
{
    const Activation active(*this);
    begin_run(false);
    int code;
    try {
        code = exec_qt();
    } catch (...) { // a slot's, which Qt lets through
        if (std::exchange(m_in_exec, false))
            unblock_application();
        m_event_loop = nullptr;
        end_run();
        throw;
    }
    end_run();
    if (leaving)
        std::rethrow_exception(std::exchange(leaving, nullptr));
    return {code != stop_code && !m_end_waits, code};
}

int LoopPrivate::exec_qt()
{
    // Only under QCoreApplication::exec() do quit() and the closing of the last window mean
    // anything; but it cannot be nested.
    if (in_main_thread() && loop_level() == 0) {
        m_in_exec = true;
        const int code = hooks ? hooks->exec() : QCoreApplication::exec();
        m_in_exec = false;
        unblock_application();
        // exit(n) came after our own exit: a quit after all.
        if (QCoreApplication *app = QCoreApplication::instance();
            m_left && app && code != stop_code)
            QMetaObject::invokeMethod(app, "aboutToQuit", Qt::DirectConnection);
        return code;
    }
    const qint64 turns_before = m_turns;
    QEventLoop event_loop;
    m_event_loop = &event_loop;
    const int code = event_loop.exec();
    m_event_loop = nullptr;
    return code == -1 && m_turns == turns_before ? exec_after_exit() : code;
}

/// leave_qt_loop() silences aboutToQuit, which Qt emits whenever exec() returns: a stop is no quit.
void LoopPrivate::unblock_application() noexcept
{
    if (QCoreApplication *app = QCoreApplication::instance(); m_left && app)
        app->blockSignals(m_signals_were_blocked);
}

namespace {
/// Hears that the application is asked to quit once more, when no QEventLoop ends because of that
/// any more.
class QuitListener final : public QObject
{
public:
    QuitListener() { QCoreApplication::instance()->installEventFilter(this); }

    bool heard = false;

protected:
    bool eventFilter(QObject *watched, QEvent *event) override
    {
        // What is not spontaneous in a GUI program comes from the last window: QuitJudge asks
        // again, if that is the end.
        if (event->type() == QEvent::Quit && watched == QCoreApplication::instance())
            heard = heard || event->spontaneous() || !watched->inherits("QGuiApplication");
        return false;
    }
};
} // namespace

/// The thread's exec() was told to exit: no QEventLoop runs there any more, but its dispatcher
/// does, and a loop may clean up.
int LoopPrivate::exec_after_exit()
{
    m_own_level = loop_level();
    m_own_frame = nullptr;
    QAbstractEventDispatcher *dispatcher = QAbstractEventDispatcher::instance();
    std::optional<QuitListener> quit;
    if (in_main_thread())
        quit.emplace();
    while (!m_left && has(Running) && !(quit && quit->heard))
        dispatcher->processEvents(QEventLoop::WaitForMoreEvents);
    return quit && quit->heard && !m_left ? 0 : stop_code;
}

bool LoopPrivate::may_end_here() const
{
    return attached ? m_depth <= 1 : loop_level() == m_own_level;
}

bool LoopPrivate::is_nested() const noexcept
{
    return loop_level() > m_own_level;
}

LoopPrivate::Activation::Activation(LoopPrivate &loop)
    : m_loop(loop), m_outer(std::exchange(loop.m_innermost, this)), m_level(loop_level()),
      m_outer_dispatcher_frame(std::exchange(loop.m_dispatcher_frame, nullptr))
{
    loop.retain();
}

bool LoopPrivate::Activation::is_under_a_slot(const char *frame) const
{
    // A bare processEvents() does not raise the level; but the dispatcher has spoken since, and
    // this is deeper in the stack.
    return loop_level() > m_level
        || (m_loop.m_dispatcher_frame && frame < m_loop.m_dispatcher_frame);
}

bool LoopPrivate::is_under_a_slot() const
{
    return m_innermost
        && m_innermost->is_under_a_slot(static_cast<const char *>(__builtin_frame_address(0)));
}

void LoopPrivate::end_if_possible() noexcept
{
    if (m_end_is_ripe && m_depth == 0)
        detach(); // a run of our own is left by dispatcher_turns()
}

namespace {
void exit_exec(int code)
{
    if (in_main_thread())
        QCoreApplication::exit(code);
    else
        QThread::currentThread()->exit(code);
}
} // namespace

/// There is no run_forever() to rethrow it from: the program's exec() ends as the exception says.
void LoopPrivate::end_application(const std::exception_ptr &exception) noexcept
{
    exit_exec(kind_of(exception).exit_code);
}

void LoopPrivate::leave_ended(std::exception_ptr exception) noexcept
{
    if (m_in_exec || m_event_loop)
        leaving = std::move(exception); // its run returns as soon as nothing of it is on the stack
    else
        end_application(exception);
}

void LoopPrivate::leave_qt_loop() noexcept
{
    m_left = true;
    if (m_event_loop)
        return m_event_loop->exit(stop_code);
    if (!m_in_exec || !QCoreApplication::instance()) {
        // exec_after_exit(), or the application has gone with its event loop
        if (QAbstractEventDispatcher *dispatcher = QAbstractEventDispatcher::instance())
            dispatcher->interrupt();
        return;
    }
    m_signals_were_blocked = QCoreApplication::instance()->blockSignals(true);
    QCoreApplication::exit(stop_code);
}

/// Whether the dispatcher that speaks is the run's own one, and not that of an event loop, or of a
/// bare processEvents(), above it. The latter does not raise QThread::loopLevel(); but it is deeper
/// in the stack than the run's own, which always speaks from the same place, and speaks first.
bool LoopPrivate::is_at_own_level(const char *frame) noexcept
{
    if (loop_level() != m_own_level)
        return false;
    // Between two signals of one function. An event handler between them takes far more.
    constexpr std::ptrdiff_t slack = 128;
    if (!m_own_frame || frame > m_own_frame)
        m_own_frame = frame;
    return m_own_frame - frame < slack;
}

void LoopPrivate::dispatcher_turns(bool blocks, const char *frame) noexcept
{
    m_dispatcher_frame = frame;
    if (m_timed && loop_level() > m_timed_level) {
        const TimePoint now_ = std::chrono::steady_clock::now();
        if (m_timed->first == TimePoint())
            m_timed->first = now_;
        m_timed->last = now_;
        m_timed->blocked = blocks;
        if (watchdog) // others are served
            watchdog->end_step();
    }
    if (m_left || (!has(Running) && !m_end_waits))
        return;
    const Activation active(*this); // a turn may end the loop
    const bool at_own_level = is_at_own_level(frame);
    if (blocks && has(Running))
        look_for_lost_events();
    if (!attached && Q_UNLIKELY(m_end_is_ripe || m_end_waits)) {
        // Left when Qt is about to block: no slot is on the stack, and nothing else is served in
        // this pass. Where a timer of 0 ms keeps Qt from ever blocking, after some passes.
        constexpr int most_passes = 3;
        // If it is not, a slot has opened an event loop or calls processEvents(): turns go on until
        // it returns.
        m_ends_here = at_own_level;
        if (m_ends_here && blocks && has(Running) && !std::exchange(m_last_pass, true)) {
            // glib's dispatcher says that it blocks before it has delivered what is posted, or
            // looked at descriptors.
            post_wake();
        } else if (m_ends_here && (blocks || ++m_passes_to_leave > most_passes)) {
            return leave_qt_loop();
        }
    }
    if (!has(Running))
        return;
    if (attached && m_end_is_ripe)
        end_if_possible();
    // Outside of process(), whatever is scheduled wakes us by itself, unless the end was near.
    // Inside of it a nested event loop is about to sleep.
    if ((m_depth > 0 && may_nest()) || (m_end_is_ripe && !m_ends_here))
        sleep_or_wake();
}

/// An event filter of the program may have swallowed an event that was posted to the bridge, or a
/// timer's. Then nothing would run any more.
void LoopPrivate::look_for_lost_events() noexcept
{
    if (m_depth > 0 && !may_nest())
        return;
    // Qt is about to block, and will not look again at what a callback changes here. So it is woken
    // if a turn was run. The application may die in that turn.
    const QPointer<QAbstractEventDispatcher> dispatcher = QAbstractEventDispatcher::instance();
    const QScopeGuard wake_dispatcher([&dispatcher, turns = m_turns, this] {
        if (dispatcher && m_turns != turns)
            dispatcher->wakeUp();
    });
    if (m_armed != TimePoint::max() && now() >= m_armed)
        return timer_arrived();
    const bool waits_for_wake = flags & WakePosted || inbox.maybe_filled();
    if (!waits_for_wake && !m_advance_posted) {
        m_blocks_unanswered = 0;
        return;
    }
    if (++m_blocks_unanswered < 2) {
        // Perhaps not delivered yet: glib's dispatcher emits aboutToBlock first, and a thread may
        // post right now.
        if (dispatcher)
            dispatcher->wakeUp();
        return;
    }
    m_blocks_unanswered = 0;
    if (waits_for_wake)
        wake_arrived();
    else
        advance_clock();
}

void LoopPrivate::close_later() noexcept
{
    if (has(Closed) || std::exchange(m_end_waits, true))
        return;
    if (attached)
        detach();
    if (!has(Running))
        return;
    // The run goes on to its end, without turns: Qt's loop is left when what is above it has
    // returned.
    set(Running, false);
    thread->running = nullptr;
    stop_requested = false;
    m_batch_left = 0;
}

void LoopPrivate::dialog_awaited(const QObject *dialog, bool begins)
{
    if (begins)
        ++dialogs_awaited[dialog];
    else if (const auto found = dialogs_awaited.find(dialog);
             found != dialogs_awaited.end() && --found->second == 0)
        dialogs_awaited.erase(found);
}

// Attached

void LoopPrivate::attach()
{
    check_runnable();
    if (is_on_stack())
        throw RuntimeError(
            QStringLiteral("Cannot attach the event loop while code of it is on the stack"));
    begin_run(true);
    quit_was_requested = false; // forgets a quit of an exec() that has ended
    if (!in_main_thread())
        return;
    hear_of_quit();
}

/// The slot of aboutToQuit. If it is destroyed while the loop is attached, the program has
/// disconnected all slots but did not mean this one: it is connected again.
class LoopPrivate::QuitSlot
{
public:
    explicit QuitSlot(LoopPrivate &loop) : m_core(Ref<LoopCore>::share(&loop)) { }
    QuitSlot(QuitSlot &&) noexcept = default;
    QuitSlot &operator=(QuitSlot &&) = delete;
    ~QuitSlot()
    {
        if (m_core && loop().attached)
            loop().hear_of_quit();
    }
    void operator()() const { loop().application_quits(); }

private:
    LoopPrivate &loop() const { return static_cast<LoopPrivate &>(*m_core); }

    // Null: moved from. A reference, since the loop may go while Qt calls this.
    Ref<LoopCore> m_core;
};

void LoopPrivate::hear_of_quit() noexcept
try {
    if (QCoreApplication *app = QCoreApplication::instance())
        m_about_to_quit = QObject::connect(app, &QCoreApplication::aboutToQuit, bridge.get(),
                                           QuitSlot(*this), Qt::DirectConnection);
} catch (const std::bad_alloc &) {
    qCCritical(logCategory, "no memory to hear of the application's end");
}

void LoopPrivate::application_quits() noexcept
{
    if (!attached || m_drain || m_quit_waits)
        return;
    const Activation active(*this); // a task may end the loop
    try {
        ask_tasks_to_end();
    } catch (const std::bad_alloc &) {
        return drain_without_memory();
    }
    // Qt 6.4 says so when exec() has returned, Qt 6.8 inside of quit(): a task may have called it,
    // and has to return first.
    m_quit_waits = m_depth > 0;
    if (!m_quit_waits)
        drain();
}

namespace {
/// Whether a task is told of a quit: it awaits quit_requested(), or a task that does.
class TellsOfQuit
{
public:
    explicit TellsOfQuit(std::unordered_set<const Runnable *> asked) : m_asked(std::move(asked)) { }

    bool operator()(const TaskStateBase &task)
    {
        // To the end of the chain, or to a task that is known; that may be the first one, in a
        // circle.
        std::vector<const TaskStateBase *> path;
        const TaskStateBase *last = &task;
        for (; !m_known.contains(last); last = last->awaited_task()) {
            path.push_back(last);
            m_known.emplace(last, m_asked.contains(last->awaited_future()));
            if (!last->awaited_task())
                break;
        }
        const bool told = m_known.at(last);
        for (const TaskStateBase *const passed : path)
            m_known[passed] = told;
        return told;
    }

private:
    const std::unordered_set<const Runnable *> m_asked;
    std::unordered_map<const TaskStateBase *, bool> m_known;
};
} // namespace

void LoopPrivate::ask_tasks_to_end()
{
    TellsOfQuit tells(quit_requests.states());
    for (AnyTask task : loop->all_tasks()) {
        if (!tells(static_cast<TaskStateBase &>(*FutureAccess::state(task))))
            task.cancel();
    }
    tell_of_quit();
}

void LoopPrivate::drain() noexcept
try {
    m_quit_waits = false;
    QEventLoop event_loop;
    m_drain = &event_loop;
    bool too_late = false;
    QTimer::singleShot(std::chrono::seconds(1), &event_loop,
                       [this] { name_tasks("the end of the program waits for"); });
    QTimer::singleShot(timer_milliseconds(quit_deadline), &event_loop, [&] {
        name_tasks("the program ends without");
        too_late = true;
        event_loop.exit();
    });
    while (first_task && attached && !too_late) { // once more, if somebody calls exit(n) meanwhile
        const qint64 turns_before = m_turns;
        if (event_loop.exec() != -1 || m_turns != turns_before)
            continue;
        // Inside of an exec() that was told to exit: no QEventLoop runs there any more.
        const QPointer<QAbstractEventDispatcher> dispatcher = QAbstractEventDispatcher::instance();
        while (first_task && attached && !too_late && dispatcher)
            dispatcher->processEvents(QEventLoop::WaitForMoreEvents);
        break;
    }
    end_drain();
} catch (const std::bad_alloc &) {
    drain_without_memory();
}

void LoopPrivate::name_tasks(const char *what) const
{
    if (!first_task || !attached) // the tasks or the loop have ended since this timer was started
        return;
    QStringList names;
    for (const AnyTask &task : loop->all_tasks())
        names << task.to_string();
    qCWarning(logCategory).noquote() << "attached loop:" << what << names.join(QLatin1String(", "));
}

void LoopPrivate::drain_without_memory() noexcept
{
    qCCritical(logCategory, "no memory to let the tasks of an attached loop clean up");
    end_drain();
}

void LoopPrivate::end_drain() noexcept
{
    m_drain = nullptr;
    ended_with_application = true;
    detach();
}

void LoopPrivate::end_drain_if_empty() noexcept
{
    if (m_drain && !first_task)
        m_drain->exit();
}

void LoopPrivate::detach() noexcept
{
    if (!attached)
        return;
    attached = false; // first: the slot of aboutToQuit is not to come back
    QObject::disconnect(m_about_to_quit);
    if (m_drain)
        m_drain->exit();
    end_run();
    if (const std::exception_ptr exception = std::exchange(leaving, nullptr))
        end_application(exception);
}

void LoopPrivate::tell_of_quit()
{
    quit_was_requested = true;
    quit_requests.announce();
}

} // namespace QAsyncio::detail
