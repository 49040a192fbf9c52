// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// Awaiting what is not QAsyncio's own: any type that has the three functions of an awaiter.

#include "task_helpers.h"

#include <thread>

namespace {

/// Somebody else's event: whoever awaits it is resumed by fire(), inside of it.
struct ForeignEvent
{
    std::coroutine_handle<> waiting;
    bool ready = false;
    int value = 0;

    void fire(int with)
    {
        value = with;
        ready = true;
        if (waiting)
            std::exchange(waiting, nullptr).resume();
    }
    void drop() { std::exchange(waiting, nullptr).destroy(); }
};

/// A handle on it that is itself the awaiter.
struct EventAwaiter
{
    std::shared_ptr<ForeignEvent> event;
    explicit EventAwaiter(std::shared_ptr<ForeignEvent> event) : event(std::move(event)) { }
    bool await_ready() const { return event->ready; }
    void await_suspend(std::coroutine_handle<> waiting) { event->waiting = waiting; }
    int await_resume() const
    {
        if (event->value < 0)
            throw ValueError(u"negative"_s);
        return event->value;
    }
};

struct WithMember
{
    std::shared_ptr<ForeignEvent> event;
    explicit WithMember(std::shared_ptr<ForeignEvent> event) : event(std::move(event)) { }
    EventAwaiter operator co_await() const { return EventAwaiter(event); }
};

struct WithFreeFunction
{
    std::shared_ptr<ForeignEvent> event;
    explicit WithFreeFunction(std::shared_ptr<ForeignEvent> event) : event(std::move(event)) { }
};
EventAwaiter operator co_await(const WithFreeFunction &awaitable)
{
    return EventAwaiter(awaitable.event);
}

/// Resumes in a thread of its own.
struct OtherThread
{
    std::thread *thread;
    explicit OtherThread(std::thread &thread) : thread(&thread) { }
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiting)
    {
        std::thread &place = *thread; // this may be gone before the assignment
        place = std::thread([waiting] { waiting.resume(); });
    }
    std::unique_ptr<QString> await_resume() const
    {
        return std::make_unique<QString>(u"from afar"_s);
    }
};

/// Gives a token to whoever resumes it.
struct TokenAwaiter
{
    std::coroutine_handle<> *waiting;
    std::shared_ptr<int> token;
    TokenAwaiter(std::coroutine_handle<> &waiting, std::shared_ptr<int> token)
        : waiting(&waiting), token(std::move(token))
    { }
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) const { *waiting = handle; }
    std::shared_ptr<int> await_resume() { return std::move(token); }
};

Coroutine<> await_token(std::coroutine_handle<> &waiting, std::shared_ptr<int> token)
{
    TokenAwaiter awaiter(waiting, std::move(token));
    co_await std::move(awaiter);
}

/// Cannot be moved into the frame that waits for it.
struct Brittle
{
    Brittle() = default;
    Brittle(Brittle &&) { throw ValueError(u"broken on the way"_s); }
    bool await_ready() const { return true; }
    void await_suspend(std::coroutine_handle<>) const { }
    void await_resume() const { }
};

Coroutine<QString> error_of_brittle()
{
    Brittle brittle;
    std::exception_ptr thrown;
    try {
        co_await std::move(brittle);
    } catch (...) {
        thrown = std::current_exception();
    }
    co_return describe(thrown);
}

Coroutine<int> await_event(std::shared_ptr<ForeignEvent> event)
{
    co_return co_await EventAwaiter(event);
}

} // namespace

