// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// What the program's own code does in the middle of the library's work: moves, copies, destructors,
// message handlers.

#include "task_helpers.h"

#include <QtCore/qlogging.h>
#include <QtCore/qproperty.h>
#include <QtCore/qregularexpression.h>
#include <QtCore/qscopeguard.h>
#include <QtCore/qsemaphore.h>
#include <QtCore/qthreadpool.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace {

/// As a program does that asks its user something: what is ready runs meanwhile.
void open_dialog()
{
    QEventLoop dialog;
    QTimer::singleShot(10, &dialog, &QEventLoop::quit);
    dialog.exec();
}

/// Calls a function when its last copy goes.
std::shared_ptr<void> at_end(std::function<void()> function)
{
    return std::shared_ptr<void>(nullptr, [function = std::move(function)](void *) { function(); });
}

/// Calls a function the nth time that something happens in the tests' thread, and never again.
class Hook
{
public:
    void arm(int nth, std::function<void()> function)
    {
        m_left = nth;
        m_function = std::move(function);
    }
    /// True if it was called.
    bool disarm() { return std::exchange(m_left, 0) == 0; }
    void pass()
    {
        if (QThread::currentThread() == QCoreApplication::instance()->thread() && m_left > 0
            && --m_left == 0)
            m_function();
    }

private:
    int m_left = 0;
    std::function<void()> m_function;
};
Hook on_move; // or a copy
Hook on_end;

struct Value
{
    explicit Value(int number = 0) : number(number) { }
    Value(Value &&other)
    {
        on_move.pass();
        number = std::exchange(other.number, 0);
    }
    ~Value() { on_end.pass(); }

    int number;
};

/// Notes when one is made in the place of another one, or destroyed twice.
struct Item : Value
{
    explicit Item(int number) : Value(number) { begin(); }
    Item(Item &&other) : Value(std::move(other)) { begin(); }
    ~Item() { spoilt |= living.erase(this) == 0; }

    static inline std::set<const void *> living;
    static inline bool spoilt = false;

private:
    void begin() { spoilt |= !living.insert(this).second; }
};

struct Copied
{
    Copied() = default;
    Copied(const Copied &) { on_move.pass(); }
    Copied(Copied &&) { on_move.pass(); }
};

/// Notes when it is copied or moved from while it is gone: whoever makes a copy is to keep it until
/// then.
struct Original
{
    Original() { living.insert(this); }
    Original(const Original &other) { begin(other); }
    Original(Original &&other) { begin(other); }
    Original &operator=(const Original &) = default;
    ~Original() { living.erase(this); }

    static inline std::set<const void *> living;
    static inline bool spoilt = false;

private:
    void begin(const Original &other)
    {
        on_move.pass();
        spoilt |= !living.contains(&other);
        living.insert(this);
    }
};

/// Its only thread has something to do for as long as the test wants: what comes after that waits.
class BusyPool
{
public:
    BusyPool()
    {
        pool->setMaxThreadCount(1);
        pool->start([this] { m_gate.acquire(); });
    }
    ~BusyPool() { finish(); }
    Q_DISABLE_COPY_MOVE(BusyPool)
    void finish()
    {
        m_gate.release();
        pool->waitForDone();
    }

    const std::shared_ptr<QThreadPool> pool = std::make_shared<QThreadPool>();

private:
    QSemaphore m_gate;
};

Coroutine<> wait_for_value(Future<Value> future)
{
    static_cast<void>(co_await std::move(future));
}

} // namespace

