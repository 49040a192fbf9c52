// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/settle.h"
#include "qasyncio/loop.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace QAsyncio {

namespace detail {
class ConcurrentStateBase;
template<class T>
class ConcurrentState;
QASYNCIO_EXPORT QString describe_concurrent(const ConcurrentStateBase *state);
} // namespace detail

/// The result of a coroutine that runs in the loop of another thread, as returned by
/// run_coroutine_threadsafe(). It corresponds to Python's concurrent.futures.Future: it is for
/// threads that block, not for co_await.
///
/// It is a handle; copies refer to the same future. A default-constructed handle refers to none;
/// only `operator bool`, to_string() and copying may be used with it.
/// Thread: any, and several at once.
/// \sa https://docs.python.org/3/library/concurrent.futures.html#future-objects
template<class T = void>
class ConcurrentFuture
{
public:
    using value_type = T;

    /// A handle on no future.
    ConcurrentFuture() = default;

    /// True if it has a result or an exception, or was cancelled.
    bool done() const { return m_state->done(); }
    /// True if it was cancelled, or its loop was closed before the coroutine had ended.
    bool cancelled() const { return m_state->cancelled(); }
    /// Cancels the future at once, and soon afterwards the task in its loop; join() waits for the
    /// end of that task. Returns false if the future is already done.
    bool cancel() { return m_state->cancel(); }
    /// Blocks until the future is done. Gives the result or throws the coroutine's exception. A
    /// result that can be copied may be read any number of times. Any other result may be taken
    /// once; taking it again throws RuntimeError.
    /// Throws CancelledError if the future was cancelled or its loop was closed. Throws
    /// RuntimeError in the loop's own thread while the future is not done, because that would wait
    /// for itself.
    T result()
    {
        m_state->wait();
        return m_state->take();
    }
    /// The same, but waits no longer than `timeout`. Throws TimeoutError after that; the coroutine
    /// goes on.
    template<class Rep, class Period>
    T result(std::chrono::duration<Rep, Period> timeout)
    {
        m_state->wait_for(detail::saturated(timeout));
        return m_state->take();
    }
    /// Blocks as result() does. Gives the coroutine's exception, or null if there is a result.
    /// Throws CancelledError and RuntimeError as result() does.
    std::exception_ptr exception()
    {
        m_state->wait();
        return m_state->exception();
    }
    /// Blocks until the coroutine has really ended, so that nothing of it runs any more, not even a
    /// destructor. After cancel() result() does not tell that, since the coroutine still has to see
    /// its cancellation and may clean up. Returns at once if the coroutine has not begun and never
    /// will.
    /// Throws RuntimeError in the loop's own thread while the coroutine has not ended.
    void join() { m_state->join(); }
    /// The same, but waits no longer than `timeout`. Returns false if the coroutine has not ended
    /// by then.
    template<class Rep, class Period>
    bool join(std::chrono::duration<Rep, Period> timeout)
    {
        return m_state->join(detail::saturated(timeout));
    }
    /// Calls `callback()` when the future is done: in the loop's thread, or, if cancel() was what
    /// completed it, in the thread that called cancel(). If the future is already done, the
    /// callback is called at once, in this thread. What it throws is logged.
    void add_done_callback(std::function<void()> callback)
    {
        m_state->add_done_callback(std::move(callback));
    }

    /// False for a default-constructed handle.
    explicit operator bool() const { return m_state != nullptr; }
    /// "<ConcurrentFuture pending>"; or finished, cancelled, none.
    QString to_string() const { return detail::describe_concurrent(m_state.get()); }

private:
    template<class R>
    friend ConcurrentFuture<R> run_coroutine_threadsafe(Coroutine<R> &&coroutine,
                                                        QAsyncioLoop &loop);
    explicit ConcurrentFuture(std::shared_ptr<detail::ConcurrentState<T>> state)
        : m_state(std::move(state))
    { }

    std::shared_ptr<detail::ConcurrentState<T>> m_state;
};

namespace detail {

/// What a ConcurrentFuture and the task in the loop's thread share, apart from the type of the
/// result. Guarded by its mutex.
class QASYNCIO_EXPORT ConcurrentStateBase
{
public:
    explicit ConcurrentStateBase(QAsyncioLoop &loop)
        : m_loop(loop), m_thread_id(loop.core().thread_id)
    { }
    virtual ~ConcurrentStateBase();
    Q_DISABLE_COPY_MOVE(ConcurrentStateBase)

    bool done() const;
    bool cancelled() const;
    bool cancel();
    void wait();
    void wait_for(std::chrono::nanoseconds timeout);
    void join();
    bool join(std::chrono::nanoseconds timeout);
    void add_done_callback(std::function<void()> callback);
    /// When it is done: the exception, or null. Throws CancelledError.
    std::exception_ptr exception();

