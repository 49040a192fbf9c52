// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/event.h"

namespace QAsyncio {

static_assert(detail::SyncSource<detail::EventState>);

QString detail::EventState::describe_state() const
{
    return m_is_set ? QStringLiteral("set") : QStringLiteral("unset");
}

Event::Event() : m_state(detail::Ref<detail::EventState>::adopt(new detail::EventState)) { }

Event::~Event()
{
    m_state->queue.abandon();
}

} // namespace QAsyncio
