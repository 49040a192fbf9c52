// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "base/exception_kind.h"
#include "base/logging.h"
#include "loop/loop_p.h"

Q_LOGGING_CATEGORY(QAsyncio::detail::logCategory, "qasyncio")

namespace QAsyncio::detail {

namespace {

/// The slot of the context that a handler runs in: that of the task, else of the future if it is a
/// task, else of the handle (L-088). A future that is no task has no context: then it is the
/// current one.
ContextState **context_slot_of(const ExceptionContext &context)
{
    if (context.task)
        return &FutureAccess::state(context.task)->context;
    if (context.future) {
        auto *task = dynamic_cast<TaskStateBase *>(FutureAccess::state(context.future));
        return task ? &task->context : context_slot();
    }
    if (context.handle)
        return &HandleAccess::state(context.handle)->context;
    return context_slot();
}

void log_exception(const ExceptionContext &context)
{
    QString text = context.message.isEmpty() ? QStringLiteral("Unhandled exception in event loop")
                                             : context.message;
    // One line for each field that is there, in alphabetical order (L-092).
    if (context.exception)
        text += QStringLiteral("\nexception: ") + describe(context.exception);
    if (context.future)
        text += QStringLiteral("\nfuture: ") + context.future.to_string();
    if (context.handle)
        text += QStringLiteral("\nhandle: ") + context.handle.to_string();
    if (context.task)
        text += QStringLiteral("\ntask: ") + context.task.to_string();
    qCCritical(logCategory).noquote() << text;
}

} // namespace

void LoopPrivate::call_handler(const ExceptionContext &context)
{
    if (!exception_handler || !loop)
        return log_exception(context);
    std::exception_ptr failure;
    const Activation active(*this); // the handler may end the loop
    try {
        const ExceptionContext kept = context; // keeps the owner of the context alive
        ContextState **outer = std::exchange(context_slot(), context_slot_of(kept));
        const QScopeGuard restore([outer] { context_slot() = outer; });
        const auto handler = exception_handler; // it may replace itself
        handler(*loop, context);
        return;
    } catch (...) {
        failure = std::current_exception();
    }
    if (leaves_loop(failure))
        std::rethrow_exception(failure);
    ExceptionContext second;
    second.message = QStringLiteral("Unhandled error in exception handler (while handling: %1)")
                         .arg(context.message);
    second.exception = failure;
    log_exception(second);
}

void LoopPrivate::report(const ExceptionContext &context) noexcept
{
    // A future has outlived its closed loop: the handler must not be called in this thread.
    if (!in_own_thread())
        return log_exception(context);
    try {
        call_handler(context);
    } catch (...) {
        leave_with(std::current_exception());
    }
}

void LoopCore::leave_with(std::exception_ptr exception) noexcept
{
    auto &self = static_cast<LoopPrivate &>(*this);
    // The exception handler has thrown it: there is no run to leave.
    if (!has(Running) && !self.is_executing()) {
        ExceptionContext context;
        context.message = QStringLiteral(
            "The exception handler wants to leave a loop that does not run");
        context.exception = std::move(exception);
        return log_exception(context);
    }
    if (!has(Running)) // the code that throws it has ended or detached the loop before
        return self.leave_ended(std::move(exception));
    self.leaving = std::move(exception);
    self.m_break_batch = true;
    if (!(flags & Dispatching))
        self.post_wake();
}

void LoopCore::report_callback_exception(Runnable &source, std::exception_ptr exception) noexcept
{
    if (leaves_loop(exception))
        return leave_with(std::move(exception));
    ExceptionContext context;
    context.message = QStringLiteral("Exception in callback %1").arg(source.describe());
    context.exception = std::move(exception);
    if (auto *handle = dynamic_cast<HandleState *>(&source)) {
        handle->retain();
        context.handle = Handle(handle);
    }
    static_cast<LoopPrivate &>(*this).report(context);
}

} // namespace QAsyncio::detail

using namespace QAsyncio;
using namespace QAsyncio::detail;

void QAsyncioLoop::set_exception_handler(ExceptionHandler handler)
{
    LoopPrivate::of(*this).exception_handler = std::move(handler);
}

const QAsyncioLoop::ExceptionHandler &QAsyncioLoop::get_exception_handler() const
{
    return LoopPrivate::of(*this).exception_handler;
}

void QAsyncioLoop::call_exception_handler(const ExceptionContext &context)
{
    LoopPrivate::of(*this).call_handler(context);
}

void QAsyncioLoop::default_exception_handler(const ExceptionContext &context)
{
    log_exception(context);
}
