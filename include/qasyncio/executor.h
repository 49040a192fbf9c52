// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/closure.h"
#include "qasyncio/detail/future/foreign.h"
#include "qasyncio/loop.h"

namespace QAsyncio {

namespace detail {
/// A function that is called in the context of whoever has made this.
template<class R, class F>
class InContext
{
public:
    explicit InContext(F function) : m_context(copy_context()), m_function(std::move(function)) { }

    template<class... Args>
        requires std::is_invocable_v<F, Args...>
    R operator()(Args &&...args)
    {
        return m_context.run(
            [&]() -> R { return std::invoke(std::move(m_function), std::forward<Args>(args)...); });
    }

private:
    Context m_context;
    F m_function;
};

template<class R, class F, class... Args>
Coroutine<R> run_in_thread(F function, Args... args)
{
    InContext<R, F> work(std::move(function));
    auto future = get_running_loop().run_in_executor(nullptr, moved(work), std::move(args)...);
    // If this task is unwound, a function that has not begun in its thread never begins.
    ForeignFutureAwaiter<R> awaiter(FutureAccess::take(std::move(future)));
    co_return co_await awaiter;
}
} // namespace detail

/// `co_await to_thread(function, args...)` runs `function(args...)` in a thread of the running
/// loop's default executor. It gives the function's result or throws what the function throws.
///
///     const auto count = [](const QByteArray &text) { return text.count('\n'); };
///     const qsizetype lines = co_await to_thread(count, std::move(text));
///
/// The function sees the caller's context variables. Arguments are copied or moved into the call.
/// The function must own everything it uses, because the task may end before it does.
/// Stopping: a function that can be called with a std::stop_token in front of its arguments gets
/// one, as with std::jthread. Stop is requested if the task is cancelled or unwound, and when its
/// loop is closed:
///
///     const auto search = [](const std::stop_token &stop, Board board) {
///         while (!stop.stop_requested() && board.improve())
///             ;
///         return board;
///     };
///     const Board best = co_await to_thread(search, board);
///
/// Cancellation: the await ends at once, and so it does if the task is unwound. A function that has
/// not begun never runs; one that is running is not interrupted, and its result is dropped.
/// Throws, at the await, RuntimeError if no loop runs in this thread and after
/// shutdown_default_executor().
/// Thread: that of the running loop.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.to_thread
template<class F, class... Args>
auto to_thread(F &&function, Args &&...args)
{
    detail::check_closure<F>();
    using Function = detail::closure_t<F>;
    using R = detail::thread_result_t<Function, std::decay_t<Args>...>;
    detail::check_thread_function<R>();
    static_assert(detail::ResultType<R>::checked);
    return detail::run_in_thread<R, Function, std::decay_t<Args>...>(std::forward<F>(function),
                                                                     std::forward<Args>(args)...);
}

} // namespace QAsyncio
