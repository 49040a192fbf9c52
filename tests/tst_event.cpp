// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

namespace {
Coroutine<> await_event(Event &event, QStringList &log, QString name)
{
    co_await event.wait();
    log << name;
}
} // namespace

class tst_event : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // K-010
    void setWakesAllInOrder()
    {
        Test::run([&]() -> Coroutine<> {
            Event event;
            QStringList log;
            Task<> a = create_task(await_event(event, log, u"a"_s));
            Task<> b = create_task(await_event(event, log, u"b"_s));
            Task<> c = create_task(await_event(event, log, u"c"_s));
            co_await turns(1);
            QASYNCIO_COMPARE(event.to_string(), u"<Event [unset, waiters:3]>"_s);
            event.set();
            event.set();
            co_await gather(a, b, c);
            QASYNCIO_COMPARE(log.join(u' '), u"a b c"_s);
            QASYNCIO_COMPARE(event.to_string(), u"<Event [set]>"_s);
        });
    }

    // K-010
    void whoWasWokenGoesOnThoughItIsClearedAtOnce()
    {
        Test::run([&]() -> Coroutine<> {
            Event event;
            QStringList log;
            Task<> a = create_task(await_event(event, log, u"a"_s));
            co_await turns(1);
            event.set();
            event.clear();
            Task<> b = create_task(await_event(event, log, u"b"_s));
            co_await a;
            co_await turns(1);
            QASYNCIO_COMPARE(event.is_set(), false);
            QASYNCIO_COMPARE(log.join(u' '), u"a"_s);
            QASYNCIO_COMPARE(b.done(), false);
            event.set();
            co_await b;
            QASYNCIO_COMPARE(event.is_set(), true);
        });
    }

    // K-010
    void cancelledWaitersAreSkipped()
    {
        Test::run([&]() -> Coroutine<> {
            Event event;
            QStringList log;
            Task<> a = create_task(await_event(event, log, u"a"_s));
            Task<> b = create_task(await_event(event, log, u"b"_s));
            co_await turns(1);
            a.cancel();
            event.set();
            co_await b;
            QASYNCIO_COMPARE(a.cancelled(), true);
            QASYNCIO_COMPARE(log.join(u' '), u"b"_s);
        });
    }

    void oneThatIsSetIsNotWaitedFor()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Event event;
            event.set();
            bool other = false;
            loop.call_soon([&] { other = true; });
            co_await event.wait();
            QASYNCIO_COMPARE(other, false);
            co_await turns(1);
            QASYNCIO_COMPARE(other, true);
        });
    }

    void aWokenWaiterThatIsCancelledIsCancelled()
    {
        Test::run([&]() -> Coroutine<> {
            Event event;
            QStringList log;
            Task<> a = create_task(await_event(event, log, u"a"_s));
            co_await turns(1);
            event.set();
            a.cancel();
            co_await turns(1);
            QASYNCIO_COMPARE(a.cancelled(), true);
            QASYNCIO_COMPARE(log.isEmpty(), true);
        });
    }

    // K-006
    void theFirstWhoHasToWaitBindsTheEventToItsLoop()
    {
        Event event;
        Test::run([&]() -> Coroutine<> {
            QASYNCIO_COMPARE(co_await error_of(wait_for(event.wait(), 1s)), u"TimeoutError"_s);
        });
        Test::run([&]() -> Coroutine<> {
            QASYNCIO_COMPARE(co_await error_of(event.wait()),
                             u"RuntimeError: <Event [unset]> is bound to a different event loop"_s);
            event.set();
            co_await event.wait();
        });
    }

    void aRaceWaitsForIt()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Event event;
            const auto lost = co_await race(event.wait(), sleep(1s));
            QASYNCIO_COMPARE(lost.index(), 1u);
            QASYNCIO_COMPARE(event.to_string(), u"<Event [unset]>"_s);
            loop.call_later(1s, [&] { event.set(); });
            const auto won = co_await race(event.wait(), sleep(2s));
            QASYNCIO_COMPARE(won.index(), 0u);
        });
    }

    // A race looks at it again: it may have been cleared before the race goes on.
    void aRaceGoesOnForAnEventThatWasClearedAtOnce()
    {
        Test::run([&]() -> Coroutine<> {
            Event event;
            const auto racing = [&]() -> Coroutine<> {
                const auto outcome = co_await race(event.wait(), sleep(1h));
                QASYNCIO_COMPARE(outcome.index(), 0u);
            };
            Task<> task = create_task(racing());
            co_await turns(3);
            event.set();
            event.clear();
            co_await wait_for(task, 1s);
        });
    }

    void anEventThatDiesEndsTheWait()
    {
        Test::run([&]() -> Coroutine<> {
            auto event = std::make_unique<Event>();
            Task<QString> waiting = create_task(error_of(event->wait()));
            Task<QString> racing = create_task(error_of(race(event->wait(), sleep(1h))));
            co_await turns(3);
            event.reset();
            const QString text =
                u"RuntimeError: The Event was destroyed while a task was waiting for it"_s;
            QASYNCIO_COMPARE(co_await waiting, text);
            QASYNCIO_COMPARE(co_await racing, text);
        });
    }

    void inDebugModeAnotherThreadIsRefused()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            loop.set_debug(true);
            Event event;
            Lock lock;
            Semaphore semaphore(0);
            Condition condition(lock);
            Queue<int> queue, full(1);
            full.put_nowait(1);
            co_await lock.acquire();
            co_await task_group([&](TaskGroup &group) -> Coroutine<> {
                group.create_task(event.wait());
                group.create_task(lock.acquire());
                group.create_task(semaphore.acquire());
                group.create_task(queue.get());
                group.create_task(full.put(2));
                co_await turns(2);
                QStringList errors;
                in_another_thread([&] {
                    errors << error_in([&] { event.set(); });
                    errors << error_in([&] { lock.release(); });
                    errors << error_in([&] { semaphore.release(); });
                    errors << error_in([&] { queue.put_nowait(1); });
                    errors << error_in([&] { queue.get_nowait(); });
                    errors << error_in([&] { queue.shutdown(); });
                    errors << error_in([&] { full.task_done(); });
                    errors << error_in([&] { full.get_nowait(); });
                });
                QASYNCIO_COMPARE(errors.size(), 8);
                for (const QString &error : errors) {
                    QASYNCIO_COMPARE(error,
                                     u"RuntimeError: Non-thread-safe operation invoked on an event "
                                     "loop other than the current one"_s);
                }
                QASYNCIO_COMPARE(event.is_set(), false);
                QASYNCIO_VERIFY(full.to_string().endsWith(u" tasks=1>"_s));
                group.cancel();
            });
        });
    }

    void inDebugModeAConditionRefusesAnotherThread()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            loop.set_debug(true);
            Condition condition;
            const auto waiting = [&]() -> Coroutine<> {
                const auto held = co_await condition.scoped();
                co_await condition.wait();
            };
            Task<> task = create_task(waiting);
            co_await turns(2);
            const auto held = co_await condition.scoped();
            QStringList errors;
            in_another_thread([&] {
                errors << error_in([&] { condition.notify(); });
                errors << error_in([&] { condition.notify_all(); });
            });
            for (const QString &error : errors)
                QASYNCIO_VERIFY(error.startsWith(u"RuntimeError: Non-thread-safe operation"_s));
            QASYNCIO_COMPARE(errors.size(), 2);
            task.cancel();
        });
    }

    void aTaskNamesWhatItWaitsFor()
    {
        Test::run([&]() -> Coroutine<> {
            Event event;
            QStringList log;
            Task<> a = create_task(await_event(event, log, u"a"_s));
            co_await turns(1);
            QASYNCIO_VERIFY(a.to_string().endsWith(u" wait_for=<event to be set>>"_s));
            event.set();
            co_await a;
        });
    }

    // done.set(), and the object goes: the commonest end of an event.
    void whoWasWokenGoesOnThoughTheEventDies()
    {
        Test::run([&]() -> Coroutine<> {
            auto event = std::make_unique<Event>();
            QStringList log;
            Task<> a = create_task(await_event(*event, log, u"a"_s));
            Task<> b = create_task(await_event(*event, log, u"b"_s));
            co_await turns(1);
            event->set();
            event.reset();
            co_await gather(a, b);
            QASYNCIO_COMPARE(log.join(u' '), u"a b"_s);
        });
    }

    void anEventThatDiesBeforeAWaitBeginsEndsItToo()
    {
        Test::run([&]() -> Coroutine<> {
            auto event = std::make_unique<Event>();
            Task<QString> waiting = create_task(error_of(event->wait()));
            event.reset();
            QASYNCIO_COMPARE(
                co_await wait_for(waiting, 1s),
                u"RuntimeError: The Event was destroyed while a task was waiting for it"_s);
        });
    }
};

QTEST_GUILESS_MAIN(tst_event)
#include "tst_event.moc"
