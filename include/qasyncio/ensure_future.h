// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/loop.h"

namespace QAsyncio {

namespace detail {
/// Throws RuntimeError if the loop is closed.
QASYNCIO_EXPORT void check_open(const LoopCore &core);
} // namespace detail

/// Makes a future of anything that can be awaited: a future or task is given back as it is, a coroutine becomes a task of the
/// running loop, anything else is kept, copied or moved, and awaited by a task.
/// Cancelling the future cancels what it was made of. Thread: that of the running loop.
/// Throws RuntimeError if no loop runs in this thread or the loop is closed; a coroutine is then closed.
/// \sa https://docs.python.org/3/library/asyncio-future.html#asyncio.ensure_future
template<class T>
Future<T> ensure_future(Future<T> future)
{
    return future;
}
template<class T>
Task<T> ensure_future(Task<T> task)
{
    return task;
}
template<class T>
Task<T> ensure_future(Coroutine<T> coroutine)
{
    // A coroutine that is refused is closed in silence, and not reported as never awaited.
    struct Closer
    {
        Coroutine<T> &coroutine;
        ~Closer() { coroutine.close(); }
    } closer{coroutine};
    QAsyncioLoop &loop = get_running_loop();
    detail::check_open(loop.core());
    return loop.create_task(std::move(coroutine));
}

namespace detail {
template<class A>
concept OtherAwaitable = Awaitable<A> && !std::is_base_of_v<AnyFuture, std::remove_cvref_t<A>>
    && !IsCoroutine<std::remove_cvref_t<A>>::value;
} // namespace detail

template<detail::OtherAwaitable A>
auto ensure_future(A &&awaitable)
{
    return ensure_future(detail::await_in_task<std::decay_t<A>>(std::forward<A>(awaitable)));
}

namespace detail {
/// The type of the result of the future that `A` becomes.
template<class A>
using ensured_t = decltype(ensure_future(std::declval<A>()));
template<class A>
using ensured_value_t = typename ensured_t<A>::value_type;
} // namespace detail

} // namespace QAsyncio
