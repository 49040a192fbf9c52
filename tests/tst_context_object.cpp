// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// A task ends with its context object, or with its scope, and so does all that it has begun.

#include "task_helpers.h"

#include <QtCore/qelapsedtimer.h>
#include <QtCore/qmetaobject.h>
#include <QtCore/qregularexpression.h>
#include <QtCore/qscopeguard.h>
#include <QtCore/qthread.h>
#include <QtCore/qthreadpool.h>
#include <QtCore/qtimer.h>

#include <future>
#include <iterator>
#include <memory>
#include <thread>

namespace {

/// Something that tasks use, and that must not be used any more when it is dead.
struct Page : QObject
{
    explicit Page(QStringList &log) : log(log) { }

    Coroutine<> load(QString name, std::chrono::nanoseconds delay = 1s)
    {
        const Farewell local(log, u'-' + name);
        co_await sleep(delay);
        log << name;
    }
    /// Suspends for ever, and would like to clean up.
    Coroutine<> tidy(QString name)
    {
        const Farewell local(log, u'-' + name);
        const bool cancelled = co_await is_cancelled_asleep();
        log << name;
        co_await sleep(1s);
        if (cancelled)
            throw CancelledError();
    }

    QStringList &log;
};

Coroutine<> cleans_up_slowly()
{
    co_await is_cancelled_asleep();
    co_await sleep(10s);
}

Coroutine<> sleep_then(std::chrono::nanoseconds delay, Coroutine<> next)
{
    co_await sleep(delay);
    co_await std::move(next);
}

Coroutine<> stay(QStringList &log)
{
    const Farewell local(log, u"unwound"_s);
    log << u"waiting"_s;
    co_await sleep(1h);
}

struct Begun
{
    const char *name;
    std::function<Coroutine<>(Page &)> body; // begins load(a) and load(b)
};

const std::vector<Begun> begun{
    {"gather",
     [](Page &page) -> Coroutine<> { co_await gather(page.load(u"a"_s), page.load(u"b"_s, 2s)); }},
    {"gather of many",
     [](Page &page) -> Coroutine<> {
         std::vector<Coroutine<>> all;
         all.push_back(page.load(u"a"_s));
         all.push_back(page.load(u"b"_s, 2s));
         co_await gather(std::move(all));
     }},
    {"race",
     [](Page &page) -> Coroutine<> { co_await race(page.load(u"a"_s), page.load(u"b"_s, 2s)); }},
    {"shield",
     [](Page &page) -> Coroutine<> {
         auto a = shield(page.load(u"a"_s));
         auto b = shield(page.load(u"b"_s));
         co_await a;
         co_await b;
     }},
    {"ensure_future and wait",
     [](Page &page) -> Coroutine<> {
         std::vector<Task<>> tasks{ensure_future(page.load(u"a"_s)),
                                   ensure_future(page.load(u"b"_s))};
         co_await wait(tasks);
     }},
    {"as_completed",
     [](Page &page) -> Coroutine<> {
         std::vector<Coroutine<>> all;
         all.push_back(page.load(u"a"_s));
         all.push_back(page.load(u"b"_s));
         auto done = as_completed(std::move(all));
         co_await done.next();
     }},
    {"create_task",
     [](Page &page) -> Coroutine<> {
         create_task(page.load(u"a"_s));
         create_task(page.load(u"b"_s));
         co_return;
     }},
    {"create_task at any depth",
     [](Page &page) -> Coroutine<> {
         const auto deeper = [](Page &page) -> Coroutine<> {
             const auto deepest = [](Page &page) -> Coroutine<> {
                 create_task(page.load(u"b"_s));
                 co_await page.load(u"a"_s);
             };
             create_task(deepest, std::ref(page));
             co_return;
         };
         create_task(deeper, std::ref(page));
         co_await sleep(1h);
     }},
    {"an eager task",
     [](Page &page) -> Coroutine<> {
         create_task(page.load(u"a"_s), TaskOptions().eager_start());
         create_task(page.load(u"b"_s), TaskOptions().eager_start());
         co_await sleep(1h);
     }},
    {"a task group",
     [](Page &page) -> Coroutine<> {
         co_await task_group([&page](TaskGroup &group) -> Coroutine<> {
             group.create_task(page.load(u"a"_s));
             group.create_task(page.load(u"b"_s));
             co_return;
         });
     }},
    {"wait_for in a group in a timeout",
     [](Page &page) -> Coroutine<> {
         co_await timeout(1h, [&page](Timeout &) -> Coroutine<> {
             co_await task_group([&page](TaskGroup &group) -> Coroutine<> {
                 group.create_task(wait_for(page.load(u"a"_s), 1h));
                 group.create_task(
                     [&page]() -> Coroutine<> { co_await gather(page.load(u"b"_s)); });
                 co_return;
             });
         });
     }},
};

} // namespace

