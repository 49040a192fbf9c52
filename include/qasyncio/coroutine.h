// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/awaiter.h"
#include "qasyncio/detail/coroutine/promise.h"
#include "qasyncio/detail/future/result_type.h"

namespace QAsyncio {

/// The return type of a coroutine function. Lazy: nothing of the body runs until the coroutine is
/// awaited or given to create_task().
///
///     Coroutine<qsizetype> length(QString address)
///     {
///         const QByteArray page = co_await download(address);
///         co_return page.size();
///     }
///     const qsizetype size = co_await length(address);      // inside the same task
///     Task<qsizetype> task = create_task(length(address));  // beside it, in a task of its own
///
/// `co_await child()` runs the child directly in the same task, without going through the loop. The
/// await itself is not a cancellation point, and it uses no stack.
/// Ownership: this object owns the frame, and with it the arguments, until it is awaited. Whatever
/// a reference argument refers to must outlive the coroutine. If a coroutine is destroyed without
/// ever having been started, that is reported.
/// T is any type that can be moved. It needs neither a default constructor nor an assignment
/// operator. For a reference use std::reference_wrapper.
/// Errors: what the body throws is thrown at the await. Awaiting it a second time throws
/// RuntimeError.
/// Cancellation: cancel the task that awaits it. CancelledError comes out of the innermost await.
/// Thread: it must be awaited in the thread of the loop that runs it.
/// \sa https://docs.python.org/3/library/asyncio-task.html#coroutines
template<class T = void>
class [[nodiscard(
    "a coroutine does nothing until it is awaited or given to create_task()")]] Coroutine
{
public:
    static_assert(detail::ResultType<T>::checked);

    struct promise_type;
    using value_type = T;

    /// An empty object without a coroutine.
    Coroutine() = default;
    Coroutine(Coroutine &&other) noexcept : m_promise(std::exchange(other.m_promise, nullptr)) { }
    Coroutine &operator=(Coroutine &&other) noexcept
    {
        Coroutine taken(std::move(other));
        std::swap(m_promise, taken.m_promise);
        return *this;
    }
    ~Coroutine()
    {
        if (detail::PromiseBase *promise = release()) { // first: the report may run any code
            detail::report_never_awaited(promise->site);
            detail::destroy_frame(*promise);
        }
    }

    /// False once it has been awaited, scheduled as a task or moved from.
    explicit operator bool() const { return m_promise != nullptr; }
    /// Destroys the frame without running it, and without a report. Python's `coro.close()`.
    void close()
    {
        if (detail::PromiseBase *promise = release())
            detail::destroy_frame(*promise);
    }

    /// Where the coroutine function is written. Must not be called once the coroutine has been
    /// awaited, scheduled or moved from.
    const std::source_location &site() const { return m_promise->site; }

    /// "<Coroutine load() at page.cpp:12>"; "<Coroutine>" once it has been awaited, scheduled or
    /// moved from.
    QString to_string() const
    {
        return detail::describe_site("Coroutine", m_promise ? &m_promise->site : nullptr);
    }

    class ChildAwaiter;
    /// `co_await coroutine`: runs it to its end and gives its result. Throws RuntimeError if it has
    /// been awaited, scheduled or moved from before.
    ChildAwaiter operator co_await() && { return ChildAwaiter(release_checked()); }
    ChildAwaiter operator co_await() & { return ChildAwaiter(release_checked()); }

    /// Used by what runs coroutines. Gives up the frame; null if there is none.
    promise_type *release() noexcept { return std::exchange(m_promise, nullptr); }
    /// The same. Throws RuntimeError if the frame was given up before.
    promise_type *release_checked()
    {
        if (!m_promise)
            detail::throw_awaited_twice();
        return release();
    }

private:
    explicit Coroutine(promise_type *promise) : m_promise(promise) { }

    promise_type *m_promise = nullptr;
};

template<class T>
struct Coroutine<T>::promise_type : detail::ResultPromise<T>
{
    // The default argument is evaluated where the coroutine is written.
    Coroutine get_return_object(std::source_location site = std::source_location::current())
    {
        this->site = site;
        return Coroutine(this);
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    detail::FinalAwaiter final_suspend() const noexcept { return {}; }

    /// Notes the place of the await: the default argument is evaluated at the co_await.
    template<class A>
    decltype(auto) await_transform(A &&awaitable,
                                   std::source_location place = std::source_location::current())
    {
        this->site = place;
        return detail::to_awaiter(std::forward<A>(awaitable));
    }
};

/// Awaits a coroutine: runs it to its end in the awaiting task.
template<class T>
class Coroutine<T>::ChildAwaiter : protected detail::FrameLink
{
public:
    explicit ChildAwaiter(promise_type *promise) { child = promise; }
    ChildAwaiter(ChildAwaiter &&other) noexcept { child = std::exchange(other.child, nullptr); }
    ~ChildAwaiter()
    {
        if (child)
            detail::frame_of(*child).destroy();
    }

    bool await_ready() const noexcept { return false; }

    template<detail::TaskPromise P>
    auto await_suspend(std::coroutine_handle<P> frame) noexcept
    {
        detail::PromiseBase &called = *child;
        detail::TaskStateBase *const task = frame.promise().task;
        parent = &frame.promise();
        called.link = this;
        called.task = task;
        task->enter_frame(called);
#if QASYNCIO_TAIL_CALLS
        return detail::frame_of(called);
#else
        task->core->next_frame = detail::frame_of(called);
#endif
    }
    T await_resume() { return static_cast<promise_type *>(child)->take(); }
};

} // namespace QAsyncio
