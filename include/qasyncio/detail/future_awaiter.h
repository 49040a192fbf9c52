// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/await.h"

namespace QAsyncio::detail {

/// The part of awaiting a future that does not depend on its type.
class QASYNCIO_EXPORT FutureAwaiterBase : public NativeAwaiter
{
public:
    bool await_ready() const noexcept { return m_future->done(); }

protected:
    static constexpr auto refused = FutureStateBase::WrongLoop | FutureStateBase::AwaitsItself;

    explicit FutureAwaiterBase(FutureStateBase *future) : m_future(future) { }

    void suspend(PromiseBase &frame);
    /// Throws if the awaiting task is to be cancelled or the await was refused.
    void check_resumed()
    {
        if (m_task && Q_UNLIKELY(m_task->flags & (FutureStateBase::MustCancel | refused)))
            throw_resumed();
    }
    /// Stops waiting: the frame is destroyed.
    void leave()
    {
        if (!m_task)
            return;
        if (Q_UNLIKELY(m_task->flags & refused))
            m_task->flags &= ~refused; // and the future is not touched: it may belong to another thread
        else if (!m_future->done()) // unwound while it waits
            m_future->remove_callback(m_task);
    }

    FutureStateBase *m_future;
    TaskStateBase *m_task = nullptr; // set when it suspends

private:
    void throw_resumed();
};

/// `Movable`: awaited through an rvalue handle, so that the result may be moved out if nobody else has one. It takes the
/// handle's reference; an lvalue handle is borrowed, and its future shared only when the await suspends.
template<class T, bool Movable>
class FutureAwaiter : public FutureAwaiterBase
{
public:
    explicit FutureAwaiter(FutureStateBase *borrowed)
        requires(!Movable)
        : FutureAwaiterBase(borrowed) { }
    explicit FutureAwaiter(Ref<FutureStateBase> future)
        requires Movable
        : FutureAwaiterBase(future.leak()) { }
    FutureAwaiter(FutureAwaiter &&other) noexcept : FutureAwaiterBase(std::exchange(other.m_future, nullptr)) { }
    ~FutureAwaiter()
    {
        if (!m_future)
            return;
        leave();
        if (Movable || m_task)
            m_future->release();
    }

    template<TaskPromise P>
    void await_suspend(std::coroutine_handle<P> frame)
    {
        if constexpr (!Movable)
            m_future->retain();
        suspend(frame.promise());
    }
    T await_resume()
    {
        check_resumed();
        return take_value<T>(*m_future, Movable && m_future->sole_owner());
    }
};

} // namespace QAsyncio::detail
