#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Runs random asyncio programs on CPython's asyncio and on QAsyncio and compares what they do (README.md)."""

import argparse
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import threading
import time

import compare
import generate
import record
import shrink

HERE = pathlib.Path(__file__).resolve().parent
REFERENCE = HERE / "pyodide.mjs"
BATCH = 1000
PATIENCE = 120      # seconds that a batch may take before the interpreter is taken to hang


class Interpreter:
    """A process that reads programs and writes traces. One that ends or hangs is replaced."""

    def __init__(self, *command, patience=PATIENCE):
        self.command = command
        self.patience = patience
        self.process = None

    def traces(self, drivers):
        traces = []
        while len(traces) < len(drivers):
            traces += self.some_traces(drivers[len(traces):len(traces) + BATCH])
        return traces

    def some_traces(self, drivers):
        """The traces up to the program that ends the process, if one does."""
        if not self.process:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        process = self.process
        feeder = threading.Thread(target=self.feed, args=(process, drivers))
        feeder.start()
        alarm = threading.Timer(self.patience, process.kill)
        alarm.start()
        traces = []
        for _ in drivers:
            line = process.stdout.readline()
            if not line:
                break
            traces.append(json.loads(line)["trace"])
        alarm.cancel()
        if len(traces) < len(drivers):
            self.process = None
            traces.append([f"the interpreter crashed or hung: exit code {process.wait()}"])
        feeder.join()
        return traces

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    @staticmethod
    def feed(process, drivers):
        try:
            for number, driver in enumerate(drivers):
                process.stdin.write(json.dumps({"id": number, "driver": driver}) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            pass


def version_of(python):
    version = subprocess.run([python, "-c", "import sys; print(*sys.version_info[:3])"], capture_output=True, text=True,
                             check=True)
    return tuple(map(int, version.stdout.split()))


class Comparison:
    def __init__(self, python, interpreter):
        self.python = Interpreter(python, str(HERE / "interpreter.py"))
        self.qasyncio = Interpreter(str(interpreter))
        self.version = version_of(python)
        self.pool = concurrent.futures.ThreadPoolExecutor(2)

    def run(self, drivers):
        """Both traces of each program."""
        return zip(*self.pool.map(lambda interpreter: interpreter.traces(drivers), (self.python, self.qasyncio)))

    def equal(self, traces):
        return compare.equal(*traces, self.version)

    def differ(self, drivers):
        return [not self.equal(traces) for traces in self.run(drivers)]

    def show(self, driver):
        (python, qasyncio), = self.run([driver])
        print(text_of({"driver": driver}))
        print(f"\n{'CPython ' + '.'.join(map(str, self.version)):<78}QAsyncio")
        for number in range(max(len(python), len(qasyncio))):
            left, right = (trace[number] if number < len(trace) else "" for trace in (python, qasyncio))
            print(f"{left:<76}{' ' if compare.matches(left, right) else '|'} {right}")

    def shrink(self, driver):
        return shrink.shrink(driver, self.differ)


class Corpus:
    """Random programs and what CPython does with them, to be compared with many builds of QAsyncio."""

    def __init__(self, python, seed, count):
        self.version = version_of(python)
        self.drivers = random_drivers(seed, range(count), self.version)
        interpreter = Interpreter(python, str(HERE / "interpreter.py"))
        self.traces = interpreter.traces(self.drivers)
        interpreter.stop()

    def first_difference(self, binary):
        """The number of the first program that differs, or None. A build that hangs is given less patience."""
        interpreter = Interpreter(str(binary), patience=30)
        try:
            for first in range(0, len(self.drivers), BATCH):
                batch = slice(first, first + BATCH)
                traces = interpreter.some_traces(self.drivers[batch])
                for number, (python, qasyncio) in enumerate(zip(self.traces[batch], traces), first):
                    if not compare.equal(python, qasyncio, self.version):
                        return number
            return None
        finally:
            interpreter.stop()


def random_drivers(seed, numbers, version):
    left_out = generate.left_out(version)
    return [generate.program(f"{seed}/{number}", left_out) for number in numbers]


def text_of(program):
    """The program with a line for each step of the driver."""
    return '{"driver": [\n' + ",\n".join("    " + json.dumps(step) for step in program["driver"]) + "\n]}"


def compare_random(comparison, options):
    begin, differences = time.monotonic(), 0
    for first in range(0, options.count, BATCH):
        numbers = range(first, min(first + BATCH, options.count))
        drivers = random_drivers(options.seed, numbers, comparison.version)
        for number, driver, traces in zip(numbers, drivers, comparison.run(drivers)):
            if comparison.equal(traces):
                continue
            differences += 1
            print(f"\nProgram {number} of seed {options.seed} differs. The smallest that still does:\n")
            comparison.show(comparison.shrink(driver))
            if differences == options.limit:
                return differences
        if sys.stderr.isatty():
            print(f"\r{numbers.stop} programs, {differences} differences", end="", file=sys.stderr)
    print(f"\n{options.count} programs of seed {options.seed}, {differences} differences, "
          f"{options.count / (time.monotonic() - begin):.0f} programs/s")
    return differences


def compare_file(comparison, path):
    driver = json.loads(path.read_text())["driver"]
    comparison.show(driver)
    return any(comparison.differ([driver]))


def main():
    parser = argparse.ArgumentParser(prog="scripts/conformance", description=__doc__)
    parser.add_argument("--seed", default="1", help="what the programs are made from (default: 1)")
    parser.add_argument("--count", type=int, default=10000, help="how many (default: 10000)")
    parser.add_argument("--limit", type=int, default=1, help="stop after this many differences (default: 1)")
    parser.add_argument("--python", default=str(REFERENCE), help="a python3 from 3.11 on (default: CPython 3.14, from npm)")
    parser.add_argument("--file", type=pathlib.Path, help="compare one program and show both traces")
    parser.add_argument("--record", type=pathlib.Path, metavar="FILE", help="choose small programs that together show much "
                        "and write them with their traces to FILE (JSON lines)")
    parser.add_argument("--interpreter", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    comparison = Comparison(options.python, options.interpreter)
    if options.record:
        record.record(comparison, options)
        return 0
    different = compare_file(comparison, options.file) if options.file else compare_random(comparison, options)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
