// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "stream/descriptor_reader.h"

#include "stream/reader_state.h"

#include "qasyncio/ensure_future.h"

#ifdef Q_OS_UNIX
#  include <unistd.h>
#endif

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

namespace QAsyncio::detail {

namespace {
constexpr qsizetype most_at_once = 64 * 1024; // what a pipe of Linux holds
} // namespace

DescriptorReader::DescriptorReader(LoopCore &loop, int fd, ReaderState &reader)
    : m_loop(Ref<LoopCore>::share(&loop)), m_reader(reader), m_fd(fd)
{
    try {
        resume_reading();
    } catch (...) {
        m_fd = -1;
        throw;
    }
}

void DescriptorReader::check_loop() const
{
    if (m_fd < 0)
        return;
    check_open(*m_loop);
    if (&running_core() != m_loop.get())
        throw RuntimeError(QStringLiteral("This stream belongs to another event loop"));
}

void DescriptorReader::resume_reading()
{
    if (m_fd < 0 || m_is_watched)
        return;
    check_open(*m_loop);
    m_loop->loop->add_reader(m_fd, [this] { read_ready(); });
    m_is_watched = true;
}

void DescriptorReader::pause_reading()
{
    if (std::exchange(m_is_watched, false) && m_loop->loop)
        m_loop->loop->remove_reader(m_fd);
}

void DescriptorReader::close() noexcept
{
    pause_reading();
    if (m_fd >= 0)
        ::close(std::exchange(m_fd, -1));
}

void DescriptorReader::read_ready()
{
    const qsizetype count = m_is_bulk ? read_into_buffer() : read_and_append();
    if (count > 0) {
        m_is_bulk = count >= most_at_once / 4;
        m_reader.data_came();
    } else if (count == 0) {
        close();
        m_reader.end_came();
    } else if (errno != EAGAIN && errno != EINTR) {
        const int error = errno;
        close();
        m_reader.fail(make_os_error(error, QStringLiteral("reading from %1").arg(m_reader.name)));
    }
}

/// Small messages are copied, so that each takes as much memory as it has bytes.
qsizetype DescriptorReader::read_and_append()
{
    static thread_local const std::unique_ptr<char[]> scratch(new char[most_at_once]);
    const qsizetype count = ::read(m_fd, scratch.get(), most_at_once);
    if (count > 0)
        m_reader.buffer.append(scratch.get(), count);
    return count;
}

/// Large ones are not: copying 64 KiB takes as long as reading them.
qsizetype DescriptorReader::read_into_buffer()
{
    QByteArray &buffer = m_reader.buffer;
    const qsizetype before = buffer.size();
    buffer.resize(before + most_at_once);
    const qsizetype count = ::read(m_fd, buffer.data() + before, most_at_once);
    const int error = errno;
    buffer.resize(before + std::max<qsizetype>(count, 0));
    errno = error;
    return count;
}

} // namespace QAsyncio::detail
