# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""uvloop, driven as a Python program drives it, or asyncio's own loop: `uvloop_peer.py WORK [N]`."""
import asyncio
import json
import os
import random
import resource
import sys
import time

import uvloop


def cpu_ns():
    use = resource.getrusage(resource.RUSAGE_SELF)
    return (use.ru_utime + use.ru_stime) * 1e9


class Chain:
    def __init__(self, loop, n):
        self.loop = loop
        self.left = n

    def step(self):
        self.left -= 1
        if self.left:
            self.loop.call_soon(self.step)
        else:
            self.loop.stop()


def call_soon(loop, n):
    """A method that schedules itself."""
    loop.call_soon(Chain(loop, n).step)
    loop.run_forever()


class Timers:
    def __init__(self, loop, n):
        self.loop = loop
        self.n = n
        self.left = n // 2

    def arm(self):
        call_later, uniform = self.loop.call_later, random.uniform
        fired = self.fired
        handles = [call_later(uniform(0.001, 0.1), fired) for _ in range(self.n)]
        for handle in handles[::2]:
            handle.cancel()

    def fired(self):
        self.left -= 1
        if not self.left:
            self.loop.stop()


def timers(loop, n):
    """Arm n timers of 1 to 100 ms, cancel every second one, run the rest."""
    loop.call_soon(Timers(loop, n).arm)
    loop.run_forever()


def lock(loop, n):
    """A lock that nobody else wants."""
    async def main():
        lock = asyncio.Lock()
        for _ in range(n):
            await lock.acquire()
            lock.release()
    loop.run_until_complete(main())


def lock_handover(loop, n):
    """Two tasks that want one lock, and keep it for a turn."""
    async def visit(lock):
        for _ in range(n // 2):
            async with lock:
                await asyncio.sleep(0)

    async def main():
        lock = asyncio.Lock()
        await asyncio.gather(visit(lock), visit(lock))
    loop.run_until_complete(main())


def queue(loop, n):
    """One task puts, another one gets, with room for one item."""
    async def put_all(queue):
        for i in range(n):
            await queue.put(i)

    async def main():
        queue = asyncio.Queue(1)
        putting = asyncio.create_task(put_all(queue))
        for _ in range(n):
            await queue.get()
        await putting
    loop.run_until_complete(main())


BLOCK = 64 * 1024


def pipe_stream(loop, n):
    """Blocks of 64 KiB from one task to another, through a pipe."""
    async def write_all(writer):
        block = b"x" * BLOCK
        for _ in range(n):
            writer.write(block)
            await writer.drain()
        writer.close()

    async def main():
        reading, writing = (open(fd, mode, 0) for fd, mode in zip(os.pipe(), ("rb", "wb")))
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), reading)
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, writing)
        task = asyncio.create_task(write_all(asyncio.StreamWriter(transport, protocol, None, loop)))
        size = 0
        while not reader.at_eof():
            size += len(await reader.read(BLOCK))
        await task
        assert size == n * BLOCK
    loop.run_until_complete(main())


def subprocess(loop, n):
    """Start a program and wait for its end."""
    async def main():
        for _ in range(n):
            process = await asyncio.create_subprocess_exec("/bin/true")
            await process.wait()
    loop.run_until_complete(main())


# What is run, how often, on whose loop.
WORKS = {
    "call_soon": (call_soon, 500_000, uvloop.new_event_loop),
    "timers": (timers, 100_000, uvloop.new_event_loop),
    "lock": (lock, 500_000, asyncio.new_event_loop),
    "lock_handover": (lock_handover, 100_000, asyncio.new_event_loop),
    "queue": (queue, 100_000, asyncio.new_event_loop),
    "pipe_stream": (pipe_stream, 8_000, asyncio.new_event_loop),
    "subprocess": (subprocess, 200, asyncio.new_event_loop),
}


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in WORKS:
        sys.exit(f"usage: uvloop_peer.py WORK [N], WORK one of: {' '.join(WORKS)}")
    work, count, new_event_loop = WORKS[sys.argv[1]]
    if len(sys.argv) > 2:
        count = int(sys.argv[2])
    loop = new_event_loop()
    asyncio.set_event_loop(loop)
    start, start_us = cpu_ns(), time.monotonic() * 1e6
    work(loop, count)
    per_op, per_op_us = (cpu_ns() - start) / count, (time.monotonic() * 1e6 - start_us) / count
    loop.close()
    result = {"us": per_op_us} if work is subprocess else {"ns_per_op": round(per_op, 3)}
    print(json.dumps({"work": sys.argv[1], "n": count, **result}))


main()
