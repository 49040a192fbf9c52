// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/loop/loop_core.h"

#include <utility>

namespace QAsyncio::detail {

/// Destroys an object that may own another one of its kind, which may own the next one, and so on.
/// A chain of any length takes the stack of `most_levels` destructors, and no memory: deeper
/// objects wait in a list until the code at that level comes back to it, even if one of their
/// destructors opens an event loop. It costs some instructions, so it is not for objects that have
/// nothing to own.
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
