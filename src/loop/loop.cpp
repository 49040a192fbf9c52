// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/loop.h"

#include "base/exception_kind.h"
#include "base/logging.h"
#include "loop/loop_p.h"
#include "tasks/object_owner.h"

#include <QtCore/qabstracteventdispatcher.h>
#include <QtCore/qcoreapplication.h>
#include <QtCore/qeventloop.h>
#include <QtCore/qscopeguard.h>
#include <QtCore/qthread.h>

#include <algorithm>
#include <atomic>
#include <mutex>

namespace QAsyncio::detail {

namespace {

/// The loops of the main thread, which the end of the application closes. Guarded, since loops of other threads look too.
struct MainLoops
{
    std::mutex mutex;
    std::vector<LoopPrivate *> loops;
    bool routine_added = false;
};

MainLoops &main_loops()
{
    static MainLoops *const instance = new MainLoops; // outlives static destruction
    return *instance;
}

void close_main_loops()
{
    MainLoops &all = main_loops();
    std::vector<LoopPrivate *> loops;
    {
        const std::lock_guard lock(all.mutex);
        all.routine_added = false; // Qt forgets it once it has called it
        loops = all.loops;
    }
    for (LoopPrivate *loop : loops) {
        {
            const std::lock_guard lock(all.mutex);
            if (std::find(all.loops.begin(), all.loops.end(), loop) == all.loops.end())
                continue; // one that was closed before has taken it along
        }
        loop->application_dies();
    }
}

void register_main_loop(LoopPrivate *loop)
{
    MainLoops &all = main_loops();
    const std::lock_guard lock(all.mutex);
    all.loops.push_back(loop);
    if (!std::exchange(all.routine_added, true))
        qAddPostRoutine(close_main_loops);
}

void unregister_main_loop(LoopPrivate *loop)
{
    MainLoops &all = main_loops();
    const std::lock_guard lock(all.mutex);
    std::erase(all.loops, loop);
}

std::shared_ptr<Selector> default_selector()
{
    // QASYNCIO_SELECTOR=notifier lets the tests run with the other one.
    std::shared_ptr<Selector> selector;
    if (qgetenv("QASYNCIO_SELECTOR") != "notifier")
        selector = make_epoll_selector();
    return selector ? selector : make_notifier_selector();
}

std::atomic<int> cores_alive{0};

quint64 id_of(ThreadData &thread)
{
    static std::atomic<quint64> last{0};
    if (thread.id == 0)
        thread.id = ++last;
    return thread.id;
}

void check_application()
{
    if (!QCoreApplication::instance())
        throw RuntimeError(
            QStringLiteral("QAsyncioLoop needs a QCoreApplication (or QGuiApplication, QApplication): make it first"));
}

} // namespace

LoopPrivate::LoopPrivate(QAsyncioLoop &owner, std::shared_ptr<Selector> selector, std::shared_ptr<Clock> own_clock)
    : fds(selector ? std::move(selector) : default_selector()), clock(std::move(own_clock))
{
    loop = &owner;
    thread = &thread_data();
    thread_id = id_of(*thread);
    context_slot(); // from now on there is one
    const QEventLoop gives_the_thread_a_dispatcher;
    bridge = std::make_unique<Bridge>(*this);
    fds.selector().open(bridge.get(), [this] { process(); });
    if (bridge->thread() == QCoreApplication::instance()->thread())
        register_main_loop(this);
    ++cores_alive; // last: a constructor that throws has no destructor
}

LoopPrivate::~LoopPrivate()
{
    --cores_alive;
}

int live_loops() noexcept
{
    return cores_alive;
}

void LoopPrivate::application_dies() noexcept
{
    ended_with_application = true;
    if (attached)
        detach();
    m_quit_judge.reset(); // its QEventLoopLocker refers to the application
    if (!is_on_stack())
        return close();
    // Qt's dispatcher is on the stack, too, and would go with the application. It is left behind, for whoever returns to it.
    static QObject *const keeper = new QObject; // outlives static destruction
    if (QAbstractEventDispatcher *dispatcher = QAbstractEventDispatcher::instance())
        dispatcher->setParent(keeper);
    QCoreApplication::exit(); // or an exec() on the stack, ours or the program's, would wait for a dispatcher for ever
    close_later();
}

void LoopPrivate::close() noexcept
{
    if (has(Closed) || std::exchange(m_closing, true))
        return;
    const auto self = Ref<LoopCore>::share(this); // what is destroyed may own the loop
    unregister_main_loop(this);
    inbox.close_into(ready);
    fds.close();
    discard_everything();
    set(Closed, true);
    close_executor();
    executor_shut_down = true;
    quit_requests = {};
    timer_source.reset();
    bridge.reset();
}

void LoopPrivate::discard_everything() noexcept
{
    // The loop is not marked as closed yet, so that destructors may go on using it: what they schedule goes with the rest, in
    // silence. Rounds are counted against a destructor that schedules itself for ever.
    constexpr int most_rounds = 100;
    for (int round = 0; last_task || !timers.empty() || !ready.empty(); ++round) {
        if (round == most_rounds) {
            qCWarning(logCategory, "close(): destructors go on scheduling; what they have scheduled last is leaked");
            return;
        }
        destroy_tasks();
        timers.clear();
        for (std::size_t left = ready.size(); left > 0; --left)
            ready.pop()->discard();
    }
}

void LoopPrivate::destroy_tasks() noexcept
{
    std::vector<Ref<TaskStateBase>> tasks; // those of now: their destructors may make others
    try {
        for (TaskStateBase *task = last_task; task; task = task->previous) // youngest first
            tasks.push_back(Ref<TaskStateBase>::share(task));
    } catch (const std::bad_alloc &) { // what was found goes, the rest in the next round
    }
    if (tasks.empty() && last_task)
        return last_task->destroy_pending();
    for (const Ref<TaskStateBase> &task : tasks) {
        if (!task->done())
            task->destroy_pending();
    }
}

void LoopPrivate::add_timer(TimerState *timer)
{
    timers.push(timer); // first: it may find no memory
    timer->retain();
    timer->scheduled_in = this;
    // Inside of process() the timer is armed when it ends.
    if (has(Running) && !(flags & Dispatching))
        sleep_or_wake();
}

void LoopPrivate::job_ended()
{
    --jobs_in_flight;
    if (has(Running) && !(flags & Dispatching))
        sleep_or_wake();
}

void LoopPrivate::link_task(TaskStateBase &task)
{
    if (m_closing) // a destructor has made it; it ends unseen
        task.flags &= ~FutureStateBase::LogDestroyed;
    task.previous = last_task;
    (last_task ? last_task->next : first_task) = &task;
    last_task = &task;
}

void LoopPrivate::unlink_task(TaskStateBase &task)
{
    (task.previous ? task.previous->next : first_task) = task.next;
    (task.next ? task.next->previous : last_task) = task.previous;
    task.previous = task.next = nullptr;
}

} // namespace QAsyncio::detail

