// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/closure.h"
#include "qasyncio/detail/qt/property_wait.h"

namespace QAsyncio {

/// Waits until `predicate(value)` is true for the value of a property, and gives that value. If it
/// is true already, the await does not suspend. The predicate is called at every change, so a value
/// that the property has only for a moment counts too.
///
///     QProperty<int> progress;
///     ...
///     co_await wait_until(progress, [](int value) { return value >= 100; });
///
/// The predicate is called while the property changes, and may do whatever a slot may do: cancel
/// the waiting task, set the property, delete the context object. So may a getter, and the
/// destructors of both.
/// Errors: what the predicate, the getter or copying the value throws; RuntimeError, at the await,
/// if no loop runs in this thread.
/// Cancellation: stops watching the property.
/// Lifetime: the property must live until this has ended.
/// Thread: that of the property, which must be that of the running loop.
/// \sa https://doc.qt.io/qt-6/qproperty.html
template<class T, class Predicate>
auto wait_until(QProperty<T> &property, Predicate &&predicate)
{
    detail::check_closure<Predicate>();
    return detail::wait_for_property<T, QProperty<T> *, detail::closure_t<Predicate>>(
        &property, std::forward<Predicate>(predicate));
}
/// The same for a bindable property: `wait_until(animation->bindableState(), ...)`.
template<class T, class Predicate>
auto wait_until(QBindable<T> property, Predicate &&predicate)
{
    detail::check_closure<Predicate>();
    return detail::wait_for_property<T, std::optional<QBindable<T>>, detail::closure_t<Predicate>>(
        property, std::forward<Predicate>(predicate));
}
/// The same for a Q_PROPERTY, given by its getter and its notify signal:
///
///     const auto is_finished = [](bool finished) { return finished; };
///     co_await wait_until(reply, &QNetworkReply::isFinished, &QNetworkReply::finished,
///                         is_finished);
///
/// It survives `sender->disconnect()`: the signal is then connected again.
/// Errors: ObjectDestroyedError, at the await, if the object is destroyed.
/// Throws ValueError, at the call, if the object is null or lives in another thread.
template<class Sender, class Getter, class Signal, class Predicate>
    requires std::is_invocable_v<Getter, const Sender *>
auto wait_until(const Sender *sender, Getter getter, Signal signal, Predicate &&predicate)
{
    detail::check_closure<Predicate>();
    detail::check_property_owner(sender);
    using T = std::decay_t<std::invoke_result_t<Getter, const Sender *>>;
    QPointer<const Sender> watched(sender);
    return detail::wait_for_qproperty<T, Sender, Getter, Signal, detail::closure_t<Predicate>>(
        std::move(watched), getter, signal, std::forward<Predicate>(predicate));
}

} // namespace QAsyncio
