// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/gather_state.h"
#include "qasyncio/ensure_future.h"

namespace QAsyncio {

/// Tells gather() to give exceptions and cancellations as results: `gather(return_exceptions, a(), b())`.
struct ReturnExceptions
{
};
inline constexpr ReturnExceptions return_exceptions{};

namespace detail {

template<class... T>
using GatheredTuple = std::tuple<typename Outcome<T>::value_type...>;

template<class Result, class... A>
Future<Result> gather_tuple(bool return_exceptions, A &&...awaitables)
{
    auto outer = Ref<GatherState<Result, ensured_value_t<A>...>>::adopt(
        new GatherState<Result, ensured_value_t<A>...>(get_running_loop().core(), return_exceptions));
    (outer->add(ensure_future(std::forward<A>(awaitables)), IsCoroutine<std::remove_cvref_t<A>>::value), ...);
    outer->begin();
    return FutureAccess::wrap<Future<Result>>(std::move(outer));
}

template<class Element, class A>
Future<std::vector<Element>> gather_vector(bool return_exceptions, std::vector<A> awaitables)
{
    using State = GatherVectorState<Element, ensured_value_t<A>>;
    auto outer = Ref<State>::adopt(new State(get_running_loop().core(), return_exceptions));
    for (A &awaitable : awaitables)
        outer->add(ensure_future(std::move(awaitable)), IsCoroutine<A>::value);
    outer->begin();
    return FutureAccess::wrap<Future<std::vector<Element>>>(std::move(outer));
}

} // namespace detail

/// Runs awaitables side by side and gives a future of all their results, in the order of the arguments (a tuple;
/// std::monostate for a child without a value). Coroutines become tasks at once. A future passed twice fills both places.
///
/// Errors: the first exception ends the returned future; the other children **go on running** and must own what they
/// use. A child that is cancelled counts as one that throws CancelledError, so a cancelled gather() may end before its children
/// have; with return_exceptions it ends when all have. Later exceptions are dropped.
/// Cancellation: cancelling the returned future, or the task that awaits it, cancels every child that is not done; the
/// future then ends with CancelledError, whatever the children make of it.
/// Thread: that of the running loop.
/// Throws RuntimeError if no loop runs in this thread, ValueError for a future of another loop.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.gather
template<class... A>
    requires(detail::Awaitable<A> && ...)
[[nodiscard("a gather that is dropped gives its results to nobody")]]
auto gather(A &&...awaitables)
{
    using Result = detail::GatheredTuple<detail::ensured_value_t<A>...>;
    return detail::gather_tuple<Result>(false, std::forward<A>(awaitables)...);
}
/// The same with an Outcome for each child: nothing but a cancellation of the whole makes the returned future fail.
template<class... A>
    requires(detail::Awaitable<A> && ...)
[[nodiscard("a gather that is dropped gives its results to nobody")]]
auto gather(ReturnExceptions, A &&...awaitables)
{
    using Result = std::tuple<Outcome<detail::ensured_value_t<A>>...>;
    return detail::gather_tuple<Result>(true, std::forward<A>(awaitables)...);
}
/// The same for a number of awaitables of one type that is known only at run time.
template<class A>
    requires detail::Awaitable<A>
[[nodiscard("a gather that is dropped gives its results to nobody")]]
auto gather(std::vector<A> awaitables)
{
    using Element = typename Outcome<detail::ensured_value_t<A>>::value_type;
    return detail::gather_vector<Element>(false, std::move(awaitables));
}
template<class A>
    requires detail::Awaitable<A>
[[nodiscard("a gather that is dropped gives its results to nobody")]]
auto gather(ReturnExceptions, std::vector<A> awaitables)
{
    using Element = Outcome<detail::ensured_value_t<A>>;
    return detail::gather_vector<Element>(true, std::move(awaitables));
}

} // namespace QAsyncio
