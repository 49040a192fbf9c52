// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// Everything that can be awaited, ended after every step in every way: Test::tear_down(). A leak
// checker (the asan preset) sees what that does not count.

#include "qasyncio/test.h"

#include "support.h"

#include <QtCore/qtimer.h>

#include <fcntl.h>
#include <unistd.h>

namespace {

using Body = Coroutine<> (*)(QAsyncioLoop &);

Coroutine<> pause(std::chrono::nanoseconds delay = 1s)
{
    co_await sleep(delay);
}

Coroutine<int> number(int value, std::chrono::nanoseconds delay = 1s)
{
    co_await sleep(delay);
    co_return value;
}

Coroutine<> fail(std::chrono::nanoseconds delay = 1s)
{
    co_await sleep(delay);
    throw ValueError(QStringLiteral("as intended"));
}

/// Awaits in its clean-up.
Coroutine<> tidy()
{
    const auto body = []() -> Coroutine<> { co_await pause(); };
    const auto cleanup = []() -> Coroutine<> { co_await pause(0s); };
    co_await finally(body, cleanup);
}

AsyncGenerator<int> numbers(int count)
{
    for (int i = 0; i < count; ++i) {
        co_await sleep(1s);
        co_yield i;
    }
}

template<class A>
Coroutine<> ignoring_value_errors(A awaitable)
{
    try {
        static_cast<void>(co_await std::move(awaitable));
    } catch (const ValueError &) {
    } catch (const ExceptionGroup &) {
    } catch (const TimeoutError &) {
    }
}

const std::pair<const char *, Body> bodies[] = {
    {"nothing", [](QAsyncioLoop &) -> Coroutine<> { co_return; }},
    {"sleep", [](QAsyncioLoop &) -> Coroutine<> { co_await sleep(1s); }},
    {"sleep(0)", [](QAsyncioLoop &) -> Coroutine<> { co_await sleep(0s); }},
    {"coroutines in coroutines",
     [](QAsyncioLoop &) -> Coroutine<> {
         co_await pause();
         co_await tidy();
     }},
    {"a future",
     [](QAsyncioLoop &loop) -> Coroutine<> {
         auto future = loop.create_future<QString>();
         loop.call_later(1s, [future]() mutable {
             if (!future.done())
                 future.set_result(QStringLiteral("text"));
         });
         co_await future;
     }},
    {"an exception", [](QAsyncioLoop &) -> Coroutine<> { co_await ignoring_value_errors(fail()); }},
    {"finally", [](QAsyncioLoop &) -> Coroutine<> { co_await tidy(); }},
    {"wait_for", [](QAsyncioLoop &) -> Coroutine<> { co_await wait_for(tidy(), 10s); }},
    {"wait_for that times out",
     [](QAsyncioLoop &) -> Coroutine<> { co_await ignoring_value_errors(wait_for(tidy(), 0s)); }},
    {"timeout",
     [](QAsyncioLoop &) -> Coroutine<> {
         const auto body = [](Timeout &scope) -> Coroutine<> {
             co_await pause();
             scope.reschedule(get_running_loop().time() + 5s);
             co_await tidy();
         };
         co_await timeout(2s, body);
     }},
    {"a task group",
     [](QAsyncioLoop &) -> Coroutine<> {
         const auto body = [](TaskGroup &group) -> Coroutine<> {
             group.create_task(tidy());
             group.create_task(pause(3s));
             co_await pause();
         };
         co_await task_group(body);
     }},
    {"a task group that fails",
     [](QAsyncioLoop &) -> Coroutine<> {
         const auto body = [](TaskGroup &group) -> Coroutine<> {
             group.create_task(tidy());
             group.create_task(fail(500ms));
             co_await pause(1h);
         };
         co_await ignoring_value_errors(task_group(body));
     }},
    {"task groups in task groups",
     [](QAsyncioLoop &) -> Coroutine<> {
         const auto inner = [](TaskGroup &group) -> Coroutine<> {
             group.create_task(tidy());
             group.create_task(TaskOptions().eager_start(), number, 1, 2s);
             co_return;
         };
         const auto outer = [&inner](TaskGroup &group) -> Coroutine<> {
             group.create_task(task_group(inner));
             co_await task_group(inner);
         };
         co_await task_group(outer);
     }},
    {"a task group that is cancelled",
     [](QAsyncioLoop &) -> Coroutine<> {
         const auto body = [](TaskGroup &group) -> Coroutine<> {
             group.create_task(tidy());
             co_await pause(500ms);
             group.cancel();
         };
         co_await task_group(body);
     }},
    {"race",
     [](QAsyncioLoop &) -> Coroutine<> {
         co_await race(number(1, 1s), number(2, 2s), number(3, 3s));
     }},
    {"a generator",
     [](QAsyncioLoop &) -> Coroutine<> {
         auto generator = numbers(3);
         while (auto value = co_await generator.next())
             co_await sleep(1s);
     }},
    {"a generator that is closed",
     [](QAsyncioLoop &) -> Coroutine<> {
         auto generator = numbers(3);
         co_await generator.next();
         co_await generator.aclose();
     }},
    {"a generator that is dropped",
     [](QAsyncioLoop &) -> Coroutine<> {
         {
             auto generator = numbers(3);
             co_await generator.next();
         }
         co_await pause();
     }},
    {"a signal",
     [](QAsyncioLoop &) -> Coroutine<> {
         QTimer timer;
         timer.start(0);
         co_await from_signal(&timer, &QTimer::timeout);
     }},
    {"a stream of signals",
     [](QAsyncioLoop &) -> Coroutine<> {
         QTimer timer;
         auto stream = signal_stream(&timer, &QTimer::timeout);
         timer.start(0);
         for (int i = 0; i < 3; ++i)
             co_await stream.next();
     }},
    {"a property",
     [](QAsyncioLoop &loop) -> Coroutine<> {
         auto level = std::make_shared<QProperty<int>>(0);
         loop.call_later(1s, [level] { *level = 3; });
         const auto is_high = [](int value) { return value > 2; };
         co_await wait_until(*level, is_high);
     }},
    {"a descriptor",
     [](QAsyncioLoop &loop) -> Coroutine<> {
         Pipe pipe;
         auto readable = loop.create_future();
         loop.add_reader(pipe.read_end(), [readable]() mutable {
             if (!readable.done())
                 readable.set_result();
         });
         const int fd = pipe.read_end();
         const QScopeGuard remove([&loop, fd] { loop.remove_reader(fd); });
         pipe.fill();
         co_await readable;
     }},
    {"streams over a pipe",
     [](QAsyncioLoop &loop) -> Coroutine<> {
         int ends[2];
         if (::pipe2(ends, O_CLOEXEC) != 0)
             qFatal("pipe2");
         StreamReader reader = loop.connect_read_pipe(ends[0]);
         StreamWriter writer = loop.connect_write_pipe(ends[1]);
         const auto write = [&]() -> Coroutine<> {
             for (int i = 0; i < 3; ++i) {
                 writer.write(QByteArray(100000, 'x')); // more than fits
                 co_await writer.drain();
             }
             writer.close();
             co_await writer.wait_closed();
         };
         const auto body = [&](TaskGroup &group) -> Coroutine<> {
             group.create_task(write);
             co_await reader.readexactly(150000);
             co_await reader.read(100);
             co_await reader.read();
         };
         co_await task_group(body);
     }},
    {"a process",
     [](QAsyncioLoop &) -> Coroutine<> {
         const ProcessOptions options = ProcessOptions()
                                            .standard_input(Stdio::pipe())
                                            .standard_output(Stdio::pipe())
                                            .kill_on_drop();
         Process process = co_await create_subprocess_exec(options, "cat");
         co_await process.communicate("text");
         co_await process.wait();
     }},
    {"a lock",
     [](QAsyncioLoop &) -> Coroutine<> {
         Lock lock;
         const auto visit = [&lock]() -> Coroutine<> {
             const auto held = co_await lock.scoped();
             co_await tidy();
         };
         const auto body = [&](TaskGroup &group) -> Coroutine<> {
             group.create_task(visit);
             group.create_task(visit);
             co_await wait_for(visit(), 2500ms);
         };
         co_await ignoring_value_errors(task_group(body));
     }},
    {"a semaphore",
     [](QAsyncioLoop &) -> Coroutine<> {
         Semaphore semaphore(1);
         const auto visit = [&semaphore]() -> Coroutine<> {
             const auto permit = co_await semaphore.scoped();
             co_await pause();
         };
         const auto body = [&](TaskGroup &group) -> Coroutine<> {
             group.create_task(visit);
             group.create_task(visit);
             const auto first = co_await race(semaphore.scoped(), sleep(500ms));
             static_cast<void>(first);
         };
         co_await task_group(body);
     }},
    {"an event",
     [](QAsyncioLoop &loop) -> Coroutine<> {
         const auto event = std::make_shared<Event>();
         loop.call_later(1s, [event] { event->set(); });
         co_await event->wait();
     }},
    {"a condition",
     [](QAsyncioLoop &) -> Coroutine<> {
         Condition condition;
         int things = 0;
         const auto take = [&]() -> Coroutine<> {
             const auto held = co_await condition.scoped();
             const auto is_there = [&things] { return things > 0; };
             co_await condition.wait_for(is_there);
             --things;
         };
         const auto give = [&]() -> Coroutine<> {
             for (int i = 0; i < 2; ++i) {
                 const auto held = co_await condition.scoped();
                 co_await pause();
                 ++things;
                 condition.notify();
             }
         };
         const auto body = [&](TaskGroup &group) -> Coroutine<> {
             group.create_task(take);
             group.create_task(take);
             co_await give();
         };
         co_await task_group(body);
     }},
    {"a barrier",
     [](QAsyncioLoop &) -> Coroutine<> {
         Barrier barrier(3);
         const auto body = [&](TaskGroup &group) -> Coroutine<> {
             group.create_task(barrier.wait());
             group.create_task(barrier.wait());
             co_await pause();
             co_await barrier.wait();
         };
         co_await task_group(body);
     }},
    {"a queue",
     [](QAsyncioLoop &) -> Coroutine<> {
         Queue<QString> queue(1);
         const auto give = [&]() -> Coroutine<> {
             for (int i = 0; i < 3; ++i)
                 co_await queue.put(QStringLiteral("text"));
             queue.shutdown();
         };
         const auto body = [&](TaskGroup &group) -> Coroutine<> {
             group.create_task(give);
             co_await queue.get();
             co_await wait_for(queue.get(), 1s);
             const auto last = co_await race(queue.get(), sleep(1s));
             static_cast<void>(last);
         };
         co_await task_group(body);
     }},
    {"a context object of its own",
     [](QAsyncioLoop &) -> Coroutine<> {
         auto object = std::make_unique<QObject>();
         const auto body = [&](TaskGroup &group) -> Coroutine<> {
             group.create_task(pause(1h), TaskOptions().context(object.get()));
             co_await pause();
             object.reset();
         };
         co_await task_group(body);
     }},
    {"wait inside a task group",
     [](QAsyncioLoop &) -> Coroutine<> {
         const auto body = [](TaskGroup &group) -> Coroutine<> {
             const std::vector<Task<int>> tasks{group.create_task(number(1, 1s)),
                                                group.create_task(number(2, 2s))};
             co_await wait(tasks, WaitOptions().return_when(FIRST_COMPLETED));
         };
         co_await task_group(body);
     }},
    {"as_completed inside a task group",
     [](QAsyncioLoop &) -> Coroutine<> {
         const auto body = [](TaskGroup &group) -> Coroutine<> {
             const std::vector<Task<int>> tasks{group.create_task(number(1, 1s)),
                                                group.create_task(number(2, 2s))};
             auto completed = as_completed(tasks);
             while (auto next = co_await completed.next())
                 co_await sleep(0s);
         };
         co_await task_group(body);
     }},
    {"shield inside a task group",
     [](QAsyncioLoop &) -> Coroutine<> {
         const auto body = [](TaskGroup &group) -> Coroutine<> {
             auto task = group.create_task(number(1));
             co_await shield(task);
         };
         co_await task_group(body);
     }},
    {"gather inside a task group",
     [](QAsyncioLoop &) -> Coroutine<> {
         const auto body = [](TaskGroup &group) -> Coroutine<> {
             auto first = group.create_task(number(1));
             auto second = group.create_task(number(2, 2s));
             co_await gather(first, second);
         };
         co_await task_group(body);
     }},
};

// Every leaf in every scope, and in every scope in every scope.

using Make = std::function<Coroutine<int>()>;

struct Leaf
{
    const char *name;
    Coroutine<int> (*make)();
    bool in_pairs = false; // also in two scopes, one in the other
};
struct Scope
{
    const char *name;
    Coroutine<int> (*run)(Make);
};

/// A task that nobody waits for any more is not left behind.
struct Canceller
{
    AnyTask task;
    ~Canceller() { task.cancel(); }
};

const Leaf leaves[] = {
    {"a value at once", []() -> Coroutine<int> { co_return 1; }},
    {"sleep(0)",
     []() -> Coroutine<int> {
         co_await sleep(0s);
         co_return 1;
     }},
    {"sleep(1)", []() -> Coroutine<int> { return number(1); }},
    {"a future",
     []() -> Coroutine<int> {
         auto future = get_running_loop().create_future<int>();
         get_running_loop().call_later(1s, [future]() mutable {
             if (!future.done())
                 future.set_result(1);
         });
         co_return co_await future;
     }},
    {"a failure",
     []() -> Coroutine<int> {
         co_await sleep(1s);
         throw ValueError(QStringLiteral("as intended"));
     },
     true},
    {"a swallowed cancellation",
     []() -> Coroutine<int> {
         try {
             co_await sleep(1s);
         } catch (const CancelledError &) {
         }
         co_await sleep(0s);
         co_return 1;
     }},
    {"a slow clean-up",
     []() -> Coroutine<int> {
         const auto body = []() -> Coroutine<int> { return number(1); };
         const auto cleanup = []() -> Coroutine<> { return pause(3s); };
         auto both = finally(body, cleanup);
         co_return co_await std::move(both);
     },
     true},
    {"a generator",
     []() -> Coroutine<int> {
         int sum = 0;
         auto generator = numbers(2);
         while (auto value = co_await generator.next())
             sum += *value;
         co_return sum;
     },
     true},
    {"a signal",
     []() -> Coroutine<int> {
         QTimer timer;
         timer.start(0);
         co_await from_signal(&timer, &QTimer::timeout);
         co_return 1;
     }},
};

AsyncGenerator<int> one_of(Make make)
{
    const int value = co_await make();
    co_yield value;
}

const Scope scopes[] = {
    {"a task",
     [](Make make) -> Coroutine<int> {
         Task<int> task = create_task(make());
         const Canceller end{task};
         co_return co_await task;
     }},
    {"an eager task",
     [](Make make) -> Coroutine<int> {
         Task<int> task = create_task(make(), TaskOptions().eager_start());
         const Canceller end{task};
         co_return co_await task;
     }},
    {"wait_for",
     [](Make make) -> Coroutine<int> {
         auto waiting = wait_for(make(), 10s);
         co_return co_await std::move(waiting);
     }},
    {"wait_for, timed out",
     [](Make make) -> Coroutine<int> {
         auto waiting = wait_for(make(), 500ms);
         co_return co_await std::move(waiting);
     }},
    {"timeout",
     [](Make make) -> Coroutine<int> {
         const auto body = [&make](Timeout &) { return make(); };
         auto scope = timeout(10s, body);
         co_return co_await std::move(scope);
     }},
    {"shield",
     [](Make make) -> Coroutine<int> {
         Task<int> task = create_task(make());
         const Canceller end{task};
         co_return co_await shield(task);
     }},
    {"gather",
     [](Make make) -> Coroutine<int> {
         Task<int> first = create_task(make());
         const Canceller end_first{first};
         Task<int> second = create_task(make());
         const Canceller end_second{second};
         auto all = gather(first, second);
         const auto [one, two] = co_await all;
         co_return one + two;
     }},
    {"gather with exceptions",
     [](Make make) -> Coroutine<int> {
         Task<int> first = create_task(make());
         const Canceller end_first{first};
         Task<int> second = create_task(make());
         const Canceller end_second{second};
         auto all = gather(return_exceptions, first, second);
         co_await all;
         co_return 1;
     }},
    {"wait",
     [](Make make) -> Coroutine<int> {
         const std::vector<Task<int>> tasks{create_task(make()), create_task(make())};
         const Canceller end_first{tasks[0]};
         const Canceller end_second{tasks[1]};
         auto waiting = wait(tasks, WaitOptions().return_when(FIRST_COMPLETED));
         co_await std::move(waiting);
         co_return 1;
     }},
    {"as_completed",
     [](Make make) -> Coroutine<int> {
         const std::vector<Task<int>> tasks{create_task(make()), create_task(make())};
         const Canceller end_first{tasks[0]};
         const Canceller end_second{tasks[1]};
         auto completed = as_completed(tasks);
         int sum = 0;
         while (auto next = co_await completed.next())
             sum += co_await *next;
         co_return sum;
     }},
    {"race",
     [](Make make) -> Coroutine<int> {
         auto racing = race(make(), number(2, 2500ms)); // no tie: a loser that fails is reported
         const auto winner = co_await std::move(racing);
         co_return int(winner.index());
     }},
    {"a task group's body",
     [](Make make) -> Coroutine<int> {
         const auto body = [&make](TaskGroup &) { return make(); };
         auto group = task_group(body);
         co_return co_await std::move(group);
     }},
    {"a task group's tasks",
     [](Make make) -> Coroutine<int> {
         const auto body = [&make](TaskGroup &group) -> Coroutine<> {
             group.create_task(make());
             group.create_task(make(), TaskOptions().eager_start());
             co_return;
         };
         auto group = task_group(body);
         co_await std::move(group);
         co_return 1;
     }},
    {"finally's body",
     [](Make make) -> Coroutine<int> {
         const auto cleanup = []() -> Coroutine<> { return pause(); };
         auto both = finally(make, cleanup);
         co_return co_await std::move(both);
     }},
    {"finally's clean-up",
     [](Make make) -> Coroutine<int> {
         const auto body = []() -> Coroutine<int> { return number(1); };
         const auto cleanup = [&make]() -> Coroutine<> {
             auto cleaning = make();
             co_await std::move(cleaning);
         };
         auto both = finally(body, cleanup);
         co_return co_await std::move(both);
     }},
    {"a generator's body",
     [](Make make) -> Coroutine<int> {
         auto generator = one_of(make);
         const auto value = co_await generator.next();
         co_return value.value_or(0);
     }},
};

Coroutine<> tolerant(Make make)
{
    return ignoring_value_errors(make());
}

Make inside(const Scope &scope, Make make)
{
    return [&scope, make = std::move(make)] { return scope.run(make); };
}

} // namespace

