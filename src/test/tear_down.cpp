// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/test.h"

#include "test/sigpipe.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qdeadlinetimer.h>
#include <QtCore/qdir.h>
#include <QtCore/qstringlist.h>
#include <QtCore/qthread.h>
#include <QtCore/qtimer.h>

#include <algorithm>
#include <limits>

#if defined(__has_feature)
#  if __has_feature(thread_sanitizer)
#    include <sanitizer/common_interface_defs.h>
#    define QASYNCIO_SYMBOLIZER
#  endif
#endif

namespace QAsyncio::Test {

namespace {

enum class Way { Cancel, DestroyContext, CloseLoop };

const char *name_of(Way way)
{
    switch (way) {
    case Way::Cancel:
        return "cancelled";
    case Way::DestroyContext:
        return "its context object destroyed";
    case Way::CloseLoop:
        return "its loop closed";
    }
    return "";
}

qsizetype open_descriptors()
{
    return QDir(QStringLiteral("/proc/self/fd"))
        .entryList(QDir::NoDotAndDotDot | QDir::AllEntries | QDir::System)
        .size();
}

/// clang's sanitizer starts a symbolizer process when it first needs the name of a function, even
/// for a suppressed report, and keeps two pipes to it. Started early, so that they do not count as
/// left open by the body.
void start_symbolizer()
{
#ifdef QASYNCIO_SYMBOLIZER
    char name[64];
    __sanitizer_symbolize_pc(__builtin_return_address(0), "%f", name, sizeof(name));
#endif
}

qsizetype objects_of_the_application()
{
    return QCoreApplication::instance()->findChildren<QObject *>().size();
}

/// One run of the body, ended after `step` steps.
class TearDown
{
public:
    static constexpr int undisturbed = std::numeric_limits<int>::max(); // as a step

    TearDown(Way way, int step, std::chrono::milliseconds patience,
             const std::source_location &where)
        : m_way(way), m_step(step), m_patience(patience), m_where(where),
          m_descriptors(open_descriptors()), m_objects(objects_of_the_application()),
          m_owned_loop(std::make_unique<QAsyncioLoop>(
              LoopOptions().clock(std::make_shared<VirtualClock>()))),
          m_loop(*m_owned_loop), m_core(m_loop.core()), m_context(std::make_unique<QObject>())
    {
        m_core.retain();
        m_loop.set_exception_handler([this](QAsyncioLoop &, const ExceptionContext &context) {
            if (!is_expected(context.message))
                fail(QStringLiteral("reported: %1: %2")
                         .arg(context.message, describe(context.exception)));
        });
    }
    ~TearDown() { m_core.release(); }
    Q_DISABLE_COPY_MOVE(TearDown)

    /// Returns true if the body was torn down, false if it ended by itself before.
    bool run(const std::function<Coroutine<>(QAsyncioLoop &)> &body)
    {
        QTimer watchdog;
        watchdog.setSingleShot(true);
        QObject::connect(&watchdog, &QTimer::timeout, [this] {
            fail(QStringLiteral("it does not end"));
            m_loop.stop();
        });
        watchdog.start(m_patience);
        try {
            m_task = m_loop.create_task(body(m_loop), TaskOptions().context(m_context.get()));
        } catch (...) {
            fail(QStringLiteral("it threw ") + describe(std::current_exception()));
            m_loop.close();
            return false;
        }
        detail::observe_callbacks(m_loop.core(), [this] { stepped(); });
        run_loop();
        detail::observe_callbacks(m_loop.core(), {});
        if (!m_closing) {
            settle();
            check_tasks();
        }
        m_closing = true;
        m_task = {};
        m_loop.close();
        return m_torn;
    }
    /// Waits until nothing of the run is left to be done, in this thread or in others.
    void finish()
    {
        m_context.reset();
        m_owned_loop.reset();
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        const QDeadlineTimer end(m_patience);
        while (!is_home() && !failed() && !end.hasExpired())
            QThread::msleep(1);
    }
    void check_leftovers()
    {
        if (!detail::drop_idle_executors())
            fail(QStringLiteral("a function still runs in a thread"));
        if (const qint64 left = m_core.references() - 1)
            fail(QStringLiteral("%1 futures, tasks or connections are left").arg(left));
        if (open_descriptors() != m_descriptors)
            fail(QStringLiteral("a descriptor is left open"));
        if (objects_of_the_application() > m_objects)
            fail(QStringLiteral("the application has got objects that are left"));
    }
    /// A fault was found: no need to go on.
    bool failed() const { return m_failed || QTest::currentTestFailed(); }

private:
    /// No thread has anything left to do with the loop.
    bool is_home() const { return m_core.references() == 1 && detail::drop_idle_executors(); }

