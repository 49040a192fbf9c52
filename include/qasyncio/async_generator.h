// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/closure.h"
#include "qasyncio/detail/coroutine/generator_state.h"

#include <memory>
#include <optional>

namespace QAsyncio {

/// The return type of a coroutine function with co_yield: a sequence of values, one after the
/// other, with awaits between them.
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
/// Lazy: the body runs only while a task awaits next(), and inside that task. The loop keeps track
/// of a generator from its first step to its end, for QAsyncioLoop::shutdown_asyncgens().
/// Ending it early: a generator that is dropped is destroyed at once. Only destructors run, as for
/// any object at the end of its scope. aclose() throws GeneratorExit at the co_yield where the body
/// is suspended instead, so that the body can clean up, with awaits too. aclosing() calls aclose()
/// at the end of a scope.
/// Cancellation: cancel the task that awaits next(). CancelledError passes through the body like
/// any exception and ends the generator.
/// Thread: that of the loop in which it made its first step. In another thread debug mode throws
/// RuntimeError; without debug mode the state is corrupted. A generator that is dropped in another
/// thread is sent to its loop's thread and destroyed there. Only one task at a time may await it.
/// \sa https://docs.python.org/3/reference/expressions.html#asynchronous-generator-functions
template<class T>
class [[nodiscard]] AsyncGenerator
{
public:
    static_assert(std::is_object_v<T>,
                  "a generator of values: yield pointers or std::reference_wrapper for references");

    struct promise_type;
    using value_type = T;

    /// An empty handle, without a generator: next() gives std::nullopt.
    AsyncGenerator() = default;

    /// False if it was default-constructed or moved from.
    explicit operator bool() const { return static_cast<bool>(m_state); }

    /// `co_await generator.next()`: the next value, or std::nullopt at the end and in every call
    /// after that.
    /// Errors: throws what the body throws, once; RuntimeError if another task is awaiting the
    /// generator.
    detail::GeneratorStep<T> next() { return detail::GeneratorStep<T>(m_state, "anext"); }
    /// `co_await generator.athrow(exception)`: throws `exception` in the body, at the co_yield
    /// where it is suspended, and lets the body go on from there. The result is that of next(). A
    /// generator that has not begun is ended: the exception comes out here. One that has ended
    /// gives std::nullopt.
    /// Throws TypeError for a null pointer, at the call; otherwise as next().
    detail::GeneratorStep<T> athrow(std::exception_ptr exception)
    {
        detail::check_thrown(exception);
        return detail::GeneratorStep<T>(m_state, "athrow", std::move(exception));
    }
    /// `co_await generator.aclose()`: ends the generator. GeneratorExit is thrown in the body, at
    /// the co_yield where it is suspended. If the body throws something else instead, that is
    /// thrown here. Does nothing if the generator has ended. If it has not begun, nothing of the
    /// body ever runs.
    /// Throws RuntimeError if the body goes on to another co_yield, or if another task is awaiting
    /// the generator.
    Coroutine<> aclose() { return detail::close_generator(m_state); }

    /// "<async_generator lines() at page.cpp:12>". "<async_generator>" if there is none, or if its
    /// frame has been destroyed.
    QString to_string() const
    {
        return m_state ? m_state->describe() : detail::describe_site("async_generator", nullptr);
    }

private:
    explicit AsyncGenerator(detail::Ref<detail::GeneratorState> state) : m_state(std::move(state))
    { }

    detail::Ref<detail::GeneratorState> m_state;
};

template<class T>
struct AsyncGenerator<T>::promise_type : detail::GeneratorPromise<T>
{
    AsyncGenerator get_return_object(
        std::source_location site = std::source_location::current()) noexcept
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
    /// Notes the place of the await, as that of Coroutine does.
    template<class A>
    decltype(auto) await_transform(A &&awaitable,
                                   std::source_location place = std::source_location::current())
    {
        this->site = place;
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

/// Runs `body(generator, args...)`, a function that returns a coroutine, and gives its result. When
/// that coroutine has ended, for whatever reason, the generator is closed. This is contextlib's
/// `async with aclosing(generator)`:
///
///     const auto show_some = [&](AsyncGenerator<QString> &all) -> Coroutine<> { ... };
///     co_await aclosing(lines(reader), show_some);
///
/// The function, the generator and the arguments are kept here until the end.
/// Errors: what aclose() throws replaces what the body threw.
/// Cancellation: first the body sees it; then the generator is closed, with awaits too. Another
/// cancellation that comes during the closing interrupts it. If the task is unwound (because its
/// context object died or the loop was closed) no clean-up that awaits is run, only destructors.
/// Thread: that of the awaiting task's loop.
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
