// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/settle.h"
#include "qasyncio/detail/thread/message.h"

#include <functional>
#include <tuple>

namespace QAsyncio::detail {

/// The default executor of a closed loop is kept while functions run in it. Drops those in which
/// none runs any more; returns whether none is left.
QASYNCIO_EXPORT bool drop_idle_executors();

/// A function on its way through an executor: queued, then run by a thread, then sent home with its
/// outcome. One reference belongs to the executor and later to the loop's queue, the other to the
/// future.
class QASYNCIO_EXPORT ExecutorJobBase : public Message
{
public:
    /// The function sees everything that was written before it was handed over, whatever executor
    /// it is: the first is called in the loop's thread before the executor gets the job, the second
    /// in the executor's thread before the job runs.
    static void hand_over() noexcept;
    static void take_over() noexcept;
    /// In the executor's thread: runs the function unless it was abandoned.
    void execute() noexcept;
    /// In any thread, as the last step there: gives the job back to the loop.
    void send_home() noexcept { send(*future->core); }
    /// In the loop's thread: keeps the function from running, unless a thread has already taken it.
    void abandon() noexcept;

    void retain() noexcept { m_refs.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept
    {
        if (m_refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }

    Ref<FutureStateBase> future; // the one to complete; set by the loop, cleared by dispose()

protected:
    virtual void call() noexcept = 0;    // stores the outcome
    virtual void drop() noexcept = 0;    // destroys the function and its arguments
    virtual void deliver() noexcept = 0; // completes the future

private:
    enum Stage : int { Queued, Taken, Abandoned };

    void arrive() noexcept override;
    void dispose() noexcept override;

    std::atomic<quint32> m_refs{1};
    std::atomic<int> m_stage{Queued};
};

/// Holds the function with its arguments, and then its outcome.
template<class R, class F, class... Args>
class ExecutorJob final : public ExecutorJobBase
{
public:
    template<class G, class... A>
    explicit ExecutorJob(G &&f, A &&...args)
        : m_work(std::in_place, std::forward<G>(f), std::forward<A>(args)...)
    { }

private:
    void call() noexcept override
    {
        const auto invoke = [](F &f, Args &...args) -> R {
            return std::invoke(std::move(f), std::move(args)...);
        };
        const auto work = [&] { return std::apply(invoke, *m_work); };
        store_outcome(m_outcome, work);
        m_work.reset();
    }
    void drop() noexcept override { m_work.reset(); }
    void deliver() noexcept override
    {
        settle(static_cast<FutureState<R> &>(*future), *std::move(m_outcome));
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
        if (job)
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
