// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qrandom.h>

#include <cstring>

namespace {

/// How many lie where they must not.
std::atomic<int> misplaced{0};
/// How many there are.
std::atomic<int> alive{0};

template<std::size_t Alignment>
class alignas(Alignment) Aligned
{
public:
    Aligned() { made(); }
    Aligned(const Aligned &) { made(); }
    Aligned &operator=(const Aligned &) = default;
    ~Aligned()
    {
        check();
        --alive;
    }
    void check() const
    {
        if (reinterpret_cast<std::uintptr_t>(this) % Alignment != 0)
            ++misplaced;
    }

private:
    void made() const
    {
        check();
        ++alive;
    }
};

struct Block
{
    void *memory;
    std::size_t size;
};

void fill_and_free(int count, quint32 seed)
{
    QRandomGenerator random(seed);
    std::vector<Block> blocks;
    for (int i = 0; i < count; ++i) {
        const std::size_t size = 16 + random.bounded(i % 8 == 0 ? 20'000u : 600u);
        Block block{detail::allocate(size), size};
        std::memset(block.memory, 0x55, size);
        if (reinterpret_cast<std::uintptr_t>(block.memory)
                    % detail::pool_alignment((size + 15) / 16 * 16)
                != 0
            && size <= 512)
            ++misplaced;
        if (reinterpret_cast<std::uintptr_t>(block.memory) % detail::pool_alignment(size) != 0)
            ++misplaced;
        blocks.push_back(block);
        if (i % 3 == 0) {
            std::swap(blocks[random.bounded(quint32(blocks.size()))], blocks.back());
            detail::deallocate(blocks.back().memory, blocks.back().size);
            blocks.pop_back();
        }
    }
    for (const Block &block : blocks)
        detail::deallocate(block.memory, block.size);
}

template<std::size_t Alignment>
void schedule(QAsyncioLoop &loop, std::vector<Future<>> &futures)
{
    const Aligned<Alignment> value;
    const auto callback = [value] { value.check(); };
    loop.call_soon(callback);
    loop.call_soon([] { }); // of another size, so that the next one lies elsewhere
    loop.call_later(1ms, callback);
    loop.call_soon_threadsafe(callback);
    Future<> future = loop.create_future<>();
    future.add_done_callback(callback);
    future.add_done_callback([value](const Future<> &) { value.check(); });
    loop.call_soon([future]() mutable { future.set_result(); });
    futures.push_back(std::move(future));
}

template<std::size_t Alignment>
Coroutine<> with_locals(char before, Aligned<Alignment> argument, char after)
{
    Aligned<Alignment> local;
    argument.check();
    co_await turns(before + after);
    local.check();
    argument.check();
    const Aligned<Alignment> later = local;
    later.check();
}

template<std::size_t Alignment>
AsyncGenerator<int> generate(Aligned<Alignment> argument)
{
    const Aligned<Alignment> local;
    argument.check();
    co_yield 1;
    argument.check();
    local.check();
}

template<std::size_t Alignment>
AsyncGenerator<Aligned<Alignment>> generate_values()
{
    for (int i = 0; i < 3; ++i)
        co_yield Aligned<Alignment>();
}

/// As results of tasks, as values of generators: each is destroyed as often as it is made.
template<std::size_t Alignment>
Coroutine<> values(QAsyncioLoop &)
{
    const auto give_one = []() -> Coroutine<Aligned<Alignment>> { co_return Aligned<Alignment>(); };
    const Aligned<Alignment> direct = co_await give_one();
    direct.check();
    const Aligned<Alignment> of_a_task = co_await create_task(give_one());
    of_a_task.check();
    auto generator = generate_values<Alignment>();
    for (int i = 0; i < 2; ++i) { // the third one is left in it
        const std::optional<Aligned<Alignment>> value = co_await generator.next();
        value->check();
    }
    co_await generator.aclose();
}

template<std::size_t Alignment>
Coroutine<> everywhere(QAsyncioLoop &)
{
    for (char i = 0; i < 20; ++i) {
        const Aligned<Alignment> value;
        co_await with_locals(i, value, 1);
        co_await create_task(with_locals(1, value, i));
        auto generator = generate(value);
        while (true) {
            const std::optional<int> next = co_await generator.next();
            if (!next)
                break;
        }
        const auto body = [value](TaskGroup &group) -> Coroutine<> {
            group.create_task(with_locals<Alignment>, char(1), value, char(1));
            co_await turns(2);
            value.check();
        };
        co_await task_group(body);
        const auto scope = [value](Timeout &) -> Coroutine<> {
            co_await turns(1);
            value.check();
        };
        co_await timeout(1s, scope);
    }
}

template<std::size_t Alignment>
Coroutine<> in_threads(QAsyncioLoop &loop)
{
    LoopThread worker;
    const Aligned<Alignment> value;
    for (int i = 0; i < 5; ++i) {
        const auto work = [value](const Aligned<Alignment> &argument) {
            value.check();
            argument.check();
        };
        co_await to_thread(work, value);
        co_await loop.run_in_executor(nullptr, work, value);
        co_await on_loop(worker.loop(), with_locals<Alignment>, char(1), value, char(2));
        auto future = run_coroutine_threadsafe(with_locals(1, value, 2), worker.loop());
        future.result();
    }
}

} // namespace

/// Values that must lie at multiples of more than a pointer has: SIMD vectors, what has a cache
/// line for itself. As captures of callbacks, as arguments and locals of coroutines. As results:
/// tst_result_types.
class tst_alignment : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void blocksOfThePoolAreAlignedAsTheirSizesAre()
    {
        misplaced = 0;
        for (quint32 seed = 0; seed < 10; ++seed)
            fill_and_free(3000, seed);
        QCOMPARE(misplaced.load(), 0);
    }

