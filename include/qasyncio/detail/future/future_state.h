// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/ref.h"
#include "qasyncio/detail/future/result_type.h"
#include "qasyncio/detail/loop/loop_core.h"

#include <QtCore/qstring.h>

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

namespace QAsyncio::detail {

class GatherCore;

/// What waits for the end of a future: a done callback, a task.
class QASYNCIO_EXPORT FutureCallback : public Runnable
{
public:
    /// Called when the future is done: queues this. Throws RuntimeError if the loop is closed.
    virtual void future_done(FutureStateBase &future) = 0;
    /// Who waits by this: a task, or a future such as that of gather(), which others await. Null if
    /// nobody does, or nobody knows.
    virtual FutureStateBase *waiting_future() { return nullptr; }
};

/// Several callbacks, in order. Removing one costs the same however many there are.
class QASYNCIO_EXPORT CallbackVector
{
public:
    CallbackVector();
    ~CallbackVector();
    Q_DISABLE_COPY_MOVE(CallbackVector)

    bool empty() const { return m_gaps == m_all.size(); }
    void append(FutureCallback *callback);
    bool remove(const FutureCallback *callback);
    bool contains(const FutureCallback *callback) const { return place_of(callback) != none; }
    /// Null where one was removed.
    const std::vector<FutureCallback *> &all() const { return m_all; }

private:
    struct Index;
    static constexpr auto none = static_cast<std::size_t>(-1);

    std::size_t place_of(const FutureCallback *callback) const;
    void close_gaps();
    void make_index() const noexcept;

    std::vector<FutureCallback *> m_all;
    std::size_t m_gaps = 0;
    // The places, if there are many; made when one is first looked for.
    mutable std::unique_ptr<Index> m_index;
};

/// The done callbacks of a future, in order, each of them once at most. Nearly always none or one.
class QASYNCIO_EXPORT CallbackList
{
public:
    CallbackList() = default;
    CallbackList(CallbackList &&other) noexcept : m_bits(std::exchange(other.m_bits, 0)) { }
    CallbackList &operator=(CallbackList &&) = delete;
    ~CallbackList()
    {
        if (m_bits & 1)
            clear_storage();
    }

    bool empty() const { return m_bits == 0; }
    void append(FutureCallback *callback)
    {
        if (Q_LIKELY(m_bits == 0))
            m_bits = reinterpret_cast<std::uintptr_t>(callback);
        else
            append_further(callback);
    }
    /// Returns false if `callback` is not there.
    bool remove(const FutureCallback *callback);
    bool contains(const FutureCallback *callback) const;
    /// Passes what is in it to `f`, in order. `f` must not change the list.
    template<class F>
    void for_each(F &&f) const
    {
        if (!(m_bits & 1)) {
            if (m_bits)
                f(*reinterpret_cast<FutureCallback *>(m_bits));
            return;
        }
        for (FutureCallback *callback : vector_of(m_bits)->all()) {
            if (callback)
                f(*callback);
        }
    }
    /// Empties the list and passes what was in it to `f`, in order. `f` may append new ones, and
    /// destroy the list.
    template<class F>
    void take_all(F &&f)
    {
        const std::uintptr_t bits = std::exchange(m_bits, 0);
        if (!(bits & 1)) {
            if (bits)
                f(reinterpret_cast<FutureCallback *>(bits));
            return;
        }
        const std::unique_ptr<CallbackVector> several(vector_of(bits));
        for (FutureCallback *callback : several->all()) {
            if (callback)
                f(callback);
        }
    }

private:
    static CallbackVector *vector_of(std::uintptr_t bits)
    {
        return reinterpret_cast<CallbackVector *>(bits & ~std::uintptr_t(1));
    }
    void append_further(FutureCallback *callback);
    void clear_storage();

    std::uintptr_t m_bits = 0; // null, a callback, or a vector with the lowest bit set
};

/// What all handles on a future share. References are counted atomically: a handle may be copied
/// and dropped in any thread. If the last one is dropped in another thread, the state is sent to
/// the loop's thread and destroyed there. All else belongs to the loop's thread.
class QASYNCIO_EXPORT FutureStateBase : public FutureCallback
{
public:
    enum State : quint8 { Pending, Finished, Cancelled };

    explicit FutureStateBase(LoopCore &core, quint32 references = 1)
        : m_refs(references), core(&core), m_callbacks()
    {
        core.retain();
    }

