// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qelapsedtimer.h>

#include <limits>

namespace {

WaitOptions until(ReturnWhen when)
{
    return WaitOptions().return_when(when);
}

} // namespace

class tst_wait : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // G-020
    void anEmptyListIsRefusedAtTheAwait()
    {
        Test::run([&]() -> Coroutine<> {
            auto nothing = wait(std::vector<Future<int>>()); // not here
            QASYNCIO_COMPARE(co_await error_of(std::move(nothing)),
                             u"ValueError: Set of Tasks/Futures is empty."_s);
            // asyncio looks at the list first
            auto both = wait(std::vector<AnyTask>(), until(static_cast<ReturnWhen>(42)));
            QASYNCIO_COMPARE(co_await error_of(std::move(both)),
                             u"ValueError: Set of Tasks/Futures is empty."_s);
        });
    }

    // G-020
    void aValueThatIsNoReturnWhenIsRefused()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            auto waiting = wait(futures_of(loop, 1), until(static_cast<ReturnWhen>(42)));
            QASYNCIO_COMPARE(co_await error_of(std::move(waiting)),
                             u"ValueError: Invalid return_when value: 42"_s);
        });
    }

    // L-060
    void aTimeoutThatIsNoNumberIsRefused()
    {
        const std::chrono::duration<double> no_number(std::numeric_limits<double>::quiet_NaN());
        QVERIFY(
            error_in([&] { return WaitOptions().timeout(no_number); }).startsWith(u"ValueError"_s));
    }

    // G-020, G-012
    void futuresOfAnotherLoopAreRefusedAndLeftAlone()
    {
        QAsyncioLoop other(virtual_time());
        Future<int> foreign = other.create_future<int>();
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 1);
            futures.push_back(foreign);
            QASYNCIO_COMPARE(
                co_await error_of(wait(futures)),
                u"ValueError: The future belongs to a different loop than the one specified as the loop argument"_s);
            QASYNCIO_VERIFY(unheard(futures[0]) && unheard(foreign));
        });
        other.close();
    }

    // G-021
    void itGivesWhatIsDoneAndWhatIsPendingInTheOrderOfTheArguments()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 5);
            loop.call_later(1s, [&] {
                futures[4].set_result(4);
                futures[1].set_exception(ValueError(u"seen"_s));
                futures[3].cancel();
            });
            const auto [done, pending] = co_await wait(futures, WaitOptions().timeout(2s));
            QASYNCIO_COMPARE(done, (std::vector{futures[1], futures[3], futures[4]}));
            QASYNCIO_COMPARE(pending, (std::vector{futures[0], futures[2]}));
            QASYNCIO_COMPARE(error_in([&] { return futures[1].result(); }), u"ValueError: seen"_s);
            QASYNCIO_COMPARE(done[2].result(), 4);
        });
    }

    // G-021
    void tasksAndHandlesWithoutTypesAreWaitedForAsWell()
    {
        Test::run([&]() -> Coroutine<> {
            const std::vector<Task<int>> tasks{create_task(give(1, 1s)), create_task(give(2, 2s))};
            const WaitResult<Task<int>> first = co_await wait(tasks, until(FIRST_COMPLETED));
            QASYNCIO_COMPARE(first.done.size(), 1u);
            QASYNCIO_COMPARE(first.done.front().result(), 1);

            const std::vector<AnyTask> any_tasks{tasks[0], tasks[1], create_task(sleeper(1s))};
            const WaitResult<AnyTask> second = co_await wait(any_tasks, WaitOptions().timeout(0s));
            QASYNCIO_COMPARE(second.done.size(), 1u);
            QASYNCIO_COMPARE(second.pending.size(), 2u);

            const std::vector<AnyFuture> any_futures(any_tasks.begin(), any_tasks.end());
            const WaitResult<AnyFuture> third = co_await wait(any_futures);
            QASYNCIO_COMPARE(third.done, any_futures);
            QASYNCIO_COMPARE(third.pending.size(), 0u);
        });
    }

    // G-021
    void duplicatesCollapse()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 2);
            futures.push_back(futures[0]);
            futures.push_back(futures[1]);
            loop.call_later(1s, [&] { futures[1].set_result(1); });
            const auto early = co_await wait(futures, WaitOptions().timeout(2s));
            QASYNCIO_COMPARE(early.done, (std::vector{futures[1]}));
            QASYNCIO_COMPARE(early.pending, (std::vector{futures[0]}));
            loop.call_later(1s, [&] { futures[0].set_result(1); });
            const auto late = co_await wait(futures);
            QASYNCIO_COMPARE(late.done, (std::vector{futures[0], futures[1]}));
        });
    }

    // G-021
    void aTimeoutNeitherThrowsNorCancels()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Task<int>> tasks(1, create_task(give(1, 1h)));
            const TimePoint begin = loop.time();
            const auto [done, pending] = co_await wait(tasks, WaitOptions().timeout(5s));
            QASYNCIO_VERIFY(loop.time() - begin == 5s);
            QASYNCIO_COMPARE(done.size(), 0u);
            QASYNCIO_COMPARE(pending, tasks);
            QASYNCIO_COMPARE(tasks[0].cancelling(), 0);
            QASYNCIO_COMPARE(co_await tasks[0], 1);
        });
    }

    // G-021
    void withoutTimeItStillLetsATurnPass()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            for (const auto timeout : {0s, -5s}) {
                const TimePoint begin = loop.time();
                Task<int> task = create_task(give(1, 0s));
                std::vector<Future<int>> futures = futures_of(loop, 1);
                loop.call_soon([&] { futures[0].set_result(1); });
                const auto [done, pending] = co_await wait(futures, WaitOptions().timeout(timeout));
                QASYNCIO_COMPARE(done.size(), 1u);
                QASYNCIO_VERIFY(loop.time() == begin);
                co_await task;
            }
        });
    }

    // G-021
    void theLastTimeoutGivenCounts()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 1);
            loop.call_later(1h, [&] { futures[0].set_result(1); });
            const auto result = co_await wait(futures,
                                              WaitOptions().timeout(1s).timeout(std::nullopt));
            QASYNCIO_COMPARE(result.done.size(), 1u);
        });
    }

    // G-021, G-024
    void aCompletionInTheTurnOfTheTimeoutIsDone()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 2);
            loop.call_later(1s, [&] { futures[0].set_result(1); });
            const auto [done, pending] = co_await wait(futures, WaitOptions().timeout(1s));
            QASYNCIO_COMPARE(done, std::vector{futures[0]});
            QASYNCIO_COMPARE(pending, std::vector{futures[1]});
        });
    }

    void severalCompletionsInOneTurnReleaseTheWaiterOnce()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 3);
            loop.call_later(1s, [&] {
                futures[2].set_result(2);
                futures[1].set_result(1);
            });
            const auto result = co_await wait(futures, until(FIRST_COMPLETED));
            QASYNCIO_COMPARE(result.done, (std::vector{futures[1], futures[2]}));
        });
    }

    void aTimerThatIsNotNeededAnyMoreIsGone()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 1);
            loop.call_later(1s, [&] { futures[0].set_result(1); });
            const TimePoint begin = loop.time();
            co_await wait(futures, WaitOptions().timeout(1h));
            QASYNCIO_VERIFY(loop.time() - begin == 1s);
            co_await sleep(2h);
        });
    }

    void firstCompletedReturnsAtTheFirstOfAnyKind()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 2);
            loop.call_later(1s, [&] { futures[1].cancel(); });
            const auto cancelled = co_await wait(futures, until(FIRST_COMPLETED));
            QASYNCIO_COMPARE(cancelled.done, std::vector{futures[1]});
            QASYNCIO_COMPARE(cancelled.pending, std::vector{futures[0]});
            // one that is done already
            const auto again = co_await wait(futures, until(FIRST_COMPLETED));
            QASYNCIO_COMPARE(again.done, std::vector{futures[1]});
        });
    }

    // G-022
    void firstExceptionReturnsAtAFailureAndNotAtACancellation()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            std::vector<Future<int>> futures = futures_of(loop, 4);
            loop.call_later(1s, [&] { futures[0].set_result(1); });
            loop.call_later(2s, [&] { futures[1].cancel(u"no failure"_s); });
            loop.call_later(3s, [&] { futures[2].set_exception(ValueError(u"a failure"_s)); });
            const TimePoint begin = loop.time();
            const auto result = co_await wait(futures, until(FIRST_EXCEPTION));
            QASYNCIO_VERIFY(loop.time() - begin == 3s);
            QASYNCIO_COMPARE(result.done.size(), 3u);
            QASYNCIO_COMPARE(result.pending, std::vector{futures[3]});
            futures[2] = {};
            QASYNCIO_COMPARE(reports.list().join(u' '), QString());
        });
    }

    // G-022
    void firstExceptionWithoutAnyWaitsForAll()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 2);
            loop.call_later(1s, [&] { futures[0].cancel(); });
            loop.call_later(2s, [&] { futures[1].set_result(1); });
            const TimePoint begin = loop.time();
            const auto result = co_await wait(futures, until(FIRST_EXCEPTION));
            QASYNCIO_VERIFY(loop.time() - begin == 2s);
            QASYNCIO_COMPARE(result.pending.size(), 0u);
        });
    }

    void whatTheFuturesThrewIsStillTheirs()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            const auto all = [&]() -> Coroutine<> {
                const std::vector tasks{create_task(fail_with(u"one"_s)), create_task(give(2))};
                co_await wait(tasks);
            };
            co_await all();
            co_await turns(1);
            QASYNCIO_COMPARE(reports.list().join(u' '),
                             u"Task exception was never retrieved|ValueError: one"_s);
        });
    }

    // FIRST_EXCEPTION does not ask the last one for its exception: also if it is there twice.
    void theLastOneIsStillTheLastWhenGivenTwice()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            const auto all = [&]() -> Coroutine<> {
                const std::vector tasks(2, create_task(fail_with(u"one"_s)));
                co_await wait(tasks, until(FIRST_EXCEPTION));
            };
            co_await all();
            co_await turns(1);
            QASYNCIO_COMPARE(reports.list().join(u' '),
                             u"Task exception was never retrieved|ValueError: one"_s);
        });
    }

    // G-022, G-024: as asyncio has it
    void anExceptionThatComesWithTheTimeoutCountsAsRetrieved()
    {
        for (const ReturnWhen when : {FIRST_EXCEPTION, ALL_COMPLETED}) {
            QAsyncioLoop loop(virtual_time());
            const Reports reports(loop);
            const auto main = [&]() -> Coroutine<std::size_t> {
                std::vector<Future<>> futures{loop.create_future<>(), loop.create_future<>()};
                const auto waits = [&]() -> Coroutine<std::size_t> {
                    const WaitOptions options = until(when).timeout(1s);
                    co_return (co_await wait(futures, options)).done.size();
                };
                Task<std::size_t> waiting = create_task(waits());
                co_await turns(1);
                // behind the time-out, in its turn
                loop.call_later(1s, [&] { futures[0].set_exception(ValueError(u"one"_s)); });
                co_return co_await waiting;
            };
            QCOMPARE(loop.run_until_complete(main()), std::size_t(1));
            QCOMPARE(reports.list().join(u' '),
                     when == FIRST_EXCEPTION
                         ? QString()
                         : u"Future exception was never retrieved|ValueError: one"_s);
            loop.close();
        }
    }

    // G-022, G-024: as asyncio has it
    void anExceptionThatComesWithTheCancellationCountsAsRetrieved()
    {
        for (const ReturnWhen when : {FIRST_EXCEPTION, ALL_COMPLETED}) {
            for (const bool last : {false, true}) {
                QAsyncioLoop loop(virtual_time());
                const Reports reports(loop);
                Task<> waiting;
                const auto main = [&]() -> Coroutine<> {
                    std::vector<Future<>> futures{loop.create_future<>(), loop.create_future<>()};
                    const auto waits = [&]() -> Coroutine<> {
                        co_await wait(futures, until(when));
                    };
                    waiting = create_task(waits());
                    co_await turns(1);
                    waiting.cancel();
                    // behind the cancellation, in its turn
                    futures[0].set_exception(ValueError(u"one"_s));
                    if (last)
                        futures[1].set_exception(ValueError(u"two"_s));
                    co_await turns(2);
                };
                loop.run_until_complete(main());
                QVERIFY(waiting.cancelled());
                const QString report = u"Future exception was never retrieved|ValueError: "_s;
                const QString expected = when == ALL_COMPLETED
                    ? report + u"one"_s + (last ? u' ' + report + u"two"_s : QString())
                    : last ? report + u"two"_s
                           : QString();
                QCOMPARE(reports.list().join(u' '), expected);
                loop.close();
            }
        }
    }

    // G-023
    void cancellingTheWaiterLeavesTheFuturesAlone()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 3);
            futures[1].set_result(1);
            const auto body = [&]() -> Coroutine<> {
                co_await wait(futures, WaitOptions().timeout(1h));
            };
            Task<> waiter = create_task(body());
            co_await turns(3);
            QASYNCIO_COMPARE(unheard(futures[0]), false);
            waiter.cancel(u"enough"_s);
            QASYNCIO_COMPARE(co_await error_of(waiter), u"CancelledError: enough"_s);
            QASYNCIO_COMPARE(futures[0].done() || futures[2].done(), false);
            QASYNCIO_VERIFY(unheard(futures[0]) && unheard(futures[2]));
            co_await sleep(2h);
        });
    }

    // G-023
    void aWaiterThatIsCancelledAsAFutureIsDoneForgetsIt()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 1);
            const auto body = [&]() -> Coroutine<> { co_await wait(futures); };
            Task<> waiter = create_task(body());
            co_await turns(1);
            futures[0].set_result(1); // its callback is queued
            waiter.cancel();
            QASYNCIO_COMPARE(co_await error_of(waiter), u"CancelledError"_s);
            co_await turns(3);
        });
    }

    // G-024
    void doneHoldsAllThatFinishedUntilTheWaiterGoesOn()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 3);
            loop.call_later(1s, [&] {
                futures[2].set_result(2);
                // in the turn in which the waiter hears of the other
                loop.call_soon([&] { futures[0].set_result(0); });
            });
            const auto [done, pending] = co_await wait(futures, until(FIRST_COMPLETED));
            QASYNCIO_COMPARE(done, (std::vector{futures[0], futures[2]}));
            QASYNCIO_COMPARE(pending, std::vector{futures[1]});
        });
    }

    void severalTasksMayWaitForTheSameFutures()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 2);
            const auto body = [&](ReturnWhen when) -> Coroutine<std::size_t> {
                const auto result = co_await wait(futures, until(when));
                co_return result.done.size();
            };
            Task<std::size_t> one = create_task(body(FIRST_COMPLETED));
            Task<std::size_t> two = create_task(body(FIRST_COMPLETED));
            Task<std::size_t> all = create_task(body(ALL_COMPLETED));
            co_await turns(1);
            two.cancel();
            QASYNCIO_COMPARE(co_await error_of(two), u"CancelledError"_s);
            futures[1].set_result(1);
            QASYNCIO_COMPARE(co_await one, 1u);
            QASYNCIO_COMPARE(all.done(), false);
            futures[0].set_result(0);
            QASYNCIO_COMPARE(co_await all, 2u);
        });
    }

    void theDeathOfTheContextObjectEndsTheWait()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 2);
            auto object = std::make_unique<QObject>();
            const auto body = [&]() -> Coroutine<> {
                co_await wait(futures, WaitOptions().timeout(1h));
            };
            Task<> waiter = create_task(body(), TaskOptions().context(object.get()));
            co_await turns(1);
            futures[0].set_result(1);
            co_await turns(1); // one callback has run
            object.reset();
            QASYNCIO_COMPARE(waiter.cancelled(), true);
            QASYNCIO_VERIFY(unheard(futures[0]) && unheard(futures[1]));
            co_await sleep(2h);
        });
    }

    void closingTheLoopEndsTheWait()
    {
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        std::vector<Future<int>> futures = futures_of(loop, 2);
        const auto body = [&]() -> Coroutine<> {
            co_await wait(futures, WaitOptions().timeout(1h));
        };
        loop.create_task(body());
        run_ready(loop);
        futures[0].set_result(1); // a callback is queued
        loop.close();
        QCOMPARE(reports.list().size(), 1);
        QVERIFY(unheard(futures[1]));
        QCOMPARE(futures[1].done(), false);
    }

    void waitingForManyTakesTimeInProportion()
    {
        Test::run([&]() -> Coroutine<> {
            std::vector<Task<>> many;
            for (int i = 0; i < 20'000; ++i)
                many.push_back(create_task(turns(1)));
            QElapsedTimer timer;
            timer.start();
            const auto result = co_await wait(many);
            QASYNCIO_COMPARE(result.done, many);
            QASYNCIO_VERIFY(timer.elapsed() < 5'000);
        });
    }

    // G-022
    void firstExceptionReturnsAtOnceForOneThatHasFailed()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 2);
            futures[1].set_exception(ValueError(u"before"_s));
            const TimePoint begin = loop.time();
            const auto result = co_await wait(futures, until(FIRST_EXCEPTION).timeout(1h));
            QASYNCIO_VERIFY(loop.time() == begin);
            QASYNCIO_COMPARE(result.done, std::vector{futures[1]});
            QASYNCIO_COMPARE(result.pending, std::vector{futures[0]});
            QASYNCIO_COMPARE(describe(futures[1].exception()), u"ValueError: before"_s);
        });
    }
};

QTEST_GUILESS_MAIN(tst_wait)
#include "tst_wait.moc"
