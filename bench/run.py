#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Runs the benchmark programs side by side and holds the figures against the targets.

bench/run.py --build build/release loop [--json FILE] [--rounds N] [--only WORK]

Ends with 0 also when targets are missed, with 1 when a program failed.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
from dataclasses import dataclass, field

HERE = pathlib.Path(__file__).resolve().parent
STEADY = 0.2  # a spread above this: the machine was busy, and the row is measured again
UNITS = {"ns_per_op": "ns", "bytes": "bytes", "kib": "KiB", "wakeups": "wake-ups in 10 s", "p99_ms": "ms", "p99_us": "us", "us": "us"}


@dataclass
class Target:
    """What QAsyncio has to reach, mostly against `program`, whose way to do it is named `label`."""

    program: str | None
    label: str
    work: str | None = None  # of the peer, where it is not the row's

    def ratio(self, value, peer):
        """As the target words it."""
        return value / peer

    def met(self, value, peer, ratio):
        return None

    text = "for comparison"
    needs_peer = True


@dataclass
class Faster(Target):
    times: float = 1

    def ratio(self, value, peer):
        return peer / value

    def met(self, value, peer, ratio):
        return ratio >= self.times

    @property
    def text(self):
        return f">= {self.times:g} times faster" if self.times != 1 else "faster"


@dataclass
class AtMost(Target):
    times: float = 1

    def met(self, value, peer, ratio):
        return ratio <= self.times

    @property
    def text(self):
        return f"<= {self.times:g} times"


@dataclass
class Limit(Target):
    """An absolute limit; or, where `times` is given, that many times the peer."""

    limit: float = 0
    times: float = 0
    needs_peer = False

    def met(self, value, peer, ratio):
        return value <= (max(self.limit, self.times * peer) if peer else self.limit)

    @property
    def text(self):
        return f"<= {self.limit:g}" + (f" or {self.times:g} times" if self.times else "")


@dataclass
class Row:
    title: str
    work: str
    targets: list = field(default_factory=list)
    rounds: int | None = None
    # How many operations: the difference of two runs under callgrind is given, in instructions an operation. Nothing
    # of the machine is in that, so it is for what takes some ten nanoseconds.
    instructions: tuple[int, int] | None = None


