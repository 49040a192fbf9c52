// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/loop.h"

#include <memory>
#include <vector>

namespace QAsyncio::detail {

/// Hears when futures are done, until it dies: then its callbacks are taken back. The futures do not keep it alive, but it
/// keeps those that it has not heard of. Made by std::make_shared.
class QASYNCIO_EXPORT DoneListener : public std::enable_shared_from_this<DoneListener>
{
public:
    DoneListener() = default;
    virtual ~DoneListener();
    Q_DISABLE_COPY_MOVE(DoneListener)

    /// Each call counts: a future that is listened to twice is heard of twice.
    void listen_to(const AnyFuture &future);
    /// Takes all callbacks back, those too that are queued already.
    void stop_listening();
    /// Takes the callbacks of pending futures back. Whether others are queued: they come while this lives.
    bool stop_listening_to_pending();

protected:
    /// In a turn of its own, as done callbacks are.
    virtual void heard(AnyFuture future) = 0;

private:
    struct Ear
    {
        AnyFuture future; // none once it was heard of
        DoneCallbackId callback;
    };
    static void take_back(Ear &ear);

    std::vector<Ear> m_ears;
};

} // namespace QAsyncio::detail
