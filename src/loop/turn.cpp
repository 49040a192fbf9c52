// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// One turn (L-001): 1. queue what other threads sent, what descriptors are ready, which timers are
// due; 2. run exactly the callbacks that are queued at that moment. What they queue waits for the
// next turn.
//
// Qt calls process() for every kind of wake-up. Several turns follow each other in one call, for
// one time slice. The selector is asked at its beginning, and then by time: a look at epoll costs
// as much as ten callbacks, and a turn may be one callback of 20 ns or a thousand of a millisecond.
// A batch that takes long is interrupted for it; what is found waits for the next turn, like all
// that the batch queues. Before it returns to Qt the selector is asked once more, if something came
// when it was asked last. A callback may open a nested event loop, which calls process() again:
// that one finishes the interrupted turn first (each callback once, in order) and then goes on with
// turns of its own.

#include "base/logging.h"
#include "base/seconds.h"
#include "introspection/awaited_by.h"
#include "loop/loop_p.h"

#include <QtCore/qeventloop.h>
#include <QtCore/qthread.h>

#include <algorithm>
#include <source_location>

namespace QAsyncio::detail {

namespace {
// The clock is looked at this often, while callbacks are long, and behind every few of them.
constexpr auto look_again = std::chrono::microseconds(8);
constexpr auto poll_again = std::chrono::microseconds(10); // after an answer with something in it
constexpr auto poll_idle = std::chrono::microseconds(40);  // after one with nothing
constexpr int poll_share = 8; // and at least so many times what the answer took

QString slow_callback_text(const QString &name, std::chrono::nanoseconds taken)
{
    return QStringLiteral("Executing %1 took %2 seconds").arg(name, in_seconds(taken));
}
} // namespace

void LoopPrivate::process() noexcept
{
    if (!has(Running) || m_left || m_ends_here || !may_nest())
        return;
    const Activation active(*this); // a callback may end the loop
    const unsigned outer_dispatching = flags & Dispatching;
    const TimePoint outer_slice_end = m_slice_end;
    const int level = QThread::currentThread()->loopLevel();
    const bool outer_pumped = std::exchange(m_pumped, m_depth > 0 && level == m_entry_level);
    const int outer_level = std::exchange(m_entry_level, level);
    TaskStateBase *const outer_task = std::exchange(current_task, nullptr); // set aside (H-1)
    ++m_depth;
    ++m_wake_ups;
    flags |= Dispatching;
    inbox.stay_awake();
    m_clock_seen = std::chrono::steady_clock::now();
    m_slice_end = deadline(m_clock_seen, time_slice);
    m_until_clock = m_between_clocks;
    m_poll_due = TimePoint::min();
    m_poll_found = false;

    bool in_time = true;
    do {
        if (m_batch_left == 0)
            begin_turn();
        in_time = run_batch();
        if (!has(Running)) // a callback has detached the loop, or ended it
            break;
        if (m_batch_left == 0 && end_is_due()) {
            m_end_is_ripe = true;
            if (may_end_here()) {
                m_ends_here = true;
                break;
            }
        }
    } while (in_time && (!ready.empty() || inbox.maybe_filled() || more_has_come()));

    if (Q_UNLIKELY(m_measuring) && m_batch_left == 0)
        note_end_of_turn();
    --m_depth;
    flags = (flags & ~Dispatching) | outer_dispatching;
    current_task = outer_task;
    m_slice_end = outer_slice_end;
    m_entry_level = outer_level;
    m_pumped = outer_pumped;
    if (Q_UNLIKELY(m_drain))
        end_drain_if_empty();
    end_if_possible();
    sleep_or_wake();
    if (Q_UNLIKELY(m_quit_waits) && m_depth == 0)
        drain();
}

bool LoopPrivate::may_nest() const
{
    // Above code of the loop, a nested event loop may run turns, to a depth that the stack bears. A
    // bare processEvents() may stand in each of many tasks that are ready at once: it runs turns,
    // but another one inside these does not.
    constexpr int most_nested = 64;
    if (m_depth == 0)
        return true;
    const bool pumped = QThread::currentThread()->loopLevel() == m_entry_level;
    return pumped ? !m_pumped : m_depth < most_nested;
}

void LoopPrivate::begin_turn()
{
    ++m_turns;
    if (Q_UNLIKELY(m_measuring)) {
        note_end_of_turn();
        m_turn_begun = std::chrono::steady_clock::now();
    }
    timers.purge();
    if (inbox.maybe_filled())
        inbox.drain_into(ready);
    if (m_clock_seen >= m_poll_due || strict)
        ask_selector();
    if (!timers.empty())
        queue_due_timers();
    m_batch_left = ready.size();
    m_callbacks += static_cast<qint64>(m_batch_left);
}

/// A turn that Qt's own work has interrupted, or that has opened an event loop, counts with that.
void LoopPrivate::note_end_of_turn() noexcept
{
    if (m_turn_begun != TimePoint())
        m_longest_turn = std::max<std::chrono::nanoseconds>(
            m_longest_turn, std::chrono::steady_clock::now() - m_turn_begun);
    m_turn_begun = {};
}

/// Where something came a moment ago, more may have come: a stream. To look costs a third of what
/// the way through Qt costs, for which there is as little to do.
bool LoopPrivate::more_has_come()
{
    if (!m_poll_found)
        return false;
    ask_selector();
    return !ready.empty() && m_clock_seen < m_slice_end;
}

void LoopPrivate::ask_selector()
{
    const TimePoint begin = std::chrono::steady_clock::now();
    const bool found = m_poll_found = fds.poll_into(ready);
    m_clock_seen = std::chrono::steady_clock::now(); // what it takes counts for no callback
    const std::chrono::nanoseconds pause = found ? poll_again : poll_idle;
    m_poll_due = m_clock_seen + std::max(pause, poll_share * (m_clock_seen - begin));
}

bool LoopPrivate::run_batch()
{
    while (m_batch_left > 0) {
        --m_batch_left;
        if (Q_UNLIKELY(has(Debug | Timed | Traced | Observed)))
            run_watched(*ready.pop());
        else
            ready.pop()->run(*this);
        if (Q_UNLIKELY(m_break_batch)) { // the rest stays queued (L-027)
            m_break_batch = false;
            m_callbacks -= static_cast<qint64>(m_batch_left);
            m_batch_left = 0;
            return true;
        }
        if (--m_until_clock <= 0 && slice_is_over())
            return false;
    }
    return true;
}

void LoopPrivate::run_watched(Runnable &item)
{
    const std::shared_ptr<Trace> traced = trace; // the callback may end it
    const Trace::Step step = traced ? traced->begin(item) : Trace::Step();
    if (has(Debug | Timed))
        run_timed(item);
    else
        item.run(*this);
    if (traced)
        traced->end(step);
    if (const auto observer = callback_observer)
        observer();
}

namespace {
/// What is known before a step, cheaply; put into words only if it takes long.
struct Step
{
    Ref<TaskStateBase> task; // null: a callback
    std::source_location resumed_at;
    std::chrono::nanoseconds limit{};

