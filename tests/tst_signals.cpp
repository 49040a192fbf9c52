// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qregularexpression.h>

#include <cerrno>
#include <csignal>
#include <thread>

namespace {

constexpr int program_exit = 7;

struct sigaction action_of(int signal)
{
    struct sigaction now{};
    ::sigaction(signal, nullptr, &now);
    return now;
}

bool has_its_default(int signal)
{
    return action_of(signal).sa_handler == SIG_DFL;
}

int signals_of_the_program = 0;

void on_signal_of_the_program(int)
{
    ++signals_of_the_program;
}

Coroutine<int> wait_with_clean_up()
{
    auto body = []() -> Coroutine<> {
        std::puts("ready");
        std::fflush(stdout);
        co_await sleep(1h);
    };
    auto cleanup = []() -> Coroutine<> {
        co_await sleep(1ms);
        std::puts("cleanup");
    };
    co_await finally(body, cleanup);
    co_return 0;
}

Coroutine<int> wait_for_the_quit()
{
    Future<> quit = get_running_loop().quit_requested();
    std::puts("ready");
    std::fflush(stdout);
    co_await quit;
    std::puts("told");
    co_return 0;
}

Coroutine<int> never_end()
{
    std::puts("ready");
    std::fflush(stdout);
    for (;;) {
        const bool cancelled = co_await is_cancelled_asleep();
        std::puts(cancelled ? "cancelled" : "asleep");
        std::fflush(stdout);
    }
}

Coroutine<int> handle_it()
{
    Future<int> code = get_running_loop().create_future<int>();
    get_running_loop().add_signal_handler(SIGTERM,
                                          [=]() mutable { code.set_result(program_exit); });
    std::puts("ready");
    std::fflush(stdout);
    co_return co_await code;
}

Coroutine<int> run_without_a_descriptor()
{
    co_return program_exit;
}

int run_the_scenario(const QByteArray &name, QCoreApplication &app)
{
    if (name == "clean_up")
        return run(app, wait_with_clean_up());
    if (name == "print_tasks")
        return run(app, wait_with_clean_up(), RunnerOptions().print_tasks_on(SIGUSR1));
    if (name == "quit_requested")
        return run(app, wait_for_the_quit());
    if (name == "never_end")
        return run(app, never_end());
    if (name == "handler")
        return run(app, handle_it());
    if (name == "no_descriptor") {
        Runner runner;
        // UndefinedBehaviorSanitizer needs a descriptor for each type that it has not seen.
        runner.get_loop().run_until_complete(run_without_a_descriptor());
        static_cast<void>(OSError(EMFILE, QString()).what());
        const NoMoreDescriptors none;
        return runner.run(run_without_a_descriptor());
    }
    return -1;
}

ScenarioResult terminate(const char *scenario)
{
    return run_scenario(QString::fromLatin1(scenario), [](QProcess &process) {
        QVERIFY(process.waitForReadyRead(30000));
        ::kill(pid_t(process.processId()), SIGTERM);
    });
}

} // namespace