class tst_user_code : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { Item::spoilt = Original::spoilt = false; }
    void cleanup()
    {
        on_move.disarm();
        on_end.disarm();
    }

    void aResultThatCancelsItsTaskAsItComesHome()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            const auto compute = [] { return Value(1); };
            for (int nth = 1;; ++nth) {
                QASYNCIO_VERIFY(nth < 20);
                Task<> task = create_task(wait_for_value(loop.run_in_executor(nullptr, compute)));
                bool said = false;
                on_move.arm(nth, [&] { said = task.cancel(); });
                const QString error = co_await error_of(task);
                if (!on_move.disarm()) {
                    QASYNCIO_VERIFY(nth > 1);
                    QASYNCIO_COMPARE(error, QString());
                    break;
                }
                QASYNCIO_VERIFY(said);
                QASYNCIO_COMPARE(error, u"CancelledError"_s);
            }
        });
    }

    void aResultThatCancelsTheTaskThatWaitsForIt()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            for (int nth = 1;; ++nth) {
                QASYNCIO_VERIFY(nth < 20);
                Future<Value> future = loop.create_future<Value>();
                Task<> task = create_task(wait_for_value(future));
                co_await turns(1);
                bool said = false;
                on_move.arm(nth, [&] { said = task.cancel(); });
                const QString refused = error_in([&] { future.set_result(Value(1)); });
                const bool called = on_move.disarm();
                const QString error = co_await error_of(task);
                if (!called) {
                    QASYNCIO_VERIFY(nth > 1);
                    QASYNCIO_COMPARE(error, QString());
                    break;
                }
                QASYNCIO_VERIFY(said);
                QASYNCIO_COMPARE(error, u"CancelledError"_s);
                // one of the two, and it says which
                QASYNCIO_COMPARE(future.cancelled(), !refused.isEmpty());
            }
        });
    }

    void aResultThatDropsItsFutureInItsMove()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            bool called = true;
            for (int nth = 1; called; ++nth) {
                QASYNCIO_VERIFY(nth < 20);
                auto future = std::make_unique<Future<Item>>(loop.create_future<Item>());
                on_move.arm(nth, [&] { future.reset(); });
                future->set_result(Item(1));
                called = on_move.disarm();
                QASYNCIO_VERIFY(called || nth > 1);
                future.reset();
                QASYNCIO_VERIFY(!Item::spoilt);
                QASYNCIO_VERIFY(Item::living.empty());
            }
            co_return;
        });
    }

    void aResultThatDropsItsFutureInItsCopy()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            bool called = true;
            for (int nth = 1; called; ++nth) {
                QASYNCIO_VERIFY(nth < 20);
                auto future = std::make_unique<Future<Original>>(loop.create_future<Original>());
                future->set_result(Original());
                on_move.arm(nth, [&] { future.reset(); });
                {
                    [[maybe_unused]] const Original copy = future->result();
                }
                called = on_move.disarm();
                QASYNCIO_VERIFY(called || nth > 1);
                future.reset();
                QASYNCIO_VERIFY(!Original::spoilt);
                QASYNCIO_VERIFY(Original::living.empty());
            }
            co_return;
        });
    }

    void aResultThatDeletesTheObjectOfWhoWaitsForIt_data()
    {
        QTest::addColumn<bool>("in_group");
        QTest::addColumn<bool>("detached");
        QTest::newRow("a group") << true << false;
        QTest::newRow("a task") << false << false;
        QTest::newRow("a task, for a detached one") << false << true;
    }
    void aResultThatDeletesTheObjectOfWhoWaitsForIt()
    {
        QFETCH(const bool, in_group);
        QFETCH(const bool, detached);
        Test::run([&]() -> Coroutine<> {
            bool called = true;
            for (int nth = 1; called; ++nth) {
                QASYNCIO_VERIFY(nth < 20);
                QStringList log;
                auto window = std::make_unique<QObject>();
                // which may refer to a local of the parent
                const auto child = [](Farewell) -> Coroutine<Value> {
                    co_await sleep(0s);
                    co_return Value(1);
                };
                const auto group_body = [&](TaskGroup &group) -> Coroutine<> {
                    group.create_task(child(Farewell(log, u"-child"_s)));
                    co_await sleep(1h);
                };
                const auto parent = [&]() -> Coroutine<> {
                    const Farewell local(log, u"-parent"_s);
                    if (in_group)
                        co_await task_group(group_body);
                    TaskOptions options;
                    if (detached)
                        options.detached();
                    Task<Value> task = create_task(child(Farewell(log, u"-child"_s)), options);
                    const Value value = co_await std::move(task);
                    co_await sleep(1h);
                };
                Task<> bystander = create_task(sleeper(1s));
                Task<> task = create_task(parent(), TaskOptions().context(window.get()));
                on_move.arm(nth, [&] { window.reset(); });
                co_await turns(5);
                called = on_move.disarm();
                QASYNCIO_VERIFY(called || nth > 1);
                window.reset();
                QASYNCIO_VERIFY(task.cancelled());
                QASYNCIO_COMPARE(log.join(u' '), u"-child -parent"_s);
                QASYNCIO_COMPARE(all_tasks().size(), std::size_t(2)); // this one and the bystander
                co_await bystander;
            }
        });
    }

    void aValueOfACallThatCancelsTheCallWhenItComesHome()
    {
        struct Answer
        {
            Answer() = default;
            Answer(Answer &&) { on_move.pass(); }
        };
        LoopThread there;
        Test::run(
            [&]() -> Coroutine<> {
                const auto answers = []() -> Coroutine<Answer> { co_return Answer(); };
                const auto calls = [&]() -> Coroutine<> {
                    auto call = on_loop(there.loop(), answers);
                    [[maybe_unused]] const Answer answer = co_await std::move(call);
                    co_await turns(1);
                };
                bool called = true;
                for (int nth = 1; called; ++nth) {
                    QASYNCIO_VERIFY(nth < 20);
                    Task<> task = create_task(calls());
                    bool said = false;
                    on_move.arm(nth, [&] { said = task.cancel(); });
                    const QString error = co_await error_of(task);
                    called = on_move.disarm();
                    QASYNCIO_VERIFY(called || nth > 1);
                    QASYNCIO_COMPARE(said, called);
                    QASYNCIO_COMPARE(error, called ? u"CancelledError"_s : QString());
                }
            },
            Test::TestOptions().real_time());
    }

    void aTaskIsNotResumedInsideOfItsOwnAwait()
    {
        const BusyPool busy;
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            bool dialog_is_open = false;
            bool inside = false;
            std::shared_ptr<void> asks = at_end([&] {
                dialog_is_open = true;
                open_dialog();
                dialog_is_open = false;
            });
            const auto waits = [&]() -> Coroutine<> {
                const auto function = [](const std::shared_ptr<void> &) { };
                auto future = loop.run_in_executor(busy.pool.get(), function, std::move(asks));
                current_task().cancel();
                const QScopeGuard resumed([&] { inside = dialog_is_open; });
                co_await future; // which is cancelled there, and drops the function
            };
            Task<> task = create_task(waits());
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
            QASYNCIO_VERIFY(!inside);
        });
    }

    void aGatherThatEndsWhileItIsCancelled()
    {
        const BusyPool busy;
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            std::shared_ptr<void> asks = at_end(open_dialog);
            const auto waits = [&]() -> Coroutine<> {
                const auto function = [](const std::shared_ptr<void> &) { };
                auto future = loop.run_in_executor(busy.pool.get(), function, std::move(asks));
                auto all = gather(return_exceptions, future);
                co_await all;
                co_await sleep(0s);
            };
            Task<> task = create_task(waits());
            co_await turns(1);
            QASYNCIO_VERIFY(task.cancel());
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
        });
    }

    void aGatherThatCannotBeCancelledAnyMoreIsNotLost()
    {
        const int loops_before = detail::live_loops();
        {
            Future<> first;
            Future<> second;
            std::optional<decltype(gather(first, second))> all;
            QAsyncioLoop loop(virtual_time());
            const auto begin = [&]() -> Coroutine<> {
                first = loop.create_future<>();
                second = loop.create_future<>();
                all.emplace(gather(first, second));
                co_return;
            };
            loop.run_until_complete(begin());
            loop.close();
            const QString error = error_in([&] { return all->cancel(); });
            QVERIFY(error.startsWith(u"RuntimeError"_s)); // nobody can be called any more
            error_in([&] { return all->cancel(); });
        }
        QCOMPARE(detail::live_loops(), loops_before);
    }

    void completionsThatAreDroppedInTheirOwnTimeOut()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            std::unique_ptr<AsCompleted<int>> page;
            std::vector<Future<int>> futures = futures_of(loop, 2);
            std::shared_ptr<void> closes = at_end([&] { page.reset(); });
            futures.front().add_done_callback([closes] { });
            closes.reset();
            page.reset(new AsCompleted<int>(as_completed(std::move(futures), 1s)));
            co_await sleep(500ms);
            QASYNCIO_VERIFY(page);
            co_await sleep(1s);
            QASYNCIO_VERIFY(!page);
        });
    }

    void aResultThatCompletesItsFutureInItsCopyAndThrows_data()
    {
        QTest::addColumn<bool>("cancels");
        QTest::newRow("cancels") << true;
        QTest::newRow("completes") << false;
    }
    void aResultThatCompletesItsFutureInItsCopyAndThrows()
    {
        QFETCH(const bool, cancels);
        throw_in_each_copy(cancels, [](Future<Copied> inner) { return shield(inner); });
        throw_in_each_copy(cancels, [](Future<Copied> inner) { return gather(inner); });
        throw_in_each_copy(cancels, [](Future<Copied>) {
            return get_running_loop().run_in_executor(nullptr, [] { return Copied(); });
        });
    }

    void aResultMayLookAtItsConcurrentFuture()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            const auto load = []() -> Coroutine<Copied> {
                co_await sleep(0s);
                co_return Copied();
            };
            bool called = true;
            for (int nth = 1; called; ++nth) {
                QASYNCIO_VERIFY(nth < 20);
                auto future = run_coroutine_threadsafe(load(), loop);
                on_move.arm(nth, [&] { static_cast<void>(future.to_string()); });
                QASYNCIO_TRY_VERIFY(future.done());
                [[maybe_unused]] const Copied result = future.result();
                called = on_move.disarm();
                QASYNCIO_VERIFY(called || nth > 1);
            }
        });
    }

    void aRequestThatComesInTheFirstStepOfAnEagerTask()
    {
        LoopThread there;
        Test::run(
            [&]() -> Coroutine<> {
                const auto begin_eagerly = []() -> Coroutine<> {
                    get_running_loop().set_task_factory(eager_task_factory);
                    co_return;
                };
                co_await on_loop(there.loop(), begin_eagerly);
                QSemaphore begun;
                QEventLoop *dialog = nullptr;
                const auto works = [&]() -> Coroutine<> {
                    QEventLoop inner;
                    dialog = &inner;
                    begun.release();
                    inner.exec();
                    co_await sleep(1s);
                };
                const auto calls = [&]() -> Coroutine<> { co_await on_loop(there.loop(), works); };
                Task<> task = create_task(calls());
                co_await turns(1);
                QASYNCIO_VERIFY(begun.tryAcquire(1, 30'000));
                QASYNCIO_VERIFY(task.cancel());
                there.loop().call_soon_threadsafe([&] { dialog->quit(); }); // behind the request
                QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
            },
            Test::TestOptions().real_time());
    }

    void aGeneratorIsNotSteppedWhileItsValueIsMoved()
    {
        Test::run([]() -> Coroutine<> {
            const auto four = []() -> AsyncGenerator<Value> {
                for (int n = 1; n <= 4; ++n) {
                    co_yield n;
                    co_await sleep(0s);
                }
            };
            QString taken;
            int refused = 0;
            auto generator = four();
            const auto take_all = [&]() -> Coroutine<> {
                for (;;) {
                    bool busy = false;
                    try {
                        const auto value = co_await generator.next();
                        if (!value)
                            break;
                        taken += QString::number(value->number);
                    } catch (const RuntimeError &) {
                        busy = true;
                    }
                    refused += busy;
                    if (busy)
                        co_await sleep(0s);
                }
            };
            Task<> first = create_task(take_all());
            while (taken.isEmpty())
                co_await turns(1);
            Task<> second = create_task(take_all());
            on_move.arm(1, open_dialog);
            co_await first;
            co_await second;
            QASYNCIO_VERIFY(on_move.disarm());
            QASYNCIO_VERIFY(refused > 0);
            std::sort(taken.begin(), taken.end());
            QASYNCIO_COMPARE(taken, u"1234"_s);
        });
    }

    void aGeneratorIsNotSteppedWhileItsFirstStepWarns()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            const auto one = []() -> AsyncGenerator<int> {
                co_await sleep(0s);
                co_yield 1;
            };
            co_await loop.shutdown_asyncgens(); // it warns of those that begin later
            auto generator = one();
            const auto take = [&]() -> Coroutine<> { co_await generator.next(); };
            const MessageDialogs dialogs;
            Task<> first = create_task(take());
            Task<> second = create_task(take());
            QASYNCIO_COMPARE(co_await error_of(first), QString());
            const QString error = co_await error_of(second);
            QASYNCIO_VERIFY(error.startsWith(u"RuntimeError"_s));
            QASYNCIO_COMPARE(MessageDialogs::shown.size(), 1);
        });
    }

    void aReportOfAGeneratorThatDestroysTheLoop()
    {
        auto loop = std::make_unique<QAsyncioLoop>(virtual_time());
        int reports = 0;
        loop->set_exception_handler([&](QAsyncioLoop &, const ExceptionContext &) {
            ++reports;
            loop.reset();
        });
        const auto cannot_close = []() -> AsyncGenerator<int> {
            bool closing = false;
            try {
                co_yield 1;
            } catch (const GeneratorExit &) {
                closing = true;
            }
            if (closing)
                throw ValueError(u"cannot close"_s);
        };
        bool went_on = false;
        const auto body = [&]() -> Coroutine<> {
            auto first = cannot_close();
            auto second = cannot_close();
            co_await first.next();
            co_await second.next();
            co_await get_running_loop().shutdown_asyncgens();
            co_await sleep(0s);
            went_on = true;
        };
        QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"unclosed event loop"_s));
        // of the other one, which nobody handles
        QTest::ignoreMessage(QtCriticalMsg, QRegularExpression(u"cannot close"_s));
        const QString error = error_in([&] { loop->run_until_complete(body()); });
        QVERIFY(!error.isEmpty());
        QVERIFY(!loop);
        QVERIFY(reports > 0);
        QVERIFY(!went_on);
    }

    void aTaskGroupWhenAnotherLoopHasComeUnderADialog()
    {
        QString refused;
        const auto nothing = [](TaskGroup &) -> Coroutine<> { co_return; };
        const auto body = [&]() -> Coroutine<> {
            open_dialog();
            refused = co_await error_of(task_group(nothing));
        };
        run_while_another_loop_comes(body);
        QCOMPARE(refused, u"RuntimeError: TaskGroup cannot determine the parent task"_s);
    }

    void aFunctionThatMakesATaskWhenAnotherLoopHasComeUnderItsDialog()
    {
        bool asked = false;
        const auto asks = [&]() -> Coroutine<> { // no coroutine itself
            open_dialog();
            asked = true;
            return turns(0);
        };
        const auto body = [&]() -> Coroutine<> {
            create_task(asks);
            co_await sleep(1h);
        };
        run_while_another_loop_comes(body);
        QVERIFY(asked);
    }

    void aPropertyThatIsAwaitedWhenAnotherLoopHasComeUnderADialog()
    {
        QString refused;
        QProperty<int> level(1);
        const auto is_two = [](int now) { return now == 2; };
        const auto body = [&]() -> Coroutine<> {
            open_dialog();
            refused = co_await error_of(wait_until(level, is_two));
        };
        run_while_another_loop_comes(body);
        QCOMPARE(refused,
                 u"RuntimeError: wait_until() should be used inside a task of the running loop"_s);
    }

    void aFunctionThatGivesNoCoroutine_data()
    {
        QTest::addColumn<bool>("was_awaited");
        QTest::newRow("none") << false;
        QTest::newRow("one that was awaited before") << true;
    }
    void aFunctionThatGivesNoCoroutine()
    {
        QFETCH(const bool, was_awaited);
        Test::run([&]() -> Coroutine<> {
            Coroutine<> used;
            if (was_awaited) {
                used = turns(0);
                co_await std::move(used);
            }
            const auto function = [&]() -> Coroutine<> { return std::move(used); };
            Task<> task = create_task(function);
            QASYNCIO_COMPARE(co_await error_of(task),
                             u"RuntimeError: cannot reuse already awaited coroutine"_s);
        });
    }

    void whoIsToldOfACoroutineThatWasNeverAwaitedMayCloseIt()
    {
        static Coroutine<> *told_of = nullptr;
        static int messages = 0;
        messages = 0;
        const auto take = [](QtMsgType, const QMessageLogContext &, const QString &) {
            ++messages;
            told_of->close();
        };
        const QtMessageHandler outer = qInstallMessageHandler(take);
        const QScopeGuard last([&] { qInstallMessageHandler(outer); });
        {
            Coroutine<> forgotten = turns(1);
            told_of = &forgotten;
        }
        QCOMPARE(messages, 1);
    }

    /// Copying a value of a variable sets the variable anew.
    void aContextValueThatIsReplacedWhileItIsCopied_data()
    {
        QTest::addColumn<int>("how");
        QTest::newRow("get()") << 0;
        QTest::newRow("get() with a default") << 1;
        QTest::newRow("set()") << 2;
    }
    void aContextValueThatIsReplacedWhileItIsCopied()
    {
        static ContextVar<Original> variable(u"variable"_s);
        QFETCH(const int, how);
        Test::run([&]() -> Coroutine<> {
            bool called = true;
            for (int nth = 1; called; ++nth) {
                QASYNCIO_VERIFY(nth < 20);
                variable.set(Original());
                on_move.arm(nth, [] { variable.set(Original()); });
                if (how == 0)
                    static_cast<void>(variable.get());
                else if (how == 1)
                    static_cast<void>(variable.get(Original()));
                else
                    variable.set(Original());
                called = on_move.disarm();
                QASYNCIO_VERIFY(!Original::spoilt);
                QASYNCIO_VERIFY(called || nth > 1);
            }
            co_return;
        });
    }

    void aContextValueThatUsesItsContextWhenItGoes()
    {
        static ContextVar<int> other(u"other"_s);
        static ContextVar<std::shared_ptr<void>> variable(u"variable"_s);
        Test::run([]() -> Coroutine<> {
            other.set(1);
            std::shared_ptr<void> value = at_end([] {
                const Context now = copy_context(); // so that set() makes a map of its own
                other.set(2);
            });
            auto token = variable.set(std::move(value));
            variable.reset(token);
            QASYNCIO_COMPARE(other.get(), 2);
            co_return;
        });
    }

    void aPolicyWhoseLoopHasATaskThatAsksForThePolicy()
    {
        struct OwningPolicy : EventLoopPolicy
        {
            ~OwningPolicy() override { loop.close(); }
            QAsyncioLoop &get_event_loop() override { return loop; }
            QAsyncioLoop loop{virtual_time()};
        };
        set_event_loop_policy(std::make_shared<OwningPolicy>());
        QAsyncioLoop &loop = get_event_loop();
        const Reports reports(loop);
        bool asked = false;
        const auto body = [&]() -> Coroutine<> {
            const QScopeGuard last([&] { asked = get_event_loop_policy() != nullptr; });
            co_await sleep(1h);
        };
        loop.create_task(body());
        run_once(loop);
        set_event_loop_policy(nullptr);
        QVERIFY(asked);
        QCOMPARE(reports.list().size(), 1); // of the task
    }

    void anItemThatOpensAnEventLoopWhenItsStreamGoes()
    {
        Test::run([]() -> Coroutine<> {
            QObject sender;
            const auto map = [](const QString &) { return Item(1); };
            using Stream = decltype(signal_stream(&sender, &QObject::objectNameChanged, map));
            auto stream = std::make_unique<Stream>(
                signal_stream(&sender, &QObject::objectNameChanged, map));
            const auto reads = [](Stream &stream) -> Coroutine<bool> {
                const auto item = co_await stream.next();
                co_return item.has_value();
            };
            Task<bool> reader = create_task(reads(*stream));
            co_await turns(1);
            sender.setObjectName(u"name"_s); // the reader comes in the next turn
            on_end.arm(1, open_dialog);
            stream.reset();
            QASYNCIO_VERIFY(on_end.disarm());
            const bool has_item = co_await reader;
            QASYNCIO_VERIFY(!Item::spoilt);
            QASYNCIO_VERIFY(!has_item);
            QASYNCIO_VERIFY(Item::living.empty());
        });
    }

    void anItemThatEmitsItsSignalWhenItIsMoved()
    {
        for (int nth = 1;; ++nth) {
            QVERIFY(nth < 20);
            QStringList numbers;
            bool called = false;
            Test::run([&]() -> Coroutine<> {
                QObject sender;
                const auto map = [](const QString &name) {
                    return Item(name == u"inner"_s ? 2 : 1);
                };
                auto stream = signal_stream(&sender, &QObject::objectNameChanged, map);
                on_move.arm(nth, [&] { sender.setObjectName(u"inner"_s); });
                sender.setObjectName(u"outer"_s);
                called = on_move.disarm();
                while (stream.size() > 0) {
                    const auto item = co_await stream.next();
                    numbers << QString::number(item ? item->number : 0);
                }
            });
            numbers.sort();
            QVERIFY(!Item::spoilt);
            QVERIFY(Item::living.empty());
            QCOMPARE(numbers.join(u' '), called ? u"1 2"_s : u"1"_s);
            if (called)
                continue;
            QVERIFY(nth > 1);
            break;
        }
    }

    void whatWaitsForAThreadNeverRunsWhenItsTaskHasEnded_data()
    {
        QTest::addColumn<bool>("cancelled");
        QTest::newRow("cancelled") << true;
        QTest::newRow("unwound") << false;
    }
    void whatWaitsForAThreadNeverRunsWhenItsTaskHasEnded()
    {
        QFETCH(const bool, cancelled);
        BusyPool busy;
        std::atomic<int> ran{0};
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            loop.set_default_executor(busy.pool);
            auto window = std::make_unique<QObject>();
            const auto count = [&ran] { ++ran; };
            const auto body = [&]() -> Coroutine<> { co_await to_thread(count); };
            Task<> task = create_task(body(), TaskOptions().context(window.get()));
            co_await turns(2);
            if (cancelled)
                task.cancel();
            else
                window.reset();
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
            busy.finish();
        });
        QCOMPARE(ran.load(), 0);
    }

    void aPoolThatClosesALoopWhenItGoes()
    {
        struct Work
        {
            Work()
            {
                auto own = std::make_shared<QThreadPool>();
                pool = own.get();
                loop.set_default_executor(std::move(own));
                const auto waits = [this] {
                    begun.release();
                    gate.acquire();
                };
                future = loop.run_in_executor(nullptr, waits);
                begun.acquire();
            }
            QSemaphore begun;
            QSemaphore gate;
            QAsyncioLoop loop;
            QThreadPool *pool; // the loop has it, and lets it end its work
            Future<> future;
        };
        Work first;
        Work second;
        Work third;
        bool told = false;
        connect(first.pool, &QObject::destroyed, this, [&] {
            told = true;
            third.loop.close();
        });
        first.loop.close();
        first.gate.release();
        first.pool->waitForDone();
        second.loop.close(); // which looks for pools that have nothing to do any more
        QVERIFY(told);
        QVERIFY(third.loop.is_closed());
        for (Work *work : {&second, &third}) {
            work->gate.release();
            work->pool->waitForDone();
        }
    }

    void aHandlerThatAsksForTheQuitWhenAFutureOfItIsForgotten()
    {
        QAsyncioLoop loop;
        std::vector<Future<>> asked;
        int reports = 0;
        loop.set_exception_handler([&](QAsyncioLoop &, const ExceptionContext &) {
            ++reports;
            for (int i = 0; i < 40; ++i)
                asked.push_back(loop.quit_requested());
        });
        for (int i = 0; i < 16; ++i) {
            Future<> future = loop.quit_requested();
            future.set_exception(ValueError(u"given up"_s)); // reported when the loop forgets it
        }
        asked.push_back(loop.quit_requested());
        QCOMPARE(reports, 16);
        QCOMPARE(asked.size(), std::size_t(16 * 40 + 1));
        loop.close();
    }

    void aPredicateThatDeletesTheOwnerOfItsProperty_data()
    {
        QTest::addColumn<bool>("holds");
        QTest::newRow("holds") << true;
        QTest::newRow("does not hold") << false;
    }
    void aPredicateThatDeletesTheOwnerOfItsProperty()
    {
        QFETCH(const bool, holds);
        struct Window : QObject
        {
            QProperty<int> level{0};
        };
        Test::run([&]() -> Coroutine<> {
            auto window = std::make_unique<Window>();
            int asked = 0;
            bool went_on = false;
            const auto predicate = [&](int) {
                ++asked;
                window.reset();
                return holds;
            };
            const auto body = [&]() -> Coroutine<> {
                co_await wait_until(window->level, predicate);
                went_on = true;
            };
            Task<> task = create_task(body(), TaskOptions().context(window.get()));
            QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
            QASYNCIO_COMPARE(asked, 1);
            QASYNCIO_VERIFY(!went_on);
        });
    }

    /// Nobody is passed over when one of those that wait for a property goes while Qt tells them of
    /// a change.
    void aPredicateThatEndsAnotherOneThatWaitsForTheSameProperty()
    {
        constexpr int count = 5;
        Test::run([]() -> Coroutine<> {
            for (int round = 0; round < count * count; ++round) {
                const int who = round / count;
                const int whom = round % count;
                QProperty<int> level(1);
                std::unique_ptr<QObject> windows[count];
                std::vector<Task<int>> tasks;
                bool acts = true;
                for (int i = 0; i < count; ++i) {
                    windows[i] = std::make_unique<QObject>();
                    const auto predicate = [&, i](int now) {
                        if (now == 2 && i == who && std::exchange(acts, false)) {
                            windows[whom].reset();
                            level = 3;
                        }
                        return now == 3;
                    };
                    tasks.push_back(create_task(wait_until(level, predicate),
                                                TaskOptions().context(windows[i].get())));
                }
                co_await turns(2);
                level = 2;
                co_await turns(1);
                QASYNCIO_VERIFY(!acts);
                for (int i = 0; i < count; ++i) {
                    QASYNCIO_VERIFY(tasks[i].done());
                    QASYNCIO_COMPARE(tasks[i].cancelled(), i == whom);
                }
            }
        });
    }

