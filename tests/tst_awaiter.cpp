// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qstringlist.h>

#include <functional>
#include <memory>

namespace {

/// Calls one listener, when it is told to.
class Metronome
{
public:
    void tick()
    {
        if (const auto once = std::exchange(listener, nullptr))
            once();
    }
    std::function<void()> listener;
    QStringList log; // what has happened to the ticks
};

enum class Cancelling { Stops, Refuses, Resumes };

/// Awaits a tick. Writes down what happens to it.
class Tick : public AwaiterBase
{
public:
    explicit Tick(Metronome &metronome, Cancelling cancelling = Cancelling::Stops)
        : m_metronome(metronome), m_log(metronome.log), m_cancelling(cancelling)
    { }
    Tick(Tick &&) noexcept = default;
    ~Tick()
    {
        if (task())
            m_log << "left";
        if (task() && m_metronome.listener)
            m_metronome.listener = nullptr;
    }

    bool await_ready() const { return false; }
    void await_suspend()
    {
        m_log << "waits";
        m_metronome.listener = [this] { resume(); };
    }
    int await_resume()
    {
        m_log << "ticked";
        return 42;
    }
    bool await_cancel(const QString &message) override
    {
        m_log << "cancelled";
        if (m_cancelling == Cancelling::Refuses)
            return false;
        m_metronome.listener = nullptr;
        if (m_cancelling == Cancelling::Stops)
            return resume_cancelled(message);
        resume();
        return true;
    }
    QString await_description() const override { return QStringLiteral("<a tick>"); }

private:
    Metronome &m_metronome;
    QStringList &m_log;
    Cancelling m_cancelling;
};

/// Nothing to wait for.
class Ready : public AwaiterBase
{
public:
    bool await_ready() const { return true; }
    void await_suspend() { QFAIL("suspended"); }
    std::unique_ptr<int> await_resume() { return std::make_unique<int>(7); }
    bool await_cancel(const QString &) override { return false; }
    QString await_description() const override { return {}; }
};

/// Goes on in the next turn; or does not get so far.
class NextTurn : public AwaiterBase
{
public:
    explicit NextTurn(bool fails = false) : m_fails(fails) { }
    bool await_ready() const { return false; }
    void await_suspend()
    {
        if (m_fails)
            throw ValueError(QStringLiteral("no turn"));
        resume();
        resume(); // nobody minds
    }
    void await_resume() const { }
    bool await_cancel(const QString &) override { return false; }
    QString await_description() const override { return {}; }

private:
    bool m_fails;
};

/// Ends with what it is told when it is told of a cancellation that came too late.
class Discards : public NextTurn
{
public:
    explicit Discards(QStringList &log) : m_log(log) { }
    void await_discard() const { m_log << "discarded"; }

private:
    QStringList &m_log;
};

struct NotMovable : AwaiterBase
{
    NotMovable(NotMovable &&) = delete;
    bool await_ready() const;
    void await_suspend();
    void await_resume();
    bool await_cancel(const QString &) override;
    QString await_description() const override;
};
struct WithoutCancel : AwaiterBase
{
    bool await_ready() const;
    void await_suspend();
    void await_resume();
};
static_assert(Awaiter<Tick> && Awaiter<Ready> && Awaiter<Discards>);
static_assert(!Awaiter<NotMovable> && !Awaiter<WithoutCancel> && !Awaiter<AwaiterBase>
              && !Awaiter<int>);

Coroutine<int> tick(Metronome &metronome, Cancelling cancelling = Cancelling::Stops)
{
    co_return co_await Tick(metronome, cancelling);
}

/// A task that waits for a tick.
Coroutine<Task<int>> begin_tick(Metronome &metronome, Cancelling cancelling = Cancelling::Stops)
{
    auto task = create_task(tick(metronome, cancelling));
    co_await sleep(0s);
    co_return task;
}

/// What the await of a task throws, or its result.
Coroutine<QString> outcome_of(Task<int> task)
{
    std::exception_ptr thrown;
    int result = 0;
    try {
        result = co_await task;
    } catch (...) {
        thrown = std::current_exception();
    }
    if (thrown)
        co_return describe(thrown);
    co_return QString::number(result);
}

} // namespace

