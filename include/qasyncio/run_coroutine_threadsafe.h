// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/thread/concurrent_state.h"

namespace QAsyncio {

/// The result of a coroutine that runs in the loop of another thread: what run_coroutine_threadsafe() gives, and asyncio's
/// concurrent.futures.Future.
///
/// A shared handle; copies speak of the same future.
/// Thread: any, and several at once.
/// \sa https://docs.python.org/3/library/concurrent.futures.html#future-objects
template<class T = void>
class ConcurrentFuture
{
public:
    using value_type = T;

    ConcurrentFuture() = default;

    bool done() const { return m_state->done(); }
    bool cancelled() const { return m_state->cancelled(); }
    /// Cancels the future at once and the task in its loop soon: join() waits for its end. False if it is done already.
    bool cancel() { return m_state->cancel(); }
    /// Blocks until it is done; gives the result or throws the coroutine's exception. A result that can be copied can be read
    /// any number of times, another one once; RuntimeError then.
    /// Throws CancelledError if it was cancelled or its loop was closed, RuntimeError in the loop's own thread (which would
    /// wait for itself).
    T result()
    {
        m_state->wait();
        return m_state->take();
    }
    /// The same, for `timeout` at most. Throws TimeoutError after that; the coroutine goes on.
    template<class Rep, class Period>
    T result(std::chrono::duration<Rep, Period> timeout)
    {
        m_state->wait_for(detail::saturated(timeout));
        return m_state->take();
    }
    /// Blocks like result(); gives the coroutine's exception, or null.
    std::exception_ptr exception()
    {
        m_state->wait();
        return m_state->exception();
    }
    /// Blocks until the coroutine has really ended: no line and no destructor of it runs any more. result() does not tell that
    /// after cancel(), when the coroutine still has to see its cancellation and may clean up. At once if it never began and
    /// never will. Throws RuntimeError in the loop's own thread.
    void join() { m_state->join(); }
    /// The same, for `timeout` at most: false if it has not ended by then.
    template<class Rep, class Period>
    bool join(std::chrono::duration<Rep, Period> timeout)
    {
        return m_state->join(detail::saturated(timeout));
    }
    /// Calls `callback()` once it is done, in the loop's thread (if cancel() did it: in the thread that called cancel()); at
    /// once if it is done already. What it throws is logged.
    void add_done_callback(std::function<void()> callback) { m_state->add_done_callback(std::move(callback)); }

    explicit operator bool() const { return m_state != nullptr; }
    /// "<ConcurrentFuture pending>", or finished, cancelled, none
    QString to_string() const { return detail::describe_concurrent(m_state.get()); }

private:
    template<class R>
    friend ConcurrentFuture<R> run_coroutine_threadsafe(Coroutine<R> &&coroutine, QAsyncioLoop &loop);
    explicit ConcurrentFuture(std::shared_ptr<detail::ConcurrentState<T>> state) : m_state(std::move(state)) { }

    std::shared_ptr<detail::ConcurrentState<T>> m_state;
};

/// Starts a coroutine as a task of a loop that runs in another thread. The coroutine and its arguments move there.
///
/// Thread: any. `loop` must live until the future is done. If the loop is closed first the future is cancelled.
/// Throws RuntimeError if the loop is closed (the coroutine is then closed) or the coroutine was awaited before.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.run_coroutine_threadsafe
template<class T>
ConcurrentFuture<T> run_coroutine_threadsafe(Coroutine<T> &&coroutine, QAsyncioLoop &loop)
{
    if (!coroutine)
        detail::throw_awaited_twice();
    auto state = std::make_shared<detail::ConcurrentState<T>>(loop);
    detail::ConcurrentRun<T> run(state, std::move(coroutine));
    loop.call_soon_threadsafe([run = std::move(run)]() mutable { std::move(run).start(); });
    return ConcurrentFuture<T>(std::move(state));
}

} // namespace QAsyncio
