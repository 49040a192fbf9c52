// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "loop/loop_p.h" // how many timers are in the heap
#include "support.h"

#include <QtCore/qstringlist.h>

#include <algorithm>
#include <thread>

namespace {
/// How many of `count` timers are left in the heap after a turn, when `cancelled` of them were
/// cancelled (not the first).
std::size_t left_after_purge(int count, int cancelled)
{
    QAsyncioLoop loop(virtual_time());
    std::vector<TimerHandle> timers;
    for (int i = 0; i < count; ++i)
        timers.push_back(loop.call_later(std::chrono::hours(1 + i), [] { }));
    for (int i = 0; i < cancelled; ++i)
        timers[size_t(count - 1 - i)].cancel();
    run_once(loop);
    const std::size_t left = detail::LoopPrivate::of(loop).timers.size();
    loop.close();
    return left;
}
} // namespace

namespace {
QString wrong_thread()
{
    return QStringLiteral("RuntimeError: Non-thread-safe operation invoked on an event loop other "
                          "than the current one");
}
} // namespace

/// Handles and timer handles.
class tst_handles : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // L-057
    void eachCallbackRunsAtMostOnce()
    {
        QAsyncioLoop loop(virtual_time());
        int runs = 0;
        const Handle soon = loop.call_soon([&] { ++runs; });
        const TimerHandle later = loop.call_later(1s, [&] { ++runs; });
        const TimerHandle at = loop.call_at(loop.time() + 2s, [&] { ++runs; });
        static_assert(std::is_same_v<decltype(loop.call_soon([] { })), Handle>);
        loop.call_later(10s, [&] { loop.stop(); });
        loop.run_forever();
        QCOMPARE(runs, 3);
        loop.close();
    }

    // L-059
    void callLaterIsCallAtFromNow()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        QCOMPARE(loop.call_later(1500ms, [&] { log << "c"; }).when(), loop.time() + 1500ms);
        QCOMPARE(loop.call_later(std::chrono::duration<double>(-2.5), [&] { log << "a"; }).when(),
                 loop.time() - 2500ms);
        loop.call_at(loop.time() - 1s, [&] { log << "b"; });
        run_once(loop);
        QCOMPARE(log, QStringList({"a", "b"}));
        loop.close();
    }

    // L-060
    void aDelayThatIsNoNumberIsRefused()
    {
        QAsyncioLoop loop(virtual_time());
        const QString error = QStringLiteral("ValueError: Invalid delay: NaN (not a number)");
        QCOMPARE(error_in([&] { loop.call_later(std::chrono::duration<double>(qQNaN()), [] { }); }),
                 error);
        QCOMPARE(error_in([&] { return sleep(std::chrono::duration<float>(qQNaN())); }), error);
        loop.close();
    }

    // L-061
    void timeIsMonotonic()
    {
        QAsyncioLoop loop;
        TimePoint last = loop.time();
        for (int i = 0; i < 1000; ++i) {
            const TimePoint now = loop.time();
            QVERIFY(now >= last);
            last = now;
        }
        loop.close();

        auto clock = std::make_shared<VirtualClock>();
        QAsyncioLoop virtual_loop(LoopOptions().clock(clock));
        const TimePoint begin = virtual_loop.time();
        virtual_loop.run_until_complete([]() -> Coroutine<> { co_await sleep(1h); }());
        QCOMPARE(virtual_loop.time() - begin, TimePoint::duration(1h));
        virtual_loop.close();
    }

    // L-062
    void aCallbackRunsInACopyOfTheContext()
    {
        static ContextVar<int> var(QStringLiteral("var"), 0);
        QAsyncioLoop loop(virtual_time());
        Context().run([&] {
            var.set(1);
            int seen = -1;
            loop.call_soon([&] {
                seen = var.get();
                var.set(99); // is not seen outside
            });
            var.set(2); // is not seen inside
            Context own;
            own.run([&] { var.set(7); });
            int in_own = -1;
            loop.call_soon([&] { in_own = var.get(); }, own);
            int timer = -1;
            loop.call_later(0s, [&] { timer = var.get(); }, own);
            run_once(loop);
            QCOMPARE(seen, 1);
            QCOMPARE(in_own, 7);
            QCOMPARE(timer, 7);
            QCOMPARE(var.get(), 2);
        });
        QCOMPARE(var.get(), 0);
        loop.close();
    }

    // L-065
    void cancelDropsTheCallbackAtOnce()
    {
        QAsyncioLoop loop(virtual_time());
        const auto token = std::make_shared<int>();
        Handle soon = loop.call_soon([token] { });
        TimerHandle timer = loop.call_later(1h, [token] { });
        Handle shared = loop.call_soon_threadsafe([token] { });
        QCOMPARE(token.use_count(), 4L);
        for (Handle *handle : {&soon, static_cast<Handle *>(&timer), &shared}) {
            handle->cancel();
            handle->cancel();
            QVERIFY(handle->cancelled());
        }
        QCOMPARE(token.use_count(), 1L);
        loop.close();
    }

    // L-066
    void cancelAfterTheRunOnlySetsCancelled()
    {
        QAsyncioLoop loop(virtual_time());
        int runs = 0;
        Handle handle = loop.call_soon([&] { ++runs; });
        run_once(loop);
        QVERIFY(!handle.cancelled());
        handle.cancel();
        QVERIFY(handle.cancelled());
        run_once(loop);
        QCOMPARE(runs, 1);
        loop.close();
    }

    // L-067
    void theTextForms()
    {
        auto clock = std::make_shared<VirtualClock>();
        QAsyncioLoop loop(LoopOptions().clock(clock));
        Handle soon = loop.call_soon([] { });
        TimerHandle timer = loop.call_at(TimePoint(123500ms), [] { });
        QCOMPARE(Handle().to_string(), "<Handle none>");
        QCOMPARE(soon.to_string(), "<Handle>");
        QCOMPARE(timer.to_string(), "<TimerHandle when=123.500>");
        soon.cancel();
        timer.cancel();
        QCOMPARE(soon.to_string(), "<Handle cancelled>");
        QCOMPARE(timer.to_string(), "<TimerHandle cancelled when=123.500>");
        loop.close();
    }

    // L-068
    void whenGivesTheDeadlineAlsoAfterCancel()
    {
        QAsyncioLoop loop(virtual_time());
        const TimePoint when = loop.time() + 90s;
        TimerHandle timer = loop.call_at(when, [] { });
        QCOMPARE(timer.when(), when);
        timer.cancel();
        QCOMPARE(timer.when(), when);
        loop.close();
    }

    // L-069
    void cancelledTimersArePurgedWhenTheyAreMany()
    {
        QCOMPARE(left_after_purge(101, 51), std::size_t(50));
        QCOMPARE(left_after_purge(101, 50), std::size_t(101));
        QCOMPARE(left_after_purge(100, 89), std::size_t(100));
        QCOMPARE(left_after_purge(100, 100), std::size_t(0)); // those at the top always go
    }

    // L-069
    void aPurgeBeginsTheCountAnew()
    {
        QAsyncioLoop loop(virtual_time());
        std::vector<TimerHandle> timers;
        for (int i = 0; i < 202; ++i)
            timers.push_back(loop.call_later(std::chrono::hours(202 - i), [] { }));
        // the latest: no cancelled one comes to the top
        const auto left_without = [&](std::size_t first, std::size_t end) {
            std::for_each(timers.begin() + std::ptrdiff_t(first),
                          timers.begin() + std::ptrdiff_t(end),
                          [](TimerHandle &timer) { timer.cancel(); });
            run_once(loop);
            return detail::LoopPrivate::of(loop).timers.size();
        };
        QCOMPARE(left_without(0, 102), std::size_t(100));
        for (int i = 0; i < 2; ++i)
            timers.push_back(loop.call_later(1h, [] { }));
        QCOMPARE(left_without(102, 152), std::size_t(102));
        QCOMPARE(left_without(152, 154), std::size_t(50));
        loop.close();
    }

    // L-069
    void whatAPurgeLeavesComesInTheOrderOfItsDeadlines()
    {
        // a prime: the multiples of 100 visit every deadline, in no order
        constexpr int count = 307;
        QAsyncioLoop loop(virtual_time());
        std::vector<TimerHandle> timers;
        std::vector<int> order;
        for (int i = 0; i < count; ++i) {
            const int hour = i * 100 % count;
            timers.push_back(loop.call_later(std::chrono::hours(1 + hour),
                                             [&order, hour] { order.push_back(hour); }));
        }
        std::vector<int> left;
        for (int i = 0; i < count; ++i) {
            if (i % 3 != 0)
                timers[size_t(i)].cancel();
            else
                left.push_back(i * 100 % count);
        }
        run_once(loop);
        QCOMPARE(detail::LoopPrivate::of(loop).timers.size(), left.size());
        loop.call_later(std::chrono::hours(count + 1), [&] { loop.stop(); });
        loop.run_forever();
        std::sort(left.begin(), left.end());
        QCOMPARE(order, left);
        loop.close();
    }

    // L-070
    void onlyTimersInTheHeapAreCounted()
    {
        QAsyncioLoop loop(virtual_time());
        std::vector<TimerHandle> fired;
        std::vector<TimerHandle> waiting;
        for (int i = 0; i < 40; ++i)
            fired.push_back(loop.call_later(0s, [] { }));
        for (int i = 0; i < 101; ++i)
            waiting.push_back(loop.call_later(1h, [] { }));
        run_once(loop);
        for (TimerHandle &timer : fired)
            // they have left the heap: were they counted, it would be rebuilt for the next eleven
            timer.cancel();
        for (std::size_t i = 90; i < 101; ++i)
            waiting[i].cancel();
        run_once(loop);
        QCOMPARE(detail::LoopPrivate::of(loop).timers.size(), std::size_t(101));
        loop.close();
    }

    // L-072
    void getContextGivesTheContextOfTheHandle()
    {
        static ContextVar<int> var(QStringLiteral("var"), 0);
        QAsyncioLoop loop(virtual_time());
        Context own;
        const Handle given = loop.call_soon([] { }, own);
        QVERIFY(given.get_context() == own);
        QCOMPARE(error_in([] { return Handle().get_context(); }),
                 "RuntimeError: the handle is of no callback");
        const Handle handle = loop.call_soon([] { var.set(5); });
        const Context context = handle.get_context();
        run_once(loop);
        QCOMPARE(context.run([] { return var.get(); }), 5);
        QCOMPARE(var.get(), 0);
        loop.close();
    }

    // L-066
    void aCallbackMayCancelItself()
    {
        QAsyncioLoop loop(virtual_time());
        const auto token = std::make_shared<int>();
        Handle soon;
        Handle shared;
        QList<long> counts;
        soon = loop.call_soon([&, token] {
            soon.cancel();
            counts << token.use_count(); // the captures are still there
        });
        shared = loop.call_soon_threadsafe([&, token] {
            shared.cancel();
            counts << token.use_count();
        });
        run_once(loop);
        QCOMPARE(counts, QList<long>({3, 2}));
        QCOMPARE(token.use_count(), 1L);
        loop.close();
    }

    void aCallbackThatHasItsHandleGoesWithIt()
    {
        QAsyncioLoop loop(virtual_time());
        const auto token = std::make_shared<int>();
        const auto owns_its_handle = [&](auto schedule) {
            const auto own = std::make_shared<Handle>();
            *own = schedule([own, token] { });
            return std::weak_ptr<Handle>(own);
        };
        const std::weak_ptr<Handle> handles[] = {
            owns_its_handle([&](auto callback) { return loop.call_soon(std::move(callback)); }),
            owns_its_handle(
                [&](auto callback) { return Handle(loop.call_later(1h, std::move(callback))); }),
            owns_its_handle(
                [&](auto callback) { return loop.call_soon_threadsafe(std::move(callback)); }),
        };
        for (const std::weak_ptr<Handle> &handle : handles) {
            Handle *const alive = handle.lock().get(); // its callback has it
            QVERIFY(alive);
            alive->cancel();
            QVERIFY(handle.expired());
        }
        QCOMPARE(token.use_count(), 1L);
        loop.close();
    }

    void whatACallbackHasGoesWhenItHasRun()
    {
        QAsyncioLoop loop(virtual_time());
        const auto token = std::make_shared<int>();
        const Pipe pipe;
        const Handle handles[] = {loop.call_soon([token] { }),
                                  Handle(loop.call_later(0s, [token] { })),
                                  loop.call_soon_threadsafe([token] { })};
        loop.add_reader(pipe.read_end(), [&, kept = token] {
            pipe.drain_one();
            loop.stop();
        });
        QCOMPARE(token.use_count(), 5L);
        run_once(loop);
        QCOMPARE(token.use_count(), 2L); // the handles are held, the reader may be called again
        for (int i = 0; i < 2; ++i) {
            pipe.fill();
            loop.run_forever();
            QCOMPARE(token.use_count(), 2L);
        }
        loop.remove_reader(pipe.read_end());
        QCOMPARE(token.use_count(), 1L);
        loop.close();
    }

    // L-095
    void debugModeRefusesTheWrongThread()
    {
        const QString error = wrong_thread();
        QAsyncioLoop loop(virtual_time());
        loop.set_debug(true);
        QStringList errors;
        loop.call_soon([&] {
            std::thread([&] {
                errors << error_in([&] { loop.call_soon([] { }); })
                       << error_in([&] { loop.call_later(1s, [] { }); })
                       << error_in([&] { loop.call_at(TimePoint(), [] { }); })
                       << error_in([&] { loop.call_soon_threadsafe([] { }); });
            }).join();
            loop.stop();
        });
        loop.run_forever();
        QCOMPARE(errors, QStringList({error, error, error, QString()}));
        errors.clear();
        const auto refused = [&](auto handle) {
            std::thread([&] { errors << error_in([&] { handle.cancel(); }); }).join();
            QVERIFY(!handle.cancelled());
            handle.cancel();
        };
        loop.call_soon([&] {
            refused(loop.call_soon([] { }));
            refused(loop.call_soon([] { }, Context()));
            refused(loop.call_later(1s, [] { }));
            refused(loop.call_later(1s, [] { }, Context()));
            loop.stop();
        });
        loop.run_forever();
        QCOMPARE(errors, QStringList({error, error, error, error}));
        // Not while it is stopped: nobody uses it then.
        std::thread([&] { errors << error_in([&] { loop.call_soon([] { }); }); }).join();
        QCOMPARE(errors.last(), QString());
        loop.close();
    }

    // L-095
    void debugModeRefusesAThreadWithALoopOfItsOwn()
    {
        const QString error = wrong_thread();
        QAsyncioLoop loop(virtual_time());
        loop.set_debug(true);
        QStringList errors;
        loop.call_soon([&] {
            std::thread([&] {
                QAsyncioLoop own(virtual_time());
                own.call_soon([&] {
                    errors << error_in([&] { loop.call_soon([] { }); })
                           << error_in([&] { loop.call_later(1s, [] { }); })
                           << error_in([&] { loop.call_at(TimePoint(), [] { }); });
                    own.stop();
                });
                own.run_forever();
                own.close();
            }).join();
            loop.stop();
        });
        loop.run_forever();
        QCOMPARE(errors, QStringList({error, error, error}));
        loop.close();
    }
};

QTEST_GUILESS_MAIN(tst_handles)
#include "tst_handles.moc"
