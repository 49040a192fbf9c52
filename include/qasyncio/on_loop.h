// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/foreign.h"
#include "qasyncio/task_group.h"

#include <memory>
#include <new>
#include <optional>

namespace QAsyncio {

namespace detail {
template<class T>
class Traveller;
template<class T, class F, class... Args>
Coroutine<T> run_on_loop(QAsyncioLoop *loop, F function, Args... args);
} // namespace detail

/// `co_await on_loop(loop, function, args...)` calls `function(args...)`, a function that returns a
/// coroutine, in the thread of another loop, runs the coroutine there as a task, and gives its
/// result here.
///
///     const QImage image = co_await on_loop(workers.loop(), render, scene);
///
/// Nothing starts before the await. The function, the arguments and the result move between the
/// threads, so whatever they share must be thread-safe. If `loop` is the running loop itself, this
/// is a plain await.
/// Errors: what the coroutine throws is thrown here. RuntimeError if the other loop is closed, or
/// is closed before the task has ended; CancelledError if a Runner is already cleaning up there.
/// Cancellation: cancelling the caller cancels the task there. This await ends when that task has
/// ended, and gives its result if it has one nevertheless. If the caller is unwound, the task there
/// is cancelled but not waited for.
/// Thread: that of the running loop. `loop` must live until the task has ended.
template<class F, class... Args>
auto on_loop(QAsyncioLoop &loop, F &&function, Args &&...args)
{
    detail::check_closure<F>();
    using Function = detail::closure_t<F>;
    using T = detail::coroutine_value_t<std::invoke_result_t<Function &, std::decay_t<Args>...>>;
    return detail::run_on_loop<T, Function, std::decay_t<Args>...>(&loop, std::forward<F>(function),
                                                                   std::forward<Args>(args)...);
}
/// The same for an existing coroutine, whose arguments come from this thread. It is closed if it
/// cannot begin. Throws RuntimeError, at the call, if it has been awaited before.
template<class T>
auto on_loop(QAsyncioLoop &loop, Coroutine<T> &&coroutine)
{
    if (!coroutine)
        detail::throw_awaited_twice();
    const auto arrived = [](detail::Traveller<T> traveller) { return traveller.take(); };
    return on_loop(loop, arrived, detail::Traveller<T>(std::move(coroutine)));
}

namespace detail {

/// The far end of a call into another loop. It belongs to that loop's thread and is destroyed
/// there.
struct QASYNCIO_EXPORT RemoteTask
{
    explicit RemoteTask(LoopCore &core) : core(core) { core.retain(); }
    ~RemoteTask() { core.release(); }
    Q_DISABLE_COPY_MOVE(RemoteTask)

    LoopCore &core; // not the loop: that may be gone before the caller learns of the task's end
    AnyTask task;
    std::optional<QString> cancelled; // message of a cancellation that came before the task
};

/// RuntimeError: the other loop was closed.
QASYNCIO_EXPORT std::exception_ptr remote_loop_closed();
/// Called in the caller's thread, after the call that begins the task: cancels what `remote` runs.
QASYNCIO_EXPORT void cancel_remote(const std::shared_ptr<RemoteTask> &remote,
                                   const QString &message);

/// Sends the outcome home when it is destroyed: when the task there has ended, or its loop was
/// closed.
template<class T>
class RemoteResult
{
public:
    explicit RemoteResult(ForeignResult<T> *result) : m_result(result) { }
    RemoteResult(RemoteResult &&other) noexcept : m_result(std::exchange(other.m_result, nullptr))
    { }
    RemoteResult &operator=(RemoteResult &&) = delete;
    ~RemoteResult()
    {
        if (!m_result)
            return;
        if (m_result->empty())
            m_result->set_exception(remote_loop_closed());
        m_result->send();
    }

    void operator()(const Future<T> &task)
    {
        auto &future = *FutureAccess::state(task);
        const auto result = [&] { return take_value<T>(future, true); };
        m_result->set_outcome_of(result);
    }
    void set_exception(std::exception_ptr exception)
    {
        m_result->set_exception(std::move(exception));
    }

private:
    ForeignResult<T> *m_result;
};

/// What runs in the other loop's thread to start the task.
template<class T, class F, class... Args>
class RemoteStart
{
public:
    template<class G, class... A>
    RemoteStart(QAsyncioLoop &loop, std::shared_ptr<RemoteTask> remote, RemoteResult<T> result,
                G &&function, A &&...args)
        : m_loop(loop), m_remote(std::move(remote)), m_result(std::move(result)),
          m_call(std::forward<G>(function), std::forward<A>(args)...)
    { }
    RemoteStart(RemoteStart &&) = default;

