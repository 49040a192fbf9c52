// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/loop.h"
#include "qasyncio/runner.h"

#include "loop/announcement.h"
#include "qt/bridge.h"
#include "loop/fd_table.h"
#include "loop/inbox.h"
#include "loop/timer_queue.h"
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
    bool quit = false; // Qt's loop was ended by somebody else: quit(), exit(n), the end of the thread
    int code = 0;      // of that
};

/// The state of a loop and its turns. The parts: turn.cpp (asyncio's side of a run), qt/host.cpp (Qt's side), loop_end.cpp,
/// tasks/create_task.cpp, threads/executor.cpp, exception_handler.cpp; loop.cpp has the public class.
class LoopPrivate final : public LoopCore
{
public:
    LoopPrivate(QAsyncioLoop &loop, std::shared_ptr<Selector> selector, std::shared_ptr<Clock> clock);
    ~LoopPrivate() override;

    static LoopPrivate &of(const QAsyncioLoop &loop) { return static_cast<LoopPrivate &>(loop.core()); }

    // turn.cpp
    /// Runs turns until nothing is ready, the run ends, or the time slice is over. Called by Qt, at any depth.
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
    /// The dispatcher looks for new events, or is about to sleep: a nested loop may need us, or an end may be due. `frame` is a
    /// place in the stack.
    void dispatcher_turns(bool blocks, const char *frame) noexcept;
    void application_dies() noexcept;
    void dialog_awaited(const QObject *dialog, bool begins);
    /// Completes the futures of quit_requested().
    void tell_of_quit();
    /// A nested event loop is open above the code of the run.
    bool is_nested() const noexcept;

    /// Code of the loop is on the stack while one of these is. The last one carries out an end that had to wait for it.
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
    /// Closes the loop as soon as no code of it is on the stack any more: no turn is begun, what is on the stack returns.
    void close_later() noexcept;
    /// The innermost code is not the loop's, but a slot that a nested event loop, or a bare processEvents(), above it has called.
    bool is_under_a_slot() const;
    bool is_closing_later() const { return m_end_waits; }
    /// Inside of close(): a destructor destroys the loop.
    bool is_closing() const { return m_closing; }
    /// Frames of a task are being destroyed.
    bool is_unwinding() const { return thread_data().unwinding > 0; }

    // loop_end.cpp
    void close() noexcept;
    void discard_everything() noexcept;
    void destroy_tasks() noexcept;

    // loop.cpp
    void add_timer(TimerState *timer);
    /// A job in flight has ended otherwise than by coming home: in a task that may be unwound.
    void job_ended();
    /// The last task may have ended, in a turn or because it was unwound.
    void end_drain_if_empty() noexcept;
    /// A task has begun or ended: the list of the unfinished ones.
    void link_task(TaskStateBase &task);
    void unlink_task(TaskStateBase &task);

    // executor.cpp
    void close_executor() noexcept;
    /// The threads that run functions of this loop.
    QStringList running_jobs() const;

    // exception_handler.cpp
    void report(const ExceptionContext &context) noexcept;

    void call_handler(const ExceptionContext &context);

    qint64 turns() const noexcept { return m_turns; }
    /// How many runs have begun.
    qint64 runs() const noexcept { return m_runs; }

    TimerQueue timers;
    Inbox inbox;
    FdTable fds;
    std::shared_ptr<Clock> clock; // null: steady_clock
    std::unique_ptr<Bridge> bridge;
    std::unique_ptr<TimerSource> timer_source;
    GeneratorState *first_generator = nullptr; // of those that have begun and not ended
    bool asyncgens_shut_down = false;
    TaskStateBase *first_task = nullptr;
    TaskStateBase *last_task = nullptr;
    std::unordered_map<const QObject *, std::unique_ptr<ObjectOwner>> object_owners; // by context object

    QAsyncioLoop::ExceptionHandler exception_handler;
    QAsyncioLoop::TaskFactory task_factory;
    std::shared_ptr<QThreadPool> executor;
    bool executor_shut_down = false;
    int jobs_in_flight = 0; // while it is not 0 a clock of the program's own stands still

    bool strict = false;
    std::chrono::nanoseconds time_slice{};
    std::chrono::nanoseconds quit_deadline{};
    std::chrono::nanoseconds slow_callback_duration = std::chrono::milliseconds(100);

