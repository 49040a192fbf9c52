// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/sync/sync_state.h"

namespace QAsyncio::detail {

/// Releases what a primitive has given, at the end of its scope: a LockGuard, a SemaphoreGuard.
/// The primitive may be gone by then.
template<class S>
class [[nodiscard("it is released when this is dropped")]] Held
{
public:
    /// Holds nothing.
    Held() = default;
    Held(Held &&) noexcept = default;
    Held &operator=(Held &&other) noexcept
    {
        Held taken(std::move(other));
        std::swap(m_source, taken.m_source);
        std::swap(m_ticket, taken.m_ticket);
        return *this;
    }
    ~Held() { release(); }

    /// Releases it now. Does nothing if that has been done.
    void release() noexcept
    {
        if (const Ref<S> source = std::move(m_source))
            source->put_back(m_ticket);
    }
    /// Whether this holds something.
    explicit operator bool() const noexcept { return bool(m_source); }

private:
    template<class>
    friend class ScopedAwaiter;
    friend struct TakeHeld;
    explicit Held(const Ref<S> &source) : m_source(source), m_ticket(source->ticket()) { }

    Ref<S> m_source;
    quint32 m_ticket = 0; // tells who has taken it
};

struct TakeHeld
{
    template<class S>
    Held<S> operator()(const Ref<S> &source) const
    {
        return Held<S>(source);
    }
};

/// What Lock::scoped() gives.
template<class S>
class ScopedAwaiter : public SyncAwaiter<S>
{
public:
    using SyncAwaiter<S>::SyncAwaiter;

    Held<S> await_resume()
    {
        SyncAwaiter<S>::await_resume();
        return Held<S>(this->source());
    }
    /// For race().
    auto claim() && { return SyncClaim<S, TakeHeld>(this->source()); }
};

template<class S>
[[nodiscard("it does nothing until it is awaited")]] Await<ScopedAwaiter<S>> scoped_from(
    const Ref<S> &source)
{
    return Await<ScopedAwaiter<S>>(std::in_place, source);
}

} // namespace QAsyncio::detail
