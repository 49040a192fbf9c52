// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

// Everything that depends on the compiler. docs/compilers.md has what users need to know of it.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#  define QASYNCIO_SANITIZED 1
#elif defined(__has_feature)
#  if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#    define QASYNCIO_SANITIZED 1
#  endif
#endif
#ifndef QASYNCIO_SANITIZED
#  define QASYNCIO_SANITIZED 0
#endif

// Thread-local variables that the library exports. With the initial-exec model other libraries read
// them without a call. They have some 300 bytes in all, which fit into the space that the loader
// reserves for libraries that are opened later.
#ifdef __linux__
#  define QASYNCIO_EXPORTED_TLS 1
#  define QASYNCIO_INITIAL_EXEC __attribute__((tls_model("initial-exec")))
#else
#  define QASYNCIO_EXPORTED_TLS 0
#  define QASYNCIO_INITIAL_EXEC
#endif

// Symmetric transfer needs tail calls, or the stack grows. clang makes them for coroutines at every
// level; g++ does with -O2, or below that with -foptimize-sibling-calls (which our CMake target
// passes on), but never under a sanitizer (GCC PR94794, PR100897). There, a step of a task goes
// from frame to frame in a loop instead. Tested by tst_unwind and tst_coroutine.
#if defined(__GNUC__) && !defined(__clang__) && QASYNCIO_SANITIZED
#  define QASYNCIO_TAIL_CALLS 0
#else
#  define QASYNCIO_TAIL_CALLS 1
#endif

// g++ before 13 destroys captures and aggregate members twice in await expressions (GCC PR99576 and
// related ones). Closures that would be affected are refused at compile time. Tested by
// scripts/test --lint (tests/tooling/refused.cpp).
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#  define QASYNCIO_GCC12_AWAIT_FAULTS 1
#else
#  define QASYNCIO_GCC12_AWAIT_FAULTS 0
#endif
