// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/compiler.h"
#include "qasyncio/detail/coroutine/is_coroutine.h"
#include "qasyncio/detail/coroutine/pool.h"
#include "qasyncio/detail/task/task_state.h"
#include "qasyncio/errors.h"

#include <QtCore/qglobal.h>

#include <coroutine>
#include <cstdint>
#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>
#include <variant>

namespace QAsyncio::detail {

/// A value of a high alignment in storage of a low one. It stays where it is made.
template<class T>
class Realigned
{
public:
    template<class... Args>
    explicit Realigned(std::in_place_t, Args &&...args)
    {
        std::construct_at(&get(), std::forward<Args>(args)...);
    }
    ~Realigned() { std::destroy_at(&get()); }
    Q_DISABLE_COPY_MOVE(Realigned)

    T &get()
    {
        const auto gap = -reinterpret_cast<std::uintptr_t>(m_storage) & (alignof(T) - 1);
        return *reinterpret_cast<T *>(m_storage + gap);
    }

private:
    alignas(pool_granularity) std::byte m_storage[sizeof(T) + alignof(T) - pool_granularity];
};

/// A value in a promise, whose alignment must be that of all promises: see PromiseBase. The
/// constructor is noexcept where it can be: otherwise std::variant makes a temporary and moves it
/// into place, which costs 14 % of the await of a child that is ready.
template<class T>
class Plain
{
public:
    template<class... Args>
    explicit Plain(std::in_place_t,
                   Args &&...args) noexcept(std::is_nothrow_constructible_v<T, Args...>)
        : m_value(std::forward<Args>(args)...)
    { }
    T &get() noexcept { return m_value; }

private:
    T m_value;
};

template<class T>
using Boxed = std::conditional_t<(alignof(T) > pool_granularity), Realigned<T>, Plain<T>>;

struct PromiseBase;

constexpr std::size_t promise_most_alignment = 2 * sizeof(void *);

/// The await of one coroutine by another: it lives in the frame of the parent and owns the frame of
/// the child.
struct FrameLink
{
    PromiseBase *parent = nullptr; // the frame to go on with; set when it suspends
    PromiseBase *child = nullptr;  // null once its frame is destroyed
};

/// The base of the promises of all our coroutine types.
struct PromiseBase : PooledFrame
{
    PromiseBase() = default;
    Q_DISABLE_COPY_MOVE(PromiseBase)

    FrameLink *link = nullptr;     // null for the outermost frame of a task
    TaskStateBase *task = nullptr; // that executes this frame; set when it starts
    // Where it is: the coroutine function, once it has begun the await that it reached last. One
    // word, and one store for each await. Empty for a wrapper, which call graphs leave out.
    std::source_location site;
};

/// The frame of a promise. A promise lies behind two pointers, if its alignment is not more than
/// theirs together; all of ours begin with PromiseBase, so any of them may be treated as one.
inline std::coroutine_handle<> frame_of(PromiseBase &promise)
{
    static_assert(alignof(PromiseBase) <= promise_most_alignment);
    return std::coroutine_handle<PromiseBase>::from_promise(promise);
}

template<class P>
concept TaskPromise = std::is_base_of_v<PromiseBase, P>;

/// Awaited at the end of a coroutine: goes on to the frame that awaits it, or out of the task's
/// step.
struct FinalAwaiter
{
    bool await_ready() const noexcept { return false; }
    void await_resume() const noexcept { }

#if QASYNCIO_TAIL_CALLS
    template<TaskPromise P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> frame) const noexcept
    {
        PromiseBase &promise = frame.promise();
        if (promise.link) {
            PromiseBase &parent = *promise.link->parent;
            promise.task->enter_frame(parent);
            return frame_of(parent);
        }
        promise.task->note_end_of_body();
        return std::noop_coroutine();
    }
#else
    template<TaskPromise P>
    void await_suspend(std::coroutine_handle<P> frame) const noexcept
    {
        PromiseBase &promise = frame.promise();
        if (!promise.link)
            return promise.task->note_end_of_body();
        PromiseBase &parent = *promise.link->parent;
        promise.task->enter_frame(parent);
        promise.task->core->next_frame = frame_of(parent);
    }
#endif
};

/// A promise that keeps the result of a Coroutine<T>, a value or an exception, until it is taken.
template<class T>
struct ResultPromise : PromiseBase
{
    static_assert(alignof(Boxed<T>) <= promise_most_alignment);

    std::variant<std::monostate, Boxed<T>, std::exception_ptr> result;

    template<class U = T>
        requires std::is_constructible_v<T, U>
    void return_value(U &&value)
    {
        result.template emplace<1>(std::in_place, std::forward<U>(value));
    }
    void unhandled_exception() noexcept { result.template emplace<2>(std::current_exception()); }

    std::exception_ptr exception() const
    {
        return result.index() == 2 ? std::get<2>(result) : std::exception_ptr();
    }
    T take()
    {
        if (result.index() == 2)
            std::rethrow_exception(std::get<2>(std::move(result)));
        return std::move(std::get<1>(result).get());
    }
};

template<>
struct ResultPromise<void> : PromiseBase
{
    std::exception_ptr error;

    void return_void() noexcept { }
    void unhandled_exception() noexcept { error = std::current_exception(); }

    std::exception_ptr exception() const { return error; }
    void take()
    {
        if (error)
            std::rethrow_exception(std::move(error));
    }
};

/// Destroys the frame of a coroutine that is not being executed, and the frames that it owns as
/// arguments, with a bounded depth of recursion.
QASYNCIO_EXPORT void destroy_frame(PromiseBase &promise) noexcept;
QASYNCIO_EXPORT void report_never_awaited(const std::source_location &site) noexcept;
[[noreturn]] QASYNCIO_EXPORT void throw_awaited_twice();
QASYNCIO_EXPORT QString function_name(const std::source_location &site);
/// "<kind function() at file:line>"; "<kind>" for null.
QASYNCIO_EXPORT QString describe_site(const char *kind, const std::source_location *site);

} // namespace QAsyncio::detail
