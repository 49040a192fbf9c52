// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/runner.h"

#include "base/exception_kind.h"
#include "base/logging.h"
#include "loop/loop_p.h"
#include "loop/signals.h"

#include "qasyncio/policy.h"
#include "qasyncio/task_tree.h"
#include "qasyncio/wait.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qscopeguard.h>
#include <QtCore/qstringlist.h>
#include <QtCore/qtimer.h>

#include <csignal>

namespace QAsyncio {

void detail::check_no_running_loop(const char *function)
{
    if (find_running_loop()) {
        throw RuntimeError(QStringLiteral("%1 cannot be called from a running event loop")
                               .arg(QLatin1String(function)));
    }
}

/// The state of a Runner. Shared with its run() and close(), in which code of the program may
/// destroy the Runner.
struct Runner::Private
{
    RunnerOptions options;
    std::unique_ptr<QAsyncioLoop> loop;
    const detail::ApplicationHooks *hooks = nullptr;
    std::optional<detail::SignalWatch> sigint, sigterm, print_signal;
    AnyTask main;               // while run() runs it
    bool keeps_signals = false; // from run() to the end of close(): for a whole program
    bool closed = false;
    bool installed = false; // set_event_loop() was called
    bool quit = false;      // the application was asked to quit, in this run() or clean-up
    int quit_code = 0;
    bool time_is_up = false;  // the limit of the clean-up that is under way
    bool abandoned = false;   // it quit a second time: nothing is awaited any more in the clean-up
    bool interrupted = false; // Ctrl+C has cancelled the main task
    int quit_cancels = 0;     // how often the quit has cancelled it: once at most
    bool destroyed = false;   // the runner is gone

