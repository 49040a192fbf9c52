// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/task_group.h"

#include "base/exception_kind.h"
#include "loop/loop_p.h"
#include "tasks/done_watch.h"

#include <algorithm>

namespace QAsyncio {

namespace detail {

/// A task of a group. Owned by the task's list of callbacks; tells the group, if that still exists,
/// that the task is done.
class GroupChild final : public DoneWatch
{
public:
    GroupChild(TaskGroup &group, TaskStateBase &task)
        : task(Ref<TaskStateBase>::share(&task)), previous(group.m_last), m_group(&group)
    {
        (previous ? previous->next : group.m_first) = this;
        group.m_last = this;
        ++group.m_count;
    }
    ~GroupChild() override { unlink(); }

    /// Leaves the list of the group. Returns the group; null if it was left before.
    TaskGroup *unlink()
    {
        TaskGroup *const group = std::exchange(m_group, nullptr);
        if (!group)
            return nullptr;
        if (group->m_next_to_cancel == this)
            group->m_next_to_cancel = next;
        (previous ? previous->next : group->m_first) = next;
        (next ? next->previous : group->m_last) = previous;
        --group->m_count;
        return group;
    }

    FutureStateBase *waiting_future() override
    {
        return m_group ? m_group->m_parent.get() : nullptr;
    }

    const Ref<TaskStateBase> task;
    GroupChild *previous;
    GroupChild *next = nullptr;

private:
    void heard() noexcept override
    {
        if (TaskGroup *group = unlink())
            group->child_done(*task);
    }

