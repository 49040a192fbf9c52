// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/test.h"

#include <set>

namespace QAsyncio::Test {

namespace {

// Calls from other threads, and timers that are nearly due, come within so many turns.
constexpr int quiet_turns = 10;
constexpr int quiet_rounds = 3; // through Qt's event queue: a queued signal may lead to another one

/// Waits until nothing else has been ready for some turns. `core` is the running loop's, which
/// outlives its tasks.
Coroutine<> no_callback_is_ready(detail::LoopCore &core)
{
    for (int quiet = 0; quiet < quiet_turns; quiet = core.ready.empty() ? quiet + 1 : 0)
        co_await sleep(std::chrono::seconds(0));
}

/// Waits until what is posted to objects of this thread has arrived.
Coroutine<> no_event_is_posted()
{
    Future<> arrived = get_running_loop().create_future<>();
    QObject receiver;
    const auto arrive = [&arrived] {
        if (!arrived.done())
            arrived.set_result();
    };
    QMetaObject::invokeMethod(&receiver, arrive, Qt::QueuedConnection);
    co_await arrived;
}

/// The loops in which somebody waits already: two would wait for each other.
std::set<const detail::LoopCore *> &waited_for()
{
    static thread_local std::set<const detail::LoopCore *> loops;
    return loops;
}

/// Refuses a second waiter in the same loop.
class OnlyOne
{
public:
    explicit OnlyOne(const detail::LoopCore &core) : m_core(core)
    {
        if (!waited_for().insert(&core).second)
            throw RuntimeError(QStringLiteral("wait_all_tasks_blocked() is awaited already"));
    }
    ~OnlyOne() { waited_for().erase(&m_core); }
    Q_DISABLE_COPY_MOVE(OnlyOne)

private:
    const detail::LoopCore &m_core;
};

} // namespace

Coroutine<> wait_all_tasks_blocked()
{
    detail::LoopCore &core = get_running_loop().core();
    const OnlyOne only_one(core);
    for (int quiet = 0; quiet < quiet_rounds; quiet = core.ready.empty() ? quiet + 1 : 0) {
        co_await no_callback_is_ready(core);
        co_await no_event_is_posted();
    }
}

} // namespace QAsyncio::Test
