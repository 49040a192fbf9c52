// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/claim.h"
#include "qasyncio/detail/future/gather_state.h"
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

/// A contestant that makes a claim: it is told when it has won, and takes then.
class RaceClaim
{
public:
    virtual Future<> ready() = 0;
    virtual bool reserve() = 0;

protected:
    ~RaceClaim() = default;
};

/// race() without its types. Whatever becomes of it, the contestants do not go on: when it dies it cancels the rest.
class QASYNCIO_EXPORT Race
{
public:
    Race() = default;
    ~Race();
    Q_DISABLE_COPY_MOVE(Race)

    void enter(AnyFuture contestant, bool implicit_task);
    void enter(RaceClaim &claim);
    /// Waits for the winner, and then for the end of all others.
    Coroutine<> run();
    std::size_t winner() const { return m_winner; }
    /// What the winner gave; throws what it threw.
    template<class T>
    typename Outcome<T>::value_type take_result()
    {
        const Ref<FutureStateBase> winner = FutureAccess::take(std::move(m_contestants[m_winner].future));
        m_contestants.clear(); // so that the result can be moved if nobody else has it
        winner->throw_unless_value();
        return gathered<typename Outcome<T>::value_type, T>(*winner);
    }

private:
    class FinishLine;
    struct Contestant
    {
        AnyFuture future;
        RaceClaim *claim = nullptr;    // instead of a result
        FinishLine *line = nullptr;    // at the future, until that is done
    };

    void enter(Contestant contestant);
    void watch(std::size_t index);
    bool choose_winner();
    std::vector<AnyFuture> futures() const;
    bool all_done() const;
    void cancel_all(const QString &message);

    std::vector<Contestant> m_contestants;
    std::vector<std::size_t> m_finished; // in the order of their completion
    std::size_t m_winner = 0;
};

/// What race() keeps of one awaitable while it runs.
template<class A>
class RaceEntry
{
public:
    using value_type = typename Outcome<ensured_value_t<A>>::value_type;

    void start(Race &race, A awaitable)
    {
        race.enter(ensure_future(std::move(awaitable)), !std::is_base_of_v<AnyFuture, A>);
    }
    value_type take(Race &race) { return race.take_result<ensured_value_t<A>>(); }
};
template<Claimable A>
class RaceEntry<A> final : public RaceClaim
{
public:
    using value_type = std::decay_t<decltype(std::declval<claim_t<A> &>().take())>;

    void start(Race &race, A awaitable)
    {
        m_claim.emplace(std::move(awaitable).claim());
        race.enter(*this);
    }
    value_type take(Race &) { return m_claim->take(); }

private:
    Future<> ready() override { return m_claim->ready(); }
    bool reserve() override { return m_claim->reserve(); }

    std::optional<claim_t<A>> m_claim;
};

template<class... A, std::size_t... I>
void start_race(Race &race, std::tuple<RaceEntry<A>...> &entries, std::index_sequence<I...>, A &...awaitables)
{
    (std::get<I>(entries).start(race, std::move(awaitables)), ...);
}

template<class... A, std::size_t... I>
auto result_of_race(Race &race, std::tuple<RaceEntry<A>...> &entries, std::index_sequence<I...>)
{
    std::optional<std::variant<typename RaceEntry<A>::value_type...>> result;
    const std::size_t winner = race.winner();
    ((winner == I ? void(result.emplace(std::in_place_index<I>, std::get<I>(entries).take(race))) : void()), ...);
    return std::move(*result);
}

template<class... A>
Coroutine<std::variant<typename RaceEntry<A>::value_type...>> run_race(A... awaitables)
{
    std::tuple<RaceEntry<A>...> entries;
    Race race;
    start_race<A...>(race, entries, std::index_sequence_for<A...>(), awaitables...);
    co_await race.run();
    co_return result_of_race<A...>(race, entries, std::index_sequence_for<A...>());
}

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

/// Runs awaitables side by side until the first is done, and gives its result in a std::variant whose index() tells which
/// one it was (std::monostate if it has no value): `const auto answer = co_await race(download(), sleep(5s));`. asyncio has
/// no such function.
///
/// Nothing starts before the await. The winner is the first in time: of two signals the one that was emitted first, also if
/// the other one's sender has died since; of those that are done already the first argument. The others are cancelled,
/// futures and tasks that were passed too, and their end is waited for: nothing of them runs any more when this returns.
/// Of streams (`race(clicks.next(), keys.next())`) only the winner is taken from; the others keep what they have. For that
/// reason a stream gives way to what is no stream and is done, too, when the caller goes on. All that holds for the
/// awaitables of streams themselves: a coroutine that takes from a stream, and loses, has taken.
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
