// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/clock.h"
#include "qasyncio/detail/coroutine/closure.h"
#include "qasyncio/detail/future/foreign.h"
#include "qasyncio/detail/loop/duration.h"
#include "qasyncio/detail/thread/executor_job.h"
#include "qasyncio/executor_concept.h"
#include "qasyncio/future.h"
#include "qasyncio/handle.h"
#include "qasyncio/loop_counters.h"
#include "qasyncio/loop_options.h"
#include "qasyncio/task.h"

#include <functional>
#include <memory>

QT_BEGIN_NAMESPACE
class QThreadPool;
QT_END_NAMESPACE

namespace QAsyncio {

class StreamReader;
class StreamWriter;

/// What an exception handler receives. Fields that do not apply are empty.
struct ExceptionContext
{
    QString message;              ///< what has happened: "Task exception was never retrieved"
    std::exception_ptr exception; ///< what was thrown
    AnyFuture future;             ///< the future that has failed
    AnyTask task;                 ///< the task concerned
    Handle handle;                ///< of the callback that has thrown
};

namespace detail {
class LoopPrivate;
class RunnerAccess;
} // namespace detail

/// asyncio's event loop, run by Qt's: callbacks, timers, file descriptors, tasks and executors,
/// served by the same Qt event loop of the thread that also serves the windows.
///
/// There is at most one running loop in a thread, and any thread may have one. It can run in two
/// ways. run_forever() and run_until_complete() start Qt's event loop themselves (in the main
/// thread with QCoreApplication::exec(), so that quit() works as always). attach() lets the tasks
/// run under an exec() that the program calls:
///
///     QApplication app(argc, argv);
///     QAsyncioLoop loop;
///     loop.attach();
///     loop.create_task(serve());
///     return app.exec();
///
/// In both cases a nested QEventLoop, such as that of a modal dialog opened by a task, goes on
/// serving all other tasks. Most programs need no loop of their own: see run().
///
/// Thread: a loop belongs to the thread that constructed it. Only call_soon_threadsafe() may be
/// called in other threads. While the loop runs in debug mode, call_soon(), call_later(),
/// call_at(), create_task(), add_reader(), add_writer() and run_in_executor() throw RuntimeError in
/// a wrong thread.
/// A loop needs a QCoreApplication as long as it runs. If the application is destroyed first, the
/// loop closes itself. Even code of the loop may destroy the application (but not on X11, where Qt
/// itself crashes when it returns to the exec() of an application that is gone).
/// \sa https://docs.python.org/3/library/asyncio-eventloop.html
class QASYNCIO_EXPORT QAsyncioLoop
{
public:
    /// Makes a loop for the current thread. Throws RuntimeError if there is no QCoreApplication.
    explicit QAsyncioLoop(LoopOptions options = LoopOptions());
    /// Closes the loop, with a warning if close() was not called before. If code of the loop is
    /// executing at that moment (because a task deletes the owner of the loop), no further turn
    /// begins; the executing code is allowed to return, and then everything else is unwound. A run
    /// ends as by stop().
    ~QAsyncioLoop();
    Q_DISABLE_COPY_MOVE(QAsyncioLoop)

    // Running and stopping

    /// Runs until stop() is called, the application quits, or a callback or task throws LoopExit or
    /// KeyboardInterrupt, which is rethrown here. At least one turn is run.
    /// Throws RuntimeError if the loop is closed or already running, if another loop is running in
    /// this thread, if there is no QCoreApplication, in another thread than the loop's, and inside
    /// of code of this loop (after a detach() there).
    void run_forever();

    /// Runs until `future` is done, and gives its result or throws its exception. A coroutine
    /// becomes a task.
    ///
    ///     const int answer = loop.run_until_complete(compute());
    ///
    /// Throws RuntimeError if the loop was stopped before that, ValueError for a future of another
    /// loop; otherwise as run_forever().
    template<class T>
    T run_until_complete(Future<T> future)
    {
        check_runnable();
        run_until_done(future);
        return std::move(future).result();
    }
    /// The same for a task.
    template<class T>
    T run_until_complete(Task<T> task)
    {
        return run_until_complete(Future<T>(std::move(task)));
    }
    /// The same for a coroutine.
    template<class T>
    T run_until_complete(Coroutine<T> &&coroutine)
    {
        check_runnable();
        auto task = create_task(std::move(coroutine));
        mark_implicit(task);
        return run_until_complete(std::move(task));
    }

