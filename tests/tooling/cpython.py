#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""What of CPython's own tests of asyncio is held here? Checks tests/conformance/cpython.md and counts its rows.

Every test that a row names as holding something must exist in tests/, and the counts in the text must be right (--write
corrects them). With --cpython (the folder Lib/test/test_asyncio of CPython 3.13) the rows must also name exactly the
tests that are defined there, class by class.
"""
import argparse
import ast
import collections
import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
TABLE = TESTS / "conformance/cpython.md"
VERDICTS = ("mapped", "missing", "later", "impossible")
NAME = re.compile(r"`(test_\w+)`")
HOLDER = re.compile(r"`(tst_\w+): (\w+)`")
# A test function, in the class or behind it.
FUNCTION = re.compile(r"^\s*void (?:\w+::)?(\w+)\(\)", re.M)
COUNTS = re.compile(r"(?<=<!-- counts -->\n).*?(?=\n<!-- end of counts -->)", re.S)


def read_table(errors):
    """{(file, class): {test: verdict}} and the set of the (program, function) that hold something."""
    tests, holders = collections.defaultdict(dict), set()
    file = test_class = None
    for number, line in enumerate(TABLE.read_text().splitlines(), 1):
        where = f"{TABLE.name}:{number}"
        if line.startswith("## "):
            file, test_class = line[3:], None
        elif line.startswith("### "):
            test_class = line[4:]
        if not test_class or not line.startswith("| `"):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 3 or cells[1] not in VERDICTS or not cells[2]:
            errors.append(f"{where}: not of the form | tests | verdict | held by or why |")
            continue
        held_by = HOLDER.findall(cells[2])
        if (cells[1] == "mapped") != bool(held_by):
            errors.append(f"{where}: who is mapped, and nobody else, names the tests that hold it")
        holders.update(held_by)
        for name in NAME.findall(cells[0]):
            if name in tests[file, test_class]:
                errors.append(f"{where}: {name} stands there twice")
            tests[file, test_class][name] = cells[1]
    return tests, holders


def read_cpython(folder):
    """{(file, class): {test}} as CPython defines them. A function that adds a test to classes counts as a class."""
    tests = collections.defaultdict(set)

    def walk(nodes, file, path):
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                walk(node.body, file, [*path, node.name])
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                if node.name.startswith("test_"):
                    tests[file, ".".join(path)].add(node.name)
                elif not path:
                    walk(node.body, file, [node.name])
            else:
                for field in ("body", "orelse", "handlers", "finalbody"):
                    walk(getattr(node, field, []), file, path)

    for source in sorted(folder.glob("test_*.py")):
        walk(ast.parse(source.read_text()).body, source.name, [])
    return tests


def compare(listed, defined, errors):
    for key in sorted(listed.keys() | defined.keys()):
        names, real = set(listed.get(key, ())), defined.get(key, set())
        errors += [f"{key[0]}, {key[1]}: {name} is not listed" for name in sorted(real - names)]
        errors += [f"{key[0]}, {key[1]}: there is no {name}" for name in sorted(names - real)]


def check_holders(holders, errors):
    for program, function in sorted(holders):
        source = TESTS / f"{program}.cpp"
        if not source.exists() or function not in FUNCTION.findall(source.read_text()):
            errors.append(f"there is no test {program}: {function}")


def count(tests):
    """The table of the counts and the share, as text."""
    counts = collections.Counter(verdict for names in tests.values() for verdict in names.values())
    possible = counts["mapped"] + counts["missing"]
    lines = ["| " + " | ".join((*VERDICTS, "all")) + " |", "|" + "--:|" * (len(VERDICTS) + 1)]
    lines.append("| " + " | ".join(str(n) for n in (*(counts[v] for v in VERDICTS), counts.total())) + " |")
    share = 100 * counts["mapped"] / possible if possible else 100
    return "\n".join([*lines, "", f"Mapped, of those that can exist and whose subject is built: {share:.1f} %."])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cpython", type=pathlib.Path, help="CPython 3.13's folder Lib/test/test_asyncio")
    parser.add_argument("--write", action="store_true", help="write the counts into the text")
    options = parser.parse_args()

    errors = []
    tests, holders = read_table(errors)
    check_holders(holders, errors)
    if options.cpython:
        defined = read_cpython(options.cpython)
        if not defined:
            errors.append(f"no tests in {options.cpython}")
        compare(tests, defined, errors)
    counts = count(tests)
    text = TABLE.read_text()
    if options.write:
        TABLE.write_text(COUNTS.sub(lambda _: counts, text, count=1))
    elif (match := COUNTS.search(text)) is None or match[0] != counts:
        errors.append(f"{TABLE.name}: the counts are not right: run this with --write")
    print(counts)
    for error in errors:
        print(error, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
