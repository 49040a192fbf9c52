// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <QtCore/qbytearray.h>
#include <QtCore/qstring.h>

#include <atomic>
#include <map>
#include <memory>

namespace Demo {

/// SHA-256 as 64 hexadecimal digits, by path.
using Digests = std::map<QByteArray, QByteArray>;

/// A line as sha256sum writes and reads it, with its escapes for names that hold a line break or a
/// backslash.
QByteArray checksum_line(const QByteArray &path, const QByteArray &digest);

/// Writes a file for `cd DIRECTORY && sha256sum -c FILE`, sorted by name. The file is replaced as a
/// whole or not at all, and not at all once `cancelled` is set. Blocks: for a worker thread. Throws
/// RuntimeError.
void write_checksum_file(const QString &file, std::shared_ptr<const Digests> digests,
                         std::shared_ptr<const std::atomic<bool>> cancelled);

} // namespace Demo
