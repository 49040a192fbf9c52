// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/loop.h"

#include "base/exception_kind.h"
#include "base/logging.h"
#include "loop/loop_p.h"
#include "loop/signals.h"
#include "tasks/object_owner.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qeventloop.h>
#include <QtCore/qscopeguard.h>

#include <algorithm>
#include <atomic>
#include <mutex>

namespace QAsyncio::detail {

namespace {

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
        throw RuntimeError(QStringLiteral("QAsyncioLoop needs a QCoreApplication (or "
                                          "QGuiApplication, QApplication): make it first"));
}

} // namespace

std::shared_ptr<Selector> LoopPrivate::not_taken(std::shared_ptr<Selector> selector)
{
    if (selector->m_is_taken)
        throw ValueError(QStringLiteral("QAsyncioLoop: this selector belongs to another loop"));
    return selector;
}

LoopPrivate::LoopPrivate(QAsyncioLoop &owner, std::shared_ptr<Selector> selector,
                         std::shared_ptr<Clock> own_clock)
    : fds(selector ? not_taken(std::move(selector)) : default_selector()),
      clock(std::move(own_clock))
{
    loop = &owner;
    thread = &thread_data();
    thread_id = id_of(*thread);
    context_slot(); // sets thread->context_slot
    const QEventLoop gives_the_thread_a_dispatcher;
    bridge = std::make_unique<Bridge>(*this);
    fds.selector().open(bridge.get(), [this] { process(); });
    fds.selector().m_is_taken = true;
    if (bridge->thread() == QCoreApplication::instance()->thread())
        register_main_loop(this); // the end of the application closes it
    enter_list_of_loops();
    ++cores_alive; // last: if a constructor throws, the destructor is not called
}

LoopPrivate::~LoopPrivate()
{
    leave_list_of_loops();
    --cores_alive;
}

// Only gdb goes through the list: tools/gdb/qasyncio.py.
constinit LoopPrivate *newest_loop = nullptr;
static constinit std::mutex loops_mutex;

void LoopPrivate::enter_list_of_loops()
{
    const std::lock_guard lock(loops_mutex);
    older_loop = std::exchange(newest_loop, this);
    if (older_loop)
        older_loop->newer_loop = this;
}

void LoopPrivate::leave_list_of_loops()
{
    const std::lock_guard lock(loops_mutex);
    (newer_loop ? newer_loop->older_loop : newest_loop) = older_loop;
    if (older_loop)
        older_loop->newer_loop = newer_loop;
}

int live_loops() noexcept
{
    return cores_alive;
}

void LoopPrivate::add_timer(TimerState *timer)
{
    timers.push(timer); // first: it may throw std::bad_alloc
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

} // namespace QAsyncio::detail

namespace QAsyncio {

using namespace detail;

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
    // A task, or a slot under its dialog, destroys it: what is on the stack returns first.
    if (d.is_on_stack())
        d.close_later();
    else
        d.close();
    // What these own may report something or make tasks when it is destroyed, so they are unset
    // first.
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
    const DoneCallbackId stop = watched.add_done_callback(
        [&loop, &d, stale, run = d.runs() + 1](const AnyFuture &done) {
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
        // Its exception is on its way to the caller (L-041).
        if (watched.done() && !watched.cancelled())
            FutureAccess::state(watched)->take_exception();
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
        throw RuntimeError(
            QStringLiteral("Cannot close an event loop while code of it is on the stack"));
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

void QAsyncioLoop::give_context(HandleState &state, CallbackContext context)
{
    try {
        state.context = context.take(*context_slot());
    } catch (...) {
        state.release();
        throw;
    }
}

Handle QAsyncioLoop::push_threadsafe(SharedHandleState *state, CallbackContext context)
{
    give_context(*state, context); // the context of the calling thread
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

TimerHandle QAsyncioLoop::push_timer(TimerState *state, CallbackContext context)
{
    const TimerHandle handle(state);
    state->context = context.take(*m_core->thread->context_slot);
    if (m_core->check_scheduling())
        state->keep_to_thread(*m_core);
    LoopPrivate::of(*this).add_timer(state);
    return handle;
}

TimePoint QAsyncioLoop::time() const
{
    return m_core->now();
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

// Signals of the system

void QAsyncioLoop::add_signal(SignalState *state, CallbackContext context)
{
    const Handle handle(state);
    state->context = context.take(*m_core->thread->context_slot);
    state->retain();
    try {
        detail::add_signal(LoopPrivate::of(*this), state, SignalRank::Handler);
    } catch (...) {
        state->release();
        throw;
    }
}

bool QAsyncioLoop::remove_signal_handler(int signal)
{
    return remove_signal(LoopPrivate::of(*this), signal, SignalRank::Handler);
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

void QAsyncioLoop::set_freeze_limit(std::chrono::nanoseconds limit)
{
    LoopPrivate &d = LoopPrivate::of(*this);
    d.freeze_limit = std::max(limit, std::chrono::nanoseconds(0));
    d.set(LoopCore::Timed, d.freeze_limit.count() > 0);
    if (!d.has(LoopCore::Timed))
        d.watchdog.reset();
    else if (d.watchdog)
        d.watchdog->set_limit(d.freeze_limit);
}

std::chrono::nanoseconds QAsyncioLoop::get_freeze_limit() const
{
    return LoopPrivate::of(*this).freeze_limit;
}

void QAsyncioLoop::set_freeze_watchdog(bool on)
{
    LoopPrivate &d = LoopPrivate::of(*this);
    if (!on || is_closed())
        return d.watchdog.reset();
    if (!d.has(LoopCore::Timed))
        throw RuntimeError(QStringLiteral("a watchdog needs a freeze limit"));
    if (!d.watchdog)
        d.watchdog = std::make_unique<Watchdog>(d.freeze_limit);
}

void QAsyncioLoop::start_trace(const QString &file)
{
    LoopPrivate &d = LoopPrivate::of(*this);
    if (is_closed())
        throw RuntimeError(QStringLiteral("Event loop is closed"));
    stop_trace();
    d.trace = std::make_shared<Trace>(file, d);
    d.set(LoopCore::Traced, true);
}

void QAsyncioLoop::stop_trace()
{
    LoopPrivate &d = LoopPrivate::of(*this);
    d.set(LoopCore::Traced, false);
    if (d.trace)
        d.trace->close(); // a step that is under way keeps it
    d.trace.reset();
}

Future<> QAsyncioLoop::quit_requested()
{
    LoopPrivate &d = LoopPrivate::of(*this);
    if (is_closed())
        return create_future<void>(); // never completed
    Future<> future = d.quit_requests.future(*this);
    if (d.quit_was_requested)
        d.quit_requests.announce();
    return future;
}

QString QAsyncioLoop::to_string() const
{
    const auto word = [](bool value) {
        return value ? QStringLiteral("true") : QStringLiteral("false");
    };
    return QStringLiteral("<QAsyncioLoop running=%1 closed=%2 debug=%3>")
        .arg(word(is_running()), word(is_closed()), word(get_debug()));
}

void detail::throw_no_running_loop()
{
    throw RuntimeError(QStringLiteral("no running event loop"));
}

void detail::check_open(const LoopCore &core)
{
    if (core.has(LoopCore::Closed))
        throw RuntimeError(QStringLiteral("Event loop is closed"));
}

} // namespace QAsyncio
