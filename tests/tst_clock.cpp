// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <qasyncio/test.h>

#include <QtCore/qabstracteventdispatcher.h>
#include <QtCore/qelapsedtimer.h>
#include <QtCore/qscopeguard.h>
#include <QtCore/qsemaphore.h>
#include <QtCore/qstringlist.h>
#include <QtCore/qthread.h>
#include <QtCore/qthreadpool.h>
#include <QtCore/qtimer.h>

#include <algorithm>
#include <optional>

namespace {
/// Runs a thousand times faster than the world, from a beginning of its own.
class Fast : public Clock
{
public:
    TimePoint now() override
    {
        return TimePoint(1h) + (std::chrono::steady_clock::now() - m_begin) * 1000;
    }

private:
    std::chrono::steady_clock::time_point m_begin = std::chrono::steady_clock::now();
};
} // namespace

namespace {
/// Needs four times as long as the world.
class Slow : public Clock
{
public:
    TimePoint now() override { return TimePoint((std::chrono::steady_clock::now() - m_begin) / 4); }

private:
    std::chrono::steady_clock::time_point m_begin = std::chrono::steady_clock::now();
};

void both_kinds_of_timers()
{
    QTest::addColumn<bool>("precise");
    QTest::newRow("Qt timer") << false;
    QTest::newRow("timerfd") << true;
}
} // namespace

namespace {
/// The system's clock, but the program's own.
class Own : public Clock
{
public:
    TimePoint now() override { return std::chrono::steady_clock::now(); }
};
} // namespace

