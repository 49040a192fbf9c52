// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "inotify.h"

#include <cerrno>
#include <sys/inotify.h>
#include <unistd.h>

namespace Demo {

Inotify::Inotify() : m_fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)), m_error(m_fd < 0 ? errno : 0)
{ }

Inotify::~Inotify()
{
    if (m_fd >= 0)
        ::close(m_fd);
}

int Inotify::watch(const QByteArray &directory, bool follow) const
{
    const uint32_t mask = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM
        | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK
        | (follow ? 0 : IN_DONT_FOLLOW);
    return ::inotify_add_watch(m_fd, directory.constData(), mask);
}

void Inotify::forget(int watch) const
{
    ::inotify_rm_watch(m_fd, watch);
}

} // namespace Demo
