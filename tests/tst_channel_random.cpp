// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// Threads and tasks that put into one channel in random ways, and tasks that take from it, are
// stopped, cancelled, timed out and unwound at random moments, and the channel may be shut down:
// what was put comes out, once and in order. QASYNCIO_SEED and QASYNCIO_SEQUENCES choose others.
// (Threads make each run different, even of one seed.)

#include "task_helpers.h"

#include <QtCore/qmap.h>
#include <QtCore/qrandom.h>
#include <QtCore/qset.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>

namespace {

struct Item
{
    int producer;
    int number;
};

/// What the producers have put: each knows for sure what it has put and what not.
class Log
{
public:
    void add(Item item)
    {
        const std::lock_guard lock(m_mutex);
        m_items << qMakePair(item.producer, item.number);
    }
    QSet<std::pair<int, int>> items() const
    {
        const std::lock_guard lock(m_mutex);
        return m_items;
    }

private:
    mutable std::mutex m_mutex;
    QSet<std::pair<int, int>> m_items;
};

/// What a producer needs; a thread may outlive its task.
class Production
{
public:
    Production(ChannelSender<Item> sender, std::shared_ptr<Log> log, quint32 seed, int number,
               std::atomic<int> &count)
        : m_count(count), sender(std::move(sender)), log(std::move(log)), random(seed),
          number(number)
    { }
    Q_DISABLE_COPY_MOVE(Production)

private:
    /// Counts those that exist. The last one to go.
    class Counter
    {
    public:
        explicit Counter(std::atomic<int> &count) : m_count(count) { ++m_count; }
        ~Counter() { --m_count; }
        Q_DISABLE_COPY_MOVE(Counter)

    private:
        std::atomic<int> &m_count;
    };
    const Counter m_count;

public:
    const ChannelSender<Item> sender;
    const std::shared_ptr<Log> log;
    QRandomGenerator random;
    const int number;
};

void put_in_thread(const std::stop_token &stop, Production &own, Item item)
{
    const int choice = own.random.bounded(4);
    if (choice == 0) {
        if (!own.sender.try_put(Item(item)))
            return;
    } else if (choice == 1) {
        own.sender.sync_put(item);
    } else if (!own.sender.sync_put(stop, item)) {
        return;
    }
    own.log->add(item);
}

void produce_in_thread(const std::stop_token &stop, std::unique_ptr<Production> own, int count)
{
    try {
        for (int i = 0; i < count && !stop.stop_requested(); ++i)
            put_in_thread(stop, *own, Item{own->number, i});
    } catch (const QueueShutDown &) {
    }
}

class World
{
public:
    explicit World(quint32 seed) : m_random(seed), m_channel(below(4)) { }

    Coroutine<QString> run();

private:
    Coroutine<> produce(std::unique_ptr<Production> own, int count);
    Coroutine<> produce_by_thread(std::unique_ptr<Production> own, int count);
    Coroutine<> consume(int count);
    Coroutine<> consume_once();
    Coroutine<> take_all();
    Coroutine<> pause()
    {
        const int ticks = below(3);
        co_await sleep(std::chrono::milliseconds(ticks));
    }
    void disturb();
    void got(const Item &item) { m_got << qMakePair(item.producer, item.number); }
    void check(bool holds, const char *text)
    {
        if (!holds && m_complaint.isEmpty())
            m_complaint = QString::fromLatin1(text);
    }
    void check_what_came();
    int below(int limit) { return m_random.bounded(limit); }

