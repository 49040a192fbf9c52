// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/settle.h"
#include "qasyncio/detail/thread/message.h"
#include "qasyncio/loop.h"

#include <QtCore/qanystringview.h>
#include <QtCore/qbytearrayview.h>
#include <QtCore/qmetaobject.h>
#include <QtCore/qobject.h>
#include <QtCore/qpointer.h>
#include <QtCore/qstringview.h>
#include <QtCore/qutf8stringview.h>
#if QT_VERSION >= QT_VERSION_CHECK(6, 7, 0)
#  include <QtCore/qspan.h>
#endif

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <tuple>

namespace QAsyncio::detail {

/// ValueError, in the name of `function`.
[[noreturn]] QASYNCIO_EXPORT void throw_null_sender(const char *function);
[[noreturn]] QASYNCIO_EXPORT void throw_not_connected(const char *function);
QASYNCIO_EXPORT std::exception_ptr sender_died();
QASYNCIO_EXPORT std::exception_ptr signal_disconnected();
QASYNCIO_EXPORT bool inherits_dialog(const QObject &object);
inline bool is_dialog(const QObject &object)
{
    return Q_UNLIKELY(object.isWidgetType()) && inherits_dialog(object);
}
/// Tells the loop that a dialog is being awaited, or no longer is: closing it is then no reason to
/// quit.
QASYNCIO_EXPORT void dialog_awaited(LoopCore &core, const QObject *dialog, bool begins);

/// Which signal of which object is waited for, to be named in texts.
class QASYNCIO_EXPORT SignalSource
{
public:
    template<class Signal>
    SignalSource(const QObject &sender, Signal signal) noexcept
        : m_sender(&sender), m_is_here(lives_here(sender)), m_class(sender.metaObject()),
          m_method_of(&method_of<Signal>)
    {
        static_assert(sizeof(signal) <= sizeof(m_signal));
        std::memcpy(m_signal, &signal, sizeof(signal));
    }

    /// Compared only: it may be gone.
    const QObject *sender() const noexcept { return m_sender; }
    /// "signal clicked of QPushButton 'ok'". While the signal is connected.
    QString describe() const;

private:
    template<class Signal>
    static QMetaMethod method_of(const std::byte *bytes)
    {
        Signal signal = nullptr;
        std::memcpy(&signal, bytes, sizeof(signal));
        return QMetaMethod::fromSignal(signal);
    }
    static bool lives_here(const QObject &sender) noexcept;

    const QObject *m_sender;
    bool m_is_here; // in this thread: its name may be read
    const QMetaObject *m_class;
    QMetaMethod (*m_method_of)(const std::byte *signal);
    alignas(void *) std::byte m_signal[2 * sizeof(void *)]; // a pointer to a member function
};

template<class... T>
struct TypeList
{
};

/// Whether a type is the private last argument (QPrivateSignal) that lets only the class itself
/// emit a signal. The type is not accessible here, so look at the name that the compiler prints for
/// it.
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
    using type =
        std::conditional_t<sizeof...(Rest) == 0 && is_private_signal<First>(), TypeList<>, all>;
};

/// The types of the arguments that the slot of a signal gets, without references and the private
/// one.
template<class... Args>
using signal_arguments_t = typename WithoutPrivateSignal<Args...>::type;

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

/// Types that only refer to data of somebody else.
template<class T>
struct IsView
    : std::bool_constant<std::is_same_v<T, QStringView> || std::is_same_v<T, QByteArrayView>
                         || std::is_same_v<T, QLatin1String> || std::is_same_v<T, QUtf8StringView>
                         || std::is_same_v<T, QAnyStringView>>
{
};
template<class C, class Traits>
struct IsView<std::basic_string_view<C, Traits>> : std::true_type
{
};
template<class T, std::size_t Extent>
struct IsView<std::span<T, Extent>> : std::true_type
{
};
#if QT_VERSION >= QT_VERSION_CHECK(6, 7, 0)
template<class T, std::size_t Extent>
struct IsView<QSpan<T, Extent>> : std::true_type
{
};
#endif