using namespace QAsyncio;
using namespace QAsyncio::detail;

QAsyncioLoop::QAsyncioLoop(LoopOptions options)
{
    check_application();
    auto *d = new LoopPrivate(*this, std::move(options.m_selector), std::move(options.m_clock));
    m_core = d;
    d->strict = options.m_strict;
    d->time_slice = options.m_time_slice;
    d->quit_deadline = options.m_quit_deadline;
    QScopeGuard not_made([d] {
        d->close();
        d->orphan();
    });
    if (options.m_precise_timers)
        d->timer_source = make_timerfd_source([d] { d->timer_arrived(); });
    if (!d->timer_source)
        d->timer_source = make_qt_timer_source(d->bridge.get());
    if (qEnvironmentVariableIntValue("QASYNCIO_DEBUG") != 0)
        set_debug(true);
    not_made.dismiss();
}

QAsyncioLoop::~QAsyncioLoop()
{
    LoopPrivate &d = LoopPrivate::of(*this);
    if (d.attached)
        detach();
    if (!is_closed() && !d.is_closing() && !d.ended_with_application)
        qCWarning(logCategory).noquote() << "unclosed event loop" << to_string();
    if (d.is_on_stack()) // a task, or a slot under its dialog, destroys it: what is on the stack returns first
        d.close_later();
    else
        d.close();
    // What these have may report, or make tasks, when it goes: then they are forgotten already.
    m_core->has_task_factory = false;
    static_cast<void>(std::exchange(d.exception_handler, {}));
    static_cast<void>(std::exchange(d.task_factory, {}));
    m_core->orphan(); // futures may still refer to it
}

// Running and stopping

void QAsyncioLoop::check_runnable() const
{
    LoopPrivate::of(*this).check_runnable();
}

void QAsyncioLoop::run_forever()
{
    check_runnable();
    LoopPrivate::of(*this).run();
}

void QAsyncioLoop::run_until_done(const AnyFuture &future)
{
    RunnerAccess::run_until_done(*this, future, StaleStop::EndsNextRun);
    if (!future.done())
        throw RuntimeError(QStringLiteral("Event loop stopped before Future completed."));
}

