// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/future.h"

#include "base/exception_kind.h"
#include "loop/loop_p.h"

namespace QAsyncio {

namespace detail {

void check_settable(const FutureStateBase &state, const char *operation)
{
    if (state.is_task()) {
        throw RuntimeError(
            QStringLiteral("Task does not support %1 operation").arg(QLatin1String(operation)));
    }
}

void throw_value_taken()
{
    throw RuntimeError(QStringLiteral("the result was moved out already"));
}

void check_loop(const FutureStateBase &future, const LoopCore &core)
{
    if (future.core != &core) {
        throw ValueError(QStringLiteral(
            "The future belongs to a different loop than the one specified as the loop argument"));
    }
}

std::exception_ptr awaitable_dropped()
{
    return std::make_exception_ptr(
        RuntimeError(QStringLiteral("the awaitable was destroyed before it gave a result")));
}

// Awaiting

/// A cancellation came when the future was done already. Its result or exception is dropped, unless
/// that is a CancelledError: then that one is thrown (T-022, T-023).
void FutureAwaiterBase::await_discard()
{
    if (m_future->state() == FutureStateBase::Cancelled
        || is_cancellation(m_future->take_exception()))
        m_future->throw_unless_value();
}

bool FutureAwaiterBase::await_cancel(const QString &message)
{
    return m_future->cancel(message);
}

QString FutureAwaiterBase::await_description() const
{
    if (!awaited_future())
        return QString();
    return m_future->describe_wait();
}

FutureStateBase *FutureAwaiterBase::awaited_future() const noexcept
{
    // A refused one may belong to another thread.
    return task()->is_await_refused() ? nullptr : m_future;
}

void FutureAwaiterBase::await_refused(TaskStateBase &task)
{
    task.throw_await_error(*m_future);
}

} // namespace detail

// AnyFuture

QAsyncioLoop &AnyFuture::get_loop() const
{
    if (!m_state->core->loop)
        throw RuntimeError(QStringLiteral("The event loop of this future is gone"));
    return *m_state->core->loop;
}

DoneCallbackId AnyFuture::add(detail::DoneCallbackBase *callback, CallbackContext context)
{
    const DoneCallbackId id(callback);
    try {
        callback->context = context.take(*detail::context_slot());
        m_state->check_thread();
        if (!m_state->done())
            m_state->append_callback(callback);
    } catch (...) {
        callback->discard();
        throw;
    }
    if (m_state->done())
        callback->future_done(*m_state);
    return id;
}

int AnyFuture::remove_done_callback(DoneCallbackId id)
{
    if (!id.m_callback || !m_state->has_callback(id.m_callback))
        return 0;
    const auto *callback = dynamic_cast<detail::DoneCallbackBase *>(id.m_callback);
    if (!callback || callback->number != id.m_number)
        return 0;
    m_state->remove_callback(id.m_callback);
    id.m_callback->discard();
    return 1;
}

QString AnyFuture::to_string() const
{
    return m_state ? m_state->describe() : QStringLiteral("<Future none>");
}

} // namespace QAsyncio
