// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/future.h"

#include <unordered_set>
#include <vector>

namespace QAsyncio::detail {

/// The futures, in order, each once.
template<class F>
std::vector<F> distinct(std::vector<F> futures)
{
    std::unordered_set<const FutureStateBase *> seen;
    std::erase_if(futures, [&](const F &future) { return !seen.insert(FutureAccess::state(future)).second; });
    return futures;
}

} // namespace QAsyncio::detail