template<class List>
constexpr bool has_view = false;
template<class... Args>
constexpr bool has_view<TypeList<Args...>> = (IsView<Args>::value || ...);

/// Without a map: the arguments are the result.
struct NoMap
{
};

template<class Map, class Arguments, std::size_t... I>
constexpr bool map_takes(std::index_sequence<I...>)
{
    return std::is_invocable_v<Map &, const std::tuple_element_t<I, Arguments> &...>;
}
/// How many of a signal's arguments a map takes: it may take fewer, as a slot may.
template<class Map, class Arguments, std::size_t Count>
constexpr std::size_t arguments_of_map()
{
    if constexpr (map_takes<Map, Arguments>(std::make_index_sequence<Count>()))
        return Count;
    else if constexpr (Count > 0)
        return arguments_of_map<Map, Arguments, Count - 1>();
    else
        static_assert(!sizeof(Map),
                      "map(args...) must take the signal's arguments, or the first of them");
    return 0;
}
template<class Map, class... Args, std::size_t... I>
decltype(auto) call_map(Map &map, std::index_sequence<I...>, const Args &...args)
{
    [[maybe_unused]] const auto all = std::forward_as_tuple(args...);
    return std::invoke(map, std::get<I>(all)...);
}
template<class Map, class... Args>
decltype(auto) call_map(Map &map, const Args &...args)
{
    constexpr std::size_t count = arguments_of_map<Map, std::tuple<Args...>, sizeof...(Args)>();
    return call_map(map, std::make_index_sequence<count>(), args...);
}

/// The type that awaiting an emission gives.
template<class Map, class List>
struct EmissionResult;
template<class... Args>
struct EmissionResult<NoMap, TypeList<Args...>> : SignalResult<TypeList<Args...>>
{
    static_assert(!has_view<TypeList<Args...>>,
                  "an argument of this signal only refers to data, which may be gone when the task "
                  "resumes: take what is "
                  "needed inside of the emission, with a map: from_signal(sender, signal, map), "
                  "signal_stream(sender, "
                  "signal, map)");
};
template<class Map, class... Args>
struct EmissionResult<Map, TypeList<Args...>>
{
    using type = std::remove_cvref_t<decltype(call_map(std::declval<Map &>(),
                                                       std::declval<const Args &>()...))>;
    static_assert(!IsView<type>::value,
                  "this map gives a view of data that may be gone when the task resumes");
    static_assert(!IsCoroutine<type>::value,
                  "map(args...) runs inside of the emission and cannot await");
};
template<class Map, class List>
using emission_result_t = typename EmissionResult<Map, List>::type;

template<class R, class Map, class... Args>
future_value_t<R> emission_value(Map &map, const Args &...args)
{
    if constexpr (std::is_same_v<Map, NoMap>) {
        return future_value_t<R>(args...);
    } else if constexpr (std::is_void_v<R>) {
        call_map(map, args...);
        return {};
    } else {
        return call_map(map, args...);
    }
}

/// The future of a signal. Completed by an emission or, with ObjectDestroyedError, by the sender's
/// death. It has two owners: all its handles together, and whatever may still complete it, which is
/// the slot and later an emission on its way home from another thread. Except for the count of
/// owners it belongs to the loop's thread.
template<class R>
class SignalFuture final : public FutureState<R>
{
public:
    template<class Signal>
    SignalFuture(LoopCore &core, const QObject &sender, Signal signal)
        : FutureState<R>(core), m_source(sender, signal), m_is_dialog(is_dialog(sender))
    {
        if (m_is_dialog)
            dialog_awaited(core, &sender, true);
    }

    QString describe_wait() const override
    {
        return is_open() ? m_source.describe() : FutureState<R>::describe_wait();
    }