class tst_context_object : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatATaskBeginsEndsWithItsObject_data()
    {
        QTest::addColumn<int>("index");
        for (std::size_t i = 0; i < begun.size(); ++i)
            QTest::newRow(begun[i].name) << int(i);
    }
    void whatATaskBeginsEndsWithItsObject()
    {
        QFETCH(int, index);
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            QStringList log;
            auto page = std::make_unique<Page>(log);
            create_task(begun[std::size_t(index)].body(*page), TaskOptions().context(page.get()));
            co_await turns(6);
            QASYNCIO_COMPARE(log.join(u' '), QString());
            page.reset();
            log.sort();
            QASYNCIO_COMPARE(log.join(u' '), u"-a -b"_s); // there and then
            QASYNCIO_COMPARE(all_tasks().size(), std::size_t(1));
            co_await sleep(1h);
            QASYNCIO_COMPARE(log.join(u' '), u"-a -b"_s);
            QASYNCIO_COMPARE(reports.list().join(u' '), QString());
        });
    }

    void theYoungestGoesFirst()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            auto page = std::make_unique<Page>(log);
            const auto body = [&]() -> Coroutine<> {
                const Farewell local(log, u"-parent"_s);
                co_await gather(page->load(u"a"_s), page->load(u"b"_s), page->load(u"c"_s));
            };
            create_task(body(), TaskOptions().context(page.get()));
            create_task(page->load(u"other"_s), TaskOptions().context(page.get()));
            co_await turns(2);
            page.reset();
            QASYNCIO_COMPARE(log.join(u' '), u"-c -b -a -other -parent"_s);
        });
    }

    void aScopeThatIsDestroyedInAnotherThread()
    {
        Test::run(
            [&]() -> Coroutine<> {
                QStringList log;
                Page page(log);
                auto scope = std::make_unique<TaskScope>();
                Task<> task = scope->create_task(page.load(u"a"_s, 1h));
                co_await turns(1);
                QTest::ignoreMessage(
                    QtCriticalMsg,
                    QRegularExpression(u"is destroyed in another thread than that of its loop"_s));
                in_another_thread([&scope] { scope.reset(); });
                // its tasks belong to this thread, and end here
                QASYNCIO_COMPARE(log.join(u' '), QString());
                const QString error = co_await error_of(task);
                QASYNCIO_COMPARE(error, u"CancelledError"_s);
                QASYNCIO_COMPARE(log.join(u' '), u"-a"_s);
            },
            Test::TestOptions().real_time());
    }

    void aScopeThatIsDestroyedInAnotherThreadBeforeItsLoopIsClosed()
    {
        QStringList log;
        QAsyncioLoop loop(virtual_time());
        loop.set_exception_handler([](QAsyncioLoop &, const ExceptionContext &) { });
        auto scope = std::make_unique<TaskScope>();
        const auto main = [&]() -> Coroutine<> {
            scope->create_task(stay(log));
            scope->create_task(stay(log));
            co_await turns(1);
        };
        loop.run_until_complete(main());
        QTest::ignoreMessage(
            QtCriticalMsg,
            QRegularExpression(u"is destroyed in another thread than that of its loop"_s));
        std::thread([&] { scope.reset(); }).join();
        loop.close(); // has not heard of it
        QCOMPARE(log.join(u' '), u"waiting waiting unwound unwound"_s);
    }

    void aScopeOfTwoLoopsIsRefused()
    {
        QAsyncioLoop first(virtual_time());
        QAsyncioLoop second(virtual_time());
        TaskScope scope;
        QString error;
        first.call_soon([&] { scope.create_task(sleeper()); });
        run_once(first);
        second.call_soon([&] {
            Coroutine<> coroutine = sleeper();
            error = error_in([&] { scope.create_task(std::move(coroutine)); });
            coroutine.close();
        });
        run_once(second);
        QVERIFY2(error.contains(u"has tasks of another loop"_s), qPrintable(error));
        scope.cancel();
        run_ready(first);
        first.close();
        second.close();
    }

    void anObjectOfAnotherThreadIsRefused()
    {
        Test::run([&]() -> Coroutine<> {
            QThread thread;
            QObject object;
            object.moveToThread(&thread);
            Coroutine<> coroutine = sleeper();
            QASYNCIO_COMPARE(
                error_in(
                    [&] { create_task(std::move(coroutine), TaskOptions().context(&object)); }),
                u"ValueError: create_task: the context object lives in another thread"_s);
            coroutine.close();
            co_return;
        });
    }

    void cleanUpThatAwaitsDoesNotRun()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            auto page = std::make_unique<Page>(log);
            const auto body = [&]() -> Coroutine<> {
                co_await gather(page->tidy(u"a"_s), page->tidy(u"b"_s));
            };
            create_task(body(), TaskOptions().context(page.get()));
            co_await turns(2);
            page.reset();
            co_await sleep(2h);
            QASYNCIO_COMPARE(log.join(u' '), u"-b -a"_s);
        });
    }

    void aDetachedTaskGoesOnAndSoDoesOneOfAnotherObject()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            auto page = std::make_unique<Page>(log);
            Page other(log);
            const auto body = [&]() -> Coroutine<> {
                create_task(other.load(u"detached"_s), TaskOptions().detached());
                create_task(other.load(u"of the other"_s, 2s), TaskOptions().context(&other));
                co_await page->load(u"own"_s);
            };
            create_task(body(), TaskOptions().context(page.get()));
            co_await turns(2);
            page.reset();
            co_await sleep(3s);
            QASYNCIO_COMPARE(log.join(u' '),
                             u"-own detached -detached of the other -of the other"_s);
        });
    }

    void aTaskOfAGroupEndsWithTheGroupsObjectWhoeverBeginsIt()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            Page used(log);
            auto page = std::make_unique<QObject>();
            TaskGroup *known = nullptr;
            const auto body = [&]() -> Coroutine<> {
                co_await task_group([&](TaskGroup &group) -> Coroutine<> {
                    known = &group;
                    co_await sleep(1h);
                });
            };
            create_task(body(), TaskOptions().context(page.get()));
            co_await turns(2);
            known->create_task([&]() -> Coroutine<> { co_await gather(used.load(u"a"_s)); });
            co_await turns(2);
            page.reset();
            QASYNCIO_COMPARE(log.join(u' '), u"-a"_s);
        });
    }

    void disconnectingTheObjectUntiesNobody()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            Page page(log);
            auto object = std::make_unique<QObject>();
            Task<> task = create_task(page.load(u"a"_s), TaskOptions().context(object.get()));
            co_await turns(1);
            object->disconnect();
            object->disconnect();
            object.reset();
            QASYNCIO_COMPARE(log.join(u' '), u"-a"_s);
            QASYNCIO_COMPARE(task.cancelled(), true);
        });
    }

    void noneOfThemRunsInAnEventLoopThatADestructorOpens()
    {
        QAsyncioLoop loop;
        QStringList log;
        auto page = std::make_unique<Page>(log);
        struct Opens
        {
            ~Opens()
            {
                QEventLoop inner;
                QTimer::singleShot(20, &inner, &QEventLoop::quit);
                inner.exec();
            }
        };
        const auto opening = [](Future<> ready) -> Coroutine<> {
            const Opens opens;
            co_await ready;
        };
        Future<> ready = loop.create_future<>();
        create_page_task(loop, *page, page->load(u"a"_s, 1ms));
        Task<> task = create_page_task(loop, *page, opening(ready));
        loop.call_later(1ms, [&] {
            ready.set_result(); // queued, then unwound
            page.reset();
            loop.stop();
        });
        loop.run_forever();
        QVERIFY(task.cancelled());
        QVERIFY(!log.contains(u"a"_s));
        loop.close();
    }

    void whoDeletesTheObjectIsUnwoundAtItsNextSuspensionTheYoungerAtOnce()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            Page used(log);
            auto *page = new QObject;
            const auto deleting = [&]() -> Coroutine<> {
                const Farewell local(log, u"-deleting"_s);
                co_await sleep(1s);
                delete page;
                log << u"still here"_s;
                co_await sleep(0s);
                log << u"unreachable"_s;
            };
            const auto body = [&]() -> Coroutine<> {
                const Farewell local(log, u"-body"_s);
                co_await gather(deleting(), used.load(u"a"_s, 2s));
            };
            create_task(body(), TaskOptions().context(page));
            create_task(used.load(u"other"_s, 2s), TaskOptions().context(page));
            co_await sleep(3s);
            QASYNCIO_COMPARE(log.join(u' '), u"-a still here -deleting -other -body"_s);
        });
    }

    /// A slot of an older task has given it a reference to a local.
    void whoDeletesTheObjectMayUseTheLocalsOfOlderTasksUntilThen_data()
    {
        QTest::addColumn<bool>("in_scope");
        QTest::addColumn<bool>("suspends");
        for (const bool in_scope : {false, true}) {
            for (const bool suspends : {false, true})
                QTest::addRow("%s, %s", in_scope ? "scope" : "object",
                              suspends ? "suspends" : "ends")
                    << in_scope << suspends;
        }
    }
    void whoDeletesTheObjectMayUseTheLocalsOfOlderTasksUntilThen()
    {
        QFETCH(const bool, in_scope);
        QFETCH(const bool, suspends);
        struct Window : QObject
        {
            TaskScope tasks;
        };
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            auto *window = new Window;
            const auto begin = [&](Coroutine<> &&body) {
                if (in_scope)
                    window->tasks.create_task(std::move(body));
                else
                    create_task(std::move(body), TaskOptions().context(window));
            };
            const auto deletes = [&](const char *name) -> Coroutine<> {
                const Farewell local(log, u"-deletes"_s);
                co_await sleep(0s);
                delete window;
                log << QLatin1String(name);
                if (suspends)
                    co_await sleep(0s);
                if (suspends)
                    log << u"unreachable"_s;
            };
            const auto older = [&](QString name) -> Coroutine<> {
                const Farewell local(log, u'-' + name);
                co_await sleep(1h);
            };
            begin(older(u"first"_s));
            begin(older(u"second"_s));
            QMetaObject::invokeMethod(
                qApp, [&] { begin(deletes("still here")); }, Qt::QueuedConnection);
            co_await sleep(1s);
            QASYNCIO_COMPARE(log.join(u' '), u"still here -deletes -second -first"_s);
        });
    }

    /// And of who has begun it, though that one ends with another object.
    void whoDeletesItsObjectAndThatOfWhoBeganItMayUseThatOnesLocals_data()
    {
        QTest::addColumn<bool>("awaited");
        QTest::newRow("awaited") << true;
        QTest::newRow("only begun") << false;
    }
    void whoDeletesItsObjectAndThatOfWhoBeganItMayUseThatOnesLocals()
    {
        QFETCH(const bool, awaited);
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            auto outer = std::make_unique<QObject>();
            auto inner = std::make_unique<QObject>();
            const auto deletes = [&]() -> Coroutine<> {
                const Farewell local(log, u"-deletes"_s);
                co_await sleep(0s);
                inner.reset();
                outer.reset();
                log << u"still here"_s;
                co_await sleep(0s);
                log << u"unreachable"_s;
            };
            const auto begins = [&]() -> Coroutine<> {
                const Farewell local(log, u"-begins"_s);
                Task<> task = create_task(deletes(), TaskOptions().context(inner.get()));
                if (awaited)
                    co_await gather(task);
                co_await sleep(1h);
            };
            create_task(begins(), TaskOptions().context(outer.get()));
            co_await sleep(1s);
            QASYNCIO_COMPARE(log.join(u' '), u"still here -deletes -begins"_s);
        });
    }

    /// Whoever began them: a task may use the locals of any that is older.
    void theYoungestGoesFirstOfAllTheTasksOfAnObject_data()
    {
        QTest::addColumn<bool>("in_scope");
        QTest::newRow("object") << false;
        QTest::newRow("scope") << true;
    }
    void theYoungestGoesFirstOfAllTheTasksOfAnObject()
    {
        QFETCH(const bool, in_scope);
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            auto object = std::make_unique<QObject>();
            auto scope = std::make_unique<TaskScope>();
            const auto begin = [&](Coroutine<> &&body) {
                if (in_scope)
                    scope->create_task(std::move(body));
                else
                    create_task(std::move(body), TaskOptions().context(object.get()));
            };
            const auto idle = [&](QString name) -> Coroutine<> {
                const Farewell local(log, name);
                co_await sleep(1h);
            };
            const auto begins = [&]() -> Coroutine<> {
                const Farewell local(log, u"first"_s);
                co_await sleep(1s);
                create_task(idle(u"third"_s));
                co_await sleep(1h);
            };
            begin(begins());
            begin(idle(u"second"_s));
            co_await sleep(2s);
            object.reset();
            scope.reset();
            QASYNCIO_COMPARE(log.join(u' '), u"third second first"_s);
        });
    }

    /// A task of one scope deletes the object and goes on to use a local of one of the other scope,
    /// which awaits it.
    void theScopesOfAnObjectWaitForWhoIsExecuted_data()
    {
        QTest::addColumn<bool>("is_last");
        QTest::newRow("the scope of the one that waits is the first") << false;
        QTest::newRow("the scope of the one that waits is the last") << true;
    }
    void theScopesOfAnObjectWaitForWhoIsExecuted()
    {
        QFETCH(const bool, is_last);
        struct Window
        {
            TaskScope first;
            TaskScope last;
        };
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            auto window = std::make_unique<Window>();
            const auto deletes = [&]() -> Coroutine<> {
                const Farewell local(log, u"-deletes"_s);
                co_await sleep(1s);
                window.reset();
                log << u"still here"_s;
                co_await sleep(0s);
                log << u"unreachable"_s;
            };
            const auto waits = [&]() -> Coroutine<> {
                const Farewell local(log, u"-waits"_s);
                Task<> task = (is_last ? window->first : window->last).create_task(deletes());
                co_await task;
            };
            (is_last ? window->last : window->first).create_task(waits());
            co_await sleep(2s);
            QASYNCIO_COMPARE(log.join(u' '), u"still here -deletes -waits"_s);
        });
    }

    void whatIsBegunBehindTheEndOfTheObjectEndsToo_data()
    {
        whoDeletesTheObjectMayUseTheLocalsOfOlderTasksUntilThen_data();
    }
    void whatIsBegunBehindTheEndOfTheObjectEndsToo()
    {
        QFETCH(const bool, in_scope);
        QFETCH(const bool, suspends);
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            auto object = std::make_unique<QObject>();
            auto scope = std::make_unique<TaskScope>();
            const auto begun_behind_it = [&]() -> Coroutine<> {
                const Farewell local(log, u"-begun"_s);
                co_await sleep(1ms);
                log << u"unreachable"_s;
            };
            const auto ends = [&]() -> Coroutine<> {
                co_await sleep(0s);
                object.reset();
                scope.reset();
                create_task(begun_behind_it());
                create_task(begun_behind_it(), TaskOptions().eager_start());
                if (suspends)
                    co_await sleep(0s);
            };
            Task<> task = in_scope ? scope->create_task(ends())
                                   : create_task(ends(), TaskOptions().context(object.get()));
            co_await sleep(1s);
            QASYNCIO_COMPARE(task.cancelled(), suspends);
            QASYNCIO_VERIFY(task.done());
            QASYNCIO_COMPARE(log.join(u' '), QString()); // no line of them
            QASYNCIO_COMPARE(all_tasks().size(), std::size_t(1));
        });
    }

    /// Cancelling destroys what was queued for an executor, and with it the last owner of the scope
    /// that all belong to.
    void whatIsCancelledMayOwnItsScope_data()
    {
        QTest::addColumn<int>("way");
        const char *const ways[] = {"cancel", "timeout",          "wait_for",
                                    "gather", "a group's cancel", "a failure in a group"};
        for (int i = 0; i < int(std::size(ways)); ++i)
            QTest::newRow(ways[i]) << i;
    }
    void whatIsCancelledMayOwnItsScope()
    {
        QFETCH(int, way);
        QThreadPool pool;
        pool.setMaxThreadCount(1);
        std::promise<void> gate;
        pool.start([&] { gate.get_future().wait(); }); // what comes after it is queued
        QStringList log;
        Test::run(
            [&]() -> Coroutine<> {
                struct Window
                {
                    explicit Window(QStringList &log) : farewell(log, u"-window"_s) { }
                    Farewell farewell;
                    TaskScope scope;
                };
                auto window = std::make_shared<Window>(log);
                Window &alive = *window;
                const auto queued = [](QThreadPool *pool,
                                       std::shared_ptr<Window> window) -> Coroutine<> {
                    const auto work = [](std::shared_ptr<Window>) { };
                    auto job = get_running_loop().run_in_executor(pool, work, std::move(window));
                    co_await job;
                };
                const auto in_time = [&](Timeout &, std::shared_ptr<Window> window) {
                    return queued(&pool, std::move(window));
                };
                TaskGroup *the_group = nullptr;
                const auto in_group = [&](TaskGroup &group,
                                          std::shared_ptr<Window> window) -> Coroutine<> {
                    the_group = &group;
                    group.create_task(sleeper());
                    group.create_task(queued(&pool, std::move(window)));
                    group.create_task(sleeper());
                    if (way == 5)
                        group.create_task(fail_with(u"no"_s, 5ms));
                    co_return;
                };
                Coroutine<> body;
                if (way == 1)
                    body = timeout(5ms, in_time, std::move(window));
                else if (way == 2)
                    body = wait_for(queued(&pool, std::move(window)), 5ms);
                else if (way == 3)
                    body = [](Coroutine<> inner) -> Coroutine<> {
                        co_await gather(std::move(inner), sleeper());
                    }(queued(&pool, std::move(window)));
                else if (way >= 4)
                    body = task_group(in_group, std::move(window));
                else
                    body = queued(&pool, std::move(window));
                Task<> task = alive.scope.create_task(std::move(body));
                co_await turns(4);
                if (way == 0 || way == 3)
                    task.cancel();
                else if (way == 4)
                    the_group->cancel();
                const QString error = co_await error_of(task);
                QASYNCIO_COMPARE(error, u"CancelledError"_s);
                QASYNCIO_COMPARE(log.join(u' '), u"-window"_s);
            },
            Test::TestOptions().real_time());
        gate.set_value();
        pool.waitForDone();
    }

    void whatAScopeHasBegunEndsBeforeTheOtherMembers()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            struct Window
            {
                explicit Window(QStringList &log) : farewell(log, u"-member"_s) { }
                Farewell farewell;
                TaskScope scope;
            };
            auto *window = new Window(log);
            const auto animate = [](QStringList &log) -> Coroutine<> {
                const Farewell local(log, u"-animation"_s);
                co_await sleep(1h);
            };
            const auto click = [&](Window *window) -> Coroutine<> {
                create_task(animate(log));
                co_await sleep(1ms);
                delete window;
                log << u"still here"_s;
                co_await sleep(1ms);
            };
            window->scope.create_task(click(window));
            co_await sleep(1s);
            QASYNCIO_COMPARE(log.join(u' '), u"-animation -member still here"_s);
        });
    }

    /// Were each task looked at for each other one, this would take minutes.
    void manyTasksOfAGroupEndWithTheObject()
    {
        Test::run([&]() -> Coroutine<> {
            auto object = std::make_unique<QObject>();
            const auto body = [](TaskGroup &group) -> Coroutine<> {
                for (int i = 0; i < 50'000; ++i)
                    group.create_task(sleeper());
                co_return;
            };
            Task<> task = create_task(task_group(body), TaskOptions().context(object.get()));
            co_await turns(3);
            object.reset();
            QASYNCIO_VERIFY(task.cancelled());
        });
    }

    /// Were all of them looked at at each end, this would take minutes.
    void manyTasksOfAScopeThatEndOneAfterTheOther()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            constexpr int count = 30'000;
            TaskScope scope;
            int ended = 0;
            int turn = 0;
            const auto in_turn = [&](int number) -> Coroutine<> {
                const bool cancelled = co_await is_cancelled_asleep();
                while (cancelled && turn < number)
                    co_await sleep(std::chrono::nanoseconds(number - turn));
                ++turn;
                ++ended;
            };
            for (int i = 0; i < count; ++i)
                scope.create_task(in_turn(i));
            co_await turns(1);
            static_cast<void>(loop);
            co_await scope.cancel_and_wait();
            QASYNCIO_COMPARE(ended, count);
        });
    }

    void whatTheTasksOfAScopeBeginMeanwhileIsCancelled()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            Page page(log);
            TaskScope scope;
            const auto begins = [&]() -> Coroutine<> {
                const bool cancelled = co_await is_cancelled_asleep();
                if (cancelled)
                    create_task(page.load(u"late"_s, 1h));
                co_await sleep(1s);
                log << u"cleaned"_s;
            };
            scope.create_task(begins());
            scope.create_task(begins());
            co_await turns(1);
            co_await scope.cancel_and_wait();
            QASYNCIO_COMPARE(log.count(u"cleaned"_s), 2);
            QASYNCIO_COMPARE(log.count(u"late"_s), 0);
            QASYNCIO_COMPARE(scope.size(), std::size_t(0));
        });
    }

    void aTaskMadeWhileItsObjectIsBeingConnected()
    {
        struct Busy : QObject
        {
            explicit Busy(QStringList &log) : log(log) { }
            void connectNotify(const QMetaMethod &) override
            {
                if (!std::exchange(busy, true))
                    create_task(load(log, u"inner"_s), TaskOptions().context(this));
            }
            static Coroutine<> load(QStringList &log, QString name)
            {
                const Farewell local(log, u'-' + name);
                co_await sleep(1h);
            }
            QStringList &log;
            bool busy = false;
        };
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            auto busy = std::make_unique<Busy>(log);
            create_task(Busy::load(log, u"outer"_s), TaskOptions().context(busy.get()));
            co_await turns(2);
            busy.reset();
            log.sort();
            QASYNCIO_COMPARE(log.join(u' '), u"-inner -outer"_s);
        });
    }

    void aTaskThatEndsWhileItsObjectIsBeingConnected()
    {
        struct Brief : QObject
        {
            explicit Brief(QStringList &log) : log(log) { }
            void connectNotify(const QMetaMethod &) override
            {
                create_task(say(log, u"inner"_s), TaskOptions().context(this).eager_start());
            }
            static Coroutine<> say(QStringList &log, QString name)
            {
                log << name;
                co_return;
            }
            QStringList &log;
        };
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            auto brief = std::make_unique<Brief>(log);
            create_task(stay(log), TaskOptions().context(brief.get()));
            co_await turns(2);
            brief->disconnect(); // is connected anew
            QASYNCIO_COMPARE(log.join(u' '), u"inner waiting inner"_s);
            brief.reset();
            QASYNCIO_COMPARE(log.join(u' '), u"inner waiting inner unwound"_s);
        });
    }

    void anObjectDeletedWhileItIsBeingConnected()
    {
        struct Gone : QObject
        {
            explicit Gone(QStringList &log) : log(log) { }
            void connectNotify(const QMetaMethod &) override
            {
                if (std::exchange(first, false))
                    create_task(stay(log), TaskOptions().context(this).eager_start());
                else
                    log << u"?"_s;
                delete this;
            }
            QStringList &log;
            bool first = true;
        };
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            QString error;
            try {
                create_task(stay(log), TaskOptions().context(new Gone(log)));
            } catch (const ValueError &exception) {
                error = QString::fromUtf8(exception.what());
            }
            QASYNCIO_COMPARE(error, u"create_task: the context object is being destroyed"_s);
            QASYNCIO_COMPARE(log.join(u' '), u"waiting unwound"_s);
            co_return;
        });
    }

    void anObjectThatIsMovedToAnotherThreadAndDiesThere_data()
    {
        QTest::addColumn<bool>("disconnected");
        QTest::newRow("it dies") << false;
        QTest::newRow("it is disconnected, and dies here") << true;
    }
    void anObjectThatIsMovedToAnotherThreadAndDiesThere()
    {
        QFETCH(const bool, disconnected);
        QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"another thread than theirs"_s));
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            std::unique_ptr<QObject> object(new QObject);
            create_task(stay(log), TaskOptions().context(object.get()));
            co_await turns(2);
            QThread *const home = object->thread();
            object->moveToThread(nullptr);
            std::thread([&] {
                object->moveToThread(QThread::currentThread());
                if (disconnected) {
                    object->disconnect();
                    object->moveToThread(home);
                } else {
                    object.reset();
                }
            }).join();
            co_await turns(2);
            QASYNCIO_COMPARE(log.join(u' '), disconnected ? u"waiting"_s : u"waiting unwound"_s);
            object.reset();
            QASYNCIO_COMPARE(log.join(u' '), u"waiting unwound"_s);
        });
    }

    void whatHasNotBegunIsNotReported()
    {
        QTest::failOnWarning(QRegularExpression(u"never awaited"_s));
        Test::run([&]() -> Coroutine<> {
            auto object = std::make_unique<QObject>();
            auto scope = std::make_unique<TaskScope>();
            create_task(wait_for(sleeper(), 1s), TaskOptions().context(object.get()));
            scope->create_task(wait_for(sleeper(), 1s));
            object.reset();
            scope.reset();
            Task<> task = create_task(wait_for(sleeper(), 1s));
            task.cancel(); // before its first step
            const QString error = co_await error_of(task);
            QASYNCIO_COMPARE(error, u"CancelledError"_s);
        });
    }

    void aDyingObjectIsRefused()
    {
        Test::run([&]() -> Coroutine<> {
            auto object = std::make_unique<QObject>();
            QString error;
            const QScopeGuard at_the_end([&] {
                QCOMPARE(error,
                         u"ValueError: create_task: the context object is being destroyed"_s);
            });
            const auto body = [&](QObject *object) -> Coroutine<> {
                const QScopeGuard last([&, object] {
                    Coroutine<> late = sleeper();
                    error = error_in(
                        [&] { create_task(std::move(late), TaskOptions().context(object)); });
                    late.close();
                });
                co_await sleep(1h);
            };
            create_task(body(object.get()), TaskOptions().context(object.get()));
            co_await turns(1);
            object.reset();
        });
    }

    void whoeverReadsWhatDebugModeSaysMayOpenAnEventLoop()
    {
        QStringList log;
        const MessageDialogs dialogs;
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            loop.set_debug(true);
            auto scope = std::make_unique<TaskScope>();
            Future<> gate = loop.create_future<>();
            const auto body = [&](QString name) -> Coroutine<> {
                const Farewell local(log, u'-' + name);
                co_await gate;
                log << name;
            };
            scope->create_task(body(u"a"_s));
            scope->create_task(body(u"b"_s));
            co_await turns(1);
            gate.set_result(); // they are about to go on
            scope.reset();
        });
        QCOMPARE(log.join(u' '), u"-b -a"_s);
        QCOMPARE(MessageDialogs::shown.filter(u"is unwound unfinished"_s).size(), 2);
    }

    void inDebugModeEachIsNamed()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            loop.set_debug(true);
            QStringList log;
            auto page = std::make_unique<Page>(log);
            create_task(page->load(u"a"_s), TaskOptions().name(u"first"_s).context(page.get()));
            create_task(page->load(u"b"_s), TaskOptions().name(u"second"_s).context(page.get()));
            co_await turns(1);
            const QRegularExpression second(u"unfinished.*its context object.*name='second'"_s);
            const QRegularExpression first(u"unfinished.*its context object.*name='first'"_s);
            QTest::ignoreMessage(QtWarningMsg, second);
            QTest::ignoreMessage(QtWarningMsg, first);
            page.reset();
        });
    }

    void aScopeEndsItsTasksBeforeAnythingElseOfTheObject()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            QStringList log;
            struct Window
            {
                explicit Window(QStringList &log) : used(log) { }
                Page used;
                const Farewell last{used.log, u"-members"_s};
                TaskScope tasks;
            };
            auto window = std::make_unique<Window>(log);
            Task<> task = window->tasks.create_task([&]() -> Coroutine<> {
                co_await gather(window->used.load(u"a"_s), window->used.load(u"b"_s));
            });
            window->tasks.create_task(window->used.load(u"c"_s));
            co_await turns(3);
            QASYNCIO_COMPARE(window->tasks.size(), std::size_t(4));
            QASYNCIO_COMPARE(window->tasks.to_string(), u"<TaskScope tasks=4>"_s);
            window.reset();
            QASYNCIO_COMPARE(log.join(u' '), u"-b -a -c -members"_s);
            QASYNCIO_COMPARE(task.cancelled(), true);
            co_await sleep(1h);
            QASYNCIO_COMPARE(reports.list().join(u' '), QString());
        });
    }

    void aScopeTakesOptionsAndAFunction()
    {
        Test::run([]() -> Coroutine<> {
            TaskScope scope;
            const auto waits = [](int value) -> Coroutine<int> {
                co_await sleep(1s);
                co_return value;
            };
            Task<int> named = scope.create_task(TaskOptions().name(u"named"_s), waits, 5);
            QASYNCIO_COMPARE(named.get_name(), u"named"_s);
            QASYNCIO_COMPARE(scope.size(), std::size_t(1));
            QASYNCIO_COMPARE(co_await named, 5);
            const QString error = error_in(
                [&] { scope.create_task(TaskOptions().detached(), waits, 5); });
            QASYNCIO_VERIFY(error.startsWith(u"ValueError"_s));
        });
    }

    void aScopeCancelsAndWaits()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            Page used(log);
            TaskScope scope;
            QASYNCIO_COMPARE(scope.all_ended().done(), true);
            scope.create_task(
                [&]() -> Coroutine<> { co_await gather(used.tidy(u"a"_s), used.tidy(u"b"_s)); });
            scope.create_task([&]() -> Coroutine<> {
                co_await task_group([&](TaskGroup &group) -> Coroutine<> {
                    group.create_task(used.tidy(u"c"_s));
                    co_return;
                });
            });
            co_await turns(3);
            Future<> ended = scope.all_ended();
            QASYNCIO_COMPARE(ended.done(), false);
            co_await scope.cancel_and_wait();
            log.sort();
            // each was asked once, and has cleaned up
            QASYNCIO_COMPARE(log.join(u' '), u"-a -b -c a b c"_s);
            QASYNCIO_COMPARE(scope.size(), std::size_t(0));
            QASYNCIO_COMPARE(ended.done(), true);
        });
    }

    void aScopeLeavesTheTasksOfAGroupToTheGroup()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto cleans = [&]() -> Coroutine<> {
                const bool cancelled = co_await is_cancelled_asleep();
                co_await sleep(1s); // a second request would end this
                log << (cancelled ? u"cleaned"_s : u"-"_s);
            };
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task(cleans());
                const bool cancelled = co_await is_cancelled_asleep();
                co_await sleep(500ms);
                if (cancelled)
                    throw CancelledError();
            };
            TaskScope scope;
            scope.create_task(task_group(body));
            co_await turns(2);
            QASYNCIO_COMPARE(scope.size(), std::size_t(2));
            scope.cancel();
            co_await scope.all_ended();
            QASYNCIO_COMPARE(log.join(u' '), u"cleaned"_s);
        });
    }

    void cancellingAScopeTakesNoTimeOfItsOwn()
    {
        for (int count = 1; count < 4; ++count) {
            Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
                TaskScope scope;
                std::vector<Task<>> tasks;
                for (int i = 0; i < count; ++i)
                    tasks.push_back(scope.create_task(sleeper()));
                co_await turns(1);
                const TimePoint begin = loop.time();
                co_await scope.cancel_and_wait();
                QASYNCIO_VERIFY(loop.time() == begin);
                QASYNCIO_COMPARE(scope.size(), std::size_t(0));
                for (const Task<> &task : tasks)
                    QASYNCIO_VERIFY(task.cancelled());
            });
        }
    }

    void cancellingAScopeAgainChangesNothing()
    {
        Test::run([]() -> Coroutine<> {
            TaskScope scope;
            Task<> task = scope.create_task(sleeper());
            co_await turns(1);
            scope.cancel(u"first"_s);
            scope.cancel(u"second"_s);
            QASYNCIO_COMPARE(task.cancelling(), 1);
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: first"_s);
        });
    }

    void cancellingAScopeAgainAsksWhatEachOfItsTasksHasBegunSince()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            std::vector<Task<>> begun;
            Future<> end = loop.create_future<>();
            const auto stubborn = [&](bool begins) -> Coroutine<> {
                co_await is_cancelled_asleep();
                if (begins)
                    begun.push_back(create_task(sleeper()));
                co_await shield(end);
            };
            TaskScope scope;
            std::vector<Task<>> tasks;
            for (const bool begins : {true, false, true, false})
                tasks.push_back(scope.create_task(stubborn(begins)));
            co_await turns(1);
            scope.cancel();
            co_await turns(1);
            QASYNCIO_COMPARE(begun.size(), std::size_t(2));
            const Task<> last = scope.create_task(sleeper());
            scope.cancel();
            for (const Task<> &task : tasks)
                QASYNCIO_COMPARE(task.cancelling(), 1);
            for (const Task<> &task : begun)
                QASYNCIO_COMPARE(task.cancelling(), 1);
            QASYNCIO_COMPARE(last.cancelling(), 1);
            end.set_result();
            co_await scope.all_ended();
        });
    }

    void cancellingAScopeAfterEachTaskDoesNotLookAtAll()
    {
        Test::run([]() -> Coroutine<> {
            TaskScope scope;
            QElapsedTimer timer;
            timer.start();
            for (int i = 0; i < 40'000; ++i) {
                scope.create_task(sleeper());
                scope.cancel();
            }
            QASYNCIO_VERIFY(timer.elapsed() < 5'000); // three times that where each looks at all
            QASYNCIO_COMPARE(scope.size(), std::size_t(40'000));
            co_await scope.all_ended();
        });
    }

    void whatACleanUpBeginsAndAwaitsIsCancelled_data()
    {
        QTest::addColumn<bool>("in_group");
        QTest::newRow("a task") << false;
        QTest::newRow("a task of a group") << true;
    }
    void whatACleanUpBeginsAndAwaitsIsCancelled()
    {
        QFETCH(const bool, in_group);
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            TaskScope scope;
            const auto body = [](TaskGroup &group) -> Coroutine<> {
                group.create_task(sleeper(24h));
                co_return;
            };
            const auto cleans_up = [&]() -> Coroutine<> {
                co_await is_cancelled_asleep();
                if (in_group)
                    co_await task_group(body);
                else
                    co_await error_of(create_task(sleeper(24h)));
            };
            scope.create_task(cleans_up());
            co_await turns(1);
            const TimePoint begin = loop.time();
            co_await scope.cancel_and_wait();
            QASYNCIO_VERIFY(loop.time() - begin < 1h);
        });
    }

    void aTaskThatAFactoryMakesStaysInItsScope_data()
    {
        QTest::addColumn<QString>("factory");
        for (const char *factory : {"names", "detaches", "gives an object"})
            QTest::newRow(factory) << QString::fromLatin1(factory);
    }

    void aTaskThatAFactoryMakesStaysInItsScope()
    {
        QFETCH(QString, factory);
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QObject object;
            loop.set_task_factory([&](QAsyncioLoop &, const TaskOptions &given) {
                if (factory == "detaches")
                    return TaskOptions().detached();
                if (factory == "gives an object")
                    return TaskOptions().context(&object);
                return TaskOptions().name(given.get_name());
            });
            auto scope = std::make_unique<TaskScope>();
            Task<> task = scope->create_task(sleeper());
            QASYNCIO_COMPARE(scope->size(), std::size_t(1));
            co_await turns(1);
            scope.reset();
            QASYNCIO_VERIFY(task.cancelled());
            loop.set_task_factory({});
        });
    }

    void aScopeAsksEachOnceWhoeverAwaitsWhom()
    {
        Test::run([]() -> Coroutine<> {
            TaskScope scope;
            const auto waits = [](Task<> other) -> Coroutine<> { co_await other; };
            Task<> first = scope.create_task(sleeper()); // an older one that younger ones await
            Task<> second = scope.create_task(waits(first));
            Task<> third = scope.create_task(waits(second));
            co_await turns(3);
            scope.cancel();
            for (const Task<> &task : {first, second, third})
                QASYNCIO_COMPARE(task.cancelling(), 1);
            co_await scope.all_ended();
        });
    }

    void aScopeAlsoAsksWhomSomebodyElseHasAskedBefore()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            TaskScope scope;
            const auto swallows = []() -> Coroutine<> {
                QASYNCIO_VERIFY(co_await is_cancelled_asleep());
                co_await sleep(1h);
            };
            Task<> awake = scope.create_task(swallows());
            const auto cleans_up = [](Timeout &) -> Coroutine<> {
                QASYNCIO_VERIFY(co_await is_cancelled_asleep());
                co_await sleep(10s);
                throw CancelledError();
            };
            int attempts = 0;
            const auto tries_again = [&]() -> Coroutine<> {
                for (;;) {
                    ++attempts;
                    try {
                        co_await timeout(1s, cleans_up);
                    } catch (const TimeoutError &) {
                    }
                }
            };
            Task<> late = scope.create_task(tries_again());
            const auto in_group = [](TaskGroup &group) -> Coroutine<> {
                group.create_task(fail_with(u"wrong"_s, 1s));
                group.create_task(cleans_up_slowly());
                co_await sleep(1h);
            };
            const auto groups = [&]() -> Coroutine<> {
                for (;;) {
                    try {
                        co_await task_group(in_group);
                    } catch (const ExceptionGroup &) {
                    }
                }
            };
            Task<> aborting = scope.create_task(groups());
            co_await turns(1);
            awake.cancel();
            co_await sleep(2s); // the time-out is over and the group aborts: both clean up
            const TimePoint begin = loop.time();
            co_await scope.cancel_and_wait();
            QASYNCIO_VERIFY(loop.time() - begin < 1min);
            QASYNCIO_VERIFY(awake.cancelled() && late.cancelled() && aborting.cancelled());
            QASYNCIO_COMPARE(attempts, 1);
        });
    }

    void whoGivesUpWaitingForTheEndOfAScopeDisturbsNobody()
    {
        Test::run([]() -> Coroutine<> {
            TaskScope scope;
            scope.create_task(sleeper(1min));
            const auto waits = [](TaskScope &scope) -> Coroutine<> { co_await scope.all_ended(); };
            Task<> patient = create_task(waits(scope));
            QASYNCIO_COMPARE(co_await error_of(wait_for(scope.all_ended(), 1s)), u"TimeoutError"_s);
            co_await patient;
            QASYNCIO_COMPARE(scope.size(), std::size_t(0));
        });
    }

    void aScopeThatDiesCountsWhatIsLeft()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            auto scope = std::make_unique<TaskScope>();
            const TaskScope *const dying = scope.get();
            const auto body = [&]() -> Coroutine<> {
                const QScopeGuard end([&] { log << dying->to_string(); });
                co_await sleep(1h);
            };
            for (int i = 0; i < 3; ++i)
                scope->create_task(body());
            co_await turns(1);
            scope.reset();
            QASYNCIO_COMPARE(log.join(u' '),
                             u"<TaskScope tasks=2> <TaskScope tasks=1> <TaskScope tasks=0>"_s);
        });
    }

    void anObjectThatDisconnectsAllAsItDiesEndsItsTasks()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            auto object = std::make_unique<QObject>();
            QObject::connect(object.get(), &QObject::destroyed,
                             [](QObject *dying) { dying->disconnect(); });
            create_task(stay(log), TaskOptions().context(object.get()));
            co_await turns(2);
            object.reset();
            QASYNCIO_COMPARE(log.join(u' '), u"waiting unwound"_s);
        });
    }

    void anObjectThatDiesElsewhereWhenItsTasksHaveEndedAlready()
    {
        QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"another thread than theirs"_s));
        Test::run([]() -> Coroutine<> {
            QStringList log;
            QObject outer;
            std::unique_ptr<QObject> object(new QObject);
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task(stay(log), TaskOptions().context(object.get()));
                co_await sleep(1h);
            };
            auto whole = std::make_unique<QObject>();
            create_task(task_group(body), TaskOptions().context(whole.get()));
            co_await turns(2);
            object->moveToThread(nullptr);
            std::thread([&] {
                object->moveToThread(QThread::currentThread());
                object.reset();
            }).join();
            whole.reset(); // before we have heard of it
            QASYNCIO_COMPARE(log.join(u' '), u"waiting unwound"_s);
            co_await turns(2);
            QASYNCIO_COMPARE(all_tasks().size(), std::size_t(1));
        });
    }

    void aScopeRefusesWhatItCannotOwn_data()
    {
        QTest::addColumn<bool>("has_factory");
        QTest::newRow("a loop") << false;
        QTest::newRow("one with a task factory") << true;
    }

    void aScopeRefusesWhatItCannotOwn()
    {
        QFETCH(bool, has_factory);
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            if (has_factory)
                loop.set_task_factory(eager_task_factory);
            TaskScope scope;
            QObject object;
            QASYNCIO_COMPARE(
                error_in([&] { scope.create_task(sleeper(), TaskOptions().context(&object)); }),
                u"ValueError: create_task: a task of a TaskScope ends with that, and has no context object"_s);
            QASYNCIO_COMPARE(
                error_in([&] { scope.create_task(sleeper(), TaskOptions().detached()); }),
                u"ValueError: TaskScope.create_task: a task of a scope cannot be detached"_s);
            QASYNCIO_COMPARE(
                error_in([&] {
                    create_task(sleeper(), TaskOptions().context(&object).detached()).cancel();
                }),
                u"ValueError: create_task: a detached task has no context object"_s);
            const auto waiting = [&]() -> Coroutine<QString> {
                co_return co_await error_of(scope.cancel_and_wait());
            };
            Task<QString> itself = scope.create_task(waiting);
            QASYNCIO_COMPARE(
                co_await itself,
                u"RuntimeError: cancel_and_wait(): a task of the scope would wait for itself"_s);
        });
    }

    void aScopeThatDiesWhileSomebodyWaitsForItsEnd()
    {
        Test::run([&]() -> Coroutine<> {
            auto scope = std::make_unique<TaskScope>();
            scope->create_task(cleans_up_slowly());
            Future<> ended = scope->all_ended();
            Task<> waiting = create_task(scope->cancel_and_wait());
            Task<> not_begun = create_task(sleep_then(1s, scope->cancel_and_wait()));
            co_await sleep(10ms);
            QASYNCIO_VERIFY(!waiting.done());
            scope.reset();
            QASYNCIO_VERIFY(ended.cancelled());
            co_await waiting;
            co_await not_begun;
        });
    }

    void aScopeThatDiesInAnotherThreadWhileSomebodyWaits()
    {
        QTest::ignoreMessage(QtCriticalMsg,
                             QRegularExpression(u"is destroyed in another thread"_s));
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            auto scope = std::make_unique<TaskScope>();
            scope->create_task(cleans_up_slowly());
            Task<> waiting = create_task(scope->cancel_and_wait());
            co_await turns(3);
            std::thread([&] { scope.reset(); }).join();
            const TimePoint begin = loop.time();
            co_await waiting;
            QASYNCIO_VERIFY(loop.time() - begin < 10s);
        });
    }

    void aTaskThatDeletesItsScopeEndsAllWaiting()
    {
        Test::run([&]() -> Coroutine<> {
            QStringList log;
            auto scope = std::make_unique<TaskScope>();
            const auto deletes = [&]() -> Coroutine<> {
                co_await is_cancelled_asleep();
                scope.reset();
                log << u"goes on"_s;
                co_await turns(1);
                log << u"never"_s;
            };
            Task<> task = scope->create_task(deletes());
            Future<> ended = scope->all_ended();
            co_await turns(1);
            co_await scope->cancel_and_wait();
            QASYNCIO_VERIFY(ended.cancelled());
            QASYNCIO_VERIFY(task.cancelled());
            QASYNCIO_COMPARE(log.join(u' '), u"goes on"_s);
        });
    }

    /// The tasks of the other window have nothing to do with the one that runs: they end with their
    /// scope, at once.
    void aTaskThatDeletesAnotherWindowBehindItsOwn()
    {
        struct Window
        {
            Window(QStringList &log, QString name) : members(log, std::move(name)) { }
            Farewell members; // goes last
            TaskScope tasks;
        };
        Test::run([]() -> Coroutine<> {
            QStringList log;
            auto mine = std::make_unique<Window>(log, u"-mine"_s);
            auto other = std::make_unique<Window>(log, u"-other"_s);
            other->tasks.create_task(stay(log)); // the older one
            co_await turns(1);
            const auto closes_both = [&]() -> Coroutine<> {
                mine.reset();
                other.reset();
                log << u"closed"_s;
                co_await turns(1);
                log << u"never"_s;
            };
            Task<> task = mine->tasks.create_task(closes_both());
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
            QASYNCIO_COMPARE(log.join(u' '), u"waiting -mine unwound -other closed"_s);
        });
    }

    void aScopeThatGoesInItsOwnCancelAndWait()
    {
        struct Window
        {
            TaskScope scope;
        };
        QThreadPool pool;
        pool.setMaxThreadCount(1);
        std::promise<void> gate;
        pool.start([&] { gate.get_future().wait(); }); // what comes after it is queued
        Test::run([&]() -> Coroutine<> {
            auto window = std::make_shared<Window>();
            Window &alive = *window;
            const auto queued = [&pool](std::shared_ptr<Window> last) -> Coroutine<> {
                const auto work = [](std::shared_ptr<Window>) { };
                auto job = get_running_loop().run_in_executor(&pool, work, std::move(last));
                co_await job;
            };
            Task<> task = alive.scope.create_task(queued(std::move(window)));
            co_await turns(2);
            // which drops what is queued, and with it the window
            co_await alive.scope.cancel_and_wait();
            QASYNCIO_VERIFY(task.cancelled());
        });
        gate.set_value();
        pool.waitForDone();
    }

    void tornDown()
    {
        Test::tear_down([]() -> Coroutine<> {
            QStringList log;
            Page page(log);
            QObject object;
            TaskScope scope;
            scope.create_task(
                [&]() -> Coroutine<> { co_await gather(page.load(u"a"_s), page.tidy(u"b"_s)); });
            create_task(page.load(u"c"_s), TaskOptions().context(&object));
            co_await race(page.load(u"d"_s), page.load(u"e"_s, 2s));
            co_await scope.cancel_and_wait();
        });
    }

private:
    static Task<> create_page_task(QAsyncioLoop &loop, Page &page, Coroutine<> coroutine)
    {
        return loop.create_task(std::move(coroutine), TaskOptions().context(&page));
    }
};

QTEST_GUILESS_MAIN(tst_context_object)
#include "tst_context_object.moc"