LOOP = [
    Row("call_soon chain", "call_soon", [
        Faster("uvloop", "uvloop call_soon", times=10),
        Faster("qt", "Qt invokeMethod, queued", times=13),
        AtMost("asio", "asio::post, descriptor open", "call_soon_fd", times=1),
        Target("asio", "asio::post, none open")]),
    Row("the same, instructions", "call_soon", [
        AtMost("asio", "asio::post, none open", times=1.8)], instructions=(20_000, 60_000)),
    Row("call_soon chain, strict mode", "call_soon_strict", [
        Faster("uvloop", "uvloop call_soon", "call_soon", times=3)]),
    Row("two coroutines, sleep(0)", "sleep0", [
        Faster("asio", "asio post(use_awaitable)", times=4.3),
        Target("asio_typed", "the same, typed executor"),
        Faster("qcoro", "QCoro, QTimer(0)", times=10),
        Target("qcoro", "QCoro sleepFor(0)", "sleep_for0")]),
    Row("co_await of a ready child", "await_ready", [
        Target("asio", "asio awaitable<int>"),
        Target("asio_typed", "the same, typed executor"),
        Target("qcoro", "QCoro Task<int>")]),
    Row("the same, instructions", "await_ready", [
        AtMost("asio", "asio awaitable<int>", times=0.55),
        AtMost("qcoro", "QCoro Task<int>", times=0.45)], instructions=(20_000, 60_000)),
    Row("lock, acquire and release", "lock", [
        Limit("uvloop", "asyncio.Lock", limit=15)]),
    Row("lock, from task to task", "lock_handover", [
        Faster("uvloop", "asyncio.Lock", times=20)]),
    Row("queue, from task to task", "queue", [
        Faster("uvloop", "asyncio.Queue", times=20),
        Faster("asio", "asio channel")]),
    Row("64 KiB through a pipe stream", "pipe_stream", [
        AtMost("qt", "read and write", times=1 / 0.9),
        Faster("uvloop", "asyncio's streams", times=3)]),
    Row("start a program, wait for it", "subprocess", [
        AtMost("qt", "QProcess", times=1),
        Faster("uvloop", "asyncio")]),
    Row("create_task + await, 200,000", "tasks", [
        Faster("asio", "asio co_spawn", times=5),
        Target("asio_typed", "the same, typed executor")]),
    Row("memory of a suspended task", "task_memory", [
        Limit("asio", "asio co_spawn", limit=250)]),
    Row("memory of a pending timer", "timer_memory", [Target(None, "")]),
    Row("memory of a generator at co_yield", "generator_memory", [Target(None, "")]),
    Row("a value of a generator", "generator", [Target(None, "")]),
    Row("growth over 10^7 tasks", "growth", [Limit(None, "", limit=0)]),
    Row("kept of 10^6 tasks at once", "given_back", [Limit(None, "", limit=32 * 1024)]),
    Row("100,000 timers, half cancelled", "timers", [
        Faster("uvloop", "uvloop call_later", times=5),
        Faster("libuv", "libuv uv_timer_start")]),
    Row("signal to resumed coroutine", "signal", [
        AtMost("qt", "Qt connect+emit+disconnect", times=1.8),
        Faster("qcoro", "QCoro qCoro(signal)", times=5)]),
    Row("call_soon_threadsafe, 4 threads", "threadsafe", [
        Faster("qt", "Qt invokeMethod, queued", times=3)]),
    Row("channel, from a thread", "channel", [
        Faster("qt", "Qt invokeMethod, queued", times=3)]),
    Row("channel, room for 1,000", "channel_bounded", [
        Faster("qt", "Qt invokeMethod, queued", "channel", times=3)]),
    Row("idle loop", "idle", [Limit(None, "", limit=0)], rounds=1),
    Row("2 ms Qt timer, busy loop, p99", "fair_timer", [
        Limit("qt", "the timer alone", limit=4, times=1.5)]),
    Row("descriptor, busy loop, p99", "fd_beside_chain", [Limit(None, "", limit=60)]),
    Row("descriptor, 1,000 us batches, p99", "fd_beside_batches", [
        AtMost("loop", "the callbacks alone", "batch_alone", times=1.15)]),
    *(Row(f"{title}, {count:,} of them", f"{work}_{count}", [
        AtMost("loop", "with ten of them", f"{work}_10", times=times)])
      for title, work, times, most in (("timer armed, cancelled", "timers", 5, 100_000),
                                       ("sleep(0) beside tasks", "tasks", 1.5, 100_000),
                                       ("one future for tasks", "waiters", 3, 100_000),
                                       ("busy descriptor", "fds", 1.5, 10_000))  # few systems allow 100,000
      for count in (1_000, most)),
]

QT_PROGRAMS = {"loop", "qt", "qcoro"}
DISPATCHERS = ("glib", "unix")


class Programs:
    """Finds and runs the programs; remembers which are missing and which failed."""

    def __init__(self, build):
        self.failed = []
        self.commands = {}
        for name in ("loop", "qt", "qcoro", "asio", "asio_typed", "libuv"):
            binary = build / "bench" / f"bench_{name}"
            if binary.exists():
                self.commands[name] = [str(binary)]
        for python in (sys.executable, "/usr/bin/python3"):
            if subprocess.run([python, "-c", "import uvloop"], capture_output=True).returncode == 0:
                self.commands["uvloop"] = [python, str(HERE / "peers" / "uvloop_peer.py")]
                break

    def run(self, name, work, dispatcher, prefix=(), count=()):
        """What the program prints, or None if it failed; with `prefix`, the text of its errors."""
        env = dict(os.environ, QT_QPA_PLATFORM="offscreen")
        env.pop("QT_NO_GLIB", None)
        if dispatcher == "unix":
            env["QT_NO_GLIB"] = "1"
        try:
            done = subprocess.run([*prefix, *self.commands[name], work, *map(str, count)], env=env, capture_output=True,
                                  text=True, timeout=120)
            if done.returncode == 0:
                return done.stderr if prefix else json.loads(done.stdout)
            why = f"status {done.returncode} {done.stderr.strip()[-300:]}"
        except subprocess.TimeoutExpired:
            why = "no end after 120 s"
        except ValueError:
            why = f"no result in {done.stdout!r}"
        self.failed.append(f"{name} {work} ({dispatcher or 'no Qt'}): {why}")
        return None


    def figure(self, name, work, dispatcher):
        """(value, unit), or None."""
        result = self.run(name, work, dispatcher)
        return result and next(((result[key], unit) for key, unit in UNITS.items() if key in result), None)

    def instructions(self, name, work, dispatcher, counts):
        """The same, of one operation."""
        valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
        texts = [self.run(name, work, dispatcher, valgrind, [count]) for count in counts]
        totals = [re.search(r"Collected : (\d+)", text or "") for text in texts]
        if not all(totals):
            return None
        first, second = (int(total.group(1)) for total in totals)
        return (second - first) / (counts[1] - counts[0]), "instr."


