// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/ref.h"
#include "qasyncio/global.h"

#include <atomic>
#include <memory>
#include <unordered_map>

namespace QAsyncio::detail {

/// The values of the variables that were set. Not a QHash, which ends the program when there is no
/// memory.
struct ContextValues
{
    void retain() noexcept { refs.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept
    {
        if (refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }
    bool sole_owner() const noexcept { return refs.load(std::memory_order_acquire) == 1; }

    std::atomic<quint32> refs{1};
    std::unordered_map<quint64, std::shared_ptr<void>> map;
};

/// The values of one context. A null pointer in place of a state means "empty, and nobody has
/// looked at it yet".
struct QASYNCIO_EXPORT ContextState
{
    void retain() noexcept { refs.fetch_add(1, std::memory_order_relaxed); }
    /// The last reference deletes it.
    void release() noexcept;

    std::atomic<quint32> refs{1};
    Ref<ContextValues> values; // shared by copies until one is written to; none: empty
};

/// The slot that holds the current context of this thread: that of the running callback or task, or
/// else the thread's own.
QASYNCIO_EXPORT ContextState **&context_slot() noexcept;

QASYNCIO_EXPORT ContextState *copy_context_state(const ContextState &state);

/// The context for a callback that is scheduled now: null as long as the current one is empty.
inline ContextState *capture_context(ContextState *current)
{
    return Q_UNLIKELY(current) ? copy_context_state(*current) : nullptr;
}

QASYNCIO_EXPORT quint64 next_context_key();
QASYNCIO_EXPORT std::shared_ptr<const void> find_context_value(quint64 key);
/// Sets the value, or erases it if null. Returns the current context.
QASYNCIO_EXPORT Ref<ContextState> set_context_value(quint64 key, std::shared_ptr<void> value);

/// Makes a context the current one for a scope.
class QASYNCIO_EXPORT ContextEntry
{
public:
    explicit ContextEntry(const Ref<ContextState> &context);
    ~ContextEntry();
    Q_DISABLE_COPY_MOVE(ContextEntry)

private:
    ContextState *m_state;
    ContextState **m_outer;
};

} // namespace QAsyncio::detail

namespace QAsyncio {
class Context;
namespace detail {
/// Converts between a public Context and its state.
class QASYNCIO_EXPORT ContextAccess
{
public:
    static const Ref<ContextState> &state(const Context &context);
    static Context wrap(Ref<ContextState> state);
};
} // namespace detail
} // namespace QAsyncio
