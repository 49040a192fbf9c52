// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/event.h"
#include "qasyncio/loop.h"
#include "qasyncio/stream_writer.h"

#include <deque>

namespace QAsyncio::detail {

/// An event with a text of its own for those who wait for it.
class NamedEvent final : public EventState
{
public:
    explicit NamedEvent(const QString &text) : EventState(false, "Event"), m_text(text) { }
    QString describe_wait() const override { return m_text; }

private:
    const QString m_text;
};

/// Writes to a descriptor, which it owns. Shared by the writer, by those who await it, and by the
/// loop while there is something to write, which goes on without the writer.
class WriterState : public std::enable_shared_from_this<WriterState>
{
public:
    WriterState(LoopCore &loop, int fd, const QString &name);
    ~WriterState();
    Q_DISABLE_COPY_MOVE(WriterState)

    /// Notices from now on, if it is the end of a pipe, when nobody reads any more. May throw.
    void start();
    void write(QByteArrayView data);
    void write(QByteArray &&data);
    void writelines(const QByteArrayList &all);
    /// It could not be started: the descriptor is the caller's again.
    void give_up_descriptor() { m_fd = -1; }
    /// Ends it when all is written.
    void close();
    /// Ends it now.
    void end(const std::exception_ptr &error);

    bool is_closing() const { return m_is_closing; }
    bool is_lost() const { return m_fd < 0; }
    bool is_paused() const { return !resumed->is_free(); }
    const std::exception_ptr &error() const { return m_error; }
    qsizetype size() const { return m_size; }
    int fd() const { return m_fd; }
    void set_limits(qsizetype high, qsizetype low);
    /// Throws RuntimeError if the loop is closed, or if another one runs here.
    void check_loop() const;
    LoopCore &loop() const { return *m_loop; }

    qsizetype high = 64 * 1024;
    qsizetype low = 16 * 1024;
    const Ref<NamedEvent> resumed; // set while drain() need not wait
    const Ref<NamedEvent> closed;

private:
    bool takes_no_more();
    qsizetype write_some(const QByteArrayView *views, int count);
    void keep(QByteArray &&data);
    void flush();
    void went_out(qsizetype size);
    void write_ready();
    void watch();
    void stop_watching();
    void pause_if_high();
    void resume_if_low();
    void lost(const std::exception_ptr &error);
    void close_descriptor() noexcept;

    const Ref<LoopCore> m_loop;
    const QString m_name; // "pipe 7"
    int m_fd;
    std::deque<QByteArray> m_kept; // to be written
    qsizetype m_sent = 0;          // how much of the first one is
    qsizetype m_size = 0;          // how much is left in all
    std::exception_ptr m_error;
    bool m_is_watched = false; // the loop tells when it can be written, and owns this
    bool m_is_closing = false;
    bool m_is_ending = false; // lost() is under way
    int m_dropped = 0;        // calls of write() whose data nobody wants
};

/// Makes writers of the library's own.
struct WriterAccess
{
    static StreamWriter wrap(std::shared_ptr<WriterState> state)
    {
        return StreamWriter(std::move(state));
    }
    static const std::shared_ptr<WriterState> &state(const StreamWriter &writer)
    {
        return writer.m_state;
    }
};

} // namespace QAsyncio::detail
