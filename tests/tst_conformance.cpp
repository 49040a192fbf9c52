// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "run.h"

#include <QtCore/qdir.h>
#include <QtCore/qfile.h>
#include <QtCore/qjsondocument.h>
#include <QtCore/qjsonobject.h>
#include <QtCore/qregularexpression.h>
#include <QtCore/qstringlist.h>
#include <QtTest/qtest.h>

#include <algorithm>

/// The recorded programs of the conformance language (conformance/README.md): each must do what it
/// did on CPython.
class tst_conformance : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void programsDoWhatTheyDidOnCPython_data();
    void programsDoWhatTheyDidOnCPython();
};

namespace {

/// "CancelledError?" is one with any message or none: see conformance/compare.py.
bool matches(const QString &expected, const QString &line)
{
    if (expected == line)
        return true;
    const QString any_message = QStringLiteral("CancelledError?");
    if (!expected.contains(any_message))
        return false;
    QString pattern = QRegularExpression::escape(expected);
    pattern.replace(QRegularExpression::escape(any_message),
                    QStringLiteral("CancelledError(: \\w+)?"));
    return QRegularExpression(QRegularExpression::anchoredPattern(pattern)).match(line).hasMatch();
}

bool matches(const QStringList &expected, const QStringList &lines)
{
    return std::equal(expected.begin(), expected.end(), lines.begin(), lines.end(),
                      [](const QString &one, const QString &other) { return matches(one, other); });
}

} // namespace

void tst_conformance::programsDoWhatTheyDidOnCPython_data()
{
    QTest::addColumn<QString>("path");
    const QDir folder(QStringLiteral(VECTORS));
    for (const QString &name :
         folder.entryList({QStringLiteral("*.jsonl")}, QDir::Files, QDir::Name))
        QTest::newRow(qPrintable(name)) << folder.filePath(name);
}

void tst_conformance::programsDoWhatTheyDidOnCPython()
{
    QFETCH(const QString, path);
    QFile file(path);
    QVERIFY(file.open(QIODevice::ReadOnly));
    int count = 0;
    int different = 0;
    while (!file.atEnd()) {
        const QByteArray text = file.readLine();
        const QJsonObject recorded = QJsonDocument::fromJson(text).object();
        QStringList expected;
        for (const QJsonValue &line : recorded[QLatin1String("trace")].toArray())
            expected << line.toString();
        Conformance::Run run;
        const QStringList trace = run.execute(recorded[QLatin1String("driver")].toArray());
        ++count;
        if (matches(expected, trace))
            continue;
        if (++different <= 3) {
            qWarning().noquote() << "Line" << count << "of" << path << "\n"
                                 << text << "\nCPython:\n " << expected.join(QStringLiteral("\n  "))
                                 << "\nQAsyncio:\n " << trace.join(QStringLiteral("\n  "));
        }
    }
    QVERIFY(count > 0);
    QCOMPARE(different, 0);
}

QTEST_GUILESS_MAIN(tst_conformance)

#include "tst_conformance.moc"
