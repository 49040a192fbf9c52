// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "stream/writer_state.h"

#include "base/logging.h"

#include "qasyncio/ensure_future.h"

#ifdef Q_OS_UNIX
#  include <fcntl.h>
#  include <sys/stat.h>
#  include <sys/uio.h>
#  include <unistd.h>

#  include <csignal>
#endif

#include <array>
#include <cerrno>

namespace QAsyncio::detail {

namespace {

constexpr qsizetype most_in_a_chunk = 64 * 1024; // up to here small pieces are put together
constexpr int most_chunks = 64;                  // in one call of the system

/// Writing to a pipe that nobody reads is an error, not the end of the program: as Qt and Python
/// have it.
void ignore_sigpipe()
{
    struct sigaction now;
    if (::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL)
        std::signal(SIGPIPE, SIG_IGN);
}

} // namespace

WriterState::WriterState(LoopCore &loop, int fd, const QString &name)
    : resumed(Ref<NamedEvent>::adopt(new NamedEvent(QStringLiteral("writing to %1").arg(name)))),
      closed(Ref<NamedEvent>::adopt(new NamedEvent(QStringLiteral("the end of %1").arg(name)))),
      m_loop(Ref<LoopCore>::share(&loop)), m_name(name), m_fd(fd)
{
    resumed->set();
    ignore_sigpipe();
}

WriterState::~WriterState()
{
    close_descriptor();
}

void WriterState::check_loop() const
{
    check_open(*m_loop);
    if (&running_core() != m_loop.get())
        throw RuntimeError(QStringLiteral("This stream belongs to another event loop"));
}

void WriterState::start()
{
    struct stat about;
    const bool is_pipe = ::fstat(m_fd, &about) == 0 && (about.st_mode & S_IFMT) == S_IFIFO;
    if (!is_pipe || (::fcntl(m_fd, F_GETFL) & O_ACCMODE) != O_WRONLY)
        return;
    // Nothing can be read here; it is reported as readable when the other end was closed.
    m_loop->loop->add_reader(m_fd, [this] {
        const bool is_left = m_size > 0;
        end(is_left ? make_os_error(EPIPE, QStringLiteral("writing to %1").arg(m_name)) : nullptr);
    });
}

void WriterState::write(QByteArrayView data)
{
    if (data.isEmpty() || takes_no_more())
        return;
    const qsizetype sent = m_kept.empty() ? write_some(&data, 1) : 0;
    if (sent < 0 || sent == data.size())
        return;
    watch();
    keep(data.sliced(sent).toByteArray());
    pause_if_high();
}

void WriterState::write(QByteArray &&data)
{
    if (data.capacity() == 0) // somebody else's bytes, which may go at any time
        return write(QByteArrayView(data));
    if (data.isEmpty() || takes_no_more())
        return;
    const QByteArrayView view = data;
    const bool is_first = m_kept.empty();
    const qsizetype sent = is_first ? write_some(&view, 1) : 0;
    if (sent < 0 || sent == data.size())
        return;
    watch();
    keep(std::move(data));
    if (is_first) {
        m_sent = sent;
        m_size -= sent;
    }
    pause_if_high();
}

void WriterState::writelines(const QByteArrayList &all)
{
    if (takes_no_more())
        return;
    const bool was_empty = m_kept.empty();
    for (const QByteArray &data : all) {
        if (!data.isEmpty())
            keep(data.capacity() > 0 ? QByteArray(data) : QByteArrayView(data).toByteArray());
    }
    if (was_empty)
        flush();
    if (m_kept.empty())
        return;
    watch();
    pause_if_high();
}

bool WriterState::takes_no_more()
{
    if (!m_is_closing) {
        m_loop->check_scheduling();
        return false;
    }
    constexpr int many = 5;
    if (++m_dropped >= many)
        qCWarning(logCategory, "write() to a stream that was closed or has broken");
    return true;
}

/// Returns how many bytes the system has taken; -1 after an error, which has ended the stream.
qsizetype WriterState::write_some(const QByteArrayView *views, int count)
{
    std::array<iovec, most_chunks> vectors;
    for (int i = 0; i < count; ++i) {
        vectors[std::size_t(i)] = {const_cast<char *>(views[i].data()),
                                   std::size_t(views[i].size())};
    }
    qsizetype sent;
    do {
        sent = ::writev(m_fd, vectors.data(), count);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        return sent;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return 0;
    end(make_os_error(errno, QStringLiteral("writing to %1").arg(m_name)));
    return -1;
}

void WriterState::keep(QByteArray &&data)
{
    m_size += data.size();
    if (!m_kept.empty() && m_kept.back().size() + data.size() <= most_in_a_chunk)
        m_kept.back().append(data);
    else
        m_kept.push_back(std::move(data));
}

void WriterState::flush()
{
    std::array<QByteArrayView, most_chunks> views;
    int count = 0;
    for (const QByteArray &chunk : m_kept) {
        if (count == most_chunks)
            break;
        views[std::size_t(count)] = QByteArrayView(chunk).sliced(count == 0 ? m_sent : 0);
        ++count;
    }
    const qsizetype sent = count > 0 ? write_some(views.data(), count) : 0;
    if (sent > 0)
        went_out(sent);
}

void WriterState::went_out(qsizetype size)
{
    m_size -= size;
    m_sent += size;
    while (!m_kept.empty() && m_sent >= m_kept.front().size()) {
        m_sent -= m_kept.front().size();
        m_kept.pop_front();
    }
    resume_if_low();
    if (m_kept.empty() && m_is_closing)
        end(nullptr);
}

void WriterState::write_ready()
{
    const auto self = shared_from_this(); // what is watched no longer owns it
    // Not as soon as all is written: in a stream more comes before this is called again, and
    // watching costs two calls of the system each time.
    if (m_kept.empty())
        stop_watching();
    else
        flush();
}

void WriterState::watch()
{
    if (m_is_watched)
        return;
    check_open(*m_loop);
    m_loop->loop->add_writer(m_fd, [self = shared_from_this()] { self->write_ready(); });
    m_is_watched = true;
}

void WriterState::stop_watching()
{
    if (std::exchange(m_is_watched, false))
        m_loop->loop->remove_writer(m_fd);
}

void WriterState::pause_if_high()
{
    if (m_size > high)
        resumed->clear();
}

void WriterState::resume_if_low()
{
    if (m_size <= low)
        resumed->set();
}

void WriterState::set_limits(qsizetype high_limit, qsizetype low_limit)
{
    high = high_limit;
    low = low_limit;
    pause_if_high();
}

void WriterState::close()
{
    if (std::exchange(m_is_closing, true))
        return;
    if (m_kept.empty())
        end(nullptr);
}

void WriterState::end(const std::exception_ptr &error)
{
    m_is_closing = true;
    if (std::exchange(m_is_ending, true))
        return;
    m_kept.clear();
    m_size = m_sent = 0;
    if (m_loop->has(LoopCore::Closed) || !m_loop->loop)
        return lost(error);
    const auto self = shared_from_this(); // the loop lets go of it now
    stop_watching();
    m_loop->loop->remove_reader(m_fd);
    m_loop->loop->call_soon([self, error] { self->lost(error); });
}

void WriterState::lost(const std::exception_ptr &error)
{
    m_error = error;
    close_descriptor();
    resumed->set();
    closed->set();
}

void WriterState::close_descriptor() noexcept
{
    if (m_fd < 0)
        return;
    if (m_loop->loop) {
        m_loop->loop->remove_writer(m_fd);
        m_loop->loop->remove_reader(m_fd);
    }
    ::close(std::exchange(m_fd, -1));
}

} // namespace QAsyncio::detail