    bool cancel(const QString &message) override
    {
        const bool cancelled = FutureState<R>::cancel(message);
        if (cancelled)
            disconnect();
        return cancelled;
    }

    /// `value()` gives the emitted value; what it throws becomes the exception. It may run code of
    /// the program (a map), which may cancel or drop this future, delete the sender or close the
    /// loop.
    template<class F>
    void emitted(F &&value) noexcept
    {
        if (!is_open())
            return;
        close(); // Qt has removed the connection before it called the slot
        if (!can_be_completed())
            return;
        try {
            future_value_t<R> emission = value();
            if (can_be_completed())
                this->set_value(std::move(emission));
        } catch (...) {
            if (can_be_completed())
                this->set_exception(std::current_exception());
        }
    }
    void failed(std::exception_ptr exception) noexcept
    {
        if (!is_open())
            return;
        close();
        if (can_be_completed())
            this->set_exception(std::move(exception));
    }
    /// There will be no emission: whoever waits gets the exception `why`. If nobody waits it is not
    /// reported.
    void cut(std::exception_ptr why) noexcept
    {
        failed(std::move(why));
        this->take_exception();
    }

    void remove_owner() noexcept
    {
        if (m_owners.load(std::memory_order_acquire) == 1
            || m_owners.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }
    /// remove_owner() for the slot, in the loop's thread. The handles' share is given up there too,
    /// so nobody else counts meanwhile.
    void remove_slot_at_home() noexcept
    {
        if (m_owners.load(std::memory_order_acquire) == 1)
            delete this;
        else
            m_owners.store(1, std::memory_order_relaxed);
    }

    /// It can still be completed by an emission.
    bool is_open() const noexcept { return !m_closed; }

    /// Sent home instead of an emission if the other thread has no memory for one.
    class NoMemory final : public Message
    {
    public:
        explicit NoMemory(SignalFuture &future) : m_future(future) { }

    private:
        void arrive() noexcept override
        {
            m_future.failed(std::make_exception_ptr(std::bad_alloc()));
        }
        void dispose() noexcept override { m_future.remove_owner(); }

        SignalFuture &m_future;
    };

    std::optional<QMetaObject::Connection> connection;
    NoMemory no_memory{*this};

private:
    /// False if a holder of the future has completed it, if nobody holds it any more, or if the
    /// loop is closed.
    bool can_be_completed() const noexcept
    {
        return !m_dropped && this->is_pending() && !this->core->has(LoopCore::Closed);
    }
    void close() noexcept
    {
        m_closed = true;
        connection.reset();
        if (m_is_dialog)
            dialog_awaited(*this->core, m_source.sender(), false);
    }
    void disconnect() noexcept
    {
        if (!is_open())
            return;
        const QMetaObject::Connection connected = *std::move(connection);
        close(); // first: the slot dies now, and would complete an open future with an exception
        QObject::disconnect(connected);
    }
    void destroy() noexcept override
    {
        m_dropped = true;
        disconnect();
        this->drop_callbacks();
        this->value.reset(); // here, in the loop's thread; the last owner may go elsewhere
        remove_owner();
    }

    std::atomic<int> m_owners{2};
    bool m_closed = false;
    bool m_dropped = false;
    const SignalSource m_source;
    const bool m_is_dialog; // the sender is one
};

/// An emission, or the death of a sender, on its way home from another thread. It owns the future
/// in the slot's place.
template<class R>
class RemoteEmission final : public Message
{
public:
    /// Carries what `value()` gives or throws. `cut`: it throws because there is no emission.
    template<class F>
    RemoteEmission(SignalFuture<R> &future, F &value, bool cut) : m_future(future), m_cut(cut)
    {
        store_outcome(m_outcome, value);
    }
    ~RemoteEmission() override { m_future.remove_owner(); }

private:
    void arrive() noexcept override
    {
        if (m_outcome->has_value())
            m_future.emitted(
                [this] { return to_future_value<R>((*std::move(m_outcome)).value()); });
        else if (m_cut)
            m_future.cut(m_outcome->exception());
        else
            m_future.failed(m_outcome->exception());
    }

