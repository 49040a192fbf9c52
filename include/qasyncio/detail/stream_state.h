// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/signal_future.h"

#include <deque>
#include <memory>

namespace QAsyncio::detail {

[[noreturn]] QASYNCIO_EXPORT void throw_stream_busy();

/// What a stream and its slot share. Belongs to the loop's thread.
template<class R>
class StreamState
{
public:
    explicit StreamState(LoopCore &core) : core(&core) { core.retain(); }
    ~StreamState() { core->release(); }
    Q_DISABLE_COPY_MOVE(StreamState)

    void disconnect()
    {
        m_closed = true;
        const QMetaObject::Connection connected = std::exchange(connection, {});
        QObject::disconnect(connected); // destroys the slot, which shares this
        m_items.clear();
        wake();
    }
    void arrive(Outcome<R> &&item)
    {
        if (m_closed)
            return;
        m_items.push_back(std::move(item));
        wake();
    }
    void end()
    {
        m_closed = true;
        connection = {};
        wake();
    }

    bool closed() const { return m_closed; }
    std::size_t size() const { return m_items.size(); }
    Outcome<R> take()
    {
        Outcome<R> item = std::move(m_items.front());
        m_items.pop_front();
        return item;
    }
    /// Done at the next arrival, or at the end.
    Future<> arrival()
    {
        if (m_waiter && !m_waiter.done())
            throw_stream_busy();
        m_waiter = core->loop->create_future<void>();
        return m_waiter;
    }

    LoopCore *const core;
    QMetaObject::Connection connection;

private:
    void wake()
    {
        if (m_waiter && !m_waiter.done() && !core->has(LoopCore::Closed))
            m_waiter.set_result();
        m_waiter = {};
    }

    std::deque<Outcome<R>> m_items;
    Future<> m_waiter;
    bool m_closed = false; // the sender, or the stream, is gone
};

/// An emission, or (nothing) the end, on its way home from another thread.
template<class R>
class RemoteArrival final : public Runnable
{
public:
    RemoteArrival(std::shared_ptr<StreamState<R>> state, std::optional<Outcome<R>> item)
        : m_state(std::move(state)), m_item(std::move(item)) { }

    void run(LoopCore &) noexcept override
    {
        if (m_item)
            m_state->arrive(*std::move(m_item));
        else
            m_state->end();
        delete this;
    }
    void discard() noexcept override { delete this; }

    InboxNode node{this};

private:
    std::shared_ptr<StreamState<R>> m_state;
    std::optional<Outcome<R>> m_item;
};

template<class R, class Arguments>
class StreamSlot;
template<class R, class... Args>
class StreamSlot<R, TypeList<Args...>>
{
public:
    explicit StreamSlot(std::shared_ptr<StreamState<R>> state) : m_state(std::move(state)) { }
    StreamSlot(StreamSlot &&) noexcept = default;
    StreamSlot &operator=(StreamSlot &&) = delete;
    ~StreamSlot()
    {
        if (!m_state)
            return;
        if (m_state->core->in_own_thread())
            m_state->end();
        else
            send(std::nullopt);
    }

    void operator()(const Args &...args)
    {
        const auto value = [&] { return typename Outcome<R>::value_type{args...}; };
        auto item = make_item(value);
        if (m_state->core->in_own_thread())
            m_state->arrive(std::move(item));
        else
            send(std::move(item));
    }

private:
    template<class F>
    static Outcome<R> make_item(const F &value) noexcept
    {
        try {
            return Outcome<R>(value());
        } catch (...) {
            return Outcome<R>(std::current_exception());
        }
    }
    void send(std::optional<Outcome<R>> item)
    {
        auto *arrival = new RemoteArrival<R>(m_state, std::move(item));
        if (!m_state->core->try_push_threadsafe(arrival->node))
            arrival->discard();
    }

    std::shared_ptr<StreamState<R>> m_state;
};

template<class R>
Coroutine<std::optional<future_value_t<R>>> next_in_stream(std::shared_ptr<StreamState<R>> state)
{
    while (state->size() == 0) {
        if (state->closed())
            co_return std::nullopt;
        auto arrival = state->arrival();
        co_await arrival;
    }
    co_return to_future_value<R>(state->take().value());
}

} // namespace QAsyncio::detail
