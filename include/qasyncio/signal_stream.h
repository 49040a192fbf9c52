// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/stream_state.h"

namespace QAsyncio {

/// All emissions of a signal, one after the other: what signal_stream() gives.
///
///     auto clicks = signal_stream(button, &QPushButton::clicked);
///     while (auto click = co_await clicks.next())
///         ...
///
/// Ownership: dropping it disconnects at once. Move-only.
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
        if (m_state)
            m_state->disconnect();
    }

    /// `co_await stream.next()`: the next emission (the signal's argument, a tuple if there are several, an empty struct
    /// if there is none), or nothing once the sender is gone and every emission was given.
    /// Throws RuntimeError if another task is awaiting it, and what copying an argument threw.
    /// Cancellation: loses no emission.
    Coroutine<std::optional<value_type>> next() { return detail::next_in_stream<R>(m_state); }
    /// How many emissions wait to be taken.
    std::size_t size() const { return m_state ? m_state->size() : 0; }
    /// "<SignalStream size=2>"
    QString to_string() const { return QStringLiteral("<SignalStream size=%1>").arg(size()); }

private:
    template<class Sender, class Object, class... Args>
        requires std::is_base_of_v<Object, Sender>
    friend auto signal_stream(const Sender *sender, void (Object::*signal)(Args...));
    explicit SignalStream(std::shared_ptr<detail::StreamState<R>> state) : m_state(std::move(state)) { }

    std::shared_ptr<detail::StreamState<R>> m_state;
};

/// The stream of a signal. It is connected when it is made, and keeps what is emitted until it is taken: no emission is lost
/// between two awaits (H-78).
///
/// Errors: none when the sender dies; the stream ends.
/// Thread: the sender may live in, and emit from, any thread.
/// Throws ValueError for a null sender, RuntimeError if no loop runs in this thread. An overloaded signal is named with
/// qOverload<...>(&Sender::signal).
/// \sa https://doc.qt.io/qt-6/signalsandslots.html
template<class Sender, class Object, class... Args>
    requires std::is_base_of_v<Object, Sender>
auto signal_stream(const Sender *sender, void (Object::*signal)(Args...))
{
    using Arguments = typename detail::WithoutPrivateSignal<Args...>::type;
    using R = typename detail::SignalResult<Arguments>::type;
    if (!sender)
        detail::throw_null_sender();
    auto state = std::make_shared<detail::StreamState<R>>(get_running_loop().core());
    state->connection =
        QObject::connect(sender, signal, sender, detail::StreamSlot<R, Arguments>(state), Qt::DirectConnection);
    if (!state->connection)
        detail::throw_not_connected();
    return SignalStream<R>(std::move(state));
}

} // namespace QAsyncio
