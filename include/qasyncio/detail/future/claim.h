// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/future.h"

#include <concepts>

namespace QAsyncio::detail {

/// What wants to take one thing out of many that come: the next emission of a stream. To wait for it takes nothing; so of
/// several that are waited for side by side only one need be taken from. A claim that is dropped has taken nothing, unless
/// take() was called. In the loop's thread.
template<class C>
concept Claim = std::move_constructible<C> && requires(C &claim) {
    /// Whether take() can be called now.
    { claim.is_ready() } -> std::same_as<bool>;
    /// Done when it is ready, or may be: somebody else may come first. Cancelling it, or dropping it, ends the waiting.
    { claim.ready() } -> std::same_as<Future<>>;
    /// Keeps what is there for this claim until it is taken or the claim is dropped. False if nothing is there.
    { claim.reserve() } -> std::same_as<bool>;
    /// Takes it; throws what came in its place. Only when it is ready.
    claim.take();
};

/// An awaitable that makes a claim when it is awaited.
template<class A>
concept Claimable = requires(A &awaitable) {
    { std::move(awaitable).claim() } -> Claim;
};

template<Claimable A>
using claim_t = decltype(std::declval<A>().claim());

} // namespace QAsyncio::detail
