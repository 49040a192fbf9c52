// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <QtCore/qdir.h>
#include <QtCore/qlogging.h>
#include <QtCore/qscopeguard.h>
#include <QtCore/qstringlist.h>
#include <QtWidgets/qapplication.h>
#include <QtWidgets/qwidget.h>

#include <future>
#include <thread>

namespace {

int scenario(const QByteArray &name, int argc, char **argv)
{
    if (name == "app first") {
        auto app = std::make_unique<QApplication>(argc, argv);
        QAsyncioLoop loop;
        loop.call_later(1h, [] { });
        Pipe pipe;
        loop.add_reader(pipe.read_end(), [] { });
        auto task = loop.create_task([]() -> Coroutine<> { co_await sleep(1h); }());
        run_once(loop);
        app.reset();
        if (!loop.is_closed() || !task.cancelled())
            return 1;
        loop.close();
        return 0;
    }
    if (name == "two applications") {
        bool unwound = false;
        static bool unclosed = false;
        qInstallMessageHandler([](QtMsgType, const QMessageLogContext &, const QString &text) {
            unclosed |= text.contains(QStringLiteral("unclosed event loop"));
        });
        {
            QCoreApplication app(argc, argv);
            get_event_loop().create_task([](bool &unwound) -> Coroutine<> {
                const QScopeGuard end([&] { unwound = true; });
                co_await sleep(1h);
            }(unwound));
            run_once(get_event_loop());
        }
        if (!unwound || unclosed) // nobody else could have closed it
            return 1;
        QCoreApplication app(argc, argv);
        return get_event_loop().run_until_complete([]() -> Coroutine<int> {
            co_await sleep(1ms);
            co_return 18;
        }());
    }
    if (name == "no close") {
        QApplication app(argc, argv);
        NothingIsLeft::on_purpose = 1;
        static QAsyncioLoop *loop = new QAsyncioLoop;
        static Pipe pipe;
        loop->call_later(1h, [] { });
        loop->add_reader(pipe.read_end(), [] { });
        loop->create_task([]() -> Coroutine<> { co_await sleep(1h); }());
        run_once(*loop);
        return 0;
    }
    if (name == "attached") {
        QApplication app(argc, argv);
        get_event_loop().attach();
        get_event_loop().create_task([]() -> Coroutine<> { co_await sleep(1h); }());
        return 5; // without exec()
    }
    if (name == "no app to run in") {
        auto app = std::make_unique<QCoreApplication>(argc, argv);
        std::promise<void> made;
        std::promise<void> gone;
        QStringList errors;
        std::thread thread([&] {
            QAsyncioLoop loop; // one of the main thread would be closed with the application
            made.set_value();
            gone.get_future().wait();
            errors << error_in([&] { loop.run_forever(); }) << error_in([&] { loop.attach(); })
                   << error_in([] { get_event_loop(); });
            loop.close();
        });
        made.get_future().wait();
        app.reset();
        gone.set_value();
        thread.join();
        const QString needs = QStringLiteral(
            "RuntimeError: The event loop needs a QCoreApplication");
        const QString none = QStringLiteral(
            "RuntimeError: There is no current event loop in thread '");
        return errors[0] == needs && errors[1] == needs && errors[2].startsWith(none) ? 0 : 1;
    }
    if (name == "no app")
        return error_in([] {
                   QAsyncioLoop loop;
               }).startsWith(QStringLiteral("RuntimeError: QAsyncioLoop needs a"))
            ? 0
            : 1;
    if (name == "console") {
        QCoreApplication app(argc, argv);
        return QAsyncio::run(app, []() -> Coroutine<int> {
            co_await sleep(1ms);
            co_return 17;
        }());
    }
    return 99;
}

qsizetype open_descriptors()
{
    return QDir(QStringLiteral("/proc/self/fd"))
        .entryList(QDir::NoDotAndDotDot | QDir::AllEntries | QDir::System)
        .size();
}

} // namespace

