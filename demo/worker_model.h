// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "file_hash.h"

#include <QtCore/qabstractitemmodel.h>

#include <memory>
#include <vector>

namespace Demo {

/// One row a worker: the file that it hashes at the moment, and how far it is.
class WorkerModel : public QAbstractListModel
{
    Q_OBJECT

public:
    explicit WorkerModel(int workers, QObject *parent = nullptr);

    int workers() const { return static_cast<int>(m_files.size()); }
    /// Null: the worker has nothing to do.
    void set_file(int worker, std::shared_ptr<FileHash> file);
    const std::vector<std::shared_ptr<FileHash>> &files() const { return m_files; }
    /// Shows how things are. Not done by set_file(): small files come and go faster than anybody
    /// can read.
    void refresh();

    int rowCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QHash<int, QByteArray> roleNames() const override;

private:
    std::vector<std::shared_ptr<FileHash>> m_files;
};

} // namespace Demo
