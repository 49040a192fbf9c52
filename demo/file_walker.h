// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "inotify.h"

#include <QtCore/qbytearray.h>
#include <QtCore/qstring.h>

#include <memory>
#include <vector>

namespace Demo {

/// A file to be hashed. Paths are bytes, relative to the directory that the run is about: QDir and
/// QString would leave out names that are not UTF-8.
struct FoundFile
{
    QByteArray path;
    qint64 size = 0;
};

/// Something that is not hashed, and why.
struct NotHashed
{
    QByteArray path;
    QString reason;
    bool is_error = false; ///< a FIFO is none
};

/// What was found. Both functions below block: they are for worker threads.
struct Listing
{
    std::vector<FoundFile> files;
    std::vector<QByteArray> directories;
    std::vector<NotHashed> not_hashed;
    std::vector<QByteArray> gone; ///< of examine(): what does not exist any more
    int links = 0;                ///< symbolic links to something that exists, left out in silence
    int watch = -1;               ///< of list_directory(): inotify's number for the directory
    int watch_error = 0;          ///< or errno
};

/// One directory, without those below. Nothing is opened but the directory itself, no link is
/// followed. Watches it first, so that what changes while it is being read is noticed. Throws
/// OSError.
Listing list_directory(const QByteArray &root, const QByteArray &path,
                       std::shared_ptr<const Inotify> inotify);

/// The same for single paths.
Listing examine(const QByteArray &root, const std::vector<QByteArray> &paths);

} // namespace Demo
