// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/clock.h"
#include "qasyncio/detail/coroutine/compiler.h"
#include "qasyncio/detail/coroutine/pool.h"
#include "qasyncio/detail/loop/context_state.h"
#include "qasyncio/global.h"

#include <QtCore/qstring.h>

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <utility>

namespace QAsyncio::detail {

struct LoopCore;
class FutureStateBase;

/// What a loop's ready queue holds: a handle, a task to step, a done callback.
class QASYNCIO_EXPORT Runnable : public Pooled
{
public:
    Runnable() = default;
    Q_DISABLE_COPY_MOVE(Runnable)

    /// Runs in the loop, once for each time it was queued. Must not throw: exceptions are given to
    /// the loop.
    virtual void run(LoopCore &core) noexcept;
    /// Called instead of run() when the loop is closed with this in its queue.
    virtual void discard() noexcept;
    /// A text for reports: "<Handle load()>".
    virtual QString describe() const;

    ContextState *context = nullptr; // that it runs in; owned; null: empty

protected:
    virtual ~Runnable()
    {
        if (Q_UNLIKELY(context))
            context->release();
    }
};

/// First in, first out. A ring that doubles as soon as it is half full: code that must not throw
/// can still queue something when there is no memory for a larger one. For the same reason there is
/// a ring from the beginning.
class ReadyQueue
{
public:
    ReadyQueue() { grow_to(128); }

    bool empty() const { return m_head == m_tail; }
    std::size_t size() const { return m_tail - m_head; }

    /// The item that `place` others are in front of.
    Runnable *at(std::size_t place) const { return m_ring[(m_head + place) & (m_capacity - 1)]; }

    void push(Runnable *item)
    {
        if (Q_UNLIKELY(size() >= m_limit))
            make_room();
        m_ring[m_tail++ & (m_capacity - 1)] = item;
    }
    Runnable *pop()
    {
        // With 200,000 tasks none of them is in the cache: prefetching takes 10 % off a step.
        if (Q_LIKELY(size() > 3))
            __builtin_prefetch(m_ring[(m_head + 3) & (m_capacity - 1)]);
        return m_ring[m_head++ & (m_capacity - 1)];
    }

private:
    /// Throws std::bad_alloc if the ring is full and there is no memory.
    Q_NEVER_INLINE void make_room()
    {
        try {
            grow_to(m_capacity * 2);
        } catch (const std::bad_alloc &) {
            if (size() == m_capacity) // otherwise the next push() tries again
                throw;
        }
    }
    void grow_to(std::size_t capacity)
    {
        // Not zeroed: what is never used takes no memory.
        auto ring = std::make_unique_for_overwrite<Runnable *[]>(capacity);
        const std::size_t count = size();
        for (std::size_t i = 0; i < count; ++i)
            ring[i] = m_ring[(m_head + i) & (m_capacity - 1)];
        m_ring = std::move(ring);
        m_capacity = capacity;
        m_limit = capacity / 2;
        m_head = 0;
        m_tail = count;
    }

    std::unique_ptr<Runnable *[]> m_ring;
    std::size_t m_capacity = 0; // a power of two
    std::size_t m_limit = 0;    // the size at which it grows
    std::size_t m_head = 0;     // both only grow; the difference is the size
    std::size_t m_tail = 0;
};

class TaskStateBase;

/// The destruction under way, in one thread, of objects of one kind that own each other: see
/// release_deep().
struct ReleaseDepth
{
    void *waiting = nullptr;
    int levels = 0;
};

/// What QAsyncio knows of a thread.
struct ThreadData
{
    QAsyncioLoop *running = nullptr;
    // Null before its first use, which sets it to &own_context.
    ContextState **context_slot = nullptr;
    ContextState *own_context = nullptr;
    // > 0: frames of tasks are being destroyed; coroutines that die with them are not reported.
    int unwinding = 0;
    // Given by the first loop that is made in the thread; never used again, unlike the address of
    // this.
    quint64 id = 0;
    ReleaseDepth dying_futures;
    ReleaseDepth dying_frames;
};

// Constant-initialised and trivially destroyed, so it is there from the first to the last line of a
// thread.
#if QASYNCIO_EXPORTED_TLS
extern QASYNCIO_EXPORT constinit thread_local ThreadData own_thread_data QASYNCIO_INITIAL_EXEC;
inline ThreadData &thread_data() noexcept
{
    return own_thread_data;
}
#else
QASYNCIO_EXPORT ThreadData &thread_data() noexcept;
#endif

/// Links an object into a loop's Inbox; a member of the object that is sent.
struct InboxNode
{
    explicit constexpr InboxNode(Runnable *item) : item(item) { }
    Q_DISABLE_COPY_MOVE(InboxNode)

