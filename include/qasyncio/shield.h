// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/done_listener.h"
#include "qasyncio/ensure_future.h"

namespace QAsyncio {

namespace detail {

template<class T>
class ShieldState;

/// Passes on what the shielded future gives. It is owned by the shield, so that nothing is passed
/// on once the shield has been dropped.
template<class T>
class ShieldListener final : public DoneListener
{
public:
    explicit ShieldListener(ShieldState<T> &outer) : m_outer(&outer) { }

    FutureStateBase *waiting_future() const override { return m_outer; }

private:
    void heard(AnyFuture inner) override
    {
        const auto outer = Ref<ShieldState<T>>::share(m_outer);
        outer->inner_done(FutureAccess::wrap<Future<T>>(FutureAccess::take(std::move(inner))));
    }

    ShieldState<T> *m_outer;
};

/// The future that shield() returns.
template<class T>
class ShieldState final : public FutureState<T>
{
public:
    explicit ShieldState(Future<T> inner)
        : FutureState<T>(*FutureAccess::state(inner)->core), m_inner(std::move(inner)),
          m_listener(std::make_shared<ShieldListener<T>>(*this))
    {
        m_listener->listen_to(m_inner);
    }

    void inner_done(Future<T> inner)
    {
        m_inner = {}; // so that the result can be moved if nobody else has it
        if (this->state() == FutureStateBase::Cancelled)
            return; // if the inner one has failed, it reports that itself
        if (inner.cancelled()) {
            this->cancel(QString()); // without its message
            return;
        }
        if (std::exception_ptr exception = inner.exception())
            return this->set_exception(std::move(exception));
        try {
            set_result_of(std::move(inner));
        } catch (...) { // thrown by copying the result, which may also have cancelled this
            if (this->is_pending())
                this->set_exception(std::current_exception());
        }
    }
    QString describe_wait() const override
    {
        return m_inner
            ? QStringLiteral("shield() of ") + WaitWords::short_name(*FutureAccess::state(m_inner))
            : FutureState<T>::describe_wait();
    }
    bool is_compound() const override { return true; }
    /// Nobody waits for the inner future through this one any more: stops listening to it, so that
    /// it reports its own failure.
    void outer_done()
    {
        m_inner = {};
        m_listener->stop_listening();
    }

private:
    void set_result_of(Future<T> inner)
    {
        if constexpr (std::is_void_v<T>)
            this->set_value({});
        else
            this->set_value(std::move(inner).result());
    }

    Future<T> m_inner; // until it or this is done
    const std::shared_ptr<ShieldListener<T>> m_listener;
};

template<class T>
Future<T> shield_future(Future<T> inner)
{
    if (inner.done())
        return inner;
    auto state = Ref<ShieldState<T>>::adopt(new ShieldState<T>(std::move(inner)));
    auto outer = FutureAccess::wrap<Future<T>>(std::move(state));
    outer.add_done_callback([](const Future<T> &done) {
        static_cast<ShieldState<T> *>(FutureAccess::state(done))->outer_done();
    });
    return outer;
}

} // namespace detail

/// A future with the result of `awaitable` that can be cancelled without cancelling the awaitable.
/// A coroutine becomes a task at once. A future that is already done is returned as it is.
///
///     Task<> saving = create_task(save());
///     co_await shield(saving); // if this is cancelled, `saving` goes on
///
/// Cancellation: cancelling the returned future, or the task that awaits it, leaves the inner one
/// running. Keep a handle on that to wait for its end later. Its context object, if that dies, and
/// the closing of the loop end it nevertheless. If the inner one is cancelled, so is the returned
/// future, without a message.
/// Errors: those of the inner one. Once the returned future has been cancelled or dropped it no
/// longer listens to the inner one. A failure of that is then reported like any other, if nobody
/// has retrieved it when its last handle goes: "Task exception was never retrieved".
/// Throws RuntimeError if no loop runs in this thread, unless the awaitable is a future or task.
/// Thread: the loop's.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.shield
template<class A>
    requires detail::Awaitable<A>
[[nodiscard("a shield that is dropped waits for nothing")]]
Future<detail::ensured_value_t<A>> shield(A &&awaitable)
{
    return detail::shield_future<detail::ensured_value_t<A>>(
        ensure_future(std::forward<A>(awaitable)));
}

} // namespace QAsyncio
