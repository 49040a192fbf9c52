// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <QtCore/qstringlist.h>
#include <QtCore/qtimer.h>

#include <thread>

namespace {
Coroutine<int> answer()
{
    co_return 42;
}
Coroutine<> leave(int code)
{
    co_await sleep(0s);
    throw LoopExit(code);
}
} // namespace

namespace {
/// Runs it with a stack that is so much deeper.
Q_NEVER_INLINE void run_once_in_the_depth(QAsyncioLoop &loop, int depth)
{
    volatile char room[1024];
    room[0] = 1;
    if (depth > 0)
        run_once_in_the_depth(loop, depth - room[0]);
    else
        run_once(loop);
    room[0] = 0; // no tail call
}
} // namespace

/// run_forever(), run_until_complete(), stop().
class tst_loop_run : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // L-016, L-018
    void runForeverRefusesAClosedARunningAndASecondLoop()
    {
        static_assert(std::is_void_v<decltype(std::declval<QAsyncioLoop &>().run_forever())>);
        QAsyncioLoop loop(virtual_time());
        QAsyncioLoop other(virtual_time());
        QStringList errors;
        loop.call_soon([&] {
            errors << error_in([&] { loop.run_forever(); })
                   << error_in([&] { other.run_forever(); });
            other.close();
            errors << error_in([&] { other.run_forever(); });
            loop.stop();
        });
        loop.run_forever();
        QCOMPARE(
            errors,
            QStringList({"RuntimeError: This event loop is already running",
                         "RuntimeError: Cannot run the event loop while another loop is running",
                         "RuntimeError: Event loop is closed"}));
        loop.close();
        QCOMPARE(error_in([&] { loop.run_forever(); }), "RuntimeError: Event loop is closed");
    }

    // L-017
    void aRefusedNestedRunLeavesTheOuterOneUntouched()
    {
        QAsyncioLoop loop(virtual_time());
        bool later = false;
        loop.call_soon([&] {
            QVERIFY(!error_in([&] { loop.run_forever(); }).isEmpty());
            QVERIFY(loop.is_running());
            QCOMPARE(&get_running_loop(), &loop);
            loop.call_later(1s, [&] {
                later = true;
                loop.stop();
            });
        });
        loop.run_forever();
        QVERIFY(later);
        loop.close();
    }

    // L-019
    void runForeverSetsAndRestoresTheRunningLoop()
    {
        QAsyncioLoop loop(virtual_time());
        QVERIFY(!find_running_loop());
        loop.call_soon([&] {
            QCOMPARE(find_running_loop(), &loop);
            loop.stop();
        });
        loop.run_forever();
        QVERIFY(!find_running_loop());
        loop.call_soon([] { throw LoopExit(1); });
        QVERIFY(!error_in([&] { loop.run_forever(); }).isEmpty());
        QVERIFY(!find_running_loop());
        QVERIFY(!loop.is_running());
        loop.close();
    }

    // L-020
    void aRunMakesAtLeastOneTurn()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        loop.call_soon([&] { log << "a"; });
        loop.stop();
        loop.call_soon([&] { log << "b"; }); // behind stop(), in the same turn
        loop.run_forever();
        QCOMPARE(log, QStringList({"a", "b"}));
        loop.close();
    }

    // L-021, H-26
    void stopBeforeTheRunMakesItOneTurn()
    {
        QAsyncioLoop loop;
        QStringList log;
        loop.call_later(1h, [&] { log << "timer"; });
        loop.call_soon([&] {
            log << "a";
            loop.call_soon([&] { log << "child"; });
        });
        loop.stop();
        loop.run_forever(); // does not wait for the timer
        QCOMPARE(log, QStringList({"a"}));
        run_once(loop);
        QCOMPARE(log, QStringList({"a", "child"}));
        loop.close();
    }

    // L-022, H-27
    void stopInsideACallbackFinishesTheBatch()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        loop.call_soon([&] {
            log << "stop";
            loop.stop();
            loop.call_soon([&] { log << "child"; });
        });
        loop.call_soon([&] { log << "after"; });
        loop.run_forever();
        QCOMPARE(log, QStringList({"stop", "after"}));
        run_once(loop);
        QCOMPARE(log, QStringList({"stop", "after", "child"}));
        loop.close();
    }

    // L-023
    void stopTwiceStopsOneRun()
    {
        QAsyncioLoop loop(virtual_time());
        loop.call_soon([&] { loop.stop(); });
        loop.call_soon([&] { loop.stop(); });
        loop.run_forever();
        bool second = false;
        loop.call_later(1s, [&] {
            second = true;
            loop.stop();
        });
        loop.run_forever();
        QVERIFY(second);
        loop.close();
    }

    // L-024
    void stopOnAnIdleLoopIsRememberedAndOnAClosedOneIgnored()
    {
        QAsyncioLoop loop(virtual_time());
        loop.stop();
        loop.stop();
        loop.run_forever(); // returns
        loop.close();
        loop.stop();
        QVERIFY(loop.is_closed());
    }

    // L-025
    void stopFromAnotherThreadGoesThroughCallSoonThreadsafe()
    {
        QAsyncioLoop loop;
        std::thread thread;
        bool late = false;
        loop.call_later(1min, [&] {
            late = true;
            loop.stop();
        });
        loop.call_soon([&] {
            thread = std::thread([&] { loop.call_soon_threadsafe([&] { loop.stop(); }); });
        });
        loop.run_forever();
        thread.join();
        QVERIFY(!late);
        loop.close();
    }

    // L-025
    void stopInASlotOfQtEndsAnIdleRun()
    {
        QAsyncioLoop loop;
        bool late = false;
        loop.call_later(1min, [&] {
            late = true;
            loop.stop();
        });
        QTimer::singleShot(1, qApp, [&] { loop.stop(); });
        loop.run_forever();
        QVERIFY(!late);
        loop.close();
    }

    // L-026
    void pendingWorkSurvivesTheRun()
    {
        QAsyncioLoop loop;
        Pipe pipe;
        QStringList log;
        loop.add_reader(pipe.read_end(), [&] {
            log << "reader";
            loop.remove_reader(pipe.read_end());
        });
        loop.call_later(1ms, [&] { log << "timer"; });
        auto task = loop.create_task([](QStringList &log) -> Coroutine<> {
            co_await sleep(2ms);
            log << "task";
        }(log));
        run_once(loop);
        QCOMPARE(log, QStringList());
        pipe.fill();
        loop.run_until_complete(task);
        QVERIFY(log.contains("reader") && log.contains("timer") && log.contains("task"));
        loop.close();
    }

    // L-027, H-57
    void loopExitLeavesAtOnceAndTheRestStaysQueued()
    {
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        QStringList log;
        loop.call_soon([&] { log << "a"; });
        loop.call_soon([&] {
            log << "exit";
            throw LoopExit(7);
        });
        loop.call_soon([&] { log << "b"; });
        int code = 0;
        try {
            loop.run_forever();
        } catch (const LoopExit &exit) {
            code = exit.code();
        }
        QCOMPARE(code, 7);
        QCOMPARE(log, QStringList({"a", "exit"}));
        QVERIFY(!loop.is_running());
        QVERIFY(reports.list().isEmpty());
        run_once(loop);
        QCOMPARE(log, QStringList({"a", "exit", "b"}));
        loop.call_soon([] { throw KeyboardInterrupt(); });
        QCOMPARE(error_in([&] { loop.run_forever(); }), "KeyboardInterrupt");
        loop.close();
    }

    // L-028, H-55
    void otherExceptionsAreReportedAndTheLoopGoesOn()
    {
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        bool next = false;
        loop.call_soon([] { throw ValueError(QStringLiteral("bad")); });
        loop.call_soon([] { throw CancelledError(); });
        loop.call_soon([] { throw 5; });
        loop.call_soon([&] { next = true; });
        run_once(loop);
        QVERIFY(next);
        QCOMPARE(reports.exceptions(), QStringList({"ValueError: bad", "CancelledError", "int"}));
        loop.close();
    }

    // L-029
    void loopExitOfATaskIsStoredAndLeaves()
    {
        QAsyncioLoop loop(virtual_time());
        auto task = loop.create_task(leave(3));
        QCOMPARE(error_in([&] { loop.run_forever(); }), "LoopExit: 3");
        QVERIFY(task.done());
        QCOMPARE(describe(task.exception()), "LoopExit: 3");
        loop.close();
    }

    // L-030
    void readinessOfTheLastTurnIsServedOnce()
    {
        QAsyncioLoop loop;
        Pipe pipe;
        pipe.fill();
        int calls = 0;
        loop.add_reader(pipe.read_end(), [&] {
            ++calls;
            pipe.drain_one();
            loop.stop();
        });
        loop.run_forever();
        QCOMPARE(calls, 1);
        run_once(loop);
        run_once(loop);
        QCOMPARE(calls, 1);
        loop.close();
    }

    // L-031, H-11
    void aRefusedCoroutineIsNotConsumed()
    {
        QAsyncioLoop loop(virtual_time());
        QAsyncioLoop other(virtual_time());
        auto coroutine = answer();
        loop.call_soon([&] {
            QCOMPARE(error_in([&] { other.run_until_complete(std::move(coroutine)); }),
                     "RuntimeError: Cannot run the event loop while another loop is running");
            loop.stop();
        });
        loop.run_forever();
        QVERIFY(other.all_tasks().empty());
        QCOMPARE(other.run_until_complete(std::move(coroutine)), 42);
        other.close();
        loop.close();
    }

    // L-033
    void aFutureOfAnotherLoopIsRefused()
    {
        QAsyncioLoop loop(virtual_time());
        QAsyncioLoop other(virtual_time());
        auto future = other.create_future<int>();
        QCOMPARE(error_in([&] { return loop.run_until_complete(future); }),
                 "ValueError: The future belongs to a different loop than the one specified as the "
                 "loop argument");
        loop.close();
        other.close();
    }

    // L-034
    void theImplicitTaskIsNotReportedAsDestroyed()
    {
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        loop.call_soon([&] { loop.stop(); });
        QVERIFY(!error_in([&] {
                     loop.run_until_complete([]() -> Coroutine<> { co_await sleep(1h); }());
                 }).isEmpty());
        QCOMPARE(int(loop.all_tasks().size()), 1);
        loop.close();
        QCOMPARE(reports.messages(), QStringList());
    }

    // L-035
    void aDoneFutureStillGetsOneTurn()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        auto future = loop.create_future<int>();
        future.set_result(5);
        loop.call_soon([&] {
            log << "queued";
            loop.call_soon([&] { log << "child"; });
        });
        QCOMPARE(loop.run_until_complete(future), 5);
        QCOMPARE(log, QStringList({"queued"}));
        loop.close();
    }

    // L-036
    void stopsOneTurnAfterTheCompletion()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        auto future = loop.create_future<void>();
        loop.call_soon([&] {
            future.set_result();
            loop.call_soon([&] {
                log << "turn of the stop";
                loop.call_soon([&] { log << "too late"; });
            });
        });
        loop.run_until_complete(future);
        QCOMPARE(log, QStringList({"turn of the stop"}));
        loop.close();
    }

    // L-037
    void throwsTheStoredExceptionObject()
    {
        QAsyncioLoop loop(virtual_time());
        QCOMPARE(loop.run_until_complete(answer()), 42);
        auto future = loop.create_future<void>();
        const auto error = std::make_exception_ptr(ValueError(QStringLiteral("this one")));
        future.set_exception(error);
        std::exception_ptr caught;
        try {
            loop.run_until_complete(future);
        } catch (...) {
            caught = std::current_exception();
        }
        QVERIFY(caught == error);
        loop.close();
    }

    // L-038, H-28
    void stoppedBeforeTheFutureIsDoneIsAnError()
    {
        QAsyncioLoop loop(virtual_time());
        auto future = loop.create_future<int>();
        loop.call_soon([&] { loop.stop(); });
        QCOMPARE(error_in([&] { return loop.run_until_complete(future); }),
                 "RuntimeError: Event loop stopped before Future completed.");
        // No callback of that run is left: completing the future does not stop the next one.
        bool later = false;
        loop.call_soon([&] { future.set_result(1); });
        loop.call_later(1s, [&] {
            later = true;
            loop.stop();
        });
        loop.run_forever();
        QVERIFY(later);
        loop.close();
    }

    // L-039
    void stopInTheBatchOfTheCompletionIsNoError()
    {
        QAsyncioLoop loop(virtual_time());
        for (const bool stop_first : {true, false}) {
            auto future = loop.create_future<int>();
            if (stop_first)
                loop.call_soon([&] { loop.stop(); });
            loop.call_soon([&] { future.set_result(1); });
            if (!stop_first)
                loop.call_soon([&] { loop.stop(); });
            QCOMPARE(loop.run_until_complete(future), 1);
        }
        loop.close();
    }

    // L-040
    void aCancelledFutureThrowsCancelledError()
    {
        QAsyncioLoop loop(virtual_time());
        auto future = loop.create_future<int>();
        loop.call_soon([&] { future.cancel(QStringLiteral("why")); });
        QCOMPARE(error_in([&] { return loop.run_until_complete(future); }), "CancelledError: why");
        loop.close();
    }

    // L-041, L-044
    void loopExitOfTheAwaitedTaskCountsAsRetrieved()
    {
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        QCOMPARE(error_in([&] { loop.run_until_complete(leave(9)); }), "LoopExit: 9");
        bool later = false;
        loop.call_later(1s, [&] {
            later = true;
            loop.stop();
        });
        loop.run_forever(); // is not stopped by a callback of the run that was left
        QVERIFY(later);
        loop.close();
        QCOMPARE(reports.messages(), QStringList());
    }

    // L-042
    void keyboardInterruptFromElsewhereLeavesTheFuturePending()
    {
        QAsyncioLoop loop(virtual_time());
        auto future = loop.create_future<int>();
        loop.call_soon([] { throw KeyboardInterrupt(); });
        QCOMPARE(error_in([&] { return loop.run_until_complete(future); }), "KeyboardInterrupt");
        QVERIFY(!future.done());
        loop.call_soon([&] { future.set_result(2); });
        QCOMPARE(loop.run_until_complete(future), 2);
        loop.close();
    }

    // L-043
    void otherTasksContinueInTheNextRun()
    {
        QAsyncioLoop loop(virtual_time());
        auto other = loop.create_task([]() -> Coroutine<int> {
            co_await sleep(1h);
            co_return 1;
        }());
        loop.run_until_complete(answer());
        QVERIFY(!other.done());
        QCOMPARE(loop.run_until_complete(other), 1);
        loop.close();
    }

    // H-25
    void fiveHundredRunsLeakNothing()
    {
        QAsyncioLoop loop;
        run_once(loop); // Qt makes its dispatcher and the like
        const auto children = QCoreApplication::instance()->findChildren<QObject *>().size();
        int runs = 0;
        for (int i = 0; i < 500; ++i) {
            loop.call_soon([&] {
                ++runs;
                loop.stop();
            });
            loop.run_forever();
        }
        QCOMPARE(runs, 500);
        QCOMPARE(QCoreApplication::instance()->findChildren<QObject *>().size(), children);
        loop.close();
    }

    // H-11
    void runUntilCompleteInsideATaskIsRefused()
    {
        QAsyncioLoop loop(virtual_time());
        QString error;
        const int result = loop.run_until_complete(
            [](QAsyncioLoop &loop, QString &error) -> Coroutine<int> {
                auto future = loop.create_future<int>();
                error = error_in([&] { return loop.run_until_complete(future); });
                co_await sleep(1s);
                co_return 7;
            }(loop, error));
        QCOMPARE(error, "RuntimeError: This event loop is already running");
        QCOMPARE(result, 7);
        loop.close();
    }

    // L-105
    void theTextFormOfALoop()
    {
        QAsyncioLoop loop(virtual_time());
        QCOMPARE(loop.to_string(), "<QAsyncioLoop running=false closed=false debug=false>");
        loop.set_debug(true);
        loop.call_soon([&] {
            QCOMPARE(loop.to_string(), "<QAsyncioLoop running=true closed=false debug=true>");
            loop.stop();
        });
        loop.run_forever();
        loop.close();
        QCOMPARE(loop.to_string(), "<QAsyncioLoop running=false closed=true debug=true>");
    }

    // L-104
    void aTaskFactoryDecidesTheOptions()
    {
        QAsyncioLoop loop(virtual_time());
        QVERIFY(!loop.get_task_factory());
        QObject object;
        const QObject *seen = nullptr;
        loop.set_task_factory([&](QAsyncioLoop &, const TaskOptions &options) {
            seen = options.get_context_object();
            TaskOptions changed = options;
            return changed.name(QStringLiteral("made of ") + options.get_name());
        });
        auto task = loop.create_task(answer(),
                                     TaskOptions().name(QStringLiteral("x")).context(&object));
        QCOMPARE(task.get_name(), "made of x");
        QCOMPARE(seen, &object);
        loop.set_task_factory({});
        auto plain = loop.create_task(answer(), TaskOptions().name(QStringLiteral("plain")));
        QCOMPARE(plain.get_name(), "plain");
        loop.run_until_complete(task);
        loop.run_until_complete(plain);
        loop.close();
    }

    // L-042, L-044
    void aRunThatWasLeftDoesNotEndTheNextOne()
    {
        QAsyncioLoop loop(virtual_time());
        const auto nap = [](std::chrono::seconds time) -> Coroutine<> { co_await sleep(time); };
        const TimePoint begin = loop.time();
        loop.call_soon([] { throw LoopExit(5); });
        QCOMPARE(error_in([&] { loop.run_until_complete(nap(1s)); }), "LoopExit: 5");
        // the first one ends meanwhile
        QCOMPARE(error_in([&] { loop.run_until_complete(nap(2s)); }), QString());
        QCOMPARE(loop.time() - begin, std::chrono::nanoseconds(2s));
        loop.close();
    }

    // L-019, H-20
    void anAttachedLoopRunsUntilItIsDetached()
    {
        QAsyncioLoop loop;
        QEventLoop host; // of the program's own
        int runs = 0;
        loop.call_soon([&] {
            ++runs;
            QCOMPARE(find_running_loop(), &loop);
            host.quit();
        });
        loop.attach();
        QVERIFY(loop.is_running());
        host.exec();
        loop.detach();
        QVERIFY(!loop.is_running());
        QVERIFY(!find_running_loop());
        QCOMPARE(runs, 1);
        loop.close();
    }

    // L-019, H-20
    void detachedInACallbackItRunsNoFurtherTurn()
    {
        QAsyncioLoop loop;
        QEventLoop host;
        QStringList log;
        loop.attach();
        loop.call_soon([&] {
            loop.call_soon(
                [&] { log << QStringLiteral("next turn, running: %1").arg(loop.is_running()); });
            loop.detach();
            log << "detached";
            QTimer::singleShot(0, &host, &QEventLoop::quit);
        });
        loop.call_soon(
            [&] { log << QStringLiteral("same turn, running: %1").arg(loop.is_running()); });
        host.exec();
        QCOMPARE(log, QStringList({"detached"}));
        log.clear();
        run_ready(loop);
        QCOMPARE(log, QStringList({"same turn, running: 1", "next turn, running: 1"}));
        loop.close();
    }

    void whatADetachedLoopLeavesRunsInOneTurnWithWhatComesLater()
    {
        QAsyncioLoop loop;
        QEventLoop host;
        QStringList log;
        loop.attach();
        loop.call_soon([&] {
            loop.detach();
            QTimer::singleShot(0, &host, &QEventLoop::quit);
        });
        loop.call_soon([&] { log << "left"; });
        host.exec();
        loop.call_soon([&] { log << "later"; });
        loop.call_soon_threadsafe([&] { log << "from outside"; });
        run_once(loop);
        QCOMPARE(log, QStringList({"left", "later", "from outside"}));
        loop.close();
    }

    void aRunFromDeepInTheStackEndsAsOthersDo()
    {
        QAsyncioLoop loop;
        int turns = 0;
        for (const int depth : {0, 20, 1, 40, 0}) {
            loop.call_soon([&] { ++turns; });
            run_once_in_the_depth(loop, depth);
        }
        QCOMPARE(turns, 5);
        loop.close();
    }

    void stopOfAnAttachedLoopFinishesTheBatch()
    {
        QAsyncioLoop loop;
        QEventLoop host;
        QStringList log;
        loop.attach();
        loop.call_soon([&] {
            log << "stop";
            loop.stop();
            loop.call_soon([&] { log << "child"; });
            QTimer::singleShot(0, &host, &QEventLoop::quit);
        });
        loop.call_soon([&] { log << "after"; });
        host.exec();
        QVERIFY(!loop.is_running());
        QCOMPARE(log, QStringList({"stop", "after"}));
        run_once(loop);
        QCOMPARE(log, QStringList({"stop", "after", "child"}));
        loop.close();
    }

    void underTheOtherDispatcher()
    {
        SKIP_WITHOUT_PROCESSES();
        QCOMPARE(failure_without_glib(
                     {"stopBeforeTheRunMakesItOneTurn", "stopInsideACallbackFinishesTheBatch",
                      "stopInASlotOfQtEndsAnIdleRun", "pendingWorkSurvivesTheRun",
                      "readinessOfTheLastTurnIsServedOnce", "fiveHundredRunsLeakNothing",
                      "anAttachedLoopRunsUntilItIsDetached", "aRunFromDeepInTheStackEndsAsOthersDo",
                      "stopOfAnAttachedLoopFinishesTheBatch"}),
                 QByteArray());
    }
};

QTEST_GUILESS_MAIN(tst_loop_run)
#include "tst_loop_run.moc"
