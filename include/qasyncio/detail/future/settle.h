// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/future_state.h"
#include "qasyncio/outcome.h"

#include <optional>

namespace QAsyncio::detail {

/// Makes the value that a future of R stores from the one that an Outcome<R> stores.
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

/// The same, stored in `place`. If moving the value there throws, that exception is the outcome.
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

/// Completes a future with an outcome from outside: with its value, its exception, or what moving
/// the value throws. In the loop's thread. Does nothing if the future is done by then or the loop
/// is closed.
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
