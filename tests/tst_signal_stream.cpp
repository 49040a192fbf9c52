// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <thread>

class StreamSender : public QObject
{
    Q_OBJECT

Q_SIGNALS:
    void number(int value);
    void nothing();
    void pair(int value, const QString &text);
};

class tst_signal_stream : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // H-78
    void losesNoEmissionBetweenTwoAwaits()
    {
        Test::run([]() -> Coroutine<> {
            StreamSender sender;
            auto numbers = signal_stream(&sender, &StreamSender::number);
            Q_EMIT sender.number(1); // before the first await
            Q_EMIT sender.number(2);
            QASYNCIO_COMPARE(*co_await numbers.next(), 1);
            QASYNCIO_COMPARE(*co_await numbers.next(), 2);
            const auto emit_two = [&]() -> Coroutine<> {
                co_await sleep(1s);
                Q_EMIT sender.number(3);
                Q_EMIT sender.number(4); // before the task has resumed
            };
            auto emitter = create_task(emit_two());
            QASYNCIO_COMPARE(*co_await numbers.next(), 3);
            co_await sleep(1s);
            Q_EMIT sender.number(5);
            QASYNCIO_COMPARE(numbers.size(), size_t(2));
            QASYNCIO_COMPARE(*co_await numbers.next(), 4);
            QASYNCIO_COMPARE(*co_await numbers.next(), 5);
            co_await emitter;
        });
    }

    void theValuesAreTheArguments()
    {
        Test::run([]() -> Coroutine<> {
            StreamSender sender;
            auto nothing = signal_stream(&sender, &StreamSender::nothing);
            auto pairs = signal_stream(&sender, &StreamSender::pair);
            Q_EMIT sender.nothing();
            Q_EMIT sender.pair(5, u"five"_s);
            QASYNCIO_VERIFY((co_await nothing.next()).has_value());
            const auto pair = co_await pairs.next();
            QASYNCIO_COMPARE(std::get<0>(*pair), 5);
            QASYNCIO_COMPARE(std::get<1>(*pair), u"five"_s);
        });
    }

    void endsWhenTheSenderDiesAndAllWasTaken()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            auto sender = std::make_unique<StreamSender>();
            auto numbers = signal_stream(sender.get(), &StreamSender::number);
            Q_EMIT sender->number(1);
            sender.reset();
            QASYNCIO_COMPARE(*co_await numbers.next(), 1);
            QASYNCIO_VERIFY(!co_await numbers.next());
            QASYNCIO_VERIFY(!co_await numbers.next());

            sender = std::make_unique<StreamSender>();
            auto others = signal_stream(sender.get(), &StreamSender::number);
            loop.call_later(1s, [&] { sender.reset(); });
            QASYNCIO_VERIFY(!co_await others.next());
        });
    }

    void cancellingAnAwaitLosesNothing()
    {
        Test::run([]() -> Coroutine<> {
            StreamSender sender;
            auto numbers = signal_stream(&sender, &StreamSender::number);
            QASYNCIO_THROWS(co_await wait_for(numbers.next(), 1s), TimeoutError);
            Q_EMIT sender.number(7);
            QASYNCIO_COMPARE(*co_await numbers.next(), 7);
        });
    }

    void onlyOneTaskAtATimeMayAwaitIt()
    {
        Test::run([]() -> Coroutine<> {
            StreamSender sender;
            auto numbers = signal_stream(&sender, &StreamSender::number);
            auto first = create_task(numbers.next());
            co_await sleep(0s);
            QASYNCIO_THROWS(co_await numbers.next(), RuntimeError);
            Q_EMIT sender.number(1);
            QASYNCIO_COMPARE(*co_await first, 1);
        });
    }

    void droppingItDisconnects()
    {
        Test::run([]() -> Coroutine<> {
            class Watched : public StreamSender
            {
            public:
                int connections() const { return receivers(SIGNAL(number(int))); }
            } sender;
            {
                auto numbers = signal_stream(&sender, &StreamSender::number);
                QASYNCIO_COMPARE(sender.connections(), 1);
                auto moved_to = std::move(numbers);
                QASYNCIO_COMPARE(sender.connections(), 1);
            }
            QASYNCIO_COMPARE(sender.connections(), 0);
            co_return;
        });
    }

    // H-61
    void theTaskThatAwaitsItMayBeUnwound()
    {
        QAsyncioLoop loop(virtual_time());
        StreamSender sender;
        auto object = std::make_unique<QObject>();
        const auto body = [&]() -> Coroutine<> {
            auto numbers = signal_stream(&sender, &StreamSender::number);
            co_await numbers.next();
        };
        auto task = loop.create_task(body(), TaskOptions().context(object.get()));
        run_ready(loop);
        object.reset();
        Q_EMIT sender.number(1);
        QVERIFY(task.cancelled());
        loop.close();
    }

    // H-53
    void emissionsOfAnotherThreadArriveInOrder()
    {
        Test::run(
            []() -> Coroutine<> {
                auto sender = std::make_unique<StreamSender>();
                auto numbers = signal_stream(sender.get(), &StreamSender::number);
                std::thread thread([emitter = sender.get()] {
                    for (int i = 0; i < 1000; ++i)
                        Q_EMIT emitter->number(i);
                });
                int expected = 0;
                while (expected < 1000) {
                    const auto number = co_await numbers.next();
                    if (!QTest::qCompare(*number, expected, "number", "expected", __FILE__, __LINE__))
                        break;
                    ++expected;
                }
                thread.join();
                QASYNCIO_COMPARE(expected, 1000);
            },
            Test::TestOptions().real_time());
    }

    // H-74
    void endsWhenTheSenderDiesInAnotherThread()
    {
        Test::run(
            []() -> Coroutine<> {
                auto *sender = new StreamSender;
                sender->moveToThread(nullptr);
                auto numbers = signal_stream(sender, &StreamSender::number);
                std::thread thread([sender] {
                    Q_EMIT sender->number(1);
                    delete sender;
                });
                QASYNCIO_COMPARE(*co_await numbers.next(), 1);
                QASYNCIO_VERIFY(!co_await numbers.next());
                thread.join();
            },
            Test::TestOptions().real_time());
    }

    void aNullSenderIsRefused()
    {
        Test::run([]() -> Coroutine<> {
            QASYNCIO_THROWS(signal_stream(static_cast<StreamSender *>(nullptr), &StreamSender::number), ValueError);
            co_return;
        });
    }
};

QTEST_GUILESS_MAIN(tst_signal_stream)
#include "tst_signal_stream.moc"
