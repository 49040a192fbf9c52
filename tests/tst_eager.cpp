// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <algorithm>

namespace {

const TaskOptions eager = TaskOptions().eager_start();

Coroutine<int> number(int value)
{
    co_return value;
}

Coroutine<int> chain(int depth)
{
    if (depth == 0)
        co_return 0;
    const int below = co_await chain(depth - 1);
    co_return below + 1;
}

/// Groups in groups, and gather() in gather(): 1 + width + width^2... coroutines.
Coroutine<> groups(int width, int depth)
{
    if (depth == 0)
        co_return;
    const auto body = [&](TaskGroup &group) -> Coroutine<> {
        for (int i = 0; i < width; ++i)
            group.create_task(groups(width, depth - 1));
        co_return;
    };
    co_await task_group(body);
}
Coroutine<> gathers(int width, int depth)
{
    if (depth == 0)
        co_return;
    std::vector<Coroutine<>> children;
    for (int i = 0; i < width; ++i)
        children.push_back(gathers(width, depth - 1));
    co_await gather(std::move(children));
}

} // namespace

class tst_eager : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // T-040, T-047
    void runsUpToItsFirstSuspensionInsideCreateTask()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            const auto body = [&]() -> Coroutine<int> {
                log << u"begun"_s;
                co_await number(1); // does not suspend
                log << u"before"_s;
                co_await sleep(1s);
                log << u"after"_s;
                co_return 3;
            };
            auto task = loop.create_task(body(), eager);
            log << u"created"_s;
            QASYNCIO_COMPARE(log.join(u' '), u"begun before created"_s);
            QASYNCIO_COMPARE(loop.all_tasks().size(), size_t(2));
            QASYNCIO_COMPARE(co_await task, 3);

            auto done = loop.create_task(number(4), eager);
            QASYNCIO_VERIFY(done.done() && !done.cancel());
            QASYNCIO_COMPARE(done.result(), 4);
            QASYNCIO_COMPARE(loop.all_tasks().size(), size_t(1));
            done.add_done_callback([&] { log << u"callback"_s; });
            QASYNCIO_VERIFY(!log.contains(u"callback"_s)); // through call_soon(), as ever
            co_await sleep(0s);
            QASYNCIO_VERIFY(log.contains(u"callback"_s));
        });
    }

    // T-041, T-045
    void isTheCurrentTaskDuringItsStep()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            const auto note = [&] {
                const AnyTask task = loop.current_task();
                log << (task ? task.get_name() : u"none"_s);
            };
            const auto inner = [&]() -> Coroutine<> {
                note();
                co_return;
            };
            const auto outer = [&]() -> Coroutine<> {
                note();
                loop.create_task(inner(), TaskOptions(eager).name(u"inner"_s));
                note();
                co_await sleep(0s);
            };
            current_task().set_name(u"main"_s);
            auto task = loop.create_task(outer(), TaskOptions(eager).name(u"outer"_s));
            note();
            QASYNCIO_COMPARE(log.join(u' '), u"outer inner outer main"_s);
            co_await task;

            log.clear();
            Future<> done = loop.create_future();
            loop.call_soon([&] {
                loop.create_task(inner(), TaskOptions(eager).name(u"inner"_s));
                note();
                done.set_result();
            });
            co_await done;
            QASYNCIO_COMPARE(log.join(u' '), u"inner none"_s);
        });
    }

    // T-042
    void anExceptionIsStoredAndWhatLeavesTheLoopIsThrownToo()
    {
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        QStringList log;
        const auto main = [&]() -> Coroutine<> {
            const auto fail = []() -> Coroutine<> {
                throw ValueError(u"stored"_s);
                co_return;
            };
            auto failed = loop.create_task(fail(), eager);
            log << describe(failed.exception());
            const auto exit = []() -> Coroutine<> {
                throw LoopExit(3);
                co_return;
            };
            try {
                loop.create_task(exit(), eager);
            } catch (const LoopExit &) {
                log << u"thrown"_s;
                throw;
            }
            co_return;
        };
        QCOMPARE(error_in([&] { loop.run_until_complete(main()); }), u"LoopExit: 3"_s);
        QCOMPARE(log.join(u", "_s), u"ValueError: stored, thrown"_s);
        QCOMPARE(reports.list().join(u' '), u"Task exception was never retrieved|LoopExit: 3"_s);
        loop.close();
    }

    void whatLeavesTheLoopMayBeCaughtWhereTheTaskIsMade()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            const auto exit = []() -> Coroutine<> {
                throw LoopExit(3);
                co_return;
            };
            const Reports reports(loop);
            QASYNCIO_COMPARE(error_in([&] { return loop.create_task(exit(), eager); }),
                             u"LoopExit: 3"_s);
            co_await sleep(1s); // the loop goes on
            QASYNCIO_COMPARE(reports.list().join(u' '),
                             u"Task exception was never retrieved|LoopExit: 3"_s);
        });
    }

    void afterItsFirstSuspensionItLeavesTheLoopAsAnyTask()
    {
        QAsyncioLoop loop(virtual_time());
        const auto exit = []() -> Coroutine<> {
            co_await sleep(1s);
            throw LoopExit(3);
        };
        Task<> task;
        const auto main = [&]() -> Coroutine<> {
            task = loop.create_task(exit(), eager);
            co_await sleep(2s);
        };
        QCOMPARE(error_in([&] { loop.run_until_complete(main()); }), u"LoopExit: 3"_s);
        QCOMPARE(describe(task.exception()), u"LoopExit: 3"_s);
        for (AnyTask left : loop.all_tasks())
            left.cancel();
        run_ready(loop);
        loop.close();
    }

    // T-043
    void onAnIdleLoopItIsAnOrdinaryStart()
    {
        QAsyncioLoop loop(virtual_time());
        bool begun = false;
        const auto body = [&]() -> Coroutine<> {
            begun = true;
            co_return;
        };
        auto task = loop.create_task(body(), eager);
        QVERIFY(!begun && !task.done());
        loop.run_until_complete(task);
        QVERIFY(begun);
        loop.close();
    }

    // T-044
    void cancellingItselfInTheEagerStep()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            const auto returns = []() -> Coroutine<> {
                current_task().cancel();
                co_return;
            };
            auto task = loop.create_task(returns(), eager);
            QASYNCIO_VERIFY(task.done() && task.cancelled());
            const auto suspends = [&]() -> Coroutine<> {
                current_task().cancel();
                try {
                    co_await sleep(1h);
                } catch (const CancelledError &) {
                    log << u"delivered"_s;
                    throw;
                }
            };
            auto second = loop.create_task(suspends(), eager);
            QASYNCIO_VERIFY(!second.done());
            QASYNCIO_COMPARE(co_await error_of(second), u"CancelledError"_s);
            QASYNCIO_COMPARE(log.join(u' '), u"delivered"_s);
            auto timed = loop.create_task(wait_for(sleeper(), 1s), eager);
            QASYNCIO_COMPARE(co_await error_of(timed), u"TimeoutError"_s);
        });
    }

    // T-046
    void gatherOfEagerTasksThatEndAtOnceIsDone()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            loop.set_task_factory(eager_task_factory);
            auto both = gather(number(1), number(2));
            loop.set_task_factory({});
            QASYNCIO_VERIFY(both.done());
            QASYNCIO_COMPARE(std::get<1>(co_await both), 2);
        });
    }

    // H-62
    void itsContextObjectMayDieInTheEagerStep()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        const auto main = [&]() -> Coroutine<> {
            auto object = std::make_unique<QObject>();
            const auto body = [&]() -> Coroutine<> {
                const Farewell farewell(log, u"unwound"_s);
                object.reset();
                log << u"still here"_s;
                co_await sleep(1h);
                log << u"not reached"_s;
            };
            auto task = loop.create_task(body(), TaskOptions(eager).context(object.get()));
            log << (task.cancelled() ? u"cancelled"_s : u"pending"_s);
            co_return;
        };
        loop.run_until_complete(main());
        QCOMPARE(log.join(u", "_s), u"still here, unwound, cancelled"_s);
        loop.close();
    }

    // T-040
    void aFactoryStartsEveryTaskEagerly()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            loop.set_task_factory(eager_task_factory);
            QASYNCIO_VERIFY(loop.get_task_factory());
            Task<int> task = create_task(number(7));
            loop.set_task_factory({});
            QASYNCIO_COMPARE(task.done(), true);
            QASYNCIO_COMPARE(task.result(), 7);
            QASYNCIO_COMPARE(int(task.get_coro().line()), 0);
            QASYNCIO_COMPARE(co_await task, 7);
        });
    }

    // T-040
    void aFactoryMayReplaceItself()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            loop.set_task_factory([name = u"a name that is long enough for the heap"_s](
                                      QAsyncioLoop &loop, const TaskOptions &given) {
                loop.set_task_factory({});
                return TaskOptions(given).name(name);
            });
            Task<int> first = create_task(number(1));
            Task<int> second = create_task(number(2));
            QASYNCIO_COMPARE(first.get_name(), u"a name that is long enough for the heap"_s);
            QASYNCIO_VERIFY(second.get_name() != first.get_name());
            QASYNCIO_COMPARE(co_await first + co_await second, 3);
        });
    }

    // T-040
    void mayCompleteWhatItsCreatorAwaits()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            Future<QString> future = loop.create_future<QString>();
            const auto body = [&]() -> Coroutine<> {
                future.set_result(u"my message"_s);
                co_return;
            };
            Task<> task = loop.create_task(body(), eager);
            QASYNCIO_COMPARE(task.done(), true);
            QASYNCIO_COMPARE(co_await future, u"my message"_s);
        });
    }

    // T-040, T-020
    void oneThatHasSuspendedCanBeCancelled()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            Task<> task = loop.create_task(sleeper(), eager);
            QASYNCIO_COMPARE(task.cancel(u"my message"_s), true);
            QASYNCIO_COMPARE(task.cancelling(), 1);
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: my message"_s);
        });
    }

    // T-040, T-006
    void isInAllTasksDuringItsStep()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            const auto holds = [](const std::vector<AnyTask> &tasks, const AnyTask &task) {
                return std::find(tasks.begin(), tasks.end(), task) != tasks.end();
            };
            for (const bool suspends : {false, true}) {
                std::vector<AnyTask> all;
                AnyTask during, after;
                const auto body = [&]() -> Coroutine<> {
                    all = all_tasks();
                    during = current_task();
                    if (suspends)
                        co_await sleep(1s);
                    after = current_task();
                };
                Task<> task = loop.create_task(body(), eager);
                QASYNCIO_VERIFY(during == task && holds(all, task));
                QASYNCIO_COMPARE(holds(all_tasks(), task), suspends);
                co_await task;
                QASYNCIO_VERIFY(after == task && !holds(all_tasks(), task));
            }
        });
    }

    // T-004, T-040
    void hasACopyOfItsCreatorsContext()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            static ContextVar<int> variable(u"variable"_s, 0);
            QStringList log;
            const auto body = [&]() -> Coroutine<> {
                log << QString::number(variable.get());
                variable.set(2);
                co_await sleep(1s);
                log << QString::number(variable.get());
                variable.set(3);
            };
            variable.set(1);
            Task<> task = loop.create_task(body(), eager);
            QASYNCIO_COMPARE(log.join(u' '), u"1"_s);
            QASYNCIO_COMPARE(variable.get(), 1);
            co_await task;
            QASYNCIO_COMPARE(log.join(u' '), u"1 2"_s);
            QASYNCIO_COMPARE(variable.get(), 1);
        });
    }

    // L-104, L-127
    void everyChildIsMadeByTheFactoryAndAwaitsMakeNone()
    {
        for (const bool is_eager : {false, true}) {
            QAsyncioLoop loop(virtual_time());
            int made = 0;
            loop.set_task_factory([&](QAsyncioLoop &, const TaskOptions &options) {
                ++made;
                TaskOptions chosen = options;
                return chosen.eager_start(is_eager);
            });
            QCOMPARE(loop.run_until_complete(chain(100)), 100);
            QCOMPARE(made, 1);
            loop.run_until_complete(groups(5, 4));
            QCOMPARE(made, 1 + 781);
            loop.run_until_complete(gathers(5, 4));
            QCOMPARE(made, 1 + 2 * 781);
            loop.close();
        }
    }
};

QTEST_GUILESS_MAIN(tst_eager)
#include "tst_eager.moc"
