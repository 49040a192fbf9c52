#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Does a test fail for each of the faults in tests/mutations? Do random programs find them? (tests/mutations/README.md)

Works on copies of the tree in build/mutants. A mutant is killed if its tests build and one of them fails or hangs; with
--programs, if one of that many random programs does something else on it than on CPython.
"""
import argparse
import concurrent.futures
import os
import queue
import re
import sys
import time

from mutants import replacements
from mutants.copies import ROOT, Copy

MUTATIONS = ROOT / "tests/mutations"


class Mutation:
    def __init__(self, path):
        self.path = path
        self.name = path.stem
        self.text = path.read_text()
        header = re.split(r"^(?:diff --git|--- |File:)", self.text, maxsplit=1, flags=re.MULTILINE)[0]
        fields = dict(re.findall(r"^(Tests|Unseen): *(.*)$", header, re.MULTILINE))
        self.tests = fields.get("Tests", "").replace(",", " ").split()
        self.unseen = fields.get("Unseen")    # why no random program can see it
        self.what = " ".join(re.sub(r"^(Tests|Unseen):.*$", "", header, flags=re.MULTILINE).split())


class Tests:
    """The tests that a mutation names, or else all, notice it."""

    @staticmethod
    def of_all(mutations):
        return sorted({name for m in mutations for name in m.tests}) if all(m.tests for m in mutations) else []

    @staticmethod
    def targets(tests):
        return tests or ["all"]

    @staticmethod
    def ask(copy, tests):
        """(all pass, what happened)"""
        chosen = ["-R", f"^({'|'.join(tests)})$"] if tests else []
        return copy.run("ctest", "--test-dir", copy.build_folder, "-j", options.jobs, "--output-on-failure", "--stop-on-failure",
                        "--no-tests=error", *chosen)

    @staticmethod
    def summary(output):
        """The test functions that failed, or else the programs: what is worth a line."""
        functions = re.findall(r"^(?:FAIL!|QFATAL)\s*: (\w+::\w+)", output, re.MULTILINE)
        programs = re.findall(r"Test +#\d+: (\w+) \.*\** *(?:\*\*\*)?(?:Failed|Timeout|Exception|Subprocess)", output)
        return ", ".join(dict.fromkeys(functions or programs)) or "a test"


class Programs:
    """Random programs notice it, by a difference from what CPython did with them."""

    def __init__(self):
        sys.path.insert(0, str(ROOT / "tests/conformance"))
        import conformance      # pylint: disable=import-outside-toplevel
        self.corpus = conformance.Corpus(options.python or str(conformance.REFERENCE), options.seed, options.programs)

    @staticmethod
    def of_all(_):
        return []

    @staticmethod
    def targets(_):
        return ["conformance_interpreter"]

    def ask(self, copy, _):
        number = self.corpus.first_difference(copy.build_folder / "tests/conformance/conformance_interpreter")
        return number is None, number

    @staticmethod
    def summary(number):
        return f"program {number} of seed {options.seed}"


def judge(mutation, witness, copy):
    """(verdict, details) of one mutation; the copy is left changed."""
    try:
        replacements.apply(replacements.parse(mutation.text), copy.source)
    except replacements.NotApplicable as error:
        return "ERROR", f"it does not apply: {error}"
    built, output = copy.build(witness.targets(mutation.tests))
    if not built:
        return "ERROR", "it does not compile\n" + "\n".join(output.splitlines()[-20:])
    passed, output = witness.ask(copy, mutation.tests)
    return ("SURVIVED", mutation.what) if passed else ("killed", "by " + witness.summary(output))


def prepare(copies, mutations, witness):
    """Copies, configures and builds the tree as it is; it has to be good, else every mutant would look killed."""
    tests = witness.of_all(mutations)
    for copy in copies:
        copy.restore()
        done, output = copy.configure()
        if done:
            done, output = copy.build(witness.targets(tests), options.jobs)
        if done and copy is copies[0]:
            done, output = witness.ask(copy, tests)
        if not done:
            sys.exit("\n".join(str(output).splitlines()[-40:]) + "\nmutations: the tree fails as it is")


def check(mutations):
    """Do the lines that each replaces stand in the tree? 0 or 1."""
    failed = 0
    for mutation in mutations:
        texts = {}
        try:
            for replacement in replacements.parse(mutation.text):
                path = ROOT / replacement.path
                if not path.exists():
                    raise replacements.NotApplicable(f"there is no {replacement.path}")
                texts[path] = replacement.apply(texts.get(path) or path.read_text())
        except replacements.NotApplicable as error:
            failed = 1
            print(f"{mutation.name}: {error}")
    return failed


def main():
    os.environ["QTEST_DISABLE_STACK_DUMP"] = "1"  # a crashed mutant is killed; its stack interests nobody
    mutations = [Mutation(path) for path in sorted(MUTATIONS.glob("*.patch"))]
    if options.names:
        unknown = [n for n in options.names if not any(n.removesuffix(".patch") in m.name for m in mutations)]
        if unknown:
            return f"mutations: there is no {', '.join(unknown)}"
        mutations = [m for m in mutations if any(n.removesuffix(".patch") in m.name for n in options.names)]
    if not mutations:
        print("mutations: there are none")
        return 0
    if options.check:
        return check(mutations)

    if options.programs and not options.names:
        for mutation in [m for m in mutations if m.unseen]:
            print(f"{mutation.name}: not tried: {mutation.unseen}")
        mutations = [m for m in mutations if not m.unseen]
    witness = Programs() if options.programs else Tests()
    # One more than there are processors: many a mutant hangs until its time is over.
    copies = [Copy(number) for number in range(min(options.jobs + 1, len(mutations)))]
    prepare(copies, mutations, witness)
    free = queue.SimpleQueue()
    for copy in copies:
        free.put(copy)

    def try_one(mutation):
        copy, started = free.get(), time.monotonic()
        verdict, details = judge(mutation, witness, copy)
        copy.restore()
        free.put(copy)
        print(f"{mutation.name}: {verdict} ({time.monotonic() - started:.0f} s) {details}", flush=True)
        return verdict

    with concurrent.futures.ThreadPoolExecutor(len(copies)) as pool:
        verdicts = list(pool.map(try_one, mutations))
    errors = verdicts.count("ERROR")
    print(f"{verdicts.count('killed')} killed, {verdicts.count('SURVIVED')} survived"
          + (f", {errors} could not be tried" if errors else ""))
    return 0 if verdicts.count("killed") == len(verdicts) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="a part of the name; without any, all are tried")
    parser.add_argument("--check", action="store_true", help="only: can all be put into the tree?")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--programs", type=int, default=0, metavar="N", help="N random programs instead of the tests")
    parser.add_argument("--seed", default="1", help="what these are made from (default: 1)")
    parser.add_argument("--python", help="the CPython to compare with (default: 3.14, from npm)")
    options = parser.parse_args()
    sys.exit(main())
