// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/ensure_future.h"
#include "qasyncio/loop.h"

// The program has Qt GUI; QAsyncio itself does not need it. Without Qt's CMake macros nobody says so.
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

/// How a Runner makes its loop.
class QASYNCIO_EXPORT RunnerOptions
{
public:
    RunnerOptions() { }
    /// Debug mode on or off. Without it: as new_event_loop() has it.
    RunnerOptions &debug(bool debug)
    {
        m_debug = debug;
        return *this;
    }
    /// What makes the loop. Without it: new_event_loop(), and the loop is set while the runner is open.
    RunnerOptions &loop_factory(std::function<std::unique_ptr<QAsyncioLoop>()> factory)
    {
        m_factory = std::move(factory);
        return *this;
    }
    /// How long each part of the clean-up may take: the end of the tasks that were cancelled, of the asynchronous generators, and
    /// of the functions in the default executor. Then the rest is left behind, and named. Five minutes, as asyncio waits for its
    /// executor. Real time, also under a clock of the program's own.
    template<class Rep, class Period>
    RunnerOptions &cleanup_limit(std::chrono::duration<Rep, Period> limit)
    {
        m_cleanup_limit = detail::saturated(limit);
        return *this;
    }
    /// "<RunnerOptions debug=true loop_factory=set>"
    QString to_string() const;

private:
    friend class Runner;
    std::optional<bool> m_debug;
    std::chrono::nanoseconds m_cleanup_limit = std::chrono::minutes(5);
    std::function<std::unique_ptr<QAsyncioLoop>()> m_factory;
};

/// Runs coroutines in one loop and one context, one after the other, and cleans up behind them.
///
/// The application's quit() and exit(), the closing of its last window and Ctrl+C are inputs: they cancel the coroutine that
/// runs, which may clean up with awaits (or await quit_requested(): then it is told and not cancelled). A second quit
/// ends the clean-up: what is left is unwound. (The last window that closes in the clean-up is no second one.)
/// Thread: that in which it was made. In others than the main thread neither Ctrl+C nor the application's end is heard.
/// \sa https://docs.python.org/3/library/asyncio-runner.html#asyncio.Runner
class QASYNCIO_EXPORT Runner
{
public:
    explicit Runner(RunnerOptions options = RunnerOptions());
    /// close()
    ~Runner();
    Q_DISABLE_COPY_MOVE(Runner)

    /// Runs an awaitable to its end and gives its result, or throws what it throws: CancelledError if it was cancelled by a
    /// quit, KeyboardInterrupt if by Ctrl+C. Throws RuntimeError if a loop runs in this thread, after close(), and
    /// without a QCoreApplication.
    template<detail::Awaitable A>
    auto run(A &&awaitable)
    {
        return run(std::forward<A>(awaitable), m_context);
    }
    /// The same in `context` instead of the runner's own.
    template<detail::Awaitable A>
    auto run(A &&awaitable, const Context &context)
    {
        prepare();
        auto task = start(std::forward<A>(awaitable), context);
        run_main(task);
        return std::move(task).result();
    }
    /// The loop; made now if it was not yet.
    QAsyncioLoop &get_loop();
    /// Cancels the tasks that are left and waits for them, shuts down the default executor, closes the loop. What
    /// the tasks throw meanwhile is reported. A second call does nothing.
    /// What keeps it waiting for a second is named in the log: tasks with file and line, threads of functions; after
    /// RunnerOptions::cleanup_limit() it goes on without. Calls of run_coroutine_threadsafe() that arrive meanwhile are cancelled.
    /// Ctrl+C ends the clean-up with KeyboardInterrupt, a second quit ends it, too: what is left is unwound.
    /// Throws RuntimeError, and changes nothing, if a loop runs in this thread or code of its own is on the stack; without a
    /// QCoreApplication the tasks are unwound at once. The destructor closes its loop without clean-up
    /// then, and says so; but inside of close() itself that goes on to its end. One without a loop is just closed.
    void close();
    /// "<Runner created>", or open, closed
    QString to_string() const;

private:
    friend class detail::RunnerAccess;

    /// Throws RuntimeError if nothing can be run here; makes the loop.
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
        return start<T>(detail::await_in_task<std::decay_t<A>>(std::forward<A>(awaitable)), context);
    }
    void run_main(const AnyTask &main);

    struct Private;
    std::shared_ptr<Private> d; // a run() under which the runner is destroyed keeps it
    Context m_context;
};

/// Runs `main` in a new loop until it is done, cleans up, and gives its result or throws what it throws: asyncio.run().
/// Needs a QCoreApplication (or QGuiApplication, QApplication). Throws RuntimeError if a loop runs in this thread.
/// Thread: any, with a loop of its own; SIGINT and the end of the application reach the main thread's only.
template<detail::Awaitable A>
auto run(A &&main, RunnerOptions options = RunnerOptions())
{
    detail::check_no_running_loop("run()");
    Runner runner(std::move(options));
    return runner.run(std::forward<A>(main));
}

namespace detail {
/// What run(app, main) needs of the application's class.
struct ApplicationHooks
{
    int (*exec)(); // the class's own exec()
};

/// Runs `body` under the hooks and gives the exit code: what `body` gives, 0 after a quit, the n of exit(n), 130 after
/// Ctrl+C, 1 for any other exception, which is reported.
QASYNCIO_EXPORT int run_application(const ApplicationHooks &hooks, RunnerOptions options,
                                    const std::function<int(Runner &)> &body);
} // namespace detail

/// Runs `main` as the whole program: `int main(...) { QApplication app(argc, argv); return run(app, start()); }`.
///
/// Gives the coroutine's int (0 if it gives none); 0 after quit() or when the last window was closed (also if the coroutine
/// was cut short by it: one that must know awaits quit_requested()); n after exit(n); 130
/// after Ctrl+C; 1, with a report, for an exception that nobody caught. Throws nothing but RuntimeError for a nested run.
template<class App, class T>
    requires std::is_base_of_v<QCoreApplication, App>
int run(App &, Coroutine<T> main, RunnerOptions options = RunnerOptions())
{
    detail::check_no_running_loop("run()");
    return detail::run_application(detail::ApplicationHooks{&App::exec}, std::move(options), [&](Runner &runner) -> int {
        if constexpr (std::is_convertible_v<T, int>) {
            return runner.run(std::move(main));
        } else {
            static_cast<void>(runner.run(std::move(main)));
            return 0;
        }
    });
}

} // namespace QAsyncio
