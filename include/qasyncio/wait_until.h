// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/closure.h"
#include "qasyncio/detail/signal_future.h"

#include <QtCore/qpointer.h>
#include <QtCore/qproperty.h>

namespace QAsyncio {

namespace detail {

QASYNCIO_EXPORT void check_property_owner(const QObject *object);

/// Completes `found` with the value that `get` gives if the predicate holds, or with what one of them throws.
template<class T, class Predicate, class Getter>
void offer(Future<T> &found, Predicate &predicate, const Getter &get)
{
    if (found.done())
        return;
    try {
        T value = get();
        if (predicate(std::as_const(value)))
            found.set_result(std::move(value));
    } catch (...) {
        found.set_exception(std::current_exception());
    }
}

template<class T, class Property, class Predicate>
Coroutine<T> wait_for_property(Property property, Predicate predicate)
{
    Future<T> found = get_running_loop().create_future<T>();
    const auto get = [&] { return property->value(); };
    offer(found, predicate, get);
    auto changed = [&] { offer(found, predicate, get); };
    const auto notifier = property->addNotifier(changed);
    co_return co_await found;
}

template<class T, class Sender, class Getter, class Signal, class Predicate>
Coroutine<T> wait_for_qproperty(QPointer<const Sender> sender, Getter getter, Signal signal, Predicate predicate)
{
    if (!sender) // since this was called
        std::rethrow_exception(sender_died());
    Future<T> found = get_running_loop().create_future<T>();
    const auto get = [&] { return std::invoke(getter, sender.data()); };
    offer(found, predicate, get);
    QObject here; // the connections end with this frame
    QObject::connect(sender, signal, &here, [&] { offer(found, predicate, get); });
    QObject::connect(sender, &QObject::destroyed, &here, [&] {
        if (!found.done())
            found.set_exception(sender_died());
    });
    co_return co_await found;
}

} // namespace detail

/// Waits until `predicate(value)` holds for the value of a property; gives that value. If it holds already, it does not
/// suspend. The predicate is asked at every change, so that a value that is there only for a moment counts as well.
///
/// Errors: what the predicate, the getter or copying the value throws.
/// Cancellation: stops watching.
/// Lifetime: the property must live until this has ended.
/// Thread: the property's and the running loop's.
/// \sa https://doc.qt.io/qt-6/qproperty.html
template<class T, class Predicate>
auto wait_until(QProperty<T> &property, Predicate &&predicate)
{
    detail::check_closure<Predicate>();
    return detail::wait_for_property<T, QProperty<T> *, detail::closure_t<Predicate>>(&property,
                                                                                      std::forward<Predicate>(predicate));
}
/// The same for a bindable property: `wait_until(animation->bindableState(), ...)`.
template<class T, class Predicate>
auto wait_until(QBindable<T> property, Predicate &&predicate)
{
    detail::check_closure<Predicate>();
    return detail::wait_for_property<T, std::optional<QBindable<T>>, detail::closure_t<Predicate>>(
        property, std::forward<Predicate>(predicate));
}
/// The same for a Q_PROPERTY, by its getter and its notify signal:
/// `wait_until(reply, &QNetworkReply::isFinished, &QNetworkReply::finished, [](bool finished) { return finished; })`.
/// Throws ObjectDestroyedError if the object dies; ValueError for null and for an object of another thread.
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
