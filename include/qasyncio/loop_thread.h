// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/loop.h"

namespace QAsyncio {

/// A thread with a loop of its own, which runs as long as this object lives.
///
///     LoopThread workers;
///     const QImage image = co_await on_loop(workers.loop(), render, scene);
///
/// The destructor stops the loop, closes it in its thread and waits for the thread. That works
/// after the application has been destroyed, too. If it takes longer than a second, the log says
/// what it is waiting for. Tasks that are left are unwound and reported, as by
/// QAsyncioLoop::close(), so end them before.
/// Errors: LoopExit and KeyboardInterrupt end the loop early and are logged. Once the loop has
/// ended, because of them or of a stop(), it is closed. The constructor throws RuntimeError if the
/// system cannot start a thread.
/// Thread: make and destroy it in any thread but its own. Other threads may use only the
/// thread-safe ways into its loop: on_loop(), run_coroutine_threadsafe() and
/// QAsyncioLoop::call_soon_threadsafe().
class QASYNCIO_EXPORT LoopThread
{
public:
    /// Returns when the loop has been made. `name` is the name of the thread. Throws what making
    /// the loop throws.
    explicit LoopThread(const QString &name = {}, LoopOptions options = {});
    /// Stops and closes the loop, and waits for the thread.
    ~LoopThread();
    Q_DISABLE_COPY_MOVE(LoopThread)

    /// The loop. It lives as long as this object.
    QAsyncioLoop &loop() const;
    /// "<LoopThread name='worker'>"
    QString to_string() const;

private:
    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace QAsyncio
