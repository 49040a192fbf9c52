// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/race_state.h"

namespace QAsyncio {

/// The result of a race() of a vector: who won, and what it gave (std::monostate if it has no
/// value).
template<class T>
struct RaceResult
{
    std::size_t index; ///< in the vector that was passed
    T value;
};

namespace detail {
template<class A>
Coroutine<RaceResult<typename RaceEntry<A>::value_type>> run_vector_race(std::vector<A> awaitables)
{
    std::vector<RaceEntry<A>> entries(awaitables.size());
    Race race;
    for (std::size_t i = 0; i < awaitables.size(); ++i)
        entries[i].start(race, std::move(awaitables[i]));
    co_await race.run();
    const std::size_t winner = race.winner();
    RaceResult<typename RaceEntry<A>::value_type> result{winner, entries[winner].take(race)};
    co_return std::move(result);
}

} // namespace detail

/// Runs awaitables concurrently until the first one is done, and gives its result in a
/// std::variant. index() tells which one it was; std::monostate stands for an awaitable without a
/// value. asyncio has no such function.
///
///     const auto answer = co_await race(download(), sleep(5s));
///     if (answer.index() == 0)
///         show(std::get<0>(answer));
///
/// Nothing starts before the await. The winner is the first in time: of two signals, the one that
/// was emitted first, even if the sender of the other has been destroyed since. Of awaitables that
/// are done already, the first argument wins. All others are cancelled, including futures and tasks
/// that were passed, and race() waits until they have ended: when it returns, none of them is
/// running any more.
/// Streams, queues, locks, semaphores and events (`race(clicks.next(), queue.get())`): something is
/// taken from the winner only; the others keep theirs, for whoever is next, as soon as the race is
/// decided. These therefore give way to an awaitable of another kind that is also done when the
/// caller goes on, since the result of that one would be lost. All this applies
/// to next() itself: a coroutine that takes an emission from a stream, and then loses, has taken
/// it.
/// Errors: if the winner has failed or was cancelled, that is thrown here. What another one throws
/// while it is being cancelled is reported as never retrieved.
/// Cancellation: cancelling the caller cancels all of them and waits until they have ended. Then
/// CancelledError is thrown, even if there was a winner. A further cancellation during that wait
/// neither ends it nor is passed on. If the calling task is unwound (because its context object has
/// died, for instance), all are cancelled and none is waited for.
/// Throws, at the await, RuntimeError if no loop runs in this thread, ValueError for a future of
/// another loop. Thread: the loop's.
template<class... A>
    requires(sizeof...(A) > 0 && (detail::Awaitable<A> && ...))
auto race(A &&...awaitables)
{
    return detail::run_race<std::decay_t<A>...>(std::forward<A>(awaitables)...);
}
/// The same for a vector: any number of awaitables of one type. Gives a RaceResult. Throws
/// ValueError, at the await, if the vector is empty.
template<class A>
    requires detail::Awaitable<A>
auto race(std::vector<A> awaitables)
{
    return detail::run_vector_race<A>(std::move(awaitables));
}

} // namespace QAsyncio
