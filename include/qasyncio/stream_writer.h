// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/coroutine.h"

#include <QtCore/qbytearray.h>
#include <QtCore/qbytearraylist.h>
#include <QtCore/qbytearrayview.h>

#include <concepts>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace QAsyncio {

namespace detail {
class WriterState;
struct WriterAccess;
} // namespace detail

/// The writing end of a stream of bytes.
///
///     StreamWriter writer = loop.connect_write_pipe(fd);
///     writer.write("first line\n");
///     co_await writer.drain();
///     ...
///     writer.close();
///     co_await writer.wait_closed();
///
/// write() never waits: what the system does not take at once is kept, and written in the
/// background. So that this does not grow without bound, await drain() after writing: it waits
/// while more than the high limit is kept, until no more than the low limit is.
/// Errors: if the other side goes away, or the system reports an error, what is kept is dropped;
/// is_closing() is true from then on, and drain() throws.
/// Lifetime: a writer that is destroyed is closed; what is kept is still written, as long as the
/// loop lives. (Debug mode logs that: close() says that it was meant.) It closes its descriptor. A
/// writer that was moved from may only be assigned to or destroyed. Thread: the loop's.
/// \sa https://docs.python.org/3/library/asyncio-stream.html#asyncio.StreamWriter
class QASYNCIO_EXPORT StreamWriter
{
public:
    StreamWriter(StreamWriter &&) noexcept = default;
    StreamWriter &operator=(StreamWriter &&other) noexcept;
    ~StreamWriter();
    Q_DISABLE_COPY(StreamWriter)

    /// Writes `data`, or keeps what cannot be written yet. After close(), and once the stream is
    /// lost, the data are dropped in silence; from the fifth time on, a warning is logged.
    void write(QByteArrayView data);
    /// The same for a QByteArray. What has to be kept of it is shared with the caller, not copied.
    template<class B>
        requires std::same_as<std::remove_cvref_t<B>, QByteArray>
    void write(B &&data)
    {
        write_array(std::forward<B>(data));
    }
    /// The same for all of them, with as few calls of the system as possible.
    void writelines(const QByteArrayList &data);
    /// Waits until writing is worth while again: see above. Throws the error that has ended the
    /// stream meanwhile; ConnectionResetError "Connection lost" if the stream had ended before.
    /// Cancellation: ends the wait; nothing that was written is lost. Any number of tasks may wait.
    Coroutine<> drain();

    /// Whether write_eof() can be used. A pipe can.
    bool can_write_eof() const;
    /// Writes what is kept, and then tells the other side that no more comes. For a pipe that is
    /// close().
    void write_eof();
    /// Ends the stream as soon as what is kept has been written. A second call does nothing.
    void close();
    /// close() was called, or the stream has ended by itself.
    bool is_closing() const;
    /// Waits until the stream has ended, and throws the error that has ended it, if it was one. May
    /// be awaited again and again. Cancellation: ends the wait, not the stream.
    Coroutine<> wait_closed();
    /// Ends the stream at once: what is kept is dropped.
    void abort();

    /// How many bytes are kept, to be written.
    qsizetype get_write_buffer_size() const;
    /// The limits of drain(), in bytes: low, high. At first 16 KiB and 64 KiB.
    std::pair<qsizetype, qsizetype> get_write_buffer_limits() const;
    /// Sets them. If one is left out it is a quarter of the high one, or four times the low one.
    /// Throws ValueError unless high >= low >= 0.
    void set_write_buffer_limits(std::optional<qsizetype> high = {},
                                 std::optional<qsizetype> low = {});
    /// The descriptor that is written to; -1 once the stream has ended.
    int fileno() const;
    /// "<StreamWriter fd=7 12 bytes closing>"
    QString to_string() const;

private:
    friend struct detail::WriterAccess;
    explicit StreamWriter(std::shared_ptr<detail::WriterState> state)
        : m_state(std::move(state)) { }
    void write_array(QByteArray data);

    std::shared_ptr<detail::WriterState> m_state; // null once it was moved from
};

} // namespace QAsyncio
