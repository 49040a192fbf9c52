// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <QtCore/qbytearray.h>
#include <QtCore/qobject.h>

namespace Demo {

class Hasher;

// A directory with everything that is unpleasant in it, and with enough to do for a second. The
// functions throw OSError.

/// Fills an empty directory. Blocks.
void build_smoke_tree(const QByteArray &root);

/// QTemporaryDir would leave behind what QDir does not see: names that are not UTF-8.
void remove_smoke_tree(const QByteArray &root) noexcept;

/// Makes (again) the things that do not survive a run: see install_accidents().
void prepare_accidents(const QByteArray &root);
/// From now on things happen between the moment a file is found and the moment it is opened.
void install_accidents(const QByteArray &root, Hasher &hasher);

/// Writes a file, adds one, removes one, adds a directory, renames another.
void change_smoke_tree(const QByteArray &root);

} // namespace Demo
