// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qregularexpression.h>

namespace {

Coroutine<int> give_at_once(int value)
{
    co_return value;
}

Coroutine<int> chain(int depth, Future<int> leaf)
{
    if (depth == 0)
        co_return co_await leaf;
    const int below = co_await chain(depth - 1, leaf);
    co_return below + 1;
}

Coroutine<int> sum_of(int count)
{
    int sum = 0;
    for (int i = 0; i < count; ++i)
        sum += co_await give_at_once(1);
    co_return sum;
}

constexpr int deep = 100'000;

/// A coroutine whose argument is a coroutine whose argument..., `depth` times.
Coroutine<> nested(Coroutine<> innermost, int depth)
{
    const auto wrap = [](Coroutine<> inner) -> Coroutine<> { co_await std::move(inner); };
    for (int i = 0; i < depth; ++i)
        innermost = wrap(std::move(innermost));
    return innermost;
}

Coroutine<> keeps(std::shared_ptr<Farewell>)
{
    co_return;
}

template<class T>
concept CanCopy = requires(const T &value) { T(value); };

} // namespace

/// Goes on as a frame does that was compiled without tail calls.
struct Hop : detail::FrameLink
{
    bool await_ready() const { return false; }
    template<class P>
    void await_suspend(std::coroutine_handle<P> frame) const
    {
        frame.promise().task->core->next_frame = frame;
    }
    void await_resume() const { }
};

class Loader : public QObject
{
public:
    Coroutine<> load(QString) { co_return; }
};

