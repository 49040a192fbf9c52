// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/settle.h"
#include "qasyncio/loop.h"

#include <QtCore/qobject.h>

#include <string_view>
#include <tuple>

namespace QAsyncio::detail {

[[noreturn]] QASYNCIO_EXPORT void throw_null_sender();
[[noreturn]] QASYNCIO_EXPORT void throw_not_connected();
QASYNCIO_EXPORT std::exception_ptr sender_died();
QASYNCIO_EXPORT bool inherits_dialog(const QObject &object);
inline bool is_dialog(const QObject &object)
{
    return Q_UNLIKELY(object.isWidgetType()) && inherits_dialog(object);
}
/// Tells the loop that a dialog is (or is no longer) being awaited: closing it is then no reason to quit.
QASYNCIO_EXPORT void dialog_awaited(LoopCore &core, bool begins) noexcept;

template<class... T>
struct TypeList
{
};

/// Whether a type is the private last argument that makes a signal emittable by its class alone. It has no accessible name,
/// so the name the compiler prints for it is looked at.
template<class T>
constexpr bool is_private_signal()
{
    return std::string_view(Q_FUNC_INFO).find("QPrivateSignal") != std::string_view::npos;
}

template<class... T>
struct WithoutPrivateSignal
{
    using type = TypeList<>;
};
template<class First, class... Rest>
struct WithoutPrivateSignal<First, Rest...>
{
    template<class... Tail>
    static TypeList<std::decay_t<First>, Tail...> prepend(TypeList<Tail...>);
    using all = decltype(prepend(typename WithoutPrivateSignal<Rest...>::type()));
    using type = std::conditional_t<sizeof...(Rest) == 0 && is_private_signal<First>(), TypeList<>, all>;
};

template<class List>
struct SignalResult;
template<>
struct SignalResult<TypeList<>>
{
    using type = void;
};
template<class T>
struct SignalResult<TypeList<T>>
{
    using type = T;
};
template<class First, class Second, class... Rest>
struct SignalResult<TypeList<First, Second, Rest...>>
{
    using type = std::tuple<First, Second, Rest...>;
};

/// Completed by an emission or, with ObjectDestroyedError, by the sender's death. It has two owners: its handles, and what
/// may still complete it: the slot, then the emission on its way home from another thread. All but the counting belongs to
/// the loop's thread.
template<class R>
class SignalFuture final : public FutureState<R>
{
public:
    SignalFuture(LoopCore &core, const QObject &sender) : FutureState<R>(core), m_dialog(is_dialog(sender))
    {
        if (m_dialog)
            dialog_awaited(core, true);
    }

    bool cancel(const QString &message) override
    {
        const bool cancelled = FutureState<R>::cancel(message);
        if (cancelled)
            disconnect();
        return cancelled;
    }

    /// `value` makes the value that was emitted. It may throw: then that is the exception.
    template<class F>
    void emitted(F &&value) noexcept
    {
        if (!is_open())
            return;
        close(); // Qt has removed the connection before it called the slot
        if (this->done() || this->core->has(LoopCore::Closed)) // done: by whoever has the future
            return;
        try {
            this->set_value(value());
        } catch (...) {
            this->set_exception(std::current_exception());
        }
    }
    void failed(std::exception_ptr exception) noexcept
    {
        if (!is_open())
            return;
        close();
        if (!this->done() && !this->core->has(LoopCore::Closed))
            this->set_exception(std::move(exception));
    }

