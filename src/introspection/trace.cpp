// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "introspection/trace.h"

#include "qasyncio/errors.h"

#include "introspection/awaited_by.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qjsondocument.h>

#include <algorithm>
#include <cerrno>

namespace QAsyncio::detail {

Trace::Trace(const QString &file, const LoopCore &core)
    : m_core(core), m_file(file), m_begun(std::chrono::steady_clock::now())
{
    if (!m_file.open(QIODevice::WriteOnly | QIODevice::Truncate))
        throw OSError(errno ? errno : EIO,
                      QStringLiteral("%1: %2").arg(file, m_file.errorString()));
    m_file.write("[\n");
}

Trace::~Trace()
{
    close();
}

void Trace::close()
{
    if (!m_file.isOpen())
        return;
    m_file.write("\n]\n");
    m_file.close();
}

Trace::Step Trace::begin(const Runnable &item)
{
    Step step;
    const auto *const task = dynamic_cast<const TaskStateBase *>(&item);
    step.name = task ? task->name() : item.describe();
    if (task)
        step.resumed_at = place_of(*task);
    step.queued = m_core.ready.size();
    const auto arrow = m_arrows.find(&item);
    if (arrow != m_arrows.end()) {
        step.arrow = arrow->second;
        m_arrows.erase(arrow);
    }
    step.begun = std::chrono::steady_clock::now();
    return step;
}

void Trace::end(const Step &step)
{
    if (!m_file.isOpen())
        return;
    const TimePoint now = std::chrono::steady_clock::now();
    QJsonObject span{{QStringLiteral("ph"), QStringLiteral("X")},
                     {QStringLiteral("name"), step.name},
                     {QStringLiteral("dur"),
                      std::chrono::duration<double, std::micro>(now - step.begun).count()}};
    if (step.resumed_at.line() != 0) {
        const QString place = QStringLiteral("%1:%2")
                                  .arg(QString::fromUtf8(step.resumed_at.file_name()))
                                  .arg(step.resumed_at.line());
        span.insert(QStringLiteral("args"), QJsonObject{{QStringLiteral("resumed at"), place}});
    }
    write(std::move(span), step.begun);
    const auto arrow = [this](const char *end, qint64 id, TimePoint when) {
        write({{QStringLiteral("ph"), QString::fromLatin1(end)},
               {QStringLiteral("name"), QStringLiteral("wakes")},
               {QStringLiteral("cat"), QStringLiteral("wakes")},
               {QStringLiteral("bp"), QStringLiteral("e")},
               {QStringLiteral("id"), id}},
              when);
    };
    if (step.arrow != 0)
        arrow("f", step.arrow, step.begun);
    // An arrow belongs to the span that its time lies in. The end of one may not, as a sum of two
    // numbers that were rounded.
    const TimePoint inside = step.begun + (now - step.begun) / 2;
    // What it has queued stands at the end of the queue. A nested event loop may have taken from
    // the queue meanwhile; then some arrows are missing.
    const std::size_t size = m_core.ready.size();
    for (std::size_t i = std::min(step.queued, size); i < size; ++i) {
        const auto [place, is_new] = m_arrows.try_emplace(m_core.ready.at(i), m_last_arrow + 1);
        if (is_new)
            arrow("s", ++m_last_arrow, inside);
    }
}

void Trace::write(QJsonObject event, TimePoint when)
{
    const std::chrono::duration<double, std::micro> time = when - m_begun;
    event.insert(QStringLiteral("ts"), time.count());
    event.insert(QStringLiteral("pid"), QCoreApplication::applicationPid());
    event.insert(QStringLiteral("tid"), static_cast<qint64>(m_core.thread_id));
    m_file.write(m_is_first ? "" : ",\n");
    m_is_first = false;
    m_file.write(QJsonDocument(event).toJson(QJsonDocument::Compact));
}

} // namespace QAsyncio::detail
