// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qeventloop.h>
#include <QtCore/qregularexpression.h>
#include <QtCore/qtimer.h>

#include <array>
#include <memory>
#include <thread>

namespace {

/// The errors of the ExceptionGroup that `awaitable` throws, groups in brackets; else what it
/// throws or "nothing".
QString texts(const std::exception_ptr &exception)
{
    try {
        std::rethrow_exception(exception);
    } catch (const ExceptionGroup &group) {
        QStringList list;
        for (const std::exception_ptr &member : group.exceptions())
            list << texts(member);
        return u'[' + list.join(u", "_s) + u']';
    } catch (...) {
        return describe(exception);
    }
}

template<class A>
Coroutine<QString> outcome_of(A awaitable)
{
    std::exception_ptr thrown;
    try {
        static_cast<void>(co_await std::move(awaitable));
    } catch (...) {
        thrown = std::current_exception();
    }
    co_return thrown ? texts(thrown) : u"nothing"_s;
}

Coroutine<> fail_after(std::chrono::nanoseconds delay, QString text)
{
    co_await sleep(delay);
    throw ValueError(text);
}

/// Waits for an hour; when cancelled it says so, waits for `cleanup`, and throws `error` if there
/// is one.
Coroutine<> worker(QStringList &log, QString name, std::chrono::nanoseconds cleanup = 0s,
                   QString error = {})
{
    const bool cancelled = co_await is_cancelled_asleep();
    if (!cancelled)
        co_return;
    log << name + u" cancelled"_s;
    co_await sleep(cleanup);
    log << name + u" cleaned"_s;
    if (!error.isNull())
        throw ValueError(error);
    throw CancelledError();
}

} // namespace

