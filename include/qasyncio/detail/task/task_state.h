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
} // namespace QAsyncio

namespace QAsyncio::detail {

struct PromiseBase;
class TaskFamily;

/// What only few tasks need. Allocated on demand, so that the others stay small.
struct TaskExtra
{
    QString name;
    QString cancel_message;         // of the last request that nothing the task waits for has taken
    QString wait_message;           // of the one that has ended the wait: WaitCancelled
    TaskFamily *family = nullptr;   // that it ends with
    TaskStateBase *elder = nullptr; // in the family's list
    TaskStateBase *younger = nullptr;
    quint32 parent_number = 0; // of the task whose TaskGroup it is in; 0: none
    quint32 begun_by = 0;      // number of the task that started it, if this has a family
    TaskGroup *innermost_group = nullptr; // that this task has open
    // Tasks to be unwound after this one has left the stack: UnwindPending.
    std::vector<Ref<FutureStateBase>> to_be_unwound;
};

/// A future that drives a coroutine. While it is unfinished the loop's list of tasks owns a
/// reference.
///
/// A task is in the ready queue at most once, since it waits for one thing at a time.
class QASYNCIO_EXPORT TaskStateBase : public FutureStateBase
{
public:
    /// Starts with two references: one for a handle, one for the loop's list, which start() adds it
    /// to.
    TaskStateBase(LoopCore &core, PromiseBase &root);

    /// Adds the task to the loop's list and queues its first step.
    void start();
    /// Instead of start(), if something has failed before: destroys the coroutine without a report.
    void never_start() noexcept;
    /// Like start(), but runs the first step here and now. Throws a LoopExit or KeyboardInterrupt
    /// that ends this step.
    void start_eagerly();

    // asyncio's operations
    bool cancel(const QString &message) override;
    /// The parts of cancel(). The first follows the tasks that await each other and returns the
    /// last one, or null if this task is done. The second, called on that one, cancels what it
    /// waits for; if nothing takes the request, the task notes it.
    TaskStateBase *request_cancellation();
    void deliver_cancellation(const QString &message);
    void note_cancellation(const QString &message);
    void note_cancelled_wait(const QString &message);
    int cancelling() const { return m_cancel_requests; }
    int uncancel();
    /// The message of the last cancellation that was not taken by what the task waits for.
    QString cancel_message() const { return m_extra ? m_extra->cancel_message : QString(); }
    /// Higher than that of all older tasks.
    quint32 number() const { return m_number; }
    QString name() const;
    void set_name(const QString &name);
    /// Where its outermost coroutine is; empty once the task is done.
    std::source_location site() const;

    /// The family of this task, which the tasks that it starts join too; null for none.
    TaskFamily *family() const { return Q_UNLIKELY(m_extra) ? m_extra->family : nullptr; }
    void prepare_to_join() { static_cast<void>(extra()); }
    void join(TaskFamily &family);
    /// Destroys the frames, innermost first, without running another line of them; the task ends as
    /// cancelled. The tasks of its groups, and the rest of its family if that ends, are unwound
    /// with it, the youngest first. If one of all these is on the stack, it and the older ones are
    /// unwound when it has left the stack; until then no other one runs another line.
    void unwind();
    /// The same for several at once.
    static void unwind_together(const std::vector<Ref<TaskStateBase>> &tasks);

    /// Its next step is under way.
    bool is_queued() const noexcept { return flags & Queued || task_flags & StepWaits; }
    bool is_on_stack() const noexcept { return flags & OnStack; }
    bool is_started() const noexcept { return flags & Started; }
    bool dies_in_silence() const noexcept { return !(flags & LogDestroyed); }
    /// It is being unwound or will be: no line of it runs any more.
    bool is_doomed() const noexcept { return flags & Doomed; }
    /// `frame` is executed from now on: the await of a coroutine begins, or has ended.
    void enter_frame(PromiseBase &frame) noexcept { m_frame = &frame; }
    /// The innermost frame: the one that is executed or suspended. Null once all are destroyed.
    PromiseBase *innermost_frame() const noexcept { return m_frame; }
    /// The outermost frame has reached its end.
    void note_end_of_body() noexcept { flags |= BodyDone; }

