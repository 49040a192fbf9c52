// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <qasyncio/test.h>

#include <QtCore/qscopeguard.h>
#include <QtCore/qtimer.h>

#include <thread>

struct Brittle
{
    Brittle() = default;
    Brittle(const Brittle &) { throw ValueError(QStringLiteral("cannot be copied today")); }
};

class Sender : public QObject
{
    Q_OBJECT

Q_SIGNALS:
    void nothing();
    void number(int value);
    void pair(int value, const QString &text);
    void overloaded(int value);
    void overloaded(const QString &text);
    void moveable(std::shared_ptr<int> value);
    void brittle(const Brittle &value);
};

/// Emits as soon as somebody connects.
class EagerSender : public Sender
{
protected:
    void connectNotify(const QMetaMethod &) override { Q_EMIT number(7); }
};

/// from_signal(): results, death, cancellation, threads.
class tst_FromSignal : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theResultIsTheArguments();
    void itIsConnectedWhenItIsMade();
    void anEmissionWhileItIsBeingConnected();
    void overloadedAndPrivateSignals();
    void resumesThroughTheLoopNeverInsideTheEmission();
    void onlyTheFirstEmissionCounts();
    void theDeathOfTheSenderIsAnError();
    void aSenderThatDiesInsideItsOwnEmission();
    void theDeathOfTheSenderEndsAWaitWithATimeoutAtOnce();
    void cancellingDisconnects();
    void droppingTheFutureDisconnects();
    void aNullSenderIsRefused();
    void aSlotCompletesAFutureOfAnIdleLoop();
    void anEmissionInAnotherThread();
    void aSenderThatDiesInAnotherThread();
    void theLoopMayGoFirst();
    void theReceiverMayDeleteTheSender();
    void anArgumentThatCannotBeCopiedIsAnException();
    void whoeverHasTheFutureMayCompleteIt();
};

// H-74
void tst_FromSignal::anArgumentThatCannotBeCopiedIsAnException()
{
    Test::run([]() -> Coroutine<> {
        Sender sender;
        auto emission = from_signal(&sender, &Sender::brittle);
        Q_EMIT sender.brittle(Brittle());
        QASYNCIO_THROWS(co_await emission, ValueError);
        auto from_afar = from_signal(&sender, &Sender::brittle);
        std::thread other([&] { Q_EMIT sender.brittle(Brittle()); });
        const QScopeGuard join([&] { other.join(); });
        QASYNCIO_THROWS(co_await from_afar, ValueError);
    });
}

// H-74
void tst_FromSignal::whoeverHasTheFutureMayCompleteIt()
{
    Test::run([]() -> Coroutine<> {
        auto sender = std::make_unique<Sender>();
        auto emitted = from_signal(sender.get(), &Sender::number);
        auto orphaned = from_signal(sender.get(), &Sender::number);
        emitted.set_result(1);
        Q_EMIT sender->number(2);
        QASYNCIO_COMPARE(co_await emitted, 1);
        QASYNCIO_COMPARE(co_await orphaned, 2);
        auto failed = from_signal(sender.get(), &Sender::number);
        failed.set_result(3);
        sender.reset();
        QASYNCIO_COMPARE(co_await failed, 3);
    });
}

// L-062
void tst_FromSignal::theResultIsTheArguments()
{
    Test::run([&]() -> Coroutine<> {
        Sender sender;
        auto nothing = from_signal(&sender, &Sender::nothing);
        auto number = from_signal(&sender, &Sender::number);
        auto pair = from_signal(&sender, &Sender::pair);
        static_assert(std::is_same_v<decltype(nothing), Future<void>>);
        static_assert(std::is_same_v<decltype(number), Future<int>>);
        static_assert(std::is_same_v<decltype(pair), Future<std::tuple<int, QString>>>);
        Q_EMIT sender.nothing();
        Q_EMIT sender.number(4);
        Q_EMIT sender.pair(5, QStringLiteral("five"));
        co_await nothing;
        QASYNCIO_COMPARE(co_await number, 4);
        const auto result = co_await pair;
        QASYNCIO_COMPARE(std::get<0>(result), 5);
        QASYNCIO_COMPARE(std::get<1>(result), QStringLiteral("five"));
    });
}

// H-74
void tst_FromSignal::itIsConnectedWhenItIsMade()
{
    Test::run([&]() -> Coroutine<> {
        Sender sender;
        auto number = from_signal(&sender, &Sender::number);
        Q_EMIT sender.number(1); // nobody awaits it yet
        co_await sleep(1s);
        QASYNCIO_COMPARE(co_await number, 1);
    });
}

// H-74
void tst_FromSignal::anEmissionWhileItIsBeingConnected()
{
    Test::run([]() -> Coroutine<> {
        EagerSender sender;
        auto number = from_signal(&sender, &Sender::number);
        QASYNCIO_VERIFY(number.done());
        QASYNCIO_COMPARE(co_await number, 7);
    });
}

