// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
//
// Boost.Asio with one thread and without locking. Built twice: with the executor type that
// asio::awaitable<T> has when nothing is said (any_io_executor), and, as bench_asio_typed, with
// io_context's own, which spares Asio a type erasure.
#define BOOST_ASIO_DISABLE_THREADS
#include "../common.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <exception>

namespace asio = boost::asio;

#ifdef TYPED_EXECUTOR
using Executor = asio::io_context::executor_type;
#else
using Executor = asio::any_io_executor;
#endif
template<typename T>
using Awaitable = asio::awaitable<T, Executor>;
constexpr asio::use_awaitable_t<Executor> use_awaitable;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;

static asio::io_context io(1);

struct Chain
{
    int *left;
    void operator()() const
    {
        if (--*left > 0)
            asio::post(io, *this);
    }
};

// A handler that posts itself; no descriptor is open, so the reactor is never asked.
static bench::Result call_soon(int n)
{
    int left = n;
    const bench::Stopwatch watch;
    asio::post(io, Chain{&left});
    io.run();
    return bench::per_op(watch, n);
}

// The same while a descriptor is watched on which nothing ever comes.
static bench::Result call_soon_fd(int n)
{
    int ends[2];
    if (pipe(ends) != 0)
        std::abort();
    asio::posix::stream_descriptor idle(io, ends[0]);
    char byte;
    idle.async_read_some(asio::buffer(&byte, 1),
                         [](const boost::system::error_code &, std::size_t) { });
    int left = n;
    const bench::Stopwatch watch;
    asio::post(io, Chain{&left});
    while (left > 0)
        io.run_one();
    const bench::Result result = bench::per_op(watch, n);
    idle.close();
    io.run();
    close(ends[1]);
    return result;
}

static Awaitable<void> yield(int n)
{
    for (int i = 0; i < n; ++i)
        co_await asio::post(io.get_executor(), use_awaitable);
}

// Two coroutines that take turns; one operation is one co_await post(use_awaitable).
static bench::Result sleep0(int n)
{
    const bench::Stopwatch watch;
    asio::co_spawn(io, yield(n / 2), asio::detached);
    asio::co_spawn(io, yield(n / 2), asio::detached);
    io.run();
    return bench::per_op(watch, n);
}

static Awaitable<int> child(int i)
{
    co_return i;
}

static Awaitable<void> await_children(int n, std::int64_t &sum)
{
    for (int i = 0; i < n; ++i)
        sum += co_await child(i);
}

// co_await of an awaitable<int> that returns at once.
static bench::Result await_ready(int n)
{
    std::int64_t sum = 0;
    const bench::Stopwatch watch;
    asio::co_spawn(io, await_children(n, sum), asio::detached);
    io.run();
    if (sum != std::int64_t(n) * (n - 1) / 2)
        std::abort();
    return bench::per_op(watch, n);
}

static Awaitable<int> once(int i)
{
    co_await asio::post(io.get_executor(), use_awaitable);
    co_return i;
}

// co_spawn n coroutines, all alive at once; each suspends once, its result reaches a handler.
static bench::Result tasks(int n)
{
    std::int64_t sum = 0;
    const bench::Stopwatch watch;
    for (int i = 0; i < n; ++i)
        asio::co_spawn(io, once(i), [&sum](std::exception_ptr, int v) { sum += v; });
    io.run();
    if (sum != std::int64_t(n) * (n - 1) / 2)
        std::abort();
    return bench::per_op(watch, n);
}

using Channel = asio::experimental::channel<Executor, void(boost::system::error_code, int)>;

static Awaitable<void> put_all(Channel &channel, int n)
{
    for (int i = 0; i < n; ++i)
        co_await channel.async_send(boost::system::error_code(), i, use_awaitable);
}

static Awaitable<void> get_all(Channel &channel, int n, std::int64_t &sum)
{
    for (int i = 0; i < n; ++i)
        sum += co_await channel.async_receive(use_awaitable);
}

// One coroutine sends, another one receives, with room for one item.
static bench::Result queue(int n)
{
    Channel channel(io, 1);
    std::int64_t sum = 0;
    const bench::Stopwatch watch;
    asio::co_spawn(io, put_all(channel, n), asio::detached);
    asio::co_spawn(io, get_all(channel, n, sum), asio::detached);
    io.run();
    if (sum != std::int64_t(n) * (n - 1) / 2)
        std::abort();
    return bench::per_op(watch, n);
}

static Timer *gate;

static Awaitable<int> wait_at_gate(int i)
{
    boost::system::error_code ignored;
    co_await gate->async_wait(asio::redirect_error(use_awaitable, ignored));
    co_return i;
}

// Resident memory of one coroutine suspended on a timer that all wait for.
static bench::Result task_memory(int n)
{
    Timer timer(io, std::chrono::steady_clock::time_point::max());
    gate = &timer;
    const double before = bench::resident_bytes();
    for (int i = 0; i < n; ++i)
        asio::co_spawn(io, wait_at_gate(i), asio::detached);
    io.poll();
    const double after = bench::resident_bytes();
    timer.cancel();
    io.run();
    return {"bytes", (after - before) / n};
}

int main(int argc, char **argv)
{
    static const bench::Work works[] = {
        {"call_soon", 5'000'000, call_soon},   {"call_soon_fd", 2'000'000, call_soon_fd},
        {"sleep0", 2'000'000, sleep0},         {"await_ready", 10'000'000, await_ready},
        {"queue", 1'000'000, queue},           {"tasks", 200'000, tasks},
        {"task_memory", 200'000, task_memory},
    };
    return bench::run(argc, argv, works);
}
