// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/loop.h"

#include <memory>

namespace QAsyncio {

/// Decides what get_event_loop(), set_event_loop() and new_event_loop() do. The default policy
/// keeps one loop for each thread, and makes the one of the main thread when it is first asked for.
/// Derive from it to change that, and pass it to set_event_loop_policy().
///
/// Thread: its functions may be called in any thread, and in several at once.
/// \sa https://docs.python.org/3.13/library/asyncio-policy.html
class QASYNCIO_EXPORT EventLoopPolicy
{
public:
    virtual ~EventLoopPolicy();

    /// The loop of this thread. By default it is the one that was set. If none was set in the main
    /// thread, it is a new one, which the policy owns until the application ends. Throws
    /// RuntimeError if there is none.
    virtual QAsyncioLoop &get_event_loop();
    /// Sets the loop of this thread; null for none. The loop remains the caller's.
    virtual void set_event_loop(QAsyncioLoop *loop);
    /// Makes a new loop, without setting it.
    virtual std::unique_ptr<QAsyncioLoop> new_event_loop();
};

/// The loop that is running in this thread, or else what the policy returns. Prefer
/// get_running_loop() in coroutines and callbacks. Throws RuntimeError if there is none.
QASYNCIO_EXPORT QAsyncioLoop &get_event_loop();
/// Sets the loop of this thread; null for none. It must exist as long as it is set.
QASYNCIO_EXPORT void set_event_loop(QAsyncioLoop *loop);
/// Makes a new loop as the policy does, without setting it.
QASYNCIO_EXPORT std::unique_ptr<QAsyncioLoop> new_event_loop();

/// The policy of the whole program. Thread: any.
QASYNCIO_EXPORT std::shared_ptr<EventLoopPolicy> get_event_loop_policy();
/// Sets the policy of the whole program; null for the default policy. Thread: any.
QASYNCIO_EXPORT void set_event_loop_policy(std::shared_ptr<EventLoopPolicy> policy);

} // namespace QAsyncio
