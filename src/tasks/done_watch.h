// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/future_state.h"

namespace QAsyncio::detail {

/// Waits in the list of a future's callbacks, which owns it, and hears in a turn behind its end. Without a context and a handle:
/// cheaper than a done callback of a program.
class DoneWatch : public FutureCallback
{
public:
    void run(LoopCore &) noexcept final
    {
        heard();
        delete this;
    }
    void discard() noexcept override { delete this; }
    void future_done(FutureStateBase &future) override { future.core->push(this); }

protected:
    virtual void heard() noexcept = 0;
};

} // namespace QAsyncio::detail
