// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/loop_thread.h"

#include "base/logging.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qthread.h>

#include <future>

namespace QAsyncio {

/// What the LoopThread shares with its thread. Owned by the LoopThread, which joins the thread
/// before it goes.
struct LoopThread::Private
{
    std::promise<QAsyncioLoop *> made;
    std::promise<void> released; // nobody uses loop() any more
    std::promise<void> ended;    // the same as QThread::wait(), but ThreadSanitizer sees it
    QAsyncioLoop *loop = nullptr;
    std::unique_ptr<QThread> thread;

    void join()
    {
        auto end = ended.get_future();
        if (end.wait_for(std::chrono::seconds(1)) != std::future_status::ready) {
            qCWarning(detail::logCategory).noquote()
                << "LoopThread: waiting for a callback or task in thread" << thread->objectName()
                << "to return";
        }
        end.wait();
        thread->wait();
    }
    void run(LoopOptions options)
    {
        std::unique_ptr<QAsyncioLoop> own;
        try {
            own = std::make_unique<QAsyncioLoop>(std::move(options));
        } catch (...) {
            return made.set_exception(std::current_exception());
        }
        made.set_value(own.get());
        try {
            own->run_forever();
        } catch (...) {
            // Otherwise the run was refused because the program ends.
            if (QCoreApplication::instance())
                qCCritical(detail::logCategory).noquote()
                    << "LoopThread:" << describe(std::current_exception());
        }
        own->close();
        released.get_future().wait();
    }
};

LoopThread::LoopThread(const QString &name, LoopOptions options) : d(std::make_unique<Private>())
{
    d->thread.reset(QThread::create([this, options = std::move(options)]() mutable {
        d->run(std::move(options));
        d->ended.set_value();
    }));
    d->thread->setObjectName(name);
    d->thread->start();
    if (!d->thread->isRunning() && !d->thread->isFinished())
        throw RuntimeError(QStringLiteral("LoopThread: the system gives no thread"));
    try {
        d->loop = d->made.get_future().get();
    } catch (...) {
        d->join();
        throw;
    }
}

LoopThread::~LoopThread()
{
    if (!QCoreApplication::instance()) // no event is delivered any more, in any thread
        d->thread->exit();
    for (;;) {
        try {
            d->loop->call_soon_threadsafe([loop = d->loop] { loop->stop(); });
            break;
        } catch (const std::bad_alloc &) { // it must be told, or it would never end
            QThread::msleep(1);
        } catch (...) { // it has ended already
            break;
        }
    }
    d->released.set_value();
    d->join();
}

QAsyncioLoop &LoopThread::loop() const
{
    return *d->loop;
}

QString LoopThread::to_string() const
{
    return QStringLiteral("<LoopThread name='%1'>").arg(d->thread->objectName());
}

} // namespace QAsyncio
