// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/timeout.h"

#include "qasyncio/wait_for.h"

namespace QAsyncio {

Timeout::Timeout(std::optional<TimePoint> when) : m_task(current_task())
{
    if (!m_task)
        throw RuntimeError(QStringLiteral("Timeout should be used inside a task"));
    m_cancelling = m_task.cancelling();
    reschedule(when);
}

Timeout::~Timeout()
{
    m_handle.cancel();
}

void Timeout::reschedule(std::optional<TimePoint> when)
{
    if (m_state != Active) {
        const QString state = m_state == Expiring ? QStringLiteral("expiring")
            : m_state == Expired                  ? QStringLiteral("expired")
                                                  : QStringLiteral("finished");
        throw RuntimeError(QStringLiteral("Cannot change state of %1 Timeout").arg(state));
    }
    m_when = when;
    m_handle.cancel();
    m_handle = {};
    if (!when)
        return;
    QAsyncioLoop &loop = get_running_loop();
    if (*when <= loop.time())
        m_handle = loop.call_soon([this] { expire(); });
    else
        m_handle = loop.call_at(*when, [this] { expire(); });
}

void Timeout::expire()
{
    m_task.cancel();
    m_state = Expiring;
    m_handle = {};
}

std::exception_ptr Timeout::leave(std::exception_ptr exception)
{
    m_handle.cancel();
    m_handle = {};
    if (m_state != Expiring) {
        m_state = Finished;
        return exception;
    }
    m_state = Expired;
    // A request from outside on top of ours makes it a cancellation (G-042).
    if (m_task.uncancel() <= m_cancelling && detail::is_cancellation(exception))
        return std::make_exception_ptr(TimeoutError(QString(), std::move(exception)));
    return exception;
}

void detail::throw_timeout(std::exception_ptr cause)
{
    throw TimeoutError(QString(), std::move(cause));
}

Coroutine<> detail::cancel_and_wait(AnyFuture future)
{
    Future<> ended = get_running_loop().create_future<>();
    const DoneCallbackId callback = future.add_done_callback([ended]() mutable {
        if (!ended.done())
            ended.set_result();
    });
    struct Remover
    {
        AnyFuture &future;
        DoneCallbackId callback;
        ~Remover() { future.remove_done_callback(callback); }
    };
    const Remover remover{future, callback};
    future.cancel();
    co_await ended;
}

} // namespace QAsyncio
