// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/future_state.h"

#include <QtCore/qobject.h>

#include <memory>
#include <source_location>

namespace QAsyncio {
class AnyTask;
class AwaiterBase;
class TaskGroup;
}

namespace QAsyncio::detail {

struct PromiseBase;
class TaskFamily;

/// What few tasks have.
struct TaskExtra
{
    QString name;
    QString cancel_message; // of MustCancel
    TaskFamily *family = nullptr;               // that it ends with; owned together with the other members
    TaskStateBase *elder = nullptr;             // in the family's list
    TaskStateBase *younger = nullptr;
    quint32 parent_number = 0;                  // of the task whose group waits for it, and cancels it
    quint32 begun_by = 0;                       // the number of the task that has made it, for those with a family
    TaskGroup *innermost_group = nullptr;             // of those that it waits in
    std::vector<Ref<FutureStateBase>> to_be_unwound; // tasks, when this one suspends: UnwindPending
};

/// A future that drives a coroutine. While it is unfinished the loop's list of tasks owns a reference.
///
/// One step at a time: a task is in the ready queue at most once, since it waits for one thing at a time.
class QASYNCIO_EXPORT TaskStateBase : public FutureStateBase
{
public:
    /// Has two references: one for a handle, one for the list of the loop that start() puts it into.
    TaskStateBase(LoopCore &core, PromiseBase &root);

    /// Adds the task to the loop's list and queues its first step.
    void start();
    /// Instead of it, if something has failed before: its coroutine is destroyed in silence.
    void never_start() noexcept;
    /// The same, but its first step runs here and now. Throws what leaves the loop.
    void start_eagerly();

    // asyncio's operations
    bool cancel(const QString &message) override;
    /// The parts of cancel(): the request goes to the task at the end of the chain of those that await each other, null if this
    /// one is done; that one takes it to what it waits for, or notes it if nothing takes it.
    TaskStateBase *request_cancellation();
    void deliver_cancellation(const QString &message);
    void note_cancellation(const QString &message);
    void note_cancelled_wait(const QString &message);
    int cancelling() const { return m_cancel_requests; }
    int uncancel();
    /// The message of the last cancellation that nothing that was waited for took.
    QString cancel_message() const { return m_extra ? m_extra->cancel_message : QString(); }
    /// Grows from task to task.
    quint32 number() const { return m_number; }
    QString name() const;
    void set_name(const QString &name);
    /// Where the coroutine was written; empty once the task is done.
    std::source_location site() const;
    void set_site(const std::source_location &site);

    /// The family that this task belongs to, and those that it begins; null for none.
    TaskFamily *family() const { return Q_UNLIKELY(m_extra) ? m_extra->family : nullptr; }
    void prepare_to_join() { static_cast<void>(extra()); }
    void join(TaskFamily &family);
    /// Destroys the frames, innermost first, without running another line of them, and ends as cancelled. The tasks of its
    /// groups, and the rest of a family that ends, go with it, the youngest first. If a frame of one of all these is being
    /// executed, it and the older ones go when it has left the stack; none of the others runs another line until then.
    void unwind();
    /// The same for several at once.
    static void unwind_together(const std::vector<Ref<TaskStateBase>> &tasks);

    bool is_queued() const noexcept { return flags & Queued; }
    bool is_on_stack() const noexcept { return flags & OnStack; }
    /// It is being unwound, or will be: no line of it runs any more.
    bool is_doomed() const noexcept { return flags & Doomed; }
    /// The outermost frame has reached its end.
    void note_end_of_body() noexcept { flags |= BodyDone; }

    // For awaiters, while a frame of this task is executed:
    /// The innermost frame suspends; the awaiter will queue the task. A cancellation requested earlier goes to it now.
    void suspend_at(AwaiterBase &awaiter)
    {
        m_suspended_at = &awaiter;
        if (Q_UNLIKELY(flags & MustCancel))
            forward_cancel();
    }
    /// Queues the next step.
    void schedule()
    {
        flags |= Queued;
        core->push(this);
    }
    /// True once for a cancellation that is due now and that nothing that was waited for has taken.
    bool take_must_cancel()
    {
        if (Q_LIKELY(!(flags & MustCancel)))
            return false;
        flags &= ~MustCancel;
        return true;
    }
    /// The await that resumes is to throw a cancellation: see discard() of awaiters. The second ends that.
    bool is_wait_cancelled() const noexcept { return flags & (MustCancel | WaitCancelled); }
    void take_cancelled_wait() noexcept { flags &= ~(MustCancel | WaitCancelled); }
    /// The await that has just suspended was refused: of this task itself, or of a future of another loop. In the next turn it
    /// throws.
    void refuse_await(const FutureStateBase &awaited)
    {
        flags |= &awaited == this ? AwaitsItself : WrongLoop;
        schedule();
    }
    bool is_await_refused() const noexcept { return flags & (WrongLoop | AwaitsItself); }
    void forget_refusal() noexcept { flags &= ~(WrongLoop | AwaitsItself); }
    /// The awaiter has stopped waiting because of a cancellation, which the await throws.
    void end_wait_cancelled(const QString &message)
    {
        note_cancelled_wait(message);
        schedule();
    }
    [[noreturn]] void throw_cancelled_task();
    [[noreturn]] void throw_await_error(const FutureStateBase &awaited);

