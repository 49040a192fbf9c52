// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/coroutine.h"
#include "qasyncio/detail/coroutine/closure.h"

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

namespace QAsyncio::detail {

/// Awaits the coroutine that a wrapper exists for. The wrapper has no place of its own in a call
/// graph.
template<class T>
class WrappedAwaiter : public Coroutine<T>::ChildAwaiter
{
    using Base = typename Coroutine<T>::ChildAwaiter;

public:
    explicit WrappedAwaiter(Coroutine<T> &coroutine) : Base(coroutine.release_checked()) { }
    WrappedAwaiter(WrappedAwaiter &&) noexcept = default;

    template<TaskPromise P>
    auto await_suspend(std::coroutine_handle<P> frame) noexcept
    {
        frame.promise().site = {};
        return Base::await_suspend(frame);
    }
};

/// Keeps a function and its arguments alive for as long as its coroutine runs.
template<class T, class F, class... Args>
Coroutine<T> run_function(F function, Args... args)
{
    Coroutine<T> running = std::invoke(function, std::move(args)...);
    co_return co_await WrappedAwaiter<T>(running);
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
