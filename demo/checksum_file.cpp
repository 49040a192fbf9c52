// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "checksum_file.h"

#include <qasyncio/errors.h>

#include <QtCore/qdir.h>
#include <QtCore/qfileinfo.h>
#include <QtCore/qsavefile.h>

namespace Demo {

using namespace QAsyncio;

QByteArray checksum_line(const QByteArray &path, const QByteArray &digest)
{
    QByteArray name = path == "-" ? QByteArray("./-") : path; // "-" alone is standard input
    const bool escape = name.contains('\\') || name.contains('\n') || name.contains('\r');
    if (escape)
        name.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
    return (escape ? "\\" : "") + digest + "  " + name + '\n';
}

void write_checksum_file(const QString &file, std::shared_ptr<const Digests> digests,
                         std::shared_ptr<const std::atomic<bool>> cancelled)
{
    QDir().mkpath(QFileInfo(file).absolutePath());
    QSaveFile out(file);
    bool ok = out.open(QIODevice::WriteOnly);
    for (auto it = digests->begin(); ok && it != digests->end(); ++it) {
        if (cancelled->load(std::memory_order_relaxed))
            return; // QSaveFile throws away what was not committed
        const QByteArray line = checksum_line(it->first, it->second);
        ok = out.write(line) == line.size();
    }
    if (!ok || !out.commit())
        throw RuntimeError(QStringLiteral("%1: %2").arg(file, out.errorString()));
}

} // namespace Demo
