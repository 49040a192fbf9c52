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

struct ReportFailure
{
    void operator()(AnyFuture inner) const
    {
        if (inner.cancelled() || !inner.exception())
            return;
        ExceptionContext report;
        report.exception = inner.exception();
        report.message = type_of(report.exception) + QStringLiteral(" exception in shielded future");
        report.future = inner;
        inner.get_loop().call_exception_handler(report);
    }
};

/// Removes the report of a shield that was left earlier.
void remove_report(CallbackList &callbacks)
{
    callbacks.take_all([&](Runnable *callback) {
        if (dynamic_cast<DoneCallback<AnyFuture, ReportFailure> *>(callback))
            callback->discard();
        else
            callbacks.append(callback);
    });
}

} // namespace

void leave_shielded(DoneListener &listener, AnyFuture inner)
{
    if (inner.done())
        return;
    listener.stop_listening();
    remove_report(FutureAccess::state(inner)->callbacks); // the last one that is left reports
    inner.add_done_callback(ReportFailure());
}

} // namespace QAsyncio::detail