def measure(programs, row, rounds):
    """{(program, work, dispatcher): [value or None, ...]} of interleaved rounds, and the row's unit."""
    jobs = {}
    for dispatcher in DISPATCHERS:
        for name, work in [("loop", row.work)] + [(t.program, t.work or row.work) for t in row.targets]:
            if name in programs.commands:
                jobs[name, work, dispatcher if name in QT_PROGRAMS else None] = []
    unit = None
    repeated = 0
    while True:
        for _ in range(1 if row.instructions else row.rounds or rounds):
            for (name, work, dispatcher), values in jobs.items():
                result = (programs.instructions(name, work, dispatcher, row.instructions) if row.instructions
                          else programs.figure(name, work, dispatcher))
                values.append(result and result[0])
                unit = result[1] if result else unit
        busy = unit == "ns" and any((spread(values) or 0) > STEADY for values in jobs.values())
        if not busy or repeated == 3:
            return jobs, unit
        repeated += 1


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def spread(values):
    """Largest minus smallest, in parts of the median."""
    values = [value for value in values if value is not None]
    if not values or not median(values):
        return None
    return round((max(values) - min(values)) / median(values), 3)


def results(programs, row, rounds):
    jobs, unit = measure(programs, row, rounds)
    for dispatcher in DISPATCHERS:
        for target in row.targets:
            own = jobs.get(("loop", row.work, dispatcher), [])
            key = target.program, target.work or row.work
            other = jobs.get(key + (dispatcher if target.program in QT_PROGRAMS else None,), [])
            value, peer = median(own), median(other)
            out = {"work": row.title, "dispatcher": dispatcher, "value": value, "unit": unit,
                   "spread": spread(own), "runs": len(own) - own.count(None), "peer": target.label or None,
                   "peer_value": peer, "peer_spread": spread(other), "ratio": None,
                   "target": target.text, "met": None}
            if type(target) is Target:
                out["target"] = None
            # Of each round for itself: when the machine is slower for a while, both sides are.
            ratio = median([target.ratio(a, b) for a, b in zip(own, other) if a is not None and b])
            if value is not None and (ratio is not None or not target.needs_peer):
                out["ratio"], out["met"] = ratio, target.met(value, peer, ratio)
            if value is None:
                out["note"] = "no QAsyncio figure"
            elif target.program and target.program not in programs.commands:
                out["note"] = f"{target.program}: not installed or not built"
            elif target.program and peer is None:
                out["note"] = f"{target.program} failed"
            yield out


def number(value, digits=3):
    if value is None:
        return "-"
    if value and abs(value) < 10 ** (digits - 1):
        return f"{value:.{digits}g}"
    return f"{value:,.0f}"


COLUMNS = "{:32} {:5} {:>9} {:>5}  {:27} {:>9} {:>5} {:>7}  {:19} {}"


def line(row):
    def percent(part):
        return "" if part is None else f"{part * 100:.0f}%"

    met = {True: "yes", False: "NO", None: row.get("note", "")}[row["met"]]
    return COLUMNS.format(
        row["work"], row["dispatcher"], number(row["value"]), percent(row["spread"]),
        row["peer"] or "", number(row["peer_value"]), percent(row["peer_spread"]),
        number(row["ratio"]), row["target"] or "", met).rstrip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suite", choices=["loop"])
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build" / "release")
    parser.add_argument("--json", type=pathlib.Path, help="write the rows to this file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="only rows whose work has this in its name")
    args = parser.parse_args()

    programs = Programs(args.build)
    if "loop" not in programs.commands:
        programs.failed.append(f"{args.build}/bench/bench_loop is not built")
    print("CPU time per operation in ns, where no other unit is said; medians and their spread\n")
    print(COLUMNS.format("work", "disp.", "QAsyncio", "+-", "peer", "peer's", "+-", "ratio",
                         "target", "met"))
    rows = []
    for row in LOOP:
        if args.only and args.only not in row.work:
            continue
        for out in results(programs, row, args.rounds):
            rows.append(out)
            print(line(out), flush=True)

    judged = [row for row in rows if row["target"]]
    met = sum(row["met"] is True for row in judged)
    unknown = sum(row["met"] is None for row in judged)
    print(f"\n{met} of {len(judged)} targets met" + (f", {unknown} not measured" if unknown else ""))
    for why in programs.failed:
        print("failed:", why, file=sys.stderr)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 1 if programs.failed else 0


if __name__ == "__main__":
    sys.exit(main())
