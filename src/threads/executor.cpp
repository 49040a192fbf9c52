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
        const RunningJobs::Entry entry(m_job.core());
        m_job.execute();
    }

private:
    ExecutorJobBase &m_job;
    const bool m_names_threads;
};

/// What an executor of the program's own has of a job. It may be called several times and from
/// several threads, and is destroyed with the last copy of the function that holds it.
class JobTicket
{
public:
    explicit JobTicket(ExecutorJobBase &job) : m_job(Ref<ExecutorJobBase>::share(&job)) { }
    ~JobTicket()
    {
        if (m_job->has_begun() && !m_is_home)
            m_job->send_home();
    }
    Q_DISABLE_COPY_MOVE(JobTicket)

    void run() noexcept
    {
        ExecutorJobBase::take_over();
        const RunningJobs::Entry entry(m_job->core());
        if (!m_job->execute())
            return;
        m_is_home = true;
        m_job->send_home();
    }

private:
    const Ref<ExecutorJobBase> m_job;
    bool m_is_home = false; // written by the one thread that has run it
};

std::shared_ptr<QThreadPool> make_default_pool()
{
    auto pool = std::make_shared<QThreadPool>();
    pool->setMaxThreadCount(std::min(32, QThread::idealThreadCount() + 4));
    return pool;
}

} // namespace

AnyExecutor::~AnyExecutor() = default;

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

ExecutorJobBase::~ExecutorJobBase() = default;

void ExecutorJobBase::begin(LoopCore &core, FutureStateBase &future, bool is_default) noexcept
{
    auto &loop = static_cast<LoopPrivate &>(core);
    m_core = Ref<LoopCore>::share(&core);
    m_future = &future;
    m_is_default = is_default;
    ++loop.jobs_in_flight;
    if (is_default)
        ++loop.own_executor_jobs;
    if (can_be_stopped()) {
        retain();
        loop.close_listeners.add(*this);
    } else {
        future.retain();
    }
    hand_over();
}

bool ExecutorJobBase::take(Stage stage) noexcept
{
    int expected = Queued;
    return m_stage.compare_exchange_strong(expected, stage, std::memory_order_acq_rel);
}

bool ExecutorJobBase::execute() noexcept
{
    if (!take(Taken))
        return false;
    call();
    return true;
}

void ExecutorJobBase::abandon() noexcept
{
    // What is dropped, or called because of the stop, may own the executor, the loop and the
    // future.
    const auto self = Ref<ExecutorJobBase>::share(this);
    if (take(Abandoned))
        drop();
    else
        m_stop.request_stop();
}

bool ExecutorJobBase::refuse(std::exception_ptr error) noexcept
{
    if (!take(Abandoned))
        return false;
    const auto self = Ref<ExecutorJobBase>::share(this);
    drop();
    if (m_future && m_future->is_pending())
        m_future->set_exception(std::move(error));
    return true;
}

void ExecutorJobBase::future_is_gone(bool was_done) noexcept
{
    if (!can_be_stopped())
        return;
    m_future = nullptr;
    if (!was_done)
        m_stop.request_stop();
}

void ExecutorJobBase::loop_closes() noexcept
{
    m_stop.request_stop();
    release();
}

void ExecutorJobBase::arrive() noexcept
{
    auto &loop = static_cast<LoopPrivate &>(*m_core);
    --loop.jobs_in_flight;
    if (m_is_default)
        loop.own_executor_job_ended();
    if (loop.close_listeners.remove(*this))
        release();
    const auto future = Ref<FutureStateBase>::share(m_future); // moving the result may drop it
    const int stage = m_stage.load(std::memory_order_relaxed);
    if (!future) {
        if (stage == Taken)
            deliver_to_nobody();
    } else if (!future->done()) {
        if (stage == Taken)
            return deliver(*future);
        // Its executor has dropped it.
        abandon();
        if (m_drop_error)
            future->set_exception(std::move(m_drop_error));
        else
            future->cancel(QString());
    }
}

void ExecutorJobBase::dispose() noexcept
{
    if (!can_be_stopped())
        std::exchange(m_future, nullptr)->release();
    release();
}

void LoopPrivate::check_default_executor() const
{
    if (executor_shut_down)
        throw RuntimeError(QStringLiteral("Executor shutdown has been called"));
}

