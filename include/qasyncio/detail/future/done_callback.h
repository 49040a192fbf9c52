// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/future_state.h"

namespace QAsyncio::detail {

class DoneCallbackBase;

/// Converts between handles on futures and their states.
class FutureAccess
{
public:
    template<class Handle, class State>
    static Handle wrap(Ref<State> state)
    {
        return Handle(Ref<FutureStateBase>::adopt(state.leak()));
    }
    template<class Handle>
    static FutureStateBase *state(const Handle &handle)
    {
        return handle.m_state.get();
    }
    /// Adds a done callback of the library's own.
    template<class Handle>
    static auto add(Handle &handle, DoneCallbackBase *callback)
    {
        return handle.add(callback, {});
    }
    template<class Handle>
    static Ref<FutureStateBase> take(Handle &&handle)
    {
        return std::forward<Handle>(handle).m_state;
    }
};

/// Throws RuntimeError for a task: only its coroutine completes it.
QASYNCIO_EXPORT void check_settable(const FutureStateBase &state, const char *operation);

/// A done callback of a program. The future that it will be called with is stored when it is
/// queued.
class QASYNCIO_EXPORT DoneCallbackBase : public FutureCallback
{
public:
    DoneCallbackBase();
    void run(LoopCore &core) noexcept override;
    void discard() noexcept override { delete this; }
    void future_done(FutureStateBase &future) override;
    QString describe() const override;

    const quint64 number; // tells it from one that is later made at the same address

protected:
    virtual void call() = 0;
    Ref<FutureStateBase> m_future;
};

/// Holds the callable, which takes a handle on the future, or nothing.
template<class Handle, class F>
class DoneCallback final : public DoneCallbackBase
{
public:
    template<class G>
    explicit DoneCallback(G &&f) : m_callback(std::forward<G>(f))
    { }

private:
    void call() override
    {
        if constexpr (std::is_invocable_v<F &, Handle>)
            static_cast<void>(m_callback(Handle(std::move(m_future))));
        else
            static_cast<void>(m_callback());
    }

    F m_callback;
};

template<class Handle, class F>
DoneCallbackBase *make_done_callback(F &&callback)
{
    return new DoneCallback<Handle, std::decay_t<F>>(std::forward<F>(callback));
}

} // namespace QAsyncio::detail
