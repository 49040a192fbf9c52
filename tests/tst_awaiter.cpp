// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qeventloop.h>
#include <QtCore/qstringlist.h>
#include <QtCore/qvariant.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

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
        if (!is_waiting())
            return;
        m_log << "left";
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

/// Does what it is told to, when it begins to wait and when it is to stop.
class Scripted : public AwaiterBase
{
public:
    using Suspend = std::function<void(Scripted &)>;
    using Cancel = std::function<bool(Scripted &, const QString &)>;

    explicit Scripted(Cancel cancel, Suspend suspend = {})
        : m_cancel(std::move(cancel)), m_suspend(std::move(suspend))
    { }

    bool await_ready() const { return false; }
    void await_suspend()
    {
        if (m_suspend)
            m_suspend(*this);
    }
    int await_resume() const { return 1; }
    bool await_cancel(const QString &message) override { return m_cancel(*this, message); }
    QString await_description() const override { return QStringLiteral("<script>"); }

    using AwaiterBase::is_waiting;
    using AwaiterBase::resume;
    using AwaiterBase::resume_cancelled;

private:
    Cancel m_cancel;
    Suspend m_suspend;
};

/// An event loop, in which `functions` are called, one in each pass of Qt.
void pump(std::vector<std::function<void()>> functions)
{
    QEventLoop loop;
    std::function<void(std::size_t)> next = [&](std::size_t i) {
        if (i == functions.size())
            return loop.quit();
        functions[i]();
        QMetaObject::invokeMethod(&loop, [&next, i] { next(i + 1); }, Qt::QueuedConnection);
    };
    QMetaObject::invokeMethod(&loop, [&next] { next(0); }, Qt::QueuedConnection);
    loop.exec();
}

