// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/gather_state.h"
#include "qasyncio/ensure_future.h"

namespace QAsyncio {

/// Who won a race() of a vector, and what it gave (std::monostate for nothing).
template<class T>
struct RaceResult
{
    std::size_t index;
    T value;
};

namespace detail {

/// race() without its types. Whatever becomes of it, the contestants do not go on: when it dies it cancels the rest.
class QASYNCIO_EXPORT Race
{
public:
    Race() = default;
    ~Race();
    Q_DISABLE_COPY_MOVE(Race)

    template<class A>
    void start(A awaitable)
    {
        enter(ensure_future(std::move(awaitable)), !std::is_base_of_v<AnyFuture, A>);
    }
    /// Waits for the winner, and then for the end of all others.
    Coroutine<> run();
    std::size_t winner() const { return m_winner; }
    /// What the winner gave; throws what it threw.
    template<class T>
    typename Outcome<T>::value_type take_result()
    {
        const Ref<FutureStateBase> winner = FutureAccess::take(std::move(m_contestants[m_winner]));
        m_contestants.clear(); // so that the result can be moved if nobody else has it
        winner->throw_unless_value();
        return gathered<typename Outcome<T>::value_type, T>(*winner);
    }

private:
    void enter(AnyFuture contestant, bool implicit_task);
    void cancel_all(const QString &message);

    std::vector<AnyFuture> m_contestants;
    std::size_t m_winner = 0;
};

template<class... T, std::size_t... I>
auto result_of_race(Race &race, std::index_sequence<I...>)
{
    std::optional<std::variant<typename Outcome<T>::value_type...>> result;
    const std::size_t winner = race.winner();
    ((winner == I ? void(result.emplace(std::in_place_index<I>, race.take_result<T>())) : void()), ...);
    return std::move(*result);
}

template<class... A>
Coroutine<std::variant<typename Outcome<ensured_value_t<A>>::value_type...>> run_race(A... awaitables)
{
    Race race;
    (race.start(std::move(awaitables)), ...);
    co_await race.run();
    co_return result_of_race<ensured_value_t<A>...>(race, std::index_sequence_for<A...>());
}

template<class A>
Coroutine<RaceResult<typename Outcome<ensured_value_t<A>>::value_type>> run_vector_race(std::vector<A> awaitables)
{
    using T = ensured_value_t<A>;
    Race race;
    for (A &awaitable : awaitables)
        race.start(std::move(awaitable));
    co_await race.run();
    const std::size_t winner = race.winner();
    RaceResult<typename Outcome<T>::value_type> result{winner, race.take_result<T>()};
    co_return std::move(result);
}

} // namespace detail

/// Runs awaitables side by side until the first is done, and gives its result in a std::variant whose index() tells which
/// one it was (std::monostate if it has no value): `const auto answer = co_await race(download(), sleep(5s));`. asyncio has
/// no such function.
///
/// Nothing starts before the await. The winner is the first, in the order of the arguments, of those that are done when the
/// caller goes on. The others are cancelled, futures and tasks that were passed too, and their end is waited for: nothing of
/// them runs any more when this returns.
/// Errors: if the winner failed or was cancelled, that is thrown here. What another one throws while it is being cancelled is
/// reported as never retrieved.
/// Cancellation: cancelling the caller cancels all and waits for their end; then CancelledError is thrown, also if there was
/// a winner. Another cancellation meanwhile neither ends the waiting nor is passed on. If the calling task is unwound (its
/// context object dies) all are cancelled, and nobody waits.
/// Throws, at the await: RuntimeError if no loop runs in this thread, ValueError for a future of another loop and for an
/// empty vector. Thread: the loop's.
template<class... A>
    requires(sizeof...(A) > 0 && (detail::Awaitable<A> && ...))
auto race(A &&...awaitables)
{
    return detail::run_race<std::decay_t<A>...>(std::forward<A>(awaitables)...);
}
/// The same for a number of awaitables of one type that is known only at run time.
template<class A>
    requires detail::Awaitable<A>
auto race(std::vector<A> awaitables)
{
    return detail::run_vector_race<A>(std::move(awaitables));
}

} // namespace QAsyncio
