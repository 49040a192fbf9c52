// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <QtCore/qtimer.h>
#include <QtGui/qevent.h>
#include <QtWidgets/qapplication.h>
#include <QtWidgets/qdialog.h>
#include <QtWidgets/qwidget.h>

#include <cstdio>

namespace {

void say(const char *text)
{
    std::puts(text);
    std::fflush(stdout);
}

void say_about_to_quit()
{
    QObject::connect(qApp, &QCoreApplication::aboutToQuit, qApp, [] { say("aboutToQuit"); });
}

/// Sleeps for an hour and cleans up with an await.
Coroutine<> careful(const char *name)
{
    auto body = []() -> Coroutine<> { co_await sleep(1h); };
    auto cleanup = [name]() -> Coroutine<> {
        co_await sleep(5ms);
        say(name);
    };
    co_await finally(body, cleanup);
}

template<class F>
void soon(F f)
{
    get_running_loop().call_later(2ms, f);
}

int quit_with_tasks_pending(QApplication &app)
{
    say_about_to_quit();
    return QAsyncio::run(app, []() -> Coroutine<> {
        create_task(careful("task cleaned up"));
        soon([] { QCoreApplication::quit(); });
        co_await careful("main cleaned up");
    }());
}

int exit_with_a_code(QApplication &app)
{
    say_about_to_quit();
    return QAsyncio::run(app, []() -> Coroutine<> {
        soon([] { QCoreApplication::exit(42); });
        co_await careful("main cleaned up");
    }());
}

int last_window_closed(QApplication &app)
{
    QWidget window;
    window.show();
    return QAsyncio::run(app, [](QWidget &window) -> Coroutine<> {
        soon([&window] { window.close(); });
        co_await careful("main cleaned up");
    }(window));
}

int another_window_opens(QApplication &app)
{
    QWidget first;
    QWidget second;
    first.show();
    return QAsyncio::run(app, [](QWidget &first, QWidget &second) -> Coroutine<> {
        soon([&first, &second] {
            first.close();
            get_running_loop().call_soon([&second] { second.show(); });
        });
        co_await sleep(30ms);
        say(second.isVisible() ? "goes on" : "second window is gone");
    }(first, second));
}

/// While the loop is busy the judgement waits, for a while: each time for as long.
int every_closing_is_judged_afresh(QApplication &app)
{
    return QAsyncio::run(app, []() -> Coroutine<> {
        auto window = std::make_unique<QWidget>();
        window->show();
        for (int i = 0; i < 6; ++i) {
            window->close();
            const TimePoint end = get_running_loop().time() + 2ms; // some slices
            while (get_running_loop().time() < end)
                co_await sleep(0s);
            window = std::make_unique<QWidget>();
            window->show();
            co_await sleep(20ms);
        }
        say("goes on");
    }());
}

int quit_requested_is_awaited(QApplication &app)
{
    return QAsyncio::run(app, []() -> Coroutine<int> {
        soon([] { QCoreApplication::quit(); });
        co_await get_running_loop().quit_requested();
        say("told");
        co_await sleep(20ms);
        say("took its time");
        co_return 5;
    }());
}

int one_gives_up_waiting_for_the_quit(QApplication &app)
{
    return QAsyncio::run(app, []() -> Coroutine<int> {
        const auto impatient = []() -> Coroutine<> {
            try {
                co_await wait_for(get_running_loop().quit_requested(), 1ms);
            } catch (const TimeoutError &) {
                say("gives up");
                soon([] { QCoreApplication::quit(); });
            }
        };
        const auto task = create_task(impatient());
        co_await get_running_loop().quit_requested();
        say("told");
        co_await get_running_loop().quit_requested(); // it was, in this run
        co_return 6;
    }());
}

int whoever_awaits_the_quit_is_told_in_each_exec(QApplication &)
{
    QAsyncioLoop loop;
    for (int i = 0; i < 3; ++i) {
        loop.attach();
        loop.create_task([]() -> Coroutine<> {
            co_await get_running_loop().quit_requested();
            co_await sleep(1ms);
            say("told");
        }());
        loop.create_task(careful("cleaned up"));
        QTimer::singleShot(5, qApp, [&] {
            say(loop.quit_requested().done() ? "too early" : "runs");
            QCoreApplication::quit();
        });
        QCoreApplication::exec();
    }
    loop.close();
    return 0;
}

int the_applications_signals_stay_blocked(QApplication &app)
{
    QAsyncioLoop loop;
    for (const bool blocked : {true, false, true}) {
        app.blockSignals(blocked);
        loop.run_until_complete([]() -> Coroutine<> { co_await sleep(1ms); }());
        say(app.signalsBlocked() ? "blocked" : "not blocked");
    }
    app.blockSignals(false);
    loop.close();
    return 0;
}

int stop_is_no_quit(QApplication &)
{
    say_about_to_quit();
    QWidget window;
    window.show();
    QAsyncioLoop loop;
    loop.call_later(2ms, [&] { loop.stop(); });
    loop.run_forever();
    say(window.isVisible() ? "window open" : "window closed");
    QTimer::singleShot(2, qApp, [] { QCoreApplication::exit(3); });
    const int code = QCoreApplication::exec(); // the application still works, and tells of its end
    loop.close();
    return code;
}

int attach_and_stop(QApplication &)
{
    say_about_to_quit();
    QAsyncioLoop loop;
    QTimer::singleShot(0, qApp, [&] {
        loop.attach(); // exec() runs already
        loop.create_task([](QAsyncioLoop &loop) -> Coroutine<> {
            co_await sleep(2ms);
            say("task ran");
            loop.stop();
        }(loop));
    });
    QTimer::singleShot(50, qApp, [&] {
        say(loop.is_running() ? "still running" : "stopped");
        loop.attach();
        loop.detach();
        QCoreApplication::exit(4);
    });
    const int code = QCoreApplication::exec();
    loop.close();
    return code;
}

int attached_quit_cleans_up(QApplication &)
{
    QAsyncioLoop loop;
    loop.attach();
    loop.create_task(careful("task cleaned up"));
    QTimer::singleShot(2, qApp, [] { QCoreApplication::exit(6); });
    const int code = QCoreApplication::exec();
    say(loop.is_running() ? "still running" : "detached");
    return code;
}

int attached_quit_has_a_deadline(QApplication &)
{
    QAsyncioLoop loop(LoopOptions().quit_deadline(20ms));
    loop.attach();
    loop.create_task([]() -> Coroutine<> {
        for (;;) {
            try {
                co_await sleep(1h);
            } catch (const CancelledError &) {
                say("stubborn");
            }
        }
    }());
    QTimer::singleShot(2, qApp, [] { QCoreApplication::quit(); });
    const int code = QCoreApplication::exec();
    say("ended");
    return code;
}

int run_again_after_quit(QApplication &)
{
    QAsyncioLoop loop;
    for (int i = 0; i < 3; ++i) {
        loop.call_later(1ms, [] { QCoreApplication::exit(7); });
        loop.run_forever();
        say("ended");
    }
    const int value = loop.run_until_complete([]() -> Coroutine<int> {
        co_await sleep(1ms);
        co_return 8;
    }());
    loop.close();
    return value;
}

int quit_inside_a_modal_task(QApplication &app)
{
    return QAsyncio::run(app, []() -> Coroutine<> {
        auto body = []() -> Coroutine<> {
            QDialog dialog;
            soon([] { QCoreApplication::quit(); });
            say(dialog.exec() == QDialog::Rejected ? "rejected" : "accepted");
            co_await sleep(1h);
        };
        auto cleanup = []() -> Coroutine<> {
            co_await sleep(1ms);
            say("cleaned up");
        };
        co_await finally(body, cleanup);
    }());
}

int a_dialog_is_the_only_window(QApplication &app)
{
    return QAsyncio::run(app, []() -> Coroutine<int> {
        {
            QDialog dialog;
            const QWidget button(&dialog); // Qt hides it behind the dialog
            dialog.open();
            soon([&dialog] { dialog.accept(); });
            co_await from_signal(&dialog, &QDialog::finished);
        }
        co_await sleep(30ms);
        say("after open()");
        {
            QDialog dialog;
            const QWidget button(&dialog); // Qt hides it behind the dialog
            soon([&dialog] { dialog.accept(); });
            dialog.exec();
        }
        co_await sleep(30ms);
        say("after exec()");
        co_return 9;
    }());
}

int a_second_quit_ends_the_clean_up(QApplication &app)
{
    return QAsyncio::run(app, []() -> Coroutine<> {
        soon([] { QCoreApplication::quit(); });
        auto body = []() -> Coroutine<> { co_await sleep(1h); };
        auto cleanup = []() -> Coroutine<> {
            say("clean-up begins");
            soon([] { QCoreApplication::quit(); });
            co_await sleep(1h);
            say("never");
        };
        co_await finally(body, cleanup);
    }());
}

/// A window whose closing a coroutine decides.
class AskingWindow : public QWidget
{
public:
    bool decided = false;

protected:
    void closeEvent(QCloseEvent *event) override
    {
        event->setAccepted(decided);
        if (decided)
            return;
        create_task(
            [](AskingWindow &self) -> Coroutine<> {
                co_await sleep(5ms);
                say("decided");
                self.decided = true;
                self.close();
            }(*this),
            TaskOptions().context(this));
    }
};

int a_coroutine_decides_the_closing(QApplication &app)
{
    AskingWindow window;
    window.show();
    return QAsyncio::run(app, [](AskingWindow &window) -> Coroutine<> {
        soon([&window] { window.close(); });
        co_await careful("main cleaned up");
    }(window));
}

int run_until_complete_from_a_slot(QApplication &)
{
    QAsyncioLoop loop;
    QTimer::singleShot(1, qApp, [&] {
        const int value = loop.run_until_complete([]() -> Coroutine<int> {
            co_await sleep(2ms);
            co_return 1;
        }());
        say(value == 1 ? "one" : "wrong");
        QTimer::singleShot(2, qApp, [] { QCoreApplication::exit(12); }); // the outer exec() goes on
    });
    const int code = QCoreApplication::exec();
    loop.close();
    return code;
}

int loop_exit_attached(QApplication &)
{
    QAsyncioLoop loop;
    loop.attach();
    loop.call_later(1ms, [] { throw LoopExit(11); });
    const int code = QCoreApplication::exec();
    loop.close();
    return code;
}

struct Scenario
{
    const char *name;
    int (*run)(QApplication &);
};

const Scenario all[] = {
    {"quit_with_tasks_pending", quit_with_tasks_pending},
    {"exit_with_a_code", exit_with_a_code},
    {"last_window_closed", last_window_closed},
    {"another_window_opens", another_window_opens},
    {"every_closing_is_judged_afresh", every_closing_is_judged_afresh},
    {"quit_requested_is_awaited", quit_requested_is_awaited},
    {"one_gives_up_waiting_for_the_quit", one_gives_up_waiting_for_the_quit},
    {"whoever_awaits_the_quit_is_told_in_each_exec", whoever_awaits_the_quit_is_told_in_each_exec},
    {"the_applications_signals_stay_blocked", the_applications_signals_stay_blocked},
    {"stop_is_no_quit", stop_is_no_quit},
    {"attach_and_stop", attach_and_stop},
    {"attached_quit_cleans_up", attached_quit_cleans_up},
    {"attached_quit_has_a_deadline", attached_quit_has_a_deadline},
    {"run_again_after_quit", run_again_after_quit},
    {"quit_inside_a_modal_task", quit_inside_a_modal_task},
    {"a_dialog_is_the_only_window", a_dialog_is_the_only_window},
    {"a_second_quit_ends_the_clean_up", a_second_quit_ends_the_clean_up},
    {"a_coroutine_decides_the_closing", a_coroutine_decides_the_closing},
    {"run_until_complete_from_a_slot", run_until_complete_from_a_slot},
    {"loop_exit_attached", loop_exit_attached},
};

/// Runs a scenario in a process of its own and compares its lines and its exit code.
void check(const char *name, int code, const QByteArray &output)
{
    SKIP_WITHOUT_PROCESSES();
    const ScenarioResult result = run_scenario(QLatin1String(name));
    QVERIFY(!result.crashed);
    QCOMPARE(result.output, output);
    QCOMPARE(result.exit_code, code);
}

} // namespace

