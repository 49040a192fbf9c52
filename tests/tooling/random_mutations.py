#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Does a test fail for random small faults in src/ and include/? (tests/mutations/README.md)

One fault at a time is switched on in a copy of the tree, and the tests that run its line are asked. Prints those that nobody
notices, as diffs, and how many of those that compile were noticed. The same seed and tree give the same faults.
"""
import argparse
import collections
import concurrent.futures
import dataclasses
import itertools
import json
import os
import pathlib
import random
import re
import resource
import signal
import subprocess
import sys
import threading
import time

from mutants import schemata
from mutants.copies import ROOT, FaultyCopy, SanitizedBuild
from mutants.coverage import FOLDERS, CoverageMap, Reach, tests_of
from mutants.cpp import Source
from mutants.faults import Faults
from mutants.schemata import Schemata, write
from refusals import wrong_refusals

EQUIVALENT = ROOT / "tests/mutations/equivalent.txt"
SHORTEST_LIMIT = 10     # seconds
LIMIT_FACTOR = 6        # of the time that a test takes with the tree as it is
MEMORY = 16 << 30       # for a test: a fault may fill a queue without an end
PROGRAMS_ALONE = 15
PROGRAMS_FOR_UNSEEN = 3
SANITIZED_FACTOR = 4    # of the limits: how much slower tests are with AddressSanitizer
ATTEMPTS = 3            # a test that measures time may fail by chance; once is no proof


@dataclasses.dataclass
class Result:
    verdict: str        # killed, SURVIVED, EQUIVALENT, invalid (does not compile)
    details: str = ""


def read_equivalents():
    """{(file, function, before, after)}: faults of which equivalent.txt says why nobody can notice them."""
    known = set()
    for entry in re.split(r"\n\s*\n", EQUIVALENT.read_text() if EQUIVALENT.exists() else ""):
        fields = re.findall(r"^(File|Function|Before|After|Reason): *(.*)$", entry, re.MULTILINE)
        if not fields:
            continue
        one = dict(fields)
        if len(one) != 5 or not one["Reason"] or any(name != "After" and value != one[name] for name, value in fields):
            sys.exit(f"{EQUIVALENT.relative_to(ROOT)}: an entry has File, Function, Before, Reason, and After once or more:\n{entry}")
        known.update((one["File"], one["Function"], one["Before"], value) for name, value in fields if name == "After")
    return known


class Candidates:
    """All faults that can be put into some paths."""

    def __init__(self, paths, reach):
        self.sources, faults = {}, []
        for path in sorted(reach):
            if any(pathlib.PurePath(path).is_relative_to(wanted) for wanted in paths):
                self.sources[path] = Source(path, (ROOT / path).read_text())
                faults += [f for f in Faults(self.sources[path]) if f.line in reach[path]]
        self.faults = list(dict.fromkeys(faults))

    def in_random_order(self, seed):
        shuffled = self.faults[:]
        random.Random(seed).shuffle(shuffled)
        return shuffled

    def lines(self, fault):
        """(before, after)"""
        return fault.lines(self.sources[fault.path].text)


class Tests:
    """The tests of the tree as it is: how to run them, and how long they take."""

    def __init__(self, copy, jobs):
        self.properties = tests_of(copy.build_folder)
        self.jobs = jobs
        self.times = {}
        self.serial_lock = threading.Lock()
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            results = list(pool.map(lambda name: self.run(name, copy, limit=600), self.properties))
        failed = [name for name, passed in zip(self.properties, results) if not passed]
        failed = [name for name in failed if not self.run(name, copy, limit=600)]
        if failed:
            sys.exit(f"random-mutations: the tree fails as it is: {', '.join(failed)}")

    def run(self, name, copy, program=None, number=0, limit=None):
        """Does it pass? With the fault of that number, if the copy has it."""
        command = [str(copy.build_folder / "tests" / name) if part.endswith(f"/tests/{name}") else
                   re.sub(r"^.*/results/", f"{copy.build_folder}/results/", part) for part in self.properties[name]["command"]]
        if program:
            command[0] = str(program)
        sanitized = bool(copy.test_environment)
        limit = limit or max(SHORTEST_LIMIT, LIMIT_FACTOR * self.times[name]) * (SANITIZED_FACTOR if sanitized else 1)
        memory = resource.RLIM_INFINITY if sanitized else MEMORY   # the sanitizer maps more than there is
        environment = os.environ | copy.test_environment | {schemata.VARIABLE: str(number)}
        started = time.monotonic()
        with open(os.devnull, "r+b") as nothing, subprocess.Popen(
                command, cwd=copy.build_folder / "tests", env=environment, stdin=nothing, stdout=nothing,
                stderr=nothing, start_new_session=True,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory))) as process:
            try:
                status = process.wait(limit)
            except subprocess.TimeoutExpired:
                status = None
            try:
                os.killpg(process.pid, signal.SIGKILL)      # and processes that it has started
            except ProcessLookupError:
                pass
        self.times.setdefault(name, time.monotonic() - started)
        return status == 0

    def notices(self, name, copy, program=None, number=0):
        if copy.test_environment:
            return all(not self.run(name, copy, program, number) for _ in range(2))
        if not self.properties[name].get("RUN_SERIAL"):
            return not self.run(name, copy, program, number)
        with self.serial_lock:
            return all(not self.run(name, copy, program, number) for _ in range(ATTEMPTS))

    def order(self, names, path):
        """Those whose name fits the file come first, then the fast ones; those that measure time are the last."""
        stem = pathlib.PurePath(path).stem.removesuffix("_p").removesuffix("_state")
        return sorted(names, key=lambda name: (bool(self.properties[name].get("RUN_SERIAL")), stem not in name, self.times[name]))


def ask_programs(names, copy, tests, number=0, compiled_anew=()):
    """A result, if one of these tests fails or does not compile; those of `compiled_anew` have the code themselves."""
    for name in names:
        program = None
        if name in compiled_anew:
            built, output, program = copy.build_beside(name)
            if not built:
                return Result("invalid", output)
        if tests.notices(name, copy, program, number):
            return Result("killed", name)
    return None


def judge_alone(fault, reach, copy, tests):
    """Of a fault that does not go together with others. The copy is left as it was, but the library may have the fault still."""
    target = copy.source / fault.path
    text = target.read_text()
    # A fault in a header would build nearly everything anew: a few programs do that have the code themselves.
    beside = tests.order(reach.own, fault.path)[:PROGRAMS_ALONE]
    write(target, fault.apply((ROOT / fault.path).read_text()), quietly=bool(beside))
    try:
        if beside:
            return ask_programs(beside, copy, tests, compiled_anew=beside) or Result("SURVIVED")
        built, output = copy.build(["QAsyncio", "QAsyncioTest"], tests.jobs)
        if not built:
            return Result("invalid", output)
        return ask_programs(tests.order(reach.tests(), fault.path), copy, tests) or Result("SURVIVED")
    finally:
        write(target, text, quietly=bool(beside))


class Trial:
    """Tries faults. Most go together into one build."""

    def __init__(self, candidates, reach, jobs):
        self.candidates, self.reach, self.jobs = candidates, reach, jobs
        self.equivalents = read_equivalents()
        self.results = {}       # {fault: Result}

    def run(self, orders, count):
        """Tries the first `count` that compile of each order; these."""
        wanted = [[fault for fault in order[:count * 5 // 4] if not self._is_equivalent(fault)] for order in orders]
        self.copy = FaultyCopy("schemata")
        self.copy.restore()
        self.schemata = Schemata(self.copy, self.candidates.sources, dict.fromkeys(itertools.chain(*wanted)))
        self.copy.configure_or_exit()
        print(f"building {len(self.schemata.faults)} faults", flush=True)
        self.schemata.build(self.copy, self.jobs)
        self.tests = Tests(self.copy, self.jobs)
        chosen = [self._first_that_compile(order, count) for order in orders]
        built, output = self.copy.build(["all"], self.jobs)     # what was alone in it goes
        if not built:
            sys.exit(output)
        together = [fault for fault in dict.fromkeys(itertools.chain(*chosen)) if fault not in self.results]
        # One more than there are processors: many a mutant hangs until its time is over.
        with concurrent.futures.ThreadPoolExecutor(self.jobs + 1) as pool:
            list(pool.map(self._try_one, together))
        self._ask_sanitizer()
        self._ask_compiler()
        return chosen

    def _is_equivalent(self, fault):
        if (fault.path, fault.function, *self.candidates.lines(fault)) not in self.equivalents:
            return False
        self.results[fault] = Result("EQUIVALENT")
        return True

    def _first_that_compile(self, order, count):
        """And those before the last of them. Tries those that are not in the build."""
        taken, compiled = [], 0
        for fault in order:
            if compiled == count:
                break
            taken.append(fault)
            if self._is_equivalent(fault):
                continue
            if fault in self.schemata.invalid:
                self.results[fault] = Result("invalid")
            elif not self.schemata.number(fault) and fault not in self.results:
                self._note(fault, judge_alone(fault, self._reach_of(fault), self.copy, self.tests))
            compiled += fault not in self.results or self.results[fault].verdict != "invalid"
        return taken

    def _reach_of(self, fault):
        """A map does not see what only the compiler runs, or only g++, and misses the line behind some loops: the tests that run
        the most of the file are asked then."""
        reach = self.reach[fault.path][fault.line]
        if reach.tests():
            return reach
        kind = "own" if fault.path.startswith("include/") else "library"
        counts = collections.Counter(name for line in self.reach[fault.path].values() for name in getattr(line, kind))
        return Reach(**{kind: {name for name, _ in counts.most_common(PROGRAMS_FOR_UNSEEN)}})

    def _try_one(self, fault):
        names = self.tests.order(self._reach_of(fault).tests(), fault.path)
        self._note(fault, ask_programs(names, self.copy, self.tests, self.schemata.number(fault)) or Result("SURVIVED"))

    def _note(self, fault, result):
        self.results[fault] = result
        before, after = self.candidates.lines(fault)
        print(f"{fault.path}:{fault.line}: {result.verdict} {result.details if result.verdict == 'killed' else ''}\n"
              f"    {before}\n    {after}", flush=True)

    def _ask_sanitizer(self):
        """All tests pass under AddressSanitizer, too (scripts/test --asan), which sees what is lost, or used too late."""
        survivors = [fault for fault, result in self.results.items()
                     if result.verdict == "SURVIVED" and self.schemata.number(fault)]
        if not survivors:
            return
        print(f"building for AddressSanitizer: {len(survivors)} survived", flush=True)
        build = SanitizedBuild(self.copy)
        build.configure_or_exit()
        self.schemata.build(build, self.jobs)
        # Not those that measure time, and none that fails without a fault.
        fit = {name for name, properties in self.tests.properties.items()
               if not properties.get("RUN_SERIAL") and not self.tests.notices(name, build)}

        def ask(fault):
            number = self.schemata.number(fault)    # it may be one that clang refuses
            names = self.tests.order(self._reach_of(fault).tests() & fit, fault.path)
            if number and ask_programs(names, build, self.tests, number):
                self._note(fault, Result("killed", "AddressSanitizer"))
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            list(pool.map(ask, survivors))

    def _ask_compiler(self):
        """The lint demands that some programs are refused; no test that runs can see it."""
        survivors = [fault for fault, result in self.results.items()
                     if result.verdict == "SURVIVED" and fault.path.startswith("include/")]
        if not survivors:
            return
        copy = FaultyCopy("refusals")
        copy.restore()
        copy.configure_or_exit()
        commands = json.loads((copy.build_folder / "compile_commands.json").read_text())
        for fault in survivors:
            target, text = copy.source / fault.path, (ROOT / fault.path).read_text()
            target.write_text(fault.apply(text))
            if any(wrong_refusals(commands, copy.source, self.jobs)):
                self._note(fault, Result("killed", "refused.cpp"))
            target.write_text(text)


def report(seed, chosen, trial):
    """How many of 100 were noticed."""
    results = [(fault, trial.results[fault]) for fault in chosen]
    for fault, result in results:
        if result.verdict == "SURVIVED":
            unreached = "" if trial.reach[fault.path][fault.line].tests() else " (no test runs this line)"
            print(f"\nSURVIVED in {fault.function}{unreached}")
            print(fault.diff(trial.candidates.sources[fault.path].text), end="")
    count = collections.Counter(result.verdict for _, result in results)
    counted = count["killed"] + count["SURVIVED"]
    rate = 100 * count["killed"] / counted if counted else 100
    print(f"\nseed {seed}: {count['killed']} of {counted} were noticed ({rate:.0f} of 100); {count['invalid']} did not compile, "
          f"{count['EQUIVALENT']} known to change nothing")
    return rate


def main(options):
    os.environ.update(QTEST_DISABLE_STACK_DUMP="1", QT_QPA_PLATFORM=os.environ.get("QT_QPA_PLATFORM", "offscreen"))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    paths = [pathlib.Path(path).resolve().relative_to(ROOT) for path in options.paths] or list(FOLDERS)
    seeds = options.seed or [str(random.SystemRandom().randrange(10**6))]
    reach = CoverageMap(options.jobs).lines
    candidates = Candidates(paths, reach)
    print(f"seed {', '.join(seeds)}: {len(candidates.faults)} faults to choose from", flush=True)
    trial = Trial(candidates, reach, options.jobs)
    chosen = trial.run([candidates.in_random_order(seed) for seed in seeds], options.count)
    rates = [report(seed, faults, trial) for seed, faults in zip(seeds, chosen)]
    return 0 if min(rates) >= options.rate else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, help="how many that compile")
    parser.add_argument("paths", nargs="*", help="files or folders below src/ and include/ (default: all)")
    parser.add_argument("--seed", action="append", help="may be given several times: they share the build (default: a new one)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rate", type=float, default=95, help="of 100 that have to be noticed (default: 95)")
    sys.exit(main(parser.parse_intermixed_args()))
