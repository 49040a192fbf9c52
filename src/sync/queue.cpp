// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/queue.h"

#include "base/logging.h"

namespace QAsyncio::detail {

static_assert(SyncSource<QueueSide>);

void QueueSide::gave_up(Waiter::State was) noexcept
{
    if (was != Waiter::Woken || !m_queue)
        return;
    const bool can_go_on = m_getting ? !m_queue->empty() : !m_queue->full();
    if (can_go_on)
        queue.wake_next();
}

QString QueueSide::describe_state() const
{
    return m_getting ? QStringLiteral("empty") : QStringLiteral("full");
}

QString QueueSide::describe_wait() const
{
    return m_getting ? QStringLiteral("item of a queue") : QStringLiteral("room in a queue");
}

QueueCore::QueueCore(int maxsize)
    : getters(Ref<QueueSide>::adopt(new QueueSide(*this, true))),
      putters(Ref<QueueSide>::adopt(new QueueSide(*this, false))),
      finished(Ref<EventState>::adopt(new EventState(true, "Queue"))), m_maxsize(maxsize)
{ }

QueueCore::~QueueCore()
{
    getters->queue_is_gone();
    putters->queue_is_gone();
}

void QueueCore::abandon() noexcept
{
    getters->queue.abandon();
    putters->queue.abandon();
    finished->queue.abandon();
}

void QueueCore::throw_cannot_put() const
{
    if (m_is_shut_down)
        throw QueueShutDown();
    throw QueueFull();
}

void QueueCore::throw_cannot_get() const
{
    if (m_is_shut_down)
        throw QueueShutDown();
    throw QueueEmpty();
}

void QueueCore::task_done()
{
    check_thread();
    finished->check_thread();
    if (m_unfinished == 0)
        throw ValueError(QStringLiteral("task_done() called too many times"));
    item_was_discarded();
}

void QueueCore::item_was_discarded() noexcept
{
    if (m_unfinished > 0 && --m_unfinished == 0)
        finished->set();
}

void QueueCore::report_lost_item(std::exception_ptr why) noexcept
{
    qCCritical(logCategory).noquote()
        << "an item that a race had taken could not be put back into its queue:"
        << QAsyncio::describe(why);
}

void QueueCore::shut_down(bool immediate)
{
    check_thread();
    m_is_shut_down = true;
    const Ref<QueueCore> kept = Ref<QueueCore>::share(this); // an item's destructor may be anything
    if (immediate) {
        m_is_discarding = true;
        m_unfinished -= std::min(m_unfinished, size());
        if (m_unfinished == 0)
            finished->set();
    }
    const auto wake_all = [](WaitQueue &queue) {
        while (queue.wake_next())
            ;
    };
    wake_all(getters->queue);
    wake_all(putters->queue);
    if (immediate)
        discard_items();
}

QString QueueCore::describe(const char *type_name) const
{
    QString text = QStringLiteral("<%1 maxsize=%2").arg(QLatin1String(type_name)).arg(m_maxsize);
    const auto add = [&text](const char *name, std::size_t count) {
        if (count > 0)
            text += QStringLiteral(" %1=%2").arg(QLatin1String(name)).arg(count);
    };
    add("size", size());
    add("getters", getters->queue.size());
    add("putters", putters->queue.size());
    add("tasks", m_unfinished);
    if (m_is_shut_down)
        text += QStringLiteral(" shutdown");
    return text + QLatin1Char('>');
}

} // namespace QAsyncio::detail
