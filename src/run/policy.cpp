// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/policy.h"

#include "loop/loop_p.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qthread.h>

#include <mutex>

namespace QAsyncio {

namespace {

/// The loop that set_event_loop() has set in this thread.
struct SetLoop
{
    QAsyncioLoop *loop = nullptr;
    bool was_set = false; // also true for null: then none is made (L-101)
};
thread_local SetLoop t_set;

/// The loop that get_event_loop() has made for the main thread; it ends with the application.
std::unique_ptr<QAsyncioLoop> &main_loop()
{
    static std::unique_ptr<QAsyncioLoop> *const loop = new std::unique_ptr<QAsyncioLoop>;
    return *loop;
}

void drop_main_loop()
{
    if (t_set.loop == main_loop().get())
        t_set = {};
    if (main_loop())
        detail::LoopPrivate::of(*main_loop()).application_dies(); // code of it may be on the stack
    main_loop().reset();
}

bool in_main_thread()
{
    return QCoreApplication::instance()
        && QCoreApplication::instance()->thread() == QThread::currentThread();
}

/// The policy of the process, for all threads.
struct Policy
{
    std::mutex mutex;
    std::shared_ptr<EventLoopPolicy> policy = std::make_shared<EventLoopPolicy>();
};

Policy &current_policy()
{
    static Policy *const policy = new Policy;
    return *policy;
}

} // namespace

EventLoopPolicy::~EventLoopPolicy() = default;

QAsyncioLoop &EventLoopPolicy::get_event_loop()
{
    if (!t_set.loop && !t_set.was_set && in_main_thread()) {
        main_loop() = new_event_loop();
        qAddPostRoutine(drop_main_loop);
        set_event_loop(main_loop().get());
    }
    if (!t_set.loop) {
        throw RuntimeError(QStringLiteral("There is no current event loop in thread '%1'.")
                               .arg(in_main_thread() ? QStringLiteral("MainThread")
                                                     : QThread::currentThread()->objectName()));
    }
    return *t_set.loop;
}

void EventLoopPolicy::set_event_loop(QAsyncioLoop *loop)
{
    t_set = {loop, true};
}

std::unique_ptr<QAsyncioLoop> EventLoopPolicy::new_event_loop()
{
    return std::make_unique<QAsyncioLoop>();
}

QAsyncioLoop &get_event_loop()
{
    QAsyncioLoop *running = find_running_loop();
    return running ? *running : get_event_loop_policy()->get_event_loop();
}

void set_event_loop(QAsyncioLoop *loop)
{
    get_event_loop_policy()->set_event_loop(loop);
}

std::unique_ptr<QAsyncioLoop> new_event_loop()
{
    return get_event_loop_policy()->new_event_loop();
}

std::shared_ptr<EventLoopPolicy> get_event_loop_policy()
{
    Policy &current = current_policy();
    const std::lock_guard lock(current.mutex);
    return current.policy;
}

void set_event_loop_policy(std::shared_ptr<EventLoopPolicy> policy)
{
    if (!policy)
        policy = std::make_shared<EventLoopPolicy>();
    Policy &current = current_policy();
    const std::lock_guard lock(current.mutex);
    // The old policy is destroyed after the lock: it may own a loop, whose tasks may ask for the
    // policy.
    current.policy.swap(policy);
}

} // namespace QAsyncio
