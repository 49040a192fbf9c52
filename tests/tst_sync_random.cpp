// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// Tasks that do random things to one lock, semaphore, queue, condition and event each, are
// cancelled, timed out and unwound at random moments, and must leave them as they were.
// QASYNCIO_SEED and QASYNCIO_SEQUENCES choose others.

#include "task_helpers.h"

#include <QtCore/qrandom.h>
#include <QtCore/qset.h>

#include <algorithm>

namespace {

/// Somebody who waits for the lock.
struct Arrival
{
    bool may_be_overtaken = false; // has been cancelled, say
    bool is_served = false;
};

class World
{
public:
    explicit World(quint32 seed) : m_random(seed) { }

    Coroutine<QString> run();

private:
    Coroutine<> act(int steps, int number);
    Coroutine<> visit_lock(int number);
    Coroutine<> visit_semaphore();
    Coroutine<> produce();
    Coroutine<> consume();
    Coroutine<> add_and_notify();
    Coroutine<> wait_and_remove();
    Coroutine<> wait_for_event();

    template<class A>
    Coroutine<bool> perhaps_with_a_limit(A awaitable);
    Coroutine<> pause();
    void disturb(std::vector<Task<>> &tasks, std::vector<std::unique_ptr<QObject>> &owners);
    void complain(const QString &text)
    {
        if (m_complaint.isEmpty())
            m_complaint = text;
    }
    void check(bool holds, const char *text)
    {
        if (!holds)
            complain(QString::fromLatin1(text));
    }
    void check_rest();
    int below(int limit) { return m_random.bounded(limit); }

    QRandomGenerator m_random;
    QString m_complaint;

    Lock m_lock;
    int m_in_lock = 0;
    std::vector<std::shared_ptr<Arrival>> m_arrivals;
    std::vector<std::shared_ptr<Arrival>> m_arrival_of_task;

    static constexpr int permits = 2;
    Semaphore m_semaphore{permits};
    int m_in_semaphore = 0;

    Queue<int> m_queue{2};
    int m_next_item = 0;
    QSet<int> m_put;
    QList<int> m_got;

    Condition m_condition;
    int m_things = 0;
    bool m_may_lack_a_notification = false;

