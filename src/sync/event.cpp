// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/event.h"

namespace QAsyncio {

static_assert(detail::SyncSource<detail::EventState>);

QString detail::EventState::describe_state() const
{
    return m_is_set ? QStringLiteral("set") : QStringLiteral("unset");
}

QString detail::EventState::describe_wait() const
{
    return QLatin1String(type_name()) == QLatin1String("Queue")
        ? QStringLiteral("the last item of a queue to be done")
        : QStringLiteral("event to be set");
}

Event::Event() : m_state(detail::Ref<detail::EventState>::adopt(new detail::EventState)) { }

Event::~Event()
{
    m_state->queue.abandon();
}

} // namespace QAsyncio
