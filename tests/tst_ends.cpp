// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <QtCore/qabstracteventdispatcher.h>
#include <QtCore/qelapsedtimer.h>
#include <QtCore/qlogging.h>
#include <QtCore/qpointer.h>
#include <QtCore/qscopeguard.h>
#include <QtCore/qsemaphore.h>
#include <QtCore/qthread.h>
#include <QtCore/qtimer.h>
#include <QtGui/qwindow.h>
#include <QtWidgets/qapplication.h>
#include <QtWidgets/qdialog.h>
#include <QtWidgets/qwidget.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <functional>
#include <thread>

/// Loops, runners and applications that end at a moment that does not suit them, each in a process
/// of its own.
class tst_ends : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void scenarios_data();
    void scenarios();
};

namespace {

void say(const char *text)
{
    std::puts(text);
    std::fflush(stdout);
}

template<class F>
const char *refusal(F &&call)
{
    try {
        call();
    } catch (const RuntimeError &) {
        return "refused";
    }
    return "not refused";
}

int close_under_its_own_task(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    loop.attach();
    loop.create_task([](QAsyncioLoop &loop, QApplication &app) -> Coroutine<> {
        co_await sleep(1ms);
        say(refusal([&] { loop.close(); }));
        loop.detach();
        say(refusal([&] { loop.close(); }));
        QTimer::singleShot(1, &app, [&] {
            loop.close(); // now nothing of it is on the stack
            say("closed");
            QCoreApplication::exit(3);
        });
    }(loop, *app));
    return app->exec();
}

int close_in_a_callback_and_in_the_handler(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    loop.set_exception_handler(
        [](QAsyncioLoop &loop, const ExceptionContext &) { say(refusal([&] { loop.close(); })); });
    loop.call_soon([&] { say(refusal([&] { loop.close(); })); });
    loop.call_soon([] { throw ValueError(); });
    loop.call_soon([&] { loop.stop(); });
    loop.run_forever();
    ExceptionContext context;
    loop.call_exception_handler(context); // outside of a run
    QTimer::singleShot(0, app.get(), [&] {
        loop.call_exception_handler(context); // in an event loop of the program
        QCoreApplication::exit(0);
    });
    app->exec();
    loop.close();
    return 0;
}

struct Owner : QObject
{
    QAsyncioLoop loop;
    ~Owner() override
    {
        loop.detach();
        loop.close();
    }
};

Coroutine<> ask(const char *words)
{
    struct Last
    {
        ~Last() { say("unwound"); }
    } last;
    QEventLoop dialog;
    QTimer::singleShot(30, &dialog, &QEventLoop::quit);
    dialog.exec();
    say(words);
    co_await sleep(0s);
    say("unreachable");
}

int loop_deleted_under_a_dialog(std::unique_ptr<QApplication> &app)
{
    auto *owner = new Owner;
    owner->loop.attach();
    owner->loop.create_task(ask("the dialog has returned"));
    QTimer::singleShot(5, app.get(), [owner] {
        delete owner;
        say("deleted");
    });
    QTimer::singleShot(60, app.get(), &QCoreApplication::quit);
    return app->exec();
}

int loop_deleted_in_its_own_run(std::unique_ptr<QApplication> &)
{
    auto loop = std::make_unique<QAsyncioLoop>();
    loop->call_later(1ms, [&] { loop.reset(); });
    try {
        loop->run_until_complete(ask("the dialog has returned"));
    } catch (const CancelledError &) {
        say("cancelled");
    }
    say(find_running_loop() ? "a loop is left" : "no loop is left");
    return 0;
}

int application_deleted_in_a_task(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    loop.attach();
    auto task = loop.create_task([](std::unique_ptr<QApplication> &app) -> Coroutine<> {
        co_await sleep(1ms);
        app.reset();
        say("gone");
    }(app));
    task.add_done_callback([] { });
    while (app)
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
    return 0;
}

int a_loop_takes_another_one_along(std::unique_ptr<QApplication> &app)
{
    auto *first = new QAsyncioLoop;
    auto *second = new QAsyncioLoop;
    auto owning = [](std::unique_ptr<QAsyncioLoop>) -> Coroutine<> { co_await sleep(1h); };
    first->create_task(owning(std::unique_ptr<QAsyncioLoop>(second)));
    first->call_soon([first] { first->stop(); });
    first->run_forever();
    app.reset(); // closes the first, whose task deletes the second
    say("both closed");
    delete first;
    return 0;
}

int stop_in_the_clean_up_of_a_quit(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop(LoopOptions().quit_deadline(1h));
    loop.attach();
    loop.create_task([](QAsyncioLoop &loop) -> Coroutine<> {
        const bool cancelled = co_await is_cancelled_asleep();
        if (cancelled)
            loop.stop();
        co_await sleep(1h);
    }(loop));
    QTimer::singleShot(2, app.get(), &QCoreApplication::quit);
    return app->exec();
}

int a_runner_closed_by_its_own_coroutine(std::unique_ptr<QApplication> &)
{
    Runner runner;
    const auto body = [&]() -> Coroutine<int> {
        co_await sleep(1ms);
        say(refusal([&] { runner.close(); }));
        co_await sleep(1ms);
        co_return 4;
    };
    return runner.run(body());
}

int a_runner_destroyed_by_its_own_coroutine(std::unique_ptr<QApplication> &)
{
    auto runner = std::make_unique<Runner>();
    const auto body = [&]() -> Coroutine<> {
        co_await sleep(1ms);
        runner.reset();
        say("goes on to its next await");
        co_await sleep(0s);
        say("unreachable");
    };
    say(refusal([&] { runner->run(body()); }));
    return 0;
}

int a_runner_destroyed_in_its_clean_up(std::unique_ptr<QApplication> &)
{
    auto runner = std::make_unique<Runner>();
    runner->run([](std::unique_ptr<Runner> &runner) -> Coroutine<> {
        create_task([](std::unique_ptr<Runner> &runner) -> Coroutine<> {
            const bool cancelled = co_await is_cancelled_asleep();
            if (cancelled)
                runner.reset();
            co_await sleep(1ms);
            say("cleaned up");
        }(runner));
        co_await sleep(0s);
    }(runner));
    runner->close();
    say(runner ? "there" : "gone");
    return 0;
}

/// Outside of any run: there is nothing that could refuse it but the loop.
template<bool destroyed>
int a_runner_ended_by_the_handler_of_its_loop(std::unique_ptr<QApplication> &)
{
    auto runner = std::make_unique<Runner>();
    QAsyncioLoop &loop = runner->get_loop();
    loop.set_exception_handler([&runner](QAsyncioLoop &, const ExceptionContext &) {
        if (!destroyed)
            return say(refusal([&] { runner->close(); }));
        runner.reset(); // does what it can
        say("gone");
    });
    {
        auto future = loop.create_future<>();
        future.set_exception(ValueError());
    } // and nobody has asked
    if (!destroyed)
        runner->close();
    say(runner ? qPrintable(runner->to_string()) : "none");
    return 0;
}

int a_runner_closed_in_another_loop(std::unique_ptr<QApplication> &)
{
    QAsyncioLoop loop;
    const auto body = [&]() -> Coroutine<> {
        {
            Runner runner;
            runner.get_loop();
        }
        say(find_running_loop() == &loop ? "still running" : "gone");
        co_await sleep(1ms);
    };
    loop.run_until_complete(body());
    loop.close();
    return 0;
}

int each_run_begins_afresh(std::unique_ptr<QApplication> &)
{
    Runner runner;
    const auto body = [](bool asks) -> Coroutine<> {
        bool quits = false;
        QTimer::singleShot(2, [&quits] {
            quits = true;
            QCoreApplication::quit();
        });
        if (asks)
            co_await get_running_loop().quit_requested();
        if (asks)
            say(quits ? "told" : "too early");
        std::exception_ptr cancelled;
        try {
            if (!asks)
                co_await sleep(1h);
        } catch (const CancelledError &) {
            cancelled = std::current_exception();
        }
        co_await sleep(2ms);
        say("cleaned up");
        if (cancelled)
            std::rethrow_exception(cancelled);
    };
    for (const bool asks : {false, true, false, true}) {
        try {
            runner.run(body(asks));
            say("ended");
        } catch (const CancelledError &) {
            say("cancelled");
        }
    }
    return 0;
}

int quit_requested_that_nobody_awaits_any_more(std::unique_ptr<QApplication> &app)
{
    return QAsyncio::run(*app, []() -> Coroutine<> {
        auto asked = get_running_loop().quit_requested();
        try {
            co_await wait_for(asked, 1ms);
        } catch (const TimeoutError &) {
        }
        QTimer::singleShot(1, [] { QCoreApplication::exit(7); });
        co_await sleep(1h); // is cancelled: nobody awaits quit_requested() now
    }());
}

int interrupted_in_the_clean_up(std::unique_ptr<QApplication> &app)
{
    return QAsyncio::run(*app, []() -> Coroutine<> {
        create_task([]() -> Coroutine<> {
            struct Last
            {
                ~Last() { say("unwound"); }
            } last;
            for (;;) {
                try {
                    co_await sleep(1h);
                } catch (const CancelledError &) {
                    QTimer::singleShot(1, [] { std::raise(SIGINT); });
                }
            }
        }());
        co_await sleep(1ms);
    }());
}

/// Nobody has heard of it when the clean-up begins.
int interrupted_in_the_last_line_of_main(std::unique_ptr<QApplication> &app)
{
    return QAsyncio::run(*app, []() -> Coroutine<> {
        create_task([]() -> Coroutine<> {
            const QScopeGuard unwound([] { say("unwound"); });
            for (;;)
                (void)co_await is_cancelled_asleep();
        }());
        co_await sleep(1ms);
        std::raise(SIGINT);
    }());
}

int the_clean_up_has_a_limit(std::unique_ptr<QApplication> &app)
{
    const auto body = []() -> Coroutine<int> {
        create_task([]() -> Coroutine<> {
            for (;;) {
                try {
                    co_await sleep(1h);
                } catch (const CancelledError &) {
                }
            }
        }());
        co_await sleep(1ms);
        co_return 5;
    };
    return QAsyncio::run(*app, body(), RunnerOptions().cleanup_limit(1200ms));
}

/// A task that does something when the clean-up cancels it; main gives `result`.
template<class F>
Coroutine<int> leaves_for_the_clean_up(F at_the_end, int result)
{
    create_task([](F at_the_end) -> Coroutine<> {
        const bool cancelled = co_await is_cancelled_asleep();
        if (cancelled)
            at_the_end();
        co_await sleep(1ms);
        say("cleaned up");
    }(std::move(at_the_end)));
    co_await sleep(0s);
    co_return result;
}

template<int result>
int the_clean_up_fails(std::unique_ptr<QApplication> &app)
{
    return QAsyncio::run(*app, leaves_for_the_clean_up([] { get_running_loop().stop(); }, result));
}

template<int result>
int the_clean_up_leaves_with_a_code(std::unique_ptr<QApplication> &app)
{
    return QAsyncio::run(*app, leaves_for_the_clean_up([] { throw LoopExit(6); }, result));
}

int quit_in_the_clean_up(std::unique_ptr<QApplication> &app)
{
    return QAsyncio::run(*app, leaves_for_the_clean_up([] { QCoreApplication::exit(4); }, 0));
}

/// Not in one pass of Qt's event loop, which would be one quit.
void exit_twice()
{
    QCoreApplication::exit(4);
    QTimer::singleShot(1, [] { QCoreApplication::exit(5); });
}

/// What may come from outside at any moment.
using Blow = void (*)();
void interrupt()
{
    std::raise(SIGINT);
}
void quit()
{
    QCoreApplication::quit();
}
void exit_with_3()
{
    QCoreApplication::exit(3);
}

struct Last
{
    ~Last() { say("unwound"); }
};

Coroutine<> hit_when_cancelled(Blow blow)
{
    const Last last;
    const bool cancelled = co_await is_cancelled_asleep();
    QTimer::singleShot(0, blow);
    co_await sleep(20ms);
    if (cancelled)
        throw CancelledError();
}

AsyncGenerator<int> hit_when_closed(Blow blow)
{
    const Last last;
    bool closed = false;
    try {
        co_yield 1;
    } catch (const GeneratorExit &) {
        closed = true;
    }
    if (closed) {
        QTimer::singleShot(0, blow);
        co_await sleep(20ms);
        throw GeneratorExit();
    }
}

template<Blow blow>
int main_is_hit(std::unique_ptr<QApplication> &app)
{
    return QAsyncio::run(*app, []() -> Coroutine<> {
        const Last last;
        QTimer::singleShot(0, blow);
        co_await sleep(1h);
    }());
}

template<Blow blow>
int main_is_hit_when_it_cleans_up(std::unique_ptr<QApplication> &app)
{
    return QAsyncio::run(*app, []() -> Coroutine<> {
        QTimer::singleShot(0, &quit);
        co_await hit_when_cancelled(blow);
    }());
}

template<Blow blow>
int the_tasks_are_hit(std::unique_ptr<QApplication> &app)
{
    return QAsyncio::run(*app, []() -> Coroutine<int> {
        create_task(hit_when_cancelled(blow));
        co_await sleep(0s);
        co_return 5;
    }());
}

template<Blow blow>
int the_generators_are_hit(std::unique_ptr<QApplication> &app)
{
    AsyncGenerator<int> numbers = hit_when_closed(blow);
    return QAsyncio::run(*app, [](AsyncGenerator<int> &numbers) -> Coroutine<int> {
        co_await numbers.next();
        co_return 5;
    }(numbers));
}

template<Blow blow>
int the_executor_is_hit(std::unique_ptr<QApplication> &app)
{
    return QAsyncio::run(*app, [](QApplication &app) -> Coroutine<int> {
        static std::atomic<bool> main_has_ended{false};
        const QScopeGuard end([] { main_has_ended = true; });
        const auto job = get_running_loop().run_in_executor(nullptr, [&app] {
            while (!main_has_ended)
                QThread::yieldCurrentThread();
            // the clean-up waits for this
            QMetaObject::invokeMethod(&app, blow, Qt::BlockingQueuedConnection);
        });
        co_await sleep(1ms);
        co_return 5;
    }(*app));
}

int interrupted_attached(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    loop.attach();
    loop.call_later(1ms, [] { throw KeyboardInterrupt(); });
    return app->exec();
}

/// As newer versions of Qt do it: aboutToQuit comes out of exit(), not behind exec().
void quit_at_once(int code)
{
    QMetaObject::invokeMethod(QCoreApplication::instance(), "aboutToQuit", Qt::DirectConnection);
    QCoreApplication::exit(code);
}

Coroutine<> cleans_up_slowly()
{
    const bool cancelled = co_await is_cancelled_asleep();
    co_await sleep(5ms);
    say(cancelled ? "cleaned up" : "?");
}

int a_task_quits_attached(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop(LoopOptions().quit_deadline(1h));
    loop.attach();
    loop.create_task(cleans_up_slowly());
    loop.create_task([]() -> Coroutine<> {
        co_await sleep(1ms);
        quit_at_once(3);
        quit_at_once(3);
        say("goes on");
        const bool cancelled = co_await is_cancelled_asleep();
        say(cancelled ? "cancelled" : "?");
    });
    return app->exec();
}

int quit_under_a_dialog_attached(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop(LoopOptions().quit_deadline(1h));
    loop.attach();
    loop.create_task(cleans_up_slowly());
    loop.create_task([]() -> Coroutine<> {
        QTimer::singleShot(1, [] {
            quit_at_once(3);
            say("the slot returns");
        });
        QDialog dialog;
        dialog.exec();
        say("the dialog has returned");
        const bool cancelled = co_await is_cancelled_asleep();
        say(cancelled ? "cancelled" : "?");
    });
    return app->exec();
}

int a_task_quits_and_another_stays(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop(LoopOptions().quit_deadline(20ms));
    loop.attach();
    loop.create_task([]() -> Coroutine<> {
        const Last last;
        for (;;)
            co_await is_cancelled_asleep();
    });
    loop.create_task([]() -> Coroutine<> {
        quit_at_once(3);
        co_return;
    });
    return app->exec();
}

int main_is_cancelled(std::unique_ptr<QApplication> &app)
{
    return QAsyncio::run(*app, []() -> Coroutine<int> {
        AnyTask self = current_task();
        self.cancel();
        co_await sleep(1h);
        co_return 3;
    }());
}

int two_quits_in_the_clean_up(std::unique_ptr<QApplication> &app)
{
    return QAsyncio::run(*app, []() -> Coroutine<int> {
        create_task([]() -> Coroutine<> {
            const Last last;
            for (;;) {
                const bool cancelled = co_await is_cancelled_asleep();
                if (cancelled) {
                    QTimer::singleShot(1, &exit_twice);
                }
            }
        }());
        co_await sleep(0s);
        co_return 3;
    }());
}

int a_worker_calls_while_the_runner_cleans_up(std::unique_ptr<QApplication> &app)
{
    static std::atomic<bool> ends{false};
    return QAsyncio::run(*app, []() -> Coroutine<> {
        QAsyncioLoop *loop = &get_running_loop();
        create_task([]() -> Coroutine<> {
            try {
                co_await sleep(1h);
            } catch (const CancelledError &) {
                ends = true; // the runner cleans up
                throw;
            }
        }());
        const auto job = loop->run_in_executor(nullptr, [loop] {
            while (!ends)
                QThread::yieldCurrentThread();
            auto call = run_coroutine_threadsafe([]() -> Coroutine<> { co_await sleep(1h); }(),
                                                 *loop);
            try {
                call.result();
            } catch (const CancelledError &) {
                say("the call was cancelled");
            }
        });
        co_await sleep(1ms);
    }());
}

int a_loop_thread_outlives_the_application(std::unique_ptr<QApplication> &app)
{
    auto workers = std::make_unique<LoopThread>();
    run_coroutine_threadsafe([]() -> Coroutine<> { co_return; }(), workers->loop()).result();
    auto late = run_coroutine_threadsafe([]() -> Coroutine<> { co_await sleep(1h); }(),
                                         workers->loop());
    app.reset();
    workers.reset();
    say(late.cancelled() ? "ended" : "pending");
    return 0;
}

int a_thread_whose_exec_was_ended_cleans_up(std::unique_ptr<QApplication> &)
{
    struct Thread : QThread
    {
        void run() override
        {
            QTimer::singleShot(0, [] { QThread::currentThread()->exit(); });
            exec();
            QAsyncioLoop loop;
            say(loop.run_until_complete([]() -> Coroutine<int> {
                co_await QAsyncio::sleep(2ms);
                co_return 1;
            }()) == 1
                    ? "cleaned up"
                    : "wrong");
            loop.close();
        }
    } thread;
    thread.start();
    thread.wait();
    return 0;
}

int stop_while_a_slot_pumps(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    QTimer::singleShot(1, app.get(), [&] {
        loop.call_soon([&] { loop.stop(); });
        QElapsedTimer timer;
        timer.start();
        while (timer.elapsed() < 20)
            QCoreApplication::processEvents();
        bool told = false;
        QObject::connect(app.get(), &QCoreApplication::applicationNameChanged,
                         [&] { told = true; });
        app->setApplicationName(QStringLiteral("another"));
        QDialog dialog;
        QTimer::singleShot(5, &dialog, &QDialog::accept);
        say(dialog.exec() == QDialog::Accepted && told ? "as ever" : "broken");
    });
    loop.run_forever();
    loop.close();
    return 0;
}

int stop_beside_a_timer_of_no_time(std::unique_ptr<QApplication> &app)
{
    QTimer busy;
    QObject::connect(&busy, &QTimer::timeout, [] { });
    busy.start(0);
    QAsyncioLoop loop;
    for (int i = 0; i < 3; ++i) {
        loop.call_later(2ms, [&] { loop.stop(); });
        loop.run_forever();
        say("ended");
    }
    loop.close();
    return QAsyncio::run(*app, []() -> Coroutine<int> { co_return 6; }());
}

struct Swallows : QObject
{
    bool eventFilter(QObject *, QEvent *event) override { return event->type() >= QEvent::User; }
};

Coroutine<> wait_in_every_way()
{
    co_await sleep(0s);
    co_await sleep(1ms);
    co_await to_thread([] { QThread::msleep(1); });
    QThread::msleep(2); // longer than a slice
    co_await sleep(0s);
    QAsyncioLoop &loop = get_running_loop();
    Future<> called = loop.create_future<>();
    std::thread thread([&loop, called]() mutable {
        QThread::msleep(2); // Qt has gone to sleep
        loop.call_soon_threadsafe([called]() mutable { called.set_result(); });
    });
    co_await called;
    thread.join();
    QEventLoop nested;
    auto inside = create_task(sleep(2ms));
    inside.add_done_callback([&] { nested.quit(); });
    nested.exec();
}

int a_filter_swallows_our_events(std::unique_ptr<QApplication> &app)
{
    Swallows filter;
    app->installEventFilter(&filter);
    QAsyncioLoop loop;
    for (int i = 0; i < 3; ++i) {
        loop.run_until_complete(wait_in_every_way());
        say("ended");
    }
    loop.attach();
    loop.create_task(wait_in_every_way()).add_done_callback([] { QCoreApplication::exit(3); });
    const int code = app->exec();
    say("ended");
    QAsyncioLoop in_virtual_time(virtual_time());
    in_virtual_time.run_until_complete([]() -> Coroutine<> { co_await sleep(1h); }());
    say("ended");
    app->removeEventFilter(&filter);
    loop.close();
    in_virtual_time.close();
    return code;
}

int a_locker_goes(std::unique_ptr<QApplication> &app)
{
    QWidget hidden;
    return QAsyncio::run(*app, []() -> Coroutine<int> {
        {
            const QEventLoopLocker locker;
            co_await sleep(1ms);
        }
        co_await sleep(20ms);
        co_return 7;
    }());
}

template<class Window>
Coroutine<> close_and_wait_for_the_end(Window &window)
{
    QTimer::singleShot(20, &window, &Window::close); // the loop has nothing to do until then
    try {
        co_await sleep(1h);
    } catch (const CancelledError &) {
        say("that was the end");
        throw;
    }
}

Coroutine<> ask_and_close(QWidget &window)
{
    {
        QDialog dialog(&window);
        dialog.open();
        QTimer::singleShot(1, &dialog, &QDialog::accept);
        co_await from_signal(&dialog, &QDialog::finished);
    }
    co_await close_and_wait_for_the_end(window);
}

int a_window_closes_long_after_a_dialog(std::unique_ptr<QApplication> &app)
{
    QWidget window;
    window.show();
    QWidget tool(&window, Qt::Tool);
    tool.show();
    return QAsyncio::run(*app, ask_and_close(window));
}

int a_window_closes_long_after_a_dialog_attached(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    loop.attach();
    QWidget window;
    window.show();
    QWidget tool(&window, Qt::Tool);
    tool.show();
    loop.create_task(ask_and_close(window));
    return app->exec();
}

int a_dialog_alone_ends_nothing_attached(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    loop.attach();
    loop.create_task([]() -> Coroutine<> {
        {
            QDialog dialog;
            dialog.open();
            QTimer::singleShot(1, &dialog, &QDialog::accept);
            co_await from_signal(&dialog, &QDialog::finished);
        }
        co_await sleep(20ms);
        QCoreApplication::exit(8);
    }());
    return app->exec();
}

/// As those of QML: no widgets.
int a_window_without_widgets_closes(std::unique_ptr<QApplication> &app)
{
    QWindow window;
    window.show();
    QWindow transient;
    transient.setTransientParent(&window);
    transient.show();
    return QAsyncio::run(*app, close_and_wait_for_the_end(window));
}

int a_window_without_widgets_stays(std::unique_ptr<QApplication> &app)
{
    QWindow first;
    QWindow second;
    first.show();
    second.show();
    return QAsyncio::run(*app, [](QWindow &first) -> Coroutine<int> {
        first.close();
        co_await sleep(20ms);
        co_return 8;
    }(first));
}

int a_window_opens_some_turns_later(std::unique_ptr<QApplication> &app)
{
    QWidget first;
    QWidget second;
    first.show();
    return QAsyncio::run(*app, [](QWidget &first, QWidget &second) -> Coroutine<int> {
        auto closed = [](QWidget &first) -> Coroutine<> {
            co_await sleep(1ms);
            first.close();
        };
        co_await gather(wait_for(closed(first), 1h));
        second.show();
        co_await sleep(20ms);
        co_return 8;
    }(first, second));
}

int the_quit_lock_is_left_as_it_was(std::unique_ptr<QApplication> &app)
{
    QCoreApplication::setQuitLockEnabled(false);
    QWidget first;
    QWidget second;
    first.show();
    return QAsyncio::run(*app, [](QWidget &first, QWidget &second) -> Coroutine<int> {
        QTimer::singleShot(1, &first, [&] {
            first.close(); // whether that is the end is judged when the second window is there
            second.show();
        });
        co_await sleep(20ms);
        say(QCoreApplication::isQuitLockEnabled() ? "changed" : "as it was");
        co_return 8;
    }(first, second));
}

/// It is no dialog, whose closing would end nothing.
int a_window_closes_whose_signal_is_awaited(std::unique_ptr<QApplication> &app)
{
    QWidget window;
    window.show();
    return QAsyncio::run(*app, [](QWidget &window) -> Coroutine<int> {
        QTimer::singleShot(1, &window, &QWidget::close);
        const QScopeGuard end([] { say("that was the end"); });
        co_await from_signal(&window, &QWidget::windowTitleChanged);
        co_return 8;
    }(window));
}

int a_window_closes_in_a_program_that_stays(std::unique_ptr<QApplication> &app)
{
    app->setQuitOnLastWindowClosed(false);
    QWidget window;
    window.show();
    QTimer::singleShot(1, &window, &QWidget::close);
    return QAsyncio::run(*app, []() -> Coroutine<int> {
        co_await sleep(20ms);
        co_return 8;
    }());
}

int an_attached_loop_is_deleted_by_its_own_callback(std::unique_ptr<QApplication> &app)
{
    auto first = std::make_unique<QAsyncioLoop>();
    QAsyncioLoop other;
    first->attach();
    first->call_soon([&] {
        QTimer::singleShot(1, app.get(), [&other] {
            other.attach();
            other.call_soon([] {
                say("the other one runs");
                QCoreApplication::exit(6);
            });
        });
        first.reset();
        say("deleted");
    });
    first->call_soon([] { say("never"); });
    const int code = app->exec();
    other.detach();
    other.close();
    return code;
}

int a_locker_of_the_program_is_respected(std::unique_ptr<QApplication> &app)
{
    QWidget window;
    window.show();
    return QAsyncio::run(*app, [](QWidget &window) -> Coroutine<int> {
        const QEventLoopLocker locker;
        window.close();
        co_await sleep(20ms);
        co_return 9;
    }(window));
}

/// The closing of a window was judged, and was not the end: the run holds its own locker again.
int a_locker_goes_behind_a_judgement(std::unique_ptr<QApplication> &app)
{
    QWidget first;
    QWidget second;
    first.show();
    return QAsyncio::run(*app, [](QWidget &first, QWidget &second) -> Coroutine<int> {
        first.close();
        second.show();
        co_await sleep(20ms);
        second.hide();
        {
            const QEventLoopLocker locker;
            co_await sleep(1ms);
        }
        co_await sleep(20ms);
        co_return 8;
    }(first, second));
}

/// Runs `function` when it goes.
struct Guard
{
    explicit Guard(std::function<void()> function) : function(std::move(function)) { }
    Guard(Guard &&other) noexcept : function(std::exchange(other.function, nullptr)) { }
    ~Guard()
    {
        if (function)
            function();
    }
    std::function<void()> function;
};

Coroutine<> sleep_with(Guard)
{
    co_await sleep(1h);
}

/// The loop's timer is overdue when Qt looks for events: its callback runs when Qt is about to
/// block.
void let_a_timer_be_overdue()
{
    QTimer::singleShot(0, [] { QThread::msleep(10); });
}

int loop_deleted_when_qt_is_about_to_block(std::unique_ptr<QApplication> &app)
{
    auto *loop = new QAsyncioLoop;
    loop->attach();
    loop->call_later(6ms, [loop] {
        delete loop;
        say("deleted");
        QTimer::singleShot(5, [] { QCoreApplication::exit(5); });
    });
    let_a_timer_be_overdue();
    return app->exec();
}

int who_waits_for_a_callback_is_woken(std::unique_ptr<QApplication> &)
{
    for (const bool detaches : {false, true}) {
        QAsyncioLoop loop;
        loop.attach();
        bool done = false;
        loop.call_later(6ms, [&] {
            done = true;
            if (detaches)
                loop.detach();
        });
        let_a_timer_be_overdue();
        while (!done)
            QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
        loop.detach();
        loop.close();
    }
    return 0;
}

int application_deleted_when_qt_is_about_to_block(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    loop.attach();
    loop.call_later(6ms, [&] { app.reset(); });
    let_a_timer_be_overdue();
    while (app)
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
    return 0;
}

int application_deleted_in_a_run(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    try {
        loop.run_until_complete([](std::unique_ptr<QApplication> &app) -> Coroutine<> {
            const Last last;
            co_await sleep(2ms);
            app.reset();
            say("gone");
            co_await sleep(1ms);
            say("unreachable");
        }(app));
    } catch (const CancelledError &) {
        say("cancelled");
    }
    return 0;
}

template<bool attached>
int application_deleted_in_the_main_loop(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop &loop = get_event_loop();
    const auto deletes = [](std::unique_ptr<QApplication> &app) -> Coroutine<> {
        const Last last;
        co_await sleep(1ms);
        app.reset();
        say("gone");
        co_await sleep(1ms);
        say("unreachable");
    };
    if (attached) {
        loop.attach();
        loop.create_task(deletes(app));
        while (app)
            QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
    } else {
        try {
            loop.run_until_complete(deletes(app));
        } catch (const CancelledError &) {
            say("cancelled");
        }
    }
    return 0;
}

/// A slot's exception leaves Qt's event loop, which Qt allows for cleaning up.
int a_slot_throws(std::unique_ptr<QApplication> &)
{
    for (int i = 0; i < 2; ++i) {
        QAsyncioLoop loop;
        loop.create_task([]() -> Coroutine<> { co_await is_cancelled_asleep(); }());
        QTimer::singleShot(1, [] { throw ValueError(QStringLiteral("of a slot")); });
        try {
            loop.run_forever();
        } catch (const ValueError &) {
            say(loop.is_running() || find_running_loop() ? "still running" : "left");
        }
        loop.close();
    }
    return 0;
}

struct DetachesAtQuit : QObject
{
    explicit DetachesAtQuit(QAsyncioLoop &loop) : loop(loop) { }
    bool eventFilter(QObject *watched, QEvent *event) override
    {
        if (watched == qApp && event->type() == QEvent::Quit)
            loop.detach();
        return false;
    }
    QAsyncioLoop &loop;
};

int a_filter_detaches_at_the_quit(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    DetachesAtQuit filter(loop);
    app->installEventFilter(&filter);
    loop.attach();
    QWidget window;
    window.show();
    QTimer::singleShot(1, &window, &QWidget::close);
    const int code = app->exec();
    say(loop.is_running() ? "running" : "detached");
    app->removeEventFilter(&filter);
    loop.close();
    return code;
}

/// A program without windows, with a locker of its own: that a dialog was shown once is forgotten.
int a_locker_goes_long_after_a_dialog(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    loop.attach();
    auto locker = std::make_unique<QEventLoopLocker>();
    loop.create_task([](std::unique_ptr<QEventLoopLocker> &locker) -> Coroutine<> {
        {
            QDialog dialog;
            dialog.open();
            get_running_loop().call_later(1ms, [&] { dialog.accept(); });
            co_await from_signal(&dialog, &QDialog::finished);
        }
        QTimer::singleShot(20, qApp, [&locker] {
            say("the locker goes");
            locker.reset();
        });
    }(locker));
    const int code = app->exec();
    loop.close();
    return code;
}

int application_deleted_under_its_exec(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    loop.attach();
    loop.call_later(2ms, [&] { app.reset(); });
    QApplication::exec();
    say("returned");
    return 0;
}

template<bool deletes>
int loop_ended_by_a_local_of_a_task_that_is_unwound(std::unique_ptr<QApplication> &app)
{
    auto *loop = new QAsyncioLoop;
    loop->attach();
    auto *object = new QObject;
    const auto end = [loop] {
        loop->detach();
        loop->close();
        if (deletes)
            delete loop;
        say("ended");
    };
    auto task = loop->create_task(sleep_with(Guard(end)), TaskOptions().context(object));
    task.add_done_callback([] { });
    loop->create_task(sleep_with(Guard([] { say("the older one"); })));
    QTimer::singleShot(1, app.get(), [object] {
        delete object;
        say("the object is gone");
        QCoreApplication::exit(6);
    });
    const int code = app->exec();
    if (!deletes)
        delete loop;
    return code;
}

int loop_ended_by_a_local_of_a_task_of_a_scope(std::unique_ptr<QApplication> &app)
{
    struct Window
    {
        QAsyncioLoop loop;
        std::optional<TaskScope> scope{std::in_place};
    } window;
    window.loop.attach();
    window.loop.call_soon([&] {
        const Task<> task = window.scope->create_task(sleep_with(Guard([&] {
            window.loop.detach();
            window.loop.close();
            say("ended");
        })));
        AnyTask(task).add_done_callback([] { });
    });
    QTimer::singleShot(5, app.get(), [&] {
        window.scope.reset();
        say("the scope is gone");
        QCoreApplication::exit(6);
    });
    return app->exec();
}

/// Nobody else has the loop: `keep` gives it to something that only its end destroys.
int loop_kept_by(std::unique_ptr<QApplication> &app,
                 const std::function<void(std::shared_ptr<QAsyncioLoop>)> &keep)
{
    auto loop = std::make_shared<QAsyncioLoop>();
    loop->set_exception_handler([](QAsyncioLoop &, const ExceptionContext &) { });
    keep(loop);
    run_once(*loop);
    const std::weak_ptr<QAsyncioLoop> watched = loop;
    loop.reset();
    say(watched.expired() ? "gone" : "kept");
    app.reset();
    say(watched.expired() ? "gone" : "kept");
    return 0;
}

int loop_kept_by_its_own_task(std::unique_ptr<QApplication> &app)
{
    return loop_kept_by(app, [](std::shared_ptr<QAsyncioLoop> loop) {
        QAsyncioLoop &target = *loop;
        target.create_task(sleep_with(Guard([loop = std::move(loop)] { })));
    });
}

int loop_kept_by_its_own_callback(std::unique_ptr<QApplication> &app)
{
    return loop_kept_by(app, [](std::shared_ptr<QAsyncioLoop> loop) {
        QAsyncioLoop &target = *loop;
        target.call_later(1h, [loop = std::move(loop)] { });
    });
}

int loop_kept_by_its_own_reader(std::unique_ptr<QApplication> &app)
{
    static Pipe pipe;
    return loop_kept_by(app, [](std::shared_ptr<QAsyncioLoop> loop) {
        QAsyncioLoop &target = *loop;
        target.add_reader(pipe.read_end(), [loop = std::move(loop)] { });
    });
}

int loop_deleted_under_a_group(std::unique_ptr<QApplication> &app)
{
    auto *owner = new Owner;
    owner->loop.attach();
    owner->loop.set_exception_handler([](QAsyncioLoop &, const ExceptionContext &) { });
    const auto body = [](TaskGroup &group) -> Coroutine<> {
        group.create_task([]() -> Coroutine<> { co_await sleep(1h); });
        QEventLoop dialog;
        QTimer::singleShot(20, &dialog, &QEventLoop::quit);
        dialog.exec();
        auto late = [](const Last &) -> Coroutine<> { co_return; };
        const Last last;
        say(refusal([&] { group.create_task(late, std::cref(last)); }));
        co_return;
    };
    owner->loop.create_task(task_group(body));
    QTimer::singleShot(5, app.get(), [owner] {
        delete owner;
        say("deleted");
    });
    QTimer::singleShot(40, app.get(), &QCoreApplication::quit);
    return app->exec();
}

int loop_deleted_beside_a_property(std::unique_ptr<QApplication> &app)
{
    auto *owner = new Owner;
    owner->loop.attach();
    owner->loop.set_exception_handler([](QAsyncioLoop &, const ExceptionContext &) { });
    QTimer sender;
    const auto is_x = [](const QString &name) { return name == QLatin1String("x"); };
    owner->loop.create_task(
        wait_until(&sender, &QTimer::objectName, &QObject::objectNameChanged, is_x));
    owner->loop.create_task(ask("the dialog has returned"));
    QTimer::singleShot(5, app.get(), [owner, &sender] {
        delete owner;
        sender.disconnect();
        sender.setObjectName(QStringLiteral("x"));
    });
    QTimer::singleShot(60, app.get(), &QCoreApplication::quit);
    return app->exec();
}

int a_runner_in_a_slot_and_a_quit(std::unique_ptr<QApplication> &app)
{
    int quits = 0; // Qt 6.4 says so when exec() has returned, Qt 6.8 at once
    QObject::connect(app.get(), &QCoreApplication::aboutToQuit, [&] { ++quits; });
    QTimer::singleShot(2, app.get(), [] {
        Runner runner;
        try {
            runner.run([]() -> Coroutine<> {
                QTimer::singleShot(1, [] { QCoreApplication::quit(); });
                co_await sleep(1h);
            }());
        } catch (const CancelledError &) {
            say("cancelled");
        }
    });
    const int code = app->exec();
    say(quits == 1 && !app->signalsBlocked() ? "as ever" : "?");
    return code;
}

int a_run_inside_of_close(std::unique_ptr<QApplication> &)
{
    QAsyncioLoop loop;
    loop.set_exception_handler([](QAsyncioLoop &, const ExceptionContext &) { });
    loop.create_task(sleep_with(Guard([&] {
        say(refusal([&] { loop.run_until_complete([]() -> Coroutine<> { co_return; }()); }));
        say(refusal([&] { loop.attach(); }));
        loop.close();
    })));
    run_once(loop);
    loop.close();
    return 0;
}

/// What is reported is written to the output, its first line.
void tell_reports()
{
    qInstallMessageHandler([](QtMsgType, const QMessageLogContext &, const QString &text) {
        say(qPrintable(text.section(u'\n', 0, 0)));
    });
}

/// An application whose exec() one hears of.
struct Announcing : QApplication
{
    using QApplication::QApplication;
    static int exec()
    {
        say("exec");
        return QApplication::exec();
    }
};

int the_exec_of_the_applications_class_is_called(std::unique_ptr<QApplication> &app)
{
    app.reset(); // there can be one only
    int argc = 1;
    char name[] = "announcing";
    char *argv[] = {name, nullptr};
    Announcing announcing(argc, argv);
    return QAsyncio::run(announcing, []() -> Coroutine<int> { co_return 3; }());
}

int main_fails(std::unique_ptr<QApplication> &app)
{
    tell_reports();
    return QAsyncio::run(*app, []() -> Coroutine<int> {
        co_await sleep(1ms);
        throw ValueError(QStringLiteral("no luck"));
    }());
}

template<int (*scenario)(std::unique_ptr<QApplication> &)>
int and_tells(std::unique_ptr<QApplication> &app)
{
    tell_reports();
    return scenario(app);
}

/// Does something in the pass of Qt's event loop in which a run leaves it.
class InTheSamePass
{
public:
    explicit InTheSamePass(std::function<void()> what) : m_what(std::move(what))
    {
        look_in_the_next_pass();
    }
    static bool armed;

private:
    void look_in_the_next_pass()
    {
        QMetaObject::invokeMethod(&m_here, [this] { look(); }, Qt::QueuedConnection);
    }
    void look()
    {
        look_in_the_next_pass();
        // so that nobody takes the stop for a quit
        if (armed && QCoreApplication::instance()->signalsBlocked()) {
            armed = false;
            m_what();
        }
    }

