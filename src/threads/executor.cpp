// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "base/logging.h"
#include "loop/loop_p.h"

#include "qasyncio/wait_for.h"

#include <QtCore/qrunnable.h>
#include <QtCore/qscopeguard.h>
#include <QtCore/qstringlist.h>
#include <QtCore/qthread.h>
#include <QtCore/qthreadpool.h>

#include <algorithm>
#include <list>
#include <map>
#include <thread>

#ifdef Q_OS_UNIX
#  include <pthread.h>
#endif

namespace QAsyncio::detail {

namespace {

/// Gives a thread of the default executor its name, once: "asyncio_0", "asyncio_1" (L-078).
void name_this_thread()
{
    static std::atomic<int> count{0};
    static thread_local bool named = false;
    if (std::exchange(named, true))
        return;
    const QByteArray name = "asyncio_"
        + QByteArray::number(count.fetch_add(1, std::memory_order_relaxed));
    QThread::currentThread()->setObjectName(QString::fromLatin1(name));
#ifdef Q_OS_LINUX
    pthread_setname_np(pthread_self(), name.constData());
#endif
}

/// Pools whose functions still ran when their loop was closed. Destroying a pool would wait for
/// them, so it is kept.
struct Parked
{
    std::mutex mutex;
    std::list<std::shared_ptr<QThreadPool>> pools;

    static Parked &instance()
    {
        static Parked *const parked = new Parked;
        return *parked;
    }
    /// The caller destroys these without holding the lock: their end may run code that closes a
    /// loop.
    std::list<std::shared_ptr<QThreadPool>> take_idle()
    {
        std::list<std::shared_ptr<QThreadPool>> idle;
        for (auto next = pools.begin(); next != pools.end();) {
            const auto pool = next++;
            if ((*pool)->activeThreadCount() == 0)
                idle.splice(idle.end(), pools, pool);
        }
        return idle;
    }
};

void park(std::shared_ptr<QThreadPool> pool)
{
    Parked &parked = Parked::instance();
    std::list<std::shared_ptr<QThreadPool>> idle;
    const std::lock_guard lock(parked.mutex);
    idle = parked.take_idle();
    parked.pools.push_back(std::move(pool));
}

/// Orders what a loop's thread has written before what the executor's thread reads. Any executor
/// does the same with a lock of its own, but ThreadSanitizer may not see that.
std::atomic<quint32> handed_over{0};

/// The functions that run in threads just now: of which loop, and in which thread. Their names are
/// for warnings of those who have to wait for them.
struct RunningJobs
{
    std::mutex mutex;
    std::multimap<const LoopCore *, QThread *> threads;

    static RunningJobs &instance()
    {
        static RunningJobs *const jobs = new RunningJobs; // outlives static destruction
        return *jobs;
    }

    class Entry
    {
    public:
        explicit Entry(const LoopCore *core)
        {
            RunningJobs &jobs = instance();
            const std::lock_guard lock(jobs.mutex);
            try {
                m_place = jobs.threads.emplace(core, QThread::currentThread());
            } catch (const std::bad_alloc &) { // then it is not named
            }
        }
        ~Entry()
        {
            RunningJobs &jobs = instance();
            const std::lock_guard lock(jobs.mutex);
            if (m_place)
                jobs.threads.erase(*m_place);
        }
        Q_DISABLE_COPY_MOVE(Entry)

    private:
        std::optional<std::multimap<const LoopCore *, QThread *>::iterator> m_place;
    };
};

/// Brings a job to a thread of an executor and then home, even if the executor drops it unrun, as
/// QThreadPool::clear() does.
class JobRunnable final : public QRunnable
{
public:
    JobRunnable(ExecutorJobBase &job, bool names_threads)
        : m_job(job), m_names_threads(names_threads)
    { }
    ~JobRunnable() override { m_job.send_home(); }