    bool stop_requested = false;
    bool attached = false;
    bool ended_with_application = false;
    std::exception_ptr leaving; // LoopExit or KeyboardInterrupt on its way out of the run
    Announcement quit_requests;
    bool quit_was_requested = false; // in this run of the program's main coroutine, or since attach()
    std::function<void()> callback_observer;
    std::unordered_map<const QObject *, int> dialogs_awaited; // and how often
    const ApplicationHooks *hooks = nullptr; // of run(app, main)

private:
    friend struct LoopCore;

    // turn.cpp
    void begin_turn();
    /// Runs what is left of the batch. False if the time slice ended first.
    bool run_batch();
    void run_watched(Runnable &item);
    /// Debug mode: names a callback that takes long (L-097).
    void run_timed(Runnable &item);
    /// Looks at the clock, and on time at the selector.
    bool slice_is_over();
    void ask_selector();
    /// Whether turns may be run here, above those that are on the stack already.
    bool may_nest() const;
    void queue_due_timers();
    void arm_timer();
    /// The program's own clock stands still while a thread works, if it is one that moves on when it is asked to.
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
    /// Code of the loop that is on the stack has ended the loop, and then thrown what leaves it.
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

    std::size_t m_batch_left = 0; // of the turn under way: shared with the turns of nested loops
    int m_depth = 0;              // of process() on the stack
    static constexpr int few_callbacks = 8; // a look at the clock costs as much as one
    int m_between_clocks = few_callbacks; // callbacks from one look at the clock to the next; 1 while they are long
    int m_until_clock = few_callbacks;    // and until the next one
    TimePoint m_clock_seen;
    TimePoint m_poll_due; // when the selector is asked again
    TimePoint m_slice_end;
    bool m_left = false; // Qt's loop has been told to end: no more turns in this run
    bool m_ends_here = false; // the end is ripe, and nothing is open above the run: no more turns
    bool m_end_is_ripe = false; // the turn in which the end was asked for is complete
    bool m_last_pass = false; // of Qt's dispatcher has begun: it is left when it is about to block once more
    bool m_break_batch = false; // a callback has thrown what leaves the loop
    TimePoint m_armed = TimePoint::max(); // what the timer source waits for
    bool m_advance_posted = false;
    bool m_clock_moves = false; // the program's own clock: it has moved on when it was asked to
    qint64 m_turns = 0;
    qint64 m_runs = 0;
    int m_own_level = 0;       // QThread::loopLevel() inside of Qt's loop of this run
    int m_entry_level = 0;     // and where process() was entered last, while it is on the stack
    bool m_pumped = false;     // it was entered by a bare processEvents() in code of ours
    const char *m_own_frame = nullptr; // see is_at_own_level()
    int m_passes_to_leave = 0; // that Qt's loop has made since the end is ripe, without blocking
    int m_blocks_unanswered = 0; // since an event was posted to the bridge
    Activation *m_innermost = nullptr;
    const char *m_dispatcher_frame = nullptr; // where it has spoken last, since the innermost activation
    bool m_end_waits = false;
    bool m_signals_were_blocked = false; // those of the application, before they were to end a run
    bool m_in_exec = false; // of the application, which this run has called
    QEventLoop *m_event_loop = nullptr;
    QMetaObject::Connection m_awake;
    QMetaObject::Connection m_about_to_block;
    QMetaObject::Connection m_about_to_quit;
    QEventLoop *m_drain = nullptr;
    bool m_quit_waits = false; // for code of the loop that is on the stack: then drain()
    bool m_closing = false;
    std::unique_ptr<QObject> m_quit_judge;

    /// Debug mode: when a nested event loop was seen first and last above the callback that is being timed.
    struct Nested
    {
        TimePoint first, last;
        bool blocked = false; // Qt was about to block in it, and has not spoken since
    };
    Nested *m_timed = nullptr;
    int m_timed_level = 0;
};

/// The loops of the main thread, which the end of the application closes: loop_end.cpp.
void register_main_loop(LoopPrivate *loop);
void unregister_main_loop(LoopPrivate *loop);

/// A run that ends by something else in the turn in which its future is done leaves a queued stop() behind. In asyncio that ends
/// the next run; it must not be the clean-up of a Runner.
enum class StaleStop { EndsNextRun, Ignored };

/// What Runner needs of a loop beyond its public face.
class RunnerAccess
{
public:
    static void mark_implicit(QAsyncioLoop &loop, const AnyFuture &task) { loop.mark_implicit(task); }
    static RunEnd run_until_done(QAsyncioLoop &loop, const AnyFuture &future, StaleStop stale = StaleStop::Ignored);
    static int run_application(Runner &runner, const ApplicationHooks &hooks, const std::function<int(Runner &)> &body);
};

} // namespace QAsyncio::detail
