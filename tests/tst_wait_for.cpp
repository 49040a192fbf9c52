// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

namespace {
Coroutine<QString> give_when_cancelled(std::chrono::nanoseconds cleanup = 0s)
{
    const QString error = co_await error_of(sleep(1h));
    co_await sleep(cleanup);
    co_return u"survived "_s + error;
}

Coroutine<> fail_when_cancelled()
{
    const QString error = co_await error_of(sleep(1h));
    throw ValueError(u"after "_s + error);
}

/// The type and the cause of what `awaitable` throws.
template<class A>
Coroutine<QString> error_and_cause(A awaitable)
{
    std::exception_ptr thrown;
    try {
        static_cast<void>(co_await std::move(awaitable));
    } catch (const TimeoutError &error) {
        thrown = error.cause();
    }
    co_return u"TimeoutError from "_s + describe(thrown);
}
} // namespace

class tst_wait_for : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // G-030
    void aCoroutineRunsInTheCallingTask()
    {
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<AnyTask> {
                co_await sleep(1ms);
                co_return current_task();
            };
            const AnyTask inside = co_await wait_for(body(), 1s);
            QASYNCIO_VERIFY(inside == current_task());
        });
    }

    // G-031
    void withoutTimeAResultThatIsThereIsGiven()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            future.set_result(42);
            QASYNCIO_COMPARE(co_await wait_for(future, 0s), 42);
            QASYNCIO_COMPARE(co_await wait_for(future, -1s), 42);
        });
    }

    // G-031
    void withoutTimeAPendingFutureIsCancelled()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            QASYNCIO_COMPARE(co_await error_and_cause(wait_for(future, 0s)),
                             u"TimeoutError from CancelledError"_s);
            QASYNCIO_COMPARE(future.cancelled(), true);
        });
    }

    void withoutTimeAFutureOfAnotherLoopIsRefusedAndLeftAlone()
    {
        QAsyncioLoop other(virtual_time());
        const Future<int> foreign = other.create_future<int>();
        Test::run([&]() -> Coroutine<> {
            const QString error = co_await error_of(wait_for(foreign, 0s));
            QASYNCIO_VERIFY(
                error.startsWith(u"ValueError: The future belongs to a different loop"_s));
        });
        QVERIFY(!foreign.done());
        other.close();
    }

    // G-031
    void withoutTimeACoroutineDoesNotStart()
    {
        Test::run([&]() -> Coroutine<> {
            bool started = false;
            const auto body = [&]() -> Coroutine<> {
                started = true;
                co_return;
            };
            QASYNCIO_COMPARE(co_await error_and_cause(wait_for(body(), 0s)),
                             u"TimeoutError from CancelledError"_s);
            QASYNCIO_COMPARE(started, false);
        });
    }

    // G-031
    void withoutTimeAGatherIsCancelledAndThatIsATimeout()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            QASYNCIO_COMPARE(co_await error_and_cause(wait_for(gather(future), 0s)),
                             u"TimeoutError from CancelledError"_s);
            QASYNCIO_COMPARE(future.cancelled(), true);
        });
    }

    // G-031, G-034
    void withoutTimeATaskThatSurvivesGivesItsResult()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Task<QString> task = create_task(give_when_cancelled(1s));
            co_await turns(1);
            const TimePoint begin = loop.time();
            QASYNCIO_COMPARE(co_await wait_for(task, 0s), u"survived CancelledError"_s);
            QASYNCIO_VERIFY(loop.time() == begin + 1s);
        });
    }

    // G-032
    void withoutALimitItIsAPlainAwait()
    {
        Test::run([&]() -> Coroutine<> {
            QASYNCIO_COMPARE(co_await wait_for(sleep(1000h, 42), std::nullopt), 42);
            QASYNCIO_COMPARE(co_await error_of(wait_for(turns(1), std::nullopt)), QString());
        });
    }

    // G-033
    void atTheTimeoutTheAwaitableIsCancelledAndWaitedFor()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            const auto body = [&]() -> Coroutine<> {
                const QString error = co_await error_of(sleep(1h));
                co_await sleep(10s);
                log << u"cleaned up"_s;
                throw CancelledError(error);
            };
            Task<> task = create_task(body());
            const TimePoint begin = loop.time();
            log << co_await error_of(wait_for(task, 1s));
            QASYNCIO_COMPARE(log.join(u", "), u"cleaned up, TimeoutError"_s);
            QASYNCIO_VERIFY(loop.time() == begin + 11s);
            QASYNCIO_COMPARE(task.cancelled(), true);
        });
    }

    // G-034
    void whatTheAwaitableMakesOfTheTimeoutCounts()
    {
        Test::run([&]() -> Coroutine<> {
            QASYNCIO_COMPARE(co_await wait_for(give_when_cancelled(), 1s),
                             u"survived CancelledError"_s);
            QASYNCIO_COMPARE(co_await error_of(wait_for(fail_when_cancelled(), 1s)),
                             u"ValueError: after CancelledError"_s);
            Task<> task = create_task(fail_when_cancelled());
            QASYNCIO_COMPARE(co_await error_of(wait_for(task, 1s)),
                             u"ValueError: after CancelledError"_s);
            QASYNCIO_COMPARE(current_task().cancelling(), 0);
        });
    }

    // G-035
    void cancellationAndCompletionInOneTurnIsACancellation()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            const auto body = [&]() -> Coroutine<int> { co_return co_await wait_for(future, 1s); };
            Task<int> task = create_task(body());
            co_await turns(1);
            future.set_result(42);
            task.cancel(u"outside"_s);
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: outside"_s);
            QASYNCIO_COMPARE(future.result(), 42);
        });
    }

    // G-036
    void completionAndDeadlineInOneTurnIsAResult()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            const TimePoint deadline = loop.time() + 1s;
            loop.call_at(deadline, [&] { future.set_result(42); }); // due just before the time-out
            QASYNCIO_COMPARE(co_await wait_for(sleep(1s, 41), 1001ms), 41);
            Future<int> second = loop.create_future<int>();
            // Readiness is queued before due timers: a callback that is ready as the deadline
            // passes.
            const auto clock_moves = [&] { second.set_result(43); };
            loop.call_later(1s, clock_moves);
            QASYNCIO_COMPARE(co_await wait_for(second, 1s + 1ns), 43);
        });
    }

    // G-036
    void aResumptionThatIsQueuedGoesBeforeTheDeadline()
    {
        const auto clock = std::make_shared<VirtualClock>();
        LoopOptions options;
        options.clock(clock);
        QAsyncioLoop loop(std::move(options));
        Future<int> future = loop.create_future<int>();
        const auto main = [&]() -> Coroutine<int> { co_return co_await wait_for(future, 1s); };
        Task<int> task = loop.create_task(main());
        run_ready(loop, 1);
        loop.call_soon([&] {
            future.set_result(42); // the task is queued for the next turn,
            clock->move(2s);       // in which the time-out is due behind it
        });
        QCOMPARE(loop.run_until_complete(task), 42);
        loop.close();
    }

    // G-037
    void cancellingTheCallerCancelsWhatItWaitsFor()
    {
        Test::run([&]() -> Coroutine<> {
            for (const auto limit : {10s, 0s}) {
                Task<QString> inner = create_task(give_when_cancelled(1s));
                co_await turns(1);
                const auto body = [&]() -> Coroutine<> { co_await wait_for(inner, limit); };
                Task<> task = create_task(body());
                co_await turns(1);
                task.cancel(u"caller"_s);
                const QString error = co_await error_of(task);
                QASYNCIO_COMPARE(error, limit == 0s ? u"CancelledError: caller"_s : QString());
                QASYNCIO_COMPARE(inner.cancelling(), 1);
                co_await inner;
            }
        });
    }

    // G-038
    void timeoutErrorHasACauseAndLeavesNoRequestBehind()
    {
        Test::run([&]() -> Coroutine<> {
            QASYNCIO_COMPARE(co_await error_and_cause(wait_for(sleep(1h), 1ms)),
                             u"TimeoutError from CancelledError"_s);
            // no text
            QASYNCIO_COMPARE(co_await error_of(wait_for(sleep(1h), 1ms)), u"TimeoutError"_s);
            QASYNCIO_COMPARE(current_task().cancelling(), 0);
            static_assert(std::is_base_of_v<std::exception, TimeoutError>);
        });
    }

    void moveOnlyResultsAreHandedOn()
    {
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<std::unique_ptr<int>> {
                co_return std::make_unique<int>(42);
            };
            std::unique_ptr<int> value = co_await wait_for(body(), 1s);
            QASYNCIO_COMPARE(*value, 42);
            value = co_await wait_for(create_task(body()), 1s);
            QASYNCIO_COMPARE(*value, 42);
            value = co_await wait_for(body(), std::nullopt);
            QASYNCIO_COMPARE(*value, 42);
        });
    }

    void waitForNestsInWaitFor()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            QASYNCIO_COMPARE(co_await error_of(wait_for(wait_for(sleep(1h), 10s), 1s)),
                             u"TimeoutError"_s);
            QASYNCIO_VERIFY(loop.time() == begin + 1s);
            QASYNCIO_COMPARE(co_await error_of(wait_for(wait_for(sleep(1h), 1s), 10s)),
                             u"TimeoutError"_s);
            QASYNCIO_VERIFY(loop.time() == begin + 2s);
        });
    }

    // G-031, G-033
    void withoutTimeARunningTaskIsCancelledAndWaitedFor()
    {
        Test::run([&]() -> Coroutine<> {
            for (const auto limit : {0s, -1s}) {
                bool cleaned = false;
                const auto body = [&]() -> Coroutine<> {
                    const QString error = co_await error_of(sleep(10s));
                    co_await sleep(1s);
                    cleaned = error == u"CancelledError"_s;
                    throw CancelledError();
                };
                Task<> task = create_task(body());
                co_await turns(1);
                QASYNCIO_COMPARE(co_await error_and_cause(wait_for(task, limit)),
                                 u"TimeoutError from CancelledError"_s);
                QASYNCIO_COMPARE(task.cancelled(), true);
                QASYNCIO_COMPARE(cleaned, true);
            }
        });
    }

    // G-037, G-032
    void cancellingTheCallerWithAndWithoutALimit()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            for (const bool limited : {false, true}) {
                Task<> inner = create_task(sleeper());
                const auto body = [&]() -> Coroutine<> {
                    if (limited)
                        co_await wait_for(inner, 60s);
                    else
                        co_await wait_for(inner, std::nullopt);
                };
                Task<> task = create_task(body());
                loop.call_soon([&] { task.cancel(u"caller"_s); });
                QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: caller"_s);
                QASYNCIO_COMPARE(inner.cancelled(), true);
            }
        });
    }

    // G-031, G-037, G-050
    void aShieldedTaskSurvivesTheTimeout()
    {
        Test::run([&]() -> Coroutine<> {
            for (const auto limit : {0s, 1s}) {
                Task<int> task = ensure_future(sleep(2s, 42));
                Future<int> outer = shield(task);
                QASYNCIO_COMPARE(co_await error_of(wait_for(outer, limit)), u"TimeoutError"_s);
                QASYNCIO_COMPARE(outer.cancelled(), true);
                QASYNCIO_COMPARE(task.done(), false);
                QASYNCIO_COMPARE(task.cancelling(), 0);
                QASYNCIO_COMPARE(co_await task, 42);
            }
            Task<int> task = ensure_future(sleep(2s, 43));
            QASYNCIO_COMPARE(co_await wait_for(shield(task), std::nullopt), 43);
            QASYNCIO_COMPARE(task.done(), true);
        });
    }
};

QTEST_GUILESS_MAIN(tst_wait_for)
#include "tst_wait_for.moc"
