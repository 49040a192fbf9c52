// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "stream/pipes.h"

#include "loop/loop_p.h"
#include "stream/reader_state.h"
#include "stream/writer_state.h"

#ifdef Q_OS_UNIX
#  include <fcntl.h>
#  include <sys/stat.h>
#endif

#include <cerrno>

namespace QAsyncio {

namespace detail {

namespace {

[[noreturn]] void throw_bad_descriptor(int fd)
{
    std::rethrow_exception(make_os_error(errno, QStringLiteral("descriptor %1").arg(fd)));
}

/// "pipe 7". Empty for what cannot be a stream: a regular file.
QString stream_name(int fd)
{
    struct stat about;
    if (::fstat(fd, &about) < 0)
        throw_bad_descriptor(fd);
    switch (about.st_mode & S_IFMT) {
    case S_IFIFO:
        return QStringLiteral("pipe %1").arg(fd);
    case S_IFSOCK:
        return QStringLiteral("socket %1").arg(fd);
    case S_IFCHR:
        return QStringLiteral("device %1").arg(fd);
    default:
        return {};
    }
}

void make_non_blocking(int fd)
{
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        throw_bad_descriptor(fd);
}

} // namespace

StreamReader open_reader(LoopCore &loop, int fd, const QString &name, qsizetype limit)
{
    StreamReader reader(limit);
    const Reader &state = ReaderAccess::state(reader);
    state->name = name;
    state->descriptor.emplace(loop, fd, *state);
    state->transport = &*state->descriptor;
    return reader;
}

StreamWriter open_writer(LoopCore &loop, int fd, const QString &name)
{
    const auto state = std::make_shared<WriterState>(loop, fd, name);
    try {
        state->start();
    } catch (...) {
        state->give_up_descriptor();
        throw;
    }
    return WriterAccess::wrap(state);
}

} // namespace detail

StreamReader QAsyncioLoop::connect_read_pipe(int fd, qsizetype limit)
{
    m_core->check_scheduling();
    const QString name = detail::stream_name(fd);
    if (name.isEmpty())
        throw ValueError(QStringLiteral("Pipe transport is for pipes/sockets only."));
    detail::make_non_blocking(fd);
    return detail::open_reader(*m_core, fd, name, limit);
}

StreamWriter QAsyncioLoop::connect_write_pipe(int fd)
{
    m_core->check_scheduling();
    const QString name = detail::stream_name(fd);
    if (name.isEmpty()) {
        throw ValueError(
            QStringLiteral("Pipe transport is only for pipes, sockets and character devices"));
    }
    detail::make_non_blocking(fd);
    return detail::open_writer(*m_core, fd, name);
}

} // namespace QAsyncio
