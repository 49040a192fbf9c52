// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/context.h"
#include "qasyncio/detail/coroutine/ref.h"
#include "qasyncio/detail/loop/handle_state.h"

namespace QAsyncio {

namespace detail {
class HandleAccess;
}

/// A callback that is scheduled: what call_soon() returns. Dropping the handle does not cancel the
/// callback.
///
///     Handle handle = loop.call_soon(update);
///     handle.cancel();   // update() is not called
///
/// Thread: the loop's. Handles from call_soon_threadsafe() may be used in any thread. In debug mode
/// cancel() throws RuntimeError in a wrong thread; without debug mode callback and loop are
/// corrupted.
/// \sa https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.Handle
class QASYNCIO_EXPORT Handle
{
public:
    /// A handle on no callback.
    Handle() = default;

    /// Keeps the callback from running and destroys it at once. Has no effect on a callback that
    /// has already run or was cancelled before.
    /// If the handle comes from call_soon_threadsafe() and the callback is just running in the
    /// loop's thread, a cancel() in another thread waits until it has returned, so that whatever it
    /// uses may be destroyed afterwards. Do not call it while you hold a lock that the callback
    /// needs.
    void cancel()
    {
        if (!m_state)
            return;
        m_state->check_thread();
        m_state->cancel();
    }
    /// Whether cancel() was called.
    bool cancelled() const { return m_state && m_state->cancelled(); }
    /// The context that the callback runs in. Call it in the loop's thread only. Throws
    /// RuntimeError for a default-constructed handle.
    Context get_context() const;
    /// False for a default-constructed handle.
    explicit operator bool() const { return bool(m_state); }
    /// "<Handle>", "<TimerHandle cancelled when=12.500>"
    QString to_string() const;

    /// Used by the loop. Takes over a reference.
    explicit Handle(detail::HandleState *adopted)
        : m_state(detail::Ref<detail::HandleState>::adopt(adopted))
    { }

protected:
    friend class detail::HandleAccess;
    detail::Ref<detail::HandleState> m_state;
};

namespace detail {
class HandleAccess
{
public:
    static HandleState *state(const Handle &handle) { return handle.m_state.get(); }
    /// Cancels the callback from a destructor, where nothing may be thrown.
    static void drop(const Handle &handle) noexcept
    {
        if (handle.m_state)
            handle.m_state->cancel();
    }
};
} // namespace detail

/// A callback with a deadline: what call_later() and call_at() return. Everything said at Handle
/// holds for it.
class QASYNCIO_EXPORT TimerHandle : public Handle
{
public:
    /// A handle on no callback.
    TimerHandle() = default;
    /// Used by the loop. Takes over a reference.
    explicit TimerHandle(detail::TimerState *adopted) : Handle(adopted) { }

    /// The deadline on the loop's clock. It is known after cancel() too.
    TimePoint when() const
    {
        return m_state ? static_cast<detail::TimerState &>(*m_state).when : TimePoint();
    }
};

} // namespace QAsyncio
