#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Can somebody else's project use an installed QAsyncio? Installs a build, and builds tests/consumer against that.

Checks what the README says of it: find_package(), the installed headers, qasyncio_check_coroutines(), a compiler that is
refused in words, and a program with windows that is compiled without Qt's CMake macros. And the first program of the guide,
from its page.
"""
import argparse
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

import listings

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONSUMER = ROOT / "tests/consumer"
FIRST_PROGRAM = ROOT / "docs/guide/first-program.md"
OLD_COMPILER = "clang++-14"


def call(*command, expected=0):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != expected:
        sys.exit(f"{done.stdout}\nconsumer: {shlex.join(str(part) for part in command)} gave {done.returncode}")
    return done.stdout


def fails(*command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if not done.returncode:
        sys.exit(f"{done.stdout}\nconsumer: {shlex.join(str(part) for part in command)} should fail")
    return done.stdout


def expect(text, output):
    if text not in " ".join(output.split()):
        sys.exit(f"{output}\nconsumer: '{text}' is missing above")


def configure(build, prefix, *options):
    return ["cmake", "-S", CONSUMER, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}", *options]


def check_project(build, prefix):
    call(*configure(build, prefix, "-DQASYNCIO_COMPILER_PROBE=OFF"))
    call("cmake", "--build", build)
    call(build / "consumer", expected=42)
    if shutil.which("clang-query-19"):
        call("cmake", "--build", build, "--target", "consumer_check_coroutines")
        expect("faulty.cpp:22: g++ 12.2 miscompiles this: aggregate",
               fails("cmake", "--build", build, "--target", "faulty_check_coroutines"))
    if shutil.which(OLD_COMPILER):
        expect("QAsyncio needs g++ 12 or clang 15 at least",
               fails(*configure(build.with_name("old"), prefix, f"-DCMAKE_CXX_COMPILER={OLD_COMPILER}")))


def check_plain_compiler(commands, prefix):
    """No -D of Qt: only where its headers are."""
    with_widgets = [c for c in json.loads(commands.read_text()) if "QT_WIDGETS_LIB" in c["command"]]
    if not with_widgets:
        return
    words = shlex.split(with_widgets[0]["command"])
    includes = [word for flag, path in zip(words, words[1:]) if flag == "-isystem" for word in (flag, path)]
    call("g++", "-std=c++20", "-fPIC", "-fsyntax-only", "-I", prefix / "include", *includes, CONSUMER / "widgets.cpp")


def check_first_program(folder, prefix):
    folder.mkdir()
    blocks = list(listings.blocks(FIRST_PROGRAM))
    for name, kind in (("CMakeLists.txt", "cmake"), ("main.cpp", "cpp program")):
        (folder / name).write_text(next(block.code for block in blocks if block.kind == kind))
    call("cmake", "-S", folder, "-B", folder / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}")
    call("cmake", "--build", folder / "build")
    expected = next(block.code for block in blocks if block.kind == "text")
    printed = call(folder / "build/first")
    if printed != expected:
        sys.exit(f"{printed}\nconsumer: {FIRST_PROGRAM} says something else")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="a finished build of QAsyncio")
    options = parser.parse_args()
    folder = options.build.resolve() / "consumer"
    shutil.rmtree(folder, ignore_errors=True)
    prefix = folder / "prefix"
    call("cmake", "--install", options.build, "--prefix", prefix)
    for name in ("compilers.md", "differences.md"):
        if not list(prefix.rglob(name)):
            sys.exit(f"consumer: {name} is not installed")
    os.environ["LD_LIBRARY_PATH"] = ":".join(str(p.parent) for p in prefix.rglob("libqasyncio.so"))
    check_project(folder / "build", prefix)
    check_first_program(folder / "first", prefix)
    check_plain_compiler(options.build / "compile_commands.json", prefix)
    print("consumer: an installed QAsyncio can be used")
    return 0


if __name__ == "__main__":
    sys.exit(main())
