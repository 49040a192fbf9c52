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
        if (m_task && !m_future->done()) // unwound
            m_future->remove_callback(m_task);
    }

    bool await_ready() const noexcept { return m_future->done(); }

    template<TaskPromise P>
    void await_suspend(std::coroutine_handle<P> frame)
    {
        suspend(frame.promise());
    }

protected:
    void suspend(PromiseBase &frame);
    /// Throws if the awaiting task is to be cancelled or the await was refused.
    void check_resumed()
    {
        if (!m_task)
            return;
        constexpr auto unusual = FutureStateBase::MustCancel | FutureStateBase::WrongLoop | FutureStateBase::AwaitsItself;
        if (Q_UNLIKELY(m_task->flags & unusual))
            throw_resumed();
    }

    Ref<FutureStateBase> m_future;
    TaskStateBase *m_task = nullptr; // set while it is suspended

private:
    void throw_resumed();
};

template<class T>
class FutureAwaiter : public FutureAwaiterBase
{
public:
    FutureAwaiter(Ref<FutureStateBase> state, bool movable) : FutureAwaiterBase(std::move(state)), m_movable(movable) { }

    T await_resume()
    {
        check_resumed();
        return take_value<T>(*m_future, m_movable && m_future->sole_owner());
    }

private:
    bool m_movable;
};

} // namespace QAsyncio::detail
