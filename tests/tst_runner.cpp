// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <QtCore/qelapsedtimer.h>
#include <QtCore/qlogging.h>
#include <QtCore/qregularexpression.h>
#include <QtCore/qscopeguard.h>
#include <QtCore/qstringlist.h>
#include <QtCore/qthreadpool.h>
#include <QtCore/qtimer.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <future>
#include <limits>

namespace {
Coroutine<int> answer()
{
    co_await sleep(1ms);
    co_return 42;
}
Coroutine<> nap(std::chrono::seconds time)
{
    co_await sleep(time);
}
RunnerOptions with_virtual_time()
{
    return RunnerOptions().loop_factory(
        [] { return std::make_unique<QAsyncioLoop>(virtual_time()); });
}
} // namespace

namespace {
/// Is done, which stops the run; but a callback that comes first leaves it.
Coroutine<> ends_too_late()
{
    get_running_loop().call_soon([] { throw LoopExit(3); });
    co_return;
}
} // namespace

namespace {
/// What the clean-up says that it waits for; what is told besides goes on to Qt Test.
class Waits
{
public:
    explicit Waits(std::function<void()> at_each = {})
    {
        s_told.clear();
        s_at_each = std::move(at_each);
        s_outer = qInstallMessageHandler(
            [](QtMsgType type, const QMessageLogContext &context, const QString &text) {
                const QLatin1String begin("Runner: the clean-up waits for ");
                if (!text.startsWith(begin))
                    return s_outer(type, context, text);
                s_told << text.mid(begin.size());
                if (s_at_each)
                    s_at_each();
            });
    }
    ~Waits() { qInstallMessageHandler(s_outer); }
    Q_DISABLE_COPY_MOVE(Waits)
    const QStringList &told() const { return s_told; }

private:
    static inline QStringList s_told;
    static inline std::function<void()> s_at_each;
    static inline QtMessageHandler s_outer = nullptr;
};

/// Cleans up until so much was told.
Coroutine<> ends_when_told(const Waits &waits, qsizetype count)
{
    co_await is_cancelled_asleep();
    while (waits.told().size() < count)
        co_await sleep(1ms);
    co_await sleep(1200ms); // and nothing more
}

AsyncGenerator<int> closes_when_told(const Waits &waits, qsizetype count)
{
    bool closed = false;
    try {
        co_yield 1;
    } catch (const GeneratorExit &) {
        closed = true;
    }
    while (waits.told().size() < count)
        co_await sleep(1ms);
    if (closed)
        throw GeneratorExit();
}

int lowest_free_descriptor()
{
    const int fd = ::dup(2);
    ::close(fd);
    return fd;
}

bool sigint_has_its_default()
{
    struct sigaction now;
    return ::sigaction(SIGINT, nullptr, &now) == 0 && now.sa_handler == SIG_DFL;
}
} // namespace

namespace {
Coroutine<> idle()
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
}
} // namespace

