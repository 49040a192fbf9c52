#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""gdb_tasks.py GDB SCRIPT PROGRAM: does `qasyncio tasks` show the tasks of a process, and of a core file of it?

gdb itself writes the core file. Ends with 77 (skipped) where gdb may not run a program.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

AT = r", at .*gdb_tasks_program\.cpp:\d+ in "
LIBRARY = r", at .*/[\w.]+:\d+ in .*"
EXPECTED = [
    r"8 unfinished tasks:",
    rf"\* Task 'main' waits for gather\(\){AT}main_task\(\)",
    rf"    \* Task 'holder' waits for timer at 1002\.500 s{AT}sleeps\(\)",
    rf"    \* Task 'waiter' waits for lock held by Task 'holder'{AT}wants\(\)",
    rf"\* Task 'waiting' waits for wait\(\){AT}main_task::<lambda>\(\)",
    rf"    \* Task 'shielding' waits for shield\(\){AT}main_task::<lambda>\(\)",
    rf"        \* Task 'shielded' waits for timer at 1002\.500 s{AT}sleeps\(\)",
    rf"\* Task 'grouping' waits for the tasks of a TaskGroup{LIBRARY}",
    rf"    \* Task 'grouped' waits for timer at 1002\.500 s{AT}sleeps\(\)",
]


def run_gdb(gdb, commands, *arguments):
    commands = ["set pagination off", "set breakpoint pending on", "set debuginfod enabled off", *commands]
    options = [argument for command in commands for argument in ("-ex", command)]
    done = subprocess.run([gdb, "-nx", "-batch", *options, *arguments], capture_output=True, text=True, timeout=110)
    return done.stdout + done.stderr


def findings(output, where):
    listed = re.search(r"^@tasks\n(.*?)^@end", output, re.MULTILINE | re.DOTALL)
    lines = listed[1].splitlines() if listed else []
    for pattern in EXPECTED:
        if not any(re.fullmatch(pattern, line) for line in lines):
            yield f"{where}: no line {pattern}"
    if len(lines) != len(EXPECTED):
        yield f"{where}: {len(lines)} lines instead of {len(EXPECTED)}"
    places = [next((i for i, line in enumerate(lines) if re.fullmatch(pattern, line)), -1) for pattern in EXPECTED]
    if places != sorted(places):
        yield f"{where}: another order"


def main():
    gdb, script, program = sys.argv[1:]
    show = [f"source {script}", "echo @tasks\\n", "qasyncio tasks", "echo @end\\n"]
    with tempfile.TemporaryDirectory() as folder:
        core = pathlib.Path(folder, "core")
        live = run_gdb(gdb, ["break look", "run", *show, f"generate-core-file {core}", "continue"], program)
        if "ptrace: Operation not permitted" in live:
            print("gdb may not run a program here")
            return 77
        failures = list(findings(live, "process"))
        if "exited normally" not in live:
            failures.append("the program did not end as it should")
        dead = ""
        if core.exists():
            dead = run_gdb(gdb, show, program, str(core))
            failures += findings(dead, "core file")
        else:
            failures.append("no core file")
    for failure in failures:
        print(failure)
    if failures:
        print(live, dead)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
