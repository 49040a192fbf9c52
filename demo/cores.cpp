// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// One kind of work over one loop per core: `qasyncio-cores [SLICES]` counts prime numbers, slice by
// slice. Each core has a thread with a loop, and each loop several slices under way at once; a
// slice gives way to the others now and then. The main thread hands the slices out and adds up.
// Ends with 1 if the sum is not what a single loop finds.

#include <qasyncio.h>

#include <QtCore/qcoreapplication.h>
#include <QtCore/qelapsedtimer.h>
#include <QtCore/qtextstream.h>
#include <QtCore/qthread.h>

using namespace QAsyncio;
using namespace std::chrono_literals;

namespace {

constexpr int slice_size = 20'000;
constexpr int slices_at_once = 4; // in each loop

bool is_prime(int number)
{
    if (number < 2)
        return false;
    for (int divisor = 2; divisor <= number / divisor; ++divisor) {
        if (number % divisor == 0)
            return false;
    }
    return true;
}

/// Runs in any loop.
Coroutine<int> count_primes(int slice)
{
    int count = 0;
    for (int i = 0; i < slice_size; ++i) {
        count += is_prime(slice * slice_size + i);
        if (i % 1000 == 999)
            co_await sleep(0s);
    }
    co_return count;
}

/// What the workers share, all of them in the main thread.
struct Work
{
    int slices;
    int next = 0;
    int primes = 0;
};

/// Has a loop do one slice after the other, and counts them. The references are to what count_on()
/// and its caller have until all workers have ended.
Coroutine<> worker(Work &work, QAsyncioLoop &loop, int &done)
{
    while (work.next < work.slices) {
        const int slice = work.next++;
        work.primes += co_await on_loop(loop, count_primes, slice);
        ++done;
    }
}

/// The references are to locals of main_task(), which waits for this.
Coroutine<int> count_on(const std::vector<QAsyncioLoop *> &loops, int slices,
                        std::vector<int> &done)
{
    Work work{slices};
    done.assign(loops.size(), 0);
    const auto body = [&](TaskGroup &group) -> Coroutine<> {
        for (std::size_t i = 0; i < loops.size(); ++i) {
            for (int j = 0; j < slices_at_once; ++j)
                group.create_task(worker(work, *loops[i], done[i]));
        }
        co_return;
    };
    co_await task_group(body);
    co_return work.primes;
}

Coroutine<int> main_task(int slices)
{
    QTextStream out(stdout);
    std::vector<std::unique_ptr<LoopThread>> threads;
    std::vector<QAsyncioLoop *> loops;
    for (int i = 0; i < QThread::idealThreadCount(); ++i) {
        threads.push_back(std::make_unique<LoopThread>(QStringLiteral("core %1").arg(i + 1)));
        loops.push_back(&threads.back()->loop());
    }
    QElapsedTimer timer;
    std::vector<int> done;

    timer.start();
    const std::vector<QAsyncioLoop *> first(1, loops[0]);
    const int expected = co_await count_on(first, slices, done);
    const qint64 alone = timer.restart();
    const int primes = co_await count_on(loops, slices, done);
    const qint64 together = timer.elapsed();

    out << primes << " primes below " << slices * slice_size << '\n';
    for (std::size_t i = 0; i < loops.size(); ++i)
        out << "core " << i + 1 << ": " << done[i] << " slices\n";
    out << "one loop: " << alone << " ms, " << loops.size() << " loops: " << together << " ms\n";
    co_return primes == expected ? 0 : 1;
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    bool is_number = true;
    const int slices = argc > 1 ? app.arguments().at(1).toInt(&is_number) : 100;
    if (argc > 2 || !is_number || slices < 1 || slices > 100'000) {
        QTextStream(stderr) << "usage: qasyncio-cores [SLICES], 1 to 100000, default 100\n";
        return 2;
    }
    return run(app, main_task(slices));
}
