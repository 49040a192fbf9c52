// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/loop.h"

#include <functional>

namespace QAsyncio::detail {

/// While it lives, Ctrl+C calls a function in the loop. Only in the main thread, and only if nobody
/// else handles SIGINT (L-115); the handler that was there before comes back.
class SigintWatch
{
public:
    SigintWatch(QAsyncioLoop &loop, std::function<void()> callback);
    ~SigintWatch();
    Q_DISABLE_COPY_MOVE(SigintWatch)

private:
    QAsyncioLoop &m_loop;
    int m_fd = -1; // -1: not installed
};

} // namespace QAsyncio::detail
