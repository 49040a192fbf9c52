// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <QtCore/qstringlist.h>

#include <thread>

namespace {
/// Writes down what it is asked.
class Recording : public EventLoopPolicy
{
public:
    QAsyncioLoop &get_event_loop() override
    {
        log << "get";
        return EventLoopPolicy::get_event_loop();
    }
    void set_event_loop(QAsyncioLoop *loop) override
    {
        log << (loop ? "set" : "clear");
        EventLoopPolicy::set_event_loop(loop);
    }
    std::unique_ptr<QAsyncioLoop> new_event_loop() override
    {
        log << "new";
        return std::make_unique<QAsyncioLoop>(virtual_time());
    }
    QStringList log;
};
} // namespace

/// Getting and setting the loop; policies.
class tst_policy : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cleanup()
    {
        set_event_loop_policy(nullptr);
        set_event_loop(nullptr);
    }
    // L-101
    void theMainThreadGetsALoopWhenItAsks()
    {
        // Runs first: nothing was set yet in this thread.
        const auto policy = std::make_shared<Recording>();
        set_event_loop_policy(policy);
        QAsyncioLoop &loop = get_event_loop();
        QCOMPARE(&get_event_loop(), &loop);
        QVERIFY(!loop.is_closed());
        // made and set by way of the policy
        QCOMPARE(policy->log, QStringList({"get", "new", "set", "get"}));
    }

    // L-100
    void getRunningLoopThrowsWhereNoneRuns()
    {
        QCOMPARE(error_in([] { get_running_loop(); }), "RuntimeError: no running event loop");
        QCOMPARE(error_in([] { current_task(); }), "RuntimeError: no running event loop");
        QAsyncioLoop loop(virtual_time());
        set_event_loop(&loop);
        QString other;
        loop.call_soon([&] {
            QCOMPARE(&get_running_loop(), &loop);
            std::thread([&] { other = error_in([] { get_running_loop(); }); }).join();
            loop.stop();
        });
        loop.run_forever();
        QCOMPARE(other, "RuntimeError: no running event loop");
        loop.close();
    }

    // L-101
    void getEventLoopIsTheRunningOneElseTheOneThatWasSet()
    {
        QAsyncioLoop set(virtual_time());
        QAsyncioLoop running(virtual_time());
        set_event_loop(&set);
        QCOMPARE(&get_event_loop(), &set);
        running.call_soon([&] {
            QCOMPARE(&get_event_loop(), &running);
            running.stop();
        });
        running.run_forever();
        QCOMPARE(&get_event_loop(), &set);
        set.close();
        running.close();
    }

    // L-101
    void otherThreadsHaveNoneUntilOneIsSet()
    {
        QStringList results;
        std::thread([&] {
            results << error_in([] { get_event_loop(); });
            QAsyncioLoop own(virtual_time());
            set_event_loop(&own);
            results << (&get_event_loop() == &own ? "own" : "other");
            own.close();
        }).join();
        QVERIFY(results[0].startsWith("RuntimeError: There is no current event loop in thread '"));
        QCOMPARE(results[1], "own");
    }

    // L-102
    void setEventLoopNullClears()
    {
        QAsyncioLoop loop(virtual_time());
        set_event_loop(&loop);
        set_event_loop(nullptr);
        QCOMPARE(error_in([] { get_event_loop(); }),
                 "RuntimeError: There is no current event loop in thread 'MainThread'.");
        loop.close();
    }

    // L-102
    void newEventLoopInstallsNothing()
    {
        const auto loop = new_event_loop();
        QVERIFY(!error_in([] { get_event_loop(); }).isEmpty());
        loop->close();
    }

    // L-102
    void aPolicyChangesWhatTheyDo()
    {
        const auto policy = std::make_shared<Recording>();
        set_event_loop_policy(policy);
        QCOMPARE(get_event_loop_policy(), policy);
        const auto loop = new_event_loop();
        set_event_loop(loop.get());
        QCOMPARE(&get_event_loop(), loop.get());
        // run() makes its loop by the policy, and sets and clears it.
        const auto hour = []() -> Coroutine<int> {
            co_await sleep(1h); // virtual
            co_return 3;
        };
        QCOMPARE(QAsyncio::run(hour()), 3);
        QCOMPARE(policy->log, QStringList({"new", "set", "get", "new", "set", "clear"}));
        set_event_loop_policy(nullptr);
        QVERIFY(get_event_loop_policy() != policy);
        loop->close();
    }

    // L-102
    void aSecondLoopReplacesTheFirst()
    {
        QAsyncioLoop first(virtual_time());
        QAsyncioLoop second(virtual_time());
        set_event_loop(&first);
        set_event_loop(&second);
        QCOMPARE(&get_event_loop(), &second);
        first.close();
        second.close();
    }

    // L-101
    void theRunningLoopIsGivenWithoutAskingThePolicy()
    {
        class Refusing : public EventLoopPolicy
        {
        public:
            QAsyncioLoop &get_event_loop() override { throw ValueError(QStringLiteral("asked")); }
        };
        set_event_loop_policy(std::make_shared<Refusing>());
        QAsyncioLoop loop(virtual_time());
        QCOMPARE(error_in([] { get_event_loop(); }), "ValueError: asked");
        QAsyncioLoop *seen = nullptr;
        loop.call_soon([&] {
            seen = &get_event_loop();
            loop.stop();
        });
        loop.run_forever();
        QCOMPARE(seen, &loop);
        set_event_loop(&loop);
        QCOMPARE(error_in([] { get_event_loop(); }), "ValueError: asked");
        loop.close();
    }

    // L-102
    void theDefaultPolicyStaysTheSame()
    {
        const auto policy = get_event_loop_policy();
        QVERIFY(policy);
        QCOMPARE(get_event_loop_policy(), policy);
    }
};

QTEST_GUILESS_MAIN(tst_policy)
#include "tst_policy.moc"
