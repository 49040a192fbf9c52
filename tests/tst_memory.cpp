// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// What the pool of frames, futures and handles keeps and gives back. Sanitized builds have the ordinary heap instead.

#include "task_helpers.h"

#include <fstream>

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

void let_it_rest(QAsyncioLoop &loop)
{
    loop.call_later(1ms, [&] { loop.stop(); });
    loop.run_forever();
}

} // namespace

class tst_memory : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        if (QASYNCIO_SANITIZED)
            QSKIP("sanitizers have the ordinary heap");
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
