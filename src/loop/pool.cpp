// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/detail/pool.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include <sys/mman.h>

namespace QAsyncio::detail {

#if QASYNCIO_SANITIZED

void *allocate_slow(std::size_t size)
{
    return ::operator new(size);
}

void deallocate_slow(void *block, std::size_t size) noexcept
{
    ::operator delete(block, size);
}

#else

#  if QASYNCIO_EXPORTED_TLS
constinit thread_local FreeBlock *free_lists[pool_classes] QASYNCIO_INITIAL_EXEC = {};
#  else
static constinit thread_local FreeBlock *free_lists[pool_classes] = {};
#  endif

namespace {

// Slabs double from the first to the last size. A thread that has many gets huge ones, since then they do not weigh much.
constexpr std::size_t first_slab = 64 * 1024;
constexpr std::size_t last_slab = 512 * 1024;
constexpr std::size_t huge_slab = 2048 * 1024;
constexpr std::size_t many_slabs = 2560 * 1024; // bytes
constexpr std::size_t carved_at_once = 32; // blocks that a thread gets from its slab: one would leave the list empty

std::size_t class_of(std::size_t size)
{
    return (size - 1) / pool_granularity;
}

void push(FreeBlock *&head, void *memory)
{
    auto *block = static_cast<FreeBlock *>(memory);
    block->next = head;
    block->depth = head ? head->depth + 1 : 1;
    head = block;
}

FreeBlock *pop(FreeBlock *&head)
{
    FreeBlock *block = head;
    head = block->next;
    return block;
}

/// Lists of blocks that no thread has: those of threads that ended or that freed more than they allocate. Whole lists change
/// hands, so that nobody touches every block.
struct Depot
{
    std::mutex mutex;
    std::vector<FreeBlock *> lists[pool_classes];
    std::atomic<bool> filled[pool_classes] = {}; // spares most looks the lock
};

Depot &depot()
{
    static Depot *const instance = new Depot; // never destroyed: threads may end after static destruction
    return *instance;
}

void give_to_depot(std::size_t index, FreeBlock *list)
{
    Depot &common = depot();
    const std::lock_guard lock(common.mutex);
    common.lists[index].push_back(list);
    common.filled[index].store(true, std::memory_order_relaxed);
}

FreeBlock *take_from_depot(std::size_t index)
{
    Depot &common = depot();
    if (!common.filled[index].load(std::memory_order_relaxed))
        return nullptr;
    const std::lock_guard lock(common.mutex);
    std::vector<FreeBlock *> &lists = common.lists[index];
    FreeBlock *list = nullptr;
    if (!lists.empty()) {
        list = lists.back();
        lists.pop_back();
    }
    common.filled[index].store(!lists.empty(), std::memory_order_relaxed);
    return list;
}

/// A slab in a huge page, which the kernel gives and clears at once: a fifth less for each of 200,000 tasks than a fault for
/// every 4 KiB. Null if there is none to be had.
void *new_huge_slab()
{
#ifdef MADV_HUGEPAGE
    void *const begin = ::mmap(nullptr, 2 * huge_slab, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (begin == MAP_FAILED)
        return nullptr;
    char *const first = static_cast<char *>(begin);
    const std::size_t before = -reinterpret_cast<std::uintptr_t>(first) & (huge_slab - 1);
    if (before > 0)
        ::munmap(first, before);
    ::munmap(first + before + huge_slab, huge_slab - before);
    ::madvise(first + before, huge_slab, MADV_HUGEPAGE);
    return first + before;
#else
    return nullptr;
#endif
}

/// After the end of Reserve, in destructors that come later: nothing is kept any more.
constinit thread_local bool thread_has_ended = false;

/// What a thread has besides free_lists. Constructing it makes the pool know the thread.
struct Reserve
{
    FreeBlock *spare[pool_classes] = {}; // a full list each, so that a thread at the bound does not go back and forth
    char *at = nullptr;                  // what is left of the slab
    std::size_t left = 0;
    std::size_t next_size = first_slab;
    std::size_t total = 0; // bytes in slabs so far

    ~Reserve()
    {
        for (std::size_t index = 0; index < pool_classes; ++index) {
            for (FreeBlock *list : {free_lists[index], spare[index]}) {
                if (list)
                    give_to_depot(index, list);
            }
            free_lists[index] = nullptr;
        }
        thread_has_ended = true;
    }
    FreeBlock *take(std::size_t index)
    {
        FreeBlock *list = std::exchange(spare[index], nullptr);
        return list ? list : take_from_depot(index);
    }
    void put(std::size_t index, FreeBlock *list)
    {
        if (FreeBlock *old = std::exchange(spare[index], list))
            give_to_depot(index, old);
    }
    void new_slab()
    {
        at = total > many_slabs ? static_cast<char *>(new_huge_slab()) : nullptr;
        left = huge_slab;
        if (!at) {
            at = static_cast<char *>(::operator new(next_size));
            left = std::exchange(next_size, std::min(2 * next_size, last_slab));
        }
        total += left;
    }
    void carve(std::size_t index)
    {
        const std::size_t size = (index + 1) * pool_granularity;
        if (left < size) { // loses less than pool_largest bytes
            new_slab();
        }
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
        return ::operator new(size);
    const std::size_t index = class_of(size);
    FreeBlock *&list = free_lists[index];
    if (thread_has_ended)
        return ::operator new((index + 1) * pool_granularity);
    if (!list)
        list = reserve().take(index);
    if (!list)
        reserve().carve(index);
    return pop(list);
}

void deallocate_slow(void *block, std::size_t size) noexcept
{
    if (size > pool_largest)
        return ::operator delete(block, size);
    const std::size_t index = class_of(size);
    if (thread_has_ended) {
        FreeBlock *single = nullptr;
        push(single, block);
        return give_to_depot(index, single);
    }
    FreeBlock *&list = free_lists[index];
    Reserve &own = reserve(); // also makes the pool know the thread
    if (list && list->depth >= pool_most_kept) // others may need them: a loop frees what threads allocate for it
        own.put(index, std::exchange(list, nullptr));
    push(list, block);
}

#endif

} // namespace QAsyncio::detail
