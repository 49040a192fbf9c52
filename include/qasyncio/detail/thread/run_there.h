// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/loop/loop_core.h"

#include <memory>

namespace QAsyncio::detail {

/// Calls a function in the loop's thread; drops it if the loop is closed, which has ended all its tasks. Unlike
/// call_soon_threadsafe() it needs the core only: the loop may be gone. The function throws nothing.
template<class F>
void run_there(LoopCore &core, F function)
{
    class Call final : public Runnable
    {
    public:
        explicit Call(F function) : m_function(std::move(function)) { }
        void run(LoopCore &) noexcept override
        {
            m_function();
            delete this;
        }
        void discard() noexcept override { delete this; }

        InboxNode node{this};

    private:
        F m_function;
    };
    auto *call = new Call(std::move(function));
    if (!core.try_push_threadsafe(call->node))
        call->discard();
}

/// The same for one function of a shared state, which has this as a member: it takes no memory. Not to be pushed again
/// before it has run.
template<class State, void (State::*function)()>
class CallHome final : public Runnable
{
public:
    void push(LoopCore &core, std::shared_ptr<State> state) noexcept
    {
        m_state = std::move(state);
        if (!core.try_push_threadsafe(m_node))
            discard();
    }

    void run(LoopCore &) noexcept override
    {
        const std::shared_ptr<State> state = std::move(m_state); // this goes with it
        ((*state).*function)();
    }
    void discard() noexcept override { const std::shared_ptr<State> state = std::move(m_state); }

private:
    std::shared_ptr<State> m_state;
    InboxNode m_node{this};
};

} // namespace QAsyncio::detail
