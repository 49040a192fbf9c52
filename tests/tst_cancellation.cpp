// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <algorithm>

namespace {
Coroutine<int> value_of(Future<int> future)
{
    co_return co_await future;
}

AsyncGenerator<int> numbers_after(std::chrono::nanoseconds delay)
{
    co_await sleep(delay);
    co_yield 1;
}

struct Await
{
    const char *name;
    std::function<Coroutine<>()> body; // awaits something that does not come within an hour
};

const std::vector<Await> awaits{
    {"sleep", []() -> Coroutine<> { co_await sleep(1h); }},
    {"a future", []() -> Coroutine<> { co_await get_running_loop().create_future<int>(); }},
    {"a coroutine", []() -> Coroutine<> { co_await sleeper(); }},
    {"a task", []() -> Coroutine<> { co_await create_task(sleeper()); }},
    {"gather", []() -> Coroutine<> { co_await gather(sleeper(), give(1, 2h)); }},
    {"gather of exceptions as results",
     []() -> Coroutine<> { co_await gather(return_exceptions, sleeper()); }},
    {"race", []() -> Coroutine<> { co_await race(sleeper(), give(1, 2h)); }},
    {"shield", []() -> Coroutine<> { co_await shield(sleeper()); }},
    {"wait",
     []() -> Coroutine<> {
         const std::vector<Task<>> tasks(1, create_task(sleeper()));
         co_await wait(tasks);
     }},
    {"wait_for", []() -> Coroutine<> { co_await wait_for(sleeper(), 2h); }},
    {"timeout",
     []() -> Coroutine<> {
         co_await timeout(2h, [](Timeout &) -> Coroutine<> { co_await sleep(1h); });
     }},
    {"the body of a group",
     []() -> Coroutine<> {
         co_await task_group([](TaskGroup &) -> Coroutine<> { co_await sleep(1h); });
     }},
    {"the end of a group",
     []() -> Coroutine<> {
         co_await task_group([](TaskGroup &group) -> Coroutine<> {
             group.create_task(sleeper());
             co_return;
         });
     }},
    {"as_completed",
     []() -> Coroutine<> {
         std::vector<Coroutine<>> all;
         all.push_back(sleeper());
         co_await as_completed(std::move(all)).next();
     }},
    {"finally",
     []() -> Coroutine<> {
         co_await finally([]() -> Coroutine<> { co_await sleep(1h); },
                          []() -> Coroutine<> { co_await sleep(0s); });
     }},
    {"from_signal",
     []() -> Coroutine<> {
         QObject sender;
         co_await from_signal(&sender, &QObject::objectNameChanged);
     }},
    {"signal_stream",
     []() -> Coroutine<> {
         QObject sender;
         auto names = signal_stream(&sender, &QObject::objectNameChanged);
         co_await names.next();
     }},
    {"wait_until",
     []() -> Coroutine<> {
         QObject object;
         co_await wait_until(&object, &QObject::objectName, &QObject::objectNameChanged,
                             [](const QString &name) { return !name.isEmpty(); });
     }},
    {"a generator",
     []() -> Coroutine<> {
         auto numbers = numbers_after(1h);
         co_await numbers.next();
     }},
    {"aclosing",
     []() -> Coroutine<> {
         co_await aclosing(numbers_after(1h), [](AsyncGenerator<int> &numbers) -> Coroutine<> {
             co_await numbers.next();
         });
     }},
    {"quit_requested", []() -> Coroutine<> { co_await get_running_loop().quit_requested(); }},
    {"all_ended",
     []() -> Coroutine<> {
         TaskScope scope;
         scope.create_task(sleeper());
         co_await scope.all_ended();
     }},
};
} // namespace

