// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

class tst_finally : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theResultOfTheBodyGoesOn()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            const auto body = [&]() -> Coroutine<std::unique_ptr<int>> {
                co_await sleep(1ms);
                log << u"body"_s;
                co_return std::make_unique<int>(42);
            };
            const auto cleanup = [&]() -> Coroutine<> {
                co_await sleep(1ms);
                log << u"cleanup"_s;
            };
            const std::unique_ptr<int> result = co_await finally(body, cleanup);
            QASYNCIO_COMPARE(*result, 42);
            QASYNCIO_COMPARE(log.join(u' '), u"body cleanup"_s);
        });
    }

    void theExceptionOfTheBodyGoesOnBehindTheCleanup()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            const auto body = []() -> Coroutine<> {
                throw ValueError(u"body"_s);
                co_return;
            };
            const auto cleanup = [&]() -> Coroutine<> {
                co_await sleep(1ms);
                log << u"cleanup"_s;
            };
            log << co_await error_of(finally(body, cleanup));
            QASYNCIO_COMPARE(log.join(u", "), u"cleanup, ValueError: body"_s);
        });
    }

    void whatTheCleanupThrowsTakesItsPlace()
    {
        Test::run([&]() -> Coroutine<> {
            const auto body = []() -> Coroutine<> {
                throw ValueError(u"body"_s);
                co_return;
            };
            const auto cleanup = []() -> Coroutine<> {
                co_await sleep(0s);
                throw ValueError(u"cleanup"_s);
            };
            QASYNCIO_COMPARE(co_await error_of(finally(body, cleanup)), u"ValueError: cleanup"_s);
        });
    }

    void theCleanupOfACancelledTaskMayAwait()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            const auto body = []() -> Coroutine<> { co_await sleep(1h); };
            const auto cleanup = [&]() -> Coroutine<> {
                co_await sleep(10s);
                log << u"cleaned up"_s;
            };
            const auto whole = [&]() -> Coroutine<> { co_await finally(body, cleanup); };
            Task<> task = create_task(whole());
            co_await turns(1);
            const TimePoint begin = loop.time();
            task.cancel(u"end"_s);
            log << co_await error_of(task);
            QASYNCIO_COMPARE(log.join(u", "), u"cleaned up, CancelledError: end"_s);
            QASYNCIO_VERIFY(loop.time() == begin + 10s);
        });
    }

    // T-032
    void aSecondCancelInterruptsTheCleanup()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            const auto body = []() -> Coroutine<> { co_await sleep(1h); };
            const auto cleanup = [&]() -> Coroutine<> {
                log << u"begun"_s;
                co_await sleep(1h);
                log << u"unreachable"_s;
            };
            const auto whole = [&]() -> Coroutine<> { co_await finally(body, cleanup); };
            Task<> task = create_task(whole());
            co_await turns(1);
            task.cancel(u"one"_s);
            co_await turns(1);
            task.cancel(u"two"_s);
            log << co_await error_of(task);
            QASYNCIO_COMPARE(log.join(u", "), u"begun, CancelledError: two"_s);
        });
    }

    void theClosuresAreKeptWhileTheyRun()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            const auto make = [&log](QString text) {
                auto body = [text]() -> Coroutine<QString> {
                    co_await sleep(1ms);
                    co_return text;
                };
                auto cleanup = [&log, text]() -> Coroutine<> {
                    co_await sleep(1ms);
                    log << text;
                };
                return finally(moved(body), moved(cleanup));
            };
            const QString text = u"a text that is long enough to be on the heap"_s;
            QASYNCIO_COMPARE(co_await make(text), text);
            QASYNCIO_COMPARE(log.join(u' '), text);
        });
    }

    void anUnwoundTaskRunsDestructorsOnly()
    {
        QStringList log;
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        const auto body = [&]() -> Coroutine<> {
            const Farewell local(log, u"local"_s);
            co_await sleep(1h);
        };
        const auto cleanup = [&]() -> Coroutine<> {
            log << u"cleanup"_s;
            co_return;
        };
        const auto whole = [&]() -> Coroutine<> { co_await finally(body, cleanup); };
        Task<> task = loop.create_task(whole());
        run_ready(loop);
        loop.close();
        QCOMPARE(log.join(u' '), u"local"_s);
        QVERIFY(task.cancelled());
    }
};

QTEST_GUILESS_MAIN(tst_finally)
#include "tst_finally.moc"
