// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

namespace {
Coroutine<> come(Barrier &barrier, QStringList &log, QString name)
{
    try {
        const int index = co_await barrier.wait();
        log << name + QString::number(index);
    } catch (const BrokenBarrierError &error) {
        log << name + u": "_s + error.message();
    }
}
} // namespace

class tst_barrier : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // K-030
    void itNeedsAParty()
    {
        QCOMPARE(error_in([] { Barrier barrier(0); }), u"ValueError: parties must be >= 1"_s);
        QCOMPARE(Barrier(1).parties(), 1);
    }

    // K-030
    void eachPartyGetsAnotherNumberAndTheLastGoesFirst()
    {
        Test::run([&]() -> Coroutine<> {
            Barrier barrier(3);
            QStringList log;
            QASYNCIO_COMPARE(barrier.to_string(), u"<Barrier [filling, waiters:0/3]>"_s);
            Task<> a = create_task(come(barrier, log, u"a"_s));
            Task<> b = create_task(come(barrier, log, u"b"_s));
            co_await turns(2);
            QASYNCIO_COMPARE(barrier.to_string(), u"<Barrier [filling, waiters:2/3]>"_s);
            QASYNCIO_COMPARE(barrier.n_waiting(), 2);
            QASYNCIO_COMPARE(log.isEmpty(), true);
            co_await come(barrier, log, u"c"_s);
            QASYNCIO_COMPARE(log.join(u' '), u"c2"_s);
            QASYNCIO_COMPARE(barrier.to_string(), u"<Barrier [draining, waiters:0/3]>"_s);
            co_await gather(a, b);
            QASYNCIO_COMPARE(log.join(u' '), u"c2 a0 b1"_s);
            QASYNCIO_COMPARE(barrier.n_waiting(), 0);
        });
    }

    void aBarrierForOneIsPassedAtOnce()
    {
        Test::run([&]() -> Coroutine<> {
            Barrier barrier(1);
            for (int i = 0; i < 3; ++i)
                QASYNCIO_COMPARE(co_await barrier.wait(), 0);
        });
    }

    void itCanBePassedAgain()
    {
        Test::run([&]() -> Coroutine<> {
            Barrier barrier(2);
            QStringList log;
            for (int round = 0; round < 3; ++round)
                co_await gather(come(barrier, log, u"a"_s), come(barrier, log, u"b"_s));
            QASYNCIO_COMPARE(log.join(u' '), u"b1 a0 b1 a0 b1 a0"_s);
        });
    }

    // K-031
    void aCancelledWaiterLeavesItIntact()
    {
        Test::run([&]() -> Coroutine<> {
            Barrier barrier(2);
            QStringList log;
            Task<> a = create_task(come(barrier, log, u"a"_s));
            co_await turns(2);
            a.cancel();
            co_await turns(3);
            QASYNCIO_COMPARE(a.cancelled(), true);
            QASYNCIO_COMPARE(barrier.n_waiting(), 0);
            QASYNCIO_COMPARE(barrier.broken(), false);
            co_await gather(come(barrier, log, u"b"_s), come(barrier, log, u"c"_s));
            QASYNCIO_COMPARE(log.join(u' '), u"c1 b0"_s);
        });
    }

    void aWaiterThatIsUnwoundLeavesItIntact()
    {
        Test::run([&]() -> Coroutine<> {
            Barrier barrier(2);
            QStringList log;
            auto owner = std::make_unique<QObject>();
            create_task(come(barrier, log, u"a"_s), TaskOptions().context(owner.get()));
            co_await turns(2);
            QASYNCIO_COMPARE(barrier.n_waiting(), 1);
            owner.reset();
            QASYNCIO_COMPARE(barrier.n_waiting(), 0);
            co_await gather(come(barrier, log, u"b"_s), come(barrier, log, u"c"_s));
            QASYNCIO_COMPARE(log.join(u' '), u"c1 b0"_s);
        });
    }

    // K-032
    void abortBreaksItForAllUntilReset()
    {
        Test::run([&]() -> Coroutine<> {
            Barrier barrier(2);
            QStringList log;
            Task<> a = create_task(come(barrier, log, u"a"_s));
            co_await turns(2);
            co_await barrier.abort();
            QASYNCIO_COMPARE(barrier.broken(), true);
            QASYNCIO_COMPARE(barrier.n_waiting(), 0);
            QASYNCIO_COMPARE(barrier.to_string(), u"<Barrier [broken]>"_s);
            co_await a;
            co_await come(barrier, log, u"b"_s);
            QASYNCIO_COMPARE(log.join(u", "),
                             u"a: Abort or reset of barrier, b: Barrier aborted"_s);
            co_await barrier.reset();
            QASYNCIO_COMPARE(barrier.broken(), false);
            log.clear();
            co_await gather(come(barrier, log, u"c"_s), come(barrier, log, u"d"_s));
            QASYNCIO_COMPARE(log.join(u' '), u"d1 c0"_s);
        });
    }

    // K-032
    void resetSendsThoseWhoWaitAway()
    {
        Test::run([&]() -> Coroutine<> {
            Barrier barrier(3);
            QStringList log;
            Task<> a = create_task(come(barrier, log, u"a"_s));
            Task<> b = create_task(come(barrier, log, u"b"_s));
            co_await turns(2);
            co_await barrier.reset();
            QASYNCIO_COMPARE(barrier.to_string(), u"<Barrier [resetting, waiters:0/3]>"_s);
            co_await gather(a, b);
            QASYNCIO_COMPARE(log.join(u", "),
                             u"a: Abort or reset of barrier, b: Abort or reset of barrier"_s);
            QASYNCIO_COMPARE(barrier.to_string(), u"<Barrier [filling, waiters:0/3]>"_s);
        });
    }

    // K-033
    void whoComesWhileItDrainsWaitsForTheNextRound()
    {
        Test::run([&]() -> Coroutine<> {
            Barrier barrier(2);
            QStringList log;
            Task<> a = create_task(come(barrier, log, u"a"_s));
            co_await turns(2);
            co_await come(barrier, log, u"b"_s); // a has yet to go
            Task<> c = create_task(come(barrier, log, u"c"_s), TaskOptions().eager_start(true));
            QASYNCIO_COMPARE(barrier.n_waiting(), 0);
            co_await a;
            co_await turns(5);
            QASYNCIO_COMPARE(log.join(u' '), u"b1 a0"_s);
            QASYNCIO_COMPARE(barrier.n_waiting(), 1);
            co_await come(barrier, log, u"d"_s);
            co_await c;
            QASYNCIO_COMPARE(log.join(u' '), u"b1 a0 d1 c0"_s);
        });
    }

    void aBarrierThatDiesEndsTheWait()
    {
        Test::run([&]() -> Coroutine<> {
            auto barrier = std::make_unique<Barrier>(2);
            Task<QString> waiting = create_task(error_of(barrier->wait()));
            co_await turns(2);
            barrier.reset();
            QASYNCIO_COMPARE(
                co_await waiting,
                u"RuntimeError: The Barrier was destroyed while a task was waiting for it"_s);
        });
    }

    // K-032
    void aResetWhileItDrainsSendsTheRestAway()
    {
        Test::run([&]() -> Coroutine<> {
            Barrier barrier(5);
            int gone = 0, sent_away = 0;
            const auto party = [&]() -> Coroutine<> {
                bool broken = false;
                try {
                    co_await barrier.wait();
                } catch (const BrokenBarrierError &) {
                    broken = true;
                }
                if (broken)
                    ++sent_away;
                else if (++gone == 3)
                    co_await barrier.reset();
            };
            co_await gather(party(), party(), party(), party(), party());
            QASYNCIO_COMPARE(gone + sent_away, 5);
            QASYNCIO_COMPARE(sent_away, 2);
            QASYNCIO_COMPARE(barrier.to_string(), u"<Barrier [filling, waiters:0/5]>"_s);
        });
    }

    // K-032, K-033
    void whoWasSentAwayByAResetMayWaitAgain()
    {
        Test::run([&]() -> Coroutine<> {
            Barrier barrier(3);
            QStringList log;
            const auto party = [&](QString name) -> Coroutine<> {
                co_await come(barrier, log, name);
                co_await come(barrier, log, name);
            };
            Task<> a = create_task(party(u"a"_s));
            Task<> b = create_task(party(u"b"_s));
            co_await turns(2);
            co_await barrier.reset();
            Task<> c = create_task(come(barrier, log, u"c"_s));
            co_await gather(a, b, c);
            const QString broken = u": Abort or reset of barrier"_s;
            QASYNCIO_COMPARE(log.mid(0, 2), (QStringList{u"a"_s + broken, u"b"_s + broken}));
            QStringList passed = log.mid(2);
            passed.sort();
            QASYNCIO_COMPARE(passed.size(), 3);
            QASYNCIO_COMPARE(barrier.n_waiting(), 0);
            QASYNCIO_COMPARE(barrier.broken(), false);
        });
    }

    // K-032, K-033
    void anAbortWhileItDrainsReachesThoseWhoWaitForTheNextRound()
    {
        Test::run([&]() -> Coroutine<> {
            Barrier barrier(2);
            QStringList log;
            Task<> a = create_task(come(barrier, log, u"a"_s));
            co_await turns(2);
            co_await come(barrier, log, u"b"_s);
            Task<> c = create_task(come(barrier, log, u"c"_s), TaskOptions().eager_start(true));
            co_await barrier.abort(); // a has yet to go
            co_await gather(a, c);
            QASYNCIO_COMPARE(log.join(u", "),
                             u"b1, a: Abort or reset of barrier, "
                             "c: Barrier aborted"_s);
            QASYNCIO_COMPARE(barrier.broken(), true);
            co_await barrier.reset();
            co_await gather(come(barrier, log, u"d"_s), come(barrier, log, u"e"_s));
            QASYNCIO_COMPARE(log.last(), u"d0"_s);
        });
    }

    // K-032
    void aPartyThatFailsMayAbortTheNextRound()
    {
        Test::run([&]() -> Coroutine<> {
            Barrier barrier(5);
            int passed = 0, broken = 0;
            const auto party = [&]() -> Coroutine<> {
                try {
                    const int index = co_await barrier.wait();
                    if (index == 2) {
                        co_await barrier.abort();
                        co_return;
                    }
                    co_await barrier.wait();
                    ++passed;
                } catch (const BrokenBarrierError &) {
                    ++broken;
                }
            };
            co_await gather(party(), party(), party(), party(), party());
            QASYNCIO_COMPARE(passed, 0);
            QASYNCIO_COMPARE(broken, 4);
            QASYNCIO_COMPARE(barrier.broken(), true);
        });
    }

    // K-032, K-033
    void aResetWhileHalfDrainAndHalfWaitForTheNextRound()
    {
        Test::run([&]() -> Coroutine<> {
            Barrier barrier(5);
            int passed = 0, sent_away = 0, sent_away_later = 0;
            const auto party = [&]() -> Coroutine<> {
                bool broken = false;
                try {
                    co_await barrier.wait();
                } catch (const BrokenBarrierError &) {
                    broken = true;
                }
                if (broken)
                    ++sent_away;
                else if (++passed == 3)
                    co_await barrier.reset();
                const QString error = co_await error_of(barrier.wait());
                sent_away_later += !error.isEmpty();
            };
            co_await wait_for(gather(party(), party(), party(), party(), party()), 1s);
            QASYNCIO_COMPARE(sent_away, 2);
            QASYNCIO_COMPARE(sent_away_later, 0); // those who waited for the next round went on
            QASYNCIO_COMPARE(barrier.to_string(), u"<Barrier [filling, waiters:0/5]>"_s);
        });
    }

    // K-032, K-033
    void aResetByTheLastToGoSendsNobodyAway()
    {
        Test::run([&]() -> Coroutine<> {
            Barrier barrier(5);
            int count = 0;
            const auto party = [&]() -> Coroutine<> {
                co_await barrier.wait();
                if (++count == 5)
                    co_await barrier.reset();
                co_await barrier.wait();
                co_await barrier.wait();
            };
            co_await wait_for(gather(party(), party(), party(), party(), party()), 1s);
            QASYNCIO_COMPARE(count, 5);
            QASYNCIO_COMPARE(barrier.to_string(), u"<Barrier [filling, waiters:0/5]>"_s);
        });
    }

    // K-032
    void anotherBarrierKeepsThemApartWhileABrokenOneIsReset()
    {
        Test::run([&]() -> Coroutine<> {
            Barrier one(5), two(5);
            int broken = 0, ended = 0;
            const auto party = [&]() -> Coroutine<> {
                try {
                    const int index = co_await one.wait();
                    if (index == 2)
                        co_await one.abort();
                    else
                        co_await one.wait();
                } catch (const BrokenBarrierError &) {
                    ++broken;
                }
                const int index = co_await two.wait();
                if (index == 2)
                    co_await one.reset();
                co_await two.wait();
                co_await one.wait();
                ++ended;
            };
            co_await wait_for(gather(party(), party(), party(), party(), party()), 1s);
            QASYNCIO_COMPARE(broken, 4);
            QASYNCIO_COMPARE(ended, 5);
            QASYNCIO_COMPARE(one.to_string(), u"<Barrier [filling, waiters:0/5]>"_s);
        });
    }

    void thePartiesGoOnThoughOneOfThemDestroysTheBarrier()
    {
        Test::run([&]() -> Coroutine<> {
            auto barrier = std::make_unique<Barrier>(3);
            Task<int> a = create_task(barrier->wait());
            Task<int> b = create_task(barrier->wait());
            co_await turns(2);
            QASYNCIO_COMPARE(co_await barrier->wait(), 2);
            barrier.reset();
            QASYNCIO_COMPARE(co_await a, 0);
            QASYNCIO_COMPARE(co_await b, 1);
        });
    }
};

QTEST_GUILESS_MAIN(tst_barrier)
#include "tst_barrier.moc"
