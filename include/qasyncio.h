// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

/// The whole public interface of QAsyncio: asyncio for C++20, on Qt 6's event loop. Each header
/// below can also be included on its own. The only one that is missing here is qasyncio/test.h,
/// since it needs Qt Test.

#include "qasyncio/as_completed.h"
#include "qasyncio/async_generator.h"
#include "qasyncio/awaiter.h"
#include "qasyncio/clock.h"
#include "qasyncio/context.h"
#include "qasyncio/coroutine.h"
#include "qasyncio/debug.h"
#include "qasyncio/errors.h"
#include "qasyncio/exception_group.h"
#include "qasyncio/executor.h"
#include "qasyncio/finally.h"
#include "qasyncio/from_signal.h"
#include "qasyncio/future.h"
#include "qasyncio/gather.h"
#include "qasyncio/handle.h"
#include "qasyncio/loop.h"
#include "qasyncio/loop_thread.h"
#include "qasyncio/moved.h"
#include "qasyncio/on_loop.h"
#include "qasyncio/outcome.h"
#include "qasyncio/policy.h"
#include "qasyncio/process_qt_events.h"
#include "qasyncio/race.h"
#include "qasyncio/run_coroutine_threadsafe.h"
#include "qasyncio/runner.h"
#include "qasyncio/selector.h"
#include "qasyncio/shield.h"
#include "qasyncio/signal_stream.h"
#include "qasyncio/sleep.h"
#include "qasyncio/task.h"
#include "qasyncio/task_group.h"
#include "qasyncio/task_scope.h"
#include "qasyncio/timeout.h"
#include "qasyncio/wait.h"
#include "qasyncio/wait_for.h"
#include "qasyncio/wait_until.h"
