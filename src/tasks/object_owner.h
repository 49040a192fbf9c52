// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "loop/loop_p.h"

#include "qasyncio/detail/task/task_family.h"

#include <QtCore/qpointer.h>

namespace QAsyncio::detail {

/// The tasks that have one QObject as their context object. The loop has one of these for each such object; it goes with the
/// object or with the last task.
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
    bool m_connecting = false; // connectNotify() may run; it may start tasks of the object, and see them end
    bool m_ending = false;
};

} // namespace QAsyncio::detail
