// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// The trace, the names and the driver.

#include "run.h"

namespace Conformance {

namespace {

constexpr int guard_ticks = 8000; // a run that nothing ends is stopped then
constexpr int cleanup_rounds = 40;
constexpr int max_lines = 400;

/// Where CPython names an object in a message, the rest of it is its own affair.
QString without_object(const QString &message, const QString &before)
{
    return message.left(message.indexOf(before));
}

LoopOptions virtual_time()
{
    return LoopOptions().clock(std::make_shared<VirtualClock>());
}

} // namespace

QString describe(const std::exception_ptr &exception)
{
    try {
        std::rethrow_exception(exception);
    } catch (const ExceptionGroup &group) {
        QStringList members;
        for (const std::exception_ptr &member : group.exceptions())
            members << describe(member);
        return QStringLiteral("ExceptionGroup(%1)[%2]")
            .arg(group.message(), members.join(QStringLiteral("; ")));
    } catch (const LoopExit &) {
        return QStringLiteral("LoopExit: 0");
    } catch (...) {
        const QString text = QAsyncio::describe(exception);
        return text.left(text.indexOf(QStringLiteral(": <")));
    }
}

QString text_of(const QJsonValue &value)
{
    if (value.isDouble())
        return QString::number(value.toInt());
    return value.isString() ? value.toString() : QStringLiteral("None");
}

QString text_of(const Value &value)
{
    return value;
}

QString text_of(bool value)
{
    return value ? QStringLiteral("True") : QStringLiteral("False");
}

QString text_of(int value)
{
    return QString::number(value);
}

QString text_of(const QByteArray &value)
{
    return QString::fromLatin1(value).replace(u'\n', QStringLiteral("\\n"));
}

QString text_of(const std::vector<Value> &values)
{
    return u'[' + QStringList(values.begin(), values.end()).join(QStringLiteral(", ")) + u']';
}

QString text_of(const std::vector<Outcome<Value>> &outcomes)
{
    std::vector<Value> values;
    for (const Outcome<Value> &outcome : outcomes) {
        values.push_back(outcome.has_value()
                             ? outcome.value()
                             : QStringLiteral("!! ") + describe(outcome.exception()));
    }
    return text_of(values);
}

bool catches(const QString &kind, const std::exception_ptr &exception)
{
    const bool any = kind == QLatin1String("any");
    try {
        std::rethrow_exception(exception);
    } catch (const std::exception &) {
        return any || kind == QLatin1String("Exception");
    } catch (const CancelledError &) {
        return any || kind == QLatin1String("CancelledError");
    } catch (const LoopExit &) {
        return any;
    } catch (...) { // GeneratorExit
        return false;
    }
}

std::exception_ptr make_exception(const QString &kind, const QJsonValue &message)
{
    const QString text = message.toString();
    if (kind == QLatin1String("AppError"))
        return std::make_exception_ptr(AppError(text));
    if (kind == QLatin1String("CancelledError"))
        return std::make_exception_ptr(CancelledError(text));
    if (kind == QLatin1String("InvalidStateError"))
        return std::make_exception_ptr(InvalidStateError(text));
    if (kind == QLatin1String("LoopExit"))
        return std::make_exception_ptr(LoopExit());
    if (kind == QLatin1String("RuntimeError"))
        return std::make_exception_ptr(RuntimeError(text));
    if (kind == QLatin1String("TimeoutError"))
        return std::make_exception_ptr(TimeoutError(text));
    return std::make_exception_ptr(ValueError(text));
}

Run::Run() : m_loop(virtual_time())
{
    m_loop.set_exception_handler(
        [this](QAsyncioLoop &, const ExceptionContext &context) { report(context); });
}

void Run::line(const QString &who, const QString &text)
{
    if (m_over || m_lines.size() >= max_lines)
        return;
    const AnyTask task = m_loop.current_task();
    const int count = task ? task.cancelling() : 0;
    const QString cancelling = count ? u'+' + QString::number(count) : QString();
    m_lines << tick_text(m_loop.time()) + u' ' + who + cancelling + u' ' + text;
}

QString Run::tick_text(TimePoint when) const
{
    return QString::number((when - m_begin) / ticks(1));
}

void Run::report(const ExceptionContext &context)
{
    QString message = context.message;
    const QString exception = context.exception ? describe(context.exception) : QString();
    if (message.endsWith(QLatin1String("exception was never retrieved"))) {
        m_unretrieved
            << QStringLiteral("unretrieved %1 %2").arg(message.section(u' ', 0, 0), exception);
        return;
    }
    if (message.startsWith(QLatin1String("Exception in callback")))
        message = QStringLiteral("Exception in callback");
    QStringList fields;
    if (context.exception)
        fields << QStringLiteral("exception");
    if (context.future)
        fields << QStringLiteral("future");
    if (context.task)
        fields << QStringLiteral("task");
    line(QStringLiteral("!"),
         QStringLiteral("report %1: %2 (%3) var=%4")
             .arg(without_object(message, QStringLiteral(" <")), exception, fields.join(u' '))
             .arg(m_var.get()));
}

const Object *Run::find(const QString &who, const QString &name)
{
    const auto found = m_objects.find(name);
    if (found != m_objects.end())
        return &found->second;
    line(who, QStringLiteral("unset ") + name);
    return nullptr;
}

AnyFuture Run::find_future(const QString &who, const QString &name)
{
    if (name == QLatin1String("me"))
        return find_task(who, name);
    AnyFuture any;
    with_future(who, name, [&any](const AnyFuture &future) { any = future; });
    return any;
}

AnyTask Run::find_task(const QString &who, const QString &name)
{
    if (name == QLatin1String("me")) {
        const AnyTask task = m_loop.current_task();
        if (!task)
            line(who, QStringLiteral("unset me"));
        return task;
    }
    const auto *task = find_as<Task<Value>>(who, name);
    return task ? AnyTask(*task) : AnyTask();
}

std::optional<Context> Run::context_of(const QJsonValue &options) const
{
    const auto found = m_objects.find(options[QLatin1String("context")].toString());
    if (found == m_objects.end())
        return {};
    return std::get<Context>(found->second);
}

bool Run::running(const QString &who, const QString &text)
{
    if (!m_loop.is_running())
        line(who, text + QStringLiteral(": no running loop"));
    return m_loop.is_running();
}

template<class F>
void Run::drive(const QString &text, F &&run)
{
    TimerHandle guard = m_loop.call_later(ticks(guard_ticks), [this] {
        m_was_idle = true;
        line(QStringLiteral("-"), QStringLiteral("idle"));
        m_loop.stop();
    });
    attempt(QStringLiteral("-"), text, run);
    guard.cancel();
}

void Run::do_run(const QString &, const QJsonArray &step)
{
    const QString name = step[1].toString();
    const Task<Value> task = m_loop.create_task(body_of(step));
    m_objects[name] = task;
    drive(QStringLiteral("run ") + name, [&] { return m_loop.run_until_complete(task); });
}

void Run::do_run_coro(const QString &, const QJsonArray &step)
{
    drive(QStringLiteral("run_coro ") + step[1].toString(),
          [&] { return m_loop.run_until_complete(body_of(step)); });
}

void Run::do_run_slot(const QString &who, const QJsonArray &step)
{
    const QString name = step[1].toString();
    with_future(who, name, [&](const auto &future) {
        drive(QStringLiteral("run_slot ") + name,
              [&] { return text_of(m_loop.run_until_complete(future)); });
    });
}

void Run::do_run_forever(const QString &, const QJsonArray &)
{
    drive(QStringLiteral("run_forever"), [this] {
        m_loop.run_forever();
        return QStringLiteral("None");
    });
}

QStringList Run::execute(const QJsonArray &driver)
{
    const Context context;
    context.run([&] {
        for (const QJsonValue &value : driver) {
            const QJsonArray step = value.toArray();
            const QString operation = step[0].toString();
            try {
                (this->*plain_steps().value(operation))(QStringLiteral("-"), step);
            } catch (...) {
                line(QStringLiteral("-"),
                     operation + QStringLiteral(" !! ") + describe(std::current_exception()));
            }
        }
        end();
    });
    return m_lines;
}

/// Cancels what is left until nothing is, closes the generators, tells what became of everything.
void Run::end()
{
    bool generators = true;
    bool queued = true;
    for (int round = 0; round < cleanup_rounds; ++round) {
        const std::vector<AnyTask> pending = m_loop.all_tasks();
        if (!pending.empty()) {
            line(QStringLiteral("-"), QStringLiteral("cleanup %1").arg(pending.size()));
            if (round > 0)
                release_locks();
            for (AnyTask task : pending)
                task.cancel();
            do_run_forever({}, {});
        } else if (generators) {
            generators = false;
            drive(QStringLiteral("shutdown_asyncgens"), [this] {
                m_loop.run_until_complete(m_loop.shutdown_asyncgens());
                return QStringLiteral("None");
            });
        } else if (queued) {
            m_was_idle = false; // else stop() has ended it too early
            do_run_forever({}, {});
            queued = !m_was_idle;
        } else {
            break;
        }
    }
    for (const auto &[name, object] : m_objects) {
        if (const QString state = final_state(object); !state.isEmpty())
            line(QStringLiteral("-"), QStringLiteral("final %1 %2").arg(name, state));
    }
    m_over = true;
    m_objects.clear();
    m_loop.set_exception_handler([this](QAsyncioLoop &, const ExceptionContext &context) {
        if (!context.message.endsWith(QLatin1String("destroyed but it is pending!")))
            report(context);
    });
    m_loop.close();
    m_unretrieved.sort();
    m_lines += m_unretrieved;
}

/// So that whoever waits for a lock that nobody releases any more goes on: a cancelled wait for a
/// condition does not end without it.
void Run::release_locks()
{
    for (const auto &[name, object] : m_objects) {
        if (const auto *lock = std::get_if<std::shared_ptr<Lock>>(&object)) {
            if ((*lock)->locked())
                (*lock)->release();
        } else if (const auto *condition = std::get_if<std::shared_ptr<Condition>>(&object)) {
            if ((*condition)->locked())
                (*condition)->release();
        }
    }
}

QString Run::final_state(const Object &object)
{
    if (const auto *future = std::get_if<Future<Value>>(&object))
        return state_of(*future);
    if (const auto *task = std::get_if<Task<Value>>(&object))
        return state_of<Value>(*task);
    if (const auto *gathered = std::get_if<Future<std::vector<Value>>>(&object))
        return state_of(*gathered);
    if (const auto *outcomes = std::get_if<Future<std::vector<Outcome<Value>>>>(&object))
        return state_of(*outcomes);
    return {};
}

} // namespace Conformance
