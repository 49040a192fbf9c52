// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "loop/fd_table.h"

#include <system_error>

namespace QAsyncio::detail {

void FdTable::add(FdState *state)
{
    if (m_closed) { // by a destructor, while the loop is closed
        state->cancel();
        state->release();
        return;
    }
    const int fd = state->fd;
    const unsigned direction = state->direction;
    FdState *const replaced = std::exchange(m_entries[fd].slot(direction), state);
    try {
        tell_selector(fd);
    } catch (...) {
        give_back(*state, replaced);
        throw;
    }
    drop(replaced);
}

/// The selector has refused `state`, in whose place `before` was.
void FdTable::give_back(FdState &state, FdState *before)
{
    const auto found = m_entries.find(state.fd);
    if (found == m_entries.end() || found->second.slot(state.direction) != &state) { // who was called back has removed it
        state.retain(); // as if the table still had its reference, which the caller takes back
        return drop(before);
    }
    found->second.slot(state.direction) = before;
    if (!found->second.reader && !found->second.writer)
        m_entries.erase(found);
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
    const auto found = m_entries.find(fd);
    if (found == m_entries.end())
        return false;
    FdState *removed = std::exchange(found->second.slot(direction), nullptr);
    if (!removed)
        return false;
    const Entry left = found->second;
    if (!left.reader && !left.writer)
        m_entries.erase(found);
    update(fd);
    drop(removed);
    return true;
}

void FdTable::poll_into(ReadyQueue &ready)
{
    if (m_entries.empty())
        return;
    std::vector<Selector::Ready> events = std::exchange(m_ready, {}); // a selector may call back, and poll again
    events.clear();
    const std::shared_ptr<Selector> kept = m_selector;
    kept->poll(events);
    for (const Selector::Ready &event : events) {
        for (const Selector::Interest direction : {Selector::Read, Selector::Write}) {
            if (!(event.interest & direction))
                continue;
            const auto found = m_entries.find(event.fd);
            if (FdState *const state = found == m_entries.end() ? nullptr : found->second.slot(direction))
                queue(state, ready);
        }
    }
    m_ready = std::move(events); // its memory
}

void FdTable::queue(FdState *state, ReadyQueue &ready)
{
    if (state->executing()) {
        // It runs a nested event loop and has not read yet. Watched on, it would wake that loop for ever.
        if (!std::exchange(state->masked, true))
            update(state->fd);
        return;
    }
    if (std::exchange(state->queued, true))
        return;
    state->retain();
    ready.push(state);
}

void FdTable::unmask(FdState &state)
{
    state.masked = false;
    const auto found = m_entries.find(state.fd);
    if (found != m_entries.end() && found->second.slot(state.direction) == &state)
        update(state.fd);
}

/// A selector may call back: the one of notifiers lets Qt warn, and whoever takes its messages may add, remove and close. Told
/// until it was told what is wanted.
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
    const auto found = m_entries.find(fd);
    return found == m_entries.end() ? unsigned(Selector::None) : found->second.interest();
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
    const auto all = std::exchange(m_entries, {});
    for (const auto &[fd, entry] : all) {
        update(fd);
        drop(entry.reader);
        drop(entry.writer);
    }
    m_selector.reset();
}

} // namespace QAsyncio::detail
