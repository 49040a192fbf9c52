// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/detail/future/done_callback.h"

#include "loop/loop_p.h"

namespace QAsyncio::detail {

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

} // namespace QAsyncio::detail
