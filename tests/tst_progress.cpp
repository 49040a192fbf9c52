// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qthreadpool.h>

#include <algorithm>
#include <future>
#include <memory>
#include <thread>

namespace {

int count_to(const Progress<int> &progress, int last)
{
    for (int i = 1; i <= last; ++i)
        progress.report(i);
    return last;
}

/// Waits for the functions in threads, which refer to the locals of a test.
Coroutine<> all_threads()
{
    return get_running_loop().shutdown_default_executor();
}

} // namespace

/// to_thread_with_progress().
class tst_progress : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void theLastValueComesBeforeTheResult()
    {
        Test::run([&]() -> Coroutine<> {
            for (int last = 1; last < 200; ++last) {
                QList<int> shown;
                const auto show = [&shown](int value) { shown << value; };
                QASYNCIO_COMPARE(co_await to_thread_with_progress<int>(count_to, show, last), last);
                QASYNCIO_COMPARE(shown.last(), last);
                QASYNCIO_VERIFY(std::is_sorted(shown.begin(), shown.end()));
            }
        });
    }

    void aFunctionThatReportsNothing()
    {
        Test::run([&]() -> Coroutine<> {
            int calls = 0;
            const auto show = [&calls](int) { ++calls; };
            QASYNCIO_COMPARE(co_await to_thread_with_progress<int>(count_to, show, 0), 0);
            QASYNCIO_COMPARE(calls, 0);
            const auto work = [](Progress<int>) { };
            co_await to_thread_with_progress<int>(work, show);
            QASYNCIO_COMPARE(calls, 0);
        });
    }

    void eachValueThatThereIsTimeForIsShown()
    {
        Test::run([&]() -> Coroutine<> {
            std::atomic<int> seen{0};
            QList<int> shown;
            const auto work = [&seen](const Progress<int> &progress) {
                for (int i = 1; i <= 100; ++i) {
                    progress.report(i);
                    while (seen < i)
                        std::this_thread::yield();
                }
            };
            const auto show = [&](int value) {
                shown << value;
                seen = value;
            };
            co_await to_thread_with_progress<int>(work, show);
            QASYNCIO_COMPARE(shown.size(), 100);
        });
    }

    void aTaskThatIsBusySeesTheNewestValueOnly()
    {
        Test::run([&]() -> Coroutine<> {
            std::promise<void> reported;
            QList<int> shown;
            const auto work = [&reported](const Progress<int> &progress) {
                count_to(progress, 100'000);
                reported.set_value();
            };
            const auto show = [&shown](int value) { shown << value; };
            Task<> working = create_task(to_thread_with_progress<int>(work, show));
            co_await sleep(0s);
            reported.get_future().wait(); // the loop stands still meanwhile
            co_await working;
            co_await all_threads();
            QASYNCIO_VERIFY(shown.size() <= 2);
            QASYNCIO_COMPARE(shown.last(), 100'000);
        });
    }

    void theValuesComeInTheAwaitingTasksLoop()
    {
        Test::run([&]() -> Coroutine<> {
            QThread *const here = QThread::currentThread();
            const AnyTask self = current_task();
            int wrong = 0;
            const auto work = [here](const Progress<QString> &progress) {
                progress.report(u"a text"_s);
                return QThread::currentThread() != here;
            };
            const auto show = [&](const QString &text) {
                if (QThread::currentThread() != here || current_task() != self || text != u"a text")
                    ++wrong;
            };
            const bool elsewhere = co_await to_thread_with_progress<QString>(work, show);
            QASYNCIO_VERIFY(elsewhere);
            QASYNCIO_COMPARE(wrong, 0);
        });
    }

    void anExceptionComesBehindTheLastValue()
    {
        Test::run([&]() -> Coroutine<> {
            QList<int> shown;
            const auto work = [](const Progress<int> &progress) {
                progress.report(1);
                throw ValueError(u"as intended"_s);
            };
            const auto show = [&shown](int value) { shown << value; };
            QASYNCIO_COMPARE(co_await error_of(to_thread_with_progress<int>(work, show)),
                             u"ValueError: as intended"_s);
            QASYNCIO_COMPARE(shown, QList<int>{1});
        });
    }

    void whatShowThrowsEndsItAll()
    {
        Test::run([&]() -> Coroutine<> {
            std::promise<void> stopped;
            const auto work = [&stopped](const std::stop_token &stop,
                                         const Progress<int> &progress) {
                progress.report(1);
                while (!stop.stop_requested())
                    std::this_thread::yield();
                progress.report(2);
                stopped.set_value();
            };
            QList<int> shown;
            const auto show = [&shown](int value) {
                shown << value;
                throw ValueError(u"no window"_s);
            };
            QASYNCIO_COMPARE(co_await error_of(to_thread_with_progress<int>(work, show)),
                             u"ValueError: no window"_s);
            stopped.get_future().wait();
            co_await turns(5);
            co_await all_threads();
            QASYNCIO_COMPARE(shown, QList<int>{1});
        });
    }

    void afterACancellationNothingIsShown()
    {
        for (const bool by_object : {false, true}) {
            Test::run([&]() -> Coroutine<> {
                auto object = std::make_unique<QObject>();
                std::promise<void> stopped;
                std::atomic<bool> seen{false};
                const auto work = [&](const std::stop_token &stop, const Progress<int> &progress) {
                    progress.report(1);
                    while (!stop.stop_requested() || !seen)
                        std::this_thread::yield();
                    progress.report(2);
                    stopped.set_value();
                };
                QList<int> shown;
                const auto show = [&](int value) {
                    shown << value;
                    seen = true;
                };
                Task<> working = create_task(to_thread_with_progress<int>(work, show),
                                             TaskOptions().context(object.get()));
                while (!seen)
                    co_await sleep(0s);
                if (by_object)
                    object.reset();
                else
                    working.cancel();
                co_await error_of(working);
                stopped.get_future().wait();
                co_await turns(5);
                co_await all_threads();
                QASYNCIO_COMPARE(shown, QList<int>{1});
            });
        }
    }

    // The value is there, but the cancellation is, too.
    void aValueThatWaitsIsNotShownToOneThatIsCancelled()
    {
        Test::run([&]() -> Coroutine<> {
            std::promise<void> reported, go;
            QList<int> shown;
            const auto work = [&](const Progress<int> &progress) {
                progress.report(1);
                reported.set_value();
                go.get_future().wait();
            };
            const auto show = [&shown](int value) { shown << value; };
            Task<> working = create_task(to_thread_with_progress<int>(work, show));
            co_await sleep(0s);
            reported.get_future().wait();
            working.cancel();
            co_await error_of(working);
            go.set_value();
            co_await all_threads();
            co_await turns(3);
            QASYNCIO_COMPARE(shown, QList<int>());
        });
    }

    void afterTheResultNothingIsShown()
    {
        Test::run([&]() -> Coroutine<> {
            Progress<int> kept;
            QList<int> shown;
            const auto work = [&kept](Progress<int> progress) {
                progress.report(1);
                kept = progress;
            };
            const auto show = [&shown](int value) { shown << value; };
            co_await to_thread_with_progress<int>(work, show);
            kept.report(2);
            co_await turns(5);
            QASYNCIO_COMPARE(shown, QList<int>{1});
        });
    }

    void aProgressOutlivesItsLoop()
    {
        Progress<int> kept;
        const auto work = [&kept](Progress<int> progress) { kept = progress; };
        const auto show = [](int) { };
        {
            QAsyncioLoop loop(virtual_time());
            loop.run_until_complete(to_thread_with_progress<int>(work, show));
            loop.close();
        }
        kept.report(1);
        Progress<int>().report(1); // nobody hears of this either
    }

    void valuesMayBeMoveOnly()
    {
        Test::run([&]() -> Coroutine<> {
            int last = 0;
            const auto work = [](const Progress<std::unique_ptr<int>> &progress) {
                for (int i = 1; i <= 1000; ++i)
                    progress.report(std::make_unique<int>(i));
            };
            const auto show = [&last](std::unique_ptr<int> value) { last = *value; };
            co_await to_thread_with_progress<std::unique_ptr<int>>(work, show);
            QASYNCIO_COMPARE(last, 1000);
        });
    }

    void severalThreadsMayReport()
    {
        Test::run([&]() -> Coroutine<> {
            int calls = 0;
            const auto work = [](const Progress<int> &progress) {
                const std::jthread other([&] { count_to(progress, 10'000); });
                count_to(progress, 10'000);
            };
            const auto show = [&calls](int) { ++calls; };
            co_await to_thread_with_progress<int>(work, show);
            QASYNCIO_VERIFY(calls > 0);
        });
    }

    void theFunctionSeesTheCallersContext()
    {
        static ContextVar<int> var(u"var"_s, 0);
        Test::run([&]() -> Coroutine<> {
            var.set(5);
            const auto work = [](const Progress<int> &) { return var.get(); };
            const auto show = [](int) { };
            QASYNCIO_COMPARE(co_await to_thread_with_progress<int>(work, show), 5);
        });
    }

    void itCanBeEndedAnywhere()
    {
        Test::tear_down([]() -> Coroutine<> {
            const auto work = [](const std::stop_token &stop, const Progress<int> &progress) {
                for (int i = 0; i < 100 && !stop.stop_requested(); ++i)
                    progress.report(i);
            };
            const auto show = [](int) { };
            co_await to_thread_with_progress<int>(work, show);
        });
    }
};

QTEST_GUILESS_MAIN(tst_progress)
#include "tst_progress.moc"