    /// Ends the current run after its current turn. Before a run it limits the next run to a single
    /// turn. While a nested event loop is open above the run, the run ends only when that has
    /// returned. Nothing but the run is ended: no dialog, and not the application. An attached loop
    /// is detached.
    /// Thread: the loop's. In another one use call_soon_threadsafe() to call it:
    ///
    ///     loop.call_soon_threadsafe([&loop] { loop.stop(); });
    void stop();
    /// True during a run, and between attach() and detach().
    bool is_running() const;
    /// True once the loop has been closed, even if code of it still has to return.
    bool is_closed() const;

    /// Ends the loop for good. Callbacks and timers are dropped; unfinished tasks are unwound,
    /// youngest first, and reported to the exception handler. Functions that still run in the
    /// default executor are not waited for. A second call does nothing.
    /// Throws RuntimeError while the loop runs, and while any code of the loop is executing: a
    /// task, a callback or the exception handler, even if the loop has been detached.
    /// Destructors such as that of a window cannot throw, so there are two places from which
    /// detach() and then close() may be called all the same: a slot that Qt calls while such code
    /// waits in an event loop (in a task's dialog or processEvents(), or during the clean-up of a
    /// quit), and the destructor of a local variable of a task that is being unwound. The loop is
    /// then closed as soon as the executing code has returned.
    void close();

    /// Runs the loop under the program's own QCoreApplication::exec() (in other threads
    /// QThread::exec()), until detach(), stop() or the end of the application.
    ///
    /// When the application quits, the tasks of a loop in the main thread are cancelled. The loop
    /// goes on running inside of aboutToQuit until they have ended, for
    /// LoopOptions::quit_deadline() at most; exit(n) meanwhile does not cut that short. The log
    /// names the tasks that it waits for, and those that it finally ends without. A task that
    /// awaits quit_requested(), or awaits such a task, is notified by that future instead of being
    /// cancelled. (Newer versions of Qt emit aboutToQuit inside of quit(). If a task calls quit(),
    /// the loop goes on as soon as that task is suspended.)
    /// The end of a QThread's exec() cancels nothing: the tasks stay suspended.
    /// Throws RuntimeError as run_forever() does.
    void attach();
    /// Ends attach(). The tasks stay suspended. Does nothing if the loop is not attached. If a
    /// LoopExit has been thrown and is waiting for a nested event loop to return, it ends the
    /// program's exec() now. So does a LoopExit that the code which called detach() throws later.
    void detach();

    // Callbacks and time

    /// Calls `callback()` in the next turn. Callbacks run in the order in which they were
    /// scheduled. The callback runs in a copy of the current context, or in `context`. What it
    /// throws goes to the exception handler.
    /// Throws RuntimeError if the loop is closed.
    template<class F>
    Handle call_soon(F &&callback, CallbackContext context = {})
    {
        return push(new detail::CallbackState<std::decay_t<F>>(std::forward<F>(callback)), context);
    }
    /// The same from any thread; it wakes the loop up if necessary. Calls from one thread keep
    /// their order. The context is a copy of the calling thread's current one.
    ///
    ///     loop.call_soon_threadsafe([task]() mutable { task.cancel(); });
    ///
    /// Throws RuntimeError if the loop is closed. The loop object must not be destroyed during the
    /// call.
    template<class F>
    Handle call_soon_threadsafe(F &&callback, CallbackContext context = {})
    {
        using State = detail::CallbackState<std::decay_t<F>, detail::SharedHandleState>;
        return push_threadsafe(new State(std::forward<F>(callback)), context);
    }
    /// Calls `callback()` once, `delay` from now or later, but never earlier. A negative delay
    /// means now. Callbacks with the same deadline run in the order of the calls.
    /// Throws ValueError for NaN, RuntimeError if the loop is closed.
    template<class Rep, class Period, class F>
    TimerHandle call_later(std::chrono::duration<Rep, Period> delay, F &&callback,
                           CallbackContext context = {})
    {
        return call_at(detail::deadline(time(), delay), std::forward<F>(callback), context);
    }
    /// Calls `callback()` once, when time() has reached `when`. TimePoint::max() means never.
    /// Throws RuntimeError if the loop is closed.
    template<class F>
    TimerHandle call_at(TimePoint when, F &&callback, CallbackContext context = {})
    {
        using State = detail::CallbackState<std::decay_t<F>, detail::TimerState>;
        return push_timer(new State(std::forward<F>(callback), when), context);
    }
    /// The time on the loop's clock, which is monotonic and starts at an arbitrary value.
    TimePoint time() const;

