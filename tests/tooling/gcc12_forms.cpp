// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// The probe of the lint (cmake/gcc12_coroutines.query). Not built; tests/tooling/lint.py demands
// exactly the findings that the comments at the ends of lines announce, and nothing anywhere else.
#include <coroutine>
#include <exception>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

template<class T>
struct Holder
{
    T value{};
    void return_value(T result) { value = std::move(result); }
};
template<>
struct Holder<void>
{
    void return_void() { }
};

template<class T = void>
struct Coroutine
{
    struct promise_type : Holder<T>
    {
        Coroutine get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        std::suspend_always yield_value(const std::string &) { return {}; }
        void unhandled_exception() { std::terminate(); }
    };
    bool await_ready() { return true; }
    void await_suspend(std::coroutine_handle<>) { }
    T await_resume() { return T(); }
    Coroutine() { }
    ~Coroutine() { }
};

struct Aggregate
{
    std::string text;
    int number = 0;
};
struct AggregateAwaiter
{
    std::string text;
    bool await_ready() { return true; }
    void await_suspend(std::coroutine_handle<>) { }
    void await_resume() { }
};
struct Options
{
    explicit Options(std::string text = {}) : text(std::move(text)) { }
    Options &number(int) { return *this; }
    std::string text;
};

Coroutine<bool> ok();
Coroutine<std::string> text();
Coroutine<> take(std::string);
Coroutine<> open(Aggregate);
Coroutine<> open(Options);
Coroutine<> list(std::initializer_list<std::string>);
template<class F, class... Args>
Coroutine<> call(F, Args &&...)
{
    return {};
}
template<class F>
int now(F)
{
    return 1;
}
void spawn(std::function<Coroutine<>()>);

// ---- what the lint has to find ----

Coroutine<> lambdas(std::string p)
{
    co_await call([p] { return p.size(); });                    // lint: lambda
    co_await [p]() -> Coroutine<> { co_return; }();             // lint: lambda
    co_await call(std::function<void()>([p] { }));              // lint: lambda
    const int sum = now([q = p] { return q; }) + co_await ok(); // lint: lambda
    auto keep = [x = co_await text()] { return x; };            // lint: lambda
    (void)sum;
    (void)keep;
}

Coroutine<> yields(std::string p)
{
    co_yield std::string(now([p] { return p; }), 'x'); // lint: lambda
}

Coroutine<Aggregate> aggregates(std::string p)
{
    co_await AggregateAwaiter{p};            // lint: aggregate
    co_await open({.text = p, .number = 1}); // lint: aggregate
    Aggregate local{co_await text(), 1};     // lint: aggregate
    if (local.number)
        throw Aggregate{co_await text()};    // lint: aggregate
    co_return Aggregate{co_await text(), 2}; // lint: aggregate
}

Coroutine<> conditionals(bool c, std::string p)
{
    const std::string s = c ? co_await text() : co_await text(); // lint: conditional
    co_await take(c ? p : std::string("x"));                     // lint: conditional
    co_await (c ? text() : text());                              // lint: conditional
    const std::string t = co_await ok() ? std::string("a") : s;  // lint: conditional
}

Coroutine<> lists(std::string p)
{
    co_await list({p, p});                                // lint: list
    const std::vector<std::string> v{co_await text(), p}; // lint: list
}

Coroutine<> ifWithoutLocal() // lint: condition
{
    if (co_await ok())
        co_return;
}

Coroutine<> whileWithoutLocal(int) // lint: condition
{
    while (!co_await ok()) {
    }
}

struct Member
{
    Coroutine<> doWithoutLocal() // lint: condition
    {
        for (;;) {
            do {
            } while (co_await ok());
        }
    }
};

template<class T>
Coroutine<> inTemplate(T p)
{
    co_await call([p] { }); // lint: lambda
}
template Coroutine<> inTemplate<std::string>(std::string);

// ---- what the lint has to leave alone: g++ 12.2 compiles these well ----

Coroutine<std::string> safe(std::string p, bool c, int n)
{
    auto work = [p] { return p; };
    co_await call(std::move(work));
    auto named = call([p] { return p; });
    co_await std::move(named);
    co_await call([&] { return p; });
    co_await call([n] { return n; });
    co_await call([](std::string) { }, p);
    co_await open(Options(p).number(1));
    Aggregate local{p, 1};
    co_await open(local);
    if (c)
        co_await text();
    const bool yes = co_await ok();
    if (yes)
        co_return p;
    const int k = co_await ok() ? 1 : 2;
    co_await take(std::pair(p, k).first);
    // Only the body of the inner lambda awaits; the expression around it does not.
    spawn([p]() -> Coroutine<> {
        const std::string s = co_await text();
        co_await take(s + p);
    });
    // An inner function that does not await may hold what it likes.
    co_await call([&] { return now([p] { return p; }); });
    for (const auto &part : std::vector<std::string>(2, co_await text()))
        co_await take(part);
    co_return co_await text();
}

Coroutine<> conditionWithLocal()
{
    const int limit = 1;
    if (co_await ok() && limit)
        co_return;
}

void noCoroutine(std::string p)
{
    spawn([p]() -> Coroutine<> {
        if (co_await ok())
            co_await take(p);
    });
    now([p] { return p; });
}
