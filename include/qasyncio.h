// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

/// All of QAsyncio: asyncio for C++20 on Qt 6's event loop. The headers below can be included one by one.

#include "qasyncio/as_completed.h"
#include "qasyncio/clock.h"
#include "qasyncio/context.h"
#include "qasyncio/coroutine.h"
#include "qasyncio/errors.h"
#include "qasyncio/executor.h"
#include "qasyncio/finally.h"
#include "qasyncio/from_signal.h"
#include "qasyncio/future.h"
#include "qasyncio/gather.h"
#include "qasyncio/handle.h"
#include "qasyncio/loop.h"
#include "qasyncio/outcome.h"
#include "qasyncio/policy.h"
#include "qasyncio/race.h"
#include "qasyncio/runner.h"
#include "qasyncio/selector.h"
#include "qasyncio/shield.h"
#include "qasyncio/sleep.h"
#include "qasyncio/task.h"
#include "qasyncio/timeout.h"
#include "qasyncio/wait.h"
#include "qasyncio/wait_for.h"