    // For awaiters, while a frame of this task is executed:
    /// The innermost frame is about to suspend: await_suspend() of `awaiter` comes next.
    void begin_to_suspend(AwaiterBase &awaiter) { m_suspended_at = &awaiter; }
    /// It has returned. A cancellation that was requested before goes to the awaiter now.
    void suspend()
    {
        if (Q_UNLIKELY(flags & MustCancel))
            forward_cancel();
    }
    bool is_suspended_at(const AwaiterBase &awaiter) const { return m_suspended_at == &awaiter; }
    /// Queues the next step.
    void schedule()
    {
        flags |= Queued;
        core->push(this);
    }
    /// True once if a cancellation is due that nothing the task waited for has taken.
    bool take_must_cancel()
    {
        if (Q_LIKELY(!(flags & MustCancel)))
            return false;
        flags &= ~MustCancel;
        return true;
    }
    /// True if the await that resumes now has to throw a cancellation instead of giving its result;
    /// take_cancelled_wait() clears that and gives the message.
    bool is_wait_ended_otherwise() const noexcept
    {
        return flags & (MustCancel | WaitCancelled | WrongLoop | AwaitsItself);
    }
    QString take_cancelled_wait() noexcept;
    /// Refuses the await that has just suspended, because it awaits this task itself or a future of
    /// another loop. It throws in the next turn.
    void refuse_await(const FutureStateBase &awaited)
    {
        flags |= &awaited == this ? AwaitsItself : WrongLoop;
        schedule();
    }
    bool is_await_refused() const noexcept { return flags & (WrongLoop | AwaitsItself); }
    void forget_refusal() noexcept { flags &= ~(WrongLoop | AwaitsItself); }
    /// The awaiter has stopped waiting because of a cancellation, which the await will throw.
    void end_wait_cancelled(const QString &message)
    {
        note_cancelled_wait(message);
        if (!is_queued())
            schedule();
    }
    /// await_suspend() has thrown: throws that again. If it has resumed the task before, the task
    /// waits for its next step, and the exception is reported.
    void suspend_failed();
    [[noreturn]] static void throw_cancelled_error(const QString &message);
    [[noreturn]] void throw_await_error(const FutureStateBase &awaited);

    void run(LoopCore &core) noexcept override;
    void discard() noexcept override;
    void future_done(FutureStateBase &future) override;
    FutureStateBase *waiting_future() override;
    QString describe() const override;
    QString describe_wait() const override;
    QString type_name() const override;

    /// Leaves out what the task waits for: a chain of tasks may be long, or a circle.
    QString describe_without_wait() const;
    /// What it waits for, in words; empty if it does not wait or nobody knows.
    QString waits_for() const;
    /// The future that this task awaits; null if it awaits something else or nothing.
    FutureStateBase *awaited_future() const;
    /// The task that this one awaits; null if it awaits something else, nothing, or a task that is
    /// done.
    TaskStateBase *awaited_task() const;
    /// Notes that this task is in a TaskGroup of `parent`.
    void enter_as_child(const TaskStateBase &parent) { extra().parent_number = parent.m_number; }
    /// The number of the task whose TaskGroup this one is in; 0 if it is in none.
    quint32 parent_number() const { return m_extra ? m_extra->parent_number : 0; }
    /// Makes `group` the innermost one; returns the one before.
    TaskGroup *enter_group(TaskGroup *group)
    {
        return std::exchange(extra().innermost_group, group);
    }
    void leave_group(TaskGroup *group);
    /// Called when the loop is closed: unwinds and reports "Task was destroyed but it is pending!".
    void destroy_pending() noexcept;

    TaskStateBase *previous = nullptr; // in the loop's list of unfinished tasks
    TaskStateBase *next = nullptr;

protected:
    /// Takes the result out of the outermost frame's promise. If there is an exception instead,
    /// returns that.
    virtual std::exception_ptr take_result() = 0;
    /// The outermost frame. Only before the first step and at the end of the body: it is the
    /// innermost one then.
    PromiseBase &root() const { return *m_frame; }

private:
    friend class TaskFamily;

    enum TaskFlag : quint16 {
        MustCancel = 32,    // a cancellation is due at the next suspension or resumption
        WaitCancelled = 64, // a cancellation has ended the wait; the await throws it
        Started = 128,
        OnStack = 256, // a frame of it is being executed
        Queued = 512,  // its step is in the ready queue
        BodyDone = 1024,
        UnwindPending = 2048, // to be unwound when it leaves the stack
        Doomed = 4096,
        WrongLoop = 8192,     // the await is refused: its future belongs to another loop
        AwaitsItself = 16384, // the await is refused: it awaits its own task
        InCancel = 32768,     // cancel() is following the chain of awaits through it
    };
    enum RareTaskFlag : quint8 {
        Eager = 1,     // in its first step, inside create_task()
        StepWaits = 2, // its next step came while it was still on the stack
    };

    /// The given tasks and all that end with them, older before younger. A task that uses another
    /// one's locals is younger than that one.
    static std::vector<Ref<TaskStateBase>> with_descendants(
        const std::vector<Ref<TaskStateBase>> &seeds);
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
    void ask_awaiter_to_stop(const QString &message);
    void forward_cancel();
    /// Resumes although `awaited` is not done: the tasks await each other in a circle, which would
    /// never end.
    void give_up_waiting(TaskStateBase &awaited);
    void leave_registry();
    void leave_family();
    void bequeath();
    TaskExtra &extra();
    void keep_message(QString TaskExtra::*place, const QString &message);

    PromiseBase *m_frame; // of the innermost frame; null once they are destroyed
    // Null before the first step and while a frame is executed.
    AwaiterBase *m_suspended_at = nullptr;
    std::unique_ptr<TaskExtra> m_extra;
    quint32 m_number;
    qint32 m_cancel_requests = 0;
};

} // namespace QAsyncio::detail