void LoopPrivate::own_executor_job_ended() noexcept
{
    if (--own_executor_jobs == 0)
        own_executor_idle.announce();
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
    own_executor.reset();
}

} // namespace QAsyncio::detail

using namespace QAsyncio;
using namespace QAsyncio::detail;

void QAsyncioLoop::start_job(QThreadPool *executor, ExecutorJobBase *job, FutureStateBase &future)
{
    LoopPrivate &d = LoopPrivate::of(*this);
    if (!executor && d.own_executor)
        return start_job(static_cast<AnyExecutor *>(nullptr), job, future);
    JobRunnable *runnable = nullptr;
    try {
        m_core->check_scheduling();
        if (!executor)
            d.check_default_executor();
        if (!executor && !d.executor)
            d.executor = make_default_pool();
        runnable = new JobRunnable(*job, !executor);
    } catch (...) {
        job->release();
        throw;
    }
    job->begin(*m_core, future, false);
    QThreadPool &pool = executor ? *executor : *d.executor;
    pool.start(runnable);
}

void QAsyncioLoop::start_job(AnyExecutor *executor, ExecutorJobBase *job, FutureStateBase &future)
{
    LoopPrivate &d = LoopPrivate::of(*this);
    std::shared_ptr<AnyExecutor> kept; // what it calls may replace the default executor
    std::function<void()> function;
    const auto self = Ref<ExecutorJobBase>::share(job);
    try {
        m_core->check_scheduling();
        if (!executor) {
            d.check_default_executor();
            kept = d.own_executor;
        }
        const auto dropped = RuntimeError(
            QStringLiteral("the executor has dropped the function without calling it"));
        job->set_drop_error(std::make_exception_ptr(dropped));
        function = [ticket = std::make_shared<JobTicket>(*job)] { ticket->run(); };
    } catch (...) {
        job->release();
        throw;
    }
    job->begin(*m_core, future, !executor);
    try {
        (executor ? *executor : *kept).execute(std::move(function));
    } catch (...) {
        if (!job->refuse(std::current_exception())) {
            qCWarning(logCategory).noquote() << "an executor has thrown though it has called the "
                                                "function:"
                                             << describe(std::current_exception());
        }
    }
}

void QAsyncioLoop::set_default_executor(std::shared_ptr<QThreadPool> executor)
{
    if (!executor)
        throw TypeError(QStringLiteral("the default executor must be a QThreadPool, not null"));
    LoopPrivate &d = LoopPrivate::of(*this);
    d.close_executor();
    d.executor = std::move(executor);
}

void QAsyncioLoop::set_own_executor(std::shared_ptr<AnyExecutor> executor)
{
    if (!executor)
        throw TypeError(QStringLiteral("the default executor must be an Executor, not null"));
    LoopPrivate &d = LoopPrivate::of(*this);
    d.close_executor();
    d.own_executor = std::move(executor);
}

namespace {

/// Done when all functions in the pool have ended.
Future<> join(QAsyncioLoop &loop, std::shared_ptr<QThreadPool> pool)
{
    Future<> joined = make_named_future<void>(loop.core(), "the default executor's threads to end");
    // A separate thread waits, so that the loop goes on. It keeps the pool alive and lets go of the
    // future by itself.
    const auto state = Ref<FutureState<void>>::share(
        static_cast<FutureState<void> *>(FutureAccess::state(joined)));
    auto *home = new ForeignResult<void>(state);
    home->set_value();
    try {
        std::thread([pool = std::move(pool), home] {
            pool->waitForDone();
            home->send();
        }).detach();
    } catch (...) { // no memory, or no thread
        home->discard();
        throw;
    }
    return joined;
}

} // namespace

Coroutine<> QAsyncioLoop::shutdown_default_executor(std::optional<std::chrono::nanoseconds> timeout)
{
    LoopPrivate &d = LoopPrivate::of(*this);
    d.executor_shut_down = true;
    Future<> joined;
    if (d.own_executor && d.own_executor_jobs > 0) {
        joined = d.own_executor_idle.future(*this);
    } else if (d.executor) {
        joined = join(*this, d.executor);
    } else {
        co_return;
    }
    ++d.jobs_in_flight; // a virtual clock must not jump ahead meanwhile
    const QScopeGuard no_longer([&d] { d.job_ended(); });
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
