// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "options.h"

#include "file_name.h"

#include <QtCore/qdir.h>
#include <QtCore/qfile.h>
#include <QtCore/qstandardpaths.h>

namespace Demo {

Options read_options(int argc, char **argv)
{
    Options options;
    bool has_directory = false;
    const auto value_follows = [&](int i) { return i + 1 < argc && argv[i + 1][0] != '-'; };
    for (int i = 1; i < argc; ++i) {
        const QByteArray argument = argv[i];
        if (argument == "--help" || argument == "-h") {
            options.help = true;
        } else if (argument == "--smoke") {
            options.smoke = true;
            if (value_follows(i))
                options.screenshots = QFile::decodeName(argv[++i]);
        } else if (argument == "--output" && value_follows(i)) {
            options.output = QFile::decodeName(argv[++i]);
        } else if (argument.startsWith('-') || has_directory) {
            options.error = QStringLiteral("what is %1?").arg(display_name(argument));
        } else {
            options.directory = argument;
            has_directory = true;
        }
    }
    return options;
}

QString usage()
{
    return QStringLiteral(
        "usage: qasyncio-demo [--output FILE] [DIRECTORY]\n"
        "       qasyncio-demo --smoke [SCREENSHOTS] [DIRECTORY]\n"
        "\n"
        "Computes the SHA-256 of every file below DIRECTORY (default /usr/share/doc), and writes "
        "them to\n"
        "FILE for `sha256sum -c`.\n"
        "\n"
        "  --output FILE          where to; otherwise a file in the user's data directory, named "
        "in the window\n"
        "  --smoke [SCREENSHOTS]  drives the window without a hand, checks what comes out, exits 0 "
        "or 1;\n"
        "                         saves pictures of the window into the folder SCREENSHOTS\n");
}

QString default_checksum_file(const QByteArray &directory)
{
    const QByteArray path = QDir::isAbsolutePath(QFile::decodeName(directory))
        ? directory
        : QFile::encodeName(QDir::currentPath()) + '/' + directory;
    const QByteArray name = QByteArray(path).replace('/', '-').right(100).toPercentEncoding(" ");
    const QString folder = QStandardPaths::writableLocation(QStandardPaths::AppDataLocation);
    return QStringLiteral("%1/sha256%2.txt").arg(folder, QString::fromLatin1(name));
}

} // namespace Demo
