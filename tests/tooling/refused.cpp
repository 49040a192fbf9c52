// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// What has to be refused by the compiler, with a message that says why. Not built: scripts/test
// --lint compiles it with each CASE, demands the message that stands behind it, and that CASE 0
// compiles. Those of g++ 12 are closures that only this compiler has to refuse (docs/compilers.md).
#include "qasyncio.h"

#include <QtCore/qanystringview.h>
#include <QtCore/qproperty.h>
#include <QtCore/qtimer.h>
#include <QtCore/qutf8stringview.h>

using namespace QAsyncio;

/// Signals whose arguments refer to what somebody else has.
class Views : public QObject
{
    Q_OBJECT

public:
    void text(QStringView) { }
    void bytes(int, QByteArrayView) { }
    void standard(std::string_view) { }
    void numbers(std::span<const int>) { }
    void latin(QLatin1StringView) { }
    void utf8(QUtf8StringView) { }
    void any(const QAnyStringView &) { }
};

/// An awaiter without await_suspend().
struct Half : AwaiterBase
{
    bool await_ready() const { return true; }
    void await_resume() const { }
    bool await_cancel(const QString &) override { return false; }
    QString await_description() const override { return {}; }
};

#ifndef CASE
#  define CASE 0
#endif

Coroutine<> refused(QString text, QAsyncioLoop &loop, QTimer *timer)
{
    const Views views;
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
    const auto copied = [](QStringView view) { return view.toString(); };
    co_await from_signal(&views, &Views::text, copied);
    const auto coroutine = [text]() -> Coroutine<> { co_return; };
    co_await create_task(coroutine);
    co_await create_task([](QString) -> Coroutine<> { co_return; }, text);
#elif CASE == 1  // g++ 12
    co_await to_thread([text] { return text; });
#elif CASE == 2  // g++ 12, generic
    co_await to_thread([text](auto number) { return text + QString::number(number); }, 1);
#elif CASE == 3  // g++ 12
    co_await loop.run_in_executor(nullptr, [text] { return text; });
#elif CASE == 4  // g++ 12
    co_await wait_until(timer->bindableActive(),
                        [text](bool is_active) { return is_active != text.isEmpty(); });
#elif CASE == 5  // g++ 12
    co_await wait_until(timer, &QTimer::isActive, &QTimer::timeout,
                        [text](bool) { return text.isEmpty(); });
#elif CASE == 6  // g++ 12
    co_await timeout(std::chrono::seconds(1), [text](Timeout &) -> Coroutine<> { co_return; });
#elif CASE == 7  // g++ 12
    co_await task_group([text](TaskGroup &) -> Coroutine<> { co_return; });
#elif CASE == 8  // g++ 12
    co_await finally([text]() -> Coroutine<> { co_return; }, []() -> Coroutine<> { co_return; });
#elif CASE == 9  // g++ 12
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
#elif CASE == 16 // take what is needed inside of the emission, with a map
    co_await from_signal(&views, &Views::text);
#elif CASE == 17 // take what is needed inside of the emission, with a map
    auto bytes = signal_stream(&views, &Views::bytes);
#elif CASE == 18 // take what is needed inside of the emission, with a map
    co_await from_signal(&views, &Views::standard);
#elif CASE == 19 // take what is needed inside of the emission, with a map
    co_await from_signal(&views, &Views::numbers);
#elif CASE == 20 // take what is needed inside of the emission, with a map
    co_await from_signal(&views, &Views::latin);
#elif CASE == 21 // take what is needed inside of the emission, with a map
    co_await from_signal(&views, &Views::utf8);
#elif CASE == 22 // take what is needed inside of the emission, with a map
    co_await from_signal(&views, &Views::any);
#elif CASE == 23 // this map gives a view of data that may be gone
    co_await from_signal(&views, &Views::text, [](QStringView view) { return view; });
#elif CASE == 24 // map(args...) runs inside of the emission and cannot await
    co_await from_signal(&views, &Views::text, []() -> Coroutine<> { co_return; });
#elif CASE == 25 // map(args...) must take the signal's arguments, or the first of them
    co_await from_signal(&views, &Views::text, [](const std::vector<int> &) { });
#elif CASE == 26 // g++ 12
    co_await from_signal(timer, &QTimer::timeout, [text] { return text; });
#elif CASE == 27 // std::reference_wrapper
    const auto by_reference = [](QString &string) -> Coroutine<QString &> { co_return string; };
    co_await by_reference(text);
#elif CASE == 28 // std::reference_wrapper
    loop.create_future<const QString &>();
#elif CASE == 29 // std::reference_wrapper
    co_await to_thread([]() -> int & {
        static int number;
        return number;
    });
#elif CASE == 30 // std::reference_wrapper
    co_await loop.run_in_executor(nullptr, []() -> int & {
        static int number;
        return number;
    });
#elif CASE == 31 // std::reference_wrapper
    const ContextVar<QString &> variable(text, text);
#elif CASE == 32 // this cannot be awaited
    const int size = co_await text;
    loop.set_debug(size > 0);
#elif CASE == 33 // this function is a coroutine, which would not run in that thread
    co_await to_thread([]() -> Coroutine<> { co_return; });
#elif CASE == 34 // this function is a coroutine, which would not run in that thread
    co_await loop.run_in_executor(nullptr, [](int) -> Coroutine<int> { co_return 1; }, 2);
#elif CASE == 35 // g++ 12
    co_await create_task([text]() -> Coroutine<> { co_return; });
#elif CASE == 36 // this function must be a coroutine
    co_await create_task([] { return 1; });
#elif CASE == 37 // an AwaiterBase that is awaited needs
    co_await Half();
#elif CASE == 38 // coroutines cannot be used with call_soon() and its like
    loop.add_signal_handler(15, []() -> Coroutine<> { co_return; });
#endif
    Q_UNUSED(views)
    Q_UNUSED(text)
    Q_UNUSED(loop)
    Q_UNUSED(timer)
    co_return;
}
