// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

// Everything that depends on the compiler. What users need to know of it is in docs/compilers.md.

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

// Thread-local variables that a library exports and others read without a call. initial-exec: no call to find them. Some 300
// bytes in all, which fit into the reserve that the loader keeps for libraries opened later.
#ifdef __linux__
#  define QASYNCIO_EXPORTED_TLS 1
#  define QASYNCIO_INITIAL_EXEC __attribute__((tls_model("initial-exec")))
#else
#  define QASYNCIO_EXPORTED_TLS 0
#  define QASYNCIO_INITIAL_EXEC
#endif

// Symmetric transfer without growing the stack needs tail calls. clang makes them for coroutines at every level; g++ does
// with -O2, or below with -foptimize-sibling-calls (which our CMake target passes on), but never under a sanitizer
// (GCC PR94794, PR100897). There, a step of a task goes from frame to frame in a loop instead. Held by
// tst_unwind and tst_coroutine.
#if defined(__GNUC__) && !defined(__clang__) && QASYNCIO_SANITIZED
#  define QASYNCIO_TAIL_CALLS 0
#else
#  define QASYNCIO_TAIL_CALLS 1
#endif

// g++ before 13 destroys captures and aggregate members twice in await expressions (GCC PR99576 and its family). Closures
// that would be hit are refused at compile time. Held by scripts/test --lint (tests/tooling/refused.cpp).
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#  define QASYNCIO_GCC12_AWAIT_FAULTS 1
#else
#  define QASYNCIO_GCC12_AWAIT_FAULTS 0
#endif
