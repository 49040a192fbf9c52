// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// The coroutines of a program and the steps that await. A Run outlives its coroutines; steps are
// passed by value.

#include "run.h"

#include <QtCore/qscopeguard.h>

#include <algorithm>

namespace Conformance {

const QHash<QString, Run::Awaiting> &Run::awaiting_steps()
{
    static const QHash<QString, Awaiting> steps{
        {QStringLiteral("sleep"), &Run::await_sleep},
        {QStringLiteral("await"), &Run::await_await},
        {QStringLiteral("call"), &Run::await_call},
        {QStringLiteral("try"), &Run::await_try},
        {QStringLiteral("wait"), &Run::await_wait},
        {QStringLiteral("wait_for"), &Run::await_wait_for},
        {QStringLiteral("as_completed"), &Run::await_as_completed},
        {QStringLiteral("timeout"), &Run::await_timeout},
        {QStringLiteral("group"), &Run::await_group},
        {QStringLiteral("next"), &Run::await_next},
        {QStringLiteral("athrow"), &Run::await_athrow},
        {QStringLiteral("aclose"), &Run::await_aclose},
        {QStringLiteral("shutdown_asyncgens"), &Run::await_shutdown_asyncgens},
        {QStringLiteral("acquire"), &Run::await_acquire},
        {QStringLiteral("with"), &Run::await_with},
        {QStringLiteral("event_wait"), &Run::await_event_wait},
        {QStringLiteral("condition_wait"), &Run::await_condition_wait},
        {QStringLiteral("barrier_wait"), &Run::await_barrier_wait},
        {QStringLiteral("barrier_reset"), &Run::await_barrier_reset},
        {QStringLiteral("barrier_abort"), &Run::await_barrier_abort},
        {QStringLiteral("put"), &Run::await_put},
        {QStringLiteral("get"), &Run::await_get},
        {QStringLiteral("join"), &Run::await_join},
        {QStringLiteral("read"), &Run::await_read},
        {QStringLiteral("readline"), &Run::await_readline},
        {QStringLiteral("readexactly"), &Run::await_readexactly},
        {QStringLiteral("readuntil"), &Run::await_readuntil},
    };
    return steps;
}

Coroutine<Returned> Run::nothing()
{
    co_return std::nullopt;
}

Coroutine<Returned> Run::run(QString who, QJsonArray steps)
{
    for (int i = 0; i < steps.size(); ++i) {
        const QJsonArray step = steps[i].toArray();
        const QString operation = step[0].toString();
        if (operation == QLatin1String("return"))
            co_return text_of(step[1]);
        if (const Plain plain = plain_steps().value(operation)) {
            (this->*plain)(who, step);
            continue;
        }
        Returned returned = co_await (this->*awaiting_steps().value(operation))(who, step);
        if (returned)
            co_return returned;
    }
    co_return std::nullopt;
}

Coroutine<Value> Run::body(QString name, QJsonArray steps)
{
    line(name, QStringLiteral("begin"));
    Returned returned;
    try {
        returned = co_await run(name, steps);
    } catch (...) {
        line(name, QStringLiteral("end !! ") + describe(std::current_exception()));
        throw;
    }
    const Value value = returned ? *returned : QStringLiteral("None");
    line(name, QStringLiteral("end -> ") + value);
    co_return value;
}

AsyncGenerator<Value> Run::generator(QString name, QJsonArray steps)
{
    line(name, QStringLiteral("begin"));
    try {
        for (int i = 0; i < steps.size(); ++i) {
            const QJsonArray step = steps[i].toArray();
            const QString operation = step[0].toString();
            Returned returned;
            if (operation == QLatin1String("yield")) {
                const Value value = text_of(step[1]);
                co_yield value;
                line(name, QStringLiteral("goes on"));
            } else if (operation == QLatin1String("try")) {
                std::exception_ptr exception;
                try {
                    const QJsonArray inner = step[1].toArray();
                    for (int j = 0; j < inner.size() && !returned; ++j) {
                        const QJsonArray inner_step = inner[j].toArray();
                        if (inner_step[0].toString() == QLatin1String("yield")) {
                            const Value value = text_of(inner_step[1]);
                            co_yield value;
                            line(name, QStringLiteral("goes on"));
                        } else {
                            QJsonArray single;
                            single.append(inner_step);
                            returned = co_await run(name, single);
                        }
                    }
                } catch (...) {
                    exception = std::current_exception();
                }
                try {
                    if (exception && catches(step[2].toString(), exception)) {
                        line(name, QStringLiteral("caught ") + describe(exception));
                        const QJsonArray handler = step[3].toArray();
                        returned = co_await run(name, handler);
                        if (returned || step[4].toString() == QLatin1String("swallow"))
                            exception = nullptr;
                    }
                } catch (...) {
                    exception = std::current_exception();
                }
                const QJsonArray cleanup = step[5].toArray();
                co_await run(name, cleanup);
                if (exception)
                    std::rethrow_exception(exception);
            } else {
                QJsonArray single;
                single.append(step);
                returned = co_await run(name, single);
            }
            if (returned)
                co_return;
        }
    } catch (...) {
        line(name, QStringLiteral("end !! ") + describe(std::current_exception()));
        throw;
    }
    line(name, QStringLiteral("end"));
}

/// Awaits anything and tells what came of it. `of_void`: what asyncio gives where QAsyncio gives
/// nothing.
template<class A>
Coroutine<Returned> Run::awaiting(QString who, QString text, A awaitable, Value of_void)
{
    try {
        if constexpr (std::is_void_v<detail::await_result_t<A>>) {
            co_await std::move(awaitable);
            line(who, text + QStringLiteral(" -> ") + of_void);
        } else {
            const auto result = co_await std::move(awaitable);
            line(who, text + QStringLiteral(" -> ") + text_of(result));
        }
    } catch (...) {
        line(who, text + QStringLiteral(" !! ") + describe(std::current_exception()));
        throw;
    }
    co_return std::nullopt;
}

Coroutine<Returned> Run::await_sleep(QString who, QJsonArray step)
{
    try {
        co_await sleep(ticks(step[1]));
    } catch (...) {
        line(who, QStringLiteral("sleep !! ") + describe(std::current_exception()));
        throw;
    }
    line(who, QStringLiteral("sleep"));
    co_return std::nullopt;
}

Coroutine<Returned> Run::await_await(QString who, QJsonArray step)
{
    const QString name = step[1].toString();
    Coroutine<Returned> running;
    const bool found = with_future(who, name, [&](auto future) {
        running = awaiting(who, QStringLiteral("await ") + name, std::move(future));
    });
    return found ? std::move(running) : nothing();
}

Coroutine<Returned> Run::await_call(QString, QJsonArray step)
{
    co_await body_of(step);
    co_return std::nullopt;
}

Coroutine<Returned> Run::await_try(QString who, QJsonArray step)
{
    const auto steps = [&] { return guarded(who, step); };
    const auto cleanup = [&] { return run(who, step[5].toArray()); };
    auto running = finally(steps, cleanup);
    co_return co_await std::move(running);
}

/// ["try", steps, catches, handler, then, cleanup] without the clean-up.
Coroutine<Returned> Run::guarded(QString who, QJsonArray step)
{
    std::exception_ptr exception;
    try {
        const QJsonArray steps = step[1].toArray();
        co_return co_await run(who, steps);
    } catch (...) {
        exception = std::current_exception();
    }
    if (!catches(step[2].toString(), exception))
        std::rethrow_exception(exception);
    line(who, QStringLiteral("caught ") + describe(exception));
    const QJsonArray handler = step[3].toArray();
    Returned returned = co_await run(who, handler);
    if (!returned && step[4].toString() != QLatin1String("swallow"))
        std::rethrow_exception(exception);
    co_return returned;
}

// Several

Coroutine<Returned> Run::await_wait(QString who, QJsonArray step)
{
    std::map<QString, AnyFuture> found;
    std::vector<AnyFuture> futures;
    QStringList names;
    for (const QJsonValue &value : step[1].toArray()) {
        const QString name = value.toString();
        const AnyFuture future = find_future(who, name);
        if (!future)
            continue;
        if (found.emplace(name, future).second)
            names << name;
        futures.push_back(future);
    }
    static const QHash<QString, ReturnWhen> modes{
        {QStringLiteral("FIRST_COMPLETED"), FIRST_COMPLETED},
        {QStringLiteral("FIRST_EXCEPTION"), FIRST_EXCEPTION},
        {QStringLiteral("ALL_COMPLETED"), ALL_COMPLETED}};
    WaitOptions options;
    options.return_when(modes.value(step[2].toString()));
    if (!step[3].isNull())
        options.timeout(ticks(step[3]));
    WaitResult<AnyFuture> result;
    try {
        result = co_await wait(futures, options);
    } catch (...) {
        line(who, QStringLiteral("wait !! ") + describe(std::current_exception()));
        throw;
    }
    const auto names_of = [&](const std::vector<AnyFuture> &part) {
        QStringList list;
        for (const QString &name : names) { // as often as it is there, which should be once
            for (auto times = std::count(part.begin(), part.end(), found[name]); times > 0; --times)
                list << name;
        }
        return list.join(u' ');
    };
    line(who,
         QStringLiteral("wait -> done [%1] pending [%2]")
             .arg(names_of(result.done), names_of(result.pending)));
    co_return std::nullopt;
}

template<class A>
Coroutine<Returned> Run::limited(QString who, A awaitable, QJsonValue limit)
{
    const QString text = QStringLiteral("wait_for");
    if (limit.isNull())
        return awaiting(who, text, wait_for(std::move(awaitable), std::nullopt));
    return awaiting(who, text, wait_for(std::move(awaitable), ticks(limit)));
}

Coroutine<Returned> Run::await_wait_for(QString who, QJsonArray step)
{
    if (step[1].isArray())
        return limited(who, body_of(step[1].toArray()), step[2]);
    Coroutine<Returned> running;
    const bool found = with_future(who, step[1].toString(), [&](auto future) {
        running = limited(who, std::move(future), step[2]);
    });
    return found ? std::move(running) : nothing();
}

/// The order of those that are done already is open in asyncio (G-025): only the first of them
/// takes part.
std::map<QString, Future<Value>> Run::to_complete(const QString &who, const QJsonValue &names)
{
    std::map<QString, Future<Value>> found;
    bool one_is_done = false;
    for (const QJsonValue &value : names.toArray()) {
        const QString name = value.toString();
        const Object *object = find(who, name);
        if (!object)
            continue;
        const auto *task = std::get_if<Task<Value>>(object);
        const auto future = task ? Future<Value>(*task) : std::get<Future<Value>>(*object);
        if (future.done() && one_is_done)
            continue;
        one_is_done |= future.done();
        found.emplace(name, future);
    }
    return found;
}

/// as_completed() of what was found, in the order of the names.
AsCompleted<Value> Run::completions(const std::map<QString, Future<Value>> &found,
                                    const QJsonValue &names, const QJsonValue &timeout)
{
    std::vector<Future<Value>> futures;
    for (const QJsonValue &name : names.toArray()) {
        if (const auto place = found.find(name.toString()); place != found.end())
            futures.push_back(place->second);
    }
    if (timeout.isNull())
        return as_completed(std::move(futures));
    return as_completed(std::move(futures), ticks(timeout));
}

Coroutine<Value> Run::completing(QString name, Coroutine<Value> awaitable)
{
    auto waiting = awaiting(name, QStringLiteral("completed"), std::move(awaitable));
    co_await std::move(waiting);
    co_return QStringLiteral("None");
}

void Run::do_complete_in_tasks(const QString &who, const QJsonArray &step)
{
    if (!running(who, QStringLiteral("complete_in_tasks")))
        return;
    const auto found = to_complete(who, step[1]);
    auto completed = completions(found, step[1], step[2]);
    const QJsonArray names = step[3].toArray();
    auto name = names.begin();
    for (auto place = completed.begin(); name != names.end() && place != completed.end();
         ++place, ++name)
        m_objects[name->toString()] = m_loop.create_task(completing(name->toString(), *place));
}

Coroutine<Returned> Run::await_as_completed(QString who, QJsonArray step)
{
    const auto found = to_complete(who, step[1]);
    auto completed = completions(found, step[1], step[2]);
    int count = step[4].toInt();
    if (step[3].toString() == QLatin1String("plain")) {
        for (auto awaitable : completed) {
            co_await awaiting(who, QStringLiteral("completed"), std::move(awaitable));
            if (--count == 0)
                break;
        }
        co_return std::nullopt;
    }
    for (; count > 0; --count) {
        std::optional<Future<Value>> future;
        try {
            future = co_await completed.next();
        } catch (...) {
            line(who, QStringLiteral("completed !! ") + describe(std::current_exception()));
            throw;
        }
        if (!future) {
            line(who, QStringLiteral("completed all"));
            break;
        }
        QString name;
        for (const auto &[other, candidate] : found) {
            if (candidate == *future)
                name = other;
        }
        line(who, QStringLiteral("completed %1 %2").arg(name, state_of(*future)));
    }
    co_return std::nullopt;
}

// Scopes

Coroutine<Returned> Run::await_timeout(QString who, QJsonArray step)
{
    const QString name = step[1].toString();
    const QScopeGuard unset([this, name] { m_objects.erase(name); });
    const auto steps = [&](Timeout &scope) {
        m_objects[name] = &scope;
        return run(who, step[3].toArray());
    };
    Returned returned;
    try {
        auto running = step[2].isNull() ? timeout(std::nullopt, steps)
                                        : timeout(ticks(step[2]), steps);
        returned = co_await std::move(running);
    } catch (...) {
        line(who, QStringLiteral("timeout %1 !! %2").arg(name, describe(std::current_exception())));
        throw;
    }
    line(who, QStringLiteral("timeout %1 left").arg(name));
    co_return returned;
}

Coroutine<Returned> Run::await_group(QString who, QJsonArray step)
{
    const QString name = step[1].toString();
    const QScopeGuard unset([this, name] { m_objects.erase(name); });
    const auto steps = [&](TaskGroup &group) {
        m_objects[name] = &group;
        return run(who, step[2].toArray());
    };
    Returned returned;
    try {
        auto running = task_group(steps);
        returned = co_await std::move(running);
    } catch (...) {
        line(who, QStringLiteral("group %1 !! %2").arg(name, describe(std::current_exception())));
        throw;
    }
    line(who, QStringLiteral("group %1 left").arg(name));
    co_return returned;
}

// Asynchronous generators

/// One step; `thrown` is what is thrown into it, or null.
Coroutine<Returned> Run::step_generator(QString who, QString text, Generator generator,
                                        std::exception_ptr thrown)
{
    std::optional<Value> value;
    try {
        if (thrown)
            value = co_await generator->athrow(thrown);
        else
            value = co_await generator->next();
    } catch (...) {
        line(who, text + QStringLiteral(" !! ") + describe(std::current_exception()));
        throw;
    }
    line(who, text + (value ? QStringLiteral(" -> ") + *value : QStringLiteral(" end")));
    co_return std::nullopt;
}

Coroutine<Returned> Run::await_next(QString who, QJsonArray step)
{
    const QString name = step[1].toString();
    const auto *generator = find_as<Generator>(who, name);
    return generator ? step_generator(who, QStringLiteral("next ") + name, *generator, nullptr)
                     : nothing();
}

Coroutine<Returned> Run::await_athrow(QString who, QJsonArray step)
{
    const QString name = step[1].toString();
    const auto *generator = find_as<Generator>(who, name);
    if (!generator)
        return nothing();
    return step_generator(who, QStringLiteral("athrow ") + name, *generator,
                          make_exception(step[2].toString(), step[3]));
}

Coroutine<Returned> Run::await_aclose(QString who, QJsonArray step)
{
    const QString name = step[1].toString();
    const auto *generator = find_as<Generator>(who, name);
    return generator ? awaiting(who, QStringLiteral("aclose ") + name, (*generator)->aclose())
                     : nothing();
}

Coroutine<Returned> Run::await_shutdown_asyncgens(QString who, QJsonArray)
{
    return awaiting(who, QStringLiteral("shutdown_asyncgens"), m_loop.shutdown_asyncgens());
}

// Locks, queues and the like

/// Awaits what `method` gives for what is named.
template<class... T, class F>
Coroutine<Returned> Run::awaited_call(const QString &who, const QJsonArray &step, F &&method,
                                      const Value &of_void)
{
    const QString name = step[1].toString();
    Coroutine<Returned> running;
    const bool found = with_one_of<T...>(who, name, [&](const auto &object) {
        running = awaiting(who, step[0].toString() + u' ' + name, method(*object), of_void);
    });
    return found ? std::move(running) : nothing();
}

Coroutine<Returned> Run::await_acquire(QString who, QJsonArray step)
{
    const auto acquire = [](auto &lock) { return lock.acquire(); };
    return awaited_call<Lock, Condition, Semaphore>(who, step, acquire, QStringLiteral("True"));
}

/// Not with scoped(): unlike `async with`, its guard lets it pass if there is nothing to release
/// any more, and leaves a lock alone that another task has meanwhile.
template<class T>
Coroutine<Returned> Run::holding(QString who, std::shared_ptr<T> lock, QJsonArray steps)
{
    co_await lock->acquire();
    Returned returned;
    std::exception_ptr exception;
    try {
        returned = co_await run(who, steps);
    } catch (...) {
        exception = std::current_exception();
    }
    lock->release();
    if (exception)
        std::rethrow_exception(exception);
    co_return returned;
}

Coroutine<Returned> Run::await_with(QString who, QJsonArray step)
{
    Coroutine<Returned> running;
    const auto run_with = [&](const auto &lock) {
        running = holding(who, lock, step[2].toArray());
    };
    const bool found = with_one_of<Lock, Condition, Semaphore>(who, step[1].toString(), run_with);
    return found ? std::move(running) : nothing();
}

Coroutine<Returned> Run::await_event_wait(QString who, QJsonArray step)
{
    const auto wait = [](Event &event) { return event.wait(); };
    return awaited_call<Event>(who, step, wait, QStringLiteral("True"));
}

Coroutine<Returned> Run::await_condition_wait(QString who, QJsonArray step)
{
    const auto wait = [](Condition &condition) { return condition.wait(); };
    return awaited_call<Condition>(who, step, wait, QStringLiteral("True"));
}

Coroutine<Returned> Run::await_barrier_wait(QString who, QJsonArray step)
{
    return awaited_call<Barrier>(who, step, [](Barrier &barrier) { return barrier.wait(); });
}

Coroutine<Returned> Run::await_barrier_reset(QString who, QJsonArray step)
{
    return awaited_call<Barrier>(who, step, [](Barrier &barrier) { return barrier.reset(); });
}

Coroutine<Returned> Run::await_barrier_abort(QString who, QJsonArray step)
{
    return awaited_call<Barrier>(who, step, [](Barrier &barrier) { return barrier.abort(); });
}

Coroutine<Returned> Run::await_put(QString who, QJsonArray step)
{
    const auto put = [&](auto &queue) { return queue.put(text_of(step[2])); };
    return awaited_call<Fifo, Priority, Lifo>(who, step, put);
}

Coroutine<Returned> Run::await_get(QString who, QJsonArray step)
{
    return awaited_call<Fifo, Priority, Lifo>(who, step, [](auto &queue) { return queue.get(); });
}

Coroutine<Returned> Run::await_join(QString who, QJsonArray step)
{
    return awaited_call<Fifo, Priority, Lifo>(who, step, [](auto &queue) { return queue.join(); });
}

Coroutine<Returned> Run::await_read(QString who, QJsonArray step)
{
    const auto read = [&](StreamReader &reader) { return reader.read(step[2].toInt()); };
    return awaited_call<StreamReader>(who, step, read);
}

Coroutine<Returned> Run::await_readline(QString who, QJsonArray step)
{
    const auto read = [](StreamReader &reader) { return reader.readline(); };
    return awaited_call<StreamReader>(who, step, read);
}

Coroutine<Returned> Run::await_readexactly(QString who, QJsonArray step)
{
    const auto read = [&](StreamReader &reader) { return reader.readexactly(step[2].toInt()); };
    return awaited_call<StreamReader>(who, step, read);
}

Coroutine<Returned> Run::await_readuntil(QString who, QJsonArray step)
{
    const QByteArray separator = step[2].toString().toLatin1();
    const auto read = [&](StreamReader &reader) { return reader.readuntil(separator); };
    return awaited_call<StreamReader>(who, step, read);
}

} // namespace Conformance
