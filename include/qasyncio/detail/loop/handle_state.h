// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/is_coroutine.h"
#include "qasyncio/detail/loop/loop_core.h"

#include <QtCore/qstring.h>

#include <new>
#include <utility>

namespace QAsyncio::detail {

/// A callback with its context. References: one for each Handle, one for each place in a queue or
/// in the timer heap.
class QASYNCIO_EXPORT HandleState : public Runnable
{
public:
    void run(LoopCore &core) noexcept override;
    void discard() noexcept override { release(); }
    QString describe() const override;

    /// Debug mode: only the thread that schedules it may cancel it.
    void keep_to_thread(const LoopCore &core) noexcept
    {
        m_thread = static_cast<quint16>(core.thread_id);
    }
    /// Throws RuntimeError in another thread.
    void check_thread() const
    {
        if (Q_UNLIKELY(m_thread != 0) && m_thread != static_cast<quint16>(thread_data().id))
            throw_wrong_thread();
    }
    /// Drops the callback at once.
    virtual void cancel() noexcept;
    bool cancelled() const noexcept { return m_flags.load(std::memory_order_acquire) & Cancelled; }

    void retain() noexcept
    {
        if (m_shared)
            m_refs.fetch_add(1, std::memory_order_relaxed);
        else
            m_refs.store(m_refs.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    void release() noexcept
    {
        quint32 left;
        if (m_shared) {
            left = m_refs.fetch_sub(1, std::memory_order_acq_rel) - 1;
        } else {
            left = m_refs.load(std::memory_order_relaxed) - 1;
            m_refs.store(left, std::memory_order_relaxed);
        }
        if (left == 0)
            delete this;
    }

    /// Calls the callback.
    virtual void invoke() = 0;
    /// Destroys the callback, if it still exists.
    virtual void drop() noexcept = 0;

protected:
    enum Flags : quint8 {
        Cancelled = 1,
        Persistent = 2, // may run more than once: readers and writers
        Executing = 4,
    };

    explicit HandleState(bool shared = false) : m_shared(shared) { }

    /// Calls the callback unless it was cancelled, in its context, and reports what it throws.
    void execute(LoopCore &core) noexcept;

    bool has(Flags flag) const noexcept { return m_flags.load(std::memory_order_relaxed) & flag; }
    void set(Flags flag) noexcept
    {
        m_flags.store(m_flags.load(std::memory_order_relaxed) | flag, std::memory_order_release);
    }
    void unset(Flags flag) noexcept
    {
        m_flags.store(m_flags.load(std::memory_order_relaxed) & ~flag, std::memory_order_release);
    }

private:
    std::atomic<quint32> m_refs{1}; // counted without atomic operations unless m_shared
    // Written by one thread at a time: the loop's, or the one that has revoked a SharedHandleState.
    std::atomic<quint8> m_flags{0};
    const bool m_shared;
    // The last bits (there is no room for more) of the id of the only thread that may cancel it; 0:
    // any may.
    quint16 m_thread = 0;
};

/// The handle of call_soon_threadsafe(). cancel() and the callback exclude each other: in another
/// thread cancel() waits for a callback that has begun.
class QASYNCIO_EXPORT SharedHandleState : public HandleState
{
public:
    void run(LoopCore &core) noexcept override;
    void cancel() noexcept override;

    InboxNode node{this};

protected:
    SharedHandleState() : HandleState(true) { }

private:
    enum Stage : int { Waiting, Revoked, Running, RunningAwaited, Ended };

    std::atomic<int> m_stage{Waiting};
    quint64 m_runner = 0; // the thread that runs it: a callback may cancel itself
};

/// A HandleState that holds its callable in place.
template<class F, class Base = HandleState>
class CallbackState final : public Base
{
public:
    template<class G, class... Args>
    explicit CallbackState(G &&f, Args &&...args) : Base(std::forward<Args>(args)...)
    {
        ::new (static_cast<void *>(m_storage)) F(std::forward<G>(f));
    }
    ~CallbackState() override { CallbackState::drop(); }

    void invoke() override
    {
        static_assert(!IsCoroutine<std::invoke_result_t<F &>>::value,
                      "coroutines cannot be used with call_soon() and its like: a coroutine is "
                      "started with create_task()");
        static_cast<void>((*callable())());
    }
    void drop() noexcept override
    {
        if (std::exchange(m_alive, false))
            callable()->~F();
    }

private:
    F *callable() { return std::launder(reinterpret_cast<F *>(m_storage)); }

    bool m_alive = true;
    alignas(F) std::byte m_storage[sizeof(F)];
};

/// A callback with a deadline, which is in the loop's TimerQueue until it is due.
class QASYNCIO_EXPORT TimerState : public HandleState
{
public:
    void cancel() noexcept override;
    QString describe() const override;

    TimePoint when;
    LoopCore *scheduled_in = nullptr; // while it is in the heap of that loop

protected:
    explicit TimerState(TimePoint when) : when(when) { }
};

/// The callback of a reader or writer. It is not queued again while it runs, which may take long if
/// it opens a nested event loop.
class QASYNCIO_EXPORT FdState : public HandleState
{
public:
    void run(LoopCore &core) noexcept override;

    bool executing() const { return has(Executing); }

    int fd;
    unsigned direction;
    bool queued = false;
    bool masked = false; // not watched for now, because it was ready while it ran

protected:
    FdState(int fd, unsigned direction) : fd(fd), direction(direction) { set(Persistent); }
};

/// The callback of a signal of the system, which is called once for each time it has arrived. If
/// one call opens a nested event loop, the next call waits for its end.
class QASYNCIO_EXPORT SignalState : public HandleState
{
public:
    void run(LoopCore &core) noexcept override;
    QString describe() const override;

    /// Queues one call.
    void arrived(LoopCore &core);

    const int signal;

protected:
    explicit SignalState(int signal) : signal(signal) { set(Persistent); }

private:
    unsigned m_postponed = 0; // calls that were due while one was being executed
};

} // namespace QAsyncio::detail
