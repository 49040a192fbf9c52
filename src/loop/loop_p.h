// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/loop/close_listener.h"
#include "qasyncio/loop.h"
#include "qasyncio/runner.h"

#include "introspection/trace.h"
#include "loop/announcement.h"
#include "loop/fd_table.h"
#include "loop/inbox.h"
#include "loop/timer_queue.h"
#include "loop/watchdog.h"
#include "qt/bridge.h"
#include "qt/timer_source.h"

#include <QtCore/qstringlist.h>

#include <unordered_map>

QT_BEGIN_NAMESPACE
class QEventLoop;
class QThreadPool;
QT_END_NAMESPACE

namespace QAsyncio::detail {

class GeneratorState;
class ObjectOwner;

/// How a run ended.
struct RunEnd
{
    // Qt's loop was ended by somebody else: quit(), exit(n), the end of the thread.
    bool quit = false;
    int code = 0; // the exit code of that
};

/// The private side of a QAsyncioLoop, which it may outlive as its LoopCore. The parts: turn.cpp
/// (asyncio's side of a run), qt/host.cpp (Qt's side), loop_end.cpp, tasks/create_task.cpp,
/// threads/executor.cpp, exception_handler.cpp; loop.cpp has the public class.
class LoopPrivate final : public LoopCore
{
public:
    LoopPrivate(QAsyncioLoop &loop, std::shared_ptr<Selector> selector,
                std::shared_ptr<Clock> clock);
    ~LoopPrivate() override;

    static LoopPrivate &of(const QAsyncioLoop &loop)
    {
        return static_cast<LoopPrivate &>(loop.core());
    }

    // turn.cpp
    /// Runs turns until nothing is ready, the run ends, or the time slice is over. Called by Qt, at
    /// any depth.
    void process() noexcept;
    void wake_arrived() noexcept;
    void timer_arrived() noexcept;
    void advance_clock() noexcept;
    void post_wake();

    // host.cpp
    /// Throws RuntimeError unless a run may begin now (L-016).
    void check_runnable() const;
    RunEnd run();
    void attach();
    void detach() noexcept;
    /// Called when Qt's dispatcher looks for new events, or (`blocks`) is about to sleep: a nested
    /// loop may need turns, or the end of a run may be due. `frame` is the dispatcher's place in
    /// the stack.
    void dispatcher_turns(bool blocks, const char *frame) noexcept;
    void application_dies() noexcept;
    void dialog_awaited(const QObject *dialog, bool begins);
    /// Completes the futures of quit_requested().
    void tell_of_quit();
    /// Code of the run has opened an event loop.
    bool is_nested() const noexcept;

    /// While one of these is on the stack, so is code of the loop. The outermost one closes the
    /// loop when it goes, if that had to wait.
    class Activation
    {
    public:
        explicit Activation(LoopPrivate &loop);
        ~Activation()
        {
            m_loop.m_innermost = m_outer;
            m_loop.m_dispatcher_frame = m_outer_dispatcher_frame;
            if (!m_outer && Q_UNLIKELY(m_loop.m_end_waits))
                m_loop.close();
            m_loop.release();
        }
        Q_DISABLE_COPY_MOVE(Activation)

        /// The code at `frame` is not the loop's, but a slot that Qt has called above it.
        bool is_under_a_slot(const char *frame) const;

    private:
        LoopPrivate &m_loop;
        Activation *const m_outer;
        const int m_level;
        const char *const m_outer_dispatcher_frame;
    };
    bool is_busy() const { return !ready.empty() || m_batch_left > 0; }
    bool is_on_stack() const { return m_innermost; }
    /// A callback or a step of a task is being executed.
    bool is_executing() const { return m_depth > 0; }
    /// Closes the loop as soon as none of its code is on the stack any more. Until then no turn
    /// begins, and what is on the stack returns.
    void close_later() noexcept;
    /// The innermost code is not the loop's, but a slot that was called by a nested event loop, or
    /// a bare processEvents(), above it.
    bool is_under_a_slot() const;
    bool is_closing_later() const { return m_end_waits; }
    /// close() has begun; a destructor that it calls may destroy the loop object.
    bool is_closing() const { return m_closing; }
    /// Frames of a task are being destroyed.
    bool is_unwinding() const { return thread_data().unwinding > 0; }

    // loop_end.cpp
    void close() noexcept;
    void show_unfinished_tasks() const noexcept;
    void discard_everything() noexcept;
    void destroy_tasks() noexcept;

    // loop.cpp
    void add_timer(TimerState *timer);
    /// Takes one off jobs_in_flight that a coroutine has added while it waits. The coroutine may be
    /// unwound.
    void job_ended();
    // host.cpp
    /// Ends drain() if no task is left. Called after a turn, and after a task was unwound.
    void end_drain_if_empty() noexcept;
    // create_task.cpp
    /// Add and remove a task that begins or ends; the list has the unfinished ones.
    void link_task(TaskStateBase &task);
    void unlink_task(TaskStateBase &task);

