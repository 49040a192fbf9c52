// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

namespace {
/// Takes the lock, keeps it for `delay`, and logs both ends.
Coroutine<> visit(Lock &lock, QStringList &log, QString name, std::chrono::nanoseconds delay = 0s)
{
    const auto held = co_await lock.scoped();
    log << name;
    co_await sleep(delay);
    log << u'-' + name;
}

Coroutine<> take(Lock &lock, QStringList &log, QString name)
{
    try {
        co_await lock.acquire();
        log << name;
    } catch (const CancelledError &) {
        log << u'!' + name;
        throw;
    }
}
} // namespace

class tst_lock : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // K-001
    void aLockThatIsFreeCannotBeReleased()
    {
        Lock lock;
        QCOMPARE(error_in([&] { lock.release(); }), u"RuntimeError: Lock is not acquired."_s);
        QVERIFY(!lock.locked());
    }

    // K-001
    void anyTaskMayRelease()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            QStringList log;
            Task<> first = create_task(take(lock, log, u"first"_s));
            Task<> second = create_task(take(lock, log, u"second"_s));
            co_await first;
            QASYNCIO_COMPARE(lock.locked(), true);
            lock.release();
            co_await second;
            QASYNCIO_COMPARE(log.join(u' '), u"first second"_s);
        });
    }

    // K-002
    void aFreeLockIsTakenWithoutATurn()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Lock lock;
            bool other = false;
            loop.call_soon([&] { other = true; });
            co_await lock.acquire();
            QASYNCIO_COMPARE(other, false);
            QASYNCIO_COMPARE(lock.locked(), true);
            co_await turns(1);
            QASYNCIO_COMPARE(other, true);
        });
    }

    // K-002, K-003
    void whoComesBetweenReleaseAndTheNextOneQueuesBehind()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            QStringList log;
            co_await lock.acquire();
            Task<> waiting = create_task(take(lock, log, u"waiting"_s));
            co_await turns(1);
            lock.release();
            QASYNCIO_COMPARE(lock.locked(), false); // until the one that was woken goes on
            Task<> newcomer = create_task(take(lock, log, u"newcomer"_s),
                                          TaskOptions().eager_start(true));
            QASYNCIO_COMPARE(log.isEmpty(), true);
            co_await waiting;
            QASYNCIO_COMPARE(lock.locked(), true);
            lock.release();
            co_await newcomer;
            QASYNCIO_COMPARE(log.join(u' '), u"waiting newcomer"_s);
        });
    }

    // K-002
    void thoseWhoWaitAreServedInOrder()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            QStringList log;
            co_await gather(visit(lock, log, u"a"_s, 3s), visit(lock, log, u"b"_s, 2s),
                            visit(lock, log, u"c"_s, 1s));
            QASYNCIO_COMPARE(log.join(u' '), u"a -a b -b c -c"_s);
            QASYNCIO_COMPARE(lock.locked(), false);
        });
    }

    // K-002
    void cancelledWaitersKeepNobodyFromAFreeLock()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            QStringList log;
            co_await lock.acquire();
            Task<> cancelled = create_task(take(lock, log, u"a"_s));
            co_await turns(1);
            cancelled.cancel();
            lock.release(); // the cancelled one is still in the queue
            co_await take(lock, log, u"b"_s);
            QASYNCIO_COMPARE(log.join(u' '), u"b"_s);
            QASYNCIO_COMPARE(lock.to_string(), u"<Lock [locked, waiters:1]>"_s);
            co_await turns(1);
            QASYNCIO_COMPARE(log.join(u' '), u"b !a"_s);
            QASYNCIO_COMPARE(lock.to_string(), u"<Lock [locked]>"_s);
        });
    }

    // K-004
    void aWokenWaiterThatIsCancelledHandsTheLockOn()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            QStringList log;
            co_await lock.acquire();
            Task<> a = create_task(take(lock, log, u"a"_s));
            Task<> b = create_task(take(lock, log, u"b"_s));
            co_await turns(1);
            lock.release();
            a.cancel();
            co_await b;
            QASYNCIO_COMPARE(log.join(u' '), u"!a b"_s);
            QASYNCIO_COMPARE(a.cancelled(), true);
            QASYNCIO_COMPARE(lock.locked(), true);
        });
    }

    // K-004
    void aWaiterCancelledWhileTheLockIsHeldDisappears()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            QStringList log;
            co_await lock.acquire();
            Task<> a = create_task(take(lock, log, u"a"_s));
            Task<> b = create_task(take(lock, log, u"b"_s));
            co_await turns(1);
            a.cancel();
            co_await turns(1);
            QASYNCIO_COMPARE(lock.to_string(), u"<Lock [locked, waiters:1]>"_s);
            lock.release();
            co_await b;
            QASYNCIO_COMPARE(log.join(u' '), u"!a b"_s);
        });
    }

    // K-004
    void aReleaseWhileTheFirstIsBeingCancelledWakesTheSecondThroughIt()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            QStringList log;
            co_await lock.acquire();
            Task<> a = create_task(take(lock, log, u"a"_s));
            Task<> b = create_task(take(lock, log, u"b"_s));
            co_await turns(1);
            a.cancel();
            lock.release();
            co_await turns(1);
            QASYNCIO_COMPARE(log.join(u' '), u"!a"_s);
            co_await turns(1);
            QASYNCIO_COMPARE(log.join(u' '), u"!a b"_s);
        });
    }

    void aTimeoutLeavesTheLockToOthers()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            QStringList log;
            co_await lock.acquire();
            QASYNCIO_COMPARE(co_await error_of(wait_for(lock.acquire(), 1s)), u"TimeoutError"_s);
            QASYNCIO_COMPARE(lock.to_string(), u"<Lock [locked]>"_s);
            lock.release();
            co_await wait_for(lock.acquire(), 1s);
            QASYNCIO_COMPARE(lock.locked(), true);
        });
    }

    // K-005
    void aGuardReleasesAtTheEndOfItsScope()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            {
                auto held = co_await lock.scoped();
                QASYNCIO_COMPARE(lock.locked(), true);
                LockGuard moved = std::move(held);
                QASYNCIO_COMPARE(bool(held), false);
                QASYNCIO_COMPARE(bool(moved), true);
                held = std::move(moved);
                QASYNCIO_COMPARE(lock.locked(), true);
            }
            QASYNCIO_COMPARE(lock.locked(), false);
            auto held = co_await lock.scoped();
            held.release();
            QASYNCIO_COMPARE(lock.locked(), false);
            held.release(); // nothing is left to release
            held = co_await lock.scoped();
            QASYNCIO_COMPARE(lock.locked(), true);
            held = LockGuard();
            QASYNCIO_COMPARE(lock.locked(), false);
        });
    }

    // K-005
    void aGuardReleasesWhenItsTaskFailsOrIsCancelled()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            const auto fails = [&]() -> Coroutine<> {
                const auto held = co_await lock.scoped();
                throw ValueError(u"no"_s);
            };
            QASYNCIO_COMPARE(co_await error_of(fails()), u"ValueError: no"_s);
            QASYNCIO_COMPARE(lock.locked(), false);
            QStringList log;
            Task<> holder = create_task(visit(lock, log, u"a"_s, 1h));
            co_await turns(1);
            QASYNCIO_COMPARE(lock.locked(), true);
            holder.cancel();
            co_await turns(1);
            QASYNCIO_COMPARE(lock.locked(), false);
        });
    }

    // A guard whose lock was released by hand has nothing to do, even if another task has the lock.
    void aGuardLeavesTheLockOfAnotherTaskAlone()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            QStringList log;
            Task<> other = create_task(take(lock, log, u"other"_s));
            {
                const auto held = co_await lock.scoped();
                co_await turns(1);
                lock.release();
                co_await other;
                QASYNCIO_COMPARE(lock.locked(), true);
            }
            QASYNCIO_COMPARE(lock.locked(), true);
            lock.release();
        });
    }

    // What is taken by hand is released by hand, also within the scope of a guard.
    void aGuardReleasesOnlyWhatItHasTaken()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            {
                const auto held = co_await lock.scoped();
                lock.release();
                co_await lock.acquire();
            }
            QASYNCIO_COMPARE(lock.locked(), true);
            lock.release();
            auto first = co_await lock.scoped();
            lock.release();
            const auto second = co_await lock.scoped();
            first.release();
            QASYNCIO_COMPARE(lock.locked(), true);
        });
    }

    // K-005
    void theTextTellsTheStateAndHowManyWait()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            QStringList log;
            QASYNCIO_COMPARE(lock.to_string(), u"<Lock [unlocked]>"_s);
            co_await lock.acquire();
            QASYNCIO_COMPARE(lock.to_string(), u"<Lock [locked]>"_s);
            Task<> a = create_task(take(lock, log, u"a"_s));
            Task<> b = create_task(take(lock, log, u"b"_s));
            co_await turns(1);
            QASYNCIO_COMPARE(lock.to_string(), u"<Lock [locked, waiters:2]>"_s);
            lock.release();
            QASYNCIO_COMPARE(lock.to_string(), u"<Lock [unlocked, waiters:2]>"_s);
            co_await a;
            lock.release();
            co_await b;
        });
    }

    void aTaskThatWaitsNamesTheOneThatHolds()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            QStringList log;
            Task<> holder = create_task(visit(lock, log, u"a"_s, 1h),
                                        TaskOptions().name(u"sync"_s));
            Task<> waiting = create_task(visit(lock, log, u"b"_s));
            co_await turns(1);
            const QString text = waiting.to_string();
            QASYNCIO_VERIFY(text.endsWith(u" wait_for=<lock held by Task 'sync'>>"_s));
            holder.cancel();
            co_await waiting;
        });
    }

    // K-006
    void theFirstWhoHasToWaitBindsTheLockToItsLoop()
    {
        Lock lock;
        QStringList log;
        Test::run([&]() -> Coroutine<> {
            co_await lock.acquire();
            QASYNCIO_COMPARE(co_await error_of(wait_for(lock.acquire(), 1s)), u"TimeoutError"_s);
            lock.release();
        });
        Test::run([&]() -> Coroutine<> {
            co_await lock.acquire(); // it need not wait
            QASYNCIO_COMPARE(co_await error_of(lock.acquire()),
                             u"RuntimeError: <Lock [locked]> is bound to a different event loop"_s);
            QASYNCIO_COMPARE(lock.to_string(), u"<Lock [locked]>"_s);
        });
    }

    void aLockThatDiesEndsTheWait()
    {
        Test::run([&]() -> Coroutine<> {
            auto lock = std::make_unique<Lock>();
            co_await lock->acquire();
            Task<QString> waiting = create_task(error_of(lock->acquire()));
            Task<QString> cancelled = create_task(error_of(lock->acquire()));
            co_await turns(1);
            cancelled.cancel();
            lock.reset();
            QASYNCIO_COMPARE(
                co_await waiting,
                u"RuntimeError: The Lock was destroyed while a task was waiting for it"_s);
            QASYNCIO_COMPARE(co_await cancelled, u"CancelledError"_s);
        });
    }

    void aLockThatDiesBeforeAWaitBeginsEndsItToo()
    {
        Test::run([&]() -> Coroutine<> {
            auto lock = std::make_unique<Lock>();
            co_await lock->acquire();
            Task<QString> waiting = create_task(error_of(lock->acquire()));
            Task<QString> racing = create_task(error_of(race(lock->scoped(), sleep(1h))));
            lock.reset();
            const QString text =
                u"RuntimeError: The Lock was destroyed while a task was waiting for it"_s;
            QASYNCIO_COMPARE(co_await waiting, text);
            QASYNCIO_COMPARE(co_await racing, text);
        });
    }

    void aGuardOutlivesItsLock()
    {
        Test::run([&]() -> Coroutine<> {
            auto lock = std::make_unique<Lock>();
            auto held = co_await lock->scoped();
            lock.reset();
            held.release();
            QASYNCIO_COMPARE(bool(held), false);
        });
    }

    // The window has a lock; tasks of the window hold it and wait for it; the window is closed.
    void anObjectDiesWithItsLockBeforeItsTasks()
    {
        Test::run([&]() -> Coroutine<> {
            struct Window : QObject
            {
                Lock lock;
            };
            QStringList log;
            auto window = std::make_unique<Window>();
            const TaskOptions options = TaskOptions().context(window.get());
            create_task(visit(window->lock, log, u"a"_s, 1h), options);
            create_task(visit(window->lock, log, u"b"_s), options);
            co_await turns(1);
            window.reset();
            co_await turns(2);
            QASYNCIO_COMPARE(log.join(u' '), u"a"_s);
        });
    }

    void aTaskThatIsUnwoundInTheQueueLeavesIt()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            QStringList log;
            co_await lock.acquire();
            auto owner = std::make_unique<QObject>();
            create_task(visit(lock, log, u"a"_s), TaskOptions().context(owner.get()));
            Task<> b = create_task(visit(lock, log, u"b"_s));
            co_await turns(1);
            lock.release(); // a is woken
            owner.reset();  // and goes
            co_await b;
            QASYNCIO_COMPARE(log.join(u' '), u"b -b"_s);
            QASYNCIO_COMPARE(lock.to_string(), u"<Lock [unlocked]>"_s);
        });
    }

    void theHolderIsUnwound()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            QStringList log;
            auto owner = std::make_unique<QObject>();
            create_task(visit(lock, log, u"a"_s, 1h), TaskOptions().context(owner.get()));
            Task<> b = create_task(visit(lock, log, u"b"_s));
            co_await turns(1);
            owner.reset();
            co_await b;
            QASYNCIO_COMPARE(log.join(u' '), u"a b -b"_s);
        });
    }

    void aRaceTakesTheLockOnlyIfItWins()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            co_await lock.acquire();
            {
                const auto outcome = co_await race(lock.scoped(), sleep(1s));
                QASYNCIO_COMPARE(outcome.index(), 1u);
            }
            QASYNCIO_COMPARE(lock.to_string(), u"<Lock [locked]>"_s);
            lock.release();
            {
                const auto outcome = co_await race(lock.scoped(), sleep(1s));
                QASYNCIO_COMPARE(outcome.index(), 0u);
                QASYNCIO_COMPARE(lock.locked(), true);
            }
            QASYNCIO_COMPARE(lock.locked(), false);
            const auto outcome = co_await race(sleep(1s), lock.acquire());
            QASYNCIO_COMPARE(outcome.index(), 1u);
            QASYNCIO_COMPARE(lock.locked(), true);
        });
    }

    // The lock comes to the race in the same turn as the winner: it goes on to the next one.
    void aLockThatComesWithTheWinnerGoesToTheNext()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Lock lock;
            QStringList log;
            co_await lock.acquire();
            Future<> other = loop.create_future();
            const auto racing = [&]() -> Coroutine<> {
                const auto outcome = co_await race(lock.acquire(), other);
                log << QString::number(outcome.index());
            };
            Task<> contender = create_task(racing());
            Task<> next = create_task(take(lock, log, u"next"_s));
            co_await turns(3);
            lock.release();
            other.set_result();
            co_await contender;
            co_await next;
            QASYNCIO_COMPARE(log.join(u' '), u"1 next"_s);
        });
    }

    void aRaceThatIsCancelledLeavesTheLockToTheNext()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            QStringList log;
            co_await lock.acquire();
            const auto racing = [&]() -> Coroutine<> {
                static_cast<void>(co_await race(lock.acquire(), sleep(1h)));
            };
            Task<> contender = create_task(racing());
            Task<> next = create_task(take(lock, log, u"next"_s));
            co_await turns(3);
            lock.release();
            contender.cancel();
            co_await next;
            QASYNCIO_COMPARE(co_await error_of(contender), u"CancelledError"_s);
        });
    }

    void ofTwoLocksARaceTakesOne()
    {
        Test::run([&]() -> Coroutine<> {
            Lock one, two;
            const auto outcome = co_await race(one.acquire(), two.acquire());
            QASYNCIO_COMPARE(outcome.index(), 0u);
            QASYNCIO_COMPARE(one.locked(), true);
            QASYNCIO_COMPARE(two.locked(), false);
        });
    }

    void aLoopThatIsClosedTakesItsTasksOutOfTheQueue()
    {
        Lock lock;
        QStringList log;
        {
            QAsyncioLoop loop(virtual_time());
            loop.run_until_complete(take(lock, log, u"here"_s));
            loop.create_task(take(lock, log, u"a"_s));
            loop.create_task(take(lock, log, u"b"_s));
            loop.run_until_complete(turns(1));
            QCOMPARE(lock.to_string(), u"<Lock [locked, waiters:2]>"_s);
            const Reports reports(loop);
            loop.close();
            QCOMPARE(reports.messages().size(), 2);
        }
        QCOMPARE(lock.to_string(), u"<Lock [locked]>"_s);
        QCOMPARE(log.join(u' '), u"here"_s);
    }

    void tenThousandWaitersTakeTheirTimeOnce()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            int visits = 0;
            const auto visitor = [&]() -> Coroutine<> {
                const auto held = co_await lock.scoped();
                ++visits;
            };
            co_await lock.acquire();
            std::vector<Task<>> tasks;
            for (int i = 0; i < 10'000; ++i)
                tasks.push_back(create_task(visitor));
            co_await turns(1);
            for (int i = 0; i < 10'000; i += 2)
                tasks[i].cancel();
            co_await turns(1);
            lock.release();
            co_await wait(tasks);
            QASYNCIO_COMPARE(visits, 5'000);
        });
    }

    // K-004
    void ofThreeWaitersOneIsCancelledAndOneGetsTheLock()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Lock lock;
            QStringList log;
            co_await lock.acquire();
            Task<> a = create_task(take(lock, log, u"a"_s));
            Task<> b = create_task(take(lock, log, u"b"_s));
            Task<> c = create_task(take(lock, log, u"c"_s));
            co_await turns(1);
            loop.call_soon([&] {
                a.cancel();
                lock.release();
            });
            QASYNCIO_COMPARE(co_await error_of(a), u"CancelledError"_s);
            co_await b;
            co_await turns(3);
            QASYNCIO_COMPARE(log.join(u' '), u"!a b"_s);
            QASYNCIO_COMPARE(c.done(), false);
            lock.release();
            co_await c;
        });
    }

    // The claim of a race that is decided must not stand in the way while the other losers end.
    void aLockThatARaceHasLostIsFreeAtOnce_data()
    {
        QTest::addColumn<bool>("comes_with_the_winner");
        QTest::newRow("it comes with the winner") << true;
        QTest::newRow("it comes later") << false;
    }
    void aLockThatARaceHasLostIsFreeAtOnce()
    {
        QFETCH(bool, comes_with_the_winner);
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Lock lock;
            QStringList log;
            co_await lock.acquire();
            Future<> winner = loop.create_future();
            const auto slow = [&]() -> Coroutine<> {
                co_await is_cancelled_asleep();
                co_await visit(lock, log, u"loser"_s, 1s); // its clean-up wants the lock, too
            };
            const auto racing = [&]() -> Coroutine<> {
                static_cast<void>(co_await race(lock.acquire(), winner, slow()));
                log << u"raced"_s;
            };
            Task<> contender = create_task(racing());
            co_await turns(3);
            Task<> next = create_task(visit(lock, log, u"next"_s));
            co_await turns(1);
            winner.set_result();
            if (!comes_with_the_winner)
                co_await turns(5);
            lock.release();
            co_await wait_for(gather(contender, next), 10s);
            QASYNCIO_COMPARE(log.join(u' '), u"next -next loser -loser raced"_s);
        });
    }

    // Between the decision and the caller's next line the losers are waited for.
    void aRaceThatIsCancelledAfterALockHasWonReleasesIt()
    {
        Test::run([&]() -> Coroutine<> {
            Lock lock;
            const auto slow = [&]() -> Coroutine<> {
                co_await is_cancelled_asleep();
                co_await sleep(10s);
            };
            const auto racing = [&]() -> Coroutine<> {
                static_cast<void>(co_await race(lock.acquire(), slow()));
            };
            Task<> contender = create_task(racing());
            co_await sleep(1s);
            QASYNCIO_COMPARE(lock.locked(), true);
            contender.cancel();
            co_await turns(3);
            QASYNCIO_COMPARE(lock.to_string(), u"<Lock [unlocked]>"_s);
            QASYNCIO_COMPARE(co_await error_of(contender), u"CancelledError"_s);
        });
    }
};

QTEST_GUILESS_MAIN(tst_lock)
#include "tst_lock.moc"
