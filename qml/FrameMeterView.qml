// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
import QtQuick

// Frames a second, the longest frame of each tenth of a second as a bar, and the longest of all, of the last five seconds.
Item {
    id: view

    required property var meter
    readonly property var history: meter.history

    // What a person notices: nothing below three frames, a hitch, a stall.
    function colorOf(milliseconds) {
        return milliseconds < 50 ? Theme.good : milliseconds < 100 ? Theme.warning : Theme.bad
    }

    implicitWidth: 190
    implicitHeight: 34

    Row {
        anchors.right: parent.right
        anchors.verticalCenter: parent.verticalCenter
        spacing: Theme.spacing

        Heartbeat {
            anchors.verticalCenter: parent.verticalCenter
            color: view.colorOf(view.meter.longestFrame)
        }
        Row {
            id: bars
            anchors.verticalCenter: parent.verticalCenter
            height: 26
            spacing: 1
            visible: view.width > 400
            Repeater {
                model: view.history.length
                Rectangle {
                    required property int index
                    readonly property real milliseconds: view.history[index]
                    anchors.bottom: bars.bottom
                    width: 2
                    height: Math.max(1, Math.min(1, milliseconds / 100) * bars.height)
                    color: view.colorOf(milliseconds)
                }
            }
        }
        Column {
            anchors.verticalCenter: parent.verticalCenter
            spacing: 2
            Text {
                text: view.meter.fps + " frames per second"
                color: Theme.text
                font.pixelSize: Theme.small
            }
            Text {
                width: 170
                text: "longest " + view.meter.longestFrame + " ms, loop " + view.meter.longestTurn + " ms"
                color: Theme.muted
                font.pixelSize: Theme.small
            }
        }
    }
}
