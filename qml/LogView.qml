// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Controls.Basic

// The log. It follows the last row, unless somebody has scrolled up to read.
ListView {
    id: view

    property bool following: true
    readonly property bool wide: width > 780

    function colorOf(kind) {
        switch (kind) {
        case "Error":
            return Theme.bad
        case "Skipped":
            return Theme.warning
        case "Added":
        case "Changed":
        case "Removed":
            return Theme.accent
        default:
            return Theme.muted
        }
    }

    clip: true
    reuseItems: true
    boundsBehavior: Flickable.StopAtBounds
    onMovementEnded: following = atYEnd
    onCountChanged: if (following) Qt.callLater(positionViewAtEnd) // when the new rows have been laid out
    onHeightChanged: if (following) positionViewAtEnd()

    ScrollBar.vertical: ScrollBar {
        onPressedChanged: if (!pressed) view.following = view.atYEnd
    }

    delegate: Rectangle {
        id: row

        required property int index
        required property string kind
        required property string name
        required property string detail

        readonly property bool isDigest: kind === "Hashed" || kind === "Added" || kind === "Changed"

        width: view.width
        height: 22
        color: index % 2 ? Theme.stripe : Theme.card

        Text {
            id: kindText
            x: Theme.spacing
            width: 66
            anchors.verticalCenter: parent.verticalCenter
            text: row.kind
            color: view.colorOf(row.kind)
            font.pixelSize: Theme.small
        }
        Text {
            id: nameText
            anchors.left: kindText.right
            anchors.right: detailText.left
            anchors.rightMargin: row.name === "" ? 0 : Theme.spacing
            anchors.verticalCenter: parent.verticalCenter
            textFormat: Text.PlainText
            elide: Text.ElideMiddle
            maximumLineCount: 1
            text: row.name
            color: Theme.text
            font.pixelSize: Theme.small
        }
        Text {
            id: detailText
            anchors.right: parent.right
            anchors.rightMargin: Theme.spacing + 8 // the scroll bar's
            anchors.verticalCenter: parent.verticalCenter
            width: row.name === "" ? view.width - kindText.width - 2 * Theme.spacing - 8
                                   : Math.min(implicitWidth, view.width * 0.6)
            textFormat: Text.PlainText
            elide: Text.ElideRight
            maximumLineCount: 1
            text: row.isDigest && !view.wide ? row.detail.substring(0, 16) + "…" : row.detail
            color: row.isDigest ? Theme.muted : view.colorOf(row.kind)
            font.pixelSize: row.isDigest ? 11 : Theme.small
            font.family: row.isDigest ? Theme.monospace : Qt.application.font.family
        }
    }
}
