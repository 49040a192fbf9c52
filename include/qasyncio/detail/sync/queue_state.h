// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/coroutine.h"
#include "qasyncio/event.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

namespace QAsyncio::detail {

class QueueCore;

/// Those who wait for an item of a queue, or for room in it. Nothing is kept for who was woken:
/// that one looks at the queue again, and perhaps waits again.
class QASYNCIO_EXPORT QueueSide final : public SyncState
{
public:
    QueueSide(QueueCore &owner, bool getting)
        : SyncState("Queue"), m_queue(&owner), m_getting(getting)
    { }

    bool is_free() const noexcept { return false; }
    bool try_take() noexcept { return false; }
    void took() noexcept { }
    /// A wake-up that was not used goes to the next one.
    void gave_up(Waiter::State was) noexcept;
    void queue_is_gone() noexcept
    {
        m_queue = nullptr;
        queue.abandon();
    }
    QString describe_wait() const override;

private:
    QString describe_state() const override;

    QueueCore *m_queue; // null when it is gone
    const bool m_getting;
};

/// The rules of a queue, without its items. Shared by the queue and those who wait for it.
class QASYNCIO_EXPORT QueueCore
{
public:
    explicit QueueCore(int maxsize);
    virtual ~QueueCore();
    Q_DISABLE_COPY_MOVE(QueueCore)

    void retain() noexcept { ++m_refs; }
    void release() noexcept
    {
        if (--m_refs == 0)
            delete this;
    }

    virtual std::size_t size() const noexcept = 0;
    bool empty() const noexcept { return size() == 0; }
    bool full() const noexcept { return m_maxsize > 0 && size() >= std::size_t(m_maxsize); }
    int maxsize() const noexcept { return m_maxsize; }
    bool is_shut_down() const noexcept { return m_is_shut_down; }
    bool is_discarding() const noexcept { return m_is_discarding; }

    /// Throw QueueShutDown, QueueFull or QueueEmpty.
    void check_put() const
    {
        check_thread();
        putters->check_alive();
        if (m_is_shut_down || full())
            throw_cannot_put();
    }
    void check_get() const
    {
        check_thread();
        getters->check_alive();
        if (empty())
            throw_cannot_get();
    }
    void item_was_put() noexcept
    {
        if (m_unfinished++ == 0)
            finished->clear();
        getters->queue.wake_next();
    }
    void item_was_taken() noexcept { putters->queue.wake_next(); }
    void task_done(); // throws ValueError
    void item_was_discarded() noexcept;
    static void report_lost_item(std::exception_ptr why) noexcept;
    void shut_down(bool immediate);
    /// The Queue object is gone: whoever waits gets RuntimeError.
    void abandon() noexcept;
    QString describe(const char *type_name) const;

    const Ref<QueueSide> getters;
    const Ref<QueueSide> putters;
    const Ref<EventState> finished; // set while nothing is unfinished

protected:
    /// Destroys all items. What their destructors throw or do must not matter to the queue.
    virtual void discard_items() = 0;

private:
    void check_thread() const
    {
        getters->check_thread();
        putters->check_thread();
    }
    [[noreturn]] void throw_cannot_put() const;
    [[noreturn]] void throw_cannot_get() const;

    const int m_maxsize;
    std::size_t m_unfinished = 0;
    bool m_is_shut_down = false;
    bool m_is_discarding = false; // the shutdown is an immediate one
    int m_refs = 1;
};

/// First in, first out.
template<class T>
class FifoItems
{
public:
    static constexpr const char *queue_name = "Queue";

    std::size_t size() const noexcept { return m_items.size(); }
    void push(T &&item) { m_items.push_back(std::move(item)); }
    T pop()
    {
        T item = std::move(m_items.front());
        m_items.pop_front();
        return item;
    }
    /// An item that was popped is not wanted after all.
    void push_back_again(T &&item) { m_items.push_front(std::move(item)); }

private:
    std::deque<T> m_items;
};

/// Last in, first out.
template<class T>
class LifoItems
{
public:
    static constexpr const char *queue_name = "LifoQueue";

    std::size_t size() const noexcept { return m_items.size(); }
    void push(T &&item) { m_items.push_back(std::move(item)); }
    T pop()
    {
        T item = std::move(m_items.back());
        m_items.pop_back();
        return item;
    }
    void push_back_again(T &&item) { push(std::move(item)); }

private:
    std::vector<T> m_items;
};

/// The smallest first.
template<class T, class Less>
class PriorityItems
{
public:
    static constexpr const char *queue_name = "PriorityQueue";