/// Who may die before whom: application, loop, widgets; nothing is left behind.
class tst_lifetime : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // H-29
    void theApplicationMayGoBeforeTheLoopIsClosed()
    {
        SKIP_WITHOUT_PROCESSES();
        const ScenarioResult result = run_scenario(QStringLiteral("app first"));
        QVERIFY(!result.crashed);
        QCOMPARE(result.exit_code, 0);
    }

    // H-29
    void anotherApplicationGetsALoopOfItsOwn()
    {
        SKIP_WITHOUT_PROCESSES();
        const ScenarioResult result = run_scenario(QStringLiteral("two applications"));
        QVERIFY(!result.crashed);
        QCOMPARE(result.exit_code, 18);
    }

    // H-30
    void theProcessMayEndWithoutClose()
    {
        SKIP_WITHOUT_PROCESSES();
        const ScenarioResult result = run_scenario(QStringLiteral("no close"));
        QVERIFY(!result.crashed);
        QCOMPARE(result.exit_code, 0);
    }

    // H-29
    void theLoopOfTheMainThreadMayStillBeAttached()
    {
        SKIP_WITHOUT_PROCESSES();
        QCOMPARE(run_scenario(QStringLiteral("attached")).exit_code, 5);
    }

    // H-70
    void withoutAnApplicationThereIsNoLoop()
    {
        SKIP_WITHOUT_PROCESSES();
        QCOMPARE(run_scenario(QStringLiteral("no app")).exit_code, 0);
    }

    void withoutAnApplicationNoLoopRuns()
    {
        SKIP_WITHOUT_PROCESSES();
        QCOMPARE(run_scenario(QStringLiteral("no app to run in")).exit_code, 0);
    }

    // H-70
    void aConsoleProgramNeedsQtCoreOnly()
    {
        SKIP_WITHOUT_PROCESSES();
        QCOMPARE(run_scenario(QStringLiteral("console")).exit_code, 17);
    }

    // H-31
    void sixtyLoopsLeaveNothingBehind()
    {
        const auto use_a_loop = [] {
            QAsyncioLoop loop;
            Pipe pipe;
            loop.add_reader(pipe.read_end(), [] { });
            loop.call_later(1h, [] { });
            loop.run_until_complete([]() -> Coroutine<> { co_await sleep(1us); }());
            loop.close();
        };
        use_a_loop();
        const auto descriptors = open_descriptors();
        const auto objects = qApp->findChildren<QObject *>().size();
        for (int i = 0; i < 60; ++i)
            use_a_loop();
        QCOMPARE(open_descriptors(), descriptors);
        QCOMPARE(qApp->findChildren<QObject *>().size(), objects);
    }

    // H-62
    void aWidgetDeletedDuringItsCoroutinesAwait()
    {
        class Window : public QWidget
        {
        public:
            Coroutine<> load(QStringList &log)
            {
                struct Local
                {
                    QStringList &log;
                    ~Local() { log << "locals destroyed"; }
                } local{log};
                co_await sleep(1s);
                setWindowTitle(QStringLiteral("loaded")); // would touch a dead window
                log << "body went on";
            }
        };
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        auto window = std::make_unique<Window>();
        auto task = loop.create_task(window->load(log), TaskOptions().context(window.get()));
        loop.call_later(10ms, [&] {
            window.reset();
            log << "window destroyed";
        });
        QCOMPARE(error_in([&] { loop.run_until_complete(task); }), "CancelledError");
        QCOMPARE(log, QStringList({"locals destroyed", "window destroyed"})); // there and then
        loop.close();
    }

    // H-63
    void aSlotsTaskLivesAsLongAsItsReceiver()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        QObject button;
        auto receiver = std::make_unique<QObject>();
        connect(&button, &QObject::objectNameChanged, receiver.get(),
                [&, context = receiver.get()](const QString &name) {
                    loop.create_task(
                        [](QStringList &log, QString name) -> Coroutine<> {
                            log << name;
                            co_await sleep(1s);
                            log << name + QStringLiteral(" done");
                        }(log, name),
                        TaskOptions().context(context));
                });
        loop.call_soon([&] { button.setObjectName(QStringLiteral("first")); });
        loop.call_later(5s, [&] { button.setObjectName(QStringLiteral("second")); });
        loop.call_later(5500ms, [&] { receiver.reset(); });
        loop.call_later(6s, [&] { button.setObjectName(QStringLiteral("third")); });
        loop.call_later(10s, [&] { loop.stop(); });
        loop.run_forever();
        // Nobody held the first task, and it finished; the second died with its receiver; a third
        // never began.
        QCOMPARE(log, QStringList({"first", "first done", "second"}));
        QVERIFY(loop.all_tasks().empty());
        loop.close();
    }

    // H-62
    void anObjectAsTheLastMemberEndsTasksBeforeTheOtherMembers()
    {
        class Window : public QWidget
        {
        public:
            explicit Window(QStringList &log) : log(log) { }
            ~Window() override { log << "window"; }
            Coroutine<> load()
            {
                struct Guard
                {
                    Window &window;
                    ~Guard() { window.log << window.state; }
                } guard{*this};
                co_await sleep(1s);
            }
            QStringList &log;
            QString state = QStringLiteral("members alive");
            QObject tasks;
        };
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        auto window = std::make_unique<Window>(log);
        auto task = loop.create_task(window->load(), TaskOptions().context(&window->tasks));
        loop.call_later(10ms, [&] { window.reset(); });
        QCOMPARE(error_in([&] { loop.run_until_complete(task); }), "CancelledError");
        QCOMPARE(log, QStringList({"window", "members alive"}));
        loop.close();
    }
};

int main(int argc, char **argv)
{
    if (argc > 2 && qstrcmp(argv[1], "--scenario") == 0)
        return scenario(argv[2], argc, argv);
    QApplication app(argc, argv);
    tst_lifetime test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_lifetime.moc"
