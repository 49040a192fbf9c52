// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
//
// Plain Qt, no coroutine library.
#include "../sender.h"
#include "../ticks.h"

#include <QtCore/qobjectdefs.h>

#include <QCoreApplication>

#include <thread>

// A queued QMetaObject::invokeMethod that queues the next.
static bench::Result call_soon(int n)
{
    QObject context;
    int left = n;
    struct Chain
    {
        QObject *context;
        int *left;
        void operator()() const
        {
            if (--*left > 0)
                QMetaObject::invokeMethod(context, *this, Qt::QueuedConnection);
            else
                QCoreApplication::quit();
        }
    };
    const bench::Stopwatch watch;
    QMetaObject::invokeMethod(&context, Chain{&context, &left}, Qt::QueuedConnection);
    QCoreApplication::exec();
    return bench::per_op(watch, n);
}

// Connect a lambda, emit, disconnect.
static bench::Result signal(int n)
{
    Sender sender;
    std::int64_t sum = 0;
    const bench::Stopwatch watch;
    for (int i = 0; i < n; ++i) {
        const auto connection = QObject::connect(&sender, &Sender::fired,
                                                 [&sum](int value) { sum += value; });
        Q_EMIT sender.fired(i);
        QObject::disconnect(connection);
    }
    if (sum != std::int64_t(n) * (n - 1) / 2)
        std::abort();
    return bench::per_op(watch, n);
}

// Four threads queue calls to an object of the main thread.
static bench::Result threadsafe(int n)
{
    QObject context;
    int left = n;
    const auto call = [&left] {
        if (--left == 0)
            QCoreApplication::quit();
    };
    const bench::Stopwatch watch;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < n / 4; ++i)
                QMetaObject::invokeMethod(&context, call, Qt::QueuedConnection);
        });
    }
    QCoreApplication::exec();
    for (std::thread &thread : threads)
        thread.join();
    return bench::per_op(watch, n);
}

// A 2 ms timer alone in the loop.
static bench::Result fair_timer(int n)
{
    Ticks ticks(n, [] { QCoreApplication::quit(); });
    QCoreApplication::exec();
    return ticks.p99();
}

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    static const bench::Work works[] = {
        {"call_soon", 300'000, call_soon},
        {"signal", 1'000'000, signal},
        {"threadsafe", 1'000'000, threadsafe},
        {"fair_timer", 1'000, fair_timer},
    };
    return bench::run(argc, argv, works);
}
