// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/gather_state.h"
#include "qasyncio/detail/task_state.h"

namespace QAsyncio::detail {

/// The way of a cancellation through gather() in gather() in gather()..., and the tasks between them: in the order of a
/// recursion, without one, since it may be of any depth.
struct CancelWalk
{
    const QString message;

    /// False if all children were done, or the walk has been there already.
    bool cancel(GatherCore &gather);

private:
    struct Level;
    static void enter(std::vector<Level> &levels, GatherCore &gather, Ref<TaskStateBase> waiting);
    void cancel_child(std::vector<Level> &levels, FutureStateBase &child);
};

} // namespace QAsyncio::detail