    QString name() const
    {
        return task ? QStringLiteral("Task '%1'").arg(task->name()) : QStringLiteral("A callback");
    }
};
} // namespace

void LoopPrivate::run_timed(Runnable &item)
{
    const bool in_debug_mode = has(Debug);
    const QString name = in_debug_mode ? item.describe() : QString(); // it may be gone afterwards
    Step step;
    if (has(Timed)) {
        step.limit = freeze_limit;
        step.task = Ref<TaskStateBase>::share(dynamic_cast<TaskStateBase *>(&item));
        if (step.task)
            step.resumed_at = place_of(*step.task);
    }
    if (watchdog)
        watchdog->begin_step(step.name(), step.resumed_at);
    Nested nested;
    Nested *const outer = std::exchange(m_timed, &nested);
    const int outer_level = std::exchange(m_timed_level, QThread::currentThread()->loopLevel());
    const TimePoint begin = std::chrono::steady_clock::now();
    item.run(*this);
    // While a nested event loop was open, other code was served: that does not count as slow.
    const TimePoint end = std::chrono::steady_clock::now();
    const auto taken = end - begin - ((nested.blocked ? end : nested.last) - nested.first);
    m_timed = outer;
    m_timed_level = outer_level;
    if (watchdog)
        watchdog->end_step();
    if (in_debug_mode && taken >= slow_callback_duration)
        qCWarning(logCategory).noquote() << slow_callback_text(name, taken);
    if (step.limit.count() > 0 && taken >= step.limit)
        qCWarning(logCategory).noquote()
            << freeze_text("has held", step.name(), taken, step.resumed_at);
}

bool LoopPrivate::slice_is_over()
{
    const TimePoint seen = std::exchange(m_clock_seen, std::chrono::steady_clock::now());
    const auto taken = m_clock_seen - seen; // by m_between_clocks callbacks
    if (Q_UNLIKELY(taken * few_callbacks > look_again * m_between_clocks)) // they are long
        m_between_clocks = std::max(1, static_cast<int>(look_again * m_between_clocks / taken));
    else
        m_between_clocks = few_callbacks;
    m_until_clock = m_between_clocks;
    if (m_batch_left > 0 && m_clock_seen >= m_poll_due && !strict)
        ask_selector();
    return m_clock_seen >= m_slice_end;
}

void LoopPrivate::queue_due_timers()
{
    const TimePoint now_ = now();
    while (!timers.empty() && timers.first_deadline() <= now_) {
        TimerState *timer = timers.pop();
        if (timer->cancelled())
            timer->release();
        else
            ready.push(timer);
    }
}

void LoopPrivate::sleep_or_wake()
{
    if (!has(Running) || m_left || m_ends_here)
        return;
    if (!ready.empty() || m_batch_left > 0 || !inbox.sleep())
        return post_wake();
    trim_pool();
    if (!clock)
        return arm_timer();
    if (jobs_in_flight > 0)
        return wait_for_threads();
    if (timers.empty() || std::exchange(m_advance_posted, true))
        return;
    bridge->post_advance();
}

void LoopPrivate::wake_arrived() noexcept
{
    m_blocks_unanswered = 0;
    flags &= ~WakePosted;
    process();
}

void LoopPrivate::timer_arrived() noexcept
{
    disarm_timer();
    process();
}

void LoopCore::wake()
{
    static_cast<LoopPrivate &>(*this).post_wake();
}

void LoopPrivate::post_wake()
{
    if (flags & WakePosted)
        return;
    flags |= WakePosted;
    Bridge::ring(bridge.get());
}

void LoopPrivate::arm_timer()
{
    timers.purge();
    if (timers.empty() || timers.first_deadline() == TimePoint::max())
        return disarm_timer();
    const TimePoint when = timers.first_deadline();
    if (when == m_armed)
        return;
    m_armed = when;
    const TimePoint real_now = std::chrono::steady_clock::now();
    // A clock of the program's own may show another time than the system's, but what is left to
    // wait is the same.
    try {
        timer_source->arm(clock ? deadline(real_now, time_between(clock->now(), when)) : when,
                          real_now);
    } catch (const std::bad_alloc &) { // Qt had no memory: tried again at once
        m_armed = TimePoint::max();
        post_wake();
    }
}

void LoopPrivate::disarm_timer()
{
    if (m_armed == TimePoint::max())
        return;
    m_armed = TimePoint::max();
    timer_source->disarm();
}

void LoopPrivate::wait_for_threads()
{
    if (!m_clock_moves)
        arm_timer();
}

void LoopPrivate::advance_clock() noexcept
{
    m_advance_posted = false;
    if (!has(Running) || m_left || m_ends_here)
        return;
    timers.purge();
    fds.poll_into(ready);
    if (ready.empty() && m_batch_left == 0 && !inbox.maybe_filled()) {
        if (jobs_in_flight > 0)
            return wait_for_threads();
        if (timers.empty() || timers.first_deadline() == TimePoint::max())
            return;
        m_clock_moves = clock->advance(timers.first_deadline());
        if (!m_clock_moves)
            return arm_timer();
    }
    process();
}

void observe_callbacks(LoopCore &core, std::function<void()> observer)
{
    core.set(LoopCore::Observed, static_cast<bool>(observer));
    static_cast<LoopPrivate &>(core).callback_observer = std::move(observer);
}

} // namespace QAsyncio::detail