class tst_tear_down : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyStepInEveryWay_data()
    {
        QTest::addColumn<int>("index");
        for (std::size_t i = 0; i < std::size(bodies); ++i)
            QTest::newRow(bodies[i].first) << int(i);
    }
    // H-61, H-62, H-63
    void everyStepInEveryWay()
    {
        QFETCH(int, index);
        Test::tear_down(bodies[index].second);
    }

    void everythingInEveryScope_data()
    {
        QTest::addColumn<int>("scope");
        QTest::addColumn<int>("leaf");
        for (std::size_t scope = 0; scope < std::size(scopes); ++scope) {
            for (std::size_t leaf = 0; leaf < std::size(leaves); ++leaf)
                QTest::addRow("%s in %s", leaves[leaf].name, scopes[scope].name)
                    << int(scope) << int(leaf);
        }
    }
    // H-61, H-62, H-63
    void everythingInEveryScope()
    {
        QFETCH(int, scope);
        QFETCH(int, leaf);
        const Make make = inside(scopes[scope], leaves[leaf].make);
        Test::tear_down([&make] { return tolerant(make); });
    }

    void everyScopeInEveryScope_data()
    {
        QTest::addColumn<int>("outer");
        QTest::addColumn<int>("inner");
        for (std::size_t outer = 0; outer < std::size(scopes); ++outer) {
            for (std::size_t inner = 0; inner < std::size(scopes); ++inner)
                QTest::addRow("%s in %s", scopes[inner].name, scopes[outer].name)
                    << int(outer) << int(inner);
        }
    }
    // H-61, H-62, H-63
    void everyScopeInEveryScope()
    {
        QFETCH(int, outer);
        QFETCH(int, inner);
        for (const Leaf &leaf : leaves) {
            if (!leaf.in_pairs)
                continue;
            const Make make = inside(scopes[outer], inside(scopes[inner], leaf.make));
            Test::tear_down([&make] { return tolerant(make); });
            if (QTest::currentTestFailed()) {
                qWarning("with %s inside", leaf.name);
                return;
            }
        }
    }
};

QTEST_GUILESS_MAIN(tst_tear_down)
#include "tst_tear_down.moc"