    void remove_owner() noexcept
    {
        if (m_owners.load(std::memory_order_acquire) == 1 || m_owners.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }
    /// remove_owner() of the slot in the loop's thread, where the handles are dropped, too: nobody else counts meanwhile.
    void remove_slot_at_home() noexcept
    {
        if (m_owners.load(std::memory_order_acquire) == 1)
            delete this;
        else
            m_owners.store(1, std::memory_order_relaxed);
    }

    /// Neither done nor without handles.
    bool is_open() const noexcept { return !m_closed; }

    std::optional<QMetaObject::Connection> connection;

private:
    void close() noexcept
    {
        m_closed = true;
        connection.reset();
        if (m_dialog)
            dialog_awaited(*this->core, false);
    }
    void disconnect() noexcept
    {
        if (!is_open())
            return;
        const QMetaObject::Connection connected = *std::move(connection);
        close(); // before the slot dies: it would take that for the death of the sender
        QObject::disconnect(connected);
    }
    void destroy() noexcept override
    {
        disconnect();
        this->callbacks.take_all([](Runnable *callback) { callback->discard(); });
        this->value.reset(); // here and not where the last owner goes
        remove_owner();
    }

    std::atomic<int> m_owners{2};
    bool m_closed = false;
    const bool m_dialog;
};

/// An emission, or the death of a sender, on its way home from another thread. It owns the future in the slot's place.
template<class R>
class RemoteEmission final : public Runnable
{
public:
    /// Of what `value` gives or throws.
    template<class F>
    RemoteEmission(SignalFuture<R> &future, F &value) : m_future(future)
    {
        store_outcome(m_outcome, value);
    }
    ~RemoteEmission() override { m_future.remove_owner(); }

    void run(LoopCore &) noexcept override
    {
        if (m_outcome->has_value())
            m_future.emitted([this] { return to_future_value<R>((*std::move(m_outcome)).value()); });
        else
            m_future.failed(m_outcome->exception());
        delete this;
    }
    void discard() noexcept override { delete this; }

    InboxNode node{this};

private:
    SignalFuture<R> &m_future;
    std::optional<Outcome<R>> m_outcome;
};

/// The slot, without the types of the signal's arguments. It is called once at most.
template<class R>
class SignalSlotBase
{
public:
    explicit SignalSlotBase(SignalFuture<R> &future) : m_future(&future) { }
    SignalSlotBase(SignalSlotBase &&other) noexcept : m_future(other.take_future()) { }
    SignalSlotBase &operator=(SignalSlotBase &&) = delete;
    ~SignalSlotBase()
    {
        if (SignalFuture<R> *future = m_future.load(std::memory_order_relaxed); Q_UNLIKELY(future))
            disconnected(*future);
    }

protected:
    template<class F>
    void emitted(F &&value) noexcept
    {
        SignalFuture<R> *future = take_future();
        if (!future->core->in_own_thread())
            return send(*future, value);
        future->emitted(value);
        future->remove_slot_at_home();
    }

private:
    SignalFuture<R> *take_future() noexcept
    {
        SignalFuture<R> *future = m_future.load(std::memory_order_relaxed);
        m_future.store(nullptr, std::memory_order_relaxed);
        return future;
    }
    /// By us, and then nobody is there any more; else because the sender is gone.
    Q_NEVER_INLINE static void disconnected(SignalFuture<R> &future) noexcept
    {
        if (!future.core->in_own_thread())
            return send(future, []() -> future_value_t<R> { std::rethrow_exception(sender_died()); });
        if (future.is_open())
            future.failed(sender_died());
        future.remove_slot_at_home();
    }
    template<class F>
    static void send(SignalFuture<R> &future, F &&value) noexcept
    {
        auto *emission = new RemoteEmission<R>(future, value);
        if (!future.core->try_push_threadsafe(emission->node))
            emission->discard();
    }

    // Null when moved from, or called. Atomic because threads may follow each other here: Qt orders them.
    std::atomic<SignalFuture<R> *> m_future;
};

template<class R, class Arguments>
class SignalSlot;
template<class R, class... Args>
class SignalSlot<R, TypeList<Args...>> : public SignalSlotBase<R>
{
public:
    using SignalSlotBase<R>::SignalSlotBase;

    void operator()(const Args &...args)
    {
        this->emitted([&] { return future_value_t<R>(args...); });
    }
};

} // namespace QAsyncio::detail
