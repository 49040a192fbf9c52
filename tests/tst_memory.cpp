// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// What the pool of frames, futures and handles keeps and gives back. Sanitized builds have the
// ordinary heap instead.

#include "task_helpers.h"

#include <QtCore/qmetaobject.h>
#include <QtCore/qthreadpool.h>

#include <coroutine>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <malloc.h>
#include <unistd.h>

namespace {

constexpr double mebibyte = 1024 * 1024;

/// Of this process, in MiB: what it has mapped, and what of this is in memory.
struct Memory
{
    static Memory now()
    {
        const double page = double(::sysconf(_SC_PAGESIZE)) / mebibyte;
        long mapped = 0;
        long resident = 0;
        std::ifstream("/proc/self/statm") >> mapped >> resident;
        return {double(mapped) * page, double(resident) * page};
    }

    double mapped = 0;
    double resident = 0;
};
double resident()
{
    return Memory::now().resident;
}

Coroutine<int> wait_for_gate(Future<> gate, int value)
{
    co_await gate;
    co_return value;
}

/// What was allocated and not freed, by everybody in the process.
std::size_t bytes_in_use()
{
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
}

/// Somebody else's awaitable that is resumed from a callback.
struct Resumed
{
    QAsyncioLoop *loop;
    explicit Resumed(QAsyncioLoop &loop) : loop(&loop) { }
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const
    {
        loop->call_soon([waiting] { waiting.resume(); });
    }
    int await_resume() const { return 1; }
};

Coroutine<> await_resumed(QAsyncioLoop &loop)
{
    co_await Resumed(loop);
}

/// There is always something to read in it.
const Pipe &full_pipe()
{
    static const std::unique_ptr<Pipe> pipe = [] {
        auto filled = std::make_unique<Pipe>();
        filled->fill();
        return filled;
    }();
    return *pipe;
}

using Work = void (*)(QAsyncioLoop &);

Coroutine<> fail_at_once()
{
    throw ValueError();
    co_return;
}

AsyncGenerator<int> numbers()
{
    for (int i = 0; i < 3; ++i) {
        co_yield i;
        co_await sleep(0s);
    }
}

Coroutine<> cancel_asleep()
{
    Task<> task = create_task(sleeper());
    co_await turns(1);
    task.cancel(u"a message that is long enough for the heap"_s);
    co_await error_of(task);
}

/// What comes and goes; nothing of it stays.
struct Passing
{
    const char *name;
    std::function<Coroutine<>(QAsyncioLoop &)> body;
};

const std::vector<Passing> passing{
    {"a sleep", [](QAsyncioLoop &) -> Coroutine<> { co_await sleep(1us); }},
    {"a sleep that is cancelled", [](QAsyncioLoop &) -> Coroutine<> { co_await cancel_asleep(); }},
    {"a task that never begins",
     [](QAsyncioLoop &) -> Coroutine<> {
         Task<> task = create_task(sleeper());
         task.cancel();
         co_await error_of(task);
     }},
    {"a task that fails",
     [](QAsyncioLoop &) -> Coroutine<> { co_await error_of(create_task(fail_at_once())); }},
    {"a task that is refused",
     [](QAsyncioLoop &) -> Coroutine<> {
         TaskScope scope;
         error_in([&] { scope.create_task(sleeper(), TaskOptions().detached()); });
         co_return;
     }},
    {"a task that is unwound",
     [](QAsyncioLoop &) -> Coroutine<> {
         TaskScope scope;
         scope.create_task(sleeper());
         co_await turns(1);
     }},
    {"a task that is unwound before it has begun",
     [](QAsyncioLoop &) -> Coroutine<> {
         TaskScope scope;
         scope.create_task(sleeper());
         co_return;
     }},
    {"a task that its object ends in its own step",
     [](QAsyncioLoop &) -> Coroutine<> {
         auto object = std::make_unique<QObject>();
         const auto body = [](QObject *object) -> Coroutine<> {
             delete object;
             co_await sleep(1h);
         };
         Task<> task = create_task(body(object.get()), TaskOptions().context(object.get()));
         object.release();
         co_await error_of(task);
     }},
    {"done callbacks",
     [](QAsyncioLoop &loop) -> Coroutine<> {
         Future<> future = loop.create_future<>();
         future.add_done_callback([] { });
         const DoneCallbackId id = future.add_done_callback([] { });
         future.remove_done_callback(id);
         future.set_result();
         future.add_done_callback([] { });
         co_await future;
         Future<> dropped = loop.create_future<>();
         dropped.add_done_callback([] { });
         dropped.add_done_callback([] { });
     }},
    {"many done callbacks",
     [](QAsyncioLoop &loop) -> Coroutine<> {
         Future<> future = loop.create_future<>();
         DoneCallbackId id;
         for (int i = 0; i < 40; ++i)
             id = future.add_done_callback([] { });
         future.remove_done_callback(id);
         future.cancel();
         co_await turns(1);
     }},
    {"callbacks that are taken away again",
     [](QAsyncioLoop &loop) -> Coroutine<> {
         Future<> future = loop.create_future<>();
         const DoneCallbackId one = future.add_done_callback([] { });
         const DoneCallbackId two = future.add_done_callback([] { });
         future.remove_done_callback(one);
         future.remove_done_callback(two);
         co_return;
     }},
    {"a list of callbacks",
     [](QAsyncioLoop &) -> Coroutine<> {
         struct Callback : detail::FutureCallback
         {
             void future_done(detail::FutureStateBase &) override { }
         };
         Callback one, other;
         detail::CallbackList list;
         list.append(&one);
         list.append(&other);
         co_return;
     }},
    {"signals whose futures are dropped",
     [](QAsyncioLoop &) -> Coroutine<> {
         QObject sender;
         Future<QString> named = from_signal(&sender, &QObject::objectNameChanged);
         named.add_done_callback([] { });
         named.add_done_callback([] { });
         named = {};
         co_return;
     }},
    {"a timeout",
     [](QAsyncioLoop &) -> Coroutine<> { co_await error_of(wait_for(sleeper(), 1us)); }},
    {"a timeout that is not over",
     [](QAsyncioLoop &) -> Coroutine<> { co_await wait_for(give(1), 1h); }},
    {"a group",
     [](QAsyncioLoop &) -> Coroutine<> {
         const auto body = [](TaskGroup &group) -> Coroutine<> {
             group.create_task(give(1));
             group.create_task(sleeper(1us));
             co_return;
         };
         co_await task_group(body);
     }},
    {"a group that fails",
     [](QAsyncioLoop &) -> Coroutine<> {
         const auto body = [](TaskGroup &group) -> Coroutine<> {
             group.create_task(fail_at_once());
             group.create_task(sleeper());
             co_return;
         };
         co_await error_of(task_group(body));
     }},
    {"gather", [](QAsyncioLoop &) -> Coroutine<> { co_await gather(give(1), give(2)); }},
    {"gather that fails",
     [](QAsyncioLoop &) -> Coroutine<> {
         co_await error_of(gather(fail_at_once(), give(2)));
         co_await turns(2);
     }},
    {"wait",
     [](QAsyncioLoop &) -> Coroutine<> {
         std::vector<Task<int>> tasks;
         tasks.push_back(create_task(give(1)));
         tasks.push_back(create_task(give(2, 1us)));
         const WaitOptions options = WaitOptions().return_when(FIRST_COMPLETED).timeout(1h);
         co_await wait(tasks, options);
         co_await wait(tasks);
     }},
    {"race", [](QAsyncioLoop &) -> Coroutine<> { co_await race(give(1), sleep(1h)); }},
    {"a race that is unwound",
     [](QAsyncioLoop &) -> Coroutine<> {
         Task<> outside = create_task(sleeper()); // is asked to end, and does so later
         {
             TaskScope scope;
             const auto body = [](Task<> outside) -> Coroutine<> {
                 co_await race(outside, sleeper());
             };
             scope.create_task(body(outside));
             co_await turns(3);
         }
         co_await error_of(outside);
     }},
    {"an object that is deleted while it is being connected",
     [](QAsyncioLoop &) -> Coroutine<> {
         struct Gone : QObject
         {
             void connectNotify(const QMetaMethod &) override { delete this; }
         };
         Coroutine<> refused = sleeper();
         error_in([&] { create_task(std::move(refused), TaskOptions().context(new Gone)); });
         refused.close();
         co_return;
     }},
    {"as_completed",
     [](QAsyncioLoop &) -> Coroutine<> {
         std::vector<Coroutine<int>> all;
         all.push_back(give(1));
         all.push_back(give(2, 1us));
         auto completed = as_completed(std::move(all), 1h);
         co_await completed.next();
         co_await completed.next();
     }},
    {"shield",
     [](QAsyncioLoop &) -> Coroutine<> {
         co_await shield(give(1));
         Future<int> given_up = shield(give(1));
         given_up.cancel();
         co_await turns(3);
     }},
    {"a generator",
     [](QAsyncioLoop &) -> Coroutine<> {
         auto generator = numbers();
         co_await generator.next();
         co_await generator.aclose();
         auto dropped = numbers();
         co_await dropped.next();
         const auto never_begun = numbers();
     }},
    {"a quit that nobody waits for any more",
     [](QAsyncioLoop &loop) -> Coroutine<> {
         const auto waits = [](QAsyncioLoop &loop) -> Coroutine<> {
             co_await loop.quit_requested();
         };
         co_await error_of(wait_for(waits(loop), 1us));
         const Future<> dropped = loop.quit_requested();
     }},
    {"a call from another thread",
     [](QAsyncioLoop &loop) -> Coroutine<> {
         auto future = run_coroutine_threadsafe(give(1), loop);
         co_await turns(3);
         auto cancelled = run_coroutine_threadsafe(give(1), loop);
         cancelled.cancel();
         co_await turns(1);
     }},
};

/// A block of the pool whose memory is there, not only mapped.
void *allocate_filled(std::size_t size)
{
    return std::memset(detail::allocate(size), 1, size);
}

/// Of a loop with virtual time, which moves only when nothing is left to do: a busy machine may
/// sleep through real time.
void let_it_rest(QAsyncioLoop &loop)
{
    loop.call_later(1ms, [&] { loop.stop(); });
    loop.run_forever();
}

} // namespace

