// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/task_group.h"

namespace QAsyncio {

namespace detail {
class ScopeOwner;
}

/// Owns tasks: as the *last* member of a class it ends them before any other member, child widget or base of the object is
/// destroyed, so that nothing they use is dead.
///
///     class Window : public QWidget
///     {
///         void reload() { m_tasks.create_task(load()); }
///         ...
///         TaskScope m_tasks;      // behind everything that load() uses
///     };
///
/// What its tasks begin (by gather(), create_task()...) belongs to it as well, unless it is detached() or given another object.
/// The destructor unwinds them all there and then, the youngest first: locals are destroyed, no line runs any more, clean-up
/// that awaits does not happen (cancel_and_wait() is for those who can await), and they end as cancelled. In debug mode each is
/// named. One that is being executed, since it deletes the object itself, is unwound at its next suspension, and with it those
/// that are older, whose locals it may use; the younger ones go at once. What it begins until then does not run.
/// Thread: that of the loop, the destructor too.
class QASYNCIO_EXPORT TaskScope
{
public:
    TaskScope();
    ~TaskScope();
    Q_DISABLE_COPY_MOVE(TaskScope)

    /// Starts a coroutine as a task of the running loop, and of this scope.
    /// Throws RuntimeError if no loop runs in this thread or tasks of another loop are left here; ValueError for options with a
    /// context object or detached(). The coroutine is then closed.
    template<class T>
    Task<T> create_task(Coroutine<T> &&coroutine, const TaskOptions &options = TaskOptions())
    {
        const detail::Closer<T> closer{coroutine};
        return get_running_loop().create_task(std::move(coroutine), owned(options));
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

    /// How many tasks there are that have not ended, those that its tasks have begun included.
    std::size_t size() const;
    /// Asks every task once to end, also one that somebody else has asked before; calling this again asks only those that have
    /// come since. Those of task groups, and whatever else a cancelled task awaits, are asked by it (by each, if several do).
    void cancel(const QString &message = {});
    /// Done when no task is left; at once if there is none. Cancelled, and never done, if the scope goes first. A future for
    /// each call.
    Future<> all_ended();
    /// `co_await scope.cancel_and_wait()`: cancels all and waits for the end of their clean-up, however long that takes; what is
    /// begun meanwhile is cancelled, too. Cancelling the caller ends the waiting only. Returns as well if the scope goes, and its
    /// tasks with it. Its own tasks must not await this (RuntimeError).
    Coroutine<> cancel_and_wait();

    /// "<TaskScope tasks=2>"
    QString to_string() const;

private:
    TaskOptions owned(const TaskOptions &options) const;

    std::shared_ptr<detail::ScopeOwner> d;
};

} // namespace QAsyncio
