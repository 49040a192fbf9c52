// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qscopeguard.h>
#include <QtCore/qtimer.h>

class PropertyOwner : public QObject
{
    Q_OBJECT
    Q_PROPERTY(int level READ level WRITE setLevel NOTIFY levelChanged)

public:
    int level() const { return m_level; }
    void setLevel(int level)
    {
        m_level = level;
        Q_EMIT levelChanged();
    }
    int watchers() const { return receivers(SIGNAL(levelChanged())); }

Q_SIGNALS:
    void levelChanged();

private:
    int m_level = 0;
};

namespace {
bool is_high(int level)
{
    return level >= 10;
}
} // namespace

class tst_wait_until : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void anObjectOfAnotherThreadIsRefused()
    {
        Test::run([&]() -> Coroutine<> {
            QThread thread;
            PropertyOwner owner;
            owner.moveToThread(&thread);
            QASYNCIO_COMPARE(error_in([&] {
                                 return wait_until(&owner, &PropertyOwner::level,
                                                   &PropertyOwner::levelChanged, is_high);
                             }),
                             u"ValueError: wait_until: the object lives in another thread"_s);
            co_return;
        });
    }

    void aPredicateThatDeletesTheSenderInAnEmission()
    {
        Test::run([]() -> Coroutine<> {
            auto *owner = new PropertyOwner;
            const auto deletes = [owner](int level) {
                if (level == 5)
                    delete owner;
                return false;
            };
            Task<int> task = create_task(
                wait_until(owner, &PropertyOwner::level, &PropertyOwner::levelChanged, deletes));
            co_await turns(2);
            owner->setLevel(5);
            const QString error = co_await error_of(task);
            QASYNCIO_VERIFY(error.startsWith(u"ObjectDestroyedError"_s));
        });
    }

    void anObjectThatDiesInAnotherThread()
    {
        Test::run(
            []() -> Coroutine<> {
                auto *owner = new PropertyOwner;
                Task<int> task = create_task(wait_until(owner, &PropertyOwner::level,
                                                        &PropertyOwner::levelChanged, is_high));
                co_await turns(2);
                QThread thread;
                owner->moveToThread(&thread);
                QObject::connect(
                    &thread, &QThread::started, owner,
                    [owner, &thread] {
                        delete owner;
                        thread.quit();
                    },
                    Qt::DirectConnection);
                thread.start();
                const QString error = co_await error_of(task);
                QASYNCIO_VERIFY(error.startsWith(u"ObjectDestroyedError"_s));
                thread.wait();
            },
            Test::TestOptions().real_time());
    }

    void aPropertyThatHoldsAlreadyDoesNotSuspend()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            QProperty<int> level(12);
            bool next_turn = false;
            loop.call_soon([&] { next_turn = true; });
            QASYNCIO_COMPARE(co_await wait_until(level, is_high), 12);
            QASYNCIO_VERIFY(!next_turn);
            co_await sleep(0s); // the callback uses this frame
        });
    }

    void aPropertyIsWaitedFor()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            QProperty<int> level(0);
            loop.call_later(1s, [&] { level = 5; });
            loop.call_later(2s, [&] { level = 11; });
            QASYNCIO_COMPARE(co_await wait_until(level, is_high), 11);
            QProperty<int> source(0);
            level.setBinding([&] { return source * 2; });
            loop.call_later(1s, [&] { source = 6; });
            QASYNCIO_COMPARE(co_await wait_until(level, is_high), 12);
        });
    }

    void aValueThatIsThereForAMomentCounts()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            QProperty<int> level(0);
            loop.call_later(1s, [&] {
                level = 20;
                level = 0; // before the task resumes
            });
            QASYNCIO_COMPARE(co_await wait_until(level, is_high), 20);
        });
    }

    void aBindableIsWaitedFor()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            QTimer timer;
            loop.call_later(1s, [&] { timer.setInterval(30); });
            QASYNCIO_COMPARE(co_await wait_until(timer.bindableInterval(), is_high), 30);
        });
    }

    void aNotifySignalIsWaitedFor()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            PropertyOwner owner;
            loop.call_later(1s, [&] { owner.setLevel(3); });
            loop.call_later(2s, [&] {
                owner.setLevel(13);
                owner.setLevel(0);
            });
            QASYNCIO_COMPARE(co_await wait_until(&owner, &PropertyOwner::level,
                                                 &PropertyOwner::levelChanged, is_high),
                             13);
            QASYNCIO_COMPARE(owner.watchers(), 0);
        });
    }

    // H-61
    void theDeathOfTheOwnerIsAnError()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            auto owner = std::make_unique<PropertyOwner>();
            loop.call_later(1s, [&] { owner.reset(); });
            QASYNCIO_THROWS(co_await wait_until(owner.get(), &PropertyOwner::level,
                                                &PropertyOwner::levelChanged, is_high),
                            ObjectDestroyedError);
        });
    }

    // H-61
    void theOwnerMayDieBeforeItBegins()
    {
        Test::run([]() -> Coroutine<> {
            auto owner = std::make_unique<PropertyOwner>();
            auto task = create_task(wait_until(owner.get(), &PropertyOwner::level,
                                               &PropertyOwner::levelChanged, is_high));
            owner.reset();
            QASYNCIO_THROWS(co_await task, ObjectDestroyedError);
        });
    }

    void whatTheGetterThrowsComesOut()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            PropertyOwner owner;
            const auto moody = [](const PropertyOwner *owner) -> int {
                if (owner->level() > 3)
                    throw ValueError(u"not today"_s);
                return owner->level();
            };
            loop.call_later(1s, [&] { owner.setLevel(5); });
            QASYNCIO_COMPARE(
                co_await error_of(wait_until(&owner, moody, &PropertyOwner::levelChanged, is_high)),
                u"ValueError: not today"_s);
        });
    }

    void cancellingStopsWatching()
    {
        Test::run([]() -> Coroutine<> {
            PropertyOwner owner;
            int asked = 0;
            const auto never = [&](int) { return ++asked > 100; };
            QASYNCIO_THROWS(co_await wait_for(wait_until(&owner, &PropertyOwner::level,
                                                         &PropertyOwner::levelChanged, never),
                                              1s),
                            TimeoutError);
            QASYNCIO_COMPARE(owner.watchers(), 0);
            QProperty<int> level(0);
            QASYNCIO_THROWS(co_await wait_for(wait_until(level, never), 1s), TimeoutError);
            asked = 0;
            level = 1;
            QASYNCIO_COMPARE(asked, 0);
        });
    }

    void whatThePredicateThrowsComesOut()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            QProperty<int> level(0);
            const auto picky = [](int value) -> bool {
                if (value > 0)
                    throw ValueError(u"too high"_s);
                return false;
            };
            loop.call_later(1s, [&] { level = 1; });
            QASYNCIO_COMPARE(co_await error_of(wait_until(level, picky)),
                             u"ValueError: too high"_s);
        });
    }

    void aPredicateMayAct_data()
    {
        QTest::addColumn<QByteArray>("act");
        QTest::addColumn<bool>("qproperty");
        for (const char *act : {"cancel", "set", "delete the sender", "delete the context object",
                                "close", "destroy", "throw"}) {
            QTest::addRow("%s, QProperty", act) << QByteArray(act) << true;
            QTest::addRow("%s, Q_PROPERTY", act) << QByteArray(act) << false;
        }
    }

    void aPredicateMayAct()
    {
        QFETCH(const QByteArray, act);
        QFETCH(const bool, qproperty);
        if (qproperty && act == "delete the sender")
            return; // it must live
        auto loop = std::make_unique<QAsyncioLoop>(virtual_time());
        // of a task that is pending
        loop->set_exception_handler([](QAsyncioLoop &, const ExceptionContext &) { });
        QProperty<int> level(0);
        auto *sender = new PropertyOwner;
        auto *object = new QObject;
        QStringList log;
        Task<int> task;
        const auto set = [&](int value) {
            if (qproperty)
                level = value;
            else
                sender->setLevel(value);
        };
        auto token = std::make_shared<int>(); // not const: it is moved on
        const auto predicate = [&, token](int value) {
            if (value == 3)
                return false;
            if (value != 1 && value != 2)
                return value == 4;
            if (act == "cancel")
                task.cancel();
            else if (act == "set" && value == 1)
                set(2); // in which this is called again
            else if (act == "delete the sender")
                delete std::exchange(sender, nullptr);
            else if (act == "delete the context object")
                delete std::exchange(object, nullptr);
            else if (act == "close")
                loop->close();
            else if (act == "destroy")
                loop.reset();
            else if (act == "throw") {
                task.cancel();
                throw ValueError(u"nobody hears it"_s);
            }
            return true;
        };
        const auto body = [&]() -> Coroutine<int> {
            const Farewell farewell(log, u"unwound"_s);
            if (qproperty)
                co_return co_await wait_until(level, predicate);
            co_return co_await wait_until(sender, &PropertyOwner::level,
                                          &PropertyOwner::levelChanged, predicate);
        };
        task = loop->create_task(body(), TaskOptions().context(object));
        run_ready(*loop);
        QCOMPARE(token.use_count(), 3L);
        set(1);
        if (sender)
            set(4);
        if (loop && !loop->is_closed())
            run_ready(*loop);
        QVERIFY(task.done());
        if (act == "set" || act == "delete the sender")
            // Qt does not call an observer inside of itself
            QCOMPARE(task.result(), act == "set" && !qproperty ? 2 : 1);
        else
            QVERIFY(task.cancelled());
        QCOMPARE(log.join(u' '), u"unwound"_s);
        QCOMPARE(token.use_count(), 2L);
        task = {};
        if (loop)
            loop->close();
        delete sender;
        delete object;
    }

    void nobodyIsAskedForATaskThatIsGone()
    {
        QAsyncioLoop loop(virtual_time());
        PropertyOwner sender;
        auto object = std::make_unique<QObject>();
        int asked = 0;
        const auto body = [&]() -> Coroutine<> {
            const auto get = [&](const PropertyOwner *owner) {
                ++asked;
                return owner->level();
            };
            const auto unwinds = [&](int level) {
                if (level == 1)
                    object.reset();
                return false;
            };
            co_await wait_until(&sender, get, &PropertyOwner::levelChanged, unwinds);
        };
        Task<> task = loop.create_task(body(), TaskOptions().context(object.get()));
        run_ready(loop);
        asked = 0;
        sender.setLevel(1);
        QVERIFY(task.cancelled());
        QCOMPARE(asked, 1); // not once more, whether the value has changed
        loop.close();
    }

    void aPredicateMaySetThePropertyUntilItHolds()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            QProperty<int> level(0);
            const auto count_up = [&](int value) {
                if (value > 0 && value < 10)
                    level = value + 1;
                return value == 10;
            };
            loop.call_later(1s, [&] { level = 1; });
            QASYNCIO_COMPARE(co_await wait_until(level, count_up), 10);
            level = 1;
            QASYNCIO_COMPARE(co_await wait_until(level, count_up), 10); // without suspending
            PropertyOwner owner;
            const auto count_owner_up = [&](int value) {
                if (value > 0 && value < 10)
                    owner.setLevel(value + 1);
                return value == 10;
            };
            loop.call_later(1s, [&] { owner.setLevel(1); });
            QASYNCIO_COMPARE(co_await wait_until(&owner, &PropertyOwner::level,
                                                 &PropertyOwner::levelChanged, count_owner_up),
                             10);
            QProperty<double> number(0);
            const auto above = [](double value) { return value > 1; };
            loop.call_later(1s, [&] { number = qQNaN(); });
            loop.call_later(2s, [&] { number = 2; });
            QASYNCIO_COMPARE(co_await wait_until(number, above), 2.0);
        });
    }

    void aGetterMayAct()
    {
        static PropertyOwner *sender;
        static QObject *object;
        sender = new PropertyOwner;
        object = new QObject;
        QAsyncioLoop loop(virtual_time());
        const auto getter = [](const PropertyOwner *owner) {
            const int level = owner->level();
            if (level > 0) {
                delete std::exchange(object, nullptr);
                delete std::exchange(sender, nullptr);
            }
            return level;
        };
        const auto body = [&]() -> Coroutine<> {
            co_await wait_until(sender, getter, &PropertyOwner::levelChanged, is_high);
        };
        Task<> task = loop.create_task(body(), TaskOptions().context(object));
        run_ready(loop);
        sender->setLevel(12);
        QVERIFY(task.cancelled());
        loop.close();
    }

    void disconnectDoesNotUntieItFromItsProperty()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            PropertyOwner owner;
            loop.call_later(1s, [&] { owner.disconnect(); });
            loop.call_later(2s, [&] { owner.setLevel(5); });
            loop.call_later(3s, [&] { owner.disconnect(); });
            loop.call_later(4s, [&] { owner.setLevel(11); });
            QASYNCIO_COMPARE(co_await wait_until(&owner, &PropertyOwner::level,
                                                 &PropertyOwner::levelChanged, is_high),
                             11);
            QASYNCIO_COMPARE(owner.watchers(), 0);
        });
    }

    void aSenderThatDisconnectsAndDiesIsDead()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            auto owner = std::make_unique<PropertyOwner>();
            loop.call_later(1s, [&] {
                owner->disconnect();
                owner.reset();
            });
            QASYNCIO_THROWS(co_await wait_until(owner.get(), &PropertyOwner::level,
                                                &PropertyOwner::levelChanged, is_high),
                            ObjectDestroyedError);
        });
    }

    void anOwnerThatDiesWithItsTaskIsNoErrorToReport()
    {
        Test::run([]() -> Coroutine<> { // which a report fails
            struct Window : QObject
            {
                PropertyOwner owner;
            };
            auto window = std::make_unique<Window>();
            const auto body = [](Window *window) -> Coroutine<> {
                co_await wait_until(&window->owner, &PropertyOwner::level,
                                    &PropertyOwner::levelChanged, is_high);
            };
            Task<> task = create_task(body(window.get()), TaskOptions().context(window.get()));
            co_await turns(2);
            window.reset(); // the owner of the property goes before the object that ends the task
            co_await turns(2);
            QASYNCIO_VERIFY(task.cancelled());
        });
    }

    void itIsTornDown()
    {
        Test::tear_down([](QAsyncioLoop &loop) -> Coroutine<> {
            PropertyOwner owner;
            QProperty<int> level(0);
            auto one = loop.call_later(1ms, [&] { level = 10; });
            auto two = loop.call_later(2ms, [&] { owner.setLevel(10); });
            const QScopeGuard cancel([&] {
                one.cancel();
                two.cancel();
            });
            co_await wait_until(level, is_high);
            co_await wait_until(&owner, &PropertyOwner::level, &PropertyOwner::levelChanged,
                                is_high);
        });
    }

    void nullIsRefused()
    {
        Test::run([]() -> Coroutine<> {
            const PropertyOwner *none = nullptr;
            QASYNCIO_THROWS(
                wait_until(none, &PropertyOwner::level, &PropertyOwner::levelChanged, is_high),
                ValueError);
            co_return;
        });
    }
};

QTEST_GUILESS_MAIN(tst_wait_until)
#include "tst_wait_until.moc"