    // executor.cpp
    void close_executor() noexcept;
    void check_default_executor() const;
    void own_executor_job_ended() noexcept;
    /// The threads that run functions of this loop.
    QStringList running_jobs() const;

    // exception_handler.cpp
    void report(const ExceptionContext &context) noexcept;

    void call_handler(const ExceptionContext &context);

    qint64 turns() const noexcept { return m_turns; }
    LoopCounters counters() const;
    void measure_turns(bool on) noexcept
    {
        if (on && m_measuring++ == 0)
            m_longest_turn = {};
        else if (!on)
            --m_measuring;
    }
    /// How many runs have begun.
    qint64 runs() const noexcept { return m_runs; }

    LoopPrivate *older_loop = nullptr; // in the list of all loops of the process, for debuggers
    LoopPrivate *newer_loop = nullptr;
    TimerQueue timers;
    Inbox inbox;
    FdTable fds;
    std::shared_ptr<Clock> clock; // null: steady_clock
    std::unique_ptr<Bridge> bridge;
    std::unique_ptr<TimerSource> timer_source;
    CloseListeners close_listeners;
    GeneratorState *first_generator = nullptr; // of those that have begun and not ended
    bool asyncgens_shut_down = false;
    TaskStateBase *first_task = nullptr;
    TaskStateBase *last_task = nullptr;
    // By context object.
    std::unordered_map<const QObject *, std::unique_ptr<ObjectOwner>> object_owners;

    QAsyncioLoop::ExceptionHandler exception_handler;
    QAsyncioLoop::TaskFactory task_factory;
    std::shared_ptr<QThreadPool> executor;
    // The default executor, if it is the program's own and no pool.
    std::shared_ptr<AnyExecutor> own_executor;
    int own_executor_jobs = 0; // in that one, or in those before it
    Announcement own_executor_idle;
    bool executor_shut_down = false;
    int jobs_in_flight = 0; // while it is not 0, a clock of the program's own stands still

    bool strict = false;
    std::chrono::nanoseconds time_slice{};
    std::chrono::nanoseconds quit_deadline{};
    std::chrono::nanoseconds slow_callback_duration = std::chrono::milliseconds(100);
    std::chrono::nanoseconds freeze_limit{}; // 0: none
    std::unique_ptr<Watchdog> watchdog;
    std::shared_ptr<Trace> trace; // null: none is written

    bool handles_signals = false; // or has handled some
    bool stop_requested = false;
    bool attached = false;
    bool ended_with_application = false;
    std::exception_ptr leaving; // LoopExit or KeyboardInterrupt on its way out of the run
    Announcement quit_requests;
    // In this run of the program's main coroutine, or since attach().
    bool quit_was_requested = false;
    std::function<void()> callback_observer;
    std::unordered_map<const QObject *, int> dialogs_awaited; // how many times each
    const ApplicationHooks *hooks = nullptr;                  // those of run(app, main)

private:
    friend struct LoopCore;

    /// A selector of the program's own. Throws ValueError if a loop has it already.
    static std::shared_ptr<Selector> not_taken(std::shared_ptr<Selector> selector);

    void enter_list_of_loops();
    void leave_list_of_loops();

    // turn.cpp
    void begin_turn();
    /// Runs what is left of the batch. False if the time slice ended first.
    bool run_batch();
    void run_watched(Runnable &item);
    /// Names a callback that takes long: in debug mode (L-097), and beyond the freeze limit.
    void run_timed(Runnable &item);
    /// Looks at the clock, and at the selector if that is due. True if the time slice is over.
    bool slice_is_over();
    void ask_selector();
    bool more_has_come();
    void note_end_of_turn() noexcept;
    /// Whether turns may be run here, above those that are on the stack already.
    bool may_nest() const;
    void queue_due_timers();
    void arm_timer();
    /// While a thread works, a clock of the program's own that moves when it is asked to stands
    /// still. One that runs by itself needs the timer.
    void wait_for_threads();
    void disarm_timer();
    bool end_is_due() const { return stop_requested || leaving; }
    bool may_end_here() const;
    void sleep_or_wake();

    // host.cpp
    void begin_run(bool attaching);
    void end_run() noexcept;
    void end_if_possible() noexcept;
    static void end_application(const std::exception_ptr &exception) noexcept;
    /// Code of the loop that is on the stack has ended or detached the loop, and then thrown
    /// LoopExit or KeyboardInterrupt.
    void leave_ended(std::exception_ptr exception) noexcept;
    void leave_qt_loop() noexcept;
    void unblock_application() noexcept;
    bool is_at_own_level(const char *frame) noexcept;
    void look_for_lost_events() noexcept;
    void application_quits() noexcept;
    void ask_tasks_to_end();
    /// Runs on until the tasks have ended, or the quit_deadline is over.
    void drain() noexcept;
    void drain_without_memory() noexcept;
    void name_tasks(const char *what) const;
    class QuitSlot;
    void hear_of_quit() noexcept;
    void end_drain() noexcept;
    int exec_qt();
    int exec_after_exit();

