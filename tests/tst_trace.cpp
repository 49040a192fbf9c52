// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qfile.h>
#include <QtCore/qjsonarray.h>
#include <QtCore/qjsondocument.h>
#include <QtCore/qjsonobject.h>
#include <QtCore/qtemporarydir.h>

#include <algorithm>

namespace {

/// The events of a file of a given kind.
std::vector<QJsonObject> events(const QString &path, const QString &kind)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return {};
    std::vector<QJsonObject> found;
    const QJsonArray all = QJsonDocument::fromJson(file.readAll()).array();
    for (const QJsonValue &event : all) {
        if (event[u"ph"_s] == kind)
            found.push_back(event.toObject());
    }
    return found;
}

/// The name of the span at that time.
QString span_at(const std::vector<QJsonObject> &spans, double time)
{
    for (const QJsonObject &span : spans) {
        const double begin = span[u"ts"_s].toDouble();
        if (begin <= time && time <= begin + span[u"dur"_s].toDouble())
            return span[u"name"_s].toString();
    }
    return {};
}

} // namespace

/// The trace file.
class tst_trace : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void hasASpanForEachStepAndArrowsToThoseThatWereWoken()
    {
        const QTemporaryDir folder;
        const QString path = folder.filePath(u"trace.json"_s);
        QAsyncioLoop loop(virtual_time());
        loop.start_trace(path);
        Future<> future = loop.create_future<>();
        const int line = __LINE__ + 1;
        const auto woken = [&]() -> Coroutine<> { co_await future; };
        const auto waker = [&]() -> Coroutine<> {
            co_await sleep(1s);
            future.set_result();
        };
        Task<> one = loop.create_task(woken(), TaskOptions().name(u"woken"_s));
        Task<> other = loop.create_task(waker(), TaskOptions().name(u"waker"_s));
        loop.run_until_complete(one);
        loop.stop_trace();
        loop.call_soon([] { });
        run_once(loop);
        loop.close();

        const std::vector<QJsonObject> spans = events(path, u"X"_s);
        QStringList names;
        for (const QJsonObject &span : spans) {
            names << span[u"name"_s].toString();
            QVERIFY(span[u"dur"_s].toDouble() >= 0);
            QCOMPARE(span[u"pid"_s].toInteger(), QCoreApplication::applicationPid());
        }
        QCOMPARE(names.filter(u"woken"_s).size(), 2);
        QCOMPARE(names.filter(u"waker"_s).size(), 2);
        const auto resumed = std::find_if(
            spans.rbegin(), spans.rend(),
            [](const QJsonObject &span) { return span[u"name"_s] == u"woken"_s; });
        QCOMPARE((*resumed)[u"args"_s][u"resumed at"_s].toString(),
                 u"%1:%2"_s.arg(QString::fromUtf8(__FILE__)).arg(line));

        const std::vector<QJsonObject> begins = events(path, u"s"_s);
        const std::vector<QJsonObject> ends = events(path, u"f"_s);
        QStringList arrows;
        for (const QJsonObject &end : ends) {
            for (const QJsonObject &begin : begins) {
                if (begin[u"id"_s] == end[u"id"_s])
                    arrows << span_at(spans, begin[u"ts"_s].toDouble()) + u" > "_s
                            + span_at(spans, end[u"ts"_s].toDouble());
            }
        }
        QVERIFY(arrows.contains(u"waker > woken"_s));
        QVERIFY(!arrows.contains(u"woken > waker"_s));
    }

    void itEndsWithTheLoop()
    {
        const QTemporaryDir folder;
        const QString path = folder.filePath(u"trace.json"_s);
        QAsyncioLoop loop(virtual_time());
        loop.start_trace(path);
        loop.call_soon([&] { loop.start_trace(path); }); // begins anew, in a step of the one before
        loop.call_soon([] { });
        run_once(loop);
        loop.close();
        QCOMPARE(events(path, u"X"_s).size(), std::size_t(1));
        QVERIFY_THROWS_EXCEPTION(RuntimeError, loop.start_trace(path));
    }

    void aFileThatCannotBeWrittenIsRefused()
    {
        QAsyncioLoop loop(virtual_time());
        QVERIFY_THROWS_EXCEPTION(OSError, loop.start_trace(u"/nowhere/trace.json"_s));
        loop.stop_trace();
        loop.close();
    }
};

QTEST_GUILESS_MAIN(tst_trace)
#include "tst_trace.moc"
