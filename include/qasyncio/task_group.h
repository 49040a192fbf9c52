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

/// The scope that task_group() gives to its body: it makes the tasks that the scope waits for.
///
/// Thread: the loop's; debug mode refuses another one with RuntimeError, otherwise group and loop are corrupted. Lifetime:
/// that of the task_group() it belongs to.
/// \sa https://docs.python.org/3/library/asyncio-task.html#task-groups
class QASYNCIO_EXPORT TaskGroup
{
public:
    Q_DISABLE_COPY_MOVE(TaskGroup)

    /// Starts a task in this group.
    /// Throws RuntimeError, and closes the coroutine, once the group has begun to cancel its tasks or all of them have ended
    /// after the body.
    template<class T>
    Task<T> create_task(Coroutine<T> &&coroutine, const TaskOptions &options = TaskOptions())
    {
        const detail::Closer<T> closer{coroutine};
        check_accepts();
        const Watch watch(*this); // the first step of an eager task may end the group's own
        Task<T> task = Q_UNLIKELY(is_entered_by_a_stranger()) ? m_parent->core->loop->create_task(std::move(coroutine), heir(options))
                                                              : m_parent->core->loop->create_task(std::move(coroutine), options);
        add(watch.group(), task);
        return task;
    }
    /// The same for `function(args...)`, a function that gives a coroutine. Both are kept until it has ended.
    template<class F, class... Args>
        requires std::is_invocable_v<detail::closure_t<F> &, std::decay_t<Args>...>
    auto create_task(F &&function, Args &&...args)
    {
        return create_task(TaskOptions(), std::forward<F>(function), std::forward<Args>(args)...);
    }
    template<class F, class... Args>
        requires std::is_invocable_v<detail::closure_t<F> &, std::decay_t<Args>...>
    auto create_task(const TaskOptions &options, F &&function, Args &&...args)
    {
        detail::check_closure<F>();
        using Function = detail::closure_t<F>;
        using T = detail::coroutine_value_t<std::invoke_result_t<Function &, std::decay_t<Args>...>>;
        return create_task(detail::run_function<T, Function, std::decay_t<Args>...>(std::forward<F>(function),
                                                                                    std::forward<Args>(args)...),
                           options);
    }
    /// The same for anything else that can be awaited. It is kept, copied or moved, until it has given its result.
    template<detail::TaskAwaitable A>
    auto create_task(A &&awaitable, const TaskOptions &options = TaskOptions())
    {
        return create_task(detail::await_in_task<std::decay_t<A>>(std::forward<A>(awaitable)), options);
    }

    /// Ends the group: its tasks and its body are cancelled, and task_group() returns without an exception once all have
    /// ended, unless one of them throws meanwhile. May be called at any time, and again.
    void cancel();

    /// "<TaskGroup tasks=2 errors=1 cancelling>"
    QString to_string() const;

private:
    template<class T, class F, class... Args>
    friend Coroutine<T> detail::run_task_group(F body, Args... args);
    friend class detail::GroupChild;
    friend class detail::TaskStateBase;

    /// Tells whether the group has been destroyed since: with an object that its task belongs to, by code that it has called.
    class Watch
    {
    public:
        explicit Watch(TaskGroup &group) : m_group(&group), m_outer(std::exchange(group.m_watch, this)) { }
        ~Watch()
        {
            if (m_group)
                m_group->m_watch = m_outer;
        }
        Q_DISABLE_COPY_MOVE(Watch)

        TaskGroup *group() const { return m_group; } // null if it has been

    private:
        friend class TaskGroup;
        TaskGroup *m_group;
        Watch *m_outer;
    };

    /// Entered by the running task.
    TaskGroup();
    ~TaskGroup();
    /// Waits for the tasks and throws what is to be thrown; `exception` is what the body threw, or null.
    Coroutine<> leave(std::exception_ptr exception);
    /// All have ended.
    void throw_outcome(const std::exception_ptr &exception, std::exception_ptr cancellation);
    void check_accepts() const;
    /// The running task does not end with the object of the task that the group belongs to, as the group's tasks have to.
    bool is_entered_by_a_stranger() const
    {
        const detail::TaskStateBase *running = m_parent->core->current_task;
        return running != m_parent.get() && (running ? running->family() : nullptr) != m_parent->family();
    }
    TaskOptions heir(const TaskOptions &options) const;
    /// To a group that is null, since it was destroyed meanwhile: the task is unwound, as the others were.
    static void add(TaskGroup *group, const AnyTask &task);
    void add(detail::TaskStateBase &task);
    void child_done(detail::TaskStateBase &task);
    /// False if that has destroyed the group.
    bool abort();
    void cancel_parent();
    void collect_tasks(std::vector<detail::Ref<detail::TaskStateBase>> &tasks) const;

    detail::Ref<detail::TaskStateBase> m_parent;
    TaskGroup *m_outer = nullptr; // the group of the same parent that was entered before
    detail::GroupChild *m_first = nullptr;
    detail::GroupChild *m_last = nullptr;
    detail::GroupChild *m_next_to_cancel = nullptr; // in abort()
    std::size_t m_count = 0;
    std::vector<std::exception_ptr> m_errors; // in the order in which the tasks ended
    std::exception_ptr m_leaving;             // LoopExit or KeyboardInterrupt: goes out bare
    std::exception_ptr m_interruption;        // the last cancellation that came while it waited
    Future<> m_all_ended;
    bool m_exiting = false;
    bool m_aborting = false;
    bool m_parent_cancelled = false; // by us
    bool m_owes_uncancel = false; // to the parent
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

/// Runs `body(group, args...)`, a function that gives a coroutine, and waits for every task it has started in the group (or
/// that these have); gives the body's result. The function and the arguments are kept here for as long as it runs.
///
/// Errors: the first task that throws ends the group: all others, and the body at its next suspension, are cancelled, and
/// when all have ended an ExceptionGroup with what they threw comes out of here, in the order of their ends. A body that
/// throws does the same. A task that is cancelled alone is no error.
/// Cancellation: cancelling the caller cancels the tasks, waits for them, and then goes on, or the ExceptionGroup does.
/// After group.cancel() a body that was to give a result and has none: CancelledError.
/// Locals: tasks may use the locals of the caller, for they have ended when this returns; not those of the body, which may
/// end before them. If the caller's task is unwound, its group's tasks are unwound before it, the youngest first.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.TaskGroup
template<class F, class... Args>
auto task_group(F &&body, Args &&...args)
{
    detail::check_closure<F>();
    using T = detail::coroutine_value_t<
        std::invoke_result_t<detail::closure_t<F> &, TaskGroup &, std::decay_t<Args>...>>;
    return detail::run_task_group<T, detail::closure_t<F>, std::decay_t<Args>...>(std::forward<F>(body),
                                                                                  std::forward<Args>(args)...);
}

} // namespace QAsyncio
