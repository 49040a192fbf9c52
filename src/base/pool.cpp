// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/detail/coroutine/pool.h"

#include "base/depot.h"

#include <algorithm>
#include <new>
#include <utility>

namespace QAsyncio::detail {

namespace {
// The ordinary heap, for what the pool does not have: aligned as the pool's blocks are.

std::size_t heap_alignment(std::size_t size)
{
    return pool_alignment((size + pool_granularity - 1) / pool_granularity * pool_granularity);
}

void *allocate_from_heap(std::size_t size)
{
    const std::size_t alignment = heap_alignment(size);
    return alignment <= pool_granularity ? ::operator new(size)
                                         : ::operator new(size, std::align_val_t(alignment));
}

void deallocate_to_heap(void *block, std::size_t size) noexcept
{
    const std::size_t alignment = heap_alignment(size);
    if (alignment <= pool_granularity)
        ::operator delete(block, size);
    else
        ::operator delete(block, size, std::align_val_t(alignment));
}
} // namespace

#if QASYNCIO_SANITIZED

void *allocate_slow(std::size_t size)
{
    return allocate_from_heap(size);
}

void deallocate_slow(void *block, std::size_t size) noexcept
{
    deallocate_to_heap(block, size);
}

void trim_pool() noexcept { }

#else

#  if QASYNCIO_EXPORTED_TLS
constinit thread_local FreeBlock *free_lists[pool_classes] QASYNCIO_INITIAL_EXEC = {};
#  else
static constinit thread_local FreeBlock *free_lists[pool_classes] = {};
#  endif

namespace {

// Slabs double from the first to the last size. A thread that has many gets huge ones, since then
// they do not weigh much.
constexpr std::size_t first_slab = 64 * 1024;
constexpr std::size_t last_slab = 512 * 1024;
constexpr std::size_t many_slabs = 2560 * 1024; // bytes
// Blocks that a thread gets from its slab: one would leave the list empty.
constexpr std::size_t carved_at_once = 32;

std::size_t class_of(std::size_t size)
{
    return (size - 1) / pool_granularity;
}

FreeBlock *pop(FreeBlock *&head)
{
    FreeBlock *block = head;
    head = block->next;
    return block;
}

/// After the end of Reserve, in destructors that come later: nothing is kept any more.
constinit thread_local bool thread_has_ended = false;

/// What a thread has besides free_lists. Constructing it makes the pool know the thread.
struct Reserve
{
    // A full list each, so that a thread at the bound does not go back and forth.
    FreeBlock *spare[pool_classes] = {};
    char *at = nullptr; // what is left of the slab
    std::size_t left = 0;
    char *huge = nullptr; // the slab, if it is a huge one
    // Bytes of the slab that became no blocks, so that those behind them are aligned.
    std::size_t skipped = 0;
    std::size_t next_size = first_slab;
    std::size_t total = 0; // bytes in slabs so far

    ~Reserve()
    {
        give_all();
        close_huge_slab();
        thread_has_ended = true;
    }
    void give_all() noexcept
    {
        for (std::size_t index = 0; index < pool_classes; ++index) {
            for (FreeBlock *list : {std::exchange(free_lists[index], nullptr),
                                    std::exchange(spare[index], nullptr)}) {
                if (list)
                    Depot::instance().give(index, list);
            }
        }
    }
    FreeBlock *take(std::size_t index)
    {
        FreeBlock *list = std::exchange(spare[index], nullptr);
        return list ? list : Depot::instance().take(index);
    }
    void put(std::size_t index, FreeBlock *list)
    {
        if (FreeBlock *old = std::exchange(spare[index], list))
            Depot::instance().give(index, old);
    }
    void close_huge_slab() noexcept
    {
        if (char *slab = std::exchange(huge, nullptr))
            Depot::instance().huge_slab_is_carved(slab, Depot::huge_slab - left - skipped);
    }
    void new_slab()
    {
        close_huge_slab();
        if (total > many_slabs)
            huge = static_cast<char *>(Depot::new_huge_slab());
        left = 0; // if there is no memory to be had
        skipped = 0;
        at = huge ? huge : static_cast<char *>(::operator new(next_size));
        left = huge ? Depot::huge_slab
                    : std::exchange(next_size, std::min(2 * next_size, last_slab));
        total += left;
    }
    void carve(std::size_t index)
    {
        const std::size_t size = block_size(index);
        const auto gap = [&] {
            return -reinterpret_cast<std::uintptr_t>(at) & (pool_alignment(size) - 1);
        };
        if (left < gap() + size) // loses less than twice pool_largest bytes
            new_slab();
        const std::size_t skip = gap();
        at += skip;
        left -= skip;
        skipped += skip;
        const std::size_t count = std::min(carved_at_once, left / size);
        for (std::size_t i = count; i-- > 0;) // handed out in ascending order
            push(free_lists[index], at + i * size);
        at += count * size;
        left -= count * size;
    }
};

Reserve &reserve()
{
    static thread_local Reserve instance;
    return instance;
}

} // namespace

void *allocate_slow(std::size_t size)
{
    if (size > pool_largest)
        return allocate_from_heap(size);
    const std::size_t index = class_of(size);
    FreeBlock *&list = free_lists[index];
    if (thread_has_ended)
        return allocate_from_heap(block_size(index));
    if (!list)
        list = reserve().take(index);
    if (!list)
        reserve().carve(index);
    return pop(list);
}

void deallocate_slow(void *block, std::size_t size) noexcept
{
    if (size > pool_largest)
        return deallocate_to_heap(block, size);
    const std::size_t index = class_of(size);
    if (thread_has_ended) {
        FreeBlock *single = nullptr;
        push(single, block);
        return Depot::instance().give(index, single);
    }
    FreeBlock *&list = free_lists[index];
    Reserve &own = reserve(); // also makes the pool know the thread
    // Others may need them: a loop frees what threads allocate for it.
    if (list && list->depth >= pool_most_kept)
        own.put(index, std::exchange(list, nullptr));
    push(list, block);
}

void trim_pool() noexcept
{
    if (!Depot::instance().is_worth_trimming() || thread_has_ended)
        return;
    reserve().give_all(); // or its last blocks would hold slabs back
    Depot::instance().trim();
}

#endif

} // namespace QAsyncio::detail