/// add_signal_handler(), remove_signal_handler(); what run() does on SIGTERM.
class tst_signals : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() // Qt Test has handlers of its own
    {
        for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGHUP})
            std::signal(signal, SIG_DFL);
    }

    // L-117
    void refusesWhatCannotBeHandled()
    {
        QAsyncioLoop loop(virtual_time());
        const auto add = [&](int signal) {
            return error_in([&] { loop.add_signal_handler(signal, [] { }); });
        };
        QCOMPARE(add(SIGKILL), "RuntimeError: sig 9 cannot be caught");
        QCOMPARE(add(SIGSTOP), "RuntimeError: sig 19 cannot be caught");
        for (const int signal : {1000, 0, -1, 32, 33, 65, 127, 128}) {
            const QString invalid = QStringLiteral("ValueError: invalid signal number %1");
            QCOMPARE(add(signal), invalid.arg(signal));
            QCOMPARE(error_in([&] { return loop.remove_signal_handler(signal); }),
                     invalid.arg(signal));
        }
        QCOMPARE(add(SIGRTMAX), QString());
        loop.close();
        QCOMPARE(add(SIGUSR1), "RuntimeError: Event loop is closed");
        QVERIFY(has_its_default(SIGUSR1));
        QVERIFY(!loop.remove_signal_handler(SIGUSR1));
    }

    // L-117
    void onlyTheMainThreadCanHandleSignals()
    {
        QString error;
        bool removed = true;
        in_another_thread([&] {
            QAsyncioLoop loop;
            error = error_in([&] { loop.add_signal_handler(SIGUSR1, [] { }); });
            removed = loop.remove_signal_handler(SIGUSR1);
            loop.close();
        });
        QCOMPARE(error, "RuntimeError: signals can be handled in the main thread only");
        QVERIFY(!removed);
        QVERIFY(has_its_default(SIGUSR1));
    }

    // L-118
    void theCallbackIsAnOrdinaryOne()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        loop.add_signal_handler(SIGUSR1, [&] {
            log << QStringLiteral("signal");
            loop.call_soon([&] { log << QStringLiteral("its callback"); });
        });
        ::raise(SIGUSR1);
        QCOMPARE(log, QStringList()); // not where the signal arrives
        loop.call_soon([&] { log << QStringLiteral("before"); });
        run_ready(loop);
        QCOMPARE(log, QStringList({"before", "signal", "its callback"}));
        loop.close();
    }

    // L-118
    void eachSignalIsCalledForOnce()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        loop.add_signal_handler(SIGUSR1, [&] { log << QStringLiteral("1"); });
        loop.add_signal_handler(SIGUSR2, [&] { log << QStringLiteral("2"); });
        ::raise(SIGUSR2);
        ::raise(SIGUSR1);
        ::raise(SIGUSR2);
        run_ready(loop);
        log.sort();
        QCOMPARE(log, QStringList({"1", "2", "2"}));
        run_ready(loop);
        QCOMPARE(log.size(), 3);
        loop.close();
    }

    // L-118
    void aSecondHandlerReplacesTheFirst()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        const auto owned = std::make_shared<int>();
        loop.add_signal_handler(SIGUSR1, [&, owned] { log << QStringLiteral("first"); });
        QCOMPARE(owned.use_count(), 2);
        loop.add_signal_handler(SIGUSR1, [&] { log << QStringLiteral("second"); });
        QCOMPARE(owned.use_count(), 1);
        ::raise(SIGUSR1);
        run_ready(loop);
        QCOMPARE(log, QStringList({"second"}));
        loop.close();
    }

    // L-118
    void removingItRestoresWhatWasBefore()
    {
        QAsyncioLoop loop(virtual_time());
        QVERIFY(!loop.remove_signal_handler(SIGUSR1));
        const auto owned = std::make_shared<int>();
        loop.add_signal_handler(SIGUSR1, [owned] { });
        QVERIFY(!has_its_default(SIGUSR1));
        QVERIFY(loop.remove_signal_handler(SIGUSR1));
        QVERIFY(has_its_default(SIGUSR1));
        QCOMPARE(owned.use_count(), 1);
        QVERIFY(!loop.remove_signal_handler(SIGUSR1));

        std::signal(SIGUSR1, on_signal_of_the_program);
        signals_of_the_program = 0;
        int seen = 0;
        loop.add_signal_handler(SIGUSR1, [&] { ++seen; });
        loop.add_signal_handler(SIGUSR1, [&] { seen += 10; });
        ::raise(SIGUSR1);
        run_ready(loop);
        QVERIFY(loop.remove_signal_handler(SIGUSR1));
        ::raise(SIGUSR1);
        run_ready(loop);
        QCOMPARE(seen, 10);
        QCOMPARE(signals_of_the_program, 1);
        loop.close();
    }

    void aHandlerThatTheProgramHasReplacedStays()
    {
        QAsyncioLoop loop(virtual_time());
        int seen = 0;
        loop.add_signal_handler(SIGUSR1, [&] { ++seen; });
        std::signal(SIGUSR1, on_signal_of_the_program);
        QVERIFY(loop.remove_signal_handler(SIGUSR1));
        QVERIFY(action_of(SIGUSR1).sa_handler == on_signal_of_the_program);
        // One that is added now takes its place for a while.
        loop.add_signal_handler(SIGUSR1, [&] { ++seen; });
        std::signal(SIGUSR1, SIG_IGN);
        loop.add_signal_handler(SIGUSR1, [&] { seen += 10; });
        ::raise(SIGUSR1);
        run_ready(loop);
        QCOMPARE(seen, 10);
        QVERIFY(loop.remove_signal_handler(SIGUSR1));
        QVERIFY(action_of(SIGUSR1).sa_handler == SIG_IGN);
        loop.close();
    }

    // L-118
    void whatIsRemovedBeforeTheTurnIsNotCalled()
    {
        QAsyncioLoop loop(virtual_time());
        int seen = 0;
        loop.add_signal_handler(SIGUSR1, [&] { ++seen; });
        ::raise(SIGUSR1);
        loop.remove_signal_handler(SIGUSR1);
        run_ready(loop);
        QCOMPARE(seen, 0);
        // Nor does a later handler get what has come before it.
        loop.add_signal_handler(SIGUSR1, [&] { ++seen; });
        run_ready(loop);
        QCOMPARE(seen, 0);
        ::raise(SIGUSR1);
        run_ready(loop);
        QCOMPARE(seen, 1);
        loop.close();
    }

    void aHandlerMayRemoveItself()
    {
        QAsyncioLoop loop(virtual_time());
        int seen = 0;
        const auto owned = std::make_shared<int>();
        loop.add_signal_handler(SIGUSR1, [&, owned] {
            ++seen;
            QVERIFY(loop.remove_signal_handler(SIGUSR1));
            QCOMPARE(owned.use_count(), 2); // not while it runs
        });
        ::raise(SIGUSR1);
        ::raise(SIGUSR1);
        run_ready(loop);
        QCOMPARE(seen, 1);
        QCOMPARE(owned.use_count(), 1);
        QVERIFY(has_its_default(SIGUSR1));
        loop.close();
    }

    void itRunsInItsContext()
    {
        static ContextVar<int> number("number", 0);
        QAsyncioLoop loop(virtual_time());
        std::vector<int> seen;
        const auto look = [&] { seen.push_back(number.get()); };
        Context one;
        one.run([&] {
            number.set(1);
            loop.add_signal_handler(SIGUSR1, look);
        });
        Context two;
        two.run([&] { number.set(2); });
        loop.add_signal_handler(SIGUSR2, look, two);
        ::raise(SIGUSR1);
        run_ready(loop);
        ::raise(SIGUSR2);
        run_ready(loop);
        QCOMPARE(seen, std::vector<int>({1, 2}));
        loop.close();
    }

    void whatItThrowsIsReported()
    {
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        int calls = 0;
        loop.add_signal_handler(SIGUSR1, [&] {
            ++calls;
            throw ValueError(QStringLiteral("no"));
        });
        for (int i = 0; i < 2; ++i) {
            ::raise(SIGUSR1);
            run_ready(loop);
        }
        QCOMPARE(calls, 2);
        QCOMPARE(reports.exceptions(), QStringList({"ValueError: no", "ValueError: no"}));
        QVERIFY(reports.messages()[0].contains(QStringLiteral("signal %1").arg(SIGUSR1)));
        loop.add_signal_handler(SIGUSR1, [] { throw LoopExit(3); });
        loop.call_soon([] { ::raise(SIGUSR1); });
        QCOMPARE(error_in([&] { loop.run_forever(); }), "LoopExit: 3");
        loop.close();
    }

    void theNextOneWaitsForANestedLoop()
    {
        QAsyncioLoop loop;
        QStringList log;
        loop.add_signal_handler(SIGUSR1, [&] {
            log << QStringLiteral("begins");
            if (log.size() == 1) {
                ::raise(SIGUSR1);
                ::raise(SIGUSR1);
                QEventLoop nested;
                loop.call_later(5ms, [&] { nested.quit(); });
                nested.exec();
            }
            log << QStringLiteral("ends");
            if (log.size() == 6)
                loop.stop();
        });
        loop.call_soon([] { ::raise(SIGUSR1); });
        loop.run_forever();
        QCOMPARE(log, QStringList({"begins", "ends", "begins", "ends", "begins", "ends"}));
        loop.close();
    }

    // H-59
    void itWakesAnIdleLoopFromAnyThread()
    {
        QAsyncioLoop loop;
        const auto main_thread = std::this_thread::get_id();
        bool in_main_thread = false;
        loop.add_signal_handler(SIGUSR1, [&] {
            in_main_thread = std::this_thread::get_id() == main_thread;
            loop.stop();
        });
        std::thread sender;
        // When the loop is about to wait.
        loop.call_later(1ms, [&] { sender = std::thread([] { ::raise(SIGUSR1); }); });
        loop.run_forever();
        sender.join();
        QVERIFY(in_main_thread);
        loop.close();
    }

    void manySignalsAreNotLost()
    {
        constexpr int many = 20000;
        QAsyncioLoop loop;
        int seen = 0;
        loop.add_signal_handler(SIGUSR1, [&] {
            if (++seen == many)
                loop.stop();
        });
        std::thread sender([] {
            for (int i = 0; i < many; ++i)
                ::raise(SIGUSR1); // in this thread: none is merged with another
        });
        loop.run_forever();
        sender.join();
        QCOMPARE(seen, many);
        loop.close();
    }

    void aSignalWithoutARunningLoopWaits()
    {
        QAsyncioLoop loop(virtual_time());
        QAsyncioLoop other(virtual_time());
        QStringList log;
        loop.add_signal_handler(SIGUSR1, [&] { log << QStringLiteral("loop"); });
        other.add_signal_handler(SIGUSR2, [&] { log << QStringLiteral("other"); });
        ::raise(SIGUSR1);
        ::raise(SIGUSR2);
        run_ready(loop); // takes both, but runs its own
        QCOMPARE(log, QStringList({"loop"}));
        run_ready(other);
        QCOMPARE(log, QStringList({"loop", "other"}));
        // The last one who asks has it.
        other.add_signal_handler(SIGUSR1, [&] { log << QStringLiteral("taken over"); });
        ::raise(SIGUSR1);
        run_ready(other);
        QCOMPARE(log.constLast(), "taken over");
        QVERIFY(!loop.remove_signal_handler(SIGUSR1));
        QVERIFY(other.remove_signal_handler(SIGUSR1));
        QVERIFY(has_its_default(SIGUSR1));
        loop.close();
        other.close();
        QVERIFY(has_its_default(SIGUSR2));
    }

    // L-118
    void theEndOfTheLoopRemovesItsHandlers()
    {
        const auto owned = std::make_shared<int>();
        {
            QAsyncioLoop loop(virtual_time());
            loop.add_signal_handler(SIGUSR1, [owned] { });
            loop.add_signal_handler(SIGUSR2, [owned] { });
            QVERIFY(!has_its_default(SIGUSR2));
            ::raise(SIGUSR1); // one is due
            loop.close();
            QVERIFY(has_its_default(SIGUSR1));
            QVERIFY(has_its_default(SIGUSR2));
            QCOMPARE(owned.use_count(), 1);
        }
        {
            QAsyncioLoop loop(virtual_time());
            loop.add_signal_handler(SIGUSR1, [owned] { });
            QTest::ignoreMessage(QtWarningMsg,
                                 QRegularExpression(QStringLiteral("unclosed event loop")));
        }
        QVERIFY(has_its_default(SIGUSR1));
        QCOMPARE(owned.use_count(), 1);
    }

    void nothingIsWatchedThatNobodyHandles()
    {
        QAsyncioLoop loop(virtual_time());
        loop.add_signal_handler(SIGUSR1, [] { });
        QVERIFY(!detail::rest_of(loop.core()).has_nothing_to_wait_for);
        loop.add_signal_handler(SIGUSR2, [] { });
        loop.remove_signal_handler(SIGUSR1);
        QVERIFY(!detail::rest_of(loop.core()).has_nothing_to_wait_for);
        loop.remove_signal_handler(SIGUSR2);
        QVERIFY(detail::rest_of(loop.core()).has_nothing_to_wait_for);
        loop.close();
    }

    // L-115
    void aHandlerForSigintGoesBeforeTheRunner()
    {
        QStringList log;
        const auto main = [&]() -> Coroutine<> {
            QAsyncioLoop &loop = get_running_loop();
            loop.add_signal_handler(SIGINT, [&] { log << QStringLiteral("handler"); });
            ::raise(SIGINT);
            co_await sleep(1ms);
            if (loop.remove_signal_handler(SIGINT))
                log << QStringLiteral("removed");
            ::raise(SIGINT); // now the runner's again
            co_await sleep(1h);
        };
        Runner runner;
        QCOMPARE(error_in([&] { runner.run(main()); }), "KeyboardInterrupt");
        QCOMPARE(log, QStringList({"handler", "removed"}));
        runner.close();
        QVERIFY(has_its_default(SIGINT));
        QVERIFY(has_its_default(SIGTERM));
    }

    void aRunnerPrintsItsTasksOnASignal()
    {
        SKIP_WITHOUT_PROCESSES();
        QProcess process;
        process.start(QCoreApplication::applicationFilePath(),
                      {QStringLiteral("--scenario"), QStringLiteral("print_tasks")});
        QVERIFY(process.waitForReadyRead(30000));
        ::kill(pid_t(process.processId()), SIGUSR1);
        QByteArray printed;
        while (!printed.contains("in wait_with_clean_up")) {
            process.setReadChannel(QProcess::StandardError);
            QVERIFY2(process.waitForReadyRead(30000), printed);
            printed += process.readAllStandardError();
        }
        QVERIFY2(printed.contains("Task 'Task-1' waits for timer in"), printed);
        ::kill(pid_t(process.processId()), SIGTERM);
        QVERIFY(process.waitForFinished(30000));
        QCOMPARE(process.exitCode(), 128 + SIGTERM);
        const auto main = []() -> Coroutine<> { co_return; };
        QCOMPARE(error_in([&] { QAsyncio::run(main(), RunnerOptions().print_tasks_on(1000)); }),
                 "ValueError: invalid signal number 1000");
        QAsyncio::run(main(), RunnerOptions().print_tasks_on(SIGUSR1));
        QVERIFY(has_its_default(SIGUSR1));
    }

    void sigtermIsAQuitWithItsCleanUp()
    {
        SKIP_WITHOUT_PROCESSES();
        const ScenarioResult cleaned = terminate("clean_up");
        QVERIFY(!cleaned.crashed);
        QCOMPARE(cleaned.exit_code, 128 + SIGTERM);
        QCOMPARE(cleaned.output, "ready\ncleanup\n");
        const ScenarioResult told = terminate("quit_requested");
        QVERIFY(!told.crashed);
        QCOMPARE(told.exit_code, 128 + SIGTERM);
        QCOMPARE(told.output, "ready\ntold\n");
    }

    void aHandlerForSigtermGoesBeforeRun()
    {
        SKIP_WITHOUT_PROCESSES();
        const ScenarioResult result = terminate("handler");
        QVERIFY(!result.crashed);
        QCOMPARE(result.exit_code, program_exit);
    }

    void aSecondSigtermEndsTheCleanUp()
    {
        SKIP_WITHOUT_PROCESSES();
        const auto terminate_twice = [](QProcess &process) {
            QVERIFY(process.waitForReadyRead(30000));
            QCOMPARE(process.readLine(), "ready\n");
            ::kill(pid_t(process.processId()), SIGTERM);
            while (!process.canReadLine())
                QVERIFY(process.waitForReadyRead(30000));
            QCOMPARE(process.readLine(), "cancelled\n");
            ::kill(pid_t(process.processId()), SIGTERM);
        };
        const ScenarioResult result = run_scenario(QStringLiteral("never_end"), terminate_twice);
        QVERIFY(!result.crashed);
        QCOMPARE(result.exit_code, 128 + SIGTERM);
    }

    void withoutADescriptorForSignalsItRuns()
    {
        SKIP_WITHOUT_PROCESSES();
        const ScenarioResult result = run_scenario(QStringLiteral("no_descriptor"));
        QVERIFY(!result.crashed);
        QCOMPARE(result.exit_code, program_exit);
    }
};

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    if (argc > 2 && qstrcmp(argv[1], "--scenario") == 0)
        return run_the_scenario(argv[2], app);
    tst_signals test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_signals.moc"
