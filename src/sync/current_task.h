// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <QtCore/qstring.h>

namespace QAsyncio::detail {

/// The number of the task that is running in this thread; 0 for none.
quint32 current_task_number() noexcept;
/// The name of the unfinished task with this number, of the loop that runs in this thread; empty if
/// there is none.
QString task_name(quint32 number);

} // namespace QAsyncio::detail
