// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <QtCore/qabstractitemmodel.h>
#include <QtCore/qbasictimer.h>

#include <deque>
#include <vector>

namespace Demo {

/// The rows of the log. Thousands come in a second, and the window is told of them thirty times a
/// second.
class LogModel : public QAbstractListModel
{
    Q_OBJECT
    Q_PROPERTY(int count READ count NOTIFY countChanged)

public:
    enum Kind { Hashed, Added, Changed, Removed, Skipped, Error, Note };
    Q_ENUM(Kind)

    struct Row
    {
        Kind kind = Note;
        QString name;
        QString detail; // the digest, or what went wrong
    };

    using QAbstractListModel::QAbstractListModel;

    void append(Row row);
    void clear();
    /// All rows ever, those that have been dropped for their number included.
    int count() const { return m_count; }
    const std::deque<Row> &rows() const { return m_rows; }
    /// Shows what was appended, now.
    void flush();

    int rowCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QHash<int, QByteArray> roleNames() const override;

Q_SIGNALS:
    void countChanged();

protected:
    void timerEvent(QTimerEvent *event) override;

private:
    void drop_oldest();

    std::deque<Row> m_rows;
    std::vector<Row> m_pending;
    QBasicTimer m_timer;
    int m_count = 0;
};

} // namespace Demo
