// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/detail/future/done_listener.h"

namespace QAsyncio::detail {

/// Tells the listener, if that still exists, that a future is done.
class DoneListener::EarCallback final : public DoneCallbackBase
{
public:
    EarCallback(std::weak_ptr<DoneListener> listener, std::size_t place)
        : m_listener(std::move(listener)), m_place(place)
    { }

    FutureStateBase *waiting_future() override
    {
        const auto listener = m_listener.lock();
        return listener ? listener->waiting_future() : nullptr;
    }

private:
    void call() override
    {
        const auto listener = m_listener.lock();
        if (!listener || m_place >= listener->m_ears.size())
            return;
        listener->m_ears[m_place] = {};
        listener->heard(FutureAccess::wrap<AnyFuture>(std::move(m_future)));
    }

    const std::weak_ptr<DoneListener> m_listener;
    const std::size_t m_place;
};

DoneListener::~DoneListener()
{
    stop_listening();
}

void DoneListener::listen_to(const AnyFuture &future)
{
    const std::size_t place = m_ears.size();
    m_ears.emplace_back();
    Ear ear;
    ear.future = future;
    ear.callback = FutureAccess::add(ear.future, new EarCallback(weak_from_this(), place));
    m_ears[place] = std::move(ear);
}

QString DoneListener::describe_pending(const char *function) const
{
    WaitWords words;
    for (const Ear &ear : m_ears) {
        if (ear.future)
            words.add(*FutureAccess::state(ear.future));
    }
    return words.text(function);
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
