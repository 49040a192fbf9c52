// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/detail/remote_call.h"

namespace QAsyncio::detail {

std::exception_ptr remote_loop_closed()
{
    return std::make_exception_ptr(RuntimeError(QStringLiteral("the other event loop was closed")));
}

void cancel_remote(QAsyncioLoop &loop, const std::shared_ptr<RemoteTask> &remote, const QString &message)
{
    try {
        loop.call_soon_threadsafe([remote, message] {
            if (remote->task)
                remote->task.cancel(message);
            else
                remote->cancelled = true;
        });
    } catch (const RuntimeError &) {
        // The loop is closed, and the task there has ended.
    }
}

} // namespace QAsyncio::detail
