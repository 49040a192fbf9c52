// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/detail/future/done_listener.h"

namespace QAsyncio::detail {

DoneListener::~DoneListener()
{
    stop_listening();
}

void DoneListener::listen_to(const AnyFuture &future)
{
    const std::size_t place = m_ears.size();
    m_ears.emplace_back();
    auto callback = [weak = weak_from_this(), place](AnyFuture done) {
        const auto self = weak.lock();
        if (!self || place >= self->m_ears.size())
            return;
        self->m_ears[place] = {};
        self->heard(std::move(done));
    };
    Ear ear;
    ear.future = future;
    ear.callback = ear.future.add_done_callback(std::move(callback));
    m_ears[place] = std::move(ear);
}

void DoneListener::take_back(Ear &ear)
{
    if (ear.future)
        ear.future.remove_done_callback(ear.callback);
    ear = {};
}

void DoneListener::stop_listening()
{
    for (Ear &ear : std::exchange(m_ears, {}))
        take_back(ear);
}

bool DoneListener::stop_listening_to_pending()
{
    bool queued = false;
    for (Ear &ear : m_ears) {
        if (ear.future && ear.future.done())
            queued = true;
        else
            take_back(ear);
    }
    return queued;
}

} // namespace QAsyncio::detail
