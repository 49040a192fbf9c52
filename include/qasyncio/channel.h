// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/thread/channel_state.h"

namespace QAsyncio {

/// The end of a Channel at which items are put: what Channel::sender() gives. Copies are ends of
/// the same channel. When none is left, nothing more can come: see Channel::get().
///
/// Thread: any. A copy may outlive the channel, and the loop: then whatever puts throws
/// QueueShutDown.
template<class T>
class ChannelSender
{
public:
    using value_type = T;

    /// `co_await sender.put(item)`: waits until there is room, and puts the item into the channel.
    /// It suspends the task, in any loop, and blocks no thread.
    /// Cancellation: nothing is put, and the item is destroyed. Throws QueueShutDown after
    /// shutdown(), also if it is called while this waits; then the item is destroyed, too.
    Coroutine<> put(T item) const
    {
        return detail::put_into_channel<T>(m_sending->state, std::move(item), m_sending);
    }
    /// The same for a thread without a running loop: blocks the thread while there is no room.
    /// Throws QueueShutDown as put() does, also when the consumer's loop is closed meanwhile.
    /// Throws RuntimeError in a thread whose loop runs, even if there is room: it would block that
    /// loop.
    void sync_put(T item) const { m_sending->state->put_blocking(std::stop_token(), item); }
    /// The same, but ends when stop is requested. Returns false then, also if it was requested
    /// before: nothing is put.
    [[nodiscard("false if the item was not put")]] bool sync_put(const std::stop_token &stop,
                                                                 T item) const
    {
        return m_sending->state->put_blocking(stop, item);
    }
    /// Puts without waiting. Throws QueueFull if there is no room, QueueShutDown after shutdown().
    /// The item stays where it is then.
    void put_nowait(T &&item) const
    {
        if (!m_sending->state->put(item))
            throw QueueFull();
    }
    void put_nowait(const T &item) const
        requires detail::IsCopyable<T>::value
    {
        put_nowait(T(item));
    }
    /// The same. Returns false if there is no room or the channel was shut down, which closed()
    /// tells.
    [[nodiscard("false if the item was not put")]] bool try_put(T &&item) const
    {
        try {
            return m_sending->state->put(item);
        } catch (const QueueShutDown &) {
            return false;
        }
    }
    [[nodiscard("false if the item was not put")]] bool try_put(const T &item) const
        requires detail::IsCopyable<T>::value
    {
        return try_put(T(item));
    }

    /// As Channel::shutdown().
    void shutdown(bool immediate = false) const
    {
        if (immediate)
            m_sending->state->discard();
        else
            m_sending->state->shut_down();
    }
    /// After shutdown(), or when the channel or its loop is gone.
    bool closed() const { return m_sending->state->is_shut_down(); }
    /// As that of the channel.
    QString to_string() const { return m_sending->state->describe(); }

private:
    template<class>
    friend class Channel;
    explicit ChannelSender(std::shared_ptr<const detail::ChannelSending<T>> sending)
        : m_sending(std::move(sending))
    { }

    std::shared_ptr<const detail::ChannelSending<T>> m_sending;
};

/// A queue between threads: hands items from worker threads, or from tasks of other loops, to the
/// tasks of one loop, in the order in which they were put. With a limit, those who put them wait
/// while it is full. asyncio has no such class; the names are those of its Queue, and sync_put() is
/// what janus, a library for it, calls sync_q.put().
///
///     Channel<QString> names(100);
///     const auto list = [](ChannelSender<QString> out, const QString &folder) {
///         for (QDirIterator each(folder); each.hasNext();)
///             out.sync_put(each.next());
///     };
///     auto listing = create_task(to_thread(list, names.sender(), folder));
///     auto all = names.items();
///     while (auto name = co_await all.next())
///         show(*name);
///     co_await listing; // if it has failed
///
/// Items can be of any type that can be moved. They are moved under a lock, so moving one must not
/// use the channel.
/// The consumer's loop is the one in which get() is awaited first. When that is closed, or its
/// Runner has cancelled its tasks, the channel is shut down; what is in it may be taken elsewhere
/// then. The loops of those who put do not matter.
/// Lifetime: the items are destroyed with the channel. Whoever puts gets QueueShutDown from then
/// on, and so does a thread that is blocked; a task that waits for an item gets RuntimeError.
/// Thread: the channel may be made, used and destroyed in any thread, except for get() and items().
/// Wake-ups: a consumer that waits is woken once for all that is put until it looks. A put that
/// waits is woken when half of the room is free, or in the consumer's next turn.
template<class T>
class Channel
{
public:
    using value_type = T;

