// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/wait_until.h"

#include <QtCore/qthread.h>

namespace QAsyncio::detail {

void check_property_owner(const QObject *object)
{
    if (!object)
        throw ValueError(QStringLiteral("wait_until: the object is null"));
    if (object->thread() != QThread::currentThread())
        throw ValueError(QStringLiteral("wait_until: the object lives in another thread"));
}

} // namespace QAsyncio::detail