RunEnd RunnerAccess::run_until_done(QAsyncioLoop &loop, const AnyFuture &future, StaleStop stale)
{
    check_loop(*FutureAccess::state(future), loop.core());
    AnyFuture watched = future;
    LoopPrivate &d = LoopPrivate::of(loop);
    const DoneCallbackId stop = watched.add_done_callback([&loop, &d, stale, run = d.runs() + 1](const AnyFuture &done) {
        if (stale == StaleStop::Ignored && d.runs() != run)
            return;
        // A task that threw LoopExit has ended the run already (L-044).
        const auto *state = FutureAccess::state(done);
        if (state->has_exception() && state->state() == FutureStateBase::Finished
            && leaves_loop(state->peek_exception()))
            return;
        loop.stop();
    });
    const QScopeGuard remove([&] { watched.remove_done_callback(stop); });
    try {
        return d.run();
    } catch (...) {
        if (watched.done() && !watched.cancelled())
            FutureAccess::state(watched)->take_exception(); // it is on its way to the caller (L-041)
        throw;
    }
}

void QAsyncioLoop::stop()
{
    LoopPrivate &d = LoopPrivate::of(*this);
    if (is_closed())
        return;
    d.stop_requested = true;
    if (is_running() && !(d.flags & LoopCore::Dispatching))
        d.post_wake();
}

bool QAsyncioLoop::is_running() const
{
    return m_core->has(LoopCore::Running);
}

bool QAsyncioLoop::is_closed() const
{
    return m_core->has(LoopCore::Closed) || LoopPrivate::of(*this).is_closing_later();
}

void QAsyncioLoop::close()
{
    LoopPrivate &d = LoopPrivate::of(*this);
    if (is_running())
        throw RuntimeError(QStringLiteral("Cannot close a running event loop"));
    if (!d.is_on_stack())
        return d.close();
    if (!d.is_under_a_slot() && !d.is_unwinding()) // a destructor cannot throw
        throw RuntimeError(QStringLiteral("Cannot close an event loop while code of it is on the stack"));
    d.close_later();
}

void QAsyncioLoop::attach()
{
    LoopPrivate::of(*this).attach();
}

void QAsyncioLoop::detach()
{
    LoopPrivate::of(*this).detach();
}

// Callbacks and time

namespace {
void give_context(Runnable &runnable, const Context &context)
{
    runnable.context = Ref(ContextAccess::state(context)).leak();
}
} // namespace

Handle QAsyncioLoop::push(HandleState *state, const Context &context)
{
    give_context(*state, context);
    return push_prepared(state);
}

Handle QAsyncioLoop::push_in_copy(HandleState *state, const ContextState &current)
{
    try {
        state->context = copy_context_state(current);
    } catch (...) {
        state->release();
        throw;
    }
    return push_prepared(state);
}

Handle QAsyncioLoop::push_threadsafe(SharedHandleState *state)
{
    try {
        state->context = capture_context(*context_slot()); // of the calling thread
    } catch (...) {
        state->release();
        throw;
    }
    return push_threadsafe_prepared(state);
}

Handle QAsyncioLoop::push_threadsafe(SharedHandleState *state, const Context &context)
{
    give_context(*state, context);
    return push_threadsafe_prepared(state);
}

Handle QAsyncioLoop::push_threadsafe_prepared(SharedHandleState *state)
{
    Handle handle(state);
    state->retain();
    try {
        m_core->push_threadsafe(state->node);
    } catch (...) {
        state->release();
        throw;
    }
    return handle;
}

TimerHandle QAsyncioLoop::push_timer(TimerState *state)
{
    const TimerHandle handle(state);
    state->context = capture_context(*m_core->thread->context_slot);
    if (m_core->check_scheduling())
        state->keep_to_thread(*m_core);
    LoopPrivate::of(*this).add_timer(state);
    return handle;
}

TimerHandle QAsyncioLoop::push_timer(TimerState *state, const Context &context)
{
    give_context(*state, context);
    const TimerHandle handle(state);
    if (m_core->check_scheduling())
        state->keep_to_thread(*m_core);
    LoopPrivate::of(*this).add_timer(state);
    return handle;
}

TimePoint QAsyncioLoop::time() const
{
    return m_core->now();
}

// Tasks

void QAsyncioLoop::check_context_object(const TaskOptions &options)
{
    const QObject *object = options.m_object;
    if (options.m_detached)
        throw ValueError(QStringLiteral("create_task: a detached task has no context object"));
    if (options.m_owner)
        throw ValueError(QStringLiteral("create_task: a task of a TaskScope ends with that, and has no context object"));
    if (!object)
        throw ValueError(QStringLiteral("create_task: the context object is null"));
    if (object->thread() != QThread::currentThread())
        throw ValueError(QStringLiteral("create_task: the context object lives in another thread"));
}

void QAsyncioLoop::set_task_factory(TaskFactory factory)
{
    m_core->has_task_factory = static_cast<bool>(factory);
    LoopPrivate::of(*this).task_factory = std::move(factory);
}