/// run(), Runner, Ctrl+C.
class tst_runner : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { std::signal(SIGINT, SIG_DFL); } // Qt Test has a handler of its own
    // L-109
    void refusesToWorkInsideARunningLoop()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList errors;
        loop.call_soon([&] {
            errors << error_in(
                [] { return QAsyncio::run([]() -> Coroutine<int> { co_return 1; }()); });
            Runner runner;
            errors << error_in([&] { return runner.run(loop.create_future<int>()); });
            errors << error_in([] {
                return QAsyncio::run(*QCoreApplication::instance(),
                                     []() -> Coroutine<int> { co_return 1; }());
            });
            loop.stop();
        });
        for (int i = 0; i < 2; ++i)
            QTest::ignoreMessage(QtWarningMsg,
                                 QRegularExpression(QStringLiteral("was never awaited")));
        loop.run_forever();
        QCOMPARE(
            errors,
            QStringList({"RuntimeError: run() cannot be called from a running event loop",
                         "RuntimeError: Runner.run() cannot be called from a running event loop",
                         "RuntimeError: run() cannot be called from a running event loop"}));
        loop.close();
    }

    // L-110
    void takesAnyAwaitable()
    {
        QCOMPARE(QAsyncio::run(answer(), with_virtual_time()), 42);
        QAsyncio::run(sleep(1h), with_virtual_time());
        Runner runner(with_virtual_time());
        auto future = runner.get_loop().create_future<QString>();
        runner.get_loop().call_soon([&] { future.set_result(QStringLiteral("text")); });
        QCOMPARE(runner.run(future), "text");
    }

    // L-111
    void makesItsLoopOnFirstUseAndRefusesAllWhenClosed()
    {
        int made = 0;
        Runner runner(RunnerOptions().loop_factory([&] {
            ++made;
            return std::make_unique<QAsyncioLoop>(virtual_time());
        }));
        QCOMPARE(made, 0);
        QAsyncioLoop &loop = runner.get_loop();
        QCOMPARE(runner.run(answer()), 42);
        QCOMPARE(&runner.get_loop(), &loop);
        QCOMPARE(made, 1);
        runner.close();
        QVERIFY(loop.is_closed());
        runner.close();
        QCOMPARE(error_in([&] { runner.get_loop(); }), "RuntimeError: Runner is closed");
        auto coroutine = answer();
        QCOMPARE(error_in([&] { return runner.run(std::move(coroutine)); }),
                 "RuntimeError: Runner is closed");
        Runner another(with_virtual_time());
        QCOMPARE(another.run(std::move(coroutine)), 42); // it was not consumed
    }

    // L-112
    void theRunsShareALoopAndAContext()
    {
        static ContextVar<int> var(QStringLiteral("var"), 0);
        Runner runner(with_virtual_time());
        runner.run([]() -> Coroutine<> {
            var.set(5);
            co_return;
        }());
        const auto get = []() -> Coroutine<int> { co_return var.get(); };
        QCOMPARE(runner.run(get()), 5);
        QCOMPARE(runner.run(get(), Context()), 0);
        QCOMPARE(var.get(), 0);
    }

    // L-113
    void closeCancelsWaitsAndCloses()
    {
        QStringList log;
        const auto background = [](QStringList &log) -> Coroutine<> {
            auto body = [&]() -> Coroutine<> { co_await sleep(1h); };
            auto cleanup = [&]() -> Coroutine<> {
                co_await sleep(1s);
                log << "task cleanup";
            };
            co_await finally(body, cleanup);
        };
        const auto main = [&](QStringList &log) -> Coroutine<int> {
            auto task = create_task(background(log));
            co_await sleep(0s);
            log << "body";
            co_return 1;
        };
        QAsyncioLoop *loop = nullptr;
        {
            Runner runner(with_virtual_time());
            QCOMPARE(runner.run(main(log)), 1);
            loop = &runner.get_loop();
            QCOMPARE(log, QStringList({"body"}));
            runner.close();
            QVERIFY(loop->is_closed());
        }
        QCOMPARE(log, QStringList({"body", "task cleanup"}));
    }

    // L-114
    void aTaskThatFailsDuringTheShutdownIsReported()
    {
        QList<ExceptionContext> reports;
        const auto failing = []() -> Coroutine<> {
            try {
                co_await sleep(1h);
            } catch (const CancelledError &) {
            }
            throw ValueError(QStringLiteral("late"));
        };
        Runner runner(with_virtual_time());
        runner.get_loop().set_exception_handler(
            [&](QAsyncioLoop &, const ExceptionContext &context) { reports << context; });
        const auto main = [&]() -> Coroutine<int> {
            create_task(failing());
            create_task(nap(10s)); // ends cancelled: silent
            co_await sleep(0s);
            co_return 8;
        };
        QCOMPARE(runner.run(main()), 8);
        runner.close();
        QCOMPARE(int(reports.size()), 1);
        QCOMPARE(reports[0].message, "unhandled exception during asyncio.run() shutdown");
        QCOMPARE(describe(reports[0].exception), "ValueError: late");
        QVERIFY(reports[0].task.done());
    }

    // L-019, L-113
    void aStopDuringTheShutdownIsAnError()
    {
        const auto stops = [](QAsyncioLoop &loop) -> Coroutine<> {
            try {
                co_await sleep(1h);
            } catch (const CancelledError &) {
                loop.stop();
                throw;
            }
        };
        Runner runner(with_virtual_time());
        QAsyncioLoop &loop = runner.get_loop();
        const auto main = [&]() -> Coroutine<> {
            create_task(stops(loop));
            co_await sleep(1s);
        };
        runner.run(main());
        QCOMPARE(error_in([&] { runner.close(); }),
                 "RuntimeError: Event loop stopped before Future completed.");
        QVERIFY(loop.is_closed());
    }

    // L-113
    void closesTheLoopAlsoWhenTheMainCoroutineFails()
    {
        QAsyncioLoop *loop = nullptr;
        bool closed = false;
        {
            auto made = std::make_unique<QAsyncioLoop>(virtual_time());
            loop = made.get();
            Runner runner(RunnerOptions().loop_factory([&] { return std::move(made); }));
            QCOMPARE(error_in([&] {
                         runner.run([]() -> Coroutine<> {
                             co_await sleep(1s);
                             throw ValueError(QStringLiteral("main"));
                         }());
                     }),
                     "ValueError: main");
            runner.close();
            closed = loop->is_closed();
        }
        QVERIFY(closed);
    }

    // L-116
    void withALoopFactoryNoLoopIsSet()
    {
        QAsyncioLoop outer(virtual_time());
        set_event_loop(&outer);
        {
            Runner runner(with_virtual_time());
            runner.get_loop();
            QCOMPARE(&get_event_loop(), &outer);
        }
        QCOMPARE(&get_event_loop(), &outer);
        {
            Runner runner;
            QAsyncioLoop &loop = runner.get_loop();
            QCOMPARE(&get_event_loop(), &loop);
        }
        QVERIFY(!error_in([] { get_event_loop(); }).isEmpty()); // cleared, as asyncio does
        outer.close();
    }

    void aFactoryThatGivesNoLoopIsRefused()
    {
        Runner runner(RunnerOptions().loop_factory([] { return std::unique_ptr<QAsyncioLoop>(); }));
        QCOMPARE(error_in([&] { runner.get_loop(); }),
                 "RuntimeError: Runner: the loop factory gave no loop");
    }

    void oneThatWasNeverUsedIsClosed()
    {
        Runner runner(RunnerOptions().loop_factory(
            []() -> std::unique_ptr<QAsyncioLoop> { throw ValueError(); }));
        runner.close(); // makes no loop for that
        QCOMPARE(error_in([&] { runner.get_loop(); }), "RuntimeError: Runner is closed");
        QTest::failOnWarning(QRegularExpression(QStringLiteral(".")));
        QAsyncioLoop loop(virtual_time());
        loop.call_soon([&] {
            Runner unused; // nor does a running loop keep it from being closed
            unused.close();
            loop.stop();
        });
        loop.run_forever();
        loop.close();
    }

    // L-019
    void aStopEndsTheRun()
    {
        Runner runner(with_virtual_time());
        const auto main = []() -> Coroutine<> {
            get_running_loop().stop();
            co_await sleep(1h);
        };
        QCOMPARE(error_in([&] { runner.run(main()); }),
                 "RuntimeError: Event loop stopped before Future completed.");
    }

    void aStopThatWasLateEndsTheNextRunOfALoopAsInAsyncio()
    {
        QAsyncioLoop loop(virtual_time());
        QCOMPARE(error_in([&] { loop.run_until_complete(ends_too_late()); }), "LoopExit: 3");
        Task<int> task = loop.create_task(answer());
        QCOMPARE(error_in([&] { loop.run_until_complete(task); }),
                 "RuntimeError: Event loop stopped before Future completed.");
        QCOMPARE(loop.run_until_complete(task), 42);
        loop.close();
    }

    void aStopThatWasLateEndsNoOtherRunOfARunner()
    {
        Runner runner(with_virtual_time());
        QCOMPARE(error_in([&] { runner.run(ends_too_late()); }), "LoopExit: 3");
        QCOMPARE(runner.run(answer()), 42);
        bool cleaned_up = false;
        const auto cleans_up = [](bool &cleaned_up) -> Coroutine<> {
            const bool cancelled = co_await is_cancelled_asleep();
            co_await sleep(1h);
            cleaned_up = cancelled;
        };
        runner.get_loop().create_task(cleans_up(cleaned_up));
        QCOMPARE(error_in([&] { runner.run(ends_too_late()); }), "LoopExit: 3");
        runner.close();
        QVERIFY(cleaned_up);
    }

    void theCleanUpNamesTheThreadItWaitsFor()
    {
        static std::promise<void> gate;
        static QtMessageHandler outer = nullptr;
        static QString told;
        outer = qInstallMessageHandler(
            [](QtMsgType type, const QMessageLogContext &context, const QString &text) {
                if (!text.contains(QLatin1String("the clean-up waits for")))
                    return outer(type, context, text);
                told = text;
                gate.set_value();
            });
        {
            Runner runner;
            const auto main = []() -> Coroutine<> {
                const auto job = get_running_loop().run_in_executor(
                    nullptr, [] { gate.get_future().wait(); });
                co_await sleep(0s);
            };
            runner.run(main());
            runner.close();
        }
        qInstallMessageHandler(outer);
        QVERIFY2(told.startsWith(
                     QLatin1String("Runner: the clean-up waits for a function in thread asyncio_")),
                 qPrintable(told));
    }

    void aCleanUpLimitOfAnyDuration()
    {
        for (const RunnerOptions &options :
             {RunnerOptions().cleanup_limit(std::chrono::hours::max()),
              RunnerOptions().cleanup_limit(1e9s)}) {
            bool cleaned = false;
            Runner runner(options);
            const auto main = [&]() -> Coroutine<> {
                const auto cleans = [](bool &cleaned) -> Coroutine<> {
                    const bool cancelled = co_await is_cancelled_asleep();
                    co_await sleep(1ms);
                    cleaned = cancelled;
                };
                create_task(cleans(cleaned));
                co_await sleep(0s);
            };
            runner.run(main());
            runner.close();
            QVERIFY(cleaned);
        }
    }

    // L-111
    void debugIsHandedOn()
    {
        Runner runner(with_virtual_time().debug(true));
        QVERIFY(runner.get_loop().get_debug());
    }

    // L-115
    void theFirstSigintCancelsMain()
    {
        QStringList log;
        const auto main = [](QStringList &log) -> Coroutine<int> {
            get_running_loop().call_soon([] { ::raise(SIGINT); });
            auto body = []() -> Coroutine<> { co_await sleep(1h); };
            auto cleanup = [&]() -> Coroutine<> {
                co_await sleep(1ms);
                log << "cleanup";
            };
            co_await finally(body, cleanup);
            co_return 1;
        };
        Runner runner;
        QCOMPARE(error_in([&] { return runner.run(main(log)); }), "KeyboardInterrupt");
        QCOMPARE(log, QStringList({"cleanup"}));
        struct sigaction now;
        // the old handler is back
        QVERIFY(::sigaction(SIGINT, nullptr, &now) == 0 && now.sa_handler == SIG_DFL);
    }

    // L-115
    void aSwallowedSigintGivesTheResult()
    {
        const auto main = []() -> Coroutine<int> {
            get_running_loop().call_soon([] { ::raise(SIGINT); });
            try {
                co_await sleep(1h);
            } catch (const CancelledError &) {
            }
            co_return 5;
        };
        Runner runner;
        QCOMPARE(runner.run(main()), 5);
    }

    // L-115
    void theSecondSigintInterruptsAtOnce()
    {
        bool cleaned = false;
        const auto main = [](bool &cleaned) -> Coroutine<int> {
            get_running_loop().call_soon([] { ::raise(SIGINT); });
            try {
                co_await sleep(1h);
            } catch (const CancelledError &) {
            }
            get_running_loop().call_soon([] { ::raise(SIGINT); });
            co_await sleep(1h);
            cleaned = true;
            co_return 5;
        };
        Runner runner;
        QCOMPARE(error_in([&] { return runner.run(main(cleaned)); }), "KeyboardInterrupt");
        QVERIFY(!cleaned);
    }

    // L-115
    void twoSigintsAtOnceAreTwo()
    {
        QStringList log;
        const auto main = [&]() -> Coroutine<int> {
            get_running_loop().call_soon([] {
                ::raise(SIGINT);
                ::raise(SIGINT); // before the loop has seen the first
            });
            try {
                co_await sleep(1h);
            } catch (const CancelledError &) {
                log << "cancelled";
            }
            co_return 5;
        };
        Runner runner;
        QCOMPARE(error_in([&] { return runner.run(main()); }), "KeyboardInterrupt");
        QCOMPARE(log, QStringList());
        runner.close();
        QCOMPARE(log, QStringList({"cancelled"}));
    }

    // H-58, H-57
    void sigintOnAnIdleLoopInAProcessOfItsOwn()
    {
        SKIP_WITHOUT_PROCESSES();
        // Within half a second, which a busy machine need not manage each time.
        qint64 taken = std::numeric_limits<qint64>::max();
        for (int attempt = 0; attempt < 5 && taken >= 500; ++attempt) {
            QElapsedTimer since;
            const ScenarioResult result = run_scenario(
                QStringLiteral("idle_sigint"), [&](QProcess &process) {
                    QVERIFY(process.waitForReadyRead(30000));
                    since.start();
                    ::kill(pid_t(process.processId()), SIGINT);
                });
            taken = std::min(taken, since.elapsed());
            QVERIFY(!result.crashed);
            QCOMPARE(result.exit_code, 130);
            QVERIFY2(result.output.contains("cleanup"), result.output);
        }
        QVERIFY2(taken < 500, qPrintable(QString::number(taken)));
    }

    // L-115
    void anOwnHandlerForSigintIsLeftAlone()
    {
        static int signals_seen = 0;
        signals_seen = 0;
        auto *before = std::signal(SIGINT, [](int) { ++signals_seen; });
        const auto main = []() -> Coroutine<int> {
            ::raise(SIGINT);
            co_await sleep(1ms);
            co_return 2;
        };
        QCOMPARE(QAsyncio::run(main()), 2);
        QCOMPARE(signals_seen, 1);
        std::signal(SIGINT, before);
    }

    // H-57
    void keyboardInterruptAndLoopExitComeOutOfRun()
    {
        const auto leave = []() -> Coroutine<> {
            co_await sleep(1ms);
            throw LoopExit(6);
        };
        const auto interrupt = []() -> Coroutine<> {
            co_await sleep(1ms);
            throw KeyboardInterrupt();
        };
        QCOMPARE(error_in([&] { QAsyncio::run(leave()); }), "LoopExit: 6");
        QCOMPARE(error_in([&] { QAsyncio::run(interrupt()); }), "KeyboardInterrupt");
        QCOMPARE(QAsyncio::run(*qApp, leave()), 6);
        QCOMPARE(QAsyncio::run(*qApp, interrupt()), 130);
        QCOMPARE(QAsyncio::run(*qApp, answer()), 42);
        QTest::ignoreMessage(
            QtCriticalMsg,
            QRegularExpression(QStringLiteral("unhandled exception: ValueError: uncaught")));
        QCOMPARE(QAsyncio::run(*qApp,
                               []() -> Coroutine<> {
                                   co_await sleep(0s);
                                   throw ValueError(QStringLiteral("uncaught"));
                               }()),
                 1);
    }

    // L-111, L-093
    void debugGoesBeforeTheEnvironment()
    {
        const QByteArray before = qgetenv("QASYNCIO_DEBUG");
        const QScopeGuard restore([&] { qputenv("QASYNCIO_DEBUG", before); });
        const auto in_debug = []() -> Coroutine<bool> { co_return get_running_loop().get_debug(); };
        for (const char *environment : {"0", "1"}) {
            qputenv("QASYNCIO_DEBUG", environment);
            QCOMPARE(QAsyncio::run(in_debug()), *environment == '1');
            QCOMPARE(QAsyncio::run(in_debug(), RunnerOptions().debug(false)), false);
            QCOMPARE(QAsyncio::run(in_debug(), RunnerOptions().debug(true)), true);
        }
        Runner runner(with_virtual_time().debug(false));
        QVERIFY(!runner.get_loop().get_debug());
    }

    // L-115
    void sigintReachesAMainThatNeverWaits()
    {
        bool told = false;
        const auto main = [&]() -> Coroutine<> {
            get_running_loop().call_later(1ms, [] { ::raise(SIGINT); });
            try {
                for (;;)
                    co_await sleep(0s);
            } catch (const CancelledError &) {
                told = true;
                throw;
            }
        };
        Runner runner;
        QCOMPARE(error_in([&] { runner.run(main()); }), "KeyboardInterrupt");
        QVERIFY(told);
    }

    // L-115
    void sigintCancelsWhatMainAwaits()
    {
        Runner runner;
        auto future = runner.get_loop().create_future<void>();
        runner.get_loop().call_soon([] { ::raise(SIGINT); });
        const auto main = [&]() -> Coroutine<> { co_await future; };
        QCOMPARE(error_in([&] { runner.run(main()); }), "KeyboardInterrupt");
        QVERIFY(future.cancelled());
    }

    // L-115
    void sigintAtACancelledMainIsACancellation()
    {
        const auto main = []() -> Coroutine<> {
            AnyTask self = current_task();
            get_running_loop().call_soon([self]() mutable {
                self.cancel();
                ::raise(SIGINT);
            });
            while (self.cancelling() < 2) { // until the signal has come, too
                try {
                    co_await sleep(1h);
                } catch (const CancelledError &) {
                }
            }
            throw CancelledError();
        };
        Runner runner;
        QCOMPARE(error_in([&] { runner.run(main()); }), "CancelledError");
    }

    // L-112, L-116
    void theLoopIsSetOnce()
    {
        class Counting : public EventLoopPolicy
        {
        public:
            void set_event_loop(QAsyncioLoop *loop) override
            {
                ++calls;
                EventLoopPolicy::set_event_loop(loop);
            }
            int calls = 0;
        };
        const auto policy = std::make_shared<Counting>();
        set_event_loop_policy(policy);
        const QScopeGuard restore([] { set_event_loop_policy(nullptr); });
        Runner runner;
        QCOMPARE(runner.run(answer()), 42);
        QCOMPARE(runner.run(answer()), 42);
        QCOMPARE(policy->calls, 1);
    }

    void theCleanUpNamesWhatItWaitsForOnce()
    {
        std::promise<void> gate;
        QElapsedTimer since;
        bool early = false;
        bool late = false;
        int count = 0;
        QTimer too_late;
        too_late.setSingleShot(true);
        QObject::connect(&too_late, &QTimer::timeout, [&] { late = count == 0; });
        const Waits waits([&] {
            if (++count == 1)
                early = since.elapsed() < 900;
            if (count == 3)
                gate.set_value();
        });
        Runner runner;
        AsyncGenerator<int> numbers = closes_when_told(waits, 2);
        const auto main = [&]() -> Coroutine<> {
            co_await numbers.next();
            create_task(ends_when_told(waits, 1), TaskOptions().name(QStringLiteral("slow")));
            create_task(nap(10s), TaskOptions().name(QStringLiteral("quick")));
            co_await to_thread([] { }); // has ended when the threads are asked for
            const auto job = get_running_loop().run_in_executor(nullptr,
                                                                [&] { gate.get_future().wait(); });
            co_await sleep(0s);
        };
        runner.run(main());
        since.start();
        too_late.start(1900);
        runner.close();
        QCOMPARE(waits.told().size(), 3);
        QVERIFY2(waits.told()[0].startsWith("<Task ") && waits.told()[0].contains("name='slow'"),
                 qPrintable(waits.told()[0]));
        QVERIFY2(!waits.told()[0].contains("quick"), qPrintable(waits.told()[0]));
        QCOMPARE(waits.told()[1], "asynchronous generators that are being closed");
        QVERIFY(QRegularExpression("^a function in thread asyncio_\\d+$")
                    .match(waits.told()[2])
                    .hasMatch());
        QVERIFY(!early);
        QVERIFY(!late);
    }

    void theCleanUpNamesAnExecutorOfTheProgram()
    {
        std::promise<void> gate;
        const Waits waits([&] { gate.set_value(); });
        Runner runner;
        const auto pool = std::make_shared<QThreadPool>();
        runner.get_loop().set_default_executor(pool);
        pool->start([&] { gate.get_future().wait(); }); // by way of another loop, or of none
        runner.close();
        QCOMPARE(waits.told(), QStringList({"the default executor"}));
    }

    void whatTheCleanUpGivesUpIsNamed()
    {
        Runner runner(RunnerOptions().cleanup_limit(20ms));
        runner.get_loop().set_exception_handler([](QAsyncioLoop &, const ExceptionContext &) { });
        const auto stubborn = []() -> Coroutine<> {
            for (;;)
                co_await is_cancelled_asleep();
        };
        const auto main = [&]() -> Coroutine<> {
            create_task(stubborn(), TaskOptions().name(QStringLiteral("stubborn")));
            create_task(nap(10s), TaskOptions().name(QStringLiteral("quick")));
            co_await sleep(0s);
        };
        runner.run(main());
        QTest::ignoreMessage(
            QtWarningMsg,
            QRegularExpression(QStringLiteral(
                "^Runner: the clean-up goes on without <Task (?!.*quick).*name='stubborn'")));
        runner.close();
        QVERIFY(runner.to_string().contains("closed"));
    }

    void theDestructorReportsWhatCloseThrows()
    {
        const auto stops = []() -> Coroutine<> {
            const bool cancelled = co_await is_cancelled_asleep();
            if (cancelled)
                get_running_loop().stop();
        };
        const auto main = [&]() -> Coroutine<> {
            create_task(stops());
            co_await sleep(1s);
        };
        QTest::ignoreMessage(QtCriticalMsg,
                             "Runner: RuntimeError: Event loop stopped before Future completed.");
        Runner runner(with_virtual_time());
        runner.run(main());
    }

    void oneThatIsDestroyedInsideOfALoopLeavesNoneSet()
    {
        QAsyncioLoop outer(virtual_time());
        for (const bool has_factory : {true, false}) {
            set_event_loop(&outer);
            outer.call_soon([&] {
                QTest::ignoreMessage(QtCriticalMsg,
                                     "Runner: RuntimeError: Runner.close() cannot be called from a "
                                     "running event loop");
                {
                    Runner runner(has_factory ? with_virtual_time() : RunnerOptions());
                    runner.get_loop();
                }
                outer.stop();
            });
            QTest::ignoreMessage(QtWarningMsg,
                                 QRegularExpression(QStringLiteral("unclosed event loop")));
            outer.run_forever();
            QCOMPARE(error_in([] { get_event_loop(); }).isEmpty(), has_factory);
        }
        outer.close();
    }

    void oneWhoseLoopWasClosedIsClosed()
    {
        Runner runner(with_virtual_time());
        runner.get_loop().close();
        QCOMPARE(error_in([&] { runner.close(); }), QString());
        QCOMPARE(runner.to_string(), "<Runner closed>");
    }

    void sigintInTheCleanUpOfAStoppedRunInterrupts()
    {
        QStringList log;
        const auto main = [](QStringList &log) -> Coroutine<> {
            get_running_loop().stop();
            const bool cancelled = co_await is_cancelled_asleep();
            if (cancelled)
                get_running_loop().call_soon([] { ::raise(SIGINT); });
            const bool again = co_await is_cancelled_asleep();
            log << (again ? "unwound" : "?");
        };
        Runner runner;
        QCOMPARE(error_in([&] { runner.run(main(log)); }),
                 "RuntimeError: Event loop stopped before Future completed.");
        QVERIFY(sigint_has_its_default());
        QCOMPARE(error_in([&] { runner.close(); }), "KeyboardInterrupt");
        QVERIFY(sigint_has_its_default());
    }

    void theDescriptorForSigintMayHaveAnyNumber()
    {
        const auto main = []() -> Coroutine<bool> {
            struct sigaction now;
            const bool restarts = ::sigaction(SIGINT, nullptr, &now) == 0
                && (now.sa_flags & SA_RESTART);
            get_running_loop().call_soon([] { ::raise(SIGINT); });
            const bool cancelled = co_await is_cancelled_asleep();
            co_return cancelled &&restarts;
        };
        Runner runner;
        QVERIFY(runner.run(main())); // opens what the process keeps for all signals
        const int before = lowest_free_descriptor();
        QVERIFY(runner.run(main()));
        QCOMPARE(lowest_free_descriptor(), before);
        QVERIFY(detail::rest_of(runner.get_loop().core()).has_nothing_to_wait_for);
    }
};

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    if (argc > 2 && qstrcmp(argv[1], "--scenario") == 0)
        return QAsyncio::run(app, idle());
    tst_runner test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_runner.moc"
