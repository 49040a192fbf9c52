// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <QtCore/qelapsedtimer.h>
#include <QtCore/qstringlist.h>
#include <QtCore/qtimer.h>

#include <algorithm>

#include <ctime>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

namespace {
std::atomic<time_t> wall_clock_step{0}; // seconds
}

// Instead of the C library's: a wall clock that can be set. Qt, glib and the C++ library ask for
// the time here.
extern "C" int clock_gettime(clockid_t clock, timespec *time) noexcept
{
    const long result = ::syscall(SYS_clock_gettime, clock, time);
    if (clock == CLOCK_REALTIME)
        time->tv_sec += wall_clock_step;
    return int(result);
}
extern "C" int gettimeofday(timeval *time, void *zone) noexcept
{
    const long result = ::syscall(SYS_gettimeofday, time, zone);
    time->tv_sec += wall_clock_step;
    return int(result);
}

namespace {
/// The processor's time, so that a busy machine does not count.
std::chrono::nanoseconds thread_time()
{
    timespec time = {};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// What the quickest of several calls takes.
template<class F>
std::chrono::nanoseconds least_time(int attempts, F &&call)
{
    auto least = std::chrono::nanoseconds::max();
    for (int i = 0; i < attempts; ++i) {
        const auto begin = thread_time();
        call();
        least = std::min(least, thread_time() - begin);
    }
    return least;
}
} // namespace

/// Timers and fairness on the real clock. How fast it all is, the benchmarks say; here only what is
/// far too slow fails.
class tst_timing : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // H-45
    void aBatchTakesLinearTime()
    {
        QAsyncioLoop loop;
        const auto batch = [&](int count) {
            return least_time(5, [&] {
                int runs = 0;
                for (int i = 0; i < count; ++i)
                    loop.call_soon([&] { ++runs; });
                run_once(loop);
                QCOMPARE(runs, count);
            });
        };
        const auto small = batch(1000);
        const auto large = batch(50'000);
        // 2,500 if it were quadratic
        const double factor = double(large.count()) / double(small.count());
        QVERIFY2(factor < 300, qPrintable(QString::number(factor)));
        loop.close();
    }

    // H-32
    void manyCallbacksRunInOrder()
    {
        QAsyncioLoop loop;
        constexpr int count = 50'000;
        std::vector<int> order;
        for (int i = 0; i < count; ++i) {
            loop.call_soon([&, i] {
                order.push_back(i);
                if (i % 100 == 0)
                    loop.call_soon([&, i] { order.push_back(count + i); });
            });
        }
        run_once(loop);
        QCOMPARE(order.size(), std::size_t(count));
        run_once(loop);
        QCOMPARE(order.size(), std::size_t(count + count / 100));
        QVERIFY(std::is_sorted(order.begin(), order.end()));
        loop.close();
    }

    // H-33
    void anEndlessChainStarvesNothing()
    {
        QAsyncioLoop loop;
        Pipe pipe;
        pipe.fill();
        bool timer = false;
        bool reader = false;
        bool qt_timer = false;
        bool posted = false;
        const auto stop_when_all_came = [&] {
            if (timer && reader && qt_timer && posted)
                loop.stop();
        };
        std::function<void()> chain = [&] {
            stop_when_all_came();
            loop.call_soon(chain);
        };
        loop.call_soon(chain);
        loop.call_later(2ms, [&] { timer = true; });
        loop.add_reader(pipe.read_end(), [&] {
            reader = true;
            loop.remove_reader(pipe.read_end());
        });
        QTimer::singleShot(2, qApp, [&] { qt_timer = true; });
        QMetaObject::invokeMethod(qApp, [&] { posted = true; }, Qt::QueuedConnection);
        loop.run_forever(); // would not return
        QVERIFY(timer && reader && qt_timer && posted);
        loop.close();
    }

    // H-34
    void spinningTasksLeaveQtItsTurn()
    {
        // A busy machine may hold some ticks up; a loop that starves Qt holds up all.
        QAsyncioLoop loop;
        constexpr int window = 6; // ticks, in a tenth of a second at most: 60 a second
        std::vector<TimePoint> ticks;
        auto least = std::chrono::nanoseconds::max();
        bool over = false;
        qint64 spins = 0;
        const auto spin = [&]() -> Coroutine<> {
            while (!over) {
                ++spins;
                co_await sleep(0s);
            }
        };
        QTimer timer;
        QObject::connect(&timer, &QTimer::timeout, [&] {
            ticks.push_back(loop.time());
            if (ticks.size() > window)
                least = std::min(least, ticks.back() - ticks[ticks.size() - 1 - window]);
            over = (ticks.size() > 10 && least <= 100ms) || ticks.size() > 100;
            if (over)
                loop.stop();
        });
        timer.start(10);
        for (int i = 0; i < 200; ++i)
            loop.create_task(spin());
        loop.run_forever();
        QVERIFY2(least <= 100ms, qPrintable(QString::number(least.count())));
        QVERIFY(spins > 200); // they did run meanwhile
        run_once(loop);
        run_once(loop);
        loop.close();
    }

    // H-35
    void aDescriptorThatIsAlwaysWritableStarvesNothing()
    {
        QAsyncioLoop loop;
        Pipe pipe;
        int writable = 0;
        bool qt_timer = false;
        bool timer = false;
        const auto stop_when_all_came = [&] {
            if (qt_timer && timer && writable > 1)
                loop.stop();
        };
        loop.add_writer(pipe.write_end(), [&] {
            ++writable;
            stop_when_all_came();
        });
        QTimer::singleShot(5, qApp, [&] { qt_timer = true; });
        loop.call_later(10ms, [&] { timer = true; });
        loop.run_forever(); // would not return
        loop.remove_writer(pipe.write_end());
        loop.close();
    }

    // H-36
    void noTimerIsEarly()
    {
        QAsyncioLoop loop;
        int left = 0;
        QStringList early;
        for (const auto delay :
             {100us, 500us, 999us, 1000us, 1001us, 3700us, 12345us, 100'500us, 1'000'000us}) {
            ++left;
            const TimePoint deadline = loop.time() + delay;
            loop.call_at(deadline, [&, deadline] {
                if (loop.time() < deadline)
                    early << QString::number((deadline - loop.time()).count());
                if (--left == 0)
                    loop.stop();
            });
        }
        loop.run_forever();
        QCOMPARE(early, QStringList());
        loop.close();
    }

    // H-39
    void aShortDelayNeverOvertakesCallSoon()
    {
        QAsyncioLoop loop;
        QStringList log;
        loop.call_later(1ns, [&] { log << "timer"; });
        loop.call_soon([&] { log << "soon"; });
        loop.call_later(5ms, [&] { loop.stop(); });
        loop.run_forever();
        QCOMPARE(log, QStringList({"soon", "timer"}));
        loop.close();
    }

    // H-40
    void timersMissedInABlockRunInOrder()
    {
        QAsyncioLoop loop;
        std::vector<int> order;
        for (const int delay : {5, 1, 4, 2, 3})
            loop.call_later(std::chrono::milliseconds(delay),
                            [&, delay] { order.push_back(delay); });
        loop.call_soon([&] {
            QElapsedTimer block;
            block.start();
            while (block.elapsed() < 10) {
            } // nothing of the loop runs meanwhile
        });
        loop.call_later(6ms, [&] { loop.stop(); });
        loop.run_forever();
        QCOMPARE(order, std::vector<int>({1, 2, 3, 4, 5}));
        loop.close();
    }

    // H-41
    void delaysOfDaysAndDecades()
    {
        QAsyncioLoop real;
        bool early = false;
        real.call_later(std::chrono::hours(24 * 30), [&] { early = true; });
        real.call_later(std::chrono::seconds(1'000'000'000), [&] { early = true; });
        real.call_later(5ms, [&] { real.stop(); });
        real.run_forever();
        QVERIFY(!early);
        real.close();

        QAsyncioLoop loop(virtual_time());
        const TimePoint begin = loop.time();
        std::vector<std::chrono::nanoseconds> came;
        for (const auto delay : {std::chrono::nanoseconds(std::chrono::seconds(1'000'000'000)),
                                 std::chrono::nanoseconds(std::chrono::hours(24 * 30))}) {
            loop.call_later(delay, [&] {
                came.push_back(loop.time() - begin);
                if (came.size() == 2)
                    loop.stop();
            });
        }
        loop.run_forever();
        QVERIFY(came[0] == std::chrono::hours(24 * 30));
        QVERIFY(came[1] == std::chrono::seconds(1'000'000'000));
        loop.close();
    }

    // H-43
    void aCancelledFarTimerIsFreedAtOnce()
    {
        QAsyncioLoop loop;
        const auto token = std::make_shared<int>();
        TimerHandle timer = loop.call_later(1h, [token] { });
        QCOMPARE(token.use_count(), 2L);
        timer.cancel();
        QCOMPARE(token.use_count(), 1L);
        loop.close();
    }

    // H-44
    void twentyThousandTimersRunInTheOrderOfTheirDeadlines()
    {
        QAsyncioLoop loop(virtual_time());
        constexpr int count = 20'000;
        std::vector<int> order;
        quint32 random = 1;
        const auto taken = least_time(3, [&] {
            order.clear();
            for (int i = 0; i < count; ++i) {
                random = random * 1664525u + 1013904223u;
                const int delay = int(random >> 16);
                loop.call_later(std::chrono::microseconds(delay), [&, delay] {
                    order.push_back(delay);
                    if (int(order.size()) == count)
                        loop.stop();
                });
            }
            loop.run_forever();
            QVERIFY(std::is_sorted(order.begin(), order.end()));
        });
        QVERIFY2(taken < 2s, qPrintable(QString::number(taken.count())));
        loop.close();
    }

    // H-37
    void timersComeWithinFiveMilliseconds()
    {
        // A busy machine may hold up some of them, or all for a while; a coarse timer always does.
        QAsyncioLoop loop;
        for (const int delay : {10, 100, 500, 1000}) {
            std::chrono::nanoseconds least = std::chrono::hours(1);
            for (int attempt = 0; attempt < 10 && least > 5ms; ++attempt) {
                const TimePoint deadline = loop.time() + std::chrono::milliseconds(delay);
                loop.call_at(deadline, [&] {
                    least = std::min(least, loop.time() - deadline);
                    loop.stop();
                });
                loop.run_forever();
            }
            QVERIFY2(least <= 5ms,
                     qPrintable(QStringLiteral("%1 ms: %2 ns late").arg(delay).arg(least.count())));
        }
        loop.close();
    }

    // H-38
    void threeHundredSleepsOfAMillisecond()
    {
        QAsyncioLoop loop;
        const auto sleeps = []() -> Coroutine<> {
            for (int i = 0; i < 300; ++i)
                co_await sleep(1ms);
        };
        std::chrono::nanoseconds least = std::chrono::hours(1);
        for (int attempt = 0; attempt < 5 && least > 700ms; ++attempt) { // the machine may be busy
            const TimePoint begin = loop.time();
            loop.run_until_complete(sleeps());
            const std::chrono::nanoseconds taken = loop.time() - begin;
            QVERIFY(taken >= 300ms);
            least = std::min(least, taken);
        }
        QVERIFY2(least <= 700ms, qPrintable(QString::number(least.count())));
        loop.close();
    }

    // H-42
    void settingTheWallClockChangesNothing()
    {
        const QScopeGuard restore([] { wall_clock_step = 0; });
        const auto before = std::chrono::system_clock::now();
        wall_clock_step = 3600;
        QVERIFY(std::chrono::system_clock::now() - before >= 1h); // else this test shows nothing
        wall_clock_step = 0;

        QAsyncioLoop loop;
        const TimePoint begin = loop.time();
        QStringList log;
        loop.call_soon([&] { wall_clock_step = 3600; });
        loop.call_later(10ms, [&] {
            log << (loop.time() - begin >= 10ms && loop.time() - begin < 30min ? "first"
                                                                               : "at a wrong time");
            wall_clock_step = -7200;
            loop.call_later(10ms, [&] {
                log << (loop.time() - begin >= 20ms ? "third" : "too early");
                loop.stop();
            });
        });
        loop.call_later(15ms,
                        [&] { log << (loop.time() - begin >= 15ms ? "second" : "too early"); });
        loop.run_forever();
        QCOMPARE(log, QStringList({"first", "second", "third"}));
        loop.close();
    }

    // H-46
    void anIdleLoopDoesNotWakeUp()
    {
        QAsyncioLoop loop;
        Pipe pipe;
        loop.add_reader(pipe.read_end(), [] { });
        loop.call_later(1h, [] { });
        run_once(loop);
        // How often this thread has gone to sleep: once for each wait.
        const auto waits = [] {
            rusage usage{};
            ::getrusage(RUSAGE_THREAD, &usage);
            return usage.ru_nvcsw;
        };
        long slept = -1;
        long before = -1;
        loop.call_later(20ms, [&] { before = waits(); });
        loop.call_later(1s, [&] {
            slept = waits() - before;
            loop.stop();
        });
        loop.run_forever();
        QVERIFY2(slept >= 1 && slept <= 3, qPrintable(QString::number(slept)));
        loop.remove_reader(pipe.read_end());
        loop.close();
    }
};

QTEST_GUILESS_MAIN(tst_timing)
#include "tst_timing.moc"
