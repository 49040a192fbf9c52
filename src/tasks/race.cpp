// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/race.h"

#include "qasyncio/wait.h"

#include <algorithm>

namespace QAsyncio::detail {

/// Notes the order in which the contestants are done: at once, and not in a turn of its own, when
/// others may be done as well.
class Race::FinishLine final : public FutureCallback
{
public:
    FinishLine(Race &race, std::size_t index) : m_race(race), m_index(index) { }

    void future_done(FutureStateBase &) override
    {
        m_race.m_finished.push_back(m_index); // there is room for each
        discard();
    }
    void discard() noexcept override
    {
        m_race.m_contestants[m_index].line = nullptr;
        delete this;
    }

private:
    Race &m_race;
    const std::size_t m_index;
};

Race::~Race()
{
    cancel_all(QString()); // they are done, unless the racing task is being unwound
    for (Contestant &contestant : m_contestants) {
        if (FinishLine *line = contestant.line) {
            FutureAccess::state(contestant.future)->remove_callback(line);
            line->discard();
        }
    }
}

void Race::enter(AnyFuture contestant, bool implicit_task)
{
    check_loop(*FutureAccess::state(contestant), get_running_loop().core());
    if (implicit_task) // if the loop is closed only the racing task is reported
        FutureAccess::state(contestant)->die_in_silence();
    Contestant entry;
    entry.future = contestant;
    try {
        enter(std::move(entry));
    } catch (const std::bad_alloc &) { // a contestant that the race does not know must not go on
        contestant.cancel();
        throw;
    }
}

void Race::enter(RaceClaim &claim)
{
    Contestant entry;
    entry.future = claim.ready();
    entry.claim = &claim;
    enter(std::move(entry));
}

void Race::enter(Contestant contestant)
{
    m_contestants.push_back(std::move(contestant));
    m_finished.reserve(m_contestants.size());
}

void Race::watch(std::size_t index)
{
    Contestant &contestant = m_contestants[index];
    contestant.line = new FinishLine(*this, index);
    FutureAccess::state(contestant.future)->add_callback(contestant.line);
}

Coroutine<> Race::run()
{
    if (m_contestants.empty())
        throw ValueError(QStringLiteral("race() needs at least one awaitable"));
    for (std::size_t index = 0; index < m_contestants.size(); ++index)
        watch(index);
    std::exception_ptr cancellation;
    QString message;
    try {
        bool decided = false;
        while (!decided) {
            co_await run_wait(futures(), WaitOptions().return_when(FIRST_COMPLETED));
            decided = choose_winner();
        }
    } catch (const CancelledError &error) {
        cancellation = std::current_exception();
        message = error.message();
    }
    // Before the others end, which may take long: what a claim waits for is wanted elsewhere.
    withdraw_claims(bool(cancellation));
    cancel_all(message);
    while (!all_done()) {
        try {
            co_await run_wait(futures(), WaitOptions());
        } catch (const CancelledError &) {
            if (!cancellation)
                cancellation = std::current_exception();
            withdraw_claims(true);
        }
    }
    if (cancellation)
        std::rethrow_exception(std::move(cancellation));
}

bool Race::choose_winner()
{
    // Results go first: a stream keeps what it has, but the result of a future would be lost.
    const auto has_result = [this](std::size_t index) { return !m_contestants[index].claim; };
    const auto first = std::find_if(m_finished.begin(), m_finished.end(), has_result);
    if (first != m_finished.end()) {
        m_winner = *first;
        return true;
    }
    for (const std::size_t index : std::exchange(m_finished, {})) {
        Contestant &contestant = m_contestants[index];
        if (contestant.claim->reserve()) {
            m_winner = index;
            return true;
        }
        m_finished.reserve(m_contestants.size());
        contestant.future = contestant.claim->ready(); // somebody else was faster: it waits again
        watch(index);
    }
    return false;
}

std::vector<AnyFuture> Race::futures() const
{
    std::vector<AnyFuture> all;
    for (const Contestant &contestant : m_contestants)
        all.push_back(contestant.future);
    return all;
}

bool Race::all_done() const
{
    return std::all_of(m_contestants.begin(), m_contestants.end(),
                       [](const Contestant &one) { return one.future.done(); });
}

void Race::withdraw_claims(bool of_winner)
{
    for (std::size_t index = 0; index < m_contestants.size(); ++index) {
        RaceClaim *const claim = m_contestants[index].claim;
        if (claim && (of_winner || index != m_winner))
            claim->withdraw();
    }
}

void Race::cancel_all(const QString &message)
{
    for (Contestant &contestant : m_contestants) {
        // One that is done is left alone: cancelling it would count its exception as retrieved.
        if (contestant.future && !contestant.future.done())
            contestant.future.cancel(message);
    }
}

} // namespace QAsyncio::detail
