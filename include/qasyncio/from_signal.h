// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/closure.h"
#include "qasyncio/detail/qt/signal_future.h"

#include <type_traits>

namespace QAsyncio {

/// A future of the next emission of a signal. It is connected when it is made, not when it is awaited: an emission in
/// between counts. Its result is the signal's argument, a tuple if there are several, nothing if there is none.
///
/// The awaiting task resumes through the loop, never inside the emission: it may delete the sender. When it resumes, the
/// sender and what arguments point to may be gone already: a dialog with Qt::WA_DeleteOnClose is. The second form takes along
/// what is needed. Arguments that are views (QStringView, std::span...) are refused without it.
/// Errors: ObjectDestroyedError if the sender dies first (if it dies inside its own emission of another signal, when that
/// emission is over); RuntimeError if the program disconnects it: `sender->disconnect()`. Neither is reported if nobody asks.
/// Cancellation: disconnects. So does dropping the last handle.
/// Thread: the sender may live in, and emit from, any thread; the future belongs to the running loop's thread.
/// The sender may be given as a QPointer, or as what else QObject::connect() takes.
/// Throws ValueError for a null sender, RuntimeError if no loop runs in this thread. An overloaded signal is named with
/// qOverload<...>(&Sender::signal).
/// \sa https://doc.qt.io/qt-6/signalsandslots.html
template<class Sender, class... Args>
[[nodiscard("a future that is dropped is disconnected")]]
auto from_signal(const std::type_identity_t<Sender> *sender, void (Sender::*signal)(Args...))
{
    return detail::future_of_signal<detail::NoMap, detail::signal_arguments_t<Args...>>(sender, signal, detail::NoMap());
}
/// The same for a signal that is declared const.
template<class Sender, class... Args>
[[nodiscard("a future that is dropped is disconnected")]]
auto from_signal(const std::type_identity_t<Sender> *sender, void (Sender::*signal)(Args...) const)
{
    return detail::future_of_signal<detail::NoMap, detail::signal_arguments_t<Args...>>(sender, signal, detail::NoMap());
}
/// The same, with the result that `map(args...)` gives, which runs inside of the emission, in the thread that emits:
///
///     const auto text = [dialog] { return dialog->textValue(); };
///     const QString typed = co_await from_signal(dialog, &QDialog::accepted, text);
///
/// It takes the signal's arguments or the first of them, by value or by const reference; it is kept until the emission. If it
/// gives nothing the future has no value. What it throws is thrown at the await. It may do what a slot may: delete the
/// sender, cancel the task that waits.
template<class Sender, class... Args, class Map>
[[nodiscard("a future that is dropped is disconnected")]]
auto from_signal(const std::type_identity_t<Sender> *sender, void (Sender::*signal)(Args...), Map &&map)
{
    detail::check_closure<Map>();
    using Arguments = detail::signal_arguments_t<Args...>;
    return detail::future_of_signal<detail::closure_t<Map>, Arguments>(sender, signal, std::forward<Map>(map));
}
template<class Sender, class... Args, class Map>
[[nodiscard("a future that is dropped is disconnected")]]
auto from_signal(const std::type_identity_t<Sender> *sender, void (Sender::*signal)(Args...) const, Map &&map)
{
    detail::check_closure<Map>();
    using Arguments = detail::signal_arguments_t<Args...>;
    return detail::future_of_signal<detail::closure_t<Map>, Arguments>(sender, signal, std::forward<Map>(map));
}

} // namespace QAsyncio
