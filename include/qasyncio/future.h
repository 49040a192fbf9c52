// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/awaiter.h"
#include "qasyncio/context.h"
#include "qasyncio/detail/future/done_callback.h"
#include "qasyncio/detail/future/result_type.h"
#include "qasyncio/errors.h"

namespace QAsyncio {

namespace detail {
template<class T, bool Movable>
class FutureAwaiter;
} // namespace detail

/// Names a done callback, for remove_done_callback().
class DoneCallbackId
{
public:
    DoneCallbackId() = default;
    /// "<DoneCallbackId 3>"; 0 for none
    QString to_string() const { return QStringLiteral("<DoneCallbackId %1>").arg(m_number); }

private:
    friend class AnyFuture;
    explicit DoneCallbackId(detail::DoneCallbackBase *callback) : m_callback(callback), m_number(callback->number) { }
    detail::FutureCallback *m_callback = nullptr; // compared only: it may be gone, and another one in its place
    quint64 m_number = 0;
};

/// A future of any type, without its result: the base of Future<T> and Task<T>.
///
/// A shared handle: copies speak of the same future. A default-constructed handle speaks of none: only `operator bool`,
/// copying and comparing may be used with it.
/// Thread: handles may be copied and dropped anywhere; every other call belongs to the loop's thread.
class QASYNCIO_EXPORT AnyFuture
{
public:
    AnyFuture() = default;

    /// Whether there is a result, an exception or a cancellation.
    bool done() const { return m_state->done(); }
    bool cancelled() const { return m_state->state() == detail::FutureStateBase::Cancelled; }
    /// Asks for cancellation. Of a plain future: it is cancelled at once; of a task: see Task. False if it is done already.
    bool cancel(const QString &message = {}) { return m_state->cancel(message); }
    /// The exception, or null if there is a result. Counts as retrieved.
    /// Throws InvalidStateError if it is not done, CancelledError if it was cancelled.
    std::exception_ptr exception() const { return m_state->exception(); }
    QAsyncioLoop &get_loop() const;

    /// Calls `callback(future)` or `callback()` through call_soon() when this is done, never inline. It runs
    /// in a copy of the current context, or in `context`. What it throws goes to the loop's exception handler.
    template<class F>
    DoneCallbackId add_done_callback(F &&callback, CallbackContext context = {})
    {
        return add(detail::make_done_callback<AnyFuture>(std::forward<F>(callback)), context);
    }
    /// Gives back how many were removed: 1, or 0 if it has been scheduled already or was removed before.
    int remove_done_callback(DoneCallbackId id);

    explicit operator bool() const { return static_cast<bool>(m_state); }
    friend bool operator==(const AnyFuture &, const AnyFuture &) = default;

    /// "<Future finished>", "<Task pending name='Task-1' coro=<load()>>"
    QString to_string() const;

protected:
    template<class, class>
    friend class detail::DoneCallback;
    friend class detail::FutureAccess;
    explicit AnyFuture(detail::Ref<detail::FutureStateBase> state) : m_state(std::move(state)) { }

    DoneCallbackId add(detail::DoneCallbackBase *callback, CallbackContext context);

    detail::Ref<detail::FutureStateBase> m_state;
};

/// A result that comes later.
///
/// Made by QAsyncioLoop::create_future<T>(), completed by whoever was asked to. Any number of tasks may await it; each
/// resumes through the loop, in the order of the awaits, with the same result or the same exception. To await a
/// future that is done does not suspend.
/// Cancellation: cancelling a task that awaits a future cancels the future.
/// Results: read from an lvalue they are copied, any number of times; from an rvalue handle they are moved out if it is the
/// only one. A result that cannot be copied can be taken once; a second taking throws RuntimeError. A class with a member
/// that only says that it can be copied (`std::vector<std::unique_ptr<int>>`) says so itself, and does not compile as a
/// result until it deletes its copy constructor: `Rows(const Rows &) = delete; Rows(Rows &&) = default;`.
/// An exception that nobody retrieves is reported when the last handle goes.
/// \sa https://docs.python.org/3/library/asyncio-future.html#asyncio.Future
template<class T = void>
class Future : public AnyFuture
{
public:
    static_assert(detail::ResultType<T>::checked);
    using value_type = T;

    Future() = default;

