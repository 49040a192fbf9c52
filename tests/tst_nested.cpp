// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <qasyncio/test.h>

#include <QtCore/qdeadlinetimer.h>
#include <QtCore/qregularexpression.h>
#include <QtCore/qstringlist.h>
#include <QtCore/qthread.h>
#include <QtCore/qtimer.h>
#include <QtWidgets/qapplication.h>
#include <QtWidgets/qdialog.h>

#include <algorithm>
#include <ctime>
#include <future>
#include <thread>

namespace {
Test::TestOptions real()
{
    return Test::TestOptions().real_time();
}

Coroutine<> tick(int &ticks)
{
    for (;;) {
        co_await sleep(1ms);
        ++ticks;
    }
}

/// Awaits until `condition()` holds.
template<class Condition>
Coroutine<> until(Condition condition)
{
    while (!condition())
        co_await sleep(1ms);
}
} // namespace

namespace {

/// Others that go on meanwhile, some of them to their ends.
Coroutine<> busy()
{
    for (int i = 0; i < 20; ++i) {
        create_task(sleep(0s));
        co_await sleep(i % 3 * 1ms);
    }
}

AsyncGenerator<int> one_value()
{
    co_yield 1;
}

struct Talkative
{
    const char *says;
    std::function<Coroutine<>(QAsyncioLoop &)> body;
};

const std::vector<Talkative> talkatives{
    {"Exception in callback",
     [](QAsyncioLoop &loop) -> Coroutine<> {
         loop.call_soon([] { throw ValueError(u"callback"_s); });
         loop.call_soon([] { throw ValueError(u"another"_s); });
         co_await sleep(20ms);
     }},
    {"Future exception was never retrieved",
     [](QAsyncioLoop &loop) -> Coroutine<> {
         loop.create_future<>().set_exception(ValueError(u"future"_s));
         co_await sleep(0s);
     }},
    {"Task exception was never retrieved",
     [](QAsyncioLoop &) -> Coroutine<> {
         const auto fails = []() -> Coroutine<> {
             co_await sleep(1ms);
             throw ValueError(u"task"_s);
         };
         create_task(fails());
         create_task(fails());
         co_await sleep(20ms);
     }},
    {"was never awaited",
     [](QAsyncioLoop &) -> Coroutine<> {
         {
             auto never = busy();
         }
         co_await sleep(0s);
     }},
    {"was scheduled after loop.shutdown_asyncgens()",
     [](QAsyncioLoop &loop) -> Coroutine<> {
         co_await loop.shutdown_asyncgens();
         auto generator = one_value();
         while (co_await generator.next()) {
         }
     }},
    {"took ",
     [](QAsyncioLoop &loop) -> Coroutine<> {
         loop.set_debug(true);
         loop.set_slow_callback_duration(1ns);
         co_await sleep(3ms);
         loop.set_debug(false);
     }},
    {"since its scope is gone",
     [](QAsyncioLoop &loop) -> Coroutine<> {
         auto scope = std::make_unique<TaskScope>();
         Future<> gate = loop.create_future<>();
         const auto waits = [](Future<> gate) -> Coroutine<> { co_await gate; };
         for (int i = 0; i < 3; ++i)
             scope->create_task(waits(gate));
         co_await sleep(0s);
         gate.set_result(); // they are about to end
         loop.set_debug(true);
         scope.reset();
         loop.set_debug(false);
     }},
    {"since its context object is gone",
     [](QAsyncioLoop &loop) -> Coroutine<> {
         auto object = std::make_unique<QObject>();
         const auto waits = [](Future<> gate) -> Coroutine<> { co_await gate; };
         Future<> gate = loop.create_future<>();
         for (int i = 0; i < 3; ++i)
             create_task(waits(gate), TaskOptions().context(object.get()));
         co_await sleep(0s);
         gate.set_result();
         loop.set_debug(true);
         object.reset();
         loop.set_debug(false);
     }},
    {"unclosed event loop",
     [](QAsyncioLoop &) -> Coroutine<> {
         QAsyncioLoop other;
         other.call_soon([] { });
         co_return;
     }},
    {"Task was destroyed but it is pending",
     [](QAsyncioLoop &) -> Coroutine<> {
         QAsyncioLoop other;
         for (int i = 0; i < 3; ++i)
             other.create_task(busy());
         other.close();
         co_return;
     }},
    {"did not finishing joining",
     [](QAsyncioLoop &loop) -> Coroutine<> {
         std::promise<void> gate;
         auto job = loop.run_in_executor(nullptr, [&] { gate.get_future().wait(); });
         co_await loop.shutdown_default_executor(1ms);
         gate.set_value();
         co_await job;
     }},
    {"exception calling callback for ConcurrentFuture",
     [](QAsyncioLoop &loop) -> Coroutine<> {
         auto future = run_coroutine_threadsafe([]() -> Coroutine<> { co_await sleep(1ms); }(),
                                                loop);
         future.add_done_callback([] { throw ValueError(u"callback"_s); });
         co_await sleep(20ms);
     }},
};

} // namespace

