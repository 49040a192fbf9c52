// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/loop.h"

#include <memory>

namespace QAsyncio {

/// Decides what get_event_loop(), set_event_loop() and new_event_loop() do. The default policy keeps one loop a thread and
/// makes one for the main thread when it is first asked for.
///
/// Thread: its functions are called in any thread, by any number at a time.
/// \sa https://docs.python.org/3.13/library/asyncio-policy.html
class QASYNCIO_EXPORT EventLoopPolicy
{
public:
    virtual ~EventLoopPolicy();

    /// The loop of this thread. The default: the one that was set; in the main thread, if none was set, a new one, which
    /// the policy owns until the application ends. Throws RuntimeError if there is none.
    virtual QAsyncioLoop &get_event_loop();
    /// Null: none. The loop stays the caller's.
    virtual void set_event_loop(QAsyncioLoop *loop);
    /// A new loop, which is not set.
    virtual std::unique_ptr<QAsyncioLoop> new_event_loop();
};

/// The running loop of this thread, else what the policy says.
QASYNCIO_EXPORT QAsyncioLoop &get_event_loop();
/// Sets the loop of this thread, which must outlive its being set. Null: none.
QASYNCIO_EXPORT void set_event_loop(QAsyncioLoop *loop);
QASYNCIO_EXPORT std::unique_ptr<QAsyncioLoop> new_event_loop();

QASYNCIO_EXPORT std::shared_ptr<EventLoopPolicy> get_event_loop_policy();
/// Null: the default policy.
QASYNCIO_EXPORT void set_event_loop_policy(std::shared_ptr<EventLoopPolicy> policy);

} // namespace QAsyncio