    TaskGroup *m_group;
};

} // namespace detail

using namespace detail;

namespace {
bool is_generator_exit(const std::exception_ptr &exception)
{
    try {
        std::rethrow_exception(exception);
    } catch (const GeneratorExit &) {
        return true;
    } catch (...) {
        return false;
    }
}
} // namespace

static Ref<TaskStateBase> parent_of_group()
{
    TaskStateBase *const task = get_running_loop().core().current_task;
    if (!task) // another loop has taken the place of its own, under a dialog of the task
        throw RuntimeError(QStringLiteral("TaskGroup cannot determine the parent task"));
    return Ref<TaskStateBase>::share(task);
}

TaskGroup::TaskGroup() : m_parent(parent_of_group()), m_outer(m_parent->enter_group(this)) { }

TaskGroup::~TaskGroup()
{
    m_parent->leave_group(this);
    for (Watch *watch = m_watch; watch; watch = watch->m_outer)
        watch->m_group = nullptr;
    // There are children only if the frame is destroyed before the group was left. They may use its
    // locals, so they go first.
    while (GroupChild *child = m_last) {
        const Ref<TaskStateBase> task = child->task;
        child->unlink();
        task->unwind();
    }
    if (m_owes_uncancel) // there was no memory to leave the group
        m_parent->uncancel();
}

void TaskGroup::check_accepts() const
{
    m_parent->check_thread();
    const auto refuse = [this](const char *why) {
        throw RuntimeError(
            QStringLiteral("TaskGroup %1 is %2").arg(to_string(), QLatin1String(why)));
    };
    if (m_exiting && !m_first)
        refuse("finished");
    if (m_aborting)
        refuse("shutting down");
    if (!m_parent->core->loop) // destroyed under a dialog of this task
        refuse("without its event loop");
}

TaskOptions TaskGroup::heir(const TaskOptions &options) const
{
    TaskOptions heir = options;
    heir.m_parent = m_parent.get();
    return heir;
}

void TaskGroup::add(TaskGroup *group, const AnyTask &task)
{
    auto &state = static_cast<TaskStateBase &>(*FutureAccess::state(task));
    if (Q_LIKELY(group))
        group->add(state);
    else
        state.unwind();
}

void TaskGroup::add(TaskStateBase &state)
{
    if (Q_UNLIKELY(state.family()))
        state.enter_as_child(*m_parent);
    try {
        // Room for the error of this task and that of the body as well: child_done() cannot throw.
        const std::size_t errors = m_errors.size() + m_count + 2;
        if (m_errors.capacity() < errors)
            m_errors.reserve(std::max(errors, 2 * m_errors.capacity()));
        std::unique_ptr<GroupChild> child(new GroupChild(*this, state));
        if (!state.done())
            state.append_callback(child.get());
        GroupChild *const listed = child.release();
        if (state.done())
            listed->future_done(state); // reported in a turn of its own (TG-015)
    } catch (...) { // no memory: a task that the group does not know must not run
        state.unwind();
        throw;
    }
    if (m_aborting) // by the task itself in its first step: it has started eagerly
        state.cancel({});
}

void TaskGroup::child_done(TaskStateBase &task)
{
    if (!m_first && m_all_ended && !m_all_ended.done())
        m_all_ended.set_result();
    const std::exception_ptr exception = task.take_exception();
    if (!exception || task.state() == FutureStateBase::Cancelled)
        return;
    m_errors.push_back(exception);
    if (!m_leaving && leaves_loop(exception))
        m_leaving = exception;
    if (m_aborting || m_parent_cancelled)
        return;
    if (abort())
        cancel_parent();
}

bool TaskGroup::abort()
{
    m_aborting = true;
    const Watch watch(*this);
    m_next_to_cancel = m_first;
    while (GroupChild *const child = m_next_to_cancel) {
        // Moved on if that child leaves: cancelling a task may open an event loop.
        m_next_to_cancel = child->next;
        const Ref<TaskStateBase> task = child->task;
        if (!task->done())
            task->cancel({});
        if (Q_UNLIKELY(!watch.group()))
            return false;
    }
    return true;
}

void TaskGroup::cancel_parent()
{
    m_parent_cancelled = m_owes_uncancel = true;
    m_parent->cancel({});
}

void TaskGroup::cancel()
{
    m_parent->check_thread();
    if (!m_aborting && !abort())
        return;
    if (!m_parent_cancelled && !(m_exiting && !m_first))
        cancel_parent();
}

Coroutine<> TaskGroup::leave(std::exception_ptr exception)
{
    m_exiting = true;
    if (exception && leaves_loop(exception))
        m_leaving = exception;
    std::exception_ptr cancellation = is_cancellation(exception) ? exception : nullptr;
    if (exception && !m_aborting)
        abort();
    while (m_first) {
        // Not loop.create_future(): the loop may be gone.
        m_all_ended = make_named_future<void>(*m_parent->core, "the tasks of a TaskGroup");
        try {
            co_await m_all_ended;
        } catch (const CancelledError &) {
            m_interruption = std::current_exception();
            if (!m_aborting) { // cancelled from outside
                cancellation = m_interruption;
                abort();
            }
        }
        m_all_ended = {};
    }
    throw_outcome(exception, std::move(cancellation));
}

void TaskGroup::throw_outcome(const std::exception_ptr &exception, std::exception_ptr cancellation)
{
    const bool owes_uncancel = std::exchange(m_owes_uncancel, false);
    if (m_leaving)
        std::rethrow_exception(m_leaving);
    if (owes_uncancel) {
        if (m_parent->uncancel() == 0)
            cancellation = nullptr; // the cancellation was ours
        else if (m_interruption)
            cancellation = m_interruption; // from outside, while ours was under way (TG-017)
    }
    if (cancellation && m_errors.empty())
        std::rethrow_exception(cancellation);
    if (exception && m_errors.empty() && is_generator_exit(exception))
        std::rethrow_exception(exception); // so that a group in a generator closes with it (TG-019)
    if (exception && !is_cancellation(exception))
        m_errors.push_back(exception);
    if (m_errors.empty())
        return;
    // Cancels again, so that it takes effect at the next await, with the same count (TG-009).
    if (m_parent->cancelling() > 0) {
        m_parent->uncancel();
        m_parent->cancel({});
    }
    throw ExceptionGroup(QStringLiteral("unhandled errors in a TaskGroup"), m_errors);
}

void TaskGroup::collect_tasks(std::vector<Ref<TaskStateBase>> &tasks) const
{
    for (GroupChild *child = m_first; child; child = child->next)
        tasks.push_back(child->task);
}

QString TaskGroup::to_string() const
{
    QString text = QStringLiteral("<TaskGroup");
    if (m_count > 0)
        text += QStringLiteral(" tasks=%1").arg(m_count);
    if (!m_errors.empty())
        text += QStringLiteral(" errors=%1").arg(m_errors.size());
    return text + (m_aborting ? QStringLiteral(" cancelling>") : QStringLiteral(" entered>"));
}

} // namespace QAsyncio
