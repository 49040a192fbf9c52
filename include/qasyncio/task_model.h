// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/ref.h"
#include "qasyncio/detail/loop/loop_core.h"
#include "qasyncio/global.h"

#include <QtCore/qabstractitemmodel.h>
#include <QtCore/qtimer.h>

#include <memory>

namespace QAsyncio {

/// The unfinished tasks of a loop as a model for a QTreeView or QML: below each task those that it
/// waits for, as print_tasks() shows them.
///
///     TaskModel model(loop);
///     tree_view.setModel(&model);
///
/// A look at the tasks inserts, removes and changes rows, so that a view keeps its selection and
/// what is expanded. A task that several others wait for is below each of them, and has what it
/// waits for below itself only once. Tasks that are more than a hundred levels deep are left out.
/// Thread: that of the loop. Lifetime: the loop may go first; the model is then empty after the
/// next look.
class QASYNCIO_EXPORT TaskModel : public QAbstractItemModel
{
    Q_OBJECT
    Q_PROPERTY(int interval READ interval WRITE set_interval NOTIFY intervalChanged)

public:
    enum Column {
        NameColumn,
        StateColumn,
        WaitsForColumn,
        PlaceColumn,
        FunctionColumn,
        ColumnCount
    };
    Q_ENUM(Column)
    enum Role {
        NameRole = Qt::UserRole, ///< the name of the task: "name" in QML
        StateRole,               ///< "new", "ready", "running", "waiting", "cancelling": "state"
        WaitsForRole,            ///< "timer in 2.500 s": "waitsFor"
        FileRole,                ///< where the task is: "file"
        LineRole,                ///< "line"
        FunctionRole,            ///< "function"
    };
    Q_ENUM(Role)

    explicit TaskModel(QAsyncioLoop &loop, QObject *parent = nullptr);
    ~TaskModel() override;

    /// How often the tasks are looked at, in milliseconds of real time: at first 1000. 0 or less:
    /// only by refresh().
    int interval() const { return m_interval; }
    void set_interval(int milliseconds);

    QModelIndex index(int row, int column, const QModelIndex &parent = {}) const override;
    QModelIndex parent(const QModelIndex &index) const override;
    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation,
                        int role = Qt::DisplayRole) const override;
    QHash<int, QByteArray> roleNames() const override;

public Q_SLOTS:
    /// Looks at the tasks now.
    void refresh();

Q_SIGNALS:
    void intervalChanged();

private:
    struct Node;

    static Node *node_of(const QModelIndex &index);
    const Node &parent_node(const QModelIndex &parent) const;
    std::unique_ptr<Node> look() const;
    void update(Node &now, Node &next);

    const detail::Ref<detail::LoopCore> m_core;
    const std::unique_ptr<Node> m_root;
    QTimer m_timer;
    int m_interval = 1000;
};

} // namespace QAsyncio
