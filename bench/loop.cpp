// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
//
// QAsyncio itself: `bench_loop WORK [N]`.
#include <qasyncio.h>

#include "sender.h"
#include "ticks.h"

#include <QCoreApplication>

#include <dirent.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <limits>
#include <string>
#include <thread>

using namespace QAsyncio;
using namespace std::chrono_literals;

namespace {

/// A pipe on which nothing ever comes: the selector has something to ask, as uvloop's has.
struct IdleDescriptor
{
    explicit IdleDescriptor(QAsyncioLoop &loop) : loop(loop)
    {
        if (pipe(ends) != 0)
            std::abort();
        loop.add_reader(ends[0], [] { });
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

Coroutine<> take_and_release(int n)
{
    Lock lock;
    for (int i = 0; i < n; ++i) {
        co_await lock.acquire();
        lock.release();
    }
}

// A lock that nobody else wants: acquire and release.
bench::Result lock(int n)
{
    QAsyncioLoop loop;
    const bench::Stopwatch watch;
    loop.run_until_complete(take_and_release(n));
    return bench::per_op(watch, n);
}

Coroutine<> visit(Lock &lock, int n)
{
    for (int i = 0; i < n; ++i) {
        const auto held = co_await lock.scoped();
        co_await sleep(0s);
    }
}

Coroutine<> two_visitors(int n)
{
    Lock lock;
    Task<> first = create_task(visit(lock, n / 2));
    Task<> second = create_task(visit(lock, n / 2));
    co_await first;
    co_await second;
}

// Two tasks that want one lock, and keep it for a turn; one operation is one of them having had it.
bench::Result lock_handover(int n)
{
    QAsyncioLoop loop;
    const bench::Stopwatch watch;
    loop.run_until_complete(two_visitors(n));
    return bench::per_op(watch, n);
}

Coroutine<> put_all(Queue<int> &queue, int n)
{
    for (int i = 0; i < n; ++i)
        co_await queue.put(i);
}

Coroutine<std::int64_t> get_all(Queue<int> &queue, int n)
{
    std::int64_t sum = 0;
    for (int i = 0; i < n; ++i)
        sum += co_await queue.get();
    co_return sum;
}

Coroutine<std::int64_t> put_and_get(int n)
{
    Queue<int> queue(1);
    Task<> putting = create_task(put_all(queue, n));
    const std::int64_t sum = co_await get_all(queue, n);
    co_await putting;
    co_return sum;
}

// One task puts, another one gets, with room for one item: both wait again and again.
bench::Result queue(int n)
{
    QAsyncioLoop loop;
    const bench::Stopwatch watch;
    check(loop.run_until_complete(put_and_get(n)) == sum_below(n));
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

// What is left of the memory of n tasks that were alive at once, when all have ended and the loop
// has nothing to do.
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

Coroutine<std::int64_t> get_all(Channel<int> &channel, int n)
{
    std::int64_t sum = 0;
    for (int i = 0; i < n; ++i)
        sum += co_await channel.get();
    co_return sum;
}

bench::Result from_worker(int room, int n)
{
    QAsyncioLoop loop;
    Channel<int> channel(room);
    const bench::Stopwatch watch;
    std::thread worker([n, out = channel.sender()] {
        for (int i = 0; i < n; ++i)
            out.sync_put(i);
    });
    check(loop.run_until_complete(get_all(channel, n)) == sum_below(n));
    worker.join();
    return bench::per_op(watch, n);
}

// A thread puts, a task gets: without a limit, and with room for 1,000 items, so that the thread
// waits again and again.
bench::Result channel(int n)
{
    return from_worker(0, n);
}

bench::Result channel_bounded(int n)
{
    return from_worker(1'000, n);
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

/// A thread that writes the time into a pipe now and then; and how long it took until the loop read
/// it.
class Stamps
{
public:
    Stamps(QAsyncioLoop &loop, int n, std::function<void()> done) : m_loop(loop)
    {
        if (pipe(m_ends) != 0)
            std::abort();
        loop.add_reader(m_ends[0], [this, n, done = std::move(done)] {
            std::int64_t stamp = 0;
            check(read(m_ends[0], &stamp, sizeof stamp) == sizeof stamp);
            m_waits.push_back(double(now_ns() - stamp) / 1000);
            if (int(m_waits.size()) == n)
                done();
        });
        m_thread = std::thread([this, n] {
            bench::Delays delays;
            for (int i = 0; i < n; ++i) {
                std::this_thread::sleep_for(
                    std::chrono::microseconds(2000 + delays.next_us() % 1000));
                const std::int64_t stamp = now_ns();
                check(write(m_ends[1], &stamp, sizeof stamp) == sizeof stamp);
            }
        });
    }
    ~Stamps()
    {
        m_thread.join();
        m_loop.remove_reader(m_ends[0]);
        close(m_ends[0]);
        close(m_ends[1]);
    }

    bench::Result p99()
    {
        std::sort(m_waits.begin(), m_waits.end());
        return {"p99_us", m_waits[m_waits.size() * 99 / 100]};
    }

private:
    static std::int64_t now_ns()
    {
        return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
    }

    QAsyncioLoop &m_loop;
    int m_ends[2];
    std::vector<double> m_waits;
    std::thread m_thread;
};

// A descriptor that becomes ready beside a callback that schedules itself without end.
bench::Result fd_beside_chain(int n)
{
    QAsyncioLoop loop;
    int endless = std::numeric_limits<int>::max();
    Stamps stamps(loop, n, [&] { endless = 1; });
    loop.call_soon(Chain{&loop, &endless});
    loop.run_forever();
    return stamps.p99();
}

void spin(std::chrono::nanoseconds time)
{
    const auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begin < time) {
    }
}

// What a thousand callbacks of a microsecond take by themselves: a little more, since the clock has
// to be read.
bench::Result batch_alone(int n)
{
    const bench::Stopwatch watch;
    for (int i = 0; i < 1'000 * n; ++i)
        spin(1us);
    return {"us", watch.ns() / 1000 / n};
}

// The same beside a thousand callbacks that take a microsecond each and schedule themselves.
bench::Result fd_beside_batches(int n)
{
    QAsyncioLoop loop;
    bool goes_on = true;
    Stamps stamps(loop, n, [&] {
        goes_on = false;
        loop.stop();
    });
    std::function<void()> again = [&] {
        spin(1us);
        if (goes_on)
            loop.call_soon([&] { again(); });
    };
    for (int i = 0; i < 1000; ++i)
        loop.call_soon([&] { again(); });
    loop.run_forever();
    return stamps.p99();
}

// Arm a timer and cancel the one before, beside `others` that are pending.
template<int others>
bench::Result timers_beside(int n)
{
    QAsyncioLoop loop;
    bench::Delays delays;
    const auto some_time = [&] { return 1h + std::chrono::microseconds(delays.next_us()); };
    for (int i = 0; i < others; ++i)
        loop.call_later(some_time(), [] { });
    TimerHandle last = loop.call_later(some_time(), [] { });
    int left = n;
    std::function<void()> next = [&] {
        last.cancel();
        last = loop.call_later(some_time(), [] { });
        if (--left > 0)
            loop.call_soon([&] { next(); });
        else
            loop.stop();
    };
    const bench::Stopwatch watch;
    loop.call_soon([&] { next(); });
    loop.run_forever();
    return bench::per_op(watch, n);
}

Coroutine<double> yield_beside(int others, int n)
{
    Future<> never = get_running_loop().create_future<>();
    gate = &never;
    for (int i = 0; i < others; ++i)
        create_task(wait_at_gate(i));
    co_await sleep(0s);
    const bench::Stopwatch watch;
    co_await two_yielding(n);
    const double taken = watch.ns();
    never.set_result();
    co_await sleep(0s);
    co_await sleep(0s);
    co_return taken / n;
}

// sleep(0) of two tasks beside `others` that wait.
template<int others>
bench::Result tasks_beside(int n)
{
    QAsyncioLoop loop;
    return {"ns_per_op", loop.run_until_complete(yield_beside(others, n))};
}

Coroutine<> wait_and_complete(int waiters, int rounds)
{
    for (int round = 0; round < rounds; ++round) {
        Future<> future = get_running_loop().create_future<>();
        gate = &future;
        std::vector<Task<int>> tasks;
        tasks.reserve(waiters);
        for (int i = 0; i < waiters; ++i)
            tasks.push_back(create_task(wait_at_gate(i)));
        co_await sleep(0s);
        future.set_result();
        for (Task<int> &task : tasks)
            co_await task;
    }
}

// A task that awaits a future, for which `count` tasks wait.
template<int count>
bench::Result waiters(int n)
{
    QAsyncioLoop loop;
    const bench::Stopwatch watch;
    loop.run_until_complete(wait_and_complete(count, n / count));
    return bench::per_op(watch, n);
}

Coroutine<> write_blocks(StreamWriter &writer, int n)
{
    const QByteArray block(bench::block_size, 'x');
    for (int i = 0; i < n; ++i) {
        writer.write(block);
        co_await writer.drain();
    }
    writer.close();
}

Coroutine<std::int64_t> read_blocks(StreamReader &reader)
{
    std::int64_t size = 0;
    while (!reader.at_eof())
        size += (co_await reader.read(bench::block_size)).size();
    co_return size;
}

Coroutine<std::int64_t> write_and_read(int n)
{
    int ends[2];
    check(pipe(ends) == 0);
    StreamReader reader = get_running_loop().connect_read_pipe(ends[0]);
    StreamWriter writer = get_running_loop().connect_write_pipe(ends[1]);
    Task<> writing = create_task(write_blocks(writer, n));
    const std::int64_t size = co_await read_blocks(reader);
    co_await writing;
    co_return size;
}

// Blocks of 64 KiB from one task to another, through a pipe.
bench::Result pipe_stream(int n)
{
    QAsyncioLoop loop;
    const bench::Stopwatch watch;
    check(loop.run_until_complete(write_and_read(n)) == std::int64_t(n) * bench::block_size);
    return bench::per_op(watch, n);
}

Coroutine<> start_and_wait(int n)
{
    for (int i = 0; i < n; ++i) {
        Process process = co_await create_subprocess_exec("/bin/true");
        check(co_await process.wait() == 0);
    }
}

// Start a program and wait for its end, in real time.
bench::Result subprocess(int n)
{
    QAsyncioLoop loop;
    const bench::Clock clock;
    loop.run_until_complete(start_and_wait(n));
    return {"us", clock.us() / n};
}

// A descriptor that is ready again and again, beside `others` on which nothing comes. Needs that
// many descriptors.
template<int others>
bench::Result fds_beside(int n)
{
    const rlimit enough{others + 100, others + 100};
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < enough.rlim_cur && setrlimit(RLIMIT_NOFILE, &enough) != 0) {
        std::fprintf(stderr, "no more than %ld descriptors\n", long(limit.rlim_max));
        std::exit(3);
    }
    QAsyncioLoop loop;
    std::vector<int> idle;
    for (int i = 0; i < others; ++i) {
        idle.push_back(eventfd(0, EFD_NONBLOCK));
        loop.add_reader(idle.back(), [] { });
    }
    const int busy = eventfd(1, EFD_NONBLOCK);
    int left = n;
    loop.add_reader(busy, [&] {
        std::uint64_t value = 0;
        check(read(busy, &value, sizeof value) == sizeof value);
        check(write(busy, &value, sizeof value) == sizeof value);
        if (--left == 0)
            loop.stop();
    });
    const bench::Stopwatch watch;
    loop.run_forever();
    const bench::Result result = bench::per_op(watch, n);
    loop.close();
    for (const int fd : idle)
        close(fd);
    close(busy);
    return result;
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
        {"lock", 20'000'000, lock},
        {"lock_handover", 2'000'000, lock_handover},
        {"queue", 2'000'000, queue},
        {"pipe_stream", 8'000, pipe_stream},
        {"subprocess", 500, subprocess},
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
        {"channel", 2'000'000, channel},
        {"channel_bounded", 2'000'000, channel_bounded},
        {"idle", 10, idle},
        {"fair_timer", 1'000, fair_timer},
        {"fd_beside_chain", 1'000, fd_beside_chain},
        {"fd_beside_batches", 1'000, fd_beside_batches},
        {"batch_alone", 1'000, batch_alone},
        {"timers_10", 1'000'000, timers_beside<10>},
        {"timers_1000", 1'000'000, timers_beside<1'000>},
        {"timers_100000", 1'000'000, timers_beside<100'000>},
        {"tasks_10", 2'000'000, tasks_beside<10>},
        {"tasks_1000", 2'000'000, tasks_beside<1'000>},
        {"tasks_100000", 2'000'000, tasks_beside<100'000>},
        {"waiters_10", 500'000, waiters<10>},
        {"waiters_1000", 500'000, waiters<1'000>},
        {"waiters_100000", 500'000, waiters<100'000>},
        {"fds_10", 200'000, fds_beside<10>},
        {"fds_1000", 200'000, fds_beside<1'000>},
        {"fds_10000", 200'000, fds_beside<10'000>},
    };
    return bench::run(argc, argv, works);
}
