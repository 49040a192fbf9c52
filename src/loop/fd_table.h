// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/loop/handle_state.h"
#include "qasyncio/selector.h"

#include <array>
#include <memory>
#include <vector>

namespace QAsyncio::detail {

/// The readers and writers of a loop, one a descriptor and direction.
class FdTable
{
public:
    explicit FdTable(std::shared_ptr<Selector> selector) : m_selector(std::move(selector)) { }
    ~FdTable() { close(); }
    Q_DISABLE_COPY_MOVE(FdTable)

    Selector &selector() { return *m_selector; }
    bool empty() const { return m_used == 0; }

    /// Takes the reference; after close() only to drop it. Cancels the one that was there (L-119). Throws OSError, and then
    /// `state` is not taken.
    void add(FdState *state);
    bool remove(int fd, unsigned direction);
    /// Queues the callbacks of the descriptors that are ready, a reader before the writer of the same one (L-004). False if there
    /// was none.
    bool poll_into(ReadyQueue &ready);
    /// The callback has returned, after it was found ready while it ran.
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
            return (reader && !reader->masked ? Selector::Read : 0u) | (writer && !writer->masked ? Selector::Write : 0u);
        }
    };

    // The numbers of descriptors are small: the system gives the smallest that is free. One far off costs a page of its own.
    using Page = std::array<Entry, 1024>;

    /// Null for what is not watched.
    Entry *find(int fd) const;
    /// What is at `direction` of `fd`, and is `state` from now on.
    FdState *replace(int fd, unsigned direction, FdState *state);
    void queue(FdState *state, ReadyQueue &ready);
    static void drop(FdState *state);
    void close_page(const Page &page, int first);
    void give_back(FdState &state, FdState *before);
    unsigned interest(int fd) const;
    /// Throws what the selector throws.
    void tell_selector(int fd);
    /// In silence if the descriptor is closed already.
    void update(int fd);

    std::shared_ptr<Selector> m_selector;
    std::vector<std::unique_ptr<Page>> m_pages;
    std::size_t m_used = 0; // entries that are not empty
    std::vector<Selector::Ready> m_ready; // of one poll
    bool m_closed = false;
};

} // namespace QAsyncio::detail
