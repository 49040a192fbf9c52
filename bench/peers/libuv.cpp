// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "../common.h"

#include <uv.h>

#include <vector>

// Arm n timers of 1 to 100 ms (libuv counts in milliseconds), stop every second one, run the rest.
static bench::Result timers(int n)
{
    uv_loop_t *loop = uv_default_loop();
    static int fired = 0;
    bench::Delays delays;
    const bench::Stopwatch watch;
    std::vector<uv_timer_t> all(n);
    for (uv_timer_t &timer : all) {
        uv_timer_init(loop, &timer);
        uv_timer_start(&timer, [](uv_timer_t *) { ++fired; }, delays.next_us() / 1000, 0);
    }
    for (int i = 0; i < n; i += 2)
        uv_timer_stop(&all[i]);
    uv_run(loop, UV_RUN_DEFAULT);
    if (fired != n / 2)
        std::abort();
    return bench::per_op(watch, n);
}

int main(int argc, char **argv)
{
    static const bench::Work works[] = {{"timers", 100'000, timers}};
    return bench::run(argc, argv, works);
}
