# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Compares a trace of CPython with one of QAsyncio. What docs/differences.md names and a program can see is taken out here,
and nowhere else:

- T-033, F-005: asyncio forgets the message of a cancelled task when it has been told once. Once a message was given, the
  Python interpreter writes "CancelledError?" where it knows none, and that stands for CancelledError with any message.
- G-052, before 3.14: an exception in a shielded future that nobody waits for any more is "never retrieved", and no report of
  its own; in one turn with the cancellation of the shield it counts as retrieved.
- L-088, before 3.12: the exception handler runs in no particular context.
"""
import collections
import re

SHIELDED = re.compile(r"\S+ ! report \w+ exception in shielded future: (.*) \(exception future\) var=\d+")

CANCELLED_SHIELD = re.compile(r"\d+ - final s\d+ cancelled")


def matches(expected, line):
    if expected == line:
        return True
    pattern = re.escape(expected).replace(re.escape("CancelledError?"), r"CancelledError(: \w+)?")
    return re.fullmatch(pattern, line) is not None


def alike(python, qasyncio):
    return len(python) == len(qasyncio) and all(map(matches, python, qasyncio))


def equal(python, qasyncio, version):
    """As alike(), but for what changed between CPython's versions."""
    if alike(python, qasyncio):
        return True
    if version < (3, 14):
        python, qasyncio = without_shielded(python, qasyncio)
    if version < (3, 12):
        python, qasyncio = ([re.sub(r" var=\d+$", "", line) for line in trace] for trace in (python, qasyncio))
    return alike(python, qasyncio)


def without_shielded(python, qasyncio):
    python, kept = list(python), []
    for line in qasyncio:
        if found := SHIELDED.fullmatch(line):
            unretrieved = [f"unretrieved {kind} {found[1]}" for kind in ("Task", "Future")]
            for expected in [expected for expected in python if expected in unretrieved][:1]:
                python.remove(expected)
        else:
            kept.append(line)
    if any(CANCELLED_SHIELD.fullmatch(line) for line in kept):
        extra = collections.Counter(line for line in kept if line.startswith("unretrieved ")) - collections.Counter(python)
        for line in extra.elements():
            kept.remove(line)
    return python, kept