    std::size_t size() const noexcept { return m_items.size(); }
    void push(T &&item)
    {
        m_items.push_back(std::move(item));
        std::push_heap(m_items.begin(), m_items.end(), m_after);
    }
    T pop()
    {
        std::pop_heap(m_items.begin(), m_items.end(), m_after);
        T item = std::move(m_items.back());
        m_items.pop_back();
        return item;
    }
    void push_back_again(T &&item) { push(std::move(item)); }

private:
    // std's heaps have the largest in front.
    struct After
    {
        [[no_unique_address]] Less less;
        bool operator()(const T &a, const T &b) const { return less(b, a); }
    };

    std::vector<T> m_items;
    [[no_unique_address]] After m_after;
};

/// A queue with its items.
template<class T, class Items>
class QueueState final : public QueueCore
{
public:
    using value_type = T;
    using QueueCore::QueueCore;

    std::size_t size() const noexcept override { return m_items.size(); }
    void put(T &&item)
    {
        check_put();
        m_items.push(std::move(item));
        item_was_put();
    }
    T get()
    {
        check_get();
        T item = m_items.pop();
        item_was_taken();
        return item;
    }
    /// After a shutdown that discards all items, this one is discarded too.
    void push_back_again(T &&item) noexcept
    {
        if (is_discarding())
            return item_was_discarded();
        try {
            m_items.push_back_again(std::move(item));
            getters->queue.wake_next();
        } catch (...) { // no memory, or moving it has thrown
            report_lost_item(std::current_exception());
        }
    }

private:
    void discard_items() override { const Items gone = std::exchange(m_items, Items()); }

    Items m_items;
};

template<class Q>
Coroutine<typename Q::value_type> get_from_queue(Ref<Q> state)
{
    while (state->empty()) {
        if (state->is_shut_down())
            state->check_get(); // throws QueueShutDown
        co_await acquire_from(state->getters);
    }
    co_return state->get();
}

template<class Q, class T>
Coroutine<> put_into_queue(Ref<Q> state, T item)
{
    while (state->full() && !state->is_shut_down())
        co_await acquire_from(state->putters);
    state->put(std::move(item));
}

/// A claim to the next item of a queue: see Claim.
template<class Q>
class QueueClaim final : public Waiter
{
public:
    using T = typename Q::value_type;

    explicit QueueClaim(Ref<Q> state) : m_state(std::move(state)) { }
    QueueClaim(QueueClaim &&) = default; // only before ready()
    ~QueueClaim()
    {
        if (m_state)
            withdraw();
    }

    bool is_ready() const
    {
        return m_item || state() == Abandoned || !m_state->empty() || m_state->is_shut_down();
    }
    Future<> ready()
    {
        leave();
        LoopCore &core = running_core();
        m_ready = make_named_future<void>(core, "item of a queue");
        if (is_ready()) {
            m_ready.set_result();
        } else {
            m_state->getters->check_alive();
            m_state->getters->bind(core);
            m_state->getters->queue.append(*this);
        }
        return m_ready;
    }
    bool reserve()
    {
        if (!m_item && !m_state->empty()) {
            m_state->getters->queue.leave(*this); // the wake-up is used
            m_item.emplace(m_state->get());
        }
        return is_ready();
    }
    void withdraw() noexcept
    {
        leave();
        if (!m_item)
            return;
        m_state->push_back_again(*std::move(m_item));
        m_item.reset();
    }
    T take()
    {
        if (m_item) {
            T item = *std::move(m_item);
            m_item.reset();
            return item;
        }
        if (state() == Abandoned)
            m_state->getters->throw_abandoned();
        return m_state->get();
    }

private:
    bool wake() noexcept override { return complete_if_pending(m_ready); }
    void leave() noexcept
    {
        if (state() != Outside && state() != Abandoned)
            m_state->getters->gave_up(m_state->getters->queue.leave(*this));
    }

    Ref<Q> m_state;
    Future<> m_ready;
    std::optional<T> m_item;
};

/// What Queue::get() gives.
template<class Q>
class [[nodiscard("an item is taken when this is awaited")]] QueueGet
    : public Coroutine<typename Q::value_type>
{
public:
    explicit QueueGet(const Ref<Q> &state)
        : Coroutine<typename Q::value_type>(get_from_queue<Q>(state)), m_state(state)
    { }

    /// For race().
    QueueClaim<Q> claim() &&
    {
        this->close();
        return QueueClaim<Q>(std::move(m_state));
    }

private:
    Ref<Q> m_state;
};

} // namespace QAsyncio::detail
