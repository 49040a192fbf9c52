# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""A fault that is kept in tests/mutations: which lines it replaces, wherever they stand now."""
import dataclasses
import re

from .cpp import Source


class NotApplicable(Exception):
    pass


@dataclasses.dataclass
class Replacement:
    path: str
    function: str       # only there, if the same lines stand elsewhere, too
    old: list
    new: list

    def apply(self, text):
        lines = text.splitlines()
        wanted = [line.strip() for line in self.old]
        found = [n for n in range(len(lines) - len(wanted) + 1)
                 if [line.strip() for line in lines[n:n + len(wanted)]] == wanted]
        if self.function:
            source = Source(self.path, text)
            found = [n for n in found if source.function_at_line(n + 1) == self.function]
        if len(found) != 1:
            where = f"{self.function}() in {self.path}" if self.function else self.path
            raise NotApplicable(f"these lines stand {len(found)} times in {where}, not once:\n" + "\n".join(self.old))
        lines[found[0]:found[0] + len(wanted)] = self.new
        return "\n".join(lines) + "\n"


def parse(text):
    """The replacements of a patch. It may be what `git diff -U0` prints, too: line numbers say nothing here, and context is
    what has to stand there."""
    replacements = []
    path, function, current = None, "", None
    for line in text.splitlines():
        named = re.match(r"(?:File: *|\+\+\+ b/)(\S+)$", line)
        if named:
            path, function, current = named[1], "", None
        elif line.startswith("Function:"):
            function, current = line.partition(":")[2].strip(), None
        elif line.startswith(("diff --git ", "index ", "--- a/", "@@ ")) or not line:
            current = None
        elif path and line[0] in "-+ ":
            if current is None:
                current = Replacement(path, function, [], [])
                replacements.append(current)
            if line[0] != "+":
                current.old.append(line[1:])
            if line[0] != "-":
                current.new.append(line[1:])
    if not replacements or not all(r.old for r in replacements):
        raise NotApplicable("it names no lines that it replaces")
    return replacements


def apply(replacements, folder):
    """Changes the files of a tree."""
    for replacement in replacements:
        target = folder / replacement.path
        if not target.exists():
            raise NotApplicable(f"there is no {replacement.path}")
        target.write_text(replacement.apply(target.read_text()))
