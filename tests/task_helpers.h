// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

/// What the tests of futures and tasks have in common.

#include "support.h"

#include "qasyncio/test.h"

#include <QtCore/qlogging.h>
#include <QtCore/qstringlist.h>
#include <QtCore/qthread.h>
#include <QtCore/qtimer.h>

using namespace Qt::StringLiterals;

/// What awaiting `awaitable` throws, as "ValueError: text"; empty if it throws nothing.
template<class A>
Coroutine<QString> error_of(A awaitable)
{
    std::exception_ptr thrown;
    try {
        static_cast<void>(co_await std::move(awaitable));
    } catch (...) {
        thrown = std::current_exception();
    }
    co_return describe(thrown);
}

/// Lets `count` turns of the loop pass.
inline Coroutine<> turns(int count)
{
    for (int i = 0; i < count; ++i)
        co_await sleep(0s);
}

/// A coroutine that sleeps, for an hour unless a test says otherwise.
inline Coroutine<> sleeper(std::chrono::nanoseconds delay = 1h)
{
    co_await sleep(delay);
}

/// A coroutine that gives a value in another turn.
inline Coroutine<int> give(int value, std::chrono::nanoseconds delay = 0s)
{
    co_await sleep(delay);
    co_return value;
}

/// A coroutine that fails in another turn.
inline Coroutine<int> fail_with(QString message, std::chrono::nanoseconds delay = 0s)
{
    co_await sleep(delay);
    throw ValueError(message);
}

inline std::vector<Future<int>> futures_of(QAsyncioLoop &loop, int count)
{
    std::vector<Future<int>> futures;
    for (int i = 0; i < count; ++i)
        futures.push_back(loop.create_future<int>());
    return futures;
}

/// Whether no callback and no task waits for `future`.
inline bool unheard(const AnyFuture &future)
{
    return !detail::FutureAccess::state(future)->has_callbacks();
}

/// Runs `body` in a thread whose stack is eight times smaller than a usual one, so that a leak of
/// stack shows early.
template<class F>
void on_a_small_stack(F body)
{
    const std::unique_ptr<QThread> thread(QThread::create(body));
    thread->setStackSize(1 << 20);
    thread->start();
    thread->wait();
}

/// While it lives each message opens an event loop, as a program does that shows them in a dialog.
class MessageDialogs
{
public:
    MessageDialogs() : m_outer(qInstallMessageHandler(show)) { shown.clear(); }
    ~MessageDialogs() { qInstallMessageHandler(m_outer); }
    Q_DISABLE_COPY_MOVE(MessageDialogs)

    static inline QStringList shown;

private:
    static void show(QtMsgType, const QMessageLogContext &, const QString &text)
    {
        shown << text;
        QEventLoop dialog;
        QTimer::singleShot(2, &dialog, &QEventLoop::quit);
        dialog.exec();
    }

    QtMessageHandler m_outer;
};

/// Adds a word to a list when it is destroyed.
class Farewell
{
public:
    Farewell(QStringList &list, QString word) : m_list(&list), m_word(std::move(word)) { }
    Farewell(Farewell &&other) noexcept
        : m_list(std::exchange(other.m_list, nullptr)), m_word(std::move(other.m_word))
    { }
    ~Farewell()
    {
        if (m_list)
            m_list->append(m_word);
    }

private:
    QStringList *m_list;
    QString m_word;
};
