// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/global.h"

namespace QAsyncio::detail {

class CloseListeners;

/// Something that other threads wait for, or work for, and that has to end when a loop does: a
/// channel, a function in a thread. In the loop's thread.
class QASYNCIO_EXPORT CloseListener
{
public:
    /// Called once, at the beginning of the loop's end: its tasks still exist, or have just been
    /// cancelled by a Runner. It is no longer in the list then. Whoever owns it for the list
    /// releases it here.
    virtual void loop_closes() noexcept = 0;

protected:
    CloseListener() = default;
    ~CloseListener() = default;
    CloseListener(const CloseListener &) = delete;
    CloseListener &operator=(const CloseListener &) = delete;

private:
    friend class CloseListeners;

    CloseListeners *m_list = nullptr;
    CloseListener *m_previous = nullptr;
    CloseListener *m_next = nullptr;
};

/// Those of one loop.
class CloseListeners
{
public:
    CloseListeners() = default;
    CloseListeners(const CloseListeners &) = delete;
    CloseListeners &operator=(const CloseListeners &) = delete;

    void add(CloseListener &listener) noexcept
    {
        listener.m_list = this;
        listener.m_next = m_first;
        if (m_first)
            m_first->m_previous = &listener;
        m_first = &listener;
    }
    /// False if it is not in the list.
    bool remove(CloseListener &listener) noexcept
    {
        if (!listener.m_list)
            return false;
        (listener.m_previous ? listener.m_previous->m_next : m_first) = listener.m_next;
        if (listener.m_next)
            listener.m_next->m_previous = listener.m_previous;
        listener.m_list = nullptr;
        listener.m_previous = listener.m_next = nullptr;
        return true;
    }
    /// Empties the list. What is called may add others, and remove any.
    void tell() noexcept
    {
        while (CloseListener *const first = m_first) {
            remove(*first);
            first->loop_closes();
        }
    }

private:
    CloseListener *m_first = nullptr;
};

} // namespace QAsyncio::detail
