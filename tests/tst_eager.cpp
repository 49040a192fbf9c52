// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

namespace {

const TaskOptions eager = TaskOptions().eager_start();

Coroutine<int> number(int value)
{
    co_return value;
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
};

QTEST_GUILESS_MAIN(tst_eager)
#include "tst_eager.moc"
