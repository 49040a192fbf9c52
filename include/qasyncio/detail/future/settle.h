// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/future_state.h"
#include "qasyncio/outcome.h"

#include <optional>

namespace QAsyncio::detail {

/// The value that a future of type R stores, of what an Outcome<R> stores.
template<class R>
future_value_t<R> to_future_value(typename Outcome<R>::value_type &&value)
{
    if constexpr (std::is_void_v<R>)
        return {};
    else
        return std::move(value);
}

/// What `value()` gives or throws.
template<class R, class F>
Outcome<R> outcome_of(F &value) noexcept
{
    try {
        if constexpr (std::is_void_v<R>) {
            value();
            return Outcome<R>(std::in_place);
        } else {
            return Outcome<R>(std::in_place, value());
        }
    } catch (...) {
        return Outcome<R>(failed_outcome, std::current_exception());
    }
}

/// The same, where it is to stay: also what moving it there throws.
template<class R, class F>
void store_outcome(std::optional<Outcome<R>> &place, F &value) noexcept
{
    try {
        if constexpr (std::is_void_v<R>) {
            value();
            place.emplace(std::in_place);
        } else {
            place.emplace(std::in_place, value());
        }
    } catch (...) {
        place.emplace(failed_outcome, std::current_exception());
    }
}

/// Completes a future with what came for it from outside: with the value, with the exception that came instead, or with what
/// moving the value throws. In the loop's thread. Nothing happens if it is done by then or the loop is closed.
template<class R>
void settle(FutureState<R> &future, Outcome<R> &&outcome) noexcept
{
    if (!future.is_pending() || future.core->has(LoopCore::Closed))
        return;
    if (!outcome.has_value())
        return future.set_exception(outcome.exception());
    try {
        if constexpr (std::is_void_v<R>)
            future.set_value({});
        else
            future.set_value(std::move(outcome).value());
    } catch (...) {
        if (future.is_pending()) // moving it may have cancelled the future
            future.set_exception(std::current_exception());
    }
}

} // namespace QAsyncio::detail
