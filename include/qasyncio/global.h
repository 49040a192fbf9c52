// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <QtCore/qglobal.h>

/// Marks what the library exports. QASYNCIO_STATIC and QASYNCIO_BUILDING are set by CMake: the
/// former for everybody who links to a static library, the latter for the library itself.
#if defined(QASYNCIO_STATIC)
#  define QASYNCIO_EXPORT
#elif defined(QASYNCIO_BUILDING)
#  define QASYNCIO_EXPORT Q_DECL_EXPORT
#else
#  define QASYNCIO_EXPORT Q_DECL_IMPORT
#endif

// A forward declaration, for code that only names the loop. The class is QAsyncio::QAsyncioLoop;
// `class QAsyncioLoop;` in the global namespace would declare another one.
namespace QAsyncio {
class QAsyncioLoop;
}
using QAsyncio::QAsyncioLoop;
