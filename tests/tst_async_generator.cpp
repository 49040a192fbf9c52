// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qregularexpression.h>

#include <thread>

namespace {

AsyncGenerator<int> count_to(int last)
{
    for (int i = 1; i <= last; ++i) {
        co_await sleep(1s);
        co_yield i;
    }
}

/// Yields 1, 2, 3...; writes down how it ends, and awaits in its clean-up.
AsyncGenerator<int> noted(QStringList &log, QString error = {})
{
    const Farewell farewell(log, u"destroyed"_s);
    bool closed = false;
    try {
        for (int i = 1;; ++i)
            co_yield i;
    } catch (const GeneratorExit &) {
        closed = true;
    }
    if (closed) {
        co_await sleep(1s);
        log << u"cleaned"_s;
    }
    if (!error.isNull())
        throw ValueError(error);
}

Coroutine<QString> all_of(AsyncGenerator<int> generator)
{
    QString text;
    while (auto value = co_await generator.next())
        text += QString::number(*value);
    co_return text;
}

AsyncGenerator<int> all_from(AsyncGenerator<int> generator)
{
    for (;;) {
        const auto value = co_await generator.next();
        if (!value)
            break;
        co_yield *value;
    }
}

/// Is in a wait of its own when its task is unwound.
AsyncGenerator<int> waits(QStringList &log)
{
    const Farewell farewell(log, u"generator"_s);
    co_await sleep(1h);
    co_yield 1;
}

} // namespace

