// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/task.h"

#include <cstdio>
#include <source_location>
#include <vector>

namespace QAsyncio {

/// What an unfinished task does.
enum class TaskActivity {
    NotStarted, ///< its first line has not run yet
    Ready,      ///< what it waited for has come: it goes on in this turn or the next
    Running,    ///< a line of it is executed; perhaps it has opened a nested event loop
    Waiting,    ///< suspended
};

/// One task in the list that capture_tasks() gives.
struct QASYNCIO_EXPORT TaskInfo
{
    AnyTask task;
    QString name; ///< "Task-1"
    TaskActivity activity = TaskActivity::Waiting;
    bool is_cancelling = false; ///< its cancellation was requested
    /// What it waits for, in words: "lock held by Task 'sync'". Empty if it does not wait.
    QString waits_for;
    /// File and line of the await at which its innermost coroutine is suspended, or that this has
    /// reached last; coroutines of this library do not count, if there is another one. Of a task
    /// that has not started, where its coroutine function is written.
    std::source_location place;
    QString function; ///< of that coroutine: "load"
    int parent = -1;  ///< the place in the list of the task that waits for this one; -1: nobody
    int level = 0;    ///< how many tasks are above it in the tree
    /// More than one task waits for it, or they wait for each other in a circle: it stands in the
    /// list before this place, with the tasks that it waits for.
    bool is_repeated = false;

    /// "Task 'load' waits for timer in 2.500 s, at page.cpp:12 in load()"
    QString to_string() const;
};

/// The unfinished tasks of `loop` as a tree: below each task those that it waits for (as in the
/// graph of capture_call_graph()), oldest first. A task comes before those below it.
/// Thread: the loop's.
QASYNCIO_EXPORT std::vector<TaskInfo> capture_tasks(const QAsyncioLoop &loop);
/// The same as text, a task a line; at most a thousand of them.
///
///     3 unfinished tasks:
///     * Task 'main' waits for gather() of Task 'load', Task 'sync', at main.cpp:40 in main_task()
///         * Task 'load' waits for lock held by Task 'sync', at page.cpp:12 in load()
///         * Task 'sync' waits for timer in 2.500 s, at sync.cpp:5 in sync()
QASYNCIO_EXPORT QString format_tasks(const QAsyncioLoop &loop);
/// Prints that text, to stderr if no file is given. May be called while the loop is executing
/// something, as in a slot or a callback; not in a signal handler.
QASYNCIO_EXPORT void print_tasks(const QAsyncioLoop &loop, std::FILE *file = stderr);
/// The same for the running loop. Throws RuntimeError if no loop runs in this thread.
QASYNCIO_EXPORT void print_tasks(std::FILE *file = stderr);

} // namespace QAsyncio
