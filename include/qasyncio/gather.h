// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/gather_state.h"
#include "qasyncio/ensure_future.h"

namespace QAsyncio {

/// Pass return_exceptions as the first argument to let gather() return exceptions and cancellations
/// as results: `gather(return_exceptions, a(), b())`.
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
        new GatherState<Result, ensured_value_t<A>...>(get_running_loop().core(),
                                                       return_exceptions));
    (outer->add(ensure_future(std::forward<A>(awaitables)),
                IsCoroutine<std::remove_cvref_t<A>>::value),
     ...);
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

/// Runs awaitables concurrently and returns a future of all their results, in the order of the
/// arguments: a tuple, with std::monostate for an awaitable without a value. Coroutines become
/// tasks at once. The result of a future that is passed twice appears in both places.
///
///     const auto [page, picture] = co_await gather(load_page(), load_picture());
///
/// Errors: the first exception ends the returned future. The other children **go on running**, so
/// they must own what they use. Exceptions that come later are dropped. A child that is cancelled
/// counts as one that throws CancelledError.
/// Cancellation: cancelling the returned future, or the task that awaits it, cancels every child
/// that is not done. The future then ends with CancelledError, whatever the children make of it. It
/// may end before all of its children have; with return_exceptions it ends after the last one.
/// Throws RuntimeError if no loop runs in this thread, ValueError for a future of another loop.
/// Thread: that of the running loop.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.gather
template<class... A>
    requires(detail::Awaitable<A> && ...)
[[nodiscard("a gather that is dropped gives its results to nobody")]]
auto gather(A &&...awaitables)
{
    using Result = detail::GatheredTuple<detail::ensured_value_t<A>...>;
    return detail::gather_tuple<Result>(false, std::forward<A>(awaitables)...);
}
/// The same with an Outcome for each child: its value, or its exception or cancellation. The
/// returned future itself fails only if it is cancelled as a whole.
template<class... A>
    requires(detail::Awaitable<A> && ...)
[[nodiscard("a gather that is dropped gives its results to nobody")]]
auto gather(ReturnExceptions, A &&...awaitables)
{
    using Result = std::tuple<Outcome<detail::ensured_value_t<A>>...>;
    return detail::gather_tuple<Result>(true, std::forward<A>(awaitables)...);
}
/// The same for a vector: any number of awaitables of one type. The result is a vector; for an
/// empty vector the future is done at once.
template<class A>
    requires detail::Awaitable<A>
[[nodiscard("a gather that is dropped gives its results to nobody")]]
auto gather(std::vector<A> awaitables)
{
    using Element = typename Outcome<detail::ensured_value_t<A>>::value_type;
    return detail::gather_vector<Element>(false, std::move(awaitables));
}
/// The same for a vector, with an Outcome for each child.
template<class A>
    requires detail::Awaitable<A>
[[nodiscard("a gather that is dropped gives its results to nobody")]]
auto gather(ReturnExceptions, std::vector<A> awaitables)
{
    using Element = Outcome<detail::ensured_value_t<A>>;
    return detail::gather_vector<Element>(true, std::move(awaitables));
}

} // namespace QAsyncio