class tst_foreign : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatIsReadyDoesNotSuspend()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            bool next_turn = false;
            loop.call_soon([&] { next_turn = true; });
            const auto event = std::make_shared<ForeignEvent>();
            event->fire(42);
            QASYNCIO_COMPARE(co_await EventAwaiter(event), 42);
            co_await std::suspend_never();
            QASYNCIO_COMPARE(next_turn, false);
            co_await turns(1);
            QASYNCIO_COMPARE(next_turn, true);
        });
    }

    void theTaskResumesFromTheLoopAndNotInsideOfTheEvent()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            QStringList log;
            const auto event = std::make_shared<ForeignEvent>();
            loop.call_soon([&] {
                event->fire(42);
                log << u"fired"_s;
            });
            const int value = co_await EventAwaiter(event);
            log << QString::number(value);
            QASYNCIO_COMPARE(log.join(u' '), u"fired 42"_s);
            QASYNCIO_VERIFY(current_task());
        });
    }

    void everyFormOfAwaitableIsUnderstood()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto fired = [&](int value) {
                const auto event = std::make_shared<ForeignEvent>();
                loop.call_soon([event, value] { event->fire(value); });
                return event;
            };
            QASYNCIO_COMPARE(co_await WithMember(fired(1)), 1);
            QASYNCIO_COMPARE(co_await WithFreeFunction(fired(2)), 2);
            EventAwaiter lvalue(fired(3));
            QASYNCIO_COMPARE(co_await lvalue, 3);
            const WithMember constant(fired(4));
            QASYNCIO_COMPARE(co_await constant, 4);
            QASYNCIO_COMPARE(co_await wait_for(WithMember(fired(5)), 1s), 5);
            const auto [six, seven] = co_await gather(EventAwaiter(fired(6)), WithMember(fired(7)));
            QASYNCIO_COMPARE(six + seven, 13);
            QASYNCIO_COMPARE(co_await ensure_future(WithFreeFunction(fired(8))), 8);
        });
    }

    void itsExceptionIsThrownAtTheAwait()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto event = std::make_shared<ForeignEvent>();
            loop.call_soon([&] { event->fire(-1); });
            QASYNCIO_COMPARE(co_await error_of(EventAwaiter(event)), u"ValueError: negative"_s);
            // ready
            QASYNCIO_COMPARE(co_await error_of(EventAwaiter(event)), u"ValueError: negative"_s);
        });
    }

    void cancellingEndsTheTaskAtOnceAndDropsWhatComesLater()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            for (const int value : {42, -1}) {
                const auto event = std::make_shared<ForeignEvent>();
                Task<int> task = create_task(await_event(event));
                co_await turns(1);
                task.cancel(u"enough"_s);
                QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError: enough"_s);
                task = {};
                event->fire(value); // the frame that waits for it ends here
                QASYNCIO_COMPARE(event.use_count(), 1);
                co_await turns(2);
            }
            QASYNCIO_COMPARE(reports.list().join(u' '), QString());
        });
    }

    void itMayResumeInAnotherThread()
    {
        Test::run(
            [&]() -> Coroutine<> {
                std::thread thread;
                const std::thread::id here = std::this_thread::get_id();
                const std::unique_ptr<QString> text = co_await OtherThread(thread);
                QASYNCIO_COMPARE(*text, u"from afar"_s);
                QASYNCIO_VERIFY(std::this_thread::get_id() == here);
                thread.join();
            },
            Test::TestOptions().real_time());
    }

    void anAwaitableThatDestroysWhoWaitsIsAnError()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const auto event = std::make_shared<ForeignEvent>();
            loop.call_soon([&] { event->drop(); });
            QASYNCIO_COMPARE(
                co_await error_of(EventAwaiter(event)),
                u"RuntimeError: the awaitable was destroyed before it gave a result"_s);
        });
    }

    void itMayOutliveTheTaskAndTheLoop()
    {
        const auto event = std::make_shared<ForeignEvent>();
        const auto other = std::make_shared<ForeignEvent>();
        {
            QAsyncioLoop loop(virtual_time());
            const Reports reports(loop);
            QObject object;
            Task<int> closed = loop.create_task(await_event(event));
            Task<int> bound = loop.create_task(await_event(other), TaskOptions().context(&object));
            run_ready(loop);
            loop.close();
            QVERIFY(closed.cancelled());
        }
        event->fire(1);
        other->fire(-1);
        QCOMPARE(event.use_count(), 1);
        QCOMPARE(other.use_count(), 1);
    }

    void whatComesFromAThreadWhenTheLoopHasGoneIsDropped_data()
    {
        QTest::addColumn<bool>("closed");
        QTest::newRow("closed before") << true;
        QTest::newRow("closed before it has come home") << false;
    }

    void whatComesFromAThreadWhenTheLoopHasGoneIsDropped()
    {
        QFETCH(bool, closed);
        auto loop = std::make_unique<QAsyncioLoop>(virtual_time());
        const Reports reports(*loop);
        detail::LoopCore &core = loop->core();
        core.retain();
        const auto token = std::make_shared<int>();
        std::coroutine_handle<> waiting;
        loop->create_task(await_token(waiting, token));
        run_ready(*loop);
        if (closed)
            loop.reset();
        std::thread([&] { waiting.resume(); }).join();
        if (!closed)
            loop->close();
        loop.reset();
        QCOMPARE(token.use_count(), 1L);
        QCOMPARE(core.references(), 1);
        core.release();
    }

    void anAwaitableThatCannotBeMovedIsAnError()
    {
        QAsyncioLoop loop(virtual_time());
        detail::LoopCore &core = loop.core();
        const auto before = core.references();
        const auto body = []() -> Coroutine<QString> { co_return co_await error_of_brittle(); };
        QCOMPARE(loop.run_until_complete(body()), u"ValueError: broken on the way"_s);
        QCOMPARE(core.references(), before);
        loop.close();
    }

    void itMayFailAfterTheContextObjectDied()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const Reports reports(loop);
            const auto event = std::make_shared<ForeignEvent>();
            auto object = std::make_unique<QObject>();
            Task<int> task = create_task(await_event(event), TaskOptions().context(object.get()));
            co_await turns(1);
            object.reset();
            QASYNCIO_COMPARE(task.cancelled(), true);
            event->fire(-1);
            co_await turns(2);
            QASYNCIO_COMPARE(reports.list().join(u' '), QString()); // as after a cancellation
        });
    }
};

QTEST_GUILESS_MAIN(tst_foreign)
#include "tst_foreign.moc"
