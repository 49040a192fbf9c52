// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <QtCore/qstring.h>

#include <chrono>

namespace QAsyncio::detail {

/// "1.250": a time as Python's manual writes it.
inline QString in_seconds(std::chrono::nanoseconds duration, int digits = 3)
{
    return QString::number(std::chrono::duration<double>(duration).count(), 'f', digits);
}

} // namespace QAsyncio::detail
