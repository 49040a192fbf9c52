// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qelapsedtimer.h>
#include <QtCore/qlogging.h>
#include <QtCore/qregularexpression.h>

#include <atomic>
#include <functional>
#include <future>
#include <thread>

namespace {

Test::TestOptions real()
{
    return Test::TestOptions().real_time();
}

Coroutine<std::thread::id> where()
{
    co_await sleep(1ms);
    co_return std::this_thread::get_id();
}

} // namespace

class tst_on_loop : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // H-52
    void aLoopThreadLivesInAThreadOfItsName()
    {
        LoopThread other(u"worker"_s);
        const auto name = []() -> Coroutine<QString> {
            co_return QThread::currentThread()->objectName();
        };
        QCOMPARE(run_coroutine_threadsafe(name(), other.loop()).result(), u"worker"_s);
    }

    // The result moves all the way.
    void theResultIsNotCopied()
    {
        struct Counting
        {
            Counting() = default;
            Counting(const Counting &other) : copies(other.copies + 1) { }
            Counting(Counting &&) = default;
            int copies = 0;
        };
        LoopThread other;
        Test::run([&]() -> Coroutine<> {
            const auto make = []() -> Coroutine<Counting> { co_return Counting(); };
            const Counting result = co_await on_loop(other.loop(), make);
            QASYNCIO_COMPARE(result.copies, 0);
        });
    }

    // L-027
    void aLoopThatIsLeftEarlyIsClosed()
    {
        LoopThread other;
        QTest::ignoreMessage(QtCriticalMsg, "LoopThread: LoopExit: 3");
        std::promise<void> told;
        other.loop().call_soon_threadsafe([&] {
            told.set_value();
            throw LoopExit(3);
        });
        told.get_future().wait();
        while (!other.loop().is_closed())
            QThread::yieldCurrentThread();
        QCOMPARE(error_in([&] { other.loop().call_soon_threadsafe([] { }); }),
                 u"RuntimeError: Event loop is closed"_s);
    }

    // L-056
    void aLoopThreadThatEndsUnwindsAndReportsItsTasks()
    {
        QStringList log;
        const auto waits = [](QStringList &log, std::promise<void> &begun) -> Coroutine<> {
            const Farewell farewell(log, u"unwound"_s);
            begun.set_value();
            co_await sleep(1h);
        };
        QTest::ignoreMessage(QtCriticalMsg,
                             QRegularExpression(u"Task was destroyed but it is pending"_s));
        {
            LoopThread other;
            std::promise<void> begun;
            run_coroutine_threadsafe(waits(log, begun), other.loop());
            begun.get_future().wait();
        }
        QCOMPARE(log, QStringList({u"unwound"_s}));
    }

    void whatMakingTheLoopThrowsComesHome()
    {
        class Broken : public Selector
        {
        public:
            void open(QObject *, std::function<void()>) override
            {
                throw OSError(EMFILE, u"no selector"_s);
            }
            void set_interest(int, unsigned) override { }
            void poll(std::vector<Ready> &) override { }
            void set_enabled(bool) override { }
        };
        const QString error = error_in(
            [] { LoopThread({}, LoopOptions().selector(std::make_unique<Broken>())); });
        QVERIFY2(error.startsWith(u"OSError: no selector"_s), qPrintable(error));
    }

    void aThreadThatIsHeldUpIsNamed()
    {
        static std::promise<void> gate;
        static QStringList told;
        static QtMessageHandler outer = nullptr;
        outer = qInstallMessageHandler(
            [](QtMsgType type, const QMessageLogContext &context, const QString &text) {
                if (!text.startsWith(u"LoopThread: waiting"_s))
                    return outer(type, context, text);
                told << text;
                gate.set_value();
            });
        QElapsedTimer timer;
        {
            const LoopThread quick;
            LoopThread other(u"worker"_s);
            std::promise<void> begun;
            other.loop().call_soon_threadsafe([&] {
                begun.set_value();
                gate.get_future().wait();
            });
            begun.get_future().wait();
            timer.start();
        }
        qInstallMessageHandler(outer);
        QCOMPARE(told.join(u'|'),
                 u"LoopThread: waiting for a callback or task in thread worker to return"_s);
        QVERIFY(timer.elapsed() >= 1000);
    }

    void takesACoroutineToo()
    {
        LoopThread other;
        Test::run(
            [&](QAsyncioLoop &here) -> Coroutine<> {
                QASYNCIO_VERIFY(co_await on_loop(other.loop(), where())
                                != std::this_thread::get_id());
                QASYNCIO_VERIFY(co_await on_loop(here, where()) == std::this_thread::get_id());
                Coroutine<std::thread::id> awaited = where();
                co_await std::move(awaited);
                QASYNCIO_COMPARE(
                    error_in([&] { return on_loop(other.loop(), std::move(awaited)); }),
                    u"RuntimeError: cannot reuse already awaited coroutine"_s);
            },
            Test::TestOptions().real_time());
    }

    void aCoroutineThatCannotBeginThereIsClosed()
    {
        QTest::failOnWarning(QRegularExpression(u"never awaited"_s));
        LoopThread other;
        std::promise<void> entered, gate;
        other.loop().call_soon_threadsafe([&] {
            entered.set_value();
            gate.get_future().wait();
        });
        entered.get_future().wait();
        Test::run(
            [&]() -> Coroutine<> {
                auto task = create_task(on_loop(other.loop(), where()));
                co_await sleep(0s); // it is on its way
                task.cancel();
                gate.set_value();
                QASYNCIO_THROWS(co_await task, CancelledError);
            },
            Test::TestOptions().real_time());
        QTest::ignoreMessage(QtCriticalMsg, "LoopThread: LoopExit: 0");
        other.loop().call_soon_threadsafe([&] { throw LoopExit(0); });
        while (!other.loop().is_closed())
            QThread::yieldCurrentThread();
        Test::run([&]() -> Coroutine<> {
            QASYNCIO_THROWS(co_await on_loop(other.loop(), where()), RuntimeError);
        });
    }

    void runsThereAndResumesHere()
    {
        LoopThread other;
        Test::run(
            [&]() -> Coroutine<> {
                const auto home = std::this_thread::get_id();
                const auto there = co_await on_loop(other.loop(), where);
                QASYNCIO_VERIFY(there != home);
                QASYNCIO_VERIFY(std::this_thread::get_id() == home);
                QASYNCIO_VERIFY(co_await on_loop(other.loop(), where) == there);
                // a plain await
                QASYNCIO_VERIFY(co_await on_loop(get_running_loop(), where) == home);
            },
            real());
    }

    void argumentsAndResultsMove()
    {
        LoopThread other;
        Test::run(
            [&]() -> Coroutine<> {
                const auto twice =
                    [](std::unique_ptr<int> number) -> Coroutine<std::unique_ptr<int>> {
                    co_await sleep(0s);
                    co_return std::make_unique<int>(*number * 2);
                };
                auto number = std::make_unique<int>(21);
                auto result = co_await on_loop(other.loop(), twice, std::move(number));
                QASYNCIO_COMPARE(*result, 42);
            },
            real());
    }

    void anExceptionComesHome()
    {
        LoopThread other;
        Test::run(
            [&]() -> Coroutine<> {
                const auto fails = []() -> Coroutine<> {
                    co_await sleep(0s);
                    throw ValueError(u"there"_s);
                };
                QASYNCIO_COMPARE(co_await error_of(on_loop(other.loop(), fails)),
                                 u"ValueError: there"_s);
            },
            real());
    }

    void cancellingReachesTheTaskThereAndWaitsForIt()
    {
        LoopThread other;
        Test::run(
            [&]() -> Coroutine<> {
                std::atomic<int> stage{0};
                const auto waits = [&stage]() -> Coroutine<> {
                    stage = 1;
                    const bool cancelled = co_await is_cancelled_asleep();
                    co_await sleep(1ms);
                    stage = 2;
                    if (cancelled)
                        throw CancelledError();
                };
                auto task = create_task(on_loop(other.loop(), waits));
                while (stage == 0)
                    co_await sleep(1ms);
                task.cancel(u"enough"_s);
                QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
                QASYNCIO_COMPARE(stage.load(), 2);
                const auto gives = []() -> Coroutine<int> {
                    try {
                        co_await sleep(1h);
                    } catch (const CancelledError &) {
                    }
                    co_return 7;
                };
                QASYNCIO_COMPARE(co_await wait_for(on_loop(other.loop(), gives), 5ms), 7);
            },
            real());
    }

    // H-62
    void unwindingTheCallerCancelsTheTaskThere()
    {
        LoopThread other;
        Test::run(
            [&]() -> Coroutine<> {
                std::atomic<int> stage{0};
                const auto waits = [&stage]() -> Coroutine<> {
                    stage = 1;
                    try {
                        co_await sleep(1h);
                    } catch (const CancelledError &) {
                        stage = 2;
                    }
                };
                auto object = std::make_unique<QObject>();
                auto task = create_task(on_loop(other.loop(), waits),
                                        TaskOptions().context(object.get()));
                while (stage == 0)
                    co_await sleep(1ms);
                object.reset();
                QASYNCIO_VERIFY(task.cancelled());
                while (stage != 2)
                    co_await sleep(1ms);
            },
            real());
    }

    // L-049
    void cancelledBeforeItHasBegunThere()
    {
        LoopThread other;
        Test::run(
            [&]() -> Coroutine<> {
                std::promise<void> entered, gate;
                other.loop().call_soon_threadsafe([&] {
                    entered.set_value();
                    gate.get_future().wait();
                });
                entered.get_future().wait(); // what is sent from here on arrives together
                std::atomic<bool> ran{false};
                const auto body = [](std::atomic<bool> *ran) -> Coroutine<> {
                    *ran = true;
                    co_return;
                };
                const auto call = [&]() -> Coroutine<> {
                    co_await on_loop(other.loop(), body, &ran);
                };
                Task<> caller = create_task(call());
                co_await turns(2);
                caller.cancel();
                gate.set_value();
                QASYNCIO_COMPARE(co_await error_of(caller), u"CancelledError"_s);
                QASYNCIO_VERIFY(!ran);
                QASYNCIO_COMPARE(caller.cancel(), false);
            },
            Test::TestOptions().real_time());
    }

    void cancelledWhenTheResultHasComeHomeAlready()
    {
        LoopThread other;
        Test::run(
            [&](QAsyncioLoop &loop) -> Coroutine<> {
                auto task = create_task(on_loop(other.loop(), where()));
                // in each turn, until it has its result but has not gone on yet
                std::function<void()> look = [&] {
                    if (task.to_string().contains(u"wait_for=<a future that is done>"_s))
                        task.cancel(u"late"_s);
                    else if (!task.done())
                        loop.call_soon([&] { look(); });
                };
                look();
                QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: late"_s);
            },
            real());
    }

    void whileTheOtherRunnerCleansUpNothingIsBegun()
    {
        std::promise<QAsyncioLoop *> made;
        std::atomic<bool> cleaning{false};
        std::atomic<bool> answered{false};
        std::thread thread([&] {
            const auto stays = [&]() -> Coroutine<> {
                try {
                    co_await sleep(1h);
                } catch (const CancelledError &) {
                }
                cleaning = true;
                while (!answered)
                    co_await sleep(1ms);
            };
            const auto main = [&]() -> Coroutine<> {
                create_task(stays());
                co_await sleep(0s);
                made.set_value(&get_running_loop());
            };
            QAsyncio::run(main());
        });
        QAsyncioLoop &loop = *made.get_future().get();
        Test::run(
            [&]() -> Coroutine<> {
                while (!cleaning)
                    co_await sleep(1ms);
                std::atomic<bool> ran{false};
                const auto body = [](std::atomic<bool> *ran) -> Coroutine<> {
                    *ran = true;
                    co_return;
                };
                const auto call = [&]() -> Coroutine<> { co_await on_loop(loop, body, &ran); };
                const QString error = co_await error_of(call());
                answered = true;
                QASYNCIO_COMPARE(error, u"CancelledError"_s);
                QASYNCIO_VERIFY(!ran);
            },
            real());
        thread.join();
    }

    void whatTheTaskFactoryThrowsComesHome()
    {
        LoopThread other;
        std::promise<void> set;
        other.loop().call_soon_threadsafe([&] {
            other.loop().set_task_factory([](QAsyncioLoop &, const TaskOptions &) -> TaskOptions {
                throw ValueError(u"no task"_s);
            });
            set.set_value();
        });
        set.get_future().wait();
        Test::run(
            [&]() -> Coroutine<> {
                const QString error = co_await error_of(on_loop(other.loop(), give, 1, 0ns));
                QASYNCIO_COMPARE(error, u"ValueError: no task"_s);
            },
            Test::TestOptions().real_time());
    }

    void aClosedLoopIsAnError()
    {
        auto other = std::make_unique<LoopThread>();
        auto &loop = other->loop();
        Test::run(
            [&]() -> Coroutine<> {
                std::atomic<bool> begun{false};
                const auto waits = [&begun]() -> Coroutine<> {
                    begun = true;
                    co_await sleep(1h);
                };
                QTest::ignoreMessage(QtCriticalMsg,
                                     QRegularExpression(u"Task was destroyed but it is pending"_s));
                auto task = create_task(on_loop(loop, waits));
                while (!begun)
                    co_await sleep(1ms);
                other.reset();
                QASYNCIO_COMPARE(co_await error_of(task),
                                 u"RuntimeError: the other event loop was closed"_s);
            },
            real());
    }

    // L-049
    void theOtherLoopMayBeGoneBeforeItsOutcomeHasComeHome()
    {
        auto other = std::make_unique<LoopThread>();
        Test::run(
            [&]() -> Coroutine<> {
                std::promise<void> ended;
                const auto at_once = [&ended]() -> Coroutine<> {
                    ended.set_value();
                    co_return;
                };
                auto task = create_task(on_loop(other->loop(), at_once));
                co_await sleep(0s); // begun: the call is on its way
                ended.get_future().wait();
                other.reset(); // it is answered, and its loop destroyed
                task.cancel();
                QASYNCIO_VERIFY((co_await error_of(task)).isEmpty()); // too late: it had its result
            },
            real());
    }

    // L-049, H-62
    void nothingIsReportedThatNobodyWaitsFor()
    {
        auto other = std::make_unique<LoopThread>();
        Test::run( // fails if anything is reported
            [&]() -> Coroutine<> {
                QAsyncioLoop closed;
                closed.close();
                QASYNCIO_COMPARE(co_await error_of(on_loop(closed, where)),
                                 u"RuntimeError: Event loop is closed"_s);
                std::atomic<bool> begun{false};
                std::atomic<bool> ended{false};
                const auto waits = [&begun, &ended]() -> Coroutine<> {
                    const QScopeGuard end([&] { ended = true; });
                    begun = true;
                    co_await sleep(1h);
                };
                auto object = std::make_unique<QObject>();
                auto task = create_task(on_loop(other->loop(), waits),
                                        TaskOptions().context(object.get()));
                while (!begun)
                    co_await sleep(1ms);
                object.reset();
                while (!ended)
                    co_await sleep(1ms);
                other.reset();
                co_await sleep(0s);
                co_await sleep(0s);
            },
            real());
    }

    void theOtherLoopIsNotKept()
    {
        auto other = std::make_unique<LoopThread>();
        detail::LoopCore &core = other->loop().core();
        core.retain();
        Test::run(
            [&]() -> Coroutine<> {
                co_await on_loop(other->loop(), where());
                QASYNCIO_COMPARE(
                    co_await error_of(wait_for(on_loop(other->loop(), sleeper()), 1ms)),
                    u"TimeoutError"_s);
            },
            real());
        other.reset();
        QCOMPARE(core.references(), qint64(1));
        core.release();
    }

    void oneLoopACore()
    {
        constexpr int loops = 4;
        constexpr int items = 400;
        std::vector<std::unique_ptr<LoopThread>> threads;
        for (int i = 0; i < loops; ++i)
            threads.push_back(std::make_unique<LoopThread>());
        Test::run(
            [&]() -> Coroutine<> {
                std::vector<Coroutine<int>> parts;
                for (int i = 0; i < items; ++i) {
                    const auto square = [](int number) -> Coroutine<int> {
                        co_await sleep(0s);
                        co_return number *number;
                    };
                    parts.push_back(on_loop(threads[std::size_t(i % loops)]->loop(), square, i));
                }
                qint64 sum = 0;
                const auto results = co_await gather(std::move(parts));
                for (int result : results)
                    sum += result;
                QASYNCIO_COMPARE(sum, qint64(items - 1) * items * (2 * items - 1) / 6);
            },
            real());
    }
};

QTEST_GUILESS_MAIN(tst_on_loop)
#include "tst_on_loop.moc"
