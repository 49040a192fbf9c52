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

/// All emissions of a signal, one after the other: what signal_stream() gives.
///
///     auto clicks = signal_stream(button, &QPushButton::clicked);
///     while (auto click = co_await clicks.next())
///         ...
///
/// Ownership: dropping it disconnects, at once in its loop's thread, soon in another one. Move-only.
/// Thread: that of the loop it was made in.
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

    /// `co_await stream.next()`: the next emission (the signal's argument, a tuple if there are several, an empty struct
    /// if there is none), or nothing once the sender is gone and every emission was given.
    /// Throws RuntimeError if another task is awaiting it, or in another loop than its own (also if that is gone); what copying
    /// an argument, or the map, threw; and std::bad_alloc in the place of an emission that there was no memory for. The emitter
    /// hears nothing of that, and the stream goes on. It is told once for several in a row; of those in another thread, once
    /// for all until the loop has heard of the first.
    /// Cancellation: loses no emission. Nor does wait_for() that is over, nor race(): it takes from the stream only if that
    /// has won. (A task that has taken one, and was cancelled before anybody has got its result, has lost it.)
    detail::NextEmission<R> next() { return detail::NextEmission<R>(m_state); }
    /// How many emissions wait to be taken, or exceptions in their place.
    std::size_t size() const { return m_state ? m_state->size() : 0; }
    /// "<SignalStream size=2>"
    QString to_string() const { return QStringLiteral("<SignalStream size=%1>").arg(size()); }

private:
    template<class Map, class Arguments, class Sender, class Signal, class F>
    friend auto detail::stream_of_signal(const Sender *sender, Signal signal, F &&map);
    explicit SignalStream(std::shared_ptr<detail::StreamState<R>> state) : m_state(std::move(state)) { }

    std::shared_ptr<detail::StreamState<R>> m_state;
};

template<class Map, class Arguments, class Sender, class Signal, class F>
auto detail::stream_of_signal(const Sender *sender, Signal signal, F &&map)
{
    using R = emission_result_t<Map, Arguments>;
    if (!sender)
        throw_null_sender();
    auto state = std::make_shared<StreamState<R>>(get_running_loop().core());
    state->connection = QObject::connect(sender, signal, sender, StreamSlot<R, Map, Arguments>(state, std::forward<F>(map)),
                                         Qt::DirectConnection);
    if (!state->connection)
        throw_not_connected();
    return SignalStream<R>(std::move(state));
}

/// The stream of a signal. It is connected when it is made, and keeps what is emitted until it is taken: no emission is lost
/// between two awaits; if there is no memory for one, next() throws std::bad_alloc in its place.
///
/// When the task resumes, the sender and what arguments point to may be gone already. The second form takes along what is
/// needed. Arguments that are views (QStringView, std::span...) are refused without it.
/// Errors: none when the sender dies, or the program disconnects it (`sender->disconnect()`); the stream ends.
/// Thread: the sender may live in, and emit from, any thread.
/// The sender may be given as a QPointer, or as what else QObject::connect() takes.
/// Throws ValueError for a null sender, RuntimeError if no loop runs in this thread. An overloaded signal is named with
/// qOverload<...>(&Sender::signal).
/// \sa https://doc.qt.io/qt-6/signalsandslots.html
template<class Sender, class... Args>
[[nodiscard("a stream is disconnected when it is dropped")]]
auto signal_stream(const std::type_identity_t<Sender> *sender, void (Sender::*signal)(Args...))
{
    return detail::stream_of_signal<detail::NoMap, detail::signal_arguments_t<Args...>>(sender, signal, detail::NoMap());
}
/// The same for a signal that is declared const.
template<class Sender, class... Args>
[[nodiscard("a stream is disconnected when it is dropped")]]
auto signal_stream(const std::type_identity_t<Sender> *sender, void (Sender::*signal)(Args...) const)
{
    return detail::stream_of_signal<detail::NoMap, detail::signal_arguments_t<Args...>>(sender, signal, detail::NoMap());
}
/// The same, of what `map(args...)` gives, which runs inside of each emission, in the thread that emits: as in from_signal().
/// What it throws is thrown by the next() that would give its result; the stream goes on.
template<class Sender, class... Args, class Map>
[[nodiscard("a stream is disconnected when it is dropped")]]
auto signal_stream(const std::type_identity_t<Sender> *sender, void (Sender::*signal)(Args...), Map &&map)
{
    detail::check_closure<Map>();
    using Arguments = detail::signal_arguments_t<Args...>;
    return detail::stream_of_signal<detail::closure_t<Map>, Arguments>(sender, signal, std::forward<Map>(map));
}
template<class Sender, class... Args, class Map>
[[nodiscard("a stream is disconnected when it is dropped")]]
auto signal_stream(const std::type_identity_t<Sender> *sender, void (Sender::*signal)(Args...) const, Map &&map)
{
    detail::check_closure<Map>();
    using Arguments = detail::signal_arguments_t<Args...>;
    return detail::stream_of_signal<detail::closure_t<Map>, Arguments>(sender, signal, std::forward<Map>(map));
}

} // namespace QAsyncio
