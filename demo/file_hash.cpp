// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "file_hash.h"

#include <QtCore/qbytearrayview.h>

#include <qasyncio/errors.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace Demo {

using namespace QAsyncio;

namespace {

// Small enough that Pause and Cancel are answered within milliseconds, large enough to read at full
// speed.
constexpr qint64 block_size = 1024 * 1024;

[[noreturn]] void throw_errno(const char *what)
{
    throw OSError(errno, QLatin1String(what));
}

/// The window comes first, however many threads there are. On Linux this is about the calling
/// thread alone.
void lower_priority_once()
{
    static thread_local const int result = ::setpriority(PRIO_PROCESS, 0, 10);
    static_cast<void>(result);
}

} // namespace

FileHash::FileHash(const QByteArray &root, const QByteArray &path, qint64 size)
    : m_root(root), m_path(path), m_size(size)
{ }

FileHash::~FileHash()
{
    if (m_fd >= 0)
        ::close(m_fd);
}

void FileHash::open()
{
    // What was a regular file when the directory was listed may be a FIFO by now: O_NONBLOCK, or
    // open() would wait for a writer for ever.
    const QByteArray name = m_root + '/' + m_path;
    m_fd = ::open(name.constData(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (m_fd < 0)
        throw_errno("open");
    struct stat status = {};
    if (::fstat(m_fd, &status) != 0)
        throw_errno("fstat");
    if (!S_ISREG(status.st_mode))
        throw RuntimeError(QStringLiteral("No regular file any more"));
    m_block.resize(qBound(qint64(4096), qint64(status.st_size) + 1, block_size));
}

bool FileHash::advance()
{
    lower_priority_once();
    if (m_fd < 0)
        open();
    while (!m_interrupted.load(std::memory_order_relaxed)) {
        const ssize_t got = ::read(m_fd, m_block.data(), m_block.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            throw_errno("read");
        if (got == 0) {
            m_digest = m_hash.result().toHex();
            return true;
        }
        m_hash.addData(QByteArrayView(m_block.constData(), got));
        m_done.fetch_add(got, std::memory_order_relaxed);
    }
    return false;
}

} // namespace Demo
