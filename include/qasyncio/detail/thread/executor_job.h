// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/settle.h"
#include "qasyncio/detail/loop/close_listener.h"
#include "qasyncio/detail/thread/message.h"

#include <functional>
#include <stop_token>
#include <tuple>
#include <type_traits>

namespace QAsyncio::detail {

/// The default executor of a closed loop is kept while functions run in it. Drops those in which
/// none runs any more; returns whether none is left.
QASYNCIO_EXPORT bool drop_idle_executors();

/// Whether a function that runs in a thread gets a std::stop_token, as with std::jthread: if it can
/// be called with one in front of its arguments.
template<class F, class... Args>
inline constexpr bool takes_stop_token = std::is_invocable_v<F, std::stop_token, Args...>;

/// What such a function gives.
template<bool takes_token, class F, class... Args>
struct ThreadResult : std::invoke_result<F, Args...>
{
};
template<class F, class... Args>
struct ThreadResult<true, F, Args...> : std::invoke_result<F, std::stop_token, Args...>
{
};
template<class F, class... Args>
using thread_result_t =
    std::remove_cv_t<typename ThreadResult<takes_stop_token<F, Args...>, F, Args...>::type>;

/// A function on its way through an executor: queued, then run by a thread, then sent home with its
/// outcome. One reference belongs to the executor and later to the loop's queue, one to the future,
/// and one, if the function can be stopped, to the loop's list of close listeners.
class QASYNCIO_EXPORT ExecutorJobBase : public Message, public CloseListener
{
public:
    /// The function sees everything that was written before it was handed over, whatever executor
    /// it is: the first is called in the loop's thread before the executor gets the job, the second
    /// in the executor's thread before the job runs.
    static void hand_over() noexcept;
    static void take_over() noexcept;
    /// In the loop's thread, before the executor gets it.
    void begin(LoopCore &core, FutureStateBase &future, bool is_default) noexcept;
    bool has_begun() const noexcept { return bool(m_core); }
    LoopCore *core() const noexcept { return m_core.get(); }
    /// In the executor's thread: runs the function unless it was abandoned, or was run already.
    /// Returns whether it has.
    bool execute() noexcept;
    /// In any thread, as the last step there: gives the job back to the loop.
    void send_home() noexcept { send(*m_core); }
    /// In the loop's thread: keeps the function from running, unless a thread has already taken it;
    /// then stop is requested.
    void abandon() noexcept;
    /// In the loop's thread: the executor has thrown this instead of taking the job. False if it
    /// has taken it nevertheless.
    bool refuse(std::exception_ptr error) noexcept;
    /// The executor has let go of the job without running it. Null: it is cancelled.
    void set_drop_error(std::exception_ptr error) { m_drop_error = std::move(error); }
    /// Nobody has the future any more. Only a future of a function that can be stopped may go
    /// before the job does.
    void future_is_gone(bool was_done) noexcept;

    void retain() noexcept { m_refs.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept
    {
        if (m_refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }

protected:
    explicit ExecutorJobBase(std::stop_source stop) : m_stop(std::move(stop)) { }
    ~ExecutorJobBase() override;

    std::stop_token stop_token() const { return m_stop.get_token(); }
    virtual void call() noexcept = 0; // stores the outcome
    virtual void drop() noexcept = 0; // destroys the function and its arguments
    virtual void deliver(FutureStateBase &future) noexcept = 0; // completes it
    /// There is no future: reports an exception that nobody will retrieve.
    virtual void deliver_to_nobody() noexcept = 0;

private:
    enum Stage : int { Queued, Taken, Abandoned };

    bool can_be_stopped() const noexcept { return m_stop.stop_possible(); }
    bool take(Stage stage) noexcept;
    void arrive() noexcept override;
    void dispose() noexcept override;
    void loop_closes() noexcept override;

    std::atomic<quint32> m_refs{1};
    std::atomic<int> m_stage{Queued};
    bool m_is_default = false; // it is in a default executor of the program's own
    Ref<LoopCore> m_core;
    // The one to complete. Owned, unless the function can be stopped: then dropping the future has
    // to be noticed, and this is set to null. In the loop's thread.
    FutureStateBase *m_future = nullptr;
    std::stop_source m_stop; // without a state if the function takes no token
    std::exception_ptr m_drop_error;
};

/// Holds the function with its arguments, and then its outcome.
template<class R, class F, class... Args>
class ExecutorJob final : public ExecutorJobBase
{
    static constexpr bool takes_token = takes_stop_token<F, Args...>;

public:
    template<class G, class... A>
    explicit ExecutorJob(G &&f, A &&...args)
        : ExecutorJobBase(make_stop_source()),
          m_work(std::in_place, std::forward<G>(f), std::forward<A>(args)...)
    { }

private:
    static std::stop_source make_stop_source()
    {
        if constexpr (takes_token)
            return std::stop_source();
        else
            return std::stop_source(std::nostopstate);
    }
    void call() noexcept override
    {
        const auto work = [this] {
            return std::apply([this](F &f, Args &...args) { return invoke(f, args...); }, *m_work);
        };
        store_outcome(m_outcome, work);
        m_work.reset();
    }
    void drop() noexcept override { m_work.reset(); }
    void deliver(FutureStateBase &future) noexcept override
    {
        settle(static_cast<FutureState<R> &>(future), *std::move(m_outcome));
    }
    void deliver_to_nobody() noexcept override
    {
        if (m_outcome->has_value())
            return;
        try {
            const auto future = Ref<FutureState<R>>::adopt(new FutureState<R>(*core()));
            deliver(*future);
        } catch (const std::bad_alloc &) { // then it is not reported
        }
    }

    R invoke(F &f, Args &...args)
    {
        if constexpr (takes_token)
            return std::invoke(std::move(f), stop_token(), std::move(args)...);
        else
            return std::invoke(std::move(f), std::move(args)...);
    }

    std::optional<std::tuple<F, Args...>> m_work;
    std::optional<Outcome<R>> m_outcome;
};

/// The future of a job. Cancelling it keeps a job that still waits for a thread from running.
template<class R>
class ExecutorFuture final : public FutureState<R>
{
public:
    using FutureState<R>::FutureState;
    ~ExecutorFuture() override
    {
        if (!job)
            return;
        job->future_is_gone(this->done());
        job->release();
    }

    bool cancel(const QString &message) override
    {
        if (!FutureState<R>::cancel(message))
            return false;
        job->abandon();
        return true;
    }
    QString describe_wait() const override
    {
        return this->done() ? FutureState<R>::describe_wait()
                            : QStringLiteral("a function in a thread");
    }

    ExecutorJobBase *job = nullptr;
};

} // namespace QAsyncio::detail