/// Clocks of the program's own, the virtual clock, precise timers.
class tst_clock : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // L-061
    void virtualTimeJumpsToTheNextDeadline()
    {
        QStringList log;
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            loop.call_later(std::chrono::hours(48), [&] { log << "two days"; });
            loop.call_later(1h, [&] { log << "an hour"; });
            co_await sleep(std::chrono::hours(72));
            QASYNCIO_COMPARE(loop.time() - begin, TimePoint::duration(std::chrono::hours(72)));
        });
        QCOMPARE(log, QStringList({"an hour", "two days"}));
    }

    // L-061
    void virtualTimeStandsStillWhileAnythingIsReady()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            bool fired = false;
            loop.call_later(1ns, [&] { fired = true; });
            for (int i = 0; i < 5000; ++i)
                co_await sleep(0s);
            QASYNCIO_VERIFY(!fired);
            QASYNCIO_COMPARE(loop.time(), begin);
        });
    }

    // L-061
    void qtEventsComeBeforeVirtualTimeMoves()
    {
        QStringList log;
        Test::run([&](QAsyncioLoop &) -> Coroutine<> {
            QObject receiver;
            QMetaObject::invokeMethod(
                &receiver,
                [&] {
                    log << "posted";
                    QMetaObject::invokeMethod(
                        &receiver, [&] { log << "posted by it"; }, Qt::QueuedConnection);
                },
                Qt::QueuedConnection);
            co_await sleep(1h);
            log << "an hour later";
        });
        QCOMPARE(log.first(), "posted");
        QCOMPARE(log.last(), "an hour later");
    }

    // L-061
    void descriptorsComeBeforeVirtualTimeMoves()
    {
        QAsyncioLoop loop(virtual_time());
        Pipe pipe;
        const TimePoint begin = loop.time();
        TimePoint read;
        loop.add_reader(pipe.read_end(), [&] {
            pipe.drain_one();
            read = loop.time();
            loop.stop();
        });
        loop.call_later(1h, [&] { loop.stop(); });
        // When nothing is left to do in the loop, but before its time would move.
        loop.call_soon(
            [&] { QMetaObject::invokeMethod(qApp, [&] { pipe.fill(); }, Qt::QueuedConnection); });
        loop.run_forever();
        QVERIFY(read == begin);
        loop.remove_reader(pipe.read_end());
        loop.close();
    }

    void virtualTimeMovesOnWhenWhoHeldItIsUnwound_data()
    {
        QTest::addColumn<bool>("executor");
        QTest::newRow("process_qt_events()") << false;
        QTest::newRow("shutdown_default_executor()") << true;
    }

    /// In a slot, as its object goes: no turn of the loop ends with it.
    void virtualTimeMovesOnWhenWhoHeldItIsUnwound()
    {
        QFETCH(bool, executor);
        const auto pool = std::make_shared<QThreadPool>();
        QSemaphore ends;
        // the loop knows nothing of it, but its shutdown waits for it
        pool->start([&] { ends.acquire(); });
        const QScopeGuard end([&] {
            ends.release();
            pool->waitForDone();
        });
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            loop.set_default_executor(pool);
            std::optional<QObject> window(std::in_place);
            Coroutine<> holds = executor ? loop.shutdown_default_executor() : process_qt_events();
            const Task<> task = loop.create_task(std::move(holds), TaskOptions().context(&*window));
            co_await sleep(0s);
            QMetaObject::invokeMethod(qApp, [&] { window.reset(); }, Qt::QueuedConnection);
            const TimePoint begin = loop.time();
            Task<bool> asleep = loop.create_task(is_cancelled_asleep(1h));
            QTimer patience;
            connect(&patience, &QTimer::timeout, [&] { asleep.cancel(); });
            patience.start(10'000);
            const bool stood_still = co_await asleep;
            QASYNCIO_VERIFY(!stood_still);
            QASYNCIO_VERIFY(loop.time() - begin == 1h);
            QASYNCIO_VERIFY(task.cancelled());
        });
    }

    // L-061
    void aForeignClockInRealTime()
    {
        QAsyncioLoop loop(LoopOptions().clock(std::make_shared<Fast>()));
        const auto begin = loop.time();
        QVERIFY(begin >= TimePoint(1h));
        loop.run_until_complete([]() -> Coroutine<> { co_await sleep(20ms); }());
        QVERIFY(loop.time() - begin >= 20ms);
        loop.close();
    }

    void aClockThatIsSlowerThanTheWorld_data() { both_kinds_of_timers(); }

    // L-061
    void aClockThatIsSlowerThanTheWorld()
    {
        QFETCH(bool, precise);
        QAsyncioLoop loop(LoopOptions().clock(std::make_shared<Slow>()).precise_timers(precise));
        const TimePoint begin = loop.time();
        // would not return
        loop.run_until_complete([]() -> Coroutine<> { co_await sleep(10ms); }());
        QVERIFY(loop.time() - begin >= 10ms);
        loop.close();
    }

    // L-061, L-080
    void aForeignClockGoesOnWhileAThreadWorks()
    {
        QAsyncioLoop loop(LoopOptions().clock(std::make_shared<Fast>()));
        std::atomic<bool> timed_out{false};
        const auto work = [&] {
            while (!timed_out)
                QThread::yieldCurrentThread();
        };
        for (int round = 0; round < 2; ++round) { // the clock was never asked to move, and was
            timed_out = false;
            loop.run_until_complete([](auto &work, std::atomic<bool> &timed_out) -> Coroutine<> {
                auto working = to_thread(std::ref(work));
                auto limited = wait_for(shield(std::move(working)), 1s);
                try {
                    co_await std::move(limited);
                } catch (const TimeoutError &) {
                    timed_out = true;
                }
                co_await sleep(1s);
            }(work, timed_out));
            QVERIFY(timed_out);
        }
        loop.close();
    }

    void timersAreNeverEarly_data() { both_kinds_of_timers(); }

    // L-007
    void timersAreNeverEarly()
    {
        QFETCH(bool, precise);
        QAsyncioLoop loop(LoopOptions().precise_timers(precise));
        int fired = 0;
        bool early = false;
        for (const auto delay : {1us, 400us, 1500us, 3000us, 10300us}) {
            const TimePoint due = loop.time() + delay;
            loop.call_at(due, [&, due] {
                early |= std::chrono::steady_clock::now() < due;
                if (++fired == 5)
                    loop.stop();
            });
        }
        loop.run_forever();
        QVERIFY(!early);
        loop.close();
    }

    // L-006
    void aSleepOfMicroseconds()
    {
        QAsyncioLoop loop(LoopOptions().precise_timers());
        const auto sleeps = []() -> Coroutine<> {
            for (int i = 0; i < 20; ++i)
                co_await sleep(200us);
        };
        auto least = std::chrono::nanoseconds::max(); // a busy machine may hold up some
        for (int attempt = 0; attempt < 10; ++attempt) {
            const TimePoint begin = loop.time();
            loop.run_until_complete(sleeps());
            least = std::min(least, loop.time() - begin);
        }
        QVERIFY(least >= 4ms);
        // what timers of milliseconds take at least
        QVERIFY2(least < 20ms, qPrintable(QString::number(least.count())));
        loop.call_later(std::chrono::hours(24 * 365 * 100), [] { });
        run_once(loop);
        loop.close();
    }

    void aTimerThatIsCancelledInItsTurnWakesNobody()
    {
        QAsyncioLoop loop(LoopOptions().precise_timers()); // never early
        const auto turns = [&] { return detail::rest_of(loop.core()).turns; };
        qint64 begin = 0;
        qint64 end = 0;
        loop.call_soon([&] {
            begin = turns();
            loop.call_later(1ms, [] { }).cancel();
            loop.call_later(20ms, [&] {
                end = turns();
                loop.stop();
            });
        });
        loop.run_forever();
        QCOMPARE(end - begin, qint64(1));
        loop.close();
    }

    void timersAreServedWhileTheProgramPumps_data() { both_kinds_of_timers(); }

    /// Qt's event loop never blocks, which is when the loop looks at what may have been lost.
    void timersAreServedWhileTheProgramPumps()
    {
        QFETCH(bool, precise);
        QAsyncioLoop loop(LoopOptions().precise_timers(precise));
        loop.attach();
        int came = 0;
        QElapsedTimer patience;
        patience.start();
        // soon, and long ago
        for (const TimePoint when :
             {loop.time() + 1ms, TimePoint(), TimePoint(-1h), TimePoint::min()}) {
            const int before = came;
            loop.call_at(when, [&] { ++came; });
            while (came == before && patience.elapsed() < 10'000)
                QCoreApplication::processEvents();
        }
        loop.detach();
        loop.close();
        QCOMPARE(came, 4);
    }

    // L-065
    void aCancelledTimerFreesItsCallbackAtOnce()
    {
        QAsyncioLoop loop;
        const auto token = std::make_shared<int>();
        for (int i = 0; i < 2000; ++i)
            loop.call_later(std::chrono::hours(1), [token] { }).cancel();
        QCOMPARE(token.use_count(), 1L);
        loop.close();
    }

    void anIdleLoopSleepsOnAnyClock_data()
    {
        QTest::addColumn<QString>("clock");
        for (const char *clock : {"system", "timerfd", "own"})
            QTest::newRow(clock) << QString::fromLatin1(clock);
    }

    void anIdleLoopSleepsOnAnyClock()
    {
        QFETCH(QString, clock);
        LoopOptions options;
        if (clock == "timerfd")
            options.precise_timers();
        else if (clock == "own")
            options.clock(std::make_shared<Own>());
        QAsyncioLoop loop(std::move(options));
        int passes = 0; // of Qt's event loop
        const auto counting = connect(QAbstractEventDispatcher::instance(),
                                      &QAbstractEventDispatcher::awake, [&] { ++passes; });
        const auto idle = [](QAsyncioLoop &loop) -> Coroutine<> {
            auto ended = loop.create_future<>();
            loop.call_later(1ms, [] { });
            TimerHandle late = loop.call_later(1h, [] { });
            QTimer::singleShot(40, qApp, [ended]() mutable { ended.set_result(); });
            co_await ended;
            late.cancel();
        };
        loop.run_until_complete(idle(loop));
        disconnect(counting);
        QVERIFY2(passes < 40, QByteArray::number(passes));
        loop.close();
    }
};

QTEST_GUILESS_MAIN(tst_clock)
#include "tst_clock.moc"
