// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/generator_state.h"

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
/// Ending it early: aclose() throws GeneratorExit at the co_yield where it stands; the body may clean up, with awaits too.
/// One that is dropped instead is closed by a task of its own (L-106): what it uses must then live longer than the function
/// that dropped it, so better close it. Where no code may run any more (the task that has it is unwound, the loop is closed)
/// its frame is destroyed, destructors only.
/// Cancellation: of the task that awaits next(); it goes through the body like any exception and ends the generator.
/// Thread: that of the loop in which it began. Only one task at a time may await it.
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
    AsyncGenerator get_return_object(std::source_location site = std::source_location::current())
    {
        this->site = site;
        return AsyncGenerator(this->make_state());
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

} // namespace QAsyncio
