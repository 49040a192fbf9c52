#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""gdb_printers.py GDB PRINTERS PROGRAM: does gdb show things as it should?

Ends with 77 (skipped) where gdb may not run a program.
"""
import re
import subprocess
import sys

FILE = r"gdb_program\.cpp:\d+"
EXPECTED = {
    "things.handle": r"<TimerHandle when=\d+\.000>",
    "things.cancelled": r"<Handle cancelled>",
    "things.timer": r"<TimerHandle when=1001\.000>",
    "things.future": r"<Future pending>",
    "things.result": r"<Future finished>",
    "things.failed": r"<Future finished exception>",
    "things.task": rf"<Task pending name='sleeper' inner\(\) at {FILE} <- outer\(\) at {FILE}( <- .*)?>",
    "things.coroutine": rf"<Coroutine number\(\) at {FILE}>",
    "things.generator": rf"<async_generator numbers\(\) at {FILE}>",
    "things.loop": r".*<QAsyncioLoop running=true closed=false debug=false>",
    "group": r".*<TaskGroup tasks=1 entered>",
}
TASKS = [rf"<Task pending name='Task-\d+' look_from_a_group::<lambda>\(\) at {FILE} <- .* <- look_from_a_group\(\) at {FILE}>",
         rf"<Task pending name='sleeper' inner\(\) at {FILE} <- outer\(\) at {FILE}( <- .*)?>"]


def main():
    gdb, printers, program = sys.argv[1:]
    commands = ["set pagination off", "set breakpoint pending on", "set debuginfod enabled off", f"source {printers}",
                "break look", "run"]
    for expression in EXPECTED:
        commands += [f"echo @{expression}=", f"output {expression}", "echo \\n"]
    commands += ["echo @tasks\\n", "qasyncio-tasks things.loop", "echo @end\\n", "continue"]
    arguments = [argument for command in commands for argument in ("-ex", command)]
    done = subprocess.run([gdb, "-nx", "-batch", *arguments, program], capture_output=True, text=True, timeout=110)
    output = done.stdout
    if "ptrace: Operation not permitted" in done.stderr + output:
        print("gdb may not run a program here")
        return 77
    failures = []
    for expression, pattern in EXPECTED.items():
        shown = re.search(rf"^@{re.escape(expression)}=(.*)$", output, re.MULTILINE)
        if not shown or not re.fullmatch(pattern, shown[1]):
            failures.append(f"{expression}: {shown[1] if shown else 'nothing'} is not {pattern}")
    listed = re.search(r"^@tasks\n(.*?)^@end", output, re.MULTILINE | re.DOTALL)
    lines = listed[1].splitlines() if listed else []
    for pattern in TASKS:
        if not any(re.fullmatch(pattern, line) for line in lines):
            failures.append(f"no task {pattern} among {lines}")
    if "exited normally" not in output:
        failures.append("the program did not end as it should")
    for failure in failures:
        print(failure)
    if failures:
        print(output, done.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