    QRandomGenerator m_random;
    QString m_complaint;
    Channel<Item> m_channel;
    const std::shared_ptr<Log> m_log = std::make_shared<Log>();
    QList<std::pair<int, int>> m_got;
    std::atomic<int> m_producers{0};
    std::vector<Task<>> m_tasks;
    std::vector<std::unique_ptr<QObject>> m_owners;
    bool m_has_discarded = false;
    bool m_may_be_out_of_order = false; // a race keeps what it has won for some turns
};

Coroutine<> World::produce(std::unique_ptr<Production> own, int count)
{
    for (int i = 0; i < count; ++i) {
        const Item item{own->number, i};
        const int choice = own->random.bounded(4);
        bool is_put = true;
        try {
            if (choice == 0) {
                is_put = own->sender.try_put(Item(item));
            } else if (choice == 1) {
                const std::chrono::milliseconds limit(own->random.bounded(3));
                co_await wait_for(own->sender.put(item), limit);
            } else {
                co_await own->sender.put(item);
            }
        } catch (const TimeoutError &) {
            is_put = false;
        } catch (const QueueShutDown &) {
            co_return;
        }
        if (is_put)
            own->log->add(item);
        const bool pauses = own->random.bounded(3) == 0;
        if (pauses)
            co_await pause();
    }
}

Coroutine<> World::produce_by_thread(std::unique_ptr<Production> own, int count)
{
    auto working = to_thread(produce_in_thread, std::move(own), count);
    co_await std::move(working);
}

Coroutine<> World::consume_once()
{
    const int choice = below(6);
    const std::chrono::milliseconds limit(below(3));
    if (choice == 0) {
        if (const auto item = m_channel.try_get())
            got(*item);
    } else if (choice == 1) {
        m_may_be_out_of_order = true;
        const auto outcome = co_await race(sleep(limit), m_channel.get());
        if (outcome.index() == 1)
            got(std::get<1>(outcome));
    } else if (choice == 2) {
        const auto take = [](World *world) -> Coroutine<> {
            const Item item = co_await world->m_channel.get();
            world->got(item);
        };
        co_await wait_for(take(this), limit);
    } else if (choice == 3) {
        auto all = m_channel.items();
        while (const auto item = co_await all.next()) {
            got(*item);
            const bool leaves = below(3) == 0;
            if (leaves)
                break;
        }
    } else {
        const Item item = co_await m_channel.get();
        got(item);
    }
}

Coroutine<> World::consume(int count)
{
    for (int i = 0; i < count; ++i) {
        bool is_open = true;
        try {
            co_await consume_once();
        } catch (const TimeoutError &) {
        } catch (const QueueShutDown &) {
            is_open = false;
        }
        if (!is_open)
            co_return;
        const bool pauses = below(4) == 0;
        if (pauses)
            co_await pause();
    }
}

void World::disturb()
{
    const std::size_t victim = std::size_t(below(int(m_tasks.size())));
    const int choice = below(8);
    if (choice == 0) {
        m_channel.shutdown();
    } else if (choice == 1) {
        m_has_discarded = true;
        m_channel.shutdown(true);
    } else if (choice < 5) {
        m_tasks[victim].cancel();
    } else {
        m_owners[victim].reset();
    }
}

/// Until nothing more can come, however many consumers have been ended.
Coroutine<> World::take_all()
{
    bool is_open = true;
    while (is_open) {
        try {
            const Item item = co_await m_channel.get();
            got(item);
        } catch (const QueueShutDown &) {
            is_open = false;
        }
    }
}

void World::check_what_came()
{
    const QSet<std::pair<int, int>> put = m_log->items();
    const QSet<std::pair<int, int>> came(m_got.begin(), m_got.end());
    check(came.size() == m_got.size(), "an item has come twice");
    check(put.contains(came), "an item has come that was not put");
    check(m_has_discarded || came == put, "an item is lost");
    QMap<int, int> last;
    for (const auto &[producer, number] : std::as_const(m_got)) {
        check(m_may_be_out_of_order || number > last.value(producer, -1),
              "the items of one producer are out of order");
        last[producer] = number;
    }
    const QString rest = QStringLiteral("<Channel maxsize=%1%2>")
                             .arg(m_channel.maxsize())
                             .arg(m_channel.closed() ? u" shutdown"_s : QString());
    check(m_channel.to_string() == rest, "somebody or something is left in the channel");
}

Coroutine<QString> World::run()
{
    const auto start = [this](Coroutine<> &&coroutine) {
        m_owners.push_back(std::make_unique<QObject>());
        m_tasks.push_back(
            create_task(std::move(coroutine), TaskOptions().context(m_owners.back().get())));
    };
    const int producers = 1 + below(3);
    for (int i = 0; i < producers; ++i) {
        auto own = std::make_unique<Production>(m_channel.sender(), m_log, m_random.generate(), i,
                                                m_producers);
        const int count = below(6);
        if (below(2) == 0)
            start(produce(std::move(own), count));
        else
            start(produce_by_thread(std::move(own), count));
    }
    const int consumers = below(3);
    for (int i = 0; i < consumers; ++i)
        start(consume(1 + below(6)));
    const int disturbances = below(4);
    for (int i = 0; i < disturbances; ++i) {
        const bool turns_only = below(2) == 0;
        if (turns_only)
            co_await turns(below(4));
        else
            co_await pause();
        disturb();
    }
    co_await take_all();
    while (m_producers > 0)
        co_await sleep(1ms);
    for (Task<> &task : m_tasks) {
        task.cancel();
        const QString error = co_await error_of(task);
        check(error.isEmpty() || error == u"CancelledError", "a task has failed");
    }
    co_await take_all(); // what a race had, and has put back
    check_what_came();
    co_return m_complaint;
}

quint32 from_environment(const char *name, quint32 otherwise)
{
    bool ok = false;
    const quint32 value = qEnvironmentVariable(name).toUInt(&ok);
    return ok ? value : otherwise;
}

} // namespace

class tst_channel_random : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatWasPutComesOutOnceAndInOrder()
    {
        const quint32 first = from_environment("QASYNCIO_SEED",
                                               QRandomGenerator::global()->generate());
        const quint32 sequences = from_environment("QASYNCIO_SEQUENCES", 2'000);
        qInfo("QASYNCIO_SEED=%u QASYNCIO_SEQUENCES=%u", first, sequences);
        const auto all = [&]() -> Coroutine<> {
            for (quint32 i = 0; i < sequences; ++i) {
                World world(first + i);
                const QString complaint = co_await world.run();
                if (!complaint.isEmpty())
                    qWarning("QASYNCIO_SEED=%u", first + i);
                QASYNCIO_COMPARE(complaint, QString());
            }
        };
        // Virtual time stands still while a thread is blocked, which may wait for who sleeps.
        Test::run(all, Test::TestOptions().real_time());
    }
};

QTEST_GUILESS_MAIN(tst_channel_random)
#include "tst_channel_random.moc"
