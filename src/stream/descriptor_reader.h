// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/stream_reader.h"

#include "qasyncio/detail/coroutine/ref.h"
#include "qasyncio/detail/loop/loop_core.h"

namespace QAsyncio::detail {

/// Reads a descriptor, which it owns, into a reader, whenever there is something. A part of the
/// reader. At the end of the stream, and after an error, it closes the descriptor.
class DescriptorReader final : public ReadTransport
{
public:
    /// Begins to read. If this throws, the descriptor is still the caller's.
    DescriptorReader(LoopCore &loop, int fd, ReaderState &reader);
    ~DescriptorReader() { close(); }

    void pause_reading() override;
    void resume_reading() override;
    /// -1 after its end.
    int fd() const { return m_fd; }
    /// Throws RuntimeError if nothing can come any more, because the loop is closed, or if another
    /// loop runs here.
    void check_loop() const;

private:
    void read_ready();
    void close() noexcept;
    qsizetype read_into_buffer();
    qsizetype read_and_append();

    const Ref<LoopCore> m_loop;
    ReaderState &m_reader;
    int m_fd;
    bool m_is_watched = false;
    bool m_is_bulk = false; // the last read was a large one
};

} // namespace QAsyncio::detail
