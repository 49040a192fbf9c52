// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/loop.h"

#include <QtCore/qobject.h>

#include <string_view>
#include <tuple>

namespace QAsyncio::detail {

[[noreturn]] QASYNCIO_EXPORT void throw_null_sender();
[[noreturn]] QASYNCIO_EXPORT void throw_not_connected();
QASYNCIO_EXPORT std::exception_ptr sender_died();
QASYNCIO_EXPORT bool is_dialog(const QObject &object);
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

template<class R>
class SignalFuture;

/// What a signal's future and its slot share, since either may die first.
template<class R>
class SignalLink : public Pooled
{
public:
    SignalLink(LoopCore &core, SignalFuture<R> &future) : core(&core), future(&future) { core.retain(); }
    ~SignalLink() { core->release(); }
    Q_DISABLE_COPY_MOVE(SignalLink)

    void retain() noexcept { m_refs.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept
    {
        if (m_refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }
    /// True for the first emission, in whatever thread.
    bool fire() noexcept { return !m_fired.exchange(true, std::memory_order_acq_rel); }

    LoopCore *const core;
    SignalFuture<R> *future; // null once it is done or dead; belongs to the loop's thread

private:
    std::atomic<int> m_refs{1};
    std::atomic<bool> m_fired{false};
};

/// Completed by the slot, or when the slot is destroyed because the sender is.
template<class R>
class SignalFuture final : public FutureState<R>
{
public:
    SignalFuture(LoopCore &core, const QObject &sender)
        : FutureState<R>(core), m_link(new SignalLink<R>(core, *this)), m_dialog(is_dialog(sender))
    {
        if (m_dialog)
            dialog_awaited(core, true);
    }
    ~SignalFuture() override
    {
        disconnect();
        m_link->release();
    }

    bool cancel(const QString &message) override
    {
        const bool cancelled = FutureState<R>::cancel(message);
        if (cancelled)
            disconnect();
        return cancelled;
    }

    /// In the loop's thread: the signal was emitted, or (no value) the sender has died.
    void complete(std::optional<future_value_t<R>> &&value)
    {
        const auto self = Ref<SignalFuture>::share(this);
        disconnect();
        if (this->core->has(LoopCore::Closed))
            return;
        if (value)
            this->set_value(std::move(*value));
        else
            this->set_exception(sender_died());
    }

    SignalLink<R> *link() const { return m_link; }
    QMetaObject::Connection connection;

private:
    void disconnect() noexcept
    {
        if (!std::exchange(m_link->future, nullptr))
            return;
        if (m_dialog)
            dialog_awaited(*this->core, false);
        QObject::disconnect(connection);
    }

    SignalLink<R> *const m_link;
    const bool m_dialog;
};

/// An emission, or the death of a sender, on its way home from another thread.
template<class R>
class RemoteEmission final : public Runnable
{
public:
    RemoteEmission(SignalLink<R> *link, std::optional<future_value_t<R>> value) : m_link(link), m_value(std::move(value))
    {
        link->retain();
    }
    ~RemoteEmission() override { m_link->release(); }

    void run(LoopCore &) noexcept override
    {
        if (m_link->future)
            m_link->future->complete(std::move(m_value));
        delete this;
    }
    void discard() noexcept override { delete this; }

private:
    SignalLink<R> *m_link;
    std::optional<future_value_t<R>> m_value;
};

/// The slot, without the types of the signal's arguments.
template<class R>
class SignalSlotBase
{
public:
    explicit SignalSlotBase(SignalFuture<R> &future) : m_link(future.link()) { m_link->retain(); }
    SignalSlotBase(SignalSlotBase &&other) noexcept : m_link(std::exchange(other.m_link, nullptr)) { }
    SignalSlotBase &operator=(SignalSlotBase &&) = delete;
    ~SignalSlotBase()
    {
        if (!m_link)
            return;
        deliver(std::nullopt); // disconnected by us: nobody is there any more; else the sender is gone
        m_link->release();
    }

protected:
    void deliver(std::optional<future_value_t<R>> value)
    {
        if (!m_link->fire())
            return;
        if (m_link->core->in_own_thread()) {
            if (m_link->future)
                m_link->future->complete(std::move(value));
            return;
        }
        auto *emission = new RemoteEmission<R>(m_link, std::move(value));
        if (!m_link->core->try_push_threadsafe(emission))
            emission->discard();
    }

private:
    SignalLink<R> *m_link;
};

template<class R, class Arguments>
class SignalSlot;
template<class R, class... Args>
class SignalSlot<R, TypeList<Args...>> : public SignalSlotBase<R>
{
public:
    using SignalSlotBase<R>::SignalSlotBase;

    void operator()(const Args &...args) { this->deliver(future_value_t<R>{args...}); }
};

} // namespace QAsyncio::detail
