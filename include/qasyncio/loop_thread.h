// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/loop.h"

namespace QAsyncio {

/// A thread with a loop of its own, which runs for as long as this lives.
///
///     LoopThread workers;
///     const QImage image = co_await on_loop(workers.loop(), render, scene);
///
/// The destructor stops the loop and closes it, in its thread, and waits for the thread, after the application has gone, too;
/// after a second it says what it waits for. Tasks that are left are unwound and
/// reported, as close() does it. So end them before.
/// Errors: LoopExit and KeyboardInterrupt end the loop early; they are logged. Once it has ended, by them or by a stop(), the
/// loop is closed. Throws RuntimeError if the system gives no thread.
/// Thread: made and destroyed in any but its own; of the loop others use what is thread-safe (on_loop(),
/// run_coroutine_threadsafe(), call_soon_threadsafe()).
class QASYNCIO_EXPORT LoopThread
{
public:
    /// Returns when the loop is there. `name` is the thread's. Throws what making a loop throws.
    explicit LoopThread(const QString &name = {}, LoopOptions options = {});
    ~LoopThread();
    Q_DISABLE_COPY_MOVE(LoopThread)

    /// Lives as long as this.
    QAsyncioLoop &loop() const;
    /// "<LoopThread name='worker'>"
    QString to_string() const;

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace QAsyncio
