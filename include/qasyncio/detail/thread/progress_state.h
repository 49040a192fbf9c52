// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/thread/message.h"
#include "qasyncio/executor.h"

#include <memory>
#include <mutex>
#include <optional>

namespace QAsyncio::detail {

/// What a function in a thread and the task that awaits it share, without the value.
class QASYNCIO_EXPORT ProgressStateBase
{
public:
    explicit ProgressStateBase(LoopCore &core);
    Q_DISABLE_COPY_MOVE(ProgressStateBase)

    // In the loop's thread:
    /// Done when there may be a value, or when wake() was called; also if that is past.
    Future<> news();
    void wake() noexcept;
    /// The message that there is a value.
    void arrive() noexcept;
    /// The task goes, or has the result: nothing is wanted any more.
    void close() noexcept;

protected:
    ~ProgressStateBase();

    std::mutex m_mutex;
    // Guarded by the mutex:
    Ref<LoopCore> m_core;   // null: it is closed
    bool m_is_told = false; // a message is on its way

private:
    Future<> m_news; // in the loop's thread
    bool m_has_news = false;
};

template<class P>
class ProgressState final : public ProgressStateBase,
                            public std::enable_shared_from_this<ProgressState<P>>
{
public:
    using ProgressStateBase::ProgressStateBase;

    /// In any thread.
    void report(P &&value)
    {
        std::optional<P> replaced; // destroyed without the lock
        const std::lock_guard lock(m_mutex);
        if (!m_core)
            return;
        std::optional<P> next(std::move(value)); // if this throws nothing has changed
        if (m_value)
            replaced.emplace(*std::move(m_value));
        m_value.emplace(*std::move(next));
        if (!std::exchange(m_is_told, true))
            m_call.send(*m_core, this->shared_from_this());
    }
    /// The newest value, if there is one that was not taken. In the loop's thread.
    std::optional<P> take()
    {
        std::optional<P> taken;
        const std::lock_guard lock(m_mutex);
        if (m_value) {
            taken.emplace(*std::move(m_value));
            m_value.reset();
        }
        return taken;
    }

private:
    std::optional<P> m_value;
    CallHome<ProgressStateBase, &ProgressStateBase::arrive> m_call;
};

/// At the end of its scope nothing is wanted any more.
class [[nodiscard]] ProgressEnd
{
public:
    explicit ProgressEnd(ProgressStateBase &state) : m_state(state) { }
    ~ProgressEnd() { m_state.close(); }
    Q_DISABLE_COPY_MOVE(ProgressEnd)

private:
    ProgressStateBase &m_state;
};

/// Cancels a future at the end of its scope, unless that is done or was moved away.
class [[nodiscard]] CancelAtEnd
{
public:
    explicit CancelAtEnd(AnyFuture &future) : m_future(future) { }
    ~CancelAtEnd()
    {
        if (m_future && !m_future.done())
            m_future.cancel();
    }
    Q_DISABLE_COPY_MOVE(CancelAtEnd)

private:
    AnyFuture &m_future;
};

template<class R, class P, class F, class Show, class... Args>
Coroutine<R> run_with_progress(F function, Show show, Args... args);

} // namespace QAsyncio::detail