    const std::function<void()> m_what;
    QObject m_here;
};
bool InTheSamePass::armed = true;

int exit_in_the_pass_in_which_main_ends(std::unique_ptr<QApplication> &app)
{
    QObject::connect(app.get(), &QCoreApplication::aboutToQuit, [] { say("about to quit"); });
    const InTheSamePass exits([] { QCoreApplication::exit(7); });
    const int code = QAsyncio::run(*app, []() -> Coroutine<int> {
        co_await sleep(1ms);
        co_return 0;
    }());
    say(app->signalsBlocked() ? "silenced" : "as ever");
    return code;
}

int exit_in_the_pass_in_which_the_clean_up_ends(std::unique_ptr<QApplication> &app)
{
    InTheSamePass::armed = false;
    const InTheSamePass exits([] { QCoreApplication::exit(4); });
    return QAsyncio::run(*app, leaves_for_the_clean_up([] { InTheSamePass::armed = true; }, 0));
}

/// Qt's own dispatcher instead of glib's, which does things in another order.
void take_the_other_dispatcher(std::unique_ptr<QApplication> &app)
{
    app.reset(); // there can be one only
    qputenv("QT_NO_GLIB", "1");
    static int argc = 1;
    static char name[] = "other";
    static char *argv[] = {name, nullptr};
    app = std::make_unique<QApplication>(argc, argv);
}

template<bool glib>
int a_slot_throws_in_the_pass_in_which_a_run_ends(std::unique_ptr<QApplication> &app)
{
    if (!glib)
        take_the_other_dispatcher(app);
    {
        QAsyncioLoop loop;
        const InTheSamePass throws([] { throw ValueError(QStringLiteral("of a slot")); });
        const QString error = error_in(
            [&] { loop.run_until_complete([]() -> Coroutine<> { co_await sleep(1ms); }()); });
        say(qPrintable(error));
        loop.close();
    }
    QObject::connect(app.get(), &QCoreApplication::aboutToQuit, [] { say("about to quit"); });
    QTimer::singleShot(0, app.get(), [] { QCoreApplication::exit(7); });
    return app->exec();
}

/// The LoopExit is on its way out of a run that the slot's exception ends.
template<bool glib>
int a_slot_throws_behind_a_loop_exit(std::unique_ptr<QApplication> &app)
{
    if (!glib)
        take_the_other_dispatcher(app);
    QAsyncioLoop loop;
    loop.call_soon([&] {
        QMetaObject::invokeMethod(
            app.get(), [] { throw ValueError(QStringLiteral("of a slot")); }, Qt::QueuedConnection);
        throw LoopExit(3);
    });
    const QString first = error_in([&] { loop.run_forever(); });
    say(qPrintable(first));
    const QString second = error_in(
        [&] { loop.run_until_complete([]() -> Coroutine<> { co_await sleep(2ms); }()); });
    say(second.isEmpty() ? "ran" : qPrintable(second));
    loop.close();
    return 0;
}

int a_window_closes_between_the_runs(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    loop.run_until_complete([]() -> Coroutine<> { co_await sleep(1ms); }());
    QWidget window;
    window.show();
    QTimer::singleShot(1, &window, &QWidget::close);
    QTimer::singleShot(10000, app.get(), [] { QCoreApplication::exit(1); });
    const int code = app->exec();
    loop.close();
    return code;
}

int a_locker_goes_between_the_runs(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    loop.run_until_complete([]() -> Coroutine<> { co_await sleep(1ms); }());
    auto locker = std::make_unique<QEventLoopLocker>();
    QTimer::singleShot(1, app.get(), [&] { locker.reset(); }); // Qt ends the program then
    QTimer::singleShot(10000, app.get(), [] { QCoreApplication::exit(1); });
    const int code = app->exec();
    loop.close();
    return code;
}

int another_loop_is_attached_under_one_that_ends(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop other;
    auto first = std::make_unique<QAsyncioLoop>();
    QTimer::singleShot(5, app.get(), [&] {
        first.reset();
        other.attach();
    });
    try {
        first->run_until_complete(ask("the dialog has returned"));
    } catch (const CancelledError &) {
        say("cancelled");
    }
    say(find_running_loop() == &other ? "the other one runs" : "?");
    other.detach();
    other.close();
    return 0;
}

int closed_under_a_dialog_while_another_loop_is_attached(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop first, other;
    first.attach();
    first.create_task(ask("the dialog has returned"));
    QTimer::singleShot(5, app.get(), [&] {
        first.detach();
        other.attach();
        first.close(); // when the dialog has returned
        other.detach();
        say(refusal([&] { first.run_forever(); }));
        say(refusal([&] { first.attach(); }));
        other.attach();
        say(find_running_loop() == &other ? "the other one runs" : "?");
    });
    QTimer::singleShot(60, app.get(), &QCoreApplication::quit);
    const int code = app->exec();
    say(first.is_closed() ? "closed" : "?");
    other.detach();
    other.close();
    return code;
}

int a_run_inside_of_an_exec_that_was_ended(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    const auto count = [](int value) -> Coroutine<int> {
        co_await sleep(2ms);
        co_return value;
    };
    const auto run = [&](int value) {
        say(loop.run_until_complete(count(value)) == value ? "ran" : "?");
    };
    run(1);
    QTimer::singleShot(1, app.get(), [&] {
        run(2);
        QCoreApplication::exit(3);
        run(3);
        say(app->signalsBlocked() ? "silenced" : "as ever");
    });
    const int code = app->exec();
    run(4);
    loop.close();
    return code;
}

int detached_while_work_is_pending(std::unique_ptr<QApplication> &app)
{
    for (const bool is_virtual : {false, true}) {
        QAsyncioLoop loop(is_virtual ? virtual_time() : LoopOptions());
        QStringList order;
        loop.attach();
        const auto add_timer = [&] {
            loop.call_later(is_virtual ? 1h : 1ms, [&] { order << QStringLiteral("timer"); });
        };
        if (is_virtual)
            add_timer(); // the clock is about to move when the loop is detached
        QTimer::singleShot(0, app.get(), [&] {
            if (!is_virtual)
                add_timer();
            loop.call_soon([&] { order << QStringLiteral("soon"); });
            loop.detach();
            QCoreApplication::exit(0);
        });
        app->exec();
        say(order.isEmpty() ? "nothing has run" : "?");
        QTimer busy; // Qt never blocks, and what was lost would not be noticed
        QObject::connect(&busy, &QTimer::timeout, [] { });
        busy.start(0);
        loop.call_later(is_virtual ? 2h : 2ms, [&] { loop.stop(); });
        loop.run_forever();
        say(qPrintable(order.join(u' ')));
        loop.close();
    }
    return 0;
}

int stop_under_a_dialog_attached(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    loop.attach();
    loop.create_task([](QAsyncioLoop &loop) -> Coroutine<> {
        QEventLoop dialog;
        loop.call_soon([&] { loop.stop(); });
        loop.call_later(5ms, [&] {
            say(loop.is_running() ? "turns go on" : "stopped");
            dialog.quit();
        });
        dialog.exec();
        say("the dialog has returned");
        QTimer::singleShot(20, qApp, [&] {
            say(loop.is_running() ? "still running" : "stopped");
            QCoreApplication::exit(3);
        });
        co_return;
    }(loop));
    const int code = app->exec();
    loop.close();
    return code;
}

int attach_with_code_on_the_stack(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    loop.attach();
    loop.call_soon([&] {
        loop.detach();
        say(refusal([&] { loop.attach(); }));
        say(loop.is_running() ? "running" : "not running");
        QTimer::singleShot(0, app.get(), [&] {
            loop.attach();
            say(loop.is_running() ? "running" : "not running");
            loop.detach();
            QCoreApplication::exit(3);
        });
    });
    const int code = app->exec();
    loop.close();
    return code;
}

int whoever_asked_for_the_quit_is_told_attached(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    loop.attach();
    const auto tell = [](const Future<> &asked) { say(asked.cancelled() ? "cancelled" : "told"); };
    loop.quit_requested().add_done_callback(tell);
    for (int i = 0; i < 100; ++i)
        static_cast<void>(loop.quit_requested()); // which nobody has any more
    loop.quit_requested().add_done_callback(tell);
    loop.create_task([]() -> Coroutine<> { co_await is_cancelled_asleep(); }());
    QTimer::singleShot(1, app.get(), [] { QCoreApplication::exit(3); });
    const int code = app->exec();
    loop.close();
    return code;
}

/// And by it those that await it: they go on instead of being cancelled.
template<bool attached>
int who_awaits_one_that_is_told_of_the_quit(std::unique_ptr<QApplication> &app)
{
    const auto child = []() -> Coroutine<> {
        QTimer::singleShot(0, qApp, [] { QCoreApplication::exit(3); });
        co_await get_running_loop().quit_requested();
        say("told");
    };
    const auto parent = [](auto child) -> Coroutine<> {
        auto task = create_task(child());
        co_await task;
        say("goes on");
    };
    const auto grandparent = [](auto parent, auto child) -> Coroutine<> {
        auto task = create_task(parent(child));
        co_await task;
        say("and on");
    };
    if (!attached)
        return QAsyncio::run(*app, grandparent(parent, child));
    QAsyncioLoop loop(LoopOptions().quit_deadline(1h));
    loop.attach();
    loop.create_task(grandparent(parent, child));
    loop.create_task(cleans_up_slowly()); // which awaits nothing of the kind
    const int code = app->exec();
    loop.close();
    return code;
}

/// Nobody in the circle is told of the quit, so that all of it is cancelled.
template<bool again>
int a_runner_of_a_thread_outlives_the_application(std::unique_ptr<QApplication> &app)
{
    QSemaphore ran, gone;
    std::thread thread([&] {
        Runner runner;
        const auto body = []() -> Coroutine<> {
            co_await sleep(1ms);
            say("ran");
        };
        runner.run(body());
        ran.release();
        gone.acquire();
        if constexpr (again)
            say(refusal([&] { runner.run(body()); }));
    });
    ran.acquire();
    app.reset();
    gone.release();
    thread.join();
    return 3;
}

Coroutine<> cleans_up_when_asked()
{
    const auto body = []() -> Coroutine<> {
        co_await sleep(10s);
        say("was not asked");
    };
    const auto cleanup = []() -> Coroutine<> {
        co_await sleep(5ms);
        say("cleaned up");
    };
    co_await finally(body, cleanup);
}

int the_application_is_disconnected_attached(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    loop.attach();
    Task<> task = loop.create_task(cleans_up_when_asked());
    app->disconnect();
    QTimer::singleShot(5, app.get(), &QCoreApplication::quit);
    app->exec();
    loop.close();
    return task.cancelled() ? 3 : 4;
}

int the_application_is_disconnected(std::unique_ptr<QApplication> &app)
{
    QWidget window;
    window.show();
    QTimer::singleShot(5, app.get(), [&] {
        app->disconnect();
        window.close();
    });
    return run(*app, cleans_up_when_asked());
}

/// The window of the program is closed; the clean-up shows another one, or the same once more, and
/// closes it.
template<bool again>
int the_clean_up_shows_a_window(std::unique_ptr<QApplication> &app)
{
    QWidget window;
    window.show();
    QTimer::singleShot(5, &window, &QWidget::close);
    const auto saves = [&window]() -> Coroutine<> {
        const auto body = []() -> Coroutine<> { co_await sleep(10s); };
        const auto cleanup = [&window]() -> Coroutine<> {
            QWidget saving;
            QWidget &shown = again ? window : saving;
            shown.show();
            co_await process_qt_events();
            shown.close();
            co_await process_qt_events();
            say("saved");
        };
        co_await finally(body, cleanup);
    };
    return run(*app, saves());
}

int exit_in_the_clean_up_attached(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    loop.attach();
    const auto exits = []() -> Coroutine<> {
        const auto body = []() -> Coroutine<> { co_await sleep(10s); };
        const auto cleanup = []() -> Coroutine<> {
            co_await sleep(1ms);
            QCoreApplication::exit(4);
        };
        co_await finally(body, cleanup);
    };
    loop.create_task(exits);
    loop.create_task(cleans_up_when_asked());
    QTimer::singleShot(5, app.get(), &QCoreApplication::quit);
    app->exec();
    loop.close();
    return 3;
}

int the_application_is_deleted_in_the_clean_up(std::unique_ptr<QApplication> &app)
{
    const auto deletes = [&app]() -> Coroutine<> {
        const auto body = []() -> Coroutine<> { co_await sleep(10s); };
        const auto cleanup = [&app]() -> Coroutine<> {
            co_await sleep(1ms);
            app.reset();
        };
        co_await finally(body, cleanup);
    };
    const auto main = [&]() -> Coroutine<> {
        create_task(deletes);
        co_await sleep(1ms);
    };
    run(main());
    return 3;
}

int tasks_that_await_each_other_at_the_quit_attached(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    loop.attach();
    std::vector<Task<>> tasks(3);
    const auto waits = [](Task<> &next) -> Coroutine<> {
        co_await sleep(0s);
        Task<> awaited = next;
        co_await awaited;
    };
    for (std::size_t i = 0; i < tasks.size(); ++i)
        tasks[i] = loop.create_task(waits(tasks[(i + 1) % tasks.size()]));
    loop.create_task(waits(tasks[0])); // comes to the circle from outside
    loop.create_task([]() -> Coroutine<> {
        for (int i = 0; i < 4; ++i)
            co_await sleep(0s); // until they all wait
        QTimer::singleShot(0, qApp, [] { QCoreApplication::exit(3); });
    });
    const int code = app->exec();
    for (const Task<> &task : tasks)
        say(task.cancelled() ? "cancelled" : "?");
    loop.close();
    return code;
}

/// Its object, or its scope, goes in a slot: no turn of the loop ends with the task.
template<bool scoped>
int the_last_task_is_unwound_in_the_clean_up(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop(LoopOptions().quit_deadline(1h));
    loop.attach();
    std::optional<QObject> window(std::in_place);
    std::optional<TaskScope> scope(std::in_place);
    const auto body = [](auto &owner) -> Coroutine<> {
        const Last last;
        QTimer::singleShot(0, qApp, [] { QCoreApplication::exit(3); });
        const bool cancelled = co_await is_cancelled_asleep();
        QTimer::singleShot(0, qApp, [&owner] { owner.reset(); });
        co_await sleep(1h);
        say(cancelled ? "unreachable" : "?");
    };
    loop.call_soon([&] {
        if (scoped)
            scope->create_task(body(scope));
        else
            create_task(body(window), TaskOptions().context(&*window));
    });
    QTimer::singleShot(10000, app.get(), [&] {
        say("waits for nobody");
        loop.detach();
    });
    const int code = app->exec();
    loop.close();
    return code;
}

int run_with_code_on_the_stack(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    loop.attach();
    loop.call_soon([&] {
        QEventLoop dialog;
        QTimer::singleShot(0, &dialog, [&] {
            loop.detach();
            loop.call_soon([&] { loop.stop(); });
            say(refusal([&] { loop.run_forever(); })); // a stop() in a slot would not end it
            say(loop.is_running() ? "running" : "not running");
            dialog.quit();
        });
        dialog.exec();
        QTimer::singleShot(0, app.get(), [&] {
            loop.run_forever();
            say("ran");
            QCoreApplication::exit(3);
        });
    });
    const int code = app->exec();
    loop.close();
    return code;
}

/// It ends the application when the loop is detached, and not the next time that it is attached.
int detached_with_a_loop_exit_on_its_way(std::unique_ptr<QApplication> &app)
{
    QAsyncioLoop loop;
    loop.attach();
    loop.call_soon([&] {
        QEventLoop dialog;
        loop.call_soon([&] {
            QTimer::singleShot(0, &dialog, [&] {
                loop.detach();
                dialog.quit();
            });
            throw LoopExit(3);
        });
        dialog.exec();
    });
    {
        QTimer patience;
        QObject::connect(&patience, &QTimer::timeout, [] { QCoreApplication::exit(9); });
        patience.start(5000);
        say(app->exec() == 3 ? "ended" : "?");
    }
    loop.attach();
    loop.call_later(5ms, [] { QCoreApplication::exit(8); });
    const int code = app->exec();
    loop.close();
    return code;
}

/// Two quits, each of which a task asks for, and another one during the clean-up.
int attached_again_after_a_quit(std::unique_ptr<QApplication> &app)
{
    tell_reports();
    QAsyncioLoop loop(LoopOptions().quit_deadline(1h));
    for (int code = 3; code < 5; ++code) {
        loop.attach();
        loop.create_task([](int code) -> Coroutine<> {
            co_await sleep(1ms);
            quit_at_once(code);
            int cancelled = co_await is_cancelled_asleep();
            QMetaObject::invokeMethod(QCoreApplication::instance(), "aboutToQuit",
                                      Qt::DirectConnection);
            cancelled += co_await is_cancelled_asleep(2ms);
            say(cancelled == 1 ? "cancelled once" : "?");
        }(code));
        say(app->exec() == code && !loop.is_running() ? "ended" : "?");
    }
    return 0; // an application that has ended closes its loops without being asked
}

/// Tells when it was closed, after an await.
AsyncGenerator<int> tells_its_end(const char *words)
{
    bool closed = false;
    try {
        co_yield 1;
    } catch (const GeneratorExit &) {
        closed = true;
    }
    co_await sleep(1ms);
    say(words);
    if (closed)
        throw GeneratorExit();
}

/// Does not end when it is cancelled.
template<class F>
Coroutine<> stubborn(F at_each)
{
    const Last last;
    for (;;) {
        const bool cancelled = co_await is_cancelled_asleep();
        if (cancelled)
            at_each();
    }
}

template<bool given_up>
int what_comes_behind_a_stubborn_task(std::unique_ptr<QApplication> &app)
{
    AsyncGenerator<int> numbers = tells_its_end("the generator was closed");
    return QAsyncio::run(
        *app,
        [](AsyncGenerator<int> &numbers) -> Coroutine<int> {
            co_await numbers.next();
            create_task(stubborn([] {
                if (given_up)
                    return;
                QTimer::singleShot(1, &exit_twice);
            }));
            co_await sleep(0s);
            co_return 2;
        }(numbers),
        RunnerOptions().cleanup_limit(given_up ? 20ms : 1h));
}

int two_quits_while_generators_are_closed(std::unique_ptr<QApplication> &app)
{
    static std::atomic<bool> ended{false};
    const auto stays = []() -> AsyncGenerator<int> {
        const Last last;
        try {
            co_yield 1;
        } catch (const GeneratorExit &) {
        }
        QTimer::singleShot(1, &exit_twice);
        co_await sleep(1h);
    };
    AsyncGenerator<int> numbers = stays();
    const int code = QAsyncio::run(*app, [](AsyncGenerator<int> &numbers) -> Coroutine<int> {
        co_await numbers.next();
        const auto job = get_running_loop().run_in_executor(nullptr, [] {
            while (!ended) // the threads are not waited for any more
                QThread::msleep(1);
        });
        co_await sleep(0s);
        co_return 2;
    }(numbers));
    ended = true;
    return code;
}

int a_runner_that_was_asked_to_quit_twice_is_closed(std::unique_ptr<QApplication> &)
{
    tell_reports();
    Runner runner;
    try {
        runner.run([]() -> Coroutine<> {
            QTimer::singleShot(0, [] { QCoreApplication::quit(); });
            co_await stubborn([] { QTimer::singleShot(1, [] { QCoreApplication::quit(); }); });
        }());
    } catch (const CancelledError &error) {
        say(qPrintable(describe(error)));
    }
    say(qPrintable(runner.to_string()));
    return 0;
}

int quit_and_then_interrupted(std::unique_ptr<QApplication> &)
{
    Runner runner;
    for (const Blow blow : {&quit, &interrupt}) {
        try {
            runner.run([](Blow blow) -> Coroutine<> {
                QTimer::singleShot(0, blow);
                co_await sleep(1h);
            }(blow));
        } catch (...) {
            say(qPrintable(describe(std::current_exception())));
        }
    }
    return 0;
}

/// Closes its window while the loop is busy, for as many slices as it says; then another one opens.
Coroutine<int> close_while_busy(QWidget &first, QWidget &second, int slices)
{
    int passes = 0; // of Qt's dispatcher: one for each slice
    const QObject counts;
    QObject::connect(QAbstractEventDispatcher::instance(), &QAbstractEventDispatcher::awake,
                     &counts, [&passes] { ++passes; });
    first.close();
    while (passes < slices)
        co_await sleep(0s);
    second.show();
    co_await sleep(20ms);
    co_return 8;
}

RunnerOptions short_slices()
{
    return RunnerOptions().loop_factory(
        [] { return std::make_unique<QAsyncioLoop>(LoopOptions().time_slice(0s)); });
}

template<int slices>
int a_window_closes_while_the_loop_is_busy(std::unique_ptr<QApplication> &app)
{
    QWidget first;
    QWidget second;
    first.show();
    return QAsyncio::run(*app, close_while_busy(first, second, slices), short_slices());
}

/// Where a slice ends behind that line, the stop of the run is queued already: it must not end the
/// clean-up.
int quit_in_the_last_line_of_main(std::unique_ptr<QApplication> &app)
{
    const auto body = [](int steps) -> Coroutine<> {
        create_task(cleans_up_slowly());
        for (int i = 0; i < steps; ++i)
            co_await sleep(0s);
        QCoreApplication::quit();
    };
    for (int steps = 1; steps <= 8; ++steps) // the time is looked at behind some callbacks only
        QAsyncio::run(*app, body(steps), short_slices());
    return 0;
}

/// Two tasks wait for one dialog; one of them has gone when it closes.
int a_dialog_that_two_have_awaited(std::unique_ptr<QApplication> &app)
{
    return QAsyncio::run(*app, []() -> Coroutine<int> {
        {
            QDialog dialog;
            dialog.open();
            try {
                co_await wait_for(from_signal(&dialog, &QDialog::finished), 2ms);
            } catch (const TimeoutError &) {
                say("timed out");
            }
            const auto waits = [](QDialog &dialog) -> Coroutine<> {
                co_await from_signal(&dialog, &QDialog::finished);
            };
            auto other = create_task(waits(dialog));
            auto task = create_task(waits(dialog));
            co_await sleep(1ms);
            other.cancel();
            co_await sleep(1ms);
            dialog.accept();
            co_await task;
        }
        co_await sleep(20ms);
        co_return 8;
    }());
}

int a_dialog_that_nobody_awaits_any_more(std::unique_ptr<QApplication> &app)
{
    QDialog dialog;
    dialog.open();
    return QAsyncio::run(*app, [](QDialog &dialog) -> Coroutine<> {
        for (int i = 0; i < 2; ++i) {
            try {
                co_await wait_for(from_signal(&dialog, &QDialog::finished), 2ms);
            } catch (const TimeoutError &) {
                say("timed out");
            }
        }
        co_await close_and_wait_for_the_end(dialog);
    }(dialog));
}

/// A window, or what else owns a loop, closes it when it goes, wherever that is.
template<class Base>
struct OwnsItsLoop : Base
{
    OwnsItsLoop() { loop.attach(); }
    ~OwnsItsLoop() override
    {
        say("it goes");
        loop.detach();
        loop.close();
    }

