// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/promise.h"

#include <concepts>
#include <type_traits>

namespace QAsyncio::detail {

template<class A>
concept HasMemberCoAwait = requires(A &&a) { std::forward<A>(a).operator co_await(); };
template<class A>
concept HasFreeCoAwait = requires(A &&a) { operator co_await(std::forward<A>(a)); };

/// What co_await makes of an operand: its operator co_await, or itself. A named awaiter of ours is moved from, so that each
/// await has one of its own.
template<class A>
decltype(auto) get_awaiter(A &&a)
{
    if constexpr (HasMemberCoAwait<A>)
        return std::forward<A>(a).operator co_await();
    else if constexpr (HasFreeCoAwait<A>)
        return operator co_await(std::forward<A>(a));
    else if constexpr (std::is_base_of_v<NativeAwaiter, std::remove_cvref_t<A>> && std::is_lvalue_reference_v<A>)
        return std::remove_cvref_t<A>(std::move(a));
    else
        return std::forward<A>(a);
}

template<class A>
concept Awaitable = requires(A &&a) {
    { get_awaiter(std::forward<A>(a)).await_ready() };
    { get_awaiter(std::forward<A>(a)).await_resume() };
};

template<class A>
using awaiter_t = decltype(get_awaiter(std::declval<A>()));
/// What `co_await a` gives.
template<class A>
using await_result_t = decltype(std::declval<awaiter_t<A> &>().await_resume());

template<class A>
concept NativeAwaitable = Awaitable<A> && std::is_base_of_v<NativeAwaiter, std::remove_cvref_t<awaiter_t<A>>>;

/// The awaiter of an awaitable that is not ours: see foreign.h.
template<class A>
class ForeignAwaiter;
template<class A>
ForeignAwaiter<A> make_foreign_awaiter(A &&awaitable);

/// Stands for what cannot be awaited, and fits everywhere: its one message shall not be followed by others.
struct NotAwaitable : NativeAwaiter
{
    struct Anything
    {
        template<class T>
        operator T() const;
    };
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept { }
    Anything await_resume() const noexcept { return {}; }
};

/// What a coroutine of ours awaits when it is told to await `awaitable`.
template<class A>
decltype(auto) to_awaiter(A &&awaitable)
{
    constexpr bool can_be_awaited = Awaitable<A>; // a concept that is asserted would be explained, over many lines
    static_assert(can_be_awaited, "this cannot be awaited: it is no coroutine, future or task, and has no await_ready(), "
                                  "await_suspend() and await_resume(); for a Qt signal await from_signal(sender, signal)");
    if constexpr (!can_be_awaited)
        return NotAwaitable();
    else if constexpr (NativeAwaitable<A>)
        return get_awaiter(std::forward<A>(awaitable));
    else
        return make_foreign_awaiter(std::forward<A>(awaitable));
}

} // namespace QAsyncio::detail
