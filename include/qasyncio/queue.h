// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/sync/queue_state.h"

namespace QAsyncio {

/// Hands items from tasks that make them to tasks that use them, in the order in which they were
/// put. With a limit, those who make them wait while it is full.
///
///     Queue<QUrl> addresses(100);
///     ...
///     co_await addresses.put(address);
///     ...
///     const QUrl next = co_await addresses.get();
///
/// Those who wait are served in the order in which they came; but an item is not kept for a task
/// that was woken, so get_nowait() in between can take it.
/// For tasks of one loop only. Items can be of any type that can be moved. Lifetime: if the queue
/// is destroyed while tasks wait for it, their await throws RuntimeError. Thread: the loop's. In
/// debug mode the functions that do not wait throw RuntimeError in another thread once somebody has
/// waited; without debug mode the loop is corrupted.
/// \sa https://docs.python.org/3/library/asyncio-queue.html#asyncio.Queue
template<class T, class Items = detail::FifoItems<T>>
class Queue
{
public:
    using value_type = T;

    /// For `maxsize` items at most; zero or less: for any number.
    explicit Queue(int maxsize = 0)
        : m_state(detail::Ref<detail::QueueState<T, Items>>::adopt(
              new detail::QueueState<T, Items>(maxsize)))
    { }
    ~Queue() { m_state->abandon(); }
    Q_DISABLE_COPY_MOVE(Queue)

    /// `co_await queue.put(item)`: waits until there is room, and puts the item into the queue.
    /// Cancellation: nothing is put, and the item is destroyed. Throws QueueShutDown after
    /// shutdown(), also if it is called while this waits.
    Coroutine<> put(T item)
    {
        return detail::put_into_queue<detail::QueueState<T, Items>, T>(m_state, std::move(item));
    }
    /// The same without waiting. Throws QueueFull if there is no room.
    /// The item stays where it is then.
    void put_nowait(T &&item)
    {
        const auto kept = m_state; // moving an item may run any code
        kept->put(std::move(item));
    }
    void put_nowait(const T &item)
        requires detail::IsCopyable<T>::value
    {
        put_nowait(T(item));
    }
    /// `co_await queue.get()`: waits until there is an item, takes it and gives it.
    /// Cancellation: no item is lost; race() takes one only if the queue has won. Throws
    /// QueueShutDown if the queue is empty after shutdown().
    detail::QueueGet<detail::QueueState<T, Items>> get()
    {
        return detail::QueueGet<detail::QueueState<T, Items>>(m_state);
    }
    /// The same without waiting. Throws QueueEmpty if there is no item.
    T get_nowait()
    {
        const auto kept = m_state;
        return kept->get();
    }

    /// To be called once for each item that was taken, when the work on it is done. Throws
    /// ValueError if it is called more often than items were put.
    void task_done() { m_state->task_done(); }
    /// `co_await queue.join()`: waits until task_done() was called for every item that was put.
    [[nodiscard("await it")]] auto join() { return detail::acquire_from(m_state->finished); }
    /// From now on nothing can be put. What is in the queue can be taken; then get() throws
    /// QueueShutDown. With `immediate` the items are discarded, and count as done for join().
    void shutdown(bool immediate = false) { m_state->shut_down(immediate); }

    /// How many items are in the queue.
    int qsize() const { return int(m_state->size()); }
    int maxsize() const { return m_state->maxsize(); }
    bool empty() const { return m_state->empty(); }
    /// Whether there is no room. Never for a queue without a limit.
    bool full() const { return m_state->full(); }

    /// "<Queue maxsize=10 size=2 getters=1 tasks=2>"; what is 0 is left out.
    QString to_string() const { return m_state->describe(Items::queue_name); }

private:
    const detail::Ref<detail::QueueState<T, Items>> m_state;
};

/// A queue whose smallest item is taken first. `Less` compares two items, as in std::set; it must
/// not throw.
/// \sa https://docs.python.org/3/library/asyncio-queue.html#asyncio.PriorityQueue
template<class T, class Less = std::less<T>>
class PriorityQueue : public Queue<T, detail::PriorityItems<T, Less>>
{
public:
    using Queue<T, detail::PriorityItems<T, Less>>::Queue;
};

/// A queue whose last item is taken first.
/// \sa https://docs.python.org/3/library/asyncio-queue.html#asyncio.LifoQueue
template<class T>
class LifoQueue : public Queue<T, detail::LifoItems<T>>
{
public:
    using Queue<T, detail::LifoItems<T>>::Queue;
};

} // namespace QAsyncio
