// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/loop/context_state.h"
#include "qasyncio/detail/coroutine/pool.h"

#include <QtCore/qstring.h>

namespace QAsyncio::detail {

struct LoopCore;
class FutureStateBase;
class GatherCore;

/// What a loop's ready queue holds: a handle, a task to step, a done callback.
class QASYNCIO_EXPORT Runnable : public Pooled
{
public:
    Runnable() = default;
    Q_DISABLE_COPY_MOVE(Runnable)

    /// Runs in the loop, once for each time it was queued. Nothing may leave it: it gives exceptions to the loop.
    virtual void run(LoopCore &core) noexcept;
    /// Called instead of run() when the loop is closed with this in its queue.
    virtual void discard() noexcept;
    /// As a callback of a future: the future is done, queue yourself. Throws RuntimeError if the loop is closed.
    virtual void future_done(FutureStateBase &future);
    /// The gather() that this is, whose cancellation is one of its children.
    virtual GatherCore *gathering() { return nullptr; }
    /// What it is, for reports: "<Handle load()>".
    virtual QString describe() const;

    ContextState *context = nullptr; // what it runs in; owned; null: empty

protected:
    virtual ~Runnable()
    {
        if (Q_UNLIKELY(context))
            context->release();
    }
};

} // namespace QAsyncio::detail
