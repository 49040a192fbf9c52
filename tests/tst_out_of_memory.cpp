// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qelapsedtimer.h>
#include <QtCore/qlogging.h>
#include <QtCore/qscopeguard.h>
#include <QtCore/qtimer.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <thread>

#include <link.h>

#if defined(__has_feature)
#  if __has_feature(thread_sanitizer)
#    define KEEP_OPERATOR_NEW
#  endif
#endif
#ifdef KEEP_OPERATOR_NEW
constexpr bool replaces_operator_new = false;
#else
constexpr bool replaces_operator_new = true;
#endif

namespace {

thread_local long allocations_left = -1; // until one fails; -1: none does
thread_local long failures_left = 0;     // how many more fail then
thread_local bool has_failed = false;

struct Range
{
    std::uintptr_t begin;
    std::uintptr_t end;
};
Range qt_code[32];
int qt_ranges = 0;

/// The code of the libraries whose own allocations are not to fail.
int note_library(dl_phdr_info *info, std::size_t, void *)
{
    const char *const name = std::strrchr(info->dlpi_name, '/');
    if (!name || (!std::strstr(name, "libQt6") && !std::strstr(name, "libglib")))
        return 0;
    for (int i = 0; i < info->dlpi_phnum && qt_ranges < 32; ++i) {
        const auto &segment = info->dlpi_phdr[i];
        if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X))
            qt_code[qt_ranges++] = {info->dlpi_addr + segment.p_vaddr,
                                    info->dlpi_addr + segment.p_vaddr + segment.p_memsz};
    }
    return 0;
}

bool is_qt(const void *caller)
{
    const auto address = reinterpret_cast<std::uintptr_t>(caller);
    for (int i = 0; i < qt_ranges; ++i) {
        if (address >= qt_code[i].begin && address < qt_code[i].end)
            return true;
    }
    return false;
}

bool fails(const void *caller)
{
    if (allocations_left < 0 || is_qt(caller))
        return false;
    if (allocations_left > 0) {
        --allocations_left;
        return false;
    }
    if (failures_left-- <= 0)
        allocations_left = -1;
    has_failed = true;
    return true;
}

void *get_memory(std::size_t size, std::size_t alignment, const void *caller)
{
    if (fails(caller))
        return nullptr;
    return alignment <= 16
        ? std::malloc(size ? size : 1)
        : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

[[maybe_unused]] void *get_memory_or_throw(std::size_t size, std::size_t alignment,
                                           const void *caller)
{
    void *const memory = get_memory(size, alignment, caller);
    if (!memory)
        throw std::bad_alloc();
    return memory;
}

} // namespace

#ifndef KEEP_OPERATOR_NEW
void *operator new(std::size_t size)
{
    return get_memory_or_throw(size, 16, __builtin_return_address(0));
}
void *operator new[](std::size_t size)
{
    return get_memory_or_throw(size, 16, __builtin_return_address(0));
}
void *operator new(std::size_t size, std::align_val_t alignment)
{
    return get_memory_or_throw(size, std::size_t(alignment), __builtin_return_address(0));
}
void *operator new[](std::size_t size, std::align_val_t alignment)
{
    return get_memory_or_throw(size, std::size_t(alignment), __builtin_return_address(0));
}
void *operator new(std::size_t size, const std::nothrow_t &) noexcept
{
    return get_memory(size, 16, __builtin_return_address(0));
}
void *operator new[](std::size_t size, const std::nothrow_t &) noexcept
{
    return get_memory(size, 16, __builtin_return_address(0));
}
void operator delete(void *memory) noexcept
{
    std::free(memory);
}
void operator delete[](void *memory) noexcept
{
    std::free(memory);
}
void operator delete(void *memory, std::size_t) noexcept
{
    std::free(memory);
}
void operator delete[](void *memory, std::size_t) noexcept
{
    std::free(memory);
}
void operator delete(void *memory, std::align_val_t) noexcept
{
    std::free(memory);
}
void operator delete[](void *memory, std::align_val_t) noexcept
{
    std::free(memory);
}
void operator delete(void *memory, std::size_t, std::align_val_t) noexcept
{
    std::free(memory);
}
void operator delete[](void *memory, std::size_t, std::align_val_t) noexcept
{
    std::free(memory);
}
#endif

