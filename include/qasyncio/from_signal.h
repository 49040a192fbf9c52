// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/closure.h"
#include "qasyncio/detail/qt/signal_future.h"

#include <type_traits>

namespace QAsyncio {

/// A future of the next emission of a signal. The signal is connected when the future is made, not
/// when it is awaited, so an emission in between is not missed. The future's result is the argument
/// of the signal: a tuple if there are several, nothing if there are none.
///
///     dialog.open();
///     const int answer = co_await from_signal(&dialog, &QDialog::finished);
///
/// The awaiting task resumes through the loop and never inside the emission, so it may delete the
/// sender. When it resumes, the sender and whatever the arguments point to may already be gone, as
/// with a dialog that has Qt::WA_DeleteOnClose. Use the form with a map to take along what is
/// needed. Signals with arguments that are views (QStringView, std::span...) can only be used with
/// a map.
/// Errors: ObjectDestroyedError if the sender is destroyed first (if that happens while it emits
/// another signal, then at the end of that emission). RuntimeError if the program disconnects the
/// signal, as with `sender->disconnect()`. Neither is reported if nobody awaits the future.
/// Cancellation: disconnects. Dropping the last handle on the future does so too.
/// Thread: the sender may live in any thread and emit in any thread. The future belongs to the
/// thread of the running loop.
/// The sender may be given as a QPointer, or as anything else that QObject::connect() takes.
/// Throws ValueError if the sender is null or Qt cannot connect the signal, RuntimeError if no loop
/// runs in this thread. If a signal is overloaded, name it with qOverload<...>(&Sender::signal).
/// \sa https://doc.qt.io/qt-6/signalsandslots.html
template<class Sender, class... Args>
[[nodiscard("a future that is dropped is disconnected")]]
auto from_signal(const std::type_identity_t<Sender> *sender, void (Sender::*signal)(Args...))
{
    return detail::future_of_signal<detail::NoMap, detail::signal_arguments_t<Args...>>(
        sender, signal, detail::NoMap());
}
/// The same for a signal that is declared const.
template<class Sender, class... Args>
[[nodiscard("a future that is dropped is disconnected")]]
auto from_signal(const std::type_identity_t<Sender> *sender, void (Sender::*signal)(Args...) const)
{
    return detail::future_of_signal<detail::NoMap, detail::signal_arguments_t<Args...>>(
        sender, signal, detail::NoMap());
}
/// The same, but the future's result is what `map(args...)` returns. The map is called inside the
/// emission, in the thread that emits:
///
///     const auto text = [dialog] { return dialog->textValue(); };
///     const QString typed = co_await from_signal(dialog, &QDialog::accepted, text);
///
/// It takes all arguments of the signal or only the first ones, by value or by const reference. It
/// is kept until the emission. If it returns void, the future has no value. What it throws is
/// thrown at the await. It may do whatever a slot may do, such as deleting the sender or cancelling
/// the waiting task.
template<class Sender, class... Args, class Map>
[[nodiscard("a future that is dropped is disconnected")]]
auto from_signal(const std::type_identity_t<Sender> *sender, void (Sender::*signal)(Args...),
                 Map &&map)
{
    detail::check_closure<Map>();
    using Arguments = detail::signal_arguments_t<Args...>;
    return detail::future_of_signal<detail::closure_t<Map>, Arguments>(sender, signal,
                                                                       std::forward<Map>(map));
}
/// The same for a signal that is declared const.
template<class Sender, class... Args, class Map>
[[nodiscard("a future that is dropped is disconnected")]]
auto from_signal(const std::type_identity_t<Sender> *sender, void (Sender::*signal)(Args...) const,
                 Map &&map)
{
    detail::check_closure<Map>();
    using Arguments = detail::signal_arguments_t<Args...>;
    return detail::future_of_signal<detail::closure_t<Map>, Arguments>(sender, signal,
                                                                       std::forward<Map>(map));
}

} // namespace QAsyncio
