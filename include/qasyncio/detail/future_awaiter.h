// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/await.h"

namespace QAsyncio::detail {

/// The part of awaiting a future that does not depend on its type.
class QASYNCIO_EXPORT FutureAwaiterBase : public NativeAwaiter
{
public:
    explicit FutureAwaiterBase(Ref<FutureStateBase> state) : m_future(std::move(state)) { }
    FutureAwaiterBase(FutureAwaiterBase &&other) noexcept : m_future(std::move(other.m_future)) { }
    ~FutureAwaiterBase()
    {
        // Unwound while it waits. A future that was refused is not touched: it may belong to another thread.
        if (m_task && !(m_task->flags & refused) && !m_future->done())
            m_future->remove_callback(m_task);
    }

    bool await_ready() const noexcept { return m_future->done(); }

    template<TaskPromise P>
    void await_suspend(std::coroutine_handle<P> frame)
    {
        suspend(frame.promise());
    }

protected:
    static constexpr auto refused = FutureStateBase::WrongLoop | FutureStateBase::AwaitsItself;

    void suspend(PromiseBase &frame);
    /// Throws if the awaiting task is to be cancelled or the await was refused.
    void check_resumed()
    {
        if (!m_task)
            return;
        if (Q_UNLIKELY(m_task->flags & (FutureStateBase::MustCancel | refused)))
            throw_resumed();
    }

    Ref<FutureStateBase> m_future;
    TaskStateBase *m_task = nullptr; // set when it suspends

private:
    void throw_resumed();
};

/// `Movable`: awaited through an rvalue handle, so that the result may be moved out if nobody else has one.
template<class T, bool Movable>
class FutureAwaiter : public FutureAwaiterBase
{
public:
    using FutureAwaiterBase::FutureAwaiterBase;

    T await_resume()
    {
        check_resumed();
        return take_value<T>(*m_future, Movable && m_future->sole_owner());
    }
};

} // namespace QAsyncio::detail
