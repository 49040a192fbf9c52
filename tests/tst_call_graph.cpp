// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qregularexpression.h>
#include <QtCore/qtemporaryfile.h>

namespace {

const QString here = QString::fromUtf8(__FILE__);

QString name_of(const FutureCallGraph &graph)
{
    return detail::FutureAccess::wrap<AnyTask>(detail::FutureAccess::take(AnyFuture(graph.future)))
        .get_name();
}

/// The names of the tasks that wait for a future: "a(main)" if main awaits a, which awaits it.
QString waiting(const FutureCallGraph &graph)
{
    QStringList names;
    for (const FutureCallGraph &one : graph.awaited_by) {
        const QString above = waiting(one);
        names << name_of(one) + (above.isEmpty() ? QString() : u'(' + above + u')');
    }
    return names.join(u' ');
}

QString waiting_for(const AnyFuture &future)
{
    return waiting(*capture_call_graph(future));
}

QStringList functions(const FutureCallGraph &graph)
{
    QStringList names;
    for (const FrameCallGraphEntry &entry : graph.call_stack)
        names << entry.function() + u':' + QString::number(entry.place().line());
    return names;
}

TaskOptions named(const QString &name)
{
    return TaskOptions().name(name);
}

// The numbers of the lines that follow are looked for.
constexpr int leaf_line = __LINE__ + 3;
Coroutine<> leaf(Future<> future)
{
    co_await future;
}

constexpr int branch_line = __LINE__ + 4;
Coroutine<> branch(Future<> future)
{
    co_await sleep(0s);
    co_await leaf(future);
}

constexpr int template_line = __LINE__ + 4;
template<class F>
Coroutine<> run_by_template(F function)
{
    co_await function();
}

constexpr int generator_line = __LINE__ + 4;
AsyncGenerator<int> numbers(Future<> future)
{
    co_yield 1;
    co_await future;
    co_yield 2;
}

constexpr int consumer_line = __LINE__ + 6;
Coroutine<> consumer(Future<> future)
{
    auto all = numbers(future);
    bool goes_on = true;
    while (goes_on) {
        const auto number = co_await all.next();
        goes_on = number.has_value();
    }
}

std::optional<FutureCallGraph> captured;
int capture_line = 0;

Coroutine<int> innermost(CallGraphOptions options)
{
    co_await sleep(0s);
    capture_line = __LINE__ + 1;
    captured = capture_call_graph(options);
    co_return 1;
}

Coroutine<> middle(CallGraphOptions options)
{
    co_await sleep(0s);
    static_cast<void>(co_await innermost(options));
}

Coroutine<> outermost(CallGraphOptions options)
{
    co_await middle(options);
}

void helper()
{
    captured = capture_call_graph();
}

Coroutine<> calls_a_helper()
{
    co_await sleep(0s);
    helper();
}

} // namespace

