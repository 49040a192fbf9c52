// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// What tests/tooling/gdb_printers.py looks at with gdb, in look().
#include <qasyncio.h>

#include <QtCore/qcoreapplication.h>

using namespace QAsyncio;
using namespace std::chrono_literals;

namespace {

/// Everything that is looked at.
struct Things
{
    QAsyncioLoop &loop;
    Handle handle;
    Handle cancelled;
    TimerHandle timer;
    Future<int> future;
    Future<int> result;
    Future<int> failed;
    Task<> task;
    Coroutine<int> coroutine;
    AsyncGenerator<int> generator;
};

__attribute__((noinline)) void look([[maybe_unused]] const Things &things,
                                    [[maybe_unused]] const TaskGroup &group)
{
    asm volatile(""); // stays a function of its own
}

Coroutine<int> number()
{
    co_return 1;
}

AsyncGenerator<int> numbers()
{
    co_yield 1;
}

Coroutine<> inner()
{
    co_await sleep(1h);
}

Coroutine<> outer()
{
    co_await inner();
}

Coroutine<> look_from_a_group(Things &things)
{
    const auto body = [&things](TaskGroup &group) -> Coroutine<> {
        things.task = group.create_task(outer(), TaskOptions().name(QStringLiteral("sleeper")));
        co_await sleep(0s);
        co_await sleep(0s);
        look(things, group);
        group.cancel();
    };
    co_await task_group(body);
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    QAsyncioLoop loop(LoopOptions().clock(std::make_shared<VirtualClock>()));
    Things things{loop,
                  loop.call_later(1h, [] { }),
                  loop.call_soon([] { }),
                  loop.call_later(1s, [] { }),
                  loop.create_future<int>(),
                  loop.create_future<int>(),
                  loop.create_future<int>(),
                  {},
                  number(),
                  numbers()};
    things.cancelled.cancel();
    things.result.set_result(7);
    things.failed.set_exception(std::make_exception_ptr(ValueError(QStringLiteral("no"))));
    loop.run_until_complete(look_from_a_group(things));
    static_cast<void>(things.failed.exception());
    things.coroutine.close();
    loop.close();
}
