#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Does a test fail for each of the faults in tests/mutations? (tests/mutations/README.md)

Works on a copy of the tree in build/mutants. A mutant is killed if its tests build and one of them fails or hangs.
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
        named = re.search(r"^Tests:(.*)$", header, re.MULTILINE)
        self.tests = named[1].replace(",", " ").split() if named else []
        self.what = " ".join(re.sub(r"^Tests:.*$", "", header, flags=re.MULTILINE).split())


def build(tests):
    return run("cmake", "--build", BUILD, "-j", options.jobs, "--target", *(tests or ["all"]))


def test(tests):
    chosen = ["-R", f"^({'|'.join(tests)})$"] if tests else []
    return run("ctest", "--test-dir", BUILD, "-j", options.jobs, "--output-on-failure", "--stop-on-failure",
               "--no-tests=error", *chosen)


def failed_tests(output):
    """The test functions that failed, or else the programs: what is worth a line."""
    functions = re.findall(r"^(?:FAIL!|QFATAL)\s*: (\w+::\w+)", output, re.MULTILINE)
    programs = re.findall(r"Test +#\d+: (\w+) \.*\** *(?:\*\*\*)?(?:Failed|Timeout|Exception|Subprocess)", output)
    return ", ".join(dict.fromkeys(functions or programs)) or "a test"


def judge(mutation):
    """(verdict, details) of one mutation; the copy is left changed."""
    applied, output = run("git", "apply", "-p1", mutation.path)
    if not applied:
        return "ERROR", "the patch does not apply\n" + output
    built, output = build(mutation.tests)
    if not built:
        return "ERROR", "it does not compile\n" + "\n".join(output.splitlines()[-20:])
    passed, output = test(mutation.tests)
    return ("SURVIVED", mutation.what) if passed else ("killed", "by " + failed_tests(output))


def prepare(mutations):
    """Copies, configures and builds the tree as it is; its tests have to pass, else every mutant would look killed."""
    SOURCE.mkdir(parents=True, exist_ok=True)
    copy_tree()
    tests = []
    if all(m.tests for m in mutations):
        tests = sorted({name for m in mutations for name in m.tests})
    done, output = run(
        "cmake", "-S", SOURCE, "-B", BUILD, "-G", "Ninja", "-DCMAKE_CXX_COMPILER=g++", "-DCMAKE_BUILD_TYPE=Debug",
        "-DCMAKE_CXX_FLAGS_DEBUG=-O0", "-DQASYNCIO_BUILD_DEMO=OFF", "-DQASYNCIO_BUILD_BENCH=OFF",
        "-DQASYNCIO_WERROR=OFF", "-DQASYNCIO_COMPILER_PROBE=OFF", f"-DQASYNCIO_TEST_TIMEOUT={TIMEOUT}")
    if done:
        done, output = build(tests)
    if done:
        done, output = test(tests)
    if not done:
        sys.exit("\n".join(output.splitlines()[-40:]) + "\nmutations: the tree fails as it is")


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

    prepare(mutations)
    verdicts = []
    for mutation in mutations:
        started = time.monotonic()
        verdict, details = judge(mutation)
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
    options = parser.parse_args()
    sys.exit(main())
