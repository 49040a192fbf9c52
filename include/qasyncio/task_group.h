// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/body_awaiter.h"
#include "qasyncio/detail/coroutine/closure.h"
#include "qasyncio/detail/coroutine/run_function.h"
#include "qasyncio/exception_group.h"
#include "qasyncio/loop.h"

namespace QAsyncio {

class TaskGroup;

namespace detail {
class GroupChild;

template<class T, class F, class... Args>
Coroutine<T> run_task_group(F body, Args... args);
} // namespace detail

/// What task_group() passes to its body: the group to create tasks in. task_group() waits for all
/// of them.
///
/// Thread: the loop's. In another thread debug mode throws RuntimeError; without debug mode the
/// group and the loop are corrupted.
/// Lifetime: that of the task_group() call it belongs to.
/// \sa https://docs.python.org/3/library/asyncio-task.html#task-groups
class QASYNCIO_EXPORT TaskGroup
{
public:
    Q_DISABLE_COPY_MOVE(TaskGroup)

    /// Starts a coroutine as a task of this group.
    /// Throws RuntimeError, and closes the coroutine, once the group has begun to cancel its tasks,
    /// and once the body and all tasks have ended.
    template<class T>
    Task<T> create_task(Coroutine<T> &&coroutine, const TaskOptions &options = TaskOptions())
    {
        const detail::Closer<T> closer{coroutine};
        check_accepts();
        const Watch watch(*this); // the first step of an eager task may end the group's own
        Task<T> task = Q_UNLIKELY(is_entered_by_a_stranger())
            ? m_parent->core->loop->create_task(std::move(coroutine), heir(options))
            : m_parent->core->loop->create_task(std::move(coroutine), options);
        add(watch.group(), task);
        return task;
    }
    /// The same for `function(args...)`, a function that returns a coroutine. The function and its
    /// arguments are kept until the coroutine has ended.
    template<class F, class... Args>
        requires std::is_invocable_v<detail::closure_t<F> &, std::decay_t<Args>...>
    auto create_task(F &&function, Args &&...args)
    {
        return create_task(TaskOptions(), std::forward<F>(function), std::forward<Args>(args)...);
    }
    /// The same with options.
    template<class F, class... Args>
        requires std::is_invocable_v<detail::closure_t<F> &, std::decay_t<Args>...>
    auto create_task(const TaskOptions &options, F &&function, Args &&...args)
    {
        detail::check_closure<F>();
        using Function = detail::closure_t<F>;
        using T =
            detail::coroutine_value_t<std::invoke_result_t<Function &, std::decay_t<Args>...>>;
        return create_task(detail::run_function<T, Function, std::decay_t<Args>...>(
                               std::forward<F>(function), std::forward<Args>(args)...),
                           options);
    }
    /// The same for anything else that can be awaited. It is copied or moved into the task, and
    /// kept until it has given its result.
    template<detail::TaskAwaitable A>
    auto create_task(A &&awaitable, const TaskOptions &options = TaskOptions())
    {
        return create_task(detail::await_in_task<std::decay_t<A>>(std::forward<A>(awaitable)),
                           options);
    }

    /// Ends the group: its tasks and its body are cancelled. When all of them have ended,
    /// task_group() returns without an exception, unless one of them throws something meanwhile. It
    /// may be called at any time, and more than once.
    void cancel();

    /// "<TaskGroup tasks=2 errors=1 cancelling>"
    QString to_string() const;

private:
    template<class T, class F, class... Args>
    friend Coroutine<T> detail::run_task_group(F body, Args... args);
    friend class detail::GroupChild;
    friend class detail::TaskStateBase;

    /// Tells whether code that the group has called has destroyed it, together with an object that
    /// its task belongs to.
    class Watch
    {
    public:
        explicit Watch(TaskGroup &group)
            : m_group(&group), m_outer(std::exchange(group.m_watch, this))
        { }
        ~Watch()
        {
            if (m_group)
                m_group->m_watch = m_outer;
        }
        Q_DISABLE_COPY_MOVE(Watch)

        TaskGroup *group() const { return m_group; } // null if it has been destroyed

    private:
        friend class TaskGroup;
        TaskGroup *m_group;
        Watch *m_outer;
    };