    void run(LoopCore &core) noexcept override;
    void discard() noexcept override;
    void future_done(FutureStateBase &future) override;
    QString describe() const override;
    QString type_name() const override;

    /// Without what it waits for: a chain of tasks may be long, or a circle.
    QString describe_without_wait() const;
    /// The future that this one awaits; null if it is something else.
    FutureStateBase *awaited_future() const;
    /// The task that this one awaits; null if it is something else, or done.
    TaskStateBase *awaited_task() const;
    /// What a task group waits for.
    void enter_as_child(const TaskStateBase &parent) { extra().parent_number = parent.m_number; }
    /// The number of the task of its group; 0 if it is in none.
    quint32 parent_number() const { return m_extra ? m_extra->parent_number : 0; }
    /// Gives the group that was the innermost one so far.
    TaskGroup *enter_group(TaskGroup *group) { return std::exchange(extra().innermost_group, group); }
    void leave_group(TaskGroup *group);
    /// Closing a loop: unwinds and reports "Task was destroyed but it is pending!".
    void destroy_pending() noexcept;

    TaskStateBase *previous = nullptr; // in the loop's list of unfinished tasks
    TaskStateBase *next = nullptr;

protected:
    /// Takes the result out of the outermost frame's promise; gives the exception if there is one instead.
    virtual std::exception_ptr take_result() = 0;
    PromiseBase &root() const { return *m_root; }

private:
    friend class TaskFamily;

    enum TaskFlag : quint16 {
        MustCancel = 32,      // to be cancelled at the next suspension or resumption
        WaitCancelled = 64,   // a cancellation has ended the wait, and is what the await throws
        Started = 128,
        OnStack = 256,        // a frame of it is being executed
        Queued = 512,         // its step is in the ready queue
        BodyDone = 1024,
        UnwindPending = 2048, // to be unwound at the next suspension
        Doomed = 4096,
        WrongLoop = 8192,     // an await is refused
        AwaitsItself = 16384, // the same
        InCancel = 32768,     // cancel() is going through it
    };
    enum RareTaskFlag : quint8 {
        Eager = 1,     // in its first step, inside of create_task()
        StepWaits = 2, // it was to go on while it was still on the stack
    };

    /// Some tasks and all that ends with them: each before those that depend on it, the older before the younger.
    static std::vector<Ref<TaskStateBase>> with_descendants(const std::vector<Ref<TaskStateBase>> &seeds);
    static void unwind_in_order(const std::vector<Ref<TaskStateBase>> &tasks);
    TaskStateBase *executed_before_it();
    void unwind_later(const std::vector<Ref<TaskStateBase>> &tasks, std::size_t count);
    void unwind_alone();
    void unwind_without_memory();
    void unwind_what_waited();
    void complete();
    void take_step_that_waited();
    void set_outcome(std::exception_ptr exception);
    void finish_with_exception(std::exception_ptr exception);
    void destroy_frames() noexcept;
    void forward_cancel();
    /// Resumes although the task that it awaits is not done: they await each other and would do so for ever.
    void give_up_waiting(TaskStateBase &awaited);
    /// The one to resume; the outermost one while it is executed.
    PromiseBase *innermost_frame() const;
    void leave_registry();
    void leave_family();
    void bequeath();
    TaskExtra &extra();
    void set_cancel_message(const QString &message);

    PromiseBase *m_root; // of the outermost frame; null once it is destroyed
    AwaiterBase *m_suspended_at = nullptr; // in the innermost frame; null before the first step, and while it is executed
    std::unique_ptr<TaskExtra> m_extra;
    quint32 m_number;
    qint32 m_cancel_requests = 0;
};

} // namespace QAsyncio::detail
