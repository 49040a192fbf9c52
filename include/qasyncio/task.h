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

/// How a task is made: `create_task(load(), TaskOptions().name(u"load"_s).context(window))`.
class QASYNCIO_EXPORT TaskOptions
{
public:
    TaskOptions() { }
    /// Without one it is "Task-N".
    TaskOptions &name(const QString &name)
    {
        m_name = name;
        return *this;
    }
    /// The task ends with `object`: when the object is destroyed, the task's coroutine is unwound there and then (its
    /// locals are destroyed, no line of it runs any more) and the task is cancelled. If the object dies while a line of the
    /// task is being executed, that happens at its next suspension; until then the code must treat the object as gone.
    /// That happens in ~QObject, when the derived parts of `object` are gone: locals of the coroutine whose destructors use
    /// members of it (guards!) would use dead ones. Where there are such, give the tasks to a TaskScope that is the *last* member
    /// of the class: it dies first.
    /// The tasks that it begins (by gather(), race(), wait_for(), shield(), task groups, create_task()...) have the same object,
    /// unless they are given another or are detached(). When it dies all of them are unwound, the youngest first, before the
    /// frames they refer to; clean-up that awaits does not run. In debug mode each is named. `object->disconnect()` does not
    /// untie them.
    /// `object` must live in the loop's thread, and stay there: if it is moved to another one and dies there, a warning says
    /// so, and the tasks are unwound in theirs, later. A null pointer is refused with ValueError by create_task(), and so is an object
    /// together with detached(), or in a TaskScope.
    TaskOptions &context(const QObject *object)
    {
        m_object = object;
        m_has_object = true;
        return *this;
    }
    /// The task does not end with the context object of the task that begins it, nor with its TaskScope: work that has to go on,
    /// and owns what it uses. In a task group it still ends with the group.
    TaskOptions &detached(bool detached = true)
    {
        m_detached = detached;
        return *this;
    }
    /// Starts the task at once: its first step runs inside of create_task(), until it suspends for the first time. One that
    /// ends there is done when create_task() returns. Without effect unless this thread runs the loop.
    TaskOptions &eager_start(bool eager = true)
    {
        m_eager = eager;
        return *this;
    }
    /// The context for the task's context variables. Without it: a copy of the current one.
    TaskOptions &context(const Context &context)
    {
        m_context = context;
        return *this;
    }

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

    /// These, with what a task factory cannot say: the scope, or the group's task, that it was `given`.
    TaskOptions belonging_as(const TaskOptions &given) const
    {
        TaskOptions options = *this;
        if (!options.m_has_object && !options.m_detached)
            options.m_owner = given.m_owner;
        options.m_parent = given.m_parent;
        return options;
    }

    QString m_name;
    const QObject *m_object = nullptr;
    detail::TaskOwner *m_owner = nullptr;      // of a TaskScope
    detail::TaskStateBase *m_parent = nullptr; // whose owner it gets, if it is not the running task
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
        : FutureState<T, TaskStateBase>(core, root) { }

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
        } catch (...) { // of moving the result
            return std::current_exception();
        }
        return nullptr;
    }
};

QASYNCIO_EXPORT Context context_of(TaskStateBase &task);

/// The operations that Task<T> and AnyTask have in common.
template<class Self>
class TaskOperations
{
public:
    /// How many cancellations were requested and not taken back by uncancel().
    int cancelling() const { return task().cancelling(); }
    /// Takes one request back and gives the number of those left.
    int uncancel() { return task().uncancel(); }
    QString get_name() const { return task().name(); }
    void set_name(const QString &name) { task().set_name(name); }
    /// Where the task's coroutine function is written; a line of 0 once the task is done.
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

/// A task of any type, without its result: what current_task() and all_tasks() give.
class AnyTask : public AnyFuture, public detail::TaskOperations<AnyTask>
{
public:
    AnyTask() = default;

private:
    friend class detail::FutureAccess;
    template<class>
    friend class Task;
    using AnyFuture::AnyFuture;
};

/// A coroutine that runs in the loop, and the future of its result.
///
/// The loop keeps every unfinished task alive; dropping the handle detaches it.
/// Cancellation: cancel(message) makes the await at which the task is suspended throw CancelledError at the task's next
/// step, never inline. The task may clean up, or catch it and go on. True unless the task is done. A task that has not
/// started never does.
/// Thread: the loop's; to cancel from another one: `loop.call_soon_threadsafe([task]() mutable { task.cancel(); })`.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.Task
template<class T = void>
class Task : public Future<T>, public detail::TaskOperations<Task<T>>
{
public:
    Task() = default;
    operator AnyTask() const { return AnyTask(this->m_state); }

    // A task completes itself.
    void set_result() const = delete;
    void set_exception() const = delete;

private:
    friend class detail::FutureAccess;
    using Future<T>::Future;
};

/// Starts a coroutine as a task of the running loop. Its first line runs in the next turn.
/// Throws RuntimeError if no loop runs in this thread.
template<class T>
Task<T> create_task(Coroutine<T> &&coroutine, const TaskOptions &options = TaskOptions());
/// The same for `function(args...)`, a function that gives a coroutine: `create_task(&Window::load, this)`, or a lambda with
/// captures. Function and arguments are kept until it has ended.
template<class F, class... Args>
    requires std::is_invocable_v<detail::closure_t<F> &, std::decay_t<Args>...>
auto create_task(F &&function, Args &&...args);
template<class F, class... Args>
    requires std::is_invocable_v<detail::closure_t<F> &, std::decay_t<Args>...>
auto create_task(const TaskOptions &options, F &&function, Args &&...args);
/// The same for anything else that can be awaited: a future, a task, an awaitable of another library. It is kept, copied or
/// moved, until it has given its result. Cancelling the task cancels what it awaits.
template<detail::TaskAwaitable A>
auto create_task(A &&awaitable, const TaskOptions &options = TaskOptions());

/// A task factory that starts every task eagerly: `loop.set_task_factory(eager_task_factory)`.
QASYNCIO_EXPORT TaskOptions eager_task_factory(QAsyncioLoop &loop, const TaskOptions &options);

/// The task that is being executed; none in a plain callback. Throws RuntimeError if no loop runs in this thread.
QASYNCIO_EXPORT AnyTask current_task();
/// The unfinished tasks of the running loop, oldest first. Throws RuntimeError if no loop runs in this thread.
QASYNCIO_EXPORT std::vector<AnyTask> all_tasks();

} // namespace QAsyncio
