// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/coroutine.h"
#include "qasyncio/detail/coroutine/compiler.h"
#include "qasyncio/detail/coroutine/is_coroutine.h"
#include "qasyncio/moved.h"

#include <functional>
#include <optional>
#include <type_traits>

namespace QAsyncio {

namespace detail {

template<class F>
struct ClosureOf
{
    using type = F;
};
template<class F>
struct ClosureOf<Moved<F>>
{
    using type = F;
};
/// The closure that the callee keeps for an argument of type F.
template<class F>
using closure_t = typename ClosureOf<std::decay_t<F>>::type;

/// Refuses a closure that g++ 12 would destroy twice when it is a temporary in an await expression.
/// A closure is recognised by its operator() or, if that is a template, by not being assignable,
/// since no closure with captures is. What std::bind() makes may not be assignable either, but it
/// has a constructor and is safe.
template<class F>
constexpr void check_closure()
{
#if QASYNCIO_GCC12_AWAIT_FAULTS
    using Closure = std::remove_cvref_t<F>;
    static_assert(
        std::is_lvalue_reference_v<F> || !std::is_class_v<Closure>
            || std::is_trivially_destructible_v<Closure> || std::is_bind_expression_v<Closure>
            || (std::is_move_assignable_v<Closure> && !requires { &Closure::operator(); }),
        "this compiler destroys the captures of such a temporary closure twice in a co_await "
        "expression "
        "(docs/compilers.md): name it first (auto work = [...]{...}) and pass it as work, or as "
        "moved(work); or pass "
        "the captured values as arguments: f([](auto value) {...}, value)");
#endif
}

template<class C>
struct CoroutineValue
{
    static_assert(!sizeof(C),
                  "this function must be a coroutine: it has to return a QAsyncio::Coroutine<...>");
};
template<class T>
struct CoroutineValue<Coroutine<T>>
{
    using type = T;
};
template<class C>
using coroutine_value_t = typename CoroutineValue<C>::type;

/// Refuses a coroutine where a function for a thread is expected: a call there would only create
/// it, and nothing of it would run.
template<class R>
constexpr void check_thread_function()
{
    static_assert(!IsCoroutine<std::remove_cvref_t<R>>::value,
                  "this function is a coroutine, which would not run in that thread: co_await it "
                  "here, or, for a loop in "
                  "another thread, use on_loop(loop, function); to_thread() and run_in_executor() "
                  "take plain functions");
}

} // namespace detail
} // namespace QAsyncio