class tst_async_generator : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void givesItsValuesWithAwaitsBetweenThem()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            QASYNCIO_COMPARE(co_await all_of(count_to(3)), u"123"_s);
            QASYNCIO_COMPARE(loop.time() - begin, std::chrono::nanoseconds(3s));
        });
    }

    void isLazyAndStaysAtItsEnd()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto body = [](QStringList &log) -> AsyncGenerator<QString> {
                log << u"begun"_s;
                co_yield u"value"_s;
            };
            auto generator = body(log);
            co_await sleep(0s);
            QASYNCIO_VERIFY(log.isEmpty());
            QASYNCIO_COMPARE(*co_await generator.next(), u"value"_s);
            QASYNCIO_VERIFY(!co_await generator.next());
            QASYNCIO_VERIFY(!co_await generator.next());
            AsyncGenerator<QString> none;
            QASYNCIO_VERIFY(!none && !co_await none.next());
            auto never_begun = body(log); // dropped without a word
        });
    }

    void yieldsWhatCanOnlyBeMoved()
    {
        Test::run([]() -> Coroutine<> {
            const auto body = []() -> AsyncGenerator<std::unique_ptr<int>> {
                co_yield std::make_unique<int>(1);
                auto named = std::make_unique<int>(2);
                co_yield std::move(named);
            };
            auto generator = body();
            auto first = co_await generator.next();
            auto second = co_await generator.next();
            QASYNCIO_COMPARE(**first + **second, 3);
            QASYNCIO_VERIFY(!co_await generator.next());
        });
    }

    void aValueThatWasTakenIsNotKept()
    {
        struct Copied // has no move
        {
            explicit Copied(int &alive) : alive(alive) { ++alive; }
            Copied(const Copied &other) : alive(other.alive) { ++alive; }
            ~Copied() { --alive; }
            int &alive;
        };
        Test::run([]() -> Coroutine<> {
            int alive = 0;
            const auto body = [](int &alive) -> AsyncGenerator<Copied> {
                {
                    const Copied value(alive);
                    co_yield value;
                }
                co_await sleep(1s);
                co_yield Copied(alive);
            };
            auto generator = body(alive);
            {
                const auto first = co_await generator.next();
                QASYNCIO_COMPARE(alive, 2); // that, and the local
            }
            QASYNCIO_COMPARE(alive, 1);
        });
    }

    void anExceptionComesOutOnceAndEndsIt()
    {
        Test::run([]() -> Coroutine<> {
            const auto body = []() -> AsyncGenerator<int> {
                co_yield 1;
                throw ValueError(u"bad"_s);
            };
            auto generator = body();
            QASYNCIO_COMPARE(*co_await generator.next(), 1);
            QASYNCIO_THROWS(co_await generator.next(), ValueError);
            QASYNCIO_VERIFY(!co_await generator.next());
        });
    }

    void runsInTheTaskThatAwaitsIt()
    {
        Test::run([]() -> Coroutine<> {
            const auto body = []() -> AsyncGenerator<QString> {
                for (;;)
                    co_yield current_task().get_name();
            };
            auto generator = body();
            current_task().set_name(u"one"_s);
            QASYNCIO_COMPARE(*co_await generator.next(), u"one"_s);
            const auto other = [&]() -> Coroutine<QString> {
                co_return *co_await generator.next();
            };
            auto task = create_task(other(), TaskOptions().name(u"two"_s));
            QASYNCIO_COMPARE(co_await task, u"two"_s);
            co_await generator.aclose();
        });
    }

    void onlyOneTaskAtATimeMayAwaitIt()
    {
        Test::run([]() -> Coroutine<> {
            auto generator = count_to(2);
            const auto other = [&]() -> Coroutine<int> { co_return *co_await generator.next(); };
            auto task = create_task(other());
            co_await sleep(0s);
            QASYNCIO_THROWS(co_await generator.next(), RuntimeError);
            QASYNCIO_COMPARE(
                co_await error_of(generator.aclose()),
                u"RuntimeError: aclose(): asynchronous generator is already running"_s);
            QASYNCIO_COMPARE(co_await task, 1);
            QASYNCIO_COMPARE(*co_await generator.next(), 2);
            co_await generator.aclose();
        });
    }

    // H-64
    void closingThrowsGeneratorExitAtTheYield()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            {
                auto generator = noted(log);
                QASYNCIO_COMPARE(*co_await generator.next(), 1);
                co_await generator.aclose();
                QASYNCIO_COMPARE(log.join(u' '), u"cleaned destroyed"_s);
                QASYNCIO_VERIFY(!co_await generator.next());
                co_await generator.aclose(); // once more
                auto unbegun = count_to(1);
                co_await unbegun.aclose();
                QASYNCIO_VERIFY(!co_await unbegun.next());
            }
            auto failing = noted(log, u"in clean-up"_s);
            co_await failing.next();
            QASYNCIO_COMPARE(co_await error_of(failing.aclose()), u"ValueError: in clean-up"_s);
        });
    }

    void goingOnAfterGeneratorExitIsAnError()
    {
        Test::run([]() -> Coroutine<> {
            const auto body = []() -> AsyncGenerator<int> {
                try {
                    co_yield 1;
                } catch (const GeneratorExit &) {
                }
                co_yield 2;
                co_yield 3;
            };
            auto generator = body();
            co_await generator.next();
            QASYNCIO_COMPARE(co_await error_of(generator.aclose()),
                             u"RuntimeError: async generator ignored GeneratorExit"_s);
            QASYNCIO_COMPARE(*co_await generator.next(), 3);
            co_await generator.aclose();
        });
    }

    void anExceptionCanBeThrownIn()
    {
        Test::run([]() -> Coroutine<> {
            const auto body = []() -> AsyncGenerator<QString> {
                QString text = u"begun"_s;
                for (;;) {
                    try {
                        co_yield text;
                    } catch (const ValueError &error) {
                        text = error.message();
                    }
                }
            };
            auto generator = body();
            co_await generator.next();
            QASYNCIO_COMPARE(
                *co_await generator.athrow(std::make_exception_ptr(ValueError(u"thrown"_s))),
                u"thrown"_s);
            QASYNCIO_THROWS(co_await generator.athrow(nullptr), TypeError);
            QASYNCIO_THROWS(co_await generator.athrow(std::make_exception_ptr(TypeError(u"out"_s))),
                            TypeError);
            QASYNCIO_VERIFY(!co_await generator.next());
            QASYNCIO_VERIFY(
                !co_await generator.athrow(std::make_exception_ptr(ValueError(u"too late"_s))));
            auto unbegun = body();
            QASYNCIO_THROWS(co_await unbegun.athrow(std::make_exception_ptr(ValueError(u"x"_s))),
                            ValueError);
            QASYNCIO_VERIFY(!co_await unbegun.next());
        });
    }

    // L-106, H-64
    void oneThatIsDroppedIsDestroyedThereAndThen()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            {
                const Farewell older(log, u"older"_s);
                auto generator = noted(log);
                const Farewell younger(log, u"younger"_s);
                co_await generator.next();
            }
            // and no clean-up that awaits
            QASYNCIO_COMPARE(log.join(u' '), u"younger destroyed older"_s);
            co_await turns(2);
            QASYNCIO_COMPARE(loop.all_tasks().size(), size_t(1));
            QASYNCIO_COMPARE(log.size(), 3);
        });
    }

    // L-106
    void oneThatIsReplacedIsDestroyed()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            auto generator = noted(log);
            co_await generator.next();
            generator = noted(log);
            QASYNCIO_COMPARE(log.join(u' '), u"destroyed"_s);
            co_await generator.next();
            generator = {};
            QASYNCIO_COMPARE(log.join(u' '), u"destroyed destroyed"_s);
        });
    }

    // L-106
    void oneThatIsDroppedInItsOwnStepDiesBehindIt()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            std::optional<AsyncGenerator<int>> place;
            const auto dropping =
                [](QStringList &log,
                   std::optional<AsyncGenerator<int>> &place) -> AsyncGenerator<int> {
                const Farewell farewell(log, u"destroyed"_s);
                place.reset();
                log << u"goes on"_s;
                co_await sleep(1s);
                log << u"to its yield"_s;
                co_yield 1;
                log << u"never"_s;
            };
            place = dropping(log, place);
            const auto value = co_await place->next();
            QASYNCIO_COMPARE(*value, 1);
            QASYNCIO_COMPARE(log.join(u", "), u"goes on, to its yield, destroyed"_s);
        });
    }

    // L-106
    void oneThatIsDroppedWhileAnotherTaskAwaitsItDiesWhenThatHasItsValue()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            std::optional<AsyncGenerator<int>> place;
            const auto slow = [](QStringList &log) -> AsyncGenerator<int> {
                const Farewell farewell(log, u"destroyed"_s);
                co_await sleep(1s);
                co_yield 7;
            };
            place = slow(log);
            const auto take = [&]() -> Coroutine<int> {
                const auto value = co_await place->next();
                log << u"taken"_s;
                co_return *value;
            };
            for (const bool cancelled : {false, true}) {
                log.clear();
                place = slow(log);
                Task<int> taking = create_task(take());
                co_await turns(2);
                place.reset();
                QASYNCIO_COMPARE(log.join(u' '), QString());
                if (cancelled)
                    taking.cancel();
                const QString expected = cancelled ? u"CancelledError"_s : QString();
                QASYNCIO_COMPARE(co_await error_of(taking), expected);
                QASYNCIO_COMPARE(log.join(u' '), cancelled ? u"destroyed"_s : u"destroyed taken"_s);
            }
        });
    }

    // L-106
    void oneThatIsDroppedInAnotherThreadDiesAtHome()
    {
        Test::run(
            []() -> Coroutine<> {
                std::thread::id died_in;
                struct Grave
                {
                    std::thread::id &died_in;
                    ~Grave() { died_in = std::this_thread::get_id(); }
                };
                const auto body = [](std::thread::id &died_in) -> AsyncGenerator<int> {
                    const Grave grave{died_in};
                    co_yield 1;
                };
                auto generator = body(died_in);
                co_await generator.next();
                std::thread([dropped = std::move(generator)]() mutable { dropped = {}; }).join();
                QASYNCIO_VERIFY(died_in == std::thread::id());
                co_await sleep(10ms);
                QASYNCIO_VERIFY(died_in == std::this_thread::get_id());
            },
            Test::TestOptions().real_time());
    }

    void oneThatIsDroppedInAnotherThreadMayOutliveItsLoop()
    {
        for (const bool closed_first : {false, true}) {
            QStringList log;
            auto generator = noted(log);
            QAsyncioLoop loop(virtual_time());
            const auto main = [&]() -> Coroutine<> { co_await generator.next(); };
            loop.run_until_complete(main());
            if (closed_first)
                loop.close();
            std::thread([dropped = std::move(generator)]() mutable { dropped = {}; }).join();
            // there, for there is no home any more
            QCOMPARE(log.join(u' '), closed_first ? u"destroyed"_s : QString());
            loop.close();
            QCOMPARE(log.join(u' '), u"destroyed"_s);
        }
    }

    void anArgumentMayMakeAnother()
    {
        struct MakesAnother
        {
            MakesAnother() = default;
            MakesAnother(const MakesAnother &) { static_cast<void>(count_to(1)); }
        };
        Test::run([]() -> Coroutine<> {
            const auto body = [](MakesAnother) -> AsyncGenerator<int> { co_yield 1; };
            const MakesAnother argument;
            auto generator = body(argument);
            const std::optional<int> first = co_await generator.next();
            QASYNCIO_COMPARE(first.value_or(0), 1);
            QASYNCIO_VERIFY(!(co_await generator.next()).has_value());
        });
    }

    // L-106
    void aGroupInOneThatIsDroppedIsUnwound()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            const auto child = [](QStringList &log) -> Coroutine<> {
                const Farewell farewell(log, u"child"_s);
                co_await sleep(1h);
            };
            const auto grouped = [&child](QStringList &log) -> AsyncGenerator<int> {
                const Farewell farewell(log, u"generator"_s);
                const auto body = [&](TaskGroup &group) -> Coroutine<> {
                    group.create_task(child(log));
                    co_await sleep(1h);
                };
                co_await task_group(body);
                co_yield 1;
            };
            auto generator = grouped(log);
            const auto take = [&]() -> Coroutine<> { co_await generator.next(); };
            Task<> taking = create_task(take());
            co_await turns(3);
            generator = {};
            taking.cancel();
            QASYNCIO_COMPARE(co_await error_of(taking), u"CancelledError"_s);
            QASYNCIO_COMPARE(log.join(u' '), u"child generator"_s);
            QASYNCIO_COMPARE(loop.all_tasks().size(), size_t(1));
        });
    }

    void closingAtTheEndOfAScope()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto first = [](AsyncGenerator<int> &generator, int plus) -> Coroutine<int> {
                const auto value = co_await generator.next();
                co_return *value + plus;
            };
            QASYNCIO_COMPARE(co_await aclosing(noted(log), first, 10), 11);
            QASYNCIO_COMPARE(log.join(u' '), u"cleaned destroyed"_s);
            log.clear();
            const auto failing = [](AsyncGenerator<int> &generator) -> Coroutine<> {
                co_await generator.next();
                throw ValueError(u"body"_s);
            };
            QASYNCIO_COMPARE(co_await error_of(aclosing(noted(log), failing)),
                             u"ValueError: body"_s);
            QASYNCIO_COMPARE(log.join(u' '), u"cleaned destroyed"_s);
            QASYNCIO_COMPARE(co_await error_of(aclosing(noted(log, u"clean-up"_s), failing)),
                             u"ValueError: clean-up"_s);
            log.clear();
            const auto idle = [](AsyncGenerator<int> &) -> Coroutine<> { co_return; };
            co_await aclosing(noted(log), idle); // it never began
            QASYNCIO_COMPARE(log.join(u' '), QString());
            co_await aclosing(AsyncGenerator<int>(), idle);
        });
    }

    void aScopeThatIsCancelledClosesItsGenerator()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto hour = [](AsyncGenerator<int> &generator) -> Coroutine<> {
                co_await generator.next();
                co_await sleep(1h);
            };
            for (const bool twice : {false, true}) {
                log.clear();
                Task<> task = create_task(aclosing(noted(log), hour));
                co_await turns(2);
                task.cancel();
                co_await sleep(500ms);
                if (twice)
                    task.cancel(); // interrupts the clean-up
                QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
                QASYNCIO_COMPARE(log.join(u' '), twice ? u"destroyed"_s : u"cleaned destroyed"_s);
            }
        });
    }

    void aScopeThatIsTornDownLeavesNothing()
    {
        Test::tear_down([](QAsyncioLoop &) -> Coroutine<> {
            const auto values = []() -> AsyncGenerator<int> {
                bool closed = false;
                try {
                    for (int i = 0;; ++i) {
                        co_await sleep(1ms);
                        co_yield i;
                    }
                } catch (const GeneratorExit &) {
                    closed = true;
                }
                if (closed)
                    co_await sleep(1ms);
            };
            const auto some = [](AsyncGenerator<int> &generator) -> Coroutine<> {
                co_await generator.next();
                co_await generator.next();
            };
            co_await aclosing(values(), some);
        });
    }

    // L-095
    void debugModeRefusesAnotherThread()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            loop.set_debug(true);
            auto generator = count_to(3);
            co_await generator.next();
            QStringList errors;
            const auto elsewhere = [&] {
                QAsyncioLoop other(virtual_time());
                const auto use = [&]() -> Coroutine<> {
                    errors << co_await error_of(generator.next());
                    errors << co_await error_of(
                        generator.athrow(std::make_exception_ptr(ValueError(u"no"_s))));
                    errors << co_await error_of(generator.aclose());
                };
                other.run_until_complete(use());
                other.close();
            };
            std::thread(elsewhere).join();
            const QString error =
                u"RuntimeError: Non-thread-safe operation invoked on an event loop other than the current one"_s;
            QASYNCIO_COMPARE(errors, QStringList(3, error));
            co_await generator.aclose();
        });
    }

    // L-107
    void theShutdownTriesOnce()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            auto generator = noted(log);
            co_await generator.next();
            Task<> shutdown = create_task(loop.shutdown_asyncgens());
            co_await turns(1);
            shutdown.cancel(); // the closing has not begun and never does (T-024)
            QASYNCIO_COMPARE(co_await error_of(shutdown), u"CancelledError"_s);
            co_await loop.shutdown_asyncgens();
            QASYNCIO_COMPARE(log.join(u' '), QString());
            QASYNCIO_COMPARE(*co_await generator.next(), 2);
            co_await generator.aclose();
            QASYNCIO_COMPARE(log.join(u' '), u"cleaned destroyed"_s);
        });
    }

    // L-106, L-107
    void theShutdownHasNothingToDoForOneThatHasEnded()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            auto generator = count_to(1);
            co_await generator.next();
            co_await generator.next();
            bool next_turn = false;
            loop.call_soon([&] { next_turn = true; });
            co_await loop.shutdown_asyncgens();
            QASYNCIO_VERIFY(!next_turn);
            co_await turns(1); // the callback refers to this frame
            QASYNCIO_VERIFY(next_turn);
        });
    }

    void whatIsThrownInIsThrownByTheAwaitAlone()
    {
        Test::run([]() -> Coroutine<> {
            auto generator = count_to(3);
            co_await generator.next();
            {
                auto dropped = generator.athrow(std::make_exception_ptr(ValueError(u"never"_s)));
            }
            QASYNCIO_COMPARE(*co_await generator.next(), 2);
            co_await generator.aclose();
        });
    }

    // L-107
    void theShutdownClosesAllAndReportsWhatFails()
    {
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        QStringList log;
        auto good = noted(log);
        auto bad = noted(log, u"bad"_s);
        auto worse = noted(log, u"worse"_s);
        auto unbegun = noted(log);
        const auto main = [&]() -> Coroutine<> {
            co_await good.next();
            co_await bad.next();
            co_await worse.next();
            const TimePoint begin = loop.time();
            co_await loop.shutdown_asyncgens();
            QTest::qCompare(loop.time() - begin, std::chrono::nanoseconds(1s), "side by side", "1s",
                            __FILE__, __LINE__);
        };
        loop.run_until_complete(main());
        QCOMPARE(log.count(u"cleaned"_s), 3);
        QStringList list = reports.list();
        QCOMPARE(list.size(), 2);
        const QString which =
            u"an error occurred during closing of asynchronous generator <async_generator noted() at"_s;
        QVERIFY(list[0].startsWith(which) && list[1].startsWith(which));
        QCOMPARE(list.filter(u"|ValueError: bad"_s).size(), 1);
        QCOMPARE(list.filter(u"|ValueError: worse"_s).size(), 1);
        loop.close();
    }

    // L-108
    void oneThatBeginsAfterTheShutdownIsWarnedOf()
    {
        QAsyncioLoop loop(virtual_time());
        const auto main = [&]() -> Coroutine<> {
            co_await loop.shutdown_asyncgens();
            auto late = count_to(1);
            QTest::ignoreMessage(
                QtWarningMsg,
                QRegularExpression(
                    u"^asynchronous generator <async_generator count_to\\(\\) at .*> "
                    "was scheduled after loop.shutdown_asyncgens\\(\\) call$"_s));
            co_await late.next();
            co_await late.next();
        };
        loop.run_until_complete(main());
        loop.close();
    }

    // L-107
    void runClosesThem()
    {
        QStringList log;
        std::optional<AsyncGenerator<int>> generator;
        const auto main = [&]() -> Coroutine<> {
            generator = noted(log);
            co_await generator->next();
        };
        RunnerOptions options;
        options.loop_factory([] { return std::make_unique<QAsyncioLoop>(virtual_time()); });
        {
            Runner runner(options);
            runner.run(main());
        }
        QCOMPARE(log.join(u' '), u"cleaned destroyed"_s);
    }

    // H-61
    void theTaskThatStandsInItMayBeUnwound()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        auto object = std::make_unique<QObject>();
        const auto main = [&]() -> Coroutine<> {
            const Farewell farewell(log, u"task"_s);
            auto standing = noted(log);
            auto running = waits(log);
            co_await standing.next();
            co_await running.next();
        };
        auto task = loop.create_task(main(), TaskOptions().context(object.get()));
        run_ready(loop);
        object.reset();
        QCOMPARE(log.join(u' '), u"generator destroyed task"_s); // no line of either has run
        QVERIFY(task.cancelled());
        run_ready(loop);
        QVERIFY(loop.all_tasks().empty());
        loop.close();
    }

    void oneWhoseTaskWasUnwoundInItHasEnded()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        auto object = std::make_unique<QObject>();
        AsyncGenerator<int> generator = waits(log);
        const auto main = [&]() -> Coroutine<> { co_await generator.next(); };
        const auto task = loop.create_task(main(), TaskOptions().context(object.get()));
        run_ready(loop);
        object.reset();
        QVERIFY(task.cancelled());
        QCOMPARE(log.join(u' '), u"generator"_s); // there and then, though somebody still has it
        const auto after = [&]() -> Coroutine<> {
            bool next_turn = false;
            loop.call_soon([&] { next_turn = true; });
            co_await loop.shutdown_asyncgens(); // which has nothing to do for it
            QASYNCIO_VERIFY(!next_turn);
            co_await turns(1); // the callback refers to this frame
            QASYNCIO_VERIFY(!(co_await generator.next()).has_value());
            co_await generator.aclose();
        };
        loop.run_until_complete(after());
        loop.close();
    }

    // H-61
    void itMayOutliveItsLoop()
    {
        QTest::failOnWarning(QRegularExpression(u"."_s));
        QStringList log;
        {
            auto generator = noted(log);
            {
                QAsyncioLoop loop(virtual_time());
                const auto main = [&]() -> Coroutine<> { co_await generator.next(); };
                loop.run_until_complete(main());
                loop.close();
            }
        }
        QCOMPARE(log.join(u' '), u"destroyed"_s);

        QAsyncioLoop loop(virtual_time());
        log.clear();
        const auto main = [&]() -> Coroutine<> {
            auto generator = noted(log);
            co_await generator.next();
        };
        loop.run_until_complete(main()); // dropped with the frame
        loop.close();
        QCOMPARE(log.join(u' '), u"destroyed"_s);
    }

    void cancellationGoesThroughItsBody()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto body = [](QStringList &log) -> AsyncGenerator<int> {
                try {
                    co_await sleep(1h);
                } catch (const CancelledError &) {
                    log << u"seen"_s;
                    throw;
                }
                co_yield 1;
            };
            auto generator = body(log);
            QASYNCIO_COMPARE(co_await error_of(wait_for(all_of(std::move(generator)), 1s)),
                             u"TimeoutError"_s);
            QASYNCIO_COMPARE(log.join(u' '), u"seen"_s);
        });
    }

    // TG-019
    void aGroupInsideOfItClosesWithIt()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            const auto body = []() -> AsyncGenerator<int> {
                const auto in_group = [](TaskGroup &group) -> Coroutine<> {
                    group.create_task(sleeper());
                    co_await sleep(0s);
                    throw GeneratorExit();
                };
                co_yield 1;
                co_await task_group(in_group);
            };
            auto generator = body();
            co_await generator.next();
            QASYNCIO_THROWS(co_await generator.next(), GeneratorExit);
            QASYNCIO_COMPARE(loop.all_tasks().size(), size_t(1));
        });
    }

    void awaitsCostNoStack()
    {
        on_a_small_stack([] {
            QAsyncioLoop loop(virtual_time());
            const auto numbers = []() -> AsyncGenerator<int> {
                for (int i = 0; i < 300'000; ++i)
                    co_yield i;
            };
            const auto main = [&]() -> Coroutine<qint64> {
                qint64 sum = 0;
                auto generator = numbers();
                while (auto value = co_await generator.next())
                    sum += *value;
                co_return sum;
            };
            QCOMPARE(loop.run_until_complete(main()), qint64(300'000) * 299'999 / 2);
            loop.close();
        });
    }

    // L-106
    void aDeepNestOfThemIsDroppedWithoutStack()
    {
        QStringList log;
        on_a_small_stack([&] {
            const auto nest = [&] {
                AsyncGenerator<int> generator = noted(log);
                for (int i = 0; i < 30'000; ++i)
                    generator = all_from(std::move(generator));
                return generator;
            };
            QAsyncioLoop loop(virtual_time());
            const auto main = [&]() -> Coroutine<> {
                AsyncGenerator<int> dropped = nest(), closed = nest(), never_begun = nest();
                const auto first = co_await dropped.next();
                const auto second = co_await closed.next();
                log << QString::number(first.value_or(0) + second.value_or(0));
                dropped = {};
                log << u"dropped"_s;
                auto closing = closed.aclose();
                co_await std::move(closing);
                closed = {};
                log << u"closed"_s;
            };
            loop.run_until_complete(main());
            loop.close();
        });
        QCOMPARE(log.join(u' '), u"2 destroyed dropped destroyed closed"_s);
    }

    // L-107, L-114
    void runClosesThemAlsoIfMainAndATaskFail()
    {
        QStringList log;
        std::optional<AsyncGenerator<int>> generator;
        const auto spin = [&]() -> Coroutine<> {
            generator = noted(log);
            try {
                for (;;) {
                    co_await generator->next();
                    co_await sleep(1s);
                }
            } catch (const CancelledError &) {
                throw ValueError(u"task"_s);
            }
        };
        const auto main = [&]() -> Coroutine<> {
            create_task(spin());
            co_await sleep(1s);
            throw TypeError(u"main"_s);
        };
        RunnerOptions options;
        options.loop_factory([] { return std::make_unique<QAsyncioLoop>(virtual_time()); });
        Runner runner(options);
        const Reports reports(runner.get_loop());
        QCOMPARE(error_in([&] { runner.run(main()); }), u"TypeError: main"_s);
        QCOMPARE(log.join(u' '), QString());
        runner.close();
        QCOMPARE(log.join(u' '), u"cleaned destroyed"_s);
        QCOMPARE(reports.list().join(u' '),
                 u"unhandled exception during asyncio.run() shutdown|ValueError: task"_s);
    }

    /// The awaiter of the future lives as long as the expression that yields.
    void aGeneratorThatYieldsWhatItAwaitsOutlivesTheTaskThatStepped()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            const auto numbers = [](Future<int> first) -> AsyncGenerator<int> {
                co_yield co_await first;
                co_yield 2;
            };
            auto generator = numbers(future);
            const auto steps = [&]() -> Coroutine<int> {
                const auto value = co_await generator.next();
                co_return *value;
            };
            loop.call_later(1s, [&] { future.set_result(1); });
            QASYNCIO_COMPARE(co_await create_task(steps()), 1);
            co_await sleep(0s);
            generator = {}; // under AddressSanitizer: looks at no task that has gone
        });
    }
};

QTEST_GUILESS_MAIN(tst_async_generator)
#include "tst_async_generator.moc"
