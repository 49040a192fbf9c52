// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/run_there.h"
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
        try {
            m_items.push_back(std::move(item));
        } catch (...) { // of moving it
            m_items.emplace_back(failed_outcome, std::current_exception());
        }
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
            run_there(*m_state->core, [state = m_state] { state->end(); });
    }

    void operator()(const Args &...args)
    {
        const auto value = [&] { return future_value_t<R>(args...); };
        if (m_state->core->in_own_thread())
            return m_state->arrive(outcome_of<R>(value));
        auto item = std::make_unique<std::optional<Outcome<R>>>();
        store_outcome(*item, value);
        run_there(*m_state->core, [state = m_state, item = std::move(item)] { state->arrive(std::move(**item)); });
    }

private:
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