    void blocksStayAlignedInOtherThreads()
    {
        misplaced = 0;
        std::vector<std::unique_ptr<QThread>> threads;
        for (quint32 i = 0; i < 4; ++i)
            threads.emplace_back(QThread::create([i] { fill_and_free(20'000, i); }))->start();
        for (const auto &thread : threads)
            thread->wait();
        QCOMPARE(misplaced.load(), 0);
    }

    void callbacks()
    {
        misplaced = 0;
        QAsyncioLoop loop;
        std::vector<Future<>> futures;
        for (int i = 0; i < 100; ++i) {
            schedule<16>(loop, futures);
            schedule<32>(loop, futures);
            schedule<64>(loop, futures);
            schedule<256>(loop, futures);
            schedule<1024>(loop, futures);
            schedule<4096>(loop, futures);
        }
        loop.run_until_complete(sleeper(20ms));
        loop.close();
        QCOMPARE(misplaced.load(), 0);
    }

    void callbacksOfOtherKinds()
    {
        misplaced = 0;
        QAsyncioLoop loop;
        const Aligned<64> value;
        const Pipe pipe;
        pipe.fill();
        int calls = 0;
        for (int i = 0; i < 10; ++i) {
            loop.add_reader(pipe.read_end(), [&calls, value] {
                value.check();
                ++calls;
            });
            loop.add_writer(pipe.write_end(), [value] { value.check(); });
        }
        loop.run_until_complete(sleeper(5ms));
        loop.remove_reader(pipe.read_end());
        loop.remove_writer(pipe.write_end());
        loop.close();
        QVERIFY(calls > 0);
        QCOMPARE(misplaced.load(), 0);
    }

    void argumentsAndLocalsOfCoroutines()
    {
        misplaced = 0;
        for (const auto body :
             {everywhere<16>, everywhere<32>, everywhere<64>, everywhere<256>, everywhere<1024>})
            Test::run(body);
        QCOMPARE(misplaced.load(), 0);
    }

    void resultsAndValuesAreDestroyedAsOftenAsMade()
    {
        misplaced = 0;
        alive = 0;
        for (const auto body : {values<16>, values<32>, values<64>, values<256>, values<1024>})
            Test::run(body);
        QCOMPARE(misplaced.load(), 0);
        QCOMPARE(alive.load(), 0);
    }

    void functionsInThreads()
    {
        misplaced = 0;
        for (const auto body : {in_threads<32>, in_threads<64>, in_threads<1024>})
            Test::run(body);
        QCOMPARE(misplaced.load(), 0);
    }
};

QTEST_GUILESS_MAIN(tst_alignment)
#include "tst_alignment.moc"
