// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
pragma Singleton
import QtQuick

// Colours, sizes and fonts, in one place.
QtObject {
    readonly property color background: "#f3f5f8"
    readonly property color card: "#ffffff"
    readonly property color border: "#e1e6ec"
    readonly property color track: "#e6ebf1"
    readonly property color stripe: "#f8fafc"
    readonly property color text: "#1b2530"
    readonly property color muted: "#64717f"
    readonly property color faint: "#97a3b0"
    readonly property color accent: "#2563c9"
    readonly property color accentDark: "#1d4fa3"
    readonly property color good: "#1f8a56"
    readonly property color warning: "#b7791f"
    readonly property color bad: "#c2373b"

    readonly property int margin: 16
    readonly property int spacing: 12
    readonly property int radius: 10

    readonly property int small: 12
    readonly property int normal: 13
    readonly property int large: 20
    readonly property string monospace: "monospace"

    function ofPhase(phase) {
        switch (phase) {
        case "Finished":
            return good
        case "Paused":
            return warning
        case "Failed":
            return bad
        case "Idle":
        case "Cancelling":
        case "Cancelled":
            return muted
        default:
            return accent
        }
    }
}
