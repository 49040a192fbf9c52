// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <optional>
#include <thread>

namespace {
ContextVar<QString> user(u"user"_s, u"nobody"_s);
ContextVar<int> depth(u"depth"_s);
} // namespace

class tst_context : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aVariableWithoutAValueGivesItsDefault()
    {
        QCOMPARE(user.get(), u"nobody"_s);
        QCOMPARE(user.get(u"somebody"_s), u"somebody"_s);
        QCOMPARE(error_in([] { return depth.get(); }), u"LookupError: depth"_s);
        QCOMPARE(depth.get(3), 3);
        QCOMPARE(depth.name(), u"depth"_s);
    }

    void runKeepsWhatIsSetInTheContext()
    {
        const Context context;
        context.run([] { depth.set(1); });
        QCOMPARE(depth.get(0), 0);
        QCOMPARE(context.run([] { return depth.get(); }), 1);
        context.run([&] {
            const Context copy = copy_context();
            depth.set(2);
            QCOMPARE(copy.run([] { return depth.get(); }), 1);
            QVERIFY(copy != context);
        });
        QCOMPARE(context.run([] { return depth.get(); }), 2);
        QCOMPARE(error_in([&] { context.run([] { throw ValueError(u"wrong"_s); }); }),
                 u"ValueError: wrong"_s);
        QCOMPARE(depth.get(0), 0);
    }

    void resetGoesBackToWhatWasThereBefore()
    {
        Context().run([] {
            Token<int> first = depth.set(1);
            Token<int> second = depth.set(2);
            QVERIFY(!first.old_value());
            QCOMPARE(second.old_value().value(), 1);
            depth.reset(second);
            QCOMPARE(depth.get(), 1);
            QCOMPARE(error_in([&] { depth.reset(second); }),
                     u"RuntimeError: <Token> has already been used once"_s);
            depth.reset(std::move(first));
            QCOMPARE(depth.get(0), 0);
        });
    }

    void aTokenOfAnotherVariableOrContextIsRefused()
    {
        ContextVar<int> other(u"other"_s);
        Context().run([&] {
            Token<int> token = depth.set(1);
            QCOMPARE(error_in([&] { other.reset(token); }),
                     u"ValueError: <Token> was created by a different ContextVar"_s);
            copy_context().run([&] {
                QCOMPARE(error_in([&] { depth.reset(token); }),
                         u"ValueError: <Token> was created in a different Context"_s);
            });
            depth.reset(token); // a refusal does not use it up
        });
    }

    // T-004, H-65
    void eachTaskHasACopyOfItsCreatorsContext()
    {
        Test::run([&]() -> Coroutine<> {
            user.set(u"creator"_s);
            QStringList log;
            const auto body = [&](QString name) -> Coroutine<> {
                log << user.get();
                user.set(name);
                co_await sleep(0s);
                log << user.get();
            };
            Task<> one = create_task(body(u"one"_s));
            Task<> two = create_task(body(u"two"_s));
            user.set(u"later"_s);
            co_await gather(one, two);
            QASYNCIO_COMPARE(log.join(u' '), u"creator creator one two"_s);
            QASYNCIO_COMPARE(user.get(), u"later"_s);
        });
    }

    // T-004
    void anAwaitedCoroutineSharesItsCallersContext()
    {
        Test::run([&]() -> Coroutine<> {
            const auto child = []() -> Coroutine<> {
                co_await sleep(1ms);
                user.set(u"child"_s);
            };
            co_await child();
            QASYNCIO_COMPARE(user.get(), u"child"_s);
            co_await wait_for(child(), 1s);
            const auto in_scope = [](Timeout &) -> Coroutine<> {
                user.set(u"in timeout"_s);
                co_return;
            };
            co_await timeout(1s, in_scope);
            QASYNCIO_COMPARE(user.get(), u"in timeout"_s);
        });
    }

    // T-004
    void aTaskMayBeGivenAContext()
    {
        Test::run([&]() -> Coroutine<> {
            const Context context;
            const auto body = [](QString name) -> Coroutine<QString> {
                const QString before = user.get();
                user.set(name);
                co_await sleep(0s);
                co_return before;
            };
            QASYNCIO_COMPARE(co_await create_task(body(u"one"_s), TaskOptions().context(context)),
                             u"nobody"_s);
            // the very same
            QASYNCIO_COMPARE(co_await create_task(body(u"two"_s), TaskOptions().context(context)),
                             u"one"_s);
            QASYNCIO_COMPARE(context.run([] { return user.get(); }), u"two"_s);
            QASYNCIO_COMPARE(user.get(), u"nobody"_s);
        });
    }

    // L-062
    void aCallbackRunsInACopyOfTheContextOfItsScheduling()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            const auto callback = [&] {
                log << user.get();
                user.set(u"callback"_s);
            };
            user.set(u"scheduled"_s);
            loop.call_soon(callback);
            loop.call_later(1ms, callback);
            loop.call_soon_threadsafe(callback);
            const Context own;
            own.run([] { user.set(u"own"_s); });
            loop.call_soon(callback, own);
            loop.call_later(1ms, callback, own);
            user.set(u"changed"_s);
            co_await sleep(2ms);
            QASYNCIO_COMPARE(log.join(u' '), u"scheduled scheduled own scheduled callback"_s);
            QASYNCIO_COMPARE(user.get(), u"changed"_s);
        });
    }

    void theTokenOfAContextThatIsGoneIsRefused()
    {
        for (int i = 0; i < 100; ++i) { // a new one may get the old one's memory
            std::optional<Token<QString>> token;
            Context().run([&] { token.emplace(user.set(u"before"_s)); });
            Context().run([&] {
                user.set(u"after"_s);
                QCOMPARE(error_in([&] { user.reset(*token); }),
                         u"ValueError: <Token> was created in a different Context"_s);
            });
        }
    }

    // L-072
    void aHandleGivesItsContext()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Handle empty = loop.call_soon([] { user.set(u"from the callback"_s); });
            const Context of_empty = empty.get_context();
            user.set(u"scheduled"_s);
            TimerHandle timer = loop.call_later(1ms, [] { });
            const Context own;
            Handle given = loop.call_soon([] { }, own);
            QASYNCIO_VERIFY(given.get_context() == own);
            QASYNCIO_COMPARE(timer.get_context().run([] { return user.get(); }), u"scheduled"_s);
            QASYNCIO_COMPARE(of_empty.run([] { return user.get(); }), u"nobody"_s);
            co_await sleep(2ms);
            QASYNCIO_COMPARE(of_empty.run([] { return user.get(); }), u"from the callback"_s);
        });
    }

    // L-088
    void theExceptionHandlerRunsInTheContextOfWhatFailed()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            loop.set_exception_handler([&](QAsyncioLoop &, const ExceptionContext &context) {
                log << user.get() + u":"_s + describe(context.exception);
                user.set(u"handler"_s);
            });
            const auto body = []() -> Coroutine<> {
                user.set(u"in the task"_s);
                throw ValueError(u"task"_s);
                co_return;
            };
            user.set(u"main"_s);
            create_task(body());
            loop.call_soon([] {
                user.set(u"in the callback"_s);
                throw ValueError(u"callback"_s);
            });
            co_await turns(2);
            QASYNCIO_COMPARE(
                log.join(u", "),
                u"in the task:ValueError: task, in the callback:ValueError: callback"_s);
            QASYNCIO_COMPARE(user.get(), u"main"_s);
        });
    }

    void aContextCanBeEnteredAgain()
    {
        ContextVar<int> var(u"var"_s, 0);
        const Context context;
        context.run([&] {
            var.set(1);
            context.run([&] { var.set(2); });
            QCOMPARE(var.get(), 2);
        });
        QCOMPARE(var.get(), 0);
    }

    // L-112
    void theRunsOfARunnerShareAContext()
    {
        Runner runner;
        const auto set = []() -> Coroutine<> {
            user.set(u"first run"_s);
            co_return;
        };
        const auto get = []() -> Coroutine<QString> { co_return user.get(); };
        runner.run(set());
        QCOMPARE(runner.run(get()), u"first run"_s);
        QCOMPARE(user.get(), u"nobody"_s);
        QCOMPARE(runner.run(get(), Context()), u"nobody"_s);
        runner.close();
    }

    void aValueIsKeptAsLongAsAContextHasIt()
    {
        static ContextVar<std::shared_ptr<int>> shared(u"shared"_s, nullptr);
        const auto value = std::make_shared<int>(1);
        {
            const Context context;
            context.run([&] { shared.set(value); });
            QVERIFY(value.use_count() > 1);
            const Context copy = context.run([] { return copy_context(); });
            QVERIFY(copy.run([&] { return shared.get() == value; }));
        }
        QCOMPARE(value.use_count(), 1);
    }

    void eachThreadHasAContextOfItsOwn()
    {
        Context().run([&] {
            user.set(u"here"_s);
            QString there;
            std::thread([&] {
                there = user.get();
                Context().run([] { user.set(u"there"_s); });
            }).join();
            QCOMPARE(there, u"nobody"_s);
            QCOMPARE(user.get(), u"here"_s);
        });
    }

    // F-008, T-004
    void whatADoneCallbackSetsIsNotSeenByTheTask()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            for (int i = 0; i < 2; ++i) {
                Future<> future = loop.create_future<>();
                future.add_done_callback([] { user.set(u"callback"_s); });
                const QString mine = u"task %1"_s.arg(i);
                user.set(mine);
                loop.call_soon([&] { future.set_result(); });
                co_await future;
                QASYNCIO_COMPARE(user.get(), mine);
                co_await sleep(1ms);
                QASYNCIO_COMPARE(user.get(), mine);
            }
        });
    }

    // L-062, T-004
    void whoHasAskedForAContextKeepsItNoLonger()
    {
        std::weak_ptr<int> kept;
        QAsyncioLoop loop(virtual_time());
        {
            ContextVar<std::shared_ptr<int>> variable(u"kept"_s);
            const Context context;
            context.run([&] {
                auto value = std::make_shared<int>(1);
                kept = value;
                variable.set(std::move(value));
            });
            const Handle handle = loop.call_soon([] { }, context);
            const Task<> task = loop.create_task(turns(1), TaskOptions().context(context));
            QVERIFY(handle.get_context() == context && task.get_context() == context);
            run_ready(loop);
            QVERIFY(!kept.expired());
        }
        QVERIFY(kept.expired());
        loop.close();
    }
};

QTEST_GUILESS_MAIN(tst_context)
#include "tst_context.moc"
