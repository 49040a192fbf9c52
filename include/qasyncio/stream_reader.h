// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/async_generator.h"
#include "qasyncio/coroutine.h"

#include <QtCore/qbytearray.h>
#include <QtCore/qbytearraylist.h>
#include <QtCore/qbytearrayview.h>

#include <exception>
#include <memory>
#include <optional>

namespace QAsyncio {

namespace detail {
class ReaderState;
struct ReaderAccess;
} // namespace detail

/// A stream has ended before all that was asked for had come. What had come is in the exception,
/// and no longer in the stream.
/// \sa https://docs.python.org/3/library/asyncio-exceptions.html#asyncio.IncompleteReadError
class QASYNCIO_EXPORT IncompleteReadError : public Error
{
public:
    /// `expected`: how many bytes were asked for, if that was known.
    IncompleteReadError(const QByteArray &partial, std::optional<qsizetype> expected);
    ~IncompleteReadError() override;

    /// What had come.
    const QByteArray &partial() const { return m_partial; }
    std::optional<qsizetype> expected() const { return m_expected; }

private:
    QByteArray m_partial;
    std::optional<qsizetype> m_expected;
};

/// There was no separator within the limit of a stream. The data stay in the stream.
/// \sa https://docs.python.org/3/library/asyncio-exceptions.html#asyncio.LimitOverrunError
class QASYNCIO_EXPORT LimitOverrunError : public Error
{
public:
    LimitOverrunError(const QString &message, qsizetype consumed);
    ~LimitOverrunError() override;

    /// How many bytes have no separator in them, and can be read without looking for one.
    qsizetype consumed() const { return m_consumed; }

private:
    qsizetype m_consumed;
};

/// What brings the data of a StreamReader. The reader tells it when to pause.
class QASYNCIO_EXPORT ReadTransport
{
public:
    virtual void pause_reading() = 0;
    virtual void resume_reading() = 0;

protected:
    ReadTransport() = default;
    ~ReadTransport() = default;
    Q_DISABLE_COPY_MOVE(ReadTransport)
};

/// The reading end of a stream of bytes.
///
///     while (!reader.at_eof()) {
///         const QByteArray line = co_await reader.readline();
///         handle(line);
///     }
///
/// Only one task at a time may wait for data: the functions that read throw RuntimeError if another
/// one does. They throw what was set with set_exception() too, such as the error of a connection,
/// even if data are there.
/// Cancellation: no byte is lost; what has come is there for the next read. So it is after a
/// wait_for() whose time is over.
/// Lifetime: if the reader is destroyed while a task waits, its await throws RuntimeError. The data
/// that it has are lost. A reader of a pipe closes its descriptor at the end of the stream, or when
/// it is closed or destroyed. A reader that was moved from may only be assigned to or destroyed.
/// Thread: the loop's.
/// \sa https://docs.python.org/3/library/asyncio-stream.html#asyncio.StreamReader
class QASYNCIO_EXPORT StreamReader
{
public:
    static constexpr qsizetype default_limit = 64 * 1024;

    /// `limit`: how long a line may be, in bytes. Twice as much at most is kept before the
    /// transport is told to pause. Throws ValueError if it is not positive.
    explicit StreamReader(qsizetype limit = default_limit);
    StreamReader(StreamReader &&) noexcept = default;
    StreamReader &operator=(StreamReader &&other) noexcept;
    ~StreamReader();
    Q_DISABLE_COPY(StreamReader)

    /// Waits until something is there, and gives `size` bytes at most. Empty only at the end of the
    /// stream, or if `size` is 0. A negative size: waits for the end of the stream and gives all,
    /// without regard to the limit.
    Coroutine<QByteArray> read(qsizetype size = -1);
    /// Waits for that many bytes. Throws IncompleteReadError if the stream ends before, ValueError
    /// for a negative size.
    Coroutine<QByteArray> readexactly(qsizetype size);
    /// Waits for a line, which ends with '\n'. At the end of the stream: what is left, without a
    /// '\n', and then empty ones.
    /// Throws ValueError for a line that is longer than the limit, and drops it: as much as has
    /// come of it.
    Coroutine<QByteArray> readline();
    /// Waits for `separator`, and gives all up to it, with the separator.
    /// Throws IncompleteReadError if the stream ends before; LimitOverrunError if there are more
    /// bytes in front of it than the limit allows; ValueError if the separator is empty.
    Coroutine<QByteArray> readuntil(const QByteArray &separator = "\n");
    /// The same for several separators: ends at that one whose end comes first.
    Coroutine<QByteArray> readuntil(const QByteArrayList &separators);
    /// All lines up to the end of the stream, as readline() gives them.
    AsyncGenerator<QByteArray> lines();
    /// Whether all was read, and no more will come.
    bool at_eof() const;
    /// Ends the stream on this side, and drops what has come and was not read. Whoever reads, now
    /// or later, gets StreamClosedError. A second call does nothing.
    void close();
    /// The descriptor that is read; -1 if there is none, or none any more.
    int fileno() const;

    // For whoever brings the data

    /// Adds data. Throws RuntimeError after feed_eof().
    void feed_data(QByteArrayView data);
    /// No more data will come.
    void feed_eof();
    /// From now on everybody who reads gets this exception, and whoever waits. Throws TypeError for
    /// null.
    void set_exception(std::exception_ptr exception);
    /// What was set, or null.
    std::exception_ptr exception() const;
    /// The transport is told to pause when there are more than twice as many bytes as the limit
    /// says, and to resume when there are no more than the limit, or when somebody waits for more.
    /// It must live until the reader is gone, or until another one is set. Null: none.
    void set_transport(ReadTransport *transport);

    /// "<StreamReader 12 bytes eof limit=64 paused>"
    QString to_string() const;

private:
    friend struct detail::ReaderAccess;
    explicit StreamReader(std::shared_ptr<detail::ReaderState> state)
        : m_state(std::move(state)) { }

    std::shared_ptr<detail::ReaderState> m_state; // null once it was moved from
};

} // namespace QAsyncio
