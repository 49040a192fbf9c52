// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/detail/pool.h"

#include <array>
#include <mutex>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#  define QASYNCIO_PLAIN_HEAP
#elif defined(__has_feature)
#  if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#    define QASYNCIO_PLAIN_HEAP
#  endif
#endif

namespace QAsyncio::detail {

#ifdef QASYNCIO_PLAIN_HEAP

void *allocate(std::size_t size)
{
    return ::operator new(size);
}

void deallocate(void *block, std::size_t size) noexcept
{
    ::operator delete(block, size);
}

#else

namespace {

constexpr std::size_t granularity = 16;
constexpr std::size_t largest = 1024; // beyond it: the heap
constexpr std::size_t classes = largest / granularity;
constexpr std::size_t slab_size = 64 * 1024;
constexpr std::size_t batch = 256; // blocks that a thread takes from the depot at once
constexpr std::size_t most_kept = 4096; // blocks of one size that a thread keeps for itself

struct Block
{
    Block *next;
};

struct List
{
    Block *head = nullptr;
    std::size_t count = 0;

    void push(Block *block)
    {
        block->next = head;
        head = block;
        ++count;
    }
    Block *pop()
    {
        Block *block = head;
        head = block->next;
        --count;
        return block;
    }
};

std::size_t class_of(std::size_t size)
{
    return (size - 1) / granularity;
}

/// Blocks that no thread has: those of threads that ended or that freed more than they allocate.
struct Depot
{
    std::mutex mutex;
    std::array<List, classes> lists;
};

Depot &depot()
{
    static Depot *const instance = new Depot; // never destroyed: threads may end after static destruction
    return *instance;
}

struct Cache
{
    std::array<List, classes> lists;
    char *slab = nullptr;
    std::size_t slab_left = 0;

    ~Cache();
    Block *refill(std::size_t index);
    void give_back(std::size_t index, std::size_t count);
};

// A plain pointer, because it is read on every allocation; `owner` destroys the cache with the thread.
__attribute__((tls_model("initial-exec"))) thread_local Cache *t_cache = nullptr;
__attribute__((tls_model("initial-exec"))) thread_local bool t_ended = false;

struct Owner
{
    ~Owner()
    {
        delete std::exchange(t_cache, nullptr);
        t_ended = true;
    }
};

Cache *make_cache()
{
    if (t_ended) // a destructor of another thread_local object: the cache lives on with the process
        return t_cache = new Cache;
    static thread_local Owner owner;
    static_cast<void>(&owner);
    return t_cache = new Cache;
}

Cache::~Cache()
{
    for (std::size_t index = 0; index < classes; ++index)
        give_back(index, lists[index].count);
}

void Cache::give_back(std::size_t index, std::size_t count)
{
    if (count == 0)
        return;
    Depot &common = depot();
    const std::lock_guard lock(common.mutex);
    for (std::size_t i = 0; i < count; ++i)
        common.lists[index].push(lists[index].pop());
}

Block *Cache::refill(std::size_t index)
{
    {
        Depot &common = depot();
        const std::lock_guard lock(common.mutex);
        List &list = common.lists[index];
        for (std::size_t i = 0; i < batch && list.head; ++i)
            lists[index].push(list.pop());
    }
    if (lists[index].head)
        return lists[index].pop();
    const std::size_t size = (index + 1) * granularity;
    if (slab_left < size) { // what is left of the old slab is at most 1 KiB
        slab = static_cast<char *>(::operator new(slab_size));
        slab_left = slab_size;
    }
    char *block = slab;
    slab += size;
    slab_left -= size;
    return reinterpret_cast<Block *>(block);
}

} // namespace

void *allocate(std::size_t size)
{
    if (Q_UNLIKELY(size > largest))
        return ::operator new(size);
    Cache *cache = t_cache;
    if (Q_UNLIKELY(!cache))
        cache = make_cache();
    const std::size_t index = class_of(size);
    List &list = cache->lists[index];
    if (Q_LIKELY(list.head))
        return list.pop();
    return cache->refill(index);
}

void deallocate(void *block, std::size_t size) noexcept
{
    if (Q_UNLIKELY(size > largest))
        return ::operator delete(block, size);
    Cache *cache = t_cache;
    if (Q_UNLIKELY(!cache))
        cache = make_cache();
    const std::size_t index = class_of(size);
    List &list = cache->lists[index];
    list.push(static_cast<Block *>(block));
    if (Q_UNLIKELY(list.count > most_kept)) // others may need them: a loop frees what threads allocate for it
        cache->give_back(index, most_kept / 2);
}

#endif

} // namespace QAsyncio::detail
