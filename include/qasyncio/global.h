// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <QtCore/qglobal.h>

#if defined(QASYNCIO_STATIC)
#  define QASYNCIO_EXPORT
#elif defined(QASYNCIO_BUILDING)
#  define QASYNCIO_EXPORT Q_DECL_EXPORT
#else
#  define QASYNCIO_EXPORT Q_DECL_IMPORT
#endif

// What only names the loop includes this file: it is not a class of the global namespace.
namespace QAsyncio {
class QAsyncioLoop;
}
using QAsyncio::QAsyncioLoop;
