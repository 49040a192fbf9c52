// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/future_state.h"

namespace QAsyncio::detail {

/// A done callback for internal use. The future's list of callbacks owns it and calls it in a turn
/// after the future is done. It has neither a context nor a handle, and so is cheaper than a
/// program's.
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
