// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/shield.h"

namespace QAsyncio::detail {

namespace {

/// "ValueError" of "ValueError: no such name".
QString type_of(const std::exception_ptr &exception)
{
    const QString text = describe(exception);
    return text.left(text.indexOf(QLatin1String(": ")));
}

void report_failure(AnyFuture inner)
{
    if (inner.cancelled() || !inner.exception())
        return;
    ExceptionContext report;
    report.exception = inner.exception();
    report.message = type_of(report.exception) + QStringLiteral(" exception in shielded future");
    report.future = inner;
    inner.get_loop().call_exception_handler(report);
}

} // namespace

void leave_shielded(DoneListener &listener, AnyFuture inner)
{
    if (inner.done())
        return;
    listener.stop_listening();
    // Once, however many shields there were.
    quint16 &flags = FutureAccess::state(inner)->flags;
    if (flags & FutureStateBase::ShieldReports)
        return;
    flags |= FutureStateBase::ShieldReports;
    inner.add_done_callback(report_failure);
}

} // namespace QAsyncio::detail
