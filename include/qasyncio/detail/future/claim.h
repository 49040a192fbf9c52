// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/future.h"

#include <concepts>

namespace QAsyncio::detail {

/// A claim to one of many things that come, such as the next emission of a stream. Waiting takes
/// nothing, so of several claims that are waited for side by side only one has to be taken. A claim
/// that is dropped has taken nothing unless take() was called. In the loop's thread.
template<class C>
concept Claim = std::move_constructible<C> && requires(C &claim) {
    /// Whether take() can be called now.
    { claim.is_ready() } -> std::same_as<bool>;
    /// Done when the claim is ready, or may be: somebody else may be faster. Cancelling or dropping
    /// this future ends the waiting.
    { claim.ready() } -> std::same_as<Future<>>;
    /// Keeps what is there for this claim, until it is taken or the claim is dropped. False if
    /// nothing is there.
    { claim.reserve() } -> std::same_as<bool>;
    /// Takes what is there, or throws what came in its place. Only when the claim is ready.
    claim.take();
    /// Gives up, at once: whoever is behind it is next. Nothing but the destructor follows.
    { claim.withdraw() } noexcept;
};

/// An awaitable that makes a claim when it is awaited.
template<class A>
concept Claimable = requires(A &awaitable) {
    { std::move(awaitable).claim() } -> Claim;
};

template<Claimable A>
using claim_t = decltype(std::declval<A>().claim());

} // namespace QAsyncio::detail
