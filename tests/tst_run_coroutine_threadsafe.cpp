// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "survives_moves.h"

#include <QtCore/qlogging.h>
#include <QtCore/qregularexpression.h>
#include <QtCore/qstringlist.h>

#include <atomic>
#include <fstream>
#include <future>
#include <string>
#include <thread>

#include <unistd.h>

namespace {

Coroutine<int> number(int value)
{
    co_await sleep(0s);
    co_return value;
}

/// Runs `work` in another thread while the loop runs here, until it is done.
template<class F>
void beside(QAsyncioLoop &loop, F work)
{
    std::thread thread([&] {
        work();
        loop.call_soon_threadsafe([&] { loop.stop(); });
    });
    loop.run_forever();
    thread.join();
}

/// Does that thread of this process wait for something?
bool is_blocked(pid_t thread)
{
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string text;
    std::getline(file, text);
    const std::size_t name_end = text.rfind(')');
    return name_end != std::string::npos && text.substr(name_end + 2, 1) == "S";
}

} // namespace

/// run_coroutine_threadsafe() and ConcurrentFuture, from another thread into the loop of this one.
class tst_run_coroutine_threadsafe : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // L-077
    void givesTheResultToTheThreadThatWaits()
    {
        QAsyncioLoop loop;
        int result = 0;
        int again = 0;
        bool cancelled = true;
        std::thread::id ran_in;
        const auto body = [&]() -> Coroutine<int> {
            ran_in = std::this_thread::get_id();
            co_return co_await number(7);
        };
        beside(loop, [&] {
            auto future = run_coroutine_threadsafe(body(), loop);
            result = future.result();
            again = future.result(1s);
            cancelled = future.cancelled();
        });
        QVERIFY(!cancelled);
        QCOMPARE(result, 7);
        QCOMPARE(again, 7);
        QVERIFY(ran_in == std::this_thread::get_id());
        loop.close();
    }

    // L-077
    void anExceptionIsThrownThere()
    {
        QAsyncioLoop loop;
        const Reports reports(loop);
        const auto fails = []() -> Coroutine<> {
            co_await sleep(0s);
            throw ValueError(QStringLiteral("far away"));
        };
        QString error;
        QString described;
        beside(loop, [&] {
            auto future = run_coroutine_threadsafe(fails(), loop);
            error = error_in([&] { future.result(); });
            described = describe(future.exception());
        });
        QCOMPARE(error, "ValueError: far away");
        QCOMPARE(described, "ValueError: far away");
        QVERIFY(reports.messages().isEmpty());
        loop.close();
    }

    // L-077
    void aTimeoutLeavesTheCoroutineRunning()
    {
        QAsyncioLoop loop;
        Future<int> gate = loop.create_future<int>();
        const auto body = [&]() -> Coroutine<int> { co_return co_await gate; };
        QString error;
        int result = 0;
        bool done_before = true, done = false;
        beside(loop, [&] {
            auto future = run_coroutine_threadsafe(body(), loop);
            error = error_in([&] { future.result(1ms); });
            done_before = future.done();
            loop.call_soon_threadsafe([&] { gate.set_result(3); });
            result = future.result();
            done = future.done();
        });
        QCOMPARE(error, "TimeoutError");
        QCOMPARE(result, 3);
        QVERIFY(!done_before && done);
        loop.close();
    }

    // L-077
    void cancellingReachesTheTask()
    {
        QAsyncioLoop loop;
        std::promise<void> begun;
        std::promise<void> seen;
        const auto body = [&]() -> Coroutine<> {
            begun.set_value();
            try {
                co_await sleep(1h);
            } catch (const CancelledError &) {
                seen.set_value();
                throw;
            }
        };
        bool first = false;
        bool second = true;
        QString error;
        beside(loop, [&] {
            auto future = run_coroutine_threadsafe(body(), loop);
            begun.get_future().wait();
            first = future.cancel();
            second = future.cancel();
            error = error_in([&] { future.result(); });
            seen.get_future().wait();
        });
        QVERIFY(first && !second);
        QCOMPARE(error, "CancelledError");
        loop.close();
    }

    // L-077
    void cancellingWakesWhoWaitsBeforeTheTaskHasEnded()
    {
        QAsyncioLoop loop;
        Future<> gate = loop.create_future<>();
        std::atomic<pid_t> thread = 0;
        QString error;
        const auto body = [&]() -> Coroutine<> {
            if (co_await is_cancelled_asleep())
                co_await gate; // which opens when somebody has heard of the end
        };
        beside(loop, [&] {
            auto future = run_coroutine_threadsafe(body(), loop);
            std::thread waiter([&] {
                thread = ::gettid();
                error = error_in([&] { future.result(); });
                loop.call_soon_threadsafe([&] { gate.set_result(); });
            });
            while (!is_blocked(thread))
                std::this_thread::yield();
            future.cancel();
            waiter.join();
            future.join();
        });
        QCOMPARE(error, "CancelledError");
        loop.close();
    }

    // L-077
    void cancellingBeforeItBegins()
    {
        QAsyncioLoop loop;
        QTest::failOnWarning(QRegularExpression(QStringLiteral("never awaited")));
        bool begun = false;
        bool cancelled = false;
        QString error;
        const auto body = [&]() -> Coroutine<> {
            begun = true;
            co_return;
        };
        std::thread([&] {
            auto future = run_coroutine_threadsafe(body(), loop); // the loop does not run yet
            cancelled = future.cancel();
            error = error_in([&] { return future.exception(); });
        }).join();
        QVERIFY(cancelled);
        QCOMPARE(error, "CancelledError");
        run_once(loop);
        run_once(loop);
        QVERIFY(!begun);
        loop.close();
    }

    // L-077
    void doneCallbacks()
    {
        QAsyncioLoop loop;
        std::promise<std::thread::id> called_in;
        bool at_once = false;
        static std::atomic<int> messages;
        messages = 0;
        const auto outer = qInstallMessageHandler(
            [](QtMsgType, const QMessageLogContext &, const QString &) { ++messages; });
        beside(loop, [&] {
            auto future = run_coroutine_threadsafe(number(1), loop);
            future.add_done_callback([&] { called_in.set_value(std::this_thread::get_id()); });
            called_in.get_future().wait();
            future.add_done_callback([&] { at_once = true; });
        });
        qInstallMessageHandler(outer);
        QVERIFY(at_once);
        QCOMPARE(messages.load(), 0);
        loop.close();
    }

    // L-077
    void severalDoneCallbacksRunInTheirOrder()
    {
        QAsyncioLoop loop;
        std::vector<int> order;
        auto future = run_coroutine_threadsafe(number(1), loop);
        for (int i = 0; i < 3; ++i)
            future.add_done_callback([&order, i] { order.push_back(i); });
        QCOMPARE(order, std::vector<int>());
        run_ready(loop);
        QVERIFY(future.done());
        QCOMPARE(order, std::vector<int>({0, 1, 2}));
        loop.close();
    }

    // L-077
    void aDoneCallbackThatThrowsIsLogged()
    {
        QAsyncioLoop loop;
        bool next = false;
        auto future = run_coroutine_threadsafe(number(1), loop);
        future.add_done_callback([] { throw ValueError(QStringLiteral("mine")); });
        future.add_done_callback([&] { next = true; });
        QTest::ignoreMessage(
            QtCriticalMsg,
            QRegularExpression(QStringLiteral(
                "exception calling callback for ConcurrentFuture: ValueError: mine")));
        run_ready(loop);
        QVERIFY(next);
        loop.close();
    }

    // L-077
    void aResultThatCanOnlyBeMovedIsTakenOnce()
    {
        QAsyncioLoop loop;
        const auto body = []() -> Coroutine<std::unique_ptr<int>> {
            co_return std::make_unique<int>(5);
        };
        int value = 0;
        QString error;
        beside(loop, [&] {
            auto future = run_coroutine_threadsafe(body(), loop);
            value = *future.result();
            error = error_in([&] { future.result(); });
        });
        QCOMPARE(value, 5);
        QCOMPARE(error, "RuntimeError: the result was moved out already");
        loop.close();
    }

    // L-049
    void aClosedLoopRefuses()
    {
        QAsyncioLoop loop;
        loop.close();
        QTest::failOnWarning(QRegularExpression(QStringLiteral("never awaited")));
        QCOMPARE(error_in([&] { return run_coroutine_threadsafe(number(1), loop); }),
                 "RuntimeError: Event loop is closed");
        auto used = number(1);
        used.close();
        QCOMPARE(error_in([&] { return run_coroutine_threadsafe(std::move(used), loop); }),
                 "RuntimeError: cannot reuse already awaited coroutine");
    }

    void closingTheLoopCancels()
    {
        QAsyncioLoop loop;
        const Reports reports(loop);
        ConcurrentFuture<int> begun;
        ConcurrentFuture<int> waiting;
        const auto body = []() -> Coroutine<int> {
            co_await sleep(1h);
            co_return 1;
        };
        std::thread([&] { begun = run_coroutine_threadsafe(body(), loop); }).join();
        run_once(loop);
        run_once(loop);
        std::thread([&] { waiting = run_coroutine_threadsafe(body(), loop); }).join();
        loop.close();
        QVERIFY(begun.cancelled() && waiting.cancelled());
        QCOMPARE(error_in([&] { begun.result(); }), "CancelledError");
    }

    void waitingForOnesOwnLoopIsRefused()
    {
        QAsyncioLoop loop;
        auto future = run_coroutine_threadsafe(number(1), loop);
        const QString refused =
            "RuntimeError: this would wait for its own event loop: await a task instead";
        QCOMPARE(error_in([&] { future.result(); }), refused);
        QCOMPARE(error_in([&] { future.result(1h); }), refused);
        QCOMPARE(error_in([&] { future.join(); }), refused);
        QCOMPARE(error_in([&] { return future.join(1h); }), refused);
        QCOMPARE(error_in([&] { future.result(0s); }), "TimeoutError"); // just a look
        QCOMPARE(error_in([&] { future.result(-1s); }), "TimeoutError");
        loop.run_until_complete([]() -> Coroutine<> { co_await sleep(1ms); }());
        QCOMPARE(future.result(), 1);
        QCOMPARE(future.result(1h), 1);
        QVERIFY(future.join(1h));
        loop.close();
    }

    // L-077
    void cancellingDuringAnEagerFirstStep()
    {
        QAsyncioLoop loop;
        loop.set_task_factory(eager_task_factory);
        std::promise<void> begun;
        std::promise<void> gate;
        std::promise<void> seen;
        const auto body = [&]() -> Coroutine<> {
            begun.set_value();
            gate.get_future().wait();
            try {
                co_await sleep(1h);
            } catch (const CancelledError &) {
                seen.set_value();
                throw;
            }
        };
        beside(loop, [&] {
            auto future = run_coroutine_threadsafe(body(), loop);
            begun.get_future().wait();
            future.cancel();
            gate.set_value();
            seen.get_future().wait();
        });
        loop.close();
    }

    // L-077
    void theLoopMayEndWithTheFuture()
    {
        std::promise<QAsyncioLoop *> made;
        std::promise<void> begun;
        std::thread thread([&] {
            QAsyncioLoop loop;
            const Reports reports(loop);
            made.set_value(&loop);
            loop.run_forever();
            loop.close();
        });
        QAsyncioLoop *loop = made.get_future().get();
        const auto body = [&begun]() -> Coroutine<> {
            begun.set_value();
            co_await sleep(1h);
        };
        auto future = run_coroutine_threadsafe(body(), *loop);
        begun.get_future().wait();
        future.add_done_callback([&] {
            loop->call_soon_threadsafe([loop] { loop->stop(); });
            thread.join();
        });
        QVERIFY(future.cancel()); // the loop is gone when the callback returns
    }

    // L-077
    void aTimeoutWithoutEnd()
    {
        QAsyncioLoop loop;
        int result = 0;
        beside(loop, [&] {
            result = run_coroutine_threadsafe(number(4), loop)
                         .result(std::chrono::nanoseconds::max());
        });
        QCOMPARE(result, 4);
        loop.close();
    }

    // L-077, T-025
    void aCoroutineThatCancelsItself()
    {
        QAsyncioLoop loop;
        const auto body = []() -> Coroutine<int> {
            current_task().cancel();
            co_await sleep(0s);
            co_return 1;
        };
        QString error;
        bool cancelled = false;
        beside(loop, [&] {
            auto future = run_coroutine_threadsafe(body(), loop);
            error = error_in([&] { future.result(); });
            cancelled = future.cancelled();
        });
        QCOMPARE(error, "CancelledError");
        QVERIFY(cancelled);
        loop.close();
    }

    // L-077, L-104
    void aTaskFactoryThatThrows()
    {
        QAsyncioLoop loop;
        const Reports reports(loop);
        QTest::failOnWarning(QRegularExpression(QStringLiteral("never awaited")));
        loop.set_task_factory([](QAsyncioLoop &, const TaskOptions &) -> TaskOptions {
            throw ValueError(QStringLiteral("factory"));
        });
        QString error;
        beside(loop, [&] {
            auto future = run_coroutine_threadsafe(number(1), loop);
            error = error_in([&] { future.result(); });
        });
        QCOMPARE(error, "ValueError: factory");
        QCOMPARE(reports.exceptions(), QStringList({"ValueError: factory"}));
        loop.close();
    }

    // L-077
    void aResultThatCannotBeMovedIsAnException()
    {
        QAsyncioLoop loop;
        const auto body = [](int moves) -> Coroutine<SurvivesMoves> {
            co_return SurvivesMoves(moves);
        };
        QStringList errors;
        beside(loop, [&] {
            for (int moves = 0; moves < 8; ++moves)
                errors << error_in([&] { run_coroutine_threadsafe(body(moves), loop).result(); });
        });
        QCOMPARE(errors.first(), "ValueError: broken on the way");
        errors.removeAll("ValueError: broken on the way");
        errors.removeAll(QString()); // it came through
        QCOMPARE(errors, QStringList());
        loop.close();
    }

    void joinWaitsForTheEndOfTheCoroutine()
    {
        QAsyncioLoop loop;
        std::atomic<bool> begun = false;
        std::atomic<int> alive = 0;
        struct Local
        {
            explicit Local(std::atomic<int> &count) : count(count) { ++count; }
            ~Local()
            {
                std::this_thread::sleep_for(10ms); // for whoever does not wait
                --count;
            }
            std::atomic<int> &count;
        };
        const auto body = [](std::atomic<bool> &begun, std::atomic<int> &alive) -> Coroutine<int> {
            const Local local(alive);
            begun = true;
            const bool cancelled = co_await is_cancelled_asleep();
            if (cancelled)
                co_await sleep(20ms);
            co_return 1;
        };
        bool in_time = true, later = false;
        int left = -1;
        beside(loop, [&] {
            auto future = run_coroutine_threadsafe(body(begun, alive), loop);
            while (!begun)
                std::this_thread::yield();
            in_time = future.join(1ms);
            future.cancel();
            future.join();
            left = alive;
            later = future.join(0ms);
        });
        QCOMPARE(in_time, false);
        QCOMPARE(left, 0);
        QCOMPARE(later, true);
        loop.close();
    }

    void joinTakesAnyDuration()
    {
        QAsyncioLoop loop;
        beside(loop, [&] {
            auto future = run_coroutine_threadsafe(number(1), loop);
            QVERIFY(future.join(std::chrono::hours::max()));
            QVERIFY(future.join(0.5s));
        });
        loop.close();
    }

    void joinOfOneThatNeverBegins()
    {
        QAsyncioLoop loop;
        auto future = run_coroutine_threadsafe(number(1), loop);
        QString error;
        try {
            future.join();
        } catch (const RuntimeError &refused) {
            error = refused.message();
        }
        QVERIFY(error.contains(u"its own event loop"));
        QCOMPARE(future.join(0ms), false);
        future.cancel();
        bool ended = false;
        beside(loop, [&] {
            future.join();
            ended = true;
        });
        QVERIFY(ended);
        loop.close();
    }

    void joinWhenTheLoopIsClosed()
    {
        auto loop = std::make_unique<QAsyncioLoop>();
        loop->set_exception_handler([](QAsyncioLoop &, const ExceptionContext &) { });
        auto future = run_coroutine_threadsafe(number(1), *loop);
        std::thread thread([&] { future.join(); });
        loop->close();
        loop.reset();
        thread.join();
        QVERIFY(future.cancelled());
    }

    void whileTheRunnerCleansUpNothingIsBegun()
    {
        std::promise<QAsyncioLoop *> cleaning;
        std::atomic<bool> asked{false};
        std::atomic<bool> ran{false};
        QString error;
        std::thread other([&] {
            QAsyncioLoop &loop = *cleaning.get_future().get();
            const auto body = [](std::atomic<bool> *ran) -> Coroutine<> {
                *ran = true;
                co_return;
            };
            auto future = run_coroutine_threadsafe(body(&ran), loop);
            asked = true;
            error = error_in([&] { future.result(); });
        });
        const auto stays = [&]() -> Coroutine<> {
            const bool cancelled = co_await is_cancelled_asleep();
            if (cancelled)
                cleaning.set_value(&get_running_loop());
            while (!asked)
                co_await sleep(1ms);
            co_await sleep(1ms);
        };
        const auto main = [&]() -> Coroutine<> {
            create_task(stays());
            co_await sleep(0s);
        };
        QAsyncio::run(main());
        other.join();
        QCOMPARE(error, "CancelledError");
        QVERIFY(!ran);
    }
};

QTEST_GUILESS_MAIN(tst_run_coroutine_threadsafe)
#include "tst_run_coroutine_threadsafe.moc"
