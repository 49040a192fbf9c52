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

/// Identifies a done callback, for remove_done_callback().
class DoneCallbackId
{
public:
    DoneCallbackId() = default;
    /// "<DoneCallbackId 3>"; the number is 0 if it identifies none.
    QString to_string() const { return QStringLiteral("<DoneCallbackId %1>").arg(m_number); }

private:
    friend class AnyFuture;
    explicit DoneCallbackId(detail::DoneCallbackBase *callback)
        : m_callback(callback), m_number(callback->number)
    { }
    detail::FutureCallback *m_callback = nullptr; // only compared: it may be gone
    quint64 m_number = 0;
};

/// A future with a result of any type, which cannot be read through this class. The base of
/// Future<T> and Task<T>.
///
/// It is a handle: copies refer to the same future. A default-constructed handle refers to none;
/// only `operator bool`, to_string(), copying and comparing may be used with it.
/// Thread: handles may be copied and dropped in any thread. Every other call belongs in the loop's
/// thread.
class QASYNCIO_EXPORT AnyFuture
{
public:
    /// A handle on no future.
    AnyFuture() = default;

    /// True if it has a result or an exception, or was cancelled.
    bool done() const { return m_state->done(); }
    /// True if it was cancelled.
    bool cancelled() const { return m_state->state() == detail::FutureStateBase::Cancelled; }
    /// Requests cancellation. A plain future is cancelled at once; for a task see Task. Returns
    /// false, and changes nothing, if it is already done; but an exception that nobody has
    /// retrieved is not reported any more, as in asyncio.
    bool cancel(const QString &message = {}) { return m_state->cancel(message); }
    /// The exception, or null if there is a result. The exception counts as retrieved.
    /// Throws InvalidStateError if the future is not done, CancelledError if it was cancelled.
    std::exception_ptr exception() const { return m_state->exception(); }
    /// The loop that the future belongs to. Throws RuntimeError if that has been destroyed.
    QAsyncioLoop &get_loop() const;

    /// Calls `callback(future)` or `callback()` when the future is done: through call_soon(), never
    /// inside this call. The callback runs in a copy of the current context, or in `context`. What
    /// it throws goes to the loop's exception handler.
    /// Throws RuntimeError if the future is done and its loop is closed.
    template<class F>
    DoneCallbackId add_done_callback(F &&callback, CallbackContext context = {})
    {
        return add(detail::make_done_callback<AnyFuture>(std::forward<F>(callback)), context);
    }
    /// Returns how many callbacks were removed: 1, or 0 if the callback has been scheduled already
    /// or was removed before.
    int remove_done_callback(DoneCallbackId id);

    /// False for a default-constructed handle.
    explicit operator bool() const { return static_cast<bool>(m_state); }
    /// True if both handles refer to the same future.
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

/// A result that arrives later. QAsyncioLoop::create_future<T>() makes one; whoever is responsible
/// for the result completes it.
///
///     Future<int> answer = loop.create_future<int>();
///     loop.call_later(1s, [answer]() mutable { answer.set_result(42); });
///     const int value = co_await answer;
///
/// Any number of tasks may await it. They resume through the loop, in the order in which they began
/// to wait, and all of them get the same result or the same exception. Awaiting a future that is
/// already done does not suspend.
/// Cancellation: cancelling a task that awaits a future cancels the future.
/// Results: reading through an lvalue copies the result, and may be done any number of times.
/// Reading through an rvalue moves the result out if no other handle on the future exists. A result
/// that cannot be copied can be taken once; taking it again throws RuntimeError. A class that
/// claims to be copyable but is not, because of a member such as
/// `std::vector<std::unique_ptr<int>>`, does not compile as a result until it deletes its copy
/// constructor: `Rows(const Rows &) = delete; Rows(Rows &&) = default;`.
/// Errors: if nobody retrieves an exception, it is reported when the last handle goes.
/// Thread: see AnyFuture.
/// \sa https://docs.python.org/3/library/asyncio-future.html#asyncio.Future
template<class T = void>
class Future : public AnyFuture
{
public:
    static_assert(detail::ResultType<T>::checked);
    using value_type = T;

    /// A handle on no future.
    Future() = default;

    /// Completes the future with this result.
    /// Throws InvalidStateError if the future is done, RuntimeError for a task, which completes
    /// itself. If callbacks are registered and the loop is closed, RuntimeError is thrown too, but
    /// the future is completed all the same.
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
    /// The same for a future without a value.
    void set_result()
        requires std::is_void_v<T>
    {
        check_settable("set_result");
        state().set_value({});
    }
    /// Completes the future with an exception, which may be given as an object or as a
    /// std::exception_ptr.
    /// Throws TypeError for a null pointer; otherwise as set_result().
    template<class E>
    void set_exception(E &&error)
    {
        check_settable("set_exception");
        if constexpr (std::is_same_v<std::remove_cvref_t<E>, std::exception_ptr>)
            m_state->set_exception(std::forward<E>(error));
        else
            m_state->set_exception(std::make_exception_ptr(std::forward<E>(error)));
    }
    /// The result. Throws the exception if there is one, CancelledError if the future was
    /// cancelled, and InvalidStateError if it is not done.
    T result() const &
    {
        if constexpr (std::is_void_v<T> || std::is_trivially_copyable_v<T>) {
            return detail::take_value<T>(*m_state, false);
        } else { // copying it may run any code, which may drop this handle
            const auto kept = m_state;
            return detail::take_value<T>(*kept, false);
        }
    }
    /// The same; moves the result out if this is the only handle.
    T result() && { return detail::take_value<T>(*m_state, m_state->sole_owner()); }

