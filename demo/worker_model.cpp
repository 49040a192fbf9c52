// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "worker_model.h"

#include "file_name.h"

#include <utility>

namespace Demo {

namespace {
enum Role { NameRole = Qt::UserRole, SizeRole, FractionRole };
}

WorkerModel::WorkerModel(int workers, QObject *parent)
    : QAbstractListModel(parent), m_files(static_cast<size_t>(workers))
{ }

void WorkerModel::set_file(int worker, std::shared_ptr<FileHash> file)
{
    m_files[static_cast<size_t>(worker)] = std::move(file);
}

void WorkerModel::refresh()
{
    Q_EMIT dataChanged(index(0), index(workers() - 1));
}

int WorkerModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : workers();
}

QVariant WorkerModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    const auto &file = m_files[static_cast<size_t>(index.row())];
    if (!file)
        return role == FractionRole ? QVariant(0.0) : QVariant(QString());
    switch (role) {
    case NameRole:
        return display_name(file->path());
    case SizeRole:
        return display_size(file->size());
    case FractionRole:
        return file->size() > 0 ? qMin(1.0, double(file->bytes_done()) / double(file->size()))
                                : 0.0;
    default:
        return {};
    }
}

QHash<int, QByteArray> WorkerModel::roleNames() const
{
    return {{NameRole, "name"}, {SizeRole, "size"}, {FractionRole, "fraction"}};
}

} // namespace Demo
