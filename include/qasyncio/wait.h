// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/loop/duration.h"
#include "qasyncio/ensure_future.h"
#include "qasyncio/future.h"

#include <unordered_set>
#include <vector>

namespace QAsyncio {

namespace detail {

/// The futures, in order, each once.
template<class F>
std::vector<F> distinct(std::vector<F> futures)
{
    std::unordered_set<const FutureStateBase *> seen;
    std::erase_if(futures, [&](const F &future) { return !seen.insert(FutureAccess::state(future)).second; });
    return futures;
}

} // namespace detail

/// What wait() waits for.
enum class ReturnWhen { FirstCompleted, FirstException, AllCompleted };
/// The first of them is done, or was cancelled.
inline constexpr ReturnWhen FIRST_COMPLETED = ReturnWhen::FirstCompleted;
/// The first of them has failed, or all are done. One that was cancelled has not failed.
inline constexpr ReturnWhen FIRST_EXCEPTION = ReturnWhen::FirstException;
inline constexpr ReturnWhen ALL_COMPLETED = ReturnWhen::AllCompleted;

/// How wait() waits: `wait(tasks, WaitOptions().timeout(5s).return_when(FIRST_COMPLETED))`.
class WaitOptions
{
public:
    WaitOptions() { }
    /// No longer than this duration; zero or less still lets one turn pass. Throws ValueError for NaN.
    template<class Rep, class Period>
    WaitOptions &timeout(std::chrono::duration<Rep, Period> timeout)
    {
        m_timeout = detail::saturated(timeout);
        return *this;
    }
    /// As long as it takes. This is the default.
    WaitOptions &timeout(std::nullopt_t)
    {
        m_timeout.reset();
        return *this;
    }
    /// ALL_COMPLETED is the default.
    WaitOptions &return_when(ReturnWhen when)
    {
        m_return_when = when;
        return *this;
    }

    std::optional<std::chrono::nanoseconds> get_timeout() const { return m_timeout; }
    ReturnWhen get_return_when() const { return m_return_when; }
    /// "<WaitOptions timeout=1.500 return_when=FIRST_COMPLETED>"
    QASYNCIO_EXPORT QString to_string() const;

private:
    std::optional<std::chrono::nanoseconds> m_timeout;
    ReturnWhen m_return_when = ReturnWhen::AllCompleted;
};

/// What wait() gives: each future once, in the order of the arguments.
template<class F>
struct WaitResult
{
    std::vector<F> done;
    std::vector<F> pending;
};

namespace detail {

/// wait() without its types, of futures that are all different: returns when it is over.
QASYNCIO_EXPORT Coroutine<> run_wait(std::vector<AnyFuture> futures, WaitOptions options);

template<class F>
WaitResult<F> sort_by_state(std::vector<F> futures)
{
    WaitResult<F> result;
    for (F &future : futures) {
        std::vector<F> &place = future.done() ? result.done : result.pending;
        place.push_back(std::move(future));
    }
    return result;
}

} // namespace detail

/// Waits for futures or tasks (of one type, or as AnyFuture or AnyTask) and tells which are done and which are pending.
/// `done` may hold more than what ended the wait: everything that finished before the caller went on.
///
/// A time-out neither throws nor cancels anything: the rest is pending. What the futures threw is not thrown here;
/// ask them. With FIRST_EXCEPTION, an exception that ended the wait counts as retrieved, as in asyncio.
/// Cancellation: cancelling the caller leaves the futures alone.
/// Throws, at the await: ValueError for no futures at all, for a value that is no ReturnWhen, and for a future of
/// another loop; RuntimeError if no loop runs in this thread. Coroutines are refused by the compiler. Thread: the loop's.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.wait
template<class F>
Coroutine<WaitResult<F>> wait(std::vector<F> futures, WaitOptions options = WaitOptions())
{
    static_assert(!detail::IsCoroutine<F>::value, "Passing coroutines is forbidden, use tasks explicitly.");
    static_assert(std::is_base_of_v<AnyFuture, F>, "wait() waits for futures and tasks");
    futures = detail::distinct(std::move(futures));
    co_await detail::run_wait(std::vector<AnyFuture>(futures.begin(), futures.end()), options);
    co_return detail::sort_by_state(std::move(futures));
}

} // namespace QAsyncio
