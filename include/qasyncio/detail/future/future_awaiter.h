// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/awaiter.h"

namespace QAsyncio::detail {

/// The part of awaiting a future that does not depend on its type.
class QASYNCIO_EXPORT FutureAwaiterBase : public AwaiterBase
{
public:
    bool await_ready() const noexcept { return m_future->done(); }
    void await_suspend();
    void await_discard();
    bool await_cancel(const QString &message) override;
    QString await_description() const override;
    FutureStateBase *awaited_future() const noexcept override;

protected:
    static constexpr auto refused = FutureStateBase::WrongLoop | FutureStateBase::AwaitsItself;

    explicit FutureAwaiterBase(FutureStateBase *future) : m_future(future) { }
    FutureAwaiterBase(FutureAwaiterBase &&other) noexcept
        : AwaiterBase(std::move(other)), m_future(std::exchange(other.m_future, nullptr)) { }

    /// Throws if the await was refused.
    void check_refused() const
    {
        if (const TaskStateBase *task = this->task(); task && Q_UNLIKELY(task->flags & refused))
            throw_refused();
    }
    /// Stops waiting: the frame is destroyed.
    void leave()
    {
        TaskStateBase *const task = this->task();
        if (!task)
            return;
        if (Q_UNLIKELY(task->flags & refused))
            task->flags &= ~refused; // and the future is not touched: it may belong to another thread
        else if (!m_future->done()) // unwound while it waits
            m_future->remove_callback(task);
    }

    FutureStateBase *m_future;

private:
    [[noreturn]] void throw_refused() const;
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
    FutureAwaiter(FutureAwaiter &&) noexcept = default;
    ~FutureAwaiter()
    {
        if (!m_future)
            return;
        leave();
        if (Movable || task())
            m_future->release();
    }

    void await_suspend()
    {
        if constexpr (!Movable)
            m_future->retain();
        FutureAwaiterBase::await_suspend();
    }
    T await_resume()
    {
        check_refused();
        return take_value<T>(*m_future, Movable && m_future->sole_owner());
    }
};

} // namespace QAsyncio::detail
