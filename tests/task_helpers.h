// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

/// What the tests of futures and tasks have in common.

#include "qasyncio.h"

#include <QtCore/qstringlist.h>
#include <QtCore/qthread.h>

/// What awaiting `awaitable` throws, as "ValueError: text"; empty if it throws nothing.
template<class A>
QAsyncio::Coroutine<QString> error_of(A awaitable)
{
    std::exception_ptr thrown;
    try {
        static_cast<void>(co_await std::move(awaitable));
    } catch (...) {
        thrown = std::current_exception();
    }
    co_return QAsyncio::describe(thrown);
}

/// The same for a call.
template<class F>
QString error_in(F &&call)
{
    try {
        static_cast<void>(call());
    } catch (...) {
        return QAsyncio::describe(std::current_exception());
    }
    return {};
}

/// Lets `count` turns of the loop pass.
inline QAsyncio::Coroutine<> turns(int count)
{
    for (int i = 0; i < count; ++i)
        co_await QAsyncio::sleep(std::chrono::seconds(0));
}

/// A coroutine that sleeps, for an hour unless a test says otherwise.
inline QAsyncio::Coroutine<> sleeper(std::chrono::nanoseconds delay = std::chrono::hours(1))
{
    co_await QAsyncio::sleep(delay);
}

/// Whether no callback and no task waits for `future`.
inline bool unheard(const QAsyncio::AnyFuture &future)
{
    return QAsyncio::detail::FutureAccess::state(future)->callbacks.empty();
}

/// For a loop that a test runs by itself.
inline QAsyncio::LoopOptions virtual_time()
{
    QAsyncio::LoopOptions options;
    options.clock(std::make_shared<QAsyncio::VirtualClock>());
    return options;
}

/// One turn of a loop that is not running, and what it leads to in the next ones until nothing is ready.
inline void run_ready(QAsyncioLoop &loop, int count = 4)
{
    for (int i = 0; i < count; ++i) {
        loop.stop();
        loop.run_forever();
    }
}

/// Runs `body` in a thread whose stack is eight times smaller than a usual one, so that a leak of stack shows early.
template<class F>
void on_a_small_stack(F body)
{
    const std::unique_ptr<QThread> thread(QThread::create(body));
    thread->setStackSize(1 << 20);
    thread->start();
    thread->wait();
}

/// Writes what the loop's exception handler is told to a list.
class Reports
{
public:
    explicit Reports(QAsyncioLoop &loop)
    {
        loop.set_exception_handler([list = m_list](QAsyncioLoop &, const QAsyncio::ExceptionContext &context) {
            *list << (context.exception ? context.message + u'|' + QAsyncio::describe(context.exception) : context.message);
        });
    }
    const QStringList &list() const { return *m_list; }

private:
    std::shared_ptr<QStringList> m_list = std::make_shared<QStringList>();
};

/// Adds a word to a list when it is destroyed.
class Farewell
{
public:
    Farewell(QStringList &list, QString word) : m_list(&list), m_word(std::move(word)) { }
    Farewell(Farewell &&other) noexcept : m_list(std::exchange(other.m_list, nullptr)), m_word(std::move(other.m_word)) { }
    ~Farewell()
    {
        if (m_list)
            m_list->append(m_word);
    }

private:
    QStringList *m_list;
    QString m_word;
};
