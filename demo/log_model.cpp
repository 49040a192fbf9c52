// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "log_model.h"

#include <QtCore/qcoreevent.h>
#include <QtCore/qmetaobject.h>

#include <cstddef>
#include <iterator>
#include <utility>

namespace Demo {

namespace {
constexpr int interval = 33;        // milliseconds between two updates of the view
constexpr size_t most_rows = 20000; // a log is read at its end
enum Role { KindRole = Qt::UserRole, NameRole, DetailRole };
} // namespace

void LogModel::append(Row row)
{
    m_pending.push_back(std::move(row));
    if (!m_timer.isActive())
        m_timer.start(interval, this);
}

void LogModel::timerEvent(QTimerEvent *event)
{
    if (event->timerId() != m_timer.timerId())
        return QAbstractListModel::timerEvent(event);
    m_timer.stop();
    flush();
}

void LogModel::flush()
{
    if (m_pending.empty())
        return;
    const int first = static_cast<int>(m_rows.size());
    m_count += static_cast<int>(m_pending.size());
    beginInsertRows({}, first, first + static_cast<int>(m_pending.size()) - 1);
    std::move(m_pending.begin(), m_pending.end(), std::back_inserter(m_rows));
    m_pending.clear();
    endInsertRows();
    drop_oldest();
    Q_EMIT countChanged();
}

void LogModel::drop_oldest()
{
    if (m_rows.size() <= most_rows)
        return;
    const auto surplus = m_rows.size() - most_rows;
    beginRemoveRows({}, 0, static_cast<int>(surplus) - 1);
    m_rows.erase(m_rows.begin(), m_rows.begin() + static_cast<std::ptrdiff_t>(surplus));
    endRemoveRows();
}

void LogModel::clear()
{
    beginResetModel();
    m_timer.stop();
    m_pending.clear();
    m_rows.clear();
    m_count = 0;
    endResetModel();
    Q_EMIT countChanged();
}

int LogModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

QVariant LogModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    const Row &row = m_rows[static_cast<size_t>(index.row())];
    switch (role) {
    case KindRole:
        return QString::fromLatin1(QMetaEnum::fromType<Kind>().valueToKey(row.kind));
    case NameRole:
        return row.name;
    case DetailRole:
        return row.detail;
    default:
        return {};
    }
}

QHash<int, QByteArray> LogModel::roleNames() const
{
    return {{KindRole, "kind"}, {NameRole, "name"}, {DetailRole, "detail"}};
}

} // namespace Demo
