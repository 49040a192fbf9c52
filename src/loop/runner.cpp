// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/runner.h"

#include "loop/logging.h"
#include "loop/loop_p.h"
#include "loop/sigint.h"

#include "qasyncio/policy.h"
#include "qasyncio/wait.h"

namespace QAsyncio {

void detail::check_no_running_loop(const char *function)
{
    if (find_running_loop()) {
        throw RuntimeError(
            QStringLiteral("%1 cannot be called from a running event loop").arg(QLatin1String(function)));
    }
}

struct Runner::Private
{
    RunnerOptions options;
    std::unique_ptr<QAsyncioLoop> loop;
    const detail::ApplicationHooks *hooks = nullptr;
    bool closed = false;
    bool installed = false;    // set_event_loop() was called
    bool quit = false;         // the application was asked to quit
    int quit_code = 0;
    bool abandoned = false;    // a second quit: no clean-up with awaits any more
    bool interrupted = false;  // Ctrl+C
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
        qCCritical(detail::logCategory).noquote() << "Runner:" << describe(std::current_exception());
    }
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

void Runner::prepare()
{
    detail::check_no_running_loop("Runner.run()");
    get_loop();
}

void Runner::run_main(const AnyTask &main)
{
    QAsyncioLoop &loop = get_loop();
    AnyTask task = main;
    bool interrupted = false;
    const detail::SigintWatch watch(loop, [&] {
        if (interrupted || task.done())
            throw KeyboardInterrupt();
        interrupted = true;
        task.cancel();
    });
    while (!task.done()) {
        const detail::RunEnd end = detail::RunnerAccess::run_until_done(loop, task);
        if (task.done())
            break;
        if (!end.quit)
            throw RuntimeError(QStringLiteral("Event loop stopped before Future completed."));
        // The application was asked to quit and its event loop has ended. It is started anew for the clean-up.
        if (std::exchange(d->quit, true)) {
            d->abandoned = true;
            break;
        }
        d->quit_code = end.code;
        Future<> &asked = detail::LoopPrivate::of(loop).quit_requested;
        if (asked && !asked.done())
            asked.set_result();
        else
            loop.call_soon([task]() mutable { task.cancel(); });
    }
    if (d->abandoned) {
        close();
        throw CancelledError(QStringLiteral("the application quit a second time during the clean-up"));
    }
    if (interrupted && task.cancelled() && task.uncancel() == 0) {
        d->interrupted = true;
        throw KeyboardInterrupt();
    }
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
    d->closed = true;
    if (!d->loop)
        return;
    QAsyncioLoop &loop = *d->loop;
    const QScopeGuard finish([&] {
        if (d->installed)
            set_event_loop(nullptr);
        loop.close(); // whatever happened before (L-113)
    });
    if (d->abandoned || loop.is_closed())
        return;
    std::vector<AnyTask> left = loop.all_tasks();
    if (!left.empty()) {
        for (AnyTask &task : left)
            task.cancel();
        if (!run_cleanup(loop.create_task(detail::wait_until({left.begin(), left.end()}, WaitOptions()))))
            return;
        for (AnyTask &task : left)
            report_shutdown_exception(loop, task);
    }
    if (!run_cleanup(loop.create_task(loop.shutdown_asyncgens())))
        return;
    run_cleanup(loop.create_task(loop.shutdown_default_executor(std::chrono::minutes(5))));
}

bool Runner::run_cleanup(const AnyTask &task)
{
    while (!task.done()) {
        const detail::RunEnd end = detail::RunnerAccess::run_until_done(*d->loop, task);
        if (task.done())
            break;
        if (!end.quit)
            throw RuntimeError(QStringLiteral("Event loop stopped before Future completed."));
        if (std::exchange(d->quit, true)) {
            d->abandoned = true;
            return false;
        }
        d->quit_code = end.code;
    }
    return true;
}

int detail::run_application(const ApplicationHooks &hooks, RunnerOptions options, const std::function<int(Runner &)> &body)
{
    Runner runner(std::move(options));
    return RunnerAccess::run_application(runner, hooks, body);
}

int detail::RunnerAccess::run_application(Runner &runner, const ApplicationHooks &hooks,
                                          const std::function<int(Runner &)> &body)
{
    runner.d->hooks = &hooks;
    const auto close = [&] { // what fails in the clean-up fails the program
        try {
            runner.close();
            return 0;
        } catch (const LoopExit &exit) {
            return exit.code();
        } catch (...) {
            qCCritical(logCategory).noquote() << "run(): the clean-up failed:" << describe(std::current_exception());
            return 1;
        }
    };
    const auto finish = [&](int code) {
        const int cleanup_code = close();
        if (runner.d->quit && runner.d->quit_code != 0)
            return runner.d->quit_code;
        return code != 0 ? code : cleanup_code;
    };
    try {
        return finish(body(runner));
    } catch (const CancelledError &) {
        if (runner.d->quit)
            return finish(0);
        qCCritical(logCategory) << "run(): the main coroutine was cancelled";
        return finish(1);
    } catch (const KeyboardInterrupt &) {
        close();
        return 130;
    } catch (const LoopExit &exit) {
        close();
        return exit.code();
    } catch (...) {
        qCCritical(logCategory).noquote() << "run(): unhandled exception:" << describe(std::current_exception());
        return finish(1);
    }
}

} // namespace QAsyncio
