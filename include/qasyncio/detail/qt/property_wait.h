// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/qt/signal_future.h"
#include "qasyncio/detail/thread/message.h"

#include <QtCore/qpointer.h>
#include <QtCore/qproperty.h>

#include <concepts>

namespace QAsyncio::detail {

/// Throws ValueError if the object is null or lives in another thread.
QASYNCIO_EXPORT void check_property_owner(const QObject *object);

/// Whether a value has changed. False if that cannot be found out.
template<class T>
bool has_changed(const T &value, const T &now)
{
    if constexpr (std::equality_comparable<T>)
        return now == now && !(now == value); // NaN never equals itself
    else
        return false;
}

/// What one wait_until() needs, apart from its frame. The predicate and the getter are code of the
/// program, and may end the task that the frame belongs to: whoever calls ask() must keep a
/// reference on this.
template<class T, class Predicate>
class PropertyWait
{
public:
    explicit PropertyWait(Predicate &&predicate)
        : found(make_named_future<T>(running_core(), "property in wait_until()")),
          m_predicate(std::move(predicate)), m_task(waiting_task())
    { }
    Q_DISABLE_COPY_MOVE(PropertyWait)

    /// If the predicate holds, completes `found` with the value that `get` returns. If the
    /// predicate or the getter throws, completes it with that exception. Returns true if it must be
    /// called again, because the predicate did not hold but has changed the value.
    template<class Getter>
    bool ask(const Getter &get) noexcept
    {
        if (is_over())
            return false;
        try {
            T value = get();
            if (is_over()) // the getter, and below the predicate, may run any code
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
    /// Called by a change, through a reference. If the notifier has to go meanwhile, it goes at the
    /// end of this function: Qt is just calling all notifiers of the property, and might skip the
    /// one before it otherwise.
    template<class Getter>
    void property_changed(const Getter &get) noexcept
    {
        ++m_calls;
        while (ask(get)) // Qt does not call an observer recursively
            ;
        if (--m_calls == 0 && m_left)
            notifier.reset();
    }
    LoopCore &core() const { return *FutureAccess::state(found)->core; }
    /// True if no line of the waiting task will run any more, or if it has what it waits for.
    bool is_over() const
    {
        return m_left || found.done() || m_task->is_doomed() || core().has(LoopCore::Closed);
    }

    Future<T> found;
    std::optional<QPropertyNotifier> notifier; // used for a QProperty

private:
    static Ref<TaskStateBase> waiting_task()
    {
        TaskStateBase *const task = get_running_loop().core().current_task;
        if (!task) // a dialog of the task runs another loop
            throw RuntimeError(
                QStringLiteral("wait_until() should be used inside a task of the running loop"));
        return Ref<TaskStateBase>::share(task);
    }

    Predicate m_predicate;
    const Ref<TaskStateBase> m_task;
    int m_calls = 0; // calls of property_changed() that are executing
    bool m_left = false;
};

/// The share of the waiting frame in the wait.
template<class Wait>
class WaitInFrame
{
public:
    template<class... Args>
    explicit WaitInFrame(Args &&...args)
        : m_wait(std::make_shared<Wait>(std::forward<Args>(args)...))
    { }
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
    auto changed = [shared = *wait, get] { // the captures go with the frame: copy them first
        const auto kept = shared;
        const auto read = get;
        kept->property_changed(read);
    };
    // The predicate may have deleted the owner of the property: then this task is unwound here.
    if (wait->is_over())
        co_return co_await wait->found;
    wait->notifier.emplace(property->addNotifier(changed));
    co_return co_await wait->found;
}

/// For a Q_PROPERTY. If the program cuts the connection (`sender->disconnect()`) it is made again,
/// since the property can still change.
template<class T, class Sender, class Getter, class Signal, class Predicate>
class QPropertyWait final
    : public PropertyWait<T, Predicate>,
      public std::enable_shared_from_this<QPropertyWait<T, Sender, Getter, Signal, Predicate>>
{
public:
    QPropertyWait(QPointer<const Sender> sender, Getter getter, Signal signal,
                  Predicate &&predicate)
        : PropertyWait<T, Predicate>(std::move(predicate)), m_sender(std::move(sender)),
          m_getter(getter), m_signal(signal)
    { }

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
        m_is_connected = bool(
            QObject::connect(m_sender.data(), m_signal, &m_here, Slot(this->shared_from_this())));
        if (!m_is_connected)
            throw_not_connected("wait_until");
    }

private:
    class Slot
    {
    public:
        explicit Slot(const std::shared_ptr<QPropertyWait> &wait)
            : m_core(Ref<LoopCore>::share(&wait->core())), m_wait(wait)
        { }
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
        Ref<LoopCore> m_core; // null if moved from
        std::weak_ptr<QPropertyWait> m_wait;
    };

    /// The connection is gone, because the sender has been destroyed or the program has
    /// disconnected it.
    void cut() noexcept
    {
        if (!std::exchange(m_is_connected, false) || this->is_over() || !this->core().loop)
            return; // no loop: it was destroyed while code of it is still executing
        try {
            connect();
            // What changed meanwhile. Not here: the sender may be in its destructor.
            this->core().loop->call_soon([wait = this->weak_from_this()] {
                if (const auto kept = wait.lock())
                    kept->ask_sender();
            });
        } catch (...) { // not to be reported if nobody is waiting
            this->fail(std::current_exception());
            FutureAccess::state(this->found)->take_exception();
        }
    }

    const QPointer<const Sender> m_sender;
    const Getter m_getter;
    const Signal m_signal;
    bool m_is_connected = false;
    // Used in a destructor, which cannot allocate memory.
    CallHome<QPropertyWait, &QPropertyWait::cut> m_cut_elsewhere;
    QObject m_here; // the connection ends with this
};

template<class T, class Sender, class Getter, class Signal, class Predicate>
Coroutine<T> wait_for_qproperty(QPointer<const Sender> sender, Getter getter, Signal signal,
                                Predicate predicate)
{
    const WaitInFrame<QPropertyWait<T, Sender, Getter, Signal, Predicate>> wait(
        std::move(sender), getter, signal, std::move(predicate));
    wait->ask_sender();
    if (!wait->found.done())
        wait->connect();
    co_return co_await wait->found;
}

} // namespace QAsyncio::detail
