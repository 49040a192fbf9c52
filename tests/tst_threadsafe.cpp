// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <QtCore/qabstracteventdispatcher.h>
#include <QtCore/qcoreapplication.h>
#include <QtCore/qstringlist.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <limits>
#include <thread>
#include <utility>


/// call_soon_threadsafe() and its handles.
class tst_threadsafe : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // L-074, H-47
    void wakesAnIdleLoop()
    {
        // At once: a busy machine may hold up some calls, a loop that sleeps on holds up all.
        QAsyncioLoop loop;
        auto least = std::chrono::nanoseconds::max();
        for (int attempt = 0; attempt < 10; ++attempt) {
            std::thread thread;
            bool woken = false;
            std::atomic<bool> idle{false};
            loop.call_soon([&] {
                thread = std::thread([&] {
                    while (!idle)
                        std::this_thread::yield();
                    const TimePoint called = loop.time();
                    loop.call_soon_threadsafe([&, called] {
                        woken = true;
                        least = std::min(least, loop.time() - called);
                        loop.stop();
                    });
                });
                loop.call_later(1ms, [&] { idle = true; }); // nothing is left to do now
            });
            loop.run_forever();
            thread.join();
            QVERIFY(woken);
        }
        QVERIFY2(least < 10ms, qPrintable(QString::number(least.count())));
        loop.close();
    }

    // L-074
    void twoThreadsMayWakeItTogether()
    {
        QAsyncioLoop loop;
        constexpr int rounds = 10'000; // the two meet in one of some hundred
        std::atomic<int> round{0};
        int calls = 0;
        const auto caller = [&] {
            for (int i = 1; i <= rounds; ++i) {
                while (round < i)
                    std::this_thread::yield();
                loop.call_soon_threadsafe([&] {
                    if (++calls == 2 * rounds)
                        loop.stop();
                });
            }
        };
        // The loop sleeps when Qt is about to block: then both may call.
        const auto begin_round = connect(QAbstractEventDispatcher::instance(),
                                         &QAbstractEventDispatcher::aboutToBlock, [&] {
                                             if (calls % 2 == 0)
                                                 round = calls / 2 + 1;
                                         });
        int calls_before = -1;
        const std::function<void()> look_for_a_stall = [&] {
            if (std::exchange(calls_before, calls) == calls)
                loop.stop();
            else
                loop.call_later(20s, look_for_a_stall);
        };
        look_for_a_stall();
        std::array threads{std::thread(caller), std::thread(caller)};
        loop.run_forever();
        disconnect(begin_round);
        round = std::numeric_limits<int>::max();
        for (std::thread &thread : threads)
            thread.join();
        QCOMPARE(calls, 2 * rounds);
        loop.close();
    }

    // L-074, H-47
    void twentyThousandFromFourThreadsArriveInOrder()
    {
        QAsyncioLoop loop;
        constexpr int per_thread = 5000;
        std::vector<std::vector<int>> seen(4);
        int left = 4 * per_thread;
        std::vector<std::thread> threads;
        for (size_t t = 0; t < 4; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < per_thread; ++i) {
                    loop.call_soon_threadsafe([&, t, i] {
                        seen[t].push_back(i);
                        if (--left == 0)
                            loop.stop();
                    });
                }
            });
        }
        loop.run_forever();
        for (std::thread &thread : threads)
            thread.join();
        for (const std::vector<int> &numbers : seen) {
            QCOMPARE(int(numbers.size()), per_thread);
            QVERIFY(std::is_sorted(numbers.begin(), numbers.end()));
        }
        loop.close();
    }

    // L-074
    void callsFromTheLoopsOwnThreadKeepTheOrder()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        loop.call_soon([&] { log << "1"; });
        loop.call_soon_threadsafe([&] { log << "2"; });
        loop.call_soon([&] { log << "3"; });
        run_once(loop);
        QCOMPARE(log, QStringList({"1", "2", "3"}));
        loop.close();
    }

    // H-49
    void callsBeforeTheRunAreKept()
    {
        QAsyncioLoop loop(virtual_time());
        int runs = 0;
        std::thread([&] {
            for (int i = 0; i < 100; ++i)
                loop.call_soon_threadsafe([&] { ++runs; });
        }).join();
        QCOMPARE(runs, 0);
        run_once(loop);
        QCOMPARE(runs, 100);
        loop.close();
    }

    void oneThatComesWithTheEndOfTheRunWaitsForTheNext()
    {
        QAsyncioLoop loop;
        int calls = 0;
        loop.call_soon([&] {
            loop.stop();
            // Qt has a wake-up for it
            std::thread([&] { loop.call_soon_threadsafe([&] { ++calls; }); }).join();
        });
        loop.run_forever();
        for (int i = 0; i < 5; ++i)
            QCoreApplication::processEvents();
        QCOMPARE(calls, 0);
        run_once(loop);
        QCOMPARE(calls, 1);
        loop.close();
    }

    // L-073, H-48
    void theHandleCanBeCancelledFromAnyThread()
    {
        QAsyncioLoop loop(virtual_time());
        std::atomic<int> runs{0};
        const auto token = std::make_shared<int>();
        std::thread([&] {
            Handle handle = loop.call_soon_threadsafe([&runs, token] { ++runs; });
            Handle copy = handle;
            std::thread([copy]() mutable { copy.cancel(); }).join();
            QVERIFY(handle.cancelled());
        }).join();
        QCOMPARE(token.use_count(), 1L);
        run_once(loop);
        QCOMPARE(runs.load(), 0);
        loop.close();
    }

    // L-073
    void cancelWaitsForACallbackThatRuns()
    {
        QAsyncioLoop loop;
        std::atomic<bool> running{false};
        std::atomic<bool> cancelling{false};
        std::atomic<bool> ended{false};
        bool ended_before_cancel_returned = false;
        Handle handle = loop.call_soon_threadsafe([&] {
            running = true;
            while (!cancelling)
                std::this_thread::yield();
            for (int i = 0; i < 1000; ++i)
                std::this_thread::yield();
            ended = true;
            loop.stop();
        });
        std::thread canceller([&] {
            while (!running)
                std::this_thread::yield();
            cancelling = true;
            handle.cancel();
            ended_before_cancel_returned = ended;
        });
        loop.run_forever();
        canceller.join();
        QVERIFY(ended_before_cancel_returned);
        QVERIFY(handle.cancelled());
        loop.close();
    }

    void cancelFromAnotherThreadAfterTheRunOnlySetsCancelled()
    {
        QAsyncioLoop loop(virtual_time());
        int runs = 0;
        Handle handle = loop.call_soon_threadsafe([&] { ++runs; });
        run_once(loop);
        QVERIFY(!handle.cancelled());
        std::thread([&] {
            handle.cancel();
            handle.cancel();
        }).join();
        QVERIFY(handle.cancelled());
        run_once(loop);
        QCOMPARE(runs, 1);
        loop.close();
    }

    void severalMayCancelACallbackThatRuns()
    {
        QAsyncioLoop loop;
        for (int round = 0; round < 20; ++round) {
            std::atomic<int> cancelling{0};
            std::atomic<bool> running{false};
            std::atomic<bool> ended{false};
            std::atomic<int> too_early{0};
            Handle handle = loop.call_soon_threadsafe([&] {
                running = true;
                while (cancelling < 3)
                    std::this_thread::yield();
                for (int i = 0; i < 100; ++i)
                    std::this_thread::yield();
                ended = true;
                loop.stop();
            });
            std::vector<std::thread> threads;
            for (int i = 0; i < 3; ++i) {
                threads.emplace_back([&, own = handle]() mutable {
                    while (!running)
                        std::this_thread::yield();
                    ++cancelling;
                    own.cancel();
                    too_early += !ended;
                });
            }
            loop.run_forever();
            for (std::thread &thread : threads)
                thread.join();
            QCOMPARE(too_early.load(), 0);
            QVERIFY(handle.cancelled());
        }
        loop.close();
    }

    // L-062, H-48
    void givesTheContextOfTheCaller()
    {
        static ContextVar<int> var(QStringLiteral("var"), 0);
        QAsyncioLoop loop(virtual_time());
        int implicit = -1;
        int given = -1;
        std::thread([&] {
            Context().run([&] {
                var.set(3);
                loop.call_soon_threadsafe([&] { implicit = var.get(); });
                Context own;
                own.run([] { var.set(4); });
                loop.call_soon_threadsafe([&] { given = var.get(); }, own);
            });
        }).join();
        run_once(loop);
        QCOMPARE(implicit, 3);
        QCOMPARE(given, 4);
        loop.close();
    }

    // L-075, H-48
    void throwsInTheCallingThreadAfterClose()
    {
        QAsyncioLoop loop(virtual_time());
        loop.close();
        const auto token = std::make_shared<int>();
        QString error;
        std::thread([&] {
            error = error_in([&] { loop.call_soon_threadsafe([token] { }); });
        }).join();
        QCOMPARE(error, "RuntimeError: Event loop is closed");
        QCOMPARE(token.use_count(), 1L);
    }

    // L-076
    void closingWhileThreadsCallLosesNothingSilently()
    {
        for (int round = 0; round < 20; ++round) {
            QAsyncioLoop loop;
            const auto token = std::make_shared<int>();
            std::atomic<int> accepted{0};
            std::atomic<int> refused{0};
            std::vector<std::thread> threads;
            for (int t = 0; t < 2; ++t) {
                threads.emplace_back([&] {
                    for (int i = 0; i < 200; ++i) {
                        try {
                            loop.call_soon_threadsafe([token] { });
                            ++accepted;
                        } catch (const RuntimeError &) {
                            ++refused;
                        }
                    }
                });
            }
            run_once(loop);
            loop.close();
            for (std::thread &thread : threads)
                thread.join();
            QCOMPARE(accepted + refused, 400);
            QCOMPARE(token.use_count(), 1L); // what was accepted has run or was dropped
        }
    }

    // T-030
    void aTaskIsCancelledFromAnotherThread()
    {
        QAsyncioLoop loop;
        const auto nap = []() -> Coroutine<> { co_await sleep(1h); };
        auto task = loop.create_task(nap());
        std::thread canceller(
            [&loop, task] { loop.call_soon_threadsafe([task]() mutable { task.cancel(); }); });
        QCOMPARE(error_in([&] { loop.run_until_complete(task); }), "CancelledError");
        canceller.join();
        loop.close();
    }

    // F-012
    void handlesOnFuturesMayDieInOtherThreads()
    {
        QAsyncioLoop loop;
        const Reports reports(loop);
        auto alive = std::make_shared<int>();
        for (int i = 0; i < 100; ++i) {
            auto future = loop.create_future<std::shared_ptr<int>>();
            future.set_result(alive);
            auto failed = loop.create_future<void>();
            failed.set_exception(ValueError(QStringLiteral("lost")));
            auto task = loop.create_task(
                [](std::shared_ptr<int> result) -> Coroutine<std::shared_ptr<int>> {
                    co_return result;
                }(alive));
            run_once(loop);
            std::thread([held = std::move(future), lost = std::move(failed),
                         ended = std::move(task)] {
            }).join();
        }
        run_once(loop); // they come home to die
        QCOMPARE(alive.use_count(), 1L);
        QCOMPARE(int(reports.list().size()), 100);
        loop.close();
    }

    void whatComesAtTheEndOfASliceIsNotForgotten()
    {
        // over when it is looked at, after a few callbacks
        QAsyncioLoop loop(LoopOptions().time_slice(0s));
        for (int count = 1; count <= 20; ++count) {
            int calls = 0;
            for (int i = 0; i < count; ++i) {
                loop.call_soon([&] {
                    if (++calls == count) // the last one: nothing else keeps the loop awake
                        std::thread([&] {
                            loop.call_soon_threadsafe([&] { loop.stop(); });
                        }).join();
                });
            }
            loop.run_forever();
            QCOMPARE(calls, count);
        }
        loop.close();
    }
};

QTEST_GUILESS_MAIN(tst_threadsafe)
#include "tst_threadsafe.moc"
