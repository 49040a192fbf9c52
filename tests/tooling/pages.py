#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Does what the documentation names exist?

In every page: the files that stand between backticks (`src/loop/turn.cpp`) and those that are linked to. In docs/design/one-await.md
also the names (`push()`, `TaskState`) of each numbered step, in one of the files that the step names; and each way through the code is
no longer than its title says ("in six files").
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATH = re.compile(r"`((?:include|src|tests|docs|demo|examples|bench|scripts|tools|cmake|qml)/[\w./-]+)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")
NAME = re.compile(r"`(\w+)(?:\(\))?`")
STEP = re.compile(r"^\d+\. .*(?:\n   .*)*", re.M)
FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
CODE = re.compile(r"`[^`\n]*`")
NUMBERS = {"six": 6, "twelve": 12}


def missing_files(page):
    text = FENCED.sub("", page.read_text())
    for path in PATH.findall(text):
        if not (ROOT / path).exists():
            yield f"`{path}` does not exist"
    for path in LINK.findall(CODE.sub("", text)):
        if not (page.parent / path).exists():
            yield f"the link to {path} leads nowhere"


def missing_names(step):
    files = PATH.findall(step)
    sources = [(ROOT / file).read_text() for file in files if (ROOT / file).is_file()]
    for name in NAME.findall(step):
        if not any(re.search(rf"\b{name}\b", source) for source in sources):
            yield f"`{name}` is not in {', '.join(files)}"


def long_ways(text):
    for title, way in re.findall(r"^## (.*)\n((?:(?!## ).*\n)*)", text, re.M):
        number = re.search(r"in (\w+) files$", title)
        files = {file for step in STEP.findall(way) for file in PATH.findall(step)}
        if number and len(files) > NUMBERS[number.group(1)]:
            yield f"{title}: these are {len(files)}"
        if number and not files:
            yield f"{title}: no steps"


def main():
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "tests").rglob("*.md"))]
    findings = [f"{page.relative_to(ROOT)}: {finding}" for page in pages for finding in missing_files(page)]
    walk = ROOT / "docs/design/one-await.md"
    text = walk.read_text()
    findings += [f"{walk.relative_to(ROOT)}: {finding}" for step in STEP.findall(text) for finding in missing_names(step)]
    findings += [f"{walk.relative_to(ROOT)}: {finding}" for finding in long_ways(text)]
    for finding in findings:
        print(finding)
    print(f"pages: {len(pages)} pages, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
