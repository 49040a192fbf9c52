// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
import QtQuick

// A dot that never rests: who sees it halt sees a window that stalls. It also makes the frames that the meter counts.
Item {
    id: heartbeat

    property color color: Theme.accent

    implicitWidth: 28
    implicitHeight: 8

    Rectangle {
        id: dot
        width: 8
        height: 8
        radius: 4
        color: heartbeat.color
        y: (heartbeat.height - height) / 2

        SequentialAnimation on x {
            loops: Animation.Infinite
            NumberAnimation { from: 0; to: 20; duration: 700; easing.type: Easing.InOutSine }
            NumberAnimation { from: 20; to: 0; duration: 700; easing.type: Easing.InOutSine }
        }
    }
}
