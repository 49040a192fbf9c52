// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qdeadlinetimer.h>
#include <QtCore/qelapsedtimer.h>
#include <QtCore/qregularexpression.h>

#include <atomic>
#include <mutex>

namespace {

/// Holds the thread.
void hold(std::chrono::milliseconds duration)
{
    QElapsedTimer timer;
    timer.start();
    while (std::chrono::nanoseconds(timer.nsecsElapsed()) < duration)
        QThread::usleep(100);
}

/// What is logged, from whatever thread, while it lives.
class Log
{
public:
    Log() : m_outer(qInstallMessageHandler(note)) { lines().clear(); }
    ~Log() { qInstallMessageHandler(m_outer); }
    Q_DISABLE_COPY_MOVE(Log)

    QStringList containing(const QString &text) const
    {
        const std::lock_guard lock(mutex());
        return lines().filter(text);
    }

private:
    static QStringList &lines()
    {
        static QStringList all;
        return all;
    }
    static std::mutex &mutex()
    {
        static std::mutex one;
        return one;
    }
    static void note(QtMsgType, const QMessageLogContext &, const QString &text)
    {
        const std::lock_guard lock(mutex());
        lines() << text;
    }

    QtMessageHandler m_outer;
};

} // namespace

/// What holds the loop's thread for too long.
class tst_freeze : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aLongStepIsNamedWithThePlaceWhereItHadResumed()
    {
        QAsyncioLoop loop(virtual_time());
        QCOMPARE(loop.get_freeze_limit(), 0ns);
        loop.set_freeze_limit(2ms);
        QCOMPARE(loop.get_freeze_limit(), 2ms);
        const int line = __LINE__ + 2;
        const auto body = []() -> Coroutine<> {
            co_await sleep(1s);
            hold(3ms);
        };
        const Log log;
        loop.run_until_complete(loop.create_task(body(), TaskOptions().name(u"load"_s)));
        const QStringList lines = log.containing(u"Task 'load' has held the thread for "_s);
        QCOMPARE(lines.size(), 1);
        QVERIFY(lines[0].endsWith(
            u" s after it had resumed at %1:%2 in tst_freeze::aLongStepIsNamedWithThePlaceWhereItHadResumed::<lambda>()"_s
                .arg(QString::fromUtf8(__FILE__))
                .arg(line)));
        loop.close();
    }

    void soIsALongCallback()
    {
        QAsyncioLoop loop(virtual_time());
        loop.set_freeze_limit(2ms);
        loop.call_soon([] { hold(3ms); });
        const Log log;
        run_once(loop);
        QCOMPARE(log.containing(u"A callback has held the thread for "_s).size(), 1);
        loop.set_freeze_limit(0ms);
        loop.call_soon([] { hold(3ms); });
        run_once(loop);
        QCOMPARE(log.containing(u"has held"_s).size(), 1);
        loop.close();
    }

    void whatEndsInTimeIsNot()
    {
        QAsyncioLoop loop(virtual_time());
        loop.set_freeze_limit(1h);
        loop.call_soon([] { });
        const Log log;
        loop.run_until_complete(sleeper());
        QCOMPARE(log.containing(u"the thread"_s), QStringList());
        loop.close();
    }

    void aNestedEventLoopDoesNotCount()
    {
        QAsyncioLoop loop;
        loop.set_freeze_limit(400ms);
        loop.set_freeze_watchdog(true);
        const Log log;
        loop.call_soon([&] {
            QEventLoop inner;
            QTimer::singleShot(600, &inner, &QEventLoop::quit);
            inner.exec();
            loop.stop();
        });
        loop.run_forever();
        QCOMPARE(log.containing(u"the thread"_s), QStringList());
        loop.close();
    }

    void theWatchdogReportsWhileItLasts()
    {
        QAsyncioLoop loop(virtual_time());
        QVERIFY_THROWS_EXCEPTION(RuntimeError, loop.set_freeze_watchdog(true));
        loop.set_freeze_limit(2ms);
        loop.set_freeze_watchdog(true);
        const Log log;
        bool reported = false;
        const auto body = [&]() -> Coroutine<> {
            co_await sleep(1s);
            const QDeadlineTimer end(30s);
            while (!reported && !end.hasExpired()) {
                QThread::msleep(1);
                reported = log.containing(u"Task 'load' is holding the thread for "_s).size() >= 2;
            }
        };
        loop.run_until_complete(loop.create_task(body(), TaskOptions().name(u"load"_s)));
        QVERIFY(reported); // and again, when it had taken twice as long
        loop.set_freeze_watchdog(false);
        loop.close();
    }

    void theWatchdogEndsWithTheLimitAndWithTheLoop()
    {
        QAsyncioLoop loop(virtual_time());
        loop.set_freeze_limit(1ms);
        loop.set_freeze_watchdog(true);
        loop.set_freeze_limit(5ms);
        loop.set_freeze_limit(0ns);
        const Log log;
        loop.call_soon([] { hold(3ms); });
        run_once(loop);
        QCOMPARE(log.containing(u"the thread"_s), QStringList());
        loop.set_freeze_limit(1h);
        loop.set_freeze_watchdog(true);
        loop.close();
    }
};

QTEST_GUILESS_MAIN(tst_freeze)
#include "tst_freeze.moc"
