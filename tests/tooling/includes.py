#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Does each file include what it uses of the standard library, of Qt's classes and of the system's functions (`::read`), itself
or by way of the project's headers?

What Qt's headers, or those of the standard library, include besides is an accident: newer ones do it no more. A class that a
file declares itself (`class QObject;`) needs no header. Names of which this does not know the header are findings, too.
"""
import argparse
import functools
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# header: the names of std:: that it gives; several headers may give one. `*`: all that begin so.
STANDARD = {
    "algorithm": "all_of any_of binary_search count count_if equal find find_if for_each is_sorted lower_bound max min partition pop_heap push_heap remove_if reverse sort transform unique",
    "any": "any any_cast",
    "array": "array get size tuple_element_t",
    "atomic": "atomic memory_order*",
    "chrono": "chrono chrono::* chrono_literals",
    "cmath": "abs ceil floor isnan ldexp nan nextafter",
    "concepts": "convertible_to derived_from equality_comparable move_constructible same_as",
    "condition_variable": "condition_variable condition_variable_any",
    "coroutine": "coroutine_handle noop_coroutine suspend_always suspend_never",
    "csignal": "raise signal",
    "cstddef": "byte ptrdiff_t size_t",
    "cstdint": "int64_t intmax_t uint32_t uint64_t uintptr_t",
    "cstdio": "FILE fclose fflush fgets fopen fprintf fputc fputs fscanf printf puts remove sscanf size_t",
    "cstdlib": "abort abs aligned_alloc atoi exit free malloc size_t",
    "cstring": "memcpy memset strcmp strlen strncmp strrchr strstr size_t",
    "ctime": "clock clock_t",
    "deque": "deque erase_if size",
    "exception": "current_exception exception exception_ptr make_exception_ptr rethrow_exception terminate",
    "filesystem": "filesystem filesystem::*",
    "fstream": "ifstream",
    "functional": "bind function cref greater invoke is_bind_expression_v less ref reference_wrapper",
    "future": "future_status promise shared_future",
    "initializer_list": "initializer_list",
    "iostream": "cerr cin cout endl",
    "iterator": "back_inserter default_sentinel_t input_iterator input_iterator_tag size",
    "limits": "numeric_limits",
    "list": "list",
    "map": "erase_if map multimap",
    "memory": "construct_at destroy_at enable_shared_from_this make_shared make_unique "
              "make_unique_for_overwrite shared_ptr static_pointer_cast unique_ptr weak_ptr",
    "mutex": "lock_guard mutex unique_lock",
    "new": "align_val_t bad_alloc launder nothrow nothrow_t",
    "numeric": "gcd",
    "optional": "in_place in_place_t nullopt nullopt_t optional",
    "ratio": "atto femto micro milli nano pico ratio",
    "set": "erase_if set",
    "source_location": "source_location",
    "span": "span",
    "stdexcept": "out_of_range runtime_error",
    "stop_token": "nostopstate stop_callback stop_source stop_token",
    "string": "erase_if getline size string to_string",
    "string_view": "basic_string_view string_view size",
    "system_error": "error_code generic_category system_error",
    "thread": "jthread this_thread::* thread",
    "tuple": "apply forward_as_tuple get make_tuple tuple tuple_element_t tuple_size_v",
    "type_traits": "bool_constant conditional_t conjunction decay_t false_type invoke_result invoke_result_t is_* remove_cv_t remove_cvref_t "
                   "true_type type_identity_t",
    "typeinfo": "type_info",
    "unordered_map": "erase_if unordered_map",
    "unordered_set": "unordered_set",
    "utility": "as_const declval exchange forward get in_place in_place_index in_place_t index_sequence index_sequence_for "
               "make_index_sequence make_pair move pair swap",
    "variant": "get get_if holds_alternative monostate variant",
    "vector": "erase erase_if size vector",
}
# header: the system's functions that it gives.
SYSTEM = {
    "csignal": "kill raise sigaction sigaddset sigemptyset signal",
    "cstdio": "rename",
    "cstdlib": "free grantpt malloc posix_openpt ptsname realpath unlockpt",
    "ctime": "clock_gettime",
    "dirent.h": "closedir dirfd fdopendir opendir readdir",
    "epoll.h": "epoll_*",
    "eventfd.h": "eventfd",
    "fcntl.h": "fcntl open openat",
    "inotify.h": "inotify_*",
    "mman.h": "madvise mmap munmap",
    "poll.h": "poll",
    "malloc.h": "mallinfo2",
    "resource.h": "getrlimit getrusage setpriority setrlimit",
    "signal.h": "kill raise sigaction sigaddset sigemptyset signal",
    "spawn.h": "posix_spawn*",
    "socket.h": "accept bind connect listen recv send shutdown socket socketpair",
    "stat.h": "chmod fstat fstatat lstat mkdir mkfifo stat",
    "timerfd.h": "timerfd_*",
    "uio.h": "writev",
    "unistd.h": "access close dup dup2 dup3 fork ftruncate getpgrp getpid getsid gettid lseek pipe pipe2 read rmdir symlink syscall sysconf "
                "unlink write",
    "wait.h": "waitid waitpid",
}
# Two headers of which each needs the other's templates.
MUTUAL = {ROOT / "include/qasyncio/loop.h"}
# What a header of Qt gives besides its own class and can never stop giving: base classes, and what these are made of.
OBJECT = "qobject.h qobjectdefs.h qcoreevent.h qstring.h qchar.h qstringliteral.h qbytearray.h qlist.h"
GIVES = {
    "qobject.h": OBJECT, "qobjectdefs.h": OBJECT, "qstring.h": "qchar.h qstringliteral.h qbytearray.h",
    "qstringlist.h": "qstring.h qchar.h qstringliteral.h qlist.h", "qdir.h": "qstring.h qstringliteral.h",
    "qabstractitemmodel.h": OBJECT + " qvariant.h qhash.h", "qevent.h": "qcoreevent.h", "qtest.h": OBJECT + " qtestcase.h",
    "qfile.h": OBJECT + " qiodevice.h", "qtemporaryfile.h": OBJECT + " qiodevice.h qfile.h", "qsavefile.h": OBJECT + " qiodevice.h",
    "qjsonobject.h": "qjsonvalue.h qstring.h qstringliteral.h", "qjsonarray.h": "qjsonvalue.h", "qloggingcategory.h": "qlogging.h",
    **dict.fromkeys("qapplication.h qcoreapplication.h qdialog.h qeventloop.h qguiapplication.h qprocess.h qqmlapplicationengine.h "
                    "qquickitem.h qquickwindow.h qsocketnotifier.h qthread.h qthreadpool.h qtimer.h qwidget.h qwindow.h".split(), OBJECT),
}
CODE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"' r"|'(?:\\.|[^'\\\n])+'", re.DOTALL)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
NAME = re.compile(r"\bstd::((?:chrono|this_thread|filesystem)::\w+|\w+)|(?<![\w:])(Q[A-Z]\w*[a-z]\w*)\b|(?<![\w:>])::(?!new|delete|operator)([a-z]\w+)")


def code_of(text):
    """Without comments and literals; lines stay where they are."""
    return CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


@functools.cache
def headers_of(name, table):
    """The headers of which each gives a name of std::, or a function of the system; none if it is not known."""
    return frozenset(header for header, names in {"std": STANDARD, "": SYSTEM}[table].items()
                     if any(name.startswith(n[:-1]) if n.endswith("*") else name == n for n in names.split()))


class Qt:
    """Which header gives a class: Qt has a header named after each, which includes it."""

    def __init__(self, folders):
        self.headers = {}
        for folder in folders:
            for module in folder.glob("Qt*/"):
                for path in module.glob("Q[A-Z]*"):
                    if path.is_file() and "." not in path.name and (found := re.search(r'#include "(\w+\.h)"', path.read_text())):
                        self.headers.setdefault(path.name, set()).add(found[1])

    def headers_of(self, name):
        return self.headers.get(name)


class Files:
    """What the project's files include."""

    def __init__(self, texts):
        self.texts = texts  # {path: text}

    @functools.cache
    def includes(self, path):
        """(the project's headers, names of others) that are included here."""
        own, others = set(), set()
        for bracket, name in INCLUDE.findall(self.texts[path]):
            found = [p for folder in (path.parent, ROOT / "include", ROOT / "src", ROOT / "tests", ROOT / "bench", ROOT / "demo")
                     if (p := folder / name).resolve() in self.texts] if bracket == '"' or name.startswith("qasyncio") else []
            if found:
                own.add(found[0].resolve())
            else:
                others.add(pathlib.PurePath(name).name)
        return own, others

    def reached(self, path):
        """Names of the headers that are not the project's, here and in its headers that are included."""
        known, todo, others = {path}, [path], set()
        while todo:
            own, here = self.includes(todo.pop())
            others |= here
            todo += own - known
            known |= own
        return others.union(*(GIVES.get(header, "").split() for header in others))


