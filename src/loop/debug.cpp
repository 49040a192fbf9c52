// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/debug.h"

namespace QAsyncio {

QDebug detail::write_text(QDebug debug, const QString &text)
{
    const QDebugStateSaver saver(debug);
    debug.noquote() << text;
    return debug;
}

QDebug operator<<(QDebug debug, const ExceptionContext &context)
{
    QString text = context.message;
    if (context.exception)
        text += QStringLiteral(": ") + describe(context.exception);
    if (context.task)
        text += u' ' + context.task.to_string();
    else if (context.future)
        text += u' ' + context.future.to_string();
    if (context.handle)
        text += u' ' + context.handle.to_string();
    return detail::write_text(std::move(debug), text);
}

QDebug operator<<(QDebug debug, ReturnWhen when)
{
    switch (when) {
    case ReturnWhen::FirstCompleted:
        return detail::write_text(std::move(debug), QStringLiteral("FIRST_COMPLETED"));
    case ReturnWhen::FirstException:
        return detail::write_text(std::move(debug), QStringLiteral("FIRST_EXCEPTION"));
    case ReturnWhen::AllCompleted:
        return detail::write_text(std::move(debug), QStringLiteral("ALL_COMPLETED"));
    }
    return detail::write_text(std::move(debug), QStringLiteral("ReturnWhen(%1)").arg(static_cast<int>(when)));
}

} // namespace QAsyncio

QDebug operator<<(QDebug debug, const QAsyncioLoop &loop)
{
    return QAsyncio::detail::write_text(std::move(debug), loop.to_string());
}
