// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <qasyncio.h>

#include <QtCore/qhash.h>
#include <QtCore/qjsonarray.h>
#include <QtCore/qstringlist.h>

#include <map>
#include <memory>
#include <variant>

/// The program's own exception. Not in a namespace: its name is part of the trace.
class AppError : public QAsyncio::Error
{
public:
    using Error::Error;
};

namespace Conformance {

using namespace QAsyncio;

/// Every result is the text that stands for it in the trace.
using Value = QString;
/// What a sequence of steps returned, if it came to a "return".
using Returned = std::optional<Value>;

/// What the exception is in the trace: "AppError: m1", "ExceptionGroup(unhandled errors in a
/// TaskGroup)[AppError: m1]".
QString describe(const std::exception_ptr &exception);
QString text_of(const QJsonValue &value);
QString text_of(const Value &value);
QString text_of(bool value);
QString text_of(int value);
QString text_of(const QByteArray &value);
QString text_of(const std::vector<Value> &values);
QString text_of(const std::vector<Outcome<Value>> &outcomes);

/// Whether the step "try" catches `exception`: "", "Exception", "CancelledError" or "any".
bool catches(const QString &kind, const std::exception_ptr &exception);
std::exception_ptr make_exception(const QString &kind, const QJsonValue &message);

/// The duration of a number of ticks.
inline std::chrono::nanoseconds ticks(const QJsonValue &count)
{
    return std::chrono::milliseconds(125) * count.toInt();
}

struct AddedCallback
{
    AnyFuture future;
    DoneCallbackId id;
};

using Generator = std::shared_ptr<AsyncGenerator<Value>>;

/// The items of queues are numbers.
struct Smaller
{
    bool operator()(const Value &a, const Value &b) const { return a.toInt() < b.toInt(); }
};
using Fifo = Queue<Value>;
using Priority = PriorityQueue<Value, Smaller>;
using Lifo = LifoQueue<Value>;

/// What a name stands for. Those that can be awaited come first.
using Object = std::variant<
    std::monostate, Future<Value>, Task<Value>, Future<std::vector<Value>>,
    Future<std::vector<Outcome<Value>>>, Handle, AddedCallback, Generator, Timeout *, TaskGroup *,
    Context, std::shared_ptr<Lock>, std::shared_ptr<Event>, std::shared_ptr<Condition>,
    std::shared_ptr<Semaphore>, std::shared_ptr<Barrier>, std::shared_ptr<Fifo>,
    std::shared_ptr<Priority>, std::shared_ptr<Lifo>, std::shared_ptr<StreamReader>>;

/// One program of the conformance language (README.md) in a loop of its own, with virtual time.
/// Methods do_* are the plain steps, await_* those that await. They get who speaks in the trace and
/// the step: its operation and the arguments.
class Run
{
public:
    Run();
    Q_DISABLE_COPY_MOVE(Run)

    /// Runs the program to its end and gives the trace.
    QStringList execute(const QJsonArray &driver);

private:
    using Plain = void (Run::*)(const QString &who, const QJsonArray &step);
    using Awaiting = Coroutine<Returned> (Run::*)(QString who, QJsonArray step);
    static const QHash<QString, Plain> &plain_steps();
    static const QHash<QString, Awaiting> &awaiting_steps();

    // The trace
    void line(const QString &who, const QString &text);
    void report(const ExceptionContext &context);
    QString tick_text(TimePoint when) const;
    template<class T>
    static QString state_of(const Future<T> &future);
    /// A plain step that may fail: it says so and the program goes on.
    template<class F>
    void attempt(const QString &who, const QString &text, F &&call);

    // Names
    const Object *find(const QString &who, const QString &name);
    template<class T>
    const T *find_as(const QString &who, const QString &name);
    /// Calls `f` with what can be awaited under this name, in its own type; gives false, after a
    /// line of the trace, if there is nothing.
    template<class F>
    bool with_future(const QString &who, const QString &name, F &&f);
    /// The same as a future without its type. "me" is the current task.
    AnyFuture find_future(const QString &who, const QString &name);
    AnyTask find_task(const QString &who, const QString &name);
    /// Calls `f` with the lock, queue or the like under this name, if it is one of these; gives
    /// false, after a line of the trace, if there is none.
    template<class... T, class F>
    bool with_one_of(const QString &who, const QString &name, F &&f);
    std::optional<Context> context_of(const QJsonValue &options) const;
    bool running(const QString &who, const QString &text);