def missing(path, files, qt):
    """[(line, name, headers)]"""
    code = code_of(files.texts[path])
    reached = files.reached(path)
    declared = set(re.findall(r"\b(?:class|struct)\s+(?:\w+_EXPORT\s+)?(Q\w+)\s*[;:{]", code))
    found, seen = [], set()
    for match in NAME.finditer(code):
        name = match[1] or match[2] or match[3]
        table = "std" if match[1] else "" if match[3] else "Qt"
        if (table, name) in seen:
            continue
        seen.add((table, name))
        headers = qt.headers_of(name) if match[2] else headers_of(name, table)
        if match[2] and (headers is None or name in declared or name in reached):
            continue    # one of ours, or included by the class's name
        if not headers & reached:
            found.append((code.count("\n", 0, match.start()) + 1, (f"{table}::" if table != "Qt" else "") + name, sorted(headers)))
    return found


def misplaced(path, files):
    """[(line, text)] of what is included below code (but for moc's): what stands between does not have it."""
    text = files.texts[path]
    begin = re.search(r"^(?!using namespace)[a-zA-Z{].*", code_of(text), re.MULTILINE)
    lines = ((text.count("\n", 0, found.start(2)) + 1, found[0].strip()) for found in INCLUDE.finditer(text))
    return [(line, include) for line, include in lines
            if begin and line > text.count("\n", 0, begin.start()) + 1 and not include.endswith('.moc"')]


