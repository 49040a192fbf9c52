// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/promise.h"

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace QAsyncio {

namespace detail {
template<class A>
class Await;
} // namespace detail

/// The base of every class of your own that a coroutine can await by suspending its task. The
/// concept Awaiter, below, lists what such a class must have.
///
///     class Tick : public AwaiterBase
///     {
///     public:
///         explicit Tick(Metronome &metronome) : m_metronome(metronome) { }
///         Tick(Tick &&) = default;
///         ~Tick() { stop(); }
///         bool await_ready() const { return false; }
///         void await_suspend()
///         {
///             m_metronome.set_listener([this] { resume(); });
///             m_listens = true;
///         }
///         void await_resume() { stop(); }
///         bool await_cancel(const QString &message) override
///         {
///             stop();
///             return resume_cancelled(message);
///         }
///         QString await_description() const override { return u"a tick"_s; }
///
///     private:
///         void stop()
///         {
///             if (std::exchange(m_listens, false))
///                 m_metronome.set_listener(nullptr);
///         }
///         Metronome &m_metronome;
///         bool m_listens = false;
///     };
///     ...
///     co_await Tick(metronome);
///
/// Thread: all functions are called, and must be called, in the thread of the awaiting task's loop.
class QASYNCIO_EXPORT AwaiterBase
{
public:
    /// Called when the task is cancelled while it is suspended here and has not been resumed yet.
    /// There are three possible answers:
    /// - Stop waiting and return resume_cancelled(message): CancelledError comes out of the await.
    /// - Return false if the wait cannot be stopped: the task goes on waiting. When it is resumed,
    ///   it gets CancelledError instead of the result of await_resume().
    /// - Return true without doing either if resume() will be called soon: the result is then what
    ///   await_resume() gives.
    ///
    /// What it throws is thrown by cancel(), or at the await if the cancellation is older than
    /// that; the request to cancel stands. It may call code of the program: if that ends the task's
    /// object the task is unwound as soon as this has returned.
    virtual bool await_cancel(const QString &message) = 0;
    /// What the task is waiting for, in words that a user of the program's log knows: "a tick",
    /// "timer in 2.500 s", "lock held by Task 'sync'". It is shown in the text form of the task and
    /// by print_tasks(). An empty string says nothing. It may be called at any time while the task
    /// is suspended here, and must neither wait nor call code of others.
    virtual QString await_description() const = 0;
    /// The future that is awaited, if it is one; otherwise null. A cancellation follows the chain
    /// of tasks of which each awaits the next by this function. Not to be overridden: it is for the
    /// futures of this library.
    virtual detail::FutureStateBase *awaited_future() const noexcept;

    AwaiterBase(const AwaiterBase &) = delete;
    AwaiterBase &operator=(const AwaiterBase &) = delete;

protected:
    AwaiterBase() = default;
    /// Moving is allowed only before it is awaited.
    AwaiterBase(AwaiterBase &&) noexcept { }
    ~AwaiterBase() = default;

    /// Lets the task go on, in the next turn of the loop. Call it at any time from await_suspend()
    /// on, as long as this object exists. Further calls, also when the task has gone on, do
    /// nothing.
    void resume()
    {
        if (detail::TaskStateBase *waiting = suspended_task(); waiting && !waiting->is_queued())
            waiting->schedule();
    }
    /// Like resume(), but the await throws CancelledError(message) instead of giving the result of
    /// await_resume(), also if resume() was called before. Returns true, which is what
    /// await_cancel() has to return then.
    bool resume_cancelled(const QString &message)
    {
        if (detail::TaskStateBase *waiting = suspended_task())
            waiting->end_wait_cancelled(message);
        return true;
    }
    /// The task is suspended here: await_suspend() was called, and await_resume() was not. In the
    /// destructor: the task is being unwound, or await_suspend() has thrown.
    bool is_waiting() const noexcept { return m_frame > resumed_bit; }

    /// The task that is suspended here, or null.
    detail::TaskStateBase *task() const noexcept { return is_waiting() ? frame().task : nullptr; }
    /// It was suspended here, and may be still.
    bool has_suspended() const noexcept { return m_frame != 0; }

private:
    friend class detail::TaskStateBase;
    template<class>
    friend class detail::Await;

    static constexpr std::uintptr_t resumed_bit = 1;

    /// The task, unless it has gone on to another await of the same expression: g++ 12 calls the
    /// await_resume() of all its awaits when the last one has ended.
    detail::TaskStateBase *suspended_task() const noexcept
    {
        detail::TaskStateBase *const waiting = task();
        return waiting && waiting->is_suspended_at(*this) ? waiting : nullptr;
    }
    detail::PromiseBase &frame() const noexcept
    {
        return *reinterpret_cast<detail::PromiseBase *>(m_frame);
    }

    // The promise of the coroutine that is suspended here; then resumed_bit; 0 before.
    std::uintptr_t m_frame = 0;
};

/// A class that coroutines can await. Its functions are called in this order:
///
/// 1. The object may be moved before it is awaited, but not afterwards. A named one is moved from
///    when it is awaited. (A class with a destructor has no move constructor unless it says so:
///    `Tick(Tick &&) = default;`.)
/// 2. `bool await_ready()`: true if there is nothing to wait for. Then await_resume() is next, and
///    no cancellation is delivered here.
/// 3. `void await_suspend()`: the task is suspended. Arrange here for resume() to be called, either
///    at once or later. What this function throws is thrown at the await; once it has called
///    resume(), it goes to the loop's exception handler instead.
/// 4. `bool await_cancel(message)` and `QString await_description()`, both of AwaiterBase, while
///    the task is suspended. The first may come right behind await_suspend(), for a cancellation
///    that is older, and again for each further one until the wait has ended.
/// 5. `await_resume()`: gives the result of the await, or throws.
/// 6. The destructor: at the end of the expression that awaits, or when the task is unwound while
///    it is suspended here (because its object died or its loop was closed); is_waiting() tells the
///    two apart. An object that was moved from, or never awaited, is destroyed as well, so take
///    back only what await_suspend() of this one has left. From then on nobody may call resume().
///    The destructor must not throw, and it may be the only function that is called after step 3.
///
/// If the class has `void await_discard()`, that is called instead of await_resume() when the wait
/// has ended but the task is to be cancelled all the same. It throws CancelledError if the wait
/// itself has ended with one. If it returns, CancelledError with the task's own message is thrown.
template<class A>
concept Awaiter = std::derived_from<A, AwaiterBase> && std::move_constructible<A>
    && !std::is_final_v<A> && requires(A &awaiter) {
           { awaiter.await_ready() } -> std::convertible_to<bool>;
           { awaiter.await_suspend() } -> std::same_as<void>;
           awaiter.await_resume();
       };

namespace detail {

/// The class that the compiler sees in a co_await: an awaiter, with what all awaiters have in
/// common.
template<class A>
class Await final : public A
{
public:
    template<class... Args>
    explicit Await(std::in_place_t, Args &&...args) : A(std::forward<Args>(args)...)
    { }
    Await(Await &&other) noexcept(std::is_nothrow_move_constructible_v<A>)
        : A(static_cast<A &&>(other))
    { }

    template<TaskPromise P>
    void await_suspend(std::coroutine_handle<P> frame)
    {
        PromiseBase &promise = frame.promise();
        this->m_frame = reinterpret_cast<std::uintptr_t>(&promise);
        promise.task->begin_to_suspend(*this);
        if constexpr (noexcept(A::await_suspend())) {
            A::await_suspend();
        } else {
            try {
                A::await_suspend();
            } catch (...) {
                promise.task->suspend_failed(); // throws again, unless the task has been resumed
            }
        }
        promise.task->suspend();
    }
    Q_ALWAYS_INLINE decltype(auto) await_resume()
    {
        if (AwaiterBase::is_waiting()) {
            TaskStateBase &task = *this->task();
            this->m_frame = AwaiterBase::resumed_bit;
            if (Q_UNLIKELY(task.is_wait_ended_otherwise()))
                end_otherwise(task);
        }
        return A::await_resume();
    }

private:
    [[noreturn]] Q_NEVER_INLINE void end_otherwise(TaskStateBase &task)
    {
        if constexpr (requires(A &awaiter) { awaiter.await_refused(task); }) {
            if (task.is_await_refused())
                this->await_refused(task);
        }
        const QString message = task.take_cancelled_wait();
        if constexpr (requires(A &awaiter) { awaiter.await_discard(); })
            this->await_discard();
        task.throw_cancelled_error(message);
    }
};

template<class A>
concept HasMemberCoAwait = requires(A &&a) { std::forward<A>(a).operator co_await(); };
template<class A>
concept HasFreeCoAwait = requires(A &&a) { operator co_await(std::forward<A>(a)); };

/// Suspends the task.
template<class A>
concept SuspendingAwaiter = std::is_base_of_v<AwaiterBase, std::remove_cvref_t<A>>;
/// Does not suspend the task but continues in another frame of it.
template<class A>
concept FrameAwaiter = std::is_base_of_v<FrameLink, std::remove_cvref_t<A>>;

/// What co_await turns an operand into: the result of its operator co_await, or the operand itself.
/// A named awaiter of our own kind is moved from, so that each await has its own object.
template<class A>
decltype(auto) get_awaiter(A &&a)
{
    if constexpr (HasMemberCoAwait<A>)
        return std::forward<A>(a).operator co_await();
    else if constexpr (HasFreeCoAwait<A>)
        return operator co_await(std::forward<A>(a));
    else if constexpr ((SuspendingAwaiter<A> || FrameAwaiter<A>) && std::is_lvalue_reference_v<A>)
        return std::remove_cvref_t<A>(std::move(a));
    else
        return std::forward<A>(a);
}

template<class A>
concept Awaitable = requires(A &&a) {
    { get_awaiter(std::forward<A>(a)).await_ready() };
    { get_awaiter(std::forward<A>(a)).await_resume() };
};

template<class A>
using awaiter_t = decltype(get_awaiter(std::declval<A>()));
/// The type of `co_await a`.
template<class A>
using await_result_t = decltype(std::declval<awaiter_t<A> &>().await_resume());

/// The awaiter for an awaitable of another library: see foreign.h.
template<class A>
class ForeignAwaiter;
template<class A>
Await<ForeignAwaiter<A>> make_foreign_awaiter(A &&awaitable);

/// Stands in for an operand that cannot be awaited. It is accepted everywhere, so that the one
/// error message about it is not followed by others.
struct NotAwaitable
{
    struct Anything
    {
        template<class T>
        operator T() const;
    };
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept { }
    Anything await_resume() const noexcept { return {}; }
};

template<class A>
struct IsAwait : std::false_type
{
};
template<class A>
struct IsAwait<Await<A>> : std::true_type
{
};

/// What `co_await awaitable` awaits in one of our coroutines.
template<class A>
decltype(auto) to_awaiter(A &&awaitable)
{
    constexpr bool can_be_awaited = Awaitable<A>; // to assert the concept itself prints many lines
    static_assert(
        can_be_awaited,
        "this cannot be awaited: it is no coroutine, future or task, and has no await_ready(), "
        "await_suspend() and await_resume(); for a Qt signal await from_signal(sender, signal)");
    if constexpr (!can_be_awaited) {
        return NotAwaitable();
    } else if constexpr (FrameAwaiter<awaiter_t<A>>
                         || IsAwait<std::remove_cvref_t<awaiter_t<A>>>::value) {
        return get_awaiter(std::forward<A>(awaitable));
    } else if constexpr (SuspendingAwaiter<awaiter_t<A>>) {
        using Ours = std::remove_cvref_t<awaiter_t<A>>;
        constexpr bool is_complete = Awaiter<Ours>;
        static_assert(is_complete,
                      "an AwaiterBase that is awaited needs bool await_ready(), void "
                      "await_suspend(), await_resume(), "
                      "await_cancel() and await_description(), all public; it can be moved and is "
                      "not final: see awaiter.h");
        if constexpr (is_complete)
            return Await<Ours>(std::in_place, get_awaiter(std::forward<A>(awaitable)));
        else
            return NotAwaitable();
    } else {
        return make_foreign_awaiter(std::forward<A>(awaitable));
    }
}

} // namespace detail
} // namespace QAsyncio
