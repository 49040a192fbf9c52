// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/closure.h"
#include "qasyncio/detail/qt/stream_state.h"

#include <type_traits>

namespace QAsyncio {

namespace detail {
template<class Map, class Arguments, class Sender, class Signal, class F>
auto stream_of_signal(const Sender *sender, Signal signal, F &&map);
} // namespace detail

/// All emissions of a signal, one after the other: what signal_stream() returns.
///
///     auto clicks = signal_stream(button, &QPushButton::clicked);
///     while (auto click = co_await clicks.next())
///         ...
///
/// Ownership: dropping the stream disconnects it, at once in the thread of its loop, soon
/// afterwards in another thread. It can be moved but not copied.
/// Thread: that of the loop in which it was made.
template<class R>
class [[nodiscard("a stream is disconnected when it is dropped")]] SignalStream
{
public:
    using value_type = detail::future_value_t<R>;

    SignalStream(SignalStream &&) noexcept = default;
    SignalStream &operator=(SignalStream &&other) noexcept
    {
        SignalStream taken(std::move(other));
        std::swap(m_state, taken.m_state);
        return *this;
    }
    ~SignalStream()
    {
        if (!m_state)
            return;
        detail::LoopCore &core = *m_state->core;
        if (core.in_own_thread() || core.has(detail::LoopCore::Closed))
            m_state->disconnect();
        else
            m_state->disconnect_from_elsewhere.send(core, m_state);
    }

    /// `co_await stream.next()`: the next emission, or std::nullopt once the sender is gone and all
    /// emissions have been taken. An emission is the argument of the signal: a tuple if there are
    /// several, an empty struct if there are none.
    /// Errors: throws RuntimeError if another task is awaiting the stream, and in any loop but its
    /// own (even if that is gone). Throws what copying an argument or calling the map has thrown.
    /// Throws std::bad_alloc in place of an emission for which there was no memory: once for
    /// several such emissions in a row; if they come from another thread, once for all of them
    /// until the loop has learned of the first. The emitter notices none of this, and the stream
    /// goes on.
    /// Cancellation: no emission is lost. A wait_for() that times out loses none either, and race()
    /// takes one only if the stream has won. (But an emission is lost if a task has taken it and is
    /// cancelled before anybody has received the result of that task.)
    detail::NextEmission<R> next() { return detail::NextEmission<R>(m_state); }
    /// How many emissions are waiting to be taken, including exceptions in place of emissions.
    std::size_t size() const { return m_state ? m_state->size() : 0; }
    /// "<SignalStream size=2>"
    QString to_string() const { return QStringLiteral("<SignalStream size=%1>").arg(size()); }

private:
    template<class Map, class Arguments, class Sender, class Signal, class F>
    friend auto detail::stream_of_signal(const Sender *sender, Signal signal, F &&map);
    explicit SignalStream(std::shared_ptr<detail::StreamState<R>> state) : m_state(std::move(state))
    { }

    std::shared_ptr<detail::StreamState<R>> m_state;
};

template<class Map, class Arguments, class Sender, class Signal, class F>
auto detail::stream_of_signal(const Sender *sender, Signal signal, F &&map)
{
    using R = emission_result_t<Map, Arguments>;
    if (!sender)
        throw_null_sender("signal_stream");
    auto state = std::make_shared<StreamState<R>>(get_running_loop().core());
    state->connection = QObject::connect(sender, signal, sender,
                                         StreamSlot<R, Map, Arguments>(state, std::forward<F>(map)),
                                         Qt::DirectConnection);
    if (!state->connection)
        throw_not_connected("signal_stream");
    return SignalStream<R>(std::move(state));
}

/// A stream of all emissions of a signal. The signal is connected when the stream is made.
/// Emissions are kept until they are taken, so none is lost between two awaits; if there is no
/// memory for one, next() throws std::bad_alloc in its place.
///
/// When the task resumes, the sender and whatever the arguments point to may already be gone. Use
/// the form with a map to take along what is needed. Signals with arguments that are views
/// (QStringView, std::span...) can only be used with a map.
/// Errors: none if the sender is destroyed or the program disconnects the signal
/// (`sender->disconnect()`): the stream ends.
/// Cancellation: see SignalStream::next(). To stop, drop the stream.
/// Thread: the sender may live in any thread and emit in any thread.
/// The sender may be given as a QPointer, or as anything else that QObject::connect() takes.
/// Throws ValueError if the sender is null or Qt cannot connect the signal, RuntimeError if no loop
/// runs in this thread. If a signal is overloaded, name it with qOverload<...>(&Sender::signal).
/// \sa https://doc.qt.io/qt-6/signalsandslots.html
template<class Sender, class... Args>
[[nodiscard("a stream is disconnected when it is dropped")]]
auto signal_stream(const std::type_identity_t<Sender> *sender, void (Sender::*signal)(Args...))
{
    return detail::stream_of_signal<detail::NoMap, detail::signal_arguments_t<Args...>>(
        sender, signal, detail::NoMap());
}
/// The same for a signal that is declared const.
template<class Sender, class... Args>
[[nodiscard("a stream is disconnected when it is dropped")]]
auto signal_stream(const std::type_identity_t<Sender> *sender,
                   void (Sender::*signal)(Args...) const)
{
    return detail::stream_of_signal<detail::NoMap, detail::signal_arguments_t<Args...>>(
        sender, signal, detail::NoMap());
}
/// The same, but each emission is what `map(args...)` returns. The map is called inside the
/// emission, in the thread that emits, as in from_signal(). What it throws is thrown by the next()
/// that would have given its result; the stream goes on.
template<class Sender, class... Args, class Map>
[[nodiscard("a stream is disconnected when it is dropped")]]
auto signal_stream(const std::type_identity_t<Sender> *sender, void (Sender::*signal)(Args...),
                   Map &&map)
{
    detail::check_closure<Map>();
    using Arguments = detail::signal_arguments_t<Args...>;
    return detail::stream_of_signal<detail::closure_t<Map>, Arguments>(sender, signal,
                                                                       std::forward<Map>(map));
}
/// The same for a signal that is declared const.
template<class Sender, class... Args, class Map>
[[nodiscard("a stream is disconnected when it is dropped")]]
auto signal_stream(const std::type_identity_t<Sender> *sender,
                   void (Sender::*signal)(Args...) const, Map &&map)
{
    detail::check_closure<Map>();
    using Arguments = detail::signal_arguments_t<Args...>;
    return detail::stream_of_signal<detail::closure_t<Map>, Arguments>(sender, signal,
                                                                       std::forward<Map>(map));
}

} // namespace QAsyncio
