#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Looks for await expressions that g++ 12.2 miscompiles (cmake/gcc12_coroutines.query, docs/compilers.md).

Reads every source file that the build compiles, and the project's headers with it. Before that it looks at a probe
file whose findings are known, so that a query that finds nothing any more is noticed. What was clean stays clean until
the file, a header or the query changes: the build folder remembers. What files of one kind include is parsed once.

And does the compiler refuse what it has to (refused.cpp)?
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

from refusals import REFUSED, compiler_of, wrong_refusals

ROOT = pathlib.Path(__file__).resolve().parents[2]
QUERY = ROOT / "cmake/gcc12_coroutines.query"
PROBE = ROOT / "tests/tooling/gcc12_forms.cpp"
TOOL = "clang-query-19"
CLANG = "clang++-19"
FOLDERS = ("src", "qml", "demo", "tests", "bench")
FINDING = re.compile(r'^(.+?):(\d+):\d+: note: "(\w+)" binds here')


def findings(query, source, arguments):
    """Set of (file, line, family) found in one source file and the project's headers that it includes."""
    run = subprocess.run([TOOL, "-f", str(query), str(source), "--", *arguments], capture_output=True, text=True)
    errors = [line for line in (run.stdout + run.stderr).splitlines()
              if re.search(r"(^|: )(fatal )?error: |^\d+:\d+: |Error while", line)]
    if run.returncode or errors:
        raise RuntimeError(f"{TOOL} fails on {source}:\n" + ("\n".join(errors) or run.stdout + run.stderr))
    found = (FINDING.match(line) for line in run.stdout.splitlines())
    return {(pathlib.Path(m[1]).resolve(), int(m[2]), m[3]) for m in found if m and m[3] != "function"}


def check_probe(query):
    """The probe's announced findings against the real ones."""
    announced = {(PROBE, number, family)
                 for number, line in enumerate(PROBE.read_text().splitlines(), 1)
                 for family in re.findall(r"// lint: (\w+)", line)}
    found = findings(query, PROBE, ["-std=c++20"])
    for _, line, family in sorted(announced - found):
        print(f"{PROBE.relative_to(ROOT)}:{line}: the lint does not find '{family}'")
    for _, line, family in sorted(found - announced):
        print(f"{PROBE.relative_to(ROOT)}:{line}: the lint finds '{family}' where nothing is wrong")
    return announced == found


class Arguments:
    """clang's arguments for each source file. Where several have the same, with a precompiled header."""

    def __init__(self, commands, folder):
        self.folder = folder
        self.of = {}
        for command in commands:
            options = compiler_of(command)[1:]
            # -w: this is g++'s command line, clang may warn where g++ does not.
            own = [option for option in options if not option.endswith("_autogen/include")] + ["-w"]
            generated = [option for option in options if option.endswith("_autogen/include")]
            self.of[pathlib.Path(command["file"]).resolve()] = (tuple(own), generated)

    def precompile(self, sources, jobs):
        count = collections.Counter(self.of[source][0] for source in sources)
        groups = {shared: self.folder / f"lint_{number}.pch"
                  for number, (shared, files) in enumerate(count.most_common()) if files > 3}
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            list(pool.map(self.precompile_one, groups, groups.values()))
        for source in sources:
            shared, generated = self.of[source]
            if shared in groups:
                self.of[source] = (shared, [*generated, "-include-pch", str(groups[shared])])

    @staticmethod
    def precompile_one(shared, target):
        header = ROOT / ("tests/task_helpers.h" if "-DQT_TESTLIB_LIB" in shared else "include/qasyncio.h")
        run = subprocess.run([CLANG, *shared, "-x", "c++-header", str(header), "-o", str(target)], capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(f"{CLANG} fails on {header}:\n{run.stderr}")

    def __getitem__(self, source):
        shared, rest = self.of[source]
        return [*shared, *rest]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build folder with compile_commands.json")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--without-tests", action="store_true", help="look at no file below tests/")
    options = parser.parse_args()

    query = options.build / "gcc12_coroutines.query"
    query.write_text(QUERY.read_text().replace("@ROOT@", re.escape(str(ROOT)).replace("\\", "\\\\")))
    if not check_probe(query):
        return "the lint's own check failed"

    commands = json.loads((options.build / "compile_commands.json").read_text())
    sources = sorted({pathlib.Path(c["file"]).resolve() for c in commands})
    folders = [f for f in FOLDERS if f != "tests" or not options.without_tests]
    sources = [s for s in sources if s.is_relative_to(ROOT) and s.relative_to(ROOT).parts[0] in folders]

    common = hashlib.sha256(query.read_bytes())
    for header in sorted(p for folder in ("include", *FOLDERS) for p in (ROOT / folder).rglob("*.h")):
        common.update(str(header).encode() + header.read_bytes())
    clean_file = options.build / "lint_clean.json"
    remembered = set(json.loads(clean_file.read_text())) if clean_file.exists() else set()

    refused = hashlib.sha256(common.digest() + (ROOT / REFUSED).read_bytes()).hexdigest()
    if refused not in remembered and (wrong := list(wrong_refusals(commands, ROOT, options.jobs))):
        print(*wrong, sep="\n")
        return "the library does not refuse what it should"

    keys = {s: hashlib.sha256(common.digest() + str(s).encode() + s.read_bytes()).hexdigest() for s in sources}
    fresh = [source for source in sources if keys[source] not in remembered]
    arguments = Arguments(commands, options.build)
    arguments.precompile(fresh, options.jobs)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = dict(zip(fresh, pool.map(lambda source: findings(query, source, arguments[source]), fresh)))
    found = set().union(*results.values())
    clean = {keys[source] for source in sources if not results.get(source)}
    clean_file.write_text(json.dumps(sorted((remembered if options.without_tests else set()) | clean | {refused})))
    for file, line, family in sorted(found):
        print(f"{file.relative_to(ROOT)}:{line}: g++ 12.2 miscompiles this: {family} (docs/compilers.md)")
    print(f"lint: {len(sources)} files, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        sys.exit(str(error))
