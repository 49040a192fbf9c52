// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
import QtQuick
import QtQuick.Controls.Basic
import QtQuick.Layouts

ApplicationWindow {
    id: window

    required property var hasher
    required property var meter

    readonly property color phaseColor: Theme.ofPhase(hasher.phase)

    width: 900
    height: 640
    minimumWidth: 640
    minimumHeight: 480
    visible: true
    title: "SHA-256 of " + hasher.directory
    color: Theme.background

    ColumnLayout {
        anchors.fill: parent
        anchors.margins: Theme.margin
        spacing: Theme.spacing
        focus: true

        Keys.onSpacePressed: (event) => { if (!event.isAutoRepeat) window.hasher.togglePause() }
        Keys.onEscapePressed: window.hasher.cancel()

        RowLayout {
            spacing: Theme.spacing

            ColumnLayout {
                spacing: 2
                Text {
                    text: "SHA-256 of every file"
                    color: Theme.text
                    font.pixelSize: Theme.large
                    font.bold: true
                }
                Text {
                    Layout.fillWidth: true
                    textFormat: Text.PlainText
                    elide: Text.ElideMiddle
                    maximumLineCount: 1
                    text: window.hasher.directory
                    color: Theme.muted
                    font.pixelSize: Theme.normal
                }
            }
            StatusPill {
                text: window.hasher.statusText
                ink: window.phaseColor
            }
        }

        Card {
            Layout.fillWidth: true
            implicitHeight: progress.implicitHeight + 2 * Theme.margin

            ColumnLayout {
                id: progress
                anchors.fill: parent
                anchors.margins: Theme.margin
                spacing: 8

                ProgressTrack {
                    Layout.fillWidth: true
                    value: window.hasher.progress
                    barColor: window.phaseColor
                }
                RowLayout {
                    spacing: Theme.spacing
                    Text {
                        Layout.fillWidth: true
                        elide: Text.ElideRight
                        text: window.hasher.countText
                        color: Theme.text
                        font.pixelSize: Theme.normal
                    }
                    Text {
                        text: window.hasher.rateText
                        color: Theme.text
                        font.pixelSize: Theme.normal
                        font.bold: true
                    }
                }
                ColumnLayout {
                    spacing: 3
                    Repeater {
                        model: window.hasher.workers
                        WorkerRow {
                            required property var model
                            Layout.fillWidth: true
                            name: model.name
                            size: model.size
                            fraction: model.fraction
                        }
                    }
                }
            }
        }

        RowLayout {
            spacing: 8
            ActionButton {
                objectName: "pauseButton"
                text: window.hasher.paused ? "Resume" : "Pause"
                key: "Space"
                primary: enabled
                enabled: window.hasher.canPause
                onClicked: window.hasher.togglePause()
            }
            ActionButton {
                objectName: "cancelButton"
                text: "Cancel"
                key: "Esc"
                enabled: window.hasher.canCancel
                onClicked: window.hasher.cancel()
            }
            ActionButton {
                objectName: "restartButton"
                text: "Restart"
                primary: !window.hasher.canPause
                enabled: window.hasher.canRestart
                onClicked: window.hasher.restart()
            }
            FrameMeterView {
                Layout.fillWidth: true
                meter: window.meter
            }
        }

        Card {
            Layout.fillWidth: true
            Layout.fillHeight: true

            Rectangle {
                id: tabs
                x: 1
                y: 1
                width: parent.width - 2
                height: 40
                radius: Theme.radius
                color: Theme.background

                Row {
                    x: 6
                    anchors.verticalCenter: parent.verticalCenter
                    spacing: 4
                    ViewButton {
                        id: allTab
                        objectName: "allTab"
                        text: "Log"
                        count: window.hasher.log.count
                        checked: true
                    }
                    ViewButton {
                        objectName: "problemsTab"
                        text: "Not hashed"
                        count: window.hasher.problems.count
                        countColor: count > 0 ? Theme.bad : Theme.muted
                    }
                }
            }
            Rectangle {
                anchors.top: tabs.bottom
                x: 1
                width: parent.width - 2
                height: 1
                color: Theme.border
            }
            LogView {
                anchors.fill: parent
                anchors.margins: 1
                anchors.topMargin: tabs.height + 2
                anchors.bottomMargin: Theme.radius / 2
                visible: allTab.checked
                model: window.hasher.log
            }
            LogView {
                anchors.fill: parent
                anchors.margins: 1
                anchors.topMargin: tabs.height + 2
                anchors.bottomMargin: Theme.radius / 2
                visible: !allTab.checked
                model: window.hasher.problems
            }
        }

        RowLayout {
            spacing: 6
            Text {
                text: window.hasher.fileText
                color: Theme.muted
                font.pixelSize: Theme.small
            }
            TextInput {
                Layout.fillWidth: true
                readOnly: true
                selectByMouse: true
                activeFocusOnPress: false
                clip: true
                text: window.hasher.checksumFile
                color: Theme.text
                font.pixelSize: Theme.small
            }
        }
    }
}
