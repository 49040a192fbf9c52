// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/clock.h"
#include "qasyncio/detail/coroutine/closure.h"
#include "qasyncio/detail/future/foreign.h"
#include "qasyncio/detail/loop/duration.h"
#include "qasyncio/detail/thread/executor_job.h"
#include "qasyncio/future.h"
#include "qasyncio/handle.h"
#include "qasyncio/loop_options.h"
#include "qasyncio/task.h"

#include <functional>
#include <memory>

QT_BEGIN_NAMESPACE
class QThreadPool;
QT_END_NAMESPACE

namespace QAsyncio {

/// What an exception handler is told. Fields that do not apply are empty.
struct ExceptionContext
{
    QString message;
    std::exception_ptr exception;
    AnyFuture future;
    AnyTask task;
    Handle handle;
};

namespace detail {
class LoopPrivate;
class RunnerAccess;
} // namespace detail

/// asyncio's event loop on Qt's: callbacks, timers, descriptors, tasks and executors, run by the Qt event loop of the thread
/// that also serves the windows.
///
/// One loop a thread at a time, in any thread. It runs in one of three ways: run_forever() and run_until_complete() start
/// Qt's event loop themselves (QCoreApplication::exec() in the main thread, so that quit() works as always); attach() lets
/// the tasks run under an exec() of the program's own; and in both, any nested QEventLoop (a modal dialog opened by a task)
/// goes on serving all other tasks.
///
/// Thread: a loop belongs to the thread that constructed it. Only call_soon_threadsafe() may be called from others. In debug
/// mode call_soon(), call_later(), call_at(), create_task(), add_reader(), add_writer() and run_in_executor() throw
/// RuntimeError in a wrong thread while it runs.
/// Needs a QCoreApplication while it runs. If the application dies first, the loop closes itself; code of the loop may delete it,
/// too (not on X11, where Qt itself crashes when it returns to the exec() of an application that has gone).
/// \sa https://docs.python.org/3/library/asyncio-eventloop.html
class QASYNCIO_EXPORT QAsyncioLoop
{
public:
    /// Throws RuntimeError if there is no QCoreApplication.
    explicit QAsyncioLoop(LoopOptions options = LoopOptions());
    /// Closes the loop. One that was not closed before is reported. In code of the loop itself (a task deletes its owner):
    /// no further turn is begun, what is on the stack returns, then the rest is unwound; a run ends as by stop().
    ~QAsyncioLoop();
    Q_DISABLE_COPY_MOVE(QAsyncioLoop)

    // Running and stopping

    /// Runs until stop(), until the application quits, or until a callback throws LoopExit or KeyboardInterrupt, which is
    /// rethrown here. At least one turn is run. Throws RuntimeError if the loop is closed or runs, while code of it is on the
    /// stack (it was detached there), if another loop runs in this thread, and if there is no QCoreApplication.
    void run_forever();

    /// Runs until `future` is done and gives its result, or throws its exception. A coroutine becomes a task.
    /// Throws RuntimeError if the loop stopped first, ValueError for a future of another loop; else as run_forever().
    template<class T>
    T run_until_complete(Future<T> future)
    {
        check_runnable();
        run_until_done(future);
        return std::move(future).result();
    }
    template<class T>
    T run_until_complete(Task<T> task)
    {
        return run_until_complete(Future<T>(std::move(task)));
    }
    template<class T>
    T run_until_complete(Coroutine<T> &&coroutine)
    {
        check_runnable();
        auto task = create_task(std::move(coroutine));
        mark_implicit(task);
        return run_until_complete(std::move(task));
    }

    /// Ends the run that is under way after the turn that is under way; before a run, makes it a single turn.
    /// While a nested event loop is open above the run, that comes first. It quits nothing but the run.
    void stop();
    bool is_running() const;
    bool is_closed() const;

    /// Ends the loop for good: drops callbacks and timers, unwinds unfinished tasks, youngest first, and reports them.
    /// Functions that still run in the default executor are not waited for. Throws RuntimeError if the loop runs, and
    /// while code of it is on the stack: a task, a callback, the exception handler, whatever was detached before. Only a slot that Qt
    /// has called above that (under a dialog or a processEvents() of a task, in the clean-up of a quit), and a local of a task that
    /// is unwound, may close it there after detach(), as a window's destructor does: then what is on the stack returns first. A
    /// second call does nothing.
    void close();

