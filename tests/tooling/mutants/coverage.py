# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Which test runs which line? Asks clang's coverage, once for each state of the tree; build/coverage keeps the answer."""
import collections
import concurrent.futures
import dataclasses
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess

from .copies import ROOT

BUILD = ROOT / "build/coverage"
MAP = BUILD / "lines.json"
FOLDERS = ("src", "include")
LIBRARIES = ("src/libqasyncio.so", "src/libqasyncio_test.so")
# Counters that live in the file itself: they survive a process that is killed, or that leaves by _exit().
FLAGS = "-fprofile-instr-generate -fcoverage-mapping -mllvm -runtime-counter-relocation -Wno-unused-command-line-argument"


@dataclasses.dataclass
class Reach:
    """The tests that run a line: in the library, and in their own program (templates, inline functions)."""
    library: set = dataclasses.field(default_factory=set)
    own: set = dataclasses.field(default_factory=set)

    def tests(self):
        return self.library | self.own


def tests_of(build_folder):
    """{name: properties} of the Qt Test programs of a build, from ctest."""
    listing = json.loads(subprocess.run(["ctest", "--test-dir", str(build_folder), "--show-only=json-v1"], capture_output=True,
                                        text=True, check=True).stdout)
    tests = {}
    for test in listing["tests"]:
        if test["name"].startswith("tst_") and "command" in test:
            tests[test["name"]] = {"command": test["command"], **{p["name"]: p["value"] for p in test["properties"]}}
    return tests


class CoverageMap:
    """{path: {line: Reach}} of every line that is code, run or not."""

    def __init__(self, jobs):
        self.jobs = jobs
        state = self._state_of_tree()
        kept = json.loads(MAP.read_text()) if MAP.exists() else {}
        if kept.get("state") != state:
            kept = {"state": state, "lines": self._measure()}
            MAP.write_text(json.dumps(kept))
        self.lines = {path: {int(number): Reach(set(reach["library"]), set(reach["own"])) for number, reach in lines.items()}
                      for path, lines in kept["lines"].items()}

    @staticmethod
    def _state_of_tree():
        state = hashlib.sha256()
        for folder in (*FOLDERS, "tests"):
            for path in sorted((ROOT / folder).rglob("*")):
                if path.suffix in (".cpp", ".h", ".txt"):
                    state.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
        return state.hexdigest()

    def _measure(self):
        print("coverage: building", flush=True)
        self._call("cmake", "-S", ROOT, "-B", BUILD, "-G", "Ninja", "-DCMAKE_CXX_COMPILER=clang++-19", "-DCMAKE_BUILD_TYPE=Debug",
                   "-DCMAKE_CXX_FLAGS_DEBUG=-O0", f"-DCMAKE_CXX_FLAGS={FLAGS}", "-DQASYNCIO_BUILD_DEMO=OFF",
                   "-DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON",    # the compiler maps no line of one
                   "-DQASYNCIO_BUILD_BENCH=OFF", "-DQASYNCIO_BUILD_EXAMPLES=OFF", "-DQASYNCIO_BUILD_QML=OFF", "-DQASYNCIO_WERROR=OFF",
                   "-DQASYNCIO_COMPILER_PROBE=OFF")
        self._call("cmake", "--build", BUILD, "-j", self.jobs)
        print("coverage: running the tests", flush=True)
        tests = tests_of(BUILD)
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            profiles = dict(zip(tests, pool.map(self._profile, tests, tests.values())))
            # Inline functions have the same names in all of them, hence a report each. What several tests wrote is a library's.
            known = collections.Counter(path.name for paths in profiles.values() for path in paths)
            libraries = {name for name, count in known.items() if count > 1}
            reports = pool.map(lambda name: self._report(tests[name]["command"][0], profiles[name], libraries), tests)
        lines = {}
        for test, report in zip(tests, reports):
            for kind, path, line, count in report:
                reach = lines.setdefault(path, {}).setdefault(line, {"library": [], "own": []})
                if count:
                    reach[kind].append(test)
        return lines

    @staticmethod
    def _profile(name, test):
        """Runs a test; the files that it and its libraries wrote."""
        folder = BUILD / "profiles" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        environment = dict(os.environ, LLVM_PROFILE_FILE=f"{folder}/%c%m.profraw", QT_QPA_PLATFORM="offscreen")
        subprocess.run(test["command"], cwd=BUILD / "tests", env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=1200, check=False)
        return list(folder.glob("*.profraw"))

    def _report(self, program, profiles, libraries):
        """[("library" or "own", path, line, count)]"""
        found = []
        for kind, objects, raw in (
                ("library", [BUILD / path for path in LIBRARIES], [p for p in profiles if p.name in libraries]),
                ("own", [pathlib.Path(program)], [p for p in profiles if p.name not in libraries])):
            merged = profiles[0].with_name(kind + ".profdata")
            self._call("llvm-profdata-19", "merge", "-sparse", "-failure-mode=all", "-o", merged, *raw)
            found += [(kind, *count) for count in self._counts(merged, objects)]
        return found

    @staticmethod
    def _counts(profile, objects):
        """[(path, line, count)] of the tree's lines in some libraries, or a program."""
        more = [part for path in objects[1:] for part in ("-object", str(path))]
        report = subprocess.run(["llvm-cov-19", "export", "-format=lcov", "-instr-profile", str(profile), str(objects[0]), *more],
                                capture_output=True, text=True, check=True).stdout
        counts, path = [], None
        for line in report.splitlines():
            if line.startswith("SF:"):
                file = pathlib.Path(line[3:])
                inside = file.is_relative_to(ROOT) and file.relative_to(ROOT).parts[0] in FOLDERS
                path = str(file.relative_to(ROOT)) if inside else None
            elif path and (data := re.match(r"DA:(\d+),(\d+)", line)):
                counts.append((path, int(data[1]), int(data[2])))
        return counts

    @staticmethod
    def _call(*command):
        done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        if done.returncode:
            raise SystemExit(done.stdout[-4000:] + f"\ncoverage: {command[0]} failed")
