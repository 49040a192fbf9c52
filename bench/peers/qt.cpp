// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
//
// Plain Qt, no coroutine library.
#include "../sender.h"
#include "../ticks.h"

#include <QtCore/qobjectdefs.h>
#include <QtCore/qstringlist.h>

#include <QCoreApplication>
#include <QProcess>

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>
#include <vector>

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

// One thread queues calls to an object of the main thread.
static bench::Result channel(int n)
{
    QObject context;
    std::int64_t sum = 0;
    int left = n;
    const bench::Stopwatch watch;
    std::thread worker([&] {
        for (int i = 0; i < n; ++i) {
            const auto call = [&, i] {
                sum += i;
                if (--left == 0)
                    QCoreApplication::quit();
            };
            QMetaObject::invokeMethod(&context, call, Qt::QueuedConnection);
        }
    });
    QCoreApplication::exec();
    worker.join();
    if (sum != std::int64_t(n) * (n - 1) / 2)
        std::abort();
    return bench::per_op(watch, n);
}

// A 2 ms timer alone in the loop.
static bench::Result fair_timer(int n)
{
    Ticks ticks(n, [] { QCoreApplication::quit(); });
    QCoreApplication::exec();
    return ticks.p99();
}

// Blocks of 64 KiB through a pipe, by system calls alone.
static bench::Result pipe_stream(int n)
{
    int ends[2];
    if (pipe2(ends, O_NONBLOCK) != 0)
        std::abort();
    std::vector<char> block(bench::block_size, 'x');
    std::vector<char> seen(bench::block_size);
    std::int64_t left = std::int64_t(n) * bench::block_size;
    const bench::Stopwatch watch;
    while (left > 0) {
        if (write(ends[1], block.data(), block.size()) != bench::block_size)
            std::abort();
        const ssize_t count = read(ends[0], seen.data(), seen.size());
        left -= count;
        if (count != bench::block_size)
            std::abort();
    }
    const bench::Result result = bench::per_op(watch, n);
    close(ends[0]);
    close(ends[1]);
    return result;
}

// Start a program and wait for its end, in real time.
static bench::Result subprocess(int n)
{
    int left = n;
    QProcess process;
    QObject::connect(&process, &QProcess::finished, [&] {
        if (--left > 0)
            process.start(QStringLiteral("/bin/true"), QStringList());
        else
            QCoreApplication::quit();
    });
    const bench::Clock clock;
    process.start(QStringLiteral("/bin/true"), QStringList());
    QCoreApplication::exec();
    return {"us", clock.us() / n};
}

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    static const bench::Work works[] = {
        {"call_soon", 300'000, call_soon},     {"signal", 1'000'000, signal},
        {"threadsafe", 1'000'000, threadsafe}, {"channel", 1'000'000, channel},
        {"fair_timer", 1'000, fair_timer},     {"pipe_stream", 8'000, pipe_stream},
        {"subprocess", 500, subprocess},
    };
    return bench::run(argc, argv, works);
}
