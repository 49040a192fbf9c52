// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
//
// QAsyncio itself: `bench_loop WORK [N]`.
#include <qasyncio.h>

#include "sender.h"
#include "ticks.h"

#include <QCoreApplication>

#include <dirent.h>
#include <unistd.h>

#include <limits>
#include <string>
#include <thread>

using namespace QAsyncio;
using namespace std::chrono_literals;

namespace {

/// A pipe on which nothing ever comes: the selector has something to ask, as uvloop's has.
struct IdleDescriptor
{
    explicit IdleDescriptor(QAsyncioLoop &loop)
        : loop(loop)
    {
        if (pipe(ends) != 0)
            std::abort();
        loop.add_reader(ends[0], [] {});
    }
    ~IdleDescriptor()
    {
        loop.remove_reader(ends[0]);
        close(ends[0]);
        close(ends[1]);
    }
    QAsyncioLoop &loop;
    int ends[2];
};

void check(bool ok)
{
    if (!ok)
        std::abort();
}

std::int64_t sum_below(std::int64_t n)
{
    return n * (n - 1) / 2;
}

struct Chain
{
    QAsyncioLoop *loop;
    int *left;
    void operator()() const
    {
        if (--*left > 0)
            loop->call_soon(*this);
        else
            loop->stop();
    }
};

bench::Result chain(QAsyncioLoop &loop, int n)
{
    IdleDescriptor idle(loop);
    int left = n;
    const bench::Stopwatch watch;
    loop.call_soon(Chain{&loop, &left});
    loop.run_forever();
    return bench::per_op(watch, n);
}

// A callback that schedules itself.
bench::Result call_soon(int n)
{
    QAsyncioLoop loop;
    return chain(loop, n);
}

// The same in strict mode: the selector is asked in every turn.
bench::Result call_soon_strict(int n)
{
    QAsyncioLoop loop(LoopOptions().strict(true));
    return chain(loop, n);
}

Coroutine<> yield(int n)
{
    for (int i = 0; i < n; ++i)
        co_await sleep(0s);
}

Coroutine<> two_yielding(int n)
{
    Task<> first = create_task(yield(n / 2));
    Task<> second = create_task(yield(n / 2));
    co_await first;
    co_await second;
}

// Two tasks that take turns; one operation is one co_await sleep(0).
bench::Result sleep0(int n)
{
    QAsyncioLoop loop;
    IdleDescriptor idle(loop);
    const bench::Stopwatch watch;
    loop.run_until_complete(two_yielding(n));
    return bench::per_op(watch, n);
}

Coroutine<int> child(int i)
{
    co_return i;
}

Coroutine<std::int64_t> await_children(int n)
{
    std::int64_t sum = 0;
    for (int i = 0; i < n; ++i)
        sum += co_await child(i);
    co_return sum;
}

// co_await of a Coroutine<int> that returns at once.
bench::Result await_ready(int n)
{
    QAsyncioLoop loop;
    const bench::Stopwatch watch;
    check(loop.run_until_complete(await_children(n)) == sum_below(n));
    return bench::per_op(watch, n);
}

Coroutine<int> once(int i)
{
    co_await sleep(0s);
    co_return i;
}

Coroutine<std::int64_t> create_and_await(int n)
{
    std::int64_t sum = 0;
    std::vector<Task<int>> tasks;
    tasks.reserve(n);
    for (int i = 0; i < n; ++i)
        tasks.push_back(create_task(once(i)));
    for (Task<int> &task : tasks)
        sum += co_await task;
    co_return sum;
}

// create_task n times, all alive at once; each suspends once and is awaited.
bench::Result tasks(int n)
{
    QAsyncioLoop loop;
    const bench::Stopwatch watch;
    check(loop.run_until_complete(create_and_await(n)) == sum_below(n));
    return bench::per_op(watch, n);
}

Future<void> *gate;

Coroutine<int> wait_at_gate(int i)
{
    co_await *gate;
    co_return i;
}

Coroutine<double> suspend_all(int n)
{
    const double before = bench::resident_bytes();
    for (int i = 0; i < n; ++i)
        create_task(wait_at_gate(i));
    co_await sleep(0s); // behind the first step of each
    co_await sleep(0s);
    const double after = bench::resident_bytes();
    gate->set_result();
    co_await sleep(0s);
    co_await sleep(0s);
    co_return (after - before) / n;
}

// Resident memory of one task suspended on a future that all wait for.
bench::Result task_memory(int n)
{
    QAsyncioLoop loop;
    Future<void> future = loop.create_future<void>();
    gate = &future;
    return {"bytes", loop.run_until_complete(suspend_all(n))};
}

// Resident memory of one pending call_later().
bench::Result timer_memory(int n)
{
    QAsyncioLoop loop;
    const double before = bench::resident_bytes();
    for (int i = 0; i < n; ++i)
        loop.call_later(1h, [i] { static_cast<void>(i); });
    return {"bytes", (bench::resident_bytes() - before) / n};
}

AsyncGenerator<int> count_to(int n)
{
    for (int i = 0; i < n; ++i)
        co_yield i;
}

Coroutine<std::int64_t> sum_of_generator(int n)
{
    std::int64_t sum = 0;
    auto generator = count_to(n);
    while (auto value = co_await generator.next())
        sum += *value;
    co_return sum;
}

// One value of an AsyncGenerator.
bench::Result generator(int n)
{
    QAsyncioLoop loop;
    const bench::Stopwatch watch;
    check(loop.run_until_complete(sum_of_generator(n)) == sum_below(n));
    return bench::per_op(watch, n);
}

Coroutine<double> keep_generators(int n)
{
    std::vector<AsyncGenerator<int>> generators;
    generators.reserve(n);
    const double before = bench::resident_bytes();
    for (int i = 0; i < n; ++i) {
        generators.push_back(count_to(1));
        co_await generators.back().next();
    }
    co_return (bench::resident_bytes() - before) / n - double(sizeof(AsyncGenerator<int>));
}

// Resident memory of one generator that stands at a co_yield.
bench::Result generator_memory(int n)
{
    QAsyncioLoop loop;
    return {"bytes", loop.run_until_complete(keep_generators(n))};
}

Coroutine<> spawn_and_await(int n)
{
    for (int i = 0; i < n; i += 100) {
        Task<int> tasks[100];
        for (Task<int> &task : tasks)
            task = create_task(once(i));
        for (Task<int> &task : tasks)
            co_await task;
    }
}

// What n tasks, spawned and finished, leave behind, after some to warm up.
bench::Result growth(int n)
{
    QAsyncioLoop loop;
    loop.run_until_complete(spawn_and_await(n / 10));
    const double before = bench::resident_bytes();
    loop.run_until_complete(spawn_and_await(n));
    return {"kib", (bench::resident_bytes() - before) / 1024};
}

// What is left of the memory of n tasks that were alive at once, when all have ended and the loop has nothing to do.
bench::Result given_back(int n)
{
    QAsyncioLoop loop;
    const double before = bench::resident_bytes();
    check(loop.run_until_complete(create_and_await(n)) == sum_below(n));
    loop.call_later(10ms, [&] { loop.stop(); });
    loop.run_forever();
    return {"kib", (bench::resident_bytes() - before) / 1024};
}

// Arm n timers of 1 to 100 ms, cancel every second one, run the rest.
bench::Result timers(int n)
{
    QAsyncioLoop loop;
    bench::Delays delays;
    std::vector<TimerHandle> handles;
    int left = n / 2;
    const bench::Stopwatch watch;
    loop.call_soon([&] {
        handles.reserve(n);
        for (int i = 0; i < n; ++i) {
            handles.push_back(loop.call_later(std::chrono::microseconds(delays.next_us()), [&] {
                if (--left == 0)
                    loop.stop();
            }));
        }
        for (int i = 0; i < n; i += 2)
            handles[i].cancel();
    });
    loop.run_forever();
    return bench::per_op(watch, n);
}

Coroutine<std::int64_t> receive(QAsyncioLoop &loop, int n)
{
    Sender sender;
    std::int64_t sum = 0;
    for (int i = 0; i < n; ++i) {
        loop.call_soon([&sender, i] { Q_EMIT sender.fired(i); });
        sum += co_await from_signal(&sender, &Sender::fired);
    }
    co_return sum;
}

// Connect, suspend; a callback emits; be resumed by the loop with the argument.
bench::Result signal(int n)
{
    QAsyncioLoop loop;
    const bench::Stopwatch watch;
    check(loop.run_until_complete(receive(loop, n)) == sum_below(n));
    return bench::per_op(watch, n);
}

// Four threads schedule callbacks.
bench::Result threadsafe(int n)
{
    QAsyncioLoop loop;
    int left = n;
    const auto call = [&] {
        if (--left == 0)
            loop.stop();
    };
    const bench::Stopwatch watch;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < n / 4; ++i)
                loop.call_soon_threadsafe(call);
        });
    }
    loop.run_forever();
    for (std::thread &thread : threads)
        thread.join();
    return bench::per_op(watch, n);
}

