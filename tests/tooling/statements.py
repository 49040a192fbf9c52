#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Which statement of tests/statements.txt is held by which test?

A test names one to five statements in comments of their own directly above it (`// L-022, L-027`). It counts if it
passed in the last run, whose results lie in the given folder. Fails if a statement marked `here` has no passed test,
and in any case if the comments or the list make no sense.
"""
import argparse
import collections
import pathlib
import re
import sys
import xml.etree.ElementTree

TESTS = pathlib.Path(__file__).resolve().parents[1]
IDS = re.compile(r"^\s*//\s*([A-Z]+-\d+(?:\s*,\s*[A-Z]+-\d+)*)\s*,?\s*$")
COMMENT = re.compile(r"^\s*//")
CLASS = re.compile(r"^class\s+(?:\w+\s+)*?(\w+)\s*(?:final\s*)?(?::|\{|$)")
FUNCTION = re.compile(r"^\s*(?:[\w:<>*&,]+\s+)+(?:(\w+)::)?(\w+)\s*\(")
MOST = 5


def read_statements(errors):
    """{id: state} in the order of the file."""
    statements = {}
    for number, line in enumerate((TESTS / "statements.txt").read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 3 or not re.fullmatch(r"here|later:.+|never:.+", fields[1]):
            errors.append(f"tests/statements.txt:{number}: not of the form id, state, text")
        elif fields[0] in statements:
            errors.append(f"tests/statements.txt:{number}: {fields[0]} stands there twice")
        else:
            statements[fields[0]] = fields[1]
    return statements


def read_tests(known, errors):
    """{id: [(class, function)]} as the comments in tests/*.cpp have it."""
    holders = collections.defaultdict(list)
    for source in sorted(TESTS.glob("*.cpp")):
        where, ids, test_class = f"tests/{source.name}", [], None
        for number, line in enumerate(source.read_text().splitlines(), 1):
            if match := IDS.match(line):
                ids += re.split(r"\s*,\s*", match[1])
                continue
            if match := CLASS.match(line):
                test_class = match[1]
            if not ids or COMMENT.match(line):
                continue
            function = FUNCTION.match(line)
            if not function:
                errors.append(f"{where}:{number}: no test below the comment {', '.join(ids)}")
            else:
                errors += [f"{where}:{number}: there is no statement {i}" for i in ids if i not in known]
                if len(ids) > MOST:
                    errors.append(f"{where}:{number}: {function[2]} names {len(ids)} statements, more than {MOST}")
                for i in ids:
                    holders[i].append((function[1] or test_class, function[2]))
            ids = []
    return holders


def read_passed(folder, errors):
    """{(class, function)} of the tests that ran and passed in all their data rows."""
    ran, failed = set(), set()
    for file in sorted(folder.glob("*.xml")):
        try:
            cases = list(xml.etree.ElementTree.parse(file).iter("testcase"))
        except xml.etree.ElementTree.ParseError:
            errors.append(f"{file} is incomplete: the test program crashed")
            continue
        for case in cases:
            test = case.get("classname"), case.get("name").split("(")[0]
            if case.find("failure") is not None or case.find("error") is not None:
                failed.add(test)
            elif case.find("skipped") is None:
                ran.add(test)
    return ran - failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=pathlib.Path, help="folder with the JUnit files of the last run")
    options = parser.parse_args()

    errors = []
    statements = read_statements(errors)
    holders = read_tests(statements, errors)
    passed = read_passed(options.results, errors)
    if not passed:
        errors.append(f"no results in {options.results}: run scripts/test --dev first")

    wanted = [i for i, state in statements.items() if state == "here"]
    held = {i: [f"{test[0]}::{test[1]}" for test in holders[i] if test in passed] for i in wanted}
    missing = [i for i in wanted if not held[i]]
    for i in wanted:
        print(f"{i:<7}{', '.join(held[i]) or '-'}")
    for error in errors:
        print(error)
    if missing:
        print("no passed test holds: " + " ".join(missing))
    print(f"statements: {len(wanted) - len(missing)} of {len(wanted)} are held by passed tests")
    return 1 if errors or missing else 0


if __name__ == "__main__":
    sys.exit(main())
