# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Copies of the tree in build/mutants, in which one mutant after the other is built."""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
WORK = ROOT / "build/mutants"
TIMEOUT = 30    # seconds for one test program; the longest that a good one takes is far below


class Copy:
    """A copy of the tree in which one mutant after the other is built."""

    compiler_options = ("-DCMAKE_CXX_COMPILER=g++",)
    test_environment = {}

    def __init__(self, name):
        self.source = WORK / str(name) / "src"
        self.build_folder = WORK / str(name) / "build"

    def run(self, *command, cwd=None):
        """(succeeded, output) of a command run in the copy."""
        # Two copies build much the same: ccache shall see that.
        environment = dict(os.environ, CCACHE_BASEDIR=str(self.source.parent), CCACHE_NOHASHDIR="1", LC_ALL="C.UTF-8")
        done = subprocess.run([str(part) for part in command], cwd=cwd or self.source, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
        return done.returncode == 0, done.stdout

    def restore(self):
        """Makes the copy equal to the tree. What is equal already is not touched: it is not to be built again."""
        listing = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                                 capture_output=True, text=True, check=True).stdout
        wanted = {name for name in listing.split("\0") if name and (ROOT / name).is_file()}
        self.source.mkdir(parents=True, exist_ok=True)
        for old in [p for p in self.source.rglob("*") if p.is_file()]:
            if str(old.relative_to(self.source)) not in wanted:
                old.unlink()
        for name in wanted:
            source, target = ROOT / name, self.source / name
            if not target.exists() or target.read_bytes() != source.read_bytes():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)

    def configure(self):
        return self.run(
            "cmake", "-S", self.source, "-B", self.build_folder, "-G", "Ninja", *self.compiler_options,
            "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O0", "-DQASYNCIO_BUILD_DEMO=OFF",
            "-DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON",    # a change of a header would compile them anew for one test or two
            "-DCMAKE_LINK_DEPENDS_NO_SHARED=ON",        # a changed library does not link all tests anew
            "-DQASYNCIO_BUILD_QML=OFF", "-DQASYNCIO_BUILD_BENCH=OFF", "-DQASYNCIO_BUILD_EXAMPLES=OFF",
            "-DQASYNCIO_WERROR=OFF", "-DQASYNCIO_COMPILER_PROBE=OFF",
            f"-DQASYNCIO_TEST_TIMEOUT={TIMEOUT}")

    def build(self, targets, jobs=1, *options):
        return self.run("cmake", "--build", self.build_folder, "-j", jobs, "--target", *targets, "--", *options)

    def build_beside(self, test):
        """(succeeded, output, program): compiles a test program anew, beside the one that ninja knows. Nothing else is built,
        though a header has changed; and what is there stays good."""
        program = self.build_folder / "tests" / f"{test}_mutant"
        done, output = self.run("ninja", "-C", self.build_folder, "-t", "commands", "-s", f"tests/{test}")
        link = output.strip().splitlines()[-1]
        compiled = self.build_folder / f"tests/CMakeFiles/{test}.dir/{test}.cpp.o"
        done, output = self.run("ninja", "-C", self.build_folder, "-t", "commands", "-s", compiled.relative_to(self.build_folder))
        compile_ = output.strip().splitlines()[-1]
        mutant = compiled.with_name("mutant.o")
        done, output = self.run("sh", "-c", _with_output(compile_, mutant), cwd=self.build_folder)
        if done:
            link = link.replace(str(compiled.relative_to(self.build_folder)), str(mutant))
            done, output = self.run("sh", "-c", _with_output(link, program), cwd=self.build_folder)
        return done, output, program


class FaultyCopy(Copy):
    """One whose sources have faults in them. They may lead to warnings, and into endless templates."""
    flags = "-w -ftemplate-depth=200"

    @property
    def compiler_options(self):
        return ["-DCMAKE_CXX_COMPILER=g++", f"-DCMAKE_CXX_FLAGS={self.flags}"]

    def configure_or_exit(self):
        done, output = self.configure()
        if not done:
            raise SystemExit(output)


class SanitizedBuild(FaultyCopy):
    """Another build of a copy, with the compiler, and for its tests the environment, of the preset asan."""
    compiler_options = []

    def __init__(self, copy):
        super().__init__(copy.source.parent.name)
        self.build_folder = copy.build_folder.with_name("asan")
        presets = json.loads((ROOT / "CMakePresets.json").read_text())
        variables = self._preset(presets["configurePresets"], "clang") | self._preset(presets["configurePresets"], "asan")
        self.compiler_options = [f"-DCMAKE_CXX_COMPILER={variables['CMAKE_CXX_COMPILER']}",
                                 f"-DCMAKE_CXX_FLAGS={variables['CMAKE_CXX_FLAGS']} {self.flags}"]
        known = {"${sourceDir}": str(ROOT), "$penv{PATH}": os.environ["PATH"]}
        self.test_environment = {
            key: re.sub(r"\$\w*\{\w+\}", lambda name: known[name[0]], value)
            for key, value in self._preset(presets["testPresets"], "asan", "environment").items()}

    @staticmethod
    def _preset(presets, name, part="cacheVariables"):
        return next(preset[part] for preset in presets if preset["name"] == name)


def _with_output(command, target):
    words = shlex.split(command)
    place = words.index("-o") + 1
    old = words[place]
    return command.replace(f"-o {old}", f"-o {shlex.quote(str(target))}")
