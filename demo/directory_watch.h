// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "inotify.h"

#include <qasyncio/coroutine.h>
#include <qasyncio/future.h>

#include <map>
#include <memory>
#include <set>

struct inotify_event;

namespace Demo {

/// What has changed below a directory.
struct Changes
{
    std::set<QByteArray> paths;
    bool overflow = false;  ///< the kernel dropped events: anything may have changed
    bool root_gone = false; ///< the directory itself was deleted or moved away

    bool any() const { return !paths.empty() || overflow || root_gone; }
};

/// Collects changes below a directory: inotify, read by the loop's add_reader(). inotify watches
/// one directory at a time, hence register_watch().
class DirectoryWatch
{
public:
    /// Throws RuntimeError if no loop runs in this thread.
    DirectoryWatch();
    ~DirectoryWatch();
    Q_DISABLE_COPY_MOVE(DirectoryWatch)

    /// For worker threads, which make the watches.
    const std::shared_ptr<const Inotify> &inotify() const { return m_inotify; }
    /// `watch` is inotify's number for `directory`, which a worker thread has just got.
    void register_watch(int watch, const QByteArray &directory);
    /// The number of directories that are watched.
    int count() const { return static_cast<int>(m_directories.size()); }

    /// Waits until something has changed, and a moment longer, for what changes together with it.
    QAsyncio::Coroutine<Changes> changes();

private:
    void read_events();
    void take_event(const inotify_event &event);
    void take_unknown(const inotify_event &event);
    void forget_below(const QByteArray &directory);

    const std::shared_ptr<const Inotify> m_inotify;
    std::map<int, QByteArray> m_directories;
    std::set<int> m_early; // watches whose events came before their register_watch()
    Changes m_changes;
    QAsyncio::Future<> m_arrived;
};

} // namespace Demo