    using AnyFuture::add_done_callback;
    /// As AnyFuture::add_done_callback(), for a callback that takes a Future<T>.
    template<class F>
        requires std::is_invocable_v<F &, Future<T>>
    DoneCallbackId add_done_callback(F &&callback, CallbackContext context = {})
    {
        return add(detail::make_done_callback<Future<T>>(std::forward<F>(callback)), context);
    }

    /// `co_await future`: waits until it is done and gives what result() gives, or throws what that
    /// throws. Throws RuntimeError for a future of another loop, and if a task awaits itself.
    detail::FutureAwaiter<T, false> operator co_await() const &
    {
        return detail::FutureAwaiter<T, false>(m_state.get());
    }
    detail::FutureAwaiter<T, true> operator co_await() &&
    {
        return detail::FutureAwaiter<T, true>(std::move(m_state));
    }

protected:
    friend class detail::FutureAccess;
    template<class, class>
    friend class detail::DoneCallback;
    using AnyFuture::AnyFuture;

    void move_in(detail::future_value_t<T> &&value)
    {
        if constexpr (std::is_trivially_copyable_v<detail::future_value_t<T>>) {
            state().set_value(std::move(value));
        } else { // moving it may run any code, which may drop this handle
            const AnyFuture kept = *this;
            state().set_value(std::move(value));
        }
    }
    detail::FutureState<T> &state() const
    {
        return static_cast<detail::FutureState<T> &>(*m_state);
    }
    void check_settable(const char *operation) const
    {
        detail::check_settable(*m_state, operation);
    }
};

namespace detail {

/// A pending future of the loop that `core` belongs to.
template<class T>
Future<T> make_future(LoopCore &core)
{
    return FutureAccess::wrap<Future<T>>(Ref<FutureState<T>>::adopt(new FutureState<T>(core)));
}
/// The same, which others see as `words` in the text form of a task: "the next emission".
template<class T>
Future<T> make_named_future(LoopCore &core, const char *words)
{
    return FutureAccess::wrap<Future<T>>(
        Ref<NamedFuture<T>>::adopt(new NamedFuture<T>(core, words)));
}
/// The part of awaiting a future that does not depend on the type of its result.
class QASYNCIO_EXPORT FutureAwaiterBase : public AwaiterBase
{
public:
    bool await_ready() const noexcept { return m_future->done(); }
    void await_suspend()
    {
        TaskStateBase *const task = this->task();
        if (Q_LIKELY(m_future->core == task->core && m_future != task))
            m_future->append_callback(task);
        else
            task->refuse_await(*m_future);
    }
    [[noreturn]] void await_refused(TaskStateBase &task);
    void await_discard();
    bool await_cancel(const QString &message) override;
    QString await_description() const override;
    FutureStateBase *awaited_future() const noexcept override;

protected:
    explicit FutureAwaiterBase(FutureStateBase *future) : m_future(future) { }
    FutureAwaiterBase(FutureAwaiterBase &&other) noexcept
        : AwaiterBase(std::move(other)), m_future(std::exchange(other.m_future, nullptr))
    { }

    /// Called when the frame is destroyed: takes the task out of the future's callbacks.
    void stop_waiting()
    {
        TaskStateBase *const task = this->task();
        if (!task)
            return;
        if (Q_UNLIKELY(task->is_await_refused()))
            task->forget_refusal(); // not the future: it may belong to another thread
        else if (!m_future->done()) // unwound while it waits
            m_future->remove_callback(task);
    }

    FutureStateBase *m_future;
};

/// `Movable`: the future is awaited through an rvalue handle, so its result may be moved out if
/// there is no other handle. The awaiter then takes over the handle's reference. An lvalue handle
/// is only borrowed; a reference is taken when the await suspends.
template<class T, bool Movable>
class FutureAwaiter : public FutureAwaiterBase
{
public:
    explicit FutureAwaiter(FutureStateBase *borrowed)
        requires(!Movable)
        : FutureAwaiterBase(borrowed)
    { }
    explicit FutureAwaiter(Ref<FutureStateBase> future)
        requires Movable
        : FutureAwaiterBase(future.leak())
    { }
    FutureAwaiter(FutureAwaiter &&) noexcept = default;
    ~FutureAwaiter()
    {
        if (!m_future)
            return;
        stop_waiting();
        if (Movable || has_suspended())
            m_future->release();
    }

    void await_suspend()
    {
        if constexpr (!Movable)
            m_future->retain();
        FutureAwaiterBase::await_suspend();
    }
    T await_resume() { return take_value<T>(*m_future, Movable && m_future->sole_owner()); }
};

} // namespace detail

} // namespace QAsyncio