    // Bodies
    void run_plain(const QString &who, const QJsonArray &steps);
    Coroutine<Returned> run(QString who, QJsonArray steps);
    Coroutine<Value> body(QString name, QJsonArray steps);
    Coroutine<Value> body_of(const QJsonArray &spec)
    {
        return body(spec[1].toString(), spec[2].toArray());
    }
    AsyncGenerator<Value> generator(QString name, QJsonArray steps);
    Coroutine<Returned> nothing();
    Coroutine<Returned> guarded(QString who, QJsonArray step);
    template<class A>
    Coroutine<Returned> awaiting(QString who, QString text, A awaitable,
                                 Value of_void = QStringLiteral("None"));
    template<class A>
    Coroutine<Returned> limited(QString who, A awaitable, QJsonValue limit);
    Coroutine<Returned> step_generator(QString who, QString text, Generator generator,
                                       std::exception_ptr thrown);
    std::map<QString, Future<Value>> to_complete(const QString &who, const QJsonValue &names);
    static AsCompleted<Value> completions(const std::map<QString, Future<Value>> &found,
                                          const QJsonValue &names, const QJsonValue &timeout);
    Coroutine<Value> completing(QString name, Coroutine<Value> awaitable);
    template<class... T, class F>
    void call(const QString &who, const QJsonArray &step, F &&method);
    template<class... T, class F>
    Coroutine<Returned> awaited_call(const QString &who, const QJsonArray &step, F &&method,
                                     const Value &of_void = QStringLiteral("None"));
    template<class T>
    Coroutine<Returned> holding(QString who, std::shared_ptr<T> lock, QJsonArray steps);

    // The driver
    template<class F>
    void drive(const QString &text, F &&run);
    void end();
    void release_locks();
    QString final_state(const Object &object);

    void do_call_soon(const QString &who, const QJsonArray &step);
    void do_call_later(const QString &who, const QJsonArray &step);
    void do_call_at(const QString &who, const QJsonArray &step);
    void do_cancel_handle(const QString &who, const QJsonArray &step);
    void do_stop(const QString &who, const QJsonArray &step);
    void do_raise(const QString &who, const QJsonArray &step);
    void do_report(const QString &who, const QJsonArray &step);
    void do_set_var(const QString &who, const QJsonArray &step);
    void do_get_var(const QString &who, const QJsonArray &step);
    void do_copy_context(const QString &who, const QJsonArray &step);
    void do_future(const QString &who, const QJsonArray &step);
    void do_create_task(const QString &who, const QJsonArray &step);
    void do_set_result(const QString &who, const QJsonArray &step);
    void do_set_exception(const QString &who, const QJsonArray &step);
    void do_cancel(const QString &who, const QJsonArray &step);
    void do_uncancel(const QString &who, const QJsonArray &step);
    void do_result(const QString &who, const QJsonArray &step);
    void do_exception(const QString &who, const QJsonArray &step);
    void do_state(const QString &who, const QJsonArray &step);
    void do_add_done_callback(const QString &who, const QJsonArray &step);
    void do_remove_done_callback(const QString &who, const QJsonArray &step);
    void do_drop(const QString &who, const QJsonArray &step);
    void do_gather(const QString &who, const QJsonArray &step);
    void do_shield(const QString &who, const QJsonArray &step);
    void do_complete_in_tasks(const QString &who, const QJsonArray &step);
    void do_reschedule(const QString &who, const QJsonArray &step);
    void do_expired(const QString &who, const QJsonArray &step);
    void do_group_task(const QString &who, const QJsonArray &step);
    void do_agen(const QString &who, const QJsonArray &step);
    /// Makes a lock, queue or the like.
    template<class T, class Kept = T>
    void do_make(const QString &who, const QJsonArray &step);
    void do_release(const QString &who, const QJsonArray &step);
    void do_locked(const QString &who, const QJsonArray &step);
    void do_event_set(const QString &who, const QJsonArray &step);
    void do_event_clear(const QString &who, const QJsonArray &step);
    void do_notify(const QString &who, const QJsonArray &step);
    void do_put_nowait(const QString &who, const QJsonArray &step);
    void do_get_nowait(const QString &who, const QJsonArray &step);
    void do_task_done(const QString &who, const QJsonArray &step);
    void do_queue_shutdown(const QString &who, const QJsonArray &step);
    void do_feed_data(const QString &who, const QJsonArray &step);
    void do_feed_eof(const QString &who, const QJsonArray &step);
    void do_run(const QString &who, const QJsonArray &step);
    void do_run_coro(const QString &who, const QJsonArray &step);
    void do_run_slot(const QString &who, const QJsonArray &step);
    void do_run_forever(const QString &who, const QJsonArray &step);

