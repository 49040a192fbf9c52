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

/// The futures in their order, each of them once.
template<class F>
std::vector<F> distinct(std::vector<F> futures)
{
    std::unordered_set<const FutureStateBase *> seen;
    std::erase_if(
        futures, [&](const F &future) { return !seen.insert(FutureAccess::state(future)).second; });
    return futures;
}

} // namespace detail

/// What ends a wait(). The constants below have asyncio's names.
enum class ReturnWhen { FirstCompleted, FirstException, AllCompleted };
/// Ends when the first future is done, which includes being cancelled.
inline constexpr ReturnWhen FIRST_COMPLETED = ReturnWhen::FirstCompleted;
/// Ends when the first future has failed, or when all are done. A future that was cancelled has not
/// failed.
inline constexpr ReturnWhen FIRST_EXCEPTION = ReturnWhen::FirstException;
/// Ends when all futures are done.
inline constexpr ReturnWhen ALL_COMPLETED = ReturnWhen::AllCompleted;

/// Options for wait(): `wait(tasks, WaitOptions().timeout(5s).return_when(FIRST_COMPLETED))`.
class WaitOptions
{
public:
    WaitOptions() { }
    /// Waits no longer than this. With zero or less one turn still passes. Throws ValueError for
    /// NaN.
    template<class Rep, class Period>
    WaitOptions &timeout(std::chrono::duration<Rep, Period> timeout)
    {
        m_timeout = detail::saturated(timeout);
        return *this;
    }
    /// Waits as long as it takes. This is the default.
    WaitOptions &timeout(std::nullopt_t)
    {
        m_timeout.reset();
        return *this;
    }
    /// What ends the wait. The default is ALL_COMPLETED.
    WaitOptions &return_when(ReturnWhen when)
    {
        m_return_when = when;
        return *this;
    }

    /// What was set with the functions above.
    std::optional<std::chrono::nanoseconds> get_timeout() const { return m_timeout; }
    ReturnWhen get_return_when() const { return m_return_when; }
    /// "<WaitOptions timeout=1.500 return_when=FIRST_COMPLETED>"
    QASYNCIO_EXPORT QString to_string() const;

private:
    std::optional<std::chrono::nanoseconds> m_timeout;
    ReturnWhen m_return_when = ReturnWhen::AllCompleted;
};

/// The result of wait(): each future once, in the order of the arguments.
template<class F>
struct WaitResult
{
    std::vector<F> done;
    std::vector<F> pending;
};

namespace detail {

/// The part of wait() that does not depend on types. The futures must all be different. Returns
/// when the wait is over.
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

/// Waits for futures or tasks (all of one type, or as AnyFuture or AnyTask) and tells which are
/// done and which are pending.
///
///     const auto [done, pending] = co_await wait(tasks, WaitOptions().timeout(5s));
///     for (Task<int> task : pending)
///         task.cancel();
///
/// `done` has every future that was done when the caller went on, so it may have more than what
/// ended the wait.
/// Errors: a time-out neither throws nor cancels anything; the rest is pending. What the futures
/// have thrown is not thrown here: ask them. With FIRST_EXCEPTION the exception that ended the wait
/// counts as retrieved, as in asyncio.
/// Cancellation: cancelling the caller does not affect the futures.
/// Throws, at the await, ValueError if there are no futures at all, for a value that is no
/// ReturnWhen and for a future of another loop; RuntimeError if no loop runs in this thread.
/// Coroutines are refused by the compiler.
/// Thread: the loop's.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.wait
template<class F>
Coroutine<WaitResult<F>> wait(std::vector<F> futures, WaitOptions options = WaitOptions())
{
    static_assert(!detail::IsCoroutine<F>::value,
                  "Passing coroutines is forbidden, use tasks explicitly.");
    static_assert(std::is_base_of_v<AnyFuture, F>, "wait() waits for futures and tasks");
    futures = detail::distinct(std::move(futures));
    co_await detail::run_wait(std::vector<AnyFuture>(futures.begin(), futures.end()), options);
    co_return detail::sort_by_state(std::move(futures));
}

} // namespace QAsyncio
