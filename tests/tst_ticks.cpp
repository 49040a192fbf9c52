// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// How many turns pass between an await and the line behind it.

#include "task_helpers.h"

namespace {

/// Counts turns: a callback that schedules itself anew each time it runs. It stands in the queue
/// before what the test schedules.
class Ticker
{
public:
    explicit Ticker(QAsyncioLoop &loop) : m_loop(&loop) { schedule(); }
    ~Ticker() { m_handle.cancel(); }
    Q_DISABLE_COPY_MOVE(Ticker)

    int count() const { return m_count; }

private:
    void schedule()
    {
        m_handle = m_loop->call_soon([this] {
            ++m_count;
            schedule();
        });
    }

    QAsyncioLoop *m_loop;
    Handle m_handle;
    int m_count = 0;
};

Coroutine<int> nothing()
{
    co_return 1;
}

Future<int> done_future(QAsyncioLoop &loop)
{
    Future<int> future = loop.create_future<int>();
    future.set_result(1);
    return future;
}

} // namespace

/// Compares the turns that `expression` (an await) takes.
#define COMPARE_TICKS(expression, expected)                                                        \
    do {                                                                                           \
        const Ticker ticker(loop);                                                                 \
        static_cast<void>(expression);                                                             \
        QASYNCIO_COMPARE(ticker.count(), expected);                                                \
    } while (false)