    // Futures and tasks

    /// A pending future of this loop. Whoever makes it has to complete it.
    template<class T = void>
    Future<T> create_future()
    {
        return detail::make_future<T>(core());
    }
    /// Starts a coroutine as a task of this loop. Its first line runs in the next turn.
    /// Throws RuntimeError if the loop is closed (the coroutine is then left as it was) or if the
    /// coroutine has been awaited before.
    template<class T>
    Task<T> create_task(Coroutine<T> &&coroutine, const TaskOptions &options = TaskOptions())
    {
        if (Q_UNLIKELY(m_core->has_task_factory)) {
            const TaskFactory factory = get_task_factory(); // it may replace itself
            return create_chosen_task(std::move(coroutine),
                                      factory(*this, options).belonging_as(options));
        }
        return create_chosen_task(std::move(coroutine), options);
    }
    /// The same for `function(args...)`, a function that returns a coroutine: a lambda with
    /// captures, or a member function and its object. The function and its arguments are kept until
    /// the coroutine has ended.
    ///
    ///     loop.create_task(&Window::load, &window, address);
    template<class F, class... Args>
        requires std::is_invocable_v<detail::closure_t<F> &, std::decay_t<Args>...>
    auto create_task(F &&function, Args &&...args)
    {
        return create_task(TaskOptions(), std::forward<F>(function), std::forward<Args>(args)...);
    }
    /// The same with options.
    template<class F, class... Args>
        requires std::is_invocable_v<detail::closure_t<F> &, std::decay_t<Args>...>
    auto create_task(const TaskOptions &options, F &&function, Args &&...args)
    {
        detail::check_closure<F>();
        using Function = detail::closure_t<F>;
        using T =
            detail::coroutine_value_t<std::invoke_result_t<Function &, std::decay_t<Args>...>>;
        return create_own_task(detail::run_function<T, Function, std::decay_t<Args>...>(
                                   std::forward<F>(function), std::forward<Args>(args)...),
                               options);
    }
    /// The same for anything else that can be awaited. It is copied or moved into the task, and
    /// kept until it has given its result.
    template<detail::TaskAwaitable A>
    auto create_task(A &&awaitable, const TaskOptions &options = TaskOptions())
    {
        return create_own_task(detail::await_in_task<std::decay_t<A>>(std::forward<A>(awaitable)),
                               options);
    }

    /// Takes the options that were passed to create_task(), returns those to use.
    using TaskFactory = std::function<TaskOptions(QAsyncioLoop &, const TaskOptions &)>;

    /// Sets a function that decides how every task of this loop is made. It is called with the
    /// options that were passed to create_task() and returns the options to use. Tasks of a
    /// TaskScope or a task group still belong to it. An empty function restores the default, in
    /// which the options are used as passed.
    void set_task_factory(TaskFactory factory);
    /// The function that was set; empty if there is none.
    const TaskFactory &get_task_factory() const;
    /// The unfinished tasks of this loop, oldest first.
    std::vector<AnyTask> all_tasks() const;
    /// The task of this loop that is being executed; an empty handle if there is none.
    AnyTask current_task() const;

    // Descriptors

