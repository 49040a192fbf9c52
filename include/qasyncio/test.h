// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

/// For tests of coroutines with Qt Test. Link to QAsyncio::Test. The macros below are Qt Test's,
/// for use in a coroutine: QVERIFY and the others contain a `return`, which a coroutine must not
/// have.
///
///     void MyTest::downloads()
///     {
///         QAsyncio::Test::run([&]() -> QAsyncio::Coroutine<> {
///             const QByteArray page = co_await download(u"..."_s);
///             QASYNCIO_COMPARE(page.size(), 42);
///         });
///     }

#include "qasyncio.h"

#include <QtTest/qtest.h>

#include <source_location>

#if defined(QASYNCIO_STATIC)
#  define QASYNCIO_TEST_EXPORT
#elif defined(QASYNCIO_TEST_BUILDING)
#  define QASYNCIO_TEST_EXPORT Q_DECL_EXPORT
#else
#  define QASYNCIO_TEST_EXPORT Q_DECL_IMPORT
#endif

/// QVERIFY for coroutines: on failure the coroutine ends here.
#define QASYNCIO_VERIFY(condition)                                                                 \
    do {                                                                                           \
        if (!QTest::qVerify(static_cast<bool>(condition), #condition, "", __FILE__, __LINE__))     \
            co_return;                                                                             \
    } while (false)

/// QCOMPARE for coroutines: on failure the coroutine ends here. Both sides may contain an await.
#define QASYNCIO_COMPARE(actual, expected)                                                         \
    do {                                                                                           \
        if (!QTest::qCompare(actual, expected, #actual, #expected, __FILE__, __LINE__))            \
            co_return;                                                                             \
    } while (false)

/// QSKIP for coroutines.
#define QASYNCIO_SKIP(text)                                                                        \
    do {                                                                                           \
        QTest::qSkip(text, __FILE__, __LINE__);                                                    \
        co_return;                                                                                 \
    } while (false)

/// QEXPECT_FAIL for coroutines.
#define QASYNCIO_EXPECT_FAIL(data_index, comment, mode)                                            \
    do {                                                                                           \
        if (!QTest::qExpectFail(data_index, comment, QTest::mode, __FILE__, __LINE__))             \
            co_return;                                                                             \
    } while (false)

/// QTRY_VERIFY_WITH_TIMEOUT for coroutines: awaits until the condition holds, but no longer than
/// `timeout` by the loop's clock.
#define QASYNCIO_TRY_VERIFY_WITH_TIMEOUT(condition, timeout)                                       \
    do {                                                                                           \
        const auto qasyncio_holds = [&] { return static_cast<bool>(condition); };                  \
        auto qasyncio_wait = QAsyncio::Test::wait_for_condition(qasyncio_holds, timeout);          \
        co_await std::move(qasyncio_wait);                                                         \
        QASYNCIO_VERIFY(condition);                                                                \
    } while (false)
/// The same with a timeout of five seconds.
#define QASYNCIO_TRY_VERIFY(condition)                                                             \
    QASYNCIO_TRY_VERIFY_WITH_TIMEOUT(condition, std::chrono::seconds(5))

/// QTRY_COMPARE_WITH_TIMEOUT for coroutines: awaits until both sides are equal.
#define QASYNCIO_TRY_COMPARE_WITH_TIMEOUT(actual, expected, timeout)                               \
    do {                                                                                           \
        const auto qasyncio_holds = [&] { return (actual) == (expected); };                        \
        auto qasyncio_wait = QAsyncio::Test::wait_for_condition(qasyncio_holds, timeout);          \
        co_await std::move(qasyncio_wait);                                                         \
        QASYNCIO_COMPARE(actual, expected);                                                        \
    } while (false)
/// The same with a timeout of five seconds.
#define QASYNCIO_TRY_COMPARE(actual, expected)                                                     \
    QASYNCIO_TRY_COMPARE_WITH_TIMEOUT(actual, expected, std::chrono::seconds(5))

/// Fails unless the expression, which may contain an await, throws an exception of this type or of
/// one derived from it.
#define QASYNCIO_THROWS(expression, Exception)                                                     \
    do {                                                                                           \
        std::exception_ptr qasyncio_thrown;                                                        \
        try {                                                                                      \
            static_cast<void>(expression);                                                         \
        } catch (...) {                                                                            \
            qasyncio_thrown = std::current_exception();                                            \
        }                                                                                          \
        if (!QAsyncio::Test::verify_thrown<Exception>(qasyncio_thrown, #expression, #Exception,    \
                                                      __FILE__, __LINE__))                         \
            co_return;                                                                             \
    } while (false)

/// QSignalSpy::wait() for coroutines: connects at once and awaits an emission, but no longer than
/// `timeout` by the loop's clock. If the signal is emitted by a function that the test calls, get
/// the future before the call:
///
///     auto emission = from_signal(sender, &Sender::finished);
///     sender->start();
///     co_await wait_for(emission, 5s);
#define QASYNCIO_TRY_SIGNAL_WITH_TIMEOUT(sender, signal, timeout)                                  \
    do {                                                                                           \
        auto qasyncio_wait = QAsyncio::Test::is_ready_within(                                      \
            QAsyncio::from_signal(sender, signal), timeout);                                       \
        const bool qasyncio_emitted = co_await std::move(qasyncio_wait);                           \
        if (!QTest::qVerify(qasyncio_emitted, "emitted: " #signal, "within " #timeout, __FILE__,   \
                            __LINE__))                                                             \
            co_return;                                                                             \
    } while (false)
/// The same with a timeout of five seconds.
#define QASYNCIO_TRY_SIGNAL(sender, signal)                                                        \
    QASYNCIO_TRY_SIGNAL_WITH_TIMEOUT(sender, signal, std::chrono::seconds(5))

namespace QAsyncio::Test {

/// Options for run(): `Test::run(body, TestOptions().real_time())`.
class TestOptions
{
public:
    TestOptions() { }
    /// Uses the system's clock instead of a VirtualClock: for tests with threads, descriptors or Qt
    /// timers.
    TestOptions &real_time()
    {
        m_real_time = true;
        return *this;
    }
    /// Exceptions that reach the loop's exception handler do not make the test fail.
    TestOptions &allow_reports()
    {
        m_allow_reports = true;
        return *this;
    }

private:
    friend QASYNCIO_TEST_EXPORT void run_coroutine(
        const std::function<Coroutine<>(QAsyncioLoop &)> &, const TestOptions &,
        const std::source_location &);
    bool m_real_time = false;
    bool m_allow_reports = false;
};

/// The part of run() that does not depend on types. `where` is the line that failures name.
QASYNCIO_TEST_EXPORT void run_coroutine(const std::function<Coroutine<>(QAsyncioLoop &)> &body,
                                        const TestOptions &options,
                                        const std::source_location &where);

/// Calls `body(loop)` if the body takes the loop, otherwise `body()`. Keeps a reference to the
/// body.
template<class F>
auto with_loop(F &body)
{
    return [&body](QAsyncioLoop &loop) -> Coroutine<> {
        if constexpr (std::is_invocable_v<F &, QAsyncioLoop &>)
            return body(loop);
        else
            return body();
    };
}

/// Runs `body()` or `body(loop)`, a function that returns a coroutine, to the end of that
/// coroutine, in a fresh loop with virtual time. The test fails if the coroutine throws, if tasks
/// are left when it ends, or if the loop's exception handler is called. Such a failure names the
/// line of this call.
///
/// In virtual time a body that awaits something that nobody completes fails after two seconds, and
/// the failure names the tasks that wait. This is found out by the fact that nothing is ready, and
/// that there is no timer, no descriptor and no function in a thread left to wait for. Something
/// that comes from elsewhere (another thread, a QTimer, a process) may take longer only with
/// real_time(). In an event loop that the body opens itself (QSignalSpy::wait(), QTest::qWait(), a
/// dialog) virtual time passes no faster than real time.
/// Thread: that of the test. Throws nothing: failures are those of Qt Test.
template<class F>
void run(F &&body, const TestOptions &options = TestOptions(),
         const std::source_location &where = std::source_location::current())
{
    run_coroutine(with_loop(body), options, where);
}

/// The part of tear_down() that does not depend on types.
QASYNCIO_TEST_EXPORT void tear_down_coroutine(
    const std::function<Coroutine<>(QAsyncioLoop &)> &body, std::chrono::milliseconds patience,
    const std::source_location &where);

/// Tests that a coroutine can be ended anywhere. It runs `body()` or `body(loop)` once to its end;
/// then it runs it again and again, each time in a fresh loop with virtual time, and ends it after
/// its first step, its second step and so on, until the body ends by itself before that step. It
/// does all of this in three ways: by cancelling the task, by destroying its context object, and by
/// closing the loop.
///
///     QAsyncio::Test::tear_down([&] { return save(document); });
///
/// The test fails, and says in which way and after which step,
/// - if a task, a future, an open descriptor, or a connection of from_signal() or a signal stream
///   is left, or an object whose parent, directly or indirectly, is the application;
/// - if the loop's exception handler is called, except for the pending tasks of a closed loop, and
///   for exceptions that nobody has retrieved when the body was ended early;
/// - if the body, or what it has begun in threads, has not ended after `patience` (in real time);
/// - if one of the body's own checks fails, or the body throws anything but CancelledError.
///
/// Memory that is merely lost is not found; use a leak checker for that. The body must not depend
/// on what an earlier run has left behind.
template<class F>
void tear_down(F &&body, std::chrono::milliseconds patience = std::chrono::seconds(10),
               const std::source_location &where = std::source_location::current())
{
    tear_down_coroutine(with_loop(body), patience, where);
}

/// `co_await wait_all_tasks_blocked()` waits until everything else waits for something that is not
/// there: for time, for a descriptor, for another thread, for a future that nobody completes. Then
/// nothing is ready in the loop, no event is posted in Qt, and virtual time has not moved. It is
/// for tests that must know how far other tasks have come, without guessing a delay.
///
/// It does not return as long as a task spins. Throws, at the await, RuntimeError if no loop runs
/// in this thread or if another task is awaiting it.
QASYNCIO_TEST_EXPORT Coroutine<> wait_all_tasks_blocked();

/// Used by QASYNCIO_TRY_VERIFY and QASYNCIO_TRY_COMPARE: looks at the condition every 10 ms.
template<class F>
Coroutine<> wait_for_condition(F holds, std::chrono::nanoseconds timeout)
{
    const TimePoint end = detail::deadline(get_running_loop().time(), timeout);
    while (!holds() && get_running_loop().time() < end)
        co_await sleep(std::chrono::milliseconds(10));
}

/// Used by QASYNCIO_TRY_SIGNAL: whether `future` is done in time. Throws what the future has failed
/// with.
template<class T>
Coroutine<bool> is_ready_within(Future<T> future, std::chrono::nanoseconds timeout)
{
    bool in_time = true;
    try {
        co_await wait_for(std::move(future), timeout);
    } catch (const TimeoutError &) {
        in_time = false;
    }
    co_return in_time;
}

/// Used by QASYNCIO_THROWS: whether `thrown` is an Exception. If not, the test fails.
template<class Exception>
bool verify_thrown(const std::exception_ptr &thrown, const char *expression, const char *expected,
                   const char *file, int line)
{
    QString got = QStringLiteral("nothing");
    if (thrown) {
        try {
            std::rethrow_exception(thrown);
        } catch (const Exception &) {
            return true;
        } catch (...) {
            got = describe(thrown);
        }
    }
    const QString text = QStringLiteral("%1 should throw %2 but threw %3")
                             .arg(QLatin1String(expression), QLatin1String(expected), got);
    QTest::qFail(qPrintable(text), file, line);
    return false;
}

} // namespace QAsyncio::Test
