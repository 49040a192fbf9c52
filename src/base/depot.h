// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/pool.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace QAsyncio::detail {

/// How many bytes a block of this class has.
constexpr std::size_t block_size(std::size_t index)
{
    return (index + 1) * pool_granularity;
}

/// Makes memory the first block of a list.
inline void push(FreeBlock *&head, void *memory)
{
    auto *block = static_cast<FreeBlock *>(memory);
    block->next = head;
    block->depth = head ? head->depth + 1 : 1;
    head = block;
}

/// Lists of blocks that belong to no thread: from threads that ended, or that freed more than they
/// allocate. Whole lists change hands, so that nobody touches every block. Huge slabs go back to
/// the system from here when all of their blocks are free.
///
/// One for the whole process, for all threads.
class Depot
{
public:
    static constexpr std::size_t huge_slab = 2048 * 1024;

    static Depot &instance();

    /// If there is no memory for that, the list is leaked.
    void give(std::size_t index, FreeBlock *list) noexcept;
    /// A list of blocks of this class, or null.
    FreeBlock *take(std::size_t index);

    /// Memory for blocks in a huge page; null if there is none. When it is carved up,
    /// huge_slab_is_carved() has to be called.
    static void *new_huge_slab();
    /// `used` bytes of the slab have become blocks; there will not be more. If there is no memory
    /// to note that, the slab is never given back.
    void huge_slab_is_carved(void *slab, std::size_t used) noexcept;

    /// Whether so much is free that looking for free slabs pays.
    bool is_worth_trimming() const
    {
        return m_surplus.load(std::memory_order_relaxed) > trim_above;
    }
    /// Gives slabs whose blocks are all here back to the system.
    void trim() noexcept;

private:
    // Less is kept for the next peak. Slabs that fragmentation keeps here are looked at again when
    // this much has been added.
    static constexpr std::ptrdiff_t trim_above = 16 * 1024 * 1024; // bytes

    struct Slab
    {
        std::uintptr_t begin;
        std::size_t used; // bytes that became blocks
        std::size_t free; // of these, while trim() counts
    };
    Slab *slab_of(const FreeBlock *block);
    void count_free_bytes();
    FreeBlock *without_free_slabs(FreeBlock *list);
    void drop_blocks_of_free_slabs(std::size_t index);

    std::mutex m_mutex;
    std::vector<FreeBlock *> m_lists[pool_classes];
    std::atomic<bool> m_filled[pool_classes] = {}; // lets most calls of take() do without the lock
    std::vector<Slab> m_slabs;                     // the huge ones, by address
    std::size_t m_last_slab = 0;                   // the index that slab_of() found last
    // Bytes that have come to m_lists since the last trim(), less those that went.
    std::atomic<std::ptrdiff_t> m_surplus{0};
};

} // namespace QAsyncio::detail
