#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Looks for await expressions that g++ 12.2 miscompiles (cmake/gcc12_coroutines.query, docs/compilers.md).

Reads every source file that the build compiles, and the project's headers with it. Before that it looks at a probe
file whose findings are known, so that a query that finds nothing any more is noticed. What was clean stays clean until
the file, a header or the query changes: the build folder remembers.

And does the compiler refuse what it has to (refused.cpp)?
"""
import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
QUERY = ROOT / "cmake/gcc12_coroutines.query"
PROBE = ROOT / "tests/tooling/gcc12_forms.cpp"
REFUSED = ROOT / "tests/tooling/refused.cpp"
REFUSAL = "this compiler destroys the captures of such a temporary closure twice"    # by check_closure()
TOOL = "clang-query-19"
FOLDERS = ("src", "qml", "demo", "tests", "bench")
FINDING = re.compile(r'^(.+?):(\d+):\d+: note: "(\w+)" binds here')


def findings(query, source, arguments):
    """Set of (file, line, family) found in one source file and the project's headers that it includes."""
    run = subprocess.run([TOOL, "-f", str(query), *arguments[0], str(source), *arguments[1]],
                         capture_output=True, text=True)
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
    found = findings(query, PROBE, ([], ["--", "-std=c++20"]))
    for _, line, family in sorted(announced - found):
        print(f"{PROBE.relative_to(ROOT)}:{line}: the lint does not find '{family}'")
    for _, line, family in sorted(found - announced):
        print(f"{PROBE.relative_to(ROOT)}:{line}: the lint finds '{family}' where nothing is wrong")
    return announced == found


def compiler_of_library(commands):
    """What the library is compiled with, up to the file: [compiler, options...]"""
    command = next(c for c in commands if pathlib.Path(c["file"]).is_relative_to(ROOT / "src/loop"))
    words = shlex.split(command["command"])
    compiler = [w for w in words if not w.endswith(("ccache", ".cpp", ".o"))]
    return [w for w in compiler if w not in ("-c", "-o")], command["directory"]


def check_refused(commands, jobs):
    """Does each case of refused.cpp but 0 fail, with its own message?"""
    compiler, folder = compiler_of_library(commands)
    version = subprocess.run([compiler[0], "--version"], capture_output=True, text=True, check=True).stdout
    major = subprocess.run([compiler[0], "-dumpversion"], capture_output=True, text=True, check=True).stdout.split(".")[0]
    is_faulty = "Free Software Foundation" in version and int(major) < 13
    cases = [(0, None)]
    for number, message in re.findall(r"^#elif CASE == (\d+) // (.+)$", REFUSED.read_text(), re.MULTILINE):
        if not message.startswith("g++ 12"):
            cases.append((number, message))
        elif is_faulty:
            cases.append((number, REFUSAL))

    def is_right(case):
        number, message = case
        run = subprocess.run([*compiler, "-w", "-fsyntax-only", f"-DCASE={number}", str(REFUSED)], cwd=folder,
                             capture_output=True, text=True)
        errors = [line for line in run.stderr.splitlines() if "error: " in line]
        right = any(message in line for line in errors) if message else run.returncode == 0
        if not right:
            print(f"{REFUSED.relative_to(ROOT)}: case {number} should say '{message or 'nothing'}':",
                  *(errors or ["it compiles"]), sep="\n")
        return right

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return all(list(pool.map(is_right, cases)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build folder with compile_commands.json")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()

    query = options.build / "gcc12_coroutines.query"
    query.write_text(QUERY.read_text().replace("@ROOT@", re.escape(str(ROOT)).replace("\\", "\\\\")))
    if not check_probe(query):
        return "the lint's own check failed"

    commands = json.loads((options.build / "compile_commands.json").read_text())
    sources = sorted({pathlib.Path(c["file"]).resolve() for c in commands})
    sources = [s for s in sources if s.is_relative_to(ROOT) and s.relative_to(ROOT).parts[0] in FOLDERS]

    common = hashlib.sha256(query.read_bytes())
    for header in sorted(p for folder in ("include", *FOLDERS) for p in (ROOT / folder).rglob("*.h")):
        common.update(str(header).encode() + header.read_bytes())
    clean_file = options.build / "lint_clean.json"
    remembered = set(json.loads(clean_file.read_text())) if clean_file.exists() else set()

    refused = hashlib.sha256(common.digest() + REFUSED.read_bytes()).hexdigest()
    if refused not in remembered and not check_refused(commands, options.jobs):
        return "the library does not refuse what it should"

    def look(source):
        key = hashlib.sha256(common.digest() + str(source).encode() + source.read_bytes()).hexdigest()
        if key in remembered:
            return key, set()
        # -w: this is g++'s command line, clang may warn where g++ does not.
        return key, findings(query, source, (["-p", str(options.build), "--extra-arg=-w"], []))

    found, clean = set(), {refused}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for key, news in pool.map(look, sources):
            found |= news
            if not news:
                clean.add(key)
    clean_file.write_text(json.dumps(sorted(clean)))
    for file, line, family in sorted(found):
        print(f"{file.relative_to(ROOT)}:{line}: g++ 12.2 miscompiles this: {family} (docs/compilers.md)")
    print(f"lint: {len(sources)} files, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        sys.exit(str(error))
