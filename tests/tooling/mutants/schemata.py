# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Many faults in one build. Each function that has some stands there once more for each of them, and a number in the environment
says which one runs: so a fault costs the time of its tests, and no compiler."""
import os
import re

VARIABLE = "QASYNCIO_FAULT"
HEADER = f"""#pragma once
#include <cstdlib>
inline const int qasyncio_fault = std::getenv("{VARIABLE}") ? std::atoi(std::getenv("{VARIABLE}")) : 0;
"""


def write(target, text, quietly=False):
    """Quietly: what depends on the file is not built again."""
    times = target.stat() if quietly else None
    target.write_text(text)
    if times:
        os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))


class Schemata:
    """The faults that a copy of the tree has all at once, by their numbers (from 1)."""

    def __init__(self, copy, sources, faults):
        self.copy = copy
        self.sources = sources      # {path: Source}
        self.numbers = {}           # {fault: number}
        self.faults = {}            # {number: fault} of those that are still in it
        self.invalid = set()        # what the compiler refuses, together with others or alone
        for number, fault in enumerate(faults, 1):
            self.numbers.setdefault(fault, number)
            self.faults[number] = fault

    def number(self, fault):
        """None if it is not in the build."""
        number = self.numbers.get(fault)
        return number if number in self.faults else None

    def build(self, build_copy, jobs):
        """Builds with all that compile together. The others are left out; those that are not invalid may compile alone."""
        self._write_all()
        while True:
            done, output = build_copy.build(["all"], jobs, "-k", "0")
            if done:
                return
            named = {int(number) for number in re.findall(r"\bfault-(\d+):", output)} & set(self.faults)
            if not named:   # a bracket that the compiler misses elsewhere
                files = set(re.findall(r"^\S*?((?:src|include)/\S+?):\d+:\d+: (?:fatal )?error", output, re.MULTILINE))
                named = {number for number, fault in self.faults.items() if fault.path in files}
            if not named:
                raise SystemExit("\n".join(output.splitlines()[-40:]) + "\nrandom-mutations: the tree does not build")
            refused = {int(number) for number, why in re.findall(r"\bfault-(\d+):\d+:\d+: error: (.*)", output)
                       if not re.search("constant expression|constexpr|deduc", why)}
            self.invalid.update(self.faults[number] for number in named & refused)
            for number in named:
                del self.faults[number]
            self._write_all(quietly=True)   # what was compiled with them is as good

    def text(self, path):
        """A file with its faults."""
        faults = {number: fault for number, fault in self.faults.items() if fault.path == path}
        source = self.sources[path]
        return self._embedded(source, faults) if faults else source.text

    def _write_all(self, quietly=False):
        for path, text in [("fault.h", HEADER)] + [(path, self.text(path)) for path in {fault.path for fault in self.numbers}]:
            target = self.copy.source / path
            if not target.exists() or target.read_text() != text:
                write(target, text, quietly)

    def _embedded(self, source, faults):
        """Whole function bodies are chosen from. The compiler calls the lines of each "fault-N"; the others keep their names."""
        path, text = self.copy.source / source.path, source.text
        parts, position = [f'#include "{self.copy.source}/fault.h"\n#line 1 "{path}"\n'], 0
        for begin, end in self._outermost(source):
            inside = {number: fault for number, fault in faults.items() if begin <= fault.start < end}
            if not inside:
                continue
            parts.append(text[position:begin] + "{\n")
            for number, fault in inside.items():
                body = text[begin:fault.start] + fault.replacement + text[fault.end:end]
                parts.append(f'#line 1 "fault-{number}"\nif (qasyncio_fault == {number}) {body} else\n')
            parts.append(f'#line {source.line_at(begin)} "{path}"\n{text[begin:end]}\n}}\n#line {source.line_at(end - 1)} "{path}"\n')
            position = end
        return "".join(parts) + text[position:]

    @staticmethod
    def _outermost(source):
        """The places of the bodies of functions that stand in no other function."""
        last = -1
        for function in sorted(source.functions, key=lambda f: f.first):
            if function.first > last:
                last = function.last
                yield source.tokens[function.first].start, source.tokens[last].end
