// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/loop/loop_core.h"

#include <utility>

namespace QAsyncio::detail {

/// Destroys an object that may own one of its kind, which owns another one...: a chain of any length takes the stack of
/// `most_levels` of them, and no memory. So many go in the order of any destructors; the deeper ones wait in a list, for the
/// level there to come back, even if one of their destructors opens an event loop. Not for what has nothing to own: it costs
/// some instructions.
template<class Kind, class Object>
void release_deep(Object &object, ReleaseDepth &depth) noexcept
{
    constexpr int most_levels = 100;
    if (depth.levels == most_levels) {
        Kind::link(object, static_cast<Object *>(std::exchange(depth.waiting, &object)));
        return;
    }
    ++depth.levels;
    Kind::destroy(object);
    while (depth.levels == most_levels && depth.waiting) {
        auto *next = static_cast<Object *>(depth.waiting);
        depth.waiting = Kind::unlink(*next);
        Kind::destroy(*next);
    }
    --depth.levels;
}

} // namespace QAsyncio::detail
