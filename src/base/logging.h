// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <QtCore/qloggingcategory.h>
#include <QtCore/qscopeguard.h>

namespace QAsyncio::detail {

const QLoggingCategory &logCategory();

} // namespace QAsyncio::detail
