// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "directory_watch.h"

#include <qasyncio/loop.h>
#include <qasyncio/sleep.h>

#include <sys/inotify.h>
#include <unistd.h>

namespace Demo {

using namespace QAsyncio;
using namespace std::chrono_literals;

DirectoryWatch::DirectoryWatch() : m_inotify(std::make_shared<Inotify>())
{
    if (m_inotify->descriptor() >= 0)
        get_running_loop().add_reader(m_inotify->descriptor(), [this] { read_events(); });
}

DirectoryWatch::~DirectoryWatch()
{
    // The loop may be gone already: then it watches nothing any more.
    if (QAsyncioLoop *loop = find_running_loop())
        loop->remove_reader(m_inotify->descriptor());
}

void DirectoryWatch::register_watch(int watch, const QByteArray &directory)
{
    m_directories[watch] = directory;
    if (m_early.erase(watch) > 0)
        m_changes.paths.insert(directory);
}

Coroutine<Changes> DirectoryWatch::changes()
{
    if (!m_changes.any()) {
        m_arrived = get_running_loop().create_future<>();
        co_await m_arrived;
    }
    co_await sleep(200ms);
    co_return std::exchange(m_changes, Changes());
}

void DirectoryWatch::read_events()
{
    alignas(inotify_event) char buffer[32 * 1024];
    const ssize_t size = ::read(m_inotify->descriptor(), buffer, sizeof buffer);
    for (ssize_t at = 0; at < size;) {
        const auto &event = *reinterpret_cast<const inotify_event *>(buffer + at);
        take_event(event);
        at += static_cast<ssize_t>(sizeof(inotify_event)) + event.len;
    }
    if (m_changes.any() && m_arrived && !m_arrived.done())
        m_arrived.set_result();
}

void DirectoryWatch::take_event(const inotify_event &event)
{
    if (event.mask & IN_Q_OVERFLOW) {
        m_changes.overflow = true;
        return;
    }
    const auto directory = m_directories.find(event.wd);
    if (directory == m_directories.end())
        return take_unknown(event);
    // about the directory itself; of one below, the parent's event says it all
    if (event.len == 0) {
        if (directory->second.isEmpty()
            && (event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)))
            m_changes.root_gone = true;
        if (event.mask & IN_IGNORED)
            m_directories.erase(directory);
        return;
    }
    const QByteArray path = directory->second.isEmpty() ? QByteArray(event.name)
                                                        : directory->second + '/' + event.name;
    m_changes.paths.insert(path);
    if ((event.mask & IN_ISDIR) && (event.mask & (IN_MOVED_FROM | IN_DELETE)))
        forget_below(path);
}

void DirectoryWatch::take_unknown(const inotify_event &event)
{
    if (!(event.mask & IN_IGNORED))
        m_early.insert(event.wd);
}

// A directory that was moved is watched on, and inotify would go on to speak of it; under its old
// name.
void DirectoryWatch::forget_below(const QByteArray &directory)
{
    for (auto it = m_directories.begin(); it != m_directories.end();) {
        if (it->second == directory || it->second.startsWith(directory + '/')) {
            m_inotify->forget(it->first);
            it = m_directories.erase(it);
        } else {
            ++it;
        }
    }
}

} // namespace Demo