static int run_named(const char *name, QApplication &app)
{
    for (const Scenario &scenario : all) {
        if (qstrcmp(scenario.name, name) == 0)
            return scenario.run(app);
    }
    return 99;
}

/// What the end of the application does, each in a process of its own, which writes what happened
/// line by line.
class tst_quit : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // H-16
    void quitWithTasksPending()
    {
        check("quit_with_tasks_pending", 0, "aboutToQuit\nmain cleaned up\ntask cleaned up\n");
    }

    // H-22
    void exitWithACode() { check("exit_with_a_code", 42, "aboutToQuit\nmain cleaned up\n"); }

    // H-17
    void lastWindowClosed() { check("last_window_closed", 0, "main cleaned up\n"); }

    // H-17
    void anotherWindowOpens() { check("another_window_opens", 0, "goes on\n"); }

    // H-17
    void everyClosingIsJudgedAfresh() { check("every_closing_is_judged_afresh", 0, "goes on\n"); }

    // H-18
    void quitRequestedIsAwaited()
    {
        check("quit_requested_is_awaited", 5, "told\ntook its time\n");
    }

    void oneGivesUpWaitingForTheQuit()
    {
        check("one_gives_up_waiting_for_the_quit", 6, "gives up\ntold\n");
    }

    void whoeverAwaitsTheQuitIsToldInEachExec()
    {
        check("whoever_awaits_the_quit_is_told_in_each_exec", 0,
              QByteArray("runs\ntold\ncleaned up\n").repeated(3));
    }

    void theApplicationsSignalsStayBlocked()
    {
        check("the_applications_signals_stay_blocked", 0, "blocked\nnot blocked\nblocked\n");
    }

    // H-19
    void stopIsNoQuit() { check("stop_is_no_quit", 3, "window open\naboutToQuit\n"); }

    // H-20
    void attachAndStop() { check("attach_and_stop", 4, "task ran\nstopped\naboutToQuit\n"); }

    // H-16
    void attachedQuitCleansUp()
    {
        check("attached_quit_cleans_up", 6, "task cleaned up\ndetached\n");
    }

    // H-16
    void attachedQuitHasADeadline()
    {
        check("attached_quit_has_a_deadline", 0, "stubborn\nended\n");
    }

    // H-21
    void runAgainAfterQuit() { check("run_again_after_quit", 8, "ended\nended\nended\n"); }

    // H-9
    void quitInsideAModalTask() { check("quit_inside_a_modal_task", 0, "rejected\ncleaned up\n"); }

    // H-23
    void aDialogIsTheOnlyWindow()
    {
        check("a_dialog_is_the_only_window", 9, "after open()\nafter exec()\n");
    }

    // H-16
    void aSecondQuitEndsTheCleanUp()
    {
        check("a_second_quit_ends_the_clean_up", 0, "clean-up begins\n");
    }

    // H-17
    void aCoroutineDecidesTheClosing()
    {
        check("a_coroutine_decides_the_closing", 0, "decided\nmain cleaned up\n");
    }

    // H-12
    void runUntilCompleteFromASlot() { check("run_until_complete_from_a_slot", 12, "one\n"); }

    // H-57
    void loopExitAttached() { check("loop_exit_attached", 11, ""); }
};

int main(int argc, char **argv)
{
    QApplication app(argc, argv);
    if (argc > 2 && qstrcmp(argv[1], "--scenario") == 0)
        return run_named(argv[2], app);
    tst_quit test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_quit.moc"
