// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/clock.h"
#include "qasyncio/detail/ready_queue.h"
#include "qasyncio/detail/runnable.h"

#include <atomic>
#include <coroutine>

namespace QAsyncio::detail {

class TaskStateBase;

/// What QAsyncio knows of a thread.
struct ThreadData
{
    QAsyncioLoop *running = nullptr;
    ContextState **context_slot = &own_context;
    ContextState *own_context = nullptr;
};
QASYNCIO_EXPORT ThreadData &thread_data() noexcept;

/// The part of a loop that futures and handles refer to: it outlives the QAsyncioLoop for as long as one of them lives.
/// Except for `refs` and `status`, it belongs to the loop's thread.
struct QASYNCIO_EXPORT LoopCore
{
    enum Status : unsigned {
        Closed = 1,
        Debug = 2, // check the thread
        Running = 4,
    };
    enum Flag : unsigned {
        Dispatching = 1, // inside process(): the ready queue is looked at again before Qt waits
        WakePosted = 2,  // a wake-up is under way
    };

    std::atomic<quint32> refs{1};
    std::atomic<unsigned> status{0}; // written by the loop's thread, read by anybody
    unsigned flags = 0;
    bool has_task_factory = false;
    QAsyncioLoop *loop = nullptr; // null when the loop object is gone
    ThreadData *thread = nullptr; // of the thread that the loop lives in
    TaskStateBase *current_task = nullptr;
    std::coroutine_handle<> next_frame; // what a step goes on with where there are no tail calls (compiler.h)
    ReadyQueue ready;

    void retain() noexcept { refs.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept
    {
        if (refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
            destroy();
    }

    bool has(unsigned any) const noexcept { return status.load(std::memory_order_relaxed) & any; }
    void set(Status bit, bool on) noexcept
    {
        const unsigned old = status.load(std::memory_order_relaxed);
        status.store(on ? old | bit : old & ~unsigned(bit), std::memory_order_relaxed);
    }

    bool in_own_thread() const noexcept { return &thread_data() == thread; }

    /// Queues for the next turn. The caller has checked what check_scheduling() checks.
    void push(Runnable *item)
    {
        ready.push(item);
        if (flags == 0 && has(Running))
            wake();
    }
    /// Throws RuntimeError if the loop is closed or, in debug mode, runs in another thread (L-049, L-095).
    void check_scheduling()
    {
        if (Q_UNLIKELY(has(Closed | Debug)))
            check_scheduling_slow();
    }
    /// Queues `item`, which must be queued once and keeps itself alive. From any thread.
    /// Throws RuntimeError if the loop is closed; `item` is then untouched.
    void push_threadsafe(Runnable *item);
    /// The same for what must reach the loop's thread to die there: false if the loop is closed.
    bool try_push_threadsafe(Runnable *item) noexcept;

    void timer_was_cancelled() noexcept;
    TimePoint now();

    void report_callback_exception(Runnable &source, std::exception_ptr exception) noexcept;
    /// LoopExit and KeyboardInterrupt: ends the run with this exception.
    void leave_with(std::exception_ptr exception) noexcept;

protected:
    virtual ~LoopCore();

private:
    void wake();
    void check_scheduling_slow();
    void destroy() noexcept;
};

/// True if the exception is one of those that leave the loop: LoopExit, KeyboardInterrupt.
QASYNCIO_EXPORT bool leaves_loop(const std::exception_ptr &exception);

} // namespace QAsyncio::detail