    Runnable *const item;
    InboxNode *next = nullptr;
};

/// The part of a loop that futures refer to. It outlives the QAsyncioLoop for as long as one of
/// them lives. Except for `status` and the references, it belongs to the loop's thread.
struct QASYNCIO_EXPORT LoopCore
{
    enum Status : unsigned {
        Closed = 1,
        Debug = 2, // check which thread calls
        Running = 4,
        Observed = 8, // see observe_callbacks()
        // A Runner is cleaning up: calls from other threads no longer start coroutines.
        ShuttingDown = 16,
        Timed = 32,  // a freeze limit is set
        Traced = 64, // a trace file is written
    };
    enum Flag : unsigned {
        Dispatching = 1, // inside process(), which looks at the ready queue again before Qt waits
        WakePosted = 2,  // a wake-up event is posted and has not arrived
    };

    std::atomic<unsigned> status{0}; // written by the loop's thread, read by anybody
    unsigned flags = 0;
    bool has_task_factory = false;
    QAsyncioLoop *loop = nullptr; // null when the loop object is gone
    ThreadData *thread = nullptr; // of the thread that the loop lives in
    quint64 thread_id = 0;
    TaskStateBase *current_task = nullptr;
    // The frame a step goes on with where there are no tail calls (compiler.h).
    std::coroutine_handle<> next_frame;
    ReadyQueue ready;

    void retain() noexcept
    {
        if (Q_LIKELY(in_own_thread() && loop))
            ++m_own_refs;
        else
            m_refs.fetch_add(1, std::memory_order_relaxed);
    }
    void release() noexcept
    {
        if (Q_LIKELY(in_own_thread() && loop))
            --m_own_refs;
        else if (m_refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
            destroy();
    }
    /// The QAsyncioLoop is gone.
    void orphan() noexcept
    {
        loop = nullptr;
        const qint64 others = m_own_refs - loop_ref;
        if (m_refs.fetch_add(others, std::memory_order_acq_rel) + others == 0)
            destroy();
    }

    /// When the QAsyncioLoop is gone: how many references are left, of futures, tasks, generators
    /// and calls into other threads.
    qint64 references() const noexcept { return m_refs.load(std::memory_order_acquire); }

    bool has(unsigned any) const noexcept { return status.load(std::memory_order_relaxed) & any; }
    void set(Status bit, bool on) noexcept
    {
        const unsigned old = status.load(std::memory_order_relaxed);
        status.store(on ? old | bit : old & ~unsigned(bit), std::memory_order_relaxed);
    }

    bool in_own_thread() const noexcept { return thread_data().id == thread_id; }

    /// Queues for the next turn. The caller has made sure of what check_scheduling() checks.
    void push(Runnable *item)
    {
        ready.push(item);
        if (flags == 0 && has(Running))
            wake();
    }
    /// Throws RuntimeError if the loop is closed or, in debug mode, runs in another thread. True in
    /// debug mode.
    bool check_scheduling() { return Q_UNLIKELY(has(Closed | Debug)) && check_scheduling_slow(); }
    /// Queues the node's item, from any thread. It must not be queued yet, and keeps itself alive.
    /// Throws RuntimeError if the loop is closed; the item is then untouched.
    void push_threadsafe(InboxNode &node);
    /// The same, but returns false if the loop is closed, and uses the inbox in the loop's own
    /// thread too.
    bool try_push_threadsafe(InboxNode &node) noexcept;

    void timer_was_cancelled() noexcept;
    TimePoint now();

    void report_callback_exception(Runnable &source, std::exception_ptr exception) noexcept;
    /// LoopExit and KeyboardInterrupt: ends the run with this exception.
    void leave_with(std::exception_ptr exception) noexcept;

protected:
    virtual ~LoopCore();

private:
    void wake();
    bool check_scheduling_slow();
    void destroy() noexcept;

    // Nearly all references are made and dropped in the loop's own thread, which counts them
    // without atomic operations while the QAsyncioLoop exists: 10 ns less for a future. Meanwhile
    // m_refs cannot reach zero, since the loop's own reference counts as loop_ref.
    static constexpr qint64 loop_ref = qint64(1) << 40;
    std::atomic<qint64> m_refs{loop_ref};
    qint64 m_own_refs = 0;
};

/// The core of the loop that runs in this thread. Throws RuntimeError: "no running event loop".
QASYNCIO_EXPORT LoopCore &running_core();

/// Throws RuntimeError: "Non-thread-safe operation invoked on an event loop other than the current
/// one".
[[noreturn]] QASYNCIO_EXPORT void throw_wrong_thread();

/// For tests: calls `observer` after every callback and every step of a task, until it is set to an
/// empty one. In the loop's thread.
QASYNCIO_EXPORT void observe_callbacks(LoopCore &core, std::function<void()> observer);

/// For tests: whether a loop can go on by itself.
struct LoopRest
{
    // Nothing is ready; no timer, no descriptor, no function in a thread.
    bool has_nothing_to_wait_for;
    qint64 turns;
    // The caller is inside code of the loop, which has opened an event loop or called
    // processEvents().
    bool is_nested;
};
QASYNCIO_EXPORT LoopRest rest_of(const LoopCore &core);

/// For tests: how many loops there are, including those of which only a future, a task, a generator
/// or a call under way is left.
QASYNCIO_EXPORT int live_loops() noexcept;

} // namespace QAsyncio::detail
