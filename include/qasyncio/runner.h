// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/ensure_future.h"
#include "qasyncio/loop.h"

// If the program uses Qt GUI. QAsyncio itself does not need it; QT_GUI_LIB is only defined by Qt's
// CMake targets, so without them the header is looked for.
#if defined(QT_GUI_LIB) || (!defined(QT_CORE_LIB) && __has_include(<QtGui/qwindow.h>))
#  include <QtGui/qwindow.h>
#endif

#include <functional>
#include <memory>

QT_BEGIN_NAMESPACE
class QCoreApplication;
QT_END_NAMESPACE

namespace QAsyncio {

namespace detail {
/// Throws RuntimeError "<function> cannot be called from a running event loop".
QASYNCIO_EXPORT void check_no_running_loop(const char *function);
} // namespace detail

/// Options for run() and Runner: `run(app, start(), RunnerOptions().debug(true))`.
class QASYNCIO_EXPORT RunnerOptions
{
public:
    RunnerOptions() { }
    /// Switches debug mode on or off. Without this call it stays as the new loop has it.
    RunnerOptions &debug(bool debug)
    {
        m_debug = debug;
        return *this;
    }
    /// The function that makes the loop. Without one, new_event_loop() makes it, and it is set as
    /// the thread's loop (set_event_loop()) while the runner is open.
    RunnerOptions &loop_factory(std::function<std::unique_ptr<QAsyncioLoop>()> factory)
    {
        m_factory = std::move(factory);
        return *this;
    }
    /// How long each part of the clean-up may take: the end of the cancelled tasks, of the
    /// asynchronous generators, and of the functions in the default executor. After that the runner
    /// logs what has not ended and goes on without it. Default: five minutes, as asyncio has for
    /// its executor. It is real time, even if the loop has a clock of its own. Throws ValueError
    /// for NaN.
    template<class Rep, class Period>
    RunnerOptions &cleanup_limit(std::chrono::duration<Rep, Period> limit)
    {
        m_cleanup_limit = detail::saturated(limit);
        return *this;
    }
    /// Prints the tasks to stderr, as print_tasks() does, each time the process gets this signal:
    ///
    ///     run(app, start(), RunnerOptions().print_tasks_on(SIGUSR1)); // kill -USR1 PID
    ///
    /// While run() runs, in the main thread, and unless the program handles the signal itself.
    /// run() throws ValueError for a number that is no signal.
    RunnerOptions &print_tasks_on(int signal)
    {
        m_print_signal = signal;
        return *this;
    }
    /// "<RunnerOptions debug=true loop_factory=set>"
    QString to_string() const;

private:
    friend class Runner;
    std::optional<bool> m_debug;
    int m_print_signal = 0; // 0: none
    std::chrono::nanoseconds m_cleanup_limit = std::chrono::minutes(5);
    std::function<std::unique_ptr<QAsyncioLoop>()> m_factory;
};

/// Runs coroutines one after the other in the same loop and the same context, and cleans up at the
/// end.
///
///     Runner runner;
///     const int answer = runner.run(compute());
///     runner.run(report(answer));
///
/// The application's quit() and exit(), the closing of its last window, Ctrl+C and SIGTERM, which
/// is exit(143), cancel the coroutine that is running. (The end of the desktop's session reaches a
/// program as a quit or as SIGTERM.) It may then clean up, with awaits too. If it is awaiting
/// quit_requested(), it is notified by that future instead of being cancelled. A second quit ends
/// the clean-up: what is left is unwound. (If the last window is closed during the clean-up, that
/// does not count as a second quit.)
/// Ctrl+C and SIGTERM do so unless the program handles the signal itself, with
/// QAsyncioLoop::add_signal_handler() or otherwise.
/// Thread: use it in the thread in which it was made. Ctrl+C, SIGTERM and the end of the
/// application only reach runners in the main thread.
/// \sa https://docs.python.org/3/library/asyncio-runner.html#asyncio.Runner
class QASYNCIO_EXPORT Runner
{
public:
    /// The loop is made later, by the first run() or get_loop().
    explicit Runner(RunnerOptions options = RunnerOptions());
    /// Calls close().
    ~Runner();
    Q_DISABLE_COPY_MOVE(Runner)

