// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
//
// Empty: CMake compiles the headers for a target, and a target has a source.
