// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/call_graph.h"

#include "qasyncio/loop.h"

#include "introspection/awaited_by.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <unordered_set>

namespace QAsyncio {

using namespace detail;

QString FrameCallGraphEntry::function() const
{
    return function_name(m_place);
}

QString FrameCallGraphEntry::to_string() const
{
    return QStringLiteral("File '%1', line %2, in %3%4()")
        .arg(QString::fromUtf8(m_place.file_name()))
        .arg(m_place.line())
        .arg(m_is_coroutine ? QStringLiteral("async ") : QString(), function());
}

namespace {

constexpr int most_levels = 100;

/// Goes from a task to those that wait for it.
class Capture
{
public:
    explicit Capture(const CallGraphOptions &options) : m_options(options) { }

    /// `caller`: of the running task, where it is; null for others.
    FutureCallGraph graph_of(FutureStateBase &future, int level, const std::source_location *caller)
    {
        FutureCallGraph graph;
        graph.future = FutureAccess::wrap<AnyFuture>(Ref<FutureStateBase>::share(&future));
        if (future.is_task())
            graph.call_stack = stack_of(static_cast<TaskStateBase &>(future), caller);
        const bool is_new = m_followed.insert(&future).second;
        const std::vector<TaskStateBase *> waiting = tasks_waiting_for(future);
        graph.is_cut = !waiting.empty() && (!is_new || level == most_levels);
        if (graph.is_cut)
            return graph;
        for (TaskStateBase *task : waiting)
            graph.awaited_by.push_back(graph_of(*task, level + 1, nullptr));
        return graph;
    }

private:
    std::vector<FrameCallGraphEntry> stack_of(const TaskStateBase &task,
                                              const std::source_location *caller) const
    {
        std::vector<FrameCallGraphEntry> stack;
        if (m_options.get_limit() == 0)
            return stack;
        for (const std::source_location &place : places_of(task))
            stack.emplace_back(place, true);
        if (caller)
            add_caller(stack, *caller);
        limit(stack);
        return stack;
    }
    /// The innermost coroutine of the running task knows only the await that it has reached last.
    /// It is where it calls, or where it has called a function that does.
    void add_caller(std::vector<FrameCallGraphEntry> &stack,
                    const std::source_location &caller) const
    {
        const FrameCallGraphEntry entry(caller, true);
        const bool is_innermost = !stack.empty()
            && std::strcmp(stack.front().place().file_name(), caller.file_name()) == 0
            && stack.front().function() == entry.function();
        if (is_innermost)
            stack.front() = entry;
        else
            stack.emplace(stack.begin(), caller, false);
        const auto hidden = static_cast<std::size_t>(std::max(m_options.get_depth() - 1, 0));
        stack.erase(stack.begin(), stack.begin() + std::ptrdiff_t(std::min(hidden, stack.size())));
    }
    void limit(std::vector<FrameCallGraphEntry> &stack) const
    {
        const int limit = m_options.get_limit().value_or(std::numeric_limits<int>::max());
        const auto most = std::ptrdiff_t(std::abs(qint64(limit)));
        if (std::ptrdiff_t(stack.size()) <= most)
            return;
        if (limit > 0)
            stack.erase(stack.begin() + most, stack.end());
        else
            stack.erase(stack.begin(), stack.end() - most);
    }

    const CallGraphOptions m_options;
    std::unordered_set<const FutureStateBase *> m_followed;
};

/// The text of a graph. As deep as the graph, whose depth is limited.
void add_text(QString &text, const FutureCallGraph &graph, int level)
{
    const auto add_line = [&text, level](const QString &line) {
        if (!text.isEmpty())
            text += u'\n';
        text += QString(level * 4, u' ') + line;
    };
    FutureStateBase *const state = FutureAccess::state(graph.future);
    const QString id = QString::number(reinterpret_cast<quintptr>(state), 16);
    if (state->is_task()) {
        add_line(QStringLiteral("* Task(name='%1', id=0x%2)")
                     .arg(static_cast<TaskStateBase *>(state)->name(), id));
    } else {
        add_line(QStringLiteral("* Future(id=0x%1)").arg(id));
    }
    if (!graph.call_stack.empty())
        add_line(QStringLiteral("  + Call stack:"));
    for (const FrameCallGraphEntry &entry : graph.call_stack)
        add_line(QStringLiteral("  |   ") + entry.to_string());
    if (graph.is_cut)
        add_line(QStringLiteral("  + Awaited by: ..."));
    if (!graph.awaited_by.empty())
        add_line(QStringLiteral("  + Awaited by:"));
    for (const FutureCallGraph &waiting : graph.awaited_by)
        add_text(text, waiting, level + 1);
}

void print(const QString &text, std::FILE *file)
{
    const QByteArray line = text.toLocal8Bit() + '\n';
    std::fputs(line.constData(), file);
    std::fflush(file);
}

} // namespace

QString FutureCallGraph::to_string() const
{
    QString text;
    add_text(text, *this, 0);
    return text;
}

std::optional<FutureCallGraph> capture_call_graph(const CallGraphOptions &options,
                                                  std::source_location caller)
{
    const QAsyncioLoop *const loop = find_running_loop();
    if (!loop) {
        throw RuntimeError(QStringLiteral(
            "capture_call_graph() is called outside of a running event loop and no *future* to "
            "introspect was provided"));
    }
    TaskStateBase *const task = loop->core().current_task;
    if (!task)
        return std::nullopt;
    return Capture(options).graph_of(*task, 0, &caller);
}

std::optional<FutureCallGraph> capture_call_graph(const AnyFuture &future,
                                                  const CallGraphOptions &options,
                                                  std::source_location caller)
{
    if (!future)
        throw TypeError(QStringLiteral("capture_call_graph() needs a future or a task"));
    FutureStateBase &state = *FutureAccess::state(future);
    state.check_thread();
    const bool is_running = state.core->current_task == &state && state.core->in_own_thread();
    return Capture(options).graph_of(state, 0, is_running ? &caller : nullptr);
}

QString format_call_graph(const CallGraphOptions &options, std::source_location caller)
{
    const std::optional<FutureCallGraph> graph = capture_call_graph(options, caller);
    return graph ? graph->to_string() : QString();
}

QString format_call_graph(const AnyFuture &future, const CallGraphOptions &options,
                          std::source_location caller)
{
    return capture_call_graph(future, options, caller)->to_string();
}

void print_call_graph(const CallGraphOptions &options, std::source_location caller)
{
    print(format_call_graph(options, caller), options.get_file());
}

void print_call_graph(const AnyFuture &future, const CallGraphOptions &options,
                      std::source_location caller)
{
    print(format_call_graph(future, options, caller), options.get_file());
}

} // namespace QAsyncio
