// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/context.h"

#include "qasyncio/detail/loop/loop_core.h"

namespace QAsyncio {

namespace detail {

void ContextState::release() noexcept
{
    if (refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
        delete this;
}

ContextState **&context_slot() noexcept
{
    ThreadData &thread = thread_data();
    if (!thread.context_slot)
        thread.context_slot = &thread.own_context;
    return thread.context_slot;
}

ContextState *copy_context_state(const ContextState &state)
{
    auto *copy = new ContextState;
    copy->values = state.values; // shared
    return copy;
}

quint64 next_context_key()
{
    static std::atomic<quint64> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

namespace {
/// The current context, made if nobody has needed it yet.
ContextState &current_context()
{
    /// Frees what was set outside of any callback, when the thread ends.
    struct ThreadEnd
    {
        ~ThreadEnd()
        {
            if (ContextState *state = std::exchange(thread_data().own_context, nullptr))
                state->release();
        }
    };
    ContextState *&slot = *context_slot();
    if (!slot) {
        static thread_local const ThreadEnd end;
        static_cast<void>(&end);
        slot = new ContextState;
    }
    return *slot;
}

/// The values of `state`, as its own: copied if other contexts share them.
ContextValues &own_values(ContextState &state)
{
    if (state.values && state.values->sole_owner())
        return *state.values;
    auto own = Ref<ContextValues>::adopt(new ContextValues);
    if (state.values)
        own->map = state.values->map;
    state.values = std::move(own);
    return *state.values;
}
} // namespace

std::shared_ptr<const void> find_context_value(quint64 key)
{
    const ContextState *state = *context_slot();
    if (!state || !state->values)
        return nullptr;
    const auto found = state->values->map.find(key);
    return found == state->values->map.end() ? nullptr : found->second;
}

Ref<ContextState> set_context_value(quint64 key, std::shared_ptr<void> value)
{
    ContextState &state = current_context();
    auto &map = own_values(state).map;
    // The old value is destroyed at the very end: its destructor may use this context.
    decltype(map.extract(key)) erased;
    if (value)
        map[key].swap(value);
    else
        erased = map.extract(key);
    return Ref<ContextState>::share(&state);
}

ContextEntry::ContextEntry(const Ref<ContextState> &context)
    : m_state(Ref(context).leak()), m_outer(std::exchange(context_slot(), &m_state))
{ }

ContextEntry::~ContextEntry()
{
    context_slot() = m_outer;
    if (m_state)
        m_state->release();
}

const Ref<ContextState> &ContextAccess::state(const Context &context)
{
    return context.m_state;
}

Context ContextAccess::wrap(Ref<ContextState> state)
{
    return Context(std::move(state));
}

} // namespace detail

Context::Context() : m_state(detail::Ref<detail::ContextState>::adopt(new detail::ContextState)) { }

QString Context::to_string() const
{
    return QStringLiteral("<Context with %1 values>")
        .arg(m_state && m_state->values ? m_state->values->map.size() : 0);
}

Context copy_context()
{
    const detail::ContextState *current = *detail::context_slot();
    return current
        ? Context(detail::Ref<detail::ContextState>::adopt(detail::copy_context_state(*current)))
        : Context();
}

} // namespace QAsyncio