    /// Made by the running task.
    TaskGroup();
    ~TaskGroup();
    /// Waits for the tasks, then throws what is to be thrown. `exception` is what the body has
    /// thrown, or null.
    Coroutine<> leave(std::exception_ptr exception);
    /// Called when all tasks have ended.
    void throw_outcome(const std::exception_ptr &exception, std::exception_ptr cancellation);
    void check_accepts() const;
    /// Whether the running task does not end with the object of the group's own task, although the
    /// tasks of the group have to.
    bool is_entered_by_a_stranger() const
    {
        const detail::TaskStateBase *running = m_parent->core->current_task;
        return running != m_parent.get()
            && (running ? running->family() : nullptr) != m_parent->family();
    }
    TaskOptions heir(const TaskOptions &options) const;
    /// If the group is null, because it has been destroyed meanwhile, the task is unwound like the
    /// others.
    static void add(TaskGroup *group, const AnyTask &task);
    void add(detail::TaskStateBase &task);
    void child_done(detail::TaskStateBase &task);
    /// Cancels the tasks. False if that has destroyed the group.
    bool abort();
    void cancel_parent();
    void collect_tasks(std::vector<detail::Ref<detail::TaskStateBase>> &tasks) const;

    detail::Ref<detail::TaskStateBase> m_parent;
    TaskGroup *m_outer = nullptr; // the group that the same parent entered before this one
    detail::GroupChild *m_first = nullptr;
    detail::GroupChild *m_last = nullptr;
    detail::GroupChild *m_next_to_cancel = nullptr; // used by abort()
    std::size_t m_count = 0;
    std::vector<std::exception_ptr> m_errors; // in the order in which the tasks ended
    std::exception_ptr m_leaving;             // LoopExit or KeyboardInterrupt: thrown as it is
    std::exception_ptr m_interruption;        // the last cancellation while leave() waited
    Future<> m_all_ended;
    bool m_exiting = false;
    bool m_aborting = false;
    bool m_parent_cancelled = false; // by this group
    bool m_owes_uncancel = false;    // uncancel() of the parent is still to be called
    Watch *m_watch = nullptr;        // the innermost one
};

namespace detail {
template<class T, class F, class... Args>
Coroutine<T> run_task_group(F body, Args... args)
{
    TaskGroup group;
    const auto run_body = [&] { return std::invoke(body, group, std::move(args)...); };
    Outcome<T> outcome = co_await BodyAwaiter<T>(run_body);
    auto leaving = group.leave(outcome.exception());
    co_await std::move(leaving);
    if constexpr (!std::is_void_v<T>) {
        if (!outcome.has_value()) // the group was cancelled before the body had a result
            throw CancelledError();
        co_return std::move(outcome).value();
    }
}
} // namespace detail

/// Runs `body(group, args...)`, a function that returns a coroutine, and waits for every task that
/// the body creates in the group, and that these tasks create in it. Gives the result of the body.
/// The function and the arguments are kept here until the end.
///
///     const auto body = [&](TaskGroup &group) -> Coroutine<> {
///         group.create_task(load(first));
///         group.create_task(load(second));
///         co_return;
///     };
///     co_await task_group(body); // both are loaded
///
/// Errors: if a task throws, all other tasks are cancelled, and so is the body at its next
/// suspension. When all have ended, an ExceptionGroup is thrown here with everything that was
/// thrown, in the order in which the tasks ended. If the body throws, the same happens. A single
/// task that is cancelled is not an error.
/// Cancellation: cancelling the caller cancels the tasks and waits until they have ended. Then
/// CancelledError is thrown, or the ExceptionGroup if any of them has failed. If group.cancel()
/// ends a body that should give a result before it has one, CancelledError is thrown.
/// Lifetimes: the tasks may use the caller's local variables, since the tasks have ended when this
/// returns. They must not use those of the body, which may end before them. If the caller's task is
/// unwound, the tasks of the group are unwound before it, the youngest first.
/// Thread: that of the running loop.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.TaskGroup
template<class F, class... Args>
auto task_group(F &&body, Args &&...args)
{
    detail::check_closure<F>();
    using T = detail::coroutine_value_t<
        std::invoke_result_t<detail::closure_t<F> &, TaskGroup &, std::decay_t<Args>...>>;
    return detail::run_task_group<T, detail::closure_t<F>, std::decay_t<Args>...>(
        std::forward<F>(body), std::forward<Args>(args)...);
}

} // namespace QAsyncio
