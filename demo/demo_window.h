// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "frame_meter.h"
#include "hasher.h"

#include <QtQml/qqmlapplicationengine.h>

QT_BEGIN_NAMESPACE
class QQuickItem;
class QQuickWindow;
QT_END_NAMESPACE

namespace Demo {

/// The window (Main.qml of the module QAsyncioDemo) and what it shows.
class DemoWindow
{
public:
    /// Needs a running loop. Throws RuntimeError if the window cannot be made.
    DemoWindow(const QByteArray &directory, const QString &checksum_file);
    ~DemoWindow();
    Q_DISABLE_COPY_MOVE(DemoWindow)

    Hasher &hasher() { return m_hasher; }
    FrameMeter &meter() { return m_meter; }
    QQuickWindow &window() const { return *m_window; }
    /// By objectName; null if there is none.
    QQuickItem *item(const QString &name) const;

private:
    // The engine comes last: its bindings must not outlive what they look at.
    Hasher m_hasher;
    FrameMeter m_meter;
    QQmlApplicationEngine m_engine;
    QQuickWindow *m_window = nullptr;
};

} // namespace Demo
