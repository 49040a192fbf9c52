// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qmetaobject.h>
#include <QtTest/qsignalspy.h>

/// The counters of a loop.
class tst_loop_monitor : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void turnsAndCallbacksAreCounted()
    {
        QAsyncioLoop loop(virtual_time());
        const LoopCounters before = loop.counters();
        QCOMPARE(before, LoopCounters());
        std::vector<qint64> seen;
        for (int i = 0; i < 3; ++i)
            loop.call_soon([&] { seen.push_back(loop.counters().callbacks); });
        run_once(loop);
        QCOMPARE(seen, std::vector<qint64>({1, 2, 3})); // with the one that is executed
        const LoopCounters after = loop.counters();
        QCOMPARE(after.turns, 1);
        QCOMPARE(after.callbacks, 3);
        QVERIFY(after.wake_ups >= 1);
        QCOMPARE(after.longest_turn.count(), 0);
        loop.close();
    }

    void tasksAreCountedByWhatTheyDo()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            Task<> sleeps = create_task(sleeper());
            Task<> wakes = create_task(sleeper());
            co_await turns(1);
            wakes.cancel();
            Task<> begins = create_task(sleeper(0s));
            const LoopCounters now = loop.counters();
            QASYNCIO_COMPARE(now.tasks, 4);
            QASYNCIO_COMPARE(now.running, 1);
            QASYNCIO_COMPARE(now.waiting, 1);
            QASYNCIO_COMPARE(now.ready, 1);
            QASYNCIO_COMPARE(now.not_started, 1);
            QASYNCIO_VERIFY(
                now.to_string().endsWith(u" tasks=4 not_started=1 ready=1 running=1 waiting=1>"_s));
            co_await error_of(wakes);
            co_await begins;
            sleeps.cancel();
            co_await error_of(sleeps);
        });
    }

    void turnsAreMeasuredOnRequest()
    {
        QAsyncioLoop loop(virtual_time());
        loop.measure_turns(true);
        loop.measure_turns(true);
        loop.call_soon([] { QThread::msleep(3); });
        run_once(loop);
        const auto longest = loop.counters().longest_turn;
        QVERIFY(longest >= 3ms);
        loop.measure_turns(false);
        loop.call_soon([] { });
        run_once(loop);
        QCOMPARE(loop.counters().longest_turn, longest);
        loop.measure_turns(false);
        loop.call_soon(
            [longest] { QThread::usleep(static_cast<unsigned long>(longest.count() / 500)); });
        run_once(loop);
        QCOMPARE(loop.counters().longest_turn, longest); // it is not measured any more
        loop.measure_turns(true);
        QCOMPARE(loop.counters().longest_turn.count(), 0);
        loop.close();
    }

    void aMonitorTellsWhatHasChanged()
    {
        auto loop = std::make_unique<QAsyncioLoop>(virtual_time());
        LoopMonitor monitor(*loop);
        QSignalSpy changed(&monitor, &LoopMonitor::changed);
        QCOMPARE(monitor.interval(), 1000);
        monitor.set_interval(0);
        monitor.refresh();
        QCOMPARE(changed.size(), 0);
        loop->call_soon([] { });
        Task<> task = loop->create_task(sleeper());
        run_once(*loop);
        monitor.refresh();
        QCOMPARE(changed.size(), 1);
        QCOMPARE(monitor.property("turns").toLongLong(), 1);
        QCOMPARE(monitor.property("callbacks").toLongLong(), 2);
        QCOMPARE(monitor.property("tasks").toLongLong(), 1);
        QCOMPARE(monitor.property("waitingTasks").toLongLong(), 1);
        QCOMPARE(monitor.property("readyTasks").toLongLong(), 0);
        QCOMPARE(monitor.property("runningTasks").toLongLong(), 0);
        QCOMPARE(monitor.property("notStartedTasks").toLongLong(), 0);
        QVERIFY(monitor.property("wakeUps").toLongLong() >= 1);
        QVERIFY(monitor.property("longestTurn").toDouble() > 0);
        QCOMPARE(monitor.counters(), loop->counters());

        QSignalSpy intervals(&monitor, &LoopMonitor::intervalChanged);
        QVERIFY(monitor.setProperty("interval", 1));
        QCOMPARE(intervals.size(), 1);
        task.cancel();
        run_ready(*loop);
        QTRY_COMPARE(monitor.tasks(), 0);
        loop->close();
        loop.reset();
        monitor.refresh();
        QCOMPARE(monitor.tasks(), 0);
    }
};

QTEST_GUILESS_MAIN(tst_loop_monitor)
#include "tst_loop_monitor.moc"
