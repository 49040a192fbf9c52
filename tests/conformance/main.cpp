// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// Runs programs of the conformance language (README.md) on QAsyncio: JSON lines in, JSON lines with
// their traces out.

#include "run.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qjsondocument.h>
#include <QtCore/qjsonobject.h>
#include <QtCore/qlogging.h>

#include <iostream>
#include <string>

int main(int argc, char **argv)
{
    const QCoreApplication app(argc, argv);
    qInstallMessageHandler([](QtMsgType type, const QMessageLogContext &, const QString &text) {
        if (type == QtFatalMsg)
            std::cerr << qPrintable(text) << std::endl;
    });
    for (std::string text; std::getline(std::cin, text);) {
        const QJsonObject program = QJsonDocument::fromJson(QByteArray::fromStdString(text))
                                        .object();
        Conformance::Run run;
        const QStringList trace = run.execute(program[QLatin1String("driver")].toArray());
        QJsonObject answer;
        answer[QLatin1String("id")] = program[QLatin1String("id")];
        answer[QLatin1String("trace")] = QJsonArray::fromStringList(trace);
        std::cout << QJsonDocument(answer).toJson(QJsonDocument::Compact).constData() << std::endl;
    }
    return 0;
}
