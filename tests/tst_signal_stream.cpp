// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qpointer.h>
#include <QtCore/qtimer.h>

#include <thread>

class StreamSender : public QObject
{
    Q_OBJECT

Q_SIGNALS:
    void number(int value);
    void nothing();
    void pair(int value, const QString &text);
    void view(QStringView text);
    void constant(int value) const;
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

    void anItemThatCannotBeMovedIsAnException()
    {
        struct Rigid
        {
            explicit Rigid(int number) : number(number) { }
            Rigid(Rigid &&other) : number(other.number)
            {
                if (number == 2)
                    throw ValueError(u"stays where it is"_s);
            }
            int number;
        };
        Test::run([]() -> Coroutine<> {
            StreamSender sender;
            const auto rigid = [](int number) { return std::make_shared<int>(number); };
            auto numbers = signal_stream(&sender, &StreamSender::number, rigid);
            const auto throwing = [](int number) { return Rigid(number); };
            auto rigids = signal_stream(&sender, &StreamSender::number, throwing);
            for (const int number : {1, 2, 3})
                Q_EMIT sender.number(number);
            for (const int number : {1, 2, 3}) {
                const auto shared = co_await numbers.next();
                QASYNCIO_COMPARE(**shared, number);
                QString error;
                try {
                    const auto next = co_await rigids.next();
                    QASYNCIO_COMPARE(next->number, number);
                } catch (const ValueError &thrown) {
                    error = thrown.message();
                }
                QASYNCIO_COMPARE(error, number == 2 ? u"stays where it is"_s : QString());
            }
        });
    }