    // In the loop's thread:
    QAsyncioLoop &loop() const { return m_loop; }
    /// False if the future has been cancelled meanwhile.
    bool set_task(const AnyTask &task);
    /// The loop was closed, or the task was cancelled.
    void abandon() { finish(Cancelled); }
    /// The coroutine has ended or will never run. Its frame is destroyed.
    void set_ended();

protected:
    enum State { Pending, Finished, Cancelled };

    /// False if it is already done. `store` is called while the mutex is locked.
    bool finish(State state, const std::function<void()> &store = {});
    virtual std::exception_ptr stored_exception() const = 0;
    void check_finished(); // throws CancelledError

private:
    void check_thread() const;
    static void call(const std::function<void()> &callback) noexcept;

    QAsyncioLoop &m_loop;
    const quint64 m_thread_id; // of the loop
    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    State m_state = Pending;
    bool m_ended = false; // the coroutine; after cancel() the future is done long before that
    AnyTask m_task;
    std::vector<std::function<void()>> m_callbacks;
};

template<class T>
class ConcurrentState final : public ConcurrentStateBase
{
public:
    using ConcurrentStateBase::ConcurrentStateBase;

    void set_outcome(Outcome<T> &&outcome)
    {
        // Nobody looks at the outcome before finish(). So moving it, which may run any code, needs
        // no lock.
        try {
            m_outcome.emplace(std::move(outcome));
        } catch (...) {
            m_outcome.emplace(failed_outcome, std::current_exception());
        }
        if (!finish(Finished))
            m_outcome.reset();
    }
    T take()
    {
        check_finished();
        if constexpr (std::is_void_v<T>) {
            m_outcome->value();
        } else if constexpr (IsCopyable<T>::value) {
            return m_outcome->value();
        } else {
            if (m_outcome->has_value() && m_taken.exchange(true))
                throw_value_taken();
            return std::move(*m_outcome).value();
        }
    }

private:
    std::exception_ptr stored_exception() const override { return m_outcome->exception(); }

    std::optional<Outcome<T>> m_outcome;
    std::atomic<bool> m_taken{false};
};

/// Tells the state what has become of the task and when it is gone. If this is destroyed first, the
/// state learns that the task was abandoned.
template<class T>
class ConcurrentDelivery
{
public:
    explicit ConcurrentDelivery(std::shared_ptr<ConcurrentState<T>> state)
        : m_state(std::move(state))
    { }
    ConcurrentDelivery(ConcurrentDelivery &&) = default;
    ConcurrentDelivery &operator=(ConcurrentDelivery &&) = delete;
    ~ConcurrentDelivery()
    {
        if (!m_state)
            return;
        m_state->abandon();
        m_state->set_ended();
    }

    void operator()(const Future<T> &task)
    {
        if (task.cancelled())
            return;
        auto &future = *FutureAccess::state(task);
        const auto result = [&] { return take_value<T>(future, !IsCopyable<T>::value); };
        m_state->set_outcome(outcome_of<T>(result));
    }

private:
    std::shared_ptr<ConcurrentState<T>> m_state;
};

/// A coroutine on its way to the loop's thread.
template<class T>
class ConcurrentRun
{
public:
    ConcurrentRun(std::shared_ptr<ConcurrentState<T>> state, Coroutine<T> coroutine)
        : m_state(state), m_delivery(std::move(state)), m_coroutine(std::move(coroutine))
    { }
    ConcurrentRun(ConcurrentRun &&) = default;
    ~ConcurrentRun() { m_coroutine.close(); } // if it has not begun: not to be reported

    void start() &&
    {
        // While the runner cleans up, nothing new begins: the future is cancelled.
        if (m_state->done() || m_state->loop().core().has(LoopCore::ShuttingDown))
            return;
        try {
            Task<T> task = m_state->loop().create_task(std::move(m_coroutine));
            if (!m_state->set_task(task))
                task.cancel();
            task.add_done_callback(std::move(m_delivery));
        } catch (...) {
            m_state->set_outcome(Outcome<T>(failed_outcome, std::current_exception()));
            throw; // the loop reports it, too
        }
    }

private:
    std::shared_ptr<ConcurrentState<T>> m_state;
    ConcurrentDelivery<T> m_delivery;
    Coroutine<T> m_coroutine;
};

} // namespace detail

/// Starts a coroutine as a task of a loop that runs in another thread. The coroutine and its
/// arguments move there.
///
///     ConcurrentFuture<int> future = run_coroutine_threadsafe(count(u"a.txt"_s), loop);
///     const int lines = future.result(10s); // blocks this thread, not the loop's
///
/// From a coroutine use on_loop() instead, which blocks nothing.
/// Cancellation: ConcurrentFuture::cancel(). If the loop is closed first, or its Runner is already
/// cleaning up, the future is cancelled.
/// Throws RuntimeError if the loop is closed (the coroutine is then closed) or if the coroutine has
/// been awaited before.
/// Thread: any. `loop` must live until the future is done.
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