    /// Runs the loop under the QCoreApplication::exec() (or QThread::exec()) of the program, until detach(), stop() or the
    /// end of the application. When the application quits, the tasks of a loop in its main thread are cancelled and the
    /// loop runs on inside aboutToQuit until they have ended, for `LoopOptions::quit_deadline` at most. (Newer versions of Qt
    /// emit aboutToQuit inside of quit(): if a task calls it, the loop runs on as soon as that task is suspended.) What it
    /// waits for, and then ends without, is named in the log; exit(n) meanwhile ends nothing. A task that awaits
    /// quit_requested(), and those that await such a task, are told and not cancelled. The end of a QThread's exec() cancels
    /// nothing: the tasks stay suspended.
    /// Throws RuntimeError as run_forever() does.
    void attach();
    /// Ends attach(). Tasks stay suspended. Does nothing if the loop is not attached. A LoopExit that was thrown before, and
    /// waits for an event loop to return, ends the exec() now; so does one that comes behind this, from the code that called it.
    void detach();

    // Callbacks and time

    /// Calls `callback()` in the next turn; callbacks run in the order of these calls. It runs in a copy of the
    /// current context, or in `context`. What it throws goes to the exception handler.
    /// Throws RuntimeError if the loop is closed.
    template<class F>
    Handle call_soon(F &&callback, CallbackContext context = {})
    {
        return push(new detail::CallbackState<std::decay_t<F>>(std::forward<F>(callback)), context);
    }
    /// call_soon() from any thread: wakes the loop. Calls from one thread keep their order.
    /// Throws RuntimeError if the loop is closed. The loop object must not be destroyed meanwhile.
    template<class F>
    Handle call_soon_threadsafe(F &&callback, CallbackContext context = {})
    {
        using State = detail::CallbackState<std::decay_t<F>, detail::SharedHandleState>;
        return push_threadsafe(new State(std::forward<F>(callback)), context);
    }
    /// Calls `callback()` once, `delay` from now, never early. Negative is now; callbacks with the same deadline run in the
    /// order of the calls. Throws ValueError for NaN, RuntimeError if the loop is closed.
    template<class Rep, class Period, class F>
    TimerHandle call_later(std::chrono::duration<Rep, Period> delay, F &&callback, CallbackContext context = {})
    {
        return call_at(detail::deadline(time(), delay), std::forward<F>(callback), context);
    }
    /// Calls `callback()` once when time() has reached `when`. TimePoint::max() is never.
    template<class F>
    TimerHandle call_at(TimePoint when, F &&callback, CallbackContext context = {})
    {
        using State = detail::CallbackState<std::decay_t<F>, detail::TimerState>;
        return push_timer(new State(std::forward<F>(callback), when), context);
    }
    /// The loop's clock: monotonic, with an arbitrary beginning.
    TimePoint time() const;

    // Futures and tasks

    /// A future that the caller is to complete.
    template<class T = void>
    Future<T> create_future()
    {
        return detail::make_future<T>(core());
    }
    /// Starts a coroutine as a task of this loop. Its first line runs in the next turn.
    /// Throws RuntimeError if the loop is closed (the coroutine is then left as it was) or the coroutine was awaited before.
    template<class T>
    Task<T> create_task(Coroutine<T> &&coroutine,
                                  const TaskOptions &options = TaskOptions())
    {
        if (Q_UNLIKELY(m_core->has_task_factory)) {
            const TaskFactory factory = get_task_factory(); // it may replace itself
            return create_chosen_task(std::move(coroutine), factory(*this, options).belonging_as(options));
        }
        return create_chosen_task(std::move(coroutine), options);
    }
    /// The same for `function(args...)`, a function that gives a coroutine: a lambda with captures, a member function and its
    /// object. Both are kept until it has ended.
    template<class F, class... Args>
        requires std::is_invocable_v<detail::closure_t<F> &, std::decay_t<Args>...>
    auto create_task(F &&function, Args &&...args)
    {
        return create_task(TaskOptions(), std::forward<F>(function), std::forward<Args>(args)...);
    }
    template<class F, class... Args>
        requires std::is_invocable_v<detail::closure_t<F> &, std::decay_t<Args>...>
    auto create_task(const TaskOptions &options, F &&function, Args &&...args)
    {
        detail::check_closure<F>();
        using Function = detail::closure_t<F>;
        using T = detail::coroutine_value_t<std::invoke_result_t<Function &, std::decay_t<Args>...>>;
        return create_own_task(detail::run_function<T, Function, std::decay_t<Args>...>(std::forward<F>(function),
                                                                                                  std::forward<Args>(args)...),
                               options);
    }
    /// The same for anything else that can be awaited. It is kept, copied or moved, until it has given its result.
    template<detail::TaskAwaitable A>
    auto create_task(A &&awaitable, const TaskOptions &options = TaskOptions())
    {
        return create_own_task(detail::await_in_task<std::decay_t<A>>(std::forward<A>(awaitable)), options);
    }