    /// Calls `callback()` in each turn in which `fd` can be read (level-triggered). It replaces an
    /// earlier reader of `fd`; a writer is independent of it. `fd` remains the caller's, who must
    /// call remove_reader() before closing it.
    /// Throws OSError if the system cannot watch `fd` (a regular file, for instance), RuntimeError
    /// if the loop is closed.
    template<class F>
    void add_reader(int fd, F &&callback)
    {
        add_fd(new detail::CallbackState<std::decay_t<F>, detail::FdState>(
            std::forward<F>(callback), fd, 1u));
    }
    /// The same for writing: calls `callback()` in each turn in which `fd` can be written.
    template<class F>
    void add_writer(int fd, F &&callback)
    {
        add_fd(new detail::CallbackState<std::decay_t<F>, detail::FdState>(
            std::forward<F>(callback), fd, 2u));
    }
    /// Stops watching `fd` for reading. Returns whether it was watched. A callback that is already
    /// due in this turn does not run any more.
    bool remove_reader(int fd);
    /// The same for writing.
    bool remove_writer(int fd);

    /// Reads from a pipe, a socket, a terminal or another character device. From now on `fd` is the
    /// reader's, which closes it; it does not block any more, for nobody who shares it. `limit`:
    /// see StreamReader.
    ///
    ///     StreamReader reader = loop.connect_read_pipe(fd);
    ///     while (!reader.at_eof())
    ///         handle(co_await reader.readline());
    ///
    /// Throws ValueError for a regular file, OSError for what is no descriptor, RuntimeError if the
    /// loop is closed; then `fd` is still the caller's.
    /// \sa https://docs.python.org/3/library/asyncio-eventloop.html#working-with-pipes
    StreamReader connect_read_pipe(int fd, qsizetype limit = 64 * 1024);
    /// The same for writing. (SIGPIPE is ignored from now on, unless the program handles it: an
    /// error is reported instead.)
    StreamWriter connect_write_pipe(int fd);

    // Signals of the system

    /// Calls `callback()` each time the process gets `signal`, such as SIGTERM: as an ordinary
    /// callback of the loop, which may do anything, and in the context that is current now. It
    /// replaces an earlier handler of that signal. A signal that arrives while no loop runs waits
    /// for the next run. If the callback opens a nested event loop, the next signal waits for its
    /// end.
    ///
    ///     loop.add_signal_handler(SIGHUP, [&] { settings.reload(); });
    ///
    /// A handler for SIGINT or SIGTERM is called instead of what run() does on these.
    /// Throws ValueError for a number that is no signal; RuntimeError for SIGKILL and SIGSTOP,
    /// outside of the main thread, if the loop is closed, and on systems other than Unix.
    template<class F>
    void add_signal_handler(int signal, F &&callback, CallbackContext context = {})
    {
        add_signal(new detail::CallbackState<std::decay_t<F>, detail::SignalState>(
                       std::forward<F>(callback), signal),
                   context);
    }
    /// Ends that. Returns whether this loop had a handler. The signal then does what it did before
    /// the handler was added. The end of the loop removes its handlers too.
    /// Throws ValueError for a number that is no signal.
    bool remove_signal_handler(int signal);

    // Executors

