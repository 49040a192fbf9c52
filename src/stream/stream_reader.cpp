// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/stream_reader.h"

#include "loop/loop_p.h"
#include "stream/reader_state.h"

#include <QtCore/qbytearrayview.h>

#include <algorithm>

namespace QAsyncio {

namespace detail {

void ReaderState::wake()
{
    if (waiter)
        waiter->end(nullptr);
}

void ReaderState::fail(const std::exception_ptr &error)
{
    exception = error;
    if (waiter)
        waiter->end(error);
}

void DataAwaiter::end(const std::exception_ptr &error)
{
    if (task()->core->has(LoopCore::Debug))
        check_thread_of(*task()->core);
    leave();
    m_error = error;
    resume();
}

static Await<DataAwaiter> wait_for_data(const Reader &reader, const char *function)
{
    if (reader->waiter) {
        throw RuntimeError(
            QStringLiteral(
                "%1() called while another coroutine is already waiting for incoming data")
                .arg(QLatin1String(function)));
    }
    reader->check_exception(); // it may have come with the data that were too few
    if (reader->descriptor)
        reader->descriptor->check_loop();
    return Await<DataAwaiter>(std::in_place, reader);
}

static Coroutine<QByteArray> read_some(Reader reader, qsizetype size)
{
    reader->check_exception();
    if (size == 0)
        co_return QByteArray();
    while (reader->buffer.isEmpty() && !reader->is_at_end)
        co_await wait_for_data(reader, "read");
    co_return reader->take(size);
}

Coroutine<> wait_for_end(Reader reader)
{
    reader->check_exception();
    while (!reader->is_at_end)
        co_await wait_for_data(reader, "read");
}

static Coroutine<QByteArray> read_all(Reader reader)
{
    co_await wait_for_end(reader); // all stays in the buffer: a cancellation loses nothing
    co_return reader->take(reader->buffer.size());
}

static Coroutine<QByteArray> read_exactly(Reader reader, qsizetype size)
{
    if (size < 0)
        throw ValueError(QStringLiteral("readexactly size can not be less than zero"));
    reader->check_exception();
    while (reader->buffer.size() < size) {
        if (reader->is_at_end)
            throw IncompleteReadError(reader->take(reader->buffer.size()), size);
        co_await wait_for_data(reader, "readexactly");
    }
    if (size == 0)
        co_return QByteArray();
    co_return reader->take(size);
}

/// Where a separator was found.
struct Match
{
    qsizetype begin = -1;
    qsizetype end = -1;
};

/// The one that ends first. Separators are sorted by their length: of two that end at the same
/// place the shorter one counts.
static Match find_separator(const QByteArray &buffer, const QByteArrayList &separators,
                            qsizetype from)
{
    Match match;
    for (const QByteArray &separator : separators) {
        const QByteArrayView rest = QByteArrayView(buffer).first(match.begin < 0 ? buffer.size()
                                                                                 : match.end);
        const qsizetype begin = rest.indexOf(separator, from);
        const qsizetype end = begin + separator.size();
        if (begin >= 0 && (match.begin < 0 || end < match.end))
            match = {begin, end};
    }
    return match;
}

static Coroutine<QByteArray> read_until(Reader reader, QByteArrayList separators)
{
    if (separators.size() > 1) {
        std::sort(separators.begin(), separators.end(),
                  [](const QByteArray &a, const QByteArray &b) { return a.size() < b.size(); });
    }
    if (separators.isEmpty())
        throw ValueError(QStringLiteral("Separator should contain at least one element"));
    if (separators.constFirst().isEmpty())
        throw ValueError(QStringLiteral("Separator should be at least one-byte string"));
    reader->check_exception();
    qsizetype scanned = 0; // no separator begins in front of this
    qint64 taken = reader->taken;
    Match match;
    for (;;) {
        const QByteArray &buffer = reader->buffer;
        if (std::exchange(taken, reader->taken) != reader->taken) // another task was faster
            scanned = 0;
        if (buffer.size() - scanned >= separators.constFirst().size()) {
            match = find_separator(buffer, separators, scanned);
            if (match.begin >= 0)
                break;
            // The end of the buffer may be the beginning of a separator.
            scanned = std::max<qsizetype>(0, buffer.size() + 1 - separators.constLast().size());
            if (scanned > reader->limit) {
                throw LimitOverrunError(
                    QStringLiteral("Separator is not found, and chunk exceed the limit"), scanned);
            }
        }
        if (reader->is_at_end)
            throw IncompleteReadError(reader->take(buffer.size()), std::nullopt);
        co_await wait_for_data(reader, "readuntil");
    }
    if (match.begin > reader->limit) {
        throw LimitOverrunError(
            QStringLiteral("Separator is found, but chunk is longer than limit"), match.begin);
    }
    co_return reader->take(match.end);
}

static Coroutine<QByteArray> read_line(Reader reader)
{
    static const QByteArrayList newline{QByteArrayLiteral("\n")};
    try {
        co_return co_await read_until(reader, newline);
    } catch (const IncompleteReadError &error) {
        co_return error.partial();
    } catch (const LimitOverrunError &error) {
        const bool is_found = error.consumed() < reader->buffer.size()
            && reader->buffer.at(error.consumed()) == '\n';
        reader->drop(is_found ? error.consumed() + 1 : reader->buffer.size());
        throw ValueError(error.message());
    }
}

static AsyncGenerator<QByteArray> read_lines(Reader reader)
{
    for (;;) {
        QByteArray line = co_await read_line(reader);
        if (line.isEmpty())
            co_return;
        co_yield std::move(line);
    }
}

static QString incomplete_text(qsizetype size, std::optional<qsizetype> expected)
{
    const QString all = expected ? QString::number(*expected) : QStringLiteral("undefined");
    return QStringLiteral("%1 bytes read on a total of %2 expected bytes").arg(size).arg(all);
}

} // namespace detail

IncompleteReadError::IncompleteReadError(const QByteArray &partial,
                                         std::optional<qsizetype> expected)
    : Error(detail::incomplete_text(partial.size(), expected)), m_partial(partial),
      m_expected(expected)
{ }

IncompleteReadError::~IncompleteReadError() = default;

LimitOverrunError::LimitOverrunError(const QString &message, qsizetype consumed)
    : Error(message), m_consumed(consumed)
{ }

LimitOverrunError::~LimitOverrunError() = default;

StreamReader::StreamReader(qsizetype limit) : m_state(std::make_shared<detail::ReaderState>(limit))
{
    if (limit <= 0)
        throw ValueError(QStringLiteral("Limit cannot be <= 0"));
}

StreamReader::~StreamReader()
{
    if (!m_state) // it was moved from
        return;
    try {
        m_state->close(std::make_exception_ptr(RuntimeError(
            QStringLiteral("The StreamReader was destroyed while a task was reading"))));
    } catch (const RuntimeError &) { // in another thread, in debug mode
    }
}

StreamReader &StreamReader::operator=(StreamReader &&other) noexcept
{
    StreamReader taken(std::move(other));
    m_state.swap(taken.m_state);
    return *this;
}

void StreamReader::close()
{
    if (m_state->is_closed)
        return;
    m_state->close(
        std::make_exception_ptr(StreamClosedError(QStringLiteral("The stream was closed"))));
    m_state->buffer.clear();
}

int StreamReader::fileno() const
{
    return m_state->descriptor ? m_state->descriptor->fd() : -1;
}

Coroutine<QByteArray> StreamReader::read(qsizetype size)
{
    return size < 0 ? detail::read_all(m_state) : detail::read_some(m_state, size);
}

Coroutine<QByteArray> StreamReader::readexactly(qsizetype size)
{
    return detail::read_exactly(m_state, size);
}

Coroutine<QByteArray> StreamReader::readline()
{
    return detail::read_line(m_state);
}

Coroutine<QByteArray> StreamReader::readuntil(const QByteArray &separator)
{
    return detail::read_until(m_state, {separator});
}

Coroutine<QByteArray> StreamReader::readuntil(const QByteArrayList &separators)
{
    return detail::read_until(m_state, separators);
}

AsyncGenerator<QByteArray> StreamReader::lines()
{
    return detail::read_lines(m_state);
}

bool StreamReader::at_eof() const
{
    return m_state->is_at_end && m_state->buffer.isEmpty();
}

void StreamReader::feed_data(QByteArrayView data)
{
    if (m_state->is_at_end)
        throw RuntimeError(QStringLiteral("feed_data after feed_eof"));
    if (data.isEmpty())
        return;
    m_state->buffer.append(data);
    m_state->data_came();
}

void StreamReader::feed_eof()
{
    m_state->is_at_end = true;
    m_state->wake();
}

void StreamReader::set_exception(std::exception_ptr exception)
{
    if (!exception)
        throw TypeError(QStringLiteral("invalid exception object"));
    m_state->fail(exception);
}

std::exception_ptr StreamReader::exception() const
{
    return m_state->exception;
}

void StreamReader::set_transport(ReadTransport *transport)
{
    m_state->is_paused = false;
    m_state->transport = transport;
    m_state->pause_if_high();
}

QString StreamReader::to_string() const
{
    QString text = QStringLiteral("<StreamReader");
    if (fileno() >= 0)
        text += QStringLiteral(" fd=%1").arg(fileno());
    if (!m_state->buffer.isEmpty())
        text += QStringLiteral(" %1 bytes").arg(m_state->buffer.size());
    if (m_state->is_at_end)
        text += QStringLiteral(" eof");
    if (m_state->limit != default_limit)
        text += QStringLiteral(" limit=%1").arg(m_state->limit);
    if (m_state->exception)
        text += QStringLiteral(" exception=") + describe(m_state->exception);
    if (m_state->is_paused)
        text += QStringLiteral(" paused");
    return text + QLatin1Char('>');
}

} // namespace QAsyncio
