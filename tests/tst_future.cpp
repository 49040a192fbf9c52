// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qdeadlinetimer.h>
#include <QtCore/qelapsedtimer.h>
#include <QtCore/qregularexpression.h>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace {
/// Tells in which thread it was destroyed.
struct Grave
{
    std::thread::id *died_in;
    explicit Grave(std::thread::id &id) : died_in(&id) { }
    Grave(Grave &&other) noexcept : died_in(std::exchange(other.died_in, nullptr)) { }
    ~Grave()
    {
        if (died_in)
            *died_in = std::this_thread::get_id();
    }
};
/// A future with a callback that owns a future with a callback that..., `depth` times.
Future<> owner_of(Future<> future, int depth)
{
    for (int i = 0; i < depth; ++i) {
        Future<> owner = future.get_loop().create_future<>();
        owner.add_done_callback([future = std::move(future)] { });
        future = std::move(owner);
    }
    return future;
}

} // namespace

class tst_future : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // F-001
    void aFutureLeavesPendingOnce()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> finished = loop.create_future<int>();
            QASYNCIO_COMPARE(finished.done(), false);
            finished.set_result(1);
            QASYNCIO_COMPARE(finished.done(), true);
            QASYNCIO_COMPARE(finished.cancelled(), false);
            Future<> cancelled = loop.create_future<>();
            cancelled.cancel();
            QASYNCIO_COMPARE(cancelled.done(), true);
            QASYNCIO_COMPARE(cancelled.cancelled(), true);
            co_return;
        });
    }

    // F-002
    void aPendingFutureHasNeitherResultNorException()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            QASYNCIO_COMPARE(error_in([&] { return future.result(); }),
                             u"InvalidStateError: Result is not set."_s);
            QASYNCIO_COMPARE(error_in([&] { return future.exception(); }),
                             u"InvalidStateError: Exception is not set."_s);
            co_return;
        });
    }

    // F-003
    void completingTwiceIsRefusedAndChangesNothing()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const QString refused = u"InvalidStateError: invalid state"_s;
            Future<int> future = loop.create_future<int>();
            future.set_result(1);
            QASYNCIO_COMPARE(error_in([&] { future.set_result(2); }), refused);
            QASYNCIO_COMPARE(error_in([&] { future.set_exception(ValueError()); }), refused);
            QASYNCIO_COMPARE(future.result(), 1);
            QASYNCIO_COMPARE(future.exception(), nullptr);
            Future<int> cancelled = loop.create_future<int>();
            cancelled.cancel();
            QASYNCIO_COMPARE(error_in([&] { cancelled.set_result(2); }), refused);
            QASYNCIO_COMPARE(cancelled.cancelled(), true);
            co_return;
        });
    }

    // F-004
    void cancelOnAPendingFutureIsTrueAndOnADoneOneFalse()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            QASYNCIO_COMPARE(future.cancel(u"one"_s), true);
            QASYNCIO_COMPARE(future.cancel(u"two"_s), false);
            QASYNCIO_COMPARE(error_in([&] { return future.result(); }), u"CancelledError: one"_s);
            Future<int> done = loop.create_future<int>();
            done.set_result(1);
            QASYNCIO_COMPARE(done.cancel(), false);
            QASYNCIO_COMPARE(done.result(), 1);
            co_return;
        });
    }

    // F-005
    void aCancelledFutureThrowsANewErrorEachTime()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            future.cancel(u"why"_s);
            const CancelledError *objects[2] = {};
            std::exception_ptr kept[2];
            for (int i = 0; i < 2; ++i) {
                try {
                    future.result();
                } catch (const CancelledError &error) {
                    objects[i] = &error;
                    kept[i] = std::current_exception();
                    QASYNCIO_COMPARE(error.message(), u"why"_s);
                }
            }
            QASYNCIO_VERIFY(objects[0] && objects[1] && objects[0] != objects[1]);
            QASYNCIO_COMPARE(error_in([&] { return future.exception(); }),
                             u"CancelledError: why"_s);
            Future<int> silent = loop.create_future<int>();
            silent.cancel();
            QASYNCIO_COMPARE(error_in([&] { return silent.result(); }), u"CancelledError"_s);
            co_return;
        });
    }

    // F-006
    void anEmptyExceptionIsRefused()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            QASYNCIO_COMPARE(error_in([&] { future.set_exception(std::exception_ptr()); }),
                             u"TypeError: invalid exception object"_s);
            QASYNCIO_COMPARE(future.done(), false);
            co_return;
        });
    }

    // F-007
    void aCancelledErrorThatIsSetIsAnExceptionButCancelsWhoAwaits()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            future.set_exception(CancelledError(u"set"_s));
            QASYNCIO_COMPARE(future.cancelled(), false);
            QASYNCIO_COMPARE(describe(future.exception()), u"CancelledError: set"_s);
            const auto body = [&]() -> Coroutine<int> { co_return co_await future; };
            Task<int> task = create_task(body());
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: set"_s);
            QASYNCIO_COMPARE(task.cancelled(), true);
        });
    }

    // F-008, L-015
    void doneCallbacksRunInOrderThroughTheQueue()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            Future<int> future = loop.create_future<int>();
            future.add_done_callback(
                [&](Future<int> done) { log << u"one:%1"_s.arg(done.result()); });
            future.add_done_callback(
                [&](const AnyFuture &done) { log << (done == future ? u"two"_s : u"-"_s); });
            future.add_done_callback([&] { log << u"three"_s; });
            loop.call_soon([&] { log << u"before"_s; });
            future.set_result(7);
            loop.call_soon([&] { log << u"after"_s; });
            QASYNCIO_COMPARE(log.size(), 0);
            co_await turns(1);
            QASYNCIO_COMPARE(log.join(u' '), u"before one:7 two three after"_s);
            co_await turns(2);
            QASYNCIO_COMPARE(log.size(), 5);
        });
    }

    // F-008, L-062
    void doneCallbacksRunInTheContextOfTheirRegistration()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            static ContextVar<QString> variable(u"variable"_s, u"default"_s);
            QStringList log;
            Future<> future = loop.create_future<>();
            variable.set(u"registered"_s);
            future.add_done_callback([&] { log << variable.get(); });
            const Context own;
            own.run([] { variable.set(u"own"_s); });
            future.add_done_callback([&] { log << variable.get(); }, own);
            future.add_done_callback([&](const Future<> &) { log << variable.get(); }, own);
            variable.set(u"completed"_s);
            future.set_result();
            future.add_done_callback([&] { log << variable.get(); });
            co_await turns(1);
            QASYNCIO_COMPARE(log.join(u' '), u"registered own own completed"_s);
        });
    }

    // F-008
    void cancelSchedulesTheCallbacksToo()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            bool cancelled = false;
            Future<> future = loop.create_future<>();
            future.add_done_callback([&](const Future<> &done) { cancelled = done.cancelled(); });
            future.cancel();
            QASYNCIO_COMPARE(cancelled, false);
            co_await turns(1);
            QASYNCIO_COMPARE(cancelled, true);
        });
    }

    // F-009
    void aCallbackAddedToADoneFutureIsScheduledAtOnce()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            Future<> future = loop.create_future<>();
            future.set_result();
            future.add_done_callback([&] {
                log << u"first"_s;
                future.add_done_callback([&] { log << u"nested"_s; });
                loop.call_soon([&] { log << u"behind"_s; });
            });
            QASYNCIO_COMPARE(log.size(), 0);
            co_await turns(1);
            QASYNCIO_COMPARE(log.join(u' '), u"first"_s);
            co_await turns(1);
            QASYNCIO_COMPARE(log.join(u' '), u"first nested behind"_s);
        });
    }

    // F-010
    void aCallbackAddedTwiceRunsTwice()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            int calls = 0;
            const auto callback = [&] { ++calls; };
            Future<> future = loop.create_future<>();
            future.add_done_callback(callback);
            future.add_done_callback(callback);
            future.set_result();
            co_await turns(1);
            QASYNCIO_COMPARE(calls, 2);
        });
    }

    // F-010
    void removingACallbackGivesHowManyThereWere()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            Future<> future = loop.create_future<>();
            const DoneCallbackId one = future.add_done_callback([&] { log << u"one"_s; });
            const DoneCallbackId two = future.add_done_callback([&] { log << u"two"_s; });
            const DoneCallbackId three = future.add_done_callback([&] { log << u"three"_s; });
            QASYNCIO_COMPARE(future.remove_done_callback(two), 1);
            QASYNCIO_COMPARE(future.remove_done_callback(two), 0);
            QASYNCIO_COMPARE(future.remove_done_callback(DoneCallbackId()), 0);
            QASYNCIO_COMPARE(loop.create_future<>().remove_done_callback(one), 0);
            future.set_result();
            QASYNCIO_COMPARE(future.remove_done_callback(three), 0); // it is scheduled
            co_await turns(1);
            QASYNCIO_COMPARE(log.join(u' '), u"one three"_s);
            QASYNCIO_COMPARE(future.remove_done_callback(one), 0);
        });
    }

    // F-010
    void anIdIsNoneOfTheNextCallbackInItsPlace()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            int calls = 0;
            Future<> future = loop.create_future<>();
            for (int i = 0; i < 3; ++i) { // the memory of the one is that of the next
                const DoneCallbackId gone = future.add_done_callback([&] { --calls; });
                QASYNCIO_COMPARE(future.remove_done_callback(gone), 1);
                future.add_done_callback([&] { ++calls; });
                QASYNCIO_COMPARE(future.remove_done_callback(gone), 0);
            }
            future.set_result();
            co_await turns(1);
            QASYNCIO_COMPARE(calls, 3);
        });
    }

    // F-010
    void theOnlyCallbackCanBeRemoved()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            Future<> future = loop.create_future<>();
            const DoneCallbackId first = future.add_done_callback(
                [&, farewell = Farewell(log, u"gone"_s)] { log << u"one"_s; });
            QASYNCIO_COMPARE(future.remove_done_callback(first), 1);
            QASYNCIO_COMPARE(log.join(u' '), u"gone"_s);
            future.add_done_callback([&] { log << u"another"_s; });
            future.set_result();
            co_await turns(1);
            QASYNCIO_COMPARE(log.join(u' '), u"gone another"_s);
        });
    }

    // F-010
    void ofAFutureThatFailedNoCallbackCanBeRemovedAndTheExceptionStays()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            for (const int count : {1, 2, 40}) {
                int calls = 0;
                Future<> future = loop.create_future<>();
                std::vector<DoneCallbackId> ids;
                for (int i = 0; i < count; ++i)
                    ids.push_back(future.add_done_callback([&] { ++calls; }));
                future.set_exception(std::make_exception_ptr(ValueError(u"no"_s)));
                for (const DoneCallbackId &id : ids)
                    QASYNCIO_COMPARE(future.remove_done_callback(id), 0);
                QASYNCIO_COMPARE(co_await error_of(future), u"ValueError: no"_s);
                QASYNCIO_COMPARE(calls, 0);
                co_await turns(1);
                QASYNCIO_COMPARE(calls, count);
                QASYNCIO_COMPARE(describe(future.exception()), u"ValueError: no"_s);
            }
        });
    }

    // F-008, F-010
    void ofManyCallbacksThatComeAndGoTheRestRunsInOrder()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<> future = loop.create_future<>();
            std::vector<int> called, expected;
            std::vector<std::pair<int, DoneCallbackId>> there;
            quint32 random = 1;
            for (int i = 0; i < 2000; ++i) {
                const auto call = [&called, i] { called.push_back(i); };
                there.emplace_back(i, future.add_done_callback(call));
                random = random * 1664525 + 1013904223;
                // Grows, shrinks to nothing, and grows again.
                for (quint32 gone = i < 1000 ? (random >> 20) % 2 : (random >> 20) % 4;
                     gone > 0 && !there.empty(); --gone) {
                    const auto victim = there.begin() + (random >> 8) % there.size();
                    QASYNCIO_COMPARE(future.remove_done_callback(victim->second), 1);
                    QASYNCIO_COMPARE(future.remove_done_callback(victim->second), 0);
                    there.erase(victim);
                }
            }
            for (const auto &[number, id] : there)
                expected.push_back(number);
            QASYNCIO_VERIFY(!expected.empty());
            future.set_result();
            co_await turns(1);
            QASYNCIO_VERIFY(called == expected);
        });
    }

    void theListOfCallbacksSaysWhatItHas_data()
    {
        QTest::addColumn<int>("count");
        for (const int count : {0, 1, 2, 3, 40})
            QTest::addRow("%d", count) << count;
    }
    void theListOfCallbacksSaysWhatItHas()
    {
        QFETCH(const int, count);
        struct Callback : detail::FutureCallback
        {
            void future_done(detail::FutureStateBase &) override { }
        };
        std::vector<std::unique_ptr<Callback>> all;
        detail::CallbackList list;
        Callback stranger;
        for (int i = 0; i < count; ++i) {
            all.push_back(std::make_unique<Callback>());
            list.append(all.back().get());
        }
        QCOMPARE(list.contains(nullptr), false);
        for (const auto &callback : all) {
            QCOMPARE(list.contains(&stranger), false);
            QCOMPARE(list.remove(&stranger), false);
            QCOMPARE(list.contains(callback.get()), true);
            QCOMPARE(list.remove(callback.get()), true);
            QCOMPARE(list.contains(callback.get()), false);
            QCOMPARE(list.remove(callback.get()), false);
            QCOMPARE(list.empty(), callback == all.back());
        }
        QCOMPARE(list.remove(&stranger), false);
        QVERIFY(list.empty());
    }

    void manyWhoAwaitOneFutureAreUnwoundInLinearTime()
    {
        QElapsedTimer timer;
        timer.start();
        QAsyncioLoop loop(virtual_time());
        loop.set_exception_handler([](QAsyncioLoop &, const ExceptionContext &) { });
        Future<> future = loop.create_future<>();
        const auto body = [&]() -> Coroutine<> { co_await future; };
        std::vector<std::unique_ptr<QObject>> objects;
        for (int i = 0; i < 60'000; ++i) {
            objects.push_back(std::make_unique<QObject>());
            loop.create_task(body(), TaskOptions().context(objects.back().get()));
        }
        run_ready(loop);
        for (std::size_t i = 0; i < 30'000; ++i)
            objects[(i * 7919) % objects.size()].reset(); // in no order
        QVERIFY(!unheard(future));
        loop.close();
        QVERIFY(unheard(future));
        QVERIFY(timer.elapsed() < 20'000); // minutes where each looks at all
    }

    // F-010
    void anOldIdDoesNotRemoveACallbackThatTookItsPlaceInMemory()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            int calls = 0;
            const auto callback = [&] { ++calls; };
            Future<> future = loop.create_future<>();
            for (int i = 0; i < 100; ++i) {
                const DoneCallbackId old = future.add_done_callback(callback);
                future.remove_done_callback(old);
                const DoneCallbackId id = future.add_done_callback(callback);
                QASYNCIO_COMPARE(future.remove_done_callback(old), 0);
                QASYNCIO_COMPARE(future.remove_done_callback(id), 1);
            }
            future.add_done_callback(callback);
            future.set_result();
            co_await turns(1);
            QASYNCIO_COMPARE(calls, 1);
        });
    }

    // F-011, H-55
    void aCallbackThatThrowsDisturbsNoOther()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            QStringList log;
            Future<> future = loop.create_future<>();
            future.add_done_callback([&] { log << u"one"_s; });
            future.add_done_callback([] { throw ValueError(u"wrong"_s); });
            future.add_done_callback([&] { log << u"three"_s; });
            future.set_result();
            co_await turns(1);
            QASYNCIO_COMPARE(log.join(u' '), u"one three"_s);
            QASYNCIO_COMPARE(reports.list().size(), 1);
            QASYNCIO_VERIFY(reports.list().first().startsWith(u"Exception in callback "_s));
            QASYNCIO_VERIFY(reports.list().first().endsWith(u"|ValueError: wrong"_s));
        });
    }

    // F-011, L-087
    void theReportOfACallbackThatThrowsHasNoHandle()
    {
        QAsyncioLoop loop(virtual_time());
        bool has_handle = true;
        loop.set_exception_handler([&](QAsyncioLoop &, const ExceptionContext &context) {
            has_handle = static_cast<bool>(context.handle);
        });
        Future<> future = loop.create_future<>();
        future.add_done_callback([] { throw ValueError(u"wrong"_s); });
        future.set_result();
        run_ready(loop, 1);
        QVERIFY(!has_handle);
    }

    // F-011, L-027
    void aCallbackThatLeavesTheLoopLeavesTheOthersForTheNextRun()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        Future<> future = loop.create_future<>();
        future.add_done_callback([&] { throw LoopExit(2); });
        future.add_done_callback([&] { log << u"two"_s; });
        future.set_result();
        QCOMPARE(error_in([&] { loop.run_forever(); }), u"LoopExit: 2"_s);
        QCOMPARE(log.size(), 0);
        run_ready(loop, 1);
        QCOMPARE(log.join(u' '), u"two"_s);
        loop.close();
    }

    // F-012, H-56
    void anExceptionThatNobodyRetrievedIsReportedOnce()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            AnyFuture kept;
            QStringList log;
            loop.set_exception_handler([&](QAsyncioLoop &, const ExceptionContext &context) {
                log << context.message << describe(context.exception) << context.future.to_string();
                kept = context.future;
            });
            Future<int> future = loop.create_future<int>();
            future.set_exception(ValueError(u"lost"_s));
            Future<int> copy = future;
            future = {};
            QASYNCIO_COMPARE(log.size(), 0);
            copy = {};
            QASYNCIO_COMPARE(log.join(u" / "),
                             u"Future exception was never retrieved / ValueError: lost / "
                             "<Future finished exception=ValueError: lost>"_s);
            log.clear();
            // the handler may keep it
            QASYNCIO_COMPARE(describe(kept.exception()), u"ValueError: lost"_s);
            kept = {};
            QASYNCIO_COMPARE(log.size(), 0);
            co_return;
        });
    }

    // F-012
    void whatCountsAsRetrieval()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            const auto failed = [&] {
                Future<int> future = loop.create_future<int>();
                future.set_exception(ValueError(u"seen"_s));
                return future;
            };
            failed().exception();
            error_in([&] { return failed().result(); });
            failed().cancel();
            QASYNCIO_COMPARE(co_await error_of(failed()), u"ValueError: seen"_s);
            QASYNCIO_COMPARE(reports.list().size(), 0);
            failed().done();
            failed().to_string();
            QASYNCIO_COMPARE(reports.list().size(), 2);
        });
    }

    // F-013
    void severalWhoAwaitResumeInOrderWithOneResult()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            Future<QString> future = loop.create_future<QString>();
            const auto body = [&](int number) -> Coroutine<> {
                const QString result = co_await future;
                log << u"%1:%2"_s.arg(number).arg(result);
            };
            Task<> one = create_task(body(1)), two = create_task(body(2)),
                   three = create_task(body(3));
            co_await turns(1);
            future.set_result(u"x"_s);
            co_await gather(one, two, three);
            QASYNCIO_COMPARE(log.join(u' '), u"1:x 2:x 3:x"_s);
        });
    }

    // F-013
    void severalWhoAwaitGetTheSameExceptionObject()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<const void *> objects;
            Future<> future = loop.create_future<>();
            const auto body = [&]() -> Coroutine<> {
                try {
                    co_await future;
                } catch (const ValueError &error) {
                    objects.push_back(&error);
                }
            };
            Task<> one = create_task(body()), two = create_task(body());
            co_await turns(1);
            future.set_exception(ValueError(u"shared"_s));
            co_await gather(one, two);
            QASYNCIO_COMPARE(objects.size(), 2u);
            QASYNCIO_COMPARE(objects[0], objects[1]);
        });
    }

    // F-013
    void oneOfSeveralWhoAwaitMayBeCancelledAndTakesTheFutureAlong()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            const auto body = [&]() -> Coroutine<int> { co_return co_await future; };
            Task<int> one = create_task(body()), two = create_task(body());
            co_await turns(1);
            one.cancel(u"mine"_s);
            QASYNCIO_COMPARE(co_await error_of(two), u"CancelledError: mine"_s);
            QASYNCIO_COMPARE(two.cancelling(), 0);
            QASYNCIO_COMPARE(one.cancelled(), true);
        });
    }

    // F-014
    void withoutALoopThereIsNoFuture()
    {
        QCOMPARE(error_in([] { return get_running_loop().create_future<>(); }),
                 u"RuntimeError: no running event loop"_s);
        const Future<int> none;
        QVERIFY(!none);
        QCOMPARE(none.to_string(), u"<Future none>"_s);
    }

    // F-015, L-053
    void completingOnAClosedLoopThrowsButCompletes()
    {
        QAsyncioLoop loop(virtual_time());
        Future<int> early = loop.create_future<int>();
        bool called = false;
        early.add_done_callback([&] { called = true; });
        loop.close();
        QCOMPARE(error_in([&] { early.set_result(1); }), u"RuntimeError: Event loop is closed"_s);
        QCOMPARE(early.result(), 1);
        QCOMPARE(called, false);

        Future<int> late = loop.create_future<int>();
        late.set_result(2); // nobody to tell
        QCOMPARE(late.result(), 2);
        QStringList log;
        QCOMPARE(
            error_in([&] { late.add_done_callback([farewell = Farewell(log, u"gone"_s)] { }); }),
            u"RuntimeError: Event loop is closed"_s);
        QCOMPARE(log.join(u' '), u"gone"_s);
        Future<int> other = loop.create_future<int>();
        other.add_done_callback([&] { called = true; });
        QCOMPARE(error_in([&] { other.cancel(); }), u"RuntimeError: Event loop is closed"_s);
        QCOMPARE(other.cancelled(), true);
        QCOMPARE(called, false);
    }

    // F-017, L-095
    void debugModeRefusesTheWrongThread()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            loop.set_debug(true);
            Future<int> future = loop.create_future<int>();
            Task<> task = create_task(sleeper());
            co_await turns(1);
            QStringList errors;
            std::thread([&] {
                errors << error_in([&] { future.set_result(1); })
                       << error_in([&] { future.set_exception(ValueError()); })
                       << error_in([&] { future.cancel(); })
                       << error_in([&] { future.add_done_callback([] { }); })
                       << error_in([&] { task.cancel(); });
            }).join();
            const QString refused =
                u"RuntimeError: Non-thread-safe operation invoked on an event loop other than the current one"_s;
            QASYNCIO_COMPARE(errors, QStringList(5, refused));
            QASYNCIO_COMPARE(future.done(), false);
            QASYNCIO_COMPARE(task.cancelling(), 0);
            task.cancel();
            co_await turns(1);
        });
    }

    // F-018
    void theTextFormOfAFuture()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            QASYNCIO_COMPARE(future.to_string(), u"<Future pending>"_s);
            future.set_result(1);
            QASYNCIO_COMPARE(future.to_string(), u"<Future finished>"_s);
            Future<int> failed = loop.create_future<int>();
            failed.set_exception(ValueError(u"wrong"_s));
            QASYNCIO_COMPARE(failed.to_string(),
                             u"<Future finished exception=ValueError: wrong>"_s);
            failed.exception();
            Future<int> cancelled = loop.create_future<int>();
            cancelled.cancel();
            QASYNCIO_COMPARE(cancelled.to_string(), u"<Future cancelled>"_s);
            co_return;
        });
    }

    void anExceptionMayBeOfAnyType()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> number = loop.create_future<int>();
            number.set_exception(42);
            QASYNCIO_THROWS(co_await number, int);
            Future<int> pointer = loop.create_future<int>();
            pointer.set_exception(std::make_exception_ptr(std::runtime_error("standard")));
            QASYNCIO_COMPARE(co_await error_of(pointer), u"std::runtime_error: standard"_s);
        });
    }

    void aResultIsReadFromAnLvalueAnyNumberOfTimes()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const QString text = u"a text that is long enough to be on the heap"_s;
            Future<QString> future = loop.create_future<QString>();
            future.set_result(text);
            for (int i = 0; i < 3; ++i) {
                QASYNCIO_COMPARE(future.result(), text);
                QASYNCIO_COMPARE(co_await future, text);
            }
        });
    }

    void anRvalueHandleMovesTheResultOutOnlyIfItIsTheLast()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto make = [&] {
                Future<std::vector<int>> future = loop.create_future<std::vector<int>>();
                future.set_result(std::vector<int>(3, 7));
                return future;
            };
            Future<std::vector<int>> shared = make();
            const Future<std::vector<int>> other = shared;
            QASYNCIO_COMPARE(std::move(shared).result().size(), 3u);
            QASYNCIO_COMPARE(other.result().size(), 3u);

            Future<std::vector<int>> alone = make();
            const std::vector<int> storage = std::move(alone).result();
            QASYNCIO_COMPARE(storage.size(), 3u);
            QASYNCIO_COMPARE(error_in([&] { return alone.result(); }),
                             u"RuntimeError: the result was moved out already"_s);

            Future<std::vector<int>> awaited = make();
            const Future<std::vector<int>> witness = awaited;
            QASYNCIO_COMPARE((co_await std::move(awaited)).size(), 3u);
            QASYNCIO_COMPARE(witness.result().size(), 3u);
        });
    }

    void aMoveOnlyResultIsTakenOnce()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<std::unique_ptr<int>> future = loop.create_future<std::unique_ptr<int>>();
            future.set_result(std::make_unique<int>(42));
            const Future<std::unique_ptr<int>> copy = future;
            QASYNCIO_COMPARE(*future.result(), 42);
            const QString taken = u"RuntimeError: the result was moved out already"_s;
            QASYNCIO_COMPARE(error_in([&] { return future.result(); }), taken);
            QASYNCIO_COMPARE(error_in([&] { return copy.result(); }), taken);
            QASYNCIO_COMPARE(co_await error_of(future), taken);
            QASYNCIO_COMPARE(future.exception(), nullptr);
        });
    }

    void aFutureMayGoWithCallbacksPending()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            {
                Future<> future = loop.create_future<>();
                future.add_done_callback(
                    [&, farewell = Farewell(log, u"one"_s)] { log << u"called"_s; });
                future.add_done_callback(
                    [&, farewell = Farewell(log, u"two"_s)] { log << u"called"_s; });
            }
            QASYNCIO_COMPARE(log.join(u' '), u"one two"_s);
            co_return;
        });
    }

    void aScheduledCallbackKeepsItsFuture()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            int result = 0;
            {
                Future<int> future = loop.create_future<int>();
                future.add_done_callback([&](const Future<int> &done) { result = done.result(); });
                future.set_result(42);
            }
            co_await turns(1);
            QASYNCIO_COMPARE(result, 42);
        });
    }

    void aCallbackMayDropTheLastHandle()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<> future = loop.create_future<>();
            future.add_done_callback([&](Future<>) { future = {}; });
            future.set_result();
            co_await turns(1);
            QASYNCIO_VERIFY(!future);
        });
    }

    void handlesMayBeDroppedInAnyThread()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            std::thread::id died_in;
            Future<Grave> future = loop.create_future<Grave>();
            future.set_result(Grave(died_in));
            Future<int> failed = loop.create_future<int>();
            failed.set_exception(ValueError(u"lost"_s));
            std::thread([a = std::move(future), b = std::move(failed)]() mutable {
                for (int i = 0; i < 1000; ++i) {
                    const Future<Grave> copy = a;
                    const AnyFuture other = b;
                }
            }).join();
            co_await turns(2);
            QASYNCIO_VERIFY(died_in == std::this_thread::get_id());
            QASYNCIO_COMPARE(reports.list().join(u' '),
                             u"Future exception was never retrieved|ValueError: lost"_s);
        });
    }

    void handlesMayBeDroppedInTwoThreadsAtOnce()
    {
        for (const bool here : {false, true}) { // one of the two is the loop's
            QAsyncioLoop loop(virtual_time());
            const Reports reports(loop);
            constexpr std::size_t count = 20'000;
            std::atomic<std::size_t> begun[2] = {0, 0};
            const QDeadlineTimer patience(2000); // a busy machine lets one of them wait for long
            const auto drop = [&](std::vector<Future<>> futures, int self) {
                for (std::size_t i = 0; i < count; ++i) {
                    begun[self] = i + 1;
                    // not before the other one is there
                    for (int spin = 0; begun[1 - self] <= i; ++spin) {
                        if (spin <= 2000)
                            continue;
                        if (patience.hasExpired())
                            break;
                        std::this_thread::yield();
                    }
                    futures[i] = {};
                }
            };
            std::vector<Future<>> one;
            for (std::size_t i = 0; i < count; ++i) {
                one.push_back(loop.create_future<>());
                one.back().set_exception(ValueError(u"lost"_s));
            }
            std::vector<Future<>> other = one;
            std::thread first(drop, std::move(one), 0);
            if (here)
                drop(std::move(other), 1);
            else
                std::thread(drop, std::move(other), 1).join();
            first.join();
            run_ready(loop);
            QCOMPARE(reports.messages().size(), qsizetype(count)); // each has died, once
            loop.close();
        }
    }

    void futuresThatOwnEachOtherGoWithoutStack()
    {
        QStringList log;
        on_a_small_stack([&] {
            QAsyncioLoop loop(virtual_time());
            for (const bool elsewhere : {false, true}) {
                Future<> first = loop.create_future<>();
                first.add_done_callback([end = std::make_shared<Farewell>(log, u"first"_s)] { });
                Future<> last = owner_of(std::move(first), 30'000);
                log << u"dropped"_s;
                if (elsewhere)
                    std::thread([last = std::move(last)]() mutable { last = {}; }).join();
                else
                    last = {};
                run_ready(loop);
            }
            Future<> outlives = owner_of(loop.create_future<>(), 30'000);
            loop.close();
        });
        QCOMPARE(log.join(u' '), u"dropped first dropped first"_s);
    }

    void aFewFuturesThatOwnEachOtherGoInTheOrderOfDestructors()
    {
        QStringList log;
        QAsyncioLoop loop(virtual_time());
        Future<> first = loop.create_future<>();
        first.add_done_callback([end = std::make_shared<Farewell>(log, u"first"_s)] { });
        Future<> second = owner_of(std::move(first), 50);
        Future<> last = loop.create_future<>();
        last.add_done_callback([end = std::make_shared<Farewell>(log, u"begin"_s)] { });
        last.add_done_callback([second = std::move(second)] { });
        last.add_done_callback([end = std::make_shared<Farewell>(log, u"end"_s)] { });
        last = {};
        QCOMPARE(log.join(u' '), u"begin first end"_s);
        loop.close();
    }

    void handlesMayOutliveTheLoop()
    {
        QStringList log;
        Future<int> pending, done;
        Future<> failed;
        Task<> task;
        AnyTask any;
        {
            QAsyncioLoop loop(virtual_time());
            loop.set_exception_handler(
                [&](QAsyncioLoop &, const ExceptionContext &) { log << u"report"_s; });
            pending = loop.create_future<int>();
            pending.add_done_callback([farewell = Farewell(log, u"callback"_s)] { });
            done = loop.create_future<int>();
            done.set_result(1);
            failed = loop.create_future<>();
            failed.set_exception(ValueError(u"lost"_s));
            task = loop.create_task(sleeper());
            any = task;
            run_ready(loop);
            loop.close();
            QCOMPARE(log.join(u' '), u"report"_s); // of the task
        }
        QCOMPARE(done.result(), 1);
        QCOMPARE(error_in([&] { return done.get_loop().is_closed(); }),
                 u"RuntimeError: The event loop of this future is gone"_s);
        QCOMPARE(error_in([&] { pending.set_result(2); }), u"RuntimeError: Event loop is closed"_s);
        QCOMPARE(pending.result(), 2);
        QCOMPARE(log.join(u' '), u"report callback"_s);
        QVERIFY(task.cancelled());
        QCOMPARE(task.cancel(), false);
        QVERIFY(!any.to_string().isEmpty());
        QTest::ignoreMessage(
            QtCriticalMsg,
            QRegularExpression(u"Future exception was never retrieved.*ValueError: lost"_s,
                               QRegularExpression::DotMatchesEverythingOption));
        failed = {};
    }

    void aHandleIsCopiedAndComparedLikeAPointer()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            const Future<int> copy = future;
            QASYNCIO_VERIFY(copy == future);
            QASYNCIO_VERIFY(copy != loop.create_future<int>());
            QASYNCIO_VERIFY(&future.get_loop() == &loop);
            future = copy;
            QASYNCIO_VERIFY(future && copy);
            co_return;
        });
    }

    void aResultMayBeAnExceptionPointerOrABool()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<bool> flag = loop.create_future<bool>();
            flag.set_result(false);
            QASYNCIO_COMPARE(co_await flag, false);
            const auto give = []() -> Coroutine<std::exception_ptr> {
                co_return std::make_exception_ptr(ValueError(u"given"_s));
            };
            QASYNCIO_COMPARE(describe(co_await give()), u"ValueError: given"_s);
            QASYNCIO_COMPARE(describe(co_await create_task(give())), u"ValueError: given"_s);
        });
    }

    // F-003, F-004
    void aFailedFutureStaysAsItIs()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const QString refused = u"InvalidStateError: invalid state"_s;
            Future<int> future = loop.create_future<int>();
            future.set_exception(ValueError(u"first"_s));
            QASYNCIO_COMPARE(future.done(), true);
            QASYNCIO_COMPARE(future.cancelled(), false);
            QASYNCIO_COMPARE(error_in([&] { future.set_result(1); }), refused);
            QASYNCIO_COMPARE(error_in([&] { future.set_exception(ValueError(u"second"_s)); }),
                             refused);
            QASYNCIO_COMPARE(future.cancel(), false);
            QASYNCIO_COMPARE(error_in([&] { return future.result(); }), u"ValueError: first"_s);
            QASYNCIO_COMPARE(describe(future.exception()), u"ValueError: first"_s);
            co_return;
        });
    }

    // F-008
    void aFailureSchedulesTheCallbacksToo()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            Future<> future = loop.create_future<>();
            future.add_done_callback(
                [&](const Future<> &done) { log << describe(done.exception()); });
            future.set_exception(ValueError(u"failed"_s));
            QASYNCIO_COMPARE(log.size(), 0);
            co_await turns(1);
            QASYNCIO_COMPARE(log.join(u' '), u"ValueError: failed"_s);
        });
    }

    // F-010
    void theCallbacksThatAreLeftKeepTheirOrder()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            for (unsigned removed = 0; removed < 8; ++removed) { // each a set of the three
                QStringList log, expected;
                Future<> future = loop.create_future<>();
                DoneCallbackId ids[3];
                for (int i = 0; i < 3; ++i)
                    ids[i] = future.add_done_callback([&log, i] { log << QString::number(i); });
                for (int i = 0; i < 3; ++i) {
                    if (removed & (1u << i))
                        QASYNCIO_COMPARE(future.remove_done_callback(ids[i]), 1);
                    else
                        expected << QString::number(i);
                }
                future.set_result();
                co_await turns(1);
                QASYNCIO_COMPARE(log, expected);
            }
        });
    }

    // F-012, L-094
    void inDebugModeALostExceptionIsReportedOnceAsWell()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            loop.set_debug(true);
            const Reports reports(loop);
            Future<int> future = loop.create_future<int>();
            future.set_exception(ValueError(u"lost"_s));
            future = {};
            co_await turns(1);
            QASYNCIO_COMPARE(reports.list().join(u' '),
                             u"Future exception was never retrieved|ValueError: lost"_s);
        });
    }
};

QTEST_GUILESS_MAIN(tst_future)
#include "tst_future.moc"
