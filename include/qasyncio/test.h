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
    friend QASYNCIO_TEST_EXPORT void run_coroutine(const std::function<Coroutine<>(QAsyncioLoop &)> &, const TestOptions &);
    bool m_real_time = false;
    bool m_allow_reports = false;
};

QASYNCIO_TEST_EXPORT void run_coroutine(const std::function<Coroutine<>(QAsyncioLoop &)> &body, const TestOptions &options);

/// Runs `body()` or `body(loop)`, a coroutine, to its end in a fresh loop with virtual time. The test fails if the coroutine
/// throws, if tasks are left when it ends, or if the loop's exception handler is told of anything.
template<class F>
void run(F &&body, const TestOptions &options = TestOptions())
{
    const auto call = [&body](QAsyncioLoop &loop) -> Coroutine<> {
        if constexpr (std::is_invocable_v<F &, QAsyncioLoop &>)
            return body(loop);
        else
            return body();
    };
    run_coroutine(call, options);
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
