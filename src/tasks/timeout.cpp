// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/timeout.h"

#include "base/exception_kind.h"
#include "base/seconds.h"

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
    detail::HandleAccess::drop(m_handle);
}

void Timeout::reschedule(std::optional<TimePoint> when)
{
    detail::FutureAccess::state(m_task)->check_thread();
    if (m_state != Active) {
        const QString state = m_state == Expiring ? QStringLiteral("expiring")
            : m_state == Expired                  ? QStringLiteral("expired")
                                                  : QStringLiteral("finished");
        throw RuntimeError(QStringLiteral("Cannot change state of %1 Timeout").arg(state));
    }
    Handle next;
    if (when) {             // first: if this throws, nothing has changed
        get_running_loop(); // throws if there is none
        QAsyncioLoop &loop = m_task.get_loop();
        const auto expire_now = [this] { expire(); };
        if (*when <= loop.time())
            next = loop.call_soon(expire_now);
        else
            next = loop.call_at(*when, expire_now);
    }
    m_when = when;
    m_handle.cancel();
    m_handle = std::move(next);
}

void Timeout::expire()
{
    m_state = Expiring;
    m_handle = {};
    AnyTask task = m_task;
    task.cancel(); // last: a destructor may end the task, and this with it
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
    // If somebody else has requested a cancellation too, it stays one (G-042).
    if (m_task.uncancel() <= m_cancelling && detail::is_cancellation(exception))
        return std::make_exception_ptr(TimeoutError(QString(), std::move(exception)));
    return exception;
}

QString Timeout::to_string() const
{
    switch (m_state) {
    case Expiring:
        return QStringLiteral("<Timeout [expiring]>");
    case Expired:
        return QStringLiteral("<Timeout [expired]>");
    case Finished:
        return QStringLiteral("<Timeout [finished]>");
    case Active:
        break;
    }
    if (!m_when)
        return QStringLiteral("<Timeout [active] when=none>");
    return QStringLiteral("<Timeout [active] when=%1>")
        .arg(detail::in_seconds(m_when->time_since_epoch()));
}

} // namespace QAsyncio
