// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// What the pool of frames, futures and handles keeps and gives back. Sanitized builds have the ordinary heap instead.

#include "task_helpers.h"

#include <QtCore/qthreadpool.h>

#include <coroutine>
#include <fstream>
#include <memory>

#include <malloc.h>

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
        const auto row = [](const char *name, int count, Work work) { QTest::newRow(name) << work << count; };
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
        row("foreign awaitables", 30000, [](QAsyncioLoop &loop) { loop.run_until_complete(await_resumed(loop)); });
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
        row("turns of Qt", 2000, [](QAsyncioLoop &loop) { loop.run_until_complete(process_qt_events()); });
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
        const double most = 48 * 1024 + 8.0 * count; // threads and the pool keep some, which does not add up
        QVERIFY2(growth < most, qPrintable(QString::number(growth)));
        const double more = resident() - resident_before; // the pool's huge slabs are nobody's allocation
        QVERIFY2(more < 1, qPrintable(QString::number(more)));
        loop.close();
    }

    void aPeakIsGivenBackWhenTheLoopComesToRest()
    {
        QAsyncioLoop loop;
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
        QVERIFY2(kept < 28, qPrintable(QString::number(kept))); // 16 MiB wait for the next peak; the queue has its share
        loop.run_until_complete(work()); // as good as new
        loop.close();
    }

    void whatIsStillInUseIsLeftAlone()
    {
        QAsyncioLoop loop;
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
        QVERIFY2(growth < 0.5, qPrintable(QString::number(growth))); // a byte or two for each would show
        loop.close();
    }
};

QTEST_GUILESS_MAIN(tst_memory)
#include "tst_memory.moc"
