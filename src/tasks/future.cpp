// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/future.h"

#include "qasyncio/detail/thread/message.h"

#include "base/exception_kind.h"
#include "loop/loop_p.h"
#include "tasks/deep_release.h"

#include <QtCore/qthread.h>

#include <algorithm>
#include <unordered_map>

namespace QAsyncio {

namespace detail {

// Callbacks

namespace {
constexpr std::size_t few_callbacks = 32; // found faster by looking at each
}

struct CallbackVector::Index : std::unordered_map<const Runnable *, std::size_t>
{
};

CallbackVector::CallbackVector() = default;
CallbackVector::~CallbackVector() = default;

void CallbackVector::append(Runnable *callback)
{
    m_all.push_back(callback);
    if (!m_index)
        return;
    try {
        m_index->emplace(callback, m_all.size() - 1);
    } catch (const std::bad_alloc &) {
        m_index.reset();
    }
}

bool CallbackVector::remove(const Runnable *callback)
{
    const std::size_t place = place_of(callback);
    if (place == none)
        return false;
    m_all[place] = nullptr;
    ++m_gaps;
    if (m_index)
        m_index->erase(callback);
    if (m_gaps > m_all.size() / 2)
        close_gaps();
    return true;
}

std::size_t CallbackVector::place_of(const Runnable *callback) const
{
    if (!m_index && m_all.size() > few_callbacks)
        make_index();
    if (m_index) {
        const auto found = m_index->find(callback);
        return found == m_index->end() ? none : found->second;
    }
    const auto found = std::find(m_all.begin(), m_all.end(), callback);
    return found == m_all.end() ? none : static_cast<std::size_t>(found - m_all.begin());
}

void CallbackVector::close_gaps()
{
    std::erase(m_all, nullptr);
    m_gaps = 0;
    m_index.reset();
}

void CallbackVector::make_index() const noexcept
{
    try {
        auto index = std::make_unique<Index>();
        for (std::size_t place = 0; place < m_all.size(); ++place) {
            if (m_all[place])
                index->emplace(m_all[place], place);
        }
        m_index = std::move(index);
    } catch (const std::bad_alloc &) { // then they are searched
    }
}

void CallbackList::append(Runnable *callback)
{
    if (m_bits == 0) {
        m_bits = reinterpret_cast<std::uintptr_t>(callback);
        return;
    }
    if (!(m_bits & 1)) {
        auto several = std::make_unique<CallbackVector>();
        several->append(reinterpret_cast<Runnable *>(m_bits));
        several->append(callback);
        m_bits = reinterpret_cast<std::uintptr_t>(several.release()) | 1;
        return;
    }
    vector_of(m_bits)->append(callback);
}

bool CallbackList::remove(const Runnable *callback)
{
    if (m_bits & 1) {
        CallbackVector &several = *vector_of(m_bits);
        if (!several.remove(callback))
            return false;
        if (several.empty())
            clear_storage();
        return true;
    }
    if (!callback || reinterpret_cast<Runnable *>(m_bits) != callback)
        return false;
    m_bits = 0;
    return true;
}

bool CallbackList::contains(const Runnable *callback) const
{
    if (!callback)
        return false;
    return m_bits & 1 ? vector_of(m_bits)->contains(callback) : reinterpret_cast<Runnable *>(m_bits) == callback;
}

void CallbackList::clear_storage()
{
    if (m_bits & 1)
        delete vector_of(m_bits);
    m_bits = 0;
}

// FutureStateBase

namespace {
/// Takes the last reference of a future to the loop's thread.
class LastRelease final : public Message
{
public:
    explicit LastRelease(FutureStateBase &future) : m_future(future) { }
    /// Waits a second for memory. Null if there is none even then: the future is leaked.
    static LastRelease *make(FutureStateBase &future) noexcept
    {
        for (int patience = 1000; patience > 0; --patience) {
            try {
                return new LastRelease(future);
            } catch (const std::bad_alloc &) {
                QThread::msleep(1);
            }
        }
        return nullptr;
    }
private:
    void arrive() noexcept override { }
    void dispose() noexcept override
    {
        m_future.release();
        delete this;
    }

