// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/task.h"

#include "qasyncio/awaiter.h"
#include "qasyncio/task_group.h"

#include "base/exception_kind.h"
#include "loop/loop_p.h"
#include "tasks/object_owner.h"

#include <algorithm>
#include <unordered_set>

namespace QAsyncio {

TaskOptions eager_task_factory(QAsyncioLoop &, const TaskOptions &options)
{
    return TaskOptions(options).eager_start();
}

namespace detail {

namespace {
quint32 next_number()
{
    static std::atomic<quint32> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}
} // namespace

TaskStateBase::TaskStateBase(LoopCore &core, PromiseBase &root)
    : FutureStateBase(core, 2), m_frame(&root), m_number(next_number())
{
    root.task = this;
    flags = IsTask | LogDestroyed;
}

void TaskStateBase::start()
{
    static_cast<LoopPrivate &>(*core).link_task(*this);
    schedule();
}

void TaskStateBase::never_start() noexcept
{
    flags &= ~LogDestroyed;
    destroy_frames();
    release(); // the reference of the loop's list
}

void TaskStateBase::start_eagerly()
{
    static_cast<LoopPrivate &>(*core).link_task(*this);
    task_flags |= Eager;
    const LoopPrivate::Activation active(static_cast<LoopPrivate &>(*core));
    const auto self = Ref<TaskStateBase>::share(this);
    run(*core);
    task_flags &= ~Eager;
    if (state() == Finished && has_exception() && leaves_loop(peek_exception()))
        std::rethrow_exception(peek_exception()); // nobody has retrieved it from the task
}

// Steps

void TaskStateBase::run(LoopCore &loop_core) noexcept
{
    flags &= ~Queued;
    if (Q_UNLIKELY(flags & (Doomed | OnStack))) {
        // The task is suspending, and cancels what it is about to wait for; that has opened an
        // event loop.
        if (!(flags & Doomed)) {
            task_flags |= StepWaits;
            return;
        }
        if (done()) // unwound while it was queued: the reference of the loop's list was left to us
            release();
        return; // else its frames are being destroyed, or will be
    }
    PromiseBase *const frame = m_frame;
    m_suspended_at = nullptr;
    if (!(flags & Started)) {
        flags |= Started;
        if (flags & MustCancel) // cancelled before it began: it never does (T-024)
            return complete();
    }
    TaskStateBase *outer_task = std::exchange(loop_core.current_task, this);
    ContextState **outer_slot = std::exchange(loop_core.thread->context_slot, &context);
    flags |= OnStack;
    frame_of(*frame).resume();
#if !QASYNCIO_TAIL_CALLS
#  error "the library itself must be built with tail calls: g++ without sanitizers, or clang"
#endif
    while (loop_core.next_frame)
        std::exchange(loop_core.next_frame, nullptr).resume();
    flags &= ~OnStack;
    loop_core.thread->context_slot = outer_slot;
    loop_core.current_task = outer_task;
    if (flags & BodyDone)
        complete();
    else if (Q_UNLIKELY(flags & UnwindPending))
        unwind_what_waited();
    else if (Q_UNLIKELY(task_flags & StepWaits))
        take_step_that_waited();
}

void TaskStateBase::take_step_that_waited()
{
    task_flags &= ~StepWaits;
    if (!(flags & Queued))
        schedule();
}

void TaskStateBase::suspend_failed()
{
    if (!is_queued()) {
        m_suspended_at = nullptr;
        throw;
    }
    core->report_callback_exception(*this, std::current_exception());
}

void TaskStateBase::complete()
{
    const auto self = Ref<TaskStateBase>::adopt(this); // the reference of the loop's list
    leave_registry(); // first: the frames may own the context object
    std::exception_ptr exception;
    // Counts as on the stack until its frames are destroyed: moving the result may unwind this task
    // with others.
    flags |= OnStack;
    if (flags & BodyDone)
        exception = take_result();
    destroy_frames(); // only the outermost one is left
    set_outcome(std::move(exception));
    if (Q_UNLIKELY(flags & UnwindPending))
        unwind_what_waited();
}

void TaskStateBase::set_outcome(std::exception_ptr exception)
{
    if (exception) {
        finish_with_exception(std::move(exception));
    } else if (take_must_cancel()) { // although it has returned since (T-025)
        const QString message = m_extra ? m_extra->cancel_message : QString();
        FutureStateBase::cancel(message);
    } else {
        finish(Finished, nullptr);
    }
}

void TaskStateBase::finish_with_exception(std::exception_ptr exception)
{
    const ExceptionKind kind = kind_of(exception);
    if (kind.value == ExceptionKind::Cancellation) {
        FutureStateBase::cancel(kind.message);
        return;
    }
    set_exception(exception);
    if (kind.leaves_loop() && !(task_flags & Eager)) // else create_task() throws it
        core->leave_with(std::move(exception));
}

void TaskStateBase::leave_registry()
{
    static_cast<LoopPrivate &>(*core).unlink_task(*this);
    if (Q_UNLIKELY(family()))
        leave_family();
}

/// Not inlined, and neither is unwind_what_waited(): the end of every task, most of which need
/// neither, took 3 % longer.
Q_NEVER_INLINE void TaskStateBase::leave_family()
{
    if (Q_UNLIKELY(flags & UnwindPending))
        bequeath();
    m_extra->family->remove(*this);
}

/// The task ends without suspending again. What is left of its family, also tasks that were started
/// after the owner's end, is to be unwound after it.
void TaskStateBase::bequeath()
{
    const TaskFamily &family = *m_extra->family;
    TaskStateBase *const heir = family.is_headed_by(*this) ? m_extra->younger : family.oldest();
    if (!heir || !family.is_ending())
        return;
    try {
        m_extra->to_be_unwound.push_back(Ref<FutureStateBase>::share(heir));
    } catch (const std::bad_alloc &) { // closing the loop unwinds them
    }
}

void TaskStateBase::future_done(FutureStateBase &)
{
    schedule();
}

FutureStateBase *TaskStateBase::waiting_future()
{
    return this;
}

void TaskStateBase::discard() noexcept
{
    // The loop is being closed and has unwound all tasks. If this one was queued, the reference of
    // the loop's list was left to us.
    flags &= ~Queued;
    if (done())
        release();
}

// Cancellation

bool TaskStateBase::cancel(const QString &message)
{
    TaskStateBase *last = request_cancellation();
    if (last)
        last->deliver_cancellation(message);
    return last;
}

TaskStateBase *TaskStateBase::request_cancellation()
{
    check_thread();
    flags &= ~LogException;
    if (done())
        return nullptr;
    // The request goes to the task that this one awaits, and on to the end of the chain (T-030). No
    // recursion: the chain may be long.
    TaskStateBase *last = this;
    for (;;) {
        ++last->m_cancel_requests;
        last->flags |= InCancel;
        TaskStateBase *next = last->awaited_task();
        if (!next || next->flags & InCancel)
            break;
        last = next;
    }
    for (TaskStateBase *task = this; task && task->flags & InCancel; task = task->awaited_task())
        task->flags &= ~InCancel;
    return last;
}

void TaskStateBase::deliver_cancellation(const QString &message)
{
    if (TaskStateBase *const awaited = awaited_task()) // they await each other in a circle
        give_up_waiting(*awaited);
    else if (m_suspended_at && !is_queued() && !(flags & (Doomed | OnStack)))
        return ask_awaiter_to_stop(message);
    note_cancellation(message);
}

void TaskStateBase::ask_awaiter_to_stop(const QString &message)
{
    // The awaiter may run code of the program. The task counts as on the stack meanwhile, so that
    // it neither goes on nor is unwound before the awaiter has returned.
    const auto self = Ref<TaskStateBase>::share(this);
    std::exception_ptr failure;
    flags |= OnStack;
    try {
        if (!m_suspended_at->await_cancel(message))
            note_cancellation(message);
    } catch (...) {
        failure = std::current_exception();
        note_cancellation(message);
    }
    flags &= ~OnStack;
    if (Q_UNLIKELY(flags & UnwindPending))
        unwind_what_waited();
    else if (Q_UNLIKELY(task_flags & StepWaits))
        take_step_that_waited();
    if (failure)
        std::rethrow_exception(std::move(failure));
}

void TaskStateBase::note_cancellation(const QString &message)
{
    flags |= MustCancel;
    keep_message(&TaskExtra::cancel_message, message);
}

void TaskStateBase::note_cancelled_wait(const QString &message)
{
    flags |= WaitCancelled;
    keep_message(&TaskExtra::wait_message, message);
}

QString TaskStateBase::take_cancelled_wait() noexcept
{
    const bool has_ended_the_wait = flags & WaitCancelled; // it is thrown before a later request
    flags &= ~(MustCancel | WaitCancelled);
    if (!m_extra)
        return QString();
    return has_ended_the_wait ? std::exchange(m_extra->wait_message, {}) : m_extra->cancel_message;
}

void TaskStateBase::keep_message(QString TaskExtra::*place, const QString &message)
{
    try {
        if (!message.isNull() || m_extra)
            extra().*place = message;
    } catch (const std::bad_alloc &) { // the request counts even without its message
    }
}

FutureStateBase *TaskStateBase::awaited_future() const
{
    return m_suspended_at ? m_suspended_at->awaited_future() : nullptr;
}

TaskStateBase *TaskStateBase::awaited_task() const
{
    FutureStateBase *const future = is_queued() ? nullptr : awaited_future();
    return future && future->is_task() && !future->done() ? static_cast<TaskStateBase *>(future)
                                                          : nullptr;
}

void TaskStateBase::give_up_waiting(TaskStateBase &awaited)
{
    awaited.remove_callback(this);
    schedule();
}

int TaskStateBase::uncancel()
{
    if (m_cancel_requests > 0 && --m_cancel_requests == 0)
        flags &= ~MustCancel;
    return m_cancel_requests;
}

void TaskStateBase::forward_cancel()
{
    const QString message = m_extra ? m_extra->cancel_message : QString();
    if (is_queued())
        return;
    flags &= ~MustCancel;
    try {
        if (!m_suspended_at->await_cancel(message))
            flags |= MustCancel;
    } catch (...) { // the await throws it, and the awaiter goes
        m_suspended_at = nullptr;
        flags |= MustCancel;
        throw;
    }
}

void TaskStateBase::throw_cancelled_error(const QString &message)
{
    throw CancelledError(message);
}

void TaskStateBase::throw_await_error(const FutureStateBase &awaited)
{
    const bool itself = flags & AwaitsItself;
    forget_refusal();
    if (take_must_cancel())
        throw_cancelled_error(cancel_message());
    if (itself)
        throw RuntimeError(QStringLiteral("Task cannot await on itself: %1").arg(describe()));
    // Nothing but its type may be looked at: it may belong to another thread.
    throw RuntimeError(QStringLiteral("Task %1 got Future <%2> attached to a different loop")
                           .arg(describe(), awaited.type_name()));
}

// Unwinding

void TaskStateBase::join(TaskFamily &family)
{
    extra().begun_by = core->current_task ? core->current_task->m_number : 0;
    family.add(*this);
}

void TaskStateBase::unwind()
{
    if (done())
        return;
    std::vector<Ref<TaskStateBase>> tasks;
    try {
        tasks.push_back(Ref<TaskStateBase>::share(this));
        tasks = with_descendants(tasks);
    } catch (const std::bad_alloc &) {
        return unwind_without_memory();
    }
    unwind_in_order(tasks);
}

void TaskStateBase::unwind_together(const std::vector<Ref<TaskStateBase>> &tasks)
{
    std::vector<Ref<TaskStateBase>> all;
    try {
        all = with_descendants(tasks);
    } catch (const std::bad_alloc &) {
        for (auto task = tasks.rbegin(); task != tasks.rend(); ++task)
            (*task)->unwind_without_memory();
        return;
    }
    unwind_in_order(all);
}

void TaskStateBase::unwind_in_order(const std::vector<Ref<TaskStateBase>> &tasks)
{
    // A destructor may open an event loop; none of these may go on in it.
    for (const Ref<TaskStateBase> &task : tasks)
        task->flags |= Doomed;
    for (std::size_t i = tasks.size(); i-- > 0;) {
        if (tasks[i]->done())
            continue;
        // The executed task waits, and so do the older ones, whose locals it may use.
        if (TaskStateBase *executed = tasks[i]->executed_before_it())
            return executed->unwind_later(tasks, i + 1);
        tasks[i]->unwind_alone();
    }
}

/// The task that is being executed and may use this one's locals: this one itself, one that it
/// awaits, or one that it has started and that is to be unwound as well. Null if there is none.
TaskStateBase *TaskStateBase::executed_before_it()
{
    if (flags & OnStack)
        return this;
    TaskStateBase *const current = core->current_task;
    if (current && current->flags & UnwindPending && current->m_extra
        && current->m_extra->begun_by == m_number)
        return current;
    TaskStateBase *const awaited = awaited_task();
    return awaited && awaited->flags & OnStack ? awaited : nullptr;
}

/// Unwinds the first `count` of `tasks` as soon as this one has left the stack.
void TaskStateBase::unwind_later(const std::vector<Ref<TaskStateBase>> &tasks, std::size_t count)
{
    flags |= UnwindPending;
    try {
        std::vector<Ref<FutureStateBase>> &all = extra().to_be_unwound;
        all.reserve(all.size() + count);
        for (std::size_t i = 0; i < count; ++i)
            all.push_back(Ref<FutureStateBase>::share(tasks[i].get()));
    } catch (const std::bad_alloc &) {
        // Then only this one and its family are unwound; closing the loop unwinds the rest.
    }
}

void TaskStateBase::unwind_without_memory()
{
    if (done())
        return;
    // Descendants are not looked for: those in groups end when the frames with the groups are
    // destroyed.
    const TaskFamily *const family = this->family();
    if (!family || !(family->is_ending() || family->is_headed_by(*this))) {
        if (flags & OnStack)
            flags |= Doomed | UnwindPending;
        else
            unwind_alone();
        return;
    }
    family->doom();
    const Ref<TaskStateBase> oldest = Ref<TaskStateBase>::share(family->oldest());
    while (oldest->family() == family) {
        TaskStateBase *const task = family->youngest_to_unwind();
        if (!task)
            return;
        task->unwind_alone();
    }
}

std::vector<Ref<TaskStateBase>> TaskStateBase::with_descendants(
    const std::vector<Ref<TaskStateBase>> &seeds)
{
    std::vector<Ref<TaskStateBase>> tasks;
    std::unordered_set<const void *> known; // tasks and families
    const auto add = [&](const Ref<TaskStateBase> &task) {
        if (known.insert(task.get()).second)
            tasks.push_back(task);
    };
    // A family whose owner is gone, or whose first task ends, ends as a whole.
    const auto add_with_family = [&](const Ref<TaskStateBase> &task) {
        const TaskFamily *family = task->family();
        if (!family || !(family->is_ending() || family->is_headed_by(*task)))
            return add(task);
        if (!known.insert(family).second)
            return;
        std::vector<Ref<TaskStateBase>> members;
        family->append_to(members);
        std::for_each(members.begin(), members.end(), add);
    };
    std::for_each(seeds.begin(), seeds.end(), add_with_family);
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        std::vector<TaskGroup *> groups;
        for (TaskGroup *group = tasks[i]->m_extra ? tasks[i]->m_extra->innermost_group : nullptr;
             group; group = group->m_outer)
            groups.push_back(group);
        std::vector<Ref<TaskStateBase>> children;
        for (auto group = groups.rbegin(); group != groups.rend(); ++group)
            (*group)->collect_tasks(children);
        std::for_each(children.begin(), children.end(), add_with_family);
    }
    // A task that uses another one's locals is younger than that one. Tasks are unwound from the
    // end of the list, so it goes first.
    std::sort(tasks.begin(), tasks.end(),
              [](const auto &a, const auto &b) { return a->m_number < b->m_number; });
    return tasks;
}

Q_NEVER_INLINE void TaskStateBase::unwind_what_waited()
{
    flags &= ~UnwindPending;
    if (!m_extra || m_extra->to_be_unwound.empty())
        return unwind();
    const std::vector<Ref<FutureStateBase>> waiting = std::exchange(m_extra->to_be_unwound, {});
    const auto task_of = [](const Ref<FutureStateBase> &state) {
        return static_cast<TaskStateBase *>(state.get());
    };
    std::vector<Ref<TaskStateBase>> tasks;
    try {
        tasks.reserve(waiting.size());
    } catch (const std::bad_alloc &) {
        std::for_each(waiting.rbegin(), waiting.rend(),
                      [&](const auto &task) { task_of(task)->unwind_without_memory(); });
        return;
    }
    for (const Ref<FutureStateBase> &task : waiting) {
        if (!task->done())
            tasks.push_back(Ref<TaskStateBase>::share(task_of(task)));
    }
    unwind_together(tasks);
}

void TaskStateBase::leave_group(TaskGroup *group)
{
    // Nearly always the innermost one. Not if a generator keeps another one open between two
    // values.
    for (TaskGroup **place = &extra().innermost_group; *place; place = &(*place)->m_outer) {
        if (*place == group) {
            *place = group->m_outer;
            return;
        }
    }
}

void TaskStateBase::unwind_alone()
{
    const auto self = Ref<TaskStateBase>::share(this);
    flags |= Doomed;
    if (TaskFamily *family = this->family(); Q_UNLIKELY(family) && family->is_ending())
        family->leave_owner(); // the owner does not count it any more
    leave_registry();
    // Tasks that destructors start have no parent.
    TaskStateBase *outer_task = std::exchange(core->current_task, nullptr);
    destroy_frames();
    core->current_task = outer_task;
    if (!(flags & Queued)) // else run() or discard() drops the reference of the loop's list
        release();
    FutureStateBase::cancel(QString());
    static_cast<LoopPrivate &>(*core).end_drain_if_empty();
    if (Q_UNLIKELY(flags & UnwindPending))
        unwind_what_waited();
}

void TaskStateBase::destroy_frames() noexcept
{
    // Counts as being on the stack: a destructor may delete the context object of this task, which
    // must not unwind it now.
    flags |= OnStack;
    ++core->thread->unwinding;
    // Innermost first, in a loop: a chain of any length needs no stack.
    PromiseBase *frame = innermost_frame();
    m_frame = nullptr;
    m_suspended_at = nullptr; // it dies with the innermost frame
    while (frame) {
        FrameLink *link = frame->link;
        PromiseBase *parent = link ? link->parent : nullptr;
        if (link)
            link->child = nullptr; // the awaiter in the parent's frame owned it
        frame_of(*frame).destroy();
        frame = parent;
    }
    --core->thread->unwinding;
    flags &= ~OnStack;
}

void TaskStateBase::destroy_pending() noexcept
{
    const auto self = Ref<TaskStateBase>::share(this);
    const bool log = flags & LogDestroyed;
    const QString description = log ? describe() : QString();
    try {
        unwind();
    } catch (const RuntimeError &) {
        // The loop is closed: callbacks of this task are dropped without a report.
    }
    if (!log)
        return;
    ExceptionContext report;
    report.message = QStringLiteral("Task was destroyed but it is pending!\ntask: %1")
                         .arg(description);
    static_cast<LoopPrivate &>(*core).report(report);
}

// Names

TaskExtra &TaskStateBase::extra()
{
    if (!m_extra)
        m_extra = std::make_unique<TaskExtra>();
    return *m_extra;
}

QString TaskStateBase::name() const
{
    return m_extra && !m_extra->name.isNull() ? m_extra->name
                                              : QStringLiteral("Task-%1").arg(m_number);
}

void TaskStateBase::set_name(const QString &name)
{
    extra().name = name.isNull() ? QStringLiteral("") : name;
}

Context context_of(TaskStateBase &task)
{
    if (!task.context) // it was empty so far, and nobody had looked at it
        task.context = new ContextState;
    return ContextAccess::wrap(Ref<ContextState>::share(task.context));
}

std::source_location TaskStateBase::site() const
{
    std::source_location outermost;
    for (const PromiseBase *frame = m_frame; frame;
         frame = frame->link ? frame->link->parent : nullptr) {
        if (frame->site.line() != 0) // else it is a wrapper
            outermost = frame->site;
    }
    return outermost;
}

QString TaskStateBase::type_name() const
{
    return QStringLiteral("Task");
}

QString TaskStateBase::waits_for() const
{
    const FutureStateBase *const future = awaited_future();
    const bool has_given_up = future && !future->done() && is_queued(); // see give_up_waiting()
    return m_suspended_at && !has_given_up ? m_suspended_at->await_description() : QString();
}

QString TaskStateBase::describe_wait() const
{
    return QStringLiteral("Task '%1'").arg(name());
}

QString TaskStateBase::describe() const
{
    QString text = describe_without_wait();
    const QString awaited = waits_for();
    if (awaited.isEmpty())
        return text;
    text.chop(1);
    const bool has_brackets = awaited.startsWith(u'<');
    return text
        + (has_brackets ? QStringLiteral(" wait_for=%1>") : QStringLiteral(" wait_for=<%1>>"))
              .arg(awaited);
}

QString TaskStateBase::describe_without_wait() const
{
    QString text = QStringLiteral("<Task ");
    if (!done())
        text += m_cancel_requests > 0 ? QStringLiteral("cancelling") : QStringLiteral("pending");
    else
        text += state() == Cancelled ? QStringLiteral("cancelled") : QStringLiteral("finished");
    text += QStringLiteral(" name='%1'").arg(name());
    if (const std::source_location coroutine = site(); coroutine.line() != 0) {
        text += QStringLiteral(" coro=<%1() at %2:%3>")
                    .arg(function_name(coroutine), QString::fromUtf8(coroutine.file_name()))
                    .arg(coroutine.line());
    }
    if (has_exception() && state() == Finished)
        text += QStringLiteral(" exception=") + QAsyncio::describe(peek_exception());
    return text + u'>';
}

} // namespace detail
} // namespace QAsyncio