def sees_faults(qt):
    """Of what this would do if it saw nothing any more, no run would tell."""
    path = ROOT / "sample.cpp"
    text = "#include <QtCore/qobject.h>\n// QTimer\nstd::vector<QString> all(const QElapsedTimer &, const QObject &);\nclass QThread;\nQThread *t;\n"
    text += "int i = ::dup(1);\n#include <late.h>\n"
    files = Files({path: text})
    return ([name for _, name, _ in missing(path, files, qt)] == ["std::vector", "QElapsedTimer", "::dup"] and
            misplaced(path, files) == [(7, "#include <late.h>")])


def qt_folders(build):
    commands = json.loads((build / "compile_commands.json").read_text())
    return sorted({pathlib.Path(folder) for command in commands for folder in re.findall(r"-isystem (\S+)", command["command"])})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build folder with compile_commands.json")
    options = parser.parse_args()
    listing = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.h", "*.cpp"], cwd=ROOT,
                             capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in listing.split() if (ROOT / name).is_file()]
    files, qt = Files({path.resolve(): path.read_text() for path in paths}), Qt(qt_folders(options.build))
    if not sees_faults(qt):
        return "includes: the check's own check failed (Qt's headers not found?)"
    count = 0
    for path in files.texts:
        for line, name, headers in missing(path, files, qt):
            print(f"{path.relative_to(ROOT)}:{line}: {name}: include {' or '.join(headers) or '(unknown: name its header)'}")
            count += 1
        for line, include in misplaced(path, files):
            if path not in MUTUAL:
                print(f"{path.relative_to(ROOT)}:{line}: {include}: below code")
                count += 1
    print(f"includes: {len(paths)} files, {count} findings")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