    // Callbacks left of the turn under way; nested event loops go on with the same turn.
    std::size_t m_batch_left = 0;
    int m_depth = 0;                        // calls of process() on the stack
    static constexpr int few_callbacks = 8; // a look at the clock costs as much as one callback
    // Callbacks from one look at the clock to the next; fewer while they are long.
    int m_between_clocks = few_callbacks;
    int m_until_clock = few_callbacks; // callbacks left until the next look
    TimePoint m_clock_seen;
    TimePoint m_poll_due;      // when the selector is asked again
    bool m_poll_found = false; // when it was asked last, since Qt has called
    TimePoint m_slice_end;
    bool m_left = false;        // Qt's loop has been told to end: no more turns in this run
    bool m_ends_here = false;   // the end is ripe, and nothing is open above the run: no more turns
    bool m_end_is_ripe = false; // the turn in which the end was asked for is complete
    // The last pass of Qt's dispatcher has begun: its loop is left when it is about to block again.
    bool m_last_pass = false;
    bool m_break_batch = false;           // a callback has thrown what leaves the loop
    TimePoint m_armed = TimePoint::max(); // what the timer source waits for
    bool m_advance_posted = false;
    bool m_clock_moves = false; // the program's own clock moved when it was last asked to
    qint64 m_turns = 0;
    qint64 m_callbacks = 0; // of all turns, with those that are left of the one under way
    qint64 m_wake_ups = 0;
    int m_measuring = 0;    // how many want to know the longest turn
    TimePoint m_turn_begun; // if it is measured
    std::chrono::nanoseconds m_longest_turn{};
    qint64 m_runs = 0;
    int m_own_level = 0; // QThread::loopLevel() inside of Qt's loop of this run
    // The level at which process() was entered last, while it is on the stack.
    int m_entry_level = 0;
    bool m_pumped = false; // process() was entered by a bare processEvents() in code of the loop
    const char *m_own_frame = nullptr; // see is_at_own_level()
    // Passes that Qt's loop has made without blocking since the end was ripe.
    int m_passes_to_leave = 0;
    // How often Qt was about to block while a posted event had not arrived.
    int m_blocks_unanswered = 0;
    Activation *m_innermost = nullptr;
    // The dispatcher's place in the stack when it last emitted a signal, since the innermost
    // activation.
    const char *m_dispatcher_frame = nullptr;
    bool m_end_waits = false;
    // Whether the application's signals were blocked before leave_qt_loop() blocked them.
    bool m_signals_were_blocked = false;
    bool m_in_exec = false; // in exec() of the application, which this run has called
    QEventLoop *m_event_loop = nullptr;
    QMetaObject::Connection m_awake;
    QMetaObject::Connection m_about_to_block;
    QMetaObject::Connection m_about_to_quit;
    QEventLoop *m_drain = nullptr;
    bool m_quit_waits = false; // drain() waits until code of the loop has left the stack
    bool m_closing = false;
    std::unique_ptr<QObject> m_quit_judge;

    /// When a nested event loop was first and last seen above the callback that is
    /// being timed.
    struct Nested
    {
        TimePoint first, last;
        bool blocked = false; // Qt was about to block in it, and has emitted no signal since
    };
    Nested *m_timed = nullptr;
    int m_timed_level = 0;
};

/// What debug mode asks of the thread that uses a loop, or what belongs to it: while the loop runs,
/// throws RuntimeError in another one.
inline void check_thread_of(const LoopCore &core)
{
    if (core.has(LoopCore::Running) && !core.in_own_thread())
        throw_wrong_thread();
}

/// The loops of the main thread, which the end of the application closes: loop_end.cpp.
void register_main_loop(LoopPrivate *loop);
void unregister_main_loop(LoopPrivate *loop);

/// A run may end for another reason in the turn in which its future is done; the stop() of that
/// future then stays behind in the queue. In asyncio it ends the next run, but it must not end the
/// clean-up of a Runner.
enum class StaleStop { EndsNextRun, Ignored };

/// What Runner needs of a loop beyond the public interface.
class RunnerAccess
{
public:
    static void mark_implicit(QAsyncioLoop &loop, const AnyFuture &task)
    {
        loop.mark_implicit(task);
    }
    static RunEnd run_until_done(QAsyncioLoop &loop, const AnyFuture &future,
                                 StaleStop stale = StaleStop::Ignored);
    static int run_application(Runner &runner, const ApplicationHooks &hooks,
                               const std::function<int(Runner &)> &body);
};

} // namespace QAsyncio::detail