    SignalFuture<R> &m_future;
    std::optional<Outcome<R>> m_outcome;
    const bool m_cut;
};

/// The slot, without the types of the signal's arguments. Owned by Qt's connection; called once at
/// most.
template<class R>
class SignalSlotBase
{
public:
    SignalSlotBase(SignalFuture<R> &future, const QObject &sender)
        : m_future(&future), m_sender(&sender)
    { }
    SignalSlotBase(SignalSlotBase &&other) noexcept
        : m_future(other.take_future()), m_sender(std::move(other.m_sender))
    { }
    SignalSlotBase &operator=(SignalSlotBase &&) = delete;
    ~SignalSlotBase()
    {
        if (SignalFuture<R> *future = m_future.load(std::memory_order_relaxed); Q_UNLIKELY(future))
            disconnected(*future, m_sender ? signal_disconnected() : sender_died());
    }

protected:
    template<class F>
    void emitted(F &&value) noexcept
    {
        SignalFuture<R> *future = take_future();
        if (!future->core->in_own_thread())
            return send(*future, value, false);
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
    /// The slot is destroyed without having been called: by the future, which is closed then,
    /// because the sender is gone, or because the program has disconnected it.
    Q_NEVER_INLINE static void disconnected(SignalFuture<R> &future,
                                            std::exception_ptr why) noexcept
    {
        if (!future.core->in_own_thread())
            return send(
                future, [&why]() -> future_value_t<R> { std::rethrow_exception(why); }, true);
        if (future.is_open())
            future.cut(std::move(why));
        future.remove_slot_at_home();
    }
    template<class F>
    static void send(SignalFuture<R> &future, F &&value, bool cut) noexcept
    {
        LoopCore &core = *future.core;
        Message *message = nullptr;
        try {
            message = new RemoteEmission<R>(future, value, cut);
        } catch (const std::bad_alloc &) {
            message = &future.no_memory;
        }
        message->send(core);
    }

    // Null when moved from or called. Atomic because several threads may come here one after the
    // other; Qt orders them.
    std::atomic<SignalFuture<R> *> m_future;
    // Tells the sender's death from a disconnect() of the program.
    const QPointer<const QObject> m_sender;
};

/// The slot that from_signal() connects; runs the map in the thread of the emission.
template<class R, class Map, class Arguments>
class SignalSlot;
template<class R, class Map, class... Args>
class SignalSlot<R, Map, TypeList<Args...>> : public SignalSlotBase<R>
{
public:
    template<class F>
    SignalSlot(SignalFuture<R> &future, const QObject &sender, F &&map)
        : SignalSlotBase<R>(future, sender), m_map(std::forward<F>(map))
    { }

    void operator()(const Args &...args)
    {
        this->emitted([&] { return emission_value<R>(m_map, args...); });
    }

private:
    [[no_unique_address]] Map m_map;
};

template<class Map, class Arguments, class Sender, class Signal, class F>
auto future_of_signal(const Sender *sender, Signal signal, F &&map)
{
    using R = emission_result_t<Map, Arguments>;
    if (!sender)
        throw_null_sender("from_signal");
    auto state = Ref<SignalFuture<R>>::adopt(new SignalFuture<R>(running_core(), *sender, signal));
    state->connection = QObject::connect(
        sender, signal, sender,
        SignalSlot<R, Map, Arguments>(*state, *sender, std::forward<F>(map)),
        Qt::ConnectionType(Qt::DirectConnection | Qt::SingleShotConnection));
    // Not connected: the end of the slot has completed the future.
    if (Q_UNLIKELY(state->has_exception()) && !*state->connection)
        throw_not_connected("from_signal");
    return FutureAccess::wrap<Future<R>>(std::move(state));
}

} // namespace QAsyncio::detail
