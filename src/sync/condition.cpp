// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/condition.h"

#include <QtCore/qscopeguard.h>

namespace QAsyncio {

static_assert(detail::SyncSource<detail::ConditionState>);

namespace detail {

QString ConditionState::describe_state() const
{
    return lock->is_locked() ? QStringLiteral("locked") : QStringLiteral("unlocked");
}

/// Takes the lock, whatever comes. Gives the last cancellation that came meanwhile.
static Coroutine<std::exception_ptr> take_again(Ref<LockState> lock)
{
    std::exception_ptr cancellation;
    for (;;) {
        try {
            co_await acquire_from(lock);
            co_return cancellation;
        } catch (const CancelledError &) {
            cancellation = std::current_exception();
        }
    }
}

Coroutine<> wait_for_notification(Ref<ConditionState> condition)
{
    if (!condition->lock->is_locked())
        throw RuntimeError(QStringLiteral("cannot wait on un-acquired lock"));
    const quint32 ticket = condition->lock->ticket();
    condition->lock->unlock();
    // However this ends but well, it may have been notified: somebody else is instead.
    QScopeGuard hand_on([&condition] { condition->notify(1); });
    std::exception_ptr error;
    try {
        co_await acquire_from(condition);
    } catch (...) { // cancelled, or the condition is gone
        error = std::current_exception();
    }
    std::exception_ptr later = co_await take_again(condition->lock);
    condition->lock->resume_ticket(ticket);
    if (later)
        error = std::move(later);
    if (error)
        std::rethrow_exception(std::move(error));
    hand_on.dismiss();
}

} // namespace detail

Condition::Condition()
    : m_own_lock(std::in_place), m_state(detail::Ref<detail::ConditionState>::adopt(
                                     new detail::ConditionState(m_own_lock->m_state)))
{ }

Condition::Condition(Lock &lock)
    : m_state(detail::Ref<detail::ConditionState>::adopt(new detail::ConditionState(lock.m_state)))
{ }

Condition::~Condition()
{
    m_state->queue.abandon();
}

void Condition::check_locked() const
{
    m_state->check_thread();
    if (!locked())
        throw RuntimeError(QStringLiteral("cannot notify on un-acquired lock"));
}

void Condition::notify(int count)
{
    check_locked();
    if (count < 0)
        throw ValueError(QStringLiteral("cannot notify a negative number of tasks"));
    m_state->notify(std::size_t(count));
}

void Condition::notify_all()
{
    check_locked();
    m_state->notify_all();
}

} // namespace QAsyncio
