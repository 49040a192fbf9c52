// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <QtCore/qelapsedtimer.h>
#include <QtCore/qstringlist.h>
#include <QtCore/qtimer.h>

#include <functional>
#include <ratio>
#include <thread>
#include <vector>

#include <sys/socket.h>

namespace {
/// What an attached loop is given from outside of its turns, and ends by itself.
struct Work
{
    const char *name;
    bool virtual_time;
    std::function<Coroutine<>(QAsyncioLoop &)> body;
};

const std::vector<Work> all_work{
    {"callbacks", false,
     [](QAsyncioLoop &) -> Coroutine<> {
         for (int i = 0; i < 3; ++i)
             co_await sleep(0s);
     }},
    {"a timer", false, [](QAsyncioLoop &) -> Coroutine<> { co_await sleep(1ms); }},
    {"virtual time", true,
     [](QAsyncioLoop &) -> Coroutine<> {
         for (int i = 0; i < 3; ++i)
             co_await sleep(1h);
     }},
    {"functions", false,
     [](QAsyncioLoop &) -> Coroutine<> {
         for (int i = 0; i < 3; ++i)
             co_await to_thread([] { });
     }},
    {"functions in virtual time", true,
     [](QAsyncioLoop &) -> Coroutine<> {
         for (int i = 0; i < 3; ++i) {
             co_await to_thread([] { });
             co_await sleep(1h);
         }
     }},
    {"calls from another thread", false,
     [](QAsyncioLoop &loop) -> Coroutine<> {
         Future<> third = loop.create_future<>();
         std::thread([&] {
             for (int i = 0; i < 3; ++i)
                 loop.call_soon_threadsafe([&third, i] { i == 2 ? third.set_result() : void(); });
         }).join();
         co_await third;
     }},
    {"a descriptor", false,
     [](QAsyncioLoop &loop) -> Coroutine<> {
         const Pipe pipe;
         for (int i = 0; i < 3; ++i) {
             Future<> readable = loop.create_future<>();
             loop.add_reader(pipe.read_end(), [&] {
                 pipe.drain_one();
                 loop.remove_reader(pipe.read_end());
                 readable.set_result();
             });
             pipe.fill();
             co_await readable;
         }
     }},
    {"more than one slice", false,
     [](QAsyncioLoop &loop) -> Coroutine<> {
         Future<> last = loop.create_future<>();
         for (int i = 0; i < 10; ++i)
             loop.call_soon([] { std::this_thread::sleep_for(2ms); });
         loop.call_soon([&] { last.set_result(); });
         co_await last;
     }},
};
} // namespace

namespace {
/// Counts how often it is asked.
class CountingSelector : public Selector
{
public:
    explicit CountingSelector(int *polls) : m_polls(polls) { }
    void open(QObject *, std::function<void()>) override { }
    void set_interest(int, unsigned) override { }
    void poll(std::vector<Ready> &) override { ++*m_polls; }
    void set_enabled(bool) override { }

private:
    int *m_polls;
};

int polls_of_a_chain(bool strict, const std::function<bool(int turns, int polls)> &ends)
{
    int polls = 0;
    QAsyncioLoop loop(LoopOptions().strict(strict).time_slice(1h).selector(
        std::make_unique<CountingSelector>(&polls)));
    loop.add_reader(0, [] { });
    int turns = 0;
    std::function<void()> chain = [&] {
        ++turns;
        if (ends(turns, polls))
            loop.stop();
        else
            loop.call_soon(chain);
    };
    loop.call_soon(chain);
    loop.run_forever();
    loop.close();
    return polls;
}
} // namespace

