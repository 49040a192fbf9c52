// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/async_generator.h"
#include "qasyncio/coroutine.h"
#include "qasyncio/detail/sync/wait_queue.h"
#include "qasyncio/detail/thread/message.h"
#include "qasyncio/future.h"
#include "qasyncio/sleep.h"

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

namespace QAsyncio::detail {

class ChannelCore;
class ChannelEnd;

/// Somebody who waits at a channel in a loop, and is woken from any thread: the waking is a
/// message. One reference belongs to who waits, one to the message on its way.
class QASYNCIO_EXPORT ChannelWait final : public Message, public Waiter
{
public:
    /// In the loop's thread.
    explicit ChannelWait(LoopCore &core);

    void retain() noexcept { m_refs.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept
    {
        if (m_refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }

    Future<> ready; // for the loop's thread

private:
    ~ChannelWait() override;
    bool wake() noexcept override;
    void arrive() noexcept override;
    void dispose() noexcept override { release(); }

    const Ref<LoopCore> m_core;
    std::atomic<int> m_refs{1};
};

/// A place among those who wait for an item of a channel, or for room in it. Whoever has it keeps
/// the channel.
class QASYNCIO_EXPORT ChannelPlace
{
public:
    enum Side { Getting, Putting };

    /// In the thread of the running loop. ready() is done at once if there is nothing to wait for.
    ChannelPlace(ChannelCore &channel, Side side);
    /// A wake-up that was not used goes to the next one.
    ~ChannelPlace() { leave(false); }
    Q_DISABLE_COPY_MOVE(ChannelPlace)

    const Future<> &ready() const { return m_wait->ready; }
    /// Whoever was woken looks at the channel now.
    void use() noexcept { leave(true); }

private:
    void leave(bool used) noexcept;

    ChannelCore &m_channel;
    const Side m_side;
    Ref<ChannelWait> m_wait;
};

/// The rules of a channel, without its items. Shared by all its handles, and by those who wait.
///
/// What is put goes into one container, under one lock; what is taken comes from another one, under
/// another lock. When that is empty the two are swapped, so those who put and those who take meet
/// once for many items.
class QASYNCIO_EXPORT ChannelCore : public std::enable_shared_from_this<ChannelCore>
{
public:
    explicit ChannelCore(int maxsize);
    virtual ~ChannelCore();
    Q_DISABLE_COPY_MOVE(ChannelCore)

    std::size_t size() const noexcept { return m_size.load(); }
    int maxsize() const noexcept { return m_maxsize; }
    bool has_room() const noexcept { return m_maxsize == 0 || size() < std::size_t(m_maxsize); }
    bool is_shut_down() const;
    /// There is an item, or there will be none.
    bool is_readable() const;
    QString describe() const;

    /// Called by whoever awaits an item. Throws RuntimeError if that was done in another loop
    /// before.
    void bind(LoopCore &core)
    {
        if (Q_UNLIKELY(m_bound.load(std::memory_order_relaxed) != &core))
            bind_slow(core);
    }
    /// Whether the caller has taken so many items in a row that the loop has to go on.
    bool is_time_to_yield() noexcept { return ++m_taken_in_a_row % most_in_a_row == 0; }

    void add_sender() noexcept;
    void remove_sender() noexcept;
    /// Nothing can be put any more. What is there stays.
    void shut_down() noexcept;
    // In the consumer's loop:
    /// The loop closes. Another one may take what is there.
    void leave_loop() noexcept;
    void tell_of_room() noexcept;

    static constexpr unsigned most_in_a_row = 64;

protected:
    /// Throws RuntimeError in a thread whose loop runs.
    static void check_may_block();
    static void report_lost_item(std::exception_ptr why) noexcept;

    // The following need m_mutex.
    void check_open() const
    {
        if (Q_UNLIKELY(m_is_shut_down))
            throw_shut_down();
    }
    /// Throws QueueShutDown or RuntimeError if nothing will come.
    void check_not_ended() const
    {
        if (Q_UNLIKELY(has_ended()))
            throw_ended();
    }
    void item_was_put() noexcept
    {
        m_size.fetch_add(1);
        m_getters.wake_next();
    }
    /// Wakes as many as there is room for.
    void wake_putters() noexcept;
    /// Blocks, until there may be room, or stop is requested. True if it was woken because of room.
    bool wait_for_room(std::unique_lock<std::mutex> &lock, const std::stop_token &stop);
    void end() noexcept;

    /// Without any lock.
    void item_was_taken() noexcept
    {
        // Whoever waits for room has set the flag first, and looked at the size then. Here it is
        // the other way round, so one of the two sees the other.
        if (m_putters_wait.load())
            room_was_made();
    }

    mutable std::mutex m_mutex;
    std::atomic<std::size_t> m_size{0}; // of both containers; grows under m_mutex only
    bool m_is_shut_down = false;
    bool m_is_discarding = false; // the items, too
    bool m_is_abandoned = false;  // the Channel is gone

private:
    friend class ChannelPlace;

    bool has_ended() const noexcept
    {
        return m_is_shut_down || (m_has_had_sender && m_senders == 0);
    }
    [[noreturn]] static void throw_shut_down();
    [[noreturn]] void throw_ended() const;
    void bind_slow(LoopCore &core);
    void room_was_made() noexcept;
    /// False if there is nothing to wait for.
    bool enter(Waiter &waiter, ChannelPlace::Side side) noexcept;
    void leave(Waiter &waiter, ChannelPlace::Side side, bool used) noexcept;

    const int m_maxsize; // 0: no limit
    std::atomic<LoopCore *> m_bound{nullptr};
    unsigned m_taken_in_a_row = 0; // in the consumer's loop

    // The rest is guarded by m_mutex.
    Ref<LoopCore> m_core; // where an item was awaited first
    Ref<ChannelEnd> m_end;
    WaitQueue m_getters;
    WaitQueue m_putters;
    std::atomic<bool> m_putters_wait{false}; // somebody may wait for room; set under the lock
    int m_senders = 0;
    bool m_has_had_sender = false;
    bool m_is_room_told = false; // m_room_call is on its way
    CallHome<ChannelCore, &ChannelCore::tell_of_room> m_room_call;
};

/// A channel with its items.
template<class T>
class ChannelState final : public ChannelCore
{
public:
    using ChannelCore::ChannelCore;

    /// Without waiting. False if there is no room: the item stays where it is. Throws
    /// QueueShutDown.
    bool put(T &item)
    {
        const std::lock_guard lock(m_mutex);
        check_open();
        if (!has_room())
            return false;
        push(item);
        return true;
    }
    /// Blocks while there is no room. False if stop was requested.
    bool put_blocking(const std::stop_token &stop, T &item)
    {
        check_may_block();
        bool was_woken = false;
        std::unique_lock lock(m_mutex);
        while (!stop.stop_requested()) {
            check_open();
            if (has_room()) {
                push(item);
                return true;
            }
            was_woken = wait_for_room(lock, stop);
        }
        if (was_woken) // the room is for somebody else
            wake_putters();
        return false;
    }
    /// Takes the next item into `place`, which is empty. False if there is none yet. Throws what
    /// came instead of one.
    bool take(std::optional<T> &place)
    {
        {
            const std::lock_guard batch_lock(m_batch_mutex);
            if (m_batch.empty()) {
                const std::lock_guard lock(m_mutex);
                if (m_incoming.empty()) {
                    check_not_ended();
                    return false;
                }
                m_batch.swap(m_incoming);
            }
            place.emplace(std::move(m_batch.front()));
            m_batch.pop_front();
            m_size.fetch_sub(1);
        }
        item_was_taken();
        return true;
    }
    /// An item that was taken is not wanted after all.
    void put_back(T &&item) noexcept
    {
        try {
            const std::lock_guard batch_lock(m_batch_mutex);
            const std::lock_guard lock(m_mutex);
            if (m_is_discarding)
                return;
            m_batch.push_front(std::move(item));
            item_was_put();
        } catch (...) { // no memory, or moving it has thrown
            report_lost_item(std::current_exception());
        }
    }
    /// Shuts down, and destroys what is there.
    void discard()
    {
        std::deque<T> gone_batch, gone; // destroyed without the locks
        const std::lock_guard batch_lock(m_batch_mutex);
        const std::lock_guard lock(m_mutex);
        m_is_discarding = true;
        end();
        gone_batch.swap(m_batch);
        gone.swap(m_incoming);
        m_size.store(0);
    }
    /// The Channel is gone.
    void abandon() noexcept
    {
        {
            const std::lock_guard lock(m_mutex);
            m_is_abandoned = true;
            m_is_discarding = true;
            end();
        }
        try {
            discard();
        } catch (const std::bad_alloc &) { // then the items go with this
        }
    }

private:
    void push(T &item)
    {
        try {
            m_incoming.push_back(std::move(item));
        } catch (...) { // the room is for somebody else
            wake_putters();
            throw;
        }
        item_was_put();
    }

    std::deque<T> m_incoming; // guarded by m_mutex
    std::mutex m_batch_mutex; // locked before m_mutex
    std::deque<T> m_batch;    // guarded by m_batch_mutex
};

/// While one of these is there, something may be put.
template<class T>
class ChannelSending
{
public:
    explicit ChannelSending(std::shared_ptr<ChannelState<T>> state) : state(std::move(state))
    {
        this->state->add_sender();
    }
    ~ChannelSending() { state->remove_sender(); }
    Q_DISABLE_COPY_MOVE(ChannelSending)

    const std::shared_ptr<ChannelState<T>> state;
};

/// `keeper` is the sender, if there is one.
template<class T>
Coroutine<> put_into_channel(std::shared_ptr<ChannelState<T>> state, T item,
                             std::shared_ptr<const void> keeper)
{
    static_cast<void>(keeper);
    bool is_put = state->put(item);
    while (!is_put) {
        ChannelPlace place(*state, ChannelPlace::Putting);
        Future<> ready = place.ready();
        co_await ready;
        place.use();
        is_put = state->put(item);
    }
}

template<class T>
Coroutine<T> get_from_channel(std::shared_ptr<ChannelState<T>> state)
{
    state->bind(running_core());
    const bool yields = state->is_time_to_yield();
    if (yields)
        co_await sleep(std::chrono::seconds(0));
    std::optional<T> item;
    bool is_there = state->take(item);
    while (!is_there) {
        ChannelPlace place(*state, ChannelPlace::Getting);
        Future<> ready = place.ready();
        co_await ready;
        place.use();
        is_there = state->take(item);
    }
    co_return *std::move(item);
}

template<class T>
AsyncGenerator<T> items_of_channel(std::shared_ptr<ChannelState<T>> state)
{
    bool is_open = true;
    while (is_open) {
        std::optional<T> item;
        try {
            auto next = get_from_channel<T>(state);
            item.emplace(co_await std::move(next));
        } catch (const QueueShutDown &) {
            is_open = false;
        }
        if (item)
            co_yield *std::move(item);
    }
}

/// A claim to the next item of a channel: see Claim.
template<class T>
class ChannelClaim
{
public:
    explicit ChannelClaim(std::shared_ptr<ChannelState<T>> state) : m_state(std::move(state)) { }
    ChannelClaim(ChannelClaim &&) = default;
    ChannelClaim &operator=(ChannelClaim &&) = delete;
    ~ChannelClaim()
    {
        if (m_state)
            withdraw();
    }

    bool is_ready() const { return m_item || m_error || m_state->is_readable(); }
    Future<> ready()
    {
        m_place.reset();
        m_state->bind(running_core());
        m_place = std::make_unique<ChannelPlace>(*m_state, ChannelPlace::Getting);
        return m_place->ready();
    }
    bool reserve()
    {
        if (m_item || m_error)
            return true;
        try {
            if (!m_state->take(m_item))
                return false;
        } catch (...) { // the end; or moving the item has thrown
            m_error = std::current_exception();
        }
        if (m_item && m_place)
            m_place->use();
        return true;
    }
    void withdraw() noexcept
    {
        m_place.reset();
        if (!m_item)
            return;
        m_state->put_back(*std::move(m_item));
        m_item.reset();
    }
    T take()
    {
        if (!reserve())
            throw QueueEmpty();
        if (m_error)
            std::rethrow_exception(m_error);
        T item = *std::move(m_item);
        m_item.reset();
        return item;
    }

private:
    std::shared_ptr<ChannelState<T>> m_state;
    std::unique_ptr<ChannelPlace> m_place; // goes before the state does
    std::optional<T> m_item;
    std::exception_ptr m_error;
};

/// What Channel::get() gives.
template<class T>
class [[nodiscard("an item is taken when this is awaited")]] ChannelGet : public Coroutine<T>
{
public:
    explicit ChannelGet(const std::shared_ptr<ChannelState<T>> &state)
        : Coroutine<T>(get_from_channel<T>(state)), m_state(state)
    { }

    /// For race().
    ChannelClaim<T> claim() &&
    {
        this->close();
        return ChannelClaim<T>(std::move(m_state));
    }

private:
    std::shared_ptr<ChannelState<T>> m_state;
};

} // namespace QAsyncio::detail
