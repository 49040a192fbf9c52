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

    /// Runs in the loop, once for each time it was queued. Nothing may leave it: it gives exceptions to the loop.
    virtual void run(LoopCore &core) noexcept;
    /// Called instead of run() when the loop is closed with this in its queue.
    virtual void discard() noexcept;
    /// What it is, for reports: "<Handle load()>".
    virtual QString describe() const;

    ContextState *context = nullptr; // what it runs in; owned; null: empty

protected:
    virtual ~Runnable()
    {
        if (Q_UNLIKELY(context))
            context->release();
    }
};

/// First in, first out; a ring that grows by doubling, and as soon as it is half full: what is queued where nothing may be
/// thrown still finds room when there is no memory for a larger one. There is a ring from the beginning, for the same reason.
class ReadyQueue
{
public:
    ReadyQueue() { grow_to(128); }

    bool empty() const { return m_head == m_tail; }
    std::size_t size() const { return m_tail - m_head; }

    void push(Runnable *item)
    {
        if (Q_UNLIKELY(size() >= m_limit))
            make_room();
        m_ring[m_tail++ & (m_capacity - 1)] = item;
    }
    Runnable *pop()
    {
        // With 200,000 tasks none is in the cache: asking for those that come soon takes 10 % off a step.
        __builtin_prefetch(m_ring[(m_head + 3) & (m_capacity - 1)]);
        return m_ring[m_head++ & (m_capacity - 1)];
    }

private:
    /// Throws std::bad_alloc if there is none.
    Q_NEVER_INLINE void make_room()
    {
        try {
            grow_to(m_capacity * 2);
        } catch (const std::bad_alloc &) {
            if (size() == m_capacity) // else the next one asks again
                throw;
        }
    }
    void grow_to(std::size_t capacity)
    {
        auto ring = std::make_unique<Runnable *[]>(capacity);
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
    std::size_t m_limit = 0;    // how many make it look for more room
    std::size_t m_head = 0;     // both only grow; the difference is the size
    std::size_t m_tail = 0;
};

class TaskStateBase;

/// Objects of one kind that own each other and are being destroyed: see release_deep().
struct ReleaseDepth
{
    void *waiting = nullptr;
    int levels = 0;
};

/// What QAsyncio knows of a thread.
struct ThreadData
{
    QAsyncioLoop *running = nullptr;
    ContextState **context_slot = nullptr; // null before its first use: own_context
    ContextState *own_context = nullptr;
    int unwinding = 0; // frames of tasks are being destroyed, and coroutines that nobody will await any more with them
    quint64 id = 0; // given by the first loop that is made in it; unlike the address of this, nobody gets it again
    ReleaseDepth dying_futures;
    ReleaseDepth dying_frames;
};

// Constant-initialised and trivially destroyed: there from the first to the last line of a thread.
#if QASYNCIO_EXPORTED_TLS
extern QASYNCIO_EXPORT constinit thread_local ThreadData own_thread_data QASYNCIO_INITIAL_EXEC;
inline ThreadData &thread_data() noexcept
{
    return own_thread_data;
}
#else
QASYNCIO_EXPORT ThreadData &thread_data() noexcept;
#endif

/// A place in the queue of what other threads send to a loop: a member of the object that is sent.
struct InboxNode
{
    explicit constexpr InboxNode(Runnable *item) : item(item) { }
    Q_DISABLE_COPY_MOVE(InboxNode)

    Runnable *const item;
    InboxNode *next = nullptr;
};

/// The part of a loop that futures refer to: it outlives the QAsyncioLoop for as long as one of them lives.
/// Except for `status` and the references, it belongs to the loop's thread.
struct QASYNCIO_EXPORT LoopCore
{
    enum Status : unsigned {
        Closed = 1,
        Debug = 2, // check the thread
        Running = 4,
        Observed = 8, // see observe_callbacks()
        ShuttingDown = 16, // the runner cleans up: calls from other threads are not begun any more
    };
    enum Flag : unsigned {
        Dispatching = 1, // inside process(): the ready queue is looked at again before Qt waits
        WakePosted = 2,  // a wake-up is under way
    };

    std::atomic<unsigned> status{0}; // written by the loop's thread, read by anybody
    unsigned flags = 0;
    bool has_task_factory = false;
    QAsyncioLoop *loop = nullptr; // null when the loop object is gone
    ThreadData *thread = nullptr; // of the thread that the loop lives in
    quint64 thread_id = 0;
    TaskStateBase *current_task = nullptr;
    std::coroutine_handle<> next_frame; // what a step goes on with where there are no tail calls (compiler.h)
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

    /// When the QAsyncioLoop is gone: who is left, of futures, tasks, generators and calls into other threads.
    qint64 references() const noexcept { return m_refs.load(std::memory_order_acquire); }

    bool has(unsigned any) const noexcept { return status.load(std::memory_order_relaxed) & any; }
    void set(Status bit, bool on) noexcept
    {
        const unsigned old = status.load(std::memory_order_relaxed);
        status.store(on ? old | bit : old & ~unsigned(bit), std::memory_order_relaxed);
    }

    bool in_own_thread() const noexcept { return thread_data().id == thread_id; }

    /// Queues for the next turn. The caller has checked what check_scheduling() checks.
    void push(Runnable *item)
    {
        ready.push(item);
        if (flags == 0 && has(Running))
            wake();
    }
    /// Throws RuntimeError if the loop is closed or, in debug mode, runs in another thread. True in debug mode.
    bool check_scheduling()
    {
        return Q_UNLIKELY(has(Closed | Debug)) && check_scheduling_slow();
    }
    /// Queues the node's item, which must be queued once and keeps itself alive. From any thread.
    /// Throws RuntimeError if the loop is closed; the item is then untouched.
    void push_threadsafe(InboxNode &node);
    /// The same, from other threads, for what must reach the loop's thread to die there: false if the loop is closed.
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

    // Nearly all references come and go in the loop's own thread, which counts them without atomic operations as long as
    // there is a loop: 10 ns less for a future. The loop's own is so heavy that m_refs cannot reach zero meanwhile.
    static constexpr qint64 loop_ref = qint64(1) << 40;
    std::atomic<qint64> m_refs{loop_ref};
    qint64 m_own_refs = 0;
};

/// Of the loop that runs in this thread. Throws RuntimeError: "no running event loop".
QASYNCIO_EXPORT LoopCore &running_core();

/// Throws RuntimeError: "Non-thread-safe operation invoked on an event loop other than the current one".
[[noreturn]] QASYNCIO_EXPORT void throw_wrong_thread();

/// For tests: calls `observer` behind every callback and every step of a task; empty: no longer. In the loop's thread.
QASYNCIO_EXPORT void observe_callbacks(LoopCore &core, std::function<void()> observer);

/// For tests: what a loop could go on with by itself.
struct LoopRest
{
    bool has_nothing_to_wait_for; // nothing is ready; no timer, no descriptor, no function in a thread
    qint64 turns;
    bool is_nested; // code of it has opened an event loop, or pumps, and is what is looking
};
QASYNCIO_EXPORT LoopRest rest_of(const LoopCore &core);

/// For tests: how many loops there are, with those that are gone but for a future, a task, a generator or a call under way.
QASYNCIO_EXPORT int live_loops() noexcept;

} // namespace QAsyncio::detail
