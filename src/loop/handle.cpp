// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/handle.h"

#include "base/seconds.h"
#include "loop/loop_p.h"

namespace QAsyncio {

namespace detail {

void Runnable::run(LoopCore &) noexcept
{
    Q_UNREACHABLE(); // only called for what was queued
}

void Runnable::discard() noexcept
{
    Q_UNREACHABLE();
}

QString Runnable::describe() const
{
    return QStringLiteral("<Callback>");
}

void HandleState::run(LoopCore &core) noexcept
{
    execute(core);
    release();
}

void HandleState::execute(LoopCore &core) noexcept
{
    if (Q_UNLIKELY(has(Cancelled)))
        return;
    ContextState **outer = std::exchange(core.thread->context_slot, &context);
    set(Executing);
    try {
        invoke();
    } catch (...) {
        core.report_callback_exception(*this, std::current_exception());
    }
    unset(Executing);
    core.thread->context_slot = outer;
    if (!has(Persistent) || has(Cancelled))
        drop();
}

void HandleState::cancel() noexcept
{
    if (has(Cancelled))
        return;
    set(Cancelled);
    if (has(Executing)) // execute() drops it when it has returned
        return;
    retain(); // what is dropped may own the loop, or whoever has this handle
    drop();
    release();
}

QString HandleState::describe() const
{
    return cancelled() ? QStringLiteral("<Handle cancelled>") : QStringLiteral("<Handle>");
}

void SharedHandleState::run(LoopCore &core) noexcept
{
    m_runner = core.thread_id;
    int stage = Waiting;
    if (m_stage.compare_exchange_strong(stage, Running, std::memory_order_acq_rel)) {
        execute(core);
        if (m_stage.exchange(Ended, std::memory_order_acq_rel) == RunningAwaited)
            m_stage.notify_all();
    }
    release();
}

void SharedHandleState::cancel() noexcept
{
    int stage = Waiting;
    if (m_stage.compare_exchange_strong(stage, Revoked, std::memory_order_acq_rel))
        return HandleState::cancel();
    if (stage == Revoked)
        return;
    if (m_runner == thread_data().id)
        return HandleState::cancel();
    while (stage == Running || stage == RunningAwaited) {
        if (stage == RunningAwaited
            || m_stage.compare_exchange_weak(stage, RunningAwaited, std::memory_order_acq_rel)) {
            m_stage.wait(RunningAwaited, std::memory_order_acquire);
            stage = m_stage.load(std::memory_order_acquire);
        }
    }
    set(Cancelled);
}

void TimerState::cancel() noexcept
{
    if (scheduled_in && !cancelled())
        scheduled_in->timer_was_cancelled();
    HandleState::cancel();
}

QString TimerState::describe() const
{
    return QStringLiteral("<TimerHandle%1 when=%2>")
        .arg(cancelled() ? QStringLiteral(" cancelled") : QString(),
             in_seconds(when.time_since_epoch()));
}

void FdState::run(LoopCore &core) noexcept
{
    queued = false;
    execute(core);
    if (masked)
        static_cast<LoopPrivate &>(core).fds.unmask(*this);
    release();
}

void SignalState::run(LoopCore &core) noexcept
{
    if (has(Executing)) {
        ++m_postponed;
    } else {
        execute(core);
        for (; m_postponed > 0; --m_postponed)
            arrived(core);
    }
    release();
}

void SignalState::arrived(LoopCore &core)
{
    core.push(this);
    retain();
}

QString SignalState::describe() const
{
    return QStringLiteral("<Handle of signal %1>").arg(signal);
}

} // namespace detail

Context Handle::get_context() const
{
    if (!m_state)
        throw RuntimeError(QStringLiteral("the handle is of no callback"));
    if (!m_state->context) // it was empty when this was scheduled, and nobody had looked at it
        m_state->context = new detail::ContextState;
    return detail::ContextAccess::wrap(detail::Ref<detail::ContextState>::share(m_state->context));
}

QString Handle::to_string() const
{
    return m_state ? m_state->describe() : QStringLiteral("<Handle none>");
}

} // namespace QAsyncio
