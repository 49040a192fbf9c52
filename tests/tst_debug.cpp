// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <QtCore/qregularexpression.h>
#include <QtCore/qstringlist.h>
#include <QtCore/qtimer.h>

#include <thread>

namespace {
template<class T>
QString written(const T &value)
{
    QString text;
    QDebug(&text).nospace() << value;
    return text;
}

Coroutine<int> load()
{
    co_return 1;
}

AsyncGenerator<int> lines()
{
    co_yield 1;
}
} // namespace

/// Debug mode.
class tst_debug : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // L-093
    void isOffUnlessTheEnvironmentAsksForIt()
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
    void canBeSwitchedAtAnyTime()
    {
        QAsyncioLoop loop(virtual_time());
        loop.set_slow_callback_duration(0ns);
        for (int i = 0; i < 2; ++i)
            QTest::ignoreMessage(
                QtWarningMsg,
                QRegularExpression(QStringLiteral("^Executing <Handle> took 0\\.\\d{3} seconds$")));
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
    void namesSlowCallbacks()
    {
        QAsyncioLoop loop(virtual_time());
        QCOMPARE(loop.get_slow_callback_duration(), 100ms);
        loop.set_debug(true);
        loop.set_slow_callback_duration(0ns); // "at least", so that everything is slow
        QTest::ignoreMessage(
            QtWarningMsg,
            QRegularExpression(QStringLiteral("^Executing <Handle> took \\d\\.\\d{3} seconds$")));
        loop.call_soon([] { });
        run_once(loop);
        loop.close();
    }

    // L-097, L-094
    void namesSlowStepsOfTasks()
    {
        QAsyncioLoop loop(virtual_time());
        loop.set_debug(true);
        loop.set_slow_callback_duration(0ns);
        QTest::ignoreMessage(QtWarningMsg,
                             QRegularExpression(QStringLiteral(
                                 "^Executing <Task .*name='load'.*> took \\d\\.\\d{3} seconds$")));
        loop.create_task([]() -> Coroutine<> { co_return; }(),
                         TaskOptions().name(QStringLiteral("load")));
        run_once(loop);
        loop.close();
    }

    // L-097
    void isSilentAboutQuickOnes()
    {
        QTest::failOnWarning(QRegularExpression(QStringLiteral("Executing")));
        QAsyncioLoop loop(virtual_time());
        loop.set_debug(true);
        loop.set_slow_callback_duration(1h);
        loop.call_soon([] { });
        run_once(loop);
        loop.close();
    }

    // L-067, L-105, F-018, T-014
    void everythingCanBeWrittenToQDebug()
    {
        const auto matches = [](const QString &text, const char *pattern) {
            const bool does = QRegularExpression(
                                  QLatin1String("^(?:%1)$").arg(QLatin1String(pattern)))
                                  .match(text)
                                  .hasMatch();
            if (!does)
                qWarning().noquote() << text << "is not" << pattern;
            return does;
        };
        const QObject object;
        QAsyncioLoop loop(virtual_time());
        QCOMPARE(written(loop), "<QAsyncioLoop running=false closed=false debug=false>");
        QCOMPARE(written(loop.call_soon([] { })), "<Handle>");
        QCOMPARE(written(loop.call_later(1s, [] { })), "<TimerHandle when=1001.000>");
        QCOMPARE(written(loop.create_future<int>()), "<Future pending>");
        Task<int> task = loop.create_task(load(), TaskOptions().name(QStringLiteral("loader")));
        QVERIFY(matches(written(task), "<Task pending name='loader' .*load\\(\\).*>"));
        QCOMPARE(written(AnyTask(task)), task.to_string());

        Coroutine<int> coroutine = load();
        QVERIFY(matches(written(coroutine), "<Coroutine load\\(\\) at .*tst_debug\\.cpp:\\d+>"));
        coroutine.close();
        QCOMPARE(written(coroutine), "<Coroutine>");
        AsyncGenerator<int> generator = lines();
        QVERIFY(
            matches(written(generator), "<async_generator lines\\(\\) at .*tst_debug\\.cpp:\\d+>"));
        QCOMPARE(written(AsyncGenerator<int>()), "<async_generator>");

        ContextVar<int> user(QStringLiteral("user"));
        QCOMPARE(written(user), "<ContextVar name='user'>");
        Token<int> token = user.set(7);
        QCOMPARE(written(copy_context()), "<Context with 1 values>");
        QCOMPARE(written(token), "<Token>");
        user.reset(token);
        QCOMPARE(written(token), "<Token used>");

        QCOMPARE(written(TimeoutError(QStringLiteral("late"))), "TimeoutError: late");
        QCOMPARE(written(CancelledError()), "CancelledError");
        QCOMPARE(describe(std::exception_ptr()), QString());
        QCOMPARE(written(LoopExit(3)), "LoopExit: 3");
        QCOMPARE(written(KeyboardInterrupt()), "KeyboardInterrupt");
        QCOMPARE(written(GeneratorExit()), "GeneratorExit");
        QCOMPARE(written(Outcome<int>(5)), "5");
        QCOMPARE(written(Outcome<>(std::in_place)), "<Outcome>");
        QCOMPARE(written(Outcome<>(std::make_exception_ptr(ValueError(QStringLiteral("no"))))),
                 "ValueError: no");
        QCOMPARE(written(RaceResult<int>{1, 5}), "<RaceResult index=1 value=5>");
        QCOMPARE(written(RaceResult<std::monostate>{1, {}}), "<RaceResult index=1>");
        QCOMPARE(written(DoneCallbackId()), "<DoneCallbackId 0>");
        QVERIFY(matches(written(AnyTask(task).add_done_callback([] { })), "<DoneCallbackId \\d+>"));
        QCOMPARE(written(VirtualClock()), "<VirtualClock now=1000.000>");
        QCOMPARE(written(TaskOptions()), "<TaskOptions>");
        QCOMPARE(written(TaskOptions().name(QStringLiteral("load")).context(&object).eager_start()),
                 "<TaskOptions name='load' context=set eager_start>");
        QCOMPARE(written(TaskOptions().context(Context()).detached()),
                 "<TaskOptions context=set detached>");
        QCOMPARE(written(LoopOptions().strict().time_slice(1ms)),
                 "<LoopOptions strict time_slice=0.001000 quit_deadline=5.000>");
        QCOMPARE(written(RunnerOptions()), "<RunnerOptions>");
        QCOMPARE(written(RunnerOptions().debug(true)), "<RunnerOptions debug=true>");
        QCOMPARE(written(RunnerOptions().debug(false).cleanup_limit(1500ms)),
                 "<RunnerOptions debug=false cleanup_limit=1.500>");
        QCOMPARE(written(WaitOptions()), "<WaitOptions return_when=ALL_COMPLETED>");
        QCOMPARE(written(WaitOptions().timeout(1500ms).return_when(FIRST_COMPLETED)),
                 "<WaitOptions timeout=1.500 return_when=FIRST_COMPLETED>");
        QCOMPARE(written(LoopThread(QStringLiteral("worker"))), "<LoopThread name='worker'>");
        Runner runner;
        QCOMPARE(written(runner), "<Runner created>");
        runner.get_loop();
        QCOMPARE(written(runner), "<Runner open>");
        runner.close();
        QCOMPARE(written(runner), "<Runner closed>");
        QCOMPARE(written(FIRST_EXCEPTION), "FIRST_EXCEPTION");
        QCOMPARE(written(FIRST_COMPLETED), "FIRST_COMPLETED");
        QCOMPARE(written(ALL_COMPLETED), "ALL_COMPLETED");
        QCOMPARE(written(static_cast<ReturnWhen>(9)), "ReturnWhen(9)");
        ExceptionContext context;
        context.message = QStringLiteral("lost");
        context.exception = std::make_exception_ptr(ValueError(QStringLiteral("no")));
        context.handle = loop.call_soon([] { });
        QCOMPARE(written(context), "lost: ValueError: no <Handle>");
        context.handle = {};
        context.future = loop.create_future<int>();
        QCOMPARE(written(context), "lost: ValueError: no <Future pending>");
        context.task = task;
        context.future = task; // as reports of tasks have it
        QCOMPARE(written(context), QStringLiteral("lost: ValueError: no ") + task.to_string());
        Context values = copy_context();
        const Context moved = std::move(values);
        QCOMPARE(written(values), "<Context with 0 values>");
        QCOMPARE(written(ConcurrentFuture<int>()), "<ConcurrentFuture none>");
        const Error &base = ValueError(QStringLiteral("as what it is"));
        QCOMPARE(written(base), "ValueError: as what it is");

        QStringList inside;
        const auto body = [&](TaskGroup &group) -> Coroutine<> {
            group.create_task(load());
            inside << written(group);
            const auto limited = [&](Timeout &scope) -> Coroutine<> {
                inside << written(scope);
                co_return;
            };
            auto first = timeout(2s, limited);
            co_await std::move(first);
            auto second = timeout(std::nullopt, limited);
            co_await std::move(second);
            auto completed = as_completed(std::vector<Task<int>>{task});
            inside << written(completed);
            const std::vector<Task<int>> tasks{task};
            auto waiting = wait(tasks);
            const auto result = co_await std::move(waiting);
            inside << written(result);
            QTimer timer;
            auto stream = signal_stream(&timer, &QTimer::timeout);
            inside << written(stream);
        };
        loop.run_until_complete(task_group(body));
        QCOMPARE(inside.size(), 6);
        QCOMPARE(inside[0], "<TaskGroup tasks=1 entered>");
        QCOMPARE(inside[1], "<Timeout [active] when=1002.000>");
        QCOMPARE(inside[2], "<Timeout [active] when=none>");
        QCOMPARE(inside[3], "<AsCompleted left=1>");
        QVERIFY(matches(
            inside[4],
            "<WaitResult done=std::vector\\(<Task finished .*>\\) pending=std::vector\\(\\)>"));
        QCOMPARE(inside[5], "<SignalStream size=0>");
        ConcurrentFuture<int> concurrent = run_coroutine_threadsafe(load(), loop);
        QCOMPARE(written(concurrent), "<ConcurrentFuture pending>");
        run_ready(loop);
        QCOMPARE(written(concurrent), "<ConcurrentFuture finished>");
        concurrent = run_coroutine_threadsafe(load(), loop);
        concurrent.cancel();
        run_ready(loop);
        QCOMPARE(written(concurrent), "<ConcurrentFuture cancelled>");
        loop.close();
    }

    // L-095
    void refusesAnotherThread()
    {
        QAsyncioLoop loop;
        loop.set_debug(true);
        QStringList errors;
        const auto attempt = [&errors](const auto &work) {
            try {
                work();
                errors << QStringLiteral("nothing");
            } catch (const RuntimeError &error) {
                errors << error.message();
            }
        };
        const auto body = [&](TaskGroup &group, Timeout &scope) -> Coroutine<> {
            const std::optional<TimePoint> before = scope.when();
            Handle soon = loop.call_soon([] { });
            TimerHandle later = loop.call_later(1h, [] { });
            Handle threadsafe = loop.call_soon_threadsafe([] { });
            std::thread([&] {
                attempt([&] { soon.cancel(); });
                attempt([&] { later.cancel(); });
                attempt([&] { threadsafe.cancel(); });
                attempt([&] { group.cancel(); });
                attempt([&] { group.create_task([]() -> Coroutine<> { co_return; }); });
                attempt([&] { scope.reschedule(std::nullopt); });
            }).join();
            if (scope.when() != before || soon.cancelled() || later.cancelled())
                errors << QStringLiteral("changed nevertheless");
            later.cancel();
            soon.cancel();
            co_return;
        };
        const auto grouped = [&](TaskGroup &group) -> Coroutine<> {
            const auto in_scope = [&](Timeout &scope) { return body(group, scope); };
            co_await timeout(1h, in_scope);
        };
        loop.run_until_complete(task_group(grouped));
        const QString refused = QStringLiteral(
            "Non-thread-safe operation invoked on an event loop other than the current one");
        QCOMPARE(errors,
                 QStringList() << refused << refused << QStringLiteral("nothing") << refused
                               << refused << refused);
        loop.close();
    }
};

QTEST_GUILESS_MAIN(tst_debug)
#include "tst_debug.moc"
