#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Does a test fail for random small faults in src/ and include/? (tests/mutations/README.md)

Faults are put one at a time into copies of the tree, and the tests that run the line are asked. Prints those that nobody
notices, as diffs, and how many of those that compile were noticed. The same seed and tree give the same faults.
"""
import argparse
import concurrent.futures
import dataclasses
import itertools
import os
import pathlib
import queue
import random
import re
import resource
import signal
import subprocess
import sys
import threading
import time

from mutants.copies import ROOT, Copy
from mutants.coverage import FOLDERS, CoverageMap, tests_of
from mutants.cpp import Source
from mutants.faults import Faults

EQUIVALENT = ROOT / "tests/mutations/equivalent.txt"
SHORTEST_LIMIT = 15     # seconds
LIMIT_FACTOR = 6        # of the time that a test takes with the tree as it is
MEMORY = 16 << 30       # for a test: a fault may fill a queue without an end
PROGRAMS_FIRST = 2
ATTEMPTS = 3            # a test that measures time may fail by chance; once is no proof


@dataclasses.dataclass
class Result:
    verdict: str        # killed, SURVIVED, UNREACHED, EQUIVALENT, invalid (does not compile)
    details: str = ""


def read_equivalents():
    """{(file, function, before, after)}: faults of which equivalent.txt says why nobody can notice them."""
    known = set()
    for entry in re.split(r"\n\s*\n", EQUIVALENT.read_text() if EQUIVALENT.exists() else ""):
        fields = dict(re.findall(r"^(File|Function|Before|After|Reason): *(.*)$", entry, re.MULTILINE))
        if not fields:
            continue
        if len(fields) != 5 or not fields["Reason"]:
            sys.exit(f"{EQUIVALENT.relative_to(ROOT)}: an entry has File, Function, Before, After and Reason:\n{entry}")
        known.add((fields["File"], fields["Function"], fields["Before"], fields["After"]))
    return known


class Candidates:
    """All faults that can be put into some paths, in a random order."""

    def __init__(self, paths, reach, seed):
        self.texts = {}
        faults = []
        for path in sorted(reach):
            if any(pathlib.PurePath(path).is_relative_to(wanted) for wanted in paths):
                self.texts[path] = (ROOT / path).read_text()
                faults += [f for f in Faults(Source(path, self.texts[path])) if f.line in reach[path]]
        random.Random(seed).shuffle(faults)
        self.faults = list(dict.fromkeys(faults))


class Tests:
    """The tests of the tree as it is: how to run them, and how long they take."""

    def __init__(self, copy, jobs):
        self.properties = tests_of(copy.build_folder)
        self.times = {}
        self.serial_lock = threading.Lock()
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            results = list(pool.map(lambda name: self.run(name, copy, limit=600), self.properties))
        failed = [name for name, passed in zip(self.properties, results) if not passed]
        failed = [name for name in failed if not self.run(name, copy, limit=600)]
        if failed:
            sys.exit(f"random-mutations: the tree fails as it is: {', '.join(failed)}")

    def run(self, name, copy, program=None, limit=None):
        """Does it pass?"""
        command = [str(copy.build_folder / "tests" / name) if part.endswith(f"/tests/{name}") else
                   re.sub(r"^.*/results/", f"{copy.build_folder}/results/", part) for part in self.properties[name]["command"]]
        if program:
            command[0] = str(program)
        started = time.monotonic()
        with open(os.devnull, "r+b") as nothing, subprocess.Popen(
                command, cwd=copy.build_folder / "tests", stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))) as process:
            try:
                status = process.wait(limit or max(SHORTEST_LIMIT, LIMIT_FACTOR * self.times[name]))
            except subprocess.TimeoutExpired:
                status = None
            try:
                os.killpg(process.pid, signal.SIGKILL)      # and processes that it has started
            except ProcessLookupError:
                pass
        self.times.setdefault(name, time.monotonic() - started)
        return status == 0

    def notices(self, name, copy, program):
        if not self.properties[name].get("RUN_SERIAL"):
            return not self.run(name, copy, program)
        with self.serial_lock:
            return all(not self.run(name, copy, program) for _ in range(ATTEMPTS))

    def order(self, names, path):
        """Those whose name fits the file come first, then the fast ones; those that measure time are the last."""
        stem = pathlib.PurePath(path).stem.removesuffix("_p").removesuffix("_state")
        return sorted(names, key=lambda name: (bool(self.properties[name].get("RUN_SERIAL")), stem not in name, self.times[name]))


def judge(fault, reach, copy, tests):
    """The copy is left as the tree is, but what was built from the fault is still there."""
    target = copy.source / fault.path
    text = target.read_text()
    target.write_text(fault.apply(text))
    try:
        # A fault in a header would build most of the library anew: first a few programs that have the code themselves.
        for name in tests.order(reach.own, fault.path)[:PROGRAMS_FIRST if reach.library else 0]:
            built, output, program = copy.build_beside(name)
            if not built:
                return Result("invalid", output)
            if tests.notices(name, copy, program):
                return Result("killed", name)
        if reach.library or not reach.tests():      # what does not compile is no fault, reached or not
            built, output = copy.build(["QAsyncio", "QAsyncioTest"])
            if not built:
                return Result("invalid", output)
        if not reach.tests():
            return Result("UNREACHED", "no test runs this line")
        for name in tests.order(reach.tests(), fault.path):
            program = None
            if name in reach.own:
                built, output, program = copy.build_beside(name)
                if not built:
                    return Result("invalid", output)
            if tests.notices(name, copy, program):
                return Result("killed", name)
        return Result("SURVIVED")
    finally:
        target.write_text(text)


class Trial:
    """Tries the faults in their order until enough of them compile."""

    def __init__(self, candidates, reach, equivalents, pool_of_copies, tests):
        self.candidates, self.reach, self.equivalents, self.tests = candidates, reach, equivalents, tests
        self.free = queue.SimpleQueue()
        for copy in pool_of_copies:
            self.free.put(copy)
        self.threads = len(pool_of_copies)

    def run(self, count):
        """[(fault, result)] of the first `count` that compile, in their order."""
        done, running, counted = {}, {}, 0
        upcoming = enumerate(self.candidates.faults)
        with concurrent.futures.ThreadPoolExecutor(self.threads) as pool:
            while True:
                # Never more at once than are still wanted: so the same ones are tried, whichever is the fastest.
                room = min(self.threads, count - counted) - len(running)
                for number, fault in itertools.islice(upcoming, max(room, 0)):
                    running[pool.submit(self._try_one, fault)] = (number, fault)
                if not running:
                    break
                finished, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in finished:
                    number, fault = running.pop(future)
                    done[number] = (fault, future.result())
                    counted += done[number][1].verdict in ("killed", "SURVIVED", "UNREACHED")
        return [done[number] for number in sorted(done)]

    def _try_one(self, fault):
        text = self.candidates.texts[fault.path]
        reach = self.reach[fault.path][fault.line]
        started = time.monotonic()
        if (fault.path, fault.function, *fault.lines(text)) in self.equivalents:
            result = Result("EQUIVALENT")
        else:
            copy = self.free.get()
            result = judge(fault, reach, copy, self.tests)
            self.free.put(copy)
        before, after = fault.lines(text)
        print(f"{fault.path}:{fault.line}: {result.verdict} ({time.monotonic() - started:.0f} s) "
              f"{result.details if result.verdict == 'killed' else ''}\n    {before}\n    {after}", flush=True)
        return result


def prepare(number_of_copies, jobs):
    made = [Copy(number) for number in range(number_of_copies)]
    for copy in made:
        copy.restore()
        done, output = copy.configure()
        if done:
            done, output = copy.build(["all"], jobs)
        if not done:
            sys.exit("\n".join(output.splitlines()[-40:]) + "\nrandom-mutations: the tree does not build")
    return made


def report(results, texts, seed):
    counted = [r for _, r in results if r.verdict in ("killed", "SURVIVED", "UNREACHED")]
    killed = sum(r.verdict == "killed" for r in counted)
    for fault, result in results:
        if result.verdict in ("SURVIVED", "UNREACHED"):
            print(f"\n{result.verdict} in {fault.function}" + (f": {result.details}" if result.details else ""))
            print(fault.diff(texts[fault.path]), end="")
    others = ", ".join(f"{sum(r.verdict == word for _, r in results)} {text}"
                       for word, text in (("invalid", "did not compile"), ("EQUIVALENT", "known to change nothing")))
    rate = 100 * killed / len(counted) if counted else 100
    print(f"\nseed {seed}: {killed} of {len(counted)} were noticed ({rate:.0f} of 100); {others}")
    return rate


def main(options):
    os.environ.update(QTEST_DISABLE_STACK_DUMP="1", QT_QPA_PLATFORM=os.environ.get("QT_QPA_PLATFORM", "offscreen"))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    paths = [pathlib.Path(path).resolve().relative_to(ROOT) for path in options.paths] or list(FOLDERS)
    reach = CoverageMap(options.jobs).lines
    candidates = Candidates(paths, reach, options.seed)
    print(f"seed {options.seed}: {len(candidates.faults)} faults to choose from", flush=True)
    # One more than there are processors: many a mutant hangs until its time is over.
    made = prepare(options.jobs + 1, options.jobs)
    tests = Tests(made[0], options.jobs)
    trial = Trial(candidates, reach, read_equivalents(), made, tests)
    results = trial.run(options.count)
    return 0 if report(results, candidates.texts, options.seed) >= options.rate else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, help="how many that compile")
    parser.add_argument("paths", nargs="*", help="files or folders below src/ and include/ (default: all)")
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(10**6)), help="default: a new one")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rate", type=float, default=95, help="of 100 that have to be noticed (default: 95)")
    sys.exit(main(parser.parse_intermixed_args()))
