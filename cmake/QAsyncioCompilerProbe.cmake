# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT

# Older ones lack what the headers are written with: they would answer with pages of errors.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 15
        OR CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
    message(FATAL_ERROR
        "QAsyncio needs g++ 12 or clang 15 at least (clang 19 is the one that is tested), and this is "
        "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}. docs/compilers.md of QAsyncio says more. Another compiler "
        "is chosen by -DCMAKE_CXX_COMPILER=clang++-19, in a fresh build folder.")
endif()

# Runs compiler_probe.cpp once. If it counts more destructions than constructions, the compiler miscompiles
# ordinary await expressions: QASYNCIO_GCC12_COROUTINE_BUGS is set and the user is told. A run decides, not the
# version, because distributions carry backports. Off: -DQASYNCIO_COMPILER_PROBE=OFF.
if(QASYNCIO_COMPILER_PROBE AND NOT CMAKE_CROSSCOMPILING AND NOT DEFINED QASYNCIO_GCC12_COROUTINE_BUGS)
    message(CHECK_START "Checking how the compiler treats temporaries in await expressions")
    try_run(QASYNCIO_PROBE_RUN QASYNCIO_PROBE_COMPILED
        SOURCES "${CMAKE_CURRENT_LIST_DIR}/compiler_probe.cpp"
        CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON
        RUN_OUTPUT_VARIABLE qasyncio_probe_faults)
    if(NOT QASYNCIO_PROBE_COMPILED)
        message(CHECK_FAIL "the probe does not compile; is this a C++20 compiler?")
    elseif(QASYNCIO_PROBE_RUN STREQUAL "0")
        message(CHECK_PASS "right")
        set(QASYNCIO_GCC12_COROUTINE_BUGS OFF CACHE INTERNAL "The compiler miscompiles await expressions")
    else()
        string(STRIP "${qasyncio_probe_faults}" qasyncio_probe_faults)
        message(CHECK_FAIL "wrong (${qasyncio_probe_faults})")
        set(QASYNCIO_GCC12_COROUTINE_BUGS ON CACHE INTERNAL "The compiler miscompiles await expressions")
        message(WARNING
            "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} destroys some temporaries of an await "
            "expression twice, without any compile-time message. QAsyncio's own calls are safe with it, but code "
            "such as `co_await f([text] {...})` or `co_await Options{text}` is not. docs/compilers.md of QAsyncio "
            "lists what to avoid and what to write instead. -DQASYNCIO_COMPILER_PROBE=OFF silences this.")
    endif()
endif()
