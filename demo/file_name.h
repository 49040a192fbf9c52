// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <QtCore/qbytearray.h>
#include <QtCore/qstring.h>

namespace Demo {

/// A file name for people. Names are bytes: what is not UTF-8 is shown as \xNN, control characters
/// as \n or \xNN, so that every name is one line and no two rows look alike by accident.
QString display_name(const QByteArray &name);

/// "136.2 MB"
QString display_size(qint64 bytes);

/// "4 975"
QString display_number(qint64 number);

} // namespace Demo