    bool done() const noexcept { return m_state != Pending; }
    State state() const noexcept { return m_state; }
    /// The exception, or null if there is none; counts as retrieved. That of a cancelled future is
    /// its CancelledError, if that has a message.
    std::exception_ptr take_exception() noexcept
    {
        flags &= ~LogException;
        return peek_exception();
    }
    std::exception_ptr peek_exception() const noexcept
    {
        return has_exception() ? m_exception : std::exception_ptr();
    }
    bool has_exception() const noexcept { return done() && m_exception; }

    // asyncio's operations; Future says what they throw
    virtual bool cancel(const QString &message);
    void set_exception(std::exception_ptr exception);
    std::exception_ptr exception();
    void check_pending() const // throws InvalidStateError
    {
        check_thread();
        if (Q_UNLIKELY(!is_pending()))
            throw_invalid_state();
    }
    /// Neither done nor just being completed.
    bool is_pending() const noexcept { return !done() && !(flags & Settling); }
    /// Debug mode: throws RuntimeError in a thread other than that of the running loop.
    void check_thread() const
    {
        if (Q_UNLIKELY(core->has(LoopCore::Debug)))
            check_thread_slow();
    }
    void throw_unless_value() // throws what result() throws when there is no value
    {
        if (Q_UNLIKELY(m_state != Finished || m_exception))
            throw_no_value();
    }
    [[noreturn]] void throw_cancelled() const;

    /// The future owns one reference of the callback until that is called or removed. It is called
    /// at once if the future is done.
    void add_callback(FutureCallback *callback);
    /// The same for a future that is known to be pending.
    void append_callback(FutureCallback *callback) { m_callbacks.append(callback); }
    /// Gives the reference back. Does nothing if `callback` is not there.
    void remove_callback(FutureCallback *callback)
    {
        if (!done())
            m_callbacks.remove(callback);
    }
    bool has_callback(const FutureCallback *callback) const
    {
        return !done() && m_callbacks.contains(callback);
    }
    bool has_callbacks() const { return !done() && !m_callbacks.empty(); }
    /// Passes each callback to `f`, in order. `f` must not change the future.
    template<class F>
    void for_each_callback(F &&f) const
    {
        if (!done())
            m_callbacks.for_each(f);
    }
    /// Discards all callbacks.
    void drop_callbacks() noexcept;

