// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <algorithm>
#include <limits>
#include <thread>

namespace {

/// Coroutines that give their number after as many seconds.
std::vector<Coroutine<int>> after_seconds(std::vector<int> numbers)
{
    std::vector<Coroutine<int>> coroutines;
    for (const int number : numbers)
        coroutines.push_back(give(number, std::chrono::seconds(number)));
    return coroutines;
}

/// What all that is left gives: "1 2 ValueError: text".
template<class T>
Coroutine<QString> rest_of(AsCompleted<T> &completed)
{
    QStringList log;
    for (auto awaitable : completed) {
        QString word;
        try {
            word = QString::number(co_await std::move(awaitable));
        } catch (...) {
            word = describe(std::current_exception());
        }
        log << word;
    }
    co_return log.join(u' ');
}

} // namespace

class tst_as_completed : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // G-025
    void resultsComeInTheOrderOfCompletion()
    {
        static_assert(std::input_iterator<AsCompleted<int>::Iterator>);
        static_assert(!std::is_copy_constructible_v<AsCompleted<int>>);
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            QStringList log;
            for (auto awaitable : as_completed(after_seconds({3, 1, 2}))) {
                const int value = co_await std::move(awaitable);
                log << QString::number(value);
                QASYNCIO_VERIFY(loop.time() - begin == std::chrono::seconds(value));
            }
            QASYNCIO_COMPARE(log.join(u' '), u"1 2 3"_s);
        });
    }

    // G-025
    void nextGivesTheOriginalFuturesAndTasks()
    {
        Test::run([&]() -> Coroutine<> {
            const std::vector<Task<int>> tasks{create_task(give(3, 3s)), create_task(give(1, 1s)),
                                               create_task(give(2, 2s))};
            auto completed = as_completed(tasks);
            std::vector<AnyFuture> order;
            while (auto next = co_await completed.next()) {
                static_assert(std::is_same_v<decltype(next), std::optional<Future<int>>>);
                QASYNCIO_COMPARE(next->done(), true);
                order.push_back(*next);
            }
            QASYNCIO_COMPARE(order, (std::vector<AnyFuture>{tasks[1], tasks[2], tasks[0]}));
            const auto more = co_await completed.next();
            QASYNCIO_COMPARE(more.has_value(), false);
        });
    }

    // G-025
    void ofNothingThereIsNothing()
    {
        Test::run([&]() -> Coroutine<> {
            auto none = as_completed(std::vector<Future<int>>(), 5s);
            const auto next = co_await none.next();
            QASYNCIO_COMPARE(next.has_value(), false);
            QASYNCIO_VERIFY(none.begin() == none.end());
            QASYNCIO_COMPARE(co_await rest_of(none), QString());
        });
    }

    // G-025
    void aFutureThatIsGivenTwiceCountsOnce()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 1);
            futures.push_back(futures[0]);
            auto completed = as_completed(futures);
            futures[0].set_result(1);
            QASYNCIO_COMPARE(co_await rest_of(completed), u"1"_s);
        });
    }

    // G-025
    void whatIsDoneInOneTurnComesInTheOrderOfTheArguments()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 3);
            for (int i = 2; i >= 0; --i)
                futures[i].set_result(i);
            auto completed = as_completed(futures);
            QASYNCIO_COMPARE(co_await rest_of(completed), u"0 1 2"_s);
        });
    }

    // G-025
    void aFailureIsThrownInItsTurn()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            std::vector<Coroutine<int>> coroutines = after_seconds({3, 1});
            coroutines.push_back(fail_with(u"wrong"_s, 2s));
            auto completed = as_completed(std::move(coroutines));
            QASYNCIO_COMPARE(co_await rest_of(completed), u"1 ValueError: wrong 3"_s);
            QASYNCIO_COMPARE(reports.list().join(u' '), QString());
        });
    }

    // G-025
    void nextDoesNotThrowWhatTheFutureThrows()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 2);
            auto completed = as_completed(futures);
            futures[1].set_exception(ValueError(u"wrong"_s));
            futures[0].cancel(u"no"_s);
            auto failed = co_await completed.next();
            QASYNCIO_VERIFY(*failed == futures[1]);
            QASYNCIO_COMPARE(co_await error_of(*failed), u"ValueError: wrong"_s);
            auto cancelled = co_await completed.next();
            QASYNCIO_COMPARE(cancelled->cancelled(), true);
        });
    }

    // G-025
    void afterTheTimeoutEachOneThatIsLeftThrows()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Task<int>> tasks;
            for (auto &coroutine : after_seconds({5, 1, 4}))
                tasks.push_back(create_task(std::move(coroutine)));
            const TimePoint begin = loop.time();
            auto completed = as_completed(tasks, 2s);
            QASYNCIO_COMPARE(co_await wait_for(rest_of(completed), 1h),
                             u"1 TimeoutError TimeoutError"_s);
            QASYNCIO_VERIFY(loop.time() - begin == 2s);
            QASYNCIO_VERIFY(tasks[0].cancelling() == 0 && !tasks[2].done());
            co_await sleep(3s);
            QASYNCIO_COMPARE(tasks[0].result() + tasks[2].result(), 9);
        });
    }

    // G-025
    void afterTheTimeoutNextThrowsForEachOneThatIsLeft()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 3);
            futures[1].set_result(1);
            const TimePoint begin = loop.time();
            auto completed = as_completed(futures, 0s);
            const auto first = co_await completed.next();
            QASYNCIO_VERIFY(*first == futures[1]);
            QASYNCIO_COMPARE(co_await error_of(completed.next()), u"TimeoutError"_s);
            QASYNCIO_VERIFY(unheard(futures[0]) && unheard(futures[2]));
            futures[0].set_result(0); // too late
            QASYNCIO_COMPARE(co_await error_of(wait_for(completed.next(), 1h)), u"TimeoutError"_s);
            QASYNCIO_VERIFY(loop.time() == begin);
            const auto last = co_await completed.next();
            QASYNCIO_COMPARE(last.has_value(), false);
        });
    }

    // G-025
    void aCompletionThatTheTimeoutOvertakesIsTooLate()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 2);
            // it is heard of a turn later, behind the time-out
            loop.call_later(1s, [&] { futures[0].set_result(0); });
            auto completed = as_completed(futures, 1s);
            QASYNCIO_COMPARE(co_await wait_for(rest_of(completed), 1h),
                             u"TimeoutError TimeoutError"_s);
            co_await turns(2);
        });
    }

    void withoutALimitItTakesAsLongAsItTakes()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            auto completed = as_completed(after_seconds({3600}), std::nullopt);
            QASYNCIO_COMPARE(co_await rest_of(completed), u"3600"_s);
            auto in_time = as_completed(after_seconds({1}), 1h);
            QASYNCIO_COMPARE(co_await rest_of(in_time), u"1"_s);
            QASYNCIO_VERIFY(loop.time() - begin == 3601s);
            co_await sleep(2h); // no timer is left
        });
    }

    void whatCannotBeWaitedForIsRefused()
    {
        QAsyncioLoop other(virtual_time());
        const std::vector<Future<int>> foreign = futures_of(other, 1);
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QASYNCIO_COMPARE(
                error_in([&] { as_completed(foreign); }),
                u"ValueError: The future belongs to a different loop than the one specified as the loop argument"_s);
            const std::chrono::duration<double> no_number(std::numeric_limits<double>::quiet_NaN());
            const std::vector<Future<int>> futures = futures_of(loop, 1);
            const QString error = error_in([&] { as_completed(futures, no_number); });
            QASYNCIO_VERIFY(error.startsWith(u"ValueError"_s) && unheard(futures[0]));
            co_return;
        });
        QCOMPARE(error_in([&] { as_completed(foreign); }),
                 u"RuntimeError: no running event loop"_s);
        other.close();
    }

    void whoIsCancelledLosesNothingButItsTurn()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 3);
            auto completed = as_completed(futures);
            const auto body = [&]() -> Coroutine<int> {
                co_return co_await *co_await completed.next();
            };
            Task<int> first = create_task(body());
            Task<int> second = create_task(body());
            co_await turns(1);
            futures[2].set_result(2);
            co_await turns(1); // the first in the line has been called
            first.cancel(u"enough"_s);
            QASYNCIO_COMPARE(co_await error_of(first), u"CancelledError: enough"_s);
            QASYNCIO_COMPARE(co_await wait_for(second, 1h), 2);
        });
    }

    void whoIsCancelledInTheLineIsPassedOver()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 3);
            auto completed = as_completed(futures);
            const auto body = [&]() -> Coroutine<int> {
                co_return co_await *co_await completed.next();
            };
            Task<int> first = create_task(body());
            Task<int> second = create_task(body());
            co_await turns(1);
            first.cancel();
            futures[2].set_result(2); // in one turn
            QASYNCIO_COMPARE(co_await wait_for(second, 1h), 2);
            QASYNCIO_COMPARE(first.cancelled(), true);
        });
    }

    void severalTasksTakeTheResultsInTheOrderOfTheirAwaits()
    {
        Test::run([&]() -> Coroutine<> {
            auto completed = as_completed(after_seconds({2, 3, 1}));
            std::vector<Task<int>> tasks;
            for (auto awaitable : completed)
                tasks.push_back(create_task(std::move(awaitable)));
            QASYNCIO_COMPARE(tasks.size(), 3u);
            const std::vector<int> values = co_await gather(tasks);
            QASYNCIO_COMPARE(values, (std::vector{1, 2, 3}));
        });
    }

    void leavingEarlyLeavesTheRestRunning()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 3);
            futures[0].set_result(0);
            for (auto awaitable : as_completed(futures, 1h)) {
                QASYNCIO_COMPARE(co_await std::move(awaitable), 0);
                QASYNCIO_COMPARE(unheard(futures[1]), false);
                futures[2].set_result(2); // its callback is queued
                break;
            }
            QASYNCIO_VERIFY(unheard(futures[1]));
            QASYNCIO_COMPARE(futures[1].done(), false);
            co_await sleep(2h);
        });
    }

    void anAwaitableOutlivesTheIteration()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 2);
            const auto first_of = [&]() { return *as_completed(futures).begin(); };
            Coroutine<int> awaitable = first_of();
            loop.call_later(1s, [&] { futures[1].set_result(1); });
            QASYNCIO_COMPARE(co_await std::move(awaitable), 1);
            QASYNCIO_VERIFY(unheard(futures[0]));
        });
    }

    void resultsAreNotKept()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<std::shared_ptr<int>>> futures{
                loop.create_future<std::shared_ptr<int>>(),
                loop.create_future<std::shared_ptr<int>>()};
            const auto value = std::make_shared<int>(1);
            futures[0].set_result(value);
            auto completed = as_completed(futures);
            futures.erase(futures.begin());
            const auto get = [&]() -> Coroutine<> { co_await *completed.begin(); };
            co_await get();
            QASYNCIO_COMPARE(value.use_count(), 1);
        });
    }

    void moveOnlyResultsAndNoneAtAll()
    {
        Test::run([&]() -> Coroutine<> {
            const auto unique = [](int value) -> Coroutine<std::unique_ptr<int>> {
                co_return std::make_unique<int>(value);
            };
            std::vector<Coroutine<std::unique_ptr<int>>> coroutines;
            coroutines.push_back(unique(1));
            coroutines.push_back(unique(2));
            int sum = 0;
            for (auto awaitable : as_completed(std::move(coroutines))) {
                const std::unique_ptr<int> value = co_await std::move(awaitable);
                sum += *value;
            }
            QASYNCIO_COMPARE(sum, 3);
            std::vector<Coroutine<>> silent;
            silent.push_back(turns(2));
            for (auto awaitable : as_completed(std::move(silent)))
                co_await std::move(awaitable);
        });
    }

    void theDeathOfTheContextObjectEndsTheIteration()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 2);
            auto object = std::make_unique<QObject>();
            const auto body = [&]() -> Coroutine<> {
                for (auto awaitable : as_completed(futures, 1h))
                    co_await std::move(awaitable);
            };
            Task<> task = create_task(body(), TaskOptions().context(object.get()));
            co_await turns(1);
            object.reset();
            QASYNCIO_COMPARE(task.cancelled(), true);
            QASYNCIO_VERIFY(unheard(futures[0]) && unheard(futures[1]));
            co_await sleep(2h);
        });
    }

    void aTimerThatIsNotNeededAnyMoreIsGone()
    {
        for (const int count : {0, 3}) {
            Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
                std::vector<Future<int>> futures = futures_of(loop, count);
                auto completed = as_completed(futures, 1h);
                for (Future<int> &future : futures)
                    future.set_result(1);
                QASYNCIO_COMPARE((co_await rest_of(completed)).count(u'1'), count);
                const TimePoint begin = loop.time();
                Future<> called = loop.create_future<>();
                // of which the clock does not know: it would go on to the next timer
                std::thread other([&] {
                    QThread::msleep(20);
                    loop.call_soon_threadsafe([&] { called.set_result(); });
                });
                co_await called;
                other.join();
                QASYNCIO_VERIFY(loop.time() == begin);
            });
        }
    }

    void whoDiesInTheLineDoesNotDisturbTheOrder()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            std::vector<Future<int>> futures = futures_of(loop, 4);
            auto completed = as_completed(futures);
            const auto body = [&](QString name) -> Coroutine<> {
                const auto next = co_await completed.next();
                log << name + QString::number(next->result());
            };
            auto object = std::make_unique<QObject>();
            Task<> first = create_task(body(u"a"_s));
            create_task(body(u"b"_s), TaskOptions().context(object.get()));
            Task<> third = create_task(body(u"c"_s));
            Task<> fourth = create_task(body(u"d"_s));
            co_await turns(1);
            // the first is called, but has not gone on
            futures[0].add_done_callback([&] { object.reset(); });
            futures[0].set_result(1);
            co_await turns(3);
            futures[1].set_result(2);
            futures[2].set_result(3);
            co_await gather(first, third, fourth);
            QASYNCIO_COMPARE(log.join(u' '), u"a1 c2 d3"_s);
        });
    }

    void whoDiesAfterHavingBeenCalledLetsTheNextOneGo()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 2);
            auto completed = as_completed(futures);
            const auto body = [&]() -> Coroutine<int> {
                co_return co_await *co_await completed.next();
            };
            auto object = std::make_unique<QObject>();
            Task<int> first = create_task(body(), TaskOptions().context(object.get()));
            Task<int> second = create_task(body());
            co_await turns(1);
            futures[0].set_result(7);
            co_await turns(1);
            object.reset();
            QASYNCIO_COMPARE(co_await wait_for(second, 1h), 7);
        });
    }

    void whoDiesWhenNothingIsLeftLetsTheOthersKeepTheirPlaces()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 4);
            auto completed = as_completed(futures);
            const auto body = [&]() -> Coroutine<int> {
                co_return co_await *co_await completed.next();
            };
            auto object = std::make_unique<QObject>();
            Task<int> first = create_task(body(), TaskOptions().context(object.get()));
            Task<int> second = create_task(body());
            Task<int> third = create_task(body());
            co_await turns(1);
            futures[0].set_result(7);
            co_await turns(1);                    // the first has been called,
            QASYNCIO_COMPARE(co_await body(), 7); // but comes too late
            object.reset();
            co_await turns(2);
            futures[1].set_result(8);
            QASYNCIO_COMPARE(co_await wait_for(second, 1h), 8);
            futures[2].set_result(9);
            QASYNCIO_COMPARE(co_await wait_for(third, 1h), 9);
        });
    }

    void closingTheLoopEndsTheIteration()
    {
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        std::vector<Future<int>> futures = futures_of(loop, 2);
        const auto body = [&]() -> Coroutine<> {
            auto completed = as_completed(futures, 1h);
            while (const auto next = co_await completed.next()) {
            }
        };
        loop.create_task(body());
        run_ready(loop);
        futures[0].set_result(1); // a callback is queued
        loop.close();
        QCOMPARE(reports.list().size(), 1);
        QVERIFY(unheard(futures[1]));
    }

    // G-025
    void anIterationThatWasLeftCanBeResumed()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            auto completed = as_completed(after_seconds({4, 3, 2, 1}));
            for (auto awaitable : completed) {
                const int value = co_await std::move(awaitable);
                log << QString::number(value);
                if (value == 2)
                    break;
            }
            QASYNCIO_COMPARE(log.join(u' '), u"1 2"_s);
            QASYNCIO_COMPARE(co_await rest_of(completed), u"3 4"_s);
        });
    }

    /// Were the line searched for each of them, this would take minutes.
    void manyWhoWaitMayBeCancelled()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            constexpr int count = 50'000;
            for (const bool from_the_front : {true, false}) {
                const std::vector<Future<int>> futures = futures_of(loop, count);
                auto completed = as_completed(futures);
                std::vector<Task<int>> waiting;
                for (auto awaitable : completed)
                    waiting.push_back(create_task(std::move(awaitable)));
                co_await turns(2);
                if (!from_the_front)
                    std::reverse(waiting.begin(), waiting.end());
                for (Task<int> &task : waiting)
                    task.cancel();
                co_await turns(3);
                QASYNCIO_VERIFY(std::all_of(waiting.begin(), waiting.end(),
                                            [](const auto &task) { return task.cancelled(); }));
            }
        });
    }

    // G-025
    void whoAwaitsFirstGetsTheFirst()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Coroutine<int>> awaitables;
            const TimePoint begin = loop.time();
            auto completed = as_completed(after_seconds({1, 2}));
            for (auto awaitable : completed)
                awaitables.push_back(std::move(awaitable));
            QASYNCIO_COMPARE(co_await std::move(awaitables[1]), 1);
            QASYNCIO_VERIFY(loop.time() - begin == 1s);
            QASYNCIO_COMPARE(co_await std::move(awaitables[0]), 2);
            QASYNCIO_VERIFY(loop.time() - begin == 2s);
        });
    }
};

QTEST_GUILESS_MAIN(tst_as_completed)
#include "tst_as_completed.moc"
