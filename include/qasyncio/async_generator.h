// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/closure.h"
#include "qasyncio/detail/coroutine/generator_state.h"

#include <memory>
#include <optional>

namespace QAsyncio {

/// What a coroutine function with co_yield returns: values one after the other, with awaits between them.
///
///     AsyncGenerator<QString> lines(Reader &reader)
///     {
///         while (auto line = co_await reader.readline())
///             co_yield *line;
///     }
///     auto all = lines(reader);
///     while (auto line = co_await all.next())
///         show(*line);
///
/// Lazy: the body runs inside of the task that awaits next(), and only then. The loop knows a generator from its first step
/// to its end.
/// Ending it early: one that is dropped is destroyed there and then, destructors only, as any object at the end of its scope.
/// aclose() instead throws GeneratorExit at the co_yield where it stands; the body may clean up, with awaits too.
/// aclosing() does that at the end of a scope.
/// Cancellation: of the task that awaits next(); it goes through the body like any exception and ends the generator.
/// Thread: that of the loop in which it began; debug mode refuses another one with RuntimeError, otherwise its state is
/// corrupted. One that is dropped elsewhere goes home to die. Only one task at a time may await it.
/// \sa https://docs.python.org/3/reference/expressions.html#asynchronous-generator-functions
template<class T>
class [[nodiscard]] AsyncGenerator
{
public:
    static_assert(std::is_object_v<T>, "a generator of values: yield pointers or std::reference_wrapper for references");

    struct promise_type;
    using value_type = T;

    AsyncGenerator() = default;

    /// False if it was default-constructed or moved from.
    explicit operator bool() const { return static_cast<bool>(m_state); }

    /// `co_await generator.next()`: the next value, or nothing at the end, and ever after.
    /// Throws what the body throws, once; RuntimeError if another task is awaiting it.
    detail::GeneratorStep<T> next() { return detail::GeneratorStep<T>(m_state, "anext"); }
    /// `co_await generator.athrow(exception)`: the body sees the exception at the co_yield where it stands and goes on from
    /// there; else as next(). One that has not begun is ended by it.
    /// Throws TypeError for null.
    detail::GeneratorStep<T> athrow(std::exception_ptr exception)
    {
        detail::check_thrown(exception);
        return detail::GeneratorStep<T>(m_state, "athrow", std::move(exception));
    }
    /// `co_await generator.aclose()`: ends it. The body sees GeneratorExit at the co_yield where it stands; what it throws
    /// instead comes out of here. Does nothing if it has ended; one that has not begun never does.
    /// Throws RuntimeError if the body goes on with a co_yield, or if another task is awaiting it.
    Coroutine<> aclose() { return detail::close_generator(m_state); }

    /// "<async_generator lines() at page.cpp:12>"; "<async_generator>" if there is none or its frame is gone.
    QString to_string() const { return m_state ? m_state->describe() : detail::describe_site("async_generator", nullptr); }

private:
    explicit AsyncGenerator(detail::Ref<detail::GeneratorState> state) : m_state(std::move(state)) { }

    detail::Ref<detail::GeneratorState> m_state;
};

template<class T>
struct AsyncGenerator<T>::promise_type : detail::GeneratorPromise<T>
{
    AsyncGenerator get_return_object(std::source_location site = std::source_location::current()) noexcept
    {
        this->site = site;
        return AsyncGenerator(detail::Ref<detail::GeneratorState>::adopt(this->state));
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    detail::GeneratorEnd final_suspend() const noexcept { return {}; }

    template<class U = T>
        requires std::is_constructible_v<T, U>
    detail::GeneratorPause yield_value(U &&value)
    {
        this->value.emplace(std::in_place, std::forward<U>(value));
        return {};
    }
    template<class A>
    decltype(auto) await_transform(A &&awaitable)
    {
        return detail::to_awaiter(std::forward<A>(awaitable));
    }
};

namespace detail {
template<class R, class T, class F, class... Args>
Coroutine<R> run_aclosing(AsyncGenerator<T> generator, F body, Args... args)
{
    std::exception_ptr exception;
    std::optional<future_value_t<R>> value;
    try {
        auto running = std::invoke(body, generator, std::move(args)...);
        if constexpr (std::is_void_v<R>)
            co_await std::move(running);
        else
            value.emplace(co_await std::move(running));
    } catch (...) {
        exception = std::current_exception();
    }
    auto closing = generator.aclose();
    co_await std::move(closing);
    if (exception)
        std::rethrow_exception(std::move(exception));
    if constexpr (!std::is_void_v<R>)
        co_return std::move(*value);
}
} // namespace detail

/// Runs `body(generator, args...)`, a function that gives a coroutine, and closes the generator when that has ended, however
/// it ended; gives its result. contextlib's `async with aclosing(generator)`:
///
///     const auto show_some = [&](AsyncGenerator<QString> &all) -> Coroutine<> { ... };
///     co_await aclosing(lines(reader), show_some);
///
/// The function, the generator and the arguments are kept here for as long as it runs.
/// Errors: what aclose() throws takes the place of what the body threw. Cancellation: the body sees it, then the generator is
/// closed, with awaits too; another one that comes meanwhile interrupts that. A task that is unwound (its context object died,
/// the loop was closed) runs no clean-up that awaits: destructors only. Thread: that of the awaiting task's loop.
/// \sa https://docs.python.org/3/library/contextlib.html#contextlib.aclosing
template<class T, class F, class... Args>
auto aclosing(AsyncGenerator<T> generator, F &&body, Args &&...args)
{
    detail::check_closure<F>();
    using R = detail::coroutine_value_t<
        std::invoke_result_t<detail::closure_t<F> &, AsyncGenerator<T> &, std::decay_t<Args>...>>;
    return detail::run_aclosing<R, T, detail::closure_t<F>, std::decay_t<Args>...>(
        std::move(generator), std::forward<F>(body), std::forward<Args>(args)...);
}

} // namespace QAsyncio
