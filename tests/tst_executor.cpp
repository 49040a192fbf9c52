// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "survives_moves.h"

#include <qasyncio/test.h>

#include <QtCore/qregularexpression.h>
#include <QtCore/qthread.h>
#include <QtCore/qthreadpool.h>
#include <QtCore/qtimer.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>

namespace {
/// Counts its copies.
struct Large
{
    Large() = default;
    Large(const Large &) { ++copies; }
    Large(Large &&) noexcept { }

    static inline std::atomic<int> copies{0};
};
} // namespace

namespace {
QString system_name_of_this_thread()
{
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof name);
    return QString::fromLatin1(name);
}
} // namespace

namespace {
/// Waits until no function runs in it any more, of which the future may tell a bit earlier.
void wait_until_idle(const std::weak_ptr<QThreadPool> &pool)
{
    while (const auto alive = pool.lock()) {
        if (alive->activeThreadCount() == 0)
            return;
        QThread::yieldCurrentThread();
    }
}
} // namespace

namespace {

/// Executors of a program's own.

class ThreadForEach
{
public:
    ~ThreadForEach() { join(); }
    void execute(std::function<void()> job) { m_threads.emplace_back(std::move(job)); }
    void join()
    {
        for (std::thread &thread : std::exchange(m_threads, {}))
            thread.join();
    }

private:
    std::vector<std::thread> m_threads;
};

class Inline
{
public:
    void execute(const std::function<void()> &job) { job(); }
};

/// Runs jobs when it is told to.
class Later
{
public:
    void execute(std::function<void()> job) { m_jobs.push_back(std::move(job)); }
    std::vector<std::function<void()>> take() { return std::exchange(m_jobs, {}); }

private:
    std::vector<std::function<void()>> m_jobs;
};

class Thrower
{
public:
    explicit Thrower(bool runs) : m_runs(runs) { }
    void execute(const std::function<void()> &job) const
    {
        if (m_runs)
            job();
        throw ValueError(QStringLiteral("no thread"));
    }

private:
    const bool m_runs;
};

static_assert(Executor<ThreadForEach> && Executor<Inline> && Executor<Later> && Executor<Thrower>);
static_assert(!Executor<QThreadPool> && !Executor<QObject>);

void wait_for_stop(const std::stop_token &stop)
{
    while (!stop.stop_requested())
        QThread::yieldCurrentThread();
}

/// Tells that a function has begun, and when it was stopped. What the function writes last is all
/// that anybody waits for, so this may go then.
struct StopTest
{
    std::atomic<bool> begun{false};
    std::atomic<bool> stopped{false};

    auto work()
    {
        return [this](const std::stop_token &stop) {
            begun = true;
            wait_for_stop(stop);
            stopped = true;
        };
    }
    void wait_until_begun() const { wait_for(begun); }
    void wait_until_stopped() const { wait_for(stopped); }

private:
    static void wait_for(const std::atomic<bool> &flag)
    {
        while (!flag)
            QThread::yieldCurrentThread();
    }
};
} // namespace

