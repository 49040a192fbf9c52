// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/task_model.h"

#include "qasyncio/task_tree.h"

#include "loop/loop_p.h"

#include <algorithm>
#include <vector>

namespace QAsyncio {

namespace {
constexpr int most_levels = 100;

QString state_word(const TaskInfo &task)
{
    if (task.is_cancelling)
        return QStringLiteral("cancelling");
    switch (task.activity) {
    case TaskActivity::NotStarted:
        return QStringLiteral("new");
    case TaskActivity::Ready:
        return QStringLiteral("ready");
    case TaskActivity::Running:
        return QStringLiteral("running");
    case TaskActivity::Waiting:
        break;
    }
    return QStringLiteral("waiting");
}

bool looks_the_same(const TaskInfo &one, const TaskInfo &other)
{
    return one.name == other.name && state_word(one) == state_word(other)
        && one.waits_for == other.waits_for && one.place.line() == other.place.line()
        && one.function == other.function;
}
} // namespace

/// A task at one place of the tree. Its children are those that it waits for, oldest first.
struct TaskModel::Node
{
    Node *parent = nullptr; // null for the root, which is no task
    int row = 0;
    quint32 number = 0; // of the task: tells it from others, also when it is gone
    TaskInfo task;
    std::vector<std::unique_ptr<Node>> children;

    void sort_children()
    {
        const auto is_older = [](const std::unique_ptr<Node> &one,
                                 const std::unique_ptr<Node> &other) {
            return one->number < other->number;
        };
        std::sort(children.begin(), children.end(), is_older);
        number_children();
    }
    void number_children()
    {
        for (std::size_t i = 0; i < children.size(); ++i) {
            children[i]->row = static_cast<int>(i);
            children[i]->parent = this;
        }
    }
};

TaskModel::TaskModel(QAsyncioLoop &loop, QObject *parent)
    : QAbstractItemModel(parent), m_core(detail::Ref<detail::LoopCore>::share(&loop.core())),
      m_root(look())
{
    connect(&m_timer, &QTimer::timeout, this, &TaskModel::refresh);
    m_timer.start(m_interval);
}

TaskModel::~TaskModel() = default;

void TaskModel::set_interval(int milliseconds)
{
    if (milliseconds == m_interval)
        return;
    m_interval = milliseconds;
    if (milliseconds > 0)
        m_timer.start(milliseconds);
    else
        m_timer.stop();
    Q_EMIT intervalChanged();
}

std::unique_ptr<TaskModel::Node> TaskModel::look() const
{
    auto root = std::make_unique<Node>();
    if (!m_core->loop)
        return root;
    std::vector<TaskInfo> tasks = capture_tasks(*m_core->loop);
    std::vector<Node *> nodes; // of each task in the list; null if it is too deep
    for (TaskInfo &task : tasks) {
        Node *const above = task.parent < 0 ? root.get() : nodes[std::size_t(task.parent)];
        if (!above || task.level >= most_levels) {
            nodes.push_back(nullptr);
            continue;
        }
        auto node = std::make_unique<Node>();
        node->number = static_cast<detail::TaskStateBase *>(detail::FutureAccess::state(task.task))
                           ->number();
        node->task = std::move(task);
        node->task.task = {}; // a model keeps no task alive
        nodes.push_back(node.get());
        above->children.push_back(std::move(node));
    }
    // Those that wait in circles come last in the list. In one order, rows can be compared.
    root->sort_children();
    for (Node *node : nodes) {
        if (node)
            node->sort_children();
    }
    return root;
}

void TaskModel::refresh()
{
    const std::unique_ptr<Node> next = look();
    update(*m_root, *next);
}

/// Makes `now` what `next` is. The children of both are in the order of their numbers. As deep as
/// the tree, whose depth is limited.
void TaskModel::update(Node &now, Node &next)
{
    const auto here = [this](const Node &node) {
        return node.parent ? createIndex(node.row, 0, &node) : QModelIndex();
    };
    std::size_t row = 0;
    for (std::unique_ptr<Node> &child : next.children) {
        const auto old_row = static_cast<int>(row);
        while (row < now.children.size() && now.children[row]->number < child->number) {
            beginRemoveRows(here(now), old_row, old_row);
            const std::unique_ptr<Node> gone = std::move(now.children[row]);
            now.children.erase(now.children.begin() + old_row);
            now.number_children();
            endRemoveRows();
        }
        if (row == now.children.size() || now.children[row]->number != child->number) {
            beginInsertRows(here(now), old_row, old_row);
            now.children.insert(now.children.begin() + old_row, std::move(child));
            now.number_children();
            endInsertRows();
        } else {
            Node &known = *now.children[row];
            const bool is_same = looks_the_same(known.task, child->task);
            known.task = std::move(child->task);
            if (!is_same)
                Q_EMIT dataChanged(createIndex(old_row, 0, &known),
                                   createIndex(old_row, ColumnCount - 1, &known));
            update(known, *child);
        }
        ++row;
    }
    if (row < now.children.size()) {
        beginRemoveRows(here(now), static_cast<int>(row),
                        static_cast<int>(now.children.size()) - 1);
        now.children.resize(row);
        endRemoveRows();
    }
}

TaskModel::Node *TaskModel::node_of(const QModelIndex &index)
{
    return static_cast<Node *>(index.internalPointer());
}

const TaskModel::Node &TaskModel::parent_node(const QModelIndex &parent) const
{
    return parent.isValid() ? *node_of(parent) : *m_root;
}

QModelIndex TaskModel::index(int row, int column, const QModelIndex &parent) const
{
    if (!hasIndex(row, column, parent))
        return {};
    return createIndex(row, column, parent_node(parent).children[std::size_t(row)].get());
}

QModelIndex TaskModel::parent(const QModelIndex &index) const
{
    const Node *const above = index.isValid() ? node_of(index)->parent : nullptr;
    return above && above->parent ? createIndex(above->row, 0, above) : QModelIndex();
}

int TaskModel::rowCount(const QModelIndex &parent) const
{
    return parent.column() > 0 ? 0 : static_cast<int>(parent_node(parent).children.size());
}

int TaskModel::columnCount(const QModelIndex &) const
{
    return ColumnCount;
}

QVariant TaskModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    const TaskInfo &task = node_of(index)->task;
    const QString file = QString::fromUtf8(task.place.file_name());
    if (role == Qt::DisplayRole) {
        constexpr int roles[] = {NameRole, StateRole, WaitsForRole, FileRole, FunctionRole};
        const bool is_place = index.column() == PlaceColumn && !file.isEmpty();
        return is_place ? QStringLiteral("%1:%2").arg(file).arg(task.place.line())
                        : data(index, roles[index.column()]).toString();
    }
    switch (role) {
    case NameRole:
        return task.name;
    case StateRole:
        return state_word(task);
    case WaitsForRole:
        return task.waits_for;
    case FileRole:
        return file;
    case LineRole:
        return static_cast<int>(task.place.line());
    case FunctionRole:
        return task.function;
    default:
        return {};
    }
}

QVariant TaskModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole || section < 0
        || section >= ColumnCount)
        return {};
    constexpr const char *titles[] = {"Task", "State", "Waits for", "Place", "Function"};
    return QString::fromLatin1(titles[section]);
}

QHash<int, QByteArray> TaskModel::roleNames() const
{
    return {{Qt::DisplayRole, "display"}, {NameRole, "name"}, {StateRole, "state"},
            {WaitsForRole, "waitsFor"},   {FileRole, "file"}, {LineRole, "line"},
            {FunctionRole, "function"}};
}

} // namespace QAsyncio
