// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/global.h"

#include <cstddef>

namespace QAsyncio::detail {

/// Memory for coroutine frames, futures and handles: a free list a size and thread, filled from slabs. A block may be freed
/// in another thread than it came from. Under a sanitizer it is the ordinary heap.
QASYNCIO_EXPORT void *allocate(std::size_t size);
QASYNCIO_EXPORT void deallocate(void *block, std::size_t size) noexcept;

/// Gives a class the pool's memory. The class needs a virtual destructor if it is deleted through a base.
struct Pooled
{
    static void *operator new(std::size_t size) { return allocate(size); }
    static void operator delete(void *block, std::size_t size) noexcept { deallocate(block, size); }
};

} // namespace QAsyncio::detail