namespace {

/// While it lives this thread gets no memory.
class NoMemory
{
public:
    NoMemory()
    {
        has_failed = false;
        failures_left = std::numeric_limits<long>::max();
        allocations_left = 0;
    }
    ~NoMemory()
    {
        allocations_left = -1;
        failures_left = 0;
    }
    Q_DISABLE_COPY_MOVE(NoMemory)
};

/// Counts itself: what is left behind is seen without a leak checker, too.
class Counted
{
public:
    Counted() { ++alive; }
    Counted(const Counted &) { ++alive; }
    ~Counted() { --alive; }
    static int alive;
};
int Counted::alive = 0;

using Body = std::function<Coroutine<>(QAsyncioLoop &)>;

void end_tasks(QAsyncioLoop &loop)
{
    for (int round = 0; round < 10 && !loop.all_tasks().empty(); ++round) {
        for (AnyTask task : loop.all_tasks())
            task.cancel();
        loop.call_later(1h, [&] { loop.stop(); });
        loop.run_forever();
    }
}

/// One run with the allocation `n` failing. False if there were fewer.
bool fails_at(long n, const Body &body)
{
    auto loop = std::make_unique<QAsyncioLoop>(
        LoopOptions().clock(std::make_shared<VirtualClock>()));
    loop->set_exception_handler([](QAsyncioLoop &, const ExceptionContext &) { });
    detail::LoopCore &core = loop->core();
    core.retain();
    bool hangs = false;
    {
        QTimer watchdog;
        QObject::connect(&watchdog, &QTimer::timeout, [&] {
            hangs = true;
            loop->stop();
        });
        watchdog.start(5000);
        has_failed = false;
        allocations_left = n;
        try {
            loop->run_until_complete(body(*loop));
        } catch (...) {
            // std::bad_alloc, in whatever it came out of.
        }
        allocations_left = -1;
        end_tasks(*loop);
    }
    loop->close();
    loop.reset();
    const bool left_behind = core.references() != 1;
    core.release();
    if (hangs || left_behind || Counted::alive != 0) {
        const QString text = QStringLiteral("allocation %1: %2, %3 objects left behind").arg(n);
        QTest::qFail(qPrintable(text.arg(hangs             ? u"it hangs"_s
                                             : left_behind ? u"futures left behind"_s
                                                           : QString())
                                    .arg(Counted::alive)),
                     __FILE__, __LINE__);
        Counted::alive = 0;
        return false;
    }
    return has_failed;
}

/// Runs `body` with each of its allocations failing. The pool must be empty of blocks for them to
/// be seen: one in a thread of its own does not find those of earlier runs.
void fail_each(const Body &body)
{
    const auto ignore = [](QtMsgType, const QMessageLogContext &, const QString &) { };
    const auto outer = qInstallMessageHandler(ignore);
    long n = 0;
    while (fails_at(n, body) && n < 2000)
        ++n;
    qInstallMessageHandler(outer);
    QVERIFY(n > 0);
    QVERIFY(n < 2000);
}

Coroutine<int> work(Counted, int value = 1)
{
    const Counted local;
    co_await sleep(1ms);
    co_return value;
}

Coroutine<> wait_for_future(Future<> future, Counted)
{
    co_await future;
}

AsyncGenerator<int> numbers(Counted)
{
    const Counted local;
    for (int i = 0; i < 3; ++i) {
        co_yield i;
        co_await sleep(0s);
    }
}

std::vector<Coroutine<int>> several()
{
    std::vector<Coroutine<int>> all;
    for (int i = 0; i < 5; ++i)
        all.push_back(work(Counted(), i));
    return all;
}

} // namespace

#define RUN(...)                                                                                   \
    fail_each([&]([[maybe_unused]] QAsyncioLoop &loop) -> Coroutine<> { __VA_ARGS__ co_return; })

/// While one of these is there, the pool has no block for this thread.
class EmptyPool
{
public:
    EmptyPool()
    {
        for (std::size_t size = detail::pool_granularity; size <= detail::pool_largest;
             size += detail::pool_granularity) {
            fail_from_here(max_failures);
            try {
                for (;;)
                    m_taken = ::new (detail::allocate(size)) Block{m_taken, size};
            } catch (const std::bad_alloc &) {
            }
        }
    }
    ~EmptyPool()
    {
        allocations_left = -1;
        while (Block *block = m_taken) {
            m_taken = block->next;
            detail::deallocate(block, block->size);
        }
    }
    Q_DISABLE_COPY_MOVE(EmptyPool)

    static constexpr long max_failures = 1'000'000;
    /// The next allocation fails, and so many behind it.
    static void fail_from_here(long more)
    {
        allocations_left = 0;
        failures_left = more;
    }

private:
    struct Block
    {
        Block *next;
        std::size_t size;
    };
    Block *m_taken = nullptr;
};

namespace {
using Large = std::array<char, 2 * detail::pool_largest>; // the pool may have a block for less

SignalStream<Large> large_names(const QObject &sender)
{
    const auto enlarge = [](const QString &name) {
        Large large{};
        large[0] = name.at(0).toLatin1();
        return large;
    };
    return signal_stream(&sender, &QObject::objectNameChanged, enlarge);
}

/// All that is there. The stream is the caller's, who awaits this.
Coroutine<QStringList> rest_of(SignalStream<Large> *stream)
{
    QStringList all;
    while (stream->size() > 0) {
        try {
            const auto next = co_await stream->next();
            all << QString(QLatin1Char(next->front()));
        } catch (const std::bad_alloc &) {
            all << u"lost"_s;
        }
    }
    co_return all;
}

/// The two in the middle have no memory.
void emit_four(QObject *sender)
{
    sender->setObjectName(u"1"_s);
    {
        const NoMemory none;
        sender->setObjectName(u"2"_s);
        sender->setObjectName(u"3"_s);
    }
    sender->setObjectName(u"4"_s);
}
} // namespace

