// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

/// Tests of coroutines with Qt Test: link QAsyncio::Test.
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

/// QVERIFY for coroutines: on failure the test coroutine ends here.
#define QASYNCIO_VERIFY(condition)                                                                                       \
    do {                                                                                                                 \
        if (!QTest::qVerify(static_cast<bool>(condition), #condition, "", __FILE__, __LINE__))                           \
            co_return;                                                                                                   \
    } while (false)

/// QCOMPARE for coroutines. Both sides may await.
#define QASYNCIO_COMPARE(actual, expected)                                                                               \
    do {                                                                                                                 \
        if (!QTest::qCompare(actual, expected, #actual, #expected, __FILE__, __LINE__))                                  \
            co_return;                                                                                                   \
    } while (false)

/// QSKIP for coroutines.
#define QASYNCIO_SKIP(text)                                                                                              \
    do {                                                                                                                 \
        QTest::qSkip(text, __FILE__, __LINE__);                                                                          \
        co_return;                                                                                                       \
    } while (false)

/// QEXPECT_FAIL for coroutines.
#define QASYNCIO_EXPECT_FAIL(data_index, comment, mode)                                                                  \
    do {                                                                                                                 \
        if (!QTest::qExpectFail(data_index, comment, QTest::mode, __FILE__, __LINE__))                                   \
            co_return;                                                                                                   \
    } while (false)

/// QTRY_VERIFY for coroutines: awaits until the condition holds, for `timeout` (by the loop's clock) at most.
#define QASYNCIO_TRY_VERIFY_WITH_TIMEOUT(condition, timeout)                                                             \
    do {                                                                                                                 \
        const auto qasyncio_holds = [&] { return static_cast<bool>(condition); };                                        \
        auto qasyncio_wait = QAsyncio::Test::wait_for_condition(qasyncio_holds, timeout);                                \
        co_await std::move(qasyncio_wait);                                                                               \
        QASYNCIO_VERIFY(condition);                                                                                      \
    } while (false)
#define QASYNCIO_TRY_VERIFY(condition) QASYNCIO_TRY_VERIFY_WITH_TIMEOUT(condition, std::chrono::seconds(5))

/// QTRY_COMPARE for coroutines.
#define QASYNCIO_TRY_COMPARE_WITH_TIMEOUT(actual, expected, timeout)                                                     \
    do {                                                                                                                 \
        const auto qasyncio_holds = [&] { return (actual) == (expected); };                                              \
        auto qasyncio_wait = QAsyncio::Test::wait_for_condition(qasyncio_holds, timeout);                                \
        co_await std::move(qasyncio_wait);                                                                               \
        QASYNCIO_COMPARE(actual, expected);                                                                              \
    } while (false)
#define QASYNCIO_TRY_COMPARE(actual, expected)                                                                           \
    QASYNCIO_TRY_COMPARE_WITH_TIMEOUT(actual, expected, std::chrono::seconds(5))

/// Fails unless the expression, which may await, throws an exception of this type (or one derived from it).
#define QASYNCIO_THROWS(expression, Exception)                                                                           \
    do {                                                                                                                 \
        std::exception_ptr qasyncio_thrown;                                                                              \
        try {                                                                                                            \
            static_cast<void>(expression);                                                                               \
        } catch (...) {                                                                                                  \
            qasyncio_thrown = std::current_exception();                                                                  \
        }                                                                                                                \
        if (!QAsyncio::Test::verify_thrown<Exception>(qasyncio_thrown, #expression, #Exception, __FILE__, __LINE__))     \
            co_return;                                                                                                   \
    } while (false)

/// QSignalSpy::wait() for coroutines: connects at once and awaits an emission, for `timeout` (by the loop's clock) at most. For
/// what emits in a call, have from_signal() first, then call, then `co_await wait_for(emission, timeout)`.
#define QASYNCIO_TRY_SIGNAL_WITH_TIMEOUT(sender, signal, timeout)                                                        \
    do {                                                                                                                 \
        auto qasyncio_wait = QAsyncio::Test::is_ready_within(QAsyncio::from_signal(sender, signal), timeout);            \
        const bool qasyncio_emitted = co_await std::move(qasyncio_wait);                                                 \
        if (!QTest::qVerify(qasyncio_emitted, "emitted: " #signal, "within " #timeout, __FILE__, __LINE__))              \
            co_return;                                                                                                   \
    } while (false)
#define QASYNCIO_TRY_SIGNAL(sender, signal) QASYNCIO_TRY_SIGNAL_WITH_TIMEOUT(sender, signal, std::chrono::seconds(5))

namespace QAsyncio::Test {

/// How a test coroutine is run.
class TestOptions
{
public:
    TestOptions() { }
    /// The clock of the system instead of a VirtualClock, for tests with threads, descriptors or Qt timers.
    TestOptions &real_time()
    {
        m_real_time = true;
        return *this;
    }
    /// Exceptions that reach the loop's exception handler do not fail the test.
    TestOptions &allow_reports()
    {
        m_allow_reports = true;
        return *this;
    }

private:
    friend QASYNCIO_TEST_EXPORT void run_coroutine(const std::function<Coroutine<>(QAsyncioLoop &)> &, const TestOptions &,
                                                   const std::source_location &);
    bool m_real_time = false;
    bool m_allow_reports = false;
};

QASYNCIO_TEST_EXPORT void run_coroutine(const std::function<Coroutine<>(QAsyncioLoop &)> &body, const TestOptions &options,
                                        const std::source_location &where);

/// Calls `body(loop)` if it takes the loop, or `body()`. Refers to the body.
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

/// Runs `body()` or `body(loop)`, a coroutine, to its end in a fresh loop with virtual time. The test fails if the coroutine
/// throws, if tasks are left when it ends, or if the loop's exception handler is told of anything; the failure names the line
/// of this call.
///
/// In virtual time a body that awaits what nobody completes fails after two seconds, and the failure names who waits: nothing
/// is ready then, and no timer, no descriptor and no function in a thread is left. What comes from elsewhere (another thread,
/// a QTimer, a process) may take longer with real_time() only. In an event loop that the body opens itself (QSignalSpy::wait(),
/// QTest::qWait(), a dialog) virtual time passes no faster than real time.
template<class F>
void run(F &&body, const TestOptions &options = TestOptions(),
         const std::source_location &where = std::source_location::current())
{
    run_coroutine(with_loop(body), options, where);
}

QASYNCIO_TEST_EXPORT void tear_down_coroutine(const std::function<Coroutine<>(QAsyncioLoop &)> &body,
                                              std::chrono::milliseconds patience, const std::source_location &where);

/// Brute-force teardown: runs `body()` or `body(loop)`, a coroutine, once to its end, then again and again, each time in a
/// fresh loop with virtual time, and ends it after its first step, its second, and so on, until it ends by itself before: by
/// cancelling its task, by destroying its context object, and by closing the loop. The test fails, and says how and after
/// which step,
/// - where a task, future, open descriptor, or a connection of from_signal() or a signal stream is left, or an object
///   whose parent, near or far, is the application;
/// - where the loop's exception handler is told of anything but of the pending tasks of a closed loop, and of exceptions that
///   nobody has retrieved when it was ended early;
/// - where the body, or what it has begun in threads, has not ended after `patience` (real time);
/// - where one of the body's own checks fails, or it throws anything but CancelledError.
/// Memory that is merely lost, a leak checker finds.
///
/// The body must not depend on what an earlier run has left.
template<class F>
void tear_down(F &&body, std::chrono::milliseconds patience = std::chrono::seconds(10),
               const std::source_location &where = std::source_location::current())
{
    tear_down_coroutine(with_loop(body), patience, where);
}

/// `co_await wait_all_tasks_blocked()`: until all that is left waits for something that is not there: for time, a descriptor,
/// another thread, a future that nobody completes. Nothing is ready in the loop and no event is posted in Qt then, and
/// virtual time has not moved. For tests that must know how far the others have come, without guessing a delay.
///
/// Does not return as long as a task spins. Throws RuntimeError if no loop runs here or another task is awaiting it.
QASYNCIO_TEST_EXPORT Coroutine<> wait_all_tasks_blocked();

/// For QASYNCIO_TRY_VERIFY and QASYNCIO_TRY_COMPARE: looks every 10 ms.
template<class F>
Coroutine<> wait_for_condition(F holds, std::chrono::nanoseconds timeout)
{
    const TimePoint end = detail::deadline(get_running_loop().time(), timeout);
    while (!holds() && get_running_loop().time() < end)
        co_await sleep(std::chrono::milliseconds(10));
}

/// For QASYNCIO_TRY_SIGNAL: whether `future` is done in time. Throws what it throws.
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

/// For QASYNCIO_THROWS: whether `thrown` is an Exception; a test failure if not.
template<class Exception>
bool verify_thrown(const std::exception_ptr &thrown, const char *expression, const char *expected, const char *file, int line)
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
    const QString text =
        QStringLiteral("%1 should throw %2 but threw %3").arg(QLatin1String(expression), QLatin1String(expected), got);
    QTest::qFail(qPrintable(text), file, line);
    return false;
}

} // namespace QAsyncio::Test
