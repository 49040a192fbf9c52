// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "loop/loop_p.h"

#include "qasyncio/detail/task/task_family.h"

#include <QtCore/qpointer.h>

namespace QAsyncio::detail {

/// Owns the tasks that have one particular QObject as their context object. The loop owns one of
/// these for each such object, until the object dies or the last of the tasks ends.
class ObjectOwner final : public TaskOwner
{
public:
    static ObjectOwner &of(LoopPrivate &loop, const QObject &object);

private:
    class Slot;

    ObjectOwner(LoopPrivate &loop, const QObject &object);
    void connect();
    void disconnected();
    void look_again();
    void object_died();
    void became_empty() override;
    void forget_if_unused();
    std::unique_ptr<ObjectOwner> take();

    LoopPrivate &m_loop;
    const QObject *const m_key;
    const QPointer<const QObject> m_object;
    QMetaObject::Connection m_connection;
    bool m_connected = false;
    // Inside connect(): connectNotify() may start tasks of the object, and these may end.
    bool m_connecting = false;
    bool m_ending = false;
};

} // namespace QAsyncio::detail
