// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/stream_reader.h"
#include "qasyncio/stream_writer.h"

#include "qasyncio/detail/loop/loop_core.h"

namespace QAsyncio::detail {

/// Streams over a descriptor that does not block, which they own. If these throw, it is still the
/// caller's.
/// `name`, such as "pipe 7", is for texts.
StreamReader open_reader(LoopCore &loop, int fd, const QString &name, qsizetype limit);
StreamWriter open_writer(LoopCore &loop, int fd, const QString &name);

} // namespace QAsyncio::detail
