// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/subprocess.h"

#include <QtCore/qbytearraylist.h>

#include <array>

#include <sys/types.h>
#include <unistd.h>

namespace QAsyncio::detail {

/// Owns a descriptor.
class OwnedFd
{
public:
    OwnedFd() = default;
    explicit OwnedFd(int fd) : m_fd(fd) { }
    OwnedFd(OwnedFd &&other) noexcept : m_fd(other.release()) { }
    OwnedFd &operator=(OwnedFd &&other) noexcept
    {
        OwnedFd taken(std::move(other));
        std::swap(m_fd, taken.m_fd);
        return *this;
    }
    ~OwnedFd()
    {
        if (m_fd >= 0)
            ::close(m_fd);
    }

    int get() const { return m_fd; }
    int release() { return std::exchange(m_fd, -1); }
    explicit operator bool() const { return m_fd >= 0; }

private:
    int m_fd = -1;
};

/// What the system has to be told to start a program.
struct SpawnRequest
{
    QByteArrayList command;
    std::optional<QByteArrayList> environment; // "NAME=value"; none: this program's
    QByteArray directory;                      // empty: this program's
    // What becomes of 0, 1, 2. At least 3; or one of the following.
    static constexpr int inherited = -1, null = -2, as_output = -3;
    std::array<int, 3> stdio{inherited, inherited, inherited};
    std::vector<int> pass_fds;
    bool new_session = false;
    bool new_group = false;
};

/// Starts it, and returns its pid. Throws an OSError that names what the system has refused.
pid_t spawn(const SpawnRequest &request);

} // namespace QAsyncio::detail
