// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/task_scope.h"

#include "qasyncio/detail/run_there.h"
#include "qasyncio/detail/task_family.h"
#include "qasyncio/wait.h"

#include "loop/logging.h"
#include "loop/loop_p.h"

namespace QAsyncio {

namespace detail {

class ScopeOwner final : public TaskOwner
{
public:
    ~ScopeOwner() override
    {
        if (m_all_ended && !m_all_ended.done() && !FutureAccess::state(m_all_ended)->core->has(LoopCore::Closed))
            m_all_ended.cancel();
    }
    Future<> all_ended(QAsyncioLoop &loop)
    {
        if (size() == 0) {
            Future<> at_once = loop.create_future<void>();
            at_once.set_result();
            return at_once;
        }
        if (!m_all_ended || m_all_ended.done())
            m_all_ended = loop.create_future<void>();
        return m_all_ended;
    }

private:
    void became_empty() override
    {
        if (m_all_ended && !m_all_ended.done() && !FutureAccess::state(m_all_ended)->core->has(LoopCore::Closed))
            m_all_ended.set_result();
    }

    Future<> m_all_ended;
};

} // namespace detail

using namespace detail;

TaskScope::TaskScope() : d(std::make_unique<ScopeOwner>()) { }

TaskScope::~TaskScope()
{
    if (LoopCore *core = d->core(); core && !core->in_own_thread()) {
        qCCritical(logCategory).noquote() << to_string() << "is destroyed in another thread than that of its loop";
        run_there(*core, [owner = std::shared_ptr<ScopeOwner>(std::move(d))] { owner->unwind_all("its scope"); });
        return;
    }
    d->unwind_all("its scope");
}

TaskOptions TaskScope::owned(const TaskOptions &options) const
{
    if (options.m_detached)
        throw ValueError(QStringLiteral("TaskScope.create_task: a task of a scope cannot be detached"));
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
    for (const Ref<TaskStateBase> &task : d->members()) { // the older ones, which await others, first
        if (!task->done() && task->cancelling() == 0 && !task->is_child())
            task->cancel(message);
    }
}

Future<> TaskScope::all_ended()
{
    return d->all_ended(get_running_loop());
}

Coroutine<> TaskScope::cancel_and_wait()
{
    for (const Ref<TaskStateBase> &task : d->members()) {
        if (task.get() == get_running_loop().core().current_task)
            throw RuntimeError(QStringLiteral("cancel_and_wait(): a task of the scope would wait for itself"));
    }
    std::size_t cancelled = 0; // of all that have joined
    while (d->size() > 0) {
        const auto left = d->members();
        for (const Ref<TaskStateBase> &task : left) {
            if (std::exchange(cancelled, d->joined()) != d->joined()) // some have begun others meanwhile
                cancel();
            if (task->done())
                continue;
            std::vector<AnyFuture> one(1, FutureAccess::wrap<AnyFuture>(Ref<FutureStateBase>::share(task.get())));
            co_await wait_until(std::move(one), WaitOptions());
        }
    }
}

QString TaskScope::to_string() const
{
    return QStringLiteral("<TaskScope tasks=%1>").arg(d ? d->size() : 0);
}

} // namespace QAsyncio