    using TaskFactory = std::function<TaskOptions(QAsyncioLoop &, const TaskOptions &)>;

    /// Decides how every task of this loop is made: it is called with the options that create_task() was given, and gives
    /// those that count. A task of a scope or a group stays one. Empty: as they were given.
    void set_task_factory(TaskFactory factory);
    const TaskFactory &get_task_factory() const;
    /// The unfinished tasks, oldest first.
    std::vector<AnyTask> all_tasks() const;
    AnyTask current_task() const;

    // Descriptors

    /// Calls `callback()` in each turn in which `fd` can be read (level-triggered). Replaces the reader that `fd` has;
    /// a writer is independent. `fd` stays the caller's and must be removed before it is closed.
    /// Throws OSError if the system cannot watch it (a regular file), RuntimeError if the loop is closed.
    template<class F>
    void add_reader(int fd, F &&callback)
    {
        add_fd(new detail::CallbackState<std::decay_t<F>, detail::FdState>(std::forward<F>(callback), fd, 1u));
    }
    template<class F>
    void add_writer(int fd, F &&callback)
    {
        add_fd(new detail::CallbackState<std::decay_t<F>, detail::FdState>(std::forward<F>(callback), fd, 2u));
    }
    /// True if there was one. A callback that was ready in this turn does not run any more.
    bool remove_reader(int fd);
    bool remove_writer(int fd);

    // Executors

    /// Calls `function(args...)` in a thread of `executor`, or of the default one for a null pointer, and gives the future of
    /// its result. Cancelling the future does not stop a function that runs; one that waits for its thread never runs.
    /// Context variables are not propagated (to_thread() does that).
    /// Throws RuntimeError after shutdown_default_executor() or close(). An executor given must outlive its functions.
    template<class F, class... Args>
    [[nodiscard("a future that is dropped gives its result to nobody")]]
    auto run_in_executor(QThreadPool *executor, F &&function, Args &&...args)
    {
        detail::check_closure<F>();
        using Function = detail::closure_t<F>;
        using R = std::remove_cv_t<std::invoke_result_t<Function, std::decay_t<Args>...>>;
        detail::check_thread_function<R>();
        static_assert(detail::ResultType<R>::checked);
        using Job = detail::ExecutorJob<R, Function, std::decay_t<Args>...>;
        auto future = detail::Ref<detail::ExecutorFuture<R>>::adopt(
            new detail::ExecutorFuture<R>(core()));
        auto *job = new Job(std::forward<F>(function), std::forward<Args>(args)...);
        job->retain();
        future->job = job;
        start_job(executor, job, *future);
        return detail::FutureAccess::wrap<Future<R>>(std::move(future));
    }
    /// Replaces the default executor (otherwise a pool of min(32, cores + 4) threads, made when it is first needed).
    void set_default_executor(std::shared_ptr<QThreadPool> executor);
    /// Refuses new work for the default executor and waits until the functions in it have ended. On a time-out it warns and
    /// goes on without them.
    Coroutine<> shutdown_default_executor(std::optional<std::chrono::nanoseconds> timeout = {});
    template<class Rep, class Period>
    Coroutine<> shutdown_default_executor(std::chrono::duration<Rep, Period> timeout)
    {
        return shutdown_default_executor(std::optional(detail::saturated(timeout)));
    }

    /// Closes all asynchronous generators that have begun and not ended, side by side, and reports those that fail to the
    /// exception handler. One that begins later is warned of. Runner does this at its end.
    Coroutine<> shutdown_asyncgens();

    // Errors

    using ExceptionHandler = std::function<void(QAsyncioLoop &, const ExceptionContext &)>;

    /// Who is told of exceptions that nobody else gets; empty: default_exception_handler(). It runs in the context of the
    /// task, future or handle concerned.
    void set_exception_handler(ExceptionHandler handler);
    const ExceptionHandler &get_exception_handler() const;
    /// Logs to the category "qasyncio", as an error.
    void default_exception_handler(const ExceptionContext &context);
    /// Tells the exception handler. Throws nothing but LoopExit and KeyboardInterrupt.
    void call_exception_handler(const ExceptionContext &context);