/// run_in_executor(), to_thread(), the default executor and its end.
class tst_executor : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // L-078
    void runsInANamedThreadAndGivesAFuture()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<QString> name = loop.run_in_executor(
                nullptr, [] { return QThread::currentThread()->objectName(); });
            QASYNCIO_COMPARE(&name.get_loop(), &loop);
            const QString text = co_await name;
            QASYNCIO_COMPARE(text, QStringLiteral("asyncio_0")); // this test runs first
            const auto thread = co_await to_thread([] { return QThread::currentThreadId(); });
            QASYNCIO_VERIFY(thread != QThread::currentThreadId());
            QASYNCIO_COMPARE(co_await to_thread([](int a, int b) { return a + b; }, 40, 2), 42);
        });
    }

    // L-084
    void anExceptionArrivesAtTheAwaiter()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            auto future = loop.run_in_executor(
                nullptr, [] { throw ValueError(QStringLiteral("in the thread")); });
            QASYNCIO_THROWS(co_await future, ValueError);
            QASYNCIO_THROWS(co_await to_thread([]() -> int { throw std::out_of_range("x"); }),
                            std::out_of_range);
        });
    }

    // L-079
    void cancellingDoesNotStopAFunctionThatRuns()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::promise<void> begun;
            std::promise<void> go;
            std::promise<int> ended;
            const auto token = std::make_shared<int>(1);
            auto work = [&, kept = token] {
                begun.set_value();
                go.get_future().wait();
                ended.set_value(*kept);
            };
            auto future = loop.run_in_executor(nullptr, moved(work));
            begun.get_future().wait();
            QASYNCIO_VERIFY(future.cancel());
            QASYNCIO_VERIFY(future.cancelled());     // at once
            QASYNCIO_COMPARE(token.use_count(), 2L); // but the function has what it needs
            go.set_value();
            QASYNCIO_COMPARE(ended.get_future().get(), 1);
            co_await loop.shutdown_default_executor();
        });
    }

    // L-079
    void aQueuedFunctionNeverRunsOnceCancelled()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            auto pool = std::make_shared<QThreadPool>();
            pool->setMaxThreadCount(1);
            loop.set_default_executor(pool);
            std::promise<void> gate;
            auto blocker = loop.run_in_executor(nullptr, [&] { gate.get_future().wait(); });
            std::atomic<bool> ran{false};
            const auto token = std::make_shared<int>();
            auto work = [&ran, kept = token] { ran = true; };
            auto queued = loop.run_in_executor(nullptr, moved(work));
            QASYNCIO_VERIFY(queued.cancel());
            QASYNCIO_VERIFY(!queued.cancel());       // it is already
            QASYNCIO_COMPARE(token.use_count(), 1L); // the function is gone already
            gate.set_value();
            co_await blocker;
            QASYNCIO_VERIFY(!blocker.cancel() && !blocker.cancelled()); // it is done
            co_await loop.run_in_executor(nullptr, [] { });
            QASYNCIO_VERIFY(!ran);
        });
    }

    // L-080
    void onlyToThreadCarriesContextVariables()
    {
        static ContextVar<int> var(QStringLiteral("var"), 0);
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            var.set(5);
            QASYNCIO_COMPARE(co_await loop.run_in_executor(nullptr, [] { return var.get(); }), 0);
            QASYNCIO_COMPARE(co_await to_thread([] {
                                 const int seen = var.get();
                                 var.set(6);
                                 return seen;
                             }),
                             5);
            QASYNCIO_COMPARE(var.get(), 5);
        });
    }

    // L-081
    void afterTheShutdownOnlyTheDefaultExecutorIsRefused()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            co_await to_thread([] { });
            co_await loop.shutdown_default_executor();
            QASYNCIO_COMPARE(
                error_in([&] { static_cast<void>(loop.run_in_executor(nullptr, [] { })); }),
                QStringLiteral("RuntimeError: Executor shutdown has been called"));
            QASYNCIO_THROWS(co_await to_thread([] { }), RuntimeError);
            QThreadPool own;
            QASYNCIO_COMPARE(co_await loop.run_in_executor(&own, [] { return 1; }), 1);
        });
    }

    // L-082, H-54
    void theShutdownWaitsWithoutBlockingTheLoop()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::promise<void> gate;
            bool ran = false;
            auto work = loop.run_in_executor(nullptr, [&] { gate.get_future().wait(); });
            auto down = create_task(loop.shutdown_default_executor());
            for (int i = 0; i < 10; ++i)
                co_await sleep(0s);
            QASYNCIO_VERIFY(!down.done()); // and the loop goes on
            loop.call_soon([&] {
                ran = true;
                gate.set_value();
            });
            co_await down;
            QASYNCIO_VERIFY(ran);
            co_await work;
        });
    }

    // L-082
    void theShutdownGivesUpAfterItsTimeout()
    {
        Test::run(
            [&](QAsyncioLoop &loop) -> Coroutine<> {
                std::promise<void> gate;
                auto work = loop.run_in_executor(nullptr, [&] { gate.get_future().wait(); });
                QTest::ignoreMessage(
                    QtWarningMsg,
                    "The executor did not finishing joining its threads within 0.001 seconds.");
                co_await loop.shutdown_default_executor(1ms);
                gate.set_value();
                co_await work;
            },
            Test::TestOptions().real_time());
    }

    // L-082
    void theShutdownWithoutAnExecutorReturnsAtOnce()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            co_await loop.shutdown_default_executor(1h);
            QASYNCIO_COMPARE(loop.time(), begin);
        });
    }

    // L-078
    void anExecutorOfOnesOwn()
    {
        QThreadPool pool;
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QASYNCIO_COMPARE(
                error_in([&] { loop.set_default_executor(nullptr); }),
                QStringLiteral("TypeError: the default executor must be a QThreadPool, not null"));
            const bool named = co_await loop.run_in_executor(&pool, [] {
                return QThread::currentThread()->objectName().startsWith(
                    QStringLiteral("asyncio_"));
            });
            QASYNCIO_VERIFY(!named);
        });
    }

    // L-078
    void moveOnlyArgumentsAndResults()
    {
        Test::run([&]() -> Coroutine<> {
            auto result = co_await to_thread([](std::unique_ptr<int> value) { return value; },
                                             std::make_unique<int>(4));
            QASYNCIO_COMPARE(*result, 4);
            auto owned = std::make_unique<int>(5);
            auto work = [owned = std::move(owned)] { return *owned; };
            QASYNCIO_COMPARE(co_await to_thread(moved(work)), 5);
        });
    }

    void aResultIsMovedHome()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            const auto make = [] { return Large(); };
            auto call = to_thread(make);
            [[maybe_unused]] const Large first = co_await std::move(call);
            QASYNCIO_COMPARE(Large::copies.load(), 0);
            auto future = loop.run_in_executor(nullptr, make);
            [[maybe_unused]] const Large second = co_await std::move(future);
            QASYNCIO_COMPARE(Large::copies.load(), 0);
        });
    }

    // L-061
    void aVirtualClockWaitsForTheThreads()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            std::promise<void> gate;
            // of Qt's loop with nothing to do: enough for the clock to move on if it would
            int passes = 0;
            QTimer idle;
            QObject::connect(&idle, &QTimer::timeout, [&] {
                if (++passes == 20)
                    gate.set_value();
            });
            idle.start(0);
            const auto wait = [](std::promise<void> *gate) { gate->get_future().wait(); };
            co_await wait_for(to_thread(wait, &gate), 1s);
            QASYNCIO_COMPARE(loop.time(), begin);
        });
    }

    // H-62
    void aTaskUnwoundWhileItsFunctionRuns()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::promise<void> gate;
            auto opened = gate.get_future().share();
            auto object = std::make_unique<QObject>();
            auto task = create_task(
                [](std::shared_future<void> opened) -> Coroutine<> {
                    co_await to_thread([](std::shared_future<void> gate) { gate.wait(); }, opened);
                }(opened),
                TaskOptions().context(object.get()));
            co_await sleep(0s);
            co_await sleep(0s);
            object.reset();
            QASYNCIO_VERIFY(task.cancelled());
            gate.set_value();
            co_await loop.shutdown_default_executor();
        });
    }

    // L-079
    void aResultThatCannotBeMovedIsAnException()
    {
        struct Brittle
        {
            explicit Brittle(QThread *enemy) : enemy(enemy) { }
            Brittle(Brittle &&other) : enemy(other.enemy)
            {
                if (QThread::currentThread() == enemy)
                    throw ValueError(QStringLiteral("broken on the way"));
            }
            QThread *enemy;
        };
        Test::run([]() -> Coroutine<> {
            auto work = to_thread([](QThread *enemy) { return Brittle(enemy); },
                                  QThread::currentThread());
            QASYNCIO_THROWS(co_await work, ValueError);
        });
    }

    // L-079
    void aResultThatCannotBeMovedInItsThreadIsAnException()
    {
        Test::run([]() -> Coroutine<> {
            for (int moves = 0; moves < 4; ++moves) {
                auto work = to_thread([](int moves) { return SurvivesMoves(moves); }, moves);
                QASYNCIO_THROWS(co_await work, ValueError);
            }
            auto work = to_thread([](int moves) { return SurvivesMoves(moves); }, 100);
            co_await work;
        });
    }

    // L-080
    void whatAnExecutorDropsIsCancelled()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            const auto pool = std::make_shared<QThreadPool>();
            pool->setMaxThreadCount(1);
            loop.set_default_executor(pool);
            std::promise<void> go;
            const auto waits = [&go] { go.get_future().wait(); };
            auto busy = loop.run_in_executor(nullptr, waits);
            const auto answer = std::make_shared<int>(42);
            auto work = [kept = answer] { return *kept; };
            auto queued = loop.run_in_executor(nullptr, moved(work));
            pool->clear();
            QASYNCIO_THROWS(co_await queued, CancelledError);
            QASYNCIO_COMPARE(int(answer.use_count()), 1); // the function is gone
            go.set_value();
            co_await busy;
            co_await sleep(1h); // virtual time moves again
        });
    }

    void theExecutorThatWasSetRunsTheFunctions()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto pool = std::make_shared<QThreadPool>();
            loop.set_default_executor(pool);
            const auto in_pool = [](QThreadPool *pool) {
                return pool->contains(QThread::currentThread());
            };
            QASYNCIO_COMPARE(co_await loop.run_in_executor(nullptr, in_pool, pool.get()), true);
            QASYNCIO_COMPARE(co_await to_thread(in_pool, pool.get()), true);
        });
    }

    void anExecutorThatIsSetLaterTakesOver()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto thread = [] { return QThread::currentThread(); };
            std::promise<void> gate;
            const auto early = loop.run_in_executor(nullptr, [&] {
                gate.get_future().wait();
                return QThread::currentThread();
            });
            const auto pool = std::make_shared<QThreadPool>();
            // the loop's own goes; what runs there comes to its end
            loop.set_default_executor(pool);
            QThread *const later = co_await loop.run_in_executor(nullptr, thread);
            QASYNCIO_VERIFY(pool->contains(later));
            gate.set_value();
            QASYNCIO_VERIFY(!pool->contains(co_await early));
        });
    }

    // L-078
    void nobodyWaitsForAnExecutorThatNobodyElseHas()
    {
        for (const bool closes : {true, false}) {
            std::promise<void> gate;
            std::promise<void> begun;
            QAsyncioLoop loop;
            loop.set_default_executor(std::make_shared<QThreadPool>());
            const auto job = loop.run_in_executor(nullptr, [&] {
                begun.set_value();
                gate.get_future().wait(); // were it waited for, this would be the end
            });
            begun.get_future().wait();
            if (closes)
                loop.close();
            else
                loop.set_default_executor(std::make_shared<QThreadPool>());
            gate.set_value();
            loop.close();
            while (!detail::drop_idle_executors())
                QThread::yieldCurrentThread();
        }
    }

    // L-078
    void tenFunctionsAtOnceRunOnceEach()
    {
        Test::run([&]() -> Coroutine<> {
            std::vector<std::atomic<int>> calls(10);
            const auto count = [](std::atomic<int> *mine) { ++*mine; };
            std::vector<decltype(to_thread(count, calls.data()))> work;
            for (auto &mine : calls)
                work.push_back(to_thread(count, &mine));
            co_await gather(std::move(work));
            for (const auto &mine : calls)
                QASYNCIO_COMPARE(mine.load(), 1);
        });
    }

    void aThreadKeepsItsName()
    {
        Test::run([&]() -> Coroutine<> {
            std::atomic<int> arrived{0};
            const auto name = [&arrived](bool waits) {
                static thread_local std::string first;
                const QString now = QThread::currentThread()->objectName();
                if (first.empty())
                    first = now.toStdString();
                for (++arrived; waits && arrived < 2;)
                    QThread::yieldCurrentThread();
                return first == now.toStdString() && system_name_of_this_thread() == now
                    ? now
                    : QStringLiteral("another");
            };
            const auto [one, two] = co_await gather(to_thread(name, true), to_thread(name, true));
            QASYNCIO_VERIFY(one != two);
            for (int i = 0; i < 5; ++i) {
                const QString again = co_await to_thread(name, false);
                QASYNCIO_VERIFY(again != QStringLiteral("another"));
            }
        });
    }

    void asManyRunAtOnceAsTheDefaultExecutorHasThreads()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const int most = std::min(32, QThread::idealThreadCount() + 4);
            std::atomic<int> begun{0};
            std::atomic<bool> open{false};
            std::vector<int> numbers(std::size_t(most) + 1); // "asyncio_7": 7
            const auto work = [&begun, &open, &numbers] {
                const int place = begun++;
                numbers[std::size_t(place)] =
                    QThread::currentThread()->objectName().section(u'_', 1).toInt();
                while (!open)
                    QThread::yieldCurrentThread();
            };
            std::vector<decltype(loop.run_in_executor(nullptr, work))> running;
            for (int i = 0; i < most + 1; ++i)
                running.push_back(loop.run_in_executor(nullptr, work));
            while (begun < most)
                QThread::yieldCurrentThread();
            QThread::msleep(5);      // nobody can tell that another one does not begin
            running.back().cancel(); // it still waits for a thread, and never runs
            open = true;
            co_await loop.shutdown_default_executor();
            QASYNCIO_COMPARE(begun.load(), most);
            numbers.pop_back();
            std::sort(numbers.begin(), numbers.end());
            for (int i = 0; i < most; ++i)
                // no two alike, none left out
                QASYNCIO_COMPARE(numbers[std::size_t(i)], numbers[0] + i);
        });
    }

    void whatIsRefusedIsDropped()
    {
        const auto token = std::make_shared<int>();
        const auto work = [token] { };
        QAsyncioLoop loop(virtual_time());
        const auto refuse = [&](QThreadPool *pool) {
            return error_in([&] { static_cast<void>(loop.run_in_executor(pool, work)); });
        };
        loop.run_until_complete(loop.shutdown_default_executor());
        QCOMPARE(refuse(nullptr), "RuntimeError: Executor shutdown has been called");
        loop.close();
        QThreadPool own;
        for (QThreadPool *pool : {static_cast<QThreadPool *>(nullptr), &own})
            QCOMPARE(refuse(pool), "RuntimeError: Event loop is closed");
        QCOMPARE(token.use_count(), 2L);
    }

    void aFunctionThatOutlivesItsLoopLeavesNothingBehind()
    {
        QThreadPool pool;
        for (const bool cancels : {false, true}) {
            std::promise<void> gate;
            auto loop = std::make_unique<QAsyncioLoop>(virtual_time());
            detail::LoopCore &core = loop->core();
            core.retain();
            const auto token = std::make_shared<int>();
            {
                auto work = [&gate, token] {
                    gate.get_future().wait();
                    return token;
                };
                auto future = loop->run_in_executor(&pool, work);
                if (cancels)
                    future.cancel();
            }
            loop->close();
            loop.reset();
            gate.set_value();
            pool.waitForDone();
            QCOMPARE(token.use_count(), 1L);
            QCOMPARE(core.references(), 1);
            core.release();
        }
    }

    void anIdleExecutorGoesWithItsLoop()
    {
        for (const bool closes : {true, false}) {
            QAsyncioLoop loop(virtual_time());
            auto pool = std::make_shared<QThreadPool>();
            const std::weak_ptr<QThreadPool> watched = pool;
            loop.set_default_executor(std::move(pool));
            loop.run_until_complete(loop.run_in_executor(nullptr, [] { }));
            wait_until_idle(watched);
            QVERIFY(!watched.expired());
            if (closes)
                loop.close();
            else
                loop.set_default_executor(std::make_shared<QThreadPool>());
            QVERIFY(watched.expired());
            loop.close();
        }
    }

    void anExecutorThatWasLeftBehindGoesWithTheNextOne()
    {
        std::weak_ptr<QThreadPool> watched[2];
        for (int i = 0; i < 2; ++i) {
            std::promise<void> begun;
            std::promise<void> gate;
            QAsyncioLoop loop(virtual_time());
            auto pool = std::make_shared<QThreadPool>();
            watched[i] = pool;
            loop.set_default_executor(std::move(pool));
            const auto job = loop.run_in_executor(nullptr, [&] {
                begun.set_value();
                gate.get_future().wait();
            });
            begun.get_future().wait();
            loop.close(); // while the function runs
            gate.set_value();
            QVERIFY(i == 0 || watched[0].expired());
            wait_until_idle(watched[i]);
            QVERIFY(!watched[i].expired());
        }
        QVERIFY(detail::drop_idle_executors());
        QVERIFY(watched[1].expired());
    }

    void aVirtualClockWaitsForTheShutdown()
    {
        QTest::failOnWarning(QRegularExpression(QStringLiteral("did not finish")));
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto pool = std::make_shared<QThreadPool>();
            loop.set_default_executor(pool);
            std::promise<void> gate;
            pool->start([&gate] { gate.get_future().wait(); }); // of which the loop knows nothing
            const TimePoint begin = loop.time();
            int passes = 0; // of Qt's loop with nothing to do
            QTimer idle;
            QObject::connect(&idle, &QTimer::timeout, [&] {
                if (++passes == 20)
                    gate.set_value();
            });
            idle.start(0);
            co_await loop.shutdown_default_executor(1s);
            QASYNCIO_COMPARE(loop.time(), begin);
            co_await sleep(1h); // then it moves on
            QASYNCIO_COMPARE(loop.time() - begin, TimePoint::duration(1h));
        });
    }

    void aFunctionThatTakesAStopTokenGetsOne()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto work = [](const std::stop_token &stop, int a, std::unique_ptr<int> b) {
                return stop.stop_possible() && !stop.stop_requested() ? a + *b : 0;
            };
            QASYNCIO_COMPARE(co_await to_thread(work, 40, std::make_unique<int>(2)), 42);
            QASYNCIO_COMPARE(
                co_await loop.run_in_executor(nullptr, work, 40, std::make_unique<int>(2)), 42);
            const auto either = [](auto... values) { return sizeof...(values); };
            QASYNCIO_COMPARE(co_await to_thread(either, 1), 2u); // as std::jthread has it
            const auto plain = [](int value) { return value; };
            QASYNCIO_COMPARE(co_await to_thread(plain, 1), 1);
        });
    }

    void cancellingRequestsStop()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            StopTest first;
            auto future = loop.run_in_executor(nullptr, first.work());
            first.wait_until_begun();
            QASYNCIO_VERIFY(future.cancel());
            first.wait_until_stopped();
            StopTest second;
            auto task = create_task(to_thread(second.work()));
            co_await sleep(0s);
            second.wait_until_begun();
            task.cancel();
            QASYNCIO_THROWS(co_await task, CancelledError);
            second.wait_until_stopped();
            co_await loop.shutdown_default_executor();
        });
    }

    void unwindingATaskRequestsStop()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            StopTest test;
            auto object = std::make_unique<QObject>();
            auto task = create_task(to_thread(test.work()), TaskOptions().context(object.get()));
            co_await sleep(0s);
            test.wait_until_begun();
            object.reset();
            test.wait_until_stopped();
            co_await loop.shutdown_default_executor();
        });
    }

    void droppingTheFutureRequestsStop()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            for (const bool elsewhere : {false, true}) {
                StopTest test;
                std::optional<Future<>> future(loop.run_in_executor(nullptr, test.work()));
                std::optional<Future<>> copy = future;
                test.wait_until_begun();
                copy.reset(); // the other one is there
                QASYNCIO_VERIFY(!future->done());
                if (elsewhere) {
                    std::thread([&future] { future.reset(); }).join();
                    co_await sleep(0s);
                    co_await sleep(0s);
                } else {
                    future.reset();
                }
                test.wait_until_stopped();
            }
            co_await loop.shutdown_default_executor();
        });
    }

    void whatIsDoneIsNotStoppedWhenItsFutureIsDropped()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::stop_token kept;
            {
                auto future = loop.run_in_executor(nullptr,
                                                   [&kept](std::stop_token stop) { kept = stop; });
                co_await future;
            }
            QASYNCIO_VERIFY(!kept.stop_requested());
        });
    }

    void aFailureThatNobodyRetrievesIsReportedThoughTheFunctionTakesAToken()
    {
        QAsyncioLoop loop(virtual_time());
        Reports reports(loop);
        {
            const auto dropped = loop.run_in_executor(nullptr, [](const std::stop_token &stop) {
                wait_for_stop(stop);
                throw ValueError(QStringLiteral("in the thread"));
            });
        }
        loop.run_until_complete(loop.shutdown_default_executor());
        run_ready(loop);
        QCOMPARE(reports.list(),
                 QStringList(QStringLiteral(
                     "Future exception was never retrieved|ValueError: in the thread")));
        loop.close();
    }

    void closingTheLoopRequestsStop()
    {
        StopTest test;
        QAsyncioLoop loop(virtual_time());
        const auto future = loop.run_in_executor(nullptr, test.work());
        test.wait_until_begun();
        loop.close();
        test.wait_until_stopped();
        QVERIFY(!future.done());
        while (!detail::drop_idle_executors())
            QThread::yieldCurrentThread();
    }

    void aRunnerRequestsStopBeforeItWaits()
    {
        StopTest test;
        std::optional<Future<>> kept;
        {
            Runner runner;
            const auto main = [&](QAsyncioLoop &loop) -> Coroutine<> {
                kept = loop.run_in_executor(nullptr, test.work());
                test.wait_until_begun();
                co_return;
            };
            runner.run(main(runner.get_loop()));
        } // it would wait for five minutes
        test.wait_until_stopped();
    }

    void aFunctionWithATokenThatIsQueuedNeverRunsOnceCancelled()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Later later;
            std::atomic<bool> ran{false};
            const auto token = std::make_shared<int>();
            auto work = [&ran, token](const std::stop_token &) { ran = true; };
            auto future = loop.run_in_executor(&later, work);
            QASYNCIO_COMPARE(token.use_count(), 3L);
            QASYNCIO_VERIFY(future.cancel());
            QASYNCIO_COMPARE(token.use_count(), 2L);
            for (const auto &job : later.take())
                job();
            co_await sleep(0s);
            QASYNCIO_VERIFY(!ran);
            co_await sleep(1h); // virtual time moves again
        });
    }

    void aStopMayEndEverything()
    {
        auto loop = std::make_unique<QAsyncioLoop>(virtual_time());
        StopTest test;
        std::optional<Future<>> future;
        const auto work = [&](const std::stop_token &stop) {
            const std::stop_callback drops(stop, [&] { future.reset(); });
            test.work()(stop);
        };
        future = loop->run_in_executor(nullptr, work);
        test.wait_until_begun();
        loop->close(); // calls the callback
        test.wait_until_stopped();
        loop.reset();
        while (!detail::drop_idle_executors())
            QThread::yieldCurrentThread();
        QVERIFY(!future);
    }

    void anExecutorThatIsNoPool()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            ThreadForEach threads;
            const auto here = QThread::currentThreadId();
            const auto is_elsewhere = [here] { return QThread::currentThreadId() != here; };
            QASYNCIO_VERIFY(co_await loop.run_in_executor(&threads, is_elsewhere));
            auto owned = std::make_unique<int>(5);
            auto work = [](std::unique_ptr<int> value) { return value; };
            const auto back = co_await loop.run_in_executor(&threads, work, std::move(owned));
            QASYNCIO_COMPARE(*back, 5);
            QASYNCIO_THROWS(co_await loop.run_in_executor(
                                &threads, [] { throw ValueError(QStringLiteral("there")); }),
                            ValueError);
            StopTest test;
            auto stoppable = loop.run_in_executor(&threads, test.work());
            test.wait_until_begun();
            stoppable.cancel();
            test.wait_until_stopped();
        });
    }

    void anExecutorThatCallsAtOnce()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Inline here;
            const auto thread = QThread::currentThreadId();
            auto future = loop.run_in_executor(&here, [] { return QThread::currentThreadId(); });
            QASYNCIO_VERIFY(!future.done());
            QASYNCIO_VERIFY(co_await future == thread);
        });
    }

    void anExecutorThatThrows()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto token = std::make_shared<int>(42);
            const auto work = [token] { return *token; };
            const Thrower refuses(false), runs_and_throws(true);
            auto refused = loop.run_in_executor(&refuses, work);
            QASYNCIO_VERIFY(refused.done()); // at once
            QASYNCIO_THROWS(co_await refused, ValueError);
            QTest::ignoreMessage(QtWarningMsg,
                                 "an executor has thrown though it has called the "
                                 "function: ValueError: no thread");
            QASYNCIO_COMPARE(co_await loop.run_in_executor(&runs_and_throws, work), 42);
            co_await sleep(1h); // virtual time moves again
            QASYNCIO_COMPARE(token.use_count(), 2L);
        });
    }

    void anExecutorThatDropsTheFunction()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Later later;
            const auto token = std::make_shared<int>(42);
            const auto work = [token] { return *token; };
            const QString error = QStringLiteral(
                "RuntimeError: the executor has dropped the function without calling it");
            const auto outcome = [](Future<int> &future) -> Coroutine<QString> {
                std::exception_ptr thrown;
                try {
                    co_await future;
                } catch (...) {
                    thrown = std::current_exception();
                }
                co_return describe(thrown);
            };
            auto here = loop.run_in_executor(&later, work);
            later.take();
            QASYNCIO_COMPARE(co_await outcome(here), error);
            auto there = loop.run_in_executor(&later, work);
            std::thread([jobs = later.take()]() mutable { jobs.clear(); }).join();
            QASYNCIO_COMPARE(co_await outcome(there), error);
            const auto stops = [token](const std::stop_token &) { return *token; };
            auto stoppable = loop.run_in_executor(&later, stops);
            later.take();
            QASYNCIO_COMPARE(co_await outcome(stoppable), error);
            { // and nobody has the future
                auto lost = loop.run_in_executor(&later, work);
                const auto stopped = loop.run_in_executor(&later, stops);
                lost.cancel();
            }
            later.take();
            co_await sleep(1h);
            QASYNCIO_COMPARE(token.use_count(), 3L);
        });
    }

    void aFunctionIsCalledOnceHoweverOftenTheExecutorCallsIt()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Later later;
            std::atomic<int> calls{0};
            auto future = loop.run_in_executor(&later, [&calls] { return ++calls; });
            auto jobs = later.take();
            const std::function<void()> copy = jobs[0];
            std::thread([copy] { copy(); }).join();
            jobs[0]();
            QASYNCIO_COMPARE(co_await future, 1); // though copies still exist
            jobs[0]();
            copy();
            QASYNCIO_COMPARE(calls.load(), 1);
        });
    }

    void anExecutorMayKeepAFunctionLongerThanTheLoop()
    {
        Later later;
        const auto token = std::make_shared<int>();
        const auto work = [token] { return token; };
        const auto stops = [token](const std::stop_token &stop) {
            return stop.stop_requested() ? token : nullptr;
        };
        for (const bool runs : {false, true}) {
            {
                QAsyncioLoop loop(virtual_time());
                static_cast<void>(loop.run_in_executor(&later, work));
                static_cast<void>(loop.run_in_executor(&later, stops));
                QCOMPARE(token.use_count(), 5L);
                loop.close();
            }
            for (const auto &job : later.take()) {
                if (runs)
                    job();
            }
            QCOMPARE(token.use_count(), 3L);
        }
    }

    void theDefaultExecutorMayBeOfAnyKind()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QASYNCIO_COMPARE(
                error_in([&] { loop.set_default_executor(std::shared_ptr<Later>()); }),
                QStringLiteral("TypeError: the default executor must be an Executor, not null"));
            const auto later = std::make_shared<Later>();
            loop.set_default_executor(later);
            auto call = create_task(to_thread([] { return 1; }));
            co_await sleep(0s);
            auto down = create_task(loop.shutdown_default_executor());
            auto impatient = create_task(loop.shutdown_default_executor());
            co_await sleep(0s);
            impatient.cancel();
            co_await sleep(0s);
            co_await sleep(0s);
            QASYNCIO_VERIFY(impatient.cancelled());
            QASYNCIO_VERIFY(!down.done());
            QASYNCIO_THROWS(co_await to_thread([] { }), RuntimeError);
            for (const auto &job : later->take())
                job();
            co_await down;
            QASYNCIO_COMPARE(co_await call, 1);
            co_await loop.shutdown_default_executor(); // nothing to wait for
            loop.set_default_executor(std::make_shared<QThreadPool>());
            QASYNCIO_COMPARE(later.use_count(), 1L);
        });
    }

    void theLoopLetsGoOfItsExecutor()
    {
        QAsyncioLoop loop(virtual_time());
        auto threads = std::make_shared<ThreadForEach>();
        const std::weak_ptr<ThreadForEach> watched = threads;
        loop.set_default_executor(std::move(threads));
        QCOMPARE(loop.run_until_complete(to_thread([] { return 1; })), 1);
        loop.close();
        QVERIFY(watched.expired());
    }
};

QTEST_GUILESS_MAIN(tst_executor)
#include "tst_executor.moc"