    FutureStateBase &m_future;
};
} // namespace

FutureStateBase::~FutureStateBase()
{
    callbacks.take_all([](Runnable *callback) { callback->discard(); });
    core->release();
}

void FutureStateBase::release_elsewhere() noexcept
{
    // The last reference is not dropped here but goes home: who waits for this future in the loop's thread may be taking
    // another one at this moment.
    quint32 count = m_refs.load(std::memory_order_acquire);
    while (count > 1) {
        if (m_refs.compare_exchange_weak(count, count - 1, std::memory_order_acq_rel))
            return;
    }
    dispose();
}

void FutureStateBase::dispose() noexcept
{
    // The result's destructor and the report of a lost exception belong to the loop's thread.
    if (!core->in_own_thread()) {
        LastRelease *const release = LastRelease::make(*this);
        if (!release || release->try_send(*core))
            return;
        delete release;
    }
    if (flags & LogException)
        report_lost_exception(); // the last handle, which may be the handler's, comes here again
    else
        destroy();
}

void FutureStateBase::report_lost_exception() noexcept
{
    flags &= ~LogException;
    m_refs.store(1, std::memory_order_relaxed);
    const auto self = Ref<FutureStateBase>::adopt(this);
    ExceptionContext report;
    report.message = type_name() + QStringLiteral(" exception was never retrieved");
    report.exception = m_exception;
    if (flags & IsTask) {
        report.task = FutureAccess::wrap<AnyTask>(Ref<FutureStateBase>(self));
        report.future = report.task;
    } else {
        report.future = FutureAccess::wrap<AnyFuture>(Ref<FutureStateBase>(self));
    }
    static_cast<LoopPrivate &>(*core).report(report);
}

void FutureStateBase::destroy() noexcept
{
    if (Q_LIKELY(callbacks.empty()))
        delete this;
    else
        destroy_deep(); // they may own other futures: that of a shield owns what it shields
}

struct FutureStateBase::DeepKind
{
    // Only tasks have a context.
    static void link(FutureStateBase &future, FutureStateBase *next)
    {
        future.context = reinterpret_cast<ContextState *>(next);
    }
    static FutureStateBase *unlink(FutureStateBase &future)
    {
        return reinterpret_cast<FutureStateBase *>(std::exchange(future.context, nullptr));
    }
    static void destroy(FutureStateBase &future) noexcept
    {
        if (future.sole_owner())
            delete &future;
        else
            future.release(); // while it waited, what it listens to has told it something
    }
};

void FutureStateBase::destroy_deep() noexcept
{
    if (Q_UNLIKELY(context))
        delete this;
    else
        release_deep<DeepKind>(*this, thread_data().dying_futures);
}

bool FutureStateBase::cancel(const QString &message)
{
    check_thread();
    flags &= ~LogException; // T-034: as asyncio has it, also if it fails
    if (!is_pending())
        return false;
    finish(Cancelled, message.isNull() ? nullptr : std::make_exception_ptr(CancelledError(message)));
    return true;
}

void FutureStateBase::check_thread_slow() const
{
    if (core->has(LoopCore::Running) && !core->in_own_thread())
        throw_wrong_thread();
}

void FutureStateBase::throw_invalid_state() const
{
    throw InvalidStateError(QStringLiteral("invalid state"));
}

void FutureStateBase::set_exception(std::exception_ptr exception)
{
    check_pending();
    if (!exception)
        throw TypeError(QStringLiteral("invalid exception object"));
    flags |= LogException;
    finish(Finished, std::move(exception));
}

std::exception_ptr FutureStateBase::exception()
{
    if (m_state == Cancelled)
        throw_cancelled();
    if (m_state == Pending)
        throw InvalidStateError(QStringLiteral("Exception is not set."));
    return take_exception();
}

void FutureStateBase::throw_no_value()
{
    if (m_state == Cancelled)
        throw_cancelled();
    if (m_state == Pending)
        throw InvalidStateError(QStringLiteral("Result is not set."));
    std::rethrow_exception(take_exception());
}

void FutureStateBase::throw_cancelled() const
{
    throw CancelledError(kind_of(m_exception).message); // a new object each time (F-005)
}

void FutureStateBase::schedule_callbacks()
{
    if (core->has(LoopCore::Closed)) {
        callbacks.take_all([](Runnable *callback) { callback->discard(); });
        throw RuntimeError(QStringLiteral("Event loop is closed"));
    }
    callbacks.take_all([this](Runnable *callback) { callback->future_done(*this); });
}

void FutureStateBase::add_callback(Runnable *callback)
{
    if (done())
        callback->future_done(*this);
    else
        callbacks.append(callback);
}

QString FutureStateBase::type_name() const
{
    return QStringLiteral("Future");
}

QString FutureStateBase::describe() const
{
    const auto state = [this]() -> QString {
        if (m_state == Pending)
            return QStringLiteral("pending");
        if (m_state == Cancelled)
            return QStringLiteral("cancelled");
        return m_exception ? QStringLiteral("finished exception=") + QAsyncio::describe(m_exception)
                           : QStringLiteral("finished");
    };
    return QStringLiteral("<%1 %2>").arg(type_name(), state());
}

void check_settable(const FutureStateBase &state, const char *operation)
{
    if (state.flags & FutureStateBase::IsTask) {
        throw RuntimeError(
            QStringLiteral("Task does not support %1 operation").arg(QLatin1String(operation)));
    }
}

void throw_value_taken()
{
    throw RuntimeError(QStringLiteral("the result was moved out already"));
}

void check_loop(const FutureStateBase &future, const LoopCore &core)
{
    if (future.core != &core) {
        throw ValueError(
            QStringLiteral("The future belongs to a different loop than the one specified as the loop argument"));
    }
}

std::exception_ptr awaitable_dropped()
{
    return std::make_exception_ptr(RuntimeError(QStringLiteral("the awaitable was destroyed before it gave a result")));
}

// Done callbacks

namespace {
quint64 next_callback_number()
{
    static std::atomic<quint64> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}
} // namespace

DoneCallbackBase::DoneCallbackBase() : number(next_callback_number()) { }

void DoneCallbackBase::future_done(FutureStateBase &future)
{
    if (future.core->has(LoopCore::Closed)) {
        delete this;
        throw RuntimeError(QStringLiteral("Event loop is closed"));
    }
    m_future = Ref<FutureStateBase>::share(&future);
    future.core->push(this);
}

void DoneCallbackBase::run(LoopCore &core) noexcept
{
    ContextState **outer = std::exchange(core.thread->context_slot, &context);
    try {
        call();
    } catch (...) {
        core.report_callback_exception(*this, std::current_exception());
    }
    core.thread->context_slot = outer;
    delete this;
}

QString DoneCallbackBase::describe() const
{
    return QStringLiteral("<done callback>");
}

// Awaiting

void FutureAwaiterBase::await_suspend()
{
    TaskStateBase *const task = this->task();
    if (Q_LIKELY(m_future->core == task->core && m_future != task))
        return m_future->callbacks.append(task);
    // Refused, in the next turn (T-010).
    task->flags |= m_future == task ? FutureStateBase::AwaitsItself : FutureStateBase::WrongLoop;
    task->schedule();
}

/// The cancellation came when the future was done already: its result or exception is dropped, but a CancelledError of its own goes
/// first (T-022, T-023).
void FutureAwaiterBase::await_discard()
{
    if (awaited_future() && (m_future->state() == FutureStateBase::Cancelled || is_cancellation(m_future->take_exception())))
        m_future->throw_unless_value();
}

bool FutureAwaiterBase::await_cancel(const QString &message)
{
    return m_future->cancel(message);
}

QString FutureAwaiterBase::await_description() const
{
    if (!awaited_future())
        return QString();
    const bool is_task = m_future->flags & FutureStateBase::IsTask;
    return is_task ? static_cast<TaskStateBase *>(m_future)->describe_without_wait() : m_future->describe();
}

FutureStateBase *FutureAwaiterBase::awaited_future() const noexcept
{
    return task()->flags & refused ? nullptr : m_future; // it may belong to another thread then
}

void FutureAwaiterBase::throw_refused() const
{
    task()->throw_await_error(*m_future);
}

} // namespace detail

// AnyFuture

QAsyncioLoop &AnyFuture::get_loop() const
{
    if (!m_state->core->loop)
        throw RuntimeError(QStringLiteral("The event loop of this future is gone"));
    return *m_state->core->loop;
}

DoneCallbackId AnyFuture::add(detail::DoneCallbackBase *callback)
{
    try {
        callback->context = detail::capture_context(*detail::context_slot());
    } catch (...) {
        callback->discard();
        throw;
    }
    return enlist(callback);
}

DoneCallbackId AnyFuture::add(detail::DoneCallbackBase *callback, const Context &context)
{
    callback->context = detail::Ref(detail::ContextAccess::state(context)).leak();
    return enlist(callback);
}

DoneCallbackId AnyFuture::enlist(detail::DoneCallbackBase *callback)
{
    const DoneCallbackId id(callback);
    try {
        m_state->check_thread();
        if (!m_state->done())
            m_state->callbacks.append(callback);
    } catch (...) {
        callback->discard();
        throw;
    }
    if (m_state->done())
        callback->future_done(*m_state);
    return id;
}

int AnyFuture::remove_done_callback(DoneCallbackId id)
{
    if (!id.m_callback || !m_state->callbacks.contains(id.m_callback))
        return 0;
    const auto *callback = dynamic_cast<detail::DoneCallbackBase *>(id.m_callback);
    if (!callback || callback->number != id.m_number)
        return 0;
    m_state->remove_callback(id.m_callback);
    id.m_callback->discard();
    return 1;
}

QString AnyFuture::to_string() const
{
    return m_state ? m_state->describe() : QStringLiteral("<Future none>");
}

} // namespace QAsyncio