    void retain() noexcept { m_refs.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept
    {
        if (m_refs.load(std::memory_order_acquire) == 1)
            last_reference_gone();
        else if (Q_UNLIKELY(!core->in_own_thread()))
            release_elsewhere();
        else if (m_refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
            last_reference_gone();
    }
    bool sole_owner() const noexcept { return m_refs.load(std::memory_order_acquire) == 1; }

    /// Never called: of all futures only tasks wait for others, and they override this.
    void future_done(FutureStateBase &future) override;
    /// This future as a gather() that is not done; null for others. Such a one is cancelled through
    /// its children.
    virtual GatherCore *gathering() { return nullptr; }
    /// The storage of the value: a std::optional of FutureValue<T>::type.
    virtual void *value_storage() noexcept = 0;
    /// "Future", "Task"
    virtual QString type_name() const;
    QString describe() const override;
    /// The same in words, for those who wait for it: "signal clicked of QPushButton 'ok'".
    virtual QString describe_wait() const;
    /// Its describe_wait() describes other futures.
    virtual bool is_compound() const { return false; }

    bool is_task() const noexcept { return flags & IsTask; }
    bool is_value_taken() const noexcept { return flags & ValueTaken; }
    /// The result has been moved out.
    void mark_value_taken() noexcept { flags |= ValueTaken; }
    /// For a task: it is not reported if it is destroyed while it is pending.
    void die_in_silence() noexcept { flags &= ~LogDestroyed; }

protected:
    enum Flag : quint16 {
        IsTask = 1,
        LogException = 2, // an exception that nobody has retrieved yet
        LogDestroyed = 4, // a pending task that dies is reported
        ValueTaken = 8,
        Settling = 16, // the value is being moved in, which may run any code
        // The others are TaskStateBase's.
    };

    ~FutureStateBase() override;

    /// Throws RuntimeError if there are callbacks and the loop is closed.
    void finish(State state, std::exception_ptr exception)
    {
        CallbackList waiting(std::move(m_callbacks));
        std::destroy_at(&m_callbacks);
        std::construct_at(&m_exception, std::move(exception));
        m_state = state;
        if (!waiting.empty())
            schedule_callbacks(waiting);
    }
    /// Called when the last handle is gone and nothing is left to report.
    virtual void destroy() noexcept;

private:
    struct DeepKind;
    /// destroy() for a state that may own other futures. These are destroyed with a bounded depth
    /// of recursion.
    void destroy_deep() noexcept;
    void last_reference_gone() noexcept
    {
        if (Q_LIKELY(core->in_own_thread() && !(flags & LogException)))
            destroy();
        else
            dispose();
    }
    void release_elsewhere() noexcept;
    void dispose() noexcept;
    void report_lost_exception() noexcept;
    void check_thread_slow() const;
    /// Not inlined: there would be a copy for each type of result.
    Q_NEVER_INLINE void schedule_callbacks(CallbackList &waiting)
    {
        if (core->has(LoopCore::Closed))
            refuse_callbacks(waiting);
        waiting.take_all([this](FutureCallback *callback) { callback->future_done(*this); });
    }
    [[noreturn]] static void refuse_callbacks(CallbackList &waiting);
    [[noreturn]] void throw_invalid_state() const;
    [[noreturn]] void throw_no_value();

    // The small members share a word: a suspended task with its frame should stay below 250 bytes.
    std::atomic<quint32> m_refs;

protected:
    State m_state = Pending;

    quint8 task_flags = 0; // those of TaskStateBase that do not fit into `flags`
    quint16 flags = 0;

public:
    LoopCore *const core;

private:
    // One word: the callbacks are gone when the exception comes.
    union {
        CallbackList m_callbacks;       // while it is pending
        std::exception_ptr m_exception; // once it is done
    };
};

template<class T>
struct FutureValue
{
    using type = T;
};
template<>
struct FutureValue<void>
{
    struct type
    {
    };
};
template<class T>
using future_value_t = typename FutureValue<T>::type;

/// Adds the value to FutureStateBase or to a class derived from it.
template<class T, class Base = FutureStateBase>
class FutureState : public Base
{
    static_assert(ResultType<T>::checked);

public:
    using Base::Base;

    void *value_storage() noexcept override { return &value; }

    /// Throws before it moves `result` if the future is not pending.
    void set_value(future_value_t<T> &&result)
    {
        this->check_pending();
        move_in(std::move(result));
        this->finish(FutureStateBase::Finished, nullptr);
    }

    std::optional<future_value_t<T>> value;

private:
    /// Moving the value may run any code. Nobody else can complete or cancel the future meanwhile.
    void move_in(future_value_t<T> &&result)
    {
        if constexpr (std::is_trivially_move_constructible_v<future_value_t<T>>) {
            value.emplace(std::move(result));
        } else {
            struct Settles
            {
                quint16 &flags;
                ~Settles() { flags &= ~FutureStateBase::Settling; }
            } settles{this->flags};
            this->flags |= FutureStateBase::Settling;
            value.emplace(std::move(result));
        }
    }
};

/// A plain future that knows what it waits for, in words. They must outlive it.
template<class T>
class NamedFuture final : public FutureState<T>
{
public:
    NamedFuture(LoopCore &core, const char *words) : FutureState<T>(core), m_words(words) { }

    QString describe_wait() const override
    {
        return this->done() ? FutureStateBase::describe_wait() : QString::fromUtf8(m_words);
    }

private:
    const char *const m_words;
};

template<class T>
std::optional<future_value_t<T>> &value_of(FutureStateBase &state)
{
    return *static_cast<std::optional<future_value_t<T>> *>(state.value_storage());
}

[[noreturn]] QASYNCIO_EXPORT void throw_value_taken();

/// The value of a finished future: moved out if the caller alone has it (`movable`) or if it cannot
/// be copied.
template<class T>
T take_value(FutureStateBase &state, bool movable)
{
    state.throw_unless_value();
    if constexpr (!std::is_void_v<T>) {
        if (state.is_value_taken())
            throw_value_taken();
        T &value = *value_of<T>(state);
        if constexpr (IsCopyable<T>::value) {
            if (!movable)
                return std::as_const(value);
        }
        state.mark_value_taken();
        return std::move(value);
    }
}

/// What several futures that are awaited together are, in words: those that are not done, the first
/// few by name. "gather() of Task 'a', Task 'b', a future and 7 more"
class QASYNCIO_EXPORT WaitWords
{
public:
    static constexpr std::size_t most_names = 3;

    void add(const FutureStateBase &future);
    QString text(const char *function) const;

    /// A task's name, otherwise "a future" or the like. Does not look at what that one waits for.
    static QString short_name(const FutureStateBase &future);

private:
    QString m_names;
    std::size_t m_count = 0;
};

/// Throws ValueError for a future of another loop than `core`.
QASYNCIO_EXPORT void check_loop(const FutureStateBase &future, const LoopCore &core);

} // namespace QAsyncio::detail
