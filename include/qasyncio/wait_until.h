// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/closure.h"
#include "qasyncio/detail/thread/message.h"
#include "qasyncio/detail/qt/signal_future.h"

#include <QtCore/qpointer.h>
#include <QtCore/qproperty.h>

#include <concepts>

namespace QAsyncio {

namespace detail {

QASYNCIO_EXPORT void check_property_owner(const QObject *object);

/// Whether a value has changed; no, if that cannot be told.
template<class T>
bool has_changed(const T &value, const T &now)
{
    if constexpr (std::equality_comparable<T>)
        return now == now && !(now == value); // NaN is never the same
    else
        return false;
}

/// One wait_until(): what it waits with, apart from its frame. The predicate and the getter are the program's code, and may
/// end the task whose frame that is: whoever calls ask() keeps a reference.
template<class T, class Predicate>
class PropertyWait
{
public:
    explicit PropertyWait(Predicate &&predicate)
        : found(get_running_loop().create_future<T>()), m_predicate(std::move(predicate)),
          m_task(waiting_task()) { }
    Q_DISABLE_COPY_MOVE(PropertyWait)

    /// Completes `found` with the value that `get` gives if the predicate holds, or with what one of them throws. True if it
    /// is to be asked again: the predicate did not hold, but has changed the value.
    template<class Getter>
    bool ask(const Getter &get) noexcept
    {
        if (is_over())
            return false;
        try {
            T value = get();
            if (is_over()) // both may act
                return false;
            const bool holds = m_predicate(std::as_const(value));
            if (is_over())
                return false;
            if (!holds)
                return has_changed(value, T(get()));
            found.set_result(std::move(value));
        } catch (...) {
            fail(std::current_exception());
        }
        return false;
    }
    void fail(std::exception_ptr why) noexcept
    {
        if (!is_over())
            found.set_exception(std::move(why));
    }
    /// The frame is gone.
    void leave()
    {
        m_left = true;
        if (m_calls == 0)
            notifier.reset();
    }
    /// What a change calls, with a reference. The notifier, if it is to go meanwhile, goes at the end of that: Qt, which is telling
    /// all of a property, may pass over the one before it else.
    template<class Getter>
    void property_changed(const Getter &get) noexcept
    {
        ++m_calls;
        while (ask(get)) // Qt does not call an observer inside of itself
            ;
        if (--m_calls == 0 && m_left)
            notifier.reset();
    }
    LoopCore &core() const { return *FutureAccess::state(found)->core; }
    /// No line of the waiting task runs any more, or it has what it waits for.
    bool is_over() const
    {
        return m_left || found.done() || m_task->is_doomed() || core().has(LoopCore::Closed);
    }

    Future<T> found;
    std::optional<QPropertyNotifier> notifier; // of a QProperty

private:
    static Ref<TaskStateBase> waiting_task()
    {
        TaskStateBase *const task = get_running_loop().core().current_task;
        if (!task) // another loop has come under a dialog of the task
            throw RuntimeError(QStringLiteral("wait_until() should be used inside a task of the running loop"));
        return Ref<TaskStateBase>::share(task);
    }

    Predicate m_predicate;
    const Ref<TaskStateBase> m_task;
    int m_calls = 0; // of property_changed() on the stack
    bool m_left = false;
};

/// In the frame that waits.
template<class Wait>
class WaitInFrame
{
public:
    template<class... Args>
    explicit WaitInFrame(Args &&...args) : m_wait(std::make_shared<Wait>(std::forward<Args>(args)...)) { }
    ~WaitInFrame() { m_wait->leave(); }
    Q_DISABLE_COPY_MOVE(WaitInFrame)

