// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// What has to be refused by the compiler, with a message that says why. Not built: scripts/test --lint compiles it with each
// CASE, demands the message that stands behind it, and that CASE 0 compiles. Those of g++ 12 are closures that only this
// compiler has to refuse (docs/compilers.md).
#include "qasyncio.h"

#include <QtCore/qproperty.h>
#include <QtCore/qtimer.h>

using namespace QAsyncio;

#ifndef CASE
#  define CASE 0
#endif

Coroutine<> refused(QString text, QAsyncioLoop &loop, QTimer *timer)
{
#if CASE == 0 // safe: named, handed on as arguments, or without captures that are destroyed
    const auto named = [text] { return text; };
    auto to_move = [owned = std::make_unique<QString>(text)] { return *owned; };
    co_await to_thread(named);
    co_await to_thread(moved(to_move));
    co_await to_thread(std::bind([](const QString &given) { return given; }, text));
    co_await to_thread([](const QString &given) { return given; }, text);
    co_await loop.run_in_executor(nullptr, named);
    co_await loop.run_in_executor(nullptr, [&loop] { return &loop; });
    const auto active = [text](bool is_active) { return is_active != text.isEmpty(); };
    co_await wait_until(timer->bindableActive(), active);
    const auto coroutine = [text]() -> Coroutine<> { co_return; };
    co_await create_task(coroutine);
    co_await create_task([](QString) -> Coroutine<> { co_return; }, text);
#elif CASE == 1 // g++ 12
    co_await to_thread([text] { return text; });
#elif CASE == 2 // g++ 12, generic
    co_await to_thread([text](auto number) { return text + QString::number(number); }, 1);
#elif CASE == 3 // g++ 12
    co_await loop.run_in_executor(nullptr, [text] { return text; });
#elif CASE == 4 // g++ 12
    co_await wait_until(timer->bindableActive(), [text](bool is_active) { return is_active != text.isEmpty(); });
#elif CASE == 5 // g++ 12
    co_await wait_until(timer, &QTimer::isActive, &QTimer::timeout, [text](bool) { return text.isEmpty(); });
#elif CASE == 6 // g++ 12
    co_await timeout(std::chrono::seconds(1), [text](Timeout &) -> Coroutine<> { co_return; });
#elif CASE == 7 // g++ 12
    co_await task_group([text](TaskGroup &) -> Coroutine<> { co_return; });
#elif CASE == 8 // g++ 12
    co_await finally([text]() -> Coroutine<> { co_return; }, []() -> Coroutine<> { co_return; });
#elif CASE == 9 // g++ 12
    co_await on_loop(loop, [text]() -> Coroutine<> { co_return; });
#elif CASE == 10 // g++ 12
    QProperty<int> property;
    co_await wait_until(property, [text](int value) { return value == text.size(); });
#elif CASE == 11 // coroutines cannot be used with call_soon()
    loop.call_soon([]() -> Coroutine<> { co_return; });
#elif CASE == 12 // Passing coroutines is forbidden, use tasks explicitly.
    co_await wait(std::vector<Coroutine<>>());
#elif CASE == 13 // wait() waits for futures and tasks
    co_await wait(std::vector<int>());
#elif CASE == 14 // this cannot be awaited
    co_await text;
#elif CASE == 15 // this function must be a coroutine
    co_await task_group([](TaskGroup &) { return 1; });
#elif CASE == 16 // this cannot be awaited
    const int size = co_await text;
    loop.set_debug(size > 0);
#elif CASE == 17 // this function is a coroutine, which would not run in that thread
    co_await to_thread([]() -> Coroutine<> { co_return; });
#elif CASE == 18 // this function is a coroutine, which would not run in that thread
    co_await loop.run_in_executor(nullptr, [](int) -> Coroutine<int> { co_return 1; }, 2);
#elif CASE == 19 // g++ 12
    co_await create_task([text]() -> Coroutine<> { co_return; });
#elif CASE == 20 // this function must be a coroutine
    co_await create_task([] { return 1; });
#endif
    Q_UNUSED(text)
    Q_UNUSED(loop)
    Q_UNUSED(timer)
    co_return;
}