/// Awaits `script`, and then sleeps for an hour, which nobody may end.
Coroutine<QString> await_and_sleep(Scripted script)
{
    QString how = QStringLiteral("resumed");
    try {
        static_cast<void>(co_await std::move(script));
    } catch (const CancelledError &error) {
        how = error.message();
    }
    const TimePoint begin = get_running_loop().time();
    co_await sleep(1h);
    if (get_running_loop().time() - begin < 1h)
        how += QStringLiteral(", and woken early");
    co_return how;
}

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
template<class T>
Coroutine<QString> outcome_of(Task<T> task)
{
    std::exception_ptr thrown;
    QString result;
    try {
        result = QVariant(co_await task).toString();
    } catch (...) {
        thrown = std::current_exception();
    }
    co_return thrown ? describe(thrown) : result;
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
            QASYNCIO_COMPARE(metronome.log, QStringList({"waits", "ticked"}));
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
            QASYNCIO_COMPARE(metronome.log, QStringList({"waits", "cancelled"}));
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
            QASYNCIO_COMPARE(metronome.log, QStringList({"waits", "cancelled"}));
        });
    }

    void oneThatIsResumedInsteadAnswersByItself()
    {
        Test::run([]() -> Coroutine<> {
            Metronome metronome;
            auto task = co_await begin_tick(metronome, Cancelling::Resumes);
            task.cancel();
            QASYNCIO_COMPARE(co_await task, 42);
            QASYNCIO_COMPARE(metronome.log, QStringList({"waits", "cancelled", "ticked"}));
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
            QASYNCIO_COMPARE(metronome.log, QStringList({"waits"}));
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
            QASYNCIO_COMPARE(metronome.log, QStringList({"waits", "cancelled"}));
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
            QASYNCIO_COMPARE(metronome.log, QStringList({"waits", "cancelled", "caught", "waits"}));
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
            QASYNCIO_COMPARE(metronome.log, QStringList({"waits", "ticked"}));
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

    /// Who stops what it waits for is often told at once that it has ended.
    void oneThatIsResumedAndThenCancelledGoesOnOnce()
    {
        Test::run([]() -> Coroutine<> {
            const auto both = [](Scripted &self, const QString &message) {
                self.resume();
                return self.resume_cancelled(message);
            };
            Scripted script(both);
            auto task = create_task(await_and_sleep(std::move(script)));
            co_await sleep(0s);
            task.cancel(u"enough"_s);
            QASYNCIO_COMPARE(co_await task, u"enough"_s);
        });
    }

    void toStopMayEndTheObjectOfTheTask()
    {
        QStringList log;
        Test::run([&]() -> Coroutine<> {
            auto object = std::make_unique<QObject>();
            const auto stop = [&](Scripted &self, const QString &message) {
                object.reset();
                log << (self.is_waiting() ? "still there" : "gone");
                return self.resume_cancelled(message);
            };
            Scripted script(stop);
            auto task = create_task(await_and_sleep(std::move(script)),
                                    TaskOptions().context(object.get()));
            co_await sleep(0s);
            task.cancel();
            QASYNCIO_VERIFY(task.cancelled()); // it was unwound as soon as that had returned
            co_await sleep(0s);
        });
        QCOMPARE(log, QStringList({"still there"}));
    }

    void toStopMayEndTheTaskThatAwaitsThisOne()
    {
        Test::run([]() -> Coroutine<> {
            auto object = std::make_unique<QObject>();
            const auto stop = [&](Scripted &, const QString &) {
                object.reset();
                return false;
            };
            const auto outer = [&]() -> Coroutine<> {
                Scripted script(stop);
                co_await create_task(await_and_sleep(std::move(script)));
            };
            auto task = create_task(outer(), TaskOptions().context(object.get()));
            co_await sleep(0s);
            co_await sleep(0s);
            task.cancel();
            QASYNCIO_VERIFY(task.cancelled());
            co_await sleep(0s);
        });
    }

    void toStopMayOpenAnEventLoopInWhichItIsResumed()
    {
        Test::run([]() -> Coroutine<> {
            bool is_there = false;
            const auto stop = [&](Scripted &self, const QString &) {
                pump({[&] { self.resume(); }, [] {}, [] {}, [] {}});
                is_there = self.is_waiting(); // the task has not gone on meanwhile
                return true;
            };
            Scripted script(stop);
            auto task = create_task(await_and_sleep(std::move(script)));
            co_await sleep(0s);
            task.cancel(u"enough"_s);
            QASYNCIO_VERIFY(is_there);
            QASYNCIO_COMPARE(co_await task, u"resumed"_s);
        });
    }

    void toBeginMayOpenAnEventLoopInWhichItIsResumedAndCancelled()
    {
        Test::run([]() -> Coroutine<> {
            AnyTask waiting;
            bool asked = false;
            const auto stop = [&](Scripted &self, const QString &message) {
                asked = true;
                return self.resume_cancelled(message);
            };
            const auto begin = [&](Scripted &self) {
                pump({[&] { self.resume(); }, [] {}, [] {}, [&] { waiting.cancel(u"enough"_s); },
                      [] {}});
            };
            Scripted script(stop, begin);
            auto task = create_task(await_and_sleep(std::move(script)));
            waiting = task;
            QASYNCIO_COMPARE(co_await task, u"enough"_s);
            QASYNCIO_VERIFY(!asked); // it had been resumed
        });
    }

    void whatToStopThrowsIsThrownByCancel()
    {
        Test::run([]() -> Coroutine<> {
            Scripted *waiting = nullptr;
            const auto stop = [](Scripted &, const QString &) -> bool {
                throw ValueError(u"no"_s);
            };
            const auto begin = [&](Scripted &self) { waiting = &self; };
            Scripted script(stop, begin);
            auto task = create_task(await_and_sleep(std::move(script)));
            co_await sleep(0s);
            QASYNCIO_COMPARE(error_in([&] { task.cancel(u"enough"_s); }), u"ValueError: no"_s);
            QASYNCIO_COMPARE(task.cancelling(), 1);
            waiting->resume();
            QASYNCIO_COMPARE(co_await task, u"enough"_s); // the request stands
        });
    }

    void whatToStopThrowsIsThrownAtAnAwaitThatComesLater()
    {
        Test::run([]() -> Coroutine<> {
            const auto stop = [](Scripted &, const QString &) -> bool {
                throw ValueError(u"no"_s);
            };
            const auto inner = [&]() -> Coroutine<> {
                Scripted script(stop);
                static_cast<void>(co_await std::move(script));
            };
            const auto outer = [&]() -> Coroutine<QString> {
                current_task().cancel(u"enough"_s);
                const QString error = co_await error_of(inner());
                const QString text = current_task().to_string(); // nobody is asked who has gone
                co_return text.contains(u"<script>"_s) ? text : error;
            };
            auto task = create_task(outer());
            const QString result = co_await outcome_of(task);
            QASYNCIO_COMPARE(result, u"CancelledError: enough"_s); // at its end, as asyncio has it
        });
    }

    void whatIsThrownBehindResumeIsReported()
    {
        QStringList reports;
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            loop.set_exception_handler([&](QAsyncioLoop &, const ExceptionContext &context) {
                reports << describe(context.exception);
            });
            const auto begin = [](Scripted &self) {
                self.resume();
                throw ValueError(u"too late"_s);
            };
            const auto stop = [](Scripted &, const QString &) { return false; };
            Scripted script(stop, begin);
            QASYNCIO_COMPARE(co_await await_and_sleep(std::move(script)), u"resumed"_s);
            loop.set_exception_handler({});
        });
        QCOMPARE(reports, QStringList({"ValueError: too late"}));
    }

    /// It lives to the end of the expression that it is awaited in.
    void whatResumesItLaterDoesNothing()
    {
        Test::run([](QAsyncioLoop &loop) -> Coroutine<> {
            Scripted *awaiter = nullptr;
            const auto begin = [&](Scripted &self) {
                awaiter = &self;
                self.resume();
            };
            const auto stop = [](Scripted &, const QString &) { return false; };
            loop.call_later(1s, [&] { awaiter->resume(); });
            const TimePoint before = loop.time();
            Scripted script(stop, begin);
            const auto add = [](int a, int b) { return a + b; };
            const int sum = add(co_await std::move(script), co_await sleep(1h, 1));
            QASYNCIO_COMPARE(sum, 2);
            QASYNCIO_VERIFY(loop.time() - before >= 1h);
        });
    }

    void aTaskThatSleepsForNoTimeIsCancelledWhenItsObjectHasDied()
    {
        Test::run([]() -> Coroutine<> {
            auto object = std::make_unique<QObject>();
            const auto never_rests = []() -> Coroutine<> {
                for (;;)
                    co_await sleep(0s);
            };
            auto older = create_task(never_rests(), TaskOptions().context(object.get()));
            const auto ends_it = [&]() -> Coroutine<> {
                object.reset();
                pump({[] {}, [] {}, [&] { older.cancel(); }, [] {}});
                co_await sleep(0s);
            };
            auto younger = create_task(ends_it(), TaskOptions().context(object.get()));
            QASYNCIO_THROWS(co_await younger, CancelledError);
            QASYNCIO_VERIFY(older.cancelled());
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
