// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/thread/remote_call.h"

namespace QAsyncio {

/// Awaits `function(args...)`, a function that gives a coroutine, as a task of another thread's loop; gives its result here.
/// The function is called there.
///
///     const QImage image = co_await on_loop(workers.loop(), render, scene);
///
/// Function, arguments and result move between the threads: what they share must be made for that. In the calling thread's
/// own loop it is a plain await.
/// Errors: what the coroutine throws is thrown here; RuntimeError if the other loop is closed, or is before it has ended.
/// Cancellation: of the caller cancels the task there; this await ends when that has ended (with its result, if it has made
/// one nevertheless). If the caller is unwound, the task there is cancelled and nobody waits for it.
/// Thread: of the running loop. `loop` must live until the task has ended.
template<class F, class... Args>
auto on_loop(QAsyncioLoop &loop, F &&function, Args &&...args)
{
    detail::check_closure<F>();
    using Function = detail::closure_t<F>;
    using T = detail::coroutine_value_t<std::invoke_result_t<Function &, std::decay_t<Args>...>>;
    return detail::run_on_loop<T, Function, std::decay_t<Args>...>(&loop, std::forward<F>(function),
                                                                   std::forward<Args>(args)...);
}
/// The same for a coroutine that is there already: its arguments come from this thread. If it cannot begin it is closed.
template<class T>
auto on_loop(QAsyncioLoop &loop, Coroutine<T> &&coroutine)
{
    if (!coroutine)
        detail::throw_awaited_twice();
    const auto arrived = [](detail::Traveller<T> traveller) { return traveller.take(); };
    return on_loop(loop, arrived, detail::Traveller<T>(std::move(coroutine)));
}

} // namespace QAsyncio
