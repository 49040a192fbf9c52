# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Does the compiler refuse what it has to (refused.cpp)?"""
import concurrent.futures
import os
import pathlib
import re
import shlex
import subprocess

REFUSED = "tests/tooling/refused.cpp"
CLOSURE = "this compiler destroys the captures of such a temporary closure twice"    # by check_closure()


def compiler_of(command):
    """[compiler, options...] of a compile command, without what belongs to its file."""
    words = iter(shlex.split(command["command"]))
    compiler = []
    for word in words:
        if word in ("-o", "-include"):      # the latter: a precompiled header of g++
            next(words)
        elif word not in ("-c", "-Winvalid-pch", command["file"]) and not word.endswith("/ccache"):
            compiler.append(word)
    return compiler


def _says_so(message, errors):
    """The sentence comes first. What cannot be awaited is refused with little else; where a type is wrong through and through,
    the standard library has its say, too."""
    short = len(errors) <= 2 or message == "std::reference_wrapper" or message.startswith("map(args...)")
    return short and any(message in line for line in errors[:2])


def _cases(compiler, source):
    """(number, message) of each; none for the one that compiles."""
    def ask(option):
        return subprocess.run([compiler[0], option], capture_output=True, text=True, check=True).stdout
    is_faulty = "Free Software Foundation" in ask("--version") and int(ask("-dumpversion").split(".")[0]) < 13
    yield 0, None
    for number, message in re.findall(r"^#elif CASE == (\d+) // (.+)$", source.read_text(), re.MULTILINE):
        if not message.startswith("g++ 12"):
            yield number, message
        elif is_faulty:
            yield number, CLOSURE


def wrong_refusals(commands, root, jobs):
    """What is wrong, for each case of refused.cpp but 0 that does not fail with its own message, and for 0 if it fails."""
    source = root / REFUSED
    command = next(c for c in commands if pathlib.Path(c["file"]).is_relative_to(root / "src/loop"))
    compiler = compiler_of(command)

    def try_case(case):
        number, message = case
        run = subprocess.run([*compiler, "-w", "-fsyntax-only", f"-DCASE={number}", str(source)], cwd=command["directory"],
                             env=dict(os.environ, LC_ALL="C"), capture_output=True, text=True)
        errors = [line for line in run.stderr.splitlines() if "error: " in line]
        # One line each, or two: nobody reads more.
        if _says_so(message, errors) if message else run.returncode == 0:
            return None
        return "\n".join([f"{REFUSED}: case {number} should say '{message or 'nothing'}':", *(errors or ["it compiles"])])

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        try:
            yield from filter(None, pool.map(try_case, _cases(compiler, source)))
        finally:
            pool.shutdown(cancel_futures=True)      # who asks for the first only waits for no other
