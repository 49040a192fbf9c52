// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
import QtQuick

// A white sheet for things that belong together.
Rectangle {
    color: Theme.card
    radius: Theme.radius
    border.color: Theme.border
    border.width: 1
}
