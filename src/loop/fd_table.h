// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/loop/handle_state.h"
#include "qasyncio/selector.h"

#include <array>
#include <memory>
#include <vector>

namespace QAsyncio::detail {

/// The readers and writers of a loop, one per descriptor and direction. A part of LoopPrivate.
class FdTable
{
public:
    explicit FdTable(std::shared_ptr<Selector> selector) : m_selector(std::move(selector)) { }
    ~FdTable() { close(); }
    Q_DISABLE_COPY_MOVE(FdTable)

    Selector &selector() { return *m_selector; }
    bool empty() const { return m_used == 0; }

    /// Takes over the caller's reference, and cancels the callback that was there before (L-119).
    /// After close() it only drops the new one. Throws OSError; then the reference stays with the
    /// caller.
    void add(FdState *state);
    bool remove(int fd, unsigned direction);
    /// Queues the callbacks of the descriptors that are ready; the reader of a descriptor before
    /// its writer (L-004). Returns false if there was
    /// nothing to queue.
    bool poll_into(ReadyQueue &ready);
    /// Called when a callback has returned that was found ready while it ran: watches its
    /// descriptor again.
    void unmask(FdState &state);
    /// Cancels all and lets go of the selector.
    void close();

private:
    struct Entry
    {
        FdState *reader = nullptr;
        FdState *writer = nullptr;

        bool empty() const { return !reader && !writer; }
        FdState *&slot(unsigned direction) { return direction == Selector::Read ? reader : writer; }
        unsigned interest() const
        {
            return (reader && !reader->masked ? Selector::Read : 0u)
                | (writer && !writer->masked ? Selector::Write : 0u);
        }
    };

    // Descriptors are small numbers: the system gives the smallest free one. A large one costs a
    // page of its own.
    using Page = std::array<Entry, 1024>;

    /// Null for what is not watched.
    Entry *find(int fd) const;
    /// Puts `state`, which may be null, at `direction` of `fd`; returns what was there.
    FdState *replace(int fd, unsigned direction, FdState *state);
    /// False if its callback is queued already, or is being run.
    bool queue(FdState *state, ReadyQueue &ready);
    static void drop(FdState *state);
    void close_page(const Page &page, int first);
    void give_back(FdState &state, FdState *before);
    unsigned interest(int fd) const;
    /// Throws what the selector throws.
    void tell_selector(int fd);
    /// tell_selector(), but a descriptor that is closed already is no error.
    void update(int fd);

    std::shared_ptr<Selector> m_selector;
    std::vector<std::unique_ptr<Page>> m_pages;
    std::size_t m_used = 0;               // entries that are not empty
    std::vector<Selector::Ready> m_ready; // of one poll; kept for its memory
    bool m_closed = false;
};

} // namespace QAsyncio::detail
