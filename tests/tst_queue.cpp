// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

namespace {
template<class Q>
Coroutine<> get(Q &queue, QStringList &log, QString name)
{
    try {
        const int item = co_await queue.get();
        log << name + QString::number(item);
    } catch (const CancelledError &) {
        log << u'!' + name;
        throw;
    }
}

Coroutine<> put(Queue<int> &queue, QStringList &log, int item)
{
    try {
        co_await queue.put(item);
        log << u'+' + QString::number(item);
    } catch (const CancelledError &) {
        log << u"!"_s + QString::number(item);
        throw;
    }
}

template<class Q>
QList<int> all_of(Q &queue)
{
    QList<int> items;
    while (!queue.empty())
        items << queue.get_nowait();
    return items;
}
} // namespace

class tst_queue : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    //
    void withoutALimitItIsNeverFull()
    {
        Queue<int> queue;
        for (int i = 0; i < 1000; ++i)
            queue.put_nowait(i);
        QCOMPARE(queue.full(), false);
        QCOMPARE(queue.qsize(), 1000);
        QCOMPARE(queue.maxsize(), 0);
        Queue<int> negative(-1);
        negative.put_nowait(1);
        QCOMPARE(negative.full(), false);
    }

    //
    void withALimitItCanBeFull()
    {
        Queue<int> queue(2);
        queue.put_nowait(1);
        QCOMPARE(queue.full(), false);
        queue.put_nowait(2);
        QCOMPARE(queue.full(), true);
        QCOMPARE(error_in([&] { queue.put_nowait(3); }), u"QueueFull"_s);
        QCOMPARE(all_of(queue), (QList<int>{1, 2}));
        QCOMPARE(queue.empty(), true);
        QCOMPARE(error_in([&] { queue.get_nowait(); }), u"QueueEmpty"_s);
    }

    //
    void eachKindHasItsOrder()
    {
        Queue<int> fifo;
        PriorityQueue<int> priority;
        PriorityQueue<int, std::greater<>> largest;
        LifoQueue<int> lifo;
        for (const int item : {3, 1, 4, 1, 5}) {
            fifo.put_nowait(item);
            priority.put_nowait(item);
            largest.put_nowait(item);
            lifo.put_nowait(item);
        }
        QCOMPARE(all_of(fifo), (QList<int>{3, 1, 4, 1, 5}));
        QCOMPARE(all_of(priority), (QList<int>{1, 1, 3, 4, 5}));
        QCOMPARE(all_of(largest), (QList<int>{5, 4, 3, 1, 1}));
        QCOMPARE(all_of(lifo), (QList<int>{5, 1, 4, 1, 3}));
    }

    //
    void gettersAreServedInOrder()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue;
            QStringList log;
            Task<> a = create_task(get(queue, log, u"a"_s));
            Task<> b = create_task(get(queue, log, u"b"_s));
            Task<> c = create_task(get(queue, log, u"c"_s));
            co_await turns(1);
            queue.put_nowait(1);
            queue.put_nowait(2);
            co_await turns(2);
            QASYNCIO_COMPARE(log.join(u' '), u"a1 b2"_s);
            queue.put_nowait(3);
            co_await c;
            QASYNCIO_COMPARE(log.join(u' '), u"a1 b2 c3"_s);
        });
    }

    //
    void puttersAreServedInOrder()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue(1);
            QStringList log;
            queue.put_nowait(0);
            Task<> one = create_task(put(queue, log, 1));
            Task<> two = create_task(put(queue, log, 2));
            co_await turns(1);
            QASYNCIO_COMPARE(queue.to_string(), u"<Queue maxsize=1 size=1 putters=2 tasks=1>"_s);
            QASYNCIO_COMPARE(queue.get_nowait(), 0);
            co_await one;
            QASYNCIO_COMPARE(two.done(), false);
            QASYNCIO_COMPARE(co_await queue.get(), 1);
            co_await two;
            QASYNCIO_COMPARE(log.join(u' '), u"+1 +2"_s);
            QASYNCIO_COMPARE(queue.get_nowait(), 2);
        });
    }

    //
    void anItemIsNotKeptForWhoWasWoken()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue;
            QStringList log;
            Task<> a = create_task(get(queue, log, u"a"_s));
            Task<> b = create_task(get(queue, log, u"b"_s));
            co_await turns(1);
            queue.put_nowait(1);
            QASYNCIO_COMPARE(queue.get_nowait(), 1); // a was woken for it
            co_await turns(2);
            queue.put_nowait(2);
            co_await b; // a stands at the end now
            queue.put_nowait(3);
            co_await a;
            QASYNCIO_COMPARE(log.join(u' '), u"b2 a3"_s);
        });
    }

    //
    void aWokenGetterThatIsCancelledWakesTheNext()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue;
            QStringList log;
            Task<> a = create_task(get(queue, log, u"a"_s));
            Task<> b = create_task(get(queue, log, u"b"_s));
            co_await turns(1);
            queue.put_nowait(1);
            a.cancel();
            co_await b;
            QASYNCIO_COMPARE(log.join(u' '), u"!a b1"_s);
        });
    }

    //
    void aWokenPutterThatIsCancelledWakesTheNext()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue(1);
            QStringList log;
            queue.put_nowait(0);
            Task<> one = create_task(put(queue, log, 1));
            Task<> two = create_task(put(queue, log, 2));
            co_await turns(1);
            QASYNCIO_COMPARE(queue.get_nowait(), 0);
            one.cancel();
            co_await two;
            QASYNCIO_COMPARE(log.join(u' '), u"!1 +2"_s);
            QASYNCIO_COMPARE(all_of(queue), QList<int>{2});
        });
    }

    //
    void aWaitingGetterThatIsCancelledTakesNothing()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue;
            QStringList log;
            Task<> a = create_task(get(queue, log, u"a"_s));
            co_await turns(1);
            a.cancel();
            queue.put_nowait(1);
            co_await turns(2);
            QASYNCIO_COMPARE(a.cancelled(), true);
            QASYNCIO_COMPARE(queue.get_nowait(), 1);
        });
    }

    void aTimeoutLosesNoItem()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Queue<int> queue;
            for (int i = 0; i < 3; ++i) // at the very same time
                loop.call_later(1s, [&queue, i] { queue.put_nowait(i); });
            QList<int> got;
            for (int i = 0; i < 4; ++i) {
                const QString error = co_await error_of(
                    [&]() -> Coroutine<> { got << co_await wait_for(queue.get(), 1s); }());
                QASYNCIO_VERIFY(error.isEmpty() || error == u"TimeoutError"_s);
            }
            got << all_of(queue);
            QASYNCIO_COMPARE(got, (QList<int>{0, 1, 2}));
        });
    }

    //
    void taskDoneAndJoin()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue;
            co_await queue.join(); // never used
            queue.put_nowait(1);
            queue.put_nowait(2);
            Task<> joining = create_task(queue.join());
            QASYNCIO_COMPARE(all_of(queue).size(), 2);
            co_await turns(2);
            queue.task_done();
            co_await turns(3);
            QASYNCIO_COMPARE(joining.done(), false);
            queue.task_done();
            co_await joining;
            QASYNCIO_COMPARE(error_in([&] { queue.task_done(); }),
                             u"ValueError: task_done() called too many times"_s);
            co_await queue.join();
            queue.put_nowait(3);
            QASYNCIO_COMPARE(co_await error_of(wait_for(queue.join(), 1s)), u"TimeoutError"_s);
        });
    }

    //
    void afterAShutdownWhatIsThereComesOut()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue(2);
            QStringList log;
            queue.put_nowait(1);
            queue.put_nowait(2);
            Task<QString> putting = create_task(error_of(queue.put(3)));
            co_await turns(1);
            queue.shutdown();
            QASYNCIO_COMPARE(queue.get_nowait(), 1); // room, in the same turn
            QASYNCIO_COMPARE(co_await putting, u"QueueShutDown"_s);
            QASYNCIO_COMPARE(error_in([&] { queue.put_nowait(4); }), u"QueueShutDown"_s);
            QASYNCIO_COMPARE(co_await error_of(queue.put(4)), u"QueueShutDown"_s);
            QASYNCIO_COMPARE(co_await queue.get(), 2);
            QASYNCIO_COMPARE(co_await error_of(queue.get()), u"QueueShutDown"_s);
            QASYNCIO_COMPARE(error_in([&] { queue.get_nowait(); }), u"QueueShutDown"_s);
            QASYNCIO_COMPARE(queue.to_string(), u"<Queue maxsize=2 tasks=2 shutdown>"_s);
            Task<> joining = create_task(queue.join());
            queue.task_done();
            co_await turns(3);
            QASYNCIO_COMPARE(joining.done(), false);
            queue.task_done();
            co_await joining;
        });
    }

    //
    void aShutdownEndsTheWaitOfAllGetters()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue;
            Task<QString> a = create_task(error_of(queue.get()));
            Task<QString> b = create_task(error_of(queue.get()));
            co_await turns(2);
            queue.shutdown();
            QASYNCIO_COMPARE(co_await a, u"QueueShutDown"_s);
            QASYNCIO_COMPARE(co_await b, u"QueueShutDown"_s);
        });
    }

    //
    void anImmediateShutdownDiscardsTheItems()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue(3);
            for (int i = 0; i < 3; ++i)
                queue.put_nowait(i);
            Task<QString> putting = create_task(error_of(queue.put(3)));
            Task<> joining = create_task(queue.join());
            QASYNCIO_COMPARE(queue.get_nowait(), 0);
            QASYNCIO_COMPARE(co_await queue.get(), 1);
            co_await turns(2);
            queue.shutdown(true);
            QASYNCIO_COMPARE(queue.empty(), true);
            QASYNCIO_COMPARE(queue.to_string().contains(u"tasks=2"), true); // 0 and 1 are in work
            queue.task_done();
            queue.shutdown(true);
            co_await turns(3);
            QASYNCIO_COMPARE(joining.done(), false);
            queue.task_done();
            co_await joining;
            QASYNCIO_COMPARE(error_in([&] { queue.get_nowait(); }), u"QueueShutDown"_s);
            co_await putting;
        });
    }

    //
    void anImmediateShutdownEndsAJoinAtOnce()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue;
            queue.put_nowait(1);
            Task<> joining = create_task(queue.join());
            co_await turns(1);
            queue.shutdown(true);
            co_await wait_for(joining, 1s);
        });
    }

    void itemsAreOfAnyTypeThatCanBeMoved()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<std::unique_ptr<int>> queue(1);
            LifoQueue<std::unique_ptr<int>> lifo;
            co_await queue.put(std::make_unique<int>(1));
            lifo.put_nowait(std::make_unique<int>(2));
            const std::unique_ptr<int> one = co_await queue.get();
            QASYNCIO_COMPARE(*one, 1);
            const std::unique_ptr<int> two = co_await lifo.get();
            QASYNCIO_COMPARE(*two, 2);
        });
    }

    void aRaceTakesAnItemOnlyIfTheQueueHasWon()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Queue<int> queue;
            const auto lost = co_await race(queue.get(), sleep(1s));
            QASYNCIO_COMPARE(lost.index(), 1u);
            queue.put_nowait(1);
            const auto won = co_await race(queue.get(), sleep(1s));
            QASYNCIO_COMPARE(std::get<0>(won), 1);
            Future<> other = loop.create_future();
            const auto racing = [&]() -> Coroutine<std::size_t> {
                const auto outcome = co_await race(queue.get(), other);
                co_return outcome.index();
            };
            Task<std::size_t> contender = create_task(racing());
            co_await turns(3);
            queue.put_nowait(2);
            other.set_result();
            QASYNCIO_COMPARE(co_await contender, 1u);
            QASYNCIO_COMPARE(queue.get_nowait(), 2);
        });
    }

    void ofTwoQueuesARaceTakesOneItem()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> one;
            Queue<QString> two;
            one.put_nowait(1);
            two.put_nowait(u"two"_s);
            const auto outcome = co_await race(one.get(), two.get());
            QASYNCIO_COMPARE(std::get<0>(outcome), 1);
            QASYNCIO_COMPARE(two.qsize(), 1);
        });
    }

    // Between the end of a race and its caller's next line others are ended, which takes a while.
    void anItemOfARaceThatIsCancelledAfterItWonIsPutBack()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue;
            QStringList log;
            const auto slow = [&]() -> Coroutine<> {
                co_await is_cancelled_asleep();
                co_await sleep(10s);
            };
            const auto racing = [&]() -> Coroutine<> {
                static_cast<void>(co_await race(queue.get(), slow()));
            };
            Task<> contender = create_task(racing());
            Task<> next = create_task(get(queue, log, u"next"_s));
            co_await turns(3);
            queue.put_nowait(1);
            queue.put_nowait(2);
            co_await sleep(1s);
            QASYNCIO_COMPARE(log.join(u' '), u"next1"_s);
            contender.cancel();
            co_await error_of(contender);
            QASYNCIO_COMPARE(queue.qsize(), 1);
            QASYNCIO_COMPARE(queue.get_nowait(), 2);
        });
    }

    void aGetterThatIsUnwoundWakesTheNext()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue;
            QStringList log;
            auto owner = std::make_unique<QObject>();
            create_task(get(queue, log, u"a"_s), TaskOptions().context(owner.get()));
            Task<> b = create_task(get(queue, log, u"b"_s));
            co_await turns(1);
            queue.put_nowait(1);
            owner.reset();
            co_await b;
            QASYNCIO_COMPARE(log.join(u' '), u"b1"_s);
        });
    }

    void aQueueThatDiesEndsTheWait()
    {
        Test::run([&]() -> Coroutine<> {
            auto queue = std::make_unique<Queue<int>>(1);
            Task<QString> getting = create_task(error_of(queue->get()));
            Task<QString> racing = create_task(error_of(race(queue->get(), sleep(1h))));
            co_await turns(3);
            queue.reset();
            const QString text =
                u"RuntimeError: The Queue was destroyed while a task was waiting for it"_s;
            QASYNCIO_COMPARE(co_await getting, text);
            QASYNCIO_COMPARE(co_await racing, text);
            queue = std::make_unique<Queue<int>>(1);
            queue->put_nowait(1);
            Task<QString> putting = create_task(error_of(queue->put(2)));
            Task<QString> joining = create_task(error_of(queue->join()));
            co_await turns(2);
            queue.reset();
            QASYNCIO_COMPARE(co_await putting, text);
            QASYNCIO_VERIFY((co_await joining).startsWith(u"RuntimeError"_s));
        });
    }

    // K-006
    void theFirstWhoHasToWaitBindsItToItsLoop()
    {
        Queue<int> queue;
        Test::run([&]() -> Coroutine<> {
            QASYNCIO_COMPARE(co_await error_of(wait_for(queue.get(), 1s)), u"TimeoutError"_s);
        });
        Test::run([&]() -> Coroutine<> {
            const QString error = co_await error_of(queue.get());
            QASYNCIO_VERIFY(error.endsWith(u" is bound to a different event loop"_s));
        });
    }

    // A destructor of an item that uses the queue finds it shut down and empty.
    void itemsThatUseTheQueueWhenTheyAreDiscarded()
    {
        struct Item
        {
            explicit Item(std::function<void()> f) : at_end(std::move(f)) { }
            Item(Item &&other) noexcept : at_end(std::exchange(other.at_end, nullptr)) { }
            Item &operator=(Item &&) = delete;
            ~Item()
            {
                if (at_end)
                    at_end();
            }
            std::function<void()> at_end;
        };
        QStringList log;
        auto queue = std::make_unique<Queue<Item>>();
        queue->put_nowait(Item([&] {
            log << error_in([&] { queue->put_nowait(Item({})); });
            log << error_in([&] { queue->get_nowait(); });
            queue.reset();
        }));
        queue->put_nowait(Item([&] { log << u"second"_s; }));
        queue->shutdown(true);
        QCOMPARE(log.join(u' '), u"QueueShutDown QueueShutDown second"_s);
    }

    //
    void theTextTellsHowManyWait()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue;
            QStringList log;
            QASYNCIO_COMPARE(queue.to_string(), u"<Queue maxsize=0>"_s);
            Task<> a = create_task(get(queue, log, u"a"_s));
            co_await turns(1);
            QASYNCIO_COMPARE(queue.to_string(), u"<Queue maxsize=0 getters=1>"_s);
            QASYNCIO_VERIFY(a.to_string().endsWith(u" wait_for=<item of a queue>>"_s));
            queue.put_nowait(1);
            co_await a;
            PriorityQueue<int> priority(3);
            priority.put_nowait(1);
            QASYNCIO_COMPARE(priority.to_string(), u"<PriorityQueue maxsize=3 size=1 tasks=1>"_s);
            QASYNCIO_COMPARE(LifoQueue<int>().to_string(), u"<LifoQueue maxsize=0>"_s);
        });
    }

    //
    void cancelledGettersAndPuttersAreNotKept()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue(1);
            QASYNCIO_COMPARE(co_await error_of(wait_for(queue.get(), 1s)), u"TimeoutError"_s);
            QASYNCIO_COMPARE(queue.to_string(), u"<Queue maxsize=1>"_s);
            queue.put_nowait(1);
            QASYNCIO_COMPARE(co_await error_of(wait_for(queue.put(2), 1s)), u"TimeoutError"_s);
            QASYNCIO_COMPARE(queue.to_string(), u"<Queue maxsize=1 size=1 tasks=1>"_s);
        });
    }

    //
    void aGetterThatWasCancelledDoesNotKeepTheNextOneWaiting()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue;
            QStringList log;
            Task<> a = create_task(get(queue, log, u"a"_s));
            Task<> b = create_task(get(queue, log, u"b"_s));
            co_await turns(1);
            a.cancel();
            co_await turns(1);
            QASYNCIO_COMPARE(a.done(), true);
            co_await queue.put(1);
            co_await b;
            QASYNCIO_COMPARE(log.join(u' '), u"!a b1"_s);
        });
    }

    //
    void aPutterThatWasCancelledDoesNotKeepTheNextOneWaiting()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue(1);
            QStringList log;
            queue.put_nowait(0);
            Task<> one = create_task(put(queue, log, 1));
            Task<> two = create_task(put(queue, log, 2));
            co_await turns(1);
            one.cancel();
            co_await turns(1);
            QASYNCIO_COMPARE(queue.get_nowait(), 0);
            co_await two;
            QASYNCIO_COMPARE(log.join(u' '), u"!1 +2"_s);
            QASYNCIO_COMPARE(queue.get_nowait(), 2);
        });
    }

    //
    void aQueueForOneItemHandsAllOfThemOn()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue(1);
            QList<int> got;
            co_await task_group([&](TaskGroup &group) -> Coroutine<> {
                group.create_task([&]() -> Coroutine<> {
                    for (int i = 0; i < 5; ++i)
                        co_await queue.put(i);
                });
                for (int i = 0; i < 5; ++i)
                    got << co_await queue.get();
            });
            QASYNCIO_COMPARE(got, (QList<int>{0, 1, 2, 3, 4}));
        });
    }

    //
    void allPuttersThatThereIsRoomForGoOn()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue(2);
            QStringList log;
            const auto take_all = [&]() -> Coroutine<> {
                co_await turns(1);
                all_of(queue);
            };
            co_await wait_for(gather(take_all(), put(queue, log, 0), put(queue, log, 1),
                                     put(queue, log, 2), put(queue, log, 3)),
                              1s);
            QASYNCIO_COMPARE(queue.qsize(), 2);
        });
    }

    //
    void anItemThatIsNotPutStaysWithItsOwner()
    {
        Queue<std::unique_ptr<int>> queue(1);
        queue.put_nowait(std::make_unique<int>(1));
        auto item = std::make_unique<int>(2);
        QCOMPARE(error_in([&] { queue.put_nowait(std::move(item)); }), u"QueueFull"_s);
        QVERIFY(item);
        Queue<QString> texts;
        const QString text = u"text"_s;
        texts.put_nowait(text);
        QCOMPARE(texts.get_nowait(), text);
    }

    void aDeadQueueRefusesWhatBeginsLater()
    {
        Test::run([&]() -> Coroutine<> {
            auto queue = std::make_unique<Queue<int>>();
            queue->put_nowait(1);
            Task<QString> getting = create_task(error_of(queue->get()));
            Task<QString> putting = create_task(error_of(queue->put(2)));
            queue.reset();
            const QString text =
                u"RuntimeError: The Queue was destroyed while a task was waiting for it"_s;
            QASYNCIO_COMPARE(co_await wait_for(getting, 1s), text);
            QASYNCIO_COMPARE(co_await wait_for(putting, 1s), text);
        });
    }

    void aJoinEndsThoughTheQueueDiesWithTheLastTask()
    {
        Test::run([&]() -> Coroutine<> {
            auto queue = std::make_unique<Queue<int>>();
            queue->put_nowait(1);
            Task<> joining = create_task(queue->join());
            co_await turns(1);
            queue->task_done();
            queue.reset();
            co_await wait_for(joining, 1s);
        });
    }

    //
    void anItemThatARaceHadTakenIsDiscardedByAnImmediateShutdown()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue;
            const auto slow = [&]() -> Coroutine<> {
                co_await is_cancelled_asleep();
                co_await sleep(10s);
            };
            const auto racing = [&]() -> Coroutine<> {
                static_cast<void>(co_await race(queue.get(), slow()));
            };
            Task<> contender = create_task(racing());
            co_await turns(3);
            queue.put_nowait(1);
            co_await sleep(1s);
            queue.shutdown(true);
            Task<> joining = create_task(queue.join());
            co_await turns(2);
            QASYNCIO_COMPARE(joining.done(), false); // the race has it
            contender.cancel();
            co_await wait_for(joining, 1s);
            QASYNCIO_COMPARE(queue.to_string(), u"<Queue maxsize=0 shutdown>"_s);
            co_await error_of(contender);
        });
    }

    //
    void aShutdownEndsTheWaitOfAllPutters()
    {
        Test::run([&]() -> Coroutine<> {
            Queue<int> queue(1);
            queue.put_nowait(1);
            Task<QString> a = create_task(error_of(queue.put(2)));
            Task<QString> b = create_task(error_of(queue.put(3)));
            co_await turns(2);
            queue.shutdown();
            QASYNCIO_COMPARE(co_await wait_for(a, 1s), u"QueueShutDown"_s);
            QASYNCIO_COMPARE(co_await wait_for(b, 1s), u"QueueShutDown"_s);
            QASYNCIO_COMPARE(queue.qsize(), 1);
        });
    }
};

QTEST_GUILESS_MAIN(tst_queue)
#include "tst_queue.moc"
