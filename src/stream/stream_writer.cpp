// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/stream_writer.h"

#include "base/logging.h"
#include "stream/writer_state.h"

#include "qasyncio/sleep.h"

#include <cerrno>

namespace QAsyncio {

namespace detail {

static Coroutine<> drain_writer(std::shared_ptr<WriterState> writer)
{
    if (writer->is_closing())
        co_await sleep(std::chrono::nanoseconds::zero()); // what has ended it may be told first
    if (writer->is_lost()) {
        throw ConnectionResetError(ECONNRESET, QStringLiteral("Connection lost"));
    }
    if (writer->is_paused()) {
        writer->check_loop();
        co_await acquire_from(writer->resumed);
        if (writer->error())
            std::rethrow_exception(writer->error());
    }
}

static Coroutine<> wait_until_closed(std::shared_ptr<WriterState> writer)
{
    if (!writer->is_lost()) {
        writer->check_loop();
        co_await acquire_from(writer->closed);
    }
    if (writer->error())
        std::rethrow_exception(writer->error());
}

} // namespace detail

StreamWriter::~StreamWriter()
{
    if (!m_state) // it was moved from
        return;
    if (!m_state->is_closing() && m_state->loop().has(detail::LoopCore::Debug))
        qCWarning(detail::logCategory).noquote() << "unclosed" << to_string();
    try {
        m_state->close();
    } catch (...) { // no memory, or the loop is closed: the descriptor is closed in any case
    }
}

StreamWriter &StreamWriter::operator=(StreamWriter &&other) noexcept
{
    StreamWriter taken(std::move(other));
    m_state.swap(taken.m_state);
    return *this;
}

void StreamWriter::write(QByteArrayView data)
{
    m_state->write(data);
}

void StreamWriter::write_array(QByteArray data)
{
    m_state->write(std::move(data));
}

void StreamWriter::writelines(const QByteArrayList &data)
{
    m_state->writelines(data);
}

Coroutine<> StreamWriter::drain()
{
    return detail::drain_writer(m_state);
}

bool StreamWriter::can_write_eof() const
{
    return true;
}

void StreamWriter::write_eof()
{
    m_state->close();
}

void StreamWriter::close()
{
    m_state->close();
}

bool StreamWriter::is_closing() const
{
    return m_state->is_closing();
}

Coroutine<> StreamWriter::wait_closed()
{
    return detail::wait_until_closed(m_state);
}

void StreamWriter::abort()
{
    m_state->end(nullptr);
}

qsizetype StreamWriter::get_write_buffer_size() const
{
    return m_state->size();
}

std::pair<qsizetype, qsizetype> StreamWriter::get_write_buffer_limits() const
{
    return {m_state->low, m_state->high};
}

void StreamWriter::set_write_buffer_limits(std::optional<qsizetype> high,
                                           std::optional<qsizetype> low)
{
    const qsizetype high_limit = high ? *high : low ? 4 * *low : 64 * 1024;
    const qsizetype low_limit = low ? *low : high_limit / 4;
    if (low_limit < 0 || high_limit < low_limit) {
        throw ValueError(QStringLiteral("high (%1) must be >= low (%2) must be >= 0")
                             .arg(high_limit)
                             .arg(low_limit));
    }
    m_state->set_limits(high_limit, low_limit);
}

int StreamWriter::fileno() const
{
    return m_state->fd();
}

QString StreamWriter::to_string() const
{
    QString text = QStringLiteral("<StreamWriter");
    if (m_state->fd() >= 0)
        text += QStringLiteral(" fd=%1").arg(m_state->fd());
    if (m_state->size() > 0)
        text += QStringLiteral(" %1 bytes").arg(m_state->size());
    if (m_state->is_lost())
        text += QStringLiteral(" closed");
    else if (m_state->is_closing())
        text += QStringLiteral(" closing");
    return text + QLatin1Char('>');
}

} // namespace QAsyncio
