// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <atomic>
#include <future>
#include <memory>
#include <thread>

namespace {

/// A thread that is joined at the end of its scope.
using Worker = std::jthread;

template<class T>
void wait_until_blocked(const Channel<T> &channel, int putters = 1)
{
    const QString text = u"putters=%1"_s.arg(putters);
    while (!channel.to_string().contains(text))
        std::this_thread::yield();
}

/// The same in a loop that goes on.
template<class T>
Coroutine<> until_blocked(const Channel<T> &channel, int putters = 1)
{
    const QString text = u"putters=%1"_s.arg(putters);
    while (!channel.to_string().contains(text))
        co_await sleep(0s);
}

template<class T>
QList<T> all_of(Channel<T> &channel)
{
    QList<T> items;
    while (auto item = channel.try_get())
        items << *item;
    return items;
}

Coroutine<> get(Channel<int> &channel, QStringList &log, QString name)
{
    try {
        const int item = co_await channel.get();
        log << name + QString::number(item);
    } catch (const CancelledError &) {
        log << u'!' + name;
        throw;
    }
}

Coroutine<> put(Channel<int> &channel, QStringList &log, int item)
{
    try {
        co_await channel.put(item);
        log << u'+' + QString::number(item);
    } catch (const CancelledError &) {
        log << u"!"_s + QString::number(item);
        throw;
    }
}

/// What a blocking put throws; "put" if nothing.
QString outcome_of_sync_put(ChannelSender<int> sender, int item)
{
    const QString error = error_in([&] {
        sender.sync_put(item);
        return true;
    });
    return error.isEmpty() ? u"put"_s : error;
}

/// Counts those that live.
struct Counted
{
    Counted() { ++alive; }
    Counted(const Counted &) { ++alive; }
    Counted(Counted &&) noexcept { ++alive; }
    ~Counted() { --alive; }

    static inline std::atomic<int> alive{0};
};

/// Cannot be moved while the flag is set.
struct Fragile
{
    explicit Fragile(const bool *is_armed) : is_armed(is_armed) { }
    Fragile(Fragile &&other) : is_armed(other.is_armed)
    {
        if (is_armed && *is_armed)
            throw ValueError(u"broken"_s);
    }
    const bool *is_armed;
};

} // namespace

