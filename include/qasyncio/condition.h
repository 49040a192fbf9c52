// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/coroutine.h"
#include "qasyncio/detail/coroutine/closure.h"
#include "qasyncio/lock.h"

#include <optional>

namespace QAsyncio {

namespace detail {
/// What a Condition shares with those who wait for it. To be notified is nothing that could be
/// taken without waiting.
class QASYNCIO_EXPORT ConditionState final : public SyncState
{
public:
    explicit ConditionState(Ref<LockState> lock, const char *type_name = "Condition")
        : SyncState(type_name), lock(std::move(lock))
    { }

    bool is_free() const noexcept { return false; }
    bool try_take() noexcept { return false; }
    void took() noexcept { }
    void gave_up(Waiter::State) noexcept { } // the wait() that this is a part of hands it on

    /// Wakes `count` waiters at most, or all of them.
    void notify(std::size_t count) noexcept
    {
        while (count-- > 0 && queue.wake_next())
            ;
    }
    void notify_all() noexcept { notify(queue.size()); }

    const Ref<LockState> lock;

private:
    QString describe_state() const override;
};

QASYNCIO_EXPORT Coroutine<> wait_for_notification(Ref<ConditionState> condition);

template<class R, class Predicate>
Coroutine<R> wait_until_it_holds(Ref<ConditionState> condition, Predicate predicate)
{
    for (;;) {
        R result = std::invoke(predicate);
        if (result)
            co_return std::move(result);
        co_await wait_for_notification(condition);
    }
}
} // namespace detail

/// Lets tasks wait, with a lock in their hands, until another task has changed what the lock
/// protects.
///
///     Condition changed;
///     ...
///     {
///         const auto held = co_await changed.scoped();
///         co_await changed.wait_for([&] { return !items.empty(); });
///         take(items);
///     }
///     ...
///     {
///         const auto held = co_await changed.scoped();
///         items.push_back(item);
///         changed.notify();
///     }
///
/// For tasks of one loop only. Lifetime: if the condition is destroyed while tasks wait for it,
/// their await throws RuntimeError. Thread: the loop's. In debug mode notify() and notify_all()
/// throw RuntimeError in another thread once somebody has waited; without debug mode the loop is
/// corrupted.
/// \sa https://docs.python.org/3/library/asyncio-sync.html#asyncio.Condition
class QASYNCIO_EXPORT Condition
{
public:
    /// With a lock of its own.
    Condition();
    /// With a lock that it shares with others.
    explicit Condition(Lock &lock);
    ~Condition();
    Q_DISABLE_COPY_MOVE(Condition)

    /// The functions of the lock, see Lock.
    [[nodiscard("await it")]] auto acquire() { return detail::acquire_from(m_state->lock); }
    [[nodiscard("await it")]] auto scoped() { return detail::scoped_from(m_state->lock); }
    void release() { m_state->lock->unlock(); }
    bool locked() const { return m_state->lock->is_locked(); }

    /// `co_await condition.wait()`: releases the lock, waits for a notification and takes the lock
    /// again. It may end without any notification: look at what you wait for again, or use
    /// wait_for().
    /// Cancellation: the lock is taken again first, however long that takes. A notification that
    /// has arrived already goes to another task. If the task is unwound (because its context object
    /// has died, for instance) the lock is not taken again, and a guard in that task leaves it
    /// alone.
    /// Throws RuntimeError, at the await, if the lock is not locked.
    Coroutine<> wait() { return detail::wait_for_notification(m_state); }
    /// Waits until `predicate()` is true, and gives what it returns. It is called at once and after
    /// each notification, with the lock locked if it was when this was called. Cancellation and
    /// errors: as wait(), and what the predicate throws.
    template<class Predicate>
    auto wait_for(Predicate &&predicate)
    {
        detail::check_closure<Predicate>();
        using F = detail::closure_t<Predicate>;
        using R = std::decay_t<std::invoke_result_t<F &>>;
        return detail::wait_until_it_holds<R, F>(m_state, std::forward<Predicate>(predicate));
    }
    /// Wakes `count` of the tasks that wait and were not woken yet, in the order in which they
    /// came. They go on when they have the lock again. Throws RuntimeError if the lock is not
    /// locked, ValueError for a negative number.
    void notify(int count = 1);
    /// Wakes all tasks that wait. Throws RuntimeError if the lock is not locked.
    void notify_all();
    /// "<Condition [locked, waiters:3]>"
    QString to_string() const { return m_state->describe(); }

private:
    void check_locked() const;

    std::optional<Lock> m_own_lock;
    const detail::Ref<detail::ConditionState> m_state;
};

} // namespace QAsyncio
