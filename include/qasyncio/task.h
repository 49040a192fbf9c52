// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/coroutine.h"
#include "qasyncio/detail/coroutine/run_function.h"
#include "qasyncio/future.h"

#include <vector>

QT_BEGIN_NAMESPACE
class QObject;
QT_END_NAMESPACE

namespace QAsyncio {

namespace detail {
class TaskOwner;
}

/// Options for create_task():
///
///     create_task(load(), TaskOptions().name(u"load"_s).context(window));
class QASYNCIO_EXPORT TaskOptions
{
public:
    TaskOptions() { }
    /// The name of the task, for messages. Without one it is "Task-N".
    TaskOptions &name(const QString &name)
    {
        m_name = name;
        return *this;
    }
    /// Ties the task to `object`. When the object is destroyed, the task's coroutine is unwound at
    /// once (its locals are destroyed, and no line of it runs any more) and the task is cancelled.
    /// If the object is destroyed while a line of the task is being executed, the task is unwound
    /// at its next suspension; until then its code must treat the object as gone.
    ///
    /// All this happens in ~QObject, when the derived parts of `object` have been destroyed
    /// already. Locals of the coroutine whose destructors use members of the object, such as
    /// guards, would use dead ones. If there are any, give the tasks to a TaskScope that is the
    /// *last* member of the class instead: it is destroyed first.
    ///
    /// Tasks that this task begins (with gather(), race(), wait_for(), shield(), task groups,
    /// create_task()...) have the same object, unless they are given another one or are detached().
    /// When the object is destroyed all of them are unwound, the youngest first, so that each goes
    /// before the frames it refers to. Clean-up that awaits does not run. In debug mode the log
    /// names each of these tasks. `object->disconnect()` does not untie them.
    ///
    /// Thread: `object` must live in the loop's thread and stay there. If it is moved to another
    /// thread and destroyed there, a warning says so, and the tasks are unwound later, in their own
    /// thread.
    /// Errors: create_task() throws ValueError if the object is null or lives in another thread, if
    /// the task is also detached(), and if it belongs to a TaskScope.
    TaskOptions &context(const QObject *object)
    {
        m_object = object;
        m_has_object = true;
        return *this;
    }
    /// The task does not end with the context object of the task that begins it, nor with its
    /// TaskScope. For work that has to go on and owns everything it uses. In a task group it still
    /// ends with the group.
    TaskOptions &detached(bool detached = true)
    {
        m_detached = detached;
        return *this;
    }
    /// Starts the task at once: its first step, up to its first suspension, runs inside
    /// create_task(). A task that ends in that step is done when create_task() returns. No effect
    /// unless the loop is running in this thread.
    TaskOptions &eager_start(bool eager = true)
    {
        m_eager = eager;
        return *this;
    }
    /// The context for the task's context variables. Without one it is a copy of the current
    /// context.
    TaskOptions &context(const Context &context)
    {
        m_context = context;
        return *this;
    }

    /// What was set with the functions above.
    const QString &get_name() const { return m_name; }
    const QObject *get_context_object() const { return m_object; }
    const std::optional<Context> &get_context() const { return m_context; }
    bool get_eager_start() const { return m_eager; }
    bool get_detached() const { return m_detached; }
    /// "<TaskOptions name='load' context=set detached eager_start>"
    QString to_string() const;

private:
    friend class QAsyncioLoop;
    friend class TaskGroup;
    friend class TaskScope;

    /// These options, together with what a task factory cannot choose: the scope, or the group's
    /// task, that was `given`.
    TaskOptions belonging_as(const TaskOptions &given) const
    {
        TaskOptions options = *this;
        options.m_parent = given.m_parent;
        options.m_owner = given.m_owner;
        if (given.m_owner) {
            options.m_object = nullptr;
            options.m_has_object = options.m_detached = false;
        }
        return options;
    }