    void fail(const QString &what)
    {
        if (std::exchange(m_failed, true) || QTest::currentTestFailed())
            return;
        const QString when = m_step == undisturbed
            ? QStringLiteral("undisturbed")
            : QStringLiteral("%1, after step %2").arg(QLatin1String(name_of(m_way))).arg(m_step);
        const QString text = QStringLiteral("%1: %2").arg(when, what);
        QTest::qFail(qPrintable(text), m_where.file_name(), static_cast<int>(m_where.line()));
    }

    bool is_expected(const QString &message) const
    {
        // Something had failed, and whoever waited for it was cancelled or unwound before it could
        // resume: nobody is left to retrieve the exception.
        if (m_torn && message.endsWith(QLatin1String(" exception was never retrieved")))
            return true;
        return m_closing
            && message.startsWith(QLatin1String("Task was destroyed but it is pending!"));
    }

    void stepped()
    {
        if (m_torn || m_task.done() || ++m_steps < m_step)
            return;
        m_torn = true;
        switch (m_way) {
        case Way::Cancel:
            m_task.cancel();
            break;
        case Way::DestroyContext:
            m_context.reset();
            break;
        case Way::CloseLoop:
            m_closing = true;
            m_loop.stop();
            break;
        }
    }

    void run_loop()
    {
        try {
            m_loop.run_until_complete(m_task);
        } catch (const CancelledError &) {
        } catch (...) {
            if (m_task.done())
                fail(QStringLiteral("it threw ") + describe(std::current_exception()));
        }
    }

    /// Lets callbacks that are under way arrive, and tasks that were cancelled clean up.
    void settle()
    {
        for (int turn = 0; turn < 5; ++turn) {
            m_loop.stop();
            run_on();
        }
        const TimePoint end = m_loop.time() + std::chrono::minutes(1);
        while (!m_failed && any_task_cleans_up() && m_loop.time() < end) {
            m_loop.call_later(std::chrono::milliseconds(100), [this] { m_loop.stop(); });
            run_on();
        }
    }
    void run_on()
    {
        try {
            m_loop.run_forever();
        } catch (...) { // LoopExit, KeyboardInterrupt
            fail(QStringLiteral("a task that it left threw ") + describe(std::current_exception()));
        }
    }
    bool any_task_cleans_up() const
    {
        const std::vector<AnyTask> tasks = m_loop.all_tasks();
        return std::any_of(tasks.begin(), tasks.end(),
                           [](const AnyTask &task) { return task.cancelling() > 0; });
    }

    void check_tasks()
    {
        QStringList names;
        for (AnyTask &task : m_loop.all_tasks())
            names << task.to_string();
        if (!names.isEmpty())
            fail(QStringLiteral("it left tasks behind: ") + names.join(QLatin1String(", ")));
    }

    const Way m_way;
    const int m_step;
    const std::chrono::milliseconds m_patience;
    const std::source_location m_where;
    const qsizetype m_descriptors;
    const qsizetype m_objects;
    int m_steps = 0;
    bool m_torn = false;
    bool m_closing = false;
    bool m_failed = false;
    std::unique_ptr<QAsyncioLoop> m_owned_loop;
    QAsyncioLoop &m_loop;
    detail::LoopCore &m_core;
    std::unique_ptr<QObject> m_context;
    Task<> m_task;
};

} // namespace

void tear_down_coroutine(const std::function<Coroutine<>(QAsyncioLoop &)> &body,
                         std::chrono::milliseconds patience, const std::source_location &where)
{
    take_sigpipe_from_qt_test();
    start_symbolizer();
    // A run that is not disturbed comes first, so that what is made only once exists.
    TearDown first(Way::Cancel, TearDown::undisturbed, patience, where);
    first.run(body);
    first.finish();
    if (first.failed())
        return;
    for (const Way way : {Way::Cancel, Way::DestroyContext, Way::CloseLoop}) {
        bool torn = true;
        for (int step = 1; torn; ++step) {
            TearDown run(way, step, patience, where);
            torn = run.run(body);
            run.finish();
            run.check_leftovers();
            if (run.failed())
                return;
        }
    }
}

} // namespace QAsyncio::Test
