// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qt/bridge.h"

#include "loop/loop_p.h"

#include <QtCore/qcoreapplication.h>

namespace QAsyncio::detail {

namespace {
const QEvent::Type wake_type = QEvent::Type(QEvent::registerEventType());
const QEvent::Type advance_type = QEvent::Type(QEvent::registerEventType());
} // namespace

/// An event in a Place of the bridge, which is free again when Qt deletes the event.
class Bridge::Spare final : public QEvent
{
public:
    Spare(QEvent::Type type, std::atomic<bool> &taken) : QEvent(type), m_taken(taken) { }
    ~Spare() override { m_taken.store(false, std::memory_order_release); }

    static void *operator new(std::size_t, void *place) { return place; }
    static void operator delete(void *) { }
    static void operator delete(void *, void *) { }

private:
    std::atomic<bool> &m_taken;
};

Bridge::~Bridge()
{
    QCoreApplication::removePostedEvents(this); // before the places of the spare events go
}

QEvent *Bridge::make_event(QEvent::Type type) noexcept
{
    static_assert(sizeof(Spare) <= sizeof(Place::memory));
    if (auto *event = new (std::nothrow) QEvent(type))
        return event;
    for (Place &place : m_spares) {
        if (!place.taken.exchange(true, std::memory_order_acquire))
            return new (place.memory) Spare(type, place.taken);
    }
    return nullptr;
}

void Bridge::post(Bridge *bridge, QEvent *event, int priority)
{
    if (event)
        QCoreApplication::postEvent(bridge, event, priority);
}

void Bridge::ring(QObject *object)
{
    auto *const bridge = static_cast<Bridge *>(object);
    QEvent *const wake = bridge->make_event(wake_type);
    bridge->m_rung.fetch_add(1, std::memory_order_release);
    post(bridge, wake, Qt::NormalEventPriority);
}

void Bridge::post_advance()
{
    post(this, make_event(advance_type), Qt::LowEventPriority * 1000);
}

void Bridge::remove_posted()
{
    take_over();
    QCoreApplication::removePostedEvents(this);
}

bool Bridge::event(QEvent *event)
{
    take_over();
    const LoopPrivate::Activation active(m_loop); // the loop, and this bridge, may end meanwhile
    if (event->type() == wake_type)
        m_loop.wake_arrived();
    else if (event->type() == QEvent::Timer)
        m_loop.timer_arrived();
    else if (event->type() == advance_type)
        m_loop.advance_clock();
    else
        return QObject::event(event);
    return true;
}

} // namespace QAsyncio::detail
