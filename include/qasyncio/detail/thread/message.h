// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/loop/loop_core.h"

#include <memory>

namespace QAsyncio::detail {

/// Something that is sent from any thread to the thread of a loop. It arrives in a turn, or is
/// disposed of unread if the loop is closed. Once sent, it owns itself. Everything that crosses
/// threads is a message, or a handle of call_soon_threadsafe().
class Message : public Runnable
{
public:
    void send(LoopCore &core) noexcept
    {
        if (!try_send(core))
            dispose();
    }
    /// Returns false and does nothing if the loop is closed.
    bool try_send(LoopCore &core) noexcept { return core.try_push_threadsafe(m_node); }

    void run(LoopCore &) noexcept override
    {
        arrive();
        dispose();
    }
    void discard() noexcept override { dispose(); }

protected:
    /// In the loop's thread.
    virtual void arrive() noexcept = 0;
    virtual void dispose() noexcept { delete this; }

private:
    InboxNode m_node{this};
};

/// Calls a function in the loop's thread. If the loop is closed, which has ended all its tasks, the
/// function is dropped. Unlike call_soon_threadsafe() this needs only the core: the loop object may
/// be gone. The function must not throw.
template<class F>
void run_there(LoopCore &core, F function)
{
    class Call final : public Message
    {
    public:
        explicit Call(F function) : m_function(std::move(function)) { }

    private:
        void arrive() noexcept override { m_function(); }

        F m_function;
    };
    (new Call(std::move(function)))->send(core);
}

/// The same for one member function of a shared state. The state has this as a member, so that
/// sending takes no memory. Must not be sent again before it has arrived.
template<class State, void (State::*function)()>
class CallHome final : public Message
{
public:
    void send(LoopCore &core, std::shared_ptr<State> state) noexcept
    {
        m_state = std::move(state);
        Message::send(core);
    }

    void run(LoopCore &) noexcept override
    {
        // The state owns *this, which may be sent again at once.
        const std::shared_ptr<State> state = std::move(m_state);
        ((*state).*function)();
    }

private:
    void arrive() noexcept override { }
    void dispose() noexcept override { const std::shared_ptr<State> state = std::move(m_state); }

    std::shared_ptr<State> m_state;
};

} // namespace QAsyncio::detail
