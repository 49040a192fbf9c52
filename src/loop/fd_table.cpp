// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "loop/fd_table.h"

#include "qasyncio/errors.h"

#include <cerrno>
#include <system_error>
#include <tuple>

namespace QAsyncio::detail {

FdTable::Entry *FdTable::find(int fd) const
{
    constexpr std::size_t size = std::tuple_size_v<Page>;
    const auto number = static_cast<std::size_t>(fd); // a negative one is beyond all pages
    if (number / size >= m_pages.size() || !m_pages[number / size])
        return nullptr;
    Entry &entry = (*m_pages[number / size])[number % size];
    return entry.empty() ? nullptr : &entry;
}

FdState *FdTable::replace(int fd, unsigned direction, FdState *state)
{
    constexpr std::size_t size = std::tuple_size_v<Page>;
    const auto number = static_cast<std::size_t>(fd);
    if (number / size >= m_pages.size())
        m_pages.resize(number / size + 1);
    std::unique_ptr<Page> &page = m_pages[number / size];
    if (!page)
        page = std::make_unique<Page>();
    Entry &entry = (*page)[number % size];
    m_used -= entry.empty() ? 0u : 1u;
    FdState *const before = std::exchange(entry.slot(direction), state);
    m_used += entry.empty() ? 0u : 1u;
    return before;
}

void FdTable::add(FdState *state)
{
    if (m_closed) { // added by a destructor while the loop is being closed
        state->cancel();
        state->release();
        return;
    }
    const int fd = state->fd;
    if (fd < 0)
        throw OSError(EBADF, QStringLiteral("file descriptor %1 cannot be watched").arg(fd));
    FdState *const replaced = replace(fd, state->direction, state);
    try {
        tell_selector(fd);
    } catch (...) {
        give_back(*state, replaced);
        throw;
    }
    drop(replaced);
}

/// The selector has refused `state`: puts `before` back in its place.
void FdTable::give_back(FdState &state, FdState *before)
{
    Entry *const entry = find(state.fd);
    // Code that the selector called back has removed it.
    if (!entry || entry->slot(state.direction) != &state) {
        state.retain(); // for the caller, who takes back the reference that the table had
        return drop(before);
    }
    replace(state.fd, state.direction, before);
}

void FdTable::drop(FdState *state)
{
    if (!state)
        return;
    state->cancel();
    state->release();
}

bool FdTable::remove(int fd, unsigned direction)
{
    Entry *const entry = find(fd);
    if (!entry || !entry->slot(direction))
        return false;
    FdState *const removed = replace(fd, direction, nullptr);
    update(fd);
    drop(removed);
    return true;
}

bool FdTable::poll_into(ReadyQueue &ready)
{
    if (empty())
        return false;
    // A selector may call back, and poll again.
    std::vector<Selector::Ready> events = std::exchange(m_ready, {});
    events.clear();
    const std::shared_ptr<Selector> kept = m_selector;
    kept->poll(events);
    bool found = false;
    for (const Selector::Ready &event : events) {
        for (const Selector::Interest direction : {Selector::Read, Selector::Write}) {
            if (!(event.interest & direction))
                continue;
            Entry *const entry = find(event.fd);
            if (FdState *const state = entry ? entry->slot(direction) : nullptr)
                found |= queue(state, ready);
        }
    }
    m_ready = std::move(events); // keeps its memory
    return found;
}

bool FdTable::queue(FdState *state, ReadyQueue &ready)
{
    if (state->executing()) {
        // The callback has opened a nested event loop and has not read yet. If it were still
        // watched, it would wake that loop for ever.
        if (!std::exchange(state->masked, true))
            update(state->fd);
        return false;
    }
    if (std::exchange(state->queued, true))
        return false;
    state->retain();
    ready.push(state);
    return true;
}

void FdTable::unmask(FdState &state)
{
    state.masked = false;
    Entry *const entry = find(state.fd);
    if (entry && entry->slot(state.direction) == &state)
        update(state.fd);
}

/// A selector may call back: the one made of notifiers lets Qt warn, and the program's message
/// handler may add and remove descriptors or close the loop. So the selector is told again until it
/// knows what is wanted.
void FdTable::tell_selector(int fd)
{
    const std::shared_ptr<Selector> kept = m_selector;
    unsigned told;
    do {
        told = interest(fd);
        if (kept)
            kept->set_interest(fd, told);
    } while (!m_closed && interest(fd) != told);
}

unsigned FdTable::interest(int fd) const
{
    const Entry *const entry = find(fd);
    return entry ? entry->interest() : unsigned(Selector::None);
}

void FdTable::update(int fd)
{
    try {
        tell_selector(fd);
    } catch (const std::system_error &) {
        // The descriptor was closed before it was removed: nobody can watch it any more.
    }
}

void FdTable::close()
{
    m_closed = true;
    const auto pages = std::exchange(m_pages, {});
    m_used = 0;
    for (std::size_t number = 0; number < pages.size(); ++number) {
        if (pages[number])
            close_page(*pages[number], static_cast<int>(number * std::tuple_size_v<Page>));
    }
    m_selector.reset();
}

void FdTable::close_page(const Page &page, int first)
{
    for (std::size_t i = 0; i < page.size(); ++i) {
        if (page[i].empty())
            continue;
        update(first + static_cast<int>(i));
        drop(page[i].reader);
        drop(page[i].writer);
    }
}

} // namespace QAsyncio::detail
