// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/claim.h"
#include "qasyncio/detail/qt/signal_future.h"
#include "qasyncio/detail/thread/message.h"

#include <atomic>
#include <memory>
#include <new>
#include <utility>

namespace QAsyncio::detail {

[[noreturn]] QASYNCIO_EXPORT void throw_stream_busy();
/// Throws RuntimeError unless `core`, that of a stream, is the running loop's. Null: the stream was
/// moved from.
QASYNCIO_EXPORT void check_stream(const LoopCore *core);

/// What a stream and its slot share. Belongs to the loop's thread.
template<class R>
class StreamState
{
public:
    explicit StreamState(LoopCore &core) : core(&core) { core.retain(); }
    ~StreamState()
    {
        destroy_all(m_head.next);
        core->release();
    }
    Q_DISABLE_COPY_MOVE(StreamState)

    /// The stream is dropped: in its loop's thread, or anywhere once the loop is closed.
    void disconnect()
    {
        m_closed = true;
        const QMetaObject::Connection connected = std::exchange(connection, {});
        QObject::disconnect(connected); // destroys the slot, which shares this
        Emission *const dropped = std::exchange(m_head, {}).next;
        m_last = &m_head;
        m_size = 0;
        wake();
        destroy_all(dropped); // a destructor may open an event loop
    }
    void arrive(Outcome<R> &&outcome) noexcept
    {
        if (m_closed)
            return;
        // May run any code, and emit the signal again.
        Emission *const emission = make_emission(std::move(outcome));
        if (Q_UNLIKELY(!emission))
            return lose();
        append(*emission);
        wake();
    }
    /// Another thread had no memory for an emission.
    void lose_elsewhere(const std::shared_ptr<StreamState> &self) noexcept
    {
        if (!m_is_loss_on_its_way.exchange(true, std::memory_order_acquire))
            m_loss_from_elsewhere.send(*core, self);
    }
    void end()
    {
        m_closed = true;
        connection = {};
        wake();
    }

    std::size_t size() const { return m_size; }
    bool is_ready() const { return !m_reserved && (m_closed || m_size > 0); }
    /// Done when the next emission arrives, or at the end of the stream.
    Future<> ready()
    {
        if (m_reserved || (m_waiter && !m_waiter.done()))
            throw_stream_busy();
        m_waiter = make_named_future<void>(*core, "next emission of a signal stream");
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
    /// Nothing at the end of the stream.
    std::optional<future_value_t<R>> take()
    {
        if (Q_UNLIKELY(std::exchange(m_head.is_loss_behind, false))) {
            --m_size;
            throw std::bad_alloc();
        }
        if (!m_head.next)
            return std::nullopt;
        const std::unique_ptr<Emission> taken(take_first());
        return to_future_value<R>(std::move(taken->outcome).value());
    }

    LoopCore *const core;
    QMetaObject::Connection connection;
    CallHome<StreamState, &StreamState::end> end_from_elsewhere;
    CallHome<StreamState, &StreamState::disconnect> disconnect_from_elsewhere;

private:
    struct Emission;
    /// The emissions that wait to be taken are a linked list of our own. It can note a loss at any
    /// place when there is no memory for more.
    struct Place
    {
        Emission *next = nullptr;
        bool is_loss_behind = false;
    };
    struct Emission : Place
    {
        template<class... Args>
        explicit Emission(Args &&...args) : outcome(std::forward<Args>(args)...)
        { }
        Outcome<R> outcome;
    };

    /// If moving the value throws, the emission has that exception instead. Null: there is no
    /// memory.
    static Emission *make_emission(Outcome<R> &&outcome) noexcept
    {
        try {
            return new Emission(std::move(outcome));
        } catch (...) {
            return make_failure(std::current_exception());
        }
    }
    static Emission *make_failure(std::exception_ptr exception) noexcept
    {
        try {
            return new Emission(failed_outcome, std::move(exception));
        } catch (const std::bad_alloc &) {
            return nullptr;
        }
    }
    void append(Emission &emission) noexcept
    {
        m_last->next = &emission;
        m_last = &emission;
        ++m_size;
    }
    Emission *take_first() noexcept
    {
        Emission *const first = m_head.next;
        m_head = *first;
        if (!m_head.next)
            m_last = &m_head;
        --m_size;
        return first;
    }
    static void destroy_all(Emission *first) noexcept
    {
        while (first)
            delete std::exchange(first, first->next);
    }
    void wake()
    {
        if (m_waiter && !m_waiter.done() && !core->has(LoopCore::Closed))
            m_waiter.set_result();
        m_waiter = {};
    }
    /// There was no memory for an emission: next() throws std::bad_alloc in its place, once for
    /// several in a row.
    void lose() noexcept
    {
        if (std::exchange(m_last->is_loss_behind, true))
            return;
        ++m_size;
        wake();
    }
    void loss_has_come()
    {
        m_is_loss_on_its_way.store(false, std::memory_order_release);
        if (!m_closed)
            lose();
    }

    Place m_head; // in front of the first
    Place *m_last = &m_head;
    std::size_t m_size = 0; // emissions and losses
    CallHome<StreamState, &StreamState::loss_has_come> m_loss_from_elsewhere;
    std::atomic<bool> m_is_loss_on_its_way{false};
    Future<> m_waiter;
    bool m_closed = false;   // the sender or the stream is gone
    bool m_reserved = false; // what comes next belongs to a claim
};

/// An emission on its way home from another thread.
template<class R>
class RemoteArrival final : public Message
{
public:
    /// Carries what `value()` gives or throws.
    template<class F>
    RemoteArrival(std::shared_ptr<StreamState<R>> state, F &value) : m_state(std::move(state))
    {
        store_outcome(m_outcome, value);
    }

private:
    void arrive() noexcept override { m_state->arrive(*std::move(m_outcome)); }

