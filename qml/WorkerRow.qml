// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
import QtQuick

// A file that is being hashed.
Item {
    id: worker

    property string name
    property string size
    property real fraction: 0

    implicitHeight: 18

    Text {
        anchors.left: parent.left
        anchors.right: sizeText.left
        anchors.rightMargin: Theme.spacing
        anchors.verticalCenter: parent.verticalCenter
        textFormat: Text.PlainText
        elide: Text.ElideMiddle
        maximumLineCount: 1
        text: worker.name === "" ? "idle" : worker.name
        color: worker.name === "" ? Theme.faint : Theme.text
        font.pixelSize: Theme.small
    }
    Text {
        id: sizeText
        anchors.right: bar.left
        anchors.rightMargin: Theme.spacing
        anchors.verticalCenter: parent.verticalCenter
        text: worker.size
        color: Theme.muted
        font.pixelSize: Theme.small
    }
    ProgressTrack {
        id: bar
        anchors.right: parent.right
        anchors.verticalCenter: parent.verticalCenter
        width: Math.min(160, worker.width / 4)
        implicitHeight: 4
        visible: worker.name !== ""
        value: worker.fraction
    }
}
