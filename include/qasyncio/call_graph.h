// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/task.h"

#include <cstdio>
#include <optional>
#include <source_location>
#include <vector>

namespace QAsyncio {

/// One line of the call stack of a task: a coroutine, and where in it the task is.
class QASYNCIO_EXPORT FrameCallGraphEntry
{
public:
    FrameCallGraphEntry(const std::source_location &place, bool is_coroutine)
        : m_place(place), m_is_coroutine(is_coroutine)
    { }

    /// File and line of the await at which the coroutine is suspended; for the innermost one of the
    /// running task, of the call of capture_call_graph(). Of a coroutine that has not begun, where
    /// it is written.
    const std::source_location &place() const { return m_place; }
    /// "load", "Window::load"
    QString function() const;
    /// False for a plain function that has called capture_call_graph().
    bool is_coroutine() const { return m_is_coroutine; }
    /// "File 'page.cpp', line 12, in async load()"
    QString to_string() const;

private:
    std::source_location m_place;
    bool m_is_coroutine;
};

/// What capture_call_graph() gives: a future, where its coroutines are if it is a task, and the
/// tasks that wait for it, each with the same about itself.
struct QASYNCIO_EXPORT FutureCallGraph
{
    AnyFuture future;
    /// The innermost one first. Empty for a future that is no task.
    std::vector<FrameCallGraphEntry> call_stack;
    /// The tasks that await this future: by themselves, or by gather(), wait(), as_completed(),
    /// race(), shield() or a task group.
    std::vector<FutureCallGraph> awaited_by;
    /// `awaited_by` is left out: the graph has this future at another place already (perhaps the
    /// tasks wait for each other in a circle), or it is too deep.
    bool is_cut = false;

    /// What format_call_graph() gives.
    QString to_string() const;
};

/// Options for the functions below:
///
///     print_call_graph(CallGraphOptions().limit(3).file(stderr));
class CallGraphOptions
{
public:
    CallGraphOptions() { }
    /// Leaves out the first `depth - 1` entries of the stack of the running task: 2 hides the
    /// function that calls, and so on.
    CallGraphOptions &depth(int depth)
    {
        m_depth = depth;
        return *this;
    }
    /// Keeps that many entries of each stack: of the innermost ones, if the number is positive, of
    /// the outermost ones, if it is negative, and none, if it is 0.
    CallGraphOptions &limit(int limit)
    {
        m_limit = limit;
        return *this;
    }
    /// Where print_call_graph() prints to, instead of stdout.
    CallGraphOptions &file(std::FILE *file)
    {
        m_file = file;
        return *this;
    }

    /// What was set with the functions above.
    int get_depth() const { return m_depth; }
    std::optional<int> get_limit() const { return m_limit; }
    std::FILE *get_file() const { return m_file; }

private:
    int m_depth = 1;
    std::optional<int> m_limit;
    std::FILE *m_file = stdout;
};

/// The call graph of the running task: its coroutines, the tasks that wait for it, those that wait
/// for these, and so on. Nothing outside of a task.
///
/// A task that is reached in more than one way is followed once; there are at most a hundred
/// levels. Throws RuntimeError if no loop runs in this thread. `caller` is not to be passed.
/// Thread: the loop's.
/// \sa https://docs.python.org/3/library/asyncio-graph.html#asyncio.capture_call_graph
QASYNCIO_EXPORT std::optional<FutureCallGraph> capture_call_graph(
    const CallGraphOptions &options = CallGraphOptions(),
    std::source_location caller = std::source_location::current());
/// The same for another task or future; no loop has to run. Throws TypeError for an empty handle.
QASYNCIO_EXPORT std::optional<FutureCallGraph> capture_call_graph(
    const AnyFuture &future, const CallGraphOptions &options = CallGraphOptions(),
    std::source_location caller = std::source_location::current());

/// The same as text; empty outside of a task.
///
///     * Task(name='child', id=0x55d0c8a0b5e0)
///       + Call stack:
///       |   File 'page.cpp', line 12, in async load()
///       + Awaited by:
///         * Task(name='Task-1', id=0x55d0c8a0b4c0)
///           + Call stack:
///           |   File 'main.cpp', line 40, in async main_task()
///
/// \sa https://docs.python.org/3/library/asyncio-graph.html#asyncio.format_call_graph
QASYNCIO_EXPORT QString
format_call_graph(const CallGraphOptions &options = CallGraphOptions(),
                  std::source_location caller = std::source_location::current());
/// The same for another task or future.
QASYNCIO_EXPORT QString
format_call_graph(const AnyFuture &future, const CallGraphOptions &options = CallGraphOptions(),
                  std::source_location caller = std::source_location::current());
/// Prints that text, with a newline.
/// \sa https://docs.python.org/3/library/asyncio-graph.html#asyncio.print_call_graph
QASYNCIO_EXPORT void print_call_graph(
    const CallGraphOptions &options = CallGraphOptions(),
    std::source_location caller = std::source_location::current());
/// The same for another task or future.
QASYNCIO_EXPORT void print_call_graph(
    const AnyFuture &future, const CallGraphOptions &options = CallGraphOptions(),
    std::source_location caller = std::source_location::current());

} // namespace QAsyncio
