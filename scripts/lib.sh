# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
# Shared by the commands of scripts/. Source it; it changes to the top of the source tree.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

jobs=$(nproc)
install_missing=yes    # --no-install sets it to no
export CCACHE_SLOPPINESS=pch_defines,time_macros    # what ccache asks for where headers are precompiled

# Debian 12 and Ubuntu 24.04 have all of these. A name that ends in ? is installed only where apt knows it.
packages_build="g++ cmake ninja-build ccache qt6-base-dev qt6-declarative-dev"
packages_test="python3 gdb"
packages_lint="clang-19 clang-format-19 clang-tools-19 clang-tidy-19"
packages_clang="clang-19"
packages_sanitizers="clang-19 libclang-rt-19-dev llvm-19"
packages_xcb="xvfb xauth"
packages_demo="fonts-dejavu-core? qml6-module-qtquick? qml6-module-qtquick-controls? qml6-module-qtquick-layouts? \
    qml6-module-qtquick-templates? qml6-module-qtquick-window? qml6-module-qtqml-workerscript?"
packages_bench="python3 valgrind python3-uvloop? pkg-config libboost1.81-dev? libuv1-dev? qcoro-qt6-dev?"

die() {
    echo "scripts/${0##*/}: FAILED: $*"
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_packages NAME...: installs those that are missing, and says so; silent if there is nothing to do.
install_packages() {
    local name missing=() wanted=()
    [ "$install_missing" = yes ] && command -v apt-get >/dev/null || return 0
    for name; do
        is_installed "${name%\?}" || missing+=("$name")
    done
    [ ${#missing[@]} = 0 ] && return 0
    for name in "${missing[@]}"; do     # an unknown name may only mean that the lists were never fetched
        if ! apt-cache show "${name%\?}" >/dev/null 2>&1; then
            as_root apt-get -qq update </dev/null || die "apt-get update failed"
            break
        fi
    done
    for name in "${missing[@]}"; do
        if apt-cache show "${name%\?}" >/dev/null 2>&1; then
            wanted+=("${name%\?}")
        elif [[ $name != *\? ]]; then
            die "apt knows no package $name; install it by hand, then use --no-install"
        fi
    done
    [ ${#wanted[@]} = 0 ] && return 0
    echo "Installing: ${wanted[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${wanted[@]}" \
        </dev/null >/dev/null || die "apt-get could not install: ${wanted[*]}"
}

# fetch_cpython: the CPython that tests/conformance/pyodide.mjs runs.
fetch_cpython() {
    [ -e build/pyodide/node_modules/pyodide ] && return
    [ "$install_missing" = yes ] || die "CPython 3.14 is not in build/pyodide, and --no-install forbids to fetch it (scripts/conformance --python does without)"
    command -v npm >/dev/null || install_packages nodejs npm
    echo "Fetching CPython 3.14 (npm's package pyodide) into build/pyodide"
    npm install --silent --no-audit --no-fund --prefix build/pyodide pyodide@314.0.7 >/dev/null ||
        die "npm could not fetch pyodide; --python python3 does without"
}

# build PRESET [TARGET...]: configures and builds.
build() {
    local preset=$1
    shift
    cmake --preset "$preset" && cmake --build --preset "$preset" -j "$jobs" ${1:+--target "$@"}
}
