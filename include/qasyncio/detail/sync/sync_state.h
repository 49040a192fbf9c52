// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/awaiter.h"
#include "qasyncio/detail/coroutine/ref.h"
#include "qasyncio/detail/sync/wait_queue.h"
#include "qasyncio/future.h"

#include <concepts>

namespace QAsyncio::detail {

/// What a synchronisation primitive shares with those who wait for it or hold it. It outlives the
/// primitive, which may be a member of an object that dies first. In the loop's thread.
class QASYNCIO_EXPORT SyncState
{
public:
    /// `type_name`: "Lock", for texts.
    explicit SyncState(const char *type_name) : m_type_name(type_name) { }
    virtual ~SyncState();
    Q_DISABLE_COPY_MOVE(SyncState)

    void retain() noexcept { ++m_refs; }
    void release() noexcept
    {
        if (--m_refs == 0)
            delete this;
    }
    /// Called by whoever has to wait. Throws RuntimeError if somebody has waited in another loop.
    void bind(LoopCore &core);
    /// Debug mode: throws RuntimeError in a thread other than that of the loop, while this runs.
    void check_thread() const
    {
        if (m_core && Q_UNLIKELY(m_core->has(LoopCore::Debug)))
            check_thread_slow();
    }
    /// Throws RuntimeError if the primitive is gone.
    void check_alive() const
    {
        if (Q_UNLIKELY(queue.is_abandoned()))
            throw_abandoned();
    }
    [[noreturn]] void throw_abandoned() const;

    /// "<Lock [locked, waiters:3]>"
    QString describe() const;
    /// What a task waits for here, in words: "lock held by Task 'sync'".
    virtual QString describe_wait() const;

    /// "Lock"
    const char *type_name() const noexcept { return m_type_name; }

    WaitQueue queue;

protected:
    /// "locked"
    virtual QString describe_state() const = 0;

private:
    void check_thread_slow() const;

    const char *const m_type_name;
    Ref<LoopCore> m_core; // where somebody has waited first
    int m_refs = 1;
};

/// What somebody waits for at a primitive: a lock, a permit, that an event is set.
template<class S>
concept SyncSource = std::derived_from<S, SyncState> && requires(S &source, Waiter::State was) {
    /// Takes it without waiting. False if that cannot be done, or others are in front.
    { source.try_take() } noexcept -> std::same_as<bool>;
    /// Could it be taken?
    { source.is_free() } noexcept -> std::same_as<bool>;
    /// Somebody who was Woken goes on, and has it now.
    { source.took() } noexcept -> std::same_as<void>;
    /// Somebody has left without it, who was `was` before.
    { source.gave_up(was) } noexcept -> std::same_as<void>;
};

/// Awaits a primitive, in the frame of the awaiting task.
template<class S>
class SyncAwaiter : public AwaiterBase, public Waiter
{
public:
    explicit SyncAwaiter(Ref<S> source) : m_source(std::move(source)) { }
    SyncAwaiter(SyncAwaiter &&) noexcept = default;
    ~SyncAwaiter()
    {
        if (m_source && state() != Outside) // unwound
            give_up();
    }

    bool await_ready() noexcept { return m_source->try_take(); }
    void await_suspend()
    {
        m_source->check_alive();
        m_source->bind(*task()->core);
        m_source->queue.append(*this);
    }
    void await_resume()
    {
        if (Q_UNLIKELY(state() != Outside)) // it had to wait
            end_wait();
    }
    void await_discard() { give_up(); }
    bool await_cancel(const QString &message) override
    {
        if (state() != Waiting)
            return false;
        m_source->queue.cancel(*this);
        return resume_cancelled(message);
    }
    QString await_description() const override { return m_source->describe_wait(); }

protected:
    const Ref<S> &source() const { return m_source; }

private:
    bool wake() noexcept override
    {
        resume();
        return true;
    }
    Q_NEVER_INLINE void end_wait()
    {
        if (m_source->queue.leave(*this) == Abandoned)
            m_source->throw_abandoned();
        m_source->took();
    }
    void give_up() noexcept { m_source->gave_up(m_source->queue.leave(*this)); }

    Ref<S> m_source;
};

/// Completes the future that a claim waits for. False if it was cancelled, since the race is
/// decided, or if this is another thread, in debug mode.
QASYNCIO_EXPORT bool complete_if_pending(Future<> &future) noexcept;

/// A claim to what a primitive gives, for race(): see Claim. `take` makes its result.
template<class S, class Take>
class SyncClaim final : public Waiter
{
public:
    explicit SyncClaim(Ref<S> source) : m_source(std::move(source)) { }
    SyncClaim(SyncClaim &&) noexcept = default; // only before ready()
    ~SyncClaim()
    {
        if (m_source)
            withdraw();
    }

    bool is_ready() const
    {
        return m_has_taken || state() == Woken || state() == Abandoned
            || (state() == Outside && m_source->is_free());
    }
    Future<> ready()
    {
        if (state() == Cancelled) // the future of the wait before was cancelled
            m_source->gave_up(m_source->queue.leave(*this));
        LoopCore &core = running_core();
        m_ready = make_named_future<void>(core, m_source->type_name());
        if (is_ready()) {
            m_ready.set_result();
        } else {
            m_source->check_alive();
            m_source->bind(core);
            if (state() == Outside)
                m_source->queue.append(*this);
        }
        return m_ready;
    }
    bool reserve() noexcept
    {
        if (m_has_taken || state() == Abandoned)
            return true;
        if (state() == Outside)
            return m_has_taken = m_source->try_take();
        if (state() != Woken)
            return false;
        m_source->queue.leave(*this);
        m_source->took();
        return m_has_taken = true;
    }
    void withdraw() noexcept
    {
        if (std::exchange(m_has_taken, false))
            m_source->put_back();
        else if (state() != Outside)
            m_source->gave_up(m_source->queue.leave(*this));
    }
    auto take()
    {
        if (state() == Abandoned)
            m_source->throw_abandoned();
        m_has_taken = false;
        return Take()(m_source);
    }

private:
    bool wake() noexcept override { return complete_if_pending(m_ready); }

    Ref<S> m_source;
    Future<> m_ready;
    bool m_has_taken = false;
};

/// Gives nothing: somebody has to release what was acquired.
struct TakeNothing
{
    template<class S>
    std::monostate operator()(const Ref<S> &) const
    {
        return {};
    }
};

/// What Lock::acquire(), Event::wait() and the like give.
template<class S>
class AcquireAwaiter : public SyncAwaiter<S>
{
public:
    using SyncAwaiter<S>::SyncAwaiter;
    /// For race().
    auto claim() && { return SyncClaim<S, TakeNothing>(this->source()); }
};

template<class S>
[[nodiscard("it does nothing until it is awaited")]] Await<AcquireAwaiter<S>> acquire_from(
    const Ref<S> &source)
{
    return Await<AcquireAwaiter<S>>(std::in_place, source);
}

} // namespace QAsyncio::detail
