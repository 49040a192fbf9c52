// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qregularexpression.h>
#include <QtCore/qtimer.h>

#include <ratio>

namespace {
template<class N>
concept CanSleep = requires(N delay) { QAsyncio::sleep(delay); };

Coroutine<int> sleep_for_a_result()
{
    co_return co_await sleep(1h, 42);
}
} // namespace

class tst_sleep : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // T-050
    void aSleepOfZeroOrLessLetsEverythingReadyRunOnce()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            for (const auto delay : {0s, -5s}) {
                QStringList log;
                const TimePoint begin = loop.time();
                loop.call_soon([&] {
                    log << u"one"_s;
                    loop.call_soon([&] { log << u"two"_s; });
                });
                co_await sleep(delay);
                QASYNCIO_COMPARE(log.join(u' '), u"one"_s);
                QASYNCIO_VERIFY(loop.time() == begin);
                co_await turns(1);
            }
        });
    }

    // T-050
    void sleepGivesItsResult()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            QASYNCIO_COMPARE(co_await sleep(0s, 42), 42);
            QASYNCIO_COMPARE(co_await sleep(1h, u"rested"_s), u"rested"_s);
            QASYNCIO_VERIFY(loop.time() == begin + 1h);
            const std::unique_ptr<int> moved = co_await sleep(1ms, std::make_unique<int>(7));
            QASYNCIO_COMPARE(*moved, 7);
        });
    }

    // T-050
    void aSleepThatIsCancelledGivesNoResult()
    {
        Test::run([]() -> Coroutine<> {
            Task<int> task = create_task(sleep_for_a_result());
            co_await turns(1);
            task.cancel();
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
        });
    }

    // T-050, L-060
    void aDelayThatIsNotANumberIsRefused()
    {
        Test::run([&]() -> Coroutine<> {
            const std::chrono::duration<double> nan(std::numeric_limits<double>::quiet_NaN());
            QASYNCIO_COMPARE(error_in([&] { return sleep(nan); }),
                             u"ValueError: Invalid delay: NaN (not a number)"_s);
            QASYNCIO_THROWS(sleep(nan, 1), ValueError);
            co_return;
        });
    }

    void aBareNumberDoesNotCompile()
    {
        static_assert(CanSleep<std::chrono::milliseconds>);
        static_assert(CanSleep<std::chrono::duration<double>>);
        static_assert(!CanSleep<int>);
        static_assert(!CanSleep<double>);
    }

    // T-051
    void cancellingASleepingTaskCancelsItsTimer()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Task<> task = create_task(sleeper(1h));
            co_await turns(1);
            const TimePoint begin = loop.time();
            task.cancel();
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
            QASYNCIO_VERIFY(loop.time() == begin);
            co_await sleep(2h); // the timer must not step the task again
        });
    }

    // T-051
    void sleepersWakeInTheOrderOfTheirDeadlines()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            const auto body = [&](int delay) -> Coroutine<> {
                co_await sleep(std::chrono::milliseconds(delay));
                log << QString::number(delay);
            };
            co_await gather(body(3), body(1), body(2), body(1));
            QASYNCIO_COMPARE(log.join(u' '), u"1 1 2 3"_s);
        });
    }

    // T-052
    void ensureFutureGivesAFutureBackAndMakesATaskOfTheRest()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            QASYNCIO_VERIFY(ensure_future(future) == future);
            future.set_result(1);
            Task<> task = create_task(turns(1));
            Task<> same = ensure_future(task);
            QASYNCIO_VERIFY(same == task);
            co_await task;

            Task<> made = ensure_future(turns(1));
            QASYNCIO_COMPARE(all_tasks().size(), 2u);
            co_await made;
            Task<int> wrapped = ensure_future(sleep(1ms, 42));
            QASYNCIO_COMPARE(co_await wrapped, 42);
        });
    }

    // T-052, L-052
    void ensureFutureEndsACoroutineThatItRefuses()
    {
        // Nothing of "never awaited" is logged.
        QTest::failOnWarning(QRegularExpression(u"."_s));
        QCOMPARE(error_in([] { return ensure_future(turns(1)); }),
                 u"RuntimeError: no running event loop"_s);
    }

    void theSameSleepMayBeAwaitedTwice()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            auto nap = sleep(1s);
            co_await nap;
            co_await nap;
            QASYNCIO_VERIFY(loop.time() == begin + 2s);
        });
    }

    void anEndlessSleepHarmsNothing()
    {
        Test::run([&]() -> Coroutine<> {
            Task<> task = create_task(sleeper(std::chrono::nanoseconds::max()));
            const auto longer = []() -> Coroutine<> { co_await sleep(std::chrono::hours::max()); };
            Task<> other = create_task(longer());
            co_await sleep(1h);
            QASYNCIO_COMPARE(task.done() || other.done(), false);
            task.cancel();
            other.cancel();
            co_await turns(1);
        });
    }

    void aDelayIsRoundedUp()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            co_await sleep(std::chrono::duration<double, std::nano>(0.25));
            QASYNCIO_VERIFY(loop.time() == begin + 1ns);
        });
    }

    // T-052, L-104
    void ensureFutureMakesItsTaskByTheFactory()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            loop.set_task_factory([](QAsyncioLoop &, const TaskOptions &options) {
                TaskOptions named = options;
                return named.name(u"made"_s);
            });
            Task<> task = ensure_future(turns(1));
            Task<int> wrapped = ensure_future(sleep(0s, 1));
            loop.set_task_factory({});
            QASYNCIO_COMPARE(task.get_name(), u"made"_s);
            QASYNCIO_COMPARE(wrapped.get_name(), u"made"_s);
            co_await gather(task, wrapped);
        });
    }

    void withoutAGuiPostedEventsTimersAndDescriptorsAreServed()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            QStringList log;
            QObject receiver;
            create_task(sleeper(1s)); // virtual time is not to jump there
            const auto again = [&] {
                QMetaObject::invokeMethod(
                    &receiver, [&] { log << u"and again"_s; }, Qt::QueuedConnection);
            };
            QMetaObject::invokeMethod(
                &receiver, [&] { log << u"posted"_s, again(); }, Qt::QueuedConnection);
            QTimer::singleShot(0, &receiver, [&] { log << u"timer"_s; });
            co_await process_qt_events();
            log.sort();
            QASYNCIO_COMPARE(log.join(u','), u"and again,posted,timer"_s);
            QASYNCIO_VERIFY(loop.time() == begin);
            co_await sleep(1s);
        });
    }

    void processingQtEventsInAThreadOfItsOwn()
    {
        LoopThread worker;
        const auto body = []() -> Coroutine<bool> {
            QObject receiver;
            bool served = false;
            QMetaObject::invokeMethod(&receiver, [&] { served = true; }, Qt::QueuedConnection);
            co_await process_qt_events();
            co_return served;
        };
        QVERIFY(run_coroutine_threadsafe(body(), worker.loop()).result());
    }

    void processingQtEventsMayBeCancelled()
    {
        Test::run([&](QAsyncioLoop &) -> Coroutine<> {
            Task<> task = create_task(process_qt_events());
            co_await turns(1);
            task.cancel();
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
            QASYNCIO_COMPARE(co_await error_of(wait_for(process_qt_events(), 1h)), QString());
        });
    }

    void processingQtEventsMayBeUnwound()
    {
        Test::tear_down([]() -> Coroutine<> {
            co_await process_qt_events();
            co_await gather(process_qt_events(), process_qt_events());
        });
    }
};

QTEST_GUILESS_MAIN(tst_sleep)
#include "tst_sleep.moc"
