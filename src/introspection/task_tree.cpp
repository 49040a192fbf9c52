// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/task_tree.h"

#include "introspection/awaited_by.h"
#include "loop/loop_p.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace QAsyncio {

using namespace detail;

QString TaskInfo::to_string() const
{
    QString text = QStringLiteral("Task '%1'").arg(name);
    if (is_cancelling)
        text += QStringLiteral(" (cancelling)");
    switch (activity) {
    case TaskActivity::NotStarted:
        text += QStringLiteral(" has not started");
        break;
    case TaskActivity::Ready:
        text += QStringLiteral(" is ready");
        break;
    case TaskActivity::Running:
        text += QStringLiteral(" is running");
        break;
    case TaskActivity::Waiting:
        text += waits_for.isEmpty() ? QStringLiteral(" waits")
                                    : QStringLiteral(" waits for ") + waits_for;
        break;
    }
    if (place.line() == 0)
        return text;
    return text
        + QStringLiteral(", at %1:%2 in %3()")
              .arg(QString::fromUtf8(place.file_name()))
              .arg(place.line())
              .arg(function);
}

namespace {

TaskInfo info_of(TaskStateBase &task)
{
    TaskInfo info;
    info.task = FutureAccess::wrap<AnyTask>(Ref<TaskStateBase>::share(&task));
    info.name = task.name();
    info.activity = activity_of(task);
    info.is_cancelling = task.cancelling() > 0;
    if (info.activity == TaskActivity::Waiting)
        info.waits_for = task.waits_for();
    info.place = place_of(task);
    info.function = function_name(info.place);
    return info;
}

/// Lists tasks so that each stands below the one that waits for it.
class Forest
{
public:
    explicit Forest(const LoopPrivate &loop)
    {
        for (TaskStateBase *task = loop.first_task; task; task = task->next)
            m_tasks.push_back(task);
        for (TaskStateBase *task : m_tasks) {
            const std::vector<TaskStateBase *> waiting = tasks_waiting_for(*task);
            for (TaskStateBase *above : waiting)
                m_below[above].push_back(task);
            if (waiting.empty())
                m_roots.push_back(task);
        }
    }
    std::vector<TaskInfo> list()
    {
        for (TaskStateBase *root : m_roots)
            add_tree(*root);
        for (TaskStateBase *task : m_tasks) { // what is left waits in circles
            if (!m_listed.count(task))
                add_tree(*task);
        }
        return std::move(m_list);
    }

private:
    struct Step
    {
        TaskStateBase *task;
        int parent;
        int level;
    };

    /// Without recursion: a chain of tasks may be long.
    void add_tree(TaskStateBase &root)
    {
        std::vector<Step> to_add{{&root, -1, 0}};
        while (!to_add.empty()) {
            const Step step = to_add.back();
            to_add.pop_back();
            const int index = static_cast<int>(m_list.size());
            m_list.push_back(info_of(*step.task));
            m_list.back().parent = step.parent;
            m_list.back().level = step.level;
            m_list.back().is_repeated = !m_listed.insert(step.task).second;
            const auto below = m_below.find(step.task);
            if (m_list.back().is_repeated || below == m_below.end())
                continue;
            for (auto task = below->second.rbegin(); task != below->second.rend(); ++task)
                to_add.push_back({*task, index, step.level + 1});
        }
    }

    std::vector<TaskStateBase *> m_tasks; // oldest first
    std::vector<TaskStateBase *> m_roots;
    std::unordered_map<const TaskStateBase *, std::vector<TaskStateBase *>> m_below;
    std::unordered_set<const TaskStateBase *> m_listed;
    std::vector<TaskInfo> m_list;
};

} // namespace

std::vector<TaskInfo> capture_tasks(const QAsyncioLoop &loop)
{
    const LoopPrivate &d = LoopPrivate::of(loop);
    if (d.has(LoopCore::Debug))
        check_thread_of(d);
    return Forest(d).list();
}

QString format_tasks(const QAsyncioLoop &loop)
{
    constexpr std::size_t most_lines = 1000;
    constexpr int most_indented = 30; // levels: a chain may be long
    const std::vector<TaskInfo> tasks = capture_tasks(loop);
    const auto count = std::count_if(tasks.begin(), tasks.end(),
                                     [](const TaskInfo &task) { return !task.is_repeated; });
    if (tasks.empty())
        return QStringLiteral("no unfinished tasks");
    QString text = count == 1 ? QStringLiteral("1 unfinished task:")
                              : QStringLiteral("%1 unfinished tasks:").arg(count);
    for (std::size_t i = 0; i < std::min(tasks.size(), most_lines); ++i) {
        const TaskInfo &task = tasks[i];
        text += u'\n' + QString(4 * std::min(task.level, most_indented), u' ')
            + QStringLiteral("* ") + task.to_string();
        if (task.is_repeated)
            text += QStringLiteral(" (see above)");
    }
    if (tasks.size() > most_lines)
        text += QStringLiteral("\n... and %1 more").arg(tasks.size() - most_lines);
    return text;
}

void print_tasks(const QAsyncioLoop &loop, std::FILE *file)
{
    const QByteArray text = format_tasks(loop).toLocal8Bit() + '\n';
    std::fputs(text.constData(), file);
    std::fflush(file);
}

void print_tasks(std::FILE *file)
{
    print_tasks(get_running_loop(), file);
}

} // namespace QAsyncio
