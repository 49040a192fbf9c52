// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

namespace QAsyncio::detail {

/// A counted reference to anything that has retain() and release(): a future's state, a
/// HandleState...
template<class State>
class Ref
{
public:
    Ref() = default;
    static Ref adopt(State *state)
    {
        Ref ref;
        ref.m_state = state;
        return ref;
    }
    static Ref share(State *state)
    {
        if (state)
            state->retain();
        return adopt(state);
    }
    Ref(const Ref &other) : m_state(other.m_state)
    {
        if (m_state)
            m_state->retain();
    }
    Ref(Ref &&other) noexcept : m_state(std::exchange(other.m_state, nullptr)) { }
    Ref &operator=(Ref other) noexcept
    {
        std::swap(m_state, other.m_state);
        return *this;
    }
    ~Ref()
    {
        if (m_state)
            m_state->release();
    }

    State *get() const { return m_state; }
    State *operator->() const { return m_state; }
    State &operator*() const { return *m_state; }
    explicit operator bool() const { return m_state != nullptr; }
    State *leak() { return std::exchange(m_state, nullptr); }
    friend bool operator==(const Ref &, const Ref &) = default;

private:
    State *m_state = nullptr;
};

} // namespace QAsyncio::detail
