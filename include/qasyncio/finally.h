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

/// asyncio's `try: body() finally: cleanup()`, for clean-up that awaits. Both are functions that give a coroutine; they are
/// kept here for as long as they run.
///
/// However the body ended, by cancellation too, `cleanup` runs and may await; then the body's result or exception goes on.
/// What `cleanup` throws takes its place. A cancellation that comes while `cleanup` runs interrupts it. A task that
/// is unwound (its context object died, the loop was closed) runs no clean-up that awaits: destructors only. Thread: that of
/// the awaiting task's loop.
template<class Body, class Cleanup>
auto finally(Body &&body, Cleanup &&cleanup)
{
    detail::check_closure<Body>();
    detail::check_closure<Cleanup>();
    using T = detail::coroutine_value_t<std::invoke_result_t<detail::closure_t<Body> &>>;
    return detail::run_finally<T, detail::closure_t<Body>, detail::closure_t<Cleanup>>(std::forward<Body>(body),
                                                                                      std::forward<Cleanup>(cleanup));
}

} // namespace QAsyncio
