// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/body_awaiter.h"
#include "qasyncio/detail/coroutine/closure.h"

namespace QAsyncio {

namespace detail {
template<class T, class Body, class Cleanup>
Coroutine<T> run_finally(Body body, Cleanup cleanup)
{
    const auto run_body = [&] { return std::invoke(body); };
    Outcome<T> outcome = co_await BodyAwaiter<T>(run_body);
    auto cleaning = std::invoke(cleanup);
    co_await std::move(cleaning);
    if constexpr (std::is_void_v<T>)
        outcome.value(); // or the exception
    else
        co_return std::move(outcome).value();
}
} // namespace detail

/// asyncio's `try: ... finally: ...`, for clean-up that awaits. Both arguments are functions that
/// return a coroutine. They are kept here until the end.
///
///     const auto transfer = [&]() -> Coroutine<> { co_await send(connection, data); };
///     const auto say_goodbye = [&]() -> Coroutine<> { co_await connection.close(); };
///     co_await finally(transfer, say_goodbye);
///
/// However the body ends, by a cancellation too, `cleanup` runs and may await. Then the result of
/// the body is given or its exception is thrown.
/// Errors: what `cleanup` throws replaces what the body has given or thrown.
/// Cancellation: goes to the body, and then `cleanup` runs. A cancellation that comes while
/// `cleanup` is running interrupts it. If the task is unwound (because its context object died or
/// the loop was closed) no clean-up that awaits is run, only destructors.
/// Thread: that of the awaiting task's loop.
template<class Body, class Cleanup>
auto finally(Body &&body, Cleanup &&cleanup)
{
    detail::check_closure<Body>();
    detail::check_closure<Cleanup>();
    using T = detail::coroutine_value_t<std::invoke_result_t<detail::closure_t<Body> &>>;
    return detail::run_finally<T, detail::closure_t<Body>, detail::closure_t<Cleanup>>(
        std::forward<Body>(body), std::forward<Cleanup>(cleanup));
}

} // namespace QAsyncio
