// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <QtCore/qthread.h>
#include <QtCore/qtimer.h>

#include <atomic>
#include <csignal>
#include <future>
#include <thread>

namespace {
Coroutine<int> count_to(int n)
{
    int sum = 0;
    for (int i = 1; i <= n; ++i) {
        co_await sleep(1us);
        sum += i;
    }
    co_return sum;
}

/// A QThread that runs a function. ThreadSanitizer does not see that QThread::wait() waits; a
/// promise it does.
class Worker
{
public:
    template<class F>
    explicit Worker(F body)
        : m_thread(QThread::create([this, body] {
              body();
              m_ended.set_value();
          }))
    { }

    QThread *operator->() const { return m_thread.get(); }
    bool join()
    {
        m_ended.get_future().wait();
        return m_thread->wait(60000);
    }

private:
    std::promise<void> m_ended;
    const std::unique_ptr<QThread> m_thread;
};
} // namespace

/// Loops in other threads than the main one.
class tst_threads : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // H-50
    void aLoopInAQThread()
    {
        int result = 0;
        Worker thread([&] { result = QAsyncio::run(count_to(5)); });
        thread->start();
        QVERIFY(thread.join());
        QCOMPARE(result, 15);
    }

    // H-51
    void twoLoopsEachStopEndsItsOwn()
    {
        QAsyncioLoop main_loop;
        std::atomic<QAsyncioLoop *> other{nullptr};
        std::atomic<bool> other_ended{false};
        Worker thread([&] {
            QAsyncioLoop loop;
            other = &loop;
            loop.run_forever();
            other_ended = true;
            main_loop.call_soon_threadsafe([&] { main_loop.stop(); });
            loop.close();
        });
        bool main_saw_it = false;
        main_loop.call_soon([&] {
            thread->start();
            while (!other)
                std::this_thread::yield();
            QVERIFY(!other_ended);
            QVERIFY(&get_running_loop() == &main_loop);
            other.load()->call_soon_threadsafe([&] {
                QCOMPARE(&get_running_loop(), other.load());
                get_running_loop().stop();
            });
            main_loop.call_later(1h, [] { });
        });
        main_loop.run_forever();
        main_saw_it = other_ended;
        QVERIFY(main_saw_it);
        QVERIFY(thread.join());
        main_loop.close();
    }

    // H-52
    void aLoopInAThreadThatQtDidNotMake()
    {
        int result = 0;
        bool reader = false;
        std::thread([&] {
            QAsyncioLoop loop;
            Pipe pipe;
            pipe.fill();
            loop.add_reader(pipe.read_end(), [&] {
                pipe.drain_one();
                reader = true;
            });
            result = loop.run_until_complete(count_to(4));
            loop.close();
        }).join();
        QCOMPARE(result, 10);
        QVERIFY(reader);
    }

    // H-50
    void aLoopAttachedInAQThreadsExec()
    {
        class Thread : public QThread
        {
        public:
            int result = 0;

        protected:
            void run() override
            {
                QAsyncioLoop loop;
                loop.attach();
                auto task = loop.create_task(count_to(3));
                task.add_done_callback([&](const Future<int> &done) {
                    result = done.result();
                    quit();
                });
                exec();
                loop.detach();
                loop.close();
            }
        };
        Thread thread;
        thread.start();
        QVERIFY(thread.wait(60000));
        QCOMPARE(thread.result, 6);
    }

    // H-51
    void aLoopOfAnotherThreadIsRefused()
    {
        QAsyncioLoop loop;
        QString error;
        std::thread([&] { error = error_in([&] { loop.run_forever(); }); }).join();
        QCOMPARE(error, "RuntimeError: The event loop belongs to another thread");
        loop.close();
    }

    // H-50
    void quitOfTheThreadEndsItsRun()
    {
        std::atomic<bool> running{false};
        std::promise<void> quit_returned;
        QString error;
        Worker thread([&] {
            QAsyncioLoop loop;
            loop.call_soon([&] { running = true; });
            error = error_in(
                [&] { loop.run_until_complete([]() -> Coroutine<> { co_await sleep(1h); }()); });
            loop.close();
            // Qt keeps a thread from ending inside its quit() with a mutex that ThreadSanitizer
            // does not see.
            quit_returned.get_future().wait();
        });
        thread->start();
        while (!running)
            std::this_thread::yield();
        thread->quit();
        quit_returned.set_value();
        QVERIFY(thread.join());
        QCOMPARE(error, "RuntimeError: Event loop stopped before Future completed.");
    }

    // H-52
    void fourLoopsAtOnce()
    {
        std::vector<std::thread> threads;
        std::atomic<int> sum{0};
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] { sum += QAsyncio::run(count_to(100)); });
        for (std::thread &thread : threads)
            thread.join();
        QCOMPARE(sum.load(), 4 * 5050);
    }

    // H-50, L-115
    void runWorksInAnotherThread()
    {
        // No handler for SIGINT can be installed there.
        auto *before = std::signal(SIGINT, SIG_DFL); // Qt Test has one of its own
        int result = 0;
        const auto count = [&]() -> Coroutine<int> {
            struct sigaction now;
            const bool is_default = ::sigaction(SIGINT, nullptr, &now) == 0
                && now.sa_handler == SIG_DFL;
            const int sum = co_await count_to(3);
            co_return is_default ? sum : -1;
        };
        Worker thread([&] { result = QAsyncio::run(count()); });
        thread->start();
        QVERIFY(thread.join());
        std::signal(SIGINT, before);
        QCOMPARE(result, 6);
    }

    // QThread::exec() gives -1 of its own where no event loop can run any more.
    void anExitOfTheThreadWithAnyCodeEndsItsRun()
    {
        for (const int code : {-1, 0, 1}) {
            QString error;
            Worker thread([&] {
                QAsyncioLoop loop;
                loop.call_later(1ms, [code] { QThread::currentThread()->exit(code); });
                error = error_in([&] {
                    loop.run_until_complete([]() -> Coroutine<> { co_await sleep(1h); }());
                });
                loop.close();
            });
            thread->start();
            QVERIFY(thread.join());
            QCOMPARE(error, "RuntimeError: Event loop stopped before Future completed.");
        }
    }

    void theEndOfTheApplicationIsNoneOfAnotherThreadsLoop()
    {
        std::promise<QAsyncioLoop *> attached;
        QEventLoop *host_of_thread = nullptr;
        bool cancelled = true;
        Worker thread([&] {
            QAsyncioLoop loop;
            QEventLoop host;
            host_of_thread = &host;
            loop.attach();
            auto task = loop.create_task([]() -> Coroutine<> { co_await sleep(1h); }());
            loop.call_later(1ms, [&] { attached.set_value(&loop); });
            host.exec();
            cancelled = task.cancelling() > 0 || task.done();
            loop.detach();
            task.cancel();
            run_ready(loop);
            loop.close();
        });
        thread->start();
        QAsyncioLoop *const loop = attached.get_future().get();
        QMetaObject::invokeMethod(qApp, "aboutToQuit", Qt::DirectConnection);
        // behind whatever that has led to
        loop->call_soon_threadsafe([&] { host_of_thread->quit(); });
        QVERIFY(thread.join());
        QVERIFY(!cancelled);
    }
};

QTEST_GUILESS_MAIN(tst_threads)
#include "tst_threads.moc"