class tst_coroutine : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void framesWithoutTailCallsTakeTurnsInALoop()
    {
        bool turned = false;
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto body = []() -> Coroutine<int> {
                int hops = 0;
                for (; hops < deep; ++hops)
                    co_await Hop();
                co_return hops;
            };
            loop.call_soon([&] { turned = true; });
            QASYNCIO_COMPARE(co_await body(), deep);
            QASYNCIO_VERIFY(!turned); // all in one step
        });
    }

    void aCoroutineIsLazy()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            const auto body = [&]() -> Coroutine<> {
                log << u"body"_s;
                co_return;
            };
            Coroutine<> coroutine = body();
            QASYNCIO_VERIFY(coroutine);
            log << u"made"_s;
            co_await turns(1);
            co_await std::move(coroutine);
            QASYNCIO_COMPARE(log.join(u' '), u"made body"_s);
            QASYNCIO_VERIFY(!coroutine);
        });
    }

    // L-127
    void anAwaitRunsTheChildInTheSameTaskWithoutTheLoop()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            loop.call_soon([&] { log << u"next turn"_s; });
            const AnyTask task = current_task();
            const auto child = [&]() -> Coroutine<bool> {
                log << u"child"_s;
                co_return current_task() == task;
            };
            QASYNCIO_COMPARE(co_await child(), true);
            log << u"parent"_s;
            co_await turns(1);
            QASYNCIO_COMPARE(log.join(u", "), u"child, parent, next turn"_s);
        });
    }

    void anExceptionOfTheChildIsThrownAtTheAwait()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            const auto child = [&]() -> Coroutine<> {
                const Farewell local(log, u"local"_s);
                co_await sleep(0s);
                throw ValueError(u"wrong"_s);
            };
            const auto middle = [&]() -> Coroutine<> { co_await child(); };
            log << co_await error_of(middle());
            QASYNCIO_COMPARE(log.join(u' '), u"local ValueError: wrong"_s);
        });
    }

    void theFrameOfAChildIsGoneWhenItsAwaitIsOver()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            const auto child = [&](Farewell) -> Coroutine<int> {
                co_await sleep(0s);
                co_return 1;
            };
            co_await child(Farewell(log, u"argument"_s));
            log << u"after"_s;
            QASYNCIO_COMPARE(log.join(u' '), u"argument after"_s);
        });
    }

    void aSecondAwaitIsRefused()
    {
        Test::run([&]() -> Coroutine<> {
            Coroutine<int> coroutine = give_at_once(42);
            QASYNCIO_COMPARE(co_await coroutine, 42);
            QString error;
            try {
                co_await coroutine;
            } catch (const RuntimeError &thrown) {
                error = thrown.message();
            }
            QASYNCIO_COMPARE(error, u"cannot reuse already awaited coroutine"_s);
            Coroutine<int> none;
            QASYNCIO_THROWS(co_await std::move(none), RuntimeError);
        });
    }

    // L-099
    void aCoroutineDestroyedBeforeItWasAwaitedIsReported()
    {
        QStringList log;
        QTest::ignoreMessage(
            QtWarningMsg,
            QRegularExpression(
                u"coroutine 'give_at_once' was never awaited \\(.*tst_coroutine.cpp:\\d+\\)"
                ": co_await it, or give it to create_task\\(\\); "_s));
        {
            const Coroutine<int> forgotten = give_at_once(1);
        }
        const auto body = [](Farewell) -> Coroutine<> { co_return; };
        QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"was never awaited"_s));
        {
            Coroutine<> forgotten = body(Farewell(log, u"argument"_s));
            const Coroutine<> moved = std::move(forgotten);
            QCOMPARE(log.size(), 0);
        }
        QCOMPARE(log.join(u' '), u"argument"_s);
        Coroutine<int> replaced = give_at_once(1);
        QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"was never awaited"_s));
        replaced = give_at_once(2);
        replaced.close();
    }

    void aConnectedCoroutineIsReportedWithTheRemedy()
    {
        Loader page;
        QObject sender;
        const auto remedy = u"was never awaited \\(.*: co_await it, or give it to "
                            u"create_task\\(\\); connect\\(\\) wants a slot or lambda "
                            "that does so$"_s;
        const auto connected = QObject::connect(&sender, &QObject::objectNameChanged, &page,
                                                &Loader::load);
        QTest::ignoreMessage(QtWarningMsg,
                             QRegularExpression(u"coroutine 'Loader::load' "_s + remedy));
        sender.setObjectName(u"one"_s);
        QObject::disconnect(connected);
        QObject::connect(&sender, &QObject::objectNameChanged, &page,
                         [](QString) -> Coroutine<> { co_return; });
        QTest::ignoreMessage(QtWarningMsg, QRegularExpression(remedy));
        sender.setObjectName(u"two"_s);
    }

    // L-099
    void aClosedCoroutineIsNotReported()
    {
        QTest::failOnWarning(QRegularExpression(u"."_s));
        QStringList log;
        const auto body = [](Farewell) -> Coroutine<> { co_return; };
        Coroutine<> coroutine = body(Farewell(log, u"argument"_s));
        coroutine.close();
        QCOMPARE(log.join(u' '), u"argument"_s);
        QVERIFY(!coroutine);
        coroutine.close();
    }

    void aCoroutineIsMovedAndNotCopied()
    {
        static_assert(!CanCopy<Coroutine<int>>);
        static_assert(std::is_nothrow_move_constructible_v<Coroutine<int>>);
        Test::run([&]() -> Coroutine<> {
            Coroutine<int> one = give_at_once(1);
            Coroutine<int> two = std::move(one);
            one = std::move(two);
            Coroutine<int> &alias = one;
            one = std::move(alias); // to itself
            QASYNCIO_COMPARE(co_await std::move(one), 1);
        });
    }

    void resultsThatCanOnlyBeMovedAreMoved()
    {
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<std::unique_ptr<int>> {
                co_return std::make_unique<int>(42);
            };
            const std::unique_ptr<int> value = co_await body();
            QASYNCIO_COMPARE(*value, 42);
        });
    }

    // H-81
    void aMillionAwaitsThatFinishAtOnceNeedNoStack()
    {
        int sum = 0;
        on_a_small_stack([&] {
            QAsyncioLoop loop(virtual_time());
            sum = loop.run_until_complete(sum_of(1'000'000));
            loop.close();
        });
        QCOMPARE(sum, 1'000'000);
    }

    // H-81
    void aDeepChainReturns()
    {
        int result = 0;
        on_a_small_stack([&] {
            QAsyncioLoop loop(virtual_time());
            Future<int> leaf = loop.create_future<int>();
            Task<int> task = loop.create_task(chain(deep, leaf));
            run_ready(loop);
            leaf.set_result(1);
            result = loop.run_until_complete(task);
            loop.close();
        });
        QCOMPARE(result, deep + 1);
    }

    // H-81
    void aDeepChainThrows()
    {
        QString error;
        on_a_small_stack([&] {
            QAsyncioLoop loop(virtual_time());
            Future<int> leaf = loop.create_future<int>();
            Task<int> task = loop.create_task(chain(deep, leaf));
            run_ready(loop);
            leaf.set_exception(ValueError(u"deep"_s));
            error = error_in([&] { return loop.run_until_complete(task); });
            loop.close();
        });
        QCOMPARE(error, u"ValueError: deep"_s);
    }

    // H-81
    void aDeepChainIsCancelled()
    {
        QString error;
        on_a_small_stack([&] {
            QAsyncioLoop loop(virtual_time());
            Task<int> task = loop.create_task(chain(deep, loop.create_future<int>()));
            run_ready(loop);
            task.cancel(u"deep"_s);
            error = error_in([&] { return loop.run_until_complete(task); });
            loop.close();
        });
        QCOMPARE(error, u"CancelledError: deep"_s);
    }

    // H-81
    void aDeepChainIsUnwound()
    {
        QStringList states;
        on_a_small_stack([&] {
            QAsyncioLoop loop(virtual_time());
            const Reports reports(loop);
            auto object = std::make_unique<QObject>();
            Task<int> bound = loop.create_task(chain(deep, loop.create_future<int>()),
                                               TaskOptions().context(object.get()));
            Task<int> closed = loop.create_task(chain(deep, loop.create_future<int>()));
            run_ready(loop);
            object.reset();
            states << (bound.cancelled() ? u"unwound"_s : u"pending"_s);
            loop.close();
            states << (closed.cancelled() ? u"unwound"_s : u"pending"_s)
                   << QString::number(reports.list().size());
        });
        QCOMPARE(states.join(u' '), u"unwound unwound 1"_s);
    }

    // H-81
    void aDeepNestThatNeverBeganIsDestroyed()
    {
        QStringList log;
        on_a_small_stack([&] {
            const auto nest = [&](const QString &name) {
                return nested(keeps(std::make_shared<Farewell>(log, name)), deep);
            };
            QAsyncioLoop loop(virtual_time());
            Task<> cancelled = loop.create_task(nest(u"cancelled"_s));
            cancelled.cancel();
            run_ready(loop);
            auto object = std::make_unique<QObject>();
            Task<> bound = loop.create_task(nest(u"unwound"_s),
                                            TaskOptions().context(object.get()));
            object.reset();
            loop.close();
        });
        QCOMPARE(log.join(u' '), u"cancelled unwound"_s);
    }

    // L-099
    void eachOfADeepNestThatWasNeverAwaitedIsReported()
    {
        static int reports;
        reports = 0;
        QtMessageHandler outer = qInstallMessageHandler(
            [](QtMsgType, const QMessageLogContext &, const QString &text) {
                reports += text.contains(u"was never awaited"_s);
            });
        on_a_small_stack([&] { const Coroutine<> dropped = nested(Loader().load({}), 10'000); });
        qInstallMessageHandler(outer);
        QCOMPARE(reports, 10'001);
    }

    void aFewThatNeverBeganGoInTheOrderOfDestructors()
    {
        QStringList log;
        const auto holds = [](std::shared_ptr<Farewell>, Coroutine<>,
                              std::shared_ptr<Farewell>) -> Coroutine<> { co_return; };
        const auto order = [&](int depth) {
            log.clear();
            holds(std::make_shared<Farewell>(log, u"a"_s),
                  nested(keeps(std::make_shared<Farewell>(log, u"inner"_s)), depth),
                  std::make_shared<Farewell>(log, u"b"_s))
                .close();
            return log.join(u' ');
        };
        const QString one = order(0);
        QCOMPARE(log.value(1), u"inner"_s);
        QCOMPARE(order(50), one);
    }

    void aMemberFunctionMayBeACoroutine()
    {
        struct Counter
        {
            int value = 40;
            Coroutine<int> add(int more)
            {
                co_await sleep(0s);
                value += more;
                co_return value;
            }
        };
        Test::run([&]() -> Coroutine<> {
            Counter counter;
            QASYNCIO_COMPARE(co_await counter.add(2), 42);
        });
    }
};

QTEST_GUILESS_MAIN(tst_coroutine)
#include "tst_coroutine.moc"
