// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
import QtQuick

// A progress bar. A negative value: nobody knows yet, something wanders to and fro.
Rectangle {
    id: track

    property real value: 0
    property color barColor: Theme.accent

    implicitHeight: 8
    radius: height / 2
    color: Theme.track
    clip: true

    Rectangle {
        id: bar

        property real wander: 0

        height: parent.height
        radius: parent.radius
        color: track.barColor
        x: track.value < 0 ? wander * (track.width - width) : 0
        width: track.value < 0 ? track.width / 4 : Math.min(1, track.value) * track.width

        SequentialAnimation on wander {
            running: track.value < 0
            loops: Animation.Infinite
            NumberAnimation { from: 0; to: 1; duration: 900; easing.type: Easing.InOutQuad }
            NumberAnimation { from: 1; to: 0; duration: 900; easing.type: Easing.InOutQuad }
        }
    }
}