// H-74
void tst_FromSignal::overloadedAndPrivateSignals()
{
    Test::run(
        [&]() -> Coroutine<> {
            Sender sender;
            auto text = from_signal(&sender, qOverload<const QString &>(&Sender::overloaded));
            auto number = from_signal(&sender, qOverload<int>(&Sender::overloaded));
            Q_EMIT sender.overloaded(3);
            Q_EMIT sender.overloaded(QStringLiteral("three"));
            QASYNCIO_COMPARE(co_await text, QStringLiteral("three"));
            QASYNCIO_COMPARE(co_await number, 3);

            QTimer timer;
            timer.setSingleShot(true);
            auto timeout = from_signal(&timer, &QTimer::timeout); // its last argument is private
            static_assert(std::is_same_v<decltype(timeout), Future<void>>);
            timer.start(1);
            co_await timeout;

            QObject object;
            auto renamed = from_signal(&object, &QObject::objectNameChanged);
            object.setObjectName(QStringLiteral("name"));
            QASYNCIO_COMPARE(co_await renamed, QStringLiteral("name"));
        },
        Test::TestOptions().real_time());
}

// H-10
void tst_FromSignal::resumesThroughTheLoopNeverInsideTheEmission()
{
    QStringList log;
    Test::run([&]() -> Coroutine<> {
        Sender sender;
        auto waiter = create_task([](Sender &sender, QStringList &log) -> Coroutine<> {
            const int value = co_await from_signal(&sender, &Sender::number);
            log << QStringLiteral("resumed with %1 in %2").arg(value).arg(current_task().get_name());
        }(sender, log), TaskOptions().name(QStringLiteral("waiter")));
        co_await sleep(0s);
        log << "emit";
        Q_EMIT sender.number(2);
        log << "emitted";
        QASYNCIO_VERIFY(!waiter.done());
        QASYNCIO_VERIFY(current_task() != AnyTask(waiter));
        co_await waiter;
    });
    QCOMPARE(log, QStringList({"emit", "emitted", "resumed with 2 in waiter"}));
}

// H-74
void tst_FromSignal::onlyTheFirstEmissionCounts()
{
    Test::run([&]() -> Coroutine<> {
        Sender sender;
        auto number = from_signal(&sender, &Sender::number);
        for (int i = 1; i <= 3; ++i)
            Q_EMIT sender.number(i);
        QASYNCIO_COMPARE(co_await number, 1);
        QASYNCIO_COMPARE(number.result(), 1);
    });
}

// H-61, H-74
void tst_FromSignal::theDeathOfTheSenderIsAnError()
{
    Test::run([&]() -> Coroutine<> {
        auto sender = std::make_unique<Sender>();
        get_running_loop().call_soon([&] { sender.reset(); });
        QASYNCIO_THROWS(co_await from_signal(sender.get(), &Sender::number), ObjectDestroyedError);

        auto *later = new Sender;
        get_running_loop().call_soon([later] { later->deleteLater(); });
        QASYNCIO_THROWS(co_await from_signal(later, &Sender::nothing), ObjectDestroyedError);
    });
}

// H-61
void tst_FromSignal::aSenderThatDiesInsideItsOwnEmission()
{
    Test::run([&]() -> Coroutine<> {
        auto *sender = new Sender;
        auto number = from_signal(sender, &Sender::number);
        QObject::connect(sender, &Sender::nothing, sender, [sender] { delete sender; });
        get_running_loop().call_soon([sender] { Q_EMIT sender->nothing(); });
        QASYNCIO_THROWS(co_await number, ObjectDestroyedError);

        auto *other = new Sender;
        auto awaited = from_signal(other, &Sender::number);
        QObject::connect(other, &Sender::number, other, [other] { delete other; });
        Q_EMIT other->number(7); // our slot came first: the value counts
        QASYNCIO_COMPARE(co_await awaited, 7);
    });
}

// H-74
void tst_FromSignal::theDeathOfTheSenderEndsAWaitWithATimeoutAtOnce()
{
    Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
        const TimePoint begin = loop.time();
        auto sender = std::make_unique<Sender>();
        loop.call_later(1s, [&] { sender.reset(); });
        QASYNCIO_THROWS(co_await wait_for(from_signal(sender.get(), &Sender::number), 1h), ObjectDestroyedError);
        QASYNCIO_COMPARE(loop.time() - begin, TimePoint::duration(1s));
        Sender alive;
        QASYNCIO_THROWS(co_await wait_for(from_signal(&alive, &Sender::number), 1s), TimeoutError);
    });
}

namespace {
/// How many slots are connected to Sender::number.
class CountingSender : public Sender
{
public:
    int connected() const { return receivers(SIGNAL(number(int))); }
};
} // namespace