    /// Runs an awaitable to its end and gives its result, or throws what it throws: CancelledError
    /// if a quit has cancelled it, KeyboardInterrupt if Ctrl+C has.
    /// Throws RuntimeError if a loop is running in this thread, after close(), without a
    /// QCoreApplication, and if the loop is stopped before the awaitable is done.
    template<detail::Awaitable A>
    auto run(A &&awaitable)
    {
        return run(std::forward<A>(awaitable), m_context);
    }
    /// The same in `context` instead of the runner's own context.
    template<detail::Awaitable A>
    auto run(A &&awaitable, const Context &context)
    {
        prepare();
        auto task = start(std::forward<A>(awaitable), context);
        run_main(task);
        return std::move(task).result();
    }
    /// The runner's loop, which is made now if it does not exist yet. Throws RuntimeError after
    /// close().
    QAsyncioLoop &get_loop();
    /// Cancels the tasks that are left and waits for them, closes asynchronous generators, shuts
    /// down the default executor and closes the loop. What the tasks throw meanwhile is reported. A
    /// second call does nothing.
    ///
    /// If something keeps it waiting for a second, the log names it: tasks with file and line,
    /// functions with their thread. After RunnerOptions::cleanup_limit() it goes on without them.
    /// Calls of run_coroutine_threadsafe() that arrive during the clean-up are cancelled. Ctrl+C
    /// ends the clean-up with KeyboardInterrupt, and a second quit ends it too: what is left is
    /// then unwound. Without a QCoreApplication the tasks are unwound at once.
    /// Throws RuntimeError, and changes nothing, if a loop is running in this thread or code of the
    /// runner's own loop is executing. The destructor, which cannot throw, closes the loop without
    /// a clean-up in that case and logs an error. If the runner is destroyed during its close(),
    /// that goes on to its end. A runner that has no loop yet is just closed.
    void close();
    /// "<Runner created>"; or open, closed.
    QString to_string() const;

private:
    friend class detail::RunnerAccess;

    /// Makes the loop. Throws RuntimeError if nothing can be run here.
    void prepare();

    template<class T>
    Task<T> start(Coroutine<T> coroutine, const Context &context)
    {
        return get_loop().create_task(std::move(coroutine), TaskOptions().context(context));
    }
    template<class A>
    auto start(A &&awaitable, const Context &context)
    {
        using T = std::decay_t<detail::await_result_t<A>>;
        return start<T>(detail::await_in_task<std::decay_t<A>>(std::forward<A>(awaitable)),
                        context);
    }
    void run_main(const AnyTask &main);

    struct Private;
    std::shared_ptr<Private> d; // shared with a run() during which the runner is destroyed
    Context m_context;
};

/// asyncio.run(): runs `main` in a new loop until it is done, cleans up, and gives its result or
/// throws what it throws.
///
///     QCoreApplication app(argc, argv);
///     const int answer = run(compute());
///
/// Needs a QCoreApplication (or QGuiApplication, QApplication). Throws RuntimeError if a loop is
/// running in this thread.
/// Thread: any; each call has a loop of its own. Ctrl+C, SIGTERM and the end of the application
/// only reach the one in the main thread.
/// \sa https://docs.python.org/3/library/asyncio-runner.html#asyncio.run
template<detail::Awaitable A>
auto run(A &&main, RunnerOptions options = RunnerOptions())
{
    detail::check_no_running_loop("run()");
    Runner runner(std::move(options));
    return runner.run(std::forward<A>(main));
}

namespace detail {
/// What run(app, main) needs from the application's class.
struct ApplicationHooks
{
    int (*exec)(); // the class's own exec()
};

/// Calls `body` under the hooks and gives the exit code: what `body` returns, 0 after a quit, n
/// after exit(n), 130 after Ctrl+C, and 1 for any other exception, which is reported.
QASYNCIO_EXPORT int run_application(const ApplicationHooks &hooks, RunnerOptions options,
                                    const std::function<int(Runner &)> &body);
} // namespace detail

/// Runs `main` as the whole program, and gives the exit code:
///
///     int main(int argc, char **argv)
///     {
///         QApplication app(argc, argv);
///         return run(app, start());
///     }
///
/// The exit code is the int that the coroutine returns (0 if it returns none); 0 if it was
/// cancelled by quit() or by the closing of the last window (a coroutine that needs to know awaits
/// quit_requested()); n after exit(n); the code of a LoopExit; 130 after Ctrl+C; 143 after SIGTERM;
/// and 1 for any exception that nobody has caught, which is logged.
/// Throws nothing but RuntimeError, if a loop is already running in this thread.
template<class App, class T>
    requires std::is_base_of_v<QCoreApplication, App>
int run(App &, Coroutine<T> main, RunnerOptions options = RunnerOptions())
{
    detail::check_no_running_loop("run()");
    return detail::run_application(detail::ApplicationHooks{&App::exec}, std::move(options),
                                   [&](Runner &runner) -> int {
                                       if constexpr (std::is_convertible_v<T, int>) {
                                           return runner.run(std::move(main));
                                       } else {
                                           static_cast<void>(runner.run(std::move(main)));
                                           return 0;
                                       }
                                   });
}

} // namespace QAsyncio
