// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Controls.Basic

// A button with the key that does the same.
Button {
    id: button

    property string key
    property bool primary: false

    readonly property color ink: !enabled ? Theme.faint : primary ? "white" : Theme.text

    implicitHeight: 36
    leftPadding: 16
    rightPadding: 16
    focusPolicy: Qt.TabFocus // a click leaves the keys to the window

    contentItem: Row {
        spacing: 8
        Text {
            anchors.verticalCenter: parent.verticalCenter
            text: button.text
            color: button.ink
            font.pixelSize: Theme.normal
            font.bold: true
        }
        Text {
            anchors.verticalCenter: parent.verticalCenter
            visible: text !== ""
            text: button.key
            color: button.ink
            opacity: 0.65
            font.pixelSize: Theme.small
        }
    }
    background: Rectangle {
        radius: 8
        border.width: button.visualFocus ? 2 : button.primary && button.enabled ? 0 : 1
        border.color: button.visualFocus ? Theme.accentDark : Theme.border
        color: {
            if (!button.enabled)
                return Theme.background
            if (button.primary)
                return button.down || button.hovered ? Theme.accentDark : Theme.accent
            return button.down ? Theme.track : button.hovered ? Theme.stripe : Theme.card
        }
    }
}
