// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/detail/future/future_state.h"

#include "qasyncio/detail/thread/message.h"

#include "base/exception_kind.h"
#include "loop/loop_p.h"
#include "tasks/deep_release.h"

#include <QtCore/qthread.h>

namespace QAsyncio::detail {

namespace {
/// Takes the last reference of a future to the loop's thread, and drops it there.
class LastRelease final : public Message
{
public:
    explicit LastRelease(FutureStateBase &future) : m_future(future) { }
    /// Waits up to a second for memory. Null if there is none even then: the future is leaked.
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
    if (done()) {
        std::destroy_at(&m_exception);
    } else {
        drop_callbacks();
        std::destroy_at(&m_callbacks);
    }
    core->release();
}

void FutureStateBase::release_elsewhere() noexcept
{
    // The last reference is not dropped here but sent to the loop's thread, where somebody who
    // waits for this future may be taking another one right now.
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
    // The last handle, perhaps one that the exception handler keeps, comes here again.
    if (flags & LogException)
        report_lost_exception();
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
    report.exception = peek_exception();
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
    if (Q_LIKELY(!has_callbacks()))
        delete this;
    else
        destroy_deep(); // the callbacks may own other futures: a shield's owns what it shields
}

/// Futures that may own others, for release_deep().
struct FutureStateBase::DeepKind
{
    // These have no context, since they are no tasks: the pointer can link them.
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
            future.release(); // while it waited, something that it listens to has taken a reference
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
    flags &= ~LogException; // T-034: as in asyncio, even if this fails
    if (!is_pending())
        return false;
    finish(Cancelled,
           message.isNull() ? nullptr : std::make_exception_ptr(CancelledError(message)));
    return true;
}

void FutureStateBase::check_thread_slow() const
{
    check_thread_of(*core);
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

void FutureStateBase::drop_callbacks() noexcept
{
    if (!done())
        m_callbacks.take_all([](FutureCallback *callback) { callback->discard(); });
}

void FutureStateBase::refuse_callbacks(CallbackList &waiting)
{
    waiting.take_all([](FutureCallback *callback) { callback->discard(); });
    throw RuntimeError(QStringLiteral("Event loop is closed"));
}

void FutureStateBase::future_done(FutureStateBase &)
{
    Q_UNREACHABLE(); // only called for what was given to add_callback()
}

void FutureStateBase::add_callback(FutureCallback *callback)
{
    if (done())
        callback->future_done(*this);
    else
        m_callbacks.append(callback);
}

QString FutureStateBase::describe_wait() const
{
    return done() ? QStringLiteral("a future that is done") : QStringLiteral("a future");
}

QString WaitWords::short_name(const FutureStateBase &future)
{
    // One that waits for others may do so through many more.
    const bool has_name = future.is_task() || !future.is_compound();
    return has_name ? future.describe_wait() : QStringLiteral("a future");
}

void WaitWords::add(const FutureStateBase &future)
{
    if (future.done() || ++m_count > most_names)
        return;
    if (m_count > 1)
        m_names += QStringLiteral(", ");
    m_names += short_name(future);
}

QString WaitWords::text(const char *function) const
{
    if (m_count == 0)
        return QLatin1String(function) + QStringLiteral("()");
    const QString text = QStringLiteral("%1() of %2").arg(QLatin1String(function), m_names);
    return m_count > most_names ? text + QStringLiteral(" and %1 more").arg(m_count - most_names)
                                : text;
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
        return has_exception()
            ? QStringLiteral("finished exception=") + QAsyncio::describe(m_exception)
            : QStringLiteral("finished");
    };
    return QStringLiteral("<%1 %2>").arg(type_name(), state());
}

} // namespace QAsyncio::detail