    const std::shared_ptr<Wait> &operator*() const { return m_wait; }
    Wait *operator->() const { return m_wait.get(); }

private:
    const std::shared_ptr<Wait> m_wait;
};

template<class T, class Property, class Predicate>
Coroutine<T> wait_for_property(Property property, Predicate predicate)
{
    const WaitInFrame<PropertyWait<T, Predicate>> wait(std::move(predicate));
    const auto get = [property] { return property->value(); };
    while (wait->ask(get))
        ;
    auto changed = [shared = *wait, get] { // which go with the frame
        const auto kept = shared;
        const auto read = get;
        kept->property_changed(read);
    };
    if (wait->is_over()) // the predicate may have deleted the owner of the property, and this task is unwound here
        co_return co_await wait->found;
    wait->notifier.emplace(property->addNotifier(changed));
    co_return co_await wait->found;
}

/// Of a Q_PROPERTY. Its connection is made anew if the program cuts it (`sender->disconnect()`): the property still changes.
template<class T, class Sender, class Getter, class Signal, class Predicate>
class QPropertyWait final : public PropertyWait<T, Predicate>,
                            public std::enable_shared_from_this<QPropertyWait<T, Sender, Getter, Signal, Predicate>>
{
public:
    QPropertyWait(QPointer<const Sender> sender, Getter getter, Signal signal, Predicate &&predicate)
        : PropertyWait<T, Predicate>(std::move(predicate)), m_sender(std::move(sender)), m_getter(getter), m_signal(signal) { }

    void ask_sender() noexcept
    {
        const auto get = [this] {
            if (!m_sender) // the predicate has deleted it
                std::rethrow_exception(sender_died());
            return std::invoke(m_getter, m_sender.data());
        };
        if (m_sender)
            this->ask(get);
    }
    /// Throws ObjectDestroyedError if the sender is gone.
    void connect()
    {
        if (!m_sender)
            std::rethrow_exception(sender_died());
        m_is_connected = false;
        m_is_connected = bool(QObject::connect(m_sender.data(), m_signal, &m_here, Slot(this->shared_from_this())));
        if (!m_is_connected)
            throw_not_connected();
    }

private:
    class Slot
    {
    public:
        explicit Slot(const std::shared_ptr<QPropertyWait> &wait)
            : m_core(Ref<LoopCore>::share(&wait->core())), m_wait(wait) { }
        Slot(Slot &&) noexcept = default;
        Slot &operator=(Slot &&) = delete;
        ~Slot()
        {
            if (!m_core)
                return;
            const auto wait = m_wait.lock();
            if (!wait)
                return;
            if (m_core->in_own_thread())
                wait->cut();
            else
                wait->m_cut_elsewhere.send(*m_core, wait);
        }
        void operator()()
        {
            if (const auto kept = m_wait.lock())
                kept->ask_sender();
        }

    private:
        Ref<LoopCore> m_core; // null when moved from
        std::weak_ptr<QPropertyWait> m_wait;
    };

    /// The connection is gone: by the sender's death, or by the program.
    void cut() noexcept
    {
        if (!std::exchange(m_is_connected, false) || this->is_over() || !this->core().loop)
            return; // the latter: the loop was destroyed, and code of it is still on the stack
        try {
            connect();
            // What changed meanwhile. Not here: the sender may be in its destructor.
            this->core().loop->call_soon([wait = this->weak_from_this()] {
                if (const auto kept = wait.lock())
                    kept->ask_sender();
            });
        } catch (...) { // if nobody waits for it, that is no error to report
            this->fail(std::current_exception());
            FutureAccess::state(this->found)->take_exception();
        }
    }

    const QPointer<const Sender> m_sender;
    const Getter m_getter;
    const Signal m_signal;
    bool m_is_connected = false;
    CallHome<QPropertyWait, &QPropertyWait::cut> m_cut_elsewhere; // a destructor tells of it, which cannot need memory
    QObject m_here; // the connection ends with this
};

template<class T, class Sender, class Getter, class Signal, class Predicate>
Coroutine<T> wait_for_qproperty(QPointer<const Sender> sender, Getter getter, Signal signal, Predicate predicate)
{
    const WaitInFrame<QPropertyWait<T, Sender, Getter, Signal, Predicate>> wait(std::move(sender), getter, signal,
                                                                               std::move(predicate));
    wait->ask_sender();
    if (!wait->found.done())
        wait->connect();
    co_return co_await wait->found;
}

} // namespace detail

/// Waits until `predicate(value)` holds for the value of a property; gives that value. If it holds already, it does not
/// suspend. The predicate is asked at every change, so that a value that is there only for a moment counts as well.
///
/// The predicate is called inside of the change, and may do what a slot may: cancel the task that waits, set the property,
/// delete the context object. So may a getter, and the destructors of both.
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
/// Throws ObjectDestroyedError if the object dies; ValueError for null and for an object of another thread. It survives
/// `sender->disconnect()`: then it is connected again.
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
