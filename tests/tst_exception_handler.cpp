// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <QtCore/qregularexpression.h>
#include <QtCore/qstringlist.h>
#include <QtCore/qtimer.h>

#include <stdexcept>
#include <thread>


/// Who is told of the exceptions that nobody else gets.
class tst_exception_handler : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // L-085
    void thereIsNoHandlerAtFirst()
    {
        QAsyncioLoop loop(virtual_time());
        QVERIFY(!loop.get_exception_handler());
        int calls = 0;
        loop.set_exception_handler([&](QAsyncioLoop &, const ExceptionContext &) { ++calls; });
        QVERIFY(loop.get_exception_handler());
        loop.call_exception_handler({});
        loop.set_exception_handler({});
        QVERIFY(!loop.get_exception_handler());
        QTest::ignoreMessage(QtCriticalMsg, "Unhandled exception in event loop");
        loop.call_exception_handler({});
        QCOMPARE(calls, 1);
        loop.close();
    }

    // L-086, L-087, H-55
    void aFailedCallbackIsReportedOnceWithItsHandle()
    {
        QAsyncioLoop loop(virtual_time());
        std::vector<ExceptionContext> reports;
        loop.set_exception_handler(
            [&](QAsyncioLoop &, const ExceptionContext &report) { reports.push_back(report); });
        QAsyncioLoop *told = nullptr;
        const Handle handle = loop.call_soon([] { throw ValueError(QStringLiteral("bad")); });
        bool next = false;
        loop.call_soon([&] { next = true; });
        run_once(loop);
        QVERIFY(next);
        QCOMPARE(int(reports.size()), 1);
        const ExceptionContext &context = reports[0];
        QCOMPARE(context.message, "Exception in callback <Handle>");
        QCOMPARE(describe(context.exception), "ValueError: bad");
        QVERIFY(context.handle && !context.task && !context.future);
        loop.set_exception_handler(
            [&](QAsyncioLoop &given, const ExceptionContext &) { told = &given; });
        loop.call_soon([] { throw 1; });
        run_once(loop);
        QCOMPARE(told, &loop);
        loop.close();
    }

    // L-088
    void theHandlerRunsInTheContextOfWhatFailed()
    {
        static ContextVar<int> var(QStringLiteral("var"), 0);
        QAsyncioLoop loop(virtual_time());
        QList<int> seen;
        loop.set_exception_handler(
            [&](QAsyncioLoop &, const ExceptionContext &) { seen << var.get(); });
        Context one;
        one.run([] { var.set(1); });
        loop.call_soon([] { throw 1; }, one);
        auto task = loop.create_task([]() -> Coroutine<> {
            var.set(2);
            throw ValueError();
            co_return;
        }());
        run_once(loop);
        task = {};
        QCOMPARE(seen, QList<int>({1, 2}));
        Context three; // a future has none of its own: it is where the failure was found
        three.run([&] {
            var.set(3);
            loop.create_future<>().set_exception(std::make_exception_ptr(ValueError()));
        });
        QCOMPARE(seen, QList<int>({1, 2, 3}));
        loop.close();
    }

    // L-089
    void aHandlerThatThrowsIsReportedByTheDefaultOne()
    {
        QAsyncioLoop loop(virtual_time());
        loop.set_exception_handler([](QAsyncioLoop &, const ExceptionContext &) {
            throw ValueError(QStringLiteral("handler"));
        });
        QTest::ignoreMessage(
            QtCriticalMsg,
            QRegularExpression(QStringLiteral(
                "Unhandled error in exception handler.*first.*\\n.*ValueError: handler")));
        ExceptionContext context;
        context.message = QStringLiteral("first");
        loop.call_exception_handler(context);
        loop.close();
    }

    // L-091
    void callExceptionHandlerThrowsNothingButExits()
    {
        QAsyncioLoop loop(virtual_time());
        loop.set_exception_handler(
            [](QAsyncioLoop &, const ExceptionContext &) { throw LoopExit(4); });
        QCOMPARE(error_in([&] { loop.call_exception_handler({}); }), "LoopExit: 4");
        loop.call_soon([] { throw 1; });
        // out of the callback's report
        QCOMPARE(error_in([&] { loop.run_forever(); }), "LoopExit: 4");
        loop.close();
    }

    // L-092
    void theDefaultHandlerLogsALineAField()
    {
        QAsyncioLoop loop(virtual_time());
        auto task = loop.create_task([]() -> Coroutine<> { co_return; }(),
                                     TaskOptions().name(QStringLiteral("load")));
        ExceptionContext context;
        context.message = QStringLiteral("Something");
        context.exception = std::make_exception_ptr(ValueError(QStringLiteral("bad")));
        context.task = task;
        context.handle = loop.call_soon([] { });
        QTest::ignoreMessage(QtCriticalMsg,
                             QRegularExpression(QStringLiteral(
                                 "^Something\\nexception: ValueError: bad\\nhandle: <Handle>\\n"
                                 "task: <Task pending name='load'.*>$")));
        loop.default_exception_handler(context);
        run_once(loop);
        loop.close();
    }

    // H-56
    void anExceptionNobodyRetrievedIsReportedWithItsTask()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList reports;
        loop.set_exception_handler([&](QAsyncioLoop &, const ExceptionContext &report) {
            reports << report.message + u'|' + report.task.get_name();
        });
        const auto fails = []() -> Coroutine<> {
            co_await sleep(0s);
            throw ValueError(QStringLiteral("lost"));
        };
        // detached: reported when it ends
        loop.create_task(fails(), TaskOptions().name(QStringLiteral("dropped")));
        auto retrieved = loop.create_task(fails());
        loop.call_later(1s, [&] { loop.stop(); });
        loop.run_forever();
        QCOMPARE(describe(retrieved.exception()), "ValueError: lost");
        retrieved = {};
        QCOMPARE(reports, QStringList({"Task exception was never retrieved|dropped"}));
        loop.close();
    }

    // H-80
    void theExceptionOfADiscardedTaskIsReportedOnceOfWhateverType()
    {
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        const auto fail = [](int kind) -> Coroutine<> {
            co_await sleep(0s);
            if (kind == 0)
                throw ValueError(QStringLiteral("ours"));
            if (kind == 1)
                throw std::out_of_range("standard");
            throw 7;
        };
        for (int kind = 0; kind < 3; ++kind)
            loop.create_task(fail(kind));
        loop.call_later(1s, [&] { loop.stop(); });
        loop.run_forever();
        QCOMPARE(reports.exceptions(),
                 QStringList({"ValueError: ours", "std::out_of_range: standard", "int"}));
        loop.close();
    }

    // L-088
    void whatAHandlerSetsIsSetInTheContextOfTheHandle()
    {
        QAsyncioLoop loop(virtual_time());
        ContextVar<int> var(QStringLiteral("var"));
        loop.set_exception_handler([&](QAsyncioLoop &, const ExceptionContext &) { var.set(7); });
        Handle handle = loop.call_soon([] { throw 1; }); // in a context that is empty so far
        run_once(loop);
        QCOMPARE(handle.get_context().run([&] { return var.get(0); }), 7);
        QCOMPARE(var.get(0), 0);
        loop.close();
    }

    // L-088
    void aHandlerMayReplaceItself()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        loop.set_exception_handler([&](QAsyncioLoop &given, const ExceptionContext &) {
            log << "first";
            given.set_exception_handler(
                [&](QAsyncioLoop &, const ExceptionContext &) { log << "second"; });
            log << "still here";
        });
        loop.call_exception_handler({});
        loop.call_exception_handler({});
        QCOMPARE(log, QStringList({"first", "still here", "second"}));
        loop.close();
    }

    // L-086
    void aHandlerMayLeaveAnIdleLoop()
    {
        QAsyncioLoop loop;
        loop.set_exception_handler(
            [](QAsyncioLoop &, const ExceptionContext &) { throw LoopExit(2); });
        auto failed = std::make_unique<Future<>>(loop.create_future<>());
        failed->set_exception(std::make_exception_ptr(ValueError(QStringLiteral("nobody asks"))));
        // nothing of the loop's is pending then
        loop.call_soon([&] { QTimer::singleShot(10, qApp, [&] { failed.reset(); }); });
        QCOMPARE(error_in([&] { loop.run_forever(); }), "LoopExit: 2");
        loop.close();
    }

    // L-086
    void aHandlerCannotLeaveALoopThatDoesNotRun()
    {
        QAsyncioLoop loop(virtual_time());
        loop.set_exception_handler(
            [](QAsyncioLoop &, const ExceptionContext &) { throw LoopExit(2); });
        auto failed = std::make_unique<Future<>>(loop.create_future<>());
        failed->set_exception(std::make_exception_ptr(ValueError(QStringLiteral("nobody asks"))));
        QTest::ignoreMessage(
            QtCriticalMsg,
            QRegularExpression(
                QStringLiteral("wants to leave a loop that does not run\nexception: LoopExit: 2")));
        failed.reset();
        run_once(loop); // and the next run does not end by it
        loop.close();
    }

    // L-087, L-092
    void withoutAHandlerAFailedCallbackIsLogged()
    {
        QAsyncioLoop loop(virtual_time());
        QTest::ignoreMessage(
            QtCriticalMsg,
            QRegularExpression(QStringLiteral(
                "^Exception in callback <Handle>\\nexception: ValueError: soon\\n")));
        QTest::ignoreMessage(
            QtCriticalMsg,
            QRegularExpression(QStringLiteral(
                "^Exception in callback <TimerHandle .*>\\nexception: ValueError: later\\n")));
        loop.call_soon([] { throw ValueError(QStringLiteral("soon")); });
        loop.call_later(1s, [] { throw ValueError(QStringLiteral("later")); });
        loop.call_later(2s, [&] { loop.stop(); });
        loop.run_forever();
        loop.close();
    }

    // L-092, F-012
    void withoutAHandlerALostExceptionIsLogged()
    {
        QAsyncioLoop loop(virtual_time());
        const auto fails = []() -> Coroutine<> {
            co_await sleep(1s);
            throw ValueError(QStringLiteral("lost"));
        };
        auto task = loop.create_task(fails(), TaskOptions().name(QStringLiteral("failing")));
        task.add_done_callback([&] { loop.stop(); });
        loop.run_forever();
        QTest::ignoreMessage(
            QtCriticalMsg,
            QRegularExpression(QStringLiteral(
                "^Task exception was never retrieved\\nexception: ValueError: lost\\n"
                "future: <Task finished name='failing'")));
        task = {};
        run_once(loop);
        loop.close();
    }

    void whatIsLostInAnotherThreadWithoutALoopIsLoggedThere()
    {
        QAsyncioLoop loop(virtual_time());
        int calls = 0;
        loop.set_exception_handler([&](QAsyncioLoop &, const ExceptionContext &) { ++calls; });
        auto failed = loop.create_future<>();
        failed.set_exception(ValueError(QStringLiteral("lost")));
        loop.close();
        QTest::ignoreMessage(
            QtCriticalMsg,
            QRegularExpression(QStringLiteral("never retrieved\\nexception: ValueError: lost")));
        std::thread([last = std::move(failed)] { }).join();
        QCOMPARE(calls, 0); // the handler belongs to the thread of the loop
    }

    void aHandlerThatThrowsHasItsOwnContextOnly()
    {
        static ContextVar<int> var(QStringLiteral("var"), 0);
        QAsyncioLoop loop(virtual_time());
        loop.set_exception_handler([](QAsyncioLoop &, const ExceptionContext &) {
            var.set(5);
            throw ValueError(QStringLiteral("handler"));
        });
        ExceptionContext context;
        context.handle = loop.call_soon([] { });
        QTest::ignoreMessage(
            QtCriticalMsg,
            QRegularExpression(QStringLiteral("^Unhandled error in exception handler")));
        loop.call_exception_handler(context);
        QCOMPARE(var.get(), 0);
        QCOMPARE(context.handle.get_context().run([] { return var.get(); }), 5);
        run_once(loop);
        loop.close();
    }

    void theContextOfATaskGoesBeforeThatOfAHandle()
    {
        static ContextVar<int> var(QStringLiteral("var"), 0);
        QAsyncioLoop loop(virtual_time());
        QList<int> seen;
        loop.set_exception_handler(
            [&](QAsyncioLoop &, const ExceptionContext &) { seen << var.get(); });
        Context of_task;
        of_task.run([] { var.set(1); });
        Context of_handle;
        of_handle.run([] { var.set(2); });
        ExceptionContext context;
        loop.call_exception_handler(context);
        context.handle = loop.call_soon([] { }, of_handle);
        loop.call_exception_handler(context);
        context.task = loop.create_task([]() -> Coroutine<> { co_return; }(),
                                        TaskOptions().context(of_task));
        loop.call_exception_handler(context);
        QCOMPARE(seen, QList<int>({0, 2, 1}));
        run_once(loop);
        loop.close();
    }
};

QTEST_GUILESS_MAIN(tst_exception_handler)
#include "tst_exception_handler.moc"
