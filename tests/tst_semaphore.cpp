// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qregularexpression.h>

namespace {
Coroutine<> take(Semaphore &semaphore, QStringList &log, QString name)
{
    try {
        co_await semaphore.acquire();
        log << name;
    } catch (const CancelledError &) {
        log << u'!' + name;
        throw;
    }
}
} // namespace

class tst_semaphore : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // K-020
    void itsValueIsNotNegative()
    {
        QCOMPARE(error_in([] { Semaphore semaphore(-1); }),
                 u"ValueError: Semaphore initial value must be >= 0"_s);
        QCOMPARE(error_in([] { BoundedSemaphore semaphore(-1); }),
                 u"ValueError: Semaphore initial value must be >= 0"_s);
    }

    // K-020
    void aPlainOneCanBeReleasedAboveItsValue()
    {
        Semaphore semaphore;
        semaphore.release();
        QCOMPARE(semaphore.to_string(), u"<Semaphore [unlocked, value:2]>"_s);
        BoundedSemaphore bounded(2);
        QCOMPARE(error_in([&] { bounded.release(); }),
                 u"ValueError: BoundedSemaphore released too many times"_s);
        QCOMPARE(bounded.to_string(), u"<BoundedSemaphore [unlocked, value:2]>"_s);
    }

    // K-020
    void aBoundedOneTakesBackWhatItGave()
    {
        Test::run([&]() -> Coroutine<> {
            BoundedSemaphore bounded(2);
            co_await bounded.acquire();
            bounded.release();
            QASYNCIO_COMPARE(bounded.to_string(), u"<BoundedSemaphore [unlocked, value:2]>"_s);
        });
    }

    // K-021
    void itIsLockedWithoutAPermitOrWithSomebodyInFront()
    {
        Test::run([&]() -> Coroutine<> {
            Semaphore semaphore(1);
            QStringList log;
            QASYNCIO_COMPARE(semaphore.locked(), false);
            co_await semaphore.acquire();
            QASYNCIO_COMPARE(semaphore.locked(), true);
            Task<> a = create_task(take(semaphore, log, u"a"_s));
            co_await turns(1);
            semaphore.release();
            semaphore.release(); // one for a, one that is left
            QASYNCIO_COMPARE(semaphore.locked(), true);
            Task<> b = create_task(take(semaphore, log, u"b"_s), TaskOptions().eager_start(true));
            QASYNCIO_COMPARE(log.isEmpty(), true);
            co_await gather(a, b);
            QASYNCIO_COMPARE(log.join(u' '), u"a b"_s);
            QASYNCIO_COMPARE(semaphore.to_string(), u"<Semaphore [locked]>"_s);
        });
    }

    // K-022
    void aReleaseHandsThePermitToTheFirstInTheQueue()
    {
        Test::run([&]() -> Coroutine<> {
            Semaphore semaphore(0);
            QStringList log;
            Task<> a = create_task(take(semaphore, log, u"a"_s));
            Task<> b = create_task(take(semaphore, log, u"b"_s));
            Task<> c = create_task(take(semaphore, log, u"c"_s));
            co_await turns(1);
            semaphore.release();
            semaphore.release();
            QASYNCIO_COMPARE(semaphore.to_string(), u"<Semaphore [locked, waiters:3]>"_s);
            co_await turns(1);
            QASYNCIO_COMPARE(log.join(u' '), u"a b"_s);
            semaphore.release();
            co_await c;
            QASYNCIO_COMPARE(log.join(u' '), u"a b c"_s);
            QASYNCIO_COMPARE(semaphore.to_string(), u"<Semaphore [locked]>"_s);
        });
    }

    // K-023
    void oneThatIsCancelledWithItsPermitGivesItBack()
    {
        Test::run([&]() -> Coroutine<> {
            Semaphore semaphore(0);
            QStringList log;
            Task<> a = create_task(take(semaphore, log, u"a"_s));
            Task<> b = create_task(take(semaphore, log, u"b"_s));
            co_await turns(1);
            semaphore.release();
            a.cancel();
            co_await b;
            QASYNCIO_COMPARE(log.join(u' '), u"!a b"_s);
            QASYNCIO_COMPARE(semaphore.to_string(), u"<Semaphore [locked]>"_s);
        });
    }

    // K-023
    void oneThatIsCancelledBeforeLeavesTheValue()
    {
        Test::run([&]() -> Coroutine<> {
            Semaphore semaphore(0);
            QStringList log;
            Task<> a = create_task(take(semaphore, log, u"a"_s));
            co_await turns(1);
            a.cancel();
            semaphore.release();
            co_await turns(1);
            QASYNCIO_COMPARE(log.join(u' '), u"!a"_s);
            QASYNCIO_COMPARE(semaphore.to_string(), u"<Semaphore [unlocked, value:1]>"_s);
        });
    }

    // While somebody in front was being cancelled, a permit was there and others had to queue.
    void whoQueuedBehindOneThatLeavesIsWoken()
    {
        Test::run([&]() -> Coroutine<> {
            Semaphore semaphore(0);
            QStringList log;
            Task<> a = create_task(take(semaphore, log, u"a"_s));
            co_await turns(1);
            semaphore.release(); // a has it
            semaphore.release(); // free, but a is in front
            Task<> b = create_task(take(semaphore, log, u"b"_s), TaskOptions().eager_start(true));
            Task<> c = create_task(take(semaphore, log, u"c"_s), TaskOptions().eager_start(true));
            a.cancel();
            co_await gather(b, c);
            QASYNCIO_COMPARE(log.join(u' '), u"!a b c"_s);
            QASYNCIO_COMPARE(semaphore.to_string(), u"<Semaphore [locked]>"_s);
        });
    }

    void aGuardGivesItsPermitBack()
    {
        Test::run([&]() -> Coroutine<> {
            Semaphore semaphore(2);
            {
                const auto one = co_await semaphore.scoped();
                auto two = co_await semaphore.scoped();
                QASYNCIO_COMPARE(semaphore.locked(), true);
                two.release();
                QASYNCIO_COMPARE(semaphore.to_string(), u"<Semaphore [unlocked, value:1]>"_s);
            }
            QASYNCIO_COMPARE(semaphore.to_string(), u"<Semaphore [unlocked, value:2]>"_s);
        });
    }

    // The destructor of a guard cannot throw.
    void aGuardWhosePermitWasReleasedByHandWarns()
    {
        Test::run([&]() -> Coroutine<> {
            BoundedSemaphore semaphore(1);
            const auto held = co_await semaphore.scoped();
            semaphore.release();
            QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"permit released already"_s));
        });
    }

    void soManyAtATime()
    {
        Test::run([&]() -> Coroutine<> {
            Semaphore semaphore(3);
            int inside = 0, most = 0;
            const auto work = [&]() -> Coroutine<> {
                const auto permit = co_await semaphore.scoped();
                most = std::max(most, ++inside);
                co_await sleep(1s);
                --inside;
            };
            co_await task_group([&](TaskGroup &group) -> Coroutine<> {
                for (int i = 0; i < 10; ++i)
                    group.create_task(work);
                co_return;
            });
            QASYNCIO_COMPARE(most, 3);
            QASYNCIO_COMPARE(semaphore.to_string(), u"<Semaphore [unlocked, value:3]>"_s);
        });
    }

    void aTaskThatIsUnwoundWithItsPermitGivesItBack()
    {
        Test::run([&]() -> Coroutine<> {
            Semaphore semaphore(0);
            QStringList log;
            auto owner = std::make_unique<QObject>();
            create_task(take(semaphore, log, u"a"_s), TaskOptions().context(owner.get()));
            Task<> b = create_task(take(semaphore, log, u"b"_s));
            co_await turns(1);
            semaphore.release();
            owner.reset();
            co_await b;
            QASYNCIO_COMPARE(log.join(u' '), u"b"_s);
            QASYNCIO_COMPARE(semaphore.to_string(), u"<Semaphore [locked]>"_s);
        });
    }

    void aRaceTakesAPermitOnlyIfItWins()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Semaphore semaphore(1);
            {
                const auto outcome = co_await race(sleep(1s), semaphore.scoped());
                QASYNCIO_COMPARE(outcome.index(), 1u); // it was there already
                QASYNCIO_COMPARE(semaphore.locked(), true);
                const auto lost = co_await race(semaphore.scoped(), sleep(1s));
                QASYNCIO_COMPARE(lost.index(), 1u);
            }
            QASYNCIO_COMPARE(semaphore.to_string(), u"<Semaphore [unlocked, value:1]>"_s);
            co_await semaphore.acquire();
            Future<> other = loop.create_future();
            const auto racing = [&]() -> Coroutine<std::size_t> {
                const auto outcome = co_await race(semaphore.acquire(), other);
                co_return outcome.index();
            };
            Task<std::size_t> contender = create_task(racing());
            co_await turns(3);
            semaphore.release();
            other.set_result();
            QASYNCIO_COMPARE(co_await contender, 1u);
            QASYNCIO_COMPARE(semaphore.to_string(), u"<Semaphore [unlocked, value:1]>"_s);
        });
    }

    void aSemaphoreThatDiesEndsTheWait()
    {
        Test::run([&]() -> Coroutine<> {
            auto semaphore = std::make_unique<Semaphore>(1);
            auto held = co_await semaphore->scoped();
            Task<QString> waiting = create_task(error_of(semaphore->acquire()));
            co_await turns(1);
            semaphore.reset();
            QASYNCIO_COMPARE(
                co_await waiting,
                u"RuntimeError: The Semaphore was destroyed while a task was waiting for it"_s);
            held.release();
        });
    }

    // K-006
    void theFirstWhoHasToWaitBindsItToItsLoop()
    {
        Semaphore semaphore(0);
        Test::run([&]() -> Coroutine<> {
            QASYNCIO_COMPARE(co_await error_of(wait_for(semaphore.acquire(), 1s)),
                             u"TimeoutError"_s);
        });
        Test::run([&]() -> Coroutine<> {
            QASYNCIO_COMPARE(
                co_await error_of(semaphore.acquire()),
                u"RuntimeError: <Semaphore [locked]> is bound to a different event loop"_s);
        });
    }

    // K-022
    void aReleaseSkipsThoseInFrontWhoWereCancelled_data()
    {
        QTest::addColumn<bool>("have_gone");
        QTest::newRow("in the same turn") << false;
        QTest::newRow("a turn before") << true;
    }
    void aReleaseSkipsThoseInFrontWhoWereCancelled()
    {
        QFETCH(bool, have_gone);
        Test::run([&]() -> Coroutine<> {
            Semaphore semaphore(0);
            QStringList log;
            std::vector<Task<>> tasks;
            for (const QString &name : {u"a"_s, u"b"_s, u"c"_s, u"d"_s})
                tasks.push_back(create_task(take(semaphore, log, name)));
            co_await turns(1);
            tasks[0].cancel();
            tasks[1].cancel();
            if (have_gone)
                co_await turns(1);
            semaphore.release();
            co_await turns(2);
            QASYNCIO_COMPARE(log.join(u' '), u"!a !b c"_s);
            QASYNCIO_COMPARE(semaphore.locked(), true);
            semaphore.release();
            co_await tasks[3];
        });
    }

    // K-022
    void anAcquireThatSucceedsWakesAllThatThereArePermitsFor()
    {
        Test::run([&]() -> Coroutine<> {
            Semaphore semaphore(0);
            QStringList log;
            Task<> last;
            const auto first = [&]() -> Coroutine<> {
                co_await semaphore.acquire();
                // b and c have been woken: what is created now comes behind them
                last = create_task([&]() -> Coroutine<> {
                    log << u"d"_s;
                    co_return;
                });
                log << u"a"_s;
            };
            const auto second = [&]() -> Coroutine<> {
                for (int i = 0; i < 3; ++i)
                    semaphore.release();
                QASYNCIO_COMPARE(semaphore.locked(), true); // a has yet to go on
                co_await take(semaphore, log, u"b"_s);
            };
            co_await gather(first(), second(), take(semaphore, log, u"c"_s));
            co_await last;
            QASYNCIO_COMPARE(log.join(u' '), u"a b c d"_s);
        });
    }
};

QTEST_GUILESS_MAIN(tst_semaphore)
#include "tst_semaphore.moc"
