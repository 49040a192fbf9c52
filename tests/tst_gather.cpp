// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qelapsedtimer.h>
#include <QtCore/qregularexpression.h>

namespace {

Coroutine<std::unique_ptr<int>> give_unique(int value)
{
    co_return std::make_unique<int>(value);
}

/// Takes its time to give a value when it is cancelled.
Coroutine<int> give_when_cancelled(int value, std::chrono::nanoseconds delay = 0s)
{
    const QString error = co_await error_of(sleep(1h));
    if (!error.isEmpty())
        co_await sleep(delay);
    co_return value;
}

} // namespace

class tst_gather : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // G-001, L-134
    void gatherOfNothingIsDoneWithAnEmptyResult()
    {
        Test::run([&]() -> Coroutine<> {
            Future<std::tuple<>> none = gather();
            QASYNCIO_COMPARE(none.done(), true);
            Future<std::vector<int>> empty = gather(std::vector<Future<int>>());
            QASYNCIO_COMPARE(empty.done(), true);
            QASYNCIO_COMPARE(empty.result().size(), 0u);
            QASYNCIO_COMPARE(none.cancel(), false);
            Future<std::vector<Outcome<int>>> outcomes = gather(return_exceptions,
                                                                std::vector<Coroutine<int>>());
            QASYNCIO_COMPARE(outcomes.result().size(), 0u);
        });
    }

    // G-002
    void resultsComeInTheOrderOfTheArguments()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto nothing = []() -> Coroutine<> { co_await sleep(1ms); };
            const TimePoint begin = loop.time();
            const auto [a, b, c, d] = co_await gather(give(1, 30ms), nothing(), give(3, 10ms),
                                                      sleep(20ms, u"four"_s));
            static_assert(std::is_same_v<decltype(b), const std::monostate>);
            QASYNCIO_COMPARE(a, 1);
            QASYNCIO_COMPARE(c, 3);
            QASYNCIO_COMPARE(d, u"four"_s);
            QASYNCIO_VERIFY(loop.time() - begin == 30ms);
        });
    }

    // G-002
    void oneFutureGivenTwiceRunsOnceAndFillsBothPlaces()
    {
        Test::run([&]() -> Coroutine<> {
            int runs = 0;
            const auto body = [&]() -> Coroutine<int> {
                co_await sleep(1ms);
                co_return ++runs;
            };
            Task<int> task = create_task(body());
            const auto [first, between, second] = co_await gather(task, give(7), task);
            QASYNCIO_COMPARE(first, 1);
            QASYNCIO_COMPARE(between, 7);
            QASYNCIO_COMPARE(second, 1);
            const std::vector<Task<int>> tasks(2, task);
            const std::vector<int> all = co_await gather(tasks);
            QASYNCIO_COMPARE(all, (std::vector<int>{1, 1}));
        });
    }

    // G-002
    void aVectorOfCoroutinesGivesAVector()
    {
        Test::run([&]() -> Coroutine<> {
            std::vector<Coroutine<int>> coroutines;
            for (int i = 0; i < 5; ++i)
                coroutines.push_back(give(i, std::chrono::milliseconds(10 - i)));
            const std::vector<int> values = co_await gather(std::move(coroutines));
            QASYNCIO_COMPARE(values, (std::vector<int>{0, 1, 2, 3, 4}));

            std::vector<Coroutine<>> silent;
            silent.push_back(turns(1));
            const std::vector<std::monostate> nothing = co_await gather(std::move(silent));
            QASYNCIO_COMPARE(nothing.size(), 1u);
        });
    }

    // G-003
    void theFirstExceptionEndsGatherAndTheSiblingsGoOn()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Task<int> sibling = create_task(give(1, 1h));
            const TimePoint begin = loop.time();
            QASYNCIO_COMPARE(co_await error_of(gather(sibling, fail_with(u"first"_s, 10ms))),
                             u"ValueError: first"_s);
            QASYNCIO_VERIFY(loop.time() - begin == 10ms);
            QASYNCIO_COMPARE(sibling.done(), false);
            QASYNCIO_COMPARE(sibling.cancelling(), 0);
            QASYNCIO_COMPARE(co_await sibling, 1);
        });
    }

    // G-003, G-004
    void laterExceptionsCountAsRetrieved()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            QASYNCIO_COMPARE(co_await error_of(gather(fail_with(u"one"_s, 10ms),
                                                      fail_with(u"two"_s, 20ms), give(1, 30ms))),
                             u"ValueError: one"_s);
            co_await sleep(50ms);
            QASYNCIO_COMPARE(reports.list().join(u' '), QString());
        });
    }

    // G-003
    void whatItHasNotLookedAtYetItsChildReports()
    {
        Test::run(
            [&](QAsyncioLoop &loop) -> Coroutine<> {
                const Reports reports(loop);
                {
                    const Future<int> never = loop.create_future<int>();
                    const auto outer = gather(return_exceptions, fail_with(u"one"_s), never);
                    co_await turns(4);
                    QASYNCIO_COMPARE(outer.done(), false);
                }
                QASYNCIO_COMPARE(reports.list().join(u' '),
                                 u"Task exception was never retrieved|ValueError: one"_s);
            },
            Test::TestOptions().allow_reports());
    }

    // G-005
    void aCancelledChildArrivesAsAnException()
    {
        Test::run([&]() -> Coroutine<> {
            Task<int> child = create_task(give(1, 1h));
            Task<int> sibling = create_task(give(2, 10ms));
            Future<std::tuple<int, int>> outer = gather(child, sibling);
            co_await turns(1);
            child.cancel(u"only you"_s);
            co_await turns(3);
            QASYNCIO_COMPARE(outer.done(), true);
            QASYNCIO_COMPARE(outer.cancelled(), false);
            QASYNCIO_COMPARE(describe(outer.exception()), u"CancelledError: only you"_s);
            QASYNCIO_COMPARE(sibling.done(), false);
            QASYNCIO_COMPARE(co_await sibling, 2);
        });
    }

    // G-006
    void returnExceptionsPutsThemAmongTheResults()
    {
        Test::run([&]() -> Coroutine<> {
            Task<int> cancelled = create_task(give(1, 1h));
            const auto nothing = []() -> Coroutine<> { co_return; };
            auto outer = gather(return_exceptions, give(7), fail_with(u"wrong"_s), cancelled,
                                nothing());
            co_await turns(1);
            cancelled.cancel(u"own"_s);
            const auto [value, failed, ended, silent] = co_await outer;
            QASYNCIO_COMPARE(value.value(), 7);
            QASYNCIO_COMPARE(value.exception(), nullptr);
            QASYNCIO_COMPARE(describe(failed.exception()), u"ValueError: wrong"_s);
            QASYNCIO_COMPARE(failed.has_value(), false);
            QASYNCIO_COMPARE(error_in([&] { return failed.value(); }), u"ValueError: wrong"_s);
            // asyncio loses the message
            QASYNCIO_COMPARE(describe(ended.exception()), u"CancelledError: own"_s);
            QASYNCIO_COMPARE(silent.has_value(), true);
        });
    }

    // G-006
    void returnExceptionsWorksForAVectorToo()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            std::vector<Coroutine<int>> coroutines;
            coroutines.push_back(give(1));
            coroutines.push_back(fail_with(u"wrong"_s));
            const std::vector<Outcome<int>> outcomes = co_await gather(return_exceptions,
                                                                       std::move(coroutines));
            QASYNCIO_COMPARE(outcomes.size(), 2u);
            QASYNCIO_COMPARE(outcomes[0].value(), 1);
            QASYNCIO_COMPARE(describe(outcomes[1].exception()), u"ValueError: wrong"_s);
            QASYNCIO_COMPARE(reports.list().join(u' '), QString());
        });
    }

    // G-007
    void cancelReachesEveryUnfinishedChildAndDoesNotItselfEndGather()
    {
        Test::run([&]() -> Coroutine<> {
            Task<int> done = create_task(give(0));
            co_await done;
            Task<int> one = create_task(give(1, 1h));
            Task<int> two = create_task(give(2, 1h));
            auto outer = gather(done, one, two);
            co_await turns(1);
            QASYNCIO_COMPARE(outer.cancel(u"all"_s), true);
            QASYNCIO_COMPARE(outer.done(), false);
            QASYNCIO_COMPARE(done.cancelling(), 0);
            QASYNCIO_COMPARE(one.cancelling(), 1);
            QASYNCIO_COMPARE(two.cancelling(), 1);
            QASYNCIO_COMPARE(co_await error_of(outer), u"CancelledError: all"_s);
            QASYNCIO_COMPARE(one.cancelled(), true);
            QASYNCIO_COMPARE(two.cancelled(), true);
        });
    }

    // G-007
    void cancelReachesEveryFuture()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            auto futures = futures_of(loop, 3);
            auto outer = gather(futures[0], futures[1], futures[2]);
            QASYNCIO_COMPARE(outer.cancel(), true);
            for (const Future<int> &future : futures)
                QASYNCIO_VERIFY(future.cancelled());
            QASYNCIO_COMPARE(co_await error_of(outer), u"CancelledError"_s);
        });
    }

    // G-007
    void cancelSaysFalseIfEveryChildIsDone()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> child = loop.create_future<int>();
            auto outer = gather(child);
            child.set_result(1);
            QASYNCIO_COMPARE(outer.done(), false); // it hears of it in the next turn
            QASYNCIO_COMPARE(outer.cancel(), false);
            QASYNCIO_COMPARE(std::get<0>(co_await outer), 1);
        });
    }

    // G-008
    void theFirstChildThatEndsCancelledEndsGather()
    {
        Test::run([&]() -> Coroutine<> {
            Task<int> slow = create_task(give_when_cancelled(1, 1h));
            auto outer = gather(slow, give(2, 1h));
            co_await turns(1);
            outer.cancel(u"all"_s);
            QASYNCIO_COMPARE(co_await error_of(outer), u"CancelledError: all"_s);
            QASYNCIO_COMPARE(slow.done(), false);
            QASYNCIO_COMPARE(co_await slow, 1);
        });
    }

    // G-008, G-009
    void withReturnExceptionsACancelledGatherWaitsForAll()
    {
        Test::run([&]() -> Coroutine<> {
            Task<int> slow = create_task(give_when_cancelled(1, 1h));
            auto outer = gather(return_exceptions, slow, give(2, 1h));
            co_await turns(1);
            outer.cancel(u"all"_s);
            QASYNCIO_COMPARE(co_await error_of(outer), u"CancelledError: all"_s);
            QASYNCIO_COMPARE(slow.done(), true);
            // The message is that of the last argument, as asyncio has it; this one was not
            // cancelled in the end.
            auto other = gather(return_exceptions, give(2, 1h), give_when_cancelled(1));
            co_await turns(1);
            other.cancel(u"all"_s);
            QASYNCIO_COMPARE(co_await error_of(other), u"CancelledError"_s);
        });
    }

    // G-009
    void anAcceptedCancelWinsOverWhatTheChildrenReturn()
    {
        Test::run([&]() -> Coroutine<> {
            auto outer = gather(give_when_cancelled(1), give_when_cancelled(2));
            co_await turns(1);
            QASYNCIO_COMPARE(outer.cancel(), true);
            QASYNCIO_COMPARE(co_await error_of(outer), u"CancelledError"_s);
            QASYNCIO_COMPARE(outer.cancelled(), false); // as an exception: G-005
        });
    }

    // G-007
    void cancellingAKnotOfAGatherAndItsChildComesToAnEnd()
    {
        QAsyncioLoop loop(virtual_time());
        Future<std::vector<int>> outer;
        const auto child = [&]() -> Coroutine<int> { co_return int((co_await outer).size()); };
        const auto main = [&]() -> Coroutine<> {
            std::vector<Coroutine<int>> children;
            children.push_back(child());
            outer = gather(std::move(children));
            co_await turns(2);
            QASYNCIO_COMPARE(outer.cancel(), true);
            co_await turns(2);
            // they wait for each other until the loop is closed
            QASYNCIO_COMPARE(outer.done(), false);
        };
        loop.run_until_complete(main());
        loop.close();
    }

    // G-010
    void cancelOnAGatherThatIsDoneCancelsNobody()
    {
        Test::run([&]() -> Coroutine<> {
            Task<int> sibling = create_task(give(1, 10ms));
            auto outer = gather(sibling, fail_with(u"first"_s));
            QASYNCIO_COMPARE(co_await error_of(outer), u"ValueError: first"_s);
            QASYNCIO_COMPARE(outer.cancel(), false);
            QASYNCIO_COMPARE(sibling.cancelling(), 0);
            QASYNCIO_COMPARE(co_await sibling, 1);
        });
    }

    // G-011, T-027
    void cancellingTheAwaitingTaskCancelsTheChildren()
    {
        Test::run([&]() -> Coroutine<> {
            Task<int> one = create_task(give(1, 1h));
            Task<int> two = create_task(give(2, 1h));
            const auto body = [&]() -> Coroutine<> { co_await gather(one, two); };
            Task<> parent = create_task(body());
            co_await turns(2);
            QASYNCIO_COMPARE(parent.cancel(u"all"_s), true);
            QASYNCIO_COMPARE(parent.cancel(u"again"_s), true);
            QASYNCIO_COMPARE(one.cancelling(), 2);
            QASYNCIO_COMPARE(co_await error_of(parent), u"CancelledError: all"_s);
            QASYNCIO_COMPARE(one.cancelled(), true);
            QASYNCIO_COMPARE(two.cancelled(), true);
        });
    }

    // G-011, T-023
    void aCancelThatComesBehindTheChildrensEndKeepsTheFirstMessage()
    {
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<> { co_await gather(sleeper(), sleeper()); };
            Task<> parent = create_task(body());
            co_await turns(2);
            parent.cancel(u"all"_s);
            co_await turns(2); // the children have ended, and gather with them
            parent.cancel(u"again"_s);
            QASYNCIO_COMPARE(co_await error_of(parent), u"CancelledError: all"_s);
        });
    }

    // G-012
    void childrenOfAnotherLoopAreRefused()
    {
        QAsyncioLoop other(virtual_time());
        Future<int> foreign = other.create_future<int>();
        Test::run([&]() -> Coroutine<> {
            QASYNCIO_COMPARE(
                error_in([&] { return gather(foreign); }),
                u"ValueError: The future belongs to a different loop than the one specified as the loop argument"_s);
            co_return;
        });
        QCOMPARE(error_in([&] { return gather(foreign); }),
                 u"RuntimeError: no running event loop"_s);
        other.close();
    }

    // G-013
    void gatherOfWhatIsDoneIsDone()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> good = loop.create_future<int>();
            good.set_result(1);
            Future<int> bad = loop.create_future<int>();
            bad.set_exception(ValueError(u"wrong"_s));
            auto fine = gather(good, good);
            QASYNCIO_COMPARE(fine.done(), true);
            QASYNCIO_COMPARE(std::get<1>(fine.result()), 1);
            auto failed = gather(good, bad);
            QASYNCIO_COMPARE(failed.done(), true);
            QASYNCIO_COMPARE(error_in([&] { failed.result(); }), u"ValueError: wrong"_s);
        });
    }

    // G-013
    void oneDoneFailureAmongPendingOnesEndsGatherAtOnce()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> pending = loop.create_future<int>();
            Future<int> bad = loop.create_future<int>();
            bad.set_exception(ValueError(u"wrong"_s));
            auto outer = gather(pending, bad);
            QASYNCIO_COMPARE(outer.done(), true);
            QASYNCIO_COMPARE(error_in([&] { outer.result(); }), u"ValueError: wrong"_s);
            pending.set_result(1);
            co_await turns(2);
        });
    }

    // G-014
    void tasksThatGatherMakesAreNotReportedAsDestroyed()
    {
        QStringList log;
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        const auto child = [&]() -> Coroutine<> {
            const Farewell local(log, u"unwound"_s);
            co_await sleep(1h);
        };
        const auto body = [&]() -> Coroutine<> { co_await gather(child(), child()); };
        Task<> parent = loop.create_task(body(), TaskOptions().name(u"parent"_s));
        run_ready(loop);
        loop.close();
        QCOMPARE(log.join(u' '), u"unwound unwound"_s);
        QCOMPARE(reports.list().size(), 1);
        QVERIFY(reports.list().first().contains(u"name='parent'"_s));
    }

    // G-014
    void aTaskThatWasGivenToGatherIsReportedAsDestroyed()
    {
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        Task<> child = loop.create_task(sleeper(), TaskOptions().name(u"child"_s));
        const auto body = [&]() -> Coroutine<> { co_await gather(child); };
        loop.create_task(body(), TaskOptions().name(u"parent"_s));
        run_ready(loop);
        loop.close();
        QCOMPARE(reports.list().size(), 2);
        QVERIFY(reports.list().join(u' ').contains(u"name='child'"_s));
    }

    void aGatherThatIsDroppedLeavesItsChildrenAlone()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            QStringList log;
            const auto child = [&](int number) -> Coroutine<> {
                co_await sleep(std::chrono::milliseconds(number));
                log << QString::number(number);
                if (number == 3)
                    throw ValueError(u"nobody listens"_s);
            };
            static_cast<void>(gather(child(1), child(2), child(3)));
            co_await sleep(10ms);
            QASYNCIO_COMPARE(log.join(u' '), u"1 2 3"_s);
            QASYNCIO_COMPARE(reports.list().join(u' '),
                             u"Task exception was never retrieved|ValueError: nobody listens"_s);
        });
    }

    void aGatherThatFailsAndIsDroppedIsReportedOnce()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            auto outer = gather(fail_with(u"nobody listens"_s), fail_with(u"nor here"_s));
            co_await turns(4);
            QASYNCIO_COMPARE(reports.list().join(u' '), QString());
            outer = {};
            QASYNCIO_COMPARE(reports.list().join(u' '),
                             u"Future exception was never retrieved|ValueError: nobody listens"_s);
        });
    }

    void aCancelThatReachesTheInnermostChildIsOneOfEachGather()
    {
        for (const bool of_task : {false, true}) {
            Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
                Future<> child = loop.create_future<>();
                if (of_task)
                    child = create_task(sleeper());
                auto inner = gather(return_exceptions, child);
                auto middle = gather(return_exceptions, inner);
                auto outer = gather(return_exceptions, middle);
                co_await turns(1);
                QASYNCIO_COMPARE(outer.cancel(), true);
                co_await turns(6);
                QASYNCIO_VERIFY(child.cancelled());
                // Not the list with the cancellation in it, that each would have given otherwise.
                QASYNCIO_COMPARE(describe(inner.exception()), u"CancelledError"_s);
                QASYNCIO_COMPARE(describe(middle.exception()), u"CancelledError"_s);
                QASYNCIO_COMPARE(describe(outer.exception()), u"CancelledError"_s);
            });
        }
    }

    void aCancelThatNobodyIsLeftToTakeEndsWhoAwaitsTheInnerGather()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            Future<> child = loop.create_future<>();
            const auto body = [&]() -> Coroutine<> { co_await gather(child); };
            Task<> task = create_task(body());
            auto outer = gather(task);
            co_await turns(2);
            child.set_result(); // the gather is told in the next turn
            QASYNCIO_COMPARE(outer.cancel(u"late"_s), true);
            QASYNCIO_COMPARE(co_await error_of(outer), u"CancelledError: late"_s);
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: late"_s);
        });
    }

    void theMessageIsThatOfTheRequestThatTheLastChildSwallowed()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            Future<> future = loop.create_future<>();
            const auto swallows = [&]() -> Coroutine<> {
                try {
                    co_await future;
                } catch (const CancelledError &) {
                }
            };
            auto outer = gather(swallows());
            co_await turns(2);
            future.set_result(); // so the request goes to the task itself
            outer.cancel(u"enough"_s);
            QASYNCIO_COMPARE(co_await error_of(outer), u"CancelledError: enough"_s);
        });
    }

    void aChildThatIsDoneAlreadyKeepsNothingOfIt()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(loop, 2);
            futures[0].set_result(1);
            auto outer = gather(futures);
            QASYNCIO_VERIFY(unheard(futures[0]) && !unheard(futures[1]));
            futures[1].set_result(2);
            QASYNCIO_COMPARE((co_await outer)[1], 2);
        });
    }

    void afterAFailureWhatTheOthersThrowIsDroppedAlsoIfTheGatherIs()
    {
        for (const bool done_already : {false, true}) {
            Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
                const Reports reports(loop);
                std::vector<Future<int>> futures = futures_of(loop, 2);
                auto outer = gather(futures);
                futures[0].set_exception(ValueError(u"first"_s));
                co_await turns(1);
                QASYNCIO_COMPARE(describe(outer.exception()), u"ValueError: first"_s);
                if (done_already)
                    futures[1].set_exception(ValueError(u"second"_s));
                outer = {};
                if (!done_already)
                    futures[1].set_exception(ValueError(u"second"_s));
                futures.clear();
                co_await turns(2);
                QASYNCIO_COMPARE(reports.list().join(u' '), QString());
            });
        }
    }

    void aGatherMayBeDroppedBetweenTheEndOfItsChildAndItsOwn()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> child = loop.create_future<int>();
            auto outer = gather(child);
            child.set_result(1);
            child = {};
            outer = {};
            co_await turns(2);
        });
    }

    void moveOnlyResultsAreMovedThrough()
    {
        Test::run([&]() -> Coroutine<> {
            auto [one, two] = co_await gather(give_unique(1), give_unique(2));
            QASYNCIO_COMPARE(*one, 1);
            QASYNCIO_COMPARE(*two, 2);
            std::vector<Coroutine<std::unique_ptr<int>>> more;
            more.push_back(give_unique(3));
            std::vector<std::unique_ptr<int>> values = co_await gather(std::move(more));
            QASYNCIO_COMPARE(*values.front(), 3);
            const auto list = []() -> Coroutine<std::vector<std::unique_ptr<int>>> {
                std::vector<std::unique_ptr<int>> made;
                made.push_back(std::make_unique<int>(4));
                co_return made;
            };
            const auto [outcome] = co_await gather(return_exceptions, list());
            QASYNCIO_COMPARE(*outcome.value().front(), 4);
        });
    }

    void aMoveOnlyResultCannotFillTwoPlaces()
    {
        Test::run([&]() -> Coroutine<> {
            const QString taken = u"RuntimeError: the result was moved out already"_s;
            Task<std::unique_ptr<int>> task = create_task(give_unique(1));
            QASYNCIO_COMPARE(co_await error_of(gather(task, task)), taken);
            // The same for one that is done already, and for one that somebody else has taken.
            QASYNCIO_COMPARE(co_await error_of(gather(task)), taken);
            const auto outcomes = co_await gather(return_exceptions, task);
            QASYNCIO_COMPARE(describe(std::get<0>(outcomes).exception()), taken);
        });
    }

    void aResultWhoseCopyThrowsEndsGatherWithThat()
    {
        struct Fragile
        {
            Fragile() = default;
            Fragile(const Fragile &) { throw ValueError(u"cannot be copied today"_s); }
            Fragile(Fragile &&) noexcept { }
        };
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<Fragile> {
                co_await sleep(1ms);
                co_return Fragile();
            };
            Task<Fragile> task = create_task(body());
            QASYNCIO_COMPARE(co_await error_of(gather(task)),
                             u"ValueError: cannot be copied today"_s);
        });
    }

    void gatherOfManyTakesTimeInProportion()
    {
        Test::run([&]() -> Coroutine<> {
            std::vector<Coroutine<>> many;
            for (int i = 0; i < 50'000; ++i)
                many.push_back(turns(1));
            QElapsedTimer timer;
            timer.start();
            const auto results = co_await gather(std::move(many));
            QASYNCIO_COMPARE(results.size(), 50'000u);
            QASYNCIO_VERIFY(timer.elapsed() < 5'000); // comparing each with each takes a minute
        });
    }

    void gatherOfGathersIsCancelledAsAWhole()
    {
        Test::run([&]() -> Coroutine<> {
            Task<int> leaf = create_task(give(1, 1h));
            auto outer = gather(gather(leaf, give(2, 1h)), give(3, 1h));
            co_await turns(1);
            QASYNCIO_COMPARE(outer.cancel(u"all"_s), true);
            QASYNCIO_COMPARE(co_await error_of(outer), u"CancelledError: all"_s);
            QASYNCIO_COMPARE(leaf.cancelled(), true);
            co_await turns(3);
        });
    }

    // G-001, G-012
    void withoutALoopItIsRefused()
    {
        const QString refused = u"RuntimeError: no running event loop"_s;
        QCOMPARE(error_in([] { return gather(); }), refused);
        for (int i = 0; i < 2; ++i)
            QTest::ignoreMessage(QtWarningMsg,
                                 QRegularExpression(u"coroutine 'give' was never awaited"_s));
        QCOMPARE(error_in([] { return gather(give(1), give(2)); }), refused);
    }

    // G-009, G-011
    void theMessageOfTheCancellationReachesWhoAwaitsIt()
    {
        Test::run([&]() -> Coroutine<> {
            for (const bool given : {false, true}) {
                const auto body = []() -> Coroutine<> {
                    co_await gather(return_exceptions, sleeper());
                };
                Task<> task = create_task(body());
                co_await turns(2);
                if (given)
                    task.cancel(u"my message"_s);
                else
                    task.cancel();
                const QString error = co_await error_of(task);
                QASYNCIO_COMPARE(error,
                                 given ? u"CancelledError: my message"_s : u"CancelledError"_s);
                QASYNCIO_COMPARE(task.cancelled(), true);
            }
        });
    }
};

QTEST_GUILESS_MAIN(tst_gather)
#include "tst_gather.moc"
