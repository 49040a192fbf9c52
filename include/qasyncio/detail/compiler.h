// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

// Everything that depends on the compiler. What users need to know of it is in docs/compilers.md.

// Symmetric transfer without growing the stack needs tail calls. clang makes them for coroutines at every level; g++ does
// with -O2, or below with -foptimize-sibling-calls (which our CMake target passes on), but never under a sanitizer
// (GCC PR94794, PR100897). There, a step of a task goes from frame to frame in a loop instead. Held by tst_deep.
#if defined(__GNUC__) && !defined(__clang__) && (defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__))
#  define QASYNCIO_TAIL_CALLS 0
#else
#  define QASYNCIO_TAIL_CALLS 1
#endif

// g++ before 13 destroys captures and aggregate members twice in await expressions (GCC PR99576 and its family). Closures
// that would be hit are refused at compile time. Held by tests/tooling.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#  define QASYNCIO_GCC12_AWAIT_FAULTS 1
#else
#  define QASYNCIO_GCC12_AWAIT_FAULTS 0
#endif

// clang before 19 may keep locals of an inlined await_suspend in the coroutine's frame, which another thread or the
// callee may free meanwhile (LLVM #56301, #65018). Harmless elsewhere: the functions so marked are not hot.
#define QASYNCIO_AWAIT_SUSPEND Q_NEVER_INLINE