    void watch_signals()
    {
        if (sigint)
            return;
        sigint.emplace(*loop, SIGINT, [this] {
            if (!main || main.done() || std::exchange(interrupted, true))
                throw KeyboardInterrupt();
            main.cancel();
        });
        sigterm.emplace(*loop, SIGTERM, [] {
            constexpr int terminated = 128 + SIGTERM; // as a shell reports it
            QCoreApplication::exit(terminated);
        });
        if (options.m_print_signal != 0)
            print_signal.emplace(*loop, options.m_print_signal, [this] { print_tasks(*loop); });
    }
    void ignore_signals()
    {
        sigint.reset();
        sigterm.reset();
        print_signal.reset();
    }
    /// Notes that the application's event loop has ended. Returns false for the second time.
    bool note_quit(const detail::RunEnd &end)
    {
        if (std::exchange(quit, true))
            return false;
        quit_code = end.code;
        return true;
    }
    enum class RunResult { Done, GivenUp, Stopped, QuitTwice };
    /// Runs the loop until `task` is done. If the application quits meanwhile, calls `on_quit()`
    /// and starts its event loop again.
    RunResult run_until_done(const AnyTask &task, const std::function<void()> &on_quit);
    /// Runs the loop until `task`, a part of the clean-up, is done, or gives it up after the
    /// cleanup_limit. `rest` names what it waits for. Returns false if a second quit has abandoned
    /// the clean-up.
    bool run_cleanup(const AnyTask &task, const std::function<QStringList()> &rest);
    void clean_up();
    /// Starts a task of the Runner's own, which is not reported if it does not end.
    template<class T>
    AnyTask begin(Coroutine<T> &&coroutine);
};

namespace {

void report_shutdown_exception(QAsyncioLoop &loop, const AnyTask &task)
{
    if (task.cancelled() || !task.exception())
        return;
    ExceptionContext context;
    context.message = QStringLiteral("unhandled exception during asyncio.run() shutdown");
    context.exception = task.exception();
    context.task = task;
    loop.call_exception_handler(context);
}

} // namespace

Runner::Runner(RunnerOptions options) : d(std::make_unique<Private>())
{
    d->options = std::move(options);
}

Runner::~Runner()
{
    try {
        close();
    } catch (...) {
        qCCritical(detail::logCategory).noquote()
            << "Runner:" << describe(std::current_exception());
    }
    if (d->closed)
        return;
    // close() was refused inside a running loop, perhaps our own: nothing can be awaited here.
    d->closed = d->destroyed = true;
    d->ignore_signals();
    if (d->installed)
        set_event_loop(nullptr);
    d->loop.reset();
}

QAsyncioLoop &Runner::get_loop()
{
    if (d->closed)
        throw RuntimeError(QStringLiteral("Runner is closed"));
    if (!d->loop) {
        d->loop = d->options.m_factory ? d->options.m_factory() : new_event_loop();
        if (!d->loop)
            throw RuntimeError(QStringLiteral("Runner: the loop factory gave no loop"));
        if (!d->options.m_factory) {
            set_event_loop(d->loop.get());
            d->installed = true;
        }
        if (d->options.m_debug)
            d->loop->set_debug(*d->options.m_debug);
        detail::LoopPrivate::of(*d->loop).hooks = d->hooks;
    }
    return *d->loop;
}

Runner::Private::RunResult Runner::Private::run_until_done(const AnyTask &task,
                                                           const std::function<void()> &on_quit)
{
    while (!task.done()) {
        const detail::RunEnd end = detail::RunnerAccess::run_until_done(*loop, task);
        if (destroyed)
            throw RuntimeError(QStringLiteral("The Runner was destroyed by its own coroutine"));
        if (task.done()) {
            if (end.quit) // it quit in the same pass
                note_quit(end);
            break;
        }
        if (time_is_up)
            return RunResult::GivenUp;
        if (!end.quit)
            return RunResult::Stopped;
        if (!note_quit(end)) {
            abandoned = true;
            return RunResult::QuitTwice;
        }
        on_quit();
    }
    return RunResult::Done;
}

namespace {
[[noreturn]] void throw_stopped()
{
    throw RuntimeError(QStringLiteral("Event loop stopped before Future completed."));
}
} // namespace

void Runner::prepare()
{
    detail::check_no_running_loop("Runner.run()");
    detail::LoopPrivate::of(get_loop()).check_runnable();
}

void Runner::run_main(const AnyTask &main)
{
    get_loop();
    const std::shared_ptr<Private> p = d; // the task may destroy the runner
    QAsyncioLoop &loop = *p->loop;
    AnyTask task = main;
    // Each run begins afresh.
    p->quit = p->abandoned = p->interrupted = false;
    p->quit_code = p->quit_cancels = 0;
    detail::LoopPrivate::of(loop).quit_was_requested = false;
    p->main = task;
    const QScopeGuard no_longer([&] {
        p->main = {};
        if (!p->keeps_signals)
            p->ignore_signals();
    });
    p->watch_signals();
    const auto on_quit = [&] {
        const bool is_awaited = detail::LoopPrivate::of(loop).quit_requests.is_awaited();
        detail::LoopPrivate::of(loop).tell_of_quit();
        if (!is_awaited)
            loop.call_soon([p = p.get(), task]() mutable { p->quit_cancels += task.cancel(); });
    };
    switch (p->run_until_done(task, on_quit)) {
    case Private::RunResult::Done:
    case Private::RunResult::GivenUp: // there is no limit
        break;
    case Private::RunResult::Stopped:
        throw_stopped();
    case Private::RunResult::QuitTwice:
        close();
        throw CancelledError(
            QStringLiteral("the application quit a second time during the clean-up"));
    }
    if (p->interrupted && task.cancelled() && task.uncancel() == p->quit_cancels)
        throw KeyboardInterrupt();
}

QString Runner::to_string() const
{
    const char *state = d->closed ? "closed" : d->loop ? "open" : "created";
    return QStringLiteral("<Runner %1>").arg(QLatin1String(state));
}

void Runner::close()
{
    if (d->closed)
        return;
    if (d->loop) {
        detail::check_no_running_loop("Runner.close()");
        if (detail::LoopPrivate::of(*d->loop).is_on_stack())
            throw RuntimeError(QStringLiteral(
                "Runner.close() cannot be called while code of its event loop is on the stack"));
    }
    d->closed = true;
    if (!d->loop)
        return;
    const std::shared_ptr<Private> p = d; // what is cleaned up may destroy the runner
    const QScopeGuard finish([&p] {
        p->ignore_signals();
        if (p->installed)
            set_event_loop(nullptr);
        p->loop->close(); // whatever happened before (L-113)
    });
    // Otherwise the tasks are unwound by close().
    if (!p->abandoned && !p->loop->is_closed() && QCoreApplication::instance())
        p->clean_up();
}

template<class T>
AnyTask Runner::Private::begin(Coroutine<T> &&coroutine)
{
    const detail::Closer<T> closer{coroutine};
    const Task<T> task = loop->create_task(std::move(coroutine));
    detail::RunnerAccess::mark_implicit(*loop, task);
    return task;
}

void Runner::Private::clean_up()
{
    watch_signals();
    auto &internals = detail::LoopPrivate::of(*loop);
    internals.set(detail::LoopCore::ShuttingDown, true);
    std::vector<AnyTask> left = loop->all_tasks();
    if (!left.empty()) {
        for (AnyTask &task : left)
            task.cancel();
        const auto tasks = [&] {
            QStringList names;
            for (const AnyTask &task : left) {
                if (!task.done())
                    names << task.to_string();
            }
            return names;
        };
        if (!run_cleanup(begin(detail::run_wait({left.begin(), left.end()}, WaitOptions())), tasks))
            return;
        for (AnyTask &task : left) {
            if (task.done())
                report_shutdown_exception(*loop, task);
        }
    }
    if (loop->is_closed()) // a task has deleted the application
        return;
    const auto generators = [] {
        return QStringList{QStringLiteral("asynchronous generators that are being closed")};
    };
    if (!run_cleanup(begin(loop->shutdown_asyncgens()), generators) || loop->is_closed())
        return;
    internals.close_listeners.tell(); // nobody is left for whom a thread could work
    const auto threads = [&] { return internals.running_jobs(); };
    run_cleanup(begin(loop->shutdown_default_executor(options.m_cleanup_limit)), threads);
}

bool Runner::Private::run_cleanup(const AnyTask &task, const std::function<QStringList()> &rest)
{
    QTimer patience; // in real time, whatever the loop's clock
    patience.setSingleShot(true);
    QObject::connect(&patience, &QTimer::timeout, [&] {
        qCWarning(detail::logCategory).noquote()
            << "Runner: the clean-up waits for" << rest().join(QLatin1String(", "));
    });
    patience.start(std::chrono::seconds(1));
    time_is_up = false;
    QTimer limit;
    limit.setSingleShot(true);
    QObject::connect(&limit, &QTimer::timeout, [&] {
        time_is_up = true;
        loop->stop();
    });
    limit.start(detail::timer_milliseconds(options.m_cleanup_limit));
    switch (run_until_done(task, [] { })) {
    case RunResult::Done:
        break;
    case RunResult::GivenUp:
        qCWarning(detail::logCategory).noquote()
            << "Runner: the clean-up goes on without" << rest().join(QLatin1String(", "));
        AnyTask(task).cancel();
        break;
    case RunResult::Stopped:
        throw_stopped();
    case RunResult::QuitTwice:
        return false;
    }
    return true;
}

int detail::run_application(const ApplicationHooks &hooks, RunnerOptions options,
                            const std::function<int(Runner &)> &body)
{
    Runner runner(std::move(options));
    return RunnerAccess::run_application(runner, hooks, body);
}

int detail::RunnerAccess::run_application(Runner &runner, const ApplicationHooks &hooks,
                                          const std::function<int(Runner &)> &body)
{
    runner.d->hooks = &hooks;
    runner.d->keeps_signals = true;
    const auto close = [&] { // an error in the clean-up is an error of the program
        try {
            runner.close();
            return 0;
        } catch (...) {
            const ExceptionKind kind = kind_of(std::current_exception());
            if (kind.leaves_loop())
                return kind.exit_code;
            qCCritical(logCategory).noquote()
                << "run(): the clean-up failed:" << describe(std::current_exception());
            return 1;
        }
    };
    const auto finish = [&](int code) {
        const int cleanup_code = close();
        if (cleanup_code == 130)
            return 130;
        if (runner.d->quit && runner.d->quit_code != 0)
            return runner.d->quit_code;
        return code != 0 ? code : cleanup_code;
    };
    try {
        return finish(body(runner));
    } catch (...) {
        const ExceptionKind kind = kind_of(std::current_exception());
        if (kind.leaves_loop()) {
            close();
            return kind.exit_code;
        }
        if (kind.value == ExceptionKind::Cancellation && runner.d->quit)
            return finish(0);
        if (kind.value == ExceptionKind::Cancellation) {
            qCCritical(logCategory) << "run(): the main coroutine was cancelled";
            return finish(1);
        }
        qCCritical(logCategory).noquote()
            << "run(): unhandled exception:" << describe(std::current_exception());
        return finish(1);
    }
}

} // namespace QAsyncio
