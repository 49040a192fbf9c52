// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// QAsyncio::Test. A failure that has to be there is announced with QEXPECT_FAIL; without it, the
// announcement fails.

#include "task_helpers.h"

#include <QtCore/qelapsedtimer.h>
#include <QtCore/qregularexpression.h>
#include <QtCore/qsemaphore.h>
#include <QtCore/qthread.h>
#include <QtCore/qtimer.h>
#include <QtTest/qsignalspy.h>

#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

class tst_test_kit : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aBodyMayTakeTheLoop()
    {
        QAsyncioLoop *seen = nullptr;
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            seen = &loop;
            QASYNCIO_VERIFY(&get_running_loop() == &loop);
            co_return;
        });
        QVERIFY(seen);
        QVERIFY(!find_running_loop());
    }

    void virtualTimeTakesNoTime()
    {
        QElapsedTimer timer;
        timer.start();
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            co_await sleep(std::chrono::hours(24 * 365));
            QASYNCIO_VERIFY(loop.time() - begin == std::chrono::hours(24 * 365));
        });
        QVERIFY(timer.elapsed() < 60'000);
    }

    void realTimeIsReal()
    {
        QElapsedTimer timer;
        timer.start();
        Test::run([&]() -> Coroutine<> { co_await sleep(20ms); }, Test::TestOptions().real_time());
        QVERIFY(timer.elapsed() >= 20);
    }

    void waitAllTasksBlockedLetsEverythingComeToRest()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            QStringList log;
            Pipe pipe;
            QObject receiver;
            const auto busy = [&]() -> Coroutine<> {
                co_await turns(50);
                log << u"busy"_s;
                QMetaObject::invokeMethod(
                    &receiver,
                    [&] {
                        log << u"posted"_s;
                        loop.call_soon([&] { pipe.fill(); });
                    },
                    Qt::QueuedConnection);
                co_await sleep(1s);
                log << u"too far"_s;
            };
            loop.add_reader(pipe.read_end(), [&] {
                pipe.drain_one();
                log << u"read"_s;
            });
            Task<> task = create_task(busy());
            co_await Test::wait_all_tasks_blocked();
            QASYNCIO_COMPARE(log, QStringList({u"busy"_s, u"posted"_s, u"read"_s}));
            QASYNCIO_VERIFY(loop.time() == begin);
            co_await Test::wait_all_tasks_blocked(); // at rest already
            QASYNCIO_VERIFY(loop.time() == begin);
            loop.remove_reader(pipe.read_end());
            co_await task;
        });
    }

    void onlyOneTaskMayWaitForTheOthersToBlock()
    {
        Test::run([]() -> Coroutine<> {
            Task<> first = create_task(Test::wait_all_tasks_blocked());
            Task<> second = create_task(Test::wait_all_tasks_blocked());
            QASYNCIO_COMPARE(co_await error_of(second),
                             u"RuntimeError: wait_all_tasks_blocked() is awaited already"_s);
            co_await first;
            co_await Test::wait_all_tasks_blocked(); // and again
        });
    }

    void whoWaitsForTheTasksOfAnotherLoopIsInNobodysWay()
    {
        QAsyncioLoop first(virtual_time());
        QAsyncioLoop second(virtual_time());
        const auto begin = [](QAsyncioLoop &loop) {
            const Task<> task = loop.create_task(Test::wait_all_tasks_blocked());
            run_once(loop); // waits
            return task;
        };
        const Task<> a = begin(first);
        const Task<> b = begin(second);
        first.run_until_complete(a); // the older one ends first
        second.run_until_complete(b);
        for (QAsyncioLoop *loop : {&first, &second}) {
            QCOMPARE(error_in([&] { loop->run_until_complete(Test::wait_all_tasks_blocked()); }),
                     QString());
            loop->close();
        }
    }

    void tryMacrosAwaitTheCondition()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            int value = 0;
            loop.call_later(3s, [&] { value = 7; });
            QASYNCIO_TRY_COMPARE(value, 7);
            QASYNCIO_COMPARE(loop.time() >= TimePoint() + 3s, true);
            loop.call_later(7s, [&] { value = 8; });
            QASYNCIO_EXPECT_FAIL("", "it takes seven seconds", Continue);
            QASYNCIO_TRY_VERIFY(value == 8);
            QASYNCIO_TRY_VERIFY_WITH_TIMEOUT(value == 8, 3s);
            const TimePoint begin = loop.time();
            QASYNCIO_EXPECT_FAIL("", "it is eight", Continue);
            QASYNCIO_TRY_VERIFY_WITH_TIMEOUT(value == 9, 50ms);
            QASYNCIO_COMPARE(loop.time() - begin, TimePoint::duration(50ms));
        });
    }

    void trySignalAwaitsAnEmission()
    {
        QTimer timer;
        bool went_on = false;
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            loop.call_later(2s, [&] { timer.setObjectName(u"new"_s); });
            QASYNCIO_TRY_SIGNAL(&timer, &QObject::objectNameChanged);
            QASYNCIO_VERIFY(loop.time() == TimePoint(1002s));
            went_on = true;
        });
        QVERIFY(went_on);
        QEXPECT_FAIL("", "nobody emits it", Abort);
        Test::run([&]() -> Coroutine<> {
            went_on = false;
            QASYNCIO_TRY_SIGNAL_WITH_TIMEOUT(&timer, &QObject::objectNameChanged, 3s);
            went_on = true;
        });
        QVERIFY(!went_on);
        QEXPECT_FAIL("", "the sender dies", Continue);
        Test::run([&]() -> Coroutine<> {
            auto object = std::make_unique<QObject>();
            get_running_loop().call_soon([&] { object.reset(); });
            QASYNCIO_TRY_SIGNAL(object.get(), &QObject::objectNameChanged);
            went_on = true;
        });
        QVERIFY(!went_on);
    }

    void skipEndsTheBody()
    {
        bool went_on = false;
        const auto body = [&]() -> Coroutine<> {
            co_await sleep(0s);
            QASYNCIO_SKIP("that is what is tested");
            went_on = true;
        };
        Test::run(body);
        QVERIFY(!went_on);
    }

    void tearDownEndsTheBodyAfterEveryStep()
    {
        int begun = 0;
        int ended = 0;
        int unwound = 0;
        Test::tear_down([&]() -> Coroutine<> {
            ++begun;
            const QScopeGuard count([&] { ++unwound; });
            co_await sleep(1s);
            co_await turns(2);
            ++ended;
        });
        QCOMPARE(unwound, begun);
        QVERIFY(begun >= 10); // undisturbed; three ways, at least three steps
        QCOMPARE(ended, 4);   // undisturbed; once for each way, when there was no step left
    }

    void tearDownWaitsForThreadsAndForObjectsThatAreDeletedLater()
    {
        QObject *made_once = nullptr;
        int runs = 0;
        Test::tear_down([&]() -> Coroutine<> {
            ++runs;
            if (!made_once)
                made_once = new QObject(QCoreApplication::instance());
            auto *object = new QObject(QCoreApplication::instance());
            const QScopeGuard later([object] { object->deleteLater(); });
            co_await sleep(1s);
            co_await to_thread([] { QThread::msleep(5); });
        });
        delete made_once;
        QVERIFY(runs >= 10);
    }

    void tearDownWaitsForThreadsThatHaveAFuture()
    {
        std::vector<std::thread> threads;
        Test::tear_down([&](QAsyncioLoop &loop) -> Coroutine<> {
            threads.emplace_back([future = loop.create_future<>()] { QThread::msleep(10); });
            co_await sleep(1s);
        });
        QVERIFY(threads.size() >= 4);
        for (std::thread &thread : threads)
            thread.join();
    }

    void whatThereIsToWaitFor()
    {
        QAsyncioLoop loop(virtual_time());
        const auto nothing = [&] { return detail::rest_of(loop.core()).has_nothing_to_wait_for; };
        QVERIFY(nothing());
        TimerHandle timer = loop.call_at(TimePoint::max(), [] { });
        QVERIFY(nothing()); // the end of time never comes
        timer.cancel();
        run_once(loop);
        timer = loop.call_later(1s, [] { });
        QVERIFY(!nothing());
        timer.cancel();
        run_once(loop);
        QVERIFY(nothing());
        Pipe pipe;
        loop.add_reader(pipe.read_end(), [] { });
        QVERIFY(!nothing());
        loop.remove_reader(pipe.read_end());
        QVERIFY(nothing());
        loop.call_soon([] { });
        QVERIFY(!nothing());
        run_once(loop);
        QSemaphore go;
        const auto job = loop.run_in_executor(nullptr, [&] { go.acquire(); });
        QVERIFY(!nothing());
        go.release();
        loop.run_until_complete(job);
        QVERIFY(nothing());
        loop.close();
    }

    void tearDownFindsATaskThatIsLeftBehind()
    {
        QEXPECT_FAIL("", "the first way, after the second step", Continue);
        Test::tear_down([]() -> Coroutine<> {
            auto task = create_task(sleeper());
            co_await sleep(1s); // nobody cancels the task if this throws
            task.cancel();
            co_await error_of(task);
        });
    }

    void tearDownFindsAFutureThatIsLeft()
    {
        QTimer timer; // lives on
        std::vector<Future<>> kept;
        QEXPECT_FAIL("", "the first way, after the first step", Continue);
        Test::tear_down(
            [&]() -> Coroutine<> {
                kept.push_back(from_signal(&timer, &QTimer::timeout));
                co_await sleep(1s);
                kept.clear();
            },
            50ms);
    }

    void tearDownFindsADescriptorThatIsLeftOpen_data()
    {
        QTest::addColumn<QByteArray>("file");
        // a device, an ordinary file, a folder, and no file
        for (const char *file : {"/dev/null", "/proc/self/exe", "/", ""})
            QTest::addRow("'%s'", file) << QByteArray(file);
    }
    void tearDownFindsADescriptorThatIsLeftOpen()
    {
        QFETCH(QByteArray, file);
        int descriptor = -1;
        QEXPECT_FAIL("", "the first way, after the first step", Continue);
        Test::tear_down([&]() -> Coroutine<> {
            descriptor = file.isEmpty() ? ::epoll_create1(0) : ::open(file.constData(), O_RDONLY);
            co_await sleep(1s);
            ::close(descriptor);
        });
        ::close(descriptor);
    }

    void tearDownFindsAnObjectThatIsLeft()
    {
        QObject *object = nullptr;
        QEXPECT_FAIL("", "the first way, after the first step", Continue);
        Test::tear_down([&]() -> Coroutine<> {
            object = new QObject(QCoreApplication::instance());
            co_await sleep(1s);
            delete object;
        });
        delete object;
    }

    void tearDownFindsWhatIsReported()
    {
        QEXPECT_FAIL("", "the first way", Continue);
        Test::tear_down([](QAsyncioLoop &loop) -> Coroutine<> {
            try {
                co_await sleep(1s);
            } catch (const CancelledError &) {
                loop.call_soon([] { throw ValueError(u"lost"_s); });
                throw;
            }
        });
    }

    void tearDownFindsABodyThatDoesNotEnd()
    {
        QEXPECT_FAIL("", "the first way, after the first step", Continue);
        Test::tear_down(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                const QString ended = co_await error_of(sleep(1s));
                if (!ended.isEmpty())
                    co_await loop.create_future<>(); // which nobody completes
            },
            50ms);
    }

    void tearDownFindsABodyThatThrowsSomethingElse()
    {
        QEXPECT_FAIL("", "the first way", Continue);
        Test::tear_down([]() -> Coroutine<> {
            try {
                co_await sleep(1s);
            } catch (const CancelledError &) {
                throw ValueError(u"lost"_s);
            }
        });
    }

    void aBodyThatThrowsFailsTheTest()
    {
        QEXPECT_FAIL("", "it throws", Continue);
        Test::run([&]() -> Coroutine<> {
            co_await sleep(1ms);
            throw ValueError(u"wrong"_s);
        });
        QEXPECT_FAIL("", "it is cancelled", Continue);
        Test::run([&]() -> Coroutine<> {
            current_task().cancel();
            co_await sleep(1ms);
        });
    }

    void aTaskThatIsLeftFailsTheTestAndIsEnded()
    {
        QStringList log;
        const auto body = [&]() -> Coroutine<> {
            const Farewell local(log, u"unwound"_s);
            log << co_await error_of(sleep(1h));
        };
        QEXPECT_FAIL("", "it leaves a task behind", Continue);
        Test::run([&]() -> Coroutine<> {
            create_task(body());
            co_await turns(1);
        });
        QCOMPARE(log.join(u' '), u"CancelledError unwound"_s);
    }

    void whatATaskThatIsLeftThrowsIsNoEndOfTheProgram()
    {
        QEXPECT_FAIL("", "it leaves a task behind", Continue);
        Test::run([]() -> Coroutine<> {
            const auto leaves = []() -> Coroutine<> {
                const bool cancelled = co_await is_cancelled_asleep();
                if (cancelled)
                    throw LoopExit(3);
            };
            create_task(leaves());
            co_await sleep(0s);
        });
    }

    void aGroupThatIsLeftEndsInOrder()
    {
        QEXPECT_FAIL("", "it leaves a task behind", Continue); // and nothing else is found
        Test::run([]() -> Coroutine<> {
            const auto body = [](TaskGroup &group) -> Coroutine<> {
                group.create_task(sleeper());
                co_await sleep(1h);
            };
            create_task(task_group(body));
            co_await sleep(0s);
        });
    }

    void aTimerThatNeverComesIsNothingToWaitFor()
    {
        QEXPECT_FAIL("", "nobody completes it", Continue);
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            Future<> never = loop.create_future<>();
            co_await wait_for(never, std::chrono::hours::max());
        });
    }

    void tearDownFindsABodyThatIsNoCoroutineYet()
    {
        QEXPECT_FAIL("", "it throws", Continue);
        Test::tear_down([]() -> Coroutine<> { throw ValueError(u"at once"_s); });
    }

    void tearDownFindsATaskThatLeavesTheLoop()
    {
        QEXPECT_FAIL("", "the first way", Continue);
        Test::tear_down([]() -> Coroutine<> {
            const auto leaves = []() -> Coroutine<> {
                const bool cancelled = co_await is_cancelled_asleep(1s);
                co_await sleep(1s);
                if (cancelled)
                    throw LoopExit(3);
            };
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task(leaves());
                co_await sleep(1s);
            };
            co_await task_group(body);
        });
    }

    void aReportFailsTheTest()
    {
        const auto reports = [](QAsyncioLoop &loop) -> Coroutine<> {
            loop.call_soon([] { throw ValueError(u"wrong"_s); });
            co_await turns(1);
        };
        QEXPECT_FAIL("", "the exception handler is told", Continue);
        Test::run(reports);
        QTest::ignoreMessage(QtCriticalMsg, QRegularExpression(u"ValueError: wrong"_s));
        Test::run(reports, Test::TestOptions().allow_reports());
    }

    void aBlockingWaitLetsNoHoursPass()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            bool hour_passed = false, moment_passed = false;
            auto hour = loop.call_later(1h, [&] { hour_passed = true; });
            loop.call_later(20ms, [&] { moment_passed = true; });
            const TimePoint begin = loop.time();
            QTimer timer;
            timer.setSingleShot(true);
            QSignalSpy spy(&timer, &QTimer::timeout);
            timer.start(30);
            const bool emitted = spy.wait(10'000);
            QASYNCIO_VERIFY(emitted);
            // as much as in real time
            QASYNCIO_VERIFY(QTest::qWaitFor([&] { return moment_passed; }, 10'000));
            QTest::qWait(30); // which pumps
            QASYNCIO_VERIFY(!hour_passed);
            QASYNCIO_VERIFY(loop.time() - begin < 1min);
            co_await sleep(2h); // and then it jumps again
            QASYNCIO_VERIFY(hour_passed);
            hour.cancel();
        });
    }

    void workBetweenTwoBlockingWaitsTakesNoVirtualTime()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            QTest::qWait(1);
            co_await sleep(1ms); // virtual time jumps: of the wait before nothing is known any more
            QThread::msleep(300);
            bool passed = false;
            auto later = loop.call_later(250ms, [&] { passed = true; });
            QElapsedTimer waited;
            waited.start();
            QTest::qWait(1);
            QASYNCIO_VERIFY(!passed || waited.elapsed() >= 250);
            later.cancel();
        });
    }

    void awaitingWhatNobodyCompletesFailsTheTest()
    {
        QElapsedTimer timer;
        timer.start();
        QStringList log;
        QEXPECT_FAIL("", "nobody completes it", Continue);
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Farewell farewell(log, u"unwound"_s);
            const Future<> never = loop.create_future<>();
            log << co_await error_of(never);
        });
        QCOMPARE(log, QStringList() << u"CancelledError"_s << u"unwound"_s);
        QVERIFY(timer.elapsed() < 30'000);
    }

    void whatComesFromOutsideHasAMoment()
    {
        Test::run([]() -> Coroutine<> {
            QTimer timer;
            timer.start(600);
            co_await from_signal(&timer, &QTimer::timeout);
        });
    }

    void failsOnPurpose_data()
    {
        QTest::addColumn<QString>("text");
        QTest::addRow("stall") << u"nobody completes what is awaited: <Task pending name='Task-"_s;
        QTest::addRow("left") << u"the test left tasks behind: <Task pending"_s;
        QTest::addRow("report") << u"reported to the loop: Exception in callback"_s;
        QTest::addRow("throw") << u"the test coroutine threw ValueError: wrong"_s;
        QTest::addRow("teardown") << u"undisturbed: it threw ValueError: wrong"_s;
        QTest::addRow("teardown of a step")
            << u"cancelled, after step 1: it threw ValueError: wrong"_s;
    }

    /// By itself it does nothing: the next one runs it.
    void failsOnPurpose()
    {
        if (!qEnvironmentVariableIsSet("QASYNCIO_FAIL_ON_PURPOSE"))
            return;
        const QByteArray way = QTest::currentDataTag();
        const auto body = [&](QAsyncioLoop &loop) -> Coroutine<> {
            if (way == "stall") {
                const Future<> never = loop.create_future<>();
                co_await never;
            } else if (way == "left") {
                create_task(sleeper());
            } else if (way == "report") {
                loop.call_soon([] { throw ValueError(u"wrong"_s); });
                co_await turns(1);
            } else if (way != "teardown of a step" || !(co_await error_of(sleep(1s))).isEmpty()) {
                throw ValueError(u"wrong"_s);
            }
        };
        const bool tears_down = way.startsWith("teardown");
        qInfo("(%d)]", __LINE__ + (tears_down ? 2 : 4));
        if (tears_down)
            Test::tear_down(body);
        else
            Test::run(body);
    }

    void failuresNameTheLineOfTheCall_data() { failsOnPurpose_data(); }
    void failuresNameTheLineOfTheCall()
    {
        SKIP_WITHOUT_PROCESSES();
        QFETCH(const QString, text);
        QProcess process;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(u"QASYNCIO_FAIL_ON_PURPOSE"_s, u"1"_s);
        process.setProcessEnvironment(environment);
        process.setProcessChannelMode(QProcess::MergedChannels);
        process.start(QCoreApplication::applicationFilePath(),
                      {u"failsOnPurpose:"_s + QString::fromUtf8(QTest::currentDataTag())});
        QVERIFY(process.waitForFinished(60'000));
        const QString output = QString::fromUtf8(process.readAll());
        QVERIFY2(output.contains(text), qPrintable(output));
        const QRegularExpressionMatch line = QRegularExpression(u"\\((\\d+)\\)\\]"_s).match(output);
        QVERIFY(line.hasMatch());
        QVERIFY2(output.contains(u"tst_test_kit.cpp(%1)]"_s.arg(line.captured(1))),
                 qPrintable(output));
    }

    void verifyAndCompareEndTheTestWhereTheyFail()
    {
        QStringList log;
        QEXPECT_FAIL("", "verify", Abort);
        Test::run([&]() -> Coroutine<> {
            log << u"one"_s;
            QASYNCIO_VERIFY(false);
            log << u"unreachable"_s;
        });
        QEXPECT_FAIL("", "compare", Abort);
        Test::run([&]() -> Coroutine<> {
            log << u"two"_s;
            QASYNCIO_COMPARE(1, 2);
            log << u"unreachable"_s;
        });
        Test::run([&]() -> Coroutine<> {
            QASYNCIO_VERIFY(true);
            QASYNCIO_COMPARE(1, 1);
            log << u"three"_s;
            co_return;
        });
        QCOMPARE(log.join(u' '), u"one two three"_s);
    }

    void bothSidesOfCompareMayAwait()
    {
        Test::run([&]() -> Coroutine<> {
            QASYNCIO_COMPARE(co_await sleep(1ms, 42), co_await sleep(0s, 42));
        });
    }

    void throwsWantsAnExceptionOfThatType()
    {
        const auto fail_with_value = []() -> Coroutine<> {
            co_await sleep(0s);
            throw ValueError(u"wrong"_s);
        };
        QStringList log;
        Test::run([&]() -> Coroutine<> {
            QASYNCIO_THROWS(co_await fail_with_value(), ValueError);
            QASYNCIO_THROWS(co_await fail_with_value(), std::exception);
            QASYNCIO_THROWS(throw CancelledError(), CancelledError);
            log << u"one"_s;
        });
        QEXPECT_FAIL("", "another type", Continue);
        Test::run([&]() -> Coroutine<> {
            QASYNCIO_THROWS(co_await fail_with_value(), RuntimeError);
            log << u"unreachable"_s;
        });
        QEXPECT_FAIL("", "nothing is thrown", Continue);
        Test::run([&]() -> Coroutine<> {
            QASYNCIO_THROWS(co_await sleep(0s), ValueError);
            log << u"unreachable"_s;
        });
        QCOMPARE(log.join(u' '), u"one"_s);
    }

    void theLoopIsClosedBehindTheTest()
    {
        AnyFuture future;
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            future = loop.create_future<>();
            co_return;
        });
        QCOMPARE(error_in([&] { return future.get_loop().is_closed(); }),
                 u"RuntimeError: The event loop of this future is gone"_s);
    }
};

QTEST_GUILESS_MAIN(tst_test_kit)
#include "tst_test_kit.moc"
