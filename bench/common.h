// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
//
// What every program of the benchmark shares: the CPU clock and the one line of JSON it prints.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ratio>

namespace bench {

/// CPU time of the process so far, user and system, all threads, in nanoseconds.
inline double cpu_ns()
{
    rusage use{};
    getrusage(RUSAGE_SELF, &use);
    const auto ns = [](const timeval &t) {
        return double(t.tv_sec) * 1e9 + double(t.tv_usec) * 1e3;
    };
    return ns(use.ru_utime) + ns(use.ru_stime);
}

/// CPU time since it was made.
struct Stopwatch
{
    double start = cpu_ns();
    double ns() const { return cpu_ns() - start; }
};

/// Real time since it was made.
struct Clock
{
    std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
    double us() const
    {
        const std::chrono::duration<double, std::micro> taken = std::chrono::steady_clock::now()
            - start;
        return taken.count();
    }
};

/// What is read and written at once.
constexpr int block_size = 64 * 1024;

/// The result of one work: `key` is "ns_per_op", "bytes", "kib", "p99_ms", "p99_us", "us" or
/// "wakeups".
struct Result
{
    const char *key;
    double value;
};

inline Result per_op(const Stopwatch &watch, int n)
{
    return {"ns_per_op", watch.ns() / n};
}

inline double read_resident_bytes()
{
    long total = 0, resident = 0;
    if (FILE *statm = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(statm, "%ld %ld", &total, &resident) != 2)
            resident = 0;
        std::fclose(statm);
    }
    return double(resident) * double(sysconf(_SC_PAGESIZE));
}

/// Memory in RAM of this process; everything counts, whichever allocator it came from.
inline double resident_bytes()
{
    // looking takes memory, too: 64 KiB the first time
    static const double first = read_resident_bytes();
    static_cast<void>(first);
    return read_resident_bytes();
}

/// The same sequence of delays, 1 to 100 ms in microseconds, for every peer.
class Delays
{
public:
    int next_us()
    {
        m_state = m_state * 1664525u + 1013904223u;
        return 1000 + int((m_state >> 8) % 99000u);
    }

private:
    std::uint32_t m_state = 1;
};

/// One kind of work a program knows: its name, its usual count, the function.
struct Work
{
    const char *name;
    int count;
    Result (*run)(int count);
};

/// `prog WORK [N]`: runs one work and prints its line; status 2 where the work is not known.
template<std::size_t Size>
int run(int argc, char **argv, const Work (&works)[Size])
{
    for (const Work &work : works) {
        if (argc < 2 || std::strcmp(argv[1], work.name) != 0)
            continue;
        const int count = argc > 2 ? std::atoi(argv[2]) : work.count;
        const Result result = work.run(count);
        std::printf("{\"work\": \"%s\", \"n\": %d, \"%s\": %.3f}\n", work.name, count, result.key,
                    result.value);
        return 0;
    }
    std::fprintf(stderr, "usage: %s WORK [N], WORK one of:", argv[0]);
    for (const Work &work : works)
        std::fprintf(stderr, " %s", work.name);
    std::fputc('\n', stderr);
    return 2;
}

} // namespace bench
