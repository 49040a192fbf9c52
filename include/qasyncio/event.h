// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/sync/sync_state.h"

namespace QAsyncio {

namespace detail {
/// What an Event shares with those who wait for it.
class QASYNCIO_EXPORT EventState : public SyncState
{
public:
    explicit EventState(bool is_set = false, const char *type_name = "Event")
        : SyncState(type_name), m_is_set(is_set)
    { }

    bool is_free() const noexcept { return m_is_set; }
    bool try_take() noexcept { return m_is_set; }
    void took() noexcept { }
    void gave_up(Waiter::State) noexcept { }
    void put_back() noexcept { }

    void set()
    {
        check_thread();
        if (std::exchange(m_is_set, true))
            return;
        while (queue.wake_next())
            ;
    }
    void clear() noexcept { m_is_set = false; }

    QString describe_wait() const override;

private:
    QString describe_state() const override;

    bool m_is_set;
};
} // namespace detail

/// Something that tasks wait for until it is set, once or again and again.
///
///     Event ready;
///     ...
///     co_await ready.wait();   // in any number of tasks
///     ...
///     ready.set();             // lets all of them go on
///
/// For tasks of one loop only. Lifetime: if the event is destroyed while tasks wait for it, their
/// await throws RuntimeError. Thread: the loop's. In debug mode set() throws RuntimeError in
/// another thread once somebody has waited; without debug mode the loop is corrupted.
/// \sa https://docs.python.org/3/library/asyncio-sync.html#asyncio.Event
class QASYNCIO_EXPORT Event
{
public:
    Event();
    ~Event();
    Q_DISABLE_COPY_MOVE(Event)

    /// `co_await event.wait()`: waits until the event is set. Does not suspend if it is. A task
    /// that was woken goes on even if the event has been cleared meanwhile. Throws RuntimeError if
    /// it has to wait in another loop than somebody before. Cancellation: ends the wait.
    [[nodiscard("await it")]] auto wait() { return detail::acquire_from(m_state); }
    /// Lets all who wait go on, in the order in which they came.
    void set() { m_state->set(); }
    /// Those who come from now on wait.
    void clear() { m_state->clear(); }
    bool is_set() const { return m_state->is_free(); }
    /// "<Event [unset, waiters:3]>"
    QString to_string() const { return m_state->describe(); }

private:
    const detail::Ref<detail::EventState> m_state;
};

} // namespace QAsyncio
