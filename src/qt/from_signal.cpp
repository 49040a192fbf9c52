// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/from_signal.h"

#include "loop/loop_p.h"

#include <QtCore/qthread.h>

namespace QAsyncio::detail {

bool SignalSource::lives_here(const QObject &sender) noexcept
{
    return sender.thread() == QThread::currentThread();
}

QString SignalSource::describe() const
{
    const QString name = m_is_here ? m_sender->objectName() : QString();
    const QString text = QStringLiteral("signal %1 of %2")
                             .arg(QString::fromLatin1(m_method_of(m_signal).name()),
                                  QString::fromLatin1(m_class->className()));
    return name.isEmpty() ? text : text + QStringLiteral(" '%1'").arg(name);
}

void throw_null_sender(const char *function)
{
    throw ValueError(QStringLiteral("%1: the sender is null").arg(QLatin1String(function)));
}

void throw_not_connected(const char *function)
{
    throw ValueError(
        QStringLiteral("%1: this signal cannot be connected").arg(QLatin1String(function)));
}

std::exception_ptr signal_disconnected()
{
    return std::make_exception_ptr(
        RuntimeError(QStringLiteral("the awaited signal was disconnected")));
}

std::exception_ptr sender_died()
{
    return std::make_exception_ptr(
        ObjectDestroyedError(QStringLiteral("the sender of the awaited signal was destroyed")));
}

bool inherits_dialog(const QObject &object)
{
    return object.inherits("QDialog");
}

void dialog_awaited(LoopCore &core, const QObject *dialog, bool begins)
{
    static_cast<LoopPrivate &>(core).dialog_awaited(dialog, begins);
}

} // namespace QAsyncio::detail
