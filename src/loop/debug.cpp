// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/debug.h"

#include "base/seconds.h"

#include <QtCore/qstringlist.h>

namespace QAsyncio {

using detail::in_seconds;

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

namespace {

QString text_of(ReturnWhen when)
{
    switch (when) {
    case ReturnWhen::FirstCompleted:
        return QStringLiteral("FIRST_COMPLETED");
    case ReturnWhen::FirstException:
        return QStringLiteral("FIRST_EXCEPTION");
    case ReturnWhen::AllCompleted:
        return QStringLiteral("ALL_COMPLETED");
    }
    return QStringLiteral("ReturnWhen(%1)").arg(static_cast<int>(when));
}

/// "<Name", a word for each that is there, ">"
QString text_of_options(const QString &name, QStringList words)
{
    words.removeAll(QString());
    words.prepend(name);
    return u'<' + words.join(u' ') + u'>';
}

QString word_if(bool there, const char *word)
{
    return there ? QString::fromLatin1(word) : QString();
}

} // namespace

QDebug operator<<(QDebug debug, ReturnWhen when)
{
    return detail::write_text(std::move(debug), text_of(when));
}

QString TaskOptions::to_string() const
{
    return text_of_options(QStringLiteral("TaskOptions"),
                           {m_name.isEmpty() ? QString() : QStringLiteral("name='%1'").arg(m_name),
                            word_if(m_has_object || m_context, "context=set"),
                            word_if(m_detached, "detached"), word_if(m_eager, "eager_start")});
}

QString LoopOptions::to_string() const
{
    return text_of_options(QStringLiteral("LoopOptions"),
                           {word_if(bool(m_selector), "selector=set"),
                            word_if(bool(m_clock), "clock=set"), word_if(m_strict, "strict"),
                            word_if(m_precise_timers, "precise_timers"),
                            QStringLiteral("time_slice=") + in_seconds(m_time_slice, 6),
                            QStringLiteral("quit_deadline=") + in_seconds(m_quit_deadline)});
}

QString RunnerOptions::to_string() const
{
    return text_of_options(
        QStringLiteral("RunnerOptions"),
        {m_debug ? QString::fromLatin1(*m_debug ? "debug=true" : "debug=false") : QString(),
         word_if(bool(m_factory), "loop_factory=set"),
         m_cleanup_limit == std::chrono::minutes(5)
             ? QString()
             : QStringLiteral("cleanup_limit=") + in_seconds(m_cleanup_limit)});
}

QString WaitOptions::to_string() const
{
    return text_of_options(
        QStringLiteral("WaitOptions"),
        {m_timeout ? QStringLiteral("timeout=") + in_seconds(*m_timeout) : QString(),
         QStringLiteral("return_when=") + text_of(m_return_when)});
}

QString VirtualClock::to_string() const
{
    return QStringLiteral("<VirtualClock now=%1>").arg(in_seconds(m_now.time_since_epoch()));
}

} // namespace QAsyncio

QDebug operator<<(QDebug debug, const QAsyncioLoop &loop)
{
    return QAsyncio::detail::write_text(std::move(debug), loop.to_string());
}