    QAsyncioLoop loop;
};

void open_event_loop(std::chrono::milliseconds time)
{
    QEventLoop event_loop;
    QTimer::singleShot(time, &event_loop, &QEventLoop::quit);
    event_loop.exec();
}

void pump_events(const bool &until)
{
    QElapsedTimer timer;
    timer.start();
    while (!until && timer.elapsed() < 5000)
        QCoreApplication::processEvents();
}

/// What the closing of the last window means is judged when all has run that was ready: the loop
/// ends before that.
template<class End>
int the_last_window_takes_an_attached_loop_along(QApplication &app, End end)
{
    auto *window = new OwnsItsLoop<QWidget>;
    const QPointer<QWidget> alive(window);
    window->show();
    QTimer::singleShot(5, window, [=] {
        window->close();
        end(*window);
    });
    QTimer::singleShot(5000, &app, [] { QCoreApplication::exit(1); });
    const int code = app.exec();
    if (alive)
        delete window;
    return code;
}

int the_last_window_is_deleted(std::unique_ptr<QApplication> &app)
{
    return the_last_window_takes_an_attached_loop_along(
        *app, [](QWidget &window) { window.deleteLater(); });
}

int the_loop_stops_behind_the_last_window(std::unique_ptr<QApplication> &app)
{
    return the_last_window_takes_an_attached_loop_along(
        *app, [](OwnsItsLoop<QWidget> &window) { window.loop.stop(); });
}

/// A run in a slot ends in the turn in which the last window closes: the program's exec() ends,
/// too.
int a_run_in_a_slot_closes_the_last_window(std::unique_ptr<QApplication> &app)
{
    QWidget window;
    window.show();
    QTimer::singleShot(5, &window, [&window] {
        QAsyncio::run([](QWidget &window) -> Coroutine<> {
            window.close();
            co_return;
        }(window));
        say("the run is over");
    });
    QTimer::singleShot(5000, app.get(), [] { QCoreApplication::exit(1); });
    return app->exec();
}

/// And one that main makes leaves nothing behind for the next.
int a_run_of_main_closes_the_last_window(std::unique_ptr<QApplication> &app)
{
    QWidget window;
    window.show();
    QAsyncio::run(*app, [](QWidget &window) -> Coroutine<> {
        window.close();
        co_return;
    }(window));
    return QAsyncio::run(*app, []() -> Coroutine<int> {
        co_await sleep(20ms);
        co_return 9;
    }());
}

Coroutine<> takes_its_time()
{
    const Guard unwound([] { say("unwound"); });
    try {
        co_await sleep(1h);
    } catch (const CancelledError &) {
        say("cancelled");
    }
    co_await sleep(1h);
    say("never");
}

/// In the clean-up no turn is on the stack, but Qt's loop of the clean-up is.
int an_owner_of_a_loop_goes_in_the_clean_up(std::unique_ptr<QApplication> &app)
{
    auto *owner = new OwnsItsLoop<QObject>;
    owner->loop.create_task(takes_its_time());
    QTimer::singleShot(5, owner, [owner] {
        QTimer::singleShot(5, owner, &QObject::deleteLater);
        QCoreApplication::exit(3);
    });
    return app->exec();
}

Coroutine<> fails_at_once()
{
    throw ValueError();
    co_return;
}

int an_owner_of_a_loop_goes_under_the_handler(std::unique_ptr<QApplication> &app)
{
    auto *owner = new OwnsItsLoop<QObject>;
    owner->loop.set_exception_handler([](QAsyncioLoop &, const ExceptionContext &) {
        open_event_loop(20ms);
        say("told");
    });
    Task<> failed = owner->loop.create_task(fails_at_once());
    QTimer::singleShot(5, app.get(), [&] {
        QTimer::singleShot(5, owner, [owner] { delete owner; });
        failed = {}; // tells the handler
        QCoreApplication::exit(4);
    });
    return app->exec();
}

/// A bare processEvents() does not raise the level of event loops.
int an_owner_of_a_loop_goes_while_a_task_pumps(std::unique_ptr<QApplication> &app)
{
    auto *owner = new OwnsItsLoop<QObject>;
    bool gone = false;
    owner->loop.create_task([](OwnsItsLoop<QObject> *owner, bool &gone) -> Coroutine<> {
        const Guard unwound([] { say("unwound"); });
        bool pumped = false;
        QTimer::singleShot(0, owner, [&pumped] { pumped = true; });
        pump_events(pumped);
        owner->loop.detach();
        say(refusal([&] { owner->loop.close(); })); // it is this task that wants it
        QTimer::singleShot(0, owner, [owner, &gone] {
            delete owner;
            gone = true;
        });
        pump_events(gone);
        say("pumped");
        co_await sleep(0s);
        say("never");
    }(owner, gone));
    QTimer::singleShot(50, app.get(), [] { QCoreApplication::exit(5); });
    return app->exec();
}

Coroutine<> survives_a_quit()
{
    try {
        co_await sleep(1h);
    } catch (const CancelledError &) {
    }
}

/// What is waited for is named after a second: one of Qt's timers. It comes in the pass in which
/// the loop goes.
int a_loop_goes_before_its_tasks_are_named(std::unique_ptr<QApplication> &app)
{
    auto *loop = new QAsyncioLoop;
    loop->attach();
    loop->create_task([](QAsyncioLoop *loop) -> Coroutine<> {
        co_await survives_a_quit();
        co_await sleep(900ms);
        delete loop;
        say("deleted");
    }(loop));
    loop->create_task([]() -> Coroutine<> {
        co_await survives_a_quit();
        co_await sleep(100ms);
        QThread::msleep(1100); // then both are due
        co_await sleep(1h);
    }());
    QTimer::singleShot(1, app.get(), &QCoreApplication::quit);
    return app->exec();
}

void say_what_an_attached_loop_says(QtMsgType, const QMessageLogContext &, const QString &message)
{
    if (!message.startsWith(QLatin1String("attached loop: ")))
        return;
    const bool named = message.contains(QLatin1String("<Task cancelling name='slow'"));
    say(qPrintable(message.section(QLatin1Char('<'), 0, 0) + QLatin1String(named ? "slow" : "?")));
}

int what_an_attached_loop_waits_for_is_named(std::unique_ptr<QApplication> &app)
{
    qInstallMessageHandler(say_what_an_attached_loop_says);
    QAsyncioLoop loop(LoopOptions().quit_deadline(1100ms));
    loop.attach();
    const auto body = []() -> Coroutine<> {
        co_await survives_a_quit();
        co_await sleep(1h);
    };
    loop.create_task(body(), TaskOptions().name(QStringLiteral("slow")));
    QTimer::singleShot(1, app.get(), &QCoreApplication::quit);
    const int code = app->exec();
    loop.close();
    return code;
}

template<bool deleted>
int loop_exit_of_a_task_that_has_ended_its_loop(std::unique_ptr<QApplication> &app)
{
    auto loop = std::make_unique<QAsyncioLoop>();
    loop->attach();
    Task<> task = loop->create_task([](std::unique_ptr<QAsyncioLoop> &loop) -> Coroutine<> {
        co_await sleep(1ms);
        if (deleted)
            loop.reset();
        else
            loop->detach();
        throw LoopExit(5);
    }(loop));
    QTimer::singleShot(5000, app.get(), [] { QCoreApplication::exit(1); });
    const int code = app->exec();
    static_cast<void>(task.exception());
    return code;
}

/// The exec() that serves the loop ends, and no other one.
int loop_exit_in_another_thread(std::unique_ptr<QApplication> &app)
{
    QThread thread;
    QObject receiver;
    receiver.moveToThread(&thread);
    const auto throws = [] {
        auto *loop = new QAsyncioLoop;
        loop->attach();
        loop->call_soon([] { throw LoopExit(5); });
        QObject::connect(QThread::currentThread(), &QThread::finished, [loop] { delete loop; });
    };
    QMetaObject::invokeMethod(&receiver, throws);
    QObject::connect(&thread, &QThread::finished, app.get(), [] {
        say("the thread has ended");
        QCoreApplication::exit(6);
    });
    thread.start();
    const int code = app->exec();
    thread.wait();
    return code;
}

/// A loop ends in one of the tasks that are ready: the others do not go on any more.
template<bool with_application>
int others_are_ready_when_the_loop_ends(std::unique_ptr<QApplication> &app)
{
    auto loop = std::make_unique<QAsyncioLoop>();
    const auto ends = [&] {
        if (with_application)
            app.reset();
        else
            loop.reset();
        say("ended");
    };
    loop->call_soon(ends);
    loop->call_soon([] { say("a callback"); });
    loop->create_task([]() -> Coroutine<> {
        say("a task");
        co_return;
    }());
    loop->run_forever();
    return 0;
}

/// The main window is closed while a dialog is open, which holds up the end.
template<bool attached>
int the_window_is_closed_under_a_dialog(std::unique_ptr<QApplication> &app)
{
    QWidget window;
    window.show();
    const auto body = [](QWidget &window) -> Coroutine<> {
        QDialog dialog;
        QTimer::singleShot(5, &window, &QWidget::close);
        QTimer::singleShot(15, &dialog, &QDialog::accept);
        dialog.exec();
        say("the dialog has returned");
        try {
            co_await sleep(5s);
        } catch (const CancelledError &) {
            say("cancelled");
        }
    };
    if (!attached)
        return QAsyncio::run(*app, body(window));
    QAsyncioLoop loop;
    loop.attach();
    loop.create_task(body(window));
    const int code = app->exec();
    loop.close();
    return code;
}

/// Another one is shown behind the dialog: then it is not the end.
int the_window_is_replaced_under_a_dialog(std::unique_ptr<QApplication> &app)
{
    QWidget window;
    window.show();
    return QAsyncio::run(*app, [](QWidget &window) -> Coroutine<int> {
        QDialog dialog;
        QTimer::singleShot(5, &window, &QWidget::close);
        QTimer::singleShot(15, &dialog, &QDialog::accept);
        dialog.exec();
        QWidget next;
        next.show();
        co_await sleep(20ms);
        co_return 7;
    }(window));
}

struct Scenario
{
    const char *name;
    int (*run)(std::unique_ptr<QApplication> &);
    int code;
    const char *output;
};

const Scenario all[] = {
    {"close_under_its_own_task", close_under_its_own_task, 3, "refused\nrefused\nclosed\n"},
    {"close_in_a_callback_and_in_the_handler", close_in_a_callback_and_in_the_handler, 0,
     "refused\nrefused\nrefused\nrefused\n"},
    {"loop_deleted_under_a_dialog", loop_deleted_under_a_dialog, 0,
     "deleted\nthe dialog has returned\nunwound\n"},
    {"loop_deleted_in_its_own_run", loop_deleted_in_its_own_run, 0,
     "the dialog has returned\nunwound\ncancelled\nno loop is left\n"},
    {"application_deleted_in_a_task", application_deleted_in_a_task, 0, "gone\n"},
    {"a_loop_takes_another_one_along", a_loop_takes_another_one_along, 0, "both closed\n"},
    {"loop_deleted_when_qt_is_about_to_block", loop_deleted_when_qt_is_about_to_block, 5,
     "deleted\n"},
    {"who_waits_for_a_callback_is_woken", who_waits_for_a_callback_is_woken, 0, ""},
    {"application_deleted_when_qt_is_about_to_block", application_deleted_when_qt_is_about_to_block,
     0, ""},
    {"application_deleted_in_the_main_loop", application_deleted_in_the_main_loop<false>, 0,
     "gone\nunwound\ncancelled\n"},
    {"application_deleted_in_the_main_loop_attached", application_deleted_in_the_main_loop<true>, 0,
     "gone\nunwound\n"},
    {"a_locker_goes_long_after_a_dialog", a_locker_goes_long_after_a_dialog, 0,
     "the locker goes\n"},
    {"the_last_window_is_deleted", the_last_window_is_deleted, 0, "it goes\n"},
    {"the_loop_stops_behind_the_last_window", the_loop_stops_behind_the_last_window, 0,
     "it goes\n"},
    {"a_run_in_a_slot_closes_the_last_window", a_run_in_a_slot_closes_the_last_window, 0,
     "the run is over\n"},
    {"a_run_of_main_closes_the_last_window", a_run_of_main_closes_the_last_window, 9, ""},
    {"an_owner_of_a_loop_goes_in_the_clean_up", an_owner_of_a_loop_goes_in_the_clean_up, 3,
     "cancelled\nit goes\nunwound\n"},
    {"an_owner_of_a_loop_goes_under_the_handler", an_owner_of_a_loop_goes_under_the_handler, 4,
     "it goes\ntold\n"},
    {"an_owner_of_a_loop_goes_while_a_task_pumps", an_owner_of_a_loop_goes_while_a_task_pumps, 5,
     "refused\nit goes\npumped\nunwound\n"},
    {"a_loop_goes_before_its_tasks_are_named", a_loop_goes_before_its_tasks_are_named, 0,
     "deleted\n"},
    {"what_an_attached_loop_waits_for_is_named", what_an_attached_loop_waits_for_is_named, 0,
     "attached loop: the end of the program waits for slow\nattached loop: the program ends "
     "without slow\n"},
    {"loop_exit_of_a_task_that_has_detached_its_loop",
     loop_exit_of_a_task_that_has_ended_its_loop<false>, 5, ""},
    {"loop_exit_of_a_task_that_has_deleted_its_loop",
     loop_exit_of_a_task_that_has_ended_its_loop<true>, 5, ""},
    {"loop_exit_in_another_thread", loop_exit_in_another_thread, 6, "the thread has ended\n"},
    {"others_are_ready_when_the_loop_is_deleted", others_are_ready_when_the_loop_ends<false>, 0,
     "ended\n"},
    {"others_are_ready_when_the_application_is_deleted", others_are_ready_when_the_loop_ends<true>,
     0, "ended\n"},
    {"the_window_is_closed_under_a_dialog", the_window_is_closed_under_a_dialog<false>, 0,
     "the dialog has returned\ncancelled\n"},
    {"the_window_is_closed_under_a_dialog_attached", the_window_is_closed_under_a_dialog<true>, 0,
     "the dialog has returned\ncancelled\n"},
    {"the_window_is_replaced_under_a_dialog", the_window_is_replaced_under_a_dialog, 7, ""},
    {"a_slot_throws", a_slot_throws, 0, "left\nleft\n"},
    {"a_slot_throws_in_the_pass_in_which_a_run_ends",
     a_slot_throws_in_the_pass_in_which_a_run_ends<true>, 7,
     "ValueError: of a slot\nabout to quit\n"},
    {"a_slot_throws_in_the_pass_in_which_a_run_ends_without_glib",
     a_slot_throws_in_the_pass_in_which_a_run_ends<false>, 7,
     "ValueError: of a slot\nabout to quit\n"},
    {"a_slot_throws_behind_a_loop_exit", a_slot_throws_behind_a_loop_exit<true>, 0,
     "ValueError: of a slot\nran\n"},
    {"a_slot_throws_behind_a_loop_exit_without_glib", a_slot_throws_behind_a_loop_exit<false>, 0,
     "ValueError: of a slot\nran\n"},
    {"a_filter_detaches_at_the_quit", a_filter_detaches_at_the_quit, 0, "detached\n"},
    {"application_deleted_in_a_run", application_deleted_in_a_run, 0, "gone\nunwound\ncancelled\n"},
    {"application_deleted_under_its_exec", application_deleted_under_its_exec, 0, "returned\n"},
    {"loop_closed_by_a_local_of_a_task_that_is_unwound",
     loop_ended_by_a_local_of_a_task_that_is_unwound<false>, 6,
     "ended\nthe older one\nthe object is gone\n"},
    {"loop_deleted_by_a_local_of_a_task_that_is_unwound",
     loop_ended_by_a_local_of_a_task_that_is_unwound<true>, 6,
     "ended\nthe older one\nthe object is gone\n"},
    {"loop_closed_by_a_local_of_a_task_of_a_scope", loop_ended_by_a_local_of_a_task_of_a_scope, 6,
     "ended\nthe scope is gone\n"},
    {"loop_kept_by_its_own_task", loop_kept_by_its_own_task, 0, "kept\ngone\n"},
    {"loop_kept_by_its_own_callback", loop_kept_by_its_own_callback, 0, "kept\ngone\n"},
    {"loop_kept_by_its_own_reader", loop_kept_by_its_own_reader, 0, "kept\ngone\n"},
    {"loop_deleted_under_a_group", loop_deleted_under_a_group, 0, "deleted\nrefused\nunwound\n"},
    {"loop_deleted_beside_a_property", loop_deleted_beside_a_property, 0,
     "the dialog has returned\nunwound\n"},
    {"a_runner_in_a_slot_and_a_quit", a_runner_in_a_slot_and_a_quit, 0, "cancelled\nas ever\n"},
    {"a_run_inside_of_close", a_run_inside_of_close, 0, "refused\nrefused\n"},
    {"stop_in_the_clean_up_of_a_quit", stop_in_the_clean_up_of_a_quit, 0, ""},
    {"a_runner_closed_by_its_own_coroutine", a_runner_closed_by_its_own_coroutine, 4, "refused\n"},
    {"a_runner_destroyed_by_its_own_coroutine", a_runner_destroyed_by_its_own_coroutine, 0,
     "goes on to its next await\nrefused\n"},
    {"a_runner_destroyed_in_its_clean_up", a_runner_destroyed_in_its_clean_up, 0,
     "cleaned up\ngone\n"},
    {"a_runner_closed_in_another_loop", a_runner_closed_in_another_loop, 0, "still running\n"},
    {"a_runner_closed_by_the_handler_of_its_loop", a_runner_ended_by_the_handler_of_its_loop<false>,
     0, "refused\n<Runner closed>\n"},
    {"a_runner_destroyed_by_the_handler_of_its_loop",
     a_runner_ended_by_the_handler_of_its_loop<true>, 0, "gone\nnone\n"},
    {"each_run_begins_afresh", each_run_begins_afresh, 0,
     "cleaned up\ncancelled\ntold\ncleaned up\nended\ncleaned up\ncancelled\ntold\ncleaned "
     "up\nended\n"},
    {"quit_requested_that_nobody_awaits_any_more", quit_requested_that_nobody_awaits_any_more, 7,
     ""},
    {"interrupted_in_the_clean_up", interrupted_in_the_clean_up, 130, "unwound\n"},
    {"interrupted_in_the_last_line_of_main", interrupted_in_the_last_line_of_main, 130,
     "unwound\n"},
    {"the_clean_up_has_a_limit", the_clean_up_has_a_limit, 5, ""},
    {"the_clean_up_fails", the_clean_up_fails<0>, 1, ""},
    {"the_clean_up_fails_after_a_result", the_clean_up_fails<5>, 5, ""},
    {"the_clean_up_leaves_with_a_code", the_clean_up_leaves_with_a_code<0>, 6, ""},
    {"the_clean_up_leaves_with_a_code_after_a_result", the_clean_up_leaves_with_a_code<5>, 5, ""},
    {"quit_in_the_clean_up", quit_in_the_clean_up, 4, "cleaned up\n"},
    {"quit_in_the_last_line_of_main", quit_in_the_last_line_of_main, 0,
     "cleaned up\ncleaned up\ncleaned up\ncleaned up\ncleaned up\ncleaned up\ncleaned up\ncleaned "
     "up\n"},
    {"main_is_interrupted", main_is_hit<interrupt>, 130, "unwound\n"},
    {"main_is_asked_to_quit", main_is_hit<quit>, 0, "unwound\n"},
    {"main_is_asked_to_exit", main_is_hit<exit_with_3>, 3, "unwound\n"},
    {"main_is_interrupted_when_it_cleans_up", main_is_hit_when_it_cleans_up<interrupt>, 130,
     "unwound\n"},
    {"main_is_asked_to_quit_when_it_cleans_up", main_is_hit_when_it_cleans_up<quit>, 0,
     "unwound\n"},
    {"main_is_asked_to_exit_when_it_cleans_up", main_is_hit_when_it_cleans_up<exit_with_3>, 0,
     "unwound\n"},
    {"the_tasks_are_interrupted", the_tasks_are_hit<interrupt>, 130, "unwound\n"},
    {"the_tasks_are_asked_to_quit", the_tasks_are_hit<quit>, 5, "unwound\n"},
    {"the_tasks_are_asked_to_exit", the_tasks_are_hit<exit_with_3>, 3, "unwound\n"},
    {"the_generators_are_interrupted", the_generators_are_hit<interrupt>, 130, "unwound\n"},
    {"the_generators_are_asked_to_quit", the_generators_are_hit<quit>, 5, "unwound\n"},
    {"the_generators_are_asked_to_exit", the_generators_are_hit<exit_with_3>, 3, "unwound\n"},
    {"the_executor_is_interrupted", the_executor_is_hit<interrupt>, 130, ""},
    {"the_executor_is_asked_to_quit", the_executor_is_hit<quit>, 5, ""},
    {"the_executor_is_asked_to_exit", the_executor_is_hit<exit_with_3>, 3, ""},
    {"interrupted_attached", interrupted_attached, 130, ""},
    {"a_task_quits_attached", a_task_quits_attached, 3, "goes on\ncancelled\ncleaned up\n"},
    {"quit_under_a_dialog_attached", quit_under_a_dialog_attached, 3,
     "the slot returns\nthe dialog has returned\ncancelled\ncleaned up\n"},
    {"a_task_quits_and_another_stays", a_task_quits_and_another_stays, 3, "unwound\n"},
    {"main_is_cancelled", main_is_cancelled, 1, ""},
    {"two_quits_in_the_clean_up", two_quits_in_the_clean_up, 4, "unwound\n"},
    {"a_worker_calls_while_the_runner_cleans_up", a_worker_calls_while_the_runner_cleans_up, 0,
     "the call was cancelled\n"},
    {"a_loop_thread_outlives_the_application", a_loop_thread_outlives_the_application, 0,
     "ended\n"},
    {"a_thread_whose_exec_was_ended_cleans_up", a_thread_whose_exec_was_ended_cleans_up, 0,
     "cleaned up\n"},
    {"stop_while_a_slot_pumps", stop_while_a_slot_pumps, 0, "as ever\n"},
    {"stop_beside_a_timer_of_no_time", stop_beside_a_timer_of_no_time, 6, "ended\nended\nended\n"},
    {"a_filter_swallows_our_events", a_filter_swallows_our_events, 3,
     "ended\nended\nended\nended\nended\n"},
    {"a_locker_goes", a_locker_goes, 7, ""},
    {"a_window_closes_long_after_a_dialog", a_window_closes_long_after_a_dialog, 0,
     "that was the end\n"},
    {"a_window_closes_long_after_a_dialog_attached", a_window_closes_long_after_a_dialog_attached,
     0, "that was the end\n"},
    {"a_dialog_alone_ends_nothing_attached", a_dialog_alone_ends_nothing_attached, 8, ""},
    {"a_window_without_widgets_closes", a_window_without_widgets_closes, 0, "that was the end\n"},
    {"a_window_without_widgets_stays", a_window_without_widgets_stays, 8, ""},
    {"a_window_opens_some_turns_later", a_window_opens_some_turns_later, 8, ""},
    {"the_quit_lock_is_left_as_it_was", the_quit_lock_is_left_as_it_was, 8, "as it was\n"},
    {"a_window_closes_whose_signal_is_awaited", a_window_closes_whose_signal_is_awaited, 0,
     "that was the end\n"},
    {"a_window_closes_in_a_program_that_stays", a_window_closes_in_a_program_that_stays, 8, ""},
    {"an_attached_loop_is_deleted_by_its_own_callback",
     an_attached_loop_is_deleted_by_its_own_callback, 6, "deleted\nthe other one runs\n"},
    {"a_locker_of_the_program_is_respected", a_locker_of_the_program_is_respected, 9, ""},
    {"a_locker_goes_behind_a_judgement", a_locker_goes_behind_a_judgement, 8, ""},
    {"the_exec_of_the_applications_class_is_called", the_exec_of_the_applications_class_is_called,
     3, "exec\nexec\nexec\n"},
    {"main_fails", main_fails, 1, "run(): unhandled exception: ValueError: no luck\n"},
    {"main_is_cancelled_and_tells", and_tells<main_is_cancelled>, 1,
     "run(): the main coroutine was cancelled\n"},
    {"the_clean_up_fails_and_tells", and_tells<the_clean_up_fails<0>>, 1,
     "close() ends 2 unfinished tasks:\nTask was destroyed but it is pending!\n"
     "run(): the clean-up failed: RuntimeError: Event loop stopped before Future completed.\n"},
    {"exit_in_the_pass_in_which_main_ends", exit_in_the_pass_in_which_main_ends, 7,
     "about to quit\nas ever\n"},
    {"exit_in_the_pass_in_which_the_clean_up_ends", exit_in_the_pass_in_which_the_clean_up_ends, 4,
     "cleaned up\n"},
    {"a_window_closes_between_the_runs", a_window_closes_between_the_runs, 0, ""},
    {"a_locker_goes_between_the_runs", a_locker_goes_between_the_runs, 0, ""},
    {"another_loop_is_attached_under_one_that_ends", another_loop_is_attached_under_one_that_ends,
     0, "the dialog has returned\nunwound\ncancelled\nthe other one runs\n"},
    {"closed_under_a_dialog_while_another_loop_is_attached",
     closed_under_a_dialog_while_another_loop_is_attached, 0,
     "refused\nrefused\nthe other one runs\nthe dialog has returned\nunwound\nclosed\n"},
    {"a_run_inside_of_an_exec_that_was_ended", a_run_inside_of_an_exec_that_was_ended, 3,
     "ran\nran\nran\nas ever\nran\n"},
    {"detached_while_work_is_pending", detached_while_work_is_pending, 0,
     "nothing has run\nsoon timer\nnothing has run\nsoon timer\n"},
    {"stop_under_a_dialog_attached", stop_under_a_dialog_attached, 3,
     "turns go on\nthe dialog has returned\nstopped\n"},
    {"attach_with_code_on_the_stack", attach_with_code_on_the_stack, 3,
     "refused\nnot running\nrunning\n"},
    {"run_with_code_on_the_stack", run_with_code_on_the_stack, 3, "refused\nnot running\nran\n"},
    {"detached_with_a_loop_exit_on_its_way", detached_with_a_loop_exit_on_its_way, 8, "ended\n"},
    {"whoever_asked_for_the_quit_is_told_attached", whoever_asked_for_the_quit_is_told_attached, 3,
     "told\ntold\n"},
    {"who_awaits_one_that_is_told_of_the_quit", who_awaits_one_that_is_told_of_the_quit<false>, 3,
     "told\ngoes on\nand on\n"},
    {"who_awaits_one_that_is_told_of_the_quit_attached",
     who_awaits_one_that_is_told_of_the_quit<true>, 3, "told\ngoes on\nand on\ncleaned up\n"},
    {"a_runner_of_a_thread_outlives_the_application",
     a_runner_of_a_thread_outlives_the_application<false>, 3, "ran\n"},
    {"a_runner_of_a_thread_runs_behind_the_application",
     a_runner_of_a_thread_outlives_the_application<true>, 3, "ran\nrefused\n"},
    {"the_application_is_disconnected_attached", the_application_is_disconnected_attached, 3,
     "cleaned up\n"},
    {"the_application_is_disconnected", the_application_is_disconnected, 0, "cleaned up\n"},
    {"the_clean_up_shows_a_window", the_clean_up_shows_a_window<false>, 0, "saved\n"},
    {"the_clean_up_shows_the_window_again", the_clean_up_shows_a_window<true>, 0, "saved\n"},
    {"exit_in_the_clean_up_attached", exit_in_the_clean_up_attached, 3, "cleaned up\n"},
    {"the_application_is_deleted_in_the_clean_up",
     and_tells<the_application_is_deleted_in_the_clean_up>, 3, ""},
    {"tasks_that_await_each_other_at_the_quit_attached",
     tasks_that_await_each_other_at_the_quit_attached, 3, "cancelled\ncancelled\ncancelled\n"},
    {"the_last_task_is_unwound_with_its_object_in_the_clean_up",
     the_last_task_is_unwound_in_the_clean_up<false>, 3, "unwound\n"},
    {"the_last_task_is_unwound_with_its_scope_in_the_clean_up",
     the_last_task_is_unwound_in_the_clean_up<true>, 3, "unwound\n"},
    {"attached_again_after_a_quit", attached_again_after_a_quit, 0,
     "cancelled once\nended\ncancelled once\nended\n"},
    {"what_comes_behind_a_task_that_was_given_up", what_comes_behind_a_stubborn_task<true>, 2,
     "the generator was closed\nunwound\n"},
    {"what_comes_behind_two_quits", what_comes_behind_a_stubborn_task<false>, 4, "unwound\n"},
    {"two_quits_while_generators_are_closed", two_quits_while_generators_are_closed, 4,
     "unwound\n"},
    {"a_runner_that_was_asked_to_quit_twice_is_closed",
     a_runner_that_was_asked_to_quit_twice_is_closed, 0,
     "close() ends 1 unfinished task:\nunwound\nTask was destroyed but it is pending!\n"
     "CancelledError: the application quit a second time during the clean-up\n<Runner closed>\n"},
    {"two_quits_in_the_clean_up_and_tells", and_tells<two_quits_in_the_clean_up>, 4,
     "close() ends 2 unfinished tasks:\nunwound\nTask was destroyed but it is pending!\n"},
    {"quit_and_then_interrupted", quit_and_then_interrupted, 0,
     "CancelledError\nKeyboardInterrupt\n"},
    {"a_window_closes_while_the_loop_is_busy_for_a_while",
     a_window_closes_while_the_loop_is_busy<5>, 8, ""},
    {"a_window_closes_while_the_loop_is_busy_for_long",
     a_window_closes_while_the_loop_is_busy<10000>, 0, ""},
    {"a_dialog_that_two_have_awaited", a_dialog_that_two_have_awaited, 8, "timed out\n"},
    {"a_dialog_that_nobody_awaits_any_more", a_dialog_that_nobody_awaits_any_more, 0,
     "timed out\ntimed out\nthat was the end\n"},
};

} // namespace

