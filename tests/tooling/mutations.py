#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Does a test fail for each of the faults in tests/mutations? Do random programs find them? (tests/mutations/README.md)

Works on a copy of the tree in build/mutants. A mutant is killed if its tests build and one of them fails or hangs; with
--programs, if one of that many random programs does something else on it than on CPython.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MUTATIONS = ROOT / "tests/mutations"
WORK = ROOT / "build/mutants"
SOURCE = WORK / "src"
BUILD = WORK / "build"
TIMEOUT = 30    # seconds for one test program; the longest that a good one takes is far below


def run(*command):
    """(succeeded, output) of a command run in the copy."""
    # The copy lies inside the repository but is no part of it: git apply must not look for one above.
    environment = dict(os.environ, GIT_CEILING_DIRECTORIES=str(WORK))
    done = subprocess.run([str(part) for part in command], cwd=SOURCE, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    return done.returncode == 0, done.stdout


def copy_tree():
    """Makes the copy equal to the tree. What is equal already is not touched: it is not to be built again."""
    listing = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                             capture_output=True, text=True, check=True).stdout
    wanted = {name for name in listing.split("\0") if name and (ROOT / name).is_file()}
    for old in [p for p in SOURCE.rglob("*") if p.is_file()]:
        if str(old.relative_to(SOURCE)) not in wanted:
            old.unlink()
    for name in wanted:
        source, target = ROOT / name, SOURCE / name
        if not target.exists() or target.read_bytes() != source.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


class Mutation:
    def __init__(self, path):
        self.path = path
        self.name = path.stem
        header = re.split(r"^(?:diff --git|--- )", path.read_text(), maxsplit=1, flags=re.MULTILINE)[0]
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
    def build(tests):
        return run("cmake", "--build", BUILD, "-j", options.jobs, "--target", *(tests or ["all"]))

    @staticmethod
    def run(tests):
        """(all pass, what happened)"""
        chosen = ["-R", f"^({'|'.join(tests)})$"] if tests else []
        return run("ctest", "--test-dir", BUILD, "-j", options.jobs, "--output-on-failure", "--stop-on-failure",
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
    def build(_):
        return Tests.build(["conformance_interpreter"])

    def run(self, _):
        number = self.corpus.first_difference(BUILD / "tests/conformance/conformance_interpreter")
        return number is None, number

    @staticmethod
    def summary(number):
        return f"program {number} of seed {options.seed}"


def judge(mutation, witness):
    """(verdict, details) of one mutation; the copy is left changed."""
    applied, output = run("git", "apply", "-p1", mutation.path)
    if not applied:
        return "ERROR", "the patch does not apply\n" + output
    built, output = witness.build(mutation.tests)
    if not built:
        return "ERROR", "it does not compile\n" + "\n".join(output.splitlines()[-20:])
    passed, output = witness.run(mutation.tests)
    return ("SURVIVED", mutation.what) if passed else ("killed", "by " + witness.summary(output))


def prepare(mutations, witness):
    """Copies, configures and builds the tree as it is; it has to be good, else every mutant would look killed."""
    SOURCE.mkdir(parents=True, exist_ok=True)
    copy_tree()
    tests = witness.of_all(mutations)
    done, output = run(
        "cmake", "-S", SOURCE, "-B", BUILD, "-G", "Ninja", "-DCMAKE_CXX_COMPILER=g++", "-DCMAKE_BUILD_TYPE=Debug",
        "-DCMAKE_CXX_FLAGS_DEBUG=-O0", "-DQASYNCIO_BUILD_DEMO=OFF", "-DQASYNCIO_BUILD_BENCH=OFF",
        "-DQASYNCIO_WERROR=OFF", "-DQASYNCIO_COMPILER_PROBE=OFF", f"-DQASYNCIO_TEST_TIMEOUT={TIMEOUT}")
    if done:
        done, output = witness.build(tests)
    if done:
        done, output = witness.run(tests)
    if not done:
        sys.exit("\n".join(str(output).splitlines()[-40:]) + "\nmutations: the tree fails as it is")


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

    if options.programs and not options.names:
        for mutation in [m for m in mutations if m.unseen]:
            print(f"{mutation.name}: not tried: {mutation.unseen}")
        mutations = [m for m in mutations if not m.unseen]
    witness = Programs() if options.programs else Tests()
    prepare(mutations, witness)
    verdicts = []
    for mutation in mutations:
        started = time.monotonic()
        verdict, details = judge(mutation, witness)
        copy_tree()
        verdicts.append(verdict)
        print(f"{mutation.name}: {verdict} ({time.monotonic() - started:.0f} s) {details}", flush=True)
    errors = verdicts.count("ERROR")
    print(f"{verdicts.count('killed')} killed, {verdicts.count('SURVIVED')} survived"
          + (f", {errors} could not be tried" if errors else ""))
    return 0 if verdicts.count("killed") == len(verdicts) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="a part of the name; without any, all are tried")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--programs", type=int, default=0, metavar="N", help="N random programs instead of the tests")
    parser.add_argument("--seed", default="1", help="what these are made from (default: 1)")
    parser.add_argument("--python", help="the CPython to compare with (default: 3.14, from npm)")
    options = parser.parse_args()
    sys.exit(main())
