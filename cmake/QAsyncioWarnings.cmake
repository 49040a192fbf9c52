# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT

# Compiler warnings of the project's own targets. Never handed on to users.
function(qasyncio_warnings target)
    # g++ 12 takes the empty storage of a std::function that it copies for uninitialised (GCC PR105562 and its kin).
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
    if(QASYNCIO_WERROR)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
endfunction()

# What most files of a target include is compiled once. Without the option ccache would never find it again.
function(qasyncio_precompile target header)
    target_precompile_headers(${target} PRIVATE ${header})
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)
endfunction()

# What a target and everything that links it must be compiled with.
# Below -O2 g++ makes no tail calls unless it is told to; without them a long chain of awaits overflows the stack. clang tells
# the alignment of a coroutine's frame only if it is asked to.
function(qasyncio_compiler_options target)
    get_target_property(type ${target} TYPE)
    set(scope PUBLIC)
    if(type STREQUAL "INTERFACE_LIBRARY")
        set(scope INTERFACE)
    endif()
    target_compile_features(${target} ${scope} cxx_std_20)
    target_compile_options(${target} ${scope} $<$<CXX_COMPILER_ID:GNU>:-foptimize-sibling-calls>
        $<$<CXX_COMPILER_ID:Clang,AppleClang>:-fcoro-aligned-allocation>)
endfunction()
