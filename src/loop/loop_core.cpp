// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/detail/loop/loop_core.h"

#include "loop/loop_p.h"

namespace QAsyncio::detail {

constinit thread_local ThreadData own_thread_data QASYNCIO_INITIAL_EXEC;

#if !QASYNCIO_EXPORTED_TLS
ThreadData &thread_data() noexcept
{
    return own_thread_data;
}
#endif

LoopCore::~LoopCore() = default;

void LoopCore::destroy() noexcept
{
    delete this;
}

bool LoopCore::check_scheduling_slow()
{
    if (has(Closed))
        throw RuntimeError(QStringLiteral("Event loop is closed"));
    check_thread_of(*this);
    return true;
}

LoopCore &running_core()
{
    return get_running_loop().core();
}

void throw_wrong_thread()
{
    throw RuntimeError(QStringLiteral(
        "Non-thread-safe operation invoked on an event loop other than the current one"));
}

LoopRest rest_of(const LoopCore &core)
{
    const auto &self = static_cast<const LoopPrivate &>(core);
    // The end of time never comes.
    const bool no_timer = self.timers.empty() || self.timers.first_deadline() == TimePoint::max();
    const bool nothing = self.ready.empty() && no_timer && self.fds.empty()
        && self.jobs_in_flight == 0;
    return {nothing, self.turns(), self.is_nested() || self.is_executing()};
}

void LoopCore::push_threadsafe(InboxNode &node)
{
    // Directly into the ready queue, so that all calls of this thread keep their order.
    if (in_own_thread()) {
        if (has(Closed))
            throw RuntimeError(QStringLiteral("Event loop is closed"));
        push(node.item);
    } else if (!try_push_threadsafe(node)) {
        throw RuntimeError(QStringLiteral("Event loop is closed"));
    }
}

bool LoopCore::try_push_threadsafe(InboxNode &node) noexcept
{
    return static_cast<LoopPrivate &>(*this).inbox.push(node);
}

void LoopCore::timer_was_cancelled() noexcept
{
    static_cast<LoopPrivate &>(*this).timers.note_cancelled();
}

TimePoint LoopCore::now()
{
    Clock *clock = static_cast<LoopPrivate &>(*this).clock.get();
    return clock ? clock->now() : TimePoint(std::chrono::steady_clock::now());
}

} // namespace QAsyncio::detail