    void operator()()
    {
        if (m_loop.core().has(LoopCore::ShuttingDown))
            return m_result.set_exception(std::make_exception_ptr(CancelledError()));
        try {
            const auto make = [](auto &&...parts) {
                return run_function<T, F, Args...>(std::move(parts)...);
            };
            Task<T> task = m_loop.create_task(std::apply(make, std::move(m_call)));
            m_remote->task = task;
            if (m_remote->cancelled)
                task.cancel(*m_remote->cancelled);
            task.add_done_callback(std::move(m_result));
        } catch (...) {
            m_result.set_exception(std::current_exception());
        }
    }

private:
    QAsyncioLoop &m_loop;
    std::shared_ptr<RemoteTask> m_remote;
    RemoteResult<T> m_result;
    std::tuple<F, Args...> m_call;
};

/// The near end. Cancelling it sends a request to the task there; the end of that task ends it.
template<class T>
class RemoteFuture final : public FutureState<T>
{
public:
    RemoteFuture(LoopCore &core, std::shared_ptr<RemoteTask> remote)
        : FutureState<T>(core), m_remote(std::move(remote))
    { }

    QString describe_wait() const override
    {
        return this->done() ? FutureState<T>::describe_wait()
                            : QStringLiteral("a task in another loop");
    }

    bool cancel(const QString &message) override
    {
        if (!this->is_pending())
            return false;
        cancel_remote(m_remote, message);
        return true;
    }
    /// Nobody is waiting any more.
    void abandon()
    {
        try {
            cancel_remote(m_remote, QString());
        } catch (const std::bad_alloc &) { // then it runs on, and its result is dropped
        }
        FutureState<T>::cancel(QString()); // what comes home is dropped
    }

private:
    const std::shared_ptr<RemoteTask> m_remote;
};

/// Awaits the near end and moves the result out. If the caller is unwound meanwhile, it abandons
/// the call.
template<class T>
class RemoteAwaiter : public FutureAwaiter<T, true>
{
public:
    using FutureAwaiter<T, true>::FutureAwaiter;
    RemoteAwaiter(RemoteAwaiter &&) noexcept = default;
    ~RemoteAwaiter()
    {
        if (!this->m_future || this->m_future->done())
            return;
        this->stop_waiting();
        static_cast<RemoteFuture<T> *>(this->m_future)->abandon();
    }
};

/// A coroutine on its way to another loop. If it does not get there it is closed, so that it is not
/// reported as never awaited.
template<class T>
class Traveller
{
public:
    explicit Traveller(Coroutine<T> coroutine) : m_coroutine(std::move(coroutine)) { }
    Traveller(Traveller &&) noexcept = default;
    ~Traveller() { m_coroutine.close(); }

    Coroutine<T> take() { return std::move(m_coroutine); }

private:
    Coroutine<T> m_coroutine;
};

template<class T, class F, class... Args>
Coroutine<T> run_on_loop(QAsyncioLoop *loop, F function, Args... args)
{
    if (&get_running_loop() == loop) {
        auto running = std::invoke(function, std::move(args)...);
        co_return co_await std::move(running);
    }
    auto remote = std::make_shared<RemoteTask>(loop->core());
    auto state = Ref<RemoteFuture<T>>::adopt(
        new RemoteFuture<T>(get_running_loop().core(), remote));
    RemoteResult<T> result(new ForeignResult<T>(Ref<FutureState<T>>::share(state.get())));
    RemoteStart<T, F, Args...> start(*loop, remote, std::move(result), std::move(function),
                                     std::move(args)...);
    try {
        loop->call_soon_threadsafe(std::move(start));
    } catch (...) {
        state->take_exception(); // not to be reported: the caller gets what is thrown here
        throw;
    }
    RemoteAwaiter<T> home(Ref<FutureStateBase>::adopt(state.leak()));
    co_return co_await home;
}

} // namespace detail

} // namespace QAsyncio