/// Event loops inside callbacks and tasks: modal dialogs, processEvents().
class tst_nested : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // H-1
    void tasksGoOnWhileATaskIsInsideADialog()
    {
        int ticks = 0;
        Test::run(
            [&]() -> Coroutine<> {
                auto ticker = create_task(tick(ticks));
                QDialog dialog;
                auto closer = create_task([](QDialog &dialog, int &ticks) -> Coroutine<> {
                    auto enough = [&] { return ticks >= 10; };
                    co_await until(enough);
                    dialog.accept();
                }(dialog, ticks));
                co_await sleep(0s);
                QASYNCIO_COMPARE(dialog.exec(), int(QDialog::Accepted));
                const int inside = ticks;
                QASYNCIO_VERIFY(inside >= 10);
                auto more = [&] { return ticks > inside; };
                co_await until(more); // and afterwards
                co_await closer;
                ticker.cancel();
                QASYNCIO_THROWS(co_await ticker, CancelledError);
            },
            real());
    }

    // H-2
    void tasksGoOnWhileASlotIsInsideADialog()
    {
        int ticks = 0;
        Test::run(
            [&](QAsyncioLoop &loop) -> Coroutine<> {
                auto ticker = create_task(tick(ticks));
                auto closed = loop.create_future<int>();
                QTimer::singleShot(0, qApp, [&] {
                    QDialog dialog;
                    std::function<void()> watch = [&] {
                        if (ticks >= 10)
                            dialog.reject();
                        else
                            loop.call_later(1ms, watch);
                    };
                    loop.call_soon(watch);
                    closed.set_result(dialog.exec());
                });
                QASYNCIO_COMPARE(co_await closed, int(QDialog::Rejected));
                QASYNCIO_VERIFY(ticks >= 10);
                ticker.cancel();
                QASYNCIO_THROWS(co_await ticker, CancelledError);
            },
            real());
    }

    // H-3
    void timersAndTasksGoOnWhileACallbackIsInsideAnEventLoop()
    {
        int ticks = 0;
        Test::run(
            [&](QAsyncioLoop &loop) -> Coroutine<> {
                auto ticker = create_task(tick(ticks));
                auto done = loop.create_future<bool>();
                loop.call_soon([&] {
                    QEventLoop inner;
                    bool timer = false;
                    loop.call_later(2ms, [&] { timer = true; });
                    std::function<void()> watch = [&] {
                        if (ticks >= 5 && timer)
                            inner.quit();
                        else
                            loop.call_soon(watch);
                    };
                    loop.call_soon(watch);
                    inner.exec();
                    done.set_result(timer);
                });
                QASYNCIO_VERIFY(co_await done);
                ticker.cancel();
                QASYNCIO_THROWS(co_await ticker, CancelledError);
            },
            real());
    }

    // H-4
    void twoTasksInDialogsTheOuterAcceptedFirst()
    {
        Test::run(
            [&]() -> Coroutine<> {
                QDialog outer;
                QDialog inner;
                const auto show = [](QDialog &dialog) -> Coroutine<int> {
                    co_await sleep(0s);
                    const int code = dialog.exec();
                    co_await sleep(1ms);
                    co_return code;
                };
                auto first = create_task(show(outer));
                auto second = create_task(show(inner));
                auto closer = create_task([](QDialog &outer, QDialog &inner) -> Coroutine<> {
                    auto both = [&] { return outer.isVisible() && inner.isVisible(); };
                    co_await until(both);
                    outer.accept();
                    co_await sleep(2ms);
                    inner.reject();
                }(outer, inner));
                QASYNCIO_COMPARE(co_await second, int(QDialog::Rejected));
                QASYNCIO_COMPARE(co_await first, int(QDialog::Accepted));
                co_await closer;
            },
            real());
    }

    // H-5
    void cancellingATaskInsideADialogReachesItAtItsNextAwait()
    {
        QStringList log;
        Test::run(
            [&]() -> Coroutine<> {
                QDialog dialog;
                auto task = create_task([](QDialog &dialog, QStringList &log) -> Coroutine<> {
                    log << QStringLiteral("closed %1").arg(dialog.exec());
                    try {
                        co_await sleep(1h);
                    } catch (const CancelledError &) {
                        log << "cancelled";
                        throw;
                    }
                }(dialog, log));
                auto visible = [&] { return dialog.isVisible(); };
                co_await until(visible);
                task.cancel();
                co_await sleep(2ms);
                QASYNCIO_VERIFY(dialog.isVisible() && !task.done() && log.isEmpty());
                dialog.accept();
                QASYNCIO_THROWS(co_await task, CancelledError);
            },
            real());
        QCOMPARE(log, QStringList({"closed 1", "cancelled"}));
    }

    // H-6
    void tasksGoOnWhileATaskCallsProcessEvents()
    {
        int ticks = 0;
        Test::run(
            [&]() -> Coroutine<> {
                auto ticker = create_task(tick(ticks));
                co_await sleep(0s);
                while (ticks < 5)
                    QCoreApplication::processEvents();
                ticker.cancel();
                QASYNCIO_THROWS(co_await ticker, CancelledError);
            },
            real());
        QVERIFY(ticks >= 5);
    }

    void tasksGoOnWhileOneInsideADialogCallsProcessEvents()
    {
        int ticks = 0;
        int seen = 0;
        Test::run(
            [&]() -> Coroutine<> {
                QEventLoop dialog;
                auto ticker = create_task(tick(ticks));
                const auto pump = [&]() -> Coroutine<> {
                    const int before = ticks;
                    QDeadlineTimer end(5000);
                    while (ticks < before + 5 && !end.hasExpired())
                        QCoreApplication::processEvents();
                    seen = ticks - before;
                    dialog.quit();
                    co_return;
                };
                auto pumping = create_task(pump());
                dialog.exec();
                co_await pumping;
                ticker.cancel();
                QASYNCIO_THROWS(co_await ticker, CancelledError);
            },
            real());
        QVERIFY(seen >= 5);
    }

    void processEventsInEachOfManyTasksNeedsNoStack()
    {
        int depth = 0;
        int deepest = 0;
        Test::run(
            [&]() -> Coroutine<> {
                const auto step = [&]() -> Coroutine<> {
                    co_await sleep(0s); // all are ready at once
                    deepest = std::max(deepest, ++depth);
                    QCoreApplication::processEvents();
                    --depth;
                };
                co_await task_group([&](TaskGroup &group) -> Coroutine<> {
                    for (int i = 0; i < 20'000; ++i)
                        group.create_task(step);
                    co_return;
                });
            },
            real());
        QVERIFY(deepest <= 2);
    }

    void nestedEventLoopsGoToABoundedDepth()
    {
        int depth = 0;
        int deepest = 0;
        int ended = 0;
        Test::run(
            [&]() -> Coroutine<> {
                const auto step = [&]() -> Coroutine<> {
                    co_await sleep(0s);
                    deepest = std::max(deepest, ++depth);
                    QEventLoop inner;
                    QTimer::singleShot(1, &inner, &QEventLoop::quit);
                    inner.exec();
                    --depth;
                    ++ended;
                };
                co_await task_group([&](TaskGroup &group) -> Coroutine<> {
                    for (int i = 0; i < 500; ++i)
                        group.create_task(step);
                    co_return;
                });
            },
            real());
        QCOMPARE(ended, 500);
        QVERIFY(deepest > 10 && deepest < 100);
    }

    void aNestedEventLoopIsNotSlow()
    {
        QAsyncioLoop loop;
        loop.set_debug(true);
        loop.set_slow_callback_duration(50ms);
        QTest::failOnWarning(QRegularExpression(QStringLiteral("took")));
        loop.call_soon([&] {
            QEventLoop inner;
            QTimer::singleShot(100, &inner, &QEventLoop::quit);
            inner.exec();
            loop.stop();
        });
        loop.run_forever();
        loop.close();
    }

    void whatIsSlowBesideANestedEventLoopIsNamed_data()
    {
        QTest::addColumn<QString>("opens");
        for (const char *opens : {"nothing", "event loop", "processEvents"})
            QTest::newRow(opens) << QString::fromLatin1(opens);
    }

    // A bare processEvents() keeps the others waiting in the same way.
    void whatIsSlowBesideANestedEventLoopIsNamed()
    {
        QFETCH(QString, opens);
        QAsyncioLoop loop;
        loop.set_debug(true);
        loop.set_slow_callback_duration(50ms);
        QTest::ignoreMessage(
            QtWarningMsg,
            QRegularExpression(QStringLiteral("^Executing <Handle> took \\d+\\.\\d{3} seconds$")));
        loop.call_soon([&] {
            if (opens == QStringLiteral("processEvents"))
                QCoreApplication::processEvents();
            QThread::msleep(60);
            if (opens == QStringLiteral("processEvents"))
                QCoreApplication::processEvents();
            QEventLoop inner;
            QTimer::singleShot(1, &inner, &QEventLoop::quit);
            if (opens == QStringLiteral("event loop"))
                inner.exec();
            loop.stop();
        });
        loop.run_forever();
        loop.close();
    }

    void aReaderInsideAnEventLoopIsNotReentered_data()
    {
        QTest::addColumn<bool>("epoll");
        QTest::newRow("epoll") << true;
        QTest::newRow("notifiers") << false;
    }

    // H-7
    void aReaderInsideAnEventLoopIsNotReentered()
    {
        QFETCH(bool, epoll);
        QAsyncioLoop loop(
            LoopOptions().selector(epoll ? make_epoll_selector() : make_notifier_selector()));
        Pipe one;
        Pipe two;
        one.fill();
        int depth = 0;
        int deepest = 0;
        int others = 0;
        int calls = 0;
        QEventLoop inner;
        loop.add_reader(one.read_end(), [&] {
            ++calls;
            deepest = std::max(deepest, ++depth);
            if (calls == 1) {
                two.fill();
                inner.exec(); // with the byte still unread
            }
            one.drain_one();
            --depth;
            if (calls == 1)
                one.fill(); // and once more: it is watched again
            else
                loop.stop();
        });
        loop.add_reader(two.read_end(), [&] {
            two.drain_one();
            if (++others < 3)
                two.fill();
            else
                inner.quit();
        });
        loop.run_forever();
        QCOMPARE(deepest, 1);
        QCOMPARE(others, 3);
        QCOMPARE(calls, 2);
        loop.close();
    }

    // H-8
    void stopWaitsForTheDialogToReturn()
    {
        QAsyncioLoop loop;
        QStringList log;
        QDialog dialog;
        loop.call_soon([&] {
            loop.call_soon([&] {
                loop.stop();
                log << "stop";
            });
            loop.call_later(5ms, [&] { // turns go on
                log << (dialog.isVisible() ? "still open" : "torn down");
                dialog.done(7);
            });
            log << QStringLiteral("returned %1").arg(dialog.exec());
            loop.call_soon([&] { log << "next run"; });
        });
        loop.run_forever();
        QCOMPARE(log, QStringList({"stop", "still open", "returned 7"}));
        run_once(loop);
        QCOMPARE(log.last(), "next run");
        loop.close();
    }

    // H-8
    void stopOfAnAttachedLoopWaitsForTheDialogToReturn()
    {
        QAsyncioLoop loop;
        loop.attach();
        QStringList log;
        loop.call_soon([&] {
            QDialog dialog;
            loop.call_soon([&] {
                loop.stop();
                log << "stop";
            });
            loop.call_later(5ms, [&] { // turns go on
                log << "served";
                dialog.done(7);
            });
            // else it would stay open for ever
            QTimer::singleShot(5s, &dialog, [&] { dialog.done(1); });
            log << QStringLiteral("returned %1").arg(dialog.exec());
        });
        QTRY_VERIFY(!loop.is_running());
        QCOMPARE(log, QStringList({"stop", "served", "returned 7"}));
        loop.close();
    }

    // H-8
    void stopWaitsForADialogThatASlotHasOpened()
    {
        QAsyncioLoop loop;
        QStringList log;
        QTimer::singleShot(0, qApp, [&] { // none of our callbacks is on the stack
            QDialog dialog;
            loop.call_soon([&] { loop.stop(); });
            loop.call_later(5ms, [&] {
                log << (dialog.isVisible() ? "still open" : "torn down");
                dialog.done(7);
            });
            log << QStringLiteral("returned %1").arg(dialog.exec());
        });
        loop.run_forever();
        QCOMPARE(log, QStringList({"still open", "returned 7"}));
        loop.close();
    }

    // H-8. All has run, and the run is about to be left; but Qt delivers in the same pass what
    // opens a dialog.
    void stopWaitsForADialogThatASlotOpensBehindIt()
    {
        QAsyncioLoop loop;
        QStringList log;
        QObject receiver;
        const auto opens = [&] {
            QDialog dialog;
            loop.call_later(1ms, [&] {
                log << (dialog.isVisible() ? "still open" : "torn down");
                dialog.done(7);
            });
            // never, but where nothing is called any more
            QTimer::singleShot(10s, &dialog, [&dialog] { dialog.done(0); });
            log << QStringLiteral("returned %1").arg(dialog.exec());
        };
        loop.call_soon([&] {
            QMetaObject::invokeMethod(&receiver, opens, Qt::QueuedConnection);
            loop.stop();
        });
        loop.run_forever();
        QCOMPARE(log, QStringList({"still open", "returned 7"}));
        loop.close();
    }

    // H-3
    void theRestOfTheInterruptedBatchRunsFirstAndOnce()
    {
        QAsyncioLoop loop;
        QStringList log;
        loop.call_soon([&] {
            log << "a begins";
            loop.call_soon([&] { log << "child"; });
            QEventLoop inner;
            loop.call_soon([&] { loop.call_soon([&] { inner.quit(); }); });
            inner.exec();
            log << "a ends";
        });
        loop.call_soon([&] { log << "b"; });
        loop.call_soon([&] { log << "c"; });
        loop.call_later(20ms, [&] { loop.stop(); });
        loop.run_forever();
        QCOMPARE(log, QStringList({"a begins", "b", "c", "child", "a ends"}));
        loop.close();
    }

    void aNestedEventLoopLengthensNoTimeSlice()
    {
        QAsyncioLoop loop(LoopOptions().time_slice(50ms));
        QObject receiver;
        int ran = 0;
        int ran_before_qt = -1;
        loop.call_soon([&] {
            std::this_thread::sleep_for(60ms); // longer than the slice
            QEventLoop dialog;
            loop.call_soon([&] { dialog.quit(); }); // in a slice of its own
            dialog.exec();
            QMetaObject::invokeMethod(
                &receiver, [&] { ran_before_qt = ran; }, Qt::QueuedConnection);
            for (int i = 0; i < 1000; ++i)
                loop.call_soon([&] { ++ran; });
            loop.call_soon([&] { loop.stop(); });
        });
        loop.run_forever();
        QVERIFY2(ran_before_qt >= 0 && ran_before_qt < 100, QByteArray::number(ran_before_qt));
        QCOMPARE(ran, 1000);
        loop.close();
    }

    // H-1
    void theCurrentTaskIsSetAsideAndPutBack()
    {
        QStringList names;
        Test::run(
            [&](QAsyncioLoop &loop) -> Coroutine<> {
                QEventLoop inner;
                const std::function<void()> note = [&] {
                    names << (current_task() ? current_task().get_name() : QStringLiteral("none"));
                };
                loop.call_soon(note);
                auto other = create_task(
                    [](const std::function<void()> &note, QEventLoop &inner) -> Coroutine<> {
                        note();
                        co_await sleep(0s);
                        inner.quit();
                    }(note, inner),
                    TaskOptions().name(QStringLiteral("other")));
                const AnyTask self = current_task();
                AnyTask(self).add_done_callback([] { });
                inner.exec();
                QASYNCIO_VERIFY(current_task() == self);
                co_await other;
            },
            real());
        QCOMPARE(names, QStringList({"none", "other"}));
    }

    // H-69
    void theRunningLoopIsSetInEveryStep()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                int seen = 0;
                int wrong = 0;
                const auto look = [&] {
                    ++seen;
                    wrong += find_running_loop() != &loop;
                };
                QEventLoop inner;
                const auto steps = [&]() -> Coroutine<> {
                    for (int i = 0; i < 5; ++i) {
                        look();
                        co_await sleep(1ms);
                    }
                    inner.quit();
                };
                auto task = create_task(steps());
                loop.call_soon(look);
                loop.call_later(1ms, look);
                QTimer::singleShot(0, qApp, look); // a slot inside of the run
                inner.exec();
                look();
                co_await task;
                look();
                QASYNCIO_COMPARE(wrong, 0);
                QASYNCIO_COMPARE(seen, 10);
            },
            real());
        QVERIFY(!find_running_loop());
    }

    // H-57
    void loopExitUnderADialogLeavesWhenItHasReturned()
    {
        QAsyncioLoop loop;
        QStringList log;
        loop.call_soon([&] {
            QDialog dialog;
            loop.call_soon([] { throw LoopExit(3); });
            loop.call_later(5ms, [&] {
                log << (dialog.isVisible() ? "open" : "closed");
                dialog.accept();
            });
            dialog.exec();
            log << "returned";
        });
        QCOMPARE(error_in([&] { loop.run_forever(); }), "LoopExit: 3");
        QCOMPARE(log, QStringList({"open", "returned"}));
        loop.close();
    }

    // H-23
    void aDialogIsAwaitedWithoutANestedLoop()
    {
        Test::run(
            [&](QAsyncioLoop &loop) -> Coroutine<> {
                QDialog dialog;
                dialog.open();
                const int level = QThread::currentThread()->loopLevel();
                loop.call_later(1ms, [&] { dialog.done(5); });
                QASYNCIO_COMPARE(co_await from_signal(&dialog, &QDialog::finished), 5);
                QASYNCIO_COMPARE(QThread::currentThread()->loopLevel(), level);
            },
            real());
    }

    // H-7
    void aDescriptorThatNobodyReadsDoesNotSpin()
    {
        QAsyncioLoop loop;
        Pipe pipe;
        pipe.fill();
        loop.add_reader(pipe.read_end(), [&] {
            QEventLoop inner;
            QTimer::singleShot(50, &inner, &QEventLoop::quit);
            const std::clock_t before = std::clock();
            inner.exec();
            const double used = double(std::clock() - before) / CLOCKS_PER_SEC;
            QVERIFY2(used < 0.025, QByteArray::number(used)); // of 50 ms; a spin takes them all
            pipe.drain_one();
            loop.stop();
        });
        loop.run_forever();
        loop.close();
    }

    // L-074
    void threadsafeCallsArriveInsideADialog()
    {
        QAsyncioLoop loop;
        std::thread thread;
        bool arrived = false;
        loop.call_soon([&] {
            QEventLoop inner;
            thread = std::thread([&] {
                loop.call_soon_threadsafe([&] {
                    arrived = true;
                    inner.quit();
                });
            });
            inner.exec();
            loop.stop();
        });
        loop.run_forever();
        thread.join();
        QVERIFY(arrived);
        loop.close();
    }

    void whatANestedLoopExcludesComesAfterwards_data()
    {
        QTest::addColumn<bool>("notifiers");
        QTest::newRow("epoll") << false;
        QTest::newRow("notifiers") << true;
    }

    // H-15
    void whatANestedLoopExcludesComesAfterwards()
    {
        QFETCH(bool, notifiers);
        LoopOptions options;
        if (notifiers)
            options.selector(make_notifier_selector());
        QAsyncioLoop loop(std::move(options));
        Pipe pipe;
        int read = 0;
        int timers = 0;
        loop.add_reader(pipe.read_end(), [&] {
            pipe.drain_one();
            ++read;
        });
        for (const auto flag :
             {QEventLoop::ExcludeSocketNotifiers, QEventLoop::ExcludeUserInputEvents}) {
            const int read_before = read;
            loop.call_soon([&, flag] {
                pipe.fill();
                QEventLoop inner;
                loop.call_later(5ms, [&] {
                    ++timers;
                    inner.quit();
                });
                inner.exec(flag);
            });
            std::function<void()> wait_for_both = [&] {
                if (read > read_before)
                    loop.stop();
                else
                    loop.call_later(1ms, wait_for_both);
            };
            loop.call_soon(wait_for_both);
            loop.run_forever(); // would not return
            QCOMPARE(read, read_before + 1);
            pipe.fill(); // and the next one comes as ever
            wait_for_both = [&] {
                if (read == read_before + 2)
                    loop.stop();
                else
                    loop.call_later(1ms, wait_for_both);
            };
            loop.call_soon(wait_for_both);
            loop.run_forever();
        }
        QCOMPARE(timers, 2);
        loop.remove_reader(pipe.read_end());
        loop.close();
    }

    void whoTakesMessagesMayOpenAnEventLoop_data()
    {
        QTest::addColumn<int>("kind");
        for (std::size_t i = 0; i < talkatives.size(); ++i)
            QTest::newRow(talkatives[i].says) << int(i);
    }

    void whoTakesMessagesMayOpenAnEventLoop()
    {
        QFETCH(int, kind);
        const Talkative &talkative = talkatives[std::size_t(kind)];
        bool ended = false;
        {
            const MessageDialogs dialogs;
            QAsyncioLoop loop;
            const auto main = [&]() -> Coroutine<> {
                Task<> others = create_task(busy());
                co_await talkative.body(loop);
                co_await others;
                ended = true;
            };
            loop.run_until_complete(main());
            loop.close();
        }
        QVERIFY(ended);
        QVERIFY2(!MessageDialogs::shown.filter(QLatin1String(talkative.says)).empty(),
                 qPrintable(MessageDialogs::shown.join(u'|')));
    }

    void theOtherDispatcherServesThem()
    {
        SKIP_WITHOUT_PROCESSES();
        QCOMPARE(
            failure_without_glib(
                {"tasksGoOnWhileATaskIsInsideADialog", "tasksGoOnWhileATaskCallsProcessEvents",
                 "theRestOfTheInterruptedBatchRunsFirstAndOnce", "aNestedEventLoopIsNotSlow",
                 "whatIsSlowBesideANestedEventLoopIsNamed",
                 "aReaderInsideAnEventLoopIsNotReentered", "stopWaitsForADialogThatASlotHasOpened",
                 "threadsafeCallsArriveInsideADialog"}),
            QByteArray());
    }
};

QTEST_MAIN(tst_nested)
#include "tst_nested.moc"