    /// Calls `function(args...)` in a thread of `executor`, or of the default executor for a null
    /// pointer. Returns a future of its result. Context variables are not passed on; to_thread()
    /// does that.
    /// Stopping: if `function(std::stop_token, args...)` can be called, it gets a token, as with
    /// std::jthread. Stop is requested when the future is cancelled, when its last handle is
    /// dropped, and when the loop is closed (a Runner does so before it waits for the functions).
    /// Cancellation: cancelling the future does not stop a function that is running, unless it
    /// takes a token. A function that is still waiting for a thread never runs.
    /// Throws RuntimeError after shutdown_default_executor() (for the default executor) and after
    /// close(). An executor that is passed must outlive the functions that run in it.
    template<class F, class... Args>
    [[nodiscard("a future that is dropped gives its result to nobody")]]
    auto run_in_executor(QThreadPool *executor, F &&function, Args &&...args)
    {
        return start_function(executor, std::forward<F>(function), std::forward<Args>(args)...);
    }
    /// The same for an executor of the program's own: see Executor.
    /// Errors: what execute() throws is the exception of the future, unless the function has begun
    /// nevertheless; RuntimeError if the executor drops the function without calling it.
    template<Executor E, class F, class... Args>
    [[nodiscard("a future that is dropped gives its result to nobody")]]
    auto run_in_executor(E *executor, F &&function, Args &&...args)
    {
        detail::BorrowedExecutor<E> borrowed(*executor);
        return start_function(static_cast<detail::AnyExecutor *>(&borrowed),
                              std::forward<F>(function), std::forward<Args>(args)...);
    }
    /// Replaces the default executor. Without this call it is a pool of min(32, cores + 4) threads,
    /// which is made when it is first needed. Throws TypeError for null.
    void set_default_executor(std::shared_ptr<QThreadPool> executor);
    /// The same for an executor of the program's own: see Executor. The loop lets go of it when it
    /// is replaced or the loop is closed, while functions may still run in it.
    template<Executor E>
    void set_default_executor(std::shared_ptr<E> executor)
    {
        set_own_executor(executor ? std::make_shared<detail::SharedExecutor<E>>(std::move(executor))
                                  : nullptr);
    }
    /// Refuses new work for the default executor and waits until the functions in it have ended. If
    /// that takes longer than `timeout`, it logs a warning and returns without waiting further.
    Coroutine<> shutdown_default_executor(std::optional<std::chrono::nanoseconds> timeout = {});
    /// The same with a duration of any type. Throws ValueError for NaN.
    template<class Rep, class Period>
    Coroutine<> shutdown_default_executor(std::chrono::duration<Rep, Period> timeout)
    {
        return shutdown_default_executor(std::optional(detail::saturated(timeout)));
    }

    /// Closes all asynchronous generators that have begun and not ended, concurrently. What one of
    /// them throws is reported to the exception handler. A warning is logged for a generator that
    /// begins later. Runner does this at its end.
    Coroutine<> shutdown_asyncgens();

    // Errors

    /// Called with the loop and with what has happened.
    using ExceptionHandler = std::function<void(QAsyncioLoop &, const ExceptionContext &)>;

    /// Sets the function that is called for exceptions that nothing else handles. An empty function
    /// restores default_exception_handler(). It runs in the context of the task, future or handle
    /// concerned.
    ///
    ///     loop.set_exception_handler([](QAsyncioLoop &, const ExceptionContext &context) {
    ///         qWarning() << context;
    ///     });
    void set_exception_handler(ExceptionHandler handler);
    /// The function that was set; empty if there is none.
    const ExceptionHandler &get_exception_handler() const;
    /// Logs the exception to the category "qasyncio", as a critical message.
    void default_exception_handler(const ExceptionContext &context);
    /// Calls the exception handler. Throws nothing but LoopExit and KeyboardInterrupt.
    void call_exception_handler(const ExceptionContext &context);

    /// Debug mode checks the thread of each call, and logs the names of callbacks and of steps of
    /// tasks that take longer than the slow callback duration. It is off unless the environment
    /// variable QASYNCIO_DEBUG is 1 (or any number but 0), and may be switched at any time.
    void set_debug(bool enabled);
    /// Whether debug mode is on.
    bool get_debug() const;
    /// How long a callback must take for debug mode to log it, at first 100 ms:
    /// "Executing <Task ...> took 0.142 seconds".
    void set_slow_callback_duration(std::chrono::nanoseconds duration);
    /// The same with a duration of any type. Throws ValueError for NaN.
    template<class Rep, class Period>
    void set_slow_callback_duration(std::chrono::duration<Rep, Period> duration)
    {
        set_slow_callback_duration(detail::saturated(duration));
    }
    /// The duration that was set.
    std::chrono::nanoseconds get_slow_callback_duration() const;