private:
    /// Each copy of a result on its way into the future that `make` gives, in turn, completes that
    /// future, and fails.
    template<class Make>
    static void throw_in_each_copy(bool cancels, Make make)
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            bool called = true;
            for (int nth = 1; called; ++nth) {
                QASYNCIO_VERIFY(nth < 20);
                Future<Copied> inner = loop.create_future<Copied>();
                auto future = make(inner);
                inner.set_result(Copied());
                bool completed = false;
                on_move.arm(nth, [&] {
                    if (cancels)
                        completed = future.cancel();
                    else
                        completed = error_in([&] {
                                        future.set_exception(ValueError(u"first"_s));
                                    }).isEmpty();
                    throw ValueError(u"second"_s);
                });
                QASYNCIO_TRY_VERIFY(future.done());
                called = on_move.disarm();
                QASYNCIO_VERIFY(called || nth > 1);
                QASYNCIO_COMPARE(future.cancelled(), cancels && completed);
                if (!called || future.cancelled())
                    continue;
                QASYNCIO_COMPARE(describe(future.exception()),
                                 completed ? u"ValueError: first"_s : u"ValueError: second"_s);
            }
        });
    }

    /// Runs `body()` in a loop that is destroyed in the first event loop that is opened; another
    /// one is attached then.
    template<class F>
    void run_while_another_loop_comes(const F &body)
    {
        QAsyncioLoop other;
        auto loop = std::make_unique<QAsyncioLoop>();
        const auto exchange = [&] {
            loop.reset();
            other.attach();
        };
        const auto begin = [&]() -> Coroutine<> {
            QTimer::singleShot(0, this, exchange);
            co_await body();
        };
        const Reports reports(*loop);
        QTest::ignoreMessage(QtWarningMsg, QRegularExpression(u"unclosed event loop"_s));
        error_in([&] { loop->run_until_complete(begin()); });
        QVERIFY(!loop);
        other.detach();
        other.close();
    }
};

QTEST_GUILESS_MAIN(tst_user_code)
#include "tst_user_code.moc"
