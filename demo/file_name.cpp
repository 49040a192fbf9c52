// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "file_name.h"

#include <QtCore/qlocale.h>
#include <QtCore/qstringconverter.h>

namespace Demo {

namespace {

QString escaped(uint code)
{
    if (code == '\n')
        return QStringLiteral("\\n");
    if (code < 0x100)
        return QStringLiteral("\\x%1").arg(code, 2, 16, QLatin1Char('0'));
    return QStringLiteral("\\u%1").arg(code, 4, 16, QLatin1Char('0'));
}

bool is_invisible(QChar c)
{
    const QChar::Category category = c.category();
    return category == QChar::Other_Control || category == QChar::Other_Format
        || category == QChar::Separator_Line || category == QChar::Separator_Paragraph;
}

} // namespace

QString display_name(const QByteArray &name)
{
    QStringDecoder decoder(QStringDecoder::Utf8, QStringDecoder::Flag::Stateless);
    const QString text = decoder(name);
    QString result;
    if (decoder.hasError()) {
        for (const char byte : name) {
            const auto code = static_cast<uchar>(byte);
            result += code < 0x20 || code >= 0x7f ? escaped(code) : QString(QLatin1Char(byte));
        }
        return result;
    }
    for (const QChar c : text)
        result += is_invisible(c) ? escaped(c.unicode()) : QString(c);
    return result;
}

QString display_size(qint64 bytes)
{
    return QLocale::c().formattedDataSize(bytes, 1, QLocale::DataSizeSIFormat);
}

QString display_number(qint64 number)
{
    QString digits = QString::number(number);
    for (qsizetype i = digits.size() - 3; i > 0; i -= 3)
        digits.insert(i, QChar(0x202f)); // narrow no-break space
    return digits;
}

} // namespace Demo