/// One turn: what it does, in which order, and what waits for the next one.
class tst_loop_turn : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // L-001, L-003
    void aTurnRunsCallbacksThenDescriptorsThenTimers()
    {
        // With a notifier each, Qt has to see the readiness first: the reader would come a turn
        // later.
        QAsyncioLoop loop(LoopOptions().selector(make_epoll_selector()));
        Pipe pipe;
        pipe.fill();
        QStringList log;
        loop.add_reader(pipe.read_end(), [&] {
            log << "reader";
            loop.remove_reader(pipe.read_end());
        });
        loop.call_later(0s, [&] { log << "A"; });
        loop.call_later(-5s, [&] { log << "N"; });
        loop.call_soon([&] { log << "B"; });
        run_once(loop);
        QCOMPARE(log, QStringList({"B", "reader", "N", "A"}));
        loop.close();
    }

    // L-002
    void whatACallbackSchedulesWaitsForTheNextTurn()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        loop.call_soon([&] {
            log << "first";
            loop.call_soon([&] { log << "child"; });
        });
        loop.call_soon([&] { log << "second"; });
        run_once(loop);
        QCOMPARE(log, QStringList({"first", "second"}));
        run_once(loop);
        QCOMPARE(log, QStringList({"first", "second", "child"}));
        loop.close();
    }

    // L-008
    void timersMadeInATurnWaitForTheNextOne()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        loop.call_soon([&] {
            loop.call_later(-1s, [&] { log << "timer"; });
            log << "callback";
        });
        run_once(loop);
        QCOMPARE(log, QStringList({"callback"}));
        run_once(loop);
        QCOMPARE(log, QStringList({"callback", "timer"}));
        loop.close();
    }

    // L-004
    void aReaderRunsBeforeTheWriterOfTheSameDescriptor()
    {
        // notifiers may be reported to Qt in different passes
        QAsyncioLoop loop(LoopOptions().selector(make_epoll_selector()));
        int fds[2];
        QVERIFY(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
        QVERIFY(::write(fds[1], "x", 1) == 1);
        QStringList log;
        loop.add_writer(fds[0], [&] { log << "writer"; });
        loop.add_reader(fds[0], [&] { log << "reader"; });
        run_once(loop);
        QCOMPARE(log, QStringList({"reader", "writer"}));
        loop.remove_reader(fds[0]);
        loop.remove_writer(fds[0]);
        ::close(fds[0]);
        ::close(fds[1]);
        loop.close();
    }

    // L-005
    void doesNotWaitWhileSomethingIsReady()
    {
        QAsyncioLoop loop;
        const TimePoint begin = loop.time();
        loop.call_later(1h, [] { });
        int turns = 0;
        std::function<void()> again = [&] {
            if (++turns < 1000)
                loop.call_soon(again);
            else
                loop.stop();
        };
        loop.call_soon(again);
        loop.run_forever();
        QCOMPARE(turns, 1000);
        QVERIFY(loop.time() - begin < 30s); // it waited for nothing, least of all for the timer
        loop.close();
    }

    // L-006
    void aTimerAtInfinityNeverFires()
    {
        QAsyncioLoop loop(virtual_time());
        bool fired = false;
        const TimerHandle never = loop.call_at(TimePoint::max(), [&] { fired = true; });
        loop.call_later(std::chrono::hours(24 * 365), [&] { loop.stop(); });
        loop.run_forever();
        QVERIFY(!fired);
        QCOMPARE(never.when(), TimePoint::max());
        const TimerHandle beyond = loop.call_later(std::chrono::hours::max(), [] { });
        QCOMPARE(beyond.when(), TimePoint::max());
        const TimerHandle infinite = loop.call_later(std::chrono::duration<double>(HUGE_VAL),
                                                     [] { });
        QCOMPARE(infinite.when(), TimePoint::max());
        loop.close();
    }

    // L-006, L-007
    void aDelayMayHaveAnyType()
    {
        QAsyncioLoop loop(virtual_time());
        const TimePoint now = loop.time();
        const auto delay_of = [&](auto delay) {
            return loop.call_later(delay, [] { }).when() - now;
        };
        using std::chrono::duration;
        QCOMPARE(delay_of(duration<quint32, std::milli>(100)), 100ms);
        QCOMPARE(delay_of(duration<quint32>(4'000'000'000)), 4'000'000'000s);
        QCOMPARE(delay_of(duration<quint64, std::milli>(100)), 100ms);
        QCOMPARE(delay_of(duration<quint8>(200)), 200s);
        QCOMPARE(delay_of(duration<short, std::milli>(30'000)), 30s);
        QCOMPARE(delay_of(duration<int, std::milli>(2'100'000'000)), 2'100'000s);
        QCOMPARE(delay_of(duration<short, std::milli>(-30'000)), -30s);
        QCOMPARE(delay_of(duration<qint64, std::pico>(1'001)), 2ns);
        QCOMPARE(delay_of(duration<double, std::milli>(0.5)), 500us);
        QCOMPARE(loop.call_later(duration<quint64, std::nano>(~quint64(0)), [] { }).when(),
                 TimePoint::max());
        QCOMPARE(loop.call_later(duration<quint64, std::milli>(~quint64(0)), [] { }).when(),
                 TimePoint::max());
        loop.close();
    }

    // L-001
    void aTimeSliceWithoutEnd()
    {
        // One wake-up is enough for a thousand callbacks, though Qt has an event of its own all the
        // time.
        QAsyncioLoop loop(LoopOptions().time_slice(std::chrono::nanoseconds::max()));
        int calls = 0;
        std::function<void()> chain = [&] {
            if (++calls < 1000)
                loop.call_soon(chain);
            else
                loop.stop();
        };
        loop.call_soon([&] {
            QTimer::singleShot(0, qApp, [&] { QCOMPARE(calls, 1000); });
            chain();
        });
        loop.run_forever();
        QCOMPARE(calls, 1000);
        loop.close();
    }

    // L-007
    void aTimerIsDueWhenItsDeadlineIsReached()
    {
        auto clock = std::make_shared<VirtualClock>();
        QAsyncioLoop loop(LoopOptions().clock(clock));
        bool fired = false;
        loop.call_later(10ns, [&] { fired = true; });
        clock->move(9ns);
        run_once(loop);
        QVERIFY(!fired); // never early, by no nanosecond
        clock->move(1ns);
        run_once(loop);
        QVERIFY(fired);
        loop.close();
    }

    // L-009
    void anEndlessChainStarvesNeitherTimersNorDescriptors()
    {
        QAsyncioLoop loop;
        Pipe pipe;
        bool timer = false;
        bool reader = false;
        std::function<void()> chain = [&] {
            if (timer && reader)
                loop.stop();
            else
                loop.call_soon(chain);
        };
        loop.call_soon(chain);
        loop.call_later(2ms, [&] {
            timer = true;
            pipe.fill();
        });
        loop.add_reader(pipe.read_end(), [&] {
            reader = true;
            loop.remove_reader(pipe.read_end());
        });
        loop.run_forever();
        QVERIFY(timer && reader);
        loop.close();
    }

    // L-010
    void aCancelledHandleIsSkippedButCounts()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        Handle cancelled = loop.call_soon([&] { log << "cancelled"; });
        loop.call_soon([&] {
            log << "a";
            loop.call_soon([&] { log << "child"; });
        });
        cancelled.cancel();
        run_once(
            loop); // were the cancelled one not counted, "child" would fill its place in this batch
        QCOMPARE(log, QStringList({"a"}));
        loop.close();
    }

    // L-011
    void aHandleCancelledInTheSameBatchDoesNotRun()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        Handle soon;
        TimerHandle timer;
        loop.call_soon([&] {
            log << "canceller";
            soon.cancel();
            timer.cancel();
        });
        soon = loop.call_soon([&] { log << "soon"; });
        timer = loop.call_later(-1s, [&] { log << "timer"; });
        run_once(loop);
        run_once(loop);
        QCOMPARE(log, QStringList({"canceller"}));
        loop.close();
    }

    // L-013
    void missedTimersRunInTheOrderOfTheirDeadlines()
    {
        auto clock = std::make_shared<VirtualClock>();
        QAsyncioLoop loop(LoopOptions().clock(clock));
        QStringList log;
        loop.call_later(30ms, [&] { log << "30"; });
        loop.call_later(10ms, [&] { log << "10"; });
        loop.call_later(20ms, [&] {
            log << "20";
            loop.call_soon([&] { log << "child"; });
        });
        clock->move(1s); // a callback that took long
        run_once(loop);
        QCOMPARE(log, QStringList({"10", "20", "30"}));
        loop.close();
    }

    // L-014
    void equalDeadlinesRunInTheOrderOfTheCalls()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        QStringList expected;
        const TimePoint when = loop.time() + 1s;
        for (int i = 0; i < 50; ++i) {
            expected << QString::number(i);
            loop.call_at(when, [&log, i] { log << QString::number(i); });
        }
        loop.call_at(when, [&] { loop.stop(); });
        loop.run_forever();
        QCOMPARE(log, expected);
        loop.close();
    }

    // L-015
    void callSoonKeepsTheOrderOfRegistration()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        Future<int> future = loop.create_future<int>();
        future.add_done_callback([&] { log << "done 1"; });
        future.add_done_callback([&] { log << "done 2"; });
        loop.call_soon([&] { log << "x"; });
        future.set_result(1);
        loop.call_soon([&] { log << "y"; });
        run_once(loop);
        QCOMPARE(log, QStringList({"x", "done 1", "done 2", "y"}));
        loop.close();
    }

    // L-013
    void manyTimersRunInOrder()
    {
        QAsyncioLoop loop(virtual_time());
        std::vector<int> order;
        const TimePoint begin = loop.time();
        quint32 random = 12345;
        std::vector<TimerHandle> handles;
        int expected = 0;
        for (int i = 0; i < 5000; ++i) {
            random = random * 1664525 + 1013904223;
            const int ms = int(random >> 16) % 1000;
            handles.push_back(loop.call_at(begin + std::chrono::milliseconds(ms),
                                           [&order, ms] { order.push_back(ms); }));
        }
        for (size_t i = 0; i < handles.size(); ++i) {
            if (i % 3 == 0)
                handles[i].cancel();
            else
                ++expected;
        }
        loop.call_at(begin + 2s, [&] { loop.stop(); });
        loop.run_forever();
        QCOMPARE(int(order.size()), expected);
        QVERIFY(std::is_sorted(order.begin(), order.end()));
        loop.close();
    }

    // L-001
    void strictModeAsksTheSelectorInEveryTurn()
    {
        QCOMPARE(polls_of_a_chain(true, [](int turns, int) { return turns == 800; }), 800);
    }

    // L-001
    void otherwiseItIsAskedByTime()
    {
        QElapsedTimer watch;
        watch.start();
        // else it goes on for ever
        const int polls = polls_of_a_chain(false, [](int, int polls) { return polls >= 50; });
        QCOMPARE(polls, 50);
        const qint64 most = watch.nsecsElapsed() / 40'000 + 2; // with the first of a wake-up
        QVERIFY2(polls <= most, QByteArray::number(most));
    }

    // L-001, L-022
    void aLongBatchIsInterruptedForTheSelector_data()
    {
        QTest::addColumn<bool>("strict");
        QTest::newRow("by time") << false;
        QTest::newRow("strict") << true;
    }

    void aLongBatchIsInterruptedForTheSelector()
    {
        QFETCH(const bool, strict);
        QAsyncioLoop loop(
            LoopOptions().selector(make_epoll_selector()).time_slice(1h).strict(strict));
        Pipe pipe;
        QStringList log;
        loop.add_reader(pipe.read_end(), [&] {
            pipe.drain_one();
            log << "reader";
        });
        run_once(loop); // nothing is there yet
        constexpr int count = 20;
        for (int i = 0; i < count; ++i) {
            loop.call_soon([&, i] {
                if (i == 0)
                    pipe.fill();
                std::this_thread::sleep_for(1ms);
                log << QString::number(i);
                loop.call_soon([&, i] { log << QStringLiteral("behind %1").arg(i); });
            });
        }
        loop.call_soon([&] { loop.call_soon([&] { loop.stop(); }); });
        loop.run_forever();
        QCOMPARE(log.size(), 2 * count + 1);
        // it waits for the next turn, whenever it was found
        QCOMPARE(log.mid(0, count).last(), QString::number(count - 1));
        const qsizetype place = log.indexOf("reader");
        if (strict)
            QCOMPARE(place, 2 * count);
        else
            // the clock was looked at behind eight, then behind each
            QVERIFY2(place <= count + 8, qPrintable(log.join(", ")));
        loop.remove_reader(pipe.read_end());
        loop.close();
    }

    // L-022
    void behindALongCallbackQtIsServed()
    {
        QAsyncioLoop loop;
        QStringList log;
        constexpr int count = 20;
        for (int i = 0; i < count; ++i) {
            loop.call_soon([&, i] {
                QMetaObject::invokeMethod(
                    this, [&, i] { log << QStringLiteral("Qt %1").arg(i); }, Qt::QueuedConnection);
                std::this_thread::sleep_for(2ms); // the time slice is over
                log << QString::number(i);
            });
        }
        loop.call_soon([&] { loop.stop(); });
        loop.run_forever();
        QCOMPARE(log.size(), 2 * count);
        for (int i = 8; i < count - 1; ++i) // the first ones might have been short
            QVERIFY2(log.indexOf(QStringLiteral("Qt %1").arg(i))
                         < log.indexOf(QString::number(i + 1)),
                     qPrintable(log.join(", ")));
        loop.close();
    }

    // L-009
    void aQtTimerRunsBesideAnEndlessChain()
    {
        QAsyncioLoop loop;
        int ticks = 0;
        QTimer timer;
        timer.setTimerType(Qt::PreciseTimer);
        connect(&timer, &QTimer::timeout, this, [&] { ++ticks; });
        timer.start(1);
        std::function<void()> chain = [&] {
            if (ticks >= 20)
                loop.stop();
            else
                loop.call_soon(chain);
        };
        loop.call_soon(chain);
        loop.run_forever();
        QVERIFY(ticks >= 20);
        loop.close();
    }

    // L-005, L-069
    void aCancelledTimerIsNotWaitedFor()
    {
        /// Writes down what it is to wait for.
        class Recording : public VirtualClock
        {
        public:
            bool advance(TimePoint next) override
            {
                waits.push_back(next);
                return VirtualClock::advance(next);
            }
            std::vector<TimePoint> waits;
        };
        const auto clock = std::make_shared<Recording>();
        QAsyncioLoop loop(LoopOptions().clock(clock));
        const TimePoint begin = loop.time();
        loop.call_later(5s, [] { }).cancel();
        loop.call_later(10s, [&] { loop.stop(); });
        loop.run_forever();
        QCOMPARE(clock->waits, std::vector<TimePoint>{begin + 10s});
        loop.close();
    }

    // L-007
    void shortSleepsCostFewTurns()
    {
        int polls = 0;
        QAsyncioLoop loop(
            LoopOptions().strict().selector(std::make_unique<CountingSelector>(&polls)));
        loop.add_reader(0, [] { });
        loop.run_until_complete([]() -> Coroutine<> {
            for (const auto delay : {10'000'000ns, 100'000ns, 1'000ns, 10ns, 1ns})
                co_await sleep(delay);
        }());
        // a timer that wakes too early would make turns in vain
        QVERIFY2(polls <= 20, QByteArray::number(polls));
        loop.close();
    }

    void nothingWaitsUntilQtBlocks_data()
    {
        QTest::addColumn<int>("index");
        for (std::size_t i = 0; i < all_work.size(); ++i)
            QTest::newRow(all_work[i].name) << int(i);
    }

    /// When Qt is about to block, the loop looks at what an event filter may have swallowed. Here
    /// it never blocks.
    void nothingWaitsUntilQtBlocks()
    {
        QFETCH(const int, index);
        const Work &work = all_work[std::size_t(index)];
        QAsyncioLoop loop(work.virtual_time ? virtual_time() : LoopOptions().time_slice(1ms));
        loop.attach();
        for (int run = 0; run < 2; ++run) {
            const Task<> task = loop.create_task(work.body(loop));
            QElapsedTimer patience;
            patience.start();
            while (!task.done() && patience.elapsed() < 10'000)
                QCoreApplication::processEvents();
            QVERIFY(task.done());
        }
        loop.detach();
        loop.close();
    }
};

QTEST_GUILESS_MAIN(tst_loop_turn)
#include "tst_loop_turn.moc"