class tst_task_group : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // TG-002
    void waitsForItsTasksAndGivesTheBodysResult()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto child = [&](QString name, std::chrono::seconds delay) -> Coroutine<> {
                co_await sleep(delay);
                log << name;
            };
            const auto body = [&](TaskGroup &group) -> Coroutine<int> {
                group.create_task(child(u"slow"_s, 2s));
                group.create_task(child(u"quick"_s, 1s));
                log << u"body"_s;
                co_return 7;
            };
            QASYNCIO_COMPARE(co_await task_group(body), 7);
            QASYNCIO_COMPARE(log.join(u' '), u"body quick slow"_s);
        });
    }

    // TG-002
    void waitsForTasksThatAreAddedWhileItWaits()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                const auto late = [&]() -> Coroutine<> {
                    co_await sleep(1s);
                    log << u"late"_s;
                };
                // By value: the body has ended when this runs.
                group.create_task(
                    [](TaskGroup &group, auto late) -> Coroutine<> {
                        co_await sleep(1s);
                        group.create_task(late);
                    },
                    std::ref(group), late);
                co_return;
            };
            co_await task_group(body);
            QASYNCIO_COMPARE(log.join(u' '), u"late"_s);
        });
    }

    void functionsAndArgumentsAreKeptForTheTask()
    {
        Test::run([]() -> Coroutine<> {
            std::vector<Task<int>> tasks;
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                const auto shared = std::make_shared<int>(20);
                for (int i = 0; i < 3; ++i) {
                    auto add = [shared](std::unique_ptr<int> number) -> Coroutine<int> {
                        co_await sleep(1s);
                        co_return *shared + *number;
                    };
                    tasks.push_back(group.create_task(TaskOptions().name(QString::number(i)),
                                                      moved(add), std::make_unique<int>(i)));
                }
                QASYNCIO_VERIFY(tasks[2].to_string().contains(u"name='2'"_s));
                co_return;
            };
            co_await task_group(body);
            QASYNCIO_COMPARE(tasks[0].result() + tasks[1].result() + tasks[2].result(), 63);
        });
    }

    // TG-003
    void theFirstFailureCancelsTheOthersAndTheBody()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task(worker(log, u"a"_s, 1s));
                group.create_task(fail_after(1s, u"bad"_s));
                try {
                    co_await sleep(1h);
                } catch (const CancelledError &) {
                    log << u"body cancelled"_s;
                    throw;
                }
            };
            QASYNCIO_COMPARE(co_await outcome_of(task_group(body)), u"[ValueError: bad]"_s);
            QASYNCIO_COMPARE(log.join(u", "_s), u"a cancelled, body cancelled, a cleaned"_s);
            QASYNCIO_COMPARE(current_task().cancelling(), 0);
            co_await sleep(0s); // nothing is left of the cancellation
        });
    }

    // TG-003, TG-005
    void whatTheCleanUpThrowsJoinsInTheOrderOfTheEnds()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task(worker(log, u"a"_s, 3s, u"third"_s));
                group.create_task(worker(log, u"b"_s, 2s, u"second"_s));
                group.create_task(fail_after(1s, u"first"_s));
                co_return;
            };
            std::exception_ptr thrown;
            try {
                co_await task_group(body);
            } catch (const ExceptionGroup &group) {
                thrown = std::current_exception();
                QTest::qCompare(QString::fromUtf8(group.what()),
                                u"unhandled errors in a TaskGroup (3 sub-exceptions)"_s, "what",
                                "expected", __FILE__, __LINE__);
            }
            QASYNCIO_COMPARE(texts(thrown),
                             u"[ValueError: first, ValueError: second, ValueError: third]"_s);
        });
    }

    // TG-004
    void aTaskThatIsCancelledAloneIsNoError()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                auto task = group.create_task(worker(log, u"a"_s));
                group.create_task(sleeper(1s));
                co_await sleep(0s);
                task.cancel();
            };
            QASYNCIO_COMPARE(co_await outcome_of(task_group(body)), u"nothing"_s);
        });
    }

    // TG-006
    void aBodyThatThrowsCancelsTheTasksAndComesLast()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto alone = [](TaskGroup &) -> Coroutine<> {
                throw TypeError(u"body"_s);
                co_return;
            };
            QASYNCIO_COMPARE(co_await outcome_of(task_group(alone)), u"[TypeError: body]"_s);
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task(worker(log, u"a"_s, 0s, u"child"_s));
                co_await sleep(0s);
                throw TypeError(u"body"_s);
            };
            QASYNCIO_COMPARE(co_await outcome_of(task_group(body)),
                             u"[ValueError: child, TypeError: body]"_s);
        });
    }

    // TG-007
    void tasksThatHadNotStartedNeverRun()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task(
                    [](QStringList &log) -> Coroutine<> {
                        log << u"ran"_s;
                        throw ValueError(u"never"_s);
                        co_return;
                    },
                    std::ref(log));
                throw TypeError(u"body"_s);
                co_return;
            };
            QASYNCIO_COMPARE(co_await outcome_of(task_group(body)), u"[TypeError: body]"_s);
            QASYNCIO_VERIFY(log.isEmpty());
        });
    }

    // TG-008
    void cancellingTheCallerCancelsTheTasksAndWaits()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task(worker(log, u"a"_s, 2s));
                co_return;
            };
            auto task = create_task(task_group(body));
            co_await sleep(0s);
            co_await sleep(0s);
            task.cancel(u"first"_s);
            co_await sleep(1s);
            QASYNCIO_VERIFY(!task.done());
            task.cancel(u"second"_s); // does not end the wait
            co_await sleep(0s);
            QASYNCIO_VERIFY(!task.done());
            QASYNCIO_COMPARE(co_await outcome_of(task), u"CancelledError: first"_s);
            QASYNCIO_COMPARE(log.join(u", "_s), u"a cancelled, a cleaned"_s);
        });
    }

    // TG-009
    void cancelledFromOutsideAndErrorsAsWell()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto outer = [&]() -> Coroutine<> {
                const auto body = [&](TaskGroup &group) -> Coroutine<> {
                    group.create_task(worker(log, u"a"_s, 0s, u"bad"_s));
                    co_await sleep(1h);
                };
                log << co_await outcome_of(task_group(body));
                log << QString::number(current_task().cancelling());
                co_await sleep(1h); // here the cancellation surfaces
                log << u"not reached"_s;
            };
            auto task = create_task(outer());
            co_await sleep(1s);
            task.cancel();
            QASYNCIO_COMPARE(co_await outcome_of(task), u"CancelledError"_s);
            QASYNCIO_COMPARE(log.join(u", "_s), u"a cancelled, a cleaned, [ValueError: bad], 1"_s);
        });
    }

    // TG-010
    void anOldSwallowedCancellationMakesAFailingGroupCancelAgain()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto outer = [&]() -> Coroutine<> {
                try {
                    co_await sleep(1h);
                } catch (const CancelledError &) {
                }
                const auto body = [](TaskGroup &group) -> Coroutine<> {
                    group.create_task(fail_after(0s, u"bad"_s));
                    co_return;
                };
                log << co_await outcome_of(task_group(body));
                co_await sleep(0s);
                log << u"not reached"_s;
            };
            auto task = create_task(outer());
            co_await sleep(1s);
            task.cancel();
            QASYNCIO_COMPARE(co_await outcome_of(task), u"CancelledError"_s);
            QASYNCIO_COMPARE(log.join(u", "_s), u"[ValueError: bad]"_s);
        });
    }

    // TG-011
    void aBodyThatSwallowsTheCancellationChangesNothing()
    {
        Test::run([]() -> Coroutine<> {
            const auto body = [](TaskGroup &group) -> Coroutine<> {
                group.create_task(fail_after(0s, u"bad"_s));
                try {
                    co_await sleep(1h);
                } catch (const CancelledError &) {
                }
            };
            QASYNCIO_COMPARE(co_await outcome_of(task_group(body)), u"[ValueError: bad]"_s);
            QASYNCIO_COMPARE(current_task().cancelling(), 0);
        });
    }

    // TG-012
    void whatLeavesTheLoopGoesOutBare()
    {
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        QStringList log;
        const auto main = [&]() -> Coroutine<> {
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task(worker(log, u"a"_s, 0s, u"dropped"_s));
                group.create_task([]() -> Coroutine<> {
                    co_await sleep(1s);
                    throw LoopExit(5);
                });
                co_return;
            };
            co_await task_group(body);
        };
        auto task = loop.create_task(main());
        QCOMPARE(error_in([&] { loop.run_until_complete(task); }), u"LoopExit: 5"_s);
        QVERIFY(!task.done());
        // of the group
        QCOMPARE(error_in([&] { loop.run_until_complete(task); }), u"LoopExit: 5"_s);
        QVERIFY(task.done());
        QCOMPARE(log.join(u", "_s), u"a cancelled, a cleaned"_s);
        loop.close();
    }

    // TG-013
    void nestedGroupsGiveNestedErrors()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto inner = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task(fail_after(1s, u"inner"_s));
                co_return;
            };
            const auto outer = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task(worker(log, u"a"_s));
                co_await task_group(inner);
            };
            QASYNCIO_COMPARE(co_await outcome_of(task_group(outer)), u"[[ValueError: inner]]"_s);

            const auto waiting = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task(worker(log, u"b"_s));
                co_return;
            };
            const auto failing = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task(fail_after(1s, u"outer"_s));
                co_await task_group(waiting);
            };
            QASYNCIO_COMPARE(co_await outcome_of(task_group(failing)), u"[ValueError: outer]"_s);
        });
    }

    // TG-014
    void aTimeoutAroundAGroup()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto group_of = [&](QString error) -> Coroutine<> {
                const auto body = [&](TaskGroup &group) -> Coroutine<> {
                    group.create_task(worker(log, u"a"_s, 0s, error));
                    co_return;
                };
                co_await task_group(body);
            };
            QASYNCIO_COMPARE(co_await outcome_of(wait_for(group_of({}), 1s)), u"TimeoutError"_s);
            QASYNCIO_COMPARE(co_await outcome_of(wait_for(group_of(u"bad"_s), 1s)),
                             u"[ValueError: bad]"_s);
            const auto inside = [](TaskGroup &group) -> Coroutine<> {
                group.create_task(wait_for(sleeper(), 1s));
                co_return;
            };
            QASYNCIO_COMPARE(co_await outcome_of(task_group(inside)), u"[TimeoutError]"_s);
        });
    }

    // TG-015
    void anEagerTaskThatFailsIsDealtWithInALaterTurn()
    {
        Test::run([]() -> Coroutine<> {
            const auto body = [](TaskGroup &group) -> Coroutine<> {
                const auto fail = []() -> Coroutine<> {
                    throw ValueError(u"eager"_s);
                    co_return;
                };
                auto failed = group.create_task(TaskOptions().eager_start(), fail);
                QASYNCIO_VERIFY(failed.done());
                group.create_task(turns(1)); // not refused
                co_return;
            };
            QASYNCIO_COMPARE(co_await outcome_of(task_group(body)), u"[ValueError: eager]"_s);
        });
    }

    // TG-016
    void cancelEndsAGroupWithoutAnException()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            TaskGroup *the_group = nullptr;
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                the_group = &group;
                group.create_task(worker(log, u"a"_s, 1s));
                co_await sleep(1h);
            };
            auto task = create_task(task_group(body));
            co_await sleep(1s);
            the_group->cancel();
            the_group->cancel();
            auto late = turns(1);
            QASYNCIO_COMPARE(
                error_in([&] { the_group->create_task(std::move(late)); }),
                u"RuntimeError: TaskGroup <TaskGroup tasks=1 cancelling> is shutting down"_s);
            QASYNCIO_COMPARE(co_await outcome_of(task), u"nothing"_s);
            QASYNCIO_COMPARE(log.join(u", "_s), u"a cancelled, a cleaned"_s);
            const auto fails = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task(worker(log, u"b"_s, 0s, u"bad"_s));
                co_await sleep(0s);
                group.cancel();
            };
            QASYNCIO_COMPARE(co_await outcome_of(task_group(fails)), u"[ValueError: bad]"_s);
            QASYNCIO_COMPARE(current_task().cancelling(), 0);
        });
    }

    // TG-016
    void cancelBeforeTheBodyHasGivenAResult()
    {
        Test::run([]() -> Coroutine<> {
            const auto body = [](TaskGroup &group) -> Coroutine<int> {
                group.cancel();
                co_await sleep(1h);
                co_return 1;
            };
            QASYNCIO_COMPARE(co_await outcome_of(task_group(body)), u"CancelledError"_s);
            const auto late = [](TaskGroup &group) -> Coroutine<int> {
                group.create_task(sleeper());
                group.cancel();
                co_return 1;
            };
            QASYNCIO_COMPARE(co_await task_group(late), 1);
        });
    }

    // TG-017
    void aCancellationFromOutsideDuringTheGroupsOwnGoesOn()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            TaskGroup *the_group = nullptr;
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                the_group = &group;
                group.create_task(worker(log, u"a"_s, 5s));
                co_await sleep(1h);
            };
            auto task = create_task(task_group(body));
            co_await sleep(1s);
            the_group->cancel();
            co_await sleep(1s);
            task.cancel(u"outside"_s);
            QASYNCIO_COMPARE(co_await outcome_of(task), u"CancelledError: outside"_s);
            QASYNCIO_COMPARE(log.join(u", "_s), u"a cancelled, a cleaned"_s);
        });
    }

    void aCancellationFromOutsideAfterTheBodyDuringTheGroupsOwnGoesOn()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            TaskGroup *the_group = nullptr;
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                the_group = &group;
                group.create_task(worker(log, u"a"_s, 5s));
                co_return;
            };
            auto task = create_task(task_group(body));
            co_await sleep(1s);
            the_group->cancel();
            QASYNCIO_COMPARE(task.cancelling(), 1);
            co_await sleep(1s);
            task.cancel(u"outside"_s);
            QASYNCIO_COMPARE(co_await outcome_of(task), u"CancelledError: outside"_s);
            QASYNCIO_COMPARE(log.join(u", "_s), u"a cancelled, a cleaned"_s);
        });
    }

    void aPlainCallbackMayMakeTasksToo()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                loop.call_soon([&] { group.create_task(worker(log, u"a"_s)); });
                co_await turns(3);
                group.cancel();
            };
            QASYNCIO_COMPARE(co_await outcome_of(task_group(body)), u"nothing"_s);
            QASYNCIO_COMPARE(log.join(u", "_s), u"a cancelled, a cleaned"_s);
        });
    }

    void debugModeRefusesAnotherThread()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            loop.set_debug(true);
            QStringList log;
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task(worker(log, u"a"_s));
                co_await sleep(1s);
                QStringList errors;
                std::thread([&] {
                    errors << error_in([&] { return group.create_task(sleeper()); })
                           << error_in([&] { group.cancel(); });
                }).join();
                const QString refused =
                    u"RuntimeError: Non-thread-safe operation invoked on an event loop other than the current one"_s;
                QASYNCIO_COMPARE(errors, QStringList(2, refused));
                QASYNCIO_COMPARE(group.to_string(), u"<TaskGroup tasks=1 entered>"_s);
                group.cancel();
                errors.clear();
                std::thread([&] {
                    errors << error_in([&] { return group.create_task(sleeper()); });
                }).join();
                // also now, when it takes no tasks anyway
                QASYNCIO_COMPARE(errors, QStringList(1, refused));
            };
            QASYNCIO_COMPARE(co_await outcome_of(task_group(body)), u"nothing"_s);
            QASYNCIO_COMPARE(log.join(u", "_s), u"a cancelled, a cleaned"_s);
        });
    }

    void aGroupThatHasEndedIsForgotten()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto body = [&](TaskGroup &group, std::chrono::nanoseconds delay) -> Coroutine<> {
                group.create_task(sleeper(delay));
                co_return;
            };
            const auto after_a_group = [&]() -> Coroutine<> {
                co_await task_group(body, std::chrono::nanoseconds(0));
                log << u"left"_s;
                co_await sleep(1h);
            };
            auto object = std::make_unique<QObject>();
            create_task(after_a_group(), TaskOptions().context(object.get()));
            co_await sleep(1s);
            // may lie where the first one was
            auto others = create_task(task_group(body, std::chrono::nanoseconds(1h)));
            co_await turns(4);
            object.reset();
            QASYNCIO_VERIFY(!others.done());
            QASYNCIO_COMPARE(all_tasks().size(), std::size_t(3));
            QASYNCIO_COMPARE(co_await outcome_of(others), u"nothing"_s);
            QASYNCIO_COMPARE(log.join(u' '), u"left"_s);
        });
    }

    // TG-018
    void anEagerTaskMayCancelItsGroup()
    {
        Test::run([]() -> Coroutine<> {
            Task<> child;
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                child = group.create_task(
                    TaskOptions().eager_start(),
                    [](TaskGroup &group) -> Coroutine<> {
                        group.cancel(); // does not know this task yet
                        co_await sleep(1h);
                    },
                    std::ref(group));
                co_await sleep(1h);
            };
            const TimePoint begin = get_running_loop().time();
            QASYNCIO_COMPARE(co_await outcome_of(task_group(body)), u"nothing"_s);
            QASYNCIO_VERIFY(child.cancelled());
            QASYNCIO_VERIFY(get_running_loop().time() == begin);
        });
    }

    // TG-001
    void refusesTasksOnceItIsOver()
    {
        QAsyncioLoop loop(virtual_time());
        QTest::failOnWarning(QRegularExpression(u"never awaited"_s));
        QStringList log;
        const auto main = [&]() -> Coroutine<> {
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                auto task = group.create_task(turns(1));
                // behind the group's own: all have ended, and it has not returned yet
                task.add_done_callback([&] {
                    log << group.to_string() << error_in([&] { group.create_task(turns(1)); });
                });
                log << group.to_string();
                co_return;
            };
            co_await task_group(body);
        };
        loop.run_until_complete(main());
        QCOMPARE(log.join(u", "_s),
                 u"<TaskGroup tasks=1 entered>, <TaskGroup entered>, "
                 u"RuntimeError: TaskGroup <TaskGroup entered> is finished"_s);
        loop.close();
    }

    // H-63
    void itsTasksAreUnwoundBeforeTheCallersLocalsGo()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        auto window = std::make_unique<QObject>();
        const auto child = [&](QString name) -> Coroutine<> {
            const Farewell farewell(log, name);
            co_await sleep(1h);
        };
        const auto main = [&]() -> Coroutine<> {
            const Farewell farewell(log, u"caller"_s);
            const auto inner = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task(child(u"grandchild"_s));
                co_return;
            };
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task(child(u"first"_s));
                group.create_task(task_group(inner));
                group.create_task(child(u"last"_s));
                co_return;
            };
            co_await task_group(body);
        };
        auto task = loop.create_task(main(), TaskOptions().context(window.get()));
        run_ready(loop);
        window.reset();
        QCOMPARE(log.join(u' '), u"grandchild last first caller"_s);
        QVERIFY(task.cancelled());
        run_ready(loop);
        QVERIFY(loop.all_tasks().empty());
        loop.close();
    }

    // H-63
    void aTaskOfTheGroupMayDestroyTheContextObjectOfTheWhole()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        auto window = std::make_unique<QObject>();
        const auto main = [&]() -> Coroutine<> {
            const Farewell farewell(log, u"caller"_s);
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task([&]() -> Coroutine<> {
                    const Farewell farewell(log, u"child"_s);
                    co_await sleep(1s);
                    window.reset();
                    // the frame is on the stack: it, and what is older, may not go yet
                    log << u"still here"_s;
                    co_await sleep(1h);
                    log << u"not reached"_s;
                });
                group.create_task([&]() -> Coroutine<> {
                    const Farewell farewell(log, u"sibling"_s);
                    co_await sleep(1h);
                });
                co_await sleep(1h);
            };
            co_await task_group(body);
        };
        auto task = loop.create_task(main(), TaskOptions().context(window.get()));
        QCOMPARE(error_in([&] { loop.run_until_complete(task); }), u"CancelledError"_s);
        QCOMPARE(log.join(u", "_s), u"sibling, still here, child, caller"_s);
        loop.close();
    }

    // H-63
    void aTaskMayEndTheWholeWithItsLastLine()
    {
        QAsyncioLoop loop(virtual_time());
        QStringList log;
        auto window = std::make_unique<QObject>();
        const auto main = [&]() -> Coroutine<> {
            const Farewell farewell(log, u"caller"_s);
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task([&]() -> Coroutine<> {
                    co_await sleep(1s);
                    window.reset();
                });
                co_return;
            };
            co_await task_group(body);
            log << u"not reached"_s;
        };
        auto task = loop.create_task(main(), TaskOptions().context(window.get()));
        QCOMPARE(error_in([&] { loop.run_until_complete(task); }), u"CancelledError"_s);
        QCOMPARE(log.join(u", "_s), u"caller"_s);
        loop.close();
    }

    // H-63
    void theEndOfATaskMayDestroyTheContextObjectOfTheWhole()
    {
        // Parameters of the coroutine die when the task has ended, or is unwound, or is cancelled
        // before it begins.
        const auto own = [](std::shared_ptr<QObject>,
                            std::chrono::nanoseconds delay) -> Coroutine<> {
            co_await sleep(delay);
        };
        for (const auto delay : {std::chrono::nanoseconds(0s), std::chrono::nanoseconds(1h)}) {
            for (const bool cancelled : {false, true}) {
                QAsyncioLoop loop(virtual_time());
                auto window = std::make_shared<QObject>();
                const std::weak_ptr<QObject> alive = window;
                QObject *const object = window.get();
                Task<> child;
                const auto body = [&](TaskGroup &group,
                                      std::shared_ptr<QObject> &window) -> Coroutine<> {
                    auto coroutine = own(std::move(window), delay);
                    child = group.create_task(std::move(coroutine));
                    co_return;
                };
                auto task = loop.create_task(task_group(body, std::ref(window)),
                                             TaskOptions().context(object));
                loop.stop();
                loop.run_forever();
                if (cancelled)
                    child.cancel();
                else if (delay > 0s)
                    loop.call_later(1s, [&] { task.cancel(); });
                QCOMPARE(error_in([&] { loop.run_until_complete(task); }), u"CancelledError"_s);
                QVERIFY(alive.expired());
                run_ready(loop);
                QVERIFY(loop.all_tasks().empty());
                loop.close();
            }
        }
    }

    void aTaskThatEndsWithAnObjectOfItsOwnMayDestroyThatOfTheWhole()
    {
        Test::run([](QAsyncioLoop &) -> Coroutine<> {
            QStringList log;
            auto window = std::make_unique<QObject>();
            auto page = std::make_unique<QObject>();
            QObject *const whole = window.get();
            const auto own = [](std::unique_ptr<QObject>, Farewell) -> Coroutine<> {
                co_await sleep(1h);
            };
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                const Farewell farewell(log, u"group"_s);
                group.create_task(own(std::move(window), Farewell(log, u"task"_s)),
                                  TaskOptions().context(page.get()));
                co_await sleep(1h);
            };
            Task<> task = create_task(task_group(body), TaskOptions().context(whole));
            co_await turns(2);
            page.reset();
            QASYNCIO_COMPARE(log.join(u' '), u"task group"_s); // there and then
            QASYNCIO_VERIFY(task.cancelled());
        });
    }

    void tasksOfOtherObjectsGoWithTheGroupTheYoungestFirst()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            QObject objects[4]; // each task has its own, and these live on
            auto whole = std::make_unique<QObject>();
            const auto stays = [&](QString name) -> Coroutine<> {
                const Farewell farewell(log, name);
                co_await sleep(1h);
            };
            const auto inner = [&](TaskGroup &group) -> Coroutine<> {
                const Farewell farewell(log, u"inner"_s);
                co_await sleep(1s);
                group.create_task(stays(u"grandchild"_s), TaskOptions().context(&objects[1]));
                co_await sleep(1h);
            };
            const auto begins = [&]() -> Coroutine<> {
                const Farewell farewell(log, u"begins"_s);
                co_await sleep(1s);
                create_task(stays(u"begun"_s)); // ends with the task that began it
                co_await sleep(1h);
            };
            const auto outer = [&](TaskGroup &group) -> Coroutine<> {
                const Farewell farewell(log, u"outer"_s);
                group.create_task(task_group(inner), TaskOptions().context(&objects[0]));
                co_await sleep(2s);
                group.create_task(begins(), TaskOptions().context(&objects[2]));
                group.create_task(stays(u"child"_s), TaskOptions().context(&objects[3]));
                co_await sleep(1h);
            };
            Task<> task = create_task(task_group(outer), TaskOptions().context(whole.get()));
            co_await sleep(10s);
            whole.reset();
            QASYNCIO_COMPARE(log.join(u' '), u"begun child begins grandchild inner outer"_s);
            QASYNCIO_VERIFY(task.cancelled());
            QASYNCIO_COMPARE(all_tasks().size(), std::size_t(1));
        });
    }

    void noTaskOfAGroupRunsInAnEventLoopThatADestructorOpens()
    {
        QAsyncioLoop loop;
        QStringList log;
        struct Opens
        {
            ~Opens()
            {
                QEventLoop inner;
                QTimer::singleShot(20, &inner, &QEventLoop::quit);
                inner.exec();
            }
        };
        QObject page, other;
        auto whole = std::make_unique<QObject>();
        const auto goes_on = [&]() -> Coroutine<> {
            co_await sleep(1ms);
            log << u"went on"_s;
        };
        const auto opens = []() -> Coroutine<> {
            const Opens opens;
            co_await sleep(1h);
        };
        const auto body = [&](TaskGroup &group) -> Coroutine<> {
            group.create_task(goes_on(), TaskOptions().context(&page));
            group.create_task(opens(), TaskOptions().context(&other));
            co_await sleep(1h);
        };
        Task<> task = loop.create_task(task_group(body), TaskOptions().context(whole.get()));
        run_ready(loop, 2);
        loop.call_soon([&] {
            whole.reset();
            loop.stop();
        });
        loop.run_forever();
        QVERIFY(task.cancelled());
        QVERIFY(log.isEmpty());
        loop.close();
    }

    // L-056
    void closingTheLoopUnwindsGroups()
    {
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        QStringList log;
        const auto main = [&]() -> Coroutine<> {
            const Farewell farewell(log, u"caller"_s);
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task([&]() -> Coroutine<> {
                    const Farewell farewell(log, u"child"_s);
                    co_await sleep(1h);
                });
                co_return;
            };
            co_await task_group(body);
        };
        loop.create_task(main());
        run_ready(loop);
        loop.close();
        QCOMPARE(log.join(u' '), u"child caller"_s);
        QCOMPARE(reports.list().size(), 2);
    }

    // TG-002
    void aBodyMayMakeTasksAfterAnAwait()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            std::vector<Task<>> tasks;
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                tasks.push_back(group.create_task(sleeper(2s)));
                co_await sleep(3s); // the first has ended
                tasks.push_back(group.create_task(sleeper(2s)));
            };
            co_await task_group(body);
            QASYNCIO_COMPARE(loop.time() - begin, std::chrono::nanoseconds(5s));
            QASYNCIO_VERIFY(tasks[1].done() && !tasks[1].cancelled());
        });
    }

    // TG-002
    void tasksThatHaveEndedAreForgotten()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                for (int i = 1; i <= 3; ++i)
                    group.create_task(sleeper(std::chrono::seconds(i)));
                for (int i = 0; i < 3; ++i) {
                    log << group.to_string();
                    co_await sleep(1600ms);
                }
            };
            co_await task_group(body);
            QASYNCIO_COMPARE(
                log.join(u' '),
                u"<TaskGroup tasks=3 entered> <TaskGroup tasks=2 entered> <TaskGroup entered>"_s);
        });
    }

    // T-004
    void itsTasksMayBeGivenAContext()
    {
        Test::run([]() -> Coroutine<> {
            static ContextVar<int> number(u"number"_s, 0);
            const Context context;
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                const auto set = [](int value) -> Coroutine<int> {
                    const int before = number.get();
                    co_await sleep(0s);
                    number.set(value);
                    co_return before;
                };
                auto first = group.create_task(set(1), TaskOptions().context(context));
                QASYNCIO_COMPARE(co_await first, 0);
                auto second = group.create_task(set(2), TaskOptions().context(context));
                QASYNCIO_COMPARE(co_await second, 1);
            };
            co_await task_group(body);
            QASYNCIO_COMPARE(context.run([] { return number.get(); }), 2);
            QASYNCIO_COMPARE(number.get(), 0);
        });
    }

    // TG-001, TG-003
    void refusesTasksAfterAFailure()
    {
        Test::run([]() -> Coroutine<> {
            QString refusal;
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task(fail_after(1s, u"bad"_s));
                group.create_task(
                    [](TaskGroup &group, QString &refusal) -> Coroutine<> {
                        const QString error = co_await error_of(sleep(1h));
                        refusal = error_in([&] { group.create_task(turns(1)); });
                    },
                    std::ref(group), std::ref(refusal));
                co_return;
            };
            QASYNCIO_COMPARE(co_await outcome_of(task_group(body)), u"[ValueError: bad]"_s);
            QASYNCIO_COMPARE(
                refusal,
                u"RuntimeError: TaskGroup <TaskGroup tasks=1 errors=1 cancelling> is shutting down"_s);
        });
    }

    // TG-003
    void tasksThatGoOnMakingTasksEndWithTheGroup()
    {
        Test::run([]() -> Coroutine<> {
            int heads = 0;
            std::function<Coroutine<>(TaskGroup &)> hydra = [&](TaskGroup &group) -> Coroutine<> {
                ++heads;
                co_await sleep(1s);
                group.create_task(hydra(group));
                group.create_task(hydra(group));
            };
            const auto hercules = [&]() -> Coroutine<> {
                while (heads < 10)
                    co_await sleep(1500ms);
                throw ValueError(u"slain"_s);
            };
            const auto body = [&](TaskGroup &group) -> Coroutine<> {
                group.create_task(hydra(group));
                group.create_task(hercules());
                co_return;
            };
            QASYNCIO_COMPARE(co_await outcome_of(task_group(body)), u"[ValueError: slain]"_s);
            QASYNCIO_VERIFY(heads >= 10);
            QASYNCIO_COMPARE(all_tasks().size(), 1u);
        });
    }

    // TG-003, TG-006
    void theCleanUpOfTheBodyMayFailAsWell()
    {
        Test::run([]() -> Coroutine<> {
            const auto body = [](TaskGroup &group) -> Coroutine<> {
                group.create_task(fail_after(1s, u"task"_s));
                try {
                    co_await sleep(1h);
                } catch (const CancelledError &) {
                    throw TypeError(u"body"_s);
                }
            };
            QASYNCIO_COMPARE(co_await outcome_of(task_group(body)),
                             u"[ValueError: task, TypeError: body]"_s);
            QASYNCIO_COMPARE(current_task().cancelling(), 0);
        });
    }

    // TG-003, TG-006
    void exceptionsOfAnyTypeJoin()
    {
        Test::run([]() -> Coroutine<> {
            const auto odd_task = [](TaskGroup &group) -> Coroutine<> {
                group.create_task([]() -> Coroutine<> {
                    co_await sleep(1s);
                    throw 42;
                });
                try {
                    co_await sleep(1h);
                } catch (const CancelledError &) {
                    throw TypeError(u"body"_s);
                }
            };
            QASYNCIO_COMPARE(co_await outcome_of(task_group(odd_task)),
                             u"[int, TypeError: body]"_s);
            const auto odd_body = [](TaskGroup &group) -> Coroutine<> {
                group.create_task(fail_after(1s, u"task"_s));
                try {
                    co_await sleep(1h);
                } catch (const CancelledError &) {
                    throw 42;
                }
            };
            QASYNCIO_COMPARE(co_await outcome_of(task_group(odd_body)),
                             u"[ValueError: task, int]"_s);
        });
    }

    // TG-008
    void cancellingTheCallerDuringTheBodyCancelsBoth()
    {
        Test::run([]() -> Coroutine<> {
            for (const int children : {0, 1, 5}) {
                QStringList log;
                const auto body = [&](TaskGroup &group) -> Coroutine<> {
                    for (int i = 0; i < children; ++i)
                        group.create_task(worker(log, u"task"_s));
                    try {
                        co_await sleep(1h);
                    } catch (const CancelledError &error) {
                        log << u"body: "_s + error.message();
                        throw;
                    }
                };
                auto task = create_task(task_group(body));
                co_await sleep(1s);
                task.cancel(u"outside"_s);
                QASYNCIO_COMPARE(co_await outcome_of(task), u"CancelledError: outside"_s);
                QASYNCIO_COMPARE(log.first(), u"body: outside"_s);
                QASYNCIO_COMPARE(log.count(u"task cancelled"_s), children);
                QASYNCIO_COMPARE(log.count(u"task cleaned"_s), children);
            }
        });
    }

    // TG-008, TG-006
    void aBodyThatTurnsTheCancellationIntoAnError()
    {
        Test::run([]() -> Coroutine<> {
            const auto body = [](TaskGroup &) -> Coroutine<> {
                try {
                    co_await sleep(1h);
                } catch (const CancelledError &) {
                    throw ValueError(u"instead"_s);
                }
            };
            auto task = create_task(task_group(body));
            co_await sleep(1s);
            task.cancel();
            QASYNCIO_COMPARE(co_await outcome_of(task), u"[ValueError: instead]"_s);
            QASYNCIO_COMPARE(task.cancelled(), false);
        });
    }

    // TG-009
    void aTaskThatFailsDuringTheCleanUpOfTheBody()
    {
        Test::run([]() -> Coroutine<> {
            for (const bool through_a_task : {false, true}) {
                const auto body = [](TaskGroup &group) -> Coroutine<> {
                    group.create_task(fail_after(3s, u"bad"_s));
                    const bool cancelled = co_await is_cancelled_asleep();
                    co_await sleep(5s); // the failure interrupts it
                    if (cancelled)
                        throw CancelledError();
                };
                const auto outer = [&]() -> Coroutine<> {
                    if (through_a_task)
                        co_await create_task(task_group(body));
                    else
                        co_await task_group(body);
                };
                auto task = create_task(outer());
                co_await sleep(1s);
                task.cancel();
                QASYNCIO_COMPARE(co_await outcome_of(task), u"[ValueError: bad]"_s);
            }
        });
    }

    // TG-009
    void aFailureInTheTurnOfACancellationFromOutside()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            Future<> begun = loop.create_future<>();
            const auto fail = [&]() -> Coroutine<> {
                begun.set_result();
                co_await sleep(0s);
                throw ValueError(u"bad"_s);
            };
            const auto outer = [&]() -> Coroutine<> {
                const auto body = [&](TaskGroup &group) -> Coroutine<> {
                    group.create_task(fail());
                    co_await sleep(1h);
                    log << u"not reached"_s;
                };
                log << co_await outcome_of(task_group(body));
                log << QString::number(current_task().cancelling());
                co_await sleep(1h); // here the cancellation surfaces
                log << u"not reached"_s;
            };
            auto task = create_task(outer());
            co_await begun;
            log << QString::number(task.cancelling());
            task.cancel();
            QASYNCIO_COMPARE(co_await outcome_of(task), u"CancelledError"_s);
            QASYNCIO_COMPARE(task.cancelled(), true);
            QASYNCIO_COMPARE(log.join(u", "_s), u"0, [ValueError: bad], 1"_s);
        });
    }

    // TG-009, TG-013
    void nestedGroupsCancelledFromOutsideGiveNestedErrors()
    {
        Test::run([]() -> Coroutine<> {
            for (const bool with_sibling : {false, true}) {
                QStringList log;
                const auto inner = [&](TaskGroup &group) -> Coroutine<> {
                    for (int i = 0; i < 2; ++i)
                        group.create_task(worker(log, u"a"_s, 0s, u"bad"_s));
                    co_await sleep(1h);
                };
                const auto outer = [&](TaskGroup &group) -> Coroutine<> {
                    if (with_sibling)
                        group.create_task(sleeper());
                    co_await task_group(inner);
                };
                auto task = create_task(task_group(outer));
                co_await sleep(1s);
                task.cancel();
                QASYNCIO_COMPARE(co_await outcome_of(task),
                                 u"[[ValueError: bad, ValueError: bad]]"_s);
            }
        });
    }

    // TG-013
    void anInnerAndAnOuterGroupMayFailInOneTurn()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            const auto outer = [&](TaskGroup &outer_group) -> Coroutine<> {
                const auto inner = [&](TaskGroup &group) -> Coroutine<> {
                    group.create_task(fail_after(0s, u"inner"_s));
                    outer_group.create_task(fail_after(0s, u"outer"_s));
                    co_return;
                };
                log << co_await outcome_of(task_group(inner));
                log << QString::number(current_task().cancelling()); // by the outer group
            };
            log << co_await outcome_of(task_group(outer));
            log << QString::number(current_task().cancelling());
            QASYNCIO_COMPARE(log.join(u", "_s),
                             u"[ValueError: inner], 1, [ValueError: outer], 0"_s);
            co_await sleep(1s); // nothing is left of the cancellations
        });
    }

    // TG-012
    void aBodyThatLeavesTheLoopGoesOutBare()
    {
        QAsyncioLoop loop(virtual_time());
        const Reports reports(loop);
        const auto main = []() -> Coroutine<> {
            const auto body = [](TaskGroup &group) -> Coroutine<> {
                group.create_task(fail_after(1s, u"dropped"_s));
                try {
                    co_await sleep(1h);
                } catch (const CancelledError &) {
                    throw LoopExit(4);
                }
            };
            co_await task_group(body);
        };
        QCOMPARE(error_in([&] { loop.run_until_complete(main()); }), u"LoopExit: 4"_s);
        loop.close();
    }

    void aGroupTakesWhateverCanBeAwaited()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            Future<int> future = loop.create_future<int>();
            const auto body = [&future](TaskGroup &group) -> Coroutine<QString> {
                const Task<int> of_future = group.create_task(future);
                const Task<> of_sleep = group.create_task(sleep(1s),
                                                          TaskOptions().name(u"sleeper"_s));
                const Task<int> of_task = group.create_task(of_future);
                future.set_result(4);
                QString text = of_sleep.get_name();
                text += QString::number(co_await of_task);
                co_return text;
            };
            QASYNCIO_COMPARE(co_await task_group(body), u"sleeper4"_s);
        });
    }

    /// What a child waits with is destroyed when the group cancels it.
    void aDestructorMayOpenAnEventLoopWhileTheGroupEnds()
    {
        Test::run(
            []() -> Coroutine<> {
                QTimer never;
                int opened = 0;
                const auto open = [&opened](int *memory) {
                    delete memory;
                    ++opened;
                    QEventLoop nested;
                    QTimer::singleShot(2, &nested, &QEventLoop::quit);
                    nested.exec();
                };
                const auto child = [&]() -> Coroutine<> {
                    std::shared_ptr<int> last(new int, open);
                    auto map = [last = std::move(last)](const QString &) { return 1; };
                    auto emission = from_signal(&never, &QTimer::objectNameChanged, moved(map));
                    co_await emission;
                };
                const auto body = [&](TaskGroup &group) -> Coroutine<> {
                    for (int i = 0; i < 5; ++i)
                        group.create_task(child());
                    co_await sleep(1ms);
                    group.cancel();
                };
                co_await error_of(task_group(body));
                QASYNCIO_COMPARE(opened, 5);
            },
            Test::TestOptions().real_time());
    }

    /// Made by somebody else, it destroys the object in its first step: the frame that the group is
    /// in goes with that.
    void anEagerChildMayEndTheTaskOfItsGroup_data()
    {
        QTest::addColumn<bool>("suspends");
        QTest::newRow("and suspends") << true;
        QTest::newRow("and ends") << false;
    }
    void anEagerChildMayEndTheTaskOfItsGroup()
    {
        QFETCH(const bool, suspends);
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            auto object = std::make_unique<QObject>();
            TaskGroup *group = nullptr;
            // that frame's memory is not kept
            using Large = std::array<char, 2 * detail::pool_largest>;
            const auto body = [&](TaskGroup &entered, const Large &) -> Coroutine<> {
                const Farewell local(log, u"-group"_s);
                group = &entered;
                co_await sleep(1h);
            };
            const auto in_group = [&]() -> Coroutine<> {
                const Large large{};
                co_await task_group(body, large);
            };
            Task<> task = create_task(in_group(), TaskOptions().context(object.get()));
            co_await turns(2);
            const auto child = [&]() -> Coroutine<> {
                const Farewell local(log, u"-child"_s);
                object.reset();
                log << u"object"_s;
                if (suspends)
                    co_await sleep(0s);
                if (suspends)
                    log << u"unreachable"_s;
            };
            loop.call_soon([&] {
                Task<> made = group->create_task(child(), TaskOptions().eager_start());
                QCOMPARE(made.done(), true);
                QCOMPARE(made.cancelled(), suspends);
            });
            co_await turns(2);
            QASYNCIO_COMPARE(log.join(u' '), u"object -child -group"_s);
            QASYNCIO_VERIFY(task.cancelled());
        });
    }
};

QTEST_GUILESS_MAIN(tst_task_group)
#include "tst_task_group.moc"