    /// Looks for what freezes the window: from now on the log names each step of a task, and each
    /// callback, that holds the thread for at least as long as `limit`, and where the task had
    /// resumed before. Time in which a nested event loop serves others does not count. 0, as it is
    /// at first, ends it and costs nothing; otherwise each step takes some 100 ns longer.
    ///
    ///     loop.set_freeze_limit(16ms); // "Task 'load' has held the thread for 0.143 s after it
    ///     had
    ///                                  // resumed at page.cpp:12 in load()"
    void set_freeze_limit(std::chrono::nanoseconds limit);
    /// The same with a duration of any type. Throws ValueError for NaN.
    template<class Rep, class Period>
    void set_freeze_limit(std::chrono::duration<Rep, Period> limit)
    {
        set_freeze_limit(detail::saturated(limit));
    }
    /// The limit that was set.
    std::chrono::nanoseconds get_freeze_limit() const;
    /// Starts or ends a thread that reports such a step while it lasts ("is holding"), and again
    /// each time that it has taken twice as long. A step that has opened an event loop is not
    /// watched any more. Throws RuntimeError if no freeze limit is set.
    void set_freeze_watchdog(bool on);

    /// From now on writes what the loop executes to a file that https://ui.perfetto.dev opens: a
    /// span for each callback and step of a task, with an arrow from the one that has woken it.
    /// Each takes some microseconds longer meanwhile; without a trace it costs nothing. A former
    /// trace ends. Throws OSError if the file cannot be written, RuntimeError if the loop is
    /// closed.
    void start_trace(const QString &file);
    /// Ends the trace and closes its file, as close() does. Does nothing if there is none.
    void stop_trace();

    /// How many turns, callbacks, wake-ups and tasks there were and are. It counts all the time, at
    /// no cost worth mentioning. \sa LoopMonitor
    LoopCounters counters() const;
    /// Measures each turn, for LoopCounters::longest_turn, until it is called with false as often
    /// as it was with true. Begins at zero when nobody had measured before.
    void measure_turns(bool on);

    /// A future that is done when the application is asked to quit, or at once if it has been asked
    /// since the main coroutine of run() began, or since attach(). Each call returns a future of
    /// its own.
    ///
    ///     co_await loop.quit_requested();
    ///     co_await say_goodbye();
    ///
    /// A task that awaits it at that moment is not cancelled by the quit, which run() and attach()
    /// otherwise do. An attached loop gives the task LoopOptions::quit_deadline() to end.
    Future<> quit_requested();

    /// "<QAsyncioLoop running=false closed=false debug=false>"
    QString to_string() const;

    /// For the library's own use.
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
    void add_signal(detail::SignalState *state, CallbackContext context);
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
    /// For a coroutine that nobody else has: it is closed if it is refused.
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
    template<class E, class F, class... Args>
    auto start_function(E *executor, F &&function, Args &&...args)
    {
        detail::check_closure<F>();
        using Function = detail::closure_t<F>;
        using R = detail::thread_result_t<Function, std::decay_t<Args>...>;
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
    // Null: the default executor.
    void start_job(QThreadPool *executor, detail::ExecutorJobBase *job,
                   detail::FutureStateBase &future);
    void start_job(detail::AnyExecutor *executor, detail::ExecutorJobBase *job,
                   detail::FutureStateBase &future);
    void set_own_executor(std::shared_ptr<detail::AnyExecutor> executor);

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
/// The loop that runs in this thread. Throws RuntimeError("no running event loop") if there is
/// none.
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
    return get_running_loop().create_task(TaskOptions(), std::forward<F>(function),
                                          std::forward<Args>(args)...);
}
template<class F, class... Args>
    requires std::is_invocable_v<detail::closure_t<F> &, std::decay_t<Args>...>
auto create_task(const TaskOptions &options, F &&function, Args &&...args)
{
    return get_running_loop().create_task(options, std::forward<F>(function),
                                          std::forward<Args>(args)...);
}
template<detail::TaskAwaitable A>
auto create_task(A &&awaitable, const TaskOptions &options)
{
    return get_running_loop().create_task(std::forward<A>(awaitable), options);
}

} // namespace QAsyncio

using QAsyncio::QAsyncioLoop;
