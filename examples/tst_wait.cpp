// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
//
// A test of a coroutine with Qt Test. Time is virtual: an hour passes in no time, and always in the
// same way.
#include <qasyncio/test.h>

#include <QObject>

#include <stdexcept>

using namespace QAsyncio;
using namespace std::chrono_literals;

/// What is tested: calls `attempt` again, an hour later each time, until it does not throw.
template<class F>
Coroutine<int> retry(F attempt)
{
    for (int tries = 1;; ++tries) {
        try {
            attempt();
            co_return tries;
        } catch (const std::exception &) { // and not CancelledError
        }
        co_await sleep(1h);
    }
}

class tst_wait : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void retriesUntilItWorks()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            int calls = 0;
            const auto fails_twice = [&calls] {
                if (++calls < 3)
                    throw std::runtime_error("not yet");
            };
            QASYNCIO_COMPARE(co_await retry(fails_twice), 3);
            QASYNCIO_VERIFY(loop.time() - begin == 2h);
        });
    }
    void survivesItsEndAtEveryStep()
    {
        Test::tear_down([]() -> Coroutine<> {
            int calls = 0;
            const auto fails_once = [&calls] {
                if (++calls < 2)
                    throw std::runtime_error("not yet");
            };
            co_await retry(fails_once);
        });
    }
};

QTEST_GUILESS_MAIN(tst_wait)
#include "tst_wait.moc"
