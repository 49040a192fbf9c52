// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/signal_stream.h"

namespace QAsyncio::detail {

void throw_stream_busy()
{
    throw RuntimeError(QStringLiteral("another task is awaiting this stream"));
}

void check_stream(const LoopCore *core)
{
    if (!core)
        throw RuntimeError(QStringLiteral("this stream was moved from"));
    if (&get_running_loop().core() != core)
        throw RuntimeError(QStringLiteral("this stream belongs to another event loop"));
}

} // namespace QAsyncio::detail
