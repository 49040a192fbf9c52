// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <qasyncio.h>

#include <QtCore/qcoreapplication.h>
#include <QtCore/qeventloop.h>
#include <QtCore/qprocess.h>
#include <QtTest/qtest.h>

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

/// Collects what a loop reports.
class Reports
{
public:
    explicit Reports(QAsyncioLoop &loop)
    {
        loop.set_exception_handler([this](QAsyncioLoop &, const ExceptionContext &context) {
            all.push_back(context);
        });
    }
    QStringList messages() const
    {
        QStringList list;
        for (const ExceptionContext &context : all)
            list << context.message;
        return list;
    }
    QStringList exceptions() const
    {
        QStringList list;
        for (const ExceptionContext &context : all)
            list << describe(context.exception);
        return list;
    }

    std::vector<ExceptionContext> all;
};

/// Runs one turn of the loop.
inline void run_once(QAsyncioLoop &loop)
{
    loop.stop();
    loop.run_forever();
}

/// The text of what `f` throws: "RuntimeError: Event loop is closed"; empty if it throws nothing.
template<class F>
QString thrown(F &&f)
{
    try {
        static_cast<void>(f());
    } catch (...) {
        return describe(std::current_exception());
    }
    return {};
}

template<class F>
    requires std::is_void_v<std::invoke_result_t<F>>
QString thrown(F &&f)
{
    return thrown([&f] {
        f();
        return 0;
    });
}

/// A VirtualClock loop.
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

/// What a scenario in a process of its own did.
struct ScenarioResult
{
    int exit_code = -1;
    bool crashed = true;
    QByteArray output;
};

/// Runs this test program again as `--scenario name`, for what ends the application or the process.
inline ScenarioResult run_scenario(const QString &name, const std::function<void(QProcess &)> &started = {})
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
