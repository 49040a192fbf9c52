// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/context.h"
#include "qasyncio/detail/loop/handle_state.h"
#include "qasyncio/detail/coroutine/ref.h"

namespace QAsyncio {

namespace detail {
class HandleAccess;
}

/// A scheduled callback: what call_soon() gives. Dropping the handle does not cancel the callback.
///
/// Thread: the loop's, except for handles from call_soon_threadsafe(), which any thread may use. Debug mode refuses
/// cancel() in another thread with RuntimeError; otherwise callback and loop are corrupted.
/// \sa https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.Handle
class QASYNCIO_EXPORT Handle
{
public:
    Handle() = default;

    /// Prevents the callback from running and destroys it at once. Does nothing if it has run or was cancelled before.
    /// Of call_soon_threadsafe(), in another thread while the callback runs: waits until it has returned, so that what it uses
    /// may be destroyed. Do not call it with a lock that the callback wants.
    void cancel()
    {
        if (!m_state)
            return;
        m_state->check_thread();
        m_state->cancel();
    }
    bool cancelled() const { return m_state && m_state->cancelled(); }
    /// The context that the callback runs in. In the loop's thread only. Throws RuntimeError for a default-constructed handle.
    Context get_context() const;
    /// False for a default-constructed handle.
    explicit operator bool() const { return bool(m_state); }
    /// "<Handle>", "<TimerHandle cancelled when=12.500>"
    QString to_string() const;

    /// Adopts a reference.
    explicit Handle(detail::HandleState *adopted) : m_state(detail::Ref<detail::HandleState>::adopt(adopted)) { }

protected:
    friend class detail::HandleAccess;
    detail::Ref<detail::HandleState> m_state;
};

namespace detail {
class HandleAccess
{
public:
    static HandleState *state(const Handle &handle) { return handle.m_state.get(); }
    /// Cancels it in a destructor, which must not throw.
    static void drop(const Handle &handle) noexcept
    {
        if (handle.m_state)
            handle.m_state->cancel();
    }
};
} // namespace detail

/// A callback with a deadline: what call_later() and call_at() give.
class QASYNCIO_EXPORT TimerHandle : public Handle
{
public:
    TimerHandle() = default;
    explicit TimerHandle(detail::TimerState *adopted) : Handle(adopted) { }

    /// The deadline, by the loop's clock; also after cancel().
    TimePoint when() const { return m_state ? static_cast<detail::TimerState &>(*m_state).when : TimePoint(); }
};

} // namespace QAsyncio