class tst_cancellation : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cancellingThroughGatherInGatherNeedsNoStack()
    {
        on_a_small_stack([] {
            QAsyncioLoop loop(virtual_time());
            struct Nest
            {
                static Coroutine<> of(int depth)
                {
                    if (depth == 0) {
                        co_await sleep(1h);
                        co_return;
                    }
                    auto deeper = gather(of(depth - 1));
                    co_await deeper;
                }
            };
            Task<> task = loop.create_task(Nest::of(20'000));
            run_ready(loop, 20'010);
            task.cancel();
            bool cancelled = false;
            try {
                loop.run_until_complete(task);
            } catch (const CancelledError &) {
                cancelled = true;
            }
            QVERIFY(cancelled);
            loop.close();
        });
    }

    // Each end, cancellation and destruction costs the same, however many wait. (Were it a search,
    // this would take hours.)
    void manyTasksMayWaitForOneFuture_data()
    {
        QTest::addColumn<QString>("end");
        for (const char *end : {"result", "cancel the future", "cancel the tasks",
                                "cancel the last ones first", "close"})
            QTest::newRow(end) << QString::fromLatin1(end);
    }
    void manyTasksMayWaitForOneFuture()
    {
        QFETCH(QString, end);
        constexpr int count = QASYNCIO_SANITIZED ? 20'000 : 200'000;
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        auto future = loop.create_future<int>();
        std::vector<Task<int>> tasks;
        tasks.reserve(count);
        for (int i = 0; i < count; ++i)
            tasks.push_back(loop.create_task(value_of(future)));
        run_once(loop);
        if (end == u"result") {
            future.set_result(1);
        } else if (end == u"cancel the future") {
            future.cancel();
        } else if (end == u"cancel the tasks") {
            for (Task<int> &task : tasks)
                task.cancel();
        } else if (end == u"cancel the last ones first") {
            for (auto task = tasks.rbegin(); task != tasks.rend(); ++task)
                task->cancel();
        } else {
            loop.close();
        }
        if (!loop.is_closed())
            run_ready(loop);
        QCOMPARE(std::count_if(tasks.begin(), tasks.end(),
                               [](const Task<int> &task) { return task.done(); }),
                 count);
        QCOMPARE(tasks.front().cancelled(), end != u"result");
        loop.close();
    }

    // G-052
    void manyShieldsMayBeAbandoned()
    {
        constexpr int count = 50'000;
        QAsyncioLoop loop(virtual_time());
        Task<int> task = loop.create_task(give(1, 1h));
        run_once(loop);
        for (const bool forwards : {true, false}) {
            std::vector<Future<int>> shields;
            loop.call_soon([&] {
                for (int i = 0; i < count; ++i)
                    shields.push_back(shield(task));
            });
            run_once(loop);
            if (!forwards)
                std::reverse(shields.begin(), shields.end());
            for (Future<int> &shielded : shields)
                shielded.cancel();
            run_ready(loop);
        }
        QCOMPARE(task.done(), false);
        QVERIFY(unheard(task));
        task.cancel();
        run_ready(loop);
        loop.close();
    }

    // T-021, T-024
    void theMessageReachesWhateverIsAwaited_data()
    {
        QTest::addColumn<int>("index");
        for (std::size_t i = 0; i < awaits.size(); ++i)
            QTest::newRow(awaits[i].name) << int(i);
    }
    void theMessageReachesWhateverIsAwaited()
    {
        QFETCH(int, index);
        const Await &await = awaits[std::size_t(index)];
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Task<> task = create_task(await.body());
            co_await turns(4);
            QASYNCIO_VERIFY(!task.done());
            task.cancel(u"enough"_s);
            const TimePoint begin = loop.time();
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: enough"_s);
            QASYNCIO_VERIFY(loop.time() == begin);
            for (AnyTask &left : loop.all_tasks()) { // what goes on behind a shield
                if (left != current_task())
                    left.cancel();
            }
        });
    }

    // T-020
    void cancelOnADoneTaskSaysFalse()
    {
        Test::run([&]() -> Coroutine<> {
            Task<> task = create_task(turns(0));
            co_await task;
            QASYNCIO_COMPARE(task.cancel(u"late"_s), false);
            QASYNCIO_COMPARE(task.cancelling(), 0);
            QASYNCIO_COMPARE(task.cancelled(), false);
        });
    }

    // T-020
    void cancelCountsTheRequestAndSaysTrue()
    {
        Test::run([&]() -> Coroutine<> {
            Task<> task = create_task(sleeper());
            co_await turns(1);
            QASYNCIO_COMPARE(task.cancel(), true);
            QASYNCIO_COMPARE(task.cancelling(), 1);
            QASYNCIO_COMPARE(task.done(), false);
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
            QASYNCIO_COMPARE(task.cancelled(), true);
            QASYNCIO_COMPARE(task.cancel(), false);
            QASYNCIO_COMPARE(task.cancelling(), 1);
        });
    }

    // T-021, T-037
    void cancelGoesToTheAwaitedFuture()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            QStringList log;
            const auto body = [&]() -> Coroutine<> {
                const QString error = co_await error_of(future);
                log << error;
            };
            Task<> task = create_task(body());
            co_await turns(1);
            QASYNCIO_COMPARE(task.cancel(u"enough"_s), true);
            QASYNCIO_COMPARE(future.cancelled(), true);
            QASYNCIO_COMPARE(log.size(), 0);
            co_await task;
            QASYNCIO_COMPARE(log.join(u' '), u"CancelledError: enough"_s);
        });
    }

    // T-021, T-022
    void cancelAfterTheResultWins()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            Task<int> task = create_task(value_of(future));
            co_await turns(1);
            future.set_result(42);
            QASYNCIO_COMPARE(task.cancel(u"enough"_s), true);
            QASYNCIO_COMPARE(future.cancelled(), false);
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: enough"_s);
            QASYNCIO_COMPARE(future.result(), 42);
        });
    }

    // T-022
    void cancelAfterAnExceptionDropsTheException()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            {
                Future<int> future = loop.create_future<int>();
                const auto body = [&]() -> Coroutine<int> { co_return co_await future; };
                Task<int> task = create_task(body());
                co_await turns(1);
                future.set_exception(ValueError(u"lost"_s));
                task.cancel(u"enough"_s);
                QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: enough"_s);
            }
            co_await turns(2);
            QASYNCIO_COMPARE(reports.list().join(u' '), QString());
        });
    }

    // T-022
    void cancelAfterASleepIsOverWins()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Task<> task = create_task(sleeper(10ms));
            co_await turns(1);
            // after the timer of the sleep, in the same turn
            loop.call_later(10ms, [&] { task.cancel(u"enough"_s); });
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: enough"_s);
        });
    }

    // T-023
    void theMessageOfACancelledFutureGoesFirst()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            Task<int> task = create_task(value_of(future));
            co_await turns(1);
            future.cancel(u"of the future"_s);
            QASYNCIO_COMPARE(task.cancel(u"of the task"_s), true);
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: of the future"_s);
        });
    }

    // T-023, F-007
    void aCancelledErrorThatWasSetGoesFirstAsWell()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            Task<int> task = create_task(value_of(future));
            co_await turns(1);
            future.set_exception(CancelledError(u"of the future"_s));
            QASYNCIO_COMPARE(task.cancel(u"of the task"_s), true);
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: of the future"_s);
        });
    }

    // T-024
    void cancelBeforeTheFirstStepNeverStartsTheBody()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            const auto body = [&](Farewell) -> Coroutine<> {
                log << u"started"_s;
                co_await sleep(1s);
            };
            Task<> task = create_task(body(Farewell(log, u"argument"_s)));
            QASYNCIO_COMPARE(task.cancel(u"never mind"_s), true);
            QASYNCIO_COMPARE(task.cancelled(), false);
            QASYNCIO_COMPARE(log.size(), 0);
            co_await turns(1);
            QASYNCIO_COMPARE(task.cancelled(), true);
            QASYNCIO_COMPARE(log.join(u' '), u"argument"_s);
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: never mind"_s);
        });
    }

    // T-024, T-027
    void ofTwoCancelsBeforeTheFirstStepTheLastMessageStays()
    {
        Test::run([&]() -> Coroutine<> {
            Task<> task = create_task(sleeper());
            task.cancel(u"one"_s);
            task.cancel(u"two"_s);
            QASYNCIO_COMPARE(task.cancelling(), 2);
            // as asyncio has it
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: two"_s);
        });
    }

    // T-025
    void cancellingOneselfTakesEffectAtTheNextSuspension()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            const auto child = [&]() -> Coroutine<> {
                log << u"child"_s;
                co_return;
            };
            const auto body = [&]() -> Coroutine<> {
                current_task().cancel(u"myself"_s);
                log << u"goes on"_s;
                co_await child(); // no suspension
                Future<> done = loop.create_future<>();
                done.set_result();
                co_await done; // neither
                log << u"suspends"_s;
                co_await loop.create_future<>();
                log << u"unreachable"_s;
            };
            Task<> task = create_task(body());
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: myself"_s);
            QASYNCIO_COMPARE(log.join(u", "), u"goes on, child, suspends"_s);
        });
    }

    // T-025, T-051
    void cancellingOneselfEndsASleepAtOnce()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto body = []() -> Coroutine<> {
                current_task().cancel(u"myself"_s);
                co_await sleep(1h);
            };
            const TimePoint begin = loop.time();
            QASYNCIO_COMPARE(co_await error_of(create_task(body())), u"CancelledError: myself"_s);
            QASYNCIO_VERIFY(loop.time() == begin);
        });
    }

    // T-025
    void cancellingOneselfBeforeReturningLosesTheResult()
    {
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<int> {
                current_task().cancel(u"myself"_s);
                co_return 42;
            };
            Task<int> task = create_task(body());
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: myself"_s);
            QASYNCIO_COMPARE(task.cancelled(), true);
        });
    }

    // T-025
    void cancellingOneselfBeforeThrowingKeepsTheException()
    {
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<int> {
                current_task().cancel(u"myself"_s);
                throw ValueError(u"wrong"_s);
                co_return 42;
            };
            Task<int> task = create_task(body());
            QASYNCIO_COMPARE(co_await error_of(task), u"ValueError: wrong"_s);
            QASYNCIO_COMPARE(task.cancelled(), false);
        });
    }

    // T-026
    void sleepOfZeroIsACancellationPoint()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            const auto body = [&]() -> Coroutine<> {
                log << u"before"_s;
                co_await sleep(0s);
                log << u"after"_s;
            };
            Task<> task = create_task(body());
            co_await turns(1);
            task.cancel(u"stop"_s);
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: stop"_s);
            QASYNCIO_COMPARE(log.join(u' '), u"before"_s);
        });
    }

    // T-027
    void twoCancelsDeliverOneErrorWithTheFirstMessage()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            for (const bool on_a_future : {false, true}) {
                QStringList log;
                const auto body = [&]() -> Coroutine<int> {
                    if (on_a_future)
                        log << co_await error_of(loop.create_future<>());
                    else
                        log << co_await error_of(sleep(1h));
                    co_await sleep(1ms);
                    log << u"undisturbed"_s;
                    co_return current_task().cancelling();
                };
                Task<int> task = create_task(body());
                co_await turns(1);
                task.cancel(u"one"_s);
                task.cancel(u"two"_s);
                QASYNCIO_COMPARE(co_await task, 2);
                QASYNCIO_COMPARE(log.join(u", "), u"CancelledError: one, undisturbed"_s);
            }
        });
    }

    // T-027
    void aCancelAfterTheDeliveryIsDeliveredAgain()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            const auto body = [&]() -> Coroutine<> {
                log << co_await error_of(sleep(1h));
                log << co_await error_of(sleep(1h));
            };
            Task<> task = create_task(body());
            co_await turns(1);
            task.cancel(u"one"_s);
            co_await turns(1);
            task.cancel(u"two"_s);
            co_await task;
            QASYNCIO_COMPARE(log.join(u", "), u"CancelledError: one, CancelledError: two"_s);
            QASYNCIO_COMPARE(task.cancelling(), 2);
        });
    }

    // T-028
    void aTaskThatCatchesTheCancellationIsNotCancelled()
    {
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<int> {
                try {
                    co_await sleep(1h);
                } catch (const CancelledError &) {
                }
                co_await sleep(1ms);
                co_return current_task().cancelling();
            };
            Task<int> task = create_task(body());
            co_await turns(1);
            task.cancel();
            QASYNCIO_COMPARE(co_await task, 1);
            QASYNCIO_COMPARE(task.cancelled(), false);
            QASYNCIO_COMPARE(task.cancelling(), 1);
        });
    }

    // T-029
    void uncancelCountsDownToZero()
    {
        Test::run([&]() -> Coroutine<> {
            Task<> task = create_task(sleeper());
            co_await turns(1);
            QASYNCIO_COMPARE(task.uncancel(), 0);
            task.cancel();
            task.cancel();
            QASYNCIO_COMPARE(task.uncancel(), 1);
            QASYNCIO_COMPARE(task.uncancel(), 0);
            QASYNCIO_COMPARE(task.uncancel(), 0);
            // the sleep had been cancelled already
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
        });
    }

    // T-029
    void uncancelToZeroWithdrawsWhatWasNotDelivered()
    {
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<int> {
                AnyTask self = current_task();
                self.cancel(u"one"_s);
                self.cancel(u"two"_s);
                self.uncancel();
                self.uncancel();
                co_await sleep(1ms);
                co_return 42;
            };
            QASYNCIO_COMPARE(co_await create_task(body()), 42);
        });
    }

    // T-029
    void uncancelAboveZeroWithdrawsNothing()
    {
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<> {
                AnyTask self = current_task();
                self.cancel(u"one"_s);
                self.cancel(u"two"_s);
                self.uncancel();
                co_await sleep(1ms);
            };
            QASYNCIO_COMPARE(co_await error_of(create_task(body())), u"CancelledError: two"_s);
        });
    }

    // T-029, T-024
    void uncancelBeforeTheFirstStepLetsTheTaskStart()
    {
        Test::run([&]() -> Coroutine<> {
            Task<> task = create_task(turns(1));
            task.cancel();
            task.uncancel();
            QASYNCIO_COMPARE(co_await error_of(task), QString());
        });
    }

    // T-030
    void cancellingAParentCancelsTheChildItAwaits()
    {
        Test::run([&]() -> Coroutine<> {
            Task<> child = create_task(sleeper());
            const auto body = [&]() -> Coroutine<> { co_await child; };
            Task<> parent = create_task(body());
            co_await turns(2);
            QASYNCIO_COMPARE(parent.cancel(u"family"_s), true);
            QASYNCIO_COMPARE(child.cancelling(), 1);
            QASYNCIO_COMPARE(co_await error_of(parent), u"CancelledError: family"_s);
            QASYNCIO_COMPARE(child.cancelled(), true);
            QASYNCIO_COMPARE(co_await error_of(child), u"CancelledError: family"_s);
        });
    }

    // T-030
    void aChildThatSwallowsTheCancellationSparesItsParent()
    {
        Test::run([&]() -> Coroutine<> {
            const auto stubborn = []() -> Coroutine<int> {
                const QString error = co_await error_of(sleep(1h));
                co_return int(error.size());
            };
            Task<int> child = create_task(stubborn());
            const auto body = [&]() -> Coroutine<int> { co_return co_await child; };
            Task<int> parent = create_task(body());
            co_await turns(2);
            parent.cancel();
            QASYNCIO_COMPARE(co_await parent, 14);
            QASYNCIO_COMPARE(parent.cancelling(), 1);
            QASYNCIO_COMPARE(parent.cancelled(), false);
        });
    }

    // T-030
    void cancelReachesTheEndOfALongChainOfTasks()
    {
        QString error;
        bool all = false;
        on_a_small_stack([&] {
            QAsyncioLoop loop(virtual_time());
            const auto body = [](Task<> child) -> Coroutine<> { co_await child; };
            std::vector<Task<>> chain{loop.create_task(sleeper())};
            for (int i = 0; i < 20'000; ++i)
                chain.push_back(loop.create_task(body(chain.back())));
            run_ready(loop);
            chain.back().cancel(u"all"_s);
            all = chain.front().cancelling() == 1;
            error = error_in([&] { loop.run_until_complete(chain.back()); });
            all = all && chain.front().cancelled();
            loop.close();
        });
        QCOMPARE(error, u"CancelledError: all"_s);
        QVERIFY(all);
    }

    // T-030
    void tasksThatAwaitEachOtherCanBeCancelled()
    {
        Test::run([&]() -> Coroutine<> {
            Task<> one, other;
            const auto first = [&]() -> Coroutine<> { co_await other; };
            const auto second = [&]() -> Coroutine<> { co_await one; };
            one = create_task(first());
            other = create_task(second());
            Task<> outside = create_task(second());
            co_await turns(2);
            QASYNCIO_COMPARE(outside.cancel(u"knot"_s), true);
            QASYNCIO_COMPARE(co_await error_of(outside), u"CancelledError: knot"_s);
            QASYNCIO_COMPARE(one.cancelled(), true);
            QASYNCIO_COMPARE(other.cancelled(), true);
        });
    }

    void cancelFromADestructorWhileATaskThatAwaitsAnotherIsUnwound()
    {
        struct Canceller
        {
            AnyTask task = current_task();
            ~Canceller() { task.cancel(u"too late"_s); }
        };
        Test::run([]() -> Coroutine<> {
            Task<> awaited = create_task(sleeper(1s));
            const auto body = [&]() -> Coroutine<> {
                const Canceller canceller;
                co_await awaited;
            };
            auto object = std::make_unique<QObject>();
            Task<> task = create_task(body(), TaskOptions().context(object.get()));
            co_await turns(2);
            object.reset();
            QASYNCIO_VERIFY(task.cancelled());
            QASYNCIO_COMPARE(awaited.cancelling(), 0);
            QASYNCIO_COMPARE(co_await error_of(awaited), QString());
        });
    }

    void whoGivesUpWaitingInACircleHasNothingToDoWithTheOtherAnyMore()
    {
        Test::run([&]() -> Coroutine<> {
            Task<> one, other;
            const auto first = [&]() -> Coroutine<> { co_await other; };
            const auto second = [&]() -> Coroutine<> { co_await one; };
            auto object = std::make_unique<QObject>();
            one = create_task(first(), TaskOptions().context(object.get()));
            other = create_task(second());
            co_await turns(2);
            QASYNCIO_COMPARE(one.cancel(u"once"_s), true);
            QASYNCIO_COMPARE(other.cancel(u"twice"_s), true); // it is queued already
            object.reset(); // whom it awaited ends in the same turn
            QASYNCIO_COMPARE(one.cancelled(), true);
            // that of the other one goes first
            QASYNCIO_COMPARE(co_await error_of(other), u"CancelledError"_s);
            co_await turns(2);
            QASYNCIO_COMPARE(other.cancelled(), true);
        });
    }

    // T-031
    void awaitingATaskThatSomebodyElseCancelledThrowsItsError()
    {
        Test::run([&]() -> Coroutine<> {
            Task<> child = create_task(sleeper());
            QStringList log;
            const auto body = [&]() -> Coroutine<int> {
                log << co_await error_of(child);
                co_return current_task().cancelling();
            };
            Task<int> awaiter = create_task(body());
            co_await turns(2);
            child.cancel(u"not you"_s);
            QASYNCIO_COMPARE(co_await awaiter, 0);
            QASYNCIO_COMPARE(log.join(u' '), u"CancelledError: not you"_s);
        });
    }

    // T-032
    void aSecondCancelInterruptsTheCleanupAtItsAwait()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            const auto body = [&]() -> Coroutine<> {
                log << co_await error_of(sleep(1h));
                log << u"cleanup"_s;
                co_await sleep(1h);
                log << u"unreachable"_s;
            };
            Task<> task = create_task(body());
            co_await turns(1);
            task.cancel(u"one"_s);
            co_await turns(1);
            task.cancel(u"two"_s);
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: two"_s);
            QASYNCIO_COMPARE(log.join(u", "), u"CancelledError: one, cleanup"_s);
        });
    }

    // T-033, F-005
    void everyResultOfACancelledTaskHasTheMessage()
    {
        // asyncio loses the message after the first result(); here it stays (docs/differences.md).
        Test::run([&]() -> Coroutine<> {
            Task<> task = create_task(sleeper());
            co_await turns(1);
            task.cancel(u"why"_s);
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: why"_s);
            for (int i = 0; i < 2; ++i) {
                QASYNCIO_COMPARE(error_in([&] { task.result(); }), u"CancelledError: why"_s);
                QASYNCIO_COMPARE(error_in([&] { return task.exception(); }),
                                 u"CancelledError: why"_s);
            }
        });
    }

    // T-034
    void cancelOnAFailedTaskCountsAsRetrievingItsException()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            const auto body = []() -> Coroutine<> {
                throw ValueError(u"lost"_s);
                co_return;
            };
            Task<> task = create_task(body());
            co_await turns(2);
            QASYNCIO_COMPARE(task.cancel(), false);
            task = {};
            QASYNCIO_COMPARE(reports.list().join(u' '), QString());
        });
    }

    // T-035
    void cancelledErrorIsNoStandardException()
    {
        static_assert(!std::is_base_of_v<std::exception, CancelledError>);
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            const auto body = [&]() -> Coroutine<> {
                try {
                    co_await sleep(1h);
                } catch (const std::exception &) {
                    log << u"swallowed"_s;
                }
            };
            Task<> task = create_task(body());
            co_await turns(1);
            task.cancel();
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
            QASYNCIO_COMPARE(log.size(), 0);
        });
    }

    // T-036, L-029
    void loopExitWhileHandlingACancellationLeavesTheLoop()
    {
        QAsyncioLoop loop(virtual_time());
        const auto body = []() -> Coroutine<> {
            const QString error = co_await error_of(sleep(1h));
            if (!error.isEmpty())
                throw LoopExit(3);
        };
        Task<> task = loop.create_task(body());
        run_ready(loop, 1);
        task.cancel();
        QCOMPARE(error_in([&] { loop.run_forever(); }), u"LoopExit: 3"_s);
        QVERIFY(task.done());
        QVERIFY(!task.cancelled());
        QCOMPARE(error_in([&] { task.result(); }), u"LoopExit: 3"_s);
        loop.close();
    }

    // T-037
    void cancelNeverRunsCodeOfTheTask()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            const auto body = [&]() -> Coroutine<> {
                const Farewell local(log, u"unwound"_s);
                co_await loop.create_future<>();
            };
            Task<> waiting = create_task(body());
            co_await turns(1);
            Task<> unstarted = create_task(body());
            waiting.cancel();
            unstarted.cancel();
            log << u"cancelled"_s;
            co_await turns(2);
            QASYNCIO_COMPARE(log.join(u' '), u"cancelled unwound"_s);
        });
    }

    // T-008
    void aCancelledErrorThatEscapesMakesTheTaskCancelled()
    {
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<int> {
                throw CancelledError(u"by itself"_s);
                co_return 1;
            };
            Task<int> task = create_task(body());
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: by itself"_s);
            QASYNCIO_COMPARE(task.cancelled(), true);
            QASYNCIO_COMPARE(task.cancelling(), 0);
        });
    }

    // T-010, T-022
    void cancelGoesBeforeARefusedAwait()
    {
        Test::run([&]() -> Coroutine<> {
            Task<> task;
            const auto body = [&]() -> Coroutine<> {
                task.cancel(u"first"_s);
                co_await task;
            };
            task = create_task(body());
            co_await turns(3);
            QASYNCIO_COMPARE(task.done(), true);
            QASYNCIO_COMPARE(error_in([&] { task.result(); }), u"CancelledError: first"_s);
        });
    }

    void cancelFromADestructorOfTheOwnFrameIsHarmless()
    {
        struct Canceller
        {
            AnyTask task = current_task();
            ~Canceller() { task.cancel(u"too late"_s); }
        };
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<int> {
                const Canceller canceller;
                co_await sleep(1ms);
                co_return 42;
            };
            // The local dies after the value was given, before the task is done: T-025.
            QASYNCIO_COMPARE(co_await error_of(create_task(body())), u"CancelledError: too late"_s);
        });
    }

    // T-029
    void afterUncancelATaskCanBeCancelledAnew()
    {
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<> {
                const QString error = co_await error_of(sleep(1h));
                if (!error.isEmpty())
                    current_task().uncancel();
                co_await sleep(1h);
            };
            Task<> task = create_task(body());
            co_await turns(1);
            QASYNCIO_COMPARE(task.cancel(), true);
            QASYNCIO_COMPARE(task.cancelling(), 1);
            QASYNCIO_VERIFY(task.to_string().startsWith(u"<Task cancelling "_s));
            co_await turns(1);
            QASYNCIO_COMPARE(task.cancelling(), 0);
            QASYNCIO_COMPARE(task.cancelled(), false);
            QASYNCIO_VERIFY(task.to_string().startsWith(u"<Task pending "_s));
            QASYNCIO_COMPARE(task.cancel(), true);
            QASYNCIO_COMPARE(task.cancelling(), 1);
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
            QASYNCIO_COMPARE(task.cancelled(), true);
            task.uncancel(); // too late
            QASYNCIO_VERIFY(task.cancelled() && task.done());
        });
    }

    // T-029
    void aTimeoutMadeByHand()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto body = [&](std::chrono::seconds work,
                                  std::chrono::seconds limit) -> Coroutine<QString> {
                AnyTask self = current_task();
                bool timed_out = false;
                TimerHandle timer = loop.call_later(limit, [&] {
                    timed_out = true;
                    self.cancel();
                });
                QString result = co_await error_of(sleep(work));
                timer.cancel();
                if (timed_out && self.uncancel() == 0 && result == u"CancelledError"_s)
                    result = u"timed out"_s;
                co_await sleep(0s); // what follows is not affected
                co_return result + u' ' + QString::number(self.cancelling());
            };
            QASYNCIO_COMPARE(co_await create_task(body(10s, 1s)), u"timed out 0"_s);
            QASYNCIO_COMPARE(co_await create_task(body(0s, 10s)), u" 0"_s);
        });
    }

    // T-029, T-022
    void uncancelBeforeTheResumptionLetsTheResultThrough()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            Task<int> task = create_task(value_of(future));
            co_await turns(1);
            future.set_result(42);
            task.cancel();
            QASYNCIO_COMPARE(task.cancelling(), 1);
            QASYNCIO_COMPARE(task.uncancel(), 0);
            QASYNCIO_COMPARE(co_await task, 42);
        });
    }

    // T-008, T-031
    void aTaskWhoseFutureIsCancelledIsCancelled()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            Task<int> task = create_task(value_of(future));
            co_await turns(1);
            future.cancel(u"of the future"_s);
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: of the future"_s);
            QASYNCIO_COMPARE(task.cancelled(), true);
            QASYNCIO_COMPARE(task.cancelling(), 0);
        });
    }

    void aRequestOnOneselfIsSpentIfTheTaskAwaitedNextSwallowsIt()
    {
        Test::run([&]() -> Coroutine<> {
            Task<bool> nested;
            const auto body = [&]() -> Coroutine<bool> {
                nested = create_task(is_cancelled_asleep());
                co_await sleep(0s);
                current_task().cancel(u"request"_s);
                const bool swallowed = co_await nested;
                co_await sleep(1s); // nothing is left of it
                co_return swallowed;
            };
            QASYNCIO_COMPARE(co_await create_task(body()), true);
        });
    }

    void aRequestOnOneselfThatNobodyTakesIsThrownAtTheAwait()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> child = loop.create_future<int>();
            auto all = gather(child);
            // nobody is left to be cancelled, but the gather is told in the next turn
            child.set_result(1);
            const auto body = [&]() -> Coroutine<> {
                current_task().cancel(u"mine"_s);
                co_await all;
            };
            Task<> task = create_task(body(), TaskOptions().eager_start());
            QASYNCIO_VERIFY(!task.done());
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: mine"_s);
            QASYNCIO_COMPARE(std::get<0>(co_await all), 1);
        });
    }

    // T-025, T-030
    void aRequestOnOneselfGoesToTheTaskAwaitedNext()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<> future = loop.create_future<>();
            Task<> nested;
            const auto inner = [&]() -> Coroutine<> { co_await future; };
            const auto body = [&]() -> Coroutine<> {
                nested = create_task(inner());
                co_await sleep(0s);
                current_task().cancel(u"request"_s);
                co_await nested;
            };
            Task<> task = create_task(body());
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: request"_s);
            QASYNCIO_VERIFY(task.cancelled() && nested.cancelled() && future.cancelled());
        });
    }
};

QTEST_GUILESS_MAIN(tst_cancellation)
#include "tst_cancellation.moc"