    /// Debug mode checks the thread of each call and names callbacks and steps of tasks that take longer than the slow callback
    /// duration. Off unless the environment variable QASYNCIO_DEBUG is 1. May be switched at any time.
    void set_debug(bool enabled);
    bool get_debug() const;
    /// From when on a callback is named in debug mode: "Executing <Task ...> took 0.142 seconds". 100 ms at first.
    void set_slow_callback_duration(std::chrono::nanoseconds duration);
    template<class Rep, class Period>
    void set_slow_callback_duration(std::chrono::duration<Rep, Period> duration)
    {
        set_slow_callback_duration(detail::saturated(duration));
    }
    std::chrono::nanoseconds get_slow_callback_duration() const;

    /// Done when the application was asked to quit, since the main coroutine of run() began, or since attach(); a future for each
    /// call. A task that awaits it when that happens is told and not cancelled: see run(). An attached loop gives it
    /// the quit_deadline to end.
    Future<> quit_requested();

    /// "<QAsyncioLoop running=false closed=false debug=false>"
    QString to_string() const;

    detail::LoopCore &core() const { return *m_core; }

private:
    friend class detail::RunnerAccess;
    friend class detail::LoopPrivate;

    Handle push(detail::HandleState *state, CallbackContext context)
    {
        if (Q_UNLIKELY(context.is_given() || *m_core->thread->context_slot))
            give_context(*state, context);
        return push_prepared(state);
    }
    /// Releases the state if it throws.
    static void give_context(detail::HandleState &state, CallbackContext context);
    Handle push_prepared(detail::HandleState *state)
    {
        Handle handle(state);
        if (m_core->check_scheduling())
            state->keep_to_thread(*m_core);
        state->retain();
        m_core->push(state);
        return handle;
    }
    Handle push_threadsafe(detail::SharedHandleState *state, CallbackContext context);
    TimerHandle push_timer(detail::TimerState *state, CallbackContext context);
    void add_fd(detail::FdState *state);
    bool remove_fd(int fd, unsigned direction);
    template<class T>
    Task<T> create_chosen_task(Coroutine<T> &&coroutine, const TaskOptions &options)
    {
        m_core->check_scheduling();
        if (!coroutine)
            detail::throw_awaited_twice();
        if (Q_UNLIKELY(options.m_has_object))
            check_context_object(options);
        auto task = detail::Ref<detail::TaskState<T>>::adopt(
            new detail::TaskState<T>(core(), *coroutine.release()));
        start_task(*task, options);
        return detail::FutureAccess::wrap<Task<T>>(std::move(task));
    }
    static void check_context_object(const TaskOptions &options);
    static void give_owner(detail::TaskStateBase &task, const TaskOptions &options);
    /// Of a coroutine that nobody else has, and could close.
    template<class T>
    Task<T> create_own_task(Coroutine<T> coroutine, const TaskOptions &options)
    {
        const detail::Closer<T> closer{coroutine};
        return create_task(std::move(coroutine), options);
    }
    void start_task(detail::TaskStateBase &task, const TaskOptions &options);
    void mark_implicit(const AnyFuture &task);
    void check_runnable() const;
    void run_until_done(const AnyFuture &future);
    void start_job(QThreadPool *executor, detail::ExecutorJobBase *job,
                   detail::FutureStateBase &future);

    detail::LoopCore *m_core;
};

namespace detail {
[[noreturn]] QASYNCIO_EXPORT void throw_no_running_loop();
}

/// The loop that runs in this thread, or null.
inline QAsyncioLoop *find_running_loop() noexcept
{
    return detail::thread_data().running;
}
/// The same. Throws RuntimeError("no running event loop") if there is none.
inline QAsyncioLoop &get_running_loop()
{
    QAsyncioLoop *loop = find_running_loop();
    if (!loop)
        detail::throw_no_running_loop();
    return *loop;
}

template<class T>
Task<T> create_task(Coroutine<T> &&coroutine, const TaskOptions &options)
{
    return get_running_loop().create_task(std::move(coroutine), options);
}
template<class F, class... Args>
    requires std::is_invocable_v<detail::closure_t<F> &, std::decay_t<Args>...>
auto create_task(F &&function, Args &&...args)
{
    return get_running_loop().create_task(TaskOptions(), std::forward<F>(function), std::forward<Args>(args)...);
}
template<class F, class... Args>
    requires std::is_invocable_v<detail::closure_t<F> &, std::decay_t<Args>...>
auto create_task(const TaskOptions &options, F &&function, Args &&...args)
{
    return get_running_loop().create_task(options, std::forward<F>(function), std::forward<Args>(args)...);
}
template<detail::TaskAwaitable A>
auto create_task(A &&awaitable, const TaskOptions &options)
{
    return get_running_loop().create_task(std::forward<A>(awaitable), options);
}

} // namespace QAsyncio

using QAsyncio::QAsyncioLoop;
