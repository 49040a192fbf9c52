// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/barrier.h"

#include <QtCore/qscopeguard.h>

namespace QAsyncio {

namespace detail {

/// A barrier is a condition with a count: asyncio's own way, so that the order in which tasks go on
/// is the same.
class BarrierState
{
public:
    explicit BarrierState(int parties) : parties(parties)
    {
        if (parties < 1)
            throw ValueError(QStringLiteral("parties must be >= 1"));
    }
    void retain() noexcept { ++m_refs; }
    void release() noexcept
    {
        if (--m_refs == 0)
            delete this;
    }

    enum Phase { Filling, Draining, Resetting, Broken };

    bool is_ending() const { return phase == Draining || phase == Resetting; }
    void enter(Phase next) noexcept
    {
        phase = next;
        condition->notify_all();
    }
    /// One of those who had come goes.
    void leave() noexcept
    {
        if (--count > 0)
            return;
        if (is_ending())
            phase = Filling;
        condition->notify_all();
    }

    const int parties;
    const Ref<LockState> lock = Ref<LockState>::adopt(new LockState("Barrier"));
    const Ref<ConditionState> condition = Ref<ConditionState>::adopt(
        new ConditionState(lock, "Barrier"));
    Phase phase = Filling;
    int count = 0; // who have come and not gone

private:
    int m_refs = 1;
};

static Coroutine<int> wait_at(Ref<BarrierState> barrier)
{
    const auto held = co_await scoped_from(barrier->lock);
    while (barrier->is_ending())
        co_await wait_for_notification(barrier->condition);
    if (barrier->phase == BarrierState::Broken)
        throw BrokenBarrierError(QStringLiteral("Barrier aborted"));

    const int index = barrier->count++;
    const QScopeGuard leave([&barrier] { barrier->leave(); });
    if (index + 1 == barrier->parties) {
        barrier->enter(BarrierState::Draining);
        co_return index;
    }
    while (barrier->phase == BarrierState::Filling)
        co_await wait_for_notification(barrier->condition);
    if (barrier->phase != BarrierState::Draining)
        throw BrokenBarrierError(QStringLiteral("Abort or reset of barrier"));
    co_return index;
}

static Coroutine<> reset_barrier(Ref<BarrierState> barrier)
{
    const auto held = co_await scoped_from(barrier->lock);
    barrier->enter(barrier->count > 0 ? BarrierState::Resetting : BarrierState::Filling);
}

static Coroutine<> abort_barrier(Ref<BarrierState> barrier)
{
    const auto held = co_await scoped_from(barrier->lock);
    barrier->enter(BarrierState::Broken);
}

} // namespace detail

using detail::BarrierState;

Barrier::Barrier(int parties) : m_state(detail::Ref<BarrierState>::adopt(new BarrierState(parties)))
{ }

Barrier::~Barrier()
{
    m_state->condition->queue.abandon();
    m_state->lock->queue.abandon();
}

Coroutine<int> Barrier::wait()
{
    return detail::wait_at(m_state);
}

Coroutine<> Barrier::reset()
{
    return detail::reset_barrier(m_state);
}

Coroutine<> Barrier::abort()
{
    return detail::abort_barrier(m_state);
}

int Barrier::parties() const
{
    return m_state->parties;
}

int Barrier::n_waiting() const
{
    return m_state->phase == BarrierState::Filling ? m_state->count : 0;
}

bool Barrier::broken() const
{
    return m_state->phase == BarrierState::Broken;
}

QString Barrier::to_string() const
{
    constexpr const char *phases[] = {"filling", "draining", "resetting", "broken"};
    QString text = QStringLiteral("<Barrier [") + QLatin1String(phases[m_state->phase]);
    if (!broken())
        text += QStringLiteral(", waiters:%1/%2").arg(n_waiting()).arg(parties());
    return text + QStringLiteral("]>");
}

} // namespace QAsyncio
