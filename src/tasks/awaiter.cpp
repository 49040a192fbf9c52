// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/awaiter.h"

namespace QAsyncio {

detail::FutureStateBase *AwaiterBase::awaited_future() const noexcept
{
    return nullptr;
}

} // namespace QAsyncio
