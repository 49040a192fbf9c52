// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/test.h"

#include "test/sigpipe.h"

#include "qasyncio/task_tree.h"

#include <QtCore/qstringlist.h>
#include <QtCore/qtimer.h>

#include <algorithm>

namespace QAsyncio::Test {

namespace {

constexpr auto stall_check = std::chrono::milliseconds(250);
constexpr int stall_checks = 8;

/// Jumps to the next deadline, but not inside an event loop that a callback has opened
/// (QSignalSpy::wait(), qWait(), a dialog). What such a loop waits for comes in real time, so
/// virtual time passes there like real time.
class TestClock final : public VirtualClock
{
public:
    bool advance(TimePoint next) override
    {
        if (!detail::rest_of(*core).is_nested) {
            m_nested_since.reset();
            return VirtualClock::advance(next);
        }
        const auto real_now = std::chrono::steady_clock::now();
        const auto passed = real_now - m_nested_since.value_or(real_now);
        m_nested_since = real_now;
        return VirtualClock::advance(std::min(next, now() + passed)) && now() >= next;
    }

    const detail::LoopCore *core = nullptr; // of the test's loop

private:
    std::optional<std::chrono::steady_clock::time_point> m_nested_since;
};

/// One test coroutine. Failures are reported for the line that calls run().
class TestRun
{
public:
    TestRun(bool real_time, bool allow_reports, const std::source_location &where)
        : m_where(where), m_clock(real_time ? nullptr : std::make_shared<TestClock>()),
          m_loop(m_clock ? LoopOptions().clock(m_clock) : LoopOptions())
    {
        if (m_clock)
            m_clock->core = &m_loop.core();
        if (!allow_reports) {
            m_loop.set_exception_handler([this](QAsyncioLoop &, const ExceptionContext &context) {
                fail(QStringLiteral("reported to the loop: %1: %2")
                         .arg(context.message, describe(context.exception)));
            });
        }
    }

    void run(const std::function<Coroutine<>(QAsyncioLoop &)> &body)
    {
        QTimer stall_timer;
        QObject::connect(&stall_timer, &QTimer::timeout, [this] { look_for_a_stall(); });
        if (m_clock)
            stall_timer.start(stall_check);
        try {
            m_loop.run_until_complete(body(m_loop));
        } catch (...) {
            if (!m_has_stalled && !QTest::currentTestFailed())
                fail(QStringLiteral("the test coroutine threw ")
                     + describe(std::current_exception()));
        }
        stall_timer.stop();
        check_leftovers();
        m_loop.close();
    }

private:
    void fail(const QString &text)
    {
        QTest::qFail(qPrintable(text), m_where.file_name(), static_cast<int>(m_where.line()));
    }

    /// In virtual time only what the loop knows of is worth waiting for. What it does not know of
    /// gets a moment.
    void look_for_a_stall()
    {
        const detail::LoopRest rest = detail::rest_of(m_loop.core());
        const bool stalled = rest.has_nothing_to_wait_for && rest.turns == m_turns
            && !rest.is_nested;
        m_turns = rest.turns;
        m_stalled = stalled ? m_stalled + 1 : 0;
        if (m_stalled < stall_checks)
            return;
        m_stalled = 0;
        m_has_stalled = true;
        fail(QStringLiteral("nobody completes what is awaited: %1 (if something from outside of "
                            "the loop does, such as a thread "
                            "or a QTimer: TestOptions().real_time())")
                 .arg(pending_tasks()));
        m_loop.stop();
    }

    QString pending_tasks() const
    {
        QStringList names;
        for (const AnyTask &task : m_loop.all_tasks())
            names << task.to_string();
        return names.join(QLatin1String(", "));
    }

    /// What the body has left behind: a test that starts tasks must end them.
    void check_leftovers()
    {
        std::vector<AnyTask> left = m_loop.all_tasks();
        if (left.empty())
            return;
        if (!m_has_stalled && !QTest::currentTestFailed())
            fail(QStringLiteral("the test left tasks behind: ") + pending_tasks());
        qInfo().noquote() << format_tasks(m_loop);
        for (AnyTask &task : left)
            task.cancel();
        // They get their cancellation and may clean up; what does not end is unwound by close().
        constexpr int most_turns = 100;
        for (int turn = 0; turn < most_turns && !m_loop.all_tasks().empty(); ++turn) {
            try {
                m_loop.stop();
                m_loop.run_forever();
            } catch (...) { // LoopExit, KeyboardInterrupt: the test has failed already
            }
        }
        for (AnyTask &task : left) {
            if (task.done() && !task.cancelled())
                task.exception(); // retrieved, so that it is not reported
        }
    }

    const std::source_location m_where;
    const std::shared_ptr<TestClock> m_clock; // null: real time
    QAsyncioLoop m_loop;
    qint64 m_turns = 0;
    int m_stalled = 0; // checks in a row without progress
    bool m_has_stalled = false;
};

} // namespace

void run_coroutine(const std::function<Coroutine<>(QAsyncioLoop &)> &body,
                   const TestOptions &options, const std::source_location &where)
{
    take_sigpipe_from_qt_test();
    TestRun test(options.m_real_time, options.m_allow_reports, where);
    test.run(body);
}

} // namespace QAsyncio::Test