    void anItemOfAnotherThreadThatCannotBeMovedIsAnException()
    {
        struct Homeless
        {
            explicit Homeless(int number) : number(number) { }
            Homeless(Homeless &&other) : number(other.number), home(other.home)
            {
                if (number == 2 && std::this_thread::get_id() != home)
                    throw ValueError(u"stays where it is"_s);
            }
            int number;
            std::thread::id home = std::this_thread::get_id();
        };
        Test::run(
            []() -> Coroutine<> {
                StreamSender sender;
                const auto make = [](int number) { return std::make_shared<int>(number); };
                auto numbers = signal_stream(&sender, &StreamSender::number, make);
                const auto make_homeless = [](int number) { return Homeless(number); };
                auto homeless = signal_stream(&sender, &StreamSender::number, make_homeless);
                std::thread([&] {
                    Q_EMIT sender.number(2);
                    Q_EMIT sender.number(3);
                }).join();
                QASYNCIO_THROWS(co_await homeless.next(), ValueError);
                const auto next = co_await homeless.next();
                QASYNCIO_COMPARE(next->number, 3);
                QASYNCIO_COMPARE(numbers.size(), size_t(2));
            },
            Test::TestOptions().real_time());
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
                    if (!QTest::qCompare(*number, expected, "number", "expected", __FILE__,
                                         __LINE__))
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

    void aConstSignalAndASenderInAQPointer()
    {
        Test::run([]() -> Coroutine<> {
            auto sender = std::make_unique<StreamSender>();
            const QPointer<StreamSender> pointer(sender.get());
            auto numbers = signal_stream(pointer, &StreamSender::number);
            auto constants = signal_stream(sender.get(), &StreamSender::constant);
            const auto twice = [](int value) { return 2 * value; };
            auto mapped = signal_stream(pointer, &StreamSender::constant, twice);
            Q_EMIT sender->number(2);
            Q_EMIT sender->constant(3);
            QASYNCIO_COMPARE(*co_await numbers.next(), 2);
            QASYNCIO_COMPARE(*co_await constants.next(), 3);
            QASYNCIO_COMPARE(*co_await mapped.next(), 6);
            sender.reset();
            QASYNCIO_THROWS(static_cast<void>(signal_stream(pointer, &StreamSender::number)),
                            ValueError);
        });
    }

    void aNullSenderIsRefused()
    {
        Test::run([]() -> Coroutine<> {
            QASYNCIO_THROWS(static_cast<void>(signal_stream(static_cast<StreamSender *>(nullptr),
                                                            &StreamSender::number)),
                            ValueError);
            co_return;
        });
    }

    void aMapTakesAlongWhatIsNeeded()
    {
        Test::run([]() -> Coroutine<> {
            StreamSender sender;
            const auto copied = [](QStringView text) {
                if (text.isEmpty())
                    throw ValueError(u"empty"_s);
                return text.toString();
            };
            auto texts = signal_stream(&sender, &StreamSender::view, copied);
            int calls = 0;
            const auto counted = [&] { ++calls; };
            auto nothing = signal_stream(&sender, &StreamSender::view, counted);
            Q_EMIT sender.view(QString(u"one"_s));
            Q_EMIT sender.view(QStringView());
            Q_EMIT sender.view(QString(u"two"_s));
            QASYNCIO_COMPARE(calls, 3);
            QASYNCIO_COMPARE(nothing.size(), 3u);
            QASYNCIO_COMPARE(*co_await texts.next(), u"one"_s);
            QASYNCIO_COMPARE(co_await error_of(texts.next()), u"ValueError: empty"_s);
            QASYNCIO_COMPARE(*co_await texts.next(), u"two"_s);
        });
    }

    void aMapMayAct()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                auto sender = std::make_unique<StreamSender>();
                std::optional<SignalStream<int>> numbers;
                Task<> waiting;
                const auto await_next = [&]() -> Coroutine<> { co_await numbers->next(); };
                for (const int act :
                     {1, 2, 3}) { // drop the stream, cancel the task, delete the sender
                    const auto map = [&](int value) {
                        if (act == 1)
                            numbers.reset();
                        else if (act == 2)
                            waiting.cancel();
                        else
                            sender.reset();
                        return value;
                    };
                    numbers.emplace(signal_stream(sender.get(), &StreamSender::number, map));
                    waiting = create_task(await_next());
                    co_await turns(2);
                    QTimer::singleShot(0, sender.get(), [&] { Q_EMIT sender->number(1); });
                    const QString expected = act == 2 ? u"CancelledError"_s : QString();
                    QASYNCIO_COMPARE(co_await error_of(waiting), expected);
                    QASYNCIO_COMPARE(numbers ? numbers->size() : 0u, act == 2 ? 1u : 0u);
                }
                Q_UNUSED(loop)
            },
            Test::TestOptions().real_time());
    }

    void aTimeOutLosesNothing()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            StreamSender sender;
            auto numbers = signal_stream(&sender, &StreamSender::number);
            int sent = 0, got = 0;
            for (int i = 0; i < 50; ++i) {
                const auto emit_one = [&] { Q_EMIT sender.number(++sent); };
                loop.call_later(std::chrono::milliseconds(i % 5), emit_one);
                bool timed_out = false;
                try {
                    const auto number = co_await wait_for(numbers.next(),
                                                          std::chrono::milliseconds(i % 4));
                    QASYNCIO_COMPARE(*number, ++got);
                } catch (const TimeoutError &) {
                    timed_out = true;
                }
                if (timed_out)
                    co_await sleep(std::chrono::milliseconds(i % 3));
            }
            co_await sleep(10ms);
            while (numbers.size() > 0) {
                const auto number = co_await numbers.next();
                QASYNCIO_COMPARE(*number, ++got);
            }
            QASYNCIO_COMPARE(got, 50);
        });
    }

    void itEndsWhenTheProgramDisconnectsItsSender()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            StreamSender sender;
            auto numbers = signal_stream(&sender, &StreamSender::number);
            Q_EMIT sender.number(1);
            loop.call_later(1s, [&] { sender.disconnect(); });
            QASYNCIO_COMPARE(*co_await numbers.next(), 1);
            QASYNCIO_VERIFY(!(co_await numbers.next()).has_value());
        });
    }

    void itCannotBeAwaitedInAnotherLoop()
    {
        StreamSender sender;
        std::optional<SignalStream<int>> numbers;
        {
            QAsyncioLoop first(virtual_time());
            const auto make = [&]() -> Coroutine<> {
                numbers.emplace(signal_stream(&sender, &StreamSender::number));
                co_return;
            };
            first.run_until_complete(make());
            Q_EMIT sender.number(1);
            first.close();
        }
        Q_EMIT sender.number(2);
        QAsyncioLoop second(virtual_time());
        const QString error = u"RuntimeError: this stream belongs to another event loop"_s;
        QCOMPARE(second.run_until_complete(error_of(numbers->next())), error);
        const auto raced = [&]() -> Coroutine<> { co_await race(sleeper(), numbers->next()); };
        QCOMPARE(second.run_until_complete(error_of(raced())), error);
        SignalStream<int> moved = std::move(*numbers);
        QCOMPARE(second.run_until_complete(error_of(numbers->next())),
                 u"RuntimeError: this stream was moved from"_s);
        second.close();
    }

    void oneThatIsDroppedInAnotherThreadIsDisconnectedAtHome()
    {
        Test::run(
            []() -> Coroutine<> {
                StreamSender sender;
                auto numbers = signal_stream(&sender, &StreamSender::number);
                Q_EMIT sender.number(1);
                std::thread([dropped = std::move(numbers)] { }).join();
                co_await sleep(10ms);
                Q_EMIT sender.number(2);
            },
            Test::TestOptions().real_time());
    }

    /// Nothing that another thread sends home then is left anywhere.
    void theLoopMayGoFirst()
    {
        auto loop = std::make_unique<QAsyncioLoop>(virtual_time());
        auto *sender = new StreamSender;
        const auto value = std::make_shared<int>(1);
        const auto with_value = [value](int) { return value; };
        std::optional<SignalStream<std::shared_ptr<int>>> values;
        loop->call_soon(
            [&] { values.emplace(signal_stream(sender, &StreamSender::number, with_value)); });
        run_once(*loop);
        loop->close();
        loop.reset();
        const long before = value.use_count();
        std::thread([&] { Q_EMIT sender->number(1); }).join();
        QCOMPARE(value.use_count(), before);
        QCOMPARE(values->size(), size_t(0));
        std::thread([&] { delete sender; }).join();
        values.reset();
        QCOMPARE(value.use_count(), 2L); // ours and that of with_value
    }

    void itsNextCanBeATask()
    {
        Test::run([]() -> Coroutine<> {
            StreamSender sender;
            auto numbers = signal_stream(&sender, &StreamSender::number);
            auto task = create_task(numbers.next());
            co_await turns(1);
            Q_EMIT sender.number(1);
            QASYNCIO_COMPARE(*co_await task, 1);
            Q_EMIT sender.number(2);
            auto future = ensure_future(numbers.next());
            QASYNCIO_COMPARE(*co_await future, 2);
            Q_EMIT sender.number(3);
            const auto [three] = co_await gather(numbers.next());
            QASYNCIO_COMPARE(*three, 3);
        });
    }
};

QTEST_GUILESS_MAIN(tst_signal_stream)
#include "tst_signal_stream.moc"
