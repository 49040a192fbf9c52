// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
//
// QCoro for Qt 6.
#include "../common.h"
#include "../sender.h"

#include <QCoreApplication>
#include <QTimer>

#include <QCoroSignal>
#include <QCoroTask>
#include <QCoroTimer>

#include <chrono>

using namespace std::chrono_literals;

static QCoro::Task<> yield(int n)
{
    QTimer timer;
    timer.start(0);
    for (int i = 0; i < n; ++i)
        co_await timer;
}

static QCoro::Task<> two_yielding(int n)
{
    QCoro::Task<> first = yield(n / 2);
    QCoro::Task<> second = yield(n / 2);
    co_await first;
    co_await second;
}

// Two coroutines that take turns; QCoro has no bare yield, the cheapest is a repeating QTimer(0).
static bench::Result sleep0(int n)
{
    const bench::Stopwatch watch;
    QCoro::waitFor(two_yielding(n));
    return bench::per_op(watch, n);
}

static QCoro::Task<> sleeping(int n)
{
    for (int i = 0; i < n; ++i)
        co_await QCoro::sleepFor(0ms);
}

static QCoro::Task<> two_sleeping(int n)
{
    QCoro::Task<> first = sleeping(n / 2);
    QCoro::Task<> second = sleeping(n / 2);
    co_await first;
    co_await second;
}

// The same with sleepFor(0), which makes a timer each time.
static bench::Result sleep_for0(int n)
{
    const bench::Stopwatch watch;
    QCoro::waitFor(two_sleeping(n));
    return bench::per_op(watch, n);
}

static QCoro::Task<int> child(int i)
{
    co_return i;
}

static QCoro::Task<std::int64_t> await_children(int n)
{
    std::int64_t sum = 0;
    for (int i = 0; i < n; ++i)
        sum += co_await child(i);
    co_return sum;
}

// co_await of a Task<int> that returns at once.
static bench::Result await_ready(int n)
{
    const bench::Stopwatch watch;
    if (QCoro::waitFor(await_children(n)) != std::int64_t(n) * (n - 1) / 2)
        std::abort();
    return bench::per_op(watch, n);
}

static QCoro::Task<> receive(Sender *sender, int n, std::int64_t *sum)
{
    for (int i = 0; i < n; ++i)
        *sum += co_await qCoro(sender, &Sender::fired);
}

// Connect, emit, be resumed by a turn of the event loop. Cheaper than emitting inside the
// coroutine.
static bench::Result signal(int n)
{
    Sender sender;
    std::int64_t sum = 0;
    const bench::Stopwatch watch;
    const QCoro::Task<> receiver = receive(&sender, n, &sum);
    for (int i = 0; i < n; ++i) {
        Q_EMIT sender.fired(i);
        QCoreApplication::processEvents();
    }
    if (sum != std::int64_t(n) * (n - 1) / 2)
        std::abort();
    return bench::per_op(watch, n);
}

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    static const bench::Work works[] = {
        {"sleep0", 200'000, sleep0},
        {"sleep_for0", 200'000, sleep_for0},
        {"await_ready", 5'000'000, await_ready},
        {"signal", 200'000, signal},
    };
    return bench::run(argc, argv, works);
}