/// Under code of Qt's. Without QAsyncio that is a crash on any platform.
static bool is_application_deleted(const Scenario &scenario)
{
    const QLatin1String name(scenario.name);
    return name.contains(QLatin1String("application_deleted"))
        || name.contains(QLatin1String("application_is_deleted"));
}

void tst_ends::scenarios_data()
{
    QTest::addColumn<int>("index");
    for (int i = 0; i < int(std::size(all)); ++i)
        QTest::newRow(all[i].name) << i;
}

void tst_ends::scenarios()
{
    SKIP_WITHOUT_PROCESSES();
    QFETCH(int, index);
    const Scenario &scenario = all[index];
    if (QGuiApplication::platformName() == QLatin1String("xcb") && is_application_deleted(scenario))
        QSKIP("the code of Qt's for X11 that is on the stack uses what has gone with the "
              "application");
    const ScenarioResult result = run_scenario(QLatin1String(scenario.name));
    QCOMPARE(result.output, QByteArray(scenario.output));
    QVERIFY(!result.crashed);
    QCOMPARE(result.exit_code, scenario.code);
}

static int run_named(const char *name, std::unique_ptr<QApplication> &app)
{
    for (const Scenario &scenario : all) {
        if (qstrcmp(scenario.name, name) == 0)
            return scenario.run(app);
    }
    return 99;
}

int main(int argc, char **argv)
{
    auto app = std::make_unique<QApplication>(argc, argv);
    if (argc > 2 && qstrcmp(argv[1], "--scenario") == 0)
        return run_named(argv[2], app);
    tst_ends test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_ends.moc"
