// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/signal_future.h"

namespace QAsyncio {

/// A future of the next emission of a signal. It is connected when it is made, not when it is awaited: an emission in
/// between counts. Its result is the signal's argument, a tuple if there are several, nothing if there is none.
///
/// The awaiting task resumes through the loop, never inside the emission: it may delete the sender.
/// Errors: ObjectDestroyedError if the sender dies first (if it dies inside its own emission of another signal, when that
/// emission is over).
/// Cancellation: disconnects. So does dropping the last handle.
/// Thread: the sender may live in, and emit from, any thread; the future belongs to the running loop's thread.
/// Throws ValueError for a null sender, RuntimeError if no loop runs in this thread. An overloaded signal is named with
/// qOverload<...>(&Sender::signal).
/// \sa https://doc.qt.io/qt-6/signalsandslots.html
template<class Sender, class Object, class... Args>
    requires std::is_base_of_v<Object, Sender>
auto from_signal(const Sender *sender, void (Object::*signal)(Args...))
{
    using Arguments = typename detail::WithoutPrivateSignal<Args...>::type;
    using R = typename detail::SignalResult<Arguments>::type;
    if (!sender)
        detail::throw_null_sender();
    auto state = detail::Ref<detail::SignalFuture<R>>::adopt(
        new detail::SignalFuture<R>(get_running_loop().core(), *sender));
    state->connection = QObject::connect(sender, signal, sender, detail::SignalSlot<R, Arguments>(*state),
                                         Qt::ConnectionType(Qt::DirectConnection | Qt::SingleShotConnection));
    if (Q_UNLIKELY(state->has_exception()) && !*state->connection) {
        state->take_exception(); // the slot is gone, which looks like the death of the sender
        detail::throw_not_connected();
    }
    return detail::FutureAccess::wrap<Future<R>>(std::move(state));
}

} // namespace QAsyncio
