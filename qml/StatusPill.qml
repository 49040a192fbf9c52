// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
import QtQuick

// What is going on, in a few words.
Rectangle {
    id: pill

    property string text
    property color ink: Theme.accent

    implicitWidth: row.implicitWidth + 24
    implicitHeight: 28
    radius: height / 2
    color: Qt.rgba(ink.r, ink.g, ink.b, 0.10)

    Row {
        id: row
        anchors.centerIn: parent
        spacing: 8
        Rectangle {
            anchors.verticalCenter: parent.verticalCenter
            width: 8
            height: 8
            radius: 4
            color: pill.ink
        }
        Text {
            anchors.verticalCenter: parent.verticalCenter
            text: pill.text
            color: pill.ink
            font.pixelSize: Theme.normal
            font.bold: true
        }
    }
}
