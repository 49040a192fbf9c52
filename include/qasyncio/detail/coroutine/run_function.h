// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/coroutine.h"
#include "qasyncio/detail/coroutine/closure.h"

#include <concepts>
#include <functional>
#include <source_location>
#include <type_traits>
#include <utility>

namespace QAsyncio::detail {

/// Gives the running task, whose own coroutine is only a wrapper, the site of the wrapped one.
QASYNCIO_EXPORT void set_current_site(const std::source_location &site);

/// Keeps a function and its arguments alive for as long as its coroutine runs.
template<class T, class F, class... Args>
Coroutine<T> run_function(F function, Args... args)
{
    auto running = std::invoke(function, std::move(args)...);
    if (running)
        set_current_site(running.site());
    co_return co_await std::move(running);
}

/// What has to be wrapped in a coroutine to become a task: all awaitables except coroutines.
template<class A>
concept TaskAwaitable = Awaitable<A> && !IsCoroutine<std::remove_cvref_t<A>>::value;

template<class A>
Coroutine<std::decay_t<await_result_t<A>>> await_in_task(A awaitable)
{
    co_return co_await std::forward<A>(awaitable);
}

/// An awaitable as a coroutine of the same result: itself if it is one.
template<class A>
auto as_coroutine(A &&awaitable)
{
    if constexpr (TaskAwaitable<A>)
        return await_in_task<std::decay_t<A>>(std::forward<A>(awaitable));
    else
        return std::remove_cvref_t<A>(std::forward<A>(awaitable));
}

/// Closes a coroutine at the end of the scope, so that one that was refused is not reported as
/// never awaited.
template<class T>
struct Closer
{
    Coroutine<T> &coroutine;
    ~Closer() { coroutine.close(); }
};

} // namespace QAsyncio::detail
