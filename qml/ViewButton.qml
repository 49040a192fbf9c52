// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Templates as T

// One of a few views to choose from, with the number of its rows.
T.AbstractButton {
    id: button

    property int count: 0
    property color countColor: Theme.muted

    implicitWidth: row.implicitWidth + 24
    implicitHeight: 28
    checkable: true
    autoExclusive: true
    focusPolicy: Qt.TabFocus

    contentItem: Item {
        Row {
            id: row
            anchors.centerIn: parent
            spacing: 6
            Text {
                text: button.text
                color: button.checked ? Theme.text : Theme.muted
                font.pixelSize: Theme.small
                font.bold: button.checked
            }
            Text {
                text: button.count
                color: button.countColor
                font.pixelSize: Theme.small
            }
        }
    }
    background: Rectangle {
        radius: 7
        color: button.checked ? Theme.card : button.hovered ? Theme.stripe : "transparent"
        border.width: button.checked || button.visualFocus ? 1 : 0
        border.color: button.visualFocus ? Theme.accentDark : Theme.border
    }
}
