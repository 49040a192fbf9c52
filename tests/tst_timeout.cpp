// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

namespace {
/// What a TimeoutError was raised from.
QString cause_of(const std::exception_ptr &exception)
{
    try {
        std::rethrow_exception(exception);
    } catch (const TimeoutError &error) {
        return describe(error.cause());
    } catch (...) {
        return u"no TimeoutError"_s;
    }
}

Coroutine<> sleep_in(Timeout &, std::chrono::nanoseconds delay)
{
    co_await sleep(delay);
}
} // namespace

class tst_timeout : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // G-040
    void outsideOfATaskItIsRefused()
    {
        QCOMPARE(error_in([&] { Timeout scope(std::nullopt); }),
                 u"RuntimeError: no running event loop"_s);
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QString error;
            loop.call_soon([&] { error = error_in([&] { Timeout scope(std::nullopt); }); });
            co_await turns(1);
            QASYNCIO_COMPARE(error, u"RuntimeError: Timeout should be used inside a task"_s);
        });
    }

    // G-040
    void changingItTooLateIsRefused()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Timeout left(std::nullopt);
            left.leave(nullptr);
            QASYNCIO_COMPARE(error_in([&] { left.reschedule(std::nullopt); }),
                             u"RuntimeError: Cannot change state of finished Timeout"_s);
            QASYNCIO_COMPARE(left.expired(), false);

            Timeout late(loop.time() + 1ms);
            QASYNCIO_COMPARE(co_await error_of(sleep(1h)), u"CancelledError"_s);
            QASYNCIO_COMPARE(late.expired(), true);
            QASYNCIO_COMPARE(error_in([&] { late.reschedule(std::nullopt); }),
                             u"RuntimeError: Cannot change state of expiring Timeout"_s);
            late.leave(nullptr);
            QASYNCIO_COMPARE(late.expired(), true);
            QASYNCIO_COMPARE(error_in([&] { late.reschedule(std::nullopt); }),
                             u"RuntimeError: Cannot change state of expired Timeout"_s);
        });
    }

    // G-041, G-038
    void expiryBecomesTimeoutErrorWithTheCancellationAsItsCause()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            std::exception_ptr thrown;
            try {
                co_await timeout(1h, sleep_in, 2h);
            } catch (...) {
                thrown = std::current_exception();
            }
            QASYNCIO_COMPARE(describe(thrown), u"TimeoutError"_s);
            QASYNCIO_COMPARE(cause_of(thrown), u"CancelledError"_s);
            QASYNCIO_VERIFY(loop.time() - begin == 1h);
            QASYNCIO_COMPARE(current_task().cancelling(), 0);
        });
    }

    // G-041
    void theResultOfABodyInTimeIsGiven()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto body = [](Timeout &scope, int a, QString b) -> Coroutine<QString> {
                co_await sleep(1ms);
                co_return scope.expired() ? QString() : b.repeated(a);
            };
            QASYNCIO_COMPARE(co_await timeout(1s, body, 3, u"x"_s), u"xxx"_s);
            co_await sleep(2s); // nothing comes later
            QASYNCIO_COMPARE(co_await timeout_at(loop.time() + 1s, body, 1, u"y"_s), u"y"_s);
        });
    }

    // G-041
    void theCleanupOfTheBodyMayTakeAsLongAsItLikes()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto body = [](Timeout &) -> Coroutine<> {
                std::exception_ptr thrown;
                try {
                    co_await sleep(2s);
                } catch (...) {
                    thrown = std::current_exception();
                }
                co_await sleep(10s);
                std::rethrow_exception(thrown);
            };
            const TimePoint begin = loop.time();
            QASYNCIO_COMPARE(co_await error_of(timeout(1s, body)), u"TimeoutError"_s);
            QASYNCIO_VERIFY(loop.time() - begin == 11s);
        });
    }

    // G-042
    void aCancellationFromOutsideGoesOnAndStaysCounted()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            const auto body = [&]() -> Coroutine<int> {
                log << co_await error_of(timeout(10ms, sleep_in, 1h));
                co_return current_task().cancelling();
            };
            Task<int> task = create_task(body());
            loop.call_later(5ms, [&] { task.cancel(u"from outside"_s); });
            QASYNCIO_COMPARE(co_await task, 1);
            QASYNCIO_COMPARE(log.join(u' '), u"CancelledError: from outside"_s);
        });
    }

    // G-042
    void aCancellationAndTheExpiryTogetherAreACancellation()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            for (const bool outside_first : {false, true}) {
                QStringList log;
                Task<int> task;
                const TimePoint when = loop.time() + 10ms;
                const auto outside = [&] {
                    loop.call_at(when, [&] { task.cancel(u"from outside"_s); });
                };
                const auto body = [&]() -> Coroutine<int> {
                    log << co_await error_of(timeout_at(when, sleep_in, 1h));
                    co_return current_task().cancelling();
                };
                if (outside_first)
                    outside();
                task = create_task(body());
                co_await turns(1);
                if (!outside_first)
                    outside();
                QASYNCIO_COMPARE(co_await task, 1);
                QASYNCIO_COMPARE(log.join(u' '),
                                 outside_first ? u"CancelledError: from outside"_s
                                               : u"CancelledError"_s);
            }
        });
    }

    // G-043
    void aDeadlineInThePastIsFeltAtTheNextSuspensionOnly()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto brief = [](Timeout &) -> Coroutine<int> { co_return 42; };
            QASYNCIO_COMPARE(co_await timeout(0s, brief), 42);
            QASYNCIO_COMPARE(co_await timeout(-1s, brief), 42);
            co_await turns(2); // nothing comes later

            QStringList log;
            const auto body = [&](Timeout &scope) -> Coroutine<> {
                log << (scope.expired() ? u"expired"_s : u"not expired"_s);
                co_await sleep(0s);
                log << u"unreachable"_s;
            };
            QASYNCIO_COMPARE(co_await error_of(timeout_at(loop.time() - 1s, body)),
                             u"TimeoutError"_s);
            QASYNCIO_COMPARE(log.join(u' '), u"not expired"_s);
        });
    }

    // G-043
    void aBodyThatBlocksBeyondTheDeadlineFinishesNormally()
    {
        const auto clock = std::make_shared<VirtualClock>();
        LoopOptions options;
        options.clock(clock);
        QAsyncioLoop loop(std::move(options));
        const auto body = [&](Timeout &scope) -> Coroutine<bool> {
            clock->move(10s);
            co_return scope.expired();
        };
        const auto main = [&]() -> Coroutine<bool> { co_return co_await timeout(1s, body); };
        QCOMPARE(loop.run_until_complete(main()), false);
        loop.close();
    }

    // G-044
    void aBodyThatSwallowsTheCancellationThrowsNothing()
    {
        Test::run([&]() -> Coroutine<> {
            const auto body = [](Timeout &scope) -> Coroutine<bool> {
                const QString error = co_await error_of(sleep(1h));
                co_return scope.expired() && error == u"CancelledError"_s;
            };
            QASYNCIO_COMPARE(co_await timeout(1ms, body), true);
            QASYNCIO_COMPARE(current_task().cancelling(), 0);
        });
    }

    // G-045
    void aBodyThatThrowsSomethingElseIsHeard()
    {
        Test::run([&]() -> Coroutine<> {
            bool expired = false;
            const auto body = [&](Timeout &scope) -> Coroutine<> {
                const QString error = co_await error_of(sleep(1h));
                expired = scope.expired();
                throw ValueError(error);
            };
            QASYNCIO_COMPARE(co_await error_of(timeout(1ms, body)),
                             u"ValueError: CancelledError"_s);
            QASYNCIO_COMPARE(expired, true);
            QASYNCIO_COMPARE(current_task().cancelling(), 0);
        });
    }

    // G-046
    void onlyTheScopeWhoseTimeIsOverTurnsTheCancellation()
    {
        Test::run([&]() -> Coroutine<> {
            for (const bool inner_first : {false, true}) {
                QStringList log;
                const auto outer = [&](Timeout &scope) -> Coroutine<> {
                    const auto inner = [&](Timeout &) -> Coroutine<> { co_await sleep(1h); };
                    const QString error = co_await error_of(
                        timeout(inner_first ? 1ms : 10ms, inner));
                    log << error << (scope.expired() ? u"outer"_s : u"inner"_s);
                    if (error == u"CancelledError"_s)
                        throw CancelledError();
                };
                log << co_await error_of(timeout(5ms, outer));
                QASYNCIO_COMPARE(log.join(u", "),
                                 inner_first ? u"TimeoutError, inner, "_s
                                             : u"CancelledError, outer, TimeoutError"_s);
            }
        });
    }

    // G-046
    void bothAtOnceGiveOneTimeoutError()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            const TimePoint when = loop.time() + 1ms;
            const auto inner = [&](Timeout &scope) -> Coroutine<> {
                std::exception_ptr thrown;
                try {
                    co_await sleep(1h);
                } catch (...) {
                    thrown = std::current_exception();
                }
                log << (scope.expired() ? u"inner"_s : u"-"_s);
                std::rethrow_exception(thrown);
            };
            const auto outer = [&](Timeout &scope) -> Coroutine<> {
                std::exception_ptr thrown;
                try {
                    co_await timeout_at(when, inner);
                } catch (...) {
                    thrown = std::current_exception();
                }
                log << (scope.expired() ? u"outer"_s : u"-"_s) << describe(thrown);
                std::rethrow_exception(thrown);
            };
            log << co_await error_of(timeout_at(when, outer));
            QASYNCIO_COMPARE(log.join(u' '), u"inner outer CancelledError TimeoutError"_s);
            QASYNCIO_COMPARE(current_task().cancelling(), 0);
        });
    }

    // G-047
    void withoutADeadlineItNeverFires()
    {
        Test::run([&]() -> Coroutine<> {
            const auto body = [](Timeout &scope) -> Coroutine<bool> {
                co_await sleep(100h);
                co_return scope.when().has_value();
            };
            QASYNCIO_COMPARE(co_await timeout(std::nullopt, body), false);
            QASYNCIO_COMPARE(co_await error_of(timeout_at(TimePoint::max(), body)), QString());
        });
    }

    // G-047
    void rescheduleMovesTheDeadlineOrTakesItAway()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            const auto later = [&](Timeout &scope) -> Coroutine<> {
                co_await sleep(5ms);
                scope.reschedule(begin + 1s);
                co_await sleep(1h);
            };
            QASYNCIO_COMPARE(co_await error_of(timeout(10ms, later)), u"TimeoutError"_s);
            QASYNCIO_VERIFY(loop.time() == begin + 1s);

            bool when_told = false;
            const auto never = [&](Timeout &scope) -> Coroutine<> {
                when_told = scope.when() == loop.time() + 10ms;
                scope.reschedule(std::nullopt);
                when_told = when_told && !scope.when();
                co_await sleep(1h);
            };
            QASYNCIO_COMPARE(co_await error_of(timeout(10ms, never)), QString());
            QASYNCIO_COMPARE(when_told, true);

            const auto at_once = [&](Timeout &scope) -> Coroutine<> {
                scope.reschedule(loop.time());
                co_await sleep(1h);
            };
            const TimePoint second = loop.time();
            QASYNCIO_COMPARE(co_await error_of(timeout(10s, at_once)), u"TimeoutError"_s);
            QASYNCIO_VERIFY(loop.time() == second);
        });
    }

    // G-048
    void anOldSwallowedCancellationDoesNotDisturb()
    {
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<QString> {
                const QString swallowed = co_await error_of(sleep(1h));
                co_return swallowed + u", "_s + co_await error_of(timeout(1ms, sleep_in, 1h));
            };
            Task<QString> task = create_task(body());
            co_await turns(1);
            task.cancel(u"old"_s);
            QASYNCIO_COMPARE(co_await task, u"CancelledError: old, TimeoutError"_s);
            QASYNCIO_COMPARE(task.cancelling(), 1);
        });
    }

    // G-049
    void aTimeoutWorksInTheCleanupOfACancelledTask()
    {
        Test::run([&]() -> Coroutine<> {
            QString in_cleanup;
            const auto sleeping = []() -> Coroutine<> { co_await sleep(1h); };
            const auto cleanup = [&]() -> Coroutine<> {
                in_cleanup = co_await error_of(timeout(1ms, sleep_in, 1h));
            };
            const auto body = [&]() -> Coroutine<> { co_await finally(sleeping, cleanup); };
            Task<> task = create_task(body());
            co_await turns(1);
            task.cancel(u"end"_s);
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: end"_s);
            QASYNCIO_COMPARE(in_cleanup, u"TimeoutError"_s);
        });
    }

    // L-060
    void aDelayThatIsNotANumberIsRefused()
    {
        Test::run([&]() -> Coroutine<> {
            const std::chrono::duration<double> nan(std::numeric_limits<double>::quiet_NaN());
            QASYNCIO_THROWS(co_await timeout(nan, sleep_in, 1h), ValueError);
            QASYNCIO_THROWS(co_await wait_for(sleep(1s), nan), ValueError);
        });
    }

    void theClosureIsKeptWhileTheBodyRuns()
    {
        Test::run([&]() -> Coroutine<> {
            const auto make = [](QString text) {
                auto body = [text](Timeout &) -> Coroutine<QString> {
                    co_await sleep(1ms);
                    co_return text;
                };
                return timeout(1s, moved(body));
            };
            QASYNCIO_COMPARE(co_await make(u"a text that is long enough to be on the heap"_s),
                             u"a text that is long enough to be on the heap"_s);
        });
    }

    // G-045
    void aBodyThatThrowsInTimeIsHeard()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto body = [](Timeout &) -> Coroutine<> {
                throw ValueError(u"early"_s);
                co_return;
            };
            QASYNCIO_COMPARE(co_await error_of(timeout(1h, body)), u"ValueError: early"_s);
            Timeout scope(loop.time() + 1h);
            const std::exception_ptr thrown = scope.leave(
                std::make_exception_ptr(ValueError(u"early"_s)));
            QASYNCIO_COMPARE(describe(thrown), u"ValueError: early"_s);
            QASYNCIO_COMPARE(scope.expired(), false);
            co_await sleep(2h); // nothing comes later
        });
    }

    // G-041
    void theTaskAroundItIsNotCancelled()
    {
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<QString> {
                co_return co_await error_of(timeout(1ms, sleep_in, 1h));
            };
            Task<QString> task = create_task(body());
            QASYNCIO_COMPARE(co_await task, u"TimeoutError"_s);
            QASYNCIO_COMPARE(task.cancelled(), false);
            QASYNCIO_COMPARE(task.cancelling(), 0);
        });
    }

    // G-042, T-025
    void aBodyThatCancelsItselfIsNoTimeout()
    {
        Test::run([&]() -> Coroutine<> {
            bool expired = true;
            const auto body = [&](Timeout &scope) -> Coroutine<> {
                current_task().cancel(u"myself"_s);
                try {
                    co_await sleep(1h);
                } catch (const CancelledError &) {
                    expired = scope.expired();
                    throw;
                }
            };
            Task<> task = create_task(timeout(10s, body));
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: myself"_s);
            QASYNCIO_COMPARE(task.cancelled(), true);
            QASYNCIO_COMPARE(expired, false);
        });
    }

    // G-042, G-048
    void aSecondCancellationInsideOfItGoesOn()
    {
        Test::run([&]() -> Coroutine<> {
            const auto in_scope = [](Timeout &) -> Coroutine<> {
                current_task().cancel(u"second"_s);
                co_await sleep(2s);
            };
            const auto body = [&]() -> Coroutine<QString> {
                current_task().cancel(u"first"_s);
                const QString swallowed = co_await error_of(sleep(1s));
                co_return swallowed + u", "_s + co_await error_of(timeout(1s, in_scope));
            };
            Task<QString> task = create_task(body());
            QASYNCIO_COMPARE(co_await task, u"CancelledError: first, CancelledError: second"_s);
            QASYNCIO_COMPARE(task.cancelling(), 2);
        });
    }

    // G-043, G-046
    void nestedScopesThatABlockMakesOverdue()
    {
        const auto clock = std::make_shared<VirtualClock>();
        LoopOptions options;
        options.clock(clock);
        QAsyncioLoop loop(std::move(options));
        QStringList log;
        const auto run = [&](std::chrono::milliseconds outer_limit,
                             std::chrono::milliseconds inner_limit,
                             std::chrono::milliseconds block) -> Coroutine<> {
            const auto inner = [&](Timeout &) -> Coroutine<> {
                clock->move(block);
                co_await sleep(1h);
            };
            const auto outer = [&](Timeout &) -> Coroutine<> {
                const QString error = co_await error_of(timeout(inner_limit, inner));
                log << error;
                if (error == u"CancelledError"_s)
                    throw CancelledError();
                co_await sleep(1h);
            };
            log << co_await error_of(timeout(outer_limit, outer));
        };
        const TimePoint begin = loop.time();
        loop.run_until_complete(run(2ms, 100ms, 10ms));   // only the outer one is overdue
        loop.run_until_complete(run(100ms, 10ms, 100ms)); // both are: the outer one speaks
        QCOMPARE(log.join(u", "_s),
                 u"CancelledError, TimeoutError, CancelledError, TimeoutError"_s);
        QVERIFY(loop.time() - begin == 110ms);
        log.clear();
        // only the inner one; the outer one goes on
        loop.run_until_complete(run(100ms, 10ms, 50ms));
        QCOMPARE(log.join(u", "_s), u"TimeoutError, TimeoutError"_s);
        QVERIFY(loop.time() - begin == 210ms);
        loop.close();
    }

    // G-047
    void anotherTaskMayRescheduleIt()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Timeout *scope = nullptr;
            bool expired = true;
            const TimePoint first = loop.time() + 10s;
            const TimePoint second = first + 20s;
            const auto body = [&](Timeout &mine) -> Coroutine<> {
                scope = &mine;
                try {
                    co_await sleep(1h);
                } catch (const CancelledError &) {
                    expired = mine.expired();
                    throw;
                }
            };
            Task<> task = create_task(timeout_at(first, body));
            co_await turns(1);
            QASYNCIO_VERIFY(scope->when() == first);
            scope->reschedule(second);
            QASYNCIO_VERIFY(scope->when() == second);
            co_await sleep(15s);
            scope->reschedule(std::nullopt);
            QASYNCIO_VERIFY(!scope->when());
            co_await sleep(40s);
            QASYNCIO_COMPARE(task.done(), false);
            task.cancel();
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
            QASYNCIO_COMPARE(expired, false);
        });
    }

    // G-049
    void aTimeoutWorksInTheCleanupOfAnExpiredOne()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            const auto body = [&](Timeout &) -> Coroutine<> {
                log << co_await error_of(sleep(1h));
                log << co_await error_of(timeout(10ms, sleep_in, 1h));
                throw CancelledError();
            };
            log << co_await error_of(timeout(10ms, body));
            QASYNCIO_COMPARE(log.join(u", "_s), u"CancelledError, TimeoutError, TimeoutError"_s);
            QASYNCIO_COMPARE(current_task().cancelling(), 0);
        });
    }

    void theTextFormsOfATimeout()
    {
        Test::run([]() -> Coroutine<> {
            QStringList texts;
            const auto late = [&](Timeout &scope) -> Coroutine<> {
                try {
                    co_await sleep(1h);
                } catch (const CancelledError &) {
                    texts << scope.to_string();
                    throw;
                }
            };
            Timeout *left = nullptr;
            const auto outer = [&](Timeout &scope) -> Coroutine<> {
                left = &scope;
                texts << scope.to_string();
                const QString error = co_await error_of(timeout(1s, late));
                QASYNCIO_COMPARE(error, u"TimeoutError"_s);
            };
            co_await timeout(std::nullopt, outer);
            QASYNCIO_COMPARE(texts.join(u' '),
                             u"<Timeout [active] when=none> <Timeout [expiring]>"_s);
        });
    }

    void aDeadlineThatTheLoopRefusesIsNotSet()
    {
        QAsyncioLoop loop(virtual_time());
        std::optional<Timeout> scope;
        const auto body = [&]() -> Coroutine<> {
            scope.emplace(loop.time() + 2h);
            co_return;
        };
        loop.run_until_complete(body());
        const std::optional<TimePoint> before = scope->when();
        loop.close();
        QCOMPARE(error_in([&] { scope->reschedule(*before + 1h); }),
                 u"RuntimeError: no running event loop"_s);
        QVERIFY(scope->when() == before);
        QAsyncioLoop other(virtual_time());
        const auto elsewhere = [&]() -> Coroutine<> {
            scope->reschedule(*before + 1h);
            co_return;
        };
        QCOMPARE(other.run_until_complete(error_of(elsewhere())),
                 u"RuntimeError: Event loop is closed"_s);
        other.close();
        QVERIFY(scope->when() == before);
        scope->reschedule(std::nullopt); // needs no loop
        QVERIFY(!scope->when());
    }
};

QTEST_GUILESS_MAIN(tst_timeout)
#include "tst_timeout.moc"
