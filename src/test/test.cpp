// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/test.h"

namespace QAsyncio::Test {

namespace {

void fail(const QString &text)
{
    QTest::qFail(qPrintable(text), __FILE__, __LINE__);
}

/// What the body has left behind: a test that starts tasks must end them.
void check_leftovers(QAsyncioLoop &loop)
{
    std::vector<AnyTask> left = loop.all_tasks();
    if (left.empty())
        return;
    QStringList names;
    for (AnyTask &task : left) {
        names << task.to_string();
        task.cancel();
    }
    if (!QTest::currentTestFailed())
        fail(QStringLiteral("the test left tasks behind: ") + names.join(QLatin1String(", ")));
    loop.call_soon([&loop] { loop.call_soon([&loop] { loop.stop(); }); });
    loop.run_forever(); // lets them see their cancellation; what swallows it is unwound by close()
}

} // namespace

void run_coroutine(const std::function<Coroutine<>(QAsyncioLoop &)> &body, const TestOptions &options)
{
    LoopOptions loop_options;
    if (!options.m_real_time)
        loop_options.clock(std::make_shared<VirtualClock>());
    QAsyncioLoop loop(std::move(loop_options));
    if (!options.m_allow_reports) {
        loop.set_exception_handler([](QAsyncioLoop &, const ExceptionContext &context) {
            fail(QStringLiteral("reported to the loop: %1: %2").arg(context.message, describe(context.exception)));
        });
    }
    try {
        loop.run_until_complete(body(loop));
    } catch (...) {
        if (!QTest::currentTestFailed())
            fail(QStringLiteral("the test coroutine threw ") + describe(std::current_exception()));
    }
    check_leftovers(loop);
    loop.close();
}

} // namespace QAsyncio::Test
