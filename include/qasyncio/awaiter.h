// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/promise.h"

#include <concepts>
#include <type_traits>
#include <utility>

namespace QAsyncio {

namespace detail {
template<class A>
class Await;
} // namespace detail

/// What a class begins with that coroutines can await: see the concept Awaiter for the rules.
///
///     class Tick : public AwaiterBase
///     {
///     public:
///         explicit Tick(Metronome &metronome) : m_metronome(metronome) { }
///         ~Tick() { m_metronome.set_listener(nullptr); }
///         bool await_ready() const { return false; }
///         void await_suspend() { m_metronome.set_listener([this] { resume(); }); }
///         void await_resume() const { }
///         bool await_cancel(const QString &message) override { return resume_cancelled(message); }
///         QString await_description() const override { return u"<a tick>"_s; }
///     ...
///     co_await Tick(metronome);
///
/// Thread: that of the awaiting task's loop, for everything.
class QASYNCIO_EXPORT AwaiterBase
{
public:
    /// The task is cancelled while it is suspended here, and was not resumed yet. Stop waiting and return resume_cancelled(message).
    /// Or return false, if that cannot be stopped: when the task is resumed it gets CancelledError instead of what await_resume()
    /// would give. Or true without either, if resume() will be called soon: what await_resume() gives then is the answer.
    virtual bool await_cancel(const QString &message) = 0;
    /// What is waited for, in the text form of the task: "<a tick>". Empty: nothing is said.
    virtual QString await_description() const = 0;
    /// The future that is waited for, if it is one: a cancellation follows the tasks that await each other. Null otherwise.
    virtual detail::FutureStateBase *awaited_future() const noexcept;

    AwaiterBase(const AwaiterBase &) = delete;
    AwaiterBase &operator=(const AwaiterBase &) = delete;

protected:
    AwaiterBase() = default;
    /// Before it is awaited.
    AwaiterBase(AwaiterBase &&) noexcept { }
    ~AwaiterBase() = default;

    /// The task goes on, in the next turn. Once, from await_suspend() on and for as long as this lives.
    void resume()
    {
        detail::TaskStateBase &suspended = *task();
        if (Q_LIKELY(!suspended.is_queued()))
            suspended.schedule();
    }
    /// The same, with CancelledError(message) instead of what await_resume() would give. True, for await_cancel().
    bool resume_cancelled(const QString &message)
    {
        task()->end_wait_cancelled(message);
        return true;
    }
    /// The task that awaits this; null before await_suspend().
    detail::TaskStateBase *task() const noexcept { return m_frame ? m_frame->task : nullptr; }

private:
    friend class detail::TaskStateBase;
    template<class>
    friend class detail::Await;

    detail::PromiseBase *m_frame = nullptr; // of the coroutine that is suspended here; null before
};

/// A class that coroutines can await, in the order in which its functions are called:
///
/// 1. It is moved, if at all, before it is awaited, and not afterwards.
/// 2. `bool await_ready()`: true if there is nothing to wait for; await_resume() is next.
/// 3. `void await_suspend()`: the task is suspended. Whoever has what is waited for is told to call resume(): in here, or later. What this
///    throws is thrown at the await.
/// 4. `bool await_cancel(message)` and `QString await_description()`, of AwaiterBase, while it is suspended.
/// 5. `await_resume()`: gives the result of the await, or throws.
/// 6. The destructor: at the end of the expression that awaits, or when the task is unwound while it is suspended (its object died, its
///    loop was closed). Nobody may call resume() any more. It must not throw, and may be all that is called after 3.
///
/// `void await_discard()` is called, where it exists, instead of await_resume() when the task is to be cancelled although the wait
/// has ended: it throws CancelledError if that is what the wait has ended with; CancelledError with the task's message is thrown
/// otherwise.
template<class A>
concept Awaiter = std::derived_from<A, AwaiterBase> && std::move_constructible<A> && !std::is_final_v<A> && requires(A &awaiter) {
    { awaiter.await_ready() } -> std::convertible_to<bool>;
    { awaiter.await_suspend() } -> std::same_as<void>;
    awaiter.await_resume();
};

namespace detail {

/// An awaiter as the compiler wants it.
template<class A>
class Await final : public A
{
public:
    template<class... Args>
    explicit Await(std::in_place_t, Args &&...args) : A(std::forward<Args>(args)...) { }
    Await(Await &&other) noexcept(std::is_nothrow_move_constructible_v<A>) : A(static_cast<A &&>(other)) { }

    template<TaskPromise P>
    void await_suspend(std::coroutine_handle<P> frame)
    {
        this->m_frame = &frame.promise();
        A::await_suspend();
        this->m_frame->task->suspend_at(*this);
    }
    decltype(auto) await_resume()
    {
        if (TaskStateBase *task = this->task(); task && Q_UNLIKELY(task->is_wait_cancelled()))
            discard(*task);
        return A::await_resume();
    }

private:
    [[noreturn]] Q_NEVER_INLINE void discard(TaskStateBase &task)
    {
        task.take_cancelled_wait();
        if constexpr (requires(A &awaiter) { awaiter.await_discard(); })
            this->await_discard();
        task.throw_cancelled_task();
    }
};

template<class A>
concept HasMemberCoAwait = requires(A &&a) { std::forward<A>(a).operator co_await(); };
template<class A>
concept HasFreeCoAwait = requires(A &&a) { operator co_await(std::forward<A>(a)); };

/// Suspends the task.
template<class A>
concept SuspendingAwaiter = std::is_base_of_v<AwaiterBase, std::remove_cvref_t<A>>;
/// Goes on in another frame of the same task.
template<class A>
concept FrameAwaiter = std::is_base_of_v<FrameLink, std::remove_cvref_t<A>>;

/// What co_await makes of an operand: its operator co_await, or itself. A named awaiter of ours is moved from, so that each
/// await has one of its own.
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
/// What `co_await a` gives.
template<class A>
using await_result_t = decltype(std::declval<awaiter_t<A> &>().await_resume());

/// The awaiter of an awaitable that is not ours: see foreign.h.
template<class A>
class ForeignAwaiter;
template<class A>
Await<ForeignAwaiter<A>> make_foreign_awaiter(A &&awaitable);

/// Stands for what cannot be awaited, and fits everywhere: its one message shall not be followed by others.
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

/// What a coroutine of ours awaits when it is told to await `awaitable`.
template<class A>
decltype(auto) to_awaiter(A &&awaitable)
{
    constexpr bool can_be_awaited = Awaitable<A>; // a concept that is asserted would be explained, over many lines
    static_assert(can_be_awaited, "this cannot be awaited: it is no coroutine, future or task, and has no await_ready(), "
                                  "await_suspend() and await_resume(); for a Qt signal await from_signal(sender, signal)");
    if constexpr (!can_be_awaited) {
        return NotAwaitable();
    } else if constexpr (FrameAwaiter<awaiter_t<A>> || IsAwait<std::remove_cvref_t<awaiter_t<A>>>::value) {
        return get_awaiter(std::forward<A>(awaitable));
    } else if constexpr (SuspendingAwaiter<awaiter_t<A>>) {
        using Ours = std::remove_cvref_t<awaiter_t<A>>;
        constexpr bool is_complete = Awaiter<Ours>;
        static_assert(is_complete, "an AwaiterBase that is awaited needs bool await_ready(), void await_suspend(), await_resume(), "
                                   "await_cancel() and await_description(), all public; it can be moved and is not final: see awaiter.h");
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
