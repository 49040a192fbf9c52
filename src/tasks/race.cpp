// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/race.h"

#include "qasyncio/detail/done_listener.h"
#include "qasyncio/wait.h"

#include <algorithm>

namespace QAsyncio::detail {

namespace {
bool is_done(const AnyFuture &contestant)
{
    return contestant.done();
}
} // namespace

Race::~Race()
{
    cancel_all(QString()); // they are done, unless the racing task is being unwound
}

void Race::enter(AnyFuture contestant, bool implicit_task)
{
    check_loop(*FutureAccess::state(contestant), get_running_loop().core());
    if (implicit_task) // reported once, with the racing task, if the loop is closed
        FutureAccess::state(contestant)->flags &= ~FutureStateBase::LogDestroyed;
    m_contestants.push_back(std::move(contestant));
}

Coroutine<> Race::run()
{
    if (m_contestants.empty())
        throw ValueError(QStringLiteral("race() needs at least one awaitable"));
    std::exception_ptr cancellation;
    QString message;
    try {
        co_await wait_until(m_contestants, WaitOptions().return_when(FIRST_COMPLETED));
        const auto first = std::find_if(m_contestants.begin(), m_contestants.end(), is_done);
        m_winner = static_cast<std::size_t>(first - m_contestants.begin());
    } catch (const CancelledError &error) {
        cancellation = std::current_exception();
        message = error.message();
    }
    cancel_all(message);
    while (!std::all_of(m_contestants.begin(), m_contestants.end(), is_done)) {
        try {
            co_await wait_until(m_contestants, WaitOptions());
        } catch (const CancelledError &) {
            if (!cancellation)
                cancellation = std::current_exception();
        }
    }
    if (cancellation)
        std::rethrow_exception(std::move(cancellation));
}

void Race::cancel_all(const QString &message)
{
    for (AnyFuture &contestant : m_contestants) {
        if (!contestant.done()) // else its exception would count as retrieved
            contestant.cancel(message);
    }
}

} // namespace QAsyncio::detail
