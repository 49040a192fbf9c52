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
    Entry &entry = m_entries[fd];
    FdState *replaced = std::exchange(entry.slot(direction), state);
    const std::shared_ptr<Selector> kept = m_selector; // who is called back by it may close the loop
    try {
        m_selector->set_interest(fd, entry.interest());
    } catch (...) {
        if (const auto found = m_entries.find(fd); found != m_entries.end()) {
            found->second.slot(direction) = replaced;
            if (!found->second.reader && !found->second.writer)
                m_entries.erase(found);
        }
        throw;
    }
    // A selector may call back: the one of notifiers lets Qt warn, and whoever takes its messages may remove this again.
    if (const auto found = m_entries.find(fd);
        !m_closed && (found == m_entries.end() || found->second.slot(direction) != state))
        update(fd, found == m_entries.end() ? Entry() : found->second);
    if (replaced) {
        replaced->cancel();
        replaced->release();
    }
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
    update(fd, left);
    removed->cancel();
    removed->release();
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
        const auto found = m_entries.find(event.fd);
        if (found == m_entries.end())
            continue;
        const Entry before = found->second;
        if (before.reader && (event.interest & Selector::Read))
            queue(before.reader, ready);
        if (before.writer && (event.interest & Selector::Write))
            queue(before.writer, ready);
    }
    m_ready = std::move(events); // its memory
}

void FdTable::queue(FdState *state, ReadyQueue &ready)
{
    if (state->executing()) {
        // It runs a nested event loop and has not read yet. Watched on, it would wake that loop for ever.
        if (!std::exchange(state->masked, true))
            update(state->fd, m_entries[state->fd]);
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
        update(state.fd, found->second);
}

void FdTable::update(int fd, const Entry &entry)
{
    const std::shared_ptr<Selector> kept = m_selector;
    try {
        if (kept)
            kept->set_interest(fd, entry.interest());
    } catch (const std::system_error &) {
        // The descriptor was closed before it was removed: nobody can watch it any more.
    }
}

void FdTable::close()
{
    m_closed = true;
    const auto all = std::exchange(m_entries, {});
    for (const auto &[fd, entry] : all) {
        update(fd, {});
        for (FdState *state : {entry.reader, entry.writer}) {
            if (state) {
                state->cancel();
                state->release();
            }
        }
    }
    m_selector.reset();
}

} // namespace QAsyncio::detail
