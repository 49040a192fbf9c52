// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <QtCore/qbytearray.h>
#include <QtCore/qobject.h>

namespace Demo {

class Hasher;

/// Everything that is unpleasant in a directory, and enough to do for a second. All functions throw OSError.
class SmokeTree
{
public:
    /// Fills an empty directory. Blocks.
    static void build(const QByteArray &root);
    /// Things that happen between the moment a file is found and the moment it is opened.
    static void install_accidents(const QByteArray &root, Hasher &hasher);
    /// A file written, one added, one removed, a directory added, one moved.
    static void change(const QByteArray &root);
};

} // namespace Demo
