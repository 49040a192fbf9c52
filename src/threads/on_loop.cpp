// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/on_loop.h"

#include "qasyncio/detail/thread/message.h"

namespace QAsyncio::detail {

std::exception_ptr remote_loop_closed()
{
    return std::make_exception_ptr(RuntimeError(QStringLiteral("the other event loop was closed")));
}

void cancel_remote(const std::shared_ptr<RemoteTask> &remote, const QString &message)
{
    run_there(remote->core, [remote, message] {
        if (remote->task)
            remote->task.cancel(message);
        else // it has not begun, or is in its first step
            remote->cancelled = message;
    });
}

} // namespace QAsyncio::detail
