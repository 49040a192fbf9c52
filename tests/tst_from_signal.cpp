// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <qasyncio/test.h>

#include <QtCore/qmetaobject.h>
#include <QtCore/qpointer.h>
#include <QtCore/qregularexpression.h>
#include <QtCore/qscopeguard.h>
#include <QtCore/qstringlist.h>
#include <QtCore/qtimer.h>

#include <algorithm>
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
    void view(QByteArrayView text, QStringView more);
    void pointer(QObject *object);
    void constant(int value) const;
};

/// Emits as soon as somebody connects.
class EagerSender : public Sender
{
protected:
    void connectNotify(const QMetaMethod &) override { Q_EMIT number(7); }
};

class SlotOwner : public QObject
{
    Q_OBJECT

public:
    void noSignal(int) { }
    int level() const { return 0; }
};

namespace {
/// How many slots are connected to Sender::number.
class CountingSender : public Sender
{
public:
    int connected() const { return receivers(SIGNAL(number(int))); }
};
} // namespace

/// from_signal(): results, death, cancellation, threads.
class tst_from_signal : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theResultIsTheArguments()
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

    void itIsConnectedWhenItIsMade()
    {
        Test::run([&]() -> Coroutine<> {
            Sender sender;
            auto number = from_signal(&sender, &Sender::number);
            Q_EMIT sender.number(1); // nobody awaits it yet
            co_await sleep(1s);
            QASYNCIO_COMPARE(co_await number, 1);
        });
    }

    void anEmissionWhileItIsBeingConnected()
    {
        Test::run([]() -> Coroutine<> {
            EagerSender sender;
            auto number = from_signal(&sender, &Sender::number);
            QASYNCIO_VERIFY(number.done());
            QASYNCIO_COMPARE(co_await number, 7);
        });
    }

    void overloadedAndPrivateSignals()
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
                // its last argument is private
                auto timeout = from_signal(&timer, &QTimer::timeout);
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

    void aConstSignal()
    {
        Test::run([]() -> Coroutine<> {
            const Sender sender;
            auto number = from_signal(&sender, &Sender::constant);
            const auto twice = [](int value) { return 2 * value; };
            auto mapped = from_signal(&sender, &Sender::constant, twice);
            Q_EMIT sender.constant(3);
            QASYNCIO_COMPARE(co_await number, 3);
            QASYNCIO_COMPARE(co_await mapped, 6);
        });
    }

    void aSenderInAQPointer()
    {
        Test::run([]() -> Coroutine<> {
            auto sender = std::make_unique<EagerSender>();
            const QPointer<EagerSender> pointer(sender.get());
            auto text = from_signal(pointer, qOverload<const QString &>(&Sender::overloaded));
            const auto none = [] { return 1; };
            auto mapped = from_signal(pointer, &EagerSender::nothing, none);
            Q_EMIT sender->overloaded(u"text"_s);
            Q_EMIT sender->nothing();
            QASYNCIO_COMPARE(co_await text, u"text"_s);
            QASYNCIO_COMPARE(co_await mapped, 1);
            sender.reset();
            QASYNCIO_COMPARE(error_in([&] { return from_signal(pointer, &Sender::number); }),
                             u"ValueError: from_signal: the sender is null"_s);
        });
    }

    // H-10
    void resumesThroughTheLoopNeverInsideTheEmission()
    {
        QStringList log;
        Test::run([&]() -> Coroutine<> {
            Sender sender;
            auto waiter = create_task(
                [](Sender &sender, QStringList &log) -> Coroutine<> {
                    const int value = co_await from_signal(&sender, &Sender::number);
                    log << QStringLiteral("resumed with %1 in %2")
                               .arg(value)
                               .arg(current_task().get_name());
                }(sender, log),
                TaskOptions().name(QStringLiteral("waiter")));
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

    void onlyTheFirstEmissionCounts()
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
    void theDeathOfTheSenderIsAnError()
    {
        Test::run([&]() -> Coroutine<> {
            auto sender = std::make_unique<Sender>();
            get_running_loop().call_soon([&] { sender.reset(); });
            QASYNCIO_THROWS(co_await from_signal(sender.get(), &Sender::number),
                            ObjectDestroyedError);

            auto *later = new Sender;
            get_running_loop().call_soon([later] { later->deleteLater(); });
            QASYNCIO_THROWS(co_await from_signal(later, &Sender::nothing), ObjectDestroyedError);
        });
    }

    // H-61
    void aSenderThatDiesInsideItsOwnEmission()
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
    void theDeathOfTheSenderEndsAWaitWithATimeoutAtOnce()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            auto sender = std::make_unique<Sender>();
            loop.call_later(1s, [&] { sender.reset(); });
            QASYNCIO_THROWS(co_await wait_for(from_signal(sender.get(), &Sender::number), 1h),
                            ObjectDestroyedError);
            QASYNCIO_COMPARE(loop.time() - begin, TimePoint::duration(1s));
            Sender alive;
            QASYNCIO_THROWS(co_await wait_for(from_signal(&alive, &Sender::number), 1s),
                            TimeoutError);
        });
    }

    // H-74
    void cancellingDisconnects()
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
    void droppingTheFutureDisconnects()
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

    void theValueGoesWithTheLastHandle()
    {
        Test::run([&]() -> Coroutine<> {
            Sender sender;
            auto future = from_signal(&sender, &Sender::moveable);
            std::weak_ptr<int> value;
            long left = -1;
            // Inside of the emission, whose slot still knows the future.
            QObject::connect(&sender, &Sender::moveable, &sender, [&] {
                future = {};
                left = value.use_count();
            });
            {
                auto number = std::make_shared<int>(1);
                value = number;
                Q_EMIT sender.moveable(number);
            }
            QASYNCIO_COMPARE(left, 2L); // here, and the argument of the signal
            co_return;
        });
    }

    void whatIsNoSignalIsRefused()
    {
        Test::run([]() -> Coroutine<> {
            SlotOwner owner;
            // Qt 6.11, Qt 6.4
            const QRegularExpression warning(
                u"SlotOwner.*signal not found|signal not found in SlotOwner"_s);
            QTest::ignoreMessage(QtWarningMsg, warning);
            QASYNCIO_COMPARE(
                error_in([&] { static_cast<void>(from_signal(&owner, &SlotOwner::noSignal)); }),
                u"ValueError: from_signal: this signal cannot be connected"_s);
            QTest::ignoreMessage(QtWarningMsg, warning);
            QASYNCIO_COMPARE(
                error_in([&] { static_cast<void>(signal_stream(&owner, &SlotOwner::noSignal)); }),
                u"ValueError: signal_stream: this signal cannot be connected"_s);
            QTest::ignoreMessage(QtWarningMsg, warning);
            const auto is_one = [](int level) { return level == 1; };
            const QString error = co_await error_of(
                wait_until(&owner, &SlotOwner::level, &SlotOwner::noSignal, is_one));
            QASYNCIO_COMPARE(error, u"ValueError: wait_until: this signal cannot be connected"_s);
        });
    }

    void anEmissionThatComesHomeTooLate_data()
    {
        QTest::addColumn<QString>("before");
        QTest::addColumn<bool>("dies");
        for (const char *before :
             {"nothing", "cancelled", "dropped", "completed", "closed", "closed for long"}) {
            QTest::addRow("%s, an emission", before) << QString::fromLatin1(before) << false;
            QTest::addRow("%s, the sender's death", before) << QString::fromLatin1(before) << true;
        }
    }

    /// Another thread emits, or deletes the sender; before the loop hears of it something else has
    /// happened. Nobody awaits it.
    void anEmissionThatComesHomeTooLate()
    {
        QFETCH(QString, before);
        QFETCH(bool, dies);
        QTest::failOnWarning(QRegularExpression(u"."_s));
        auto loop = std::make_unique<QAsyncioLoop>();
        auto *sender = new Sender;
        std::optional<Future<std::shared_ptr<int>>> future;
        const auto value = std::make_shared<int>(1);
        const auto other_thread = [&] {
            if (dies)
                delete sender;
            else
                Q_EMIT sender->moveable(value);
        };
        loop->call_soon([&] {
            future = from_signal(sender, &Sender::moveable);
            if (before != u"closed for long")
                std::thread(other_thread).join();
            if (before == u"cancelled")
                future->cancel();
            else if (before == u"dropped")
                future.reset();
            else if (before == u"completed")
                future->set_result(nullptr);
            loop->stop();
        });
        loop->run_forever();
        if (before.startsWith(u"closed"))
            loop->close();
        else
            run_ready(*loop);
        if (before == u"closed for long")
            std::thread(other_thread).join();
        if (future && before == u"cancelled")
            QVERIFY(future->cancelled());
        else if (future && before == u"completed")
            QVERIFY(future->result() == nullptr);
        future.reset();
        loop->close();
        loop.reset();
        QCOMPARE(value.use_count(), 1L); // no copy is left anywhere
        if (!dies)
            delete sender;
    }

    void aNullSenderIsRefused()
    {
        Test::run([&]() -> Coroutine<> {
            QASYNCIO_COMPARE(error_in([] {
                                 return from_signal(static_cast<Sender *>(nullptr),
                                                    &Sender::number);
                             }),
                             QStringLiteral("ValueError: from_signal: the sender is null"));
            co_return;
        });
        Sender sender;
        QCOMPARE(error_in([&] { return from_signal(&sender, &Sender::number); }),
                 "RuntimeError: no running event loop");
    }

    // H-71
    void aSlotCompletesAFutureOfAnIdleLoop()
    {
        Test::run(
            [&](QAsyncioLoop &loop) -> Coroutine<> {
                // In a slot of Qt's, while the loop sleeps. A busy machine may hold up some of the
                // attempts.
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
    void anEmissionInAnotherThread()
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
    void aSenderThatDiesInAnotherThread()
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
    void theLoopMayGoFirst()
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
    void theReceiverMayDeleteTheSender()
    {
        Test::run([&]() -> Coroutine<> {
            auto *sender = new Sender;
            auto number = from_signal(sender, &Sender::number);
            get_running_loop().call_soon([sender] { Q_EMIT sender->number(1); });
            QASYNCIO_COMPARE(co_await number, 1);
            delete sender; // the emission is over
        });
    }

    void anArgumentThatCannotBeCopiedIsAnException()
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

    void whoeverHasTheFutureMayCompleteIt()
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

    void aMapRunsInsideTheEmission()
    {
        Test::run([]() -> Coroutine<> {
            Sender sender;
            const auto joined = [](QByteArrayView text, QStringView more) {
                return text.toByteArray() + more.toUtf8();
            };
            auto view = from_signal(&sender, &Sender::view, joined);
            static_assert(std::is_same_v<decltype(view), Future<QByteArray>>);
            const auto name = [](QObject *object) { return object->objectName(); };
            auto pointer = from_signal(&sender, &Sender::pointer, name);
            auto plain = from_signal(&sender, &Sender::pointer);
            static_assert(std::is_same_v<decltype(plain), Future<QObject *>>);
            {
                const QByteArray text("gone");
                QObject object;
                object.setObjectName(QStringLiteral("gone, too"));
                Q_EMIT sender.view(text, QString(QStringLiteral("!")));
                Q_EMIT sender.pointer(&object);
            }
            QASYNCIO_COMPARE(co_await view, QByteArray("gone!"));
            QASYNCIO_COMPARE(co_await pointer, QStringLiteral("gone, too"));
        });
    }

    void aMapMayTakeFewerArguments()
    {
        Test::run([]() -> Coroutine<> {
            Sender sender;
            // what can only be moved
            const auto doubled = [](int value) { return std::make_unique<int>(2 * value); };
            auto one = from_signal(&sender, &Sender::pair, doubled);
            int calls = 0;
            const auto counted = [&calls] { ++calls; };
            auto none = from_signal(&sender, &Sender::pair, counted);
            static_assert(std::is_same_v<decltype(none), Future<void>>);
            const auto length = [](int, const QString &text) -> qsizetype { return text.size(); };
            auto both = from_signal(&sender, &Sender::pair, length);
            auto owned = std::make_unique<int>(5);
            auto with_capture = [five = std::move(owned)](const auto &...args) {
                return *five + int(sizeof...(args));
            };
            auto all = from_signal(&sender, &Sender::pair, moved(with_capture));
            Q_EMIT sender.pair(21, QStringLiteral("text"));
            QASYNCIO_COMPARE(calls, 1);
            co_await none;
            const auto value = co_await one;
            QASYNCIO_COMPARE(*value, 42);
            QASYNCIO_COMPARE(co_await both, 4);
            QASYNCIO_COMPARE(co_await all, 7);
        });
    }

    void whatAMapThrowsIsTheException()
    {
        Test::run([]() -> Coroutine<> {
            Sender sender;
            const auto picky = [](int value) -> int {
                if (value < 0)
                    throw ValueError(QStringLiteral("negative"));
                return value;
            };
            auto future = from_signal(&sender, &Sender::number, picky);
            Q_EMIT sender.number(-1);
            QASYNCIO_THROWS(co_await future, ValueError);
        });
    }

    void aMapMayAct_data()
    {
        QTest::addColumn<QByteArray>("act");
        for (const char *act :
             {"cancel the task", "cancel the future", "delete the sender",
              "delete the context object", "emit again", "complete the future", "then throw"})
            QTest::newRow(act) << QByteArray(act);
    }

    void aMapMayAct()
    {
        QFETCH(const QByteArray, act);
        QAsyncioLoop loop(virtual_time());
        auto *sender = new Sender;
        auto *object = new QObject;
        Task<int> task;
        Future<int> future;
        const auto map = [&](int value) -> int {
            if (act == "cancel the task")
                task.cancel();
            else if (act == "cancel the future")
                future.cancel();
            else if (act == "delete the sender")
                delete std::exchange(sender, nullptr);
            else if (act == "delete the context object")
                delete std::exchange(object, nullptr);
            else if (act == "emit again")
                Q_EMIT sender->number(value + 1);
            else if (act == "complete the future")
                future.set_result(value + 1);
            else {
                task.cancel();
                throw ValueError(QStringLiteral("nobody hears it"));
            }
            return value;
        };
        const auto body = [&]() -> Coroutine<int> {
            future = from_signal(sender, &Sender::number, map);
            co_return co_await future;
        };
        task = loop.create_task(body(), TaskOptions().context(object));
        run_ready(loop);
        Q_EMIT sender->number(1); // from outside of the loop
        const QByteArray error = describe([&] {
                                     try {
                                         loop.run_until_complete(task);
                                     } catch (...) {
                                         return std::current_exception();
                                     }
                                     return std::exception_ptr();
                                 }())
                                     .toUtf8();
        if (act == "delete the sender" || act == "emit again" || act == "complete the future") {
            QCOMPARE(error, QByteArray());
            QCOMPARE(task.result(), act == "complete the future" ? 2 : 1);
        } else {
            QCOMPARE(error, QByteArray("CancelledError"));
        }
        future = {};
        loop.close();
        delete sender;
        delete object;
    }

    void aMapMayDropTheFuture()
    {
        QAsyncioLoop loop(virtual_time());
        Sender sender;
        const auto value = std::make_shared<int>(1);
        Future<std::shared_ptr<int>> future;
        int calls = 0;
        const auto drop = [&](const std::shared_ptr<int> &emitted) {
            future = {};
            ++calls;
            return emitted;
        };
        loop.call_soon([&] { future = from_signal(&sender, &Sender::moveable, drop); });
        run_once(loop);
        Q_EMIT sender.moveable(value);
        Q_EMIT sender.moveable(value);
        QCOMPARE(calls, 1);
        QCOMPARE(value.use_count(), 1L);
        // nobody has the exception, and nobody could retrieve it
        QTest::failOnWarning(QRegularExpression(u"."_s));
        Future<int> other;
        const auto drop_and_fail = [&](int) -> int {
            other = {};
            throw ValueError(u"nobody hears it"_s);
        };
        loop.call_soon([&] { other = from_signal(&sender, &Sender::number, drop_and_fail); });
        run_once(loop);
        Q_EMIT sender.number(1);
        loop.close();
    }

    void aMapMayCloseTheLoop()
    {
        Sender sender;
        auto loop = std::make_unique<QAsyncioLoop>(virtual_time());
        // the task that is pending
        loop->set_exception_handler([](QAsyncioLoop &, const ExceptionContext &) { });
        Future<int> future;
        const auto map = [&](int value) {
            loop->close();
            loop.reset();
            return value;
        };
        const auto body = [&]() -> Coroutine<> {
            future = from_signal(&sender, &Sender::number, map);
            co_await future;
        };
        Task<> task = loop->create_task(body());
        run_ready(*loop);
        Q_EMIT sender.number(1);
        QVERIFY(task.cancelled());
        QVERIFY(!future.done());
    }

    void aMapRunsInTheThreadThatEmits()
    {
        Test::run(
            []() -> Coroutine<> {
                Sender sender;
                const auto where = [](int) { return std::this_thread::get_id(); };
                auto future = from_signal(&sender, &Sender::number, where);
                std::thread::id emitter;
                std::thread thread([&] {
                    emitter = std::this_thread::get_id();
                    Q_EMIT sender.number(1);
                });
                const auto emitted_in = co_await future;
                thread.join();
                QASYNCIO_VERIFY(emitted_in == emitter);
            },
            Test::TestOptions().real_time());
    }

    void aMapIsDestroyedWithTheWait()
    {
        Test::run([]() -> Coroutine<> {
            Sender sender;
            const auto token = std::make_shared<int>(1);
            const auto map = [token](int value) { return value + *token; };
            auto future = from_signal(&sender, &Sender::number, map);
            QASYNCIO_COMPARE(token.use_count(), 3L);
            future.cancel();
            QASYNCIO_COMPARE(token.use_count(), 2L);
            co_return;
        });
    }

    void aSenderThatIsDisconnectedIsNotDead()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            Sender sender;
            loop.call_later(1s, [&] { sender.disconnect(); });
            auto future = from_signal(&sender, &Sender::number);
            std::exception_ptr thrown;
            try {
                co_await future;
            } catch (...) {
                thrown = std::current_exception();
            }
            QASYNCIO_COMPARE(describe(thrown),
                             QStringLiteral("RuntimeError: the awaited signal was disconnected"));
            auto again = from_signal(&sender, &Sender::number);
            Q_EMIT sender.number(1);
            QASYNCIO_COMPARE(co_await again, 1);
        });
    }

    void aMapIsTornDown()
    {
        Test::tear_down([](QAsyncioLoop &) -> Coroutine<> {
            QTimer timer;
            timer.start(0);
            const auto active = [&timer] { return timer.isActive(); };
            co_await from_signal(&timer, &QTimer::timeout, active);
        });
    }
};

QTEST_GUILESS_MAIN(tst_from_signal)
#include "tst_from_signal.moc"
