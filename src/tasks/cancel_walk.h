// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/gather_state.h"
#include "qasyncio/detail/task/task_state.h"

namespace QAsyncio::detail {

/// Takes a cancellation through gather() in gather() in gather()..., and the tasks between them. It
/// goes in the order of a recursion but without one, since the depth is not limited.
class CancelWalk
{
public:
    explicit CancelWalk(const QString &message) : m_message(message) { }
    ~CancelWalk(); // a child's cancel() may have thrown: its loop is closed
    Q_DISABLE_COPY_MOVE(CancelWalk)

    /// False if all children were done.
    bool cancel(GatherCore &gather);

private:
    void enter(GatherCore &gather, TaskStateBase *waiting);
    /// Returns whether somebody took the cancellation.
    bool leave(GatherCore &gather);
    void cancel_child(FutureStateBase &child);

    const QString m_message;
    GatherCore *m_innermost = nullptr;
};

} // namespace QAsyncio::detail