    /// For `maxsize` items at most; zero or less: for any number.
    explicit Channel(int maxsize = 0) : m_state(std::make_shared<detail::ChannelState<T>>(maxsize))
    { }
    ~Channel() { m_state->abandon(); }
    Q_DISABLE_COPY_MOVE(Channel)

    /// An end for somebody else to put items into, who takes a copy along. When all copies of all
    /// of them are gone, get() no longer waits.
    ChannelSender<T> sender() const
    {
        return ChannelSender<T>(std::make_shared<const detail::ChannelSending<T>>(m_state));
    }
    /// As ChannelSender::put(), without a sender.
    Coroutine<> put(T item)
    {
        return detail::put_into_channel<T>(m_state, std::move(item), nullptr);
    }
    /// As ChannelSender::put_nowait().
    void put_nowait(T &&item)
    {
        if (!m_state->put(item))
            throw QueueFull();
    }
    void put_nowait(const T &item)
        requires detail::IsCopyable<T>::value
    {
        put_nowait(T(item));
    }

    /// `co_await channel.get()`: waits until there is an item, takes it and gives it. If one is
    /// there already the task is not suspended, but for every 64th time, so that a fast worker does
    /// not keep the loop from going on.
    /// Throws QueueShutDown if the channel is empty and nothing more can come: after shutdown(), or
    /// when there were senders and all are gone. Throws RuntimeError if the channel is destroyed
    /// meanwhile, or if another loop is the consumer's.
    /// Cancellation: no item is lost, and none changes its place. race() takes one only if the
    /// channel has won.
    /// Thread: that of the consumer's loop. Any number of its tasks may wait, and are woken in the
    /// order in which they came; but an item is not kept for a task that was woken.
    detail::ChannelGet<T> get() { return detail::ChannelGet<T>(m_state); }
    /// Takes an item without waiting. Throws QueueEmpty if there is none, or what get() throws.
    T get_nowait()
    {
        std::optional<T> item;
        if (!m_state->take(item))
            throw QueueEmpty();
        return *std::move(item);
    }
    /// The same. Nothing if there is none.
    std::optional<T> try_get()
    {
        std::optional<T> item;
        try {
            m_state->take(item);
        } catch (const QueueShutDown &) {
        }
        return item;
    }
    /// All items, one after the other, until get() would throw QueueShutDown. Otherwise each is
    /// what get() gives; a generator that was ended by a cancellation has taken nothing with it,
    /// and a new one goes on. In a race() use get().
    AsyncGenerator<T> items() { return detail::items_of_channel<T>(m_state); }

    /// From now on nothing can be put: whoever waits to do so, or does it, gets QueueShutDown. What
    /// is in the channel can be taken; then get() throws QueueShutDown. With `immediate` it is
    /// destroyed, in this thread.
    void shutdown(bool immediate = false)
    {
        if (immediate)
            m_state->discard();
        else
            m_state->shut_down();
    }
    /// After shutdown(), or when the consumer's loop was closed.
    bool closed() const { return m_state->is_shut_down(); }

    /// How many items are in the channel. In another thread that may have changed already.
    int qsize() const { return int(m_state->size()); }
    int maxsize() const { return m_state->maxsize(); }
    bool empty() const { return m_state->size() == 0; }
    /// Whether there is no room. Never for a channel without a limit.
    bool full() const { return !m_state->has_room(); }

    /// "<Channel maxsize=10 size=2 getters=1 putters=2 senders=3 shutdown>"; what is 0 is left out.
    QString to_string() const { return m_state->describe(); }

private:
    const std::shared_ptr<detail::ChannelState<T>> m_state;
};

} // namespace QAsyncio