Q_DECLARE_METATYPE(Work)

class tst_memory : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        if (QASYNCIO_SANITIZED)
            QSKIP("sanitizers have the ordinary heap");
    }

    // First of all: behind a peak the pool has blocks for much that would be lost.
    void nothingIsLeftOfWhatIsOver_data()
    {
        QTest::addColumn<Work>("work");
        QTest::addColumn<int>("count");
        const auto row = [](const char *name, int count, Work work) {
            QTest::newRow(name) << work << count;
        };
        row("runs", 10000, [](QAsyncioLoop &loop) { run_once(loop); });
        row("callbacks", 30000, [](QAsyncioLoop &loop) {
            const Handle handle = loop.call_soon([] { });
            const Handle other = loop.call_soon_threadsafe([] { });
            const TimerHandle timer = loop.call_later(0s, [] { });
            const Context context = handle.get_context();
            run_once(loop);
        });
        row("cancelled callbacks", 30000, [](QAsyncioLoop &loop) {
            loop.call_soon([] { }).cancel();
            loop.call_soon_threadsafe([] { }).cancel();
            loop.call_later(1h, [] { }).cancel();
            run_once(loop);
        });
        row("callbacks that fail", 30000, [](QAsyncioLoop &loop) {
            loop.call_soon([] { throw ValueError(u"text"_s); });
            run_once(loop);
        });
        row("readers", 15000, [](QAsyncioLoop &loop) {
            const Pipe &pipe = full_pipe();
            for (int i = 0; i < 2; ++i) // the second one replaces the first
                loop.add_reader(pipe.read_end(), [] { });
            run_once(loop);
            loop.remove_reader(pipe.read_end());
        });
        row("functions", 5000, [](QAsyncioLoop &loop) {
            static QThreadPool pool;
            loop.run_until_complete(loop.run_in_executor(&pool, [] { }));
        });
        row("cancelled functions", 5000, [](QAsyncioLoop &loop) {
            static QThreadPool pool;
            pool.setMaxThreadCount(0); // nothing runs: they wait for a thread
            for (const bool cancels : {true, false}) {
                Future<> future = loop.run_in_executor(&pool, [] { });
                if (cancels)
                    future.cancel();
            }
            pool.clear();
            run_once(loop);
        });
        row("foreign awaitables", 30000,
            [](QAsyncioLoop &loop) { loop.run_until_complete(await_resumed(loop)); });
        row("loops", 3000, [](QAsyncioLoop &) {
            QAsyncioLoop other(virtual_time());
            other.run_until_complete(turns(1));
            other.add_reader(full_pipe().read_end(), [] { });
            other.close();
        });
        row("loops in threads", 1500, [](QAsyncioLoop &) { const LoopThread thread; });
        row("executors", 1500, [](QAsyncioLoop &) {
            QAsyncioLoop other;
            other.run_until_complete(other.run_in_executor(nullptr, [] { }));
            other.run_until_complete(other.shutdown_default_executor());
            other.close();
        });
        row("runners", 2000, [](QAsyncioLoop &) { QAsyncio::run(turns(1)); });
        row("turns of Qt", 2000,
            [](QAsyncioLoop &loop) { loop.run_until_complete(process_qt_events()); });
    }

    void nothingIsLeftOfWhatIsOver()
    {
        QFETCH(Work, work);
        QFETCH(int, count);
        QAsyncioLoop loop;
        loop.set_exception_handler([](QAsyncioLoop &, const ExceptionContext &) { });
        for (int i = 0; i < count; ++i) // what is kept for the next time
            work(loop);
        const std::size_t before = bytes_in_use();
        const double resident_before = resident();
        for (int i = 0; i < count; ++i)
            work(loop);
        const double growth = double(bytes_in_use()) - double(before);
        // threads and the pool keep some, which does not add up
        const double most = 48 * 1024 + 8.0 * count;
        QVERIFY2(growth < most, qPrintable(QString::number(growth)));
        // the pool's huge slabs are nobody's allocation
        const double more = resident() - resident_before;
        QVERIFY2(more < 1, qPrintable(QString::number(more)));
        loop.close();
    }

    void aPeakIsGivenBackWhenTheLoopComesToRest()
    {
        QAsyncioLoop loop(virtual_time());
        constexpr int count = 300'000;
        const Memory before = Memory::now();
        Memory peak;
        const auto work = [&]() -> Coroutine<> {
            Future<> gate = get_running_loop().create_future<>();
            for (int i = 0; i < count; ++i)
                create_task(wait_for_gate(gate, i));
            co_await turns(2);
            peak = Memory::now();
            gate.set_result();
            co_await turns(3);
        };
        loop.run_until_complete(work());
        const double used = peak.resident - before.resident;
        QVERIFY2(used > 50, qPrintable(QString::number(used)));
        const double taken = peak.mapped - before.mapped; // address space
        QVERIFY2(taken < 1.4 * used, qPrintable(QString::number(taken / used)));
        let_it_rest(loop);
        const double kept = resident() - before.resident;
        // 16 MiB wait for the next peak; the queue has its share
        QVERIFY2(kept < 28, qPrintable(QString::number(kept)));
        loop.run_until_complete(work()); // as good as new
        loop.close();
    }

    void aPeakIsGivenBackWhateverTheSizesOfItsBlocks_data()
    {
        QTest::addColumn<QList<int>>("sizes");
        QTest::newRow("the largest") << QList<int>{int(detail::pool_largest)};
        // with gaps at the ends of slabs
        QTest::newRow("aligned beside others") << QList<int>{496, 64, 400, 256};
    }
    void aPeakIsGivenBackWhateverTheSizesOfItsBlocks()
    {
        QFETCH(const QList<int>, sizes);
        QAsyncioLoop loop(virtual_time());
        const double before = resident();
        std::vector<std::pair<void *, std::size_t>> blocks(240'000);
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            const auto size = std::size_t(sizes[qsizetype(i) % sizes.size()]);
            blocks[i] = {allocate_filled(size), size};
        }
        const double used = resident() - before;
        // the pool has some of it from before
        QVERIFY2(used > 45, qPrintable(QString::number(used)));
        for (const auto &[block, size] : blocks)
            detail::deallocate(block, size);
        let_it_rest(loop);
        const double kept = resident() - before;
        QVERIFY2(kept < 28, qPrintable(QString::number(kept)));
        loop.close();
    }

    void aSecondPeakUsesTheMemoryOfTheFirst()
    {
        std::vector<void *> blocks(100'000);
        const auto peak = [&] {
            for (void *&block : blocks)
                block = allocate_filled(detail::pool_largest);
            for (void *block : blocks)
                detail::deallocate(block, detail::pool_largest);
        };
        peak();
        const double before = resident();
        peak(); // the loop has not come to rest in between
        const double growth = resident() - before;
        QVERIFY2(growth < 5, qPrintable(QString::number(growth)));
        QAsyncioLoop loop(virtual_time());
        let_it_rest(loop); // nothing is left for the other tests
        loop.close();
    }

    void whatWasInUseAtTheFirstPeakIsGivenBackAfterTheSecond_data()
    {
        QTest::addColumn<std::size_t>("parts");
        QTest::newRow("in each slab") << std::size_t(1);
        QTest::newRow("in each slab of the first half") << std::size_t(2);
    }
    void whatWasInUseAtTheFirstPeakIsGivenBackAfterTheSecond()
    {
        QFETCH(const std::size_t, parts);
        QAsyncioLoop loop(virtual_time());
        const double before = resident();
        std::vector<void *> kept;
        const auto peak = [&](std::size_t count, bool keeps) {
            std::vector<void *> blocks(count);
            for (void *&block : blocks)
                block = allocate_filled(detail::pool_largest);
            for (std::size_t i = 0; i < count; ++i) {
                if (keeps && i < count / parts && i % 1000 == 0)
                    kept.push_back(blocks[i]);
                else
                    detail::deallocate(blocks[i], detail::pool_largest);
            }
            let_it_rest(loop);
        };
        peak(100'000 * parts, true);
        QVERIFY(resident() - before > 45);
        for (void *block : kept)
            detail::deallocate(block, detail::pool_largest);
        peak(200'000, false);
        const double left = resident() - before;
        QVERIFY2(left < 28, qPrintable(QString::number(left)));
        loop.close();
    }

    void nothingIsLostInDestructorsThatRunBehindThePoolsOwn()
    {
        struct Late
        {
            ~Late() { detail::deallocate(detail::allocate(256), 256); }
        };
        const auto use_threads = [](int count) {
            for (int i = 0; i < count; ++i) {
                std::thread([] {
                    static thread_local Late late; // older than what the pool has for this thread
                    (void)&late;
                    detail::deallocate(detail::allocate(256), 256);
                }).join();
            }
        };
        use_threads(100);
        const double before = resident();
        use_threads(1000);
        const double growth = resident() - before;
        // a list of blocks for each would show
        QVERIFY2(growth < 1, qPrintable(QString::number(growth)));
    }

    void aThreadThatNeedsLittleGetsNoHugeSlab()
    {
        double taken = 0;
        std::thread([&] {
            // the heap prepares for this thread
            const std::unique_ptr<QByteArray> first(new QByteArray(1000, 'x'));
            const double before = Memory::now().mapped;
            std::vector<void *> blocks(500);
            for (void *&block : blocks)
                block = detail::allocate(detail::pool_largest);
            taken = Memory::now().mapped - before;
            for (void *block : blocks)
                detail::deallocate(block, detail::pool_largest);
        }).join();
        QVERIFY2(taken < 1, qPrintable(QString::number(taken)));
    }

    void whatIsStillInUseIsLeftAlone()
    {
        QAsyncioLoop loop(virtual_time());
        std::vector<Task<int>> survivors;
        Future<> late = loop.create_future<>();
        const auto work = [&]() -> Coroutine<> {
            Future<> gate = get_running_loop().create_future<>();
            for (int i = 0; i < 300'000; ++i) {
                if (i % 10'000 == 0)
                    survivors.push_back(create_task(wait_for_gate(late, i)));
                else
                    create_task(wait_for_gate(gate, i));
            }
            co_await turns(2);
            gate.set_result();
            co_await turns(3);
        };
        loop.run_until_complete(work());
        let_it_rest(loop);
        late.set_result();
        run_ready(loop);
        for (int i = 0; i < int(survivors.size()); ++i)
            QCOMPARE(survivors[i].result(), i * 10'000);
        loop.close();
    }

    void nothingThatHasPassedStays_data()
    {
        QTest::addColumn<int>("index");
        for (std::size_t i = 0; i < passing.size(); ++i)
            QTest::newRow(passing[i].name) << int(i);
    }
    void nothingThatHasPassedStays()
    {
        QFETCH(int, index);
        QAsyncioLoop loop(virtual_time());
        const auto repeat = [&](int count) -> Coroutine<> {
            for (int i = 0; i < count; ++i) {
                co_await passing[std::size_t(index)].body(loop);
                co_await turns(1);
            }
        };
        loop.run_until_complete(repeat(1000));
        const std::size_t before = bytes_in_use();
        loop.run_until_complete(repeat(6000));
        const double growth = double(bytes_in_use()) - double(before);
        // 35 bytes for each would show
        QVERIFY2(growth < 200'000, qPrintable(QString::number(growth)));
        loop.close();
    }

    void callbacksThatComeAndGoDoNotAddUp()
    {
        QAsyncioLoop loop(virtual_time());
        Future<> future = loop.create_future<>(); // stays, and so do two of its callbacks
        future.add_done_callback([] { });
        future.add_done_callback([] { });
        const auto come_and_go = [&](int count) {
            for (int i = 0; i < count; ++i)
                future.remove_done_callback(future.add_done_callback([] { }));
        };
        come_and_go(1000);
        const double before = resident();
        come_and_go(50'000);
        const double growth = resident() - before;
        QVERIFY2(growth < 0.2, qPrintable(QString::number(growth)));
        loop.close();
    }

    void nothingOfAClosedLoopStays()
    {
        const auto use_loops = [](int count) {
            const auto body = [](TaskGroup &group) -> Coroutine<> {
                for (int i = 0; i < 10; ++i)
                    group.create_task(sleeper());
                co_return;
            };
            for (int i = 0; i < count; ++i) {
                QAsyncioLoop loop(virtual_time());
                loop.set_exception_handler([](QAsyncioLoop &, const ExceptionContext &) { });
                std::vector<Future<int>> futures = futures_of(loop, 10);
                std::vector<AnyTask> tasks;
                tasks.push_back(loop.create_task(task_group(body)));
                const auto waits = [](std::vector<Future<int>> futures) -> Coroutine<> {
                    co_await wait(futures);
                };
                const auto gathers = [](std::vector<Future<int>> futures) -> Coroutine<> {
                    co_await gather(futures);
                };
                const auto shields = [](Future<int> future) -> Coroutine<> {
                    co_await shield(future);
                };
                tasks.push_back(loop.create_task(waits(futures)));
                tasks.push_back(loop.create_task(gathers(futures)));
                for (const Future<int> &future : futures)
                    tasks.push_back(loop.create_task(shields(future)));
                run_ready(loop, 3);
                for (Future<int> &future : futures)
                    future.add_done_callback([] { });
                for (std::size_t i = 0; i < 5; ++i)
                    futures[i].set_result(1); // whom that tells is not told any more
                std::thread([dropped = futures_of(loop, 10)]() mutable { dropped.clear(); }).join();
                loop.close();
                Future<int> failed = futures.back();
                std::thread([&failed, dropped = std::move(futures)]() mutable {
                    dropped.clear();
                    failed = {};
                }).join();
            }
        };
        use_loops(200);
        const double before = resident();
        use_loops(1000);
        const double growth = resident() - before;
        // ten times 32 bytes for each would show
        QVERIFY2(growth < 0.3, qPrintable(QString::number(growth)));
    }

    void objectsWhoseTasksHaveEndedAreForgotten()
    {
        QAsyncioLoop loop(virtual_time());
        std::vector<QObject> objects(6000); // they stay
        for (QObject &object : objects)     // so that Qt's part is in memory already
            QObject::disconnect(QObject::connect(&object, &QObject::destroyed, [] { }));
        const auto repeat = [&](std::size_t first, std::size_t end) -> Coroutine<> {
            for (std::size_t i = first; i < end; ++i)
                co_await create_task(turns(1), TaskOptions().context(&objects[i]));
        };
        loop.run_until_complete(repeat(0, 500));
        const double before = resident();
        loop.run_until_complete(repeat(500, objects.size()));
        const double growth = resident() - before;
        QVERIFY2(growth < 0.2, qPrintable(QString::number(growth)));
        loop.close();
    }

    void tasksThatComeAndGoDoNotAddUp()
    {
        QAsyncioLoop loop;
        const auto work = [](int count) -> Coroutine<> {
            for (int i = 0; i < count; ++i)
                co_await create_task(turns(1));
        };
        loop.run_until_complete(work(20'000));
        const double before = resident();
        loop.run_until_complete(work(200'000));
        const double growth = resident() - before;
        // a byte or two for each would show
        QVERIFY2(growth < 0.5, qPrintable(QString::number(growth)));
        loop.close();
    }
};

QTEST_GUILESS_MAIN(tst_memory)
#include "tst_memory.moc"
