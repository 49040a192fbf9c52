# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Compares a trace of CPython with one of QAsyncio. What docs/differences.md names and a program can see is taken out here,
and nowhere else:

- T-033, F-005: asyncio forgets the message of a cancelled task when it has been told once. Once a message was given, the
  Python interpreter writes "CancelledError?" where it knows none, and that stands for CancelledError with any message.
- G-052: what fails inside of a shield that was cancelled before is "never retrieved", if nobody else retrieves it. CPython
  before 3.14.10 reports it as "in shielded future", and before 3.14, in one turn with the cancellation of the shield, as
  retrieved.
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
    if version < (3, 14, 10):
        python, qasyncio = without_shielded(python, qasyncio, version)
    if version < (3, 12):
        python, qasyncio = ([re.sub(r" var=\d+$", "", line) for line in trace] for trace in (python, qasyncio))
    return alike(python, qasyncio)


def without_shielded(python, qasyncio, version):
    kept = list(qasyncio)
    reported = collections.Counter(found[1] for line in python if (found := SHIELDED.fullmatch(line)))
    python = [line for line in python if not SHIELDED.fullmatch(line)]
    extra = collections.Counter(line for line in kept if line.startswith("unretrieved ")) - collections.Counter(python)
    cancelled = version < (3, 14) and any(CANCELLED_SHIELD.fullmatch(line) for line in kept)
    for line in extra.elements():
        error = line.split(" ", 2)[2]
        if cancelled or reported[error] > 0:
            reported[error] -= 1
            kept.remove(line)
    return python, kept
