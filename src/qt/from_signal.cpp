// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/from_signal.h"

#include "qasyncio/signal_stream.h"
#include "qasyncio/wait_until.h"

#include "loop/loop_p.h"

#include <QtCore/qthread.h>

namespace QAsyncio::detail {

void throw_null_sender()
{
    throw ValueError(QStringLiteral("from_signal: the sender is null"));
}

void throw_stream_busy()
{
    throw RuntimeError(QStringLiteral("another task is awaiting this stream"));
}

void check_property_owner(const QObject *object)
{
    if (!object)
        throw ValueError(QStringLiteral("wait_until: the object is null"));
    if (object->thread() != QThread::currentThread())
        throw ValueError(QStringLiteral("wait_until: the object lives in another thread"));
}

void throw_not_connected()
{
    throw ValueError(QStringLiteral("from_signal: this signal cannot be connected"));
}

void check_stream(const LoopCore *core)
{
    if (!core)
        throw RuntimeError(QStringLiteral("this stream was moved from"));
    if (&get_running_loop().core() != core)
        throw RuntimeError(QStringLiteral("this stream belongs to another event loop"));
}

std::exception_ptr signal_disconnected()
{
    return std::make_exception_ptr(RuntimeError(QStringLiteral("the awaited signal was disconnected")));
}

std::exception_ptr sender_died()
{
    return std::make_exception_ptr(ObjectDestroyedError(QStringLiteral("the sender of the awaited signal was destroyed")));
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
