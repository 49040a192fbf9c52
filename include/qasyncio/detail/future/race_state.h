// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/claim.h"
#include "qasyncio/detail/future/gather_state.h"
#include "qasyncio/ensure_future.h"

namespace QAsyncio::detail {

/// A contestant that makes a claim instead of giving a result: it learns that it has won, and only
/// then takes what it came for.
class RaceClaim
{
public:
    virtual Future<> ready() = 0;
    virtual bool reserve() = 0;
    virtual void withdraw() noexcept = 0;

protected:
    ~RaceClaim() = default;
};

/// The part of race() that does not depend on types. When it is destroyed, for whatever reason, it
/// cancels the contestants that are left.
class QASYNCIO_EXPORT Race
{
public:
    Race() = default;
    ~Race();
    Q_DISABLE_COPY_MOVE(Race)

    void enter(AnyFuture contestant, bool implicit_task);
    void enter(RaceClaim &claim);
    /// Waits for the winner, and then until all others have ended.
    Coroutine<> run();
    std::size_t winner() const { return m_winner; }
    /// The result of the winner. Throws what the winner threw.
    template<class T>
    typename Outcome<T>::value_type take_result()
    {
        const Ref<FutureStateBase> winner = FutureAccess::take(
            std::move(m_contestants[m_winner].future));
        m_contestants.clear(); // so that the result can be moved if nobody else has it
        winner->throw_unless_value();
        return gathered<typename Outcome<T>::value_type, T>(*winner);
    }

private:
    class FinishLine;
    struct Contestant
    {
        AnyFuture future;
        RaceClaim *claim = nullptr; // set if it makes a claim instead of giving a result
        FinishLine *line = nullptr; // listens to the future until that is done
    };

    void enter(Contestant contestant);
    void watch(std::size_t index);
    bool choose_winner();
    std::vector<AnyFuture> futures() const;
    bool all_done() const;
    void withdraw_claims(bool of_winner);
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
    void withdraw() noexcept override { m_claim->withdraw(); }

    std::optional<claim_t<A>> m_claim;
};

template<class... A, std::size_t... I>
void start_race(Race &race, std::tuple<RaceEntry<A>...> &entries, std::index_sequence<I...>,
                A &...awaitables)
{
    (std::get<I>(entries).start(race, std::move(awaitables)), ...);
}

template<class... A, std::size_t... I>
auto result_of_race(Race &race, std::tuple<RaceEntry<A>...> &entries, std::index_sequence<I...>)
{
    std::optional<std::variant<typename RaceEntry<A>::value_type...>> result;
    const std::size_t winner = race.winner();
    ((winner == I ? void(result.emplace(std::in_place_index<I>, std::get<I>(entries).take(race)))
                  : void()),
     ...);
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

} // namespace QAsyncio::detail
