// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/done_listener.h"
#include "qasyncio/ensure_future.h"

#include <iterator>

namespace QAsyncio {

namespace detail {

/// The futures of one as_completed(), in the order in which they are done. Everybody who waits for
/// one of them holds a reference; when the last reference goes, the callbacks and the timer are
/// removed.
class QASYNCIO_EXPORT CompletionQueue final : public DoneListener
{
public:
    CompletionQueue() = default;
    ~CompletionQueue() override;

    /// Starts to listen to each distinct future, once.
    void begin(std::vector<AnyFuture> futures, std::optional<std::chrono::nanoseconds> timeout);
    /// How many futures nobody has claimed yet.
    std::size_t left() const { return m_left; }
    /// Reserves one future for the caller, who must then call get(). False if all of them are
    /// claimed.
    bool claim_next();
    /// Waits for the next future that is done. Callers are served in the order of their calls, each
    /// with a future of its own. Throws TimeoutError in place of a future that was not done in
    /// time.
    static Coroutine<AnyFuture> get(std::shared_ptr<CompletionQueue> queue);
    /// What the first in line awaits.
    FutureStateBase *waiting_future() const override;

private:
    class Place;

    void heard(AnyFuture future) override;
    void time_out();
    void put(AnyFuture future);
    void call_next();

    std::vector<AnyFuture> m_done; // a null entry was not done in time; memory for all is reserved
    std::size_t m_given = 0;       // how many of m_done have been handed out
    Place *m_first_in_line = nullptr; // the callers that wait, in the order of their calls
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

/// What as_completed() returns: a sequence of results in the order in which they arrive. Go through
/// it with next(), or with a range-based for loop. It can be neither copied nor moved.
///
/// Thread: the loop's. When it is destroyed, and so is every coroutine that it returned, it removes
/// its callbacks from the futures. The futures themselves go on.
template<class T>
class AsCompleted
{
public:
    /// An input iterator over awaitables. Each of them waits for the next result.
    class Iterator
    {
    public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = Coroutine<T>;
        using difference_type = std::ptrdiff_t;

        Iterator() = default;
        /// A coroutine that waits for the next result. Call this exactly once for each element:
        /// every call claims a further result.
        /// Errors: awaiting it throws what the future threw, or TimeoutError if there was no
        /// further result in time.
        Coroutine<T> operator*() const
        {
            m_queue->claim_next();
            return detail::next_result<T>(m_queue);
        }
        /// Does nothing, since operator*() moves on by itself.
        Iterator &operator++() { return *this; }
        void operator++(int) { }
        friend bool operator==(const Iterator &iterator, std::default_sentinel_t)
        {
            return iterator.m_queue->left() == 0;
        }

    private:
        friend class AsCompleted;
        explicit Iterator(std::shared_ptr<detail::CompletionQueue> queue)
            : m_queue(std::move(queue))
        { }
        std::shared_ptr<detail::CompletionQueue> m_queue;
    };

    Q_DISABLE_COPY_MOVE(AsCompleted)

    /// `co_await completed.next()`: the next future or task that is done (one of those that were
    /// passed), or std::nullopt after the last one.
    /// Errors: throws TimeoutError once for each future that was not done in time. What a future
    /// has failed with is thrown by awaiting that future.
    /// Cancellation: no future is lost, the next caller gets it; but the cancelled call has used up
    /// its turn, as in asyncio.
    Coroutine<std::optional<Future<T>>> next() { return detail::next_completed<T>(m_queue); }

    /// "<AsCompleted left=2>": how many futures nobody has asked for yet.
    QString to_string() const
    {
        return QStringLiteral("<AsCompleted left=%1>").arg(m_queue->left());
    }

    /// For a range-based for loop over awaitables, one for each result.
    Iterator begin() { return Iterator(m_queue); }
    std::default_sentinel_t end() const { return {}; }

    /// Called by as_completed().
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
AsCompleted<ensured_value_t<A>> run_as_completed(std::vector<A> awaitables,
                                                 std::optional<std::chrono::nanoseconds> timeout)
{
    get_running_loop();
    std::vector<AnyFuture> futures;
    futures.reserve(awaitables.size());
    for (A &awaitable : awaitables)
        futures.push_back(ensure_future(std::move(awaitable)));
    return AsCompleted<ensured_value_t<A>>(std::move(futures), timeout);
}

} // namespace detail

/// Runs awaitables concurrently and gives their results in the order in which they are done.
/// Coroutines become tasks at once; a future that is passed twice counts once. There are two ways
/// to go through the results. Use one or the other:
///
///     auto completed = as_completed(std::move(downloads), 10s);
///     while (auto next = co_await completed.next())       // the futures: which one is it?
///         use(co_await *next);
///
///     for (auto awaitable : completed)                    // only the results
///         use(co_await std::move(awaitable));
///
/// Errors: both ways throw TimeoutError once for each awaitable that is not done within `timeout`
/// of this call. Nothing is cancelled by that.
/// Cancellation: leaving the loop early, or being cancelled in it, leaves the rest running.
/// Throws RuntimeError if no loop runs in this thread, ValueError for a future of another loop and
/// for a timeout that is NaN.
/// Thread: the loop's.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.as_completed
template<class A>
    requires detail::Awaitable<A>
auto as_completed(std::vector<A> awaitables)
{
    return detail::run_as_completed(std::move(awaitables), std::nullopt);
}
/// The same with a time limit for all of them together, counted from this call.
template<class A, class Rep, class Period>
    requires detail::Awaitable<A>
auto as_completed(std::vector<A> awaitables, std::chrono::duration<Rep, Period> timeout)
{
    return detail::run_as_completed(std::move(awaitables), detail::saturated(timeout));
}
/// The same without a time limit, said explicitly.
template<class A>
    requires detail::Awaitable<A>
auto as_completed(std::vector<A> awaitables, std::nullopt_t)
{
    return detail::run_as_completed(std::move(awaitables), std::nullopt);
}

} // namespace QAsyncio
