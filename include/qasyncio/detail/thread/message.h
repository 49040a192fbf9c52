// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/loop/loop_core.h"

#include <memory>

namespace QAsyncio::detail {

/// Something for the thread of a loop, sent there from any thread: it arrives in a turn, or is disposed of unread when the loop
/// is closed. From then on it owns itself. All that crosses threads is one of these, or a handle of call_soon_threadsafe().
class Message : public Runnable
{
public:
    void send(LoopCore &core) noexcept
    {
        if (!try_send(core))
            dispose();
    }
    /// False, and nothing is done, if the loop is closed.
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

/// Calls a function in the loop's thread; drops it if the loop is closed, which has ended all its tasks. Unlike
/// call_soon_threadsafe() it needs the core only: the loop may be gone. The function throws nothing.
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

/// The same for one function of a shared state, which has this as a member: it takes no memory. Not to be sent again before
/// it has arrived.
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
        const std::shared_ptr<State> state = std::move(m_state); // this goes with it; and it may be sent again at once
        ((*state).*function)();
    }

private:
    void arrive() noexcept override { }
    void dispose() noexcept override { const std::shared_ptr<State> state = std::move(m_state); }

    std::shared_ptr<State> m_state;
};

} // namespace QAsyncio::detail
