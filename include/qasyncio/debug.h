// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/as_completed.h"
#include "qasyncio/async_generator.h"
#include "qasyncio/context.h"
#include "qasyncio/loop.h"
#include "qasyncio/loop_thread.h"
#include "qasyncio/outcome.h"
#include "qasyncio/race.h"
#include "qasyncio/run_coroutine_threadsafe.h"
#include "qasyncio/runner.h"
#include "qasyncio/signal_stream.h"
#include "qasyncio/task_group.h"
#include "qasyncio/timeout.h"
#include "qasyncio/wait.h"

#include <QtCore/qdebug.h>

#include <concepts>

/// Output to QDebug, `qDebug() << task`, for every class that has a to_string() and for the
/// exceptions of errors.h. The text is what to_string() gives, without quotation marks.
///
///     qDebug() << current_task();   // <Task pending name='Task-1' coro=<load() at page.cpp:12>>
///
/// \sa https://doc.qt.io/qt-6/qdebug.html

/// Writes `loop.to_string()`.
QASYNCIO_EXPORT QDebug operator<<(QDebug debug, const QAsyncioLoop &loop);

namespace QAsyncio {

namespace detail {
template<class T>
concept HasText = requires(const T &value) {
    { value.to_string() } -> std::same_as<QString>;
};
template<class T>
concept OurException = std::is_base_of_v<Error, T> || std::is_base_of_v<OSError, T>
    || std::is_same_v<T, CancelledError> || std::is_same_v<T, LoopExit>
    || std::is_same_v<T, KeyboardInterrupt> || std::is_same_v<T, GeneratorExit>;

/// Writes the text as it is, without quotation marks.
QASYNCIO_EXPORT QDebug write_text(QDebug debug, const QString &text);
} // namespace detail

/// Writes `value.to_string()`.
template<detail::HasText T>
QDebug operator<<(QDebug debug, const T &value)
{
    return detail::write_text(std::move(debug), value.to_string());
}

/// Writes the exception as describe() puts it: "ValueError: no such name".
template<detail::OurException E>
QDebug operator<<(QDebug debug, const E &exception)
{
    return detail::write_text(std::move(debug), describe(exception));
}

/// Writes the value ("<Outcome>" if T is void), or the exception as describe() puts it.
template<class T>
    requires(std::is_void_v<T> || requires(QDebug debug, const T &value) { debug << value; })
QDebug operator<<(QDebug debug, const Outcome<T> &outcome)
{
    if (!outcome.has_value())
        return detail::write_text(std::move(debug), describe(outcome.exception()));
    if constexpr (std::is_void_v<T>)
        return detail::write_text(std::move(debug), QStringLiteral("<Outcome>"));
    else
        return std::move(debug) << outcome.value();
}

/// Writes "<WaitResult done=... pending=...>", with the futures of both lists.
template<class F>
QDebug operator<<(QDebug debug, const WaitResult<F> &result)
{
    const QDebugStateSaver saver(debug);
    debug.nospace() << "<WaitResult done=" << result.done << " pending=" << result.pending << '>';
    return debug;
}

/// Writes "<RaceResult index=1 value=...>"; the value only if its type can be written.
template<class T>
QDebug operator<<(QDebug debug, const RaceResult<T> &result)
{
    const QDebugStateSaver saver(debug);
    debug.nospace() << "<RaceResult index=" << result.index;
    if constexpr (requires { debug << result.value; })
        debug << " value=" << result.value;
    debug << '>';
    return debug;
}

/// Writes "Task exception was never retrieved: ValueError: no such name <Task finished ...>".
QASYNCIO_EXPORT QDebug operator<<(QDebug debug, const ExceptionContext &context);
/// Writes "FIRST_COMPLETED", "FIRST_EXCEPTION" or "ALL_COMPLETED".
QASYNCIO_EXPORT QDebug operator<<(QDebug debug, ReturnWhen when);

} // namespace QAsyncio
