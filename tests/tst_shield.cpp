// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qelapsedtimer.h>

#include <thread>

namespace {

Coroutine<int> await_shielded(Future<int> inner)
{
    co_return co_await shield(inner);
}

} // namespace

class tst_shield : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // G-050
    void cancellingWhoAwaitsAShieldLeavesTheInnerOneRunning()
    {
        Test::run([&]() -> Coroutine<> {
            Task<int> inner = create_task(give(1, 1h));
            Task<int> waiting = create_task(await_shielded(inner));
            co_await turns(1);
            waiting.cancel(u"enough"_s);
            QASYNCIO_COMPARE(co_await error_of(waiting), u"CancelledError: enough"_s);
            QASYNCIO_COMPARE(inner.done(), false);
            QASYNCIO_COMPARE(inner.cancelling(), 0);
            QASYNCIO_COMPARE(co_await inner, 1);
        });
    }

    // G-050
    void aShieldThatIsCancelledEndsAtOnce()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> inner = loop.create_future<int>();
            Future<int> outer = shield(inner);
            QASYNCIO_COMPARE(outer.cancel(u"enough"_s), true);
            QASYNCIO_COMPARE(outer.cancelled(), true);
            QASYNCIO_COMPARE(co_await error_of(outer), u"CancelledError: enough"_s);
            inner.set_result(1);
            co_await turns(2);
        });
    }

    // G-051
    void cancellingTheInnerOneCancelsTheShieldWithoutItsMessage()
    {
        Test::run([&]() -> Coroutine<> {
            Task<int> inner = create_task(give(1, 1h));
            Future<int> outer = shield(inner);
            co_await turns(1);
            inner.cancel(u"from inside"_s);
            QASYNCIO_COMPARE(co_await error_of(outer), u"CancelledError"_s);
            QASYNCIO_COMPARE(outer.cancelled(), true);
        });
    }

    // G-051
    void aFutureThatIsDoneIsItsOwnShield()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> good = loop.create_future<int>();
            good.set_result(1);
            QASYNCIO_VERIFY(shield(good) == good);
            Future<int> bad = loop.create_future<int>();
            bad.set_exception(ValueError(u"wrong"_s));
            QASYNCIO_COMPARE(co_await error_of(shield(bad)), u"ValueError: wrong"_s);
            Task<int> task = create_task(give(2));
            co_await task;
            QASYNCIO_VERIFY(shield(task) == task);
        });
    }

    // G-052
    void aFailureAfterTheShieldWasCancelledIsTheInnerOnesOwn()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<ExceptionContext> reports;
            loop.set_exception_handler([&](QAsyncioLoop &, const ExceptionContext &context) {
                reports.push_back(context);
            });
            Task<int> inner = create_task(fail_with(u"too late"_s, 1s));
            Task<int> waiting = create_task(await_shielded(inner));
            co_await turns(1);
            waiting.cancel();
            QASYNCIO_COMPARE(co_await error_of(waiting), u"CancelledError"_s);
            co_await sleep(2s);
            QASYNCIO_COMPARE(reports.size(), 0u); // somebody may still ask
            inner = {};
            QASYNCIO_COMPARE(reports.size(), 1u);
            QASYNCIO_COMPARE(reports[0].message, u"Task exception was never retrieved"_s);
            QASYNCIO_COMPARE(describe(reports[0].exception), u"ValueError: too late"_s);
            reports.clear();
        });
    }

    // G-052
    void aFailureThatAnotherShieldGivesIsNotReported()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            Task<int> inner = create_task(fail_with(u"in time"_s, 1s));
            Future<int> one = shield(inner);
            Future<int> two = shield(inner);
            Future<int> three = shield(inner);
            one.cancel();
            two.cancel();
            co_await turns(2);
            QASYNCIO_COMPARE(co_await error_of(three), u"ValueError: in time"_s);
            inner = {};
            co_await turns(2);
            QASYNCIO_COMPARE(reports.list().join(u' '), QString());
        });
    }

    // G-052
    void aShieldThatIsLeftLeavesNothingBehind()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            Future<int> inner = loop.create_future<int>();
            Future<int> cancelled = shield(inner);
            Future<int> completed = shield(inner); // by somebody else
            QASYNCIO_COMPARE(unheard(inner), false);
            cancelled.cancel();
            completed.set_result(1);
            co_await turns(1);
            QASYNCIO_COMPARE(unheard(inner), true);
            QASYNCIO_COMPARE(reports.list().join(u' '), QString());
        });
    }

    // G-052
    void leavingAShieldCostsTheSameHoweverManyThereAre()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> inner = loop.create_future<int>();
            std::vector<Future<int>> shields;
            for (int i = 0; i < 50'000; ++i)
                shields.push_back(shield(inner));
            QElapsedTimer timer;
            timer.start();
            for (std::size_t i = 0; i < shields.size(); ++i)
                shields[(i * 7919) % shields.size()].cancel(); // in no order
            co_await turns(1);
            QASYNCIO_COMPARE(unheard(inner), true);
            QASYNCIO_VERIFY(timer.elapsed() < 5'000); // half a minute where each looks at all
        });
    }

    // G-052
    void aResultOrACancellationIsNotReported()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            Future<int> good = loop.create_future<int>();
            Future<int> ended = loop.create_future<int>();
            shield(good).cancel();
            shield(ended).cancel();
            co_await turns(1);
            good.set_result(1);
            ended.cancel();
            co_await turns(2);
            QASYNCIO_COMPARE(reports.list().join(u' '), QString());
        });
    }

    // G-052
    void aFailureInTheTurnOfTheCancellationIsReportedAsNeverRetrieved()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            for (const bool failure_first : {true, false}) {
                Future<int> inner = loop.create_future<int>();
                Future<int> outer = shield(inner);
                if (failure_first)
                    inner.set_exception(ValueError(u"at once"_s));
                outer.cancel();
                if (!failure_first)
                    inner.set_exception(ValueError(u"at once"_s));
                co_await turns(2);
            }
            const QString report = u"Future exception was never retrieved|ValueError: at once"_s;
            QASYNCIO_COMPARE(reports.list(), QStringList(2, report));
        });
    }

    // G-053
    void aCoroutineBecomesATaskThatTheLoopKeeps()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            const auto save = [&]() -> Coroutine<> {
                log << u"saving"_s;
                co_await sleep(1s);
                log << u"saved"_s;
            };
            const auto body = [&]() -> Coroutine<> { co_await shield(save()); };
            Task<> waiting = create_task(body());
            co_await turns(2);
            waiting.cancel();
            QASYNCIO_COMPARE(co_await error_of(waiting), u"CancelledError"_s);
            co_await sleep(2s);
            QASYNCIO_COMPARE(log.join(u' '), u"saving saved"_s);
        });
    }

    // G-053
    void withoutALoopACoroutineIsRefused()
    {
        QCOMPARE(error_in([] { return shield(give(1)); }),
                 u"RuntimeError: no running event loop"_s);
    }

    void resultsAndFailuresPassThrough()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            QASYNCIO_COMPARE(co_await shield(give(1, 1s)), 1);
            QASYNCIO_COMPARE(co_await error_of(shield(fail_with(u"wrong"_s, 1s))),
                             u"ValueError: wrong"_s);
            co_await shield(sleep(1s));
            co_await shield(turns(1));
            QASYNCIO_COMPARE(reports.list().join(u' '), QString());
        });
    }

    void aResultThatCanBeCopiedStaysWithTheInnerOne()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<QString> inner = loop.create_future<QString>();
            Future<QString> one = shield(inner);
            Future<QString> two = shield(inner);
            inner.set_result(u"text"_s);
            QASYNCIO_COMPARE(co_await one, u"text"_s);
            QASYNCIO_COMPARE(co_await two, u"text"_s);
            QASYNCIO_COMPARE(inner.result(), u"text"_s);
        });
    }

    void moveOnlyResultsAreMovedThrough()
    {
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<std::unique_ptr<int>> {
                co_return std::make_unique<int>(42);
            };
            const std::unique_ptr<int> value = co_await shield(body());
            QASYNCIO_COMPARE(*value, 42);
        });
    }

    void aResultThatNobodyElseHasIsNotCopied()
    {
        struct Counted
        {
            explicit Counted(int &copies) : copies(&copies) { }
            Counted(const Counted &other) : copies(other.copies) { ++*copies; }
            Counted(Counted &&) noexcept = default;
            int *copies;
        };
        Test::run([&]() -> Coroutine<> {
            int copies = 0;
            const auto body = [&]() -> Coroutine<Counted> {
                co_await sleep(1ms);
                co_return Counted(copies);
            };
            co_await shield(body());
            QASYNCIO_COMPARE(copies, 0);
        });
    }

    void aResultWhoseCopyThrowsEndsTheShieldWithThat()
    {
        struct Fragile
        {
            Fragile() = default;
            Fragile(const Fragile &) { throw ValueError(u"cannot be copied today"_s); }
            Fragile(Fragile &&) noexcept { }
        };
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<Fragile> inner = loop.create_future<Fragile>();
            Future<Fragile> outer = shield(inner);
            inner.set_result(Fragile());
            QASYNCIO_COMPARE(co_await error_of(outer), u"ValueError: cannot be copied today"_s);
        });
    }

    void aShieldThatWasCancelledKeepsNothingOfTheInnerOne()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                const Reports reports(loop);
                Future<int> outer = shield(fail_with(u"nobody asks"_s, 1s));
                co_await turns(1);
                outer.cancel();
                co_await sleep(2s);
                // Though the shield is still there.
                QASYNCIO_COMPARE(reports.list().join(u' '),
                                 u"Task exception was never retrieved|ValueError: nobody asks"_s);
            },
            Test::TestOptions().allow_reports());
    }

    void aShieldThatIsDroppedIsForgotten()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            Future<int> inner = loop.create_future<int>();
            Future<int> outer = shield(inner);
            QASYNCIO_COMPARE(unheard(inner), false);
            outer = {};
            QASYNCIO_COMPARE(unheard(inner), true);
            outer = shield(inner);
            inner.set_exception(ValueError(u"nobody listens"_s)); // its callback is queued
            outer = {};
            inner = {};
            co_await turns(2);
            QASYNCIO_COMPARE(reports.list().join(u' '),
                             u"Future exception was never retrieved|ValueError: nobody listens"_s);
        });
    }

    void aShieldKeepsAGatherAlive()
    {
        Test::run([&]() -> Coroutine<> {
            const auto [one, two] = co_await shield(gather(give(1, 1s), give(2, 2s)));
            QASYNCIO_COMPARE(one + two, 3);
        });
    }

    void severalTasksMayShieldTheSameFuture()
    {
        Test::run([&]() -> Coroutine<> {
            Task<int> inner = create_task(give(1, 1s));
            Task<int> one = create_task(await_shielded(inner));
            Task<int> two = create_task(await_shielded(inner));
            co_await turns(1);
            one.cancel();
            QASYNCIO_COMPARE(co_await two, 1);
            QASYNCIO_COMPARE(one.cancelled(), true);
        });
    }

    void theDeathOfTheContextObjectLeavesTheInnerOneRunning()
    {
        Test::run([&]() -> Coroutine<> {
            Task<int> inner = create_task(give(1, 1s));
            auto object = std::make_unique<QObject>();
            Task<int> waiting = create_task(await_shielded(inner),
                                            TaskOptions().context(object.get()));
            co_await turns(1);
            object.reset();
            QASYNCIO_COMPARE(waiting.cancelled(), true);
            QASYNCIO_COMPARE(unheard(inner), true);
            QASYNCIO_COMPARE(co_await inner, 1);
        });
    }

    void theDeathOfTheInnerOnesContextObjectCancelsTheShield()
    {
        Test::run([&]() -> Coroutine<> {
            auto object = std::make_unique<QObject>();
            Task<int> inner = create_task(give(1, 1h), TaskOptions().context(object.get()));
            Future<int> outer = shield(inner);
            co_await turns(1);
            object.reset();
            QASYNCIO_COMPARE(co_await error_of(outer), u"CancelledError"_s);
        });
    }

    void closingTheLoopEndsBoth()
    {
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        Task<int> inner = loop.create_task(give(1, 1h), TaskOptions().name(u"inner"_s));
        Task<int> waiting = loop.create_task(await_shielded(inner),
                                             TaskOptions().name(u"waiting"_s));
        Future<int> future = loop.create_future<int>();
        Future<int> left = shield(future);
        run_ready(loop);
        left.cancel(); // its callback is queued
        loop.close();
        QCOMPARE(reports.list().size(), 2); // a task each
        QVERIFY(inner.cancelled() && waiting.cancelled());
    }

    // G-050, G-007
    void aShieldedGatherGoesOn()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> one = loop.create_future<int>(), two = loop.create_future<int>();
            auto parent = gather(one, two);
            auto outer = shield(parent);
            co_await turns(1);
            outer.cancel();
            co_await turns(1);
            QASYNCIO_COMPARE(outer.cancelled(), true);
            one.set_result(1);
            two.set_result(2);
            co_await turns(1);
            QASYNCIO_COMPARE(parent.result(), std::make_tuple(1, 2));
        });
    }

    // G-050, G-007
    void cancellingAGatherOfShieldsLeavesTheInnerOnesAlone()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> one = loop.create_future<int>(), two = loop.create_future<int>();
            Future<int> first = shield(one), second = shield(two);
            auto parent = gather(first, second);
            co_await turns(1);
            QASYNCIO_COMPARE(parent.cancel(), true);
            co_await turns(1);
            QASYNCIO_COMPARE(describe(parent.exception()), u"CancelledError"_s);
            QASYNCIO_VERIFY(first.cancelled() && second.cancelled());
            QASYNCIO_VERIFY(!one.done() && !two.done());
            one.set_result(1);
            two.set_result(2);
            co_await turns(1);
        });
    }

    // G-050
    void shieldsOfShieldsGoWithoutStack()
    {
        int alive = 0;
        on_a_small_stack([&] {
            const auto shielded = [](Future<> future) {
                for (int i = 0; i < 30'000; ++i)
                    future = shield(future);
                return future;
            };
            QAsyncioLoop loop(virtual_time());
            const auto main = [&]() -> Coroutine<> {
                Future<> inner = loop.create_future<>();
                Future<> dropped = shielded(inner), dropped_elsewhere = shielded(inner),
                         cancelled = shielded(inner);
                co_await turns(1);
                dropped = {};
                std::thread([future = std::move(dropped_elsewhere)]() mutable {
                    future = {};
                }).join();
                cancelled.cancel();
                co_await turns(2);
                alive += !inner.done();
                inner.set_result();
                co_await turns(1);
            };
            loop.run_until_complete(main());
            Future<> outlives = shielded(loop.create_future<>());
            loop.close();
        });
        QCOMPARE(alive, 1);
    }
};

QTEST_GUILESS_MAIN(tst_shield)
#include "tst_shield.moc"