/// Classes of a program's own that coroutines can await.
class tst_awaiter : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void isResumedThroughTheLoop()
    {
        Test::run([]() -> Coroutine<> {
            Metronome metronome;
            auto task = co_await begin_tick(metronome);
            QASYNCIO_COMPARE(metronome.log, QStringList({"waits"}));
            metronome.tick();
            QASYNCIO_COMPARE(metronome.log, QStringList({"waits"})); // not inside of the tick
            QASYNCIO_COMPARE(co_await task, 42);
            QASYNCIO_COMPARE(metronome.log, QStringList({"waits", "ticked", "left"}));
        });
    }

    void theTaskSaysWhatItWaitsFor()
    {
        Test::run([]() -> Coroutine<> {
            Metronome metronome;
            auto task = co_await begin_tick(metronome);
            QASYNCIO_VERIFY(task.to_string().endsWith(" wait_for=<a tick>>"));
            metronome.tick();
            co_await task;
            QASYNCIO_VERIFY(!task.to_string().contains("wait_for"));
            auto silent = create_task([]() -> Coroutine<> { co_await NextTurn(); });
            QASYNCIO_VERIFY(!silent.to_string().contains("wait_for"));
            co_await silent;
        });
    }

    void cancellingStopsIt()
    {
        Test::run([]() -> Coroutine<> {
            Metronome metronome;
            auto task = co_await begin_tick(metronome);
            QASYNCIO_VERIFY(task.cancel(u"enough"_s));
            // before it has gone on: not asked again
            QASYNCIO_VERIFY(task.cancel(u"more than that"_s));
            const QString outcome = co_await outcome_of(task);
            QASYNCIO_COMPARE(outcome, u"CancelledError: enough"_s);
            QASYNCIO_COMPARE(metronome.log, QStringList({"waits", "cancelled", "left"}));
            QASYNCIO_COMPARE(task.cancelling(), 2);
        });
    }

    void cancellingOneThatCannotBeStoppedIsHeardWhenItGoesOn()
    {
        Test::run([]() -> Coroutine<> {
            Metronome metronome;
            auto task = co_await begin_tick(metronome, Cancelling::Refuses);
            task.cancel(u"enough"_s);
            co_await sleep(0s);
            QASYNCIO_VERIFY(!task.done());
            metronome.tick();
            const QString outcome = co_await outcome_of(task);
            QASYNCIO_COMPARE(outcome, u"CancelledError: enough"_s);
            // what it would give is not asked for
            QASYNCIO_COMPARE(metronome.log, QStringList({"waits", "cancelled", "left"}));
        });
    }

    void oneThatIsResumedInsteadAnswersByItself()
    {
        Test::run([]() -> Coroutine<> {
            Metronome metronome;
            auto task = co_await begin_tick(metronome, Cancelling::Resumes);
            task.cancel();
            QASYNCIO_COMPARE(co_await task, 42);
            QASYNCIO_COMPARE(metronome.log, QStringList({"waits", "cancelled", "ticked", "left"}));
        });
    }

    void aCancellationThatComesWhenItWasResumedIsHeard()
    {
        Test::run([]() -> Coroutine<> {
            Metronome metronome;
            auto task = co_await begin_tick(metronome);
            metronome.tick();
            task.cancel(u"late"_s);
            const QString outcome = co_await outcome_of(task);
            QASYNCIO_COMPARE(outcome, u"CancelledError: late"_s);
            QASYNCIO_COMPARE(metronome.log, QStringList({"waits", "left"}));
        });
    }

    void aCancellationOfBeforeGoesToWhatIsAwaitedNext()
    {
        Test::run([]() -> Coroutine<> {
            Metronome metronome;
            auto task = create_task([&]() -> Coroutine<int> {
                current_task().cancel(u"myself"_s);
                const int result = co_await Tick(metronome);
                co_return result;
            });
            const QString outcome = co_await outcome_of(task);
            QASYNCIO_COMPARE(outcome, u"CancelledError: myself"_s);
            QASYNCIO_COMPARE(metronome.log, QStringList({"waits", "cancelled", "left"}));
        });
    }

    void oneThatHasAskedNothingMayDiscard()
    {
        Test::run([]() -> Coroutine<> {
            QStringList log;
            auto task = create_task([&]() -> Coroutine<int> {
                current_task().cancel();
                co_await Discards(log);
                co_return 1;
            });
            const QString outcome = co_await outcome_of(task);
            QASYNCIO_COMPARE(outcome, u"CancelledError"_s);
            QASYNCIO_COMPARE(log, QStringList({"discarded"}));
        });
    }

    void aCancellationThatIsTakenBackIsStillTheEndOfTheWait()
    {
        Test::run([]() -> Coroutine<> {
            Metronome metronome;
            auto task = co_await begin_tick(metronome);
            task.cancel(u"enough"_s);
            QASYNCIO_COMPARE(task.uncancel(), 0);
            const QString outcome = co_await outcome_of(task);
            // nothing is there that could be given instead
            QASYNCIO_COMPARE(outcome, u"CancelledError: enough"_s);
        });
    }

    void theTaskMayGoOnAfterwards()
    {
        Test::run([]() -> Coroutine<> {
            Metronome metronome;
            auto task = create_task([&]() -> Coroutine<int> {
                try {
                    co_await Tick(metronome);
                } catch (const CancelledError &) {
                    metronome.log << "caught";
                }
                const int result = co_await Tick(metronome);
                co_return result;
            });
            co_await sleep(0s);
            task.cancel();
            co_await sleep(0s);
            QASYNCIO_COMPARE(metronome.log,
                             QStringList({"waits", "cancelled", "left", "caught", "waits"}));
            metronome.tick();
            QASYNCIO_COMPARE(co_await task, 42);
        });
    }

    void whatIsReadyDoesNotSuspend()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            bool turned = false;
            loop.call_soon([&] { turned = true; });
            const std::unique_ptr<int> result = co_await Ready();
            QASYNCIO_COMPARE(*result, 7);
            QASYNCIO_VERIFY(!turned);
            co_await NextTurn();
            QASYNCIO_VERIFY(turned);
        });
    }

    void whatItsBeginningThrowsIsThrownAtTheAwait()
    {
        Test::run([]() -> Coroutine<> {
            QASYNCIO_THROWS(co_await NextTurn(true), ValueError);
            co_await sleep(0s); // and the task is as it was
            auto task = create_task([]() -> Coroutine<> {
                try {
                    co_await NextTurn(true);
                } catch (const ValueError &) {
                }
                co_await sleep(1h);
            });
            co_await sleep(0s);
            task.cancel();
            QASYNCIO_THROWS(co_await task, CancelledError);
        });
    }

    void aNamedOneIsMovedFrom()
    {
        Test::run([]() -> Coroutine<> {
            Metronome metronome;
            auto task = create_task([&]() -> Coroutine<int> {
                Tick named(metronome);
                const int result = co_await named;
                co_return result;
            });
            co_await sleep(0s);
            metronome.tick();
            QASYNCIO_COMPARE(co_await task, 42);
            QASYNCIO_COMPARE(metronome.log, QStringList({"waits", "ticked", "left"}));
        });
    }

    void everythingThatTakesAnAwaitableTakesIt()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            Metronome metronome;
            QASYNCIO_THROWS(co_await wait_for(Tick(metronome), 1s), TimeoutError);
            QASYNCIO_VERIFY(!metronome.listener);
            loop.call_later(1s, [&] { metronome.tick(); });
            const auto [number, nothing] = co_await gather(Tick(metronome), NextTurn());
            Q_UNUSED(nothing);
            QASYNCIO_COMPARE(number, 42);
            loop.call_later(1s, [&] { metronome.tick(); });
            QASYNCIO_COMPARE(co_await ensure_future(Tick(metronome)), 42);
            const auto in_a_generator = [&]() -> AsyncGenerator<int> {
                const int first = co_await Tick(metronome);
                co_yield first;
            };
            auto generator = in_a_generator();
            loop.call_later(1s, [&] { metronome.tick(); });
            const auto value = co_await generator.next();
            QASYNCIO_COMPARE(*value, 42);
        });
    }

    void unwindingDestroysItAndNothingElse()
    {
        Metronome metronome;
        QAsyncioLoop loop(virtual_time());
        auto object = std::make_unique<QObject>();
        auto task = loop.create_task(tick(metronome), TaskOptions().context(object.get()));
        run_once(loop);
        object.reset();
        QCOMPARE(metronome.log, QStringList({"waits", "left"}));
        QVERIFY(!metronome.listener);
        QVERIFY(task.cancelled());
        auto pending = loop.create_task(tick(metronome));
        run_once(loop);
        loop.set_exception_handler([](QAsyncioLoop &, const ExceptionContext &) { });
        metronome.log.clear();
        loop.close();
        QCOMPARE(metronome.log, QStringList({"left"}));
        QVERIFY(pending.cancelled());
    }

    void itEndsAtEveryStep()
    {
        Test::tear_down([](QAsyncioLoop &loop) -> Coroutine<> {
            // a tick that is on its way keeps it
            const auto metronome = std::make_shared<Metronome>();
            co_await NextTurn();
            loop.call_soon([metronome] { metronome->tick(); });
            co_await Tick(*metronome);
            loop.call_soon([metronome] { metronome->tick(); });
            const auto timed = [&](Timeout &) -> Coroutine<> { co_await Tick(*metronome); };
            co_await timeout(1s, timed);
        });
    }
};

QTEST_GUILESS_MAIN(tst_awaiter)
#include "tst_awaiter.moc"
