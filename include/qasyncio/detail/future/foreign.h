// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/pool.h"
#include "qasyncio/detail/future/settle.h"
#include "qasyncio/detail/thread/message.h"
#include "qasyncio/future.h"

#include <QtCore/qscopeguard.h>

namespace QAsyncio::detail {

/// A coroutine that awaits somebody else's awaitable in a frame of its own, and starts at once.
/// Nothing owns the frame: it ends when the awaitable resumes it, even if the task that waits for
/// it has ended long before.
struct DetachedFrame
{
    struct promise_type : PooledFrame
    {
        DetachedFrame get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept { }
        // await_foreign() catches everything.
        void unhandled_exception() const noexcept { std::terminate(); }
    };
};

/// RuntimeError: the awaitable has destroyed the frame that waits for it.
QASYNCIO_EXPORT std::exception_ptr awaitable_dropped();

/// Brings the outcome of a foreign awaitable to the loop, from whatever thread the awaitable has
/// resumed in.
template<class R>
class ForeignResult final : public Message
{
public:
    explicit ForeignResult(Ref<FutureState<R>> future) : m_future(std::move(future)) { }

    template<class... V>
    void set_value(V &&...value)
    {
        m_outcome.emplace(std::in_place, std::forward<V>(value)...);
    }
    void set_exception(std::exception_ptr exception)
    {
        m_outcome.emplace(failed_outcome, std::move(exception));
    }
    template<class F>
    void set_outcome_of(F &value) noexcept
    {
        store_outcome(m_outcome, value);
    }
    bool empty() const { return !m_outcome; }

    /// Sends this home. In the loop's own thread the future is completed at once; its task still
    /// resumes through the loop.
    void send()
    {
        LoopCore &core = *m_future->core;
        if (core.in_own_thread())
            run(core);
        else
            Message::send(core);
    }

private:
    void arrive() noexcept override
    {
        if (!m_outcome)
            m_outcome.emplace(failed_outcome, awaitable_dropped());
        settle(*m_future, *std::move(m_outcome));
    }

    Ref<FutureState<R>> m_future;
    std::optional<Outcome<R>> m_outcome;
};

template<class A, class R>
DetachedFrame await_foreign(A awaitable, ForeignResult<R> *result)
{
    // Sends the result also if the awaitable destroys this frame instead of resuming it.
    const QScopeGuard send([result] { result->send(); });
    try {
        if constexpr (std::is_void_v<R>) {
            co_await std::forward<A>(awaitable);
            result->set_value();
        } else {
            result->set_value(co_await std::forward<A>(awaitable));
        }
    } catch (...) {
        result->set_exception(std::current_exception());
    }
}

/// Awaits the future of a foreign awaitable, or of a function in a thread, which nobody else holds.
/// If the task is unwound the future is cancelled, and what comes later is dropped.
template<class R>
class ForeignFutureAwaiter : public FutureAwaiter<R, true>
{
public:
    using FutureAwaiter<R, true>::FutureAwaiter;
    ForeignFutureAwaiter(ForeignFutureAwaiter &&) noexcept = default; // only before it is awaited
    ~ForeignFutureAwaiter()
    {
        if (!this->m_future || !this->task() || this->m_future->done())
            return;
        this->stop_waiting();
        this->m_future->cancel({});
    }
};

template<class A>
using foreign_result_t = std::remove_cvref_t<await_result_t<A>>; // void stays void

/// Awaits an awaitable of somebody else in a frame of its own and resumes the task through the
/// loop. If the task is cancelled it ends at once, and what the awaitable gives later is dropped.
template<class A>
class ForeignAwaiter : public ForeignFutureAwaiter<foreign_result_t<A>>
{
    using Result = foreign_result_t<A>;

public:
    explicit ForeignAwaiter(A &&awaitable)
        : ForeignFutureAwaiter<Result>(begin(std::forward<A>(awaitable)))
    { }
    QString await_description() const override
    {
        return QStringLiteral("an awaitable of another library");
    }

private:
    static Ref<FutureStateBase> begin(A &&awaitable)
    {
        // An lvalue is awaited where it is, a temporary moves into the frame.
        using Held = std::conditional_t<std::is_lvalue_reference_v<A>, A, std::remove_cvref_t<A>>;
        const auto future = Ref<FutureState<Result>>::adopt(
            new FutureState<Result>(running_core()));
        auto *result = new ForeignResult<Result>(future);
        try {
            await_foreign<Held, Result>(std::forward<A>(awaitable), result);
        } catch (...) { // there is no frame that would send the result home
            result->discard();
            throw;
        }
        return Ref<FutureStateBase>::share(future.get());
    }
};

template<class A>
Await<ForeignAwaiter<A>> make_foreign_awaiter(A &&awaitable)
{
    return Await<ForeignAwaiter<A>>(std::in_place, std::forward<A>(awaitable));
}

} // namespace QAsyncio::detail
