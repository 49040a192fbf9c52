// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/compiler.h"
#include "qasyncio/global.h"

#include <cstddef>
#include <new>

namespace QAsyncio::detail {

/// Memory for coroutine frames, futures and handles: one free list per size and thread, filled from
/// slabs. A block may be freed in another thread than the one that allocated it.
///
/// A block is aligned to the largest power of two that divides its size, up to pool_most_alignment.
/// The size of a type, and of a frame of g++, is a multiple of its alignment, so values of any
/// alignment may lie in a block although the pool is never told: g++ asks for frames as if they had
/// no special alignment.
///
/// Inline, because awaiting a child that returns at once is little more than one allocation: 13 ns
/// instead of 19.
struct FreeBlock
{
    FreeBlock *next;
    std::size_t depth; // how many blocks the list has from here on
};

constexpr std::size_t pool_granularity = 16;
constexpr std::size_t pool_largest = 512; // beyond it: the heap
constexpr std::size_t pool_classes = pool_largest / pool_granularity;
constexpr std::size_t pool_most_alignment = 4096;
// Blocks in a list; a thread keeps up to two lists per size for itself.
constexpr std::size_t pool_most_kept = 4096;

/// The alignment of a block of `size` bytes: see above.
constexpr std::size_t pool_alignment(std::size_t size)
{
    const std::size_t power = size & (~size + 1);
    return power < pool_granularity   ? pool_granularity
        : power > pool_most_alignment ? pool_most_alignment
                                      : power;
}

QASYNCIO_EXPORT void *allocate_slow(std::size_t size);
QASYNCIO_EXPORT void deallocate_slow(void *block, std::size_t size) noexcept;
/// Gives memory back to the system if much of it is free. To be called when there is nothing else
/// to do: it looks at all free blocks of the process, some 5 ns each.
QASYNCIO_EXPORT void trim_pool() noexcept;

// Under a sanitizer every call goes into the library, which then uses the ordinary heap. Where
// thread-local variables cannot be exported every call goes there too, to the pool.
#if QASYNCIO_EXPORTED_TLS && !QASYNCIO_SANITIZED

extern QASYNCIO_EXPORT constinit thread_local FreeBlock
    *free_lists[pool_classes] QASYNCIO_INITIAL_EXEC;

Q_ALWAYS_INLINE void *allocate(std::size_t size)
{
    if (size <= pool_largest) {
        FreeBlock *&head = free_lists[(size - 1) / pool_granularity];
        if (FreeBlock *block = head) {
            head = block->next;
            return block;
        }
    }
    return allocate_slow(size);
}

Q_ALWAYS_INLINE void deallocate(void *memory, std::size_t size) noexcept
{
    if (size <= pool_largest) {
        FreeBlock *&head = free_lists[(size - 1) / pool_granularity];
        // The list may be empty because the pool does not know this thread yet. A full one is
        // handed to other threads. Both are for the slow path.
        if (head && head->depth < pool_most_kept) {
            auto *block = static_cast<FreeBlock *>(memory);
            block->next = head;
            block->depth = head->depth + 1;
            head = block;
            return;
        }
    }
    deallocate_slow(memory, size);
}

#else

inline void *allocate(std::size_t size)
{
    return allocate_slow(size);
}

inline void deallocate(void *memory, std::size_t size) noexcept
{
    deallocate_slow(memory, size);
}

#endif

/// Gives a class the pool's memory, whatever its alignment. A class that is deleted through a base
/// needs a virtual destructor.
struct Pooled
{
    static void *operator new(std::size_t size) { return allocate(size); }
    static void operator delete(void *block, std::size_t size) noexcept { deallocate(block, size); }
};

/// The same for promises, where it allocates the frame of the coroutine. The size of a frame of
/// clang says nothing of its alignment; clang passes that with -fcoro-aligned-allocation, which
/// linking to QAsyncio::QAsyncio adds.
struct PooledFrame
{
    static void *operator new(std::size_t size) { return allocate(size); }
    static void *operator new(std::size_t size, std::align_val_t alignment)
    {
        return allocate(padded(size, alignment));
    }
    static void operator delete(void *frame, std::size_t size) noexcept { deallocate(frame, size); }
    static void operator delete(void *frame, std::size_t size, std::align_val_t alignment) noexcept
    {
        deallocate(frame, padded(size, alignment));
    }

private:
    static constexpr std::size_t padded(std::size_t size, std::align_val_t alignment)
    {
        const auto least = static_cast<std::size_t>(alignment);
        return (size + least - 1) & ~(least - 1);
    }
};

} // namespace QAsyncio::detail