    void run() override
    {
        ExecutorJobBase::take_over();
        if (m_names_threads)
            name_this_thread();
        const RunningJobs::Entry entry(m_job.future->core);
        m_job.execute();
    }

private:
    ExecutorJobBase &m_job;
    const bool m_names_threads;
};

std::shared_ptr<QThreadPool> make_default_pool()
{
    auto pool = std::make_shared<QThreadPool>();
    pool->setMaxThreadCount(std::min(32, QThread::idealThreadCount() + 4));
    return pool;
}

} // namespace

bool drop_idle_executors()
{
    Parked &parked = Parked::instance();
    std::list<std::shared_ptr<QThreadPool>> idle;
    const std::lock_guard lock(parked.mutex);
    idle = parked.take_idle();
    return parked.pools.empty();
}

void ExecutorJobBase::hand_over() noexcept
{
    handed_over.fetch_add(1, std::memory_order_release);
}

void ExecutorJobBase::take_over() noexcept
{
    static_cast<void>(handed_over.load(std::memory_order_acquire));
}

void ExecutorJobBase::execute() noexcept
{
    int expected = Queued;
    if (m_stage.compare_exchange_strong(expected, Taken, std::memory_order_acq_rel))
        call();
}

void ExecutorJobBase::abandon() noexcept
{
    int expected = Queued;
    if (!m_stage.compare_exchange_strong(expected, Abandoned, std::memory_order_acq_rel))
        return;
    retain(); // what is dropped may own the executor, the loop and the future
    drop();
    release();
}

void ExecutorJobBase::arrive() noexcept
{
    --static_cast<LoopPrivate &>(*future->core).jobs_in_flight;
    if (m_stage.load(std::memory_order_relaxed) == Queued)
        future->cancel(QString()); // its executor has dropped it
    else if (!future->done())
        deliver();
}

void ExecutorJobBase::dispose() noexcept
{
    future = {};
    release();
}

QStringList LoopPrivate::running_jobs() const
{
    RunningJobs &jobs = RunningJobs::instance();
    const std::lock_guard lock(jobs.mutex);
    QStringList names;
    const auto [first, last] = jobs.threads.equal_range(this);
    for (auto job = first; job != last; ++job)
        names << QStringLiteral("a function in thread %1").arg(job->second->objectName());
    if (names.isEmpty())
        names << QStringLiteral("the default executor");
    return names;
}

void LoopPrivate::close_executor() noexcept
{
    // What is queued still runs (L-048), and finds its loop closed. Destroying a pool would wait
    // for it.
    if (executor && executor.use_count() == 1 && executor->activeThreadCount() > 0)
        park(std::move(executor));
    executor.reset();
}

} // namespace QAsyncio::detail

using namespace QAsyncio;
using namespace QAsyncio::detail;

void QAsyncioLoop::start_job(QThreadPool *executor, ExecutorJobBase *job, FutureStateBase &future)
{
    LoopPrivate &d = LoopPrivate::of(*this);
    JobRunnable *runnable = nullptr;
    try {
        m_core->check_scheduling();
        if (!executor && d.executor_shut_down)
            throw RuntimeError(QStringLiteral("Executor shutdown has been called"));
        if (!executor && !d.executor)
            d.executor = make_default_pool();
        runnable = new JobRunnable(*job, !executor);
    } catch (...) {
        job->release();
        throw;
    }
    job->future = Ref<FutureStateBase>::share(&future);
    ++d.jobs_in_flight;
    QThreadPool &pool = executor ? *executor : *d.executor;
    ExecutorJobBase::hand_over();
    pool.start(runnable);
}

void QAsyncioLoop::set_default_executor(std::shared_ptr<QThreadPool> executor)
{
    if (!executor)
        throw TypeError(QStringLiteral("the default executor must be a QThreadPool, not null"));
    LoopPrivate &d = LoopPrivate::of(*this);
    d.close_executor();
    d.executor = std::move(executor);
}

Coroutine<> QAsyncioLoop::shutdown_default_executor(std::optional<std::chrono::nanoseconds> timeout)
{
    LoopPrivate &d = LoopPrivate::of(*this);
    d.executor_shut_down = true;
    const std::shared_ptr<QThreadPool> pool = d.executor;
    if (!pool)
        co_return;
    Future<> joined = make_named_future<void>(core(), "the default executor's threads to end");
    // A separate thread waits, so that the loop goes on. It keeps the pool alive and lets go of the
    // future by itself.
    const auto state = Ref<FutureState<void>>::share(
        static_cast<FutureState<void> *>(FutureAccess::state(joined)));
    auto *home = new ForeignResult<void>(state);
    home->set_value();
    ++d.jobs_in_flight; // a virtual clock must not jump ahead meanwhile
    const QScopeGuard no_longer([&d] { d.job_ended(); });
    try {
        std::thread([pool, home] {
            pool->waitForDone();
            home->send();
        }).detach();
    } catch (...) { // no memory, or no thread
        home->discard();
        throw;
    }
    bool in_time = true;
    try {
        if (timeout)
            co_await wait_for(joined, *timeout);
        else
            co_await joined;
    } catch (const TimeoutError &) {
        in_time = false;
    }
    if (!in_time) {
        const double seconds = std::chrono::duration<double>(*timeout).count();
        qCWarning(logCategory,
                  "The executor did not finishing joining its threads within %g seconds.", seconds);
    }
}
