// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/task/task_state.h"
#include "qasyncio/task_tree.h"

#include <source_location>
#include <vector>

namespace QAsyncio::detail {

/// The tasks that wait for `future`, each once, in the order in which they began to: also by way of
/// futures such as those of gather(), shield() and wait(), however many lie between.
std::vector<TaskStateBase *> tasks_waiting_for(const FutureStateBase &future);

TaskActivity activity_of(const TaskStateBase &task);

/// Where the coroutines of `task` are, the innermost first. Wrappers are left out.
std::vector<std::source_location> places_of(const TaskStateBase &task);
/// The first of these that is not the library's own, if there is one; otherwise the first. Empty if
/// there is none.
std::source_location place_of(const TaskStateBase &task);

} // namespace QAsyncio::detail
