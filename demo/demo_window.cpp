// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "demo_window.h"

#include <qasyncio/errors.h>
#include <qasyncio/task.h>

#include <QtCore/qurl.h>
#include <QtQuick/qquickitem.h>
#include <QtQuick/qquickwindow.h>

namespace Demo {

using namespace QAsyncio;

DemoWindow::DemoWindow(const QByteArray &directory, const QString &checksum_file)
    : m_hasher(directory, checksum_file)
{
    m_engine.addImportPath(QStringLiteral("qrc:/qt/qml"));
    m_engine.setInitialProperties({{QStringLiteral("hasher"), QVariant::fromValue(&m_hasher)},
                                   {QStringLiteral("meter"), QVariant::fromValue(&m_meter)}});
    m_engine.load(QUrl(QStringLiteral("qrc:/qt/qml/QAsyncioDemo/Main.qml")));
    m_window = qobject_cast<QQuickWindow *>(m_engine.rootObjects().value(0));
    if (!m_window)
        throw RuntimeError(QStringLiteral(
            "the window cannot be made; are the QML modules of Qt Quick installed?"));
    m_meter.observe(m_window);
    create_task(m_meter.run(), TaskOptions().name(QStringLiteral("frame meter")).context(&m_meter));
    m_hasher.start();
}

DemoWindow::~DemoWindow() = default;

QQuickItem *DemoWindow::item(const QString &name) const
{
    return m_window->findChild<QQuickItem *>(name);
}

} // namespace Demo
