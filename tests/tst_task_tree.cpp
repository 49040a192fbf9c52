// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qobject.h>
#include <QtCore/qproperty.h>
#include <QtCore/qregularexpression.h>
#include <QtCore/qsemaphore.h>
#include <QtCore/qtemporaryfile.h>

namespace {

TaskOptions named(const QString &name)
{
    return TaskOptions().name(name);
}

/// "main waits; > load is ready": names with what they do, a level each.
QStringList shape(const QAsyncioLoop &loop)
{
    QStringList lines;
    for (const TaskInfo &task : capture_tasks(loop)) {
        QString line = QString(task.level, u'>') + task.name;
        switch (task.activity) {
        case TaskActivity::NotStarted:
            line += u" new"_s;
            break;
        case TaskActivity::Ready:
            line += u" ready"_s;
            break;
        case TaskActivity::Running:
            line += u" running"_s;
            break;
        case TaskActivity::Waiting:
            break;
        }
        if (task.is_cancelling)
            line += u" cancelling"_s;
        if (task.is_repeated)
            line += u" again"_s;
        lines << line;
    }
    return lines;
}

/// What the task with this name waits for.
QString words_of(const QAsyncioLoop &loop, const QString &name)
{
    for (const TaskInfo &task : capture_tasks(loop)) {
        if (task.name == name)
            return task.waits_for;
    }
    return u"there is no such task"_s;
}

class Button : public QObject
{
    Q_OBJECT

public:
    void click() { Q_EMIT clicked(true); }

Q_SIGNALS:
    void clicked(bool checked);
};

/// A task that waits for what a test is about.
class Waiting
{
public:
    template<class F>
    explicit Waiting(F body) : m_task(create_task(named(u"waiting"_s), std::move(body)))
    { }
    QString words(QAsyncioLoop &loop) const { return words_of(loop, u"waiting"_s); }
    void cancel() { m_task.cancel(); }
    Future<> end() const { return m_task; }

private:
    Task<> m_task;
};

} // namespace