namespace {
Coroutine<int> begins_more(Counted counted)
{
    const Counted local;
    create_task(work(counted));
    create_task(work(counted), TaskOptions().eager_start());
    const int value = co_await work(counted);
    co_return value;
}
} // namespace

struct Foreign
{
    bool await_ready() const { return true; }
    void await_suspend(std::coroutine_handle<>) const { }
    Counted await_resume() const { return Counted(); }
};

namespace {
/// What it waits for does not come. To be cancelled it has to cancel both.
Coroutine<> wait_for_both()
{
    const Counted local;
    std::vector<Future<int>> futures = futures_of(get_running_loop(), 2);
    auto both = gather(futures[0], futures[1]);
    co_await both;
}
} // namespace

/// Everything that allocates, with each allocation failing in turn: an exception, or as if nothing
/// had happened. No terminate, no hang, nothing is left behind. (A leak checker, the asan preset,
/// sees what is lost besides.)
///
/// Allocations that Qt makes itself do not fail here: much of Qt ends the program then, by design.
/// Nor do those of other threads.
class tst_out_of_memory : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        if (!replaces_operator_new)
            QSKIP("the operator new of ThreadSanitizer cannot be replaced");
    }
    void aFailureIsSeen()
    {
        qt_ranges = 0;
        dl_iterate_phdr(note_library, nullptr);
        QVERIFY(qt_ranges > 0);
        allocations_left = 1;
        const auto first = std::make_unique<int>(1);
        QVERIFY_THROWS_EXCEPTION(std::bad_alloc, std::make_unique<int>(2));
        const auto third = std::make_unique<int>(3);
        QVERIFY(first && third);
    }

    void callbacks()
    {
        RUN(const Counted counted; loop.call_soon([counted] { });
            Handle handle = loop.call_soon([counted] { }); handle.cancel(); co_await sleep(0s););
    }

    void manyCallbacks()
    {
        RUN(const Counted counted; int called = 0; int made = 0; for (int i = 0; i < 1000; ++i) {
            try {
                loop.call_soon([counted, &called] { ++called; });
                ++made;
            } catch (const std::bad_alloc &) {
            }
        } co_await sleep(0s);
            QASYNCIO_COMPARE(called, made););
    }

    void callbacksFromOtherThreads()
    {
        RUN(const Counted counted; loop.call_soon_threadsafe([counted] {});
            Future<> done = loop.create_future<>(); in_another_thread([&loop, done] {
                loop.call_soon_threadsafe([done]() mutable { done.set_result(); });
            });
            co_await done;);
    }

    /// There is no memory for the event that wakes the loop, again and again.
    void wakeUps()
    {
        if (QASYNCIO_SANITIZED)
            QSKIP("the handle would have to come from the ordinary heap");
        QAsyncioLoop loop;
        int called = 0;
        int failed = 0;
        std::function<void()> schedule = [&] {
            const NoMemory none;
            loop.call_soon([&] {
                if (++called == 20)
                    loop.stop();
                else
                    QTimer::singleShot(0, qApp, schedule);
            });
            failed += has_failed;
        };
        loop.call_soon([] { }); // its memory is kept for the next
        QTimer::singleShot(0, qApp, schedule);
        QTimer watchdog;
        QObject::connect(&watchdog, &QTimer::timeout, [&] { loop.stop(); });
        watchdog.start(10'000);
        loop.run_forever();
        QCOMPARE(called, 20);
        QVERIFY(failed > 10);
        loop.close();
    }

    void timers()
    {
        RUN(const Counted counted; std::vector<TimerHandle> handles;
            for (int i = 0; i < 20; ++i)
                handles.push_back(loop.call_later(std::chrono::milliseconds(i), [counted] { }));
            handles[3].cancel(); co_await sleep(10ms); handles[15].cancel();
            loop.call_later(1h, [counted] { }););
    }

    void manyTimersThatAreCancelled()
    {
        QAsyncioLoop loop(virtual_time());
        std::vector<TimerHandle> timers;
        int called = 0;
        for (int i = 0; i < 300; ++i)
            timers.push_back(loop.call_later(std::chrono::milliseconds(i % 3 == 0 ? 5 : 60'000),
                                             [&] { ++called; }));
        std::optional<NoMemory> none;
        loop.call_soon([&] { // the next turn clears them away
            for (int i = 0; i < 300; ++i) {
                if (i % 3 != 0)
                    timers[std::size_t(i)].cancel();
            }
            none.emplace();
        });
        loop.call_later(1ms, [&] { none.reset(); });
        loop.call_later(10ms, [&] { loop.stop(); });
        loop.run_forever();
        QCOMPARE(called, 100);
        loop.close();
    }

    void sleeps()
    {
        RUN(const Counted counted; for (int i = 0; i < 5; ++i) {
            try {
                co_await sleep(1ms);
                co_await sleep(0s);
                static_cast<void>(co_await sleep(1ms, counted));
            } catch (const std::bad_alloc &) {
            }
        });
    }

    void futures()
    {
        RUN(const Counted counted; Future<Counted> future = loop.create_future<Counted>();
            int called = 0; int added = 0; for (int i = 0; i < 5; ++i) {
                try {
                    future.add_done_callback([counted, &called] { ++called; });
                    ++added;
                } catch (const std::bad_alloc &) {
                }
            } loop.call_soon([future]() mutable { future.set_result(Counted()); });
            static_cast<void>(co_await future); co_await sleep(0s); QASYNCIO_COMPARE(called, added);
            Future<> failed = loop.create_future<>(); failed.set_exception(ValueError(u"no"_s));
            failed = {};);
    }

    /// So many that their places are kept in a table.
    void manyDoneCallbacks()
    {
        RUN(Future<> future = loop.create_future<>(); std::vector<DoneCallbackId> there;
            there.reserve(200); int removed = 0; for (int i = 0; i < 100; ++i) {
                try {
                    there.push_back(future.add_done_callback([] { }));
                } catch (const std::bad_alloc &) {
                }
                if (i % 10 == 9) {
                    removed += future.remove_done_callback(there[std::size_t(i) / 2]);
                    QASYNCIO_COMPARE(removed, i / 10 + 1);
                }
            } for (const DoneCallbackId &id : there) removed += future.remove_done_callback(id);
            QASYNCIO_COMPARE(removed, int(there.size())); QASYNCIO_VERIFY(unheard(future)););
    }

    /// The failing allocations are those of the other thread.
    void lastHandlesDroppedInAnotherThread()
    {
        // how long it took, in milliseconds, and what died of it
        const auto drop = [](long failing) {
            QAsyncioLoop loop(virtual_time());
            Future<Counted> future = loop.create_future<Counted>();
            future.set_result(Counted());
            QElapsedTimer timer;
            timer.start();
            // join(), unlike QThread::wait(), waits for what the end of a thread gives to the pool.
            std::thread([dropped = std::move(future), failing]() mutable {
                const EmptyPool empty;
                EmptyPool::fail_from_here(failing);
                dropped = {};
            }).join();
            const qint64 elapsed = timer.elapsed();
            run_ready(loop);
            loop.close();
            return std::make_pair(elapsed, std::exchange(Counted::alive, 0));
        };
        QCOMPARE(drop(0).second, 0); // the first fails, the second does not
        QCOMPARE(drop(20).second, 0);
        if (QASYNCIO_SANITIZED)
            return;
        NothingIsLeft::on_purpose = 1;
        const auto [elapsed, leaked] = drop(EmptyPool::max_failures);
        QCOMPARE(leaked, 1); // given up, since nothing else can be done
        QVERIFY2(elapsed >= 1000, qPrintable(QString::number(elapsed)));
    }

    void manyWaitForOneFuture()
    {
        RUN(Future<> gate = loop.create_future<>(); std::vector<Task<>> tasks; tasks.reserve(20);
            for (int i = 0; i < 20; ++i)
                tasks.push_back(create_task(wait_for_future(gate, Counted())));
            co_await sleep(0s); gate.set_result(); for (Task<> &task : tasks) {
                try {
                    co_await task;
                } catch (const std::bad_alloc &) {
                }
            });
    }

    void tasks()
    {
        RUN(std::vector<Task<int>> tasks;
            for (int i = 0; i < 5; ++i) tasks.push_back(create_task(work(Counted(), i)));
            for (int i = 0; i < 5; ++i) QASYNCIO_COMPARE(co_await tasks[std::size_t(i)], i););
    }

    void tasksWithNamesAndContexts()
    {
        static ContextVar<Counted> variable(u"variable"_s);
        RUN(QObject object; Counted counted; Context context = copy_context();
            context.run([&] { variable.set(counted); });
            Task<int> task = create_task(
                work(counted), TaskOptions().name(u"name"_s).context(&object).context(context));
            Task<int> eager = create_task(work(counted),
                                          TaskOptions().eager_start().name(u"eager"_s));
            co_await task; co_await eager;);
    }

    void awaits()
    {
        RUN(for (int i = 0; i < 5; ++i) {
            try {
                QASYNCIO_COMPARE(co_await work(Counted(), i), i);
            } catch (const std::bad_alloc &) {
            }
        });
    }

    void gathers()
    {
        RUN(const auto all = co_await gather(work(Counted(), 1), work(Counted(), 2),
                                             work(Counted(), 3));
            QASYNCIO_COMPARE(std::get<2>(all), 3);
            const auto outcomes = co_await gather(return_exceptions, several());
            QASYNCIO_COMPARE(outcomes.size(), std::size_t(5)););
    }

    void waits()
    {
        RUN(std::vector<Task<int>> tasks;
            for (int i = 0; i < 5; ++i) tasks.push_back(create_task(work(Counted(), i)));
            const WaitOptions options = WaitOptions().timeout(1h);
            const auto result = co_await wait(tasks, options);
            QASYNCIO_COMPARE(result.done.size(), std::size_t(5)););
    }

    void waitsForALimitedTime()
    {
        RUN(QASYNCIO_COMPARE(co_await wait_for(work(Counted(), 7), 1s), 7);
            Future<> never = loop.create_future<>();
            const QString error = co_await error_of(wait_for(never, 1ms));
            QASYNCIO_VERIFY(!error.isEmpty()););
    }

    void timeouts()
    {
        RUN(
            const auto body = [](Timeout &scope) -> Coroutine<int> {
                scope.reschedule(std::nullopt);
                const int value = co_await work(Counted(), 8);
                co_return value;
            };
            QASYNCIO_COMPARE(co_await timeout(1h, body), 8);
            const auto late = [](Timeout &) { return sleeper(); };
            const QString error = co_await error_of(timeout(1s, late));
            QASYNCIO_VERIFY(!error.isEmpty()););
    }

    void groups()
    {
        RUN(
            const auto body = [](TaskGroup &group) -> Coroutine<> {
                for (int i = 0; i < 5; ++i)
                    group.create_task(work, Counted(), i);
                co_await sleep(0s);
            };
            co_await task_group(body); const auto failing = [](TaskGroup &group) -> Coroutine<> {
                group.create_task(fail_with(u"one"_s));
                group.create_task(fail_with(u"two"_s));
                co_await sleep(1h);
            };
            const QString error = co_await error_of(task_group(failing));
            QASYNCIO_VERIFY(!error.isEmpty()););
    }

    void groupsThatRefuseATask()
    {
        RUN(const auto body = [&loop](TaskGroup &group) -> Coroutine<> {
            std::size_t made = 0;
            for (int i = 0; i < 5; ++i) {
                try {
                    group.create_task(work(Counted(), i));
                    ++made;
                } catch (const std::bad_alloc &) {
                }
            }
            QASYNCIO_COMPARE(loop.all_tasks().size(), 1 + made); // what is refused does not run
            co_await sleep(0s);
        };
            co_await task_group(body););
    }

    void generators()
    {
        RUN(auto generator = numbers(Counted()); for (;;) {
            const auto next = co_await generator.next();
            if (!next)
                break;
        } auto closed = numbers(Counted());
            co_await closed.next(); co_await closed.aclose(););
    }

    void races()
    {
        RUN(const auto won = co_await race(work(Counted(), 1), sleep(1h));
            QASYNCIO_COMPARE(won.index(), std::size_t(0));
            const auto one = co_await race(several()); QASYNCIO_VERIFY(one.index < 5););
    }

    void shields()
    {
        RUN(QASYNCIO_COMPARE(co_await shield(work(Counted(), 3)), 3);
            Future<int> shielded = shield(work(Counted(), 4)); co_await sleep(0s);
            shielded.cancel(); co_await sleep(2ms););
    }

    void completions()
    {
        RUN(auto completed = as_completed(several(), 1h); int count = 0; for (;;) {
            auto next = co_await completed.next();
            if (!next)
                break;
            ++count;
        } QASYNCIO_COMPARE(count, 5);
            auto results = as_completed(several());
            for (auto awaitable : results) co_await std::move(awaitable););
    }

    void scopes()
    {
        RUN(
            const auto body = [] { return work(Counted(), 5); };
            const auto clean_up = []() -> Coroutine<> { co_await sleep(0s); };
            QASYNCIO_COMPARE(co_await finally(body, clean_up), 5););
    }

    void signalsOfObjects()
    {
        RUN(const auto sender = std::make_shared<QObject>();
            loop.call_soon([sender] { sender->setObjectName(u"name"_s); });
            const QString name = co_await from_signal(sender.get(), &QObject::objectNameChanged);
            QASYNCIO_COMPARE(name, u"name"_s); auto mortal = std::make_unique<QObject>();
            auto future = from_signal(mortal.get(), &QObject::objectNameChanged); mortal.reset();
            const QString error = co_await error_of(future); QASYNCIO_VERIFY(!error.isEmpty()););
    }

    void signalStreams()
    {
        RUN(QObject sender; auto stream = signal_stream(&sender, &QObject::objectNameChanged);
            for (int i = 0; i < 3; ++i) QASYNCIO_COMPARE(
                error_in([&] { sender.setObjectName(QString::number(i)); }), QString());
            QASYNCIO_COMPARE(stream.size(), std::size_t(3)); int given = 0; int lost = 0;
            while (stream.size() > 0) {
                try {
                    const auto next = co_await stream.next();
                    QASYNCIO_COMPARE(*next, QString::number(given + lost));
                    ++given;
                } catch (const std::bad_alloc &) {
                    // else there was no memory for this call
                    lost += stream.size() < std::size_t(3 - given);
                }
            } QASYNCIO_COMPARE(given + lost, 3);
            QASYNCIO_VERIFY(lost <= 1););
    }

    void emissionsThatAreLostAreToldInTheirPlace()
    {
        Test::run([]() -> Coroutine<> {
            QObject sender;
            auto stream = large_names(sender);
            const QStringList expected = QStringList() << u"1"_s << u"lost"_s << u"4"_s;
            for (int round = 0; round < 2; ++round) {
                emit_four(&sender);
                QASYNCIO_COMPARE(co_await rest_of(&stream), expected);
            }
            emit_four(&sender);
            emit_four(&sender);
            QASYNCIO_COMPARE(stream.size(), std::size_t(6));
            QASYNCIO_COMPARE(co_await rest_of(&stream), expected + expected);
            for (int round = 0; round < 2; ++round) {
                std::thread([&sender] { emit_four(&sender); }).join();
                co_await sleep(1ms);
                QASYNCIO_COMPARE(co_await rest_of(&stream), expected);
            }
            emit_four(&sender); // and is dropped
        });
    }

    void aLostEmissionWakesWhoWaitsForIt()
    {
        Test::run([]() -> Coroutine<> {
            QObject sender;
            auto stream = large_names(sender);
            for (const bool elsewhere : {false, true}) {
                auto waiting = create_task(stream.next());
                co_await sleep(1ms);
                const auto lose = [&sender, elsewhere] {
                    const NoMemory none;
                    sender.setObjectName(QString::number(elsewhere));
                };
                if (elsewhere)
                    std::thread(lose).join();
                else
                    lose();
                QASYNCIO_THROWS(co_await waiting, std::bad_alloc);
            }
        });
    }

    /// The failing allocations are those of the other thread.
    void emissionsFromOtherThreads()
    {
        for (const bool dies : {false, true}) {
            bool failed = true;
            // first without a failure: then the pool has what it needs
            for (long n = -1; n < 10; ++n) {
                Test::run([&]() -> Coroutine<> {
                    QString thrown;
                    QThread thread;
                    auto *sender = new QObject;
                    sender->moveToThread(&thread);
                    auto future = from_signal(sender, &QObject::objectNameChanged);
                    auto stream = signal_stream(sender, &QObject::objectNameChanged);
                    QObject::connect(
                        &thread, &QThread::started, sender,
                        [&] {
                            has_failed = false;
                            allocations_left = n;
                            thrown = error_in([&] {
                                if (dies)
                                    delete sender;
                                else
                                    sender->setObjectName(u"name"_s);
                            });
                            allocations_left = -1;
                            failed = has_failed;
                            if (!dies)
                                delete sender;
                            QThread::currentThread()->quit();
                        },
                        Qt::DirectConnection);
                    thread.start();
                    const QString error = co_await error_of(future);
                    thread.wait(); // what the emission gave is here before the emission has ended
                    if (!failed)
                        QASYNCIO_COMPARE(error.isEmpty(), !dies);
                    int emissions = 0; // or what says that one is lost
                    for (bool more = true; more; emissions += more) {
                        try {
                            const auto next = co_await stream.next();
                            more = next.has_value();
                        } catch (const std::bad_alloc &) {
                        }
                    }
                    QASYNCIO_COMPARE(emissions, int(!dies));
                    QASYNCIO_COMPARE(thrown, QString());
                });
            }
            QVERIFY(!failed);
        }
    }

    // Its object was moved there behind the waiting task's back, and nobody has memory when it
    // goes.
    void aPropertyThatGoesInAnotherThread()
    {
        Test::run([]() -> Coroutine<> {
            auto *const object = new QTimer;
            const auto never = [](bool) { return false; };
            auto waiting = create_task(
                wait_until(object, &QTimer::isSingleShot, &QTimer::timeout, never));
            co_await sleep(0s);
            object->moveToThread(nullptr);
            std::thread([object] {
                const NoMemory none;
                delete object;
            }).join();
            QASYNCIO_THROWS(co_await waiting, ObjectDestroyedError);
        });
    }

    /// The loop is closed when it would come home.
    void anEmissionThatComesTooLate()
    {
        auto loop = std::make_unique<QAsyncioLoop>(virtual_time());
        detail::LoopCore &core = loop->core();
        core.retain();
        QObject sender;
        Future<Large> future;
        const auto begin = [&]() -> Coroutine<> {
            future = from_signal(&sender, &QObject::objectNameChanged,
                                 [](const QString &) { return Large(); });
            co_return;
        };
        loop->run_until_complete(begin());
        bool failed = false;
        std::thread([&] {
            const NoMemory none;
            sender.setObjectName(u"name"_s);
            failed = has_failed;
        }).join();
        QVERIFY(failed);
        loop->close();
        loop.reset();
        future = {};
        QCOMPARE(core.references(), 1);
        core.release();
    }

    void contextObjects()
    {
        RUN(auto object = std::make_unique<QObject>(); std::vector<Task<int>> tasks;
            for (int i = 0; i < 3; ++i) tasks.push_back(
                create_task(begins_more(Counted()), TaskOptions().context(object.get())));
            const auto group = [](TaskGroup &group) -> Coroutine<> {
                group.create_task(begins_more(Counted()));
                co_await sleep(1h);
            };
            Task<> with_group = create_task(task_group(group), TaskOptions().context(object.get()));
            co_await sleep(0s); co_await sleep(0s); object.reset(); co_await sleep(0s);
            QASYNCIO_VERIFY(with_group.done());
            for (const Task<int> &task : tasks) QASYNCIO_VERIFY(task.done());
            // nor does any that they have begun go on
            QASYNCIO_COMPARE(loop.all_tasks().size(), std::size_t(1)););
    }

    void contextObjectsThatCouldNotBeConnected()
    {
        RUN(auto object = std::make_unique<QObject>(); Task<int> task;
            for (int i = 0; i < 2 && !task; ++i) {
                try {
                    task = create_task(work(Counted()), TaskOptions().context(object.get()));
                } catch (const std::bad_alloc &) {
                }
            } co_await sleep(0s);
            object.reset();
            QASYNCIO_VERIFY(task.done()); // there and then, or with std::bad_alloc before
        );
    }

    void contextObjectsThatDieInATask()
    {
        RUN(auto object = std::make_unique<QObject>();
            const auto kills = [](std::unique_ptr<QObject> *object) -> Coroutine<> {
                const Counted local;
                create_task(work(Counted()));
                co_await sleep(0s);
                object->reset();
                co_await sleep(0s);
                QTest::qFail("a line ran after the object had died", __FILE__, __LINE__);
            };
            Task<> task = create_task(kills(&object), TaskOptions().context(object.get()));
            for (int i = 0; i < 4; ++i) co_await sleep(0s); QASYNCIO_VERIFY(task.done()););
    }

    // It has no context object, and so is found through its group alone, for which there is no
    // memory.
    void aDetachedChildGoesBeforeTheFrameOfItsGroup()
    {
        QAsyncioLoop loop;
        auto object = std::make_unique<QObject>();
        bool frame_is_there = false;
        bool child_went_first = false;
        const auto child = [&]() -> Coroutine<> {
            const QScopeGuard goes([&] { child_went_first = frame_is_there; });
            co_await sleep(1h);
        };
        const auto body = [&](TaskGroup &group) -> Coroutine<> {
            group.create_task(child(), TaskOptions().detached());
            co_return;
        };
        const auto owner = [&]() -> Coroutine<> {
            frame_is_there = true;
            const QScopeGuard goes([&] { frame_is_there = false; });
            co_await task_group(body);
        };
        Task<> task = loop.create_task(owner(), TaskOptions().context(object.get()));
        loop.call_later(1ms, [&] { loop.stop(); });
        loop.run_forever();
        QVERIFY(frame_is_there && !child_went_first);
        {
            const NoMemory none;
            object.reset();
        }
        QVERIFY(task.done());
        QVERIFY(child_went_first);
        QVERIFY(!frame_is_there);
        QVERIFY(loop.all_tasks().empty());
        loop.close();
    }

    void taskScopes()
    {
        RUN(TaskScope scope; for (int i = 0; i < 3; ++i) scope.create_task(begins_more(Counted()));
            co_await sleep(0s); auto dropped = std::make_unique<TaskScope>();
            dropped->create_task(begins_more(Counted())); dropped.reset();
            co_await scope.cancel_and_wait(); QASYNCIO_COMPARE(scope.size(), std::size_t(0)););
    }

    void threads()
    {
        RUN(
            const Counted counted; const auto job = [](const Counted &) { return 5; };
            for (int i = 0; i < 3; ++i) {
                try {
                    QASYNCIO_COMPARE(co_await to_thread(job, counted), 5);
                    QASYNCIO_COMPARE(co_await loop.run_in_executor(nullptr, job, counted), 5);
                } catch (const std::bad_alloc &) {
                }
            } co_await loop.shutdown_default_executor(););
    }

    void coroutinesFromOtherThreads()
    {
        RUN(
            // From this thread to itself, so that its allocations are the ones that fail.
            auto future = run_coroutine_threadsafe(work(Counted(), 6), loop); co_await sleep(5ms);
            if (future.done()) future.exception(););
    }

    void otherLoops()
    {
        RUN(LoopThread worker; QASYNCIO_COMPARE(co_await on_loop(worker.loop(), give, 4, 0ns), 4);
            auto future = run_coroutine_threadsafe(give(3), worker.loop());
            QASYNCIO_COMPARE(future.result(), 3););
    }

    void foreignAwaitables()
    {
        RUN(const Foreign foreign; static_cast<void>(co_await foreign);
            static_cast<void>(co_await ensure_future(Foreign())););
    }

    void contextVariables()
    {
        static ContextVar<Counted> variable(u"variable"_s);
        RUN(Counted counted; auto token = variable.set(counted); loop.call_soon([counted] { });
            loop.call_later(1ms, [counted] { }); loop.call_soon_threadsafe([counted] { });
            Future<> future = loop.create_future<>(); future.add_done_callback([counted] { });
            co_await create_task(work(counted)); variable.reset(token););
    }

    void cancellations()
    {
        RUN(Task<int> task = create_task(work(Counted())); std::vector<Task<int>> both(2, task);
            auto gathering = gather(both); co_await sleep(0s); task.cancel(u"why"_s);
            const QString error = co_await error_of(task); QASYNCIO_VERIFY(!error.isEmpty());
            gathering.exception(););
    }

    void cancellingAGatherInAGather()
    {
        RUN(std::vector<Future<int>> futures = futures_of(loop, 3);
            auto inner = gather(futures[0], futures[1]); auto outer = gather(inner, futures[2]);
            QASYNCIO_COMPARE(error_in([&] { outer.cancel(); }), QString()); // it takes no memory
            for (const Future<int> &future : futures) QASYNCIO_VERIFY(future.cancelled());
            const QString error = co_await error_of(outer); QASYNCIO_VERIFY(!error.isEmpty()););
    }

    void cancellingATaskScope()
    {
        RUN(TaskScope scope; std::vector<Task<>> tasks;
            for (int i = 0; i < 3; ++i) tasks.push_back(scope.create_task(wait_for_both()));
            co_await sleep(0s); const QString error = error_in([&] { scope.cancel(); });
            if (!error.isEmpty()) // then nobody was asked
            scope.cancel();
            co_await scope.all_ended();
            for (const Task<> &task : tasks) QASYNCIO_VERIFY(task.done()););
    }

    void groupsThatAbort()
    {
        RUN(
            const auto body = [](TaskGroup &group) -> Coroutine<> {
                group.create_task(wait_for_both());
                group.create_task(wait_for_both());
                group.create_task(fail_with(u"first"_s));
                co_await sleep(1h);
            };
            const TimePoint begin = loop.time();
            const QString error = co_await error_of(task_group(body));
            QASYNCIO_VERIFY(!error.isEmpty()); QASYNCIO_VERIFY(loop.time() - begin < 1h);
            QASYNCIO_COMPARE(loop.all_tasks().size(), std::size_t(1));
            // the group has taken its own request back
            QASYNCIO_COMPARE(current_task().cancelling(), 0); bool cancelled = false;
            try { co_await sleep(0s); } catch (const CancelledError &) {
                cancelled = true;
            } catch (const std::bad_alloc &) {} QASYNCIO_VERIFY(!cancelled););
    }

    void timeoutsOverAGather()
    {
        RUN(const auto body = [](Timeout &) { return wait_for_both(); };
            const QString error = co_await error_of(timeout(1s, body)); // it ends
            QASYNCIO_VERIFY(!error.isEmpty()););
    }

    void racesThatAreUnwound()
    {
        RUN(auto object = std::make_unique<QObject>(); Task<> other = create_task(wait_for_both());
            const auto body = [](Task<> other) -> Coroutine<> { co_await race(other, sleep(1h)); };
            Task<> racing = create_task(body(other), TaskOptions().context(object.get()));
            for (int i = 0; i < 3; ++i) co_await sleep(0s); const bool begun = !racing.done();
            object.reset(); // which cancels the other one, too
            QASYNCIO_VERIFY(racing.done()); for (int i = 0; i < 3; ++i) co_await sleep(0s);
            QASYNCIO_VERIFY(other.done() || !begun););
    }

    void racesThatCannotBegin()
    {
        RUN(const QString error = co_await error_of(race(wait_for_both(), sleep(1ms)));
            for (int i = 0; i < 3; ++i) co_await sleep(0s);
            QASYNCIO_COMPARE(loop.all_tasks().size(), std::size_t(1)); // no contestant goes on
        );
    }

    void aTaskThatIsAskedToEndBeforeItAwaitsAGather()
    {
        static bool asked; // the task may go on when there is no memory to wait for it
        RUN(asked = false; const auto body = []() -> Coroutine<> {
            std::vector<Future<int>> futures = futures_of(get_running_loop(), 2);
            auto both = gather(futures[0], futures[1]);
            asked = current_task().cancel();
            co_await both;
        };
            Task<> task = create_task(body()); const QString error = co_await error_of(task);
            QASYNCIO_VERIFY(!error.isEmpty()); QASYNCIO_COMPARE(task.cancelled(), asked););
    }

    void closingALoop()
    {
        // The failing allocations are those of close().
        for (long n = 0; n < 50; ++n) {
            QAsyncioLoop loop;
            loop.set_exception_handler([](QAsyncioLoop &, const ExceptionContext &) { });
            std::vector<Task<int>> tasks;
            for (int i = 0; i < 10; ++i)
                tasks.push_back(loop.create_task(work(Counted(), i)));
            loop.call_soon([counted = Counted()] { });
            loop.call_later(1h, [counted = Counted()] { });
            loop.call_soon([&] { loop.stop(); });
            loop.run_forever();
            has_failed = false;
            allocations_left = n;
            loop.close();
            allocations_left = -1;
            QCOMPARE(Counted::alive, 0);
            if (!has_failed)
                break;
        }
    }

    void makingALoop()
    {
        for (long n = 0; n < 500; ++n) {
            has_failed = false;
            allocations_left = n;
            try {
                QAsyncioLoop loop;
                allocations_left = -1;
                loop.close();
            } catch (const std::bad_alloc &) {
                QVERIFY(has_failed);
            }
            allocations_left = -1;
            if (!has_failed)
                break;
        }
        QVERIFY(!has_failed);
    }

    void processingQtEvents() { RUN(co_await process_qt_events();); }
};

QTEST_GUILESS_MAIN(tst_out_of_memory)
#include "tst_out_of_memory.moc"
