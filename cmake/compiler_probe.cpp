// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// Does this compiler destroy temporaries of an await expression twice? (docs/compilers.md)
// Exit code 0: no. Else 1, and the names of the forms that go wrong are printed.
#include <coroutine>
#include <cstdio>
#include <exception>

// Counts its living instances; owns nothing, so that destroying it twice is visible and harmless.
static int living = 0;
struct Counted
{
    Counted() { ++living; }
    Counted(const Counted &) { ++living; }
    ~Counted() { --living; }
    Counted &operator=(const Counted &) = default;
};

struct Ready
{
    Ready() = default;
    bool await_ready() const { return true; }
    void await_suspend(std::coroutine_handle<>) const { }
    int await_resume() const { return 1; }
};

struct AggregateAwaiter
{
    Counted member;
    bool await_ready() const { return true; }
    void await_suspend(std::coroutine_handle<>) const { }
    void await_resume() const { }
};

// Runs at once, is destroyed at its end.
struct Eager
{
    struct promise_type
    {
        Eager get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() { }
        void unhandled_exception() { std::terminate(); }
    };
};

template<class F>
Ready call(F &&f)
{
    f();
    return {};
}

static Eager lambdaWithCapture()
{
    Counted counted;
    co_await call([counted] { (void)counted; });
}

static Eager aggregate()
{
    Counted counted;
    co_await AggregateAwaiter{counted};
}

static Ready take(const Counted &)
{
    return {};
}

static Eager conditional(bool first)
{
    Counted counted;
    co_await take(first ? counted : Counted());
}

static bool balanced(const char *name)
{
    const bool ok = living == 0;
    if (!ok)
        std::printf("%s ", name);
    living = 0;
    return ok;
}

int main()
{
    bool ok = true;
    lambdaWithCapture();
    ok = balanced("lambda-with-capture") && ok;
    aggregate();
    ok = balanced("aggregate") && ok;
    conditional(true);
    conditional(false);
    ok = balanced("conditional") && ok;
    return ok ? 0 : 1;
}