    const std::shared_ptr<StreamState<R>> m_state;
    std::optional<Outcome<R>> m_outcome;
};

/// The slot of a stream. Owned by Qt's connection; runs the map in the thread of the emission.
template<class R, class Map, class Arguments>
class StreamSlot;
template<class R, class Map, class... Args>
class StreamSlot<R, Map, TypeList<Args...>>
{
public:
    template<class F>
    StreamSlot(std::shared_ptr<StreamState<R>> state, F &&map)
        : m_state(std::move(state)), m_map(std::forward<F>(map))
    { }
    StreamSlot(StreamSlot &&) noexcept = default;
    StreamSlot &operator=(StreamSlot &&) = delete;
    ~StreamSlot()
    {
        if (!m_state)
            return;
        if (m_state->core->in_own_thread())
            m_state->end();
        else
            m_state->end_from_elsewhere.send(*m_state->core, m_state);
    }

    /// An emission for which there is no memory is lost. The stream is told; the emitter is not.
    void operator()(const Args &...args) noexcept
    {
        const auto state = m_state; // a map may destroy the stream and this slot
        const auto value = [&] { return emission_value<R>(m_map, args...); };
        if (state->core->in_own_thread())
            state->arrive(outcome_of<R>(value));
        else
            send(state, value);
    }

private:
    template<class F>
    static void send(const std::shared_ptr<StreamState<R>> &state, F &value) noexcept
    {
        RemoteArrival<R> *arrival = nullptr;
        try {
            arrival = new RemoteArrival<R>(state, value);
        } catch (const std::bad_alloc &) {
            return state->lose_elsewhere(state);
        }
        arrival->send(*state->core);
    }

    std::shared_ptr<StreamState<R>> m_state;
    [[no_unique_address]] Map m_map;
};

/// A claim to the next emission of a stream: see Claim.
template<class R>
class StreamClaim
{
public:
    explicit StreamClaim(std::shared_ptr<StreamState<R>> state) : m_state(std::move(state))
    {
        check_stream(m_state ? m_state->core : nullptr);
    }
    StreamClaim(StreamClaim &&other) noexcept
        : m_state(std::move(other.m_state)), m_reserved(std::exchange(other.m_reserved, false))
    { }
    StreamClaim &operator=(StreamClaim &&) = delete;
    ~StreamClaim() { give_back(); }

    bool is_ready() const { return m_reserved || m_state->is_ready(); }
    Future<> ready() { return m_state->ready(); }
    bool reserve() { return m_reserved || (m_reserved = m_state->reserve()); }
    std::optional<future_value_t<R>> take()
    {
        give_back(); // nothing else runs before take()
        return m_state->take();
    }
    void withdraw() noexcept { give_back(); }

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
        : Coroutine<std::optional<future_value_t<R>>>(next_in_stream<R>(state)),
          m_state(std::move(state))
    { }

    /// For race(): a claim, instead of awaiting the emission.
    StreamClaim<R> claim() &&
    {
        this->close();
        return StreamClaim<R>(std::move(m_state));
    }

private:
    std::shared_ptr<StreamState<R>> m_state;
};

} // namespace QAsyncio::detail