class tst_ticks : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // L-127
    void aCoroutineTakesNone()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> { COMPARE_TICKS(co_await nothing(), 0); });
    }

    // L-128, F-013
    void whatIsDoneTakesNone()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = done_future(loop);
            COMPARE_TICKS(co_await future, 0);
            Task<int> task = create_task(nothing());
            co_await turns(1);
            COMPARE_TICKS(co_await task, 0);
        });
    }

    // L-129, T-050
    void aSleepOfZeroOrLessTakesOne()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            COMPARE_TICKS(co_await sleep(0s), 1);
            COMPARE_TICKS(co_await sleep(-1s), 1);
        });
    }

    // L-130
    void aFutureSetByAQueuedCallbackTakesTwo()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            const Ticker ticker(loop);
            loop.call_soon([&] { future.set_result(1); });
            co_await future;
            QASYNCIO_COMPARE(ticker.count(), 2);
        });
    }

    // L-131
    void aTaskThatDoesNothingTakesTwo()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            COMPARE_TICKS(co_await create_task(nothing()), 2);
        });
    }

    // L-132
    void gatherOfTwoCoroutinesTakesThree()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            COMPARE_TICKS(co_await gather(nothing(), nothing()), 3);
        });
    }

    // L-133, L-134
    void gatherOfNothingOrOfWhatIsDoneTakesNone()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = done_future(loop);
            COMPARE_TICKS(co_await gather(future, future), 0);
            COMPARE_TICKS(co_await gather(), 0);
        });
    }

    // L-135
    void waitForATaskTakesThree()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Ticker ticker(loop);
            const std::vector<Task<int>> tasks(1, create_task(nothing()));
            co_await wait(tasks);
            QASYNCIO_COMPARE(ticker.count(), 3);
        });
    }

    // L-136
    void waitForWhatIsDoneTakesTwo()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const std::vector<Future<int>> futures(1, done_future(loop));
            COMPARE_TICKS(co_await wait(futures), 2);
            COMPARE_TICKS(co_await wait(futures, WaitOptions().timeout(0s)), 2);
        });
    }

    // L-137
    void waitForACoroutineTakesNone()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            COMPARE_TICKS(co_await wait_for(nothing(), 10s), 0);
        });
    }

    // L-138
    void waitForWhatIsDoneTakesNone()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = done_future(loop);
            COMPARE_TICKS(co_await wait_for(future, 1s), 0);
            COMPARE_TICKS(co_await wait_for(future, 0s), 0);
        });
    }

    // L-141, L-142, L-143
    void aTaskGroup()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto empty = [](TaskGroup &) -> Coroutine<> { co_return; };
            COMPARE_TICKS(co_await task_group(empty), 0);
            const auto one = [](TaskGroup &group) -> Coroutine<> {
                group.create_task(nothing());
                co_return;
            };
            COMPARE_TICKS(co_await task_group(one), 3);
            const auto two = [](TaskGroup &group) -> Coroutine<> {
                group.create_task(turns(0));
                group.create_task(turns(1));
                co_return;
            };
            COMPARE_TICKS(co_await task_group(two), 4);
        });
    }

    // L-139
    void shieldOfACoroutineTakesThree()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            COMPARE_TICKS(co_await shield(nothing()), 3);
        });
    }

    // L-140
    void shieldOfWhatIsDoneTakesNone()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = done_future(loop);
            COMPARE_TICKS(co_await shield(future), 0);
        });
    }

    void asCompletedOfATaskTakesThree()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Ticker ticker(loop);
            const std::vector<Task<int>> tasks(1, create_task(nothing()));
            auto completed = as_completed(tasks);
            const auto next = co_await completed.next();
            QASYNCIO_COMPARE(ticker.count(), 3);
            QASYNCIO_VERIFY(*next == tasks[0]);
        });
    }

    // L-144
    void aTimeoutAroundNothingTakesNone()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto body = [](Timeout &) -> Coroutine<> { co_return; };
            COMPARE_TICKS(co_await timeout(10s, body), 0);
        });
    }

    // L-145
    void aTimeoutOfZeroAroundAPendingAwaitTakesTwo()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto body = [&](Timeout &) -> Coroutine<> { co_await loop.create_future<>(); };
            COMPARE_TICKS(co_await error_of(timeout(0s, body)), 2);
        });
    }

    // L-146
    void cancellingASleepingTaskAndAwaitingItTakesTwo()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Task<> task = create_task(sleeper());
            co_await turns(1);
            const Ticker ticker(loop);
            task.cancel();
            co_await error_of(task);
            QASYNCIO_COMPARE(ticker.count(), 2);
        });
    }

    // L-147, L-149
    void whatNeedNotWaitTakesNone()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Lock lock;
            Semaphore semaphore;
            Event event;
            event.set();
            Queue<int> queue;
            const Ticker ticker(loop);
            co_await lock.acquire();
            co_await semaphore.acquire();
            co_await event.wait();
            co_await queue.put(1);
            QASYNCIO_COMPARE(co_await queue.get(), 1);
            QASYNCIO_COMPARE(ticker.count(), 0);
        });
    }

    // L-148
    void aLockThatAQueuedCallbackReleasesTakesTwo()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Lock lock;
            co_await lock.acquire();
            const Ticker ticker(loop);
            loop.call_soon([&] { lock.release(); });
            co_await lock.acquire();
            QASYNCIO_COMPARE(ticker.count(), 2);
        });
    }

    // L-148
    void anEventThatAQueuedCallbackSetsTakesTwo()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Event event;
            const Ticker ticker(loop);
            loop.call_soon([&] { event.set(); });
            co_await event.wait();
            QASYNCIO_COMPARE(ticker.count(), 2);
        });
    }

    // L-150
    void aQueueThatAQueuedCallbackFillsTakesTwo()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Queue<int> queue;
            const Ticker ticker(loop);
            loop.call_soon([&] { queue.put_nowait(1); });
            QASYNCIO_COMPARE(co_await queue.get(), 1);
            QASYNCIO_COMPARE(ticker.count(), 2);
        });
    }

    // L-151
    void aConditionThatANewTaskNotifiesTakesTwoAndThreeIfThatKeepsTheLockForATurn()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            for (const int turns_inside : {0, 1}) {
                Condition condition;
                const auto notify = [&]() -> Coroutine<> {
                    const auto held = co_await condition.scoped();
                    condition.notify();
                    co_await turns(turns_inside);
                };
                const auto held = co_await condition.scoped();
                const Ticker ticker(loop);
                const Task<> notifier = create_task(notify);
                co_await condition.wait();
                QASYNCIO_COMPARE(ticker.count(), 2 + turns_inside);
                co_await notifier;
            }
        });
    }

    // T-002
    void aTaskStartsInTheNextTurn()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Ticker ticker(loop);
            int started_at = -1;
            const auto body = [&]() -> Coroutine<> {
                started_at = ticker.count();
                co_return;
            };
            Task<> task = create_task(body());
            QASYNCIO_COMPARE(started_at, -1);
            co_await task;
            QASYNCIO_COMPARE(started_at, 1);
        });
    }

    void aTimerThatIsDueResumesItsTaskOneTurnLater()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            loop.call_later(10ms, [&] {
                log << QStringLiteral("timer");
                loop.call_soon([&] { log << QStringLiteral("next turn"); });
            });
            co_await sleep(10ms);
            log << QStringLiteral("awake");
            co_await turns(1);
            QASYNCIO_COMPARE(log.join(u' '), QStringLiteral("timer next turn awake"));
        });
    }
};

QTEST_GUILESS_MAIN(tst_ticks)
#include "tst_ticks.moc"
