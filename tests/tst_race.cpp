// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qtimer.h>

class RaceSender : public QObject
{
    Q_OBJECT

Q_SIGNALS:
    void good(int value);
    void bad();
};

namespace {

/// Sleeps for an hour; when it is cancelled it notes why, takes its time, and goes on with the
/// cancellation.
Coroutine<> tidy(QStringList &log, std::chrono::nanoseconds cleanup)
{
    const QString error = co_await error_of(sleep(1h));
    log << error;
    const QString interrupted = co_await error_of(sleep(cleanup));
    log << (interrupted.isEmpty() ? u"tidied up"_s : u"interrupted"_s);
    throw CancelledError();
}

} // namespace

class tst_race : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theFirstToFinishWins()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            const auto winner = co_await race(give(1, 3s), sleep(1s, u"text"_s), sleeper(2s));
            static_assert(
                std::is_same_v<decltype(winner), const std::variant<int, QString, std::monostate>>);
            QASYNCIO_COMPARE(winner.index(), 1u);
            QASYNCIO_COMPARE(std::get<1>(winner), u"text"_s);
            QASYNCIO_VERIFY(loop.time() - begin == 1s);
            QASYNCIO_COMPARE(all_tasks().size(), 1u); // nothing is left
            const auto silent = co_await race(give(1, 3s), sleeper(2s));
            QASYNCIO_VERIFY(std::holds_alternative<std::monostate>(silent));
            const auto alone = co_await race(give(7));
            QASYNCIO_COMPARE(std::get<0>(alone), 7);
        });
    }

    void aVectorGivesTheIndexAndTheValue()
    {
        Test::run([&]() -> Coroutine<> {
            std::vector<Coroutine<int>> coroutines;
            for (int i = 0; i < 5; ++i)
                coroutines.push_back(give(10 * i, i == 3 ? 1s : 2s));
            const RaceResult<int> winner = co_await race(std::move(coroutines));
            QASYNCIO_COMPARE(winner.index, 3u);
            QASYNCIO_COMPARE(winner.value, 30);
            QASYNCIO_COMPARE(all_tasks().size(), 1u);
            const std::vector<Task<>> tasks{create_task(turns(5)), create_task(turns(1))};
            const RaceResult<std::monostate> silent = co_await race(tasks);
            QASYNCIO_COMPARE(silent.index, 1u);
        });
    }

    void aRaceOfNobodyIsRefused()
    {
        Test::run([&]() -> Coroutine<> {
            QASYNCIO_COMPARE(co_await error_of(race(std::vector<Future<int>>())),
                             u"ValueError: race() needs at least one awaitable"_s);
        });
    }

    void nothingStartsBeforeTheAwait()
    {
        Test::run([&]() -> Coroutine<> {
            auto pending = race(give(1), give(2));
            co_await turns(2);
            QASYNCIO_COMPARE(all_tasks().size(), 1u);
            const auto winner = co_await std::move(pending);
            QASYNCIO_COMPARE(std::get<0>(winner), 1);
        });
    }

    void ofThoseDoneInOneTurnTheFirstInTimeWins()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Future<int>> futures{loop.create_future<int>(), loop.create_future<int>(),
                                             loop.create_future<int>()};
            loop.call_later(1s, [&] {
                futures[2].set_result(2);
                futures[1].set_result(1);
            });
            const auto winner = co_await race(futures);
            QASYNCIO_COMPARE(winner.index, 2u);
            QASYNCIO_COMPARE(futures[0].cancelled(), true);
            QASYNCIO_COMPARE(futures[1].result(), 1);
            // done before
            const auto done = co_await race(loop.create_future<int>(), futures[2], futures[1]);
            QASYNCIO_COMPARE(done.index(), 1u);
        });
    }

    void oneFutureMayRunTwice()
    {
        Test::run([&]() -> Coroutine<> {
            Task<int> task = create_task(give(1, 1s));
            const auto winner = co_await race(task, task);
            QASYNCIO_COMPARE(winner.index(), 0u);
            QASYNCIO_COMPARE(std::get<0>(winner), 1);
            QASYNCIO_COMPARE(task.result(), 1);
        });
    }

    void theOthersAreCancelledAndTheirEndIsWaitedFor()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            Task<> passed = create_task(tidy(log, 10s));
            const TimePoint begin = loop.time();
            const auto winner = co_await race(passed, give(1, 1s), tidy(log, 20s));
            log << u"over"_s;
            QASYNCIO_COMPARE(winner.index(), 1u);
            QASYNCIO_VERIFY(loop.time() - begin == 21s);
            QASYNCIO_COMPARE(log.join(u", "),
                             u"CancelledError, CancelledError, tidied up, tidied up, over"_s);
            QASYNCIO_COMPARE(passed.cancelled(), true);
            QASYNCIO_COMPARE(all_tasks().size(), 1u);
        });
    }

    void aLoserThatReturnsNeverthelessIsWaitedForAndHasNotWon()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto stubborn = []() -> Coroutine<int> {
                const QString error = co_await error_of(sleep(1h));
                co_await sleep(5s);
                co_return error.size();
            };
            const TimePoint begin = loop.time();
            const auto winner = co_await race(stubborn(), give(1, 1s));
            QASYNCIO_COMPARE(winner.index(), 1u);
            QASYNCIO_VERIFY(loop.time() - begin == 6s);
        });
    }

    void aWinnerThatFailsIsThrownWhenTheOthersHaveEnded()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            QStringList log;
            log << co_await error_of(race(tidy(log, 10s), fail_with(u"wrong"_s, 1s)));
            QASYNCIO_COMPARE(log.join(u", "), u"CancelledError, tidied up, ValueError: wrong"_s);
            std::vector<Coroutine<int>> coroutines;
            coroutines.push_back(fail_with(u"wrong as well"_s));
            QASYNCIO_COMPARE(co_await error_of(race(std::move(coroutines))),
                             u"ValueError: wrong as well"_s);
            QASYNCIO_COMPARE(reports.list().join(u' '), QString());
        });
    }

    void aWinnerThatWasCancelledIsThrownAsCancelledError()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            loop.call_later(1s, [&] { future.cancel(u"only this one"_s); });
            QASYNCIO_COMPARE(co_await error_of(race(sleeper(), future)),
                             u"CancelledError: only this one"_s);
            QASYNCIO_COMPARE(current_task().cancelling(), 0);
        });
    }

    void whatALoserThrowsInItsCleanUpIsReported()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            const auto careless = []() -> Coroutine<> {
                const QString error = co_await error_of(sleep(1h));
                throw ValueError(u"in the clean-up of "_s + error);
            };
            const auto winner = co_await race(careless(), give(1, 1s));
            QASYNCIO_COMPARE(winner.index(), 1u);
            QASYNCIO_COMPARE(
                reports.list().join(u' '),
                u"Task exception was never retrieved|ValueError: in the clean-up of CancelledError"_s);
        });
    }

    void aLoserThatFailsInTheTurnOfTheWinnerIsReported()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            const auto winner = co_await race(give(1, 1s), fail_with(u"second"_s, 1s));
            QASYNCIO_COMPARE(winner.index(), 0u);
            QASYNCIO_COMPARE(reports.list().join(u' '),
                             u"Task exception was never retrieved|ValueError: second"_s);
        });
    }

    void cancellingTheRacingTaskCancelsAllAndWaits()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            const auto body = [&]() -> Coroutine<> { co_await race(tidy(log, 1s), tidy(log, 2s)); };
            Task<> task = create_task(body());
            co_await turns(3);
            const TimePoint begin = loop.time();
            task.cancel(u"enough"_s);
            log << co_await error_of(task);
            QASYNCIO_VERIFY(loop.time() - begin == 2s);
            QASYNCIO_COMPARE(
                log.join(u", "),
                u"CancelledError: enough, CancelledError: enough, tidied up, tidied up, "
                "CancelledError: enough"_s);
            QASYNCIO_COMPARE(task.cancelled(), true);
            QASYNCIO_COMPARE(all_tasks().size(), 1u);
        });
    }

    void anotherCancellationDoesNotEndTheWaiting()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            const auto body = [&]() -> Coroutine<> { co_await race(tidy(log, 10s), sleeper()); };
            Task<> task = create_task(body());
            co_await turns(3);
            const TimePoint begin = loop.time();
            task.cancel(u"first"_s);
            co_await sleep(1s);
            task.cancel(u"second"_s);
            co_await sleep(1s);
            task.cancel(u"third"_s);
            log << co_await error_of(task);
            QASYNCIO_VERIFY(loop.time() - begin == 10s);
            QASYNCIO_COMPARE(log.join(u", "),
                             u"CancelledError: first, tidied up, CancelledError: first"_s);
        });
    }

    void aCancellationWhileTheLosersEndIsThrownWhenTheyHave()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            const auto body = [&]() -> Coroutine<> { co_await race(tidy(log, 10s), give(1, 1s)); };
            Task<> task = create_task(body());
            const TimePoint begin = loop.time();
            co_await sleep(2s);
            task.cancel(u"late"_s);
            log << co_await error_of(task);
            QASYNCIO_VERIFY(loop.time() - begin == 11s);
            QASYNCIO_COMPARE(log.join(u", "), u"CancelledError, tidied up, CancelledError: late"_s);
        });
    }

    void aTimeoutAroundARaceIsATimeout()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            log << co_await error_of(wait_for(race(tidy(log, 1s), sleeper()), 5s));
            QASYNCIO_COMPARE(log.join(u", "), u"CancelledError, tidied up, TimeoutError"_s);
        });
    }

    void futuresOfAnotherLoopAreRefused()
    {
        QAsyncioLoop other(virtual_time());
        Future<int> foreign = other.create_future<int>();
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> own = loop.create_future<int>();
            QASYNCIO_COMPARE(
                co_await error_of(race(own, sleeper(), foreign)),
                u"ValueError: The future belongs to a different loop than the one specified as the loop argument"_s);
            QASYNCIO_COMPARE(own.cancelled(), true); // the race was lost before it began
            QASYNCIO_COMPARE(foreign.done(), false);
            co_await turns(2);
        });
        other.close();
    }

    void aWinnerWithoutAValueThatFailsIsThrownToo()
    {
        Test::run([]() -> Coroutine<> {
            const auto fails = []() -> Coroutine<> {
                co_await sleep(1s);
                throw ValueError(u"first"_s);
            };
            QASYNCIO_COMPARE(co_await error_of(race(fails(), sleeper())), u"ValueError: first"_s);
        });
    }

    void aResultThatNobodyElseHasIsNotCopied()
    {
        struct Counting
        {
            Counting() = default;
            Counting(const Counting &other) : copies(other.copies + 1) { }
            Counting(Counting &&) = default;
            int copies = 0;
        };
        Test::run([]() -> Coroutine<> {
            const auto make = []() -> Coroutine<Counting> { co_return Counting(); };
            const auto won = co_await race(make(), sleep(1h));
            QASYNCIO_COMPARE(std::get<0>(won).copies, 0);
            Task<Counting> task = create_task(make());
            Task<Counting> same = task;
            const auto twice = co_await race(std::move(task), std::move(same));
            QASYNCIO_COMPARE(std::get<0>(twice).copies, 0);
        });
    }

    void moveOnlyResultsAreMovedThrough()
    {
        Test::run([&]() -> Coroutine<> {
            const auto unique = [](int value) -> Coroutine<std::unique_ptr<int>> {
                co_return std::make_unique<int>(value);
            };
            auto winner = co_await race(sleeper(), unique(42));
            QASYNCIO_COMPARE(*std::get<1>(winner), 42);
            std::vector<Coroutine<std::unique_ptr<int>>> coroutines;
            coroutines.push_back(unique(43));
            const RaceResult<std::unique_ptr<int>> first = co_await race(std::move(coroutines));
            QASYNCIO_COMPARE(*first.value, 43);
        });
    }

    void racesNest()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            const auto winner = co_await race(race(give(1, 3s), give(2, 2s)),
                                              race(sleeper(), give(3, 1s)));
            const auto inner = std::get<1>(winner);
            QASYNCIO_COMPARE(std::get<1>(inner), 3);
            QASYNCIO_VERIFY(loop.time() - begin == 1s);
            QASYNCIO_COMPARE(all_tasks().size(), 1u);
        });
    }

    void severalTasksMayRaceWithTheSameFuture()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> start = loop.create_future<int>();
            const auto body = [&](std::chrono::seconds limit) -> Coroutine<std::size_t> {
                const auto winner = co_await race(shield(start), sleep(limit));
                co_return winner.index();
            };
            Task<std::size_t> impatient = create_task(body(1s));
            Task<std::size_t> patient = create_task(body(3s));
            loop.call_later(2s, [&] { start.set_result(1); });
            QASYNCIO_COMPARE(co_await impatient, 1u);
            QASYNCIO_COMPARE(start.done(), false); // it was shielded
            QASYNCIO_COMPARE(co_await patient, 0u);
        });
    }

    void theDeathOfTheContextObjectCancelsAll()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            Future<int> future = loop.create_future<int>();
            auto object = std::make_unique<QObject>();
            const auto body = [&]() -> Coroutine<> { co_await race(future, tidy(log, 1s)); };
            Task<> task = create_task(body(), TaskOptions().context(object.get()));
            co_await turns(3);
            object.reset();
            QASYNCIO_COMPARE(task.cancelled(), true);
            QASYNCIO_COMPARE(future.cancelled(), true);
            QASYNCIO_COMPARE(unheard(future), true);
            // what the race had begun ended with the object, too: none of it ran another line
            co_await sleep(2s);
            QASYNCIO_COMPARE(log.join(u", "), QString());
        });
    }

    void closingTheLoopReportsTheRacingTaskOnly()
    {
        QStringList log;
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        const auto child = [&]() -> Coroutine<> {
            const Farewell local(log, u"unwound"_s);
            co_await sleep(1h);
        };
        Future<int> future = loop.create_future<int>();
        const auto body = [&]() -> Coroutine<> {
            co_await race(child(), future, child(), sleep(1h));
        };
        loop.create_task(body(), TaskOptions().name(u"racing"_s));
        run_ready(loop);
        loop.close();
        QCOMPARE(log.join(u' '), u"unwound unwound"_s);
        QCOMPARE(reports.list().size(), 1);
        QVERIFY(reports.list().first().contains(u"name='racing'"_s));
        QCOMPARE(future.cancelled(), true);
    }

    void ofSignalsTheFirstEmissionWinsAlsoIfTheSenderDies()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            for (const bool bad_first : {true, false}) {
                auto *sender = new RaceSender;
                loop.call_later(1s, [sender] {
                    Q_EMIT sender->good(7);
                    delete sender;
                });
                auto good = from_signal(sender, &RaceSender::good);
                auto bad = from_signal(sender, &RaceSender::bad);
                if (bad_first) {
                    const auto winner = co_await race(bad, good);
                    QASYNCIO_COMPARE(std::get<1>(winner), 7);
                } else {
                    const auto winner = co_await race(good, bad);
                    QASYNCIO_COMPARE(std::get<0>(winner), 7);
                }
                bad = {};
                good = {};
            }
        });
    }

    void ofStreamsTheWinnerAloneIsTakenFrom()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            RaceSender one, two;
            auto left = signal_stream(&one, &RaceSender::good);
            auto right = signal_stream(&two, &RaceSender::good);
            loop.call_later(1s, [&] {
                Q_EMIT two.good(2);
                Q_EMIT one.good(1);
            });
            const auto first = co_await race(left.next(), right.next());
            QASYNCIO_COMPARE(first.index(), 1u);
            QASYNCIO_COMPARE(*std::get<1>(first), 2);
            QASYNCIO_COMPARE(left.size(), 1u);
            QASYNCIO_COMPARE(right.size(), 0u);
            const auto second = co_await race(left.next(), right.next()); // it is there already
            QASYNCIO_COMPARE(*std::get<0>(second), 1);
            QASYNCIO_COMPARE(left.size(), 0u);
            Q_EMIT one.good(3);
            Q_EMIT two.good(4);
            std::vector<detail::NextEmission<int>> both;
            both.push_back(left.next());
            both.push_back(right.next());
            const auto third = co_await race(std::move(both));
            QASYNCIO_COMPARE(third.index, 0u);
            QASYNCIO_COMPARE(*third.value, 3);
            QASYNCIO_COMPARE(*co_await right.next(), 4);
        });
    }

    void aStreamThatLosesInTheTurnOfTheWinnerLosesNothing()
    {
        Test::run([&]() -> Coroutine<> {
            RaceSender sender;
            auto clicks = signal_stream(&sender, &RaceSender::good);
            const auto work = [&]() -> Coroutine<> {
                co_await sleep(1s);
                Q_EMIT sender.good(1);
            };
            const auto first = co_await race(work(), clicks.next());
            QASYNCIO_COMPARE(first.index(), 0u); // the emission came first, but can wait
            QASYNCIO_COMPARE(clicks.size(), 1u);
            QASYNCIO_COMPARE(*co_await clicks.next(), 1);
            const auto quick = [&]() -> Coroutine<> {
                Future<> done = get_running_loop().create_future<>();
                const auto finish = [&] {
                    done.set_result();
                    Q_EMIT sender.good(2);
                };
                get_running_loop().call_later(1s, finish);
                const auto second = co_await race(done, clicks.next());
                QASYNCIO_COMPARE(second.index(), 0u);
            };
            co_await quick();
            QASYNCIO_COMPARE(*co_await clicks.next(), 2);
            QASYNCIO_COMPARE(clicks.size(), 0u);
        });
    }

    void aWinningEmissionGoesBackIfTheRacingTaskIsCancelled()
    {
        Test::run([&]() -> Coroutine<> {
            RaceSender sender;
            QStringList log;
            auto clicks = signal_stream(&sender, &RaceSender::good);
            const auto body = [&]() -> Coroutine<> { co_await race(tidy(log, 1s), clicks.next()); };
            Task<> task = create_task(body());
            co_await turns(3);
            Q_EMIT sender.good(1);
            co_await sleep(500ms); // it has won, and the other one cleans up
            QASYNCIO_COMPARE(co_await error_of(clicks.next()),
                             u"RuntimeError: another task is awaiting this stream"_s);
            task.cancel();
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
            QASYNCIO_COMPARE(*co_await clicks.next(), 1);
        });
    }

    void anEmissionThatSomebodyElseTakesHasNotWon()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            RaceSender sender;
            auto clicks = signal_stream(&sender, &RaceSender::good);
            int taken = 0;
            const auto take = [&]() -> Coroutine<> { taken = *co_await clicks.next(); };
            loop.call_later(1s, [&] {
                Q_EMIT sender.good(1);
                loop.create_task(take()); // in the next turn: before the race goes on
            });
            loop.call_later(2s, [&] { Q_EMIT sender.good(2); });
            const auto winner = co_await race(sleeper(), clicks.next());
            QASYNCIO_COMPARE(taken, 1);
            QASYNCIO_COMPARE(*std::get<1>(winner), 2);
        });
    }

    void theEndOfAStreamWinsToo()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            auto sender = std::make_unique<RaceSender>();
            auto clicks = signal_stream(sender.get(), &RaceSender::good);
            loop.call_later(1s, [&] { sender.reset(); });
            const auto winner = co_await race(sleeper(), clicks.next());
            QASYNCIO_COMPARE(std::get<1>(winner).has_value(), false);
        });
    }

    void racesOfSignalsAndStreamsAreTornDown()
    {
        Test::tear_down([](QAsyncioLoop &loop) -> Coroutine<> {
            RaceSender sender;
            auto clicks = signal_stream(&sender, &RaceSender::good);
            auto emitting = loop.call_later(10ms, [&sender] { Q_EMIT sender.good(1); });
            const QScopeGuard cancel([&] { emitting.cancel(); });
            co_await race(clicks.next(), from_signal(&sender, &RaceSender::bad), sleeper());
        });
    }
};

QTEST_GUILESS_MAIN(tst_race)
#include "tst_race.moc"