/// Times that the threads of this process, but for the calling one, went to sleep.
long sleeps_of_the_others()
{
    long sum = 0;
    DIR *threads = opendir("/proc/self/task");
    while (const dirent *entry = readdir(threads)) {
        if (entry->d_name[0] == '.' || std::atoi(entry->d_name) == gettid())
            continue;
        const std::string path = std::string("/proc/self/task/") + entry->d_name + "/status";
        if (FILE *status = std::fopen(path.c_str(), "r")) {
            char line[256];
            long count = 0;
            while (std::fgets(line, sizeof line, status)) {
                if (std::sscanf(line, "voluntary_ctxt_switches: %ld", &count) == 1)
                    sum += count;
            }
            std::fclose(status);
        }
    }
    closedir(threads);
    return sum;
}

// Wake-ups in n seconds of a loop with a descriptor and a task that wait for what never comes.
bench::Result idle(int n)
{
    QAsyncioLoop loop;
    IdleDescriptor descriptor(loop);
    Future<void> never = loop.create_future<void>();
    gate = &never;
    long wakeups = 0;
    std::thread observer([&] {
        std::this_thread::sleep_for(1s); // start-up is over
        const long before = sleeps_of_the_others();
        std::this_thread::sleep_for(std::chrono::seconds(n));
        wakeups = sleeps_of_the_others() - before;
        loop.call_soon_threadsafe([&] { never.set_result(); });
    });
    loop.run_until_complete(wait_at_gate(0));
    observer.join();
    return {"wakeups", double(wakeups)};
}

// A 2 ms timer of Qt's beside a callback that schedules itself without end.
bench::Result fair_timer(int n)
{
    QAsyncioLoop loop;
    IdleDescriptor idle(loop);
    int endless = std::numeric_limits<int>::max();
    Ticks ticks(n, [&] { endless = 1; });
    loop.call_soon(Chain{&loop, &endless});
    loop.run_forever();
    return ticks.p99();
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    static const bench::Work works[] = {
        {"call_soon", 5'000'000, call_soon},
        {"call_soon_strict", 2'000'000, call_soon_strict},
        {"sleep0", 5'000'000, sleep0},
        {"await_ready", 20'000'000, await_ready},
        {"tasks", 200'000, tasks},
        {"task_memory", 200'000, task_memory},
        {"timer_memory", 200'000, timer_memory},
        {"generator", 5'000'000, generator},
        {"generator_memory", 200'000, generator_memory},
        {"growth", 10'000'000, growth},
        {"given_back", 1'000'000, given_back},
        {"timers", 100'000, timers},
        {"signal", 1'000'000, signal},
        {"threadsafe", 1'000'000, threadsafe},
        {"idle", 10, idle},
        {"fair_timer", 1'000, fair_timer},
    };
    return bench::run(argc, argv, works);
}
