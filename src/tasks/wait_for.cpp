// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/wait_for.h"

#include "qasyncio/wait.h"

namespace QAsyncio::detail {

void throw_timeout(std::exception_ptr cause)
{
    throw TimeoutError(QString(), std::move(cause));
}

Coroutine<> cancel_and_wait(AnyFuture future)
{
    // Throws before the future is cancelled.
    check_loop(*FutureAccess::state(future), get_running_loop().core());
    future.cancel();
    std::vector<AnyFuture> futures(1, std::move(future));
    co_await run_wait(std::move(futures), WaitOptions());
}

} // namespace QAsyncio::detail
