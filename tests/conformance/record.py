# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Chooses small programs that together show much of what asyncio does, for tests that need no Python."""

import json
import re

import compare
import generate

SIZES = (3, 5, 8, 12)
FEW = 4     # new features that make a program worth keeping
LONG = 50   # lines


def features(trace):
    """What a trace shows: pairs of lines that follow each other, without names, times and messages."""
    lines = [re.sub(r"\d+", "", re.sub(r": m\d+", ": m", line.split(" ", 1)[-1])) for line in trace]
    return set(zip(lines, lines[1:]))


def record(comparison, options):
    seen, count = set(), 0
    left_out = generate.left_out(comparison.version)
    with options.record.open("w") as file:
        for size in SIZES:
            drivers = [generate.program(f"{options.seed}/{size}/{number}", left_out, size)
                       for number in range(options.count // len(SIZES))]
            for driver, (python, qasyncio) in zip(drivers, comparison.run(drivers)):
                new = features(python) - seen
                if len(new) < FEW or len(python) > LONG or not comparison.equal((python, qasyncio)):
                    continue
                seen |= new
                count += 1
                version = ".".join(map(str, comparison.version))
                # The test knows no rules for versions.
                trace = python if compare.alike(python, qasyncio) else qasyncio
                file.write(json.dumps({"python": version, "driver": driver, "trace": trace}, separators=(",", ":")) + "\n")
    print(f"{count} programs")