    Event m_event;
};

/// Counts how many are inside at once.
class Inside
{
public:
    explicit Inside(int &count) : m_count(count) { ++m_count; }
    ~Inside() { --m_count; }
    Q_DISABLE_COPY_MOVE(Inside)

private:
    int &m_count;
};

Coroutine<> World::pause()
{
    const int ticks = below(4);
    co_await sleep(std::chrono::milliseconds(ticks));
}

/// Awaits it, as it is or for a few milliseconds. False if the time is over.
template<class A>
Coroutine<bool> World::perhaps_with_a_limit(A awaitable)
{
    const int choice = below(4);
    if (choice > 0) {
        co_await std::move(awaitable);
        co_return true;
    }
    const std::chrono::milliseconds limit(below(3));
    bool in_time = true;
    try {
        co_await wait_for(std::move(awaitable), limit);
    } catch (const TimeoutError &) {
        in_time = false;
    }
    co_return in_time;
}

Coroutine<> World::visit_lock(int number)
{
    const auto arrival = std::make_shared<Arrival>();
    const bool is_plain = below(3) > 0;
    arrival->may_be_overtaken = !is_plain;
    m_arrivals.push_back(arrival);
    m_arrival_of_task[number] = arrival;
    const QScopeGuard gone([arrival] { arrival->may_be_overtaken = true; });
    LockGuard held;
    if (is_plain) {
        held = co_await m_lock.scoped();
    } else {
        const std::chrono::milliseconds limit(below(3));
        auto outcome = co_await race(m_lock.scoped(), sleep(limit));
        if (outcome.index() == 1)
            co_return;
        held = std::get<0>(std::move(outcome));
    }
    const Inside inside(m_in_lock);
    check(m_in_lock == 1, "two have the lock");
    arrival->is_served = true;
    for (const auto &other : m_arrivals) {
        if (other == arrival)
            break;
        check(other->is_served || other->may_be_overtaken, "the lock is not given in order");
    }
    co_await pause();
}

Coroutine<> World::visit_semaphore()
{
    const bool in_time = co_await perhaps_with_a_limit(m_semaphore.acquire());
    if (!in_time)
        co_return;
    const QScopeGuard release([this] { m_semaphore.release(); });
    const Inside inside(m_in_semaphore);
    check(m_in_semaphore <= permits, "more have the semaphore than it has permits");
    co_await pause();
}

Coroutine<> World::produce()
{
    const int item = m_next_item++;
    m_put << item;
    bool has_put = false;
    const QScopeGuard gone([&] {
        if (!has_put)
            m_put.remove(item);
    });
    has_put = co_await perhaps_with_a_limit(m_queue.put(item));
}

Coroutine<> World::consume()
{
    if (below(3) == 0) {
        const std::chrono::milliseconds limit(below(3));
        const auto outcome = co_await race(sleep(limit), m_queue.get());
        if (outcome.index() == 1)
            m_got << std::get<1>(outcome);
        co_return;
    }
    const auto take = [](World *world) -> Coroutine<> {
        const int item = co_await world->m_queue.get();
        world->m_got << item;
    };
    co_await perhaps_with_a_limit(take(this));
}

Coroutine<> World::add_and_notify()
{
    const auto held = co_await m_condition.scoped();
    ++m_things;
    m_condition.notify();
}

Coroutine<> World::wait_and_remove()
{
    const auto held = co_await m_condition.scoped();
    const auto is_there = [this] { return m_things > 0; };
    bool in_time = false;
    if (below(3) == 0) {
        const std::chrono::milliseconds limit(below(3));
        // The task of a loser may have been notified, and have ended, in the very turn in which it
        // has lost, or in which all of this is ended: then its notification is used up.
        const QScopeGuard lost([&] { m_may_lack_a_notification |= !in_time; });
        const auto outcome = co_await race(m_condition.wait_for(is_there), sleep(limit));
        in_time = outcome.index() == 0;
    } else {
        in_time = co_await perhaps_with_a_limit(m_condition.wait_for(is_there));
    }
    check(m_condition.locked(), "a condition's wait has ended without the lock");
    if (in_time) {
        check(m_things > 0, "a condition's predicate does not hold");
        --m_things;
    }
}

Coroutine<> World::wait_for_event()
{
    if (below(2) == 0) {
        m_event.set();
        if (below(2) == 0)
            m_event.clear();
        co_return;
    }
    co_await perhaps_with_a_limit(m_event.wait());
}

Coroutine<> World::act(int steps, int number)
{
    for (int i = 0; i < steps; ++i) {
        const int choice = below(8);
        switch (choice) {
        case 0:
        case 1:
            co_await visit_lock(number);
            break;
        case 2:
            co_await visit_semaphore();
            break;
        case 3:
            co_await produce();
            break;
        case 4:
            co_await consume();
            break;
        case 5:
            co_await add_and_notify();
            break;
        case 6:
            co_await wait_and_remove();
            break;
        case 7:
            co_await wait_for_event();
            break;
        }
        if (below(3) == 0)
            co_await pause();
    }
}

/// Ends one of the tasks, by a cancellation or by the death of its object.
void World::disturb(std::vector<Task<>> &tasks, std::vector<std::unique_ptr<QObject>> &owners)
{
    const int victim = below(int(tasks.size()));
    if (const auto &arrival = m_arrival_of_task[victim])
        arrival->may_be_overtaken = true;
    if (below(2) == 0)
        tasks[victim].cancel();
    else
        owners[victim].reset();
}

/// All timers have run out: whoever still waits must have a reason.
void World::check_rest()
{
    check(m_lock.to_string() == u"<Lock [unlocked]>", "somebody waits for a free lock");
    check(m_semaphore.to_string() == u"<Semaphore [unlocked, value:2]>", "a permit is lost");
    check(!m_condition.locked(), "the condition's lock is lost");
    check(m_things == 0 || m_may_lack_a_notification
              || m_condition.to_string() == u"<Condition [unlocked]>",
          "a notification is lost");
    const QString queue = m_queue.to_string();
    check(m_queue.empty() || !queue.contains(u"getters"), "a getter waits though there is an item");
    check(m_queue.full() || !queue.contains(u"putters"), "a putter waits though there is room");
}

Coroutine<QString> World::run()
{
    const int count = 2 + below(5);
    std::vector<Task<>> tasks;
    std::vector<std::unique_ptr<QObject>> owners;
    m_arrival_of_task.resize(count);
    for (int i = 0; i < count; ++i) {
        owners.push_back(std::make_unique<QObject>());
        tasks.push_back(
            create_task(act(1 + below(4), i), TaskOptions().context(owners.back().get())));
    }
    const int disturbances = below(4);
    for (int i = 0; i < disturbances; ++i) {
        if (below(2) == 0)
            co_await turns(below(4));
        else
            co_await pause();
        disturb(tasks, owners);
    }
    co_await sleep(1h);
    check_rest();
    for (Task<> &task : tasks)
        task.cancel();
    for (Task<> &task : tasks) {
        const QString error = co_await error_of(task);
        check(error.isEmpty() || error == u"CancelledError", "a task has failed");
    }
    m_event.set();
    m_event.clear();
    check(m_lock.to_string() == u"<Lock [unlocked]>", "the lock is not free at the end");
    check(m_semaphore.to_string() == u"<Semaphore [unlocked, value:2]>", "a permit is missing");
    check(m_condition.to_string() == u"<Condition [unlocked]>", "the condition is not free");
    check(m_event.to_string() == u"<Event [unset]>", "somebody waits for the event");
    while (!m_queue.empty())
        m_got << m_queue.get_nowait();
    QList<int> put = m_put.values(), got = m_got;
    std::sort(put.begin(), put.end());
    std::sort(got.begin(), got.end());
    check(put == got, "an item is lost, or there twice");
    co_return m_complaint;
}

quint32 from_environment(const char *name, quint32 otherwise)
{
    bool ok = false;
    const quint32 value = qEnvironmentVariable(name).toUInt(&ok);
    return ok ? value : otherwise;
}

} // namespace

class tst_sync_random : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void nothingIsLostWhateverComes()
    {
        const quint32 first = from_environment("QASYNCIO_SEED",
                                               QRandomGenerator::global()->generate());
        const quint32 sequences = from_environment("QASYNCIO_SEQUENCES", 100'000);
        qInfo("QASYNCIO_SEED=%u QASYNCIO_SEQUENCES=%u", first, sequences);
        Test::run([&]() -> Coroutine<> {
            for (quint32 i = 0; i < sequences; ++i) {
                World world(first + i);
                const QString complaint = co_await world.run();
                if (!complaint.isEmpty())
                    qWarning("QASYNCIO_SEED=%u", first + i);
                QASYNCIO_COMPARE(complaint, QString());
            }
        });
    }
};

QTEST_GUILESS_MAIN(tst_sync_random)
#include "tst_sync_random.moc"
