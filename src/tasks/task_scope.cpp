// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/task_scope.h"

#include "qasyncio/detail/task/task_family.h"
#include "qasyncio/detail/thread/message.h"

#include "base/logging.h"
#include "loop/announcement.h"
#include "loop/loop_p.h"

#include <algorithm>
#include <unordered_set>

namespace QAsyncio {

namespace detail {

/// The tasks of a TaskScope. Shared with coroutines that wait for them and may outlive the scope.
/// Belongs to the loop's thread.
class ScopeOwner final : public TaskOwner
{
public:
    ~ScopeOwner() override { m_all_ended.cancel(); }

    /// The scope is destroyed.
    void end() noexcept
    {
        unwind_all("its scope");
        m_all_ended.cancel();
        m_changed.announce();
    }

    /// Cancels each task once. Those that others await come last, and are left out if an awaiting
    /// task has passed its request on to them. Also left out are the tasks in groups of tasks that
    /// are cancelled now: the group cancels them.
    void cancel(const QString &message)
    {
        const quint32 asked = m_youngest_asked;
        const std::vector<Ref<TaskStateBase>> tasks = members_behind(asked);
        std::vector<int> requests(tasks.size());
        std::transform(tasks.begin(), tasks.end(), requests.begin(),
                       [](const auto &task) { return task->cancelling(); });
        std::unordered_set<const FutureStateBase *> awaited;
        for (const Ref<TaskStateBase> &task : tasks)
            awaited.insert(task->awaited_future());
        for (const Ref<TaskStateBase> &task : tasks)
            m_youngest_asked = std::max(m_youngest_asked, task->number());
        set_looked_at(); // not before: now there was memory for all of it
        for (const bool those_awaited : {false, true}) {
            // cancel() may destroy this: only locals from here on.
            for (std::size_t i = 0; i < tasks.size(); ++i) {
                if (awaited.contains(tasks[i].get()) == those_awaited && !tasks[i]->done()
                    && tasks[i]->parent_number() <= asked && tasks[i]->cancelling() == requests[i])
                    tasks[i]->cancel(message);
            }
        }
    }
    /// Done when a task joins, when none is left, or when the scope is destroyed.
    Future<> changed(QAsyncioLoop &loop) { return m_changed.future(loop); }
    Future<> all_ended(QAsyncioLoop &loop)
    {
        Future<> future = m_all_ended.future(loop);
        if (size() == 0)
            m_all_ended.announce();
        return future;
    }

private:
    void became_empty() override
    {
        m_changed.announce();
        m_all_ended.announce();
    }
    void has_joined() override { m_changed.announce(); }

    Announcement m_all_ended;
    Announcement m_changed;
    quint32 m_youngest_asked = 0; // the number of the youngest task that was cancelled
};

} // namespace detail

using namespace detail;

namespace {

/// The scope may be destroyed meanwhile, which ends its tasks.
Coroutine<> cancel_tasks_and_wait(std::shared_ptr<ScopeOwner> owner)
{
    for (const Ref<TaskStateBase> &task : owner->members()) {
        if (task.get() == get_running_loop().core().current_task)
            throw RuntimeError(
                QStringLiteral("cancel_and_wait(): a task of the scope would wait for itself"));
    }
    while (owner->size() > 0) {
        owner->cancel({});
        if (owner->size() > 0)
            co_await owner->changed(get_running_loop());
    }
}

} // namespace

TaskScope::TaskScope() : d(std::make_shared<ScopeOwner>()) { }

TaskScope::~TaskScope()
{
    if (LoopCore *core = d->core(); core && !core->in_own_thread()) {
        qCCritical(logCategory).noquote()
            << to_string() << "is destroyed in another thread than that of its loop";
        run_there(*core, [owner = std::move(d)] { owner->end(); });
        return;
    }
    d->end();
}

TaskOptions TaskScope::owned(const TaskOptions &options) const
{
    if (options.m_detached)
        throw ValueError(
            QStringLiteral("TaskScope.create_task: a task of a scope cannot be detached"));
    if (options.m_has_object) // also where a task factory would take it away
        throw ValueError(QStringLiteral(
            "create_task: a task of a TaskScope ends with that, and has no context object"));
    if (const LoopCore *core = d->core(); core && core != &get_running_loop().core())
        throw RuntimeError(QStringLiteral("%1 has tasks of another loop").arg(to_string()));
    TaskOptions mine = options;
    mine.m_owner = d.get();
    return mine;
}

std::size_t TaskScope::size() const
{
    return d->size();
}

void TaskScope::cancel(const QString &message)
{
    d->cancel(message);
}

Future<> TaskScope::all_ended()
{
    return d->all_ended(get_running_loop());
}

Coroutine<> TaskScope::cancel_and_wait()
{
    return cancel_tasks_and_wait(d);
}

QString TaskScope::to_string() const
{
    return QStringLiteral("<TaskScope tasks=%1>").arg(d ? d->size() : 0);
}

} // namespace QAsyncio
