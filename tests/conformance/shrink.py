# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Makes a program smaller as long as it still shows what it shows."""

import json

from generate import PLAIN

PLAIN_BODIES = {"call_soon", "call_later", "call_at", "add_done_callback"}


def is_steps(value):
    return isinstance(value, list) and all(isinstance(step, list) and step and isinstance(step[0], str) for step in value)


def kind_of_body(step, kind):
    """What may stand in the bodies of a step: "plain", "await" or, with yields, "generator"."""
    if step[0] in PLAIN_BODIES:
        return "plain"
    if step[0] == "agen":
        return "generator"
    return kind if step[0] == "try" else "await"


def allowed(steps, kind):
    if kind == "plain":
        return [step for step in steps if step[0] in PLAIN]
    if kind == "generator":
        return steps
    return [["try", allowed(step[1], kind), *step[2:]] if step[0] == "try" else step for step in steps if step[0] != "yield"]


def smaller_steps(steps, kind):
    """Sequences that are a little simpler than `steps`."""
    length = len(steps)
    size = length
    while size:
        for start in range(0, length, size):
            yield steps[:start] + steps[start + size:]
        size //= 2
    for place, step in enumerate(steps):
        before, after = steps[:place], steps[place + 1:]
        if step[0] != "coro":
            for argument in step[1:]:       # the step gives way to what it holds
                if is_steps(argument) and argument and argument[0][0] != "coro":
                    yield before + allowed(argument, kind) + after
                elif isinstance(argument, list) and argument and argument[0] == "coro" and kind != "plain":
                    yield before + argument[2] + after
        for simpler in smaller_step(step, kind):
            yield before + [simpler] + after


def smaller_step(step, kind):
    for place, argument in enumerate(step):
        before, after = step[:place], step[place + 1:]
        if place == 0:
            continue
        if is_steps(argument):
            for simpler in smaller_steps(argument, kind_of_body(step, kind)):
                yield before + [simpler] + after
        elif isinstance(argument, list) and argument and argument[0] == "coro":
            for simpler in smaller_steps(argument[2], "await"):
                yield before + [["coro", argument[1], simpler]] + after
        elif isinstance(argument, list):    # names
            for name in range(len(argument)):
                yield before + [argument[:name] + argument[name + 1:]] + after
        elif isinstance(argument, dict) and argument:
            yield before + [{}] + after
        elif isinstance(argument, int) and not isinstance(argument, bool) and argument not in (0, 1):
            yield before + [1 if step[0] in ("as_completed", "barrier") else 0] + after
        elif argument is True:
            yield before + [False] + after
    if step[-1] is not None and step[0] in ("cancel", "raise", "set_exception", "athrow"):
        yield step[:-1] + [None]


def shrink(driver, differ):
    """`differ(drivers)` gives for each program whether it still differs."""
    while True:
        candidates = {json.dumps(candidate): candidate for candidate in smaller_steps(driver, "plain")}
        candidates = sorted(candidates.values(), key=lambda candidate: len(json.dumps(candidate)))
        for start in range(0, len(candidates), 100):
            part = candidates[start:start + 100]
            found = next((candidate for candidate, differs in zip(part, differ(part)) if differs), None)
            if found is not None:
                driver = found
                break
        else:
            return driver
