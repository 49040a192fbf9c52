// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/loop.h"
#include "qasyncio/stream_reader.h"

#include "stream/descriptor_reader.h"

#include <optional>

namespace QAsyncio::detail {

class DataAwaiter;

/// What a reader shares with the reads under way, which outlive it.
class ReaderState
{
public:
    explicit ReaderState(qsizetype limit) : limit(limit) { }

    void check_exception() const
    {
        if (exception)
            std::rethrow_exception(exception);
    }
    /// The first `size` bytes, which leave the buffer.
    QByteArray take(qsizetype size)
    {
        QByteArray data;
        if (size >= buffer.size()) {
            data.swap(buffer);
        } else {
            data = buffer.first(size);
            buffer.remove(0, size);
        }
        taken += data.size();
        resume_if_low();
        return data;
    }
    void drop(qsizetype size)
    {
        buffer.remove(0, size);
        taken += size;
        resume_if_low();
    }
    void resume()
    {
        if (std::exchange(is_paused, false) && transport)
            transport->resume_reading();
    }
    void pause_if_high()
    {
        if (transport && !is_paused && buffer.size() - limit > limit) {
            is_paused = true;
            transport->pause_reading();
        }
    }
    /// There is more in the buffer.
    void data_came()
    {
        wake();
        pause_if_high();
    }
    void end_came()
    {
        is_at_end = true;
        wake();
    }
    void wake();
    void fail(const std::exception_ptr &error);
    /// Nothing is read any more; whoever reads gets `error`.
    void close(const std::exception_ptr &error)
    {
        is_closed = true;
        transport = nullptr;
        descriptor.reset();
        fail(error);
    }

    const qsizetype limit;
    QString name = QStringLiteral("a StreamReader"); // of what it reads from: "pipe 7"
    QByteArray buffer;
    std::exception_ptr exception;
    ReadTransport *transport = nullptr;
    std::optional<DescriptorReader> descriptor; // the transport, if the reader has opened it itself
    bool is_paused = false;
    bool is_at_end = false;
    bool is_closed = false;
    qint64 taken = 0;              // how many bytes were ever taken out of the buffer
    DataAwaiter *waiter = nullptr; // somebody waits for data

private:
    void resume_if_low()
    {
        if (is_paused && buffer.size() <= limit)
            resume();
    }
};

using Reader = std::shared_ptr<ReaderState>;

/// Waits until something has changed. Whoever waits while reading is paused wants more than fits.
class DataAwaiter : public AwaiterBase
{
public:
    explicit DataAwaiter(Reader reader) : m_reader(std::move(reader)) { }
    DataAwaiter(DataAwaiter &&) noexcept = default;
    ~DataAwaiter() { leave(); }

    bool await_ready() const { return false; }
    void await_suspend()
    {
        m_reader->waiter = this;
        m_reader->resume(); // which may bring data at once, or an error, or the end of the reader
    }
    void await_resume()
    {
        leave();
        if (m_error)
            std::rethrow_exception(std::exchange(m_error, nullptr));
    }
    bool await_cancel(const QString &message) override { return resume_cancelled(message); }
    QString await_description() const override
    {
        return QStringLiteral("reading from %1").arg(m_reader->name);
    }

private:
    friend class ReaderState;

    /// Lets the task go on, and throws `error` there, if it is not null. Debug mode: throws
    /// RuntimeError in another thread.
    void end(const std::exception_ptr &error);
    void leave() noexcept
    {
        if (m_reader && m_reader->waiter == this)
            m_reader->waiter = nullptr;
    }

    Reader m_reader;
    std::exception_ptr m_error;
};

/// Waits for the end of the stream, and takes nothing.
Coroutine<> wait_for_end(Reader reader);

/// Makes readers of the library's own.
struct ReaderAccess
{
    static StreamReader wrap(Reader state) { return StreamReader(std::move(state)); }
    static const Reader &state(const StreamReader &reader) { return reader.m_state; }
};

} // namespace QAsyncio::detail
