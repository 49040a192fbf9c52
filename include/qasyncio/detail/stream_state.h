// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/claim.h"
#include "qasyncio/detail/run_there.h"
#include "qasyncio/detail/signal_future.h"

#include <list>
#include <memory>
#include <utility>

namespace QAsyncio::detail {

[[noreturn]] QASYNCIO_EXPORT void throw_stream_busy();
/// Throws RuntimeError unless a stream with this core belongs to the running loop; null: it was moved from.
QASYNCIO_EXPORT void check_stream(const LoopCore *core);

/// What a stream and its slot share. Belongs to the loop's thread.
template<class R>
class StreamState
{
public:
    explicit StreamState(LoopCore &core) : core(&core) { core.retain(); }
    ~StreamState() { core->release(); }
    Q_DISABLE_COPY_MOVE(StreamState)

    /// The stream is dropped: in its loop's thread, or anywhere once the loop is closed.
    void disconnect()
    {
        m_closed = true;
        const QMetaObject::Connection connected = std::exchange(connection, {});
        QObject::disconnect(connected); // destroys the slot, which shares this
        const auto dropped = std::exchange(m_items, {}); // a destructor may open an event loop
        wake();
    }
    void arrive(Outcome<R> &&item)
    {
        if (m_closed)
            return;
        std::list<Outcome<R>> arrived; // moving it may do anything, emit the signal as well
        try {
            arrived.push_back(std::move(item));
        } catch (...) {
            arrived.emplace_back(failed_outcome, std::current_exception());
        }
        m_items.splice(m_items.end(), arrived);
        wake();
    }
    void end()
    {
        m_closed = true;
        connection = {};
        wake();
    }

    std::size_t size() const { return m_items.size(); }
    bool is_ready() const { return !m_reserved && (m_closed || !m_items.empty()); }
    /// Done at the next arrival, or at the end.
    Future<> ready()
    {
        if (m_reserved || (m_waiter && !m_waiter.done()))
            throw_stream_busy();
        m_waiter = core->loop->create_future<void>();
        if (is_ready())
            m_waiter.set_result();
        return m_waiter;
    }
    bool reserve()
    {
        if (!is_ready())
            return false;
        m_reserved = true;
        return true;
    }
    void unreserve() { m_reserved = false; }
    /// Nothing at the end.
    std::optional<future_value_t<R>> take()
    {
        if (m_items.empty())
            return std::nullopt;
        std::list<Outcome<R>> taken;
        taken.splice(taken.end(), m_items, m_items.begin());
        return to_future_value<R>(std::move(taken.front()).value());
    }

    LoopCore *const core;
    QMetaObject::Connection connection;
    CallHome<StreamState, &StreamState::end> end_from_elsewhere;
    CallHome<StreamState, &StreamState::disconnect> disconnect_from_elsewhere;

private:
    void wake()
    {
        if (m_waiter && !m_waiter.done() && !core->has(LoopCore::Closed))
            m_waiter.set_result();
        m_waiter = {};
    }

    std::list<Outcome<R>> m_items;
    Future<> m_waiter;
    bool m_closed = false;   // the sender, or the stream, is gone
    bool m_reserved = false; // what comes next is somebody's already
};

template<class R, class Map, class Arguments>
class StreamSlot;
template<class R, class Map, class... Args>
class StreamSlot<R, Map, TypeList<Args...>>
{
public:
    template<class F>
    StreamSlot(std::shared_ptr<StreamState<R>> state, F &&map) : m_state(std::move(state)), m_map(std::forward<F>(map)) { }
    StreamSlot(StreamSlot &&) noexcept = default;
    StreamSlot &operator=(StreamSlot &&) = delete;
    ~StreamSlot()
    {
        if (!m_state)
            return;
        if (m_state->core->in_own_thread())
            m_state->end();
        else
            m_state->end_from_elsewhere.push(*m_state->core, m_state);
    }

    void operator()(const Args &...args)
    {
        const auto state = m_state; // a map may end all the rest
        const auto value = [&] { return emission_value<R>(m_map, args...); };
        if (state->core->in_own_thread())
            return state->arrive(outcome_of<R>(value));
        auto item = std::make_unique<std::optional<Outcome<R>>>();
        store_outcome(*item, value);
        run_there(*state->core, [state, item = std::move(item)] { state->arrive(std::move(**item)); });
    }

private:
    std::shared_ptr<StreamState<R>> m_state;
    [[no_unique_address]] Map m_map;
};

/// The claim to the next emission.
template<class R>
class StreamClaim
{
public:
    explicit StreamClaim(std::shared_ptr<StreamState<R>> state) : m_state(std::move(state))
    {
        check_stream(m_state ? m_state->core : nullptr);
    }
    StreamClaim(StreamClaim &&other) noexcept
        : m_state(std::move(other.m_state)), m_reserved(std::exchange(other.m_reserved, false)) { }
    StreamClaim &operator=(StreamClaim &&) = delete;
    ~StreamClaim() { give_back(); }

    bool is_ready() const { return m_reserved || m_state->is_ready(); }
    Future<> ready() { return m_state->ready(); }
    bool reserve() { return m_reserved || (m_reserved = m_state->reserve()); }
    std::optional<future_value_t<R>> take()
    {
        give_back(); // nobody else runs meanwhile
        return m_state->take();
    }

private:
    void give_back()
    {
        if (std::exchange(m_reserved, false))
            m_state->unreserve();
    }

    std::shared_ptr<StreamState<R>> m_state;
    bool m_reserved = false;
};

template<class R>
Coroutine<std::optional<future_value_t<R>>> next_in_stream(std::shared_ptr<StreamState<R>> state)
{
    StreamClaim<R> claim(std::move(state));
    while (!claim.is_ready()) {
        auto ready = claim.ready();
        co_await ready;
    }
    co_return claim.take();
}

/// What SignalStream::next() gives.
template<class R>
class [[nodiscard("an emission is taken when this is awaited")]] NextEmission
    : public Coroutine<std::optional<future_value_t<R>>>
{
public:
    explicit NextEmission(std::shared_ptr<StreamState<R>> state)
        : Coroutine<std::optional<future_value_t<R>>>(next_in_stream<R>(state)), m_state(std::move(state)) { }

    /// Instead of awaiting it.
    StreamClaim<R> claim() &&
    {
        this->close();
        return StreamClaim<R>(std::move(m_state));
    }

private:
    std::shared_ptr<StreamState<R>> m_state;
};

} // namespace QAsyncio::detail
