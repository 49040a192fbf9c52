// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// The steps that do not await.

#include "run.h"

namespace Conformance {

const QHash<QString, Run::Plain> &Run::plain_steps()
{
    static const QHash<QString, Plain> steps{
        {QStringLiteral("call_soon"), &Run::do_call_soon},
        {QStringLiteral("call_later"), &Run::do_call_later},
        {QStringLiteral("call_at"), &Run::do_call_at},
        {QStringLiteral("cancel_handle"), &Run::do_cancel_handle},
        {QStringLiteral("stop"), &Run::do_stop},
        {QStringLiteral("raise"), &Run::do_raise},
        {QStringLiteral("report"), &Run::do_report},
        {QStringLiteral("set_var"), &Run::do_set_var},
        {QStringLiteral("get_var"), &Run::do_get_var},
        {QStringLiteral("copy_context"), &Run::do_copy_context},
        {QStringLiteral("future"), &Run::do_future},
        {QStringLiteral("create_task"), &Run::do_create_task},
        {QStringLiteral("set_result"), &Run::do_set_result},
        {QStringLiteral("set_exception"), &Run::do_set_exception},
        {QStringLiteral("cancel"), &Run::do_cancel},
        {QStringLiteral("uncancel"), &Run::do_uncancel},
        {QStringLiteral("result"), &Run::do_result},
        {QStringLiteral("exception"), &Run::do_exception},
        {QStringLiteral("state"), &Run::do_state},
        {QStringLiteral("add_done_callback"), &Run::do_add_done_callback},
        {QStringLiteral("remove_done_callback"), &Run::do_remove_done_callback},
        {QStringLiteral("drop"), &Run::do_drop},
        {QStringLiteral("gather"), &Run::do_gather},
        {QStringLiteral("shield"), &Run::do_shield},
        {QStringLiteral("complete_in_tasks"), &Run::do_complete_in_tasks},
        {QStringLiteral("reschedule"), &Run::do_reschedule},
        {QStringLiteral("expired"), &Run::do_expired},
        {QStringLiteral("group_task"), &Run::do_group_task},
        {QStringLiteral("agen"), &Run::do_agen},
        {QStringLiteral("lock"), &Run::do_make<Lock>},
        {QStringLiteral("event"), &Run::do_make<Event>},
        {QStringLiteral("condition"), &Run::do_make<Condition>},
        {QStringLiteral("semaphore"), &Run::do_make<Semaphore>},
        {QStringLiteral("bounded_semaphore"), &Run::do_make<BoundedSemaphore, Semaphore>},
        {QStringLiteral("barrier"), &Run::do_make<Barrier>},
        {QStringLiteral("queue"), &Run::do_make<Fifo>},
        {QStringLiteral("priority_queue"), &Run::do_make<Priority>},
        {QStringLiteral("lifo_queue"), &Run::do_make<Lifo>},
        {QStringLiteral("reader"), &Run::do_make<StreamReader>},
        {QStringLiteral("feed_data"), &Run::do_feed_data},
        {QStringLiteral("feed_eof"), &Run::do_feed_eof},
        {QStringLiteral("release"), &Run::do_release},
        {QStringLiteral("locked"), &Run::do_locked},
        {QStringLiteral("event_set"), &Run::do_event_set},
        {QStringLiteral("event_clear"), &Run::do_event_clear},
        {QStringLiteral("notify"), &Run::do_notify},
        {QStringLiteral("put_nowait"), &Run::do_put_nowait},
        {QStringLiteral("get_nowait"), &Run::do_get_nowait},
        {QStringLiteral("task_done"), &Run::do_task_done},
        {QStringLiteral("queue_shutdown"), &Run::do_queue_shutdown},
        {QStringLiteral("run"), &Run::do_run},
        {QStringLiteral("run_coro"), &Run::do_run_coro},
        {QStringLiteral("run_slot"), &Run::do_run_slot},
        {QStringLiteral("run_forever"), &Run::do_run_forever},
    };
    return steps;
}

void Run::run_plain(const QString &who, const QJsonArray &steps)
{
    for (const QJsonValue &value : steps) {
        const QJsonArray step = value.toArray();
        (this->*plain_steps().value(step[0].toString()))(who, step);
    }
}

// Callbacks

void Run::do_call_soon(const QString &, const QJsonArray &step)
{
    const QString name = step[1].toString();
    const auto call = [this, name, steps = step[2].toArray()] {
        line(name, QStringLiteral("run"));
        run_plain(name, steps);
    };
    const auto context = context_of(step[3]);
    m_objects[name] = context ? m_loop.call_soon(call, *context) : m_loop.call_soon(call);
}

void Run::do_call_later(const QString &, const QJsonArray &step)
{
    const QString name = step[1].toString();
    const auto call = [this, name, steps = step[3].toArray()] {
        line(name, QStringLiteral("run"));
        run_plain(name, steps);
    };
    const auto context = context_of(step[4]);
    m_objects[name] = Handle(context ? m_loop.call_later(ticks(step[2]), call, *context)
                                     : m_loop.call_later(ticks(step[2]), call));
}

void Run::do_call_at(const QString &, const QJsonArray &step)
{
    const QString name = step[1].toString();
    const auto call = [this, name, steps = step[3].toArray()] {
        line(name, QStringLiteral("run"));
        run_plain(name, steps);
    };
    const auto context = context_of(step[4]);
    const TimePoint when = m_begin + ticks(step[2]);
    m_objects[name] = Handle(context ? m_loop.call_at(when, call, *context)
                                     : m_loop.call_at(when, call));
}

void Run::do_cancel_handle(const QString &who, const QJsonArray &step)
{
    const QString name = step[1].toString();
    if (const auto *found = find_as<Handle>(who, name)) {
        Handle handle = *found;
        handle.cancel();
        line(who,
             QStringLiteral("cancel_handle %1 -> %2")
                 .arg(name, handle.cancelled() ? QStringLiteral("True") : QStringLiteral("False")));
    }
}

void Run::do_stop(const QString &, const QJsonArray &)
{
    m_loop.stop();
}

void Run::do_raise(const QString &, const QJsonArray &step)
{
    std::rethrow_exception(make_exception(step[1].toString(), step[2]));
}

void Run::do_report(const QString &, const QJsonArray &step)
{
    ExceptionContext context;
    context.message = step[1].toString();
    m_loop.call_exception_handler(context);
}

// Context variables

void Run::do_set_var(const QString &, const QJsonArray &step)
{
    m_var.set(step[1].toInt());
}

void Run::do_get_var(const QString &who, const QJsonArray &)
{
    line(who, QStringLiteral("get_var -> %1").arg(m_var.get()));
}

void Run::do_copy_context(const QString &, const QJsonArray &step)
{
    m_objects[step[1].toString()] = copy_context();
}

// Futures and tasks

void Run::do_future(const QString &, const QJsonArray &step)
{
    m_objects[step[1].toString()] = m_loop.create_future<Value>();
}

void Run::do_create_task(const QString &, const QJsonArray &step)
{
    TaskOptions options;
    if (const auto context = context_of(step[3]))
        options.context(*context);
    options.eager_start(step[3][QLatin1String("eager")].toBool());
    Task<Value> task = m_loop.create_task(body_of(step), options);
    m_objects[step[1].toString()] = std::move(task);
}

void Run::do_set_result(const QString &who, const QJsonArray &step)
{
    const QString name = step[1].toString();
    if (const auto *found = find_as<Future<Value>>(who, name)) {
        attempt(who, QStringLiteral("set_result ") + name, [&, future = *found]() mutable {
            future.set_result(text_of(step[2]));
            return QStringLiteral("None");
        });
    }
}

void Run::do_set_exception(const QString &who, const QJsonArray &step)
{
    const QString name = step[1].toString();
    if (const auto *found = find_as<Future<Value>>(who, name)) {
        attempt(who, QStringLiteral("set_exception ") + name, [&, future = *found]() mutable {
            future.set_exception(make_exception(step[2].toString(), step[3]));
            return QStringLiteral("None");
        });
    }
}

void Run::do_cancel(const QString &who, const QJsonArray &step)
{
    const QString name = step[1].toString();
    if (AnyFuture future = find_future(who, name)) {
        attempt(who, QStringLiteral("cancel ") + name, [&] {
            return future.cancel(step[2].toString()) ? QStringLiteral("True")
                                                     : QStringLiteral("False");
        });
    }
}

void Run::do_uncancel(const QString &who, const QJsonArray &step)
{
    const QString name = step[1].toString();
    if (AnyTask task = find_task(who, name))
        attempt(who, QStringLiteral("uncancel ") + name,
                [&] { return QString::number(task.uncancel()); });
}

void Run::do_result(const QString &who, const QJsonArray &step)
{
    const QString name = step[1].toString();
    with_future(who, name, [&](const auto &future) {
        attempt(who, QStringLiteral("result ") + name, [&] { return text_of(future.result()); });
    });
}

void Run::do_exception(const QString &who, const QJsonArray &step)
{
    const QString name = step[1].toString();
    with_future(who, name, [&](const auto &future) {
        attempt(who, QStringLiteral("exception ") + name, [&] {
            const std::exception_ptr exception = future.exception();
            return exception ? QStringLiteral("!! ") + describe(exception) : QStringLiteral("None");
        });
    });
}

void Run::do_state(const QString &who, const QJsonArray &step)
{
    const QString name = step[1].toString();
    QString text;
    if (!with_future(who, name, [&](const auto &future) { text = state_of(future); }))
        return;
    if (name.startsWith(u't'))
        text += QStringLiteral(" cancelling=%1").arg(find_task(who, name).cancelling());
    line(who, QStringLiteral("state %1 %2").arg(name, text));
}

void Run::do_add_done_callback(const QString &who, const QJsonArray &step)
{
    AnyFuture future = find_future(who, step[1].toString());
    if (!future)
        return;
    const QString name = step[2].toString();
    const auto call = [this, name, steps = step[3].toArray()] {
        line(name, QStringLiteral("run"));
        run_plain(name, steps);
    };
    const auto context = context_of(step[4]);
    const DoneCallbackId id = context ? future.add_done_callback(call, *context)
                                      : future.add_done_callback(call);
    m_objects[name] = AddedCallback{std::move(future), id};
}

void Run::do_remove_done_callback(const QString &who, const QJsonArray &step)
{
    const QString name = step[1].toString();
    if (const auto *found = find_as<AddedCallback>(who, name)) {
        AnyFuture future = found->future;
        line(who,
             QStringLiteral("remove_done_callback %1 -> %2")
                 .arg(name)
                 .arg(future.remove_done_callback(found->id)));
    }
}

void Run::do_drop(const QString &who, const QJsonArray &step)
{
    const QString name = step[1].toString();
    if (find(who, name)) {
        const Object dropped = std::move(m_objects.extract(name).mapped());
    }
}

// Several

void Run::do_gather(const QString &who, const QJsonArray &step)
{
    if (!running(who, QStringLiteral("gather")))
        return;
    // Python's gather() takes a mixture, ours a vector of one type: coroutines as they are if there
    // is nothing else.
    std::vector<Coroutine<Value>> coroutines;
    std::vector<std::variant<Future<Value>, QJsonArray>> children;
    const QJsonArray specs = step[2].toArray();
    bool mixed = specs.isEmpty();
    for (const QJsonValue &spec : specs) {
        if (spec.isArray()) {
            children.emplace_back(spec.toArray());
            continue;
        }
        const QString name = spec.toString();
        mixed = true;
        if (!name.startsWith(u'f') && !name.startsWith(u't'))
            continue;
        if (const Object *object = find(who, name)) {
            const auto *task = std::get_if<Task<Value>>(object);
            children.emplace_back(task ? Future<Value>(*task) : std::get<Future<Value>>(*object));
        }
    }
    const QString name = step[1].toString();
    const bool outcomes = step[3].toBool();
    if (!mixed) {
        for (const auto &child : children)
            coroutines.push_back(body_of(std::get<QJsonArray>(child)));
        if (outcomes)
            m_objects[name] = gather(return_exceptions, std::move(coroutines));
        else
            m_objects[name] = gather(std::move(coroutines));
        return;
    }
    std::vector<Future<Value>> futures;
    for (const auto &child : children) {
        const auto *future = std::get_if<Future<Value>>(&child);
        futures.push_back(future ? *future : ensure_future(body_of(std::get<QJsonArray>(child))));
    }
    if (outcomes)
        m_objects[name] = gather(return_exceptions, std::move(futures));
    else
        m_objects[name] = gather(std::move(futures));
}

void Run::do_shield(const QString &who, const QJsonArray &step)
{
    if (!running(who, QStringLiteral("shield")))
        return;
    const QString name = step[1].toString();
    if (step[2].isArray())
        m_objects[name] = shield(body_of(step[2].toArray()));
    else
        with_future(who, step[2].toString(),
                    [&](const auto &future) { m_objects[name] = shield(future); });
}

// Scopes

void Run::do_reschedule(const QString &who, const QJsonArray &step)
{
    const QString name = step[1].toString();
    if (const auto *scope = find_as<Timeout *>(who, name)) {
        attempt(who, QStringLiteral("reschedule ") + name, [&] {
            std::optional<TimePoint> when;
            if (!step[2].isNull())
                when = m_loop.time() + ticks(step[2]);
            (*scope)->reschedule(when);
            return QStringLiteral("None");
        });
    }
}

void Run::do_expired(const QString &who, const QJsonArray &step)
{
    const QString name = step[1].toString();
    if (const auto *scope = find_as<Timeout *>(who, name)) {
        const auto when = (*scope)->when();
        line(who,
             QStringLiteral("expired %1 -> %2 %3")
                 .arg(name, (*scope)->expired() ? QStringLiteral("True") : QStringLiteral("False"),
                      when ? tick_text(*when) : QStringLiteral("None")));
    }
}

void Run::do_group_task(const QString &who, const QJsonArray &step)
{
    const QString name = step[1].toString();
    if (const auto *group = find_as<TaskGroup *>(who, name)) {
        const QString task_name = step[2].toString();
        const auto options = TaskOptions().eager_start(step[4][QLatin1String("eager")].toBool());
        try {
            m_objects[task_name] = (*group)->create_task(body(task_name, step[3].toArray()),
                                                         options);
        } catch (const RuntimeError &) {
            line(who,
                 QStringLiteral("group_task %1 !! %2")
                     .arg(name, describe(std::current_exception())));
        }
    }
}

void Run::do_agen(const QString &, const QJsonArray &step)
{
    const QString name = step[1].toString();
    m_objects[name] = std::make_shared<AsyncGenerator<Value>>(generator(name, step[2].toArray()));
}

// Locks, queues and the like

template<class T, class Kept>
void Run::do_make(const QString &, const QJsonArray &step)
{
    std::shared_ptr<Kept> made;
    if constexpr (std::is_constructible_v<T, int>)
        made = std::make_shared<T>(step[2].toInt());
    else
        made = std::make_shared<T>();
    m_objects[step[1].toString()] = std::move(made);
}

/// Calls `method` with what is named, and tells what it gives.
template<class... T, class F>
void Run::call(const QString &who, const QJsonArray &step, F &&method)
{
    const QString name = step[1].toString();
    with_one_of<T...>(who, name, [&](const auto &object) {
        attempt(who, step[0].toString() + u' ' + name, [&] {
            if constexpr (std::is_void_v<decltype(method(*object))>) {
                method(*object);
                return QStringLiteral("None");
            } else {
                return text_of(method(*object));
            }
        });
    });
}

void Run::do_release(const QString &who, const QJsonArray &step)
{
    call<Lock, Condition, Semaphore>(who, step, [](auto &lock) { lock.release(); });
}

void Run::do_locked(const QString &who, const QJsonArray &step)
{
    call<Lock, Condition, Semaphore>(who, step, [](const auto &lock) { return lock.locked(); });
}

void Run::do_event_set(const QString &who, const QJsonArray &step)
{
    call<Event>(who, step, [](Event &event) { event.set(); });
}

void Run::do_event_clear(const QString &who, const QJsonArray &step)
{
    call<Event>(who, step, [](Event &event) { event.clear(); });
}

void Run::do_notify(const QString &who, const QJsonArray &step)
{
    call<Condition>(who, step, [&](Condition &condition) { condition.notify(step[2].toInt()); });
}

void Run::do_put_nowait(const QString &who, const QJsonArray &step)
{
    call<Fifo, Priority, Lifo>(who, step, [&](auto &queue) { queue.put_nowait(text_of(step[2])); });
}

void Run::do_get_nowait(const QString &who, const QJsonArray &step)
{
    call<Fifo, Priority, Lifo>(who, step, [](auto &queue) { return queue.get_nowait(); });
}

void Run::do_task_done(const QString &who, const QJsonArray &step)
{
    call<Fifo, Priority, Lifo>(who, step, [](auto &queue) { queue.task_done(); });
}

void Run::do_queue_shutdown(const QString &who, const QJsonArray &step)
{
    call<Fifo, Priority, Lifo>(who, step, [&](auto &queue) { queue.shutdown(step[2].toBool()); });
}

void Run::do_feed_data(const QString &who, const QJsonArray &step)
{
    const QByteArray data = step[2].toString().toLatin1();
    call<StreamReader>(who, step, [&](StreamReader &reader) { reader.feed_data(data); });
}

void Run::do_feed_eof(const QString &who, const QJsonArray &step)
{
    call<StreamReader>(who, step, [](StreamReader &reader) { reader.feed_eof(); });
}

} // namespace Conformance
