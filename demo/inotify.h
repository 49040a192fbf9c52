// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <QtCore/qbytearray.h>

namespace Demo {

/// An inotify descriptor. Watches are made in worker threads, events are read in the loop's; the
/// last of them closes it, so that no thread ever speaks to a descriptor that has been closed and
/// reused.
class Inotify
{
public:
    Inotify();
    ~Inotify();
    Q_DISABLE_COPY_MOVE(Inotify)

    /// -1 if the system has none left.
    int descriptor() const { return m_fd; }
    /// errno of the constructor, or 0.
    int error() const { return m_error; }

    /// Watches a directory and gives its number, or -1 and errno. A link is followed only if
    /// `follow`. Any thread.
    int watch(const QByteArray &directory, bool follow) const;
    void forget(int watch) const;

private:
    int m_fd;
    int m_error;
};

} // namespace Demo