    QString m_name;
    const QObject *m_object = nullptr;
    detail::TaskOwner *m_owner = nullptr;      // set by a TaskScope
    detail::TaskStateBase *m_parent = nullptr; // the task to inherit from; null: the running one
    bool m_has_object = false;
    bool m_detached = false;
    bool m_eager = false;
    std::optional<Context> m_context;
};

namespace detail {

template<class T>
class TaskState final : public FutureState<T, TaskStateBase>
{
public:
    TaskState(LoopCore &core, typename Coroutine<T>::promise_type &root)
        : FutureState<T, TaskStateBase>(core, root)
    { }

private:
    std::exception_ptr take_result() override
    {
        auto &promise = static_cast<typename Coroutine<T>::promise_type &>(this->root());
        std::exception_ptr exception = promise.exception();
        if (exception)
            return exception;
        try {
            if constexpr (std::is_void_v<T>)
                this->value.emplace();
            else
                this->value.emplace(promise.take());
        } catch (...) { // thrown by moving the result
            return std::current_exception();
        }
        return nullptr;
    }
};

QASYNCIO_EXPORT Context context_of(TaskStateBase &task);

/// The functions that Task<T> and AnyTask have in common.
template<class Self>
class TaskOperations
{
public:
    /// How many cancellations have been requested and not been taken back with uncancel().
    int cancelling() const { return task().cancelling(); }
    /// Takes back one request. Returns how many are left.
    int uncancel() { return task().uncancel(); }
    /// The name of the task, for messages: the one that was set, or "Task-N".
    QString get_name() const { return task().name(); }
    /// Changes the name.
    void set_name(const QString &name) { task().set_name(name); }
    /// Where the coroutine function of the task is written. Its line is 0 once the task is done.
    std::source_location get_coro() const { return task().site(); }
    /// The context that the task runs in.
    Context get_context() const { return context_of(task()); }

private:
    TaskStateBase &task() const
    {
        return static_cast<TaskStateBase &>(*FutureAccess::state(static_cast<const Self &>(*this)));
    }
};

} // namespace detail

/// A task with a result of any type, which cannot be read through this class: what current_task()
/// and all_tasks() return.
class AnyTask : public AnyFuture, public detail::TaskOperations<AnyTask>
{
public:
    /// A handle on no task.
    AnyTask() = default;

private:
    friend class detail::FutureAccess;
    template<class>
    friend class Task;
    using AnyFuture::AnyFuture;
};

/// A coroutine that runs in the loop, and the future of its result.
///
///     Task<QByteArray> task = create_task(download(address));
///     ...                          // it runs whenever this task waits
///     use(co_await task);
///
/// The loop keeps every unfinished task alive: if you drop the handle, the task goes on.
/// Cancellation: cancel(message) makes the await at which the task is suspended throw
/// CancelledError. That happens in the task's next step, never inside the call of cancel(). The
/// task may clean up, or catch the exception and go on. cancel() returns true unless the task is
/// done. A task that has not started yet never does.
/// Errors: what the coroutine throws is thrown by awaiting the task and by result(). It is reported
/// when the last handle goes, if nobody has retrieved it.
/// Thread: the loop's. To cancel it from another thread:
///
///     loop.call_soon_threadsafe([task]() mutable { task.cancel(); });
///
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.Task
template<class T = void>
class Task : public Future<T>, public detail::TaskOperations<Task<T>>
{
public:
    /// A handle on no task.
    Task() = default;
    /// A handle on the same task.
    operator AnyTask() const { return AnyTask(this->m_state); }

    // A task completes itself: these functions of Future are not available.
    void set_result() const = delete;
    void set_exception() const = delete;

private:
    friend class detail::FutureAccess;
    using Future<T>::Future;
};

/// Starts a coroutine as a task of the running loop. Its first line runs in the next turn.
/// Throws RuntimeError if no loop runs in this thread or if the coroutine has been awaited before.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.create_task
template<class T>
Task<T> create_task(Coroutine<T> &&coroutine, const TaskOptions &options = TaskOptions());
/// The same for `function(args...)`, a function that returns a coroutine:
/// `create_task(&Window::load, this)`, or a lambda with captures. The function and its arguments
/// are kept until the coroutine has ended.
template<class F, class... Args>
    requires std::is_invocable_v<detail::closure_t<F> &, std::decay_t<Args>...>
auto create_task(F &&function, Args &&...args);
/// The same with options.
template<class F, class... Args>
    requires std::is_invocable_v<detail::closure_t<F> &, std::decay_t<Args>...>
auto create_task(const TaskOptions &options, F &&function, Args &&...args);
/// The same for anything else that can be awaited: a future, a task, an awaitable of another
/// library. It is copied or moved into the task, and kept until it has given its result. Cancelling
/// the task cancels what it awaits.
template<detail::TaskAwaitable A>
auto create_task(A &&awaitable, const TaskOptions &options = TaskOptions());

/// A task factory that starts every task eagerly: `loop.set_task_factory(eager_task_factory)`.
QASYNCIO_EXPORT TaskOptions eager_task_factory(QAsyncioLoop &loop, const TaskOptions &options);

/// The task that is being executed; an empty handle in a plain callback. Throws RuntimeError if no
/// loop runs in this thread.
QASYNCIO_EXPORT AnyTask current_task();
/// The unfinished tasks of the running loop, oldest first. Throws RuntimeError if no loop runs in
/// this thread.
QASYNCIO_EXPORT std::vector<AnyTask> all_tasks();

} // namespace QAsyncio
