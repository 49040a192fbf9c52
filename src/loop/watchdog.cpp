// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "loop/watchdog.h"

#include "qasyncio/detail/coroutine/promise.h"

#include "base/logging.h"
#include "base/seconds.h"

#include <algorithm>

namespace QAsyncio::detail {

QString freeze_text(const char *verb, const QString &name, std::chrono::nanoseconds taken,
                    const std::source_location &resumed_at)
{
    const QString text = QStringLiteral("%1 %2 the thread for %3 s")
                             .arg(name, QLatin1String(verb), in_seconds(taken));
    if (resumed_at.line() == 0)
        return text;
    return text
        + QStringLiteral(" after it had resumed at %1:%2 in %3()")
              .arg(QString::fromUtf8(resumed_at.file_name()))
              .arg(resumed_at.line())
              .arg(function_name(resumed_at));
}

Watchdog::Watchdog(std::chrono::nanoseconds limit)
    : m_limit(limit), m_next(limit), m_thread([this] { watch(); })
{ }

Watchdog::~Watchdog()
{
    {
        const std::lock_guard lock(m_mutex);
        m_ends = true;
    }
    m_end.notify_one();
    m_thread.join();
}

void Watchdog::set_limit(std::chrono::nanoseconds limit)
{
    const std::lock_guard lock(m_mutex);
    m_limit = limit;
}

void Watchdog::begin_step(const QString &name, const std::source_location &resumed_at)
{
    const std::lock_guard lock(m_mutex);
    m_in_step = true;
    m_begun = std::chrono::steady_clock::now();
    m_next = m_limit;
    m_name = name;
    m_resumed_at = resumed_at;
}

void Watchdog::end_step()
{
    const std::lock_guard lock(m_mutex);
    m_in_step = false;
}

void Watchdog::watch()
{
    constexpr std::chrono::nanoseconds shortest_pause = std::chrono::milliseconds(1);
    std::unique_lock lock(m_mutex);
    while (!m_ends) {
        // By polling: to wake this thread in each step would cost more than the step.
        m_end.wait_for(lock, std::max(m_limit / 2, shortest_pause));
        const std::chrono::nanoseconds taken = std::chrono::steady_clock::now() - m_begun;
        if (m_ends || !m_in_step || taken < m_next)
            continue;
        m_next = 2 * taken;
        const QString text = freeze_text("is holding", m_name, taken, m_resumed_at);
        lock.unlock(); // a message handler of the program may take long
        qCWarning(logCategory).noquote() << text;
        lock.lock();
    }
}

} // namespace QAsyncio::detail
