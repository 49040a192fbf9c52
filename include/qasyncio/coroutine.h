// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/awaiter.h"
#include "qasyncio/detail/coroutine/promise.h"
#include "qasyncio/detail/future/result_type.h"

namespace QAsyncio {

/// What a coroutine function returns. Lazy: nothing of the body runs until it is awaited or given to create_task().
///
/// `co_await child()` runs the child in the same task, directly, without passing through the loop: not a
/// cancellation point by itself, and no stack is used for it.
/// Ownership: this object owns the frame (arguments included) until it is awaited. Arguments that are references must
/// outlive the coroutine. A coroutine that is destroyed without ever having been started is reported.
/// T is any type that can be moved, without a default constructor or an assignment, too; for a reference, std::reference_wrapper.
/// Errors: what the body throws is thrown at the await. A second await throws RuntimeError.
/// Thread: it must be awaited in the thread of the loop that runs it.
/// \sa https://docs.python.org/3/library/asyncio-task.html#coroutines
template<class T = void>
class [[nodiscard("a coroutine does nothing until it is awaited or given to create_task()")]] Coroutine
{
public:
    static_assert(detail::ResultType<T>::checked);

    struct promise_type;
    using value_type = T;

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
        if (detail::PromiseBase *promise = release()) { // no longer where who takes the message finds it
            detail::report_never_awaited(promise->site);
            detail::destroy_frame(*promise);
        }
    }

    /// False once it has been awaited, scheduled or moved from.
    explicit operator bool() const { return m_promise != nullptr; }
    /// Destroys the frame without running it, and without the report: Python's `coro.close()`.
    void close()
    {
        if (detail::PromiseBase *promise = release())
            detail::destroy_frame(*promise);
    }

    /// Where the coroutine function is written. Not after it was awaited, scheduled or moved from.
    const std::source_location &site() const { return m_promise->site; }

    /// "<Coroutine load() at page.cpp:12>"; "<Coroutine>" once it has been awaited, scheduled or moved from.
    QString to_string() const { return detail::describe_site("Coroutine", m_promise ? &m_promise->site : nullptr); }

    class Awaiter;
    Awaiter operator co_await() && { return Awaiter(release_checked()); }
    Awaiter operator co_await() & { return Awaiter(release_checked()); }

    /// Gives up the frame, for whoever runs it.
    promise_type *release() noexcept { return std::exchange(m_promise, nullptr); }
    /// The same. Throws RuntimeError if it was given up before.
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

    template<class A>
    decltype(auto) await_transform(A &&awaitable)
    {
        return detail::to_awaiter(std::forward<A>(awaitable));
    }
};

/// The await of a coroutine: runs it to its end in the awaiting task.
template<class T>
class Coroutine<T>::Awaiter : protected detail::FrameLink
{
public:
    explicit Awaiter(promise_type *promise) { child = promise; }
    Awaiter(Awaiter &&other) noexcept { child = std::exchange(other.child, nullptr); }
    ~Awaiter()
    {
        if (child)
            detail::frame_of(*child).destroy();
    }

    bool await_ready() const noexcept { return false; }

    template<detail::TaskPromise P>
    auto await_suspend(std::coroutine_handle<P> frame) noexcept
    {
        parent = &frame.promise();
        child->link = this;
        child->task = parent->task;
#if QASYNCIO_TAIL_CALLS
        return detail::frame_of(*child);
#else
        child->task->core->next_frame = detail::frame_of(*child);
#endif
    }
    T await_resume()
    {
        return static_cast<promise_type *>(child)->take();
    }
};

} // namespace QAsyncio