/// Who waits for whom, and where.
class tst_call_graph : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cleanup() { captured.reset(); }

    // V-001
    void aSuspendedTaskHasTheLineOfEachAwait()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<> future = loop.create_future<>();
            Task<> task = create_task(branch(future));
            co_await turns(3);
            const auto graph = capture_call_graph(task);
            QASYNCIO_COMPARE(
                functions(*graph),
                QStringList({u"leaf:%1"_s.arg(leaf_line), u"branch:%1"_s.arg(branch_line)}));
            QASYNCIO_COMPARE(QString::fromUtf8(graph->call_stack[0].place().file_name()), here);
            QASYNCIO_COMPARE(graph->call_stack[0].to_string(),
                             u"File '%1', line %2, in async leaf()"_s.arg(here).arg(leaf_line));
            QASYNCIO_VERIFY(graph->future == task);
            future.set_result();
            co_await task;
            QASYNCIO_VERIFY(capture_call_graph(task)->call_stack.empty());
        });
    }

    // V-001
    void templatesLambdasAndGeneratorsHaveTheirLinesToo()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<> future = loop.create_future<>();
            const int line = __LINE__ + 1;
            const auto body = [future]() mutable -> Coroutine<> { co_await future; };
            Task<> lambda = create_task(body);
            Task<> generated = create_task(consumer(future));
            const auto inner = [&] { return leaf(future); };
            Task<> by_template = create_task(run_by_template(inner));
            co_await turns(1);
            const QString name =
                u"tst_call_graph::templatesLambdasAndGeneratorsHaveTheirLinesToo::<lambda>:%1"_s;
            QASYNCIO_COMPARE(functions(*capture_call_graph(lambda)), QStringList(name.arg(line)));
            QASYNCIO_COMPARE(functions(*capture_call_graph(generated)),
                             QStringList({u"numbers:%1"_s.arg(generator_line),
                                          u"consumer:%1"_s.arg(consumer_line)}));
            QASYNCIO_COMPARE(functions(*capture_call_graph(by_template)),
                             QStringList({u"leaf:%1"_s.arg(leaf_line),
                                          u"run_by_template:%1"_s.arg(template_line)}));
            future.set_result();
            co_await gather(lambda, generated, by_template);
        });
    }

    // V-001
    void aTaskThatHasNotBegunHasItsFunction()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Task<> task = create_task(leaf(loop.create_future<>()));
            const auto graph = capture_call_graph(task);
            QASYNCIO_COMPARE(int(graph->call_stack.size()), 1);
            QASYNCIO_COMPARE(graph->call_stack[0].function(), u"leaf"_s);
            task.cancel();
            co_await error_of(task);
        });
    }

    // V-001, V-002
    void theRunningTaskHasAllItsCoroutines()
    {
        Test::run([&]() -> Coroutine<> {
            co_await outermost(CallGraphOptions());
            QStringList names;
            for (const FrameCallGraphEntry &entry : captured->call_stack)
                names << entry.function();
            QASYNCIO_COMPARE(names.mid(0, 3),
                             QStringList({u"innermost"_s, u"middle"_s, u"outermost"_s}));
            QASYNCIO_COMPARE(int(captured->call_stack[0].place().line()), capture_line);
            QASYNCIO_VERIFY(captured->call_stack[0].is_coroutine());
            QASYNCIO_VERIFY(captured->future == current_task());

            // a child that has ended is left again
            captured = capture_call_graph(current_task());
            QASYNCIO_VERIFY(captured->call_stack[0].function().endsWith(u"::<lambda>"_s));
            QASYNCIO_COMPARE(int(captured->call_stack[0].place().line()), __LINE__ - 2);

            co_await calls_a_helper();
            QASYNCIO_COMPARE(captured->call_stack[0].function(), u"helper"_s);
            QASYNCIO_VERIFY(!captured->call_stack[0].is_coroutine());
            QASYNCIO_COMPARE(captured->call_stack[1].function(), u"calls_a_helper"_s);
        });
    }

    // V-001
    void awaitingATaskLeavesAnEdgeForAsLongAsItLasts()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<> future = loop.create_future<>();
            Task<> child = create_task(leaf(future), named(u"child"_s));
            const auto body = [&]() -> Coroutine<> { co_await child; };
            Task<> first = create_task(body(), named(u"first"_s));
            Task<> second = create_task(body(), named(u"second"_s));
            QASYNCIO_COMPARE(waiting_for(child), QString());
            co_await turns(1);
            QASYNCIO_COMPARE(waiting_for(child), u"first second"_s);
            QASYNCIO_COMPARE(waiting_for(future), u"child(first second)"_s);
            QASYNCIO_COMPARE(waiting_for(first), QString());
            future.set_result();
            QASYNCIO_COMPARE(waiting_for(future), QString());
            co_await gather(first, second);
            QASYNCIO_COMPARE(waiting_for(child), QString());
        });
    }

    // V-001
    void gatherWaitShieldAndTheLikeLeaveEdges_data()
    {
        QTest::addColumn<QString>("way");
        for (const char *way : {"gather", "gather_of_gather", "wait", "shield", "wait_for",
                                "timeout", "race", "as_completed", "task_group"})
            QTest::newRow(way) << QString::fromLatin1(way);
    }
    void gatherWaitShieldAndTheLikeLeaveEdges()
    {
        QFETCH(const QString, way);
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<> future = loop.create_future<>();
            Task<> child = create_task(leaf(future), named(u"child"_s));
            const auto body = [&]() -> Coroutine<> {
                const std::vector<Task<>> tasks{child};
                if (way == u"gather"_s) {
                    co_await gather(child, sleeper(1ms));
                } else if (way == u"gather_of_gather"_s) {
                    auto inner = gather(child, sleeper(1ms));
                    co_await gather(inner, sleeper(1ms));
                } else if (way == u"wait"_s) {
                    co_await wait(tasks);
                } else if (way == u"shield"_s) {
                    co_await shield(child);
                } else if (way == u"wait_for"_s) {
                    co_await wait_for(child, 1h);
                } else if (way == u"timeout"_s) {
                    const auto in_time = [&](Timeout &) -> Coroutine<> { co_await child; };
                    co_await timeout(1h, in_time);
                } else if (way == u"race"_s) {
                    co_await race(child, sleep(1h));
                } else if (way == u"as_completed"_s) {
                    auto completed = as_completed(tasks);
                    co_await completed.next();
                } else {
                    const auto grouped = [&](TaskGroup &group) -> Coroutine<> {
                        child = group.create_task(leaf(future), named(u"child"_s));
                        co_return;
                    };
                    co_await task_group(grouped);
                }
            };
            const Task<> parent = create_task(body(), named(u"parent"_s));
            co_await turns(4);
            QASYNCIO_COMPARE(waiting_for(child), u"parent"_s);
            future.set_result();
            co_await parent;
            QASYNCIO_COMPARE(waiting_for(child), QString());
        });
    }

    // V-001
    void tasksThatWaitForEachOtherEnd()
    {
        Test::run([&]() -> Coroutine<> {
            Task<> one, other;
            const auto first = [&]() -> Coroutine<> { co_await other; };
            const auto second = [&]() -> Coroutine<> { co_await one; };
            one = create_task(first(), named(u"one"_s));
            other = create_task(second(), named(u"other"_s));
            co_await turns(2);
            QASYNCIO_COMPARE(waiting_for(one), u"other(one)"_s);
            QASYNCIO_VERIFY(capture_call_graph(one)->awaited_by[0].awaited_by[0].is_cut);
            one.cancel();
            co_await error_of(other);
        });
    }

    // V-001
    void aDeepChainIsCut()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<> future = loop.create_future<>();
            Task<> last = create_task(leaf(future));
            const AnyTask innermost = last;
            for (int i = 0; i < 1000; ++i) {
                const auto body = [](Task<> next) -> Coroutine<> { co_await next; };
                last = create_task(body(last));
            }
            co_await turns(1);
            const auto graph = capture_call_graph(innermost);
            int levels = 0;
            const FutureCallGraph *level = &*graph;
            for (; !level->awaited_by.empty(); level = &level->awaited_by[0])
                ++levels;
            QASYNCIO_COMPARE(levels, 100);
            QASYNCIO_VERIFY(level->is_cut);
            future.set_result();
            co_await last;
        });
    }

    // V-002
    void withoutALoopAFutureIsNeeded()
    {
        const QString message =
            u"capture_call_graph() is called outside of a running event loop and no *future* to "
            "introspect was provided"_s;
        try {
            capture_call_graph();
            QFAIL("nothing was thrown");
        } catch (const RuntimeError &error) {
            QCOMPARE(error.message(), message);
        }
        QVERIFY_THROWS_EXCEPTION(TypeError, capture_call_graph(AnyFuture()));
        QAsyncioLoop loop(virtual_time());
        const Future<> future = loop.create_future<>();
        QVERIFY(capture_call_graph(future)->call_stack.empty());
        QVERIFY(capture_call_graph(future)->future == future);
        loop.close();
    }

    // V-002
    void outsideOfATaskThereIsNothing()
    {
        QAsyncioLoop loop(virtual_time());
        int calls = 0;
        loop.call_soon([&] {
            ++calls;
            QVERIFY(!capture_call_graph());
            QCOMPARE(format_call_graph(), QString());
        });
        run_once(loop);
        QCOMPARE(calls, 1);
        loop.close();
    }

    // V-003
    void theTextForm()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<> future = loop.create_future<>();
            Task<> child = create_task(branch(future), named(u"child"_s));
            const int line = __LINE__ + 1;
            const auto body = [&]() -> Coroutine<> { co_await child; };
            Task<> parent = create_task(body(), named(u"parent"_s));
            co_await turns(3);
            const auto id = [](const AnyFuture &one) {
                return QString::number(quintptr(detail::FutureAccess::state(one)), 16);
            };
            const QString text = format_call_graph(child);
            const QStringList expected = {
                u"* Task(name='child', id=0x%1)"_s.arg(id(child)),
                u"  + Call stack:"_s,
                u"  |   File '%1', line %2, in async leaf()"_s.arg(here).arg(leaf_line),
                u"  |   File '%1', line %2, in async branch()"_s.arg(here).arg(branch_line),
                u"  + Awaited by:"_s,
                u"    * Task(name='parent', id=0x%1)"_s.arg(id(parent)),
                u"      + Call stack:"_s,
                u"      |   File '%1', line %2, in async tst_call_graph::theTextForm::<lambda>()"_s
                    .arg(here)
                    .arg(line),
            };
            QASYNCIO_COMPARE(text.split(u'\n'), expected);
            QASYNCIO_COMPARE(capture_call_graph(child)->to_string(), text);
            QASYNCIO_VERIFY(format_call_graph(future).startsWith(
                u"* Future(id=0x%1)\n  + Awaited by:\n    * Task(name='child'"_s.arg(id(future))));
            QASYNCIO_COMPARE(format_call_graph(child, CallGraphOptions().limit(0)),
                             QStringList({expected[0], expected[4], expected[5]}).join(u'\n'));
            future.set_result();
            co_await parent;
        });
    }

    // V-003
    void theLimitKeepsTheInnermostOrTheOutermost()
    {
        Test::run([&]() -> Coroutine<> {
            const auto names = [] {
                QStringList all;
                for (const FrameCallGraphEntry &entry : captured->call_stack)
                    all << entry.function();
                return all;
            };
            co_await outermost(CallGraphOptions().limit(2));
            QASYNCIO_COMPARE(names(), QStringList({u"innermost"_s, u"middle"_s}));
            co_await outermost(CallGraphOptions().depth(2).limit(2));
            QASYNCIO_COMPARE(names(), QStringList({u"middle"_s, u"outermost"_s}));
            co_await outermost(CallGraphOptions());
            const QStringList all = names();
            co_await outermost(CallGraphOptions().limit(-1));
            QASYNCIO_COMPARE(names(), all.mid(all.size() - 1));
            co_await outermost(CallGraphOptions().limit(0));
            QASYNCIO_COMPARE(names(), QStringList());
            co_await outermost(CallGraphOptions().limit(std::numeric_limits<int>::min()));
            QASYNCIO_COMPARE(names(), all);
        });
    }

    // V-003
    void printsTheText()
    {
        QTemporaryFile file;
        QVERIFY(file.open());
        Test::run([&]() -> Coroutine<> {
            std::FILE *const out = std::fopen(qPrintable(file.fileName()), "w");
            print_call_graph(CallGraphOptions().file(out).limit(1));
            std::fclose(out);
            co_return;
        });
        const QString text = QString::fromUtf8(file.readAll());
        QVERIFY(QRegularExpression(
                    u"^\\* Task\\(name='Task-\\d+', id=0x[0-9a-f]+\\)\n"
                    "  \\+ Call stack:\n  \\|   File '.*', line \\d+, in async .*\\(\\)\n$"_s)
                    .match(text)
                    .hasMatch());
    }
};

QTEST_GUILESS_MAIN(tst_call_graph)
#include "tst_call_graph.moc"
