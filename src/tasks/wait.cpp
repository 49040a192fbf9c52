// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/wait.h"

#include "qasyncio/detail/future/done_listener.h"

namespace QAsyncio::detail {

namespace {

/// What the task awaits; owned by the listener, and by the task while it waits.
class WaitFuture final : public FutureState<void>
{
public:
    WaitFuture(LoopCore &core, const DoneListener &listener)
        : FutureState<void>(core), listener(&listener)
    { }
    QString describe_wait() const override
    {
        return listener ? listener->describe_pending("wait") : FutureStateBase::describe_wait();
    }
    bool is_compound() const override { return true; }

    const DoneListener *listener; // null when it is gone
};

/// Wakes a task that waits for some futures.
class WaitListener final : public DoneListener
{
public:
    WaitListener(QAsyncioLoop &loop, std::size_t count, ReturnWhen return_when)
        : released(FutureAccess::wrap<Future<>>(
              Ref<WaitFuture>::adopt(new WaitFuture(loop.core(), *this)))),
          m_left(count), m_return_when(return_when)
    { }
    ~WaitListener() override
    {
        static_cast<WaitFuture *>(FutureAccess::state(released))->listener = nullptr;
        HandleAccess::drop(m_timer);
    }
    Q_DISABLE_COPY_MOVE(WaitListener)

    void release_after(QAsyncioLoop &loop, std::chrono::nanoseconds timeout)
    {
        m_timer = loop.call_later(timeout, [this] { release(); });
    }

    /// Nobody waits any more. As in asyncio, callbacks that are queued are still called and look at
    /// the exceptions, which therefore count as retrieved.
    void give_up(QAsyncioLoop &loop)
    {
        if (m_return_when != FIRST_EXCEPTION || !stop_listening_to_pending())
            return;
        m_timer.cancel();
        loop.call_soon([self = shared_from_this()] { });
    }

    FutureStateBase *waiting_future() const override { return FutureAccess::state(released); }

    Future<> released;

private:
    void heard(AnyFuture future) override
    {
        --m_left;
        // The exception of the last future is not looked at, and so not retrieved: asyncio's order.
        const bool enough = m_left == 0 || m_return_when == FIRST_COMPLETED
            || (m_return_when == FIRST_EXCEPTION && !future.cancelled() && future.exception());
        if (!enough)
            return;
        m_timer.cancel();
        release();
    }
    void release()
    {
        if (!released.done())
            released.set_result();
    }

    std::size_t m_left;
    const ReturnWhen m_return_when;
    TimerHandle m_timer;
};

void check_return_when(ReturnWhen value)
{
    if (value != FIRST_COMPLETED && value != FIRST_EXCEPTION && value != ALL_COMPLETED)
        throw ValueError(
            QStringLiteral("Invalid return_when value: %1").arg(static_cast<int>(value)));
}

} // namespace

Coroutine<> run_wait(std::vector<AnyFuture> futures, WaitOptions options)
{
    if (futures.empty())
        throw ValueError(QStringLiteral("Set of Tasks/Futures is empty."));
    check_return_when(options.get_return_when());
    QAsyncioLoop &loop = get_running_loop();
    for (const AnyFuture &future : futures)
        check_loop(*FutureAccess::state(future), loop.core());

    const auto waiter = std::make_shared<WaitListener>(loop, futures.size(),
                                                       options.get_return_when());
    if (options.get_timeout())
        waiter->release_after(loop, *options.get_timeout());
    for (const AnyFuture &future : futures)
        waiter->listen_to(future);
    try {
        co_await waiter->released;
    } catch (const CancelledError &) {
        waiter->give_up(loop);
        throw;
    }
    waiter->give_up(loop);
}

} // namespace QAsyncio::detail