    /// Completes the future. Throws InvalidStateError if it is done, RuntimeError if it has callbacks and the loop is
    /// closed: it is completed nevertheless.
    template<class U = T>
        requires(!std::is_void_v<T>)
    void set_result(U &&value)
    {
        check_settable("set_result");
        if constexpr (!std::is_same_v<U, T>) {
            T converted = std::forward<U>(value);
            move_in(std::move(converted));
        } else {
            move_in(std::move(value));
        }
    }
    void set_result()
        requires std::is_void_v<T>
    {
        check_settable("set_result");
        state().set_value({});
    }
    /// Completes the future with an exception, given as an object or as a std::exception_ptr.
    /// Throws TypeError for a null pointer; else as set_result().
    template<class E>
    void set_exception(E &&error)
    {
        check_settable("set_exception");
        if constexpr (std::is_same_v<std::remove_cvref_t<E>, std::exception_ptr>)
            m_state->set_exception(std::forward<E>(error));
        else
            m_state->set_exception(std::make_exception_ptr(std::forward<E>(error)));
    }
    /// The result. Throws the exception there is instead, CancelledError, or InvalidStateError if it is not done.
    T result() const &
    {
        if constexpr (std::is_void_v<T> || std::is_trivially_copyable_v<T>) {
            return detail::take_value<T>(*m_state, false);
        } else { // copying it may do anything, drop this handle as well
            const auto kept = m_state;
            return detail::take_value<T>(*kept, false);
        }
    }
    T result() && { return detail::take_value<T>(*m_state, m_state->sole_owner()); }

    using AnyFuture::add_done_callback;
    template<class F>
        requires std::is_invocable_v<F &, Future<T>>
    DoneCallbackId add_done_callback(F &&callback, CallbackContext context = {})
    {
        return add(detail::make_done_callback<Future<T>>(std::forward<F>(callback)), context);
    }

    detail::FutureAwaiter<T, false> operator co_await() const & { return detail::FutureAwaiter<T, false>(m_state.get()); }
    detail::FutureAwaiter<T, true> operator co_await() && { return detail::FutureAwaiter<T, true>(std::move(m_state)); }

protected:
    friend class detail::FutureAccess;
    template<class, class>
    friend class detail::DoneCallback;
    using AnyFuture::AnyFuture;

    void move_in(detail::future_value_t<T> &&value)
    {
        if constexpr (std::is_trivially_copyable_v<detail::future_value_t<T>>) {
            state().set_value(std::move(value));
        } else { // moving it may do anything, drop this handle as well
            const AnyFuture kept = *this;
            state().set_value(std::move(value));
        }
    }
    detail::FutureState<T> &state() const { return static_cast<detail::FutureState<T> &>(*m_state); }
    void check_settable(const char *operation) const { detail::check_settable(*m_state, operation); }
};

namespace detail {

/// A pending future of `core`'s loop.
template<class T>
Future<T> make_future(LoopCore &core)
{
    return FutureAccess::wrap<Future<T>>(Ref<FutureState<T>>::adopt(new FutureState<T>(core)));
}
/// The part of awaiting a future that does not depend on its type.
class QASYNCIO_EXPORT FutureAwaiterBase : public AwaiterBase
{
public:
    bool await_ready() const noexcept { return m_future->done(); }
    void await_suspend()
    {
        TaskStateBase *const task = this->task();
        if (Q_LIKELY(m_future->core == task->core && m_future != task))
            m_future->callbacks.append(task);
        else
            task->refuse_await(*m_future);
    }
    void await_discard();
    bool await_cancel(const QString &message) override;
    QString await_description() const override;
    FutureStateBase *awaited_future() const noexcept override;

protected:
    explicit FutureAwaiterBase(FutureStateBase *future) : m_future(future) { }
    FutureAwaiterBase(FutureAwaiterBase &&other) noexcept
        : AwaiterBase(std::move(other)), m_future(std::exchange(other.m_future, nullptr)) { }

    /// Throws if the await was refused.
    void check_refused() const
    {
        if (const TaskStateBase *task = this->task(); task && Q_UNLIKELY(task->is_await_refused()))
            throw_refused();
    }
    /// Stops waiting: the frame is destroyed.
    void stop_waiting()
    {
        TaskStateBase *const task = this->task();
        if (!task)
            return;
        if (Q_UNLIKELY(task->is_await_refused()))
            task->forget_refusal(); // and the future is not touched: it may belong to another thread
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
        stop_waiting();
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

} // namespace detail

} // namespace QAsyncio
