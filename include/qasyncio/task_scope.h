// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/task_group.h"

namespace QAsyncio {

namespace detail {
class ScopeOwner;
}

/// Owns tasks. As the *last* member of a class it ends its tasks before any other member, child
/// widget or base of the object is destroyed, so that they never use anything that is gone.
///
///     class Window : public QWidget
///     {
///         void reload() { m_tasks.create_task(load()); }
///         ...
///         TaskScope m_tasks;      // after everything that load() uses
///     };
///
/// Whatever its tasks begin (with gather(), create_task()...) belongs to the scope too, unless it
/// is detached() or given another object.
/// The destructor unwinds all of them at once, the youngest first: their locals are destroyed, no
/// line of them runs any more, and they end as cancelled. Clean-up that awaits is not run; if you
/// can await, call cancel_and_wait() before. In debug mode the log names each task that is unwound.
/// A task that is being executed, because it is the one that deletes the object, is unwound at its
/// next suspension. So are the tasks that are older, since it may use their locals; the younger
/// ones go at once. Tasks that it begins until then do not run.
/// Thread: that of the loop, for the destructor too.
class QASYNCIO_EXPORT TaskScope
{
public:
    /// An empty scope. It belongs to the loop of its tasks.
    TaskScope();
    ~TaskScope();
    Q_DISABLE_COPY_MOVE(TaskScope)

    /// Starts a coroutine as a task of the running loop and of this scope.
    /// Throws RuntimeError if no loop runs in this thread or if the scope still has tasks of
    /// another loop; ValueError if the options have a context object or detached(). The coroutine
    /// is closed then.
    template<class T>
    Task<T> create_task(Coroutine<T> &&coroutine, const TaskOptions &options = TaskOptions())
    {
        const detail::Closer<T> closer{coroutine};
        return get_running_loop().create_task(std::move(coroutine), owned(options));
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

    /// The number of unfinished tasks, including those that its tasks have begun.
    std::size_t size() const;
    /// Requests the cancellation of every task once, even if somebody else has cancelled it before.
    /// A further call only cancels tasks that have been added since. Tasks in task groups, and
    /// whatever else a cancelled task awaits, are cancelled by the task that waits for them (by
    /// each of these, if there are several).
    void cancel(const QString &message = {});
    /// A future that is done when no task is left; at once if there is none. It is cancelled if the
    /// scope is destroyed first. Each call returns a future of its own.
    /// Throws RuntimeError if no loop runs in this thread.
    Future<> all_ended();
    /// `co_await scope.cancel_and_wait()`: cancels all tasks and waits until they have ended,
    /// however long their clean-up takes. Tasks that are begun meanwhile are cancelled too. It also
    /// returns if the scope is destroyed, which ends the tasks.
    /// Cancellation: cancelling the caller only ends the wait.
    /// Throws, at the await, RuntimeError if the caller is a task of this scope, which would wait
    /// for itself.
    Coroutine<> cancel_and_wait();

    /// "<TaskScope tasks=2>"
    QString to_string() const;

private:
    TaskOptions owned(const TaskOptions &options) const;

    std::shared_ptr<detail::ScopeOwner> d;
};

} // namespace QAsyncio
