#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Makes sources of the listings in the documentation, so that they are compiled, and runs its programs.

listings.py --output FOLDER PAGE...       writes <page>.cpp, and <page>_program_<n>.cpp for each program
listings.py --program N --binary FILE PAGE   runs the program: does it print what the page says?

In a page

    ```cpp            is compiled as it stands, in a namespace of its own;
    ```cpp namespace=n   is in that namespace instead, for a test that includes <page>.cpp;
    ```cpp body       is the body of a coroutine;
    ```cpp program    is a whole program; a ```text behind it is what it prints, and without one it is not run;
    <!-- listings:    stands, unseen, before each of the listings that follow, up to the next such comment.
    ... -->
"""
import argparse
import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass

HEAD = """#include <qasyncio.h>

{includes}
using namespace QAsyncio;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;
"""
BLOCK = re.compile(r"^```(?P<info>[^\n]*)\n(?P<code>.*?)^```$|^<!-- listings:\n(?P<hidden>.*?)^-->$", re.M | re.S)
INCLUDE = re.compile(r"^#include .*\n", re.M)


@dataclass
class Block:
    kind: str  # "cpp", "cpp body", "cpp program", "text", "cmake"...
    code: str
    line: int  # of the page, where the code begins
    hidden: str = ""
    hidden_line: int = 0


def blocks(page):
    """What stands between fences in a page, in order."""
    text = page.read_text()
    hidden, hidden_line = "", 0
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start()) + 2
        if found["hidden"] is not None:
            hidden, hidden_line = found["hidden"], line
        else:
            yield Block(found["info"].strip(), found["code"], line, hidden, hidden_line)


def programs(page):
    """Each program with the text it prints, or None."""
    all_blocks = list(blocks(page))
    for block, after in zip(all_blocks, all_blocks[1:] + [None]):
        if block.kind == "cpp program":
            yield block, after.code if after and after.kind == "text" else None


def without_includes(code):
    return INCLUDE.sub("\n", code)  # the lines keep their numbers


def fragment(block, page):
    """A namespace with the listing in it. Messages of the compiler name the line of the page."""
    code = without_includes(block.code)
    name = block.kind.partition("namespace=")[2] or f"listing_{block.line}"
    if block.kind == "cpp body":
        code = f"Coroutine<> listing()\n{{\n#line {block.line} \"{page}\"\n{code}co_return;\n}}\n"
    hidden = f'#line {block.hidden_line} "{page}"\n{without_includes(block.hidden)}' if block.hidden else ""
    return f'\nnamespace {name} {{\n{hidden}#line {block.line} "{page}"\n{code}}}\n'


def write(path, text):
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def make_sources(page, folder):
    name = page.stem.replace("-", "_").lower()
    fragments = [block for block in blocks(page) if block.kind in ("cpp", "cpp body") or "namespace=" in block.kind]
    includes = sorted({line for block in fragments for line in INCLUDE.findall(block.hidden + block.code)})
    if fragments:
        write(folder / f"{name}.cpp",
              HEAD.format(includes="".join(includes)) + "".join(fragment(block, page) for block in fragments))
    for number, (block, _) in enumerate(programs(page), 1):
        write(folder / f"{name}_program_{number}.cpp", f'#line {block.line} "{page}"\n{block.code}')


def run_program(page, number, binary):
    expected = list(programs(page))[number - 1][1]
    if expected is None:
        print(f"{page} does not say what it prints")
        return 0
    done = subprocess.run([binary], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == 0 and done.stdout == expected and not done.stderr:
        return 0
    print(f"{page} says:\n{expected}\nit prints (status {done.returncode}):\n{done.stdout}{done.stderr}")
    return 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path)
    parser.add_argument("--program", type=int)
    parser.add_argument("--binary", type=pathlib.Path)
    parser.add_argument("pages", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    if options.program:
        return run_program(options.pages[0], options.program, options.binary)
    options.output.mkdir(parents=True, exist_ok=True)
    for page in options.pages:
        make_sources(page, options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