// H-74
void tst_FromSignal::cancellingDisconnects()
{
    Test::run([&]() -> Coroutine<> {
        CountingSender sender;
        auto number = from_signal(&sender, &Sender::number);
        QASYNCIO_COMPARE(sender.connected(), 1);
        QASYNCIO_VERIFY(number.cancel());
        QASYNCIO_COMPARE(sender.connected(), 0);
        auto task = create_task([](Sender *sender) -> Coroutine<> {
            co_await from_signal(sender, &Sender::number);
        }(&sender));
        co_await sleep(0s);
        QASYNCIO_COMPARE(sender.connected(), 1);
        task.cancel();
        QASYNCIO_THROWS(co_await task, CancelledError);
        QASYNCIO_COMPARE(sender.connected(), 0);
    });
}

// H-74
void tst_FromSignal::droppingTheFutureDisconnects()
{
    Test::run([&]() -> Coroutine<> {
        CountingSender sender;
        {
            auto number = from_signal(&sender, &Sender::number);
            auto copy = number;
            QASYNCIO_COMPARE(sender.connected(), 1);
        }
        QASYNCIO_COMPARE(sender.connected(), 0);
        auto fired = from_signal(&sender, &Sender::number);
        Q_EMIT sender.number(1);
        QASYNCIO_COMPARE(sender.connected(), 0);
        co_return;
    });
}

// H-74
void tst_FromSignal::aNullSenderIsRefused()
{
    Test::run([&]() -> Coroutine<> {
        QASYNCIO_COMPARE(error_in([] { return from_signal(static_cast<Sender *>(nullptr), &Sender::number); }),
                         QStringLiteral("ValueError: from_signal: the sender is null"));
        co_return;
    });
    Sender sender;
    QCOMPARE(error_in([&] { return from_signal(&sender, &Sender::number); }), "RuntimeError: no running event loop");
}

// H-71
void tst_FromSignal::aSlotCompletesAFutureOfAnIdleLoop()
{
    Test::run(
        [&](QAsyncioLoop &loop) -> Coroutine<> {
            // In a slot of Qt's, while the loop sleeps. A busy machine may hold up some of the attempts.
            auto least_of_future = std::chrono::nanoseconds::max();
            auto least_of_timer = std::chrono::nanoseconds::max();
            for (int attempt = 0; attempt < 10; ++attempt) {
                TimePoint emitted;
                auto future = loop.create_future<int>();
                QTimer::singleShot(1, qApp, [&] {
                    emitted = loop.time();
                    future.set_result(1);
                });
                QASYNCIO_COMPARE(co_await wait_for(future, 30s), 1);
                least_of_future = std::min(least_of_future, loop.time() - emitted);
                auto called = loop.create_future<>();
                QTimer::singleShot(1, qApp, [&] {
                    emitted = loop.time();
                    loop.call_later(0s, [&] { called.set_result(); });
                });
                co_await wait_for(called, 30s);
                least_of_timer = std::min(least_of_timer, loop.time() - emitted);
            }
            QASYNCIO_VERIFY(least_of_future < 10ms);
            QASYNCIO_VERIFY(least_of_timer < 10ms);
        },
        Test::TestOptions().real_time());
}

// H-53
void tst_FromSignal::anEmissionInAnotherThread()
{
    Test::run(
        [&]() -> Coroutine<> {
            Sender sender;
            auto value = from_signal(&sender, &Sender::moveable);
            std::thread thread([&] { Q_EMIT sender.moveable(std::make_shared<int>(9)); });
            const auto result = co_await value;
            thread.join();
            QASYNCIO_COMPARE(*result, 9);
        },
        Test::TestOptions().real_time());
}

// H-61
void tst_FromSignal::aSenderThatDiesInAnotherThread()
{
    Test::run(
        [&]() -> Coroutine<> {
            auto *sender = new Sender;
            sender->moveToThread(nullptr);
            auto value = from_signal(sender, &Sender::number);
            std::thread thread([sender] { delete sender; });
            QASYNCIO_THROWS(co_await value, ObjectDestroyedError);
            thread.join();
        },
        Test::TestOptions().real_time());
}

// H-29
void tst_FromSignal::theLoopMayGoFirst()
{
    CountingSender sender;
    Future<int> held;
    {
        QAsyncioLoop loop(virtual_time());
        loop.call_soon([&] {
            held = from_signal(&sender, &Sender::number);
            loop.stop();
        });
        loop.run_forever();
        loop.close();
    }
    Q_EMIT sender.number(1);
    QVERIFY(!held.done());
    QCOMPARE(sender.connected(), 0);
}

// H-10
void tst_FromSignal::theReceiverMayDeleteTheSender()
{
    Test::run([&]() -> Coroutine<> {
        auto *sender = new Sender;
        auto number = from_signal(sender, &Sender::number);
        get_running_loop().call_soon([sender] { Q_EMIT sender->number(1); });
        QASYNCIO_COMPARE(co_await number, 1);
        delete sender; // the emission is over
    });
}

QTEST_GUILESS_MAIN(tst_FromSignal)
#include "tst_from_signal.moc"
