// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/loop.h"

#include <memory>
#include <vector>

namespace QAsyncio::detail {

/// Is told when futures are done. Its callbacks are removed when it is destroyed. The futures do
/// not keep it alive, but it keeps those of which it has not been told yet. Made by
/// std::make_shared.
class QASYNCIO_EXPORT DoneListener : public std::enable_shared_from_this<DoneListener>
{
public:
    DoneListener() = default;
    virtual ~DoneListener();
    Q_DISABLE_COPY_MOVE(DoneListener)

    /// A future that is listened to twice is reported twice.
    void listen_to(const AnyFuture &future);
    /// Removes all callbacks; those that are queued already do nothing. Ends the listening for
    /// good: a later listen_to() could be told of an earlier future.
    void stop_listening();
    /// Removes the callbacks of pending futures. Returns whether others are queued: they are still
    /// called while this lives.
    bool stop_listening_to_pending();

    /// The futures of which it has not been told yet, in words.
    QString describe_pending(const char *function) const;
    /// The future that is done when those are: see FutureCallback::waiting_future().
    virtual FutureStateBase *waiting_future() const { return nullptr; }

protected:
    /// `future` is done. Called in a turn of its own, as done callbacks are.
    virtual void heard(AnyFuture future) = 0;

private:
    class EarCallback;
    struct Ear
    {
        AnyFuture future; // none once it was reported
        DoneCallbackId callback;
    };
    static void take_back(Ear &ear);

    std::vector<Ear> m_ears;
};

} // namespace QAsyncio::detail