/// Channel and ChannelSender.
class tst_channel : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatWorkersPutComesInTheirOrder()
    {
        Test::run([&]() -> Coroutine<> {
            Channel<std::pair<int, int>> channel(10);
            constexpr int workers = 3, each = 2000;
            const auto work = [](ChannelSender<std::pair<int, int>> out, int worker) {
                for (int i = 0; i < each; ++i)
                    out.sync_put(std::pair(worker, i));
            };
            std::vector<decltype(to_thread(work, channel.sender(), 0))> calls;
            for (int i = 0; i < workers; ++i)
                calls.push_back(to_thread(work, channel.sender(), i));
            auto all_work = create_task(gather(std::move(calls)));
            int next[workers] = {};
            for (int i = 0; i < workers * each; ++i) {
                const auto item = co_await channel.get();
                QASYNCIO_COMPARE(item.second, next[item.first]++);
            }
            QASYNCIO_COMPARE(co_await error_of(channel.get()), u"QueueShutDown"_s);
            co_await all_work;
        });
    }

    void aFullChannelBlocksAWorker()
    {
        Test::run([&]() -> Coroutine<> {
            Channel<int> channel(2);
            std::atomic<int> done{0};
            const Worker worker([&done, out = channel.sender()] {
                for (int i = 0; i < 4; ++i) {
                    out.sync_put(i);
                    ++done;
                }
            });
            co_await until_blocked(channel);
            QASYNCIO_COMPARE(done.load(), 2);
            QASYNCIO_VERIFY(channel.full());
            QASYNCIO_COMPARE(channel.qsize(), 2);
            for (int i = 0; i < 4; ++i)
                QASYNCIO_COMPARE(co_await channel.get(), i);
        });
    }

    // The worker is woken for half of the room, or in the next turn.
    void oneItemThatIsTakenIsEnoughForABlockedWorker()
    {
        Test::run([&]() -> Coroutine<> {
            Channel<int> channel(100);
            static_cast<void>(co_await race(channel.get(), sleep(0s))); // the consumer's loop
            for (int i = 0; i < 100; ++i)
                channel.put_nowait(i);
            auto putting = create_task(to_thread(outcome_of_sync_put, channel.sender(), 100));
            co_await until_blocked(channel);
            QASYNCIO_COMPARE(co_await channel.get(), 0);
            QASYNCIO_COMPARE(co_await putting, u"put"_s);
            QASYNCIO_COMPARE(channel.qsize(), 100);
        });
    }

    void aPutInALoopSuspendsItsTaskOnly()
    {
        Test::run([&]() -> Coroutine<> {
            Channel<int> channel(1);
            QStringList log;
            channel.put_nowait(0);
            Task<> one = create_task(put(channel, log, 1));
            Task<> two = create_task(put(channel, log, 2));
            co_await turns(3);
            QASYNCIO_COMPARE(channel.to_string(), u"<Channel maxsize=1 size=1 putters=2>"_s);
            QASYNCIO_COMPARE(co_await channel.get(), 0);
            co_await one;
            QASYNCIO_COMPARE(two.done(), false);
            QASYNCIO_COMPARE(co_await channel.get(), 1);
            co_await two;
            QASYNCIO_COMPARE(log.join(u' '), u"+1 +2"_s);
        });
    }

    void aBlockingPutIsRefusedWhereALoopRuns()
    {
        Channel<int> channel(10);
        const auto sender = channel.sender();
        const QString refused =
            u"RuntimeError: sync_put() would block the event loop of this thread: "
            "co_await put() instead"_s;
        Test::run([&]() -> Coroutine<> {
            QASYNCIO_COMPARE(outcome_of_sync_put(sender, 1), refused);
            co_return;
        });
        QCOMPARE(channel.qsize(), 0);
        QCOMPARE(outcome_of_sync_put(sender, 1), u"put"_s); // no loop runs here
    }

    void puttingWithoutWaiting()
    {
        Channel<int> channel(1);
        const auto sender = channel.sender();
        sender.put_nowait(1);
        QCOMPARE(error_in([&] {
                     sender.put_nowait(2);
                     return true;
                 }),
                 u"QueueFull"_s);
        QCOMPARE(sender.try_put(2), false);
        QCOMPARE(channel.get_nowait(), 1);
        QCOMPARE(error_in([&] { return channel.get_nowait(); }), u"QueueEmpty"_s);
        QVERIFY(!channel.try_get());
        QCOMPARE(sender.try_put(2), true);
        QCOMPARE(channel.try_get(), std::optional(2));
        channel.shutdown();
        QCOMPARE(sender.try_put(3), false);
        QVERIFY(sender.closed());
        QCOMPARE(error_in([&] {
                     sender.put_nowait(3);
                     return true;
                 }),
                 u"QueueShutDown"_s);
        QCOMPARE(error_in([&] { return channel.get_nowait(); }), u"QueueShutDown"_s);
        QVERIFY(!channel.try_get());
    }

    void anItemThatFindsNoRoomStaysWhereItIs()
    {
        Channel<std::unique_ptr<int>> channel(1);
        const auto sender = channel.sender();
        sender.put_nowait(std::make_unique<int>(1));
        auto item = std::make_unique<int>(2);
        QVERIFY(!sender.try_put(std::move(item)));
        QVERIFY(item);
        QCOMPARE(*channel.get_nowait(), 1);
        QVERIFY(sender.try_put(std::move(item)));
        QVERIFY(!item);
    }

    void withoutALimitItIsNeverFull()
    {
        Channel<int> channel;
        for (int i = 0; i < 1000; ++i)
            channel.put_nowait(i);
        QVERIFY(!channel.full());
        QCOMPARE(channel.qsize(), 1000);
        QCOMPARE(channel.maxsize(), 0);
        QCOMPARE(all_of(channel).size(), 1000);
        QVERIFY(channel.empty());
        QCOMPARE(Channel<int>(-1).maxsize(), 0);
    }

    void afterAShutdownWhatIsThereComesOut()
    {
        Test::run([&]() -> Coroutine<> {
            Channel<int> channel(2);
            channel.put_nowait(1);
            channel.put_nowait(2);
            Task<QString> putting = create_task(error_of(channel.put(3)));
            auto blocked = create_task(to_thread(outcome_of_sync_put, channel.sender(), 4));
            co_await until_blocked(channel, 2);
            channel.shutdown();
            QASYNCIO_COMPARE(co_await putting, u"QueueShutDown"_s);
            QASYNCIO_COMPARE(co_await blocked, u"QueueShutDown"_s);
            QASYNCIO_COMPARE(co_await error_of(channel.put(5)), u"QueueShutDown"_s);
            QASYNCIO_COMPARE(co_await channel.get(), 1);
            QASYNCIO_COMPARE(co_await channel.get(), 2);
            QASYNCIO_COMPARE(co_await error_of(channel.get()), u"QueueShutDown"_s);
            QASYNCIO_COMPARE(channel.to_string(), u"<Channel maxsize=2 shutdown>"_s);
        });
    }

    void aShutdownByTheWorkerEndsTheWaitOfAllGetters()
    {
        Test::run([&]() -> Coroutine<> {
            Channel<int> channel;
            Task<QString> a = create_task(error_of(channel.get()));
            Task<QString> b = create_task(error_of(channel.get()));
            co_await turns(2);
            const Worker worker([out = channel.sender()] { out.shutdown(); });
            QASYNCIO_COMPARE(co_await a, u"QueueShutDown"_s);
            QASYNCIO_COMPARE(co_await b, u"QueueShutDown"_s);
            QASYNCIO_VERIFY(channel.closed());
        });
    }

    void anImmediateShutdownDiscardsTheItems()
    {
        Channel<Counted> channel(3);
        const auto sender = channel.sender();
        for (int i = 0; i < 3; ++i)
            channel.put_nowait(Counted());
        static_cast<void>(channel.get_nowait()); // the others are taken together with this one
        channel.put_nowait(Counted());
        QCOMPARE(Counted::alive.load(), 3);
        QString outcome;
        {
            const Worker worker([&] {
                outcome = error_in([&] {
                    sender.sync_put(Counted());
                    return true;
                });
            });
            wait_until_blocked(channel);
            channel.shutdown(true);
        }
        QCOMPARE(outcome, u"QueueShutDown"_s);
        QCOMPARE(Counted::alive.load(), 0);
        QVERIFY(channel.empty());
        QCOMPARE(error_in([&] { return channel.get_nowait(), true; }), u"QueueShutDown"_s);
    }

    void stopEndsABlockingPut()
    {
        Channel<int> channel(1);
        const auto sender = channel.sender();
        channel.put_nowait(0);
        std::stop_source stop;
        std::atomic<bool> put{true};
        {
            const Worker worker([&] { put = sender.sync_put(stop.get_token(), 1); });
            wait_until_blocked(channel);
            stop.request_stop();
        }
        QCOMPARE(put.load(), false);
        QCOMPARE(channel.get_nowait(), 0);
        QCOMPARE(sender.sync_put(stop.get_token(), 1), false); // though there is room
        QCOMPARE(sender.sync_put(std::stop_token(), 1), true);
        QCOMPARE(all_of(channel), QList<int>{1});
        QCOMPARE(channel.to_string(), u"<Channel maxsize=1 senders=1>"_s);
    }

    void whenTheLastSenderHasGoneItEnds()
    {
        Test::run([&]() -> Coroutine<> {
            Channel<int> channel;
            QASYNCIO_COMPARE(co_await error_of(wait_for(channel.get(), 1s)), u"TimeoutError"_s);
            auto first = std::make_unique<ChannelSender<int>>(channel.sender());
            auto copy = std::make_unique<ChannelSender<int>>(*first);
            Task<int> getting = create_task(channel.get());
            co_await turns(2);
            first.reset();
            co_await turns(2);
            QASYNCIO_VERIFY(!getting.done());
            copy->put_nowait(1);
            copy.reset();
            QASYNCIO_COMPARE(co_await getting, 1);
            QASYNCIO_COMPARE(co_await error_of(channel.get()), u"QueueShutDown"_s);
            QASYNCIO_VERIFY(!channel.closed());
            const auto another = channel.sender(); // it goes on
            another.put_nowait(2);
            QASYNCIO_COMPARE(co_await channel.get(), 2);
            QASYNCIO_COMPARE(co_await error_of(wait_for(channel.get(), 1s)), u"TimeoutError"_s);
        });
    }

    void aWorkerThatFailsEndsTheWait()
    {
        Test::run([&]() -> Coroutine<> {
            Channel<int> channel;
            const auto work = [](ChannelSender<int> out) {
                out.sync_put(1);
                throw ValueError(u"as intended"_s);
            };
            auto working = create_task(to_thread(work, channel.sender()));
            QASYNCIO_COMPARE(co_await channel.get(), 1);
            QASYNCIO_COMPARE(co_await error_of(channel.get()), u"QueueShutDown"_s);
            QASYNCIO_COMPARE(co_await error_of(working), u"ValueError: as intended"_s);
        });
    }

    void aPutThatWaitsKeepsItsSender()
    {
        Test::run([&]() -> Coroutine<> {
            Channel<int> channel(1);
            channel.put_nowait(0);
            Task<> putting = create_task(channel.sender().put(1));
            co_await turns(2);
            QASYNCIO_COMPARE(co_await channel.get(), 0);
            QASYNCIO_COMPARE(co_await channel.get(), 1);
            co_await putting;
        });
    }

    void whenTheChannelDiesWorkersAndTasksAreTold()
    {
        Test::run([&]() -> Coroutine<> {
            auto channel = std::make_unique<Channel<Counted>>(1);
            const auto sender = channel->sender();
            Task<QString> getting = create_task(error_of(channel->get()));
            co_await turns(2);
            channel.reset();
            QASYNCIO_COMPARE(
                co_await getting,
                u"RuntimeError: The Channel was destroyed while a task was waiting for it"_s);
            channel = std::make_unique<Channel<Counted>>(1);
            const auto put = [](ChannelSender<Counted> out) {
                return error_in([&] {
                    out.sync_put(Counted());
                    return true;
                });
            };
            channel->put_nowait(Counted());
            auto blocked = create_task(to_thread(put, channel->sender()));
            Task<QString> putting = create_task(error_of(channel->put(Counted())));
            co_await until_blocked(*channel, 2);
            channel.reset();
            QASYNCIO_COMPARE(co_await blocked, u"QueueShutDown"_s);
            QASYNCIO_COMPARE(co_await putting, u"QueueShutDown"_s);
            QASYNCIO_VERIFY(sender.closed());
            QASYNCIO_VERIFY(!sender.try_put(Counted()));
            QASYNCIO_COMPARE(Counted::alive.load(), 0);
        });
    }

    void aLoopThatClosesWakesWhoIsBlocked()
    {
        for (const bool drops : {false, true}) {
            QAsyncioLoop loop(virtual_time());
            auto channel = std::make_unique<Channel<int>>(1);
            channel->put_nowait(0);
            QCOMPARE(loop.run_until_complete(channel->get()), 0);
            channel->put_nowait(0);
            QString outcome;
            {
                const Worker worker(
                    [&, out = channel->sender()] { outcome = outcome_of_sync_put(out, 1); });
                wait_until_blocked(*channel);
                if (drops)
                    channel.reset();
                loop.close();
            }
            QCOMPARE(outcome, u"QueueShutDown"_s);
            if (channel)
                QCOMPARE(channel->get_nowait(), 0); // it is still there
        }
    }

    // A local of a task may join a thread that is blocked.
    void aLoopThatClosesWakesThemBeforeItsTasksGo()
    {
        Channel<int> channel(1);
        QAsyncioLoop loop(virtual_time());
        QString outcome;
        const auto consume = [&]() -> Coroutine<> {
            const Worker worker([&, out = channel.sender()] {
                out.sync_put(0);
                outcome = outcome_of_sync_put(out, 1);
                outcome = outcome_of_sync_put(out, 2);
            });
            co_await channel.get();
            co_await sleep(1h);
        };
        Reports reports(loop);
        loop.create_task(consume);
        while (!channel.to_string().contains(u"putters=1"))
            run_once(loop);
        loop.close();
        QCOMPARE(outcome, u"QueueShutDown"_s);
        QCOMPARE(reports.messages().size(), 1); // of the pending task
    }

    void aRunnerWakesThemBeforeItWaitsForThem()
    {
        Channel<int> channel(1); // outlives the run
        std::atomic<int> ended{0};
        const auto work = [&ended](ChannelSender<int> out) {
            const QScopeGuard count([&] { ++ended; });
            while (true)
                out.sync_put(1);
        };
        const auto consume = [&](QAsyncioLoop &loop) -> Coroutine<> {
            auto working = loop.run_in_executor(nullptr, work, channel.sender());
            QASYNCIO_COMPARE(co_await channel.get(), 1);
            co_await until_blocked(channel);
            working.cancel();
        };
        {
            Runner runner;
            runner.run(consume(runner.get_loop()));
        }
        QCOMPARE(ended.load(), 1);
    }

    void aSenderOutlivesEverything()
    {
        std::optional<ChannelSender<int>> sender;
        {
            QAsyncioLoop loop(virtual_time());
            Channel<int> channel(1);
            sender.emplace(channel.sender());
            sender->put_nowait(1);
            QCOMPARE(loop.run_until_complete(channel.get()), 1);
            loop.close();
        }
        QCOMPARE(outcome_of_sync_put(*sender, 2), u"QueueShutDown"_s);
        QCOMPARE(sender->to_string(), u"<Channel maxsize=1 senders=1 shutdown>"_s);
    }

    void aChannelMayEndInAnyThread()
    {
        QAsyncioLoop loop(virtual_time());
        for (const bool closes : {false, true}) {
            auto channel = std::make_unique<Channel<int>>();
            channel->put_nowait(1);
            QCOMPARE(loop.run_until_complete(channel->get()), 1);
            if (closes)
                loop.close();
            const Worker worker([channel = std::move(channel)]() mutable { channel.reset(); });
        }
    }

    void gettersAreServedInOrder()
    {
        Test::run([&]() -> Coroutine<> {
            Channel<int> channel;
            QStringList log;
            Task<> a = create_task(get(channel, log, u"a"_s));
            Task<> b = create_task(get(channel, log, u"b"_s));
            Task<> c = create_task(get(channel, log, u"c"_s));
            co_await turns(1);
            QASYNCIO_COMPARE(channel.to_string(), u"<Channel maxsize=0 getters=3>"_s);
            channel.put_nowait(1);
            channel.put_nowait(2);
            co_await b;
            QASYNCIO_COMPARE(log.join(u' '), u"a1 b2"_s);
            channel.put_nowait(3);
            co_await c;
            QASYNCIO_COMPARE(log.join(u' '), u"a1 b2 c3"_s);
        });
    }

    void aGetterThatIsCancelledTakesNothing()
    {
        Test::run([&]() -> Coroutine<> {
            Channel<int> channel;
            QStringList log;
            Task<> a = create_task(get(channel, log, u"a"_s));
            Task<> b = create_task(get(channel, log, u"b"_s));
            co_await turns(1);
            channel.put_nowait(1);
            a.cancel(); // it was woken
            co_await b;
            QASYNCIO_COMPARE(log.join(u' '), u"!a b1"_s);
            Task<> c = create_task(get(channel, log, u"c"_s));
            co_await turns(1);
            c.cancel();
            channel.put_nowait(2);
            co_await error_of(c);
            QASYNCIO_COMPARE(channel.get_nowait(), 2);
            QASYNCIO_COMPARE(channel.to_string(), u"<Channel maxsize=0>"_s);
        });
    }

    void aPutterThatIsCancelledPutsNothing()
    {
        Test::run([&]() -> Coroutine<> {
            Channel<int> channel(1);
            QStringList log;
            channel.put_nowait(0);
            Task<> one = create_task(put(channel, log, 1));
            Task<> two = create_task(put(channel, log, 2));
            Task<> three = create_task(put(channel, log, 3));
            co_await turns(1);
            three.cancel();
            QASYNCIO_COMPARE(channel.get_nowait(), 0);
            one.cancel(); // it was woken
            co_await two;
            co_await error_of(three);
            QASYNCIO_COMPARE(log.join(u' '), u"!3 !1 +2"_s);
            QASYNCIO_COMPARE(all_of(channel), QList<int>{2});
        });
    }

    void aTimeoutLosesNoItem()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Channel<int> channel;
            for (int i = 0; i < 3; ++i) // at the very same time
                loop.call_later(1s, [&channel, i] { channel.put_nowait(i); });
            QList<int> got;
            for (int i = 0; i < 4; ++i) {
                const QString error = co_await error_of(
                    [&]() -> Coroutine<> { got << co_await wait_for(channel.get(), 1s); }());
                QASYNCIO_VERIFY(error.isEmpty() || error == u"TimeoutError"_s);
            }
            got << all_of(channel);
            QASYNCIO_COMPARE(got, (QList<int>{0, 1, 2}));
        });
    }

    void aRaceTakesAnItemOnlyIfTheChannelHasWon()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Channel<int> channel;
            Channel<QString> other(1);
            const auto lost = co_await race(channel.get(), sleep(1s));
            QASYNCIO_COMPARE(lost.index(), 1u);
            channel.put_nowait(1);
            channel.put_nowait(2);
            other.put_nowait(u"two"_s);
            const auto won = co_await race(channel.get(), other.get(), sleep(1s));
            QASYNCIO_COMPARE(std::get<0>(won), 1);
            QASYNCIO_COMPARE(other.qsize(), 1);
            Future<> future = loop.create_future();
            future.set_result();
            const auto tie = co_await race(channel.get(), future);
            QASYNCIO_COMPARE(tie.index(), 1u);
            QASYNCIO_COMPARE(all_of(channel), QList<int>{2});
            QASYNCIO_COMPARE(channel.to_string(), u"<Channel maxsize=0>"_s);
            channel.shutdown();
            QASYNCIO_COMPARE(co_await error_of(race(channel.get(), sleep(1s))), u"QueueShutDown"_s);
        });
    }

    void aRaceIsWokenByAWorker()
    {
        Test::run([&]() -> Coroutine<> {
            Channel<int> channel, never;
            const auto open = never.sender();
            const auto work = [](ChannelSender<int> out) { out.sync_put(7); };
            auto racing = create_task(race(never.get(), channel.get()));
            co_await turns(3);
            co_await to_thread(work, channel.sender());
            const auto outcome = co_await racing;
            QASYNCIO_COMPARE(std::get<1>(outcome), 7);
        });
    }

    // Between the end of a race and its caller's next line others are ended, which takes a while.
    void anItemOfARaceThatIsCancelledAfterItWonIsPutBack()
    {
        Test::run([&]() -> Coroutine<> {
            Channel<int> channel;
            QStringList log;
            const auto slow = [&]() -> Coroutine<> {
                co_await is_cancelled_asleep();
                co_await sleep(10s);
            };
            const auto racing = [&]() -> Coroutine<> {
                static_cast<void>(co_await race(channel.get(), slow()));
            };
            Task<> contender = create_task(racing());
            co_await turns(3);
            channel.put_nowait(1);
            channel.put_nowait(2);
            co_await sleep(1s);
            QASYNCIO_COMPARE(channel.qsize(), 1);
            contender.cancel();
            co_await error_of(contender);
            QASYNCIO_COMPARE(all_of(channel), (QList<int>{1, 2}));
        });
    }

    void allItemsUntilItIsShutDown()
    {
        Test::run([&]() -> Coroutine<> {
            Channel<std::unique_ptr<int>> channel(2);
            const auto work = [](ChannelSender<std::unique_ptr<int>> out) {
                for (int i = 0; i < 100; ++i)
                    out.sync_put(std::make_unique<int>(i));
            };
            auto working = create_task(to_thread(work, channel.sender()));
            auto all = channel.items();
            int count = 0;
            while (auto item = co_await all.next())
                QASYNCIO_COMPARE(**item, count++);
            QASYNCIO_COMPARE(count, 100);
            co_await working;
        });
    }

    void aGeneratorThatIsCancelledTakesNothing()
    {
        Test::run([&]() -> Coroutine<> {
            Channel<int> channel;
            auto all = channel.items();
            QASYNCIO_COMPARE(co_await error_of(wait_for(all.next(), 1s)), u"TimeoutError"_s);
            channel.put_nowait(1);
            auto again = channel.items();
            const auto item = co_await again.next();
            QASYNCIO_COMPARE(item.value_or(0), 1);
        });
    }

    void fromLoopToLoop()
    {
        Test::run(
            [&](QAsyncioLoop &loop) -> Coroutine<> {
                LoopThread other(u"producer"_s);
                Channel<int> channel(3);
                const auto produce = [](ChannelSender<int> out) -> Coroutine<> {
                    for (int i = 0; i < 1000; ++i)
                        co_await out.put(i);
                };
                auto producing = create_task(on_loop(other.loop(), produce, channel.sender()));
                for (int i = 0; i < 1000; ++i)
                    QASYNCIO_COMPARE(co_await channel.get(), i);
                QASYNCIO_COMPARE(co_await error_of(channel.get()), u"QueueShutDown"_s);
                co_await producing;
                // and if the channel dies while the task there waits
                auto mortal = std::make_unique<Channel<int>>(1);
                mortal->put_nowait(0);
                auto failing = create_task(on_loop(other.loop(), produce, mortal->sender()));
                co_await until_blocked(*mortal);
                mortal.reset();
                QASYNCIO_COMPARE(co_await error_of(failing), u"QueueShutDown"_s);
                static_cast<void>(loop);
            },
            Test::TestOptions().real_time());
    }

    // The loop of a producer may be closed while that waits.
    void aProducersLoopMayBeClosed()
    {
        Channel<int> channel(1);
        channel.put_nowait(0);
        {
            QAsyncioLoop loop(virtual_time());
            Reports reports(loop);
            loop.create_task(channel.put(1));
            run_ready(loop);
            QCOMPARE(channel.to_string(), u"<Channel maxsize=1 size=1 putters=1>"_s);
            loop.close();
        }
        QCOMPARE(channel.to_string(), u"<Channel maxsize=1 size=1>"_s);
        QCOMPARE(channel.get_nowait(), 0);
        channel.put_nowait(1);
    }

    void onlyOneLoopMayGet()
    {
        QAsyncioLoop first(virtual_time()), second(virtual_time());
        Channel<int> channel;
        channel.put_nowait(1);
        channel.put_nowait(2);
        QCOMPARE(first.run_until_complete(channel.get()), 1);
        QCOMPARE(error_in([&] { return second.run_until_complete(channel.get()); }),
                 u"RuntimeError: <Channel maxsize=0 size=1> is bound to a different event loop"_s);
        QCOMPARE(error_in([&] {
                     return second.run_until_complete(race(channel.get(), sleep(1s))).index();
                 }),
                 u"RuntimeError: <Channel maxsize=0 size=1> is bound to a different event loop"_s);
        first.close(); // then what is left may be taken in another one
        QCOMPARE(second.run_until_complete(channel.get()), 2);
        second.close();
    }

    void manyItemsWakeTheLoopOnce()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Channel<int> channel;
            constexpr int count = 1000;
            const auto consume = [&]() -> Coroutine<> {
                for (int i = 0; i < count; ++i)
                    co_await channel.get();
            };
            Task<> consuming = create_task(consume());
            co_await turns(2);
            {
                const Worker worker([&, out = channel.sender()] {
                    for (int i = 0; i < count; ++i)
                        out.sync_put(i);
                });
            }
            QASYNCIO_VERIFY(channel.to_string().contains(u"getters=1"));
            const qint64 before = detail::rest_of(loop.core()).turns;
            co_await consuming;
            const qint64 taken = detail::rest_of(loop.core()).turns - before;
            QASYNCIO_VERIFY(taken <= 2 * count / 64 + 5);
        });
    }

    void aGetterThatNeverHasToWaitLetsTheLoopGoOn()
    {
        Test::run([&]() -> Coroutine<> {
            Channel<int> channel;
            constexpr int count = 10'000;
            for (int i = 0; i < count; ++i)
                channel.put_nowait(i);
            int others = 0;
            const auto beside = [&others]() -> Coroutine<> {
                while (true) {
                    ++others;
                    co_await sleep(0s);
                }
            };
            Task<> other = create_task(beside());
            for (int i = 0; i < count; ++i)
                QASYNCIO_COMPARE(co_await channel.get(), i);
            QASYNCIO_VERIFY(others >= count / 64);
            other.cancel();
            co_await error_of(other);
        });
    }

    void movesThatThrowLoseNothing()
    {
        bool is_armed = false;
        Channel<Fragile> channel(1);
        const auto put = [&] {
            channel.put_nowait(Fragile(&is_armed));
            return true;
        };
        const auto get = [&] { return static_cast<void>(channel.get_nowait()), true; };
        is_armed = true;
        QCOMPARE(error_in(put), u"ValueError: broken"_s);
        QCOMPARE(channel.qsize(), 0);
        is_armed = false;
        QCOMPARE(error_in(put), QString());
        is_armed = true;
        QCOMPARE(error_in(get), u"ValueError: broken"_s);
        QCOMPARE(channel.qsize(), 1);
        is_armed = false;
        QCOMPARE(error_in(get), QString());
        QVERIFY(channel.empty());
    }

    void whoeverGoesOnWhenAMoveHasThrownLeavesTheRoomToTheNext()
    {
        Test::run([&]() -> Coroutine<> {
            bool is_armed = false;
            Channel<Fragile> channel(1);
            channel.put_nowait(Fragile(nullptr));
            Task<QString> first = create_task(error_of(channel.put(Fragile(&is_armed))));
            Task<> second = create_task(channel.put(Fragile(nullptr)));
            co_await turns(2);
            is_armed = true;
            static_cast<void>(channel.get_nowait());
            QASYNCIO_COMPARE(co_await first, u"ValueError: broken"_s);
            co_await second;
        });
    }

    void itCanBeEndedAnywhere_data()
    {
        QTest::addColumn<int>("way");
        QTest::newRow("get") << 0;
        QTest::newRow("items") << 1;
        QTest::newRow("race") << 2;
        QTest::newRow("a channel that stays") << 3;
        QTest::newRow("put") << 4;
    }
    void itCanBeEndedAnywhere()
    {
        QFETCH(int, way);
        std::shared_ptr<Channel<int>> kept;
        const auto work = [](ChannelSender<int> out) {
            try {
                for (int i = 0; i < 20; ++i)
                    out.sync_put(i);
            } catch (const QueueShutDown &) { // the consumer has gone
            }
        };
        const auto task_work = [](ChannelSender<int> out) -> Coroutine<> {
            for (int i = 0; i < 20; ++i)
                co_await out.put(i);
        };
        const auto body = [&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto channel = std::make_shared<Channel<int>>(3);
            if (way == 3)
                kept = channel; // blocked workers have to be woken by the end of the loop
            TaskScope producers;
            Future<> working;
            if (way == 4)
                producers.create_task(task_work(channel->sender()));
            else
                working = loop.run_in_executor(nullptr, work, channel->sender());
            const QScopeGuard end([&] { channel->shutdown(); });
            auto all = channel->items();
            bool is_open = true;
            while (is_open) {
                try {
                    if (way == 1) {
                        const auto item = co_await all.next();
                        is_open = item.has_value();
                    } else if (way == 2) {
                        static_cast<void>(co_await race(channel->get(), sleep(1h)));
                    } else {
                        co_await channel->get();
                    }
                } catch (const QueueShutDown &) {
                    is_open = false;
                }
            }
            if (working)
                co_await working;
        };
        Test::tear_down(body);
        kept.reset();
    }
};

QTEST_GUILESS_MAIN(tst_channel)
#include "tst_channel.moc"
