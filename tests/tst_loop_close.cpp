// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <QtCore/qregularexpression.h>
#include <QtCore/qstringlist.h>
#include <QtCore/qthreadpool.h>

#include <future>

namespace {
Coroutine<int> number()
{
    co_return 1;
}
const QString closed = QStringLiteral("RuntimeError: Event loop is closed");
} // namespace

namespace {
/// Whose destructor makes a task with another one.
struct Heir
{
    explicit Heir(QAsyncioLoop &loop) : loop(&loop) { ++alive; }
    Heir(Heir &&other) noexcept : loop(std::exchange(other.loop, nullptr)) { ++alive; }
    ~Heir()
    {
        --alive;
        if (loop && !stop)
            loop->create_task(idle(Heir(*loop)));
    }
    static Coroutine<> idle(Heir) { co_await sleep(1h); }
    QAsyncioLoop *loop;
    static inline int alive = 0;
    static inline bool stop = false;
};
} // namespace

/// close(), and what a closed loop still does.
class tst_loop_close : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // L-045
    void aRunningLoopCannotBeClosed()
    {
        QAsyncioLoop loop(virtual_time());
        QString error;
        loop.call_soon([&] {
            error = error_in([&] { loop.close(); });
            loop.stop();
        });
        loop.run_forever();
        QCOMPARE(error, "RuntimeError: Cannot close a running event loop");
        QVERIFY(!loop.is_closed());
        loop.close();
    }

    // L-046
    void closingTwiceIsHarmless()
    {
        QAsyncioLoop loop(virtual_time());
        QVERIFY(!loop.is_closed());
        loop.close();
        loop.close();
        QVERIFY(loop.is_closed());
    }

    void aTaskThatAnotherOneUnwindsAsItIsDestroyed()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList reported;
        loop.set_exception_handler(
            [&](QAsyncioLoop &, const ExceptionContext &context) { reported << context.message; });
        auto object = std::make_unique<QObject>();
        const auto options = [](const char *name) {
            return TaskOptions().name(QString::fromLatin1(name));
        };
        Task<> older = loop.create_task([]() -> Coroutine<> { co_await sleep(1h); }(),
                                        options("older").context(object.get()));
        Task<> younger = loop.create_task(
            [](std::unique_ptr<QObject>) -> Coroutine<> { co_await sleep(1h); }(std::move(object)),
            options("younger"));
        run_once(loop);
        loop.close();
        QVERIFY(older.cancelled());
        QCOMPARE(reported.size(), 1);
        QVERIFY(reported.front().contains(QStringLiteral("name='younger'")));
    }

    // L-047
    void readyHandlesAndTimersAreDroppedUnrun()
    {
        QAsyncioLoop loop(virtual_time());
        bool ran = false;
        const auto token = std::make_shared<int>();
        const Handle handle = loop.call_soon([&ran, token] { ran = true; });
        TimerHandle timer = loop.call_later(1s, [&ran, token] { ran = true; });
        loop.call_soon([token] { });
        loop.close();
        QVERIFY(!ran && !handle.cancelled() && !timer.cancelled());
        QCOMPARE(token.use_count(), 3L); // ours and those of the two handles that are held
        timer.cancel();                  // the heap is gone; nothing is counted there any more
        QVERIFY(timer.cancelled());
    }

    // L-048, H-54
    void closeDoesNotWaitForTheExecutor()
    {
        QAsyncioLoop loop;
        std::promise<void> release;
        std::promise<void> begun;
        auto done = std::make_shared<std::promise<void>>();
        auto finished = done->get_future();
        const auto work = [&begun, done, gate = release.get_future().share()] {
            begun.set_value();
            gate.wait();
            done->set_value();
        };
        static_cast<void>(loop.run_in_executor(nullptr, work));
        begun.get_future().wait();
        loop.close(); // would hang here if it waited
        release.set_value();
        finished.wait();
    }

    // L-048
    void whatWaitsForAThreadStillRuns()
    {
        const auto token = std::make_shared<std::atomic<int>>(0);
        std::promise<void> gate;
        const auto opened = gate.get_future().share();
        {
            QAsyncioLoop loop;
            for (int i = 0; i < 40; ++i) { // more than there are threads
                auto work = [token, opened] {
                    opened.wait();
                    ++*token;
                };
                static_cast<void>(loop.run_in_executor(nullptr, moved(work)));
            }
            loop.close();
        }
        gate.set_value();
        QTRY_COMPARE(token->load(), 40);
        QTRY_COMPARE(token.use_count(), 1L); // nothing is left of them
    }

    // L-049
    void whateverSchedulesIsRefusedOnAClosedLoop()
    {
        QAsyncioLoop loop(virtual_time());
        Pipe pipe;
        loop.close();
        QCOMPARE(error_in([&] { loop.call_soon([] { }); }), closed);
        QCOMPARE(error_in([&] { loop.call_later(1s, [] { }); }), closed);
        QCOMPARE(error_in([&] { loop.call_at(loop.time(), [] { }); }), closed);
        QCOMPARE(error_in([&] { loop.call_soon_threadsafe([] { }); }), closed);
        QCOMPARE(error_in([&] { loop.run_forever(); }), closed);
        QCOMPARE(error_in([&] { loop.attach(); }), closed);
        QCOMPARE(error_in([&] { static_cast<void>(loop.run_in_executor(nullptr, [] { })); }),
                 closed);
        QCOMPARE(error_in([&] { loop.add_reader(pipe.read_end(), [] { }); }), closed);
        QCOMPARE(error_in([&] { loop.add_writer(pipe.write_end(), [] { }); }), closed);
        auto future = loop.create_future<int>();
        QCOMPARE(error_in([&] { return loop.run_until_complete(future); }), closed);
    }

    // L-050, L-051
    void whatOnlyAsksOrSetsStillWorks()
    {
        QAsyncioLoop loop(virtual_time());
        Pipe pipe;
        loop.add_reader(pipe.read_end(), [] { });
        loop.close();
        loop.stop();
        QVERIFY(loop.create_future<int>());
        QVERIFY(loop.time() > TimePoint());
        loop.set_debug(true);
        QVERIFY(loop.get_debug());
        const Reports reports(loop);
        QVERIFY(loop.get_exception_handler() != nullptr);
        loop.call_exception_handler({QStringLiteral("hello"), {}, {}, {}, {}});
        QCOMPARE(reports.messages(), QStringList({"hello"}));
        loop.set_task_factory({});
        QVERIFY(!loop.get_task_factory());
        QVERIFY(!loop.is_running() && loop.is_closed());
        QVERIFY(!loop.remove_reader(pipe.read_end()) && !loop.remove_writer(pipe.read_end()));
        loop.detach();
    }

    // L-052
    void createTaskLeavesTheCoroutineAndEnsureFutureClosesIt()
    {
        QAsyncioLoop loop(virtual_time());
        loop.close();
        auto coroutine = number();
        QCOMPARE(error_in([&] { loop.create_task(std::move(coroutine)); }), closed);
        QVERIFY(coroutine); // not consumed
        coroutine.close();

        // ensure_future() of a coroutine uses the running loop; without one it refuses and closes
        // the coroutine in silence.
        QTest::failOnWarning(QRegularExpression(QStringLiteral("never awaited")));
        QCOMPARE(error_in([&] { return ensure_future(number()); }),
                 "RuntimeError: no running event loop");
    }

    // L-053, F-015
    void completingAFutureWithCallbacksThrowsButCompletes()
    {
        QAsyncioLoop loop(virtual_time());
        auto with = loop.create_future<int>();
        auto without = loop.create_future<int>();
        with.add_done_callback([] { });
        loop.close();
        QCOMPARE(error_in([&] { with.set_result(1); }), closed);
        QVERIFY(with.done());
        QCOMPARE(with.result(), 1);
        without.set_result(2);
        QCOMPARE(without.result(), 2);
        auto created = loop.create_future<int>();
        created.set_result(3);
        QCOMPARE(created.result(), 3);
    }

    // L-055
    void destroyingAnUnclosedLoopWarnsAndCloses()
    {
        const auto token = std::make_shared<int>();
        QTest::ignoreMessage(
            QtWarningMsg,
            QRegularExpression(QStringLiteral("unclosed event loop <QAsyncioLoop running=false")));
        {
            QAsyncioLoop loop(virtual_time());
            loop.call_soon([token] { });
        }
        QCOMPARE(token.use_count(), 1L);
    }

    // L-056
    void pendingTasksAreReportedYoungestFirst()
    {
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        QStringList ended;
        struct Local
        {
            QStringList &log;
            QString name;
            ~Local() { log << name; }
        };
        const auto body = [](QStringList &log, QString name) -> Coroutine<> {
            const Local local{log, name};
            co_await sleep(1h);
        };
        for (const char *name : {"old", "young"})
            loop.create_task(body(ended, QLatin1String(name)),
                             TaskOptions().name(QLatin1String(name)));
        run_once(loop);
        loop.close();
        QCOMPARE(ended, QStringList({"young", "old"}));
        QCOMPARE(int(reports.list().size()), 2);
        QVERIFY(reports.messages()[0].startsWith("Task was destroyed but it is pending!"));
        QVERIFY(reports.messages()[0].contains("name='young'"));
    }

    // L-056
    void whatADestructorSchedulesDuringCloseIsDiscarded()
    {
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        const auto token = std::make_shared<int>();
        auto future = loop.create_future<int>();
        struct Scheduler
        {
            QAsyncioLoop &loop;
            Future<int> future;
            std::shared_ptr<int> token;
            ~Scheduler()
            {
                future.cancel();
                loop.call_soon([token = token] { });
                loop.call_later(1s, [token = token] { });
                loop.create_task([](std::shared_ptr<int> token) -> Coroutine<> {
                    co_await sleep(*token ? 1s : 2s);
                }(token));
                loop.close(); // once more
            }
        };
        loop.create_task(
            [](QAsyncioLoop &loop, Future<int> future, std::shared_ptr<int> token) -> Coroutine<> {
                const Scheduler scheduler{loop, future, token};
                co_await sleep(1h);
            }(loop, future, token));
        run_once(loop);
        loop.close();
        QCOMPARE(token.use_count(), 1L);
        QVERIFY(future.cancelled() && loop.is_closed());
        // the task, and not the one that its destructor made
        QCOMPARE(int(reports.list().size()), 1);
    }

    // L-056
    void tasksThatMakeTasksAsTheyDieAreAllDestroyed()
    {
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        int destroyed = 0;
        struct Successor
        {
            Successor(QAsyncioLoop &loop, int &destroyed) : loop(loop), destroyed(destroyed) { }
            QAsyncioLoop &loop;
            int &destroyed;
            ~Successor()
            {
                if (++destroyed < 20)
                    loop.create_task(idle(std::make_unique<Successor>(loop, destroyed)));
            }
            static Coroutine<> idle(std::unique_ptr<Successor>) { co_await sleep(1h); }
        };
        loop.create_task(Successor::idle(std::make_unique<Successor>(loop, destroyed)));
        run_once(loop);
        loop.close();
        QCOMPARE(destroyed, 20);
        QVERIFY(loop.all_tasks().empty());
        QCOMPARE(int(reports.list().size()), 1); // none of those that were made meanwhile
    }

    void aDestructorThatAlwaysSchedulesAnotherEndsWithAWarning()
    {
        if (QASYNCIO_SANITIZED)
            QSKIP("what was scheduled last is leaked, on purpose");
        auto loop = std::make_unique<QAsyncioLoop>(virtual_time());
        loop->set_exception_handler([](QAsyncioLoop &, const ExceptionContext &) { });
        loop->create_task(Heir::idle(Heir(*loop)));
        run_once(*loop);
        NothingIsLeft::on_purpose = 1;
        QTest::ignoreMessage(QtWarningMsg,
                             QRegularExpression(QStringLiteral("destructors go on scheduling")));
        loop->close();
        QVERIFY(loop->is_closed());
        QVERIFY(Heir::alive > 0);
        Heir::stop = true;
    }

    void handlerAndFactoryMayUseTheLoopThatDestroysThem()
    {
        auto loop = std::make_unique<QAsyncioLoop>(virtual_time());
        QAsyncioLoop *const raw = loop.get();
        int ended = 0;
        const auto last = [&, raw] {
            ExceptionContext context;
            context.message = QStringLiteral("from a destructor");
            raw->call_exception_handler(context);
            Coroutine<> late = []() -> Coroutine<> { co_return; }();
            QVERIFY(!error_in([&] { raw->create_task(std::move(late)); }).isEmpty());
            late.close();
            ++ended;
        };
        struct Guard
        {
            explicit Guard(std::function<void()> function) : function(std::move(function)) { }
            ~Guard() { function(); }
            const std::function<void()> function;
        };
        auto of_handler = std::make_shared<Guard>(last);
        auto of_factory = std::make_shared<Guard>(last);
        loop->set_exception_handler(
            [of_handler](QAsyncioLoop &, const ExceptionContext &) { QFAIL("it is gone"); });
        loop->set_task_factory(
            [of_factory](QAsyncioLoop &, const TaskOptions &options) { return options; });
        of_handler.reset();
        of_factory.reset();
        loop->close();
        for (int i = 0; i < 2; ++i)
            QTest::ignoreMessage(QtCriticalMsg,
                                 QRegularExpression(QStringLiteral("from a destructor")));
        loop.reset();
        QCOMPARE(ended, 2);
    }

    /// Cancelling destroys the closure, that the loop and the handle, and these the rest of the
    /// closure, if nobody minds.
    void whatIsDroppedMayOwnTheLoop()
    {
        struct Owner
        {
            ~Owner() { loop.close(); }
            QAsyncioLoop loop;
            Handle handle;
        };
        struct Noticed
        {
            std::shared_ptr<QString> text = std::make_shared<QString>(QStringLiteral("as it was"));
            ~Noticed()
            {
                if (text)
                    QCOMPARE(*text, "as it was");
            }
        };
        for (int way = 0; way < 3; ++way) {
            auto owner = std::make_shared<Owner>();
            Owner *const raw = owner.get();
            const std::weak_ptr<Owner> watched = owner;
            auto closure = [first = Noticed(), owner = std::move(owner), last = Noticed()] { };
            if (way == 0)
                raw->handle = raw->loop.call_later(1h, std::move(closure));
            else if (way == 1)
                raw->handle = raw->loop.call_soon(std::move(closure));
            else
                raw->handle = raw->loop.call_soon_threadsafe(std::move(closure));
            raw->handle.cancel();
            QVERIFY(watched.expired());
        }
    }

    // L-051
    void aReadersDestructorMayUseTheLoopWhileItIsClosed()
    {
        QAsyncioLoop loop(virtual_time());
        Pipe pipe;
        Pipe other;
        const auto token = std::make_shared<int>();
        auto use = std::shared_ptr<int>(new int, [&loop, &other, token](int *value) {
            delete value;
            loop.call_soon([token] { });
            loop.add_reader(other.read_end(), [token] { });
            loop.create_task(number());
        });
        std::weak_ptr<int> alive = use;
        loop.add_reader(pipe.read_end(), [held = std::exchange(use, nullptr)] { });
        QVERIFY(!alive.expired());
        loop.close();
        QVERIFY(alive.expired());
        alive.reset(); // with it the deleter
        QCOMPARE(token.use_count(), 1L);
    }

    // H-29
    void futuresOutliveTheLoop()
    {
        Future<int> future;
        Task<int> done;
        Task<> pending;
        TimerHandle timer;
        Handle handle;
        {
            QAsyncioLoop loop(virtual_time());
            const Reports reports(loop);
            future = loop.create_future<int>();
            done = loop.create_task(number());
            pending = loop.create_task([]() -> Coroutine<> { co_await sleep(1h); }());
            timer = loop.call_later(1h, [] { });
            run_once(loop);
            handle = loop.call_soon([] { });
            loop.close();
        }
        QCOMPARE(done.result(), 1);
        QVERIFY(pending.cancelled());
        QVERIFY(!future.done());
        future.set_result(5);
        QCOMPARE(future.result(), 5);
        timer.cancel();
        handle.cancel();
        QCOMPARE(error_in([&] { future.get_loop(); }),
                 "RuntimeError: The event loop of this future is gone");
    }
};

QTEST_GUILESS_MAIN(tst_loop_close)
#include "tst_loop_close.moc"
