// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/errors.h"

#include <exception>

namespace QAsyncio::detail {

/// How a loop treats an exception.
struct ExceptionKind
{
    enum Value {
        None,         // null
        Ordinary,     // kept in its future, or reported
        Cancellation, // CancelledError
        Exit,         // LoopExit
        Interrupt,    // KeyboardInterrupt
    };

    Value value = None;
    QString message;   // of a CancelledError
    int exit_code = 0; // of the program: for Exit and Interrupt

    /// It ends the run and is rethrown afterwards.
    bool leaves_loop() const { return value == Exit || value == Interrupt; }
};

ExceptionKind kind_of(const std::exception_ptr &exception);

inline bool is_cancellation(const std::exception_ptr &exception)
{
    return kind_of(exception).value == ExceptionKind::Cancellation;
}
inline bool leaves_loop(const std::exception_ptr &exception)
{
    return kind_of(exception).leaves_loop();
}

} // namespace QAsyncio::detail
