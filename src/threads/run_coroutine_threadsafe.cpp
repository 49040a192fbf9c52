// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/run_coroutine_threadsafe.h"

#include "base/logging.h"
#include "qasyncio/detail/thread/message.h"

namespace QAsyncio::detail {

ConcurrentStateBase::~ConcurrentStateBase() = default;

bool ConcurrentStateBase::done() const
{
    const std::lock_guard lock(m_mutex);
    return m_state != Pending;
}

bool ConcurrentStateBase::cancelled() const
{
    const std::lock_guard lock(m_mutex);
    return m_state == Cancelled;
}

bool ConcurrentStateBase::cancel()
{
    AnyTask task;
    if (!finish(Cancelled, [&] { task = std::exchange(m_task, {}); }))
        return false;
    if (!task) // it has not begun, and will not
        return true;
    // The task keeps the core; the loop itself may have been ended by those that waited.
    LoopCore &core = *FutureAccess::state(task)->core;
    run_there(core, [task]() mutable { task.cancel(); });
    return true;
}

bool ConcurrentStateBase::finish(State state, const std::function<void()> &store)
{
    std::vector<std::function<void()>> callbacks;
    AnyTask task; // dropped without the lock
    {
        const std::lock_guard lock(m_mutex);
        if (m_state != Pending)
            return false;
        m_state = state;
        if (store)
            store();
        callbacks.swap(m_callbacks);
        task = std::exchange(m_task, {});
    }
    m_changed.notify_all();
    for (const auto &callback : callbacks)
        call(callback);
    return true;
}

void ConcurrentStateBase::check_thread() const
{
    if (thread_data().id == m_thread_id)
        throw RuntimeError(
            QStringLiteral("this would wait for its own event loop: await a task instead"));
}

void ConcurrentStateBase::wait()
{
    std::unique_lock lock(m_mutex);
    if (m_state == Pending)
        check_thread();
    m_changed.wait(lock, [this] { return m_state != Pending; });
}

void ConcurrentStateBase::wait_for(std::chrono::nanoseconds timeout)
{
    std::unique_lock lock(m_mutex);
    if (m_state == Pending && timeout > std::chrono::nanoseconds::zero())
        check_thread();
    const TimePoint end = deadline(TimePoint(std::chrono::steady_clock::now()), timeout);
    if (!m_changed.wait_until(lock, end, [this] { return m_state != Pending; }))
        throw TimeoutError();
}

void ConcurrentStateBase::set_ended()
{
    {
        const std::lock_guard lock(m_mutex);
        m_ended = true;
    }
    m_changed.notify_all();
}

void ConcurrentStateBase::join()
{
    std::unique_lock lock(m_mutex);
    if (!m_ended)
        check_thread();
    m_changed.wait(lock, [this] { return m_ended; });
}

bool ConcurrentStateBase::join(std::chrono::nanoseconds timeout)
{
    std::unique_lock lock(m_mutex);
    if (!m_ended && timeout > std::chrono::nanoseconds::zero())
        check_thread();
    const TimePoint end = deadline(TimePoint(std::chrono::steady_clock::now()), timeout);
    return m_changed.wait_until(lock, end, [this] { return m_ended; });
}

std::exception_ptr ConcurrentStateBase::exception()
{
    check_finished();
    const std::lock_guard lock(m_mutex);
    return stored_exception();
}

void ConcurrentStateBase::check_finished()
{
    if (cancelled())
        throw CancelledError();
}

void ConcurrentStateBase::add_done_callback(std::function<void()> callback)
{
    {
        const std::lock_guard lock(m_mutex);
        if (m_state == Pending) {
            m_callbacks.push_back(std::move(callback));
            return;
        }
    }
    call(callback);
}

void ConcurrentStateBase::call(const std::function<void()> &callback) noexcept
{
    try {
        callback();
    } catch (...) {
        qCCritical(logCategory).noquote() << "exception calling callback for ConcurrentFuture:"
                                          << QAsyncio::describe(std::current_exception());
    }
}

bool ConcurrentStateBase::set_task(const AnyTask &task)
{
    const std::lock_guard lock(m_mutex);
    if (m_state == Pending)
        m_task = task;
    return m_state == Pending;
}

QString describe_concurrent(const ConcurrentStateBase *state)
{
    if (!state)
        return QStringLiteral("<ConcurrentFuture none>");
    if (state->cancelled())
        return QStringLiteral("<ConcurrentFuture cancelled>");
    return state->done() ? QStringLiteral("<ConcurrentFuture finished>")
                         : QStringLiteral("<ConcurrentFuture pending>");
}

} // namespace QAsyncio::detail
