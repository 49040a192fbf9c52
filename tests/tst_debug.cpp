// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "support.h"

/// Debug mode.
class tst_Debug : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void isOffUnlessTheEnvironmentAsksForIt();
    void canBeSwitchedAtAnyTime();
    void namesSlowCallbacks();
    void namesSlowStepsOfTasks();
    void isSilentAboutQuickOnes();
};

// L-093
void tst_Debug::isOffUnlessTheEnvironmentAsksForIt()
{
    const QByteArray before = qgetenv("QASYNCIO_DEBUG");
    const QScopeGuard restore([&] { qputenv("QASYNCIO_DEBUG", before); });
    qputenv("QASYNCIO_DEBUG", "0");
    QAsyncioLoop plain(virtual_time());
    QVERIFY(!plain.get_debug());
    plain.close();
    qputenv("QASYNCIO_DEBUG", "1");
    QAsyncioLoop debugged(virtual_time());
    QVERIFY(debugged.get_debug());
    debugged.close();
}

// L-093
void tst_Debug::canBeSwitchedAtAnyTime()
{
    QAsyncioLoop loop(virtual_time());
    loop.set_slow_callback_duration(0ns);
    for (int i = 0; i < 2; ++i)
        QTest::ignoreMessage(QtWarningMsg, QRegularExpression(QStringLiteral("^Executing <Handle> took 0\\.\\d{3} seconds$")));
    loop.call_soon([&] { loop.set_debug(true); }); // counts from the next callback on
    loop.call_soon([&] { });
    loop.call_soon([&] { loop.set_debug(false); });
    run_once(loop);
    QVERIFY(!loop.get_debug());
    loop.close();
    loop.set_debug(true);
    QVERIFY(loop.get_debug());
}

// L-097, L-094
void tst_Debug::namesSlowCallbacks()
{
    QAsyncioLoop loop(virtual_time());
    QCOMPARE(loop.get_slow_callback_duration(), 100ms);
    loop.set_debug(true);
    loop.set_slow_callback_duration(0ns); // "at least", so that everything is slow
    QTest::ignoreMessage(QtWarningMsg, QRegularExpression(QStringLiteral("^Executing <Handle> took \\d\\.\\d{3} seconds$")));
    loop.call_soon([] { });
    run_once(loop);
    loop.close();
}

// L-097, L-094
void tst_Debug::namesSlowStepsOfTasks()
{
    QAsyncioLoop loop(virtual_time());
    loop.set_debug(true);
    loop.set_slow_callback_duration(0ns);
    QTest::ignoreMessage(QtWarningMsg, QRegularExpression(QStringLiteral("^Executing <Task .*name='load'.*> took \\d\\.\\d{3} seconds$")));
    loop.create_task([]() -> Coroutine<> { co_return; }(), TaskOptions().name(QStringLiteral("load")));
    run_once(loop);
    loop.close();
}

// L-097
void tst_Debug::isSilentAboutQuickOnes()
{
    QTest::failOnWarning(QRegularExpression(QStringLiteral("Executing")));
    QAsyncioLoop loop(virtual_time());
    loop.set_debug(true);
    loop.set_slow_callback_duration(1h);
    loop.call_soon([] { });
    run_once(loop);
    loop.close();
}

QTEST_GUILESS_MAIN(tst_Debug)
#include "tst_debug.moc"
