// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qregularexpression.h>

#include <thread>

namespace {
Coroutine<int> give_at_once(int value)
{
    co_return value;
}
Coroutine<int> fail_at_once(QString message)
{
    throw ValueError(message);
    co_return 0;
}
template<class F>
Coroutine<> calls_and_waits(F function)
{
    function();
    co_await sleep(1ms);
}
} // namespace

class tst_task : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void optionsTellWhatTheyWereGiven()
    {
        const QObject object;
        const Context context = copy_context();
        const TaskOptions none;
        QVERIFY(none.get_name().isNull() && !none.get_context_object() && !none.get_context());
        QVERIFY(!none.get_eager_start() && !none.get_detached());
        const TaskOptions all = TaskOptions()
                                    .name(u"load"_s)
                                    .context(&object)
                                    .context(context)
                                    .eager_start()
                                    .detached();
        QCOMPARE(all.get_name(), u"load"_s);
        QCOMPARE(all.get_context_object(), &object);
        QVERIFY(*all.get_context() == context);
        QVERIFY(all.get_eager_start() && all.get_detached());
    }

    // T-001
    void aCoroutineThatWasMovedFromIsRefused()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Coroutine<int> coroutine = give_at_once(1);
            Coroutine<int> other = std::move(coroutine);
            const QString refused = u"RuntimeError: cannot reuse already awaited coroutine"_s;
            QASYNCIO_COMPARE(error_in([&] { create_task(std::move(coroutine)); }), refused);
            QASYNCIO_COMPARE(error_in([&] { loop.create_task(Coroutine<>()); }), refused);
            QASYNCIO_COMPARE(co_await create_task(std::move(other)), 1);
            QASYNCIO_COMPARE(error_in([&] { create_task(std::move(other)); }), refused);
        });
    }

    // T-002
    void aTaskIsNumberedUnlessItIsNamed()
    {
        Test::run([&]() -> Coroutine<> {
            Task<int> one = create_task(give_at_once(1));
            Task<int> two = create_task(give_at_once(2));
            const QString first = one.get_name(), second = two.get_name();
            QASYNCIO_VERIFY(first.startsWith(u"Task-"_s));
            QASYNCIO_COMPARE(second.mid(5).toInt(), first.mid(5).toInt() + 1);
            Task<int> named = create_task(give_at_once(3), TaskOptions().name(u"loader"_s));
            QASYNCIO_COMPARE(named.get_name(), u"loader"_s);
            named.set_name(u"other"_s);
            QASYNCIO_COMPARE(named.get_name(), u"other"_s);
            named.set_name(QString());
            QASYNCIO_COMPARE(named.get_name(), QString());
            co_await gather(one, two, named);
        });
    }

    void theFirstTaskOfAProgramIsNumberOne()
    {
        SKIP_WITHOUT_PROCESSES();
        QCOMPARE(run_scenario(u"names"_s).output.trimmed(), "Task-1 Task-2");
    }

    // T-003
    void aTasksResultCannotBeSetFromOutside()
    {
        Test::run([&]() -> Coroutine<> {
            Task<int> task = create_task(give_at_once(42));
            Future<int> future = task;
            QASYNCIO_COMPARE(error_in([&] { future.set_result(1); }),
                             u"RuntimeError: Task does not support set_result operation"_s);
            QASYNCIO_COMPARE(error_in([&] { future.set_exception(ValueError()); }),
                             u"RuntimeError: Task does not support set_exception operation"_s);
            QASYNCIO_COMPARE(co_await task, 42);
        });
    }

    // T-005
    void aPlainCallbackHasNoCurrentTask()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            AnyTask seen = current_task();
            QASYNCIO_VERIFY(seen);
            loop.call_soon([&] { seen = current_task(); });
            co_await turns(1);
            QASYNCIO_VERIFY(!seen);
        });
        QCOMPARE(error_in([] { return current_task(); }), u"RuntimeError: no running event loop"_s);
        QCOMPARE(error_in([] { return all_tasks(); }), u"RuntimeError: no running event loop"_s);
        QTest::ignoreMessage(QtWarningMsg,
                             QRegularExpression(u"coroutine 'turns' was never awaited"_s));
        QCOMPARE(error_in([] { return create_task(turns(1)); }),
                 u"RuntimeError: no running event loop"_s);
    }

    // T-006
    void allTasksHoldsTheUnfinishedOnes()
    {
        Test::run([&]() -> Coroutine<> {
            Task<int> done = create_task(give_at_once(1));
            co_await done;
            Task<> one = create_task(sleeper(1ms));
            Task<> two = create_task(sleeper(2ms));
            const std::vector<AnyTask> all = all_tasks();
            QASYNCIO_COMPARE(all.size(), 3u);
            QASYNCIO_VERIFY(all[0] == current_task());
            QASYNCIO_VERIFY(all[1] == one);
            QASYNCIO_VERIFY(all[2] == two);
            co_await one;
            QASYNCIO_COMPARE(all_tasks().size(), 2u);
            co_await two;
            QASYNCIO_COMPARE(all_tasks().size(), 1u);
        });
    }

    // T-008
    void aTaskEndsAsItsCoroutineDoes()
    {
        Test::run([&]() -> Coroutine<> {
            Task<int> good = create_task(give_at_once(42));
            QASYNCIO_COMPARE(co_await good, 42);
            QASYNCIO_COMPARE(good.exception(), nullptr);
            Task<int> bad = create_task(fail_at_once(u"wrong"_s));
            QASYNCIO_COMPARE(co_await error_of(bad), u"ValueError: wrong"_s);
            QASYNCIO_COMPARE(describe(bad.exception()), u"ValueError: wrong"_s);
            QASYNCIO_COMPARE(bad.cancelled(), false);
        });
    }

    // T-010
    void awaitingOneselfThrows()
    {
        Test::run([&]() -> Coroutine<> {
            Task<> task;
            QString error;
            const auto body = [&]() -> Coroutine<> { error = co_await error_of(task); };
            task = create_task(body(), TaskOptions().name(u"snake"_s));
            co_await task;
            QASYNCIO_VERIFY(error.startsWith(
                u"RuntimeError: Task cannot await on itself: <Task pending name='snake'"_s));
        });
    }

    // T-010
    void awaitingAFutureOfAnotherLoopThrows()
    {
        QAsyncioLoop other(virtual_time());
        Future<int> foreign = other.create_future<int>();
        Test::run([&]() -> Coroutine<> {
            for (int i = 0; i < 2; ++i) {
                const QString error = co_await error_of(foreign);
                QASYNCIO_VERIFY(error.startsWith(u"RuntimeError: Task <Task pending name='"_s));
                QASYNCIO_VERIFY(
                    error.endsWith(u"> got Future <Future> attached to a different loop"_s));
                // the next await is none of its business
                QASYNCIO_COMPARE(co_await create_task(give(i)), i);
            }
        });
        QVERIFY(!foreign.done());
        foreign.set_result(1); // nobody waits for it
        run_ready(other, 1);
        other.close();
    }

    // T-011
    void aDoneCallbackRunsBeforeAnAwaiterThatCameLater()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            Task<> task = create_task(turns(1));
            task.add_done_callback([&] { log << u"callback"_s; });
            const auto body = [&]() -> Coroutine<> {
                co_await task;
                log << u"awaiter"_s;
            };
            Task<> awaiter = create_task(body());
            co_await turns(1);
            task.add_done_callback([&] { log << u"late callback"_s; });
            co_await awaiter;
            QASYNCIO_COMPARE(log.join(u", "), u"callback, awaiter, late callback"_s);
        });
    }

    // T-012
    void aTaskIsTheCurrentOneWhileItIsStepped()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const AnyTask main = current_task();
            AnyTask first, second;
            const auto child = [&]() -> Coroutine<> {
                co_await sleep(0s);
                second = current_task();
            };
            const auto body = [&]() -> Coroutine<> {
                first = current_task();
                co_await child();
            };
            Task<> task = create_task(body());
            QASYNCIO_VERIFY(current_task() == main);
            co_await task;
            QASYNCIO_VERIFY(first == task && second == task);
            QASYNCIO_VERIFY(current_task() == main);
            QASYNCIO_VERIFY(loop.current_task() == main);
        });
    }

    // T-014
    void theTextFormOfATask()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const QString here = QString::fromUtf8(__FILE__);
            Future<> future = loop.create_future<>();
            const auto body = [&]() -> Coroutine<> { co_await future; };
            Task<> task = create_task(body(), TaskOptions().name(u"one"_s));
            const QString pending = task.to_string();
            QASYNCIO_VERIFY(pending.startsWith(u"<Task pending name='one' coro=<"_s));
            QASYNCIO_VERIFY(pending.contains(
                u" coro=<tst_task::theTextFormOfATask::<lambda>() at "_s + here + u":"_s));
            co_await turns(1);
            QASYNCIO_COMPARE(task.to_string(), pending.chopped(1) + u" wait_for=<a future>>"_s);
            future.set_result();
            co_await task;
            QASYNCIO_COMPARE(task.to_string(), u"<Task finished name='one'>"_s);

            Task<int> failed = create_task(fail_at_once(u"wrong"_s), TaskOptions().name(u"two"_s));
            QASYNCIO_VERIFY(failed.to_string().contains(u"coro=<fail_at_once() at "_s));
            co_await error_of(failed);
            QASYNCIO_COMPARE(failed.to_string(),
                             u"<Task finished name='two' exception=ValueError: wrong>"_s);

            Task<> sleeping = create_task(sleeper(), TaskOptions().name(u"three"_s));
            co_await turns(1);
            QASYNCIO_VERIFY(sleeping.to_string().contains(u" wait_for=<timer in 3600.000 s>"_s));
            sleeping.cancel();
            QASYNCIO_VERIFY(sleeping.to_string().startsWith(u"<Task cancelling name='three' "_s));
            co_await error_of(sleeping);
            QASYNCIO_COMPARE(sleeping.to_string(), u"<Task cancelled name='three'>"_s);
        });
    }

    // T-014
    void theTextFormOfATaskThatAwaitsATask()
    {
        Test::run([&]() -> Coroutine<> {
            Task<> inner = create_task(sleeper(1ms), TaskOptions().name(u"inner"_s));
            const auto body = [&]() -> Coroutine<> { co_await inner; };
            Task<> outer = create_task(body(), TaskOptions().name(u"outer"_s));
            co_await turns(1);
            QASYNCIO_VERIFY(outer.to_string().contains(u" wait_for=<Task 'inner'>"_s));
            co_await outer;
        });
    }

    // T-014
    void theNameOfATemplateThatIsGivenALambda()
    {
        Test::run([&]() -> Coroutine<> {
            int calls = 0;
            Task<> task = create_task(calls_and_waits([&] { ++calls; }));
            co_await turns(1);
            QASYNCIO_VERIFY(task.to_string().contains(u" coro=<calls_and_waits() at "_s));
            co_await task;
            QASYNCIO_COMPARE(calls, 1);
        });
    }

    // T-014, F-018
    void theTextFormOfTasksThatAwaitEachOtherIsFinite()
    {
        Test::run([&]() -> Coroutine<> {
            Task<> one, other;
            const auto first = [&]() -> Coroutine<> { co_await other; };
            const auto second = [&]() -> Coroutine<> { co_await one; };
            one = create_task(first(), TaskOptions().name(u"one"_s));
            other = create_task(second(), TaskOptions().name(u"other"_s));
            co_await turns(2);
            QASYNCIO_COMPARE(one.to_string().count(u"name='"_s), 1);
            QASYNCIO_VERIFY(one.to_string().contains(u"wait_for=<Task 'other'>"_s));
            one.cancel();
            QASYNCIO_VERIFY(other.to_string().startsWith(u"<Task cancelling name='other'"_s));
            QASYNCIO_VERIFY(!other.to_string().contains(u"wait_for"_s)); // it has given up
            QASYNCIO_COMPARE(co_await error_of(other), u"CancelledError"_s);
        });
    }

    // T-015
    void aTaskTellsItsCoroutineAndItsContext()
    {
        Test::run([&]() -> Coroutine<> {
            static ContextVar<int> variable(u"variable"_s, 0);
            const Context context;
            const auto body = []() -> Coroutine<> {
                variable.set(42);
                co_return;
            };
            Task<> task = create_task(body(), TaskOptions().context(context));
            QASYNCIO_VERIFY(task.get_context() == context);
            QASYNCIO_VERIFY(task.get_coro().line() > 0);
            QASYNCIO_COMPARE(QString::fromUtf8(task.get_coro().file_name()),
                             QString::fromUtf8(__FILE__));
            co_await task;
            QASYNCIO_COMPARE(task.get_context().run([] { return variable.get(); }), 42);
            QASYNCIO_COMPARE(int(task.get_coro().line()), 0);
            const AnyTask self = current_task();
            QASYNCIO_VERIFY(self.get_context() == self.get_context());
        });
    }

    void aContextThatIsStillEmptyIsTheTasksAsWell()
    {
        static ContextVar<int> variable(u"variable"_s, 0);
        QAsyncioLoop loop(virtual_time());
        const auto body = []() -> Coroutine<int> { co_return variable.get(); };
        Task<int> task = loop.create_task(body());
        task.get_context().run([] { variable.set(42); });
        QCOMPARE(loop.run_until_complete(task), 42);
        loop.close();
    }

    void aTaskOfAFunctionIsNamedAfterThat()
    {
        Test::run([]() -> Coroutine<> {
            Task<int> task = create_task(give, 1, 1s);
            co_await turns(1);
            QASYNCIO_VERIFY(task.to_string().contains(u"coro=<give() at "_s));
            QASYNCIO_COMPARE(co_await task, 1);
        });
    }

    // H-56, H-80
    void theExceptionOfADiscardedTaskIsReportedOnce()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            loop.set_exception_handler([&](QAsyncioLoop &, const ExceptionContext &context) {
                log << context.message << describe(context.exception) << context.task.get_name();
            });
            const auto odd = []() -> Coroutine<> {
                throw 42;
                co_return;
            };
            create_task(fail_at_once(u"lost"_s), TaskOptions().name(u"a"_s));
            create_task(odd(), TaskOptions().name(u"b"_s));
            QASYNCIO_COMPARE(co_await error_of(create_task(fail_at_once(u"seen"_s))),
                             u"ValueError: seen"_s);
            co_await turns(3);
            QASYNCIO_COMPARE(log.join(u", "),
                             u"Task exception was never retrieved, ValueError: lost, a, "
                             "Task exception was never retrieved, int, b"_s);
        });
    }

    // H-82
    void aSecondAwaitOfATaskGivesTheSameResult()
    {
        Test::run([&]() -> Coroutine<> {
            Task<int> task = create_task(give_at_once(42));
            QASYNCIO_COMPARE(co_await task, 42);
            QASYNCIO_COMPARE(co_await task, 42);
            Task<int> failed = create_task(fail_at_once(u"wrong"_s));
            QASYNCIO_COMPARE(co_await error_of(failed), u"ValueError: wrong"_s);
            QASYNCIO_COMPARE(co_await error_of(failed), u"ValueError: wrong"_s);
        });
    }

    // T-007
    void theLoopKeepsATaskThatNobodyElseHolds()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> result = loop.create_future<int>();
            {
                auto body = [](Future<int> result) -> Coroutine<> {
                    co_await sleep(1h);
                    result.set_result(42);
                };
                create_task(body(result));
            }
            QASYNCIO_COMPARE(co_await result, 42);
        });
    }

    void aMoveOnlyResultIsTakenOnce()
    {
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<std::unique_ptr<int>> {
                co_return std::make_unique<int>(42);
            };
            Task<std::unique_ptr<int>> task = create_task(body());
            QASYNCIO_COMPARE(*co_await task, 42);
            QASYNCIO_COMPARE(co_await error_of(task),
                             u"RuntimeError: the result was moved out already"_s);
            QASYNCIO_COMPARE(*co_await create_task(body()), 42);
        });
    }

    void aTasksFrameIsGoneWhenItIsDone()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            const auto body = [](Farewell) -> Coroutine<> { co_return; };
            Task<> task = create_task(body(Farewell(log, u"argument"_s)));
            task.add_done_callback([&] { log << u"callback"_s; });
            co_await task;
            QASYNCIO_COMPARE(log.join(u' '), u"argument callback"_s);
        });
    }

    void aTaskMayDropItsOwnHandle()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<> entered = loop.create_future<>();
            auto task = std::make_unique<Task<>>();
            const auto body = [&]() -> Coroutine<> {
                task.reset();
                co_await sleep(1ms);
                entered.set_result();
            };
            *task = create_task(body());
            co_await entered;
        });
    }

    void tasksMayBeDroppedInAnyThread()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            Task<int> failed = create_task(fail_at_once(u"lost"_s));
            Task<> running = create_task(sleeper(1ms));
            co_await turns(2);
            std::thread([a = std::move(failed), b = std::move(running)] { }).join();
            co_await sleep(2ms);
            QASYNCIO_COMPARE(reports.list().join(u' '),
                             u"Task exception was never retrieved|ValueError: lost"_s);
        });
    }

    // L-049, L-052
    void aClosedLoopRefusesTasks()
    {
        QAsyncioLoop loop(virtual_time());
        loop.close();
        Coroutine<int> coroutine = give_at_once(1);
        QTest::ignoreMessage(QtWarningMsg,
                             QRegularExpression(u"coroutine 'give_at_once' was never awaited"_s));
        QCOMPARE(error_in([&] { loop.create_task(std::move(coroutine)); }),
                 u"RuntimeError: Event loop is closed"_s);
    }

    void aResultThatCannotBeMovedOutIsAnError()
    {
        struct Stuck
        {
            int moves = 0;
            Stuck() = default;
            Stuck(const Stuck &other) : moves(other.moves + 1)
            {
                if (moves > 1)
                    throw ValueError(u"stuck"_s);
            }
        };
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<Stuck> { co_return Stuck(); };
            QASYNCIO_COMPARE(co_await error_of(create_task(body())), u"ValueError: stuck"_s);
        });
    }

    void aThrowingCopyOfTheResultIsThrownAtTheAwait()
    {
        struct Fragile
        {
            Fragile() = default;
            Fragile(const Fragile &) { throw ValueError(u"cannot be copied today"_s); }
            Fragile(Fragile &&) noexcept { }
        };
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<Fragile> { co_return Fragile(); };
            Task<Fragile> task = create_task(body());
            QASYNCIO_COMPARE(co_await error_of(task), u"ValueError: cannot be copied today"_s);
        });
    }

    // T-005
    void anIdleLoopHasNoCurrentTask()
    {
        QAsyncioLoop loop(virtual_time());
        QVERIFY(!loop.current_task());
        Task<int> task = loop.create_task(give(1));
        QVERIFY(!loop.current_task());
        QCOMPARE(loop.run_until_complete(task), 1);
        QVERIFY(!loop.current_task());
        loop.close();
    }

    // T-012
    void theCurrentTaskChangesWithTheStep()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Task<> one, other;
            Future<> first = loop.create_future<>(), second = loop.create_future<>();
            QStringList log;
            const auto note = [&](const Task<> &task) {
                log << (current_task() == task ? u"right"_s : u"wrong"_s);
            };
            const auto waits = [&]() -> Coroutine<> {
                note(one);
                co_await first;
                note(one);
                second.set_result();
            };
            const auto wakes = [&]() -> Coroutine<> {
                note(other);
                first.set_result();
                co_await second;
                note(other);
            };
            one = create_task(waits());
            other = create_task(wakes());
            co_await gather(one, other);
            QASYNCIO_COMPARE(log.join(u' '), u"right right right right"_s);
        });
    }

    void aTaskMayGiveAFuture()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            const auto body = [&]() -> Coroutine<Future<int>> { co_return future; };
            const Future<int> given = co_await create_task(body());
            QASYNCIO_VERIFY(given == future && !given.done());
        });
    }

    void createTaskKeepsAFunctionAndItsArguments()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Task<QString>> tasks;
            {
                const QString text = u"captured"_s;
                const auto captures = [text](QString more) -> Coroutine<QString> {
                    co_await sleep(1s);
                    co_return text + more;
                };
                tasks.push_back(create_task(captures, u" 1"_s));
                tasks.push_back(loop.create_task(captures, u" 2"_s));
                tasks.push_back(create_task(TaskOptions().name(u"third"_s), captures, u" 3"_s));
                tasks.push_back(loop.create_task(TaskOptions().eager_start(), captures, u" 4"_s));
            }
            QASYNCIO_COMPARE(tasks[2].get_name(), u"third"_s);
            for (std::size_t i = 0; i < tasks.size(); ++i) {
                const QString result = co_await tasks[i];
                QASYNCIO_COMPARE(result, u"captured "_s + QString::number(i + 1));
            }
            auto owned = std::make_unique<int>(3);
            const auto take = [](std::unique_ptr<int> given) -> Coroutine<int> {
                co_return *given;
            };
            QASYNCIO_COMPARE(co_await create_task(take, std::move(owned)), 3);
        });
    }

    void createTaskTakesAMemberFunctionAndItsObject()
    {
        struct Page
        {
            int number;
            Coroutine<int> load(int more)
            {
                co_await sleep(1s);
                co_return number + more;
            }
        };
        Test::run([]() -> Coroutine<> {
            Page page{1};
            QASYNCIO_COMPARE(co_await create_task(&Page::load, &page, 2), 3);
        });
    }

    void createTaskTakesWhateverCanBeAwaited()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            const Task<int> of_future = create_task(future, TaskOptions().name(u"waiter"_s));
            const Task<int> of_task = loop.create_task(of_future);
            Task<> of_sleep = create_task(sleep(1s));
            QASYNCIO_COMPARE(of_future.get_name(), u"waiter"_s);
            co_await of_sleep;
            future.set_result(7);
            QASYNCIO_COMPARE(co_await of_task, 7);
            QASYNCIO_COMPARE(of_future.result(), 7);
        });
    }

    void cancellingATaskOfAnAwaitableCancelsThat()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            Task<int> task = create_task(future);
            co_await turns(2);
            task.cancel();
            co_await turns(3);
            QASYNCIO_VERIFY(task.cancelled() && future.cancelled());
        });
    }

    void whatCreateTaskRefusesWasNeverACoroutine()
    {
        QTest::failOnWarning(QRegularExpression(u"never awaited"_s));
        const auto function = []() -> Coroutine<> { co_return; };
        QCOMPARE(error_in([&] { return create_task(function); }),
                 u"RuntimeError: no running event loop"_s);
        QAsyncioLoop loop;
        const Future<int> future = loop.create_future<int>();
        loop.close();
        QCOMPARE(error_in([&] { return loop.create_task(function); }),
                 u"RuntimeError: Event loop is closed"_s);
        QCOMPARE(error_in([&] { return loop.create_task(future); }),
                 u"RuntimeError: Event loop is closed"_s);
    }
};

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    if (argc > 2 && qstrcmp(argv[1], "--scenario") == 0) {
        Test::run([]() -> Coroutine<> {
            Task<int> next = create_task(give_at_once(1));
            printf("%s %s\n", qPrintable(current_task().get_name()), qPrintable(next.get_name()));
            co_await next;
        });
        return 0;
    }
    tst_task test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_task.moc"
