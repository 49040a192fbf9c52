// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/foreign.h"
#include "qasyncio/task_group.h"

#include <memory>
#include <new>
#include <optional>

namespace QAsyncio::detail {

/// The far end of a call into another loop. Belongs to that loop's thread, in which it is destroyed as well.
struct QASYNCIO_EXPORT RemoteTask
{
    explicit RemoteTask(LoopCore &core) : core(core) { core.retain(); }
    ~RemoteTask() { core.release(); }
    Q_DISABLE_COPY_MOVE(RemoteTask)

    LoopCore &core; // the loop itself may be gone when its task has ended and that is not known at home yet
    AnyTask task;
    std::optional<QString> cancelled; // the request that came in the first step of an eager task: its message
};

/// RuntimeError: the other loop was closed.
QASYNCIO_EXPORT std::exception_ptr remote_loop_closed();
/// From another thread, behind the call that begins it: cancels what `remote` runs.
QASYNCIO_EXPORT void cancel_remote(const std::shared_ptr<RemoteTask> &remote, const QString &message);

/// Sends the outcome home when it is destroyed, which is when the task there has ended or its loop was closed.
template<class T>
class RemoteResult
{
public:
    explicit RemoteResult(ForeignResult<T> *result) : m_result(result) { }
    RemoteResult(RemoteResult &&other) noexcept : m_result(std::exchange(other.m_result, nullptr)) { }
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
    void set_exception(std::exception_ptr exception) { m_result->set_exception(std::move(exception)); }

private:
    ForeignResult<T> *m_result;
};

/// Runs in the other loop's thread.
template<class T, class F, class... Args>
class RemoteStart
{
public:
    template<class G, class... A>
    RemoteStart(QAsyncioLoop &loop, std::shared_ptr<RemoteTask> remote, RemoteResult<T> result, G &&function, A &&...args)
        : m_loop(loop), m_remote(std::move(remote)), m_result(std::move(result)),
          m_call(std::forward<G>(function), std::forward<A>(args)...) { }
    RemoteStart(RemoteStart &&) = default;

    void operator()()
    {
        if (m_loop.core().has(LoopCore::ShuttingDown))
            return m_result.set_exception(std::make_exception_ptr(CancelledError()));
        try {
            const auto make = [](auto &&...parts) { return run_function<T, F, Args...>(std::move(parts)...); };
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

/// The near end: cancelling it is a request to the task there, whose end ends it.
template<class T>
class RemoteFuture final : public FutureState<T>
{
public:
    RemoteFuture(LoopCore &core, std::shared_ptr<RemoteTask> remote) : FutureState<T>(core), m_remote(std::move(remote)) { }

    bool cancel(const QString &message) override
    {
        if (!this->is_pending())
            return false;
        cancel_remote(m_remote, message);
        return true;
    }
    /// Nobody waits any more.
    void abandon()
    {
        try {
            cancel_remote(m_remote, QString());
        } catch (const std::bad_alloc &) { // it goes on to its end, unheard
        }
        FutureState<T>::cancel(QString()); // what comes home is dropped
    }

private:
    const std::shared_ptr<RemoteTask> m_remote;
};

/// Awaits the near end and moves the result out. Whoever is unwound meanwhile abandons the call.
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
        this->leave();
        static_cast<RemoteFuture<T> *>(this->m_future)->abandon();
    }
};

/// A coroutine on its way to another loop: closed, and not reported as never awaited, if it does not get there.
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
    auto state = Ref<RemoteFuture<T>>::adopt(new RemoteFuture<T>(get_running_loop().core(), remote));
    RemoteResult<T> result(new ForeignResult<T>(Ref<FutureState<T>>::share(state.get())));
    RemoteStart<T, F, Args...> start(*loop, remote, std::move(result), std::move(function), std::move(args)...);
    try {
        loop->call_soon_threadsafe(std::move(start));
    } catch (...) {
        state->take_exception(); // that the other loop was closed is on its way to the caller
        throw;
    }
    RemoteAwaiter<T> home(Ref<FutureStateBase>::adopt(state.leak()));
    co_return co_await home;
}

} // namespace QAsyncio::detail
