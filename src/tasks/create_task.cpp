// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/loop.h"

#include "loop/loop_p.h"
#include "tasks/object_owner.h"

#include <QtCore/qthread.h>

namespace QAsyncio {

using namespace detail;

void QAsyncioLoop::check_context_object(const TaskOptions &options)
{
    const QObject *object = options.m_object;
    if (options.m_detached)
        throw ValueError(QStringLiteral("create_task: a detached task has no context object"));
    if (!object)
        throw ValueError(QStringLiteral("create_task: the context object is null"));
    if (object->thread() != QThread::currentThread())
        throw ValueError(QStringLiteral("create_task: the context object lives in another thread"));
}

void QAsyncioLoop::set_task_factory(TaskFactory factory)
{
    m_core->has_task_factory = static_cast<bool>(factory);
    LoopPrivate::of(*this).task_factory = std::move(factory);
}

const QAsyncioLoop::TaskFactory &QAsyncioLoop::get_task_factory() const
{
    return LoopPrivate::of(*this).task_factory;
}

void QAsyncioLoop::give_owner(TaskStateBase &task, const TaskOptions &options)
{
    TaskStateBase *parent = options.m_parent ? options.m_parent : task.core->current_task;
    task.prepare_to_join(); // what may fail comes first
    TaskOwner &owner = options.m_owner
        ? *options.m_owner
        : ObjectOwner::of(static_cast<LoopPrivate &>(*task.core), *options.m_object);
    task.join(owner.family_for(parent));
}

void QAsyncioLoop::start_task(TaskStateBase &task, const TaskOptions &options)
{
    try {
        const CallbackContext context = options.m_context ? CallbackContext(*options.m_context)
                                                          : CallbackContext();
        task.context = context.take(*m_core->thread->context_slot);
        if (!options.m_name.isNull())
            task.set_name(options.m_name);
        if (Q_UNLIKELY(options.m_object || options.m_owner))
            give_owner(task, options);
        else if (const TaskStateBase *parent = options.m_parent ? options.m_parent
                                                                : m_core->current_task;
                 parent && Q_UNLIKELY(parent->family()) && !options.m_detached)
            task.join(*parent->family());
    } catch (...) { // no memory
        task.never_start();
        throw;
    }
    if (Q_UNLIKELY(options.m_eager) && thread_data().running == this)
        task.start_eagerly();
    else
        task.start();
}

void QAsyncioLoop::mark_implicit(const AnyFuture &task)
{
    FutureAccess::state(task)->die_in_silence();
}

std::vector<AnyTask> QAsyncioLoop::all_tasks() const
{
    std::vector<AnyTask> tasks;
    for (TaskStateBase *task = LoopPrivate::of(*this).first_task; task; task = task->next)
        tasks.push_back(FutureAccess::wrap<AnyTask>(Ref<TaskStateBase>::share(task)));
    return tasks;
}

AnyTask QAsyncioLoop::current_task() const
{
    return FutureAccess::wrap<AnyTask>(Ref<TaskStateBase>::share(m_core->current_task));
}

AnyTask current_task()
{
    return get_running_loop().current_task();
}

std::vector<AnyTask> all_tasks()
{
    return get_running_loop().all_tasks();
}

void LoopPrivate::link_task(TaskStateBase &task)
{
    if (m_closing) // made by a destructor while the loop is being closed: not reported
        task.die_in_silence();
    task.previous = last_task;
    (last_task ? last_task->next : first_task) = &task;
    last_task = &task;
}

void LoopPrivate::unlink_task(TaskStateBase &task)
{
    (task.previous ? task.previous->next : first_task) = task.next;
    (task.next ? task.next->previous : last_task) = task.previous;
    task.previous = task.next = nullptr;
}

} // namespace QAsyncio
