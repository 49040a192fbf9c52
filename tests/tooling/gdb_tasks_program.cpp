// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// Whose tasks tests/tooling/gdb_tasks.py looks at with gdb, in look().
#include <qasyncio.h>

#include <QtCore/qcoreapplication.h>

#include <vector>

using namespace QAsyncio;
using namespace std::chrono_literals;

namespace {

__attribute__((noinline)) void look()
{
    asm volatile(""); // stays a function of its own
}

TaskOptions named(const char *name)
{
    return TaskOptions().name(QString::fromLatin1(name));
}

Coroutine<int> sleeps()
{
    co_await sleep(2500ms);
    co_return 1;
}

Coroutine<> holds(Lock &lock) // main() owns the lock
{
    const auto held = co_await lock.scoped();
    co_await sleeps();
}

Coroutine<> wants(Lock &lock) // the same
{
    co_await lock.acquire();
    lock.release();
}

Coroutine<> main_task(Lock &lock) // the same
{
    Task<> holder = create_task(holds(lock), named("holder"));
    Task<> waiter = create_task(wants(lock), named("waiter"));
    auto both = gather(holder, waiter);
    Task<int> shielded = create_task(sleeps(), named("shielded"));
    const auto shields = [](Task<int> inner) -> Coroutine<> { co_await shield(inner); };
    Task<> shielding = create_task(shields(shielded), named("shielding"));
    const auto waits = [](std::vector<Task<>> tasks) -> Coroutine<> { co_await wait(tasks); };
    std::vector<Task<>> tasks;
    tasks.push_back(shielding);
    Task<> waiting = create_task(waits(tasks), named("waiting"));
    const auto grouped = [](TaskGroup &group) -> Coroutine<> {
        group.create_task(sleeps(), named("grouped"));
        co_return;
    };
    auto group = task_group(grouped);
    Task<> grouping = create_task(std::move(group), named("grouping"));
    get_running_loop().call_later(1s, [] { look(); });
    create_task(sleeps(), named("new")).cancel();
    co_await both;
    co_await waiting;
    co_await grouping;
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    QAsyncioLoop loop(LoopOptions().clock(std::make_shared<VirtualClock>()));
    Lock lock;
    auto task = loop.create_task(main_task(lock), named("main"));
    loop.run_until_complete(task);
    loop.close();
}
