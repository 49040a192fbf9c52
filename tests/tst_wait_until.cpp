// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

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
            QASYNCIO_COMPARE(co_await wait_until(&owner, &PropertyOwner::level, &PropertyOwner::levelChanged, is_high), 13);
            QASYNCIO_COMPARE(owner.watchers(), 0);
        });
    }

    // H-61
    void theDeathOfTheOwnerIsAnError()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            auto owner = std::make_unique<PropertyOwner>();
            loop.call_later(1s, [&] { owner.reset(); });
            QASYNCIO_THROWS(co_await wait_until(owner.get(), &PropertyOwner::level, &PropertyOwner::levelChanged, is_high),
                            ObjectDestroyedError);
        });
    }

    // H-61
    void theOwnerMayDieBeforeItBegins()
    {
        Test::run([]() -> Coroutine<> {
            auto owner = std::make_unique<PropertyOwner>();
            auto task = create_task(wait_until(owner.get(), &PropertyOwner::level, &PropertyOwner::levelChanged, is_high));
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
            QASYNCIO_COMPARE(co_await error_of(wait_until(&owner, moody, &PropertyOwner::levelChanged, is_high)),
                             u"ValueError: not today"_s);
        });
    }

    void cancellingStopsWatching()
    {
        Test::run([]() -> Coroutine<> {
            PropertyOwner owner;
            int asked = 0;
            const auto never = [&](int) { return ++asked > 100; };
            QASYNCIO_THROWS(
                co_await wait_for(wait_until(&owner, &PropertyOwner::level, &PropertyOwner::levelChanged, never), 1s),
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
            QASYNCIO_COMPARE(co_await error_of(wait_until(level, picky)), u"ValueError: too high"_s);
        });
    }

    void nullIsRefused()
    {
        Test::run([]() -> Coroutine<> {
            const PropertyOwner *none = nullptr;
            QASYNCIO_THROWS(wait_until(none, &PropertyOwner::level, &PropertyOwner::levelChanged, is_high), ValueError);
            co_return;
        });
    }
};

QTEST_GUILESS_MAIN(tst_wait_until)
#include "tst_wait_until.moc"
