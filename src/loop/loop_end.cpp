// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
// How a loop ends: by close(), with its object, or because the application goes first.

#include "qasyncio/task_tree.h"

#include "base/logging.h"
#include "loop/loop_p.h"
#include "loop/signals.h"

#include <QtCore/qabstracteventdispatcher.h>
#include <QtCore/qcoreapplication.h>

#include <algorithm>
#include <mutex>

namespace QAsyncio::detail {

namespace {

/// The loops of the main thread, which the end of the application closes. Guarded by a mutex, since
/// loops of other threads look here too.
struct MainLoops
{
    std::mutex mutex;
    std::vector<LoopPrivate *> loops;
    bool routine_added = false;
};

MainLoops &main_loops()
{
    static MainLoops *const instance = new MainLoops; // outlives static destruction
    return *instance;
}

void close_main_loops()
{
    MainLoops &all = main_loops();
    std::vector<LoopPrivate *> loops;
    {
        const std::lock_guard lock(all.mutex);
        all.routine_added = false; // Qt forgets it once it has called it
        loops = all.loops;
    }
    for (LoopPrivate *loop : loops) {
        {
            const std::lock_guard lock(all.mutex);
            if (std::find(all.loops.begin(), all.loops.end(), loop) == all.loops.end())
                continue; // closing another one has closed it as well
        }
        loop->application_dies();
    }
}

} // namespace

void register_main_loop(LoopPrivate *loop)
{
    MainLoops &all = main_loops();
    const std::lock_guard lock(all.mutex);
    all.loops.push_back(loop);
    if (!std::exchange(all.routine_added, true))
        qAddPostRoutine(close_main_loops);
}

void unregister_main_loop(LoopPrivate *loop)
{
    MainLoops &all = main_loops();
    const std::lock_guard lock(all.mutex);
    std::erase(all.loops, loop);
}

void LoopPrivate::application_dies() noexcept
{
    ended_with_application = true;
    if (attached)
        detach();
    m_quit_judge.reset(); // its QEventLoopLocker refers to the application
    if (!is_on_stack())
        return close();
    // Qt's dispatcher is on the stack too, and would be destroyed with the application. It is kept
    // for the code that returns to it.
    static QObject *const keeper = new QObject; // outlives static destruction
    if (QAbstractEventDispatcher *dispatcher = QAbstractEventDispatcher::instance())
        dispatcher->setParent(keeper);
    // Otherwise an exec() on the stack, ours or the program's, would wait for ever.
    QCoreApplication::exit();
    close_later();
}

void LoopPrivate::close() noexcept
{
    if (has(Closed) || std::exchange(m_closing, true))
        return;
    const auto self = Ref<LoopCore>::share(this); // what is destroyed may own the loop
    unregister_main_loop(this);
    inbox.close_into(ready);
    fds.close();
    show_unfinished_tasks();
    close_listeners.tell(); // before the tasks go, which may wait for the threads that this ends
    discard_everything();
    close_listeners.tell();
    set(Closed, true);
    forget_signals(*this);
    close_executor();
    executor_shut_down = true;
    quit_requests = {};
    watchdog.reset();
    trace.reset();
    own_executor_idle = {};
    timer_source.reset();
    bridge.reset();
}

/// The reports of the tasks follow one by one; this shows who waits for whom. A program with an
/// exception handler of its own reports in its own way.
void LoopPrivate::show_unfinished_tasks() const noexcept
{
    bool any = false;
    for (const TaskStateBase *task = first_task; task && !any; task = task->next)
        any = !task->dies_in_silence();
    if (!any || !loop || exception_handler)
        return;
    try {
        qCWarning(logCategory).noquote() << "close() ends" << format_tasks(*loop);
    } catch (const std::bad_alloc &) {
    }
}

void LoopPrivate::discard_everything() noexcept
{
    // The loop is not marked as closed yet, so destructors may go on using it: what they schedule
    // is dropped with the rest, without a report. The rounds are limited, in case a destructor
    // schedules itself for ever.
    constexpr int most_rounds = 100;
    for (int round = 0; last_task || !timers.empty() || !ready.empty(); ++round) {
        if (round == most_rounds) {
            qCWarning(
                logCategory,
                "close(): destructors go on scheduling; what they have scheduled last is leaked");
            return;
        }
        destroy_tasks();
        timers.clear();
        for (std::size_t left = ready.size(); left > 0; --left)
            ready.pop()->discard();
    }
}

void LoopPrivate::destroy_tasks() noexcept
{
    std::vector<Ref<TaskStateBase>> tasks; // only those that exist now: destructors may make others
    try {
        for (TaskStateBase *task = last_task; task; task = task->previous) // youngest first
            tasks.push_back(Ref<TaskStateBase>::share(task));
    } catch (const std::bad_alloc &) { // those found so far go, the rest in the next round
    }
    if (tasks.empty() && last_task)
        return last_task->destroy_pending();
    for (const Ref<TaskStateBase> &task : tasks) {
        if (!task->done())
            task->destroy_pending();
    }
}

} // namespace QAsyncio::detail
