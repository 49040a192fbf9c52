// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <qasyncio.h>

#include <QtCore/qcoreapplication.h>
#include <QtCore/qeventloop.h>
#include <QtCore/qprocess.h>
#include <QtCore/qstringlist.h>
#include <QtCore/qthread.h>
#include <QtTest/qtest.h>

#include <cstdio>
#include <thread>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

using namespace QAsyncio;
using namespace std::chrono_literals;

/// A pipe whose ends are closed with it.
class Pipe
{
public:
    Pipe()
    {
        if (::pipe(m_fds) != 0)
            qFatal("pipe");
    }
    ~Pipe()
    {
        ::close(m_fds[0]);
        ::close(m_fds[1]);
    }
    Q_DISABLE_COPY_MOVE(Pipe)

    int read_end() const { return m_fds[0]; }
    int write_end() const { return m_fds[1]; }
    void fill() const { QVERIFY(::write(m_fds[1], "x", 1) == 1); }
    void drain_one() const
    {
        char byte;
        QVERIFY(::read(m_fds[0], &byte, 1) == 1);
    }

private:
    int m_fds[2];
};

/// While it lives the process gets no further descriptor.
class NoMoreDescriptors
{
public:
    NoMoreDescriptors()
    {
        if (::getrlimit(RLIMIT_NOFILE, &m_before) != 0)
            qFatal("getrlimit");
        rlimit none = m_before;
        none.rlim_cur = 0;
        set(none);
    }
    ~NoMoreDescriptors() { set(m_before); }
    Q_DISABLE_COPY_MOVE(NoMoreDescriptors)

private:
    static void set(const rlimit &limit)
    {
        if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
            qFatal("setrlimit");
    }
    rlimit m_before;
};

/// At the end of each test program, and of each scenario: whatever is left of the library's objects
/// refers to a loop.
class NothingIsLeft
{
public:
    NothingIsLeft() = default;
    ~NothingIsLeft()
    {
        int left = detail::live_loops();
        for (int i = 0; left > on_purpose && i < 5000; ++i) { // a thread may be on its way home
            QThread::msleep(1);
            left = detail::live_loops();
        }
        if (left <= on_purpose)
            return;
        std::fprintf(stderr,
                     "FAIL!  : %d loops are left: futures, tasks or connections were lost\n", left);
        std::fflush(nullptr);
        ::_exit(1);
    }
    Q_DISABLE_COPY_MOVE(NothingIsLeft)

    static inline int on_purpose = 0;
};
inline const NothingIsLeft nothing_is_left;

/// Writes down what a loop's exception handler is told.
class Reports
{
public:
    explicit Reports(QAsyncioLoop &loop)
    {
        loop.set_exception_handler(
            [told = m_told](QAsyncioLoop &, const ExceptionContext &context) {
                told->messages << context.message;
                told->exceptions << describe(context.exception);
            });
    }
    const QStringList &messages() const { return m_told->messages; }
    const QStringList &exceptions() const { return m_told->exceptions; }
    /// "message|exception", or the message alone.
    QStringList list() const
    {
        QStringList both = m_told->messages;
        for (qsizetype i = 0; i < both.size(); ++i) {
            if (const QString &exception = m_told->exceptions[i]; !exception.isEmpty())
                both[i] += u'|' + exception;
        }
        return both;
    }

private:
    struct Told
    {
        QStringList messages;
        QStringList exceptions;
    };
    std::shared_ptr<Told> m_told = std::make_shared<Told>(); // the loop may outlive this
};

/// Runs `body` in another thread, and returns when that has ended. Not a QThread: how Qt waits for
/// one that has ended already is unseen by ThreadSanitizer, and what the thread has written looks
/// like a race then.
template<class F>
void in_another_thread(F &&body)
{
    std::thread(std::forward<F>(body)).join();
}

/// Runs one turn of the loop.
inline void run_once(QAsyncioLoop &loop)
{
    loop.stop();
    loop.run_forever();
}

/// And what it leads to in the next ones.
inline void run_ready(QAsyncioLoop &loop, int count = 4)
{
    for (int i = 0; i < count; ++i)
        run_once(loop);
}

/// What `call` throws, as "ValueError: text"; empty if it throws nothing.
template<class F>
QString error_in(F &&call)
{
    try {
        static_cast<void>(call());
    } catch (...) {
        return describe(std::current_exception());
    }
    return {};
}

/// Sleeps. True if it was cancelled meanwhile: that ends here, and the caller goes on, to clean up.
inline Coroutine<bool> is_cancelled_asleep(std::chrono::nanoseconds delay = 1h)
{
    bool cancelled = false;
    try {
        co_await sleep(delay);
    } catch (const CancelledError &) {
        cancelled = true;
    }
    co_return cancelled;
}

/// For a loop that a test runs by itself.
inline LoopOptions virtual_time()
{
    return LoopOptions().clock(std::make_shared<VirtualClock>());
}

/// For tests that start processes. ThreadSanitizer does not survive the clone() that QProcess uses.
#if defined(__has_feature)
#  if __has_feature(thread_sanitizer)
#    define SKIP_WITHOUT_PROCESSES() QSKIP("ThreadSanitizer does not survive QProcess")
#  endif
#endif
#ifndef SKIP_WITHOUT_PROCESSES
#  define SKIP_WITHOUT_PROCESSES() static_cast<void>(0)
#endif

/// Runs functions of this test program again under Qt's own dispatcher, where Qt would have glib's.
/// Empty if they pass.
inline QByteArray failure_without_glib(const QStringList &functions)
{
    QProcess process;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("QT_NO_GLIB"), QStringLiteral("1"));
    process.setProcessEnvironment(environment);
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(QCoreApplication::applicationFilePath(), functions);
    const bool ended = process.waitForFinished(60000);
    const bool passed = ended && process.exitStatus() == QProcess::NormalExit
        && process.exitCode() == 0;
    return passed ? QByteArray() : "fails: " + process.readAll();
}

/// What a scenario in a process of its own did.
struct ScenarioResult
{
    int exit_code = -1;
    bool crashed = true;
    QByteArray output;
};

/// Runs this test program again as `--scenario name`, for what ends the application or the process.
inline ScenarioResult run_scenario(const QString &name,
                                   const std::function<void(QProcess &)> &started = {})
{
    QProcess process;
    process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
    process.start(QCoreApplication::applicationFilePath(), {QStringLiteral("--scenario"), name});
    if (started && process.waitForStarted())
        started(process);
    ScenarioResult result;
    if (!process.waitForFinished(60000))
        return result;
    result.exit_code = process.exitCode();
    result.crashed = process.exitStatus() != QProcess::NormalExit;
    result.output = process.readAllStandardOutput();
    return result;
}