const QAsyncioLoop::TaskFactory &QAsyncioLoop::get_task_factory() const
{
    return LoopPrivate::of(*this).task_factory;
}

void QAsyncioLoop::give_owner(TaskStateBase &task, const TaskOptions &options)
{
    TaskStateBase *parent = options.m_parent ? options.m_parent : task.core->current_task;
    task.prepare_to_join(); // what may fail comes first
    TaskOwner &owner =
        options.m_owner ? *options.m_owner : ObjectOwner::of(static_cast<LoopPrivate &>(*task.core), *options.m_object);
    task.join(owner.family_for(parent));
}

void QAsyncioLoop::start_task(TaskStateBase &task, const TaskOptions &options)
{
    try {
        if (options.m_context)
            give_context(task, *options.m_context);
        else
            task.context = capture_context(*m_core->thread->context_slot);
        if (!options.m_name.isNull())
            task.set_name(options.m_name);
        if (Q_UNLIKELY(options.m_object || options.m_owner))
            give_owner(task, options);
        else if (const TaskStateBase *parent = options.m_parent ? options.m_parent : m_core->current_task;
                 parent && Q_UNLIKELY(parent->family()) && !options.m_detached)
            task.join(*parent->family());
    } catch (...) { // no memory
        task.never_start();
        throw;
    }
    if (Q_UNLIKELY(options.m_eager) && thread_data().running == this)
        task.start_eagerly();
    else
        task.start();
}

void QAsyncioLoop::mark_implicit(const AnyFuture &task)
{
    FutureAccess::state(task)->flags &= ~FutureStateBase::LogDestroyed;
}

std::vector<AnyTask> QAsyncioLoop::all_tasks() const
{
    std::vector<AnyTask> tasks;
    for (TaskStateBase *task = LoopPrivate::of(*this).first_task; task; task = task->next)
        tasks.push_back(FutureAccess::wrap<AnyTask>(Ref<TaskStateBase>::share(task)));
    return tasks;
}

AnyTask QAsyncioLoop::current_task() const
{
    return FutureAccess::wrap<AnyTask>(Ref<TaskStateBase>::share(m_core->current_task));
}

// Descriptors

void QAsyncioLoop::add_fd(FdState *state)
{
    const Handle handle(state);
    state->context = capture_context(*m_core->thread->context_slot);
    m_core->check_scheduling();
    state->retain();
    try {
        LoopPrivate::of(*this).fds.add(state);
    } catch (...) {
        state->release();
        throw;
    }
}

bool QAsyncioLoop::remove_reader(int fd)
{
    return remove_fd(fd, Selector::Read);
}

bool QAsyncioLoop::remove_writer(int fd)
{
    return remove_fd(fd, Selector::Write);
}

bool QAsyncioLoop::remove_fd(int fd, unsigned direction)
{
    return !is_closed() && LoopPrivate::of(*this).fds.remove(fd, direction);
}

// The rest

void QAsyncioLoop::set_slow_callback_duration(std::chrono::nanoseconds duration)
{
    LoopPrivate::of(*this).slow_callback_duration = duration;
}

std::chrono::nanoseconds QAsyncioLoop::get_slow_callback_duration() const
{
    return LoopPrivate::of(*this).slow_callback_duration;
}

void QAsyncioLoop::set_debug(bool enabled)
{
    m_core->set(LoopCore::Debug, enabled);
}

bool QAsyncioLoop::get_debug() const
{
    return m_core->has(LoopCore::Debug);
}

Future<> QAsyncioLoop::quit_requested()
{
    LoopPrivate &d = LoopPrivate::of(*this);
    if (is_closed())
        return create_future<void>(); // which nobody completes
    Future<> future = d.quit_requests.future(*this);
    if (d.quit_was_requested)
        d.quit_requests.announce();
    return future;
}

QString QAsyncioLoop::to_string() const
{
    const auto word = [](bool value) { return value ? QStringLiteral("true") : QStringLiteral("false"); };
    return QStringLiteral("<QAsyncioLoop running=%1 closed=%2 debug=%3>")
        .arg(word(is_running()), word(is_closed()), word(get_debug()));
}

namespace QAsyncio {

void detail::throw_no_running_loop()
{
    throw RuntimeError(QStringLiteral("no running event loop"));
}

AnyTask current_task()
{
    return get_running_loop().current_task();
}

std::vector<AnyTask> all_tasks()
{
    return get_running_loop().all_tasks();
}

void detail::check_open(const LoopCore &core)
{
    if (core.has(LoopCore::Closed))
        throw RuntimeError(QStringLiteral("Event loop is closed"));
}

} // namespace QAsyncio
