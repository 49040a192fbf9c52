// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <QtCore/qbytearray.h>
#include <QtCore/qstring.h>

namespace Demo {

/// The command line.
struct Options
{
    // as the system has it: it need not be UTF-8
    QByteArray directory = QByteArrayLiteral("/usr/share/doc");
    QString output; // empty: default_checksum_file()
    bool smoke = false;
    QString screenshots; // with smoke; empty: none
    bool help = false;
    QString error; // what is wrong with it
};

Options read_options(int argc, char **argv);
QString usage();

/// Where the checksum file of a directory lies if nobody names another place: below
/// QStandardPaths::AppDataLocation.
QString default_checksum_file(const QByteArray &directory);

} // namespace Demo
