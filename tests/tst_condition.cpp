// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

namespace {
/// Waits for one notification, with the lock.
Coroutine<> await_notification(Condition &condition, QStringList &log, QString name)
{
    const auto held = co_await condition.scoped();
    try {
        co_await condition.wait();
    } catch (const CancelledError &error) {
        const QString lock = condition.locked() ? QString() : u" without lock"_s;
        log << u'!' + name + error.message() + lock;
        throw;
    }
    log << name;
}

Coroutine<> notify(Condition &condition, int count = 1)
{
    const auto held = co_await condition.scoped();
    condition.notify(count);
}
} // namespace

class tst_condition : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // K-011
    void waitAndNotifyNeedTheLock()
    {
        Test::run([&]() -> Coroutine<> {
            Condition condition;
            QASYNCIO_COMPARE(co_await error_of(condition.wait()),
                             u"RuntimeError: cannot wait on un-acquired lock"_s);
            const QString text = u"RuntimeError: cannot notify on un-acquired lock"_s;
            QASYNCIO_COMPARE(error_in([&] { condition.notify(); }), text);
            QASYNCIO_COMPARE(error_in([&] { condition.notify_all(); }), text);
            QASYNCIO_COMPARE(error_in([&] { condition.release(); }),
                             u"RuntimeError: Lock is not acquired."_s);
        });
    }

    void aNegativeNumberCannotBeNotified()
    {
        Test::run([&]() -> Coroutine<> {
            Condition condition;
            co_await condition.acquire();
            QASYNCIO_COMPARE(error_in([&] { condition.notify(-1); }),
                             u"ValueError: cannot notify a negative number of tasks"_s);
            condition.notify(0);
            condition.release();
            QASYNCIO_COMPARE(condition.locked(), false);
        });
    }

    // K-012
    void waitReleasesTheLockAndHasItAgain()
    {
        Test::run([&]() -> Coroutine<> {
            Condition condition;
            QStringList log;
            Task<> a = create_task(await_notification(condition, log, u"a"_s));
            co_await turns(1);
            QASYNCIO_COMPARE(condition.to_string(), u"<Condition [unlocked, waiters:1]>"_s);
            co_await condition.acquire();
            condition.notify();
            co_await turns(5);
            QASYNCIO_COMPARE(log.isEmpty(), true); // it waits for the lock
            condition.release();
            co_await a;
            QASYNCIO_COMPARE(log.join(u' '), u"a"_s);
            QASYNCIO_COMPARE(condition.to_string(), u"<Condition [unlocked]>"_s);
        });
    }

    // K-012
    void aCancellationHasTheLockAgain()
    {
        Test::run([&]() -> Coroutine<> {
            Condition condition;
            QStringList log;
            Task<> a = create_task(await_notification(condition, log, u"a"_s));
            co_await turns(1);
            co_await condition.acquire();
            a.cancel(u"1"_s);
            co_await turns(5);
            QASYNCIO_COMPARE(log.isEmpty(), true);
            a.cancel(u"2"_s);
            co_await turns(5);
            a.cancel(u"3"_s);
            co_await turns(5);
            QASYNCIO_COMPARE(log.isEmpty(), true);
            condition.release();
            co_await error_of(a);
            QASYNCIO_COMPARE(log.join(u' '), u"!a3"_s); // the last one
            QASYNCIO_COMPARE(condition.locked(), false);
        });
    }

    // K-013
    void aNotificationOfOneThatIsCancelledGoesToAnother()
    {
        Test::run([&]() -> Coroutine<> {
            Condition condition;
            QStringList log;
            Task<> a = create_task(await_notification(condition, log, u"a"_s));
            Task<> b = create_task(await_notification(condition, log, u"b"_s));
            co_await turns(2);
            co_await notify(condition);
            a.cancel();
            co_await b;
            QASYNCIO_COMPARE(log.join(u' '), u"!a b"_s);
        });
    }

    // K-013
    void aNotificationOfOneThatIsCancelledAtTheLockGoesToAnother()
    {
        Test::run([&]() -> Coroutine<> {
            Condition condition;
            QStringList log;
            Task<> a = create_task(await_notification(condition, log, u"a"_s));
            Task<> b = create_task(await_notification(condition, log, u"b"_s));
            co_await turns(2);
            co_await condition.acquire();
            condition.notify();
            co_await turns(3); // a waits for the lock
            a.cancel();
            co_await turns(3);
            condition.release();
            co_await b;
            QASYNCIO_COMPARE(log.join(u' '), u"!a b"_s);
        });
    }

    void aNotificationOfOneThatIsUnwoundGoesToAnother_data()
    {
        QTest::addColumn<bool>("at_the_lock");
        QTest::newRow("woken") << false;
        QTest::newRow("at the lock") << true;
    }
    void aNotificationOfOneThatIsUnwoundGoesToAnother()
    {
        QFETCH(bool, at_the_lock);
        Test::run([&]() -> Coroutine<> {
            Condition condition;
            QStringList log;
            auto owner = std::make_unique<QObject>();
            create_task(await_notification(condition, log, u"a"_s),
                        TaskOptions().context(owner.get()));
            Task<> b = create_task(await_notification(condition, log, u"b"_s));
            co_await turns(2);
            co_await condition.acquire();
            condition.notify();
            if (at_the_lock)
                co_await turns(3);
            owner.reset();
            QASYNCIO_COMPARE(condition.locked(), true); // its guard leaves our lock alone
            condition.release();
            co_await b;
            QASYNCIO_COMPARE(log.join(u' '), u"b"_s);
            QASYNCIO_COMPARE(condition.to_string(), u"<Condition [unlocked]>"_s);
        });
    }

    // K-014
    void notifyWakesSoManyInOrder()
    {
        Test::run([&]() -> Coroutine<> {
            Condition condition;
            QStringList log;
            std::vector<Task<>> tasks;
            for (const char16_t name : u"abcd"_s.toStdU16String())
                tasks.push_back(
                    create_task(await_notification(condition, log, QString(QChar(name)))));
            co_await turns(2);
            co_await condition.acquire();
            condition.notify(2);
            condition.notify(); // those who were woken already do not count
            Task<> later = create_task([&]() -> Coroutine<> {
                const auto held = co_await condition.scoped();
                log << u"later"_s;
            });
            co_await turns(3);
            QASYNCIO_COMPARE(log.isEmpty(), true);
            condition.release();
            co_await later;
            QASYNCIO_COMPARE(log.join(u' '), u"a b c later"_s);
            QASYNCIO_COMPARE(tasks[3].done(), false);
            co_await notify(condition);
            co_await tasks[3];
            QASYNCIO_COMPARE(log.count(u"d"_s), 1);
        });
    }

    // K-014
    void whoWasNotifiedGoesBeforeThoseWhoComeLater()
    {
        Test::run([&]() -> Coroutine<> {
            Condition condition;
            QStringList log;
            Task<> a = create_task(await_notification(condition, log, u"a"_s));
            Task<> b = create_task(await_notification(condition, log, u"b"_s));
            co_await turns(2);
            co_await condition.acquire();
            condition.notify_all();
            co_await turns(1); // both stand at the lock
            Task<> later = create_task([&]() -> Coroutine<> {
                const auto held = co_await condition.scoped();
                log << u"later"_s;
            });
            co_await turns(1);
            condition.release();
            co_await later;
            QASYNCIO_COMPARE(log.join(u' '), u"a b later"_s);
        });
    }

    // K-014
    void notifyAllWakesAll()
    {
        Test::run([&]() -> Coroutine<> {
            Condition condition;
            QStringList log;
            const auto waiting = [&]() -> Coroutine<> {
                co_await gather(await_notification(condition, log, u"a"_s),
                                await_notification(condition, log, u"b"_s),
                                await_notification(condition, log, u"c"_s));
            };
            Task<> all = create_task(waiting());
            co_await turns(4);
            {
                const auto held = co_await condition.scoped();
                condition.notify_all();
            }
            co_await all;
            QASYNCIO_COMPARE(log.join(u' '), u"a b c"_s);
        });
    }

    // K-015
    void waitForTestsItsPredicateAfterEachNotification()
    {
        Test::run([&]() -> Coroutine<> {
            Condition condition;
            int value = 0, tests = 0;
            const auto waiting = [&]() -> Coroutine<int> {
                const auto held = co_await condition.scoped();
                co_return co_await condition.wait_for([&] {
                    ++tests;
                    return value;
                });
            };
            Task<int> task = create_task(waiting());
            co_await turns(1);
            QASYNCIO_COMPARE(tests, 1);
            co_await notify(condition);
            co_await turns(2);
            QASYNCIO_COMPARE(tests, 2);
            value = 42;
            co_await turns(3);
            QASYNCIO_COMPARE(tests, 2);
            co_await notify(condition);
            QASYNCIO_COMPARE(co_await task, 42);
            QASYNCIO_COMPARE(tests, 3);
        });
    }

    // K-015
    void waitForDoesNotWaitIfItsPredicateHolds()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Condition condition;
            const auto held = co_await condition.scoped();
            bool other = false;
            loop.call_soon([&] { other = true; });
            QASYNCIO_COMPARE(co_await condition.wait_for([] { return true; }), true);
            QASYNCIO_COMPARE(other, false);
            co_await turns(1);
            QASYNCIO_COMPARE(other, true);
        });
    }

    // K-015
    void aConditionCanShareALock()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            Condition one(lock), two(lock);
            QStringList log;
            Task<> a = create_task(await_notification(one, log, u"a"_s));
            Task<> b = create_task(await_notification(two, log, u"b"_s));
            co_await turns(1);
            co_await lock.acquire();
            QASYNCIO_COMPARE(one.locked(), true);
            two.notify();
            lock.release();
            co_await b;
            QASYNCIO_COMPARE(a.done(), false);
            co_await notify(one);
            co_await a;
            QASYNCIO_COMPARE(log.join(u' '), u"b a"_s);
        });
    }

    void waitForThrowsWhatItsPredicateThrows()
    {
        Test::run([&]() -> Coroutine<> {
            Condition condition;
            const auto held = co_await condition.scoped();
            const auto fails = []() -> bool { throw ValueError(u"no"_s); };
            QASYNCIO_COMPARE(co_await error_of(condition.wait_for(fails)), u"ValueError: no"_s);
            QASYNCIO_COMPARE(condition.locked(), true);
        });
    }

    void aConditionThatDiesEndsTheWait()
    {
        Test::run([&]() -> Coroutine<> {
            auto condition = std::make_unique<Condition>();
            const auto waiting = [&]() -> Coroutine<> {
                const auto held = co_await condition->scoped();
                co_await condition->wait();
            };
            Task<QString> task = create_task(error_of(waiting()));
            co_await turns(1);
            condition.reset();
            QASYNCIO_COMPARE(
                co_await task,
                u"RuntimeError: The Condition was destroyed while a task was waiting for it"_s);
        });
    }

    void aTimeoutHasTheLockAgain()
    {
        Test::run([&]() -> Coroutine<> {
            Condition condition;
            const auto held = co_await condition.scoped();
            QASYNCIO_COMPARE(co_await error_of(wait_for(condition.wait(), 1s)), u"TimeoutError"_s);
            QASYNCIO_COMPARE(condition.locked(), true);
        });
    }

    // K-006
    void theFirstWhoHasToWaitBindsItToItsLoop()
    {
        Condition condition;
        Test::run([&]() -> Coroutine<> {
            const auto held = co_await condition.scoped();
            QASYNCIO_COMPARE(co_await error_of(wait_for(condition.wait(), 1s)), u"TimeoutError"_s);
        });
        Test::run([&]() -> Coroutine<> {
            const auto held = co_await condition.scoped();
            QASYNCIO_COMPARE(
                co_await error_of(condition.wait()),
                u"RuntimeError: <Condition [unlocked]> is bound to a different event loop"_s);
            QASYNCIO_COMPARE(condition.locked(), true);
        });
    }

    // K-005
    void theTextTellsWhetherTheLockIsHeld()
    {
        Test::run([&]() -> Coroutine<> {
            Condition condition;
            QASYNCIO_COMPARE(condition.to_string(), u"<Condition [unlocked]>"_s);
            QStringList log;
            Task<> a = create_task(await_notification(condition, log, u"a"_s));
            co_await turns(1);
            co_await condition.acquire();
            QASYNCIO_COMPARE(condition.to_string(), u"<Condition [locked, waiters:1]>"_s);
            condition.notify();
            condition.release();
            co_await a;
        });
    }

    // K-011, K-015
    void waitForNeedsTheLockIfItHasToWait()
    {
        Test::run([&]() -> Coroutine<> {
            Condition condition;
            QASYNCIO_COMPARE(co_await condition.wait_for([] { return true; }), true);
            QASYNCIO_COMPARE(co_await error_of(condition.wait_for([] { return false; })),
                             u"RuntimeError: cannot wait on un-acquired lock"_s);
        });
    }

    // K-014
    void moreThanWaitCanBeNotified()
    {
        Test::run([&]() -> Coroutine<> {
            Condition condition;
            QStringList log;
            Task<> a = create_task(await_notification(condition, log, u"a"_s));
            co_await turns(1);
            co_await notify(condition, 2048);
            co_await a;
            Task<> b = create_task(await_notification(condition, log, u"b"_s)); // none is kept
            co_await turns(3);
            QASYNCIO_COMPARE(log.join(u' '), u"a"_s);
            co_await notify(condition);
            co_await b;
        });
    }

    // K-012
    void aCancellationBeforeANotificationKeepsItsMessage()
    {
        Test::run([&]() -> Coroutine<> {
            Condition condition;
            QStringList log;
            Task<> a = create_task(await_notification(condition, log, u"a"_s));
            co_await turns(1);
            a.cancel(u" because"_s);
            QASYNCIO_COMPARE(co_await error_of(a), u"CancelledError:  because"_s);
            QASYNCIO_COMPARE(log.join(u' '), u"!a because"_s);
        });
    }

    // The wait takes the lock again in the name of whoever had it, in whatever task it runs.
    void aGuardReleasesAfterAWaitInAnotherTask_data()
    {
        QTest::addColumn<int>("way");
        QTest::newRow("race, won") << 0;
        QTest::newRow("race, lost") << 1;
        QTest::newRow("a task") << 2;
        QTest::newRow("gather") << 3;
        QTest::newRow("shield") << 4;
        QTest::newRow("a task that is timed out") << 5;
    }
    void aGuardReleasesAfterAWaitInAnotherTask()
    {
        QFETCH(int, way);
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Condition condition;
            const bool notified = way != 1 && way != 5;
            const auto give = [&]() -> Coroutine<> { co_await notify(condition); };
            if (notified)
                loop.call_later(500ms, [&] { create_task(give); });
            {
                const auto held = co_await condition.scoped();
                if (way < 2) {
                    const auto outcome = co_await race(condition.wait(), sleep(1s));
                    QASYNCIO_COMPARE(outcome.index(), std::size_t(way));
                } else if (way == 2) {
                    Task<> task = create_task(condition.wait());
                    co_await task;
                } else if (way == 3) {
                    co_await gather(condition.wait());
                } else if (way == 4) {
                    co_await shield(condition.wait());
                } else {
                    Task<> task = create_task(condition.wait());
                    QASYNCIO_COMPARE(co_await error_of(wait_for(task, 1s)), u"TimeoutError"_s);
                }
                QASYNCIO_COMPARE(condition.locked(), true);
            }
            QASYNCIO_COMPARE(condition.locked(), false);
        });
    }

    void aPredicateThatDeletesTheConditionEndsTheWait()
    {
        Test::run([&]() -> Coroutine<> {
            auto condition = std::make_unique<Condition>();
            const auto held = co_await condition->scoped();
            const auto deletes = [&]() -> bool {
                condition.reset();
                return false;
            };
            QASYNCIO_COMPARE(
                co_await error_of(condition->wait_for(deletes)),
                u"RuntimeError: The Condition was destroyed while a task was waiting for it"_s);
        });
    }

    // Its lock is held by another task, and will be for ever.
    void aConditionThatDiesDoesNotKeepWhoWaitsForItsLock()
    {
        Test::run([&]() -> Coroutine<> {
            auto condition = std::make_unique<Condition>();
            const auto waiting = [&]() -> Coroutine<> {
                const auto held = co_await condition->scoped();
                co_await condition->wait();
            };
            Task<QString> task = create_task(error_of(waiting()));
            co_await turns(1);
            co_await condition->acquire();
            condition.reset();
            const QString error = co_await wait_for(task, 1s);
            QASYNCIO_VERIFY(error.startsWith(u"RuntimeError: The Lock was destroyed"_s));
        });
    }
};

QTEST_GUILESS_MAIN(tst_condition)
#include "tst_condition.moc"