/// The tasks of a loop as a tree, and what they wait for in words.
class tst_task_tree : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // V-001
    void tasksStandBelowThoseThatWaitForThem()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Task<> a = create_task(sleeper(), named(u"a"_s));
            Task<> b = create_task(sleeper(), named(u"b"_s));
            const auto both = [&]() -> Coroutine<> { co_await gather(a, b); };
            const auto one = [&]() -> Coroutine<> { co_await b; };
            Task<> parent = create_task(both(), named(u"parent"_s));
            Task<> other = create_task(one(), named(u"other"_s));
            AnyTask self = current_task();
            self.set_name(u"self"_s);
            QASYNCIO_COMPARE(shape(loop),
                             QStringList({u"self running"_s, u"a new"_s, u"b new"_s,
                                          u"parent new"_s, u"other new"_s}));
            co_await turns(2);
            QASYNCIO_COMPARE(shape(loop),
                             QStringList({u"self running"_s, u"parent"_s, u">a"_s, u">b"_s,
                                          u"other"_s, u">b again"_s}));
            const std::vector<TaskInfo> tasks = capture_tasks(loop);
            QASYNCIO_COMPARE(tasks[0].parent, -1);
            QASYNCIO_COMPARE(tasks[3].parent, 1);
            QASYNCIO_COMPARE(tasks[5].parent, 4);
            QASYNCIO_COMPARE(tasks[5].level, 1);
            QASYNCIO_VERIFY(tasks[3].task == tasks[5].task);
            parent.cancel();
            QASYNCIO_COMPARE(shape(loop).mid(1),
                             QStringList({u"parent cancelling"_s, u">a ready cancelling"_s,
                                          u">b ready cancelling"_s, u"other"_s,
                                          u">b ready cancelling again"_s}));
            co_await error_of(parent);
            co_await error_of(other);
        });
    }

    // V-001
    void tasksThatWaitForEachOtherAreListedOnce()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            Task<> one, other;
            const auto first = [&]() -> Coroutine<> { co_await other; };
            const auto second = [&]() -> Coroutine<> { co_await one; };
            one = create_task(first(), named(u"one"_s));
            other = create_task(second(), named(u"other"_s));
            co_await turns(2);
            QASYNCIO_COMPARE(shape(loop).mid(1),
                             QStringList({u"one"_s, u">other"_s, u">>one again"_s}));
            one.cancel();
            co_await error_of(other);
        });
    }

    void aLongChainIsListed()
    {
        on_a_small_stack([] {
            QAsyncioLoop loop(virtual_time());
            Future<> future = loop.create_future<>();
            const auto first = [](Future<> awaited) -> Coroutine<> { co_await awaited; };
            Task<> last = loop.create_task(first(future));
            for (int i = 0; i < 20000; ++i) {
                const auto body = [](Task<> next) -> Coroutine<> { co_await next; };
                last = loop.create_task(body(last));
            }
            run_once(loop);
            QCOMPARE(int(capture_tasks(loop).back().level), 20000);
            QVERIFY(format_tasks(loop).endsWith(u"\n... and 19001 more"_s));
            future.set_result();
            loop.run_until_complete(last);
            loop.close();
        });
    }

    void theText()
    {
        QAsyncioLoop loop(virtual_time());
        QCOMPARE(format_tasks(loop), u"no unfinished tasks"_s);
        const int line = __LINE__ + 1;
        const auto body = []() -> Coroutine<> { co_await sleep(2500ms); };
        Task<> sleeping = loop.create_task(body(), named(u"load"_s));
        const auto wait_for_it = [&]() -> Coroutine<> { co_await sleeping; };
        Task<> main = loop.create_task(wait_for_it(), named(u"main"_s));
        run_once(loop);
        const QString place = u", at %1:%2 in tst_task_tree::theText::<lambda>()"_s.arg(
            QString::fromUtf8(__FILE__));
        const QString text = u"2 unfinished tasks:\n* Task 'main' waits for Task 'load'"_s
            + place.arg(line + 2) + u"\n    * Task 'load' waits for timer in 2.500 s"_s
            + place.arg(line);
        QCOMPARE(format_tasks(loop), text);
        QTemporaryFile file;
        QVERIFY(file.open());
        std::FILE *const out = std::fopen(qPrintable(file.fileName()), "w");
        print_tasks(loop, out);
        std::fclose(out);
        QCOMPARE(QString::fromUtf8(file.readAll()), text + u'\n');
        sleeping.cancel();
        QVERIFY(format_tasks(loop).contains(u"\n    * Task 'load' (cancelling) is ready, at "_s));
        run_ready(loop);
        loop.close();
        QVERIFY_THROWS_EXCEPTION(RuntimeError, print_tasks());
    }

    void whatTasksWaitFor_data()
    {
        QTest::addColumn<QString>("what");
        QTest::addColumn<QString>("words");
        const auto row = [](const char *what, const QString &words) {
            QTest::newRow(what) << QString::fromLatin1(what) << words;
        };
        row("future", u"a future"_s);
        row("task", u"Task 'other'"_s);
        row("sleep", u"timer in 1.500 s"_s);
        row("sleep_for_ever", u"a timer that is never due"_s);
        row("lock", u"lock held by Task 'other'"_s);
        row("event", u"event to be set"_s);
        row("semaphore", u"semaphore"_s);
        row("condition", u"condition"_s);
        row("barrier", u"barrier"_s);
        row("get", u"item of a queue"_s);
        row("put", u"room in a queue"_s);
        row("join", u"the last item of a queue to be done"_s);
        row("signal", u"signal clicked of Button 'ok'"_s);
        row("stream", u"next emission of a signal stream"_s);
        row("property", u"property in wait_until()"_s);
        row("gather", u"gather() of Task 'other', a future"_s);
        row("gather_many", u"gather() of a future, a future, a future and 2 more"_s);
        row("gather_of_gather", u"gather() of a future, Task 'other'"_s);
        row("wait", u"wait() of a future, Task 'other'"_s);
        row("shield", u"shield() of Task 'other'"_s);
        row("group", u"the tasks of a TaskGroup"_s);
        row("thread", u"a function in a thread"_s);
        row("quit", u"the application to quit"_s);
    }
    void whatTasksWaitFor()
    {
        QFETCH(const QString, what);
        QFETCH(const QString, words);
        const auto test = [&](QAsyncioLoop &loop) -> Coroutine<> {
            Future<> future = loop.create_future<>();
            std::vector<Future<>> futures;
            for (int i = 0; i < 5; ++i)
                futures.push_back(loop.create_future<>());
            Lock lock;
            Event event;
            Semaphore semaphore(0);
            Condition condition;
            Barrier barrier(2);
            Queue<int> queue(1);
            Button button;
            button.setObjectName(u"ok"_s);
            QProperty<int> property{1};
            const auto ends = std::make_shared<QSemaphore>();
            const auto locks = [&]() -> Coroutine<> {
                co_await lock.acquire();
                co_await sleep(1h);
            };
            Task<> other = create_task(named(u"other"_s), locks);
            co_await turns(1);
            const auto body = [&]() -> Coroutine<> {
                if (what == u"future"_s) {
                    co_await future;
                } else if (what == u"task"_s) {
                    co_await other;
                } else if (what == u"sleep"_s) {
                    co_await sleep(1500ms);
                } else if (what == u"sleep_for_ever"_s) {
                    co_await sleep(std::chrono::nanoseconds::max());
                } else if (what == u"lock"_s) {
                    co_await lock.acquire();
                } else if (what == u"event"_s) {
                    co_await event.wait();
                } else if (what == u"semaphore"_s) {
                    co_await semaphore.acquire();
                } else if (what == u"condition"_s) {
                    co_await condition.acquire();
                    co_await condition.wait();
                } else if (what == u"barrier"_s) {
                    co_await barrier.wait();
                } else if (what == u"get"_s) {
                    co_await queue.get();
                } else if (what == u"put"_s) {
                    co_await queue.put(1);
                    co_await queue.put(2);
                } else if (what == u"join"_s) {
                    co_await queue.put(1);
                    co_await queue.join();
                } else if (what == u"signal"_s) {
                    co_await from_signal(&button, &Button::clicked);
                } else if (what == u"stream"_s) {
                    auto stream = signal_stream(&button, &Button::clicked);
                    co_await stream.next();
                } else if (what == u"property"_s) {
                    const auto is_two = [](int value) { return value == 2; };
                    co_await wait_until(property, is_two);
                } else if (what == u"gather"_s) {
                    co_await gather(other, future);
                } else if (what == u"gather_many"_s) {
                    co_await gather(futures);
                } else if (what == u"gather_of_gather"_s) {
                    auto inner = gather(futures);
                    co_await gather(inner, other);
                } else if (what == u"wait"_s) {
                    const std::vector<AnyFuture> all{future, other};
                    co_await wait(all);
                } else if (what == u"shield"_s) {
                    co_await shield(other);
                } else if (what == u"group"_s) {
                    const auto grouped = [&](TaskGroup &group) -> Coroutine<> {
                        group.create_task(sleeper());
                        co_return;
                    };
                    co_await task_group(grouped);
                } else if (what == u"thread"_s) {
                    const auto work = [ends] { ends->acquire(); };
                    co_await to_thread(work);
                } else {
                    co_await loop.quit_requested();
                }
            };
            Waiting waiting(body);
            co_await turns(3);
            const QString shown = waiting.words(loop);
            ends->release();
            waiting.cancel();
            co_await error_of(waiting.end());
            other.cancel();
            co_await error_of(other);
            QASYNCIO_COMPARE(shown, words);
        };
        Test::run(test);
    }

    void closeShowsTheTreeOfWhatItEnds()
    {
        QAsyncioLoop loop(virtual_time());
        Task<> child = loop.create_task(sleeper(), named(u"child"_s));
        const auto body = [&]() -> Coroutine<> { co_await child; };
        const Task<> parent = loop.create_task(body(), named(u"parent"_s));
        run_once(loop);
        QTest::ignoreMessage(
            QtWarningMsg,
            QRegularExpression(u"^close\\(\\) ends 2 unfinished tasks:\n"
                               "\\* Task 'parent' waits for Task 'child', at .*\n"
                               "    \\* Task 'child' waits for timer in 3600.000 s, at .*$"_s));
        QTest::ignoreMessage(QtCriticalMsg,
                             QRegularExpression(u"(?s)destroyed but it is pending.*'parent'"_s));
        QTest::ignoreMessage(QtCriticalMsg,
                             QRegularExpression(u"(?s)destroyed but it is pending.*'child'"_s));
        loop.close();
    }
};

QTEST_GUILESS_MAIN(tst_task_tree)
#include "tst_task_tree.moc"
