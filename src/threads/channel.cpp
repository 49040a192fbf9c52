// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/channel.h"

#include "qasyncio/detail/sync/queue_state.h"

#include "loop/loop_p.h"

#include <algorithm>
#include <condition_variable>

namespace QAsyncio::detail {

namespace {

/// A thread that blocks until there is room. On its stack; guarded by the channel's mutex.
class BlockedThread final : public Waiter
{
public:
    std::condition_variable_any changed;

private:
    bool wake() noexcept override
    {
        changed.notify_one();
        return true;
    }
};

} // namespace

/// Tells a channel that its loop closes. One reference belongs to the loop's list, one to the
/// channel, which may end in any thread, and then sends this home.
class ChannelEnd final : public Message, public CloseListener
{
public:
    explicit ChannelEnd(std::weak_ptr<ChannelCore> channel, LoopCore &core)
        : m_channel(std::move(channel)), m_loop(static_cast<LoopPrivate &>(core))
    { }

    void retain() noexcept { m_refs.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept
    {
        if (m_refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }
    void listen() noexcept
    {
        retain();
        m_loop.close_listeners.add(*this);
    }

private:
    void loop_closes() noexcept override
    {
        if (const auto channel = m_channel.lock())
            channel->leave_loop();
        release();
    }
    void arrive() noexcept override
    {
        if (m_loop.close_listeners.remove(*this))
            release();
    }
    void dispose() noexcept override { release(); }

    const std::weak_ptr<ChannelCore> m_channel;
    LoopPrivate &m_loop; // only used in its thread, while it is open
    std::atomic<int> m_refs{1};
};

ChannelWait::ChannelWait(LoopCore &core)
    : ready(make_future<void>(core)), m_core(Ref<LoopCore>::share(&core))
{ }

ChannelWait::~ChannelWait() = default;

bool ChannelWait::wake() noexcept
{
    retain();
    send(*m_core);
    return true;
}

void ChannelWait::arrive() noexcept
{
    complete_if_pending(ready);
}

ChannelPlace::ChannelPlace(ChannelCore &channel, Side side)
    : m_channel(channel), m_side(side),
      m_wait(Ref<ChannelWait>::adopt(new ChannelWait(running_core())))
{
    if (!m_channel.enter(*m_wait, side))
        m_wait->ready.set_result();
}

void ChannelPlace::leave(bool used) noexcept
{
    m_channel.leave(*m_wait, m_side, used);
}

ChannelCore::ChannelCore(int maxsize) : m_maxsize(std::max(maxsize, 0)) { }

ChannelCore::~ChannelCore()
{
    if (ChannelEnd *const listener = m_end.leak())
        listener->send(*m_core);
}

bool ChannelCore::is_shut_down() const
{
    const std::lock_guard lock(m_mutex);
    return m_is_shut_down;
}

bool ChannelCore::is_readable() const
{
    const std::lock_guard lock(m_mutex);
    return m_size.load() > 0 || has_ended();
}

QString ChannelCore::describe() const
{
    QString text = QStringLiteral("<Channel maxsize=%1").arg(m_maxsize);
    const auto add = [&text](const char *name, std::size_t count) {
        if (count > 0)
            text += QStringLiteral(" %1=%2").arg(QLatin1String(name)).arg(count);
    };
    const std::lock_guard lock(m_mutex);
    add("size", m_size.load());
    add("getters", m_getters.size());
    add("putters", m_putters.size());
    add("senders", std::size_t(m_senders));
    if (m_is_shut_down)
        text += QStringLiteral(" shutdown");
    return text + QLatin1Char('>');
}

void ChannelCore::bind_slow(LoopCore &core)
{
    const auto listener = Ref<ChannelEnd>::adopt(new ChannelEnd(weak_from_this(), core));
    bool is_free = false;
    {
        const std::lock_guard lock(m_mutex);
        is_free = !m_core;
        if (is_free) {
            m_core = Ref<LoopCore>::share(&core);
            m_end = listener;
            m_bound.store(&core, std::memory_order_relaxed);
        }
    }
    if (!is_free)
        throw RuntimeError(describe() + QStringLiteral(" is bound to a different event loop"));
    listener->listen();
}

void ChannelCore::add_sender() noexcept
{
    const std::lock_guard lock(m_mutex);
    ++m_senders;
    m_has_had_sender = true;
}

void ChannelCore::remove_sender() noexcept
{
    const std::lock_guard lock(m_mutex);
    if (--m_senders > 0)
        return;
    while (m_getters.wake_next())
        ;
}

void ChannelCore::shut_down() noexcept
{
    const std::lock_guard lock(m_mutex);
    end();
}

void ChannelCore::leave_loop() noexcept
{
    Ref<LoopCore> core; // released without the lock
    Ref<ChannelEnd> listener;
    const std::lock_guard lock(m_mutex);
    end();
    m_bound.store(nullptr, std::memory_order_relaxed);
    core = std::move(m_core);
    listener = std::move(m_end);
}

void ChannelCore::end() noexcept
{
    m_is_shut_down = true;
    while (m_getters.wake_next())
        ;
    while (m_putters.wake_next())
        ;
}

void ChannelCore::check_may_block()
{
    if (find_running_loop())
        throw RuntimeError(QStringLiteral(
            "sync_put() would block the event loop of this thread: co_await put() instead"));
}

void ChannelCore::report_lost_item(std::exception_ptr why) noexcept
{
    QueueCore::report_lost_item(std::move(why));
}

void ChannelCore::throw_shut_down()
{
    throw QueueShutDown();
}

void ChannelCore::throw_ended() const
{
    if (m_is_abandoned)
        throw RuntimeError(
            QStringLiteral("The Channel was destroyed while a task was waiting for it"));
    throw QueueShutDown();
}

bool ChannelCore::wait_for_room(std::unique_lock<std::mutex> &lock, const std::stop_token &stop)
{
    m_putters_wait.store(true);
    if (has_room())
        return false;
    BlockedThread place;
    m_putters.append(place);
    place.changed.wait(lock, stop, [&place] { return place.state() != Waiter::Waiting; });
    return m_putters.leave(place) == Waiter::Woken;
}

void ChannelCore::wake_putters() noexcept
{
    const std::size_t size = m_size.load();
    std::size_t room = size < std::size_t(m_maxsize) ? std::size_t(m_maxsize) - size : 0;
    for (; room > 0; --room) {
        if (!m_putters.wake_next()) {
            m_putters_wait.store(false);
            return;
        }
    }
}

void ChannelCore::room_was_made() noexcept
{
    const std::lock_guard lock(m_mutex);
    // Whoever is woken for each single item fills the channel with one item, and waits again. So
    // they are woken when half of the room is free, or when the consumer has taken what it wants
    // for now: at the latest in the next turn.
    const bool is_for_later = size() > std::size_t(m_maxsize) / 2 && m_core
        && m_core->in_own_thread() && m_core->has(LoopCore::Running);
    if (!is_for_later) {
        wake_putters();
    } else if (!m_is_room_told) {
        m_is_room_told = true;
        m_room_call.send(*m_core, shared_from_this());
    }
}

void ChannelCore::tell_of_room() noexcept
{
    const std::lock_guard lock(m_mutex);
    m_is_room_told = false;
    wake_putters();
}

bool ChannelCore::enter(Waiter &waiter, ChannelPlace::Side side) noexcept
{
    const std::lock_guard lock(m_mutex);
    if (side == ChannelPlace::Getting) {
        if (m_size.load() > 0 || has_ended())
            return false;
        m_getters.append(waiter);
    } else {
        m_putters_wait.store(true);
        if (m_is_shut_down || has_room())
            return false;
        m_putters.append(waiter);
    }
    return true;
}

void ChannelCore::leave(Waiter &waiter, ChannelPlace::Side side, bool used) noexcept
{
    const std::lock_guard lock(m_mutex);
    WaitQueue &queue = side == ChannelPlace::Getting ? m_getters : m_putters;
    if (queue.leave(waiter) != Waiter::Woken || used)
        return;
    if (side == ChannelPlace::Putting)
        wake_putters();
    else if (m_size.load() > 0)
        m_getters.wake_next();
}

} // namespace QAsyncio::detail
