// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// Frames that are destroyed while they are suspended: the context object of a task dies, or the
// loop is closed.

#include "task_helpers.h"

#include <QtCore/qmetaobject.h>
#include <QtCore/qregularexpression.h>
#include <QtCore/qtimer.h>

namespace {

class Window : public QObject
{
    Q_OBJECT

public:
    explicit Window(QStringList &log) : log(log) { }
    ~Window() override { log << u"window"_s; }

    Coroutine<> load()
    {
        const Farewell local(log, u"local"_s);
        co_await sleep(1h);
        log << title; // must not run when *this is gone
    }

    QStringList &log;
    QString title = u"title"_s;

Q_SIGNALS:
    void clicked();
    void closed(int code);
};

struct Foreign
{
    std::coroutine_handle<> *waiting;
    explicit Foreign(std::coroutine_handle<> &waiting) : waiting(&waiting) { }
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) { *waiting = handle; }
    void await_resume() const { }
};

/// Calls a function when it is destroyed.
template<class F>
struct AtEnd
{
    F function;
    explicit AtEnd(F function) : function(std::move(function)) { }
    ~AtEnd() { function(); }
    Q_DISABLE_COPY_MOVE(AtEnd)
};

} // namespace

class tst_unwind : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // H-62
    void theTaskEndsWithItsContextObject()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            QStringList log;
            auto window = std::make_unique<Window>(log);
            Task<> task = create_task(window->load(), TaskOptions().context(window.get()));
            task.add_done_callback(
                [&](const Future<> &done) { log << (done.cancelled() ? u"cancelled"_s : u"-"_s); });
            co_await turns(1);
            window.reset();
            QASYNCIO_COMPARE(log.join(u' '), u"window local"_s); // there and then
            QASYNCIO_COMPARE(task.cancelled(), true);
            co_await sleep(2h);
            QASYNCIO_COMPARE(log.join(u' '), u"window local cancelled"_s);
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
            QASYNCIO_COMPARE(reports.list().join(u' '), QString());
        });
    }

    // H-62
    void whateverItIsSuspendedAt()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            Future<> future = loop.create_future<>();
            Task<> other = create_task(sleeper(1min));
            std::coroutine_handle<> foreign;
            Window sender(log);
            const std::vector<std::function<Coroutine<>()>> awaits{
                []() -> Coroutine<> { co_await sleep(1h); },
                []() -> Coroutine<> { co_await sleep(0s); },
                [&]() -> Coroutine<> { co_await future; },
                [&]() -> Coroutine<> { co_await other; },
                []() -> Coroutine<> { co_await sleeper(); },
                [&]() -> Coroutine<> { co_await gather(sleeper(1s), future); },
                [&]() -> Coroutine<> { co_await wait_for(future, 1h); },
                [&]() -> Coroutine<> { co_await wait_for(sleep(1h), 1min); },
                [&]() -> Coroutine<> { co_await from_signal(&sender, &Window::clicked); },
                [&]() -> Coroutine<> { co_await Foreign(foreign); },
            };
            for (const auto &await : awaits) {
                log.clear();
                const auto body = [&]() -> Coroutine<> {
                    const Farewell outer(log, u"outer"_s);
                    const auto child = [&]() -> Coroutine<> {
                        const Farewell inner(log, u"inner"_s);
                        co_await await();
                        log << u"unreachable"_s;
                    };
                    co_await child();
                    log << u"unreachable"_s;
                };
                auto object = std::make_unique<QObject>();
                Task<> task = create_task(body(), TaskOptions().context(object.get()));
                co_await turns(1);
                object.reset();
                QASYNCIO_COMPARE(log.join(u' '), u"inner outer"_s);
                QASYNCIO_COMPARE(task.cancelled(), true);
                co_await turns(3);
                QASYNCIO_COMPARE(log.join(u' '), u"inner outer"_s);
            }
            QASYNCIO_COMPARE(future.done() || other.done(), false);
            QASYNCIO_COMPARE(other.cancelling(), 0);
            future.set_result();
            emit sender.clicked();
            foreign.resume();
            co_await other;
        });
    }

    // H-62
    void aTaskThatHasNotStartedNeverDoes()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            const auto body = [&](Farewell) -> Coroutine<> {
                log << u"started"_s;
                co_return;
            };
            auto object = std::make_unique<QObject>();
            Task<> task = create_task(body(Farewell(log, u"argument"_s)),
                                      TaskOptions().context(object.get()));
            object.reset();
            QASYNCIO_COMPARE(log.join(u' '), u"argument"_s);
            QASYNCIO_COMPARE(task.cancelled(), true);
            co_await turns(2);
            QASYNCIO_COMPARE(log.join(u' '), u"argument"_s);
        });
    }

    // H-62
    void aTaskWhoseResumptionIsQueuedIsUnwoundToo()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            Future<int> future = loop.create_future<int>();
            const auto body = [&]() -> Coroutine<> {
                const Farewell local(log, u"local"_s);
                const int value = co_await future;
                log << QString::number(value);
            };
            auto object = std::make_unique<QObject>();
            Task<> task = create_task(body(), TaskOptions().context(object.get()));
            co_await turns(1);
            future.set_result(1);
            object.reset();
            QASYNCIO_COMPARE(log.join(u' '), u"local"_s);
            task = {};
            co_await turns(2);
            QASYNCIO_COMPARE(log.join(u' '), u"local"_s);
        });
    }

    // H-62
    void aTaskMayDeleteItsOwnContextObject()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            auto object = std::make_unique<QObject>();
            const auto body = [&]() -> Coroutine<> {
                const Farewell local(log, u"local"_s);
                co_await sleep(0s);
                object.reset();
                log << u"goes on"_s;
                co_await turns(0); // no suspension
                log << u"still"_s;
                co_await sleep(0s);
                log << u"unreachable"_s;
            };
            Task<> task = create_task(body(), TaskOptions().context(object.get()));
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
            QASYNCIO_COMPARE(log.join(u", "), u"goes on, still, local"_s);
        });
    }

    // H-62
    void aTaskThatDeletesItsContextObjectAndReturnsHasItsResult()
    {
        Test::run([&]() -> Coroutine<> {
            auto object = std::make_unique<QObject>();
            const auto body = [&]() -> Coroutine<int> {
                object.reset();
                co_return 42;
            };
            QASYNCIO_COMPARE(co_await create_task(body(), TaskOptions().context(object.get())), 42);
        });
    }

    // H-62
    void aTaskMayOwnItsContextObject()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            const auto body = [](std::unique_ptr<Window> window, bool endless) -> Coroutine<> {
                if (endless)
                    co_await sleep(1h);
                co_await sleep(0s);
                window->log << u"end"_s;
            };
            auto window = std::make_unique<Window>(log);
            const Window *object = window.get();
            co_await create_task(body(std::move(window), false), TaskOptions().context(object));
            QASYNCIO_COMPARE(log.join(u' '), u"end window"_s);

            window = std::make_unique<Window>(log);
            object = window.get();
            Task<> task = create_task(body(std::move(window), true), TaskOptions().context(object));
            co_await turns(1);
            task.cancel();
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
            QASYNCIO_COMPARE(log.join(u' '), u"end window window"_s);

            window = std::make_unique<Window>(log);
            object = window.get();
            Task<> unstarted = create_task(body(std::move(window), true),
                                           TaskOptions().context(object));
            unstarted.cancel();
            QASYNCIO_COMPARE(co_await error_of(unstarted), u"CancelledError"_s);
            QASYNCIO_COMPARE(log.join(u' '), u"end window window window"_s);
        });
    }

    // H-62
    void anObjectThatOutlivesItsTaskForgetsIt()
    {
        Test::run([&]() -> Coroutine<> {
            class Object : public QObject
            {
            public:
                bool is_watched() const
                {
                    return isSignalConnected(QMetaMethod::fromSignal(&QObject::destroyed));
                }
            };
            auto object = std::make_unique<Object>();
            Task<> task = create_task(turns(1), TaskOptions().context(object.get()));
            QASYNCIO_VERIFY(object->is_watched());
            co_await task;
            QASYNCIO_VERIFY(!object->is_watched());
            object.reset();
            QASYNCIO_COMPARE(task.cancelled(), false);
        });
    }

    // H-62
    void oneObjectMayEndManyTasksAndTheirDestructorsMayEndOthers()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            auto first = std::make_unique<QObject>();
            auto second = std::make_unique<QObject>();
            const auto simple = [&](QString name) -> Coroutine<> {
                const Farewell local(log, name);
                co_await sleep(1h);
            };
            const auto deleting = [&]() -> Coroutine<> {
                const Farewell local(log, u"deleting"_s);
                const AtEnd end([&] { second.reset(); });
                co_await sleep(1h);
            };
            std::vector<Task<>> tasks;
            tasks.push_back(create_task(simple(u"one"_s), TaskOptions().context(first.get())));
            tasks.push_back(create_task(deleting(), TaskOptions().context(first.get())));
            tasks.push_back(create_task(simple(u"three"_s), TaskOptions().context(first.get())));
            tasks.push_back(
                create_task(simple(u"of the second"_s), TaskOptions().context(second.get())));
            co_await turns(1);
            first.reset();
            QASYNCIO_COMPARE(log.join(u", "), u"three, of the second, deleting, one"_s);
            for (const Task<> &task : tasks)
                QASYNCIO_COMPARE(task.cancelled(), true);
        });
    }

    // H-62
    void whoAwaitsAnUnwoundTaskIsTold()
    {
        Test::run([&]() -> Coroutine<> {
            auto object = std::make_unique<QObject>();
            Task<> bound = create_task(sleeper(), TaskOptions().context(object.get()));
            const auto body = [&]() -> Coroutine<QString> { co_return co_await error_of(bound); };
            Task<QString> awaiter = create_task(body());
            co_await turns(2);
            object.reset();
            QASYNCIO_COMPARE(co_await awaiter, u"CancelledError"_s);
            QASYNCIO_COMPARE(awaiter.cancelled(), false);
        });
    }

    // H-62
    void whoAwaitsAnUnwoundTaskIsUnwoundBeforeItIsTold()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            auto child_object = std::make_unique<QObject>();
            auto parent_object = std::make_unique<QObject>();
            Task<> child = loop.create_task(sleeper(), TaskOptions().context(child_object.get()));
            const auto body = [&]() -> Coroutine<> {
                const Farewell local(log, u"unwound"_s);
                co_await child;
            };
            loop.create_task(body(), TaskOptions().context(parent_object.get()));
            co_await turns(2);
            child_object.reset();
            parent_object.reset();
            QASYNCIO_COMPARE(log.join(u' '), u"unwound"_s);
        });
    }

    void aNullContextObjectIsRefused()
    {
        Test::run([&]() -> Coroutine<> {
            const QObject *none = nullptr;
            Coroutine<> coroutine = turns(1);
            QTest::ignoreMessage(QtWarningMsg,
                                 QRegularExpression(u"coroutine 'turns' was never awaited"_s));
            QASYNCIO_COMPARE(
                error_in([&] { create_task(std::move(coroutine), TaskOptions().context(none)); }),
                u"ValueError: create_task: the context object is null"_s);
            QASYNCIO_COMPARE(all_tasks().size(), 1u);
            co_return;
        });
    }

    // H-63
    void aTaskStartedInASlotLivesAsLongAsTheReceiver()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            Window sender(log);
            auto receiver = std::make_unique<Window>(log);
            AnyTask started;
            connect(&sender, &Window::clicked, receiver.get(), [&started, object = receiver.get()] {
                started = create_task(object->load(), TaskOptions().context(object));
            });
            emit sender.clicked();
            QASYNCIO_VERIFY(started);
            co_await turns(1);
            QASYNCIO_COMPARE(started.done(), false);
            receiver.reset();
            QASYNCIO_COMPARE(log.join(u' '), u"window local"_s);
            QASYNCIO_COMPARE(started.cancelled(), true);
            emit sender.clicked();
            co_await turns(2);
            log.clear();
        });
    }

    // H-61, H-74
    void awaitingASignalOfADeletedObjectEndsWithAnError()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            for (const bool limited : {false, true}) {
                auto window = std::make_unique<Window>(log);
                const auto body = [&]() -> Coroutine<> {
                    if (limited)
                        co_await wait_for(from_signal(window.get(), &Window::closed), 1h);
                    else
                        co_await from_signal(window.get(), &Window::closed);
                };
                Task<> task = create_task(body());
                co_await turns(1);
                window.reset();
                const QString error = co_await error_of(task);
                QASYNCIO_VERIFY(error.startsWith(u"ObjectDestroyedError"_s));
            }
        });
    }

    // H-74
    void awaitingASignalMayTimeOut()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            Window window(log);
            QASYNCIO_COMPARE(co_await error_of(wait_for(from_signal(&window, &Window::closed), 1s)),
                             u"TimeoutError"_s);
            emit window.closed(1); // nobody waits any more
            QTimer::singleShot(0, &window, [&] { emit window.closed(2); });
            QASYNCIO_COMPARE(co_await wait_for(from_signal(&window, &Window::closed), std::nullopt),
                             2);
        });
    }

    // L-056
    void closingUnwindsTheYoungestTaskFirst()
    {
        QStringList log;
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        const auto body = [&](QString name) -> Coroutine<> {
            const Farewell local(log, name);
            co_await sleep(1h);
        };
        Task<> one = loop.create_task(body(u"one"_s), TaskOptions().name(u"one"_s));
        loop.create_task(body(u"two"_s), TaskOptions().name(u"two"_s));
        loop.create_task(body(u"three"_s), TaskOptions().name(u"three"_s));
        run_ready(loop);
        Task<> unstarted = loop.create_task(body(u"unstarted"_s), TaskOptions().name(u"four"_s));
        loop.close();
        QCOMPARE(log.join(u' '), u"three two one"_s);
        QCOMPARE(reports.list().size(), 4);
        for (const auto &[index, name] :
             {std::pair(0, u"four"_s), std::pair(1, u"three"_s), std::pair(3, u"one"_s)}) {
            QVERIFY(reports.list()[index].startsWith(
                u"Task was destroyed but it is pending!\ntask: <Task pending name='"_s + name));
        }
        QVERIFY(one.cancelled() && unstarted.cancelled());
    }

    // L-056, H-62
    void whatDestructorsScheduleWhileTheLoopIsClosedIsDiscarded()
    {
        QStringList log;
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        Future<> future = loop.create_future<>();
        Task<> older;
        const auto body = [&]() -> Coroutine<> {
            const AtEnd end([&] {
                log << u"end"_s;
                loop.call_soon([&] { log << u"callback"_s; });
                loop.call_later(0s, [&] { log << u"timer"_s; });
                loop.call_soon_threadsafe([&] { log << u"threadsafe"_s; });
                loop.create_task(turns(1));
                future.add_done_callback([&] { log << u"done"_s; });
                future.set_result();
                older.cancel();
            });
            co_await sleep(1h);
        };
        older = loop.create_task(sleeper(), TaskOptions().name(u"older"_s));
        Task<> task = loop.create_task(body(), TaskOptions().name(u"younger"_s));
        run_ready(loop);
        loop.close();
        QCOMPARE(log.join(u' '), u"end"_s);
        QCOMPARE(reports.list().size(), 2);
        QVERIFY(reports.list().first().contains(u"name='younger'"_s));
        QVERIFY(reports.list().last().contains(u"name='older'"_s));
        QVERIFY(older.cancelled());
        QVERIFY(loop.all_tasks().empty());
        QCOMPARE(error_in([&] { loop.call_soon([] { }); }),
                 u"RuntimeError: Event loop is closed"_s);
    }

    void whatACallbacksDestructorSchedulesIsDiscardedToo()
    {
        QStringList log;
        QAsyncioLoop loop(virtual_time());
        const auto schedules = [&] {
            return std::make_shared<AtEnd<std::function<void()>>>([&] {
                log << u"end"_s;
                loop.call_soon([&] { log << u"callback"_s; });
                loop.call_later(1s, [&] { log << u"timer"_s; });
            });
        };
        loop.call_soon([end = schedules()] { });
        loop.call_later(1s, [end = schedules()] { });
        loop.call_soon_threadsafe([end = schedules()] { });
        loop.close();
        QCOMPARE(log.join(u' '), u"end end end"_s);
    }

    // L-056
    void destroyingALoopUnwindsAndReports()
    {
        QStringList log;
        Task<> task;
        {
            QAsyncioLoop loop(virtual_time());
            const auto body = [&]() -> Coroutine<> {
                const Farewell local(log, u"local"_s);
                co_await sleep(1h);
            };
            task = loop.create_task(body());
            run_ready(loop);
            QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"unclosed event loop"_s));
            QTest::ignoreMessage(QtCriticalMsg,
                                 QRegularExpression(u"Task was destroyed but it is pending!"_s));
        }
        QCOMPARE(log.join(u' '), u"local"_s);
        QVERIFY(task.cancelled());
    }

    // L-056, H-81
    void aLongChainOfTasksIsUnwoundAndReported()
    {
        qsizetype reported = 0;
        on_a_small_stack([&] {
            QAsyncioLoop loop(virtual_time());
            loop.set_exception_handler(
                [&](QAsyncioLoop &, const ExceptionContext &) { ++reported; });
            const auto body = [](Task<> child) -> Coroutine<> { co_await child; };
            Task<> last = loop.create_task(sleeper());
            for (int i = 0; i < 20'000; ++i)
                last = loop.create_task(body(last));
            run_ready(loop);
            loop.close();
        });
        QCOMPARE(reported, 20'001);
    }

    void aContextObjectMayDieAfterItsLoop()
    {
        QStringList log;
        auto object = std::make_unique<Window>(log);
        {
            QAsyncioLoop loop(virtual_time());
            const Reports reports(loop);
            loop.create_task(object->load(), TaskOptions().context(object.get()));
            run_ready(loop);
            loop.close();
        }
        QCOMPARE(log.join(u' '), u"local"_s);
        object.reset();
    }

    void aTaskUnwoundInItsOwnEmissionIsUnwoundAtItsNextSuspension()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            auto window = std::make_unique<Window>(log);
            connect(window.get(), &Window::clicked, this, [&] { window.reset(); });
            const auto body = [&](Window *object) -> Coroutine<> {
                const Farewell local(log, u"local"_s);
                emit object->clicked();
                log << u"emitted"_s;
                co_await sleep(1h);
            };
            Task<> task = create_task(body(window.get()), TaskOptions().context(window.get()));
            co_await turns(1);
            QASYNCIO_COMPARE(task.cancelled(), true);
            QASYNCIO_COMPARE(log.join(u' '), u"window emitted local"_s);
        });
    }
};

QTEST_GUILESS_MAIN(tst_unwind)
#include "tst_unwind.moc"
