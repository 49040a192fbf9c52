// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/done_listener.h"
#include "qasyncio/ensure_future.h"

#include <iterator>

namespace QAsyncio {

namespace detail {

/// Futures in the order of their completion, for as_completed(). Whoever is to get one holds a reference; when the last one
/// goes, callbacks and timer go with it.
class QASYNCIO_EXPORT CompletionQueue final : public DoneListener
{
public:
    CompletionQueue() = default;
    ~CompletionQueue() override;

    /// Listens to each distinct future once.
    void begin(std::vector<AnyFuture> futures, std::optional<std::chrono::nanoseconds> timeout);
    /// How many have not been asked for.
    std::size_t left() const { return m_left; }
    /// False if all have been asked for; else the caller is to get() one.
    bool claim_next();
    /// The next one to be done, to each caller its own, in the order of the calls. Throws TimeoutError in the place of one
    /// that was not done in time.
    static Coroutine<AnyFuture> get(std::shared_ptr<CompletionQueue> queue);

private:
    class Place;

    void heard(AnyFuture future) override;
    void time_out();
    void put(AnyFuture future);
    void call_next();

    std::vector<AnyFuture> m_done; // one that is none stands for one that was not done in time. There is room for all
    std::size_t m_given = 0;       // of m_done
    Place *m_first_in_line = nullptr; // those who wait
    Place *m_last_in_line = nullptr;
    std::size_t m_unfinished = 0;
    std::size_t m_left = 0;
    TimerHandle m_timer;
};

} // namespace detail

namespace detail {

template<class T>
Coroutine<std::optional<Future<T>>> next_completed(std::shared_ptr<CompletionQueue> queue)
{
    if (!queue->claim_next())
        co_return std::nullopt;
    AnyFuture future = co_await CompletionQueue::get(queue);
    co_return FutureAccess::wrap<Future<T>>(FutureAccess::take(std::move(future)));
}

template<class T>
Coroutine<T> next_result(std::shared_ptr<CompletionQueue> queue)
{
    AnyFuture future = co_await CompletionQueue::get(queue);
    co_return FutureAccess::wrap<Future<T>>(FutureAccess::take(std::move(future))).result();
}

} // namespace detail

/// The iteration that as_completed() gives. Neither copied nor moved.
///
/// Thread: the loop's. When it is destroyed, and every coroutine that it gave as well, the futures know nothing of it any
/// more; they themselves go on.
template<class T>
class AsCompleted
{
public:
    /// Gives awaitables: each waits for the next result.
    class Iterator
    {
    public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = Coroutine<T>;
        using difference_type = std::ptrdiff_t;

        Iterator() = default;
        /// To be called once for each element: each call asks for another result.
        Coroutine<T> operator*() const
        {
            m_queue->claim_next();
            return detail::next_result<T>(m_queue);
        }
        Iterator &operator++() { return *this; }
        void operator++(int) { }
        friend bool operator==(const Iterator &iterator, std::default_sentinel_t) { return iterator.m_queue->left() == 0; }

    private:
        friend class AsCompleted;
        explicit Iterator(std::shared_ptr<detail::CompletionQueue> queue) : m_queue(std::move(queue)) { }
        std::shared_ptr<detail::CompletionQueue> m_queue;
    };

    Q_DISABLE_COPY_MOVE(AsCompleted)

    /// The next future or task to be done, one of those that were passed, or nothing after the last one. Throws TimeoutError
    /// once for each that was not done in time. Cancelling the caller loses nothing but its turn.
    Coroutine<std::optional<Future<T>>> next() { return detail::next_completed<T>(m_queue); }

    /// "<AsCompleted left=2>": how many are still to be given.
    QString to_string() const { return QStringLiteral("<AsCompleted left=%1>").arg(m_queue->left()); }

    Iterator begin() { return Iterator(m_queue); }
    std::default_sentinel_t end() const { return {}; }

    // What as_completed() is made of.
    AsCompleted(std::vector<AnyFuture> futures, std::optional<std::chrono::nanoseconds> timeout)
        : m_queue(std::make_shared<detail::CompletionQueue>())
    {
        m_queue->begin(std::move(futures), timeout);
    }

private:
    const std::shared_ptr<detail::CompletionQueue> m_queue;
};

namespace detail {

template<class A>
AsCompleted<ensured_value_t<A>> run_as_completed(std::vector<A> awaitables, std::optional<std::chrono::nanoseconds> timeout)
{
    get_running_loop();
    std::vector<AnyFuture> futures;
    futures.reserve(awaitables.size());
    for (A &awaitable : awaitables)
        futures.push_back(ensure_future(std::move(awaitable)));
    return AsCompleted<ensured_value_t<A>>(std::move(futures), timeout);
}

} // namespace detail

/// Runs awaitables side by side and gives what finishes first, first. Coroutines become tasks at once; a future passed twice
/// counts once. There are two ways to go through it (one or the other):
///
///     auto completed = as_completed(std::move(downloads), 10s);
///     while (auto next = co_await completed.next())       // the futures themselves: which one is it?
///         use(co_await *next);
///
///     for (auto awaitable : completed)                    // the results
///         use(co_await std::move(awaitable));
///
/// Both throw TimeoutError for each one that is not done within `timeout` of this call; nothing is cancelled. Leaving early
/// leaves the rest running, too.
/// Throws RuntimeError if no loop runs in this thread, ValueError for a future of another loop and for NaN. Thread: the
/// loop's.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.as_completed
template<class A>
    requires detail::Awaitable<A>
auto as_completed(std::vector<A> awaitables)
{
    return detail::run_as_completed(std::move(awaitables), std::nullopt);
}
template<class A, class Rep, class Period>
    requires detail::Awaitable<A>
auto as_completed(std::vector<A> awaitables, std::chrono::duration<Rep, Period> timeout)
{
    return detail::run_as_completed(std::move(awaitables), detail::saturated(timeout));
}
template<class A>
    requires detail::Awaitable<A>
auto as_completed(std::vector<A> awaitables, std::nullopt_t)
{
    return detail::run_as_completed(std::move(awaitables), std::nullopt);
}

} // namespace QAsyncio