    Coroutine<Returned> await_sleep(QString who, QJsonArray step);
    Coroutine<Returned> await_await(QString who, QJsonArray step);
    Coroutine<Returned> await_call(QString who, QJsonArray step);
    Coroutine<Returned> await_try(QString who, QJsonArray step);
    Coroutine<Returned> await_wait(QString who, QJsonArray step);
    Coroutine<Returned> await_wait_for(QString who, QJsonArray step);
    Coroutine<Returned> await_as_completed(QString who, QJsonArray step);
    Coroutine<Returned> await_timeout(QString who, QJsonArray step);
    Coroutine<Returned> await_group(QString who, QJsonArray step);
    Coroutine<Returned> await_next(QString who, QJsonArray step);
    Coroutine<Returned> await_athrow(QString who, QJsonArray step);
    Coroutine<Returned> await_aclose(QString who, QJsonArray step);
    Coroutine<Returned> await_shutdown_asyncgens(QString who, QJsonArray step);
    Coroutine<Returned> await_acquire(QString who, QJsonArray step);
    Coroutine<Returned> await_with(QString who, QJsonArray step);
    Coroutine<Returned> await_event_wait(QString who, QJsonArray step);
    Coroutine<Returned> await_condition_wait(QString who, QJsonArray step);
    Coroutine<Returned> await_barrier_wait(QString who, QJsonArray step);
    Coroutine<Returned> await_barrier_reset(QString who, QJsonArray step);
    Coroutine<Returned> await_barrier_abort(QString who, QJsonArray step);
    Coroutine<Returned> await_put(QString who, QJsonArray step);
    Coroutine<Returned> await_get(QString who, QJsonArray step);
    Coroutine<Returned> await_join(QString who, QJsonArray step);
    Coroutine<Returned> await_read(QString who, QJsonArray step);
    Coroutine<Returned> await_readline(QString who, QJsonArray step);
    Coroutine<Returned> await_readexactly(QString who, QJsonArray step);
    Coroutine<Returned> await_readuntil(QString who, QJsonArray step);

    ContextVar<int> m_var{QStringLiteral("var"), 0};
    QAsyncioLoop m_loop;
    const TimePoint m_begin = m_loop.time();
    std::map<QString, Object> m_objects;
    QStringList m_lines;
    QStringList m_unretrieved;
    bool m_was_idle = false;
    bool m_over = false;
};

template<class T>
QString Run::state_of(const Future<T> &future)
{
    if (!future.done())
        return QStringLiteral("pending");
    if (future.cancelled())
        return QStringLiteral("cancelled");
    if (const std::exception_ptr exception = future.exception())
        return QStringLiteral("!! ") + describe(exception);
    return QStringLiteral("-> ") + text_of(future.result());
}

template<class F>
void Run::attempt(const QString &who, const QString &text, F &&call)
{
    QString outcome;
    try {
        outcome = QStringLiteral(" -> ") + call();
    } catch (...) {
        outcome = QStringLiteral(" !! ") + describe(std::current_exception());
    }
    line(who, text + outcome);
}

template<class T>
const T *Run::find_as(const QString &who, const QString &name)
{
    const auto found = m_objects.find(name);
    const T *const object = found == m_objects.end() ? nullptr : std::get_if<T>(&found->second);
    if (!object)
        line(who, QStringLiteral("unset ") + name);
    return object;
}

template<class F>
bool Run::with_future(const QString &who, const QString &name, F &&f)
{
    const Object *const object = find(who, name);
    if (!object)
        return false;
    if (const auto *future = std::get_if<Future<Value>>(object))
        f(Future<Value>(*future));
    else if (const auto *task = std::get_if<Task<Value>>(object))
        f(Task<Value>(*task));
    else if (const auto *gathered = std::get_if<Future<std::vector<Value>>>(object))
        f(Future<std::vector<Value>>(*gathered));
    else
        f(Future<std::vector<Outcome<Value>>>(
            std::get<Future<std::vector<Outcome<Value>>>>(*object)));
    return true;
}

template<class... T, class F>
bool Run::with_one_of(const QString &who, const QString &name, F &&f)
{
    const auto found = m_objects.find(name);
    const auto call_if = [&](const auto *object) {
        if (object)
            f(*object);
        return object != nullptr;
    };
    const bool any = found != m_objects.end()
        && (call_if(std::get_if<std::shared_ptr<T>>(&found->second)) || ...);
    if (!any)
        line(who, QStringLiteral("unset ") + name);
    return any;
}

} // namespace Conformance
