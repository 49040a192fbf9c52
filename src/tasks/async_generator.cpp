// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/async_generator.h"

#include "base/exception_kind.h"
#include "base/logging.h"
#include "loop/loop_p.h"

#include "qasyncio/detail/thread/message.h"
#include "qasyncio/gather.h"
#include "qasyncio/task_group.h"

namespace QAsyncio::detail {

namespace {

/// A step whose value is not wanted. Gives true if there is one, false if the generator has ended.
class ClosingStep : public GeneratorStepBase
{
public:
    using GeneratorStepBase::GeneratorStepBase;

    bool await_resume()
    {
        check_outcome();
        return !m_state->ended();
    }
};

/// Takes a generator that was dropped in another thread home, and destroys it there.
class DroppedGenerator final : public Message
{
public:
    explicit DroppedGenerator(Ref<GeneratorState> state) : m_state(std::move(state)) { }

private:
    void arrive() noexcept override { }

    Ref<GeneratorState> m_state;
};

} // namespace

void GeneratorState::check_idle(const char *operation) const
{
    if (m_core && Q_UNLIKELY(m_core->has(LoopCore::Debug)) && !m_core->in_own_thread())
        throw_wrong_thread();
    if (m_running) {
        throw RuntimeError(QStringLiteral("%1(): asynchronous generator is already running")
                               .arg(QLatin1String(operation)));
    }
}

void GeneratorState::begin_step(FrameLink &link, TaskStateBase &task)
{
    // First: enter_registry() may warn, and the program's message handler may try another step.
    m_running = true;
    if (!std::exchange(m_started, true))
        enter_registry(*task.core);
    link.child = m_promise;
    m_promise->link = &link;
    m_promise->task = &task;
    task.enter_frame(*m_promise);
}

std::coroutine_handle<> GeneratorState::end_step(bool finished) noexcept
{
    m_running = false;
    if (finished)
        set_finished();
    PromiseBase &parent = *std::exchange(m_promise->link, nullptr)->parent;
    m_promise->task->enter_frame(parent);
    return frame_of(parent);
}

void GeneratorState::set_finished() noexcept
{
    m_finished = true;
    leave_registry();
}

void GeneratorState::promise_gone() noexcept
{
    m_promise = nullptr;
    m_running = false;
    leave_registry();
}

void GeneratorState::last_reference_gone() noexcept
{
    if (m_core && !m_core->in_own_thread() && !std::exchange(m_sent_home, true)) {
        m_refs = 1;
        auto *dropped = new DroppedGenerator(Ref<GeneratorState>::adopt(this));
        return dropped->send(*m_core); // if the loop is closed it is destroyed here
    }
    leave_registry(); // first: a destructor may call shutdown_asyncgens()
    if (GeneratorPromiseBase *promise = std::exchange(m_promise, nullptr)) {
        promise->state = nullptr;
        destroy_frame(*promise);
    }
    delete this;
}

namespace {
/// Memory for a state that is not made yet.
struct ReservedState
{
    void *memory = nullptr;
    ~ReservedState()
    {
        if (memory)
            deallocate(memory, sizeof(GeneratorState));
    }
};
thread_local ReservedState reserved;
} // namespace

void GeneratorState::reserve()
{
    if (!reserved.memory)
        reserved.memory = allocate(sizeof(GeneratorState));
}

GeneratorState *GeneratorState::make(GeneratorPromiseBase &promise)
{
    void *const memory = std::exchange(reserved.memory, nullptr);
    if (!memory) // an argument of the coroutine has made another generator meanwhile, which took it
        return new GeneratorState(promise);
    return ::new (memory) GeneratorState(promise);
}

GeneratorState::~GeneratorState()
{
    if (m_core)
        m_core->release();
}

void GeneratorState::enter_registry(LoopCore &core)
{
    core.retain();
    m_core = &core;
    auto &loop = static_cast<LoopPrivate &>(core);
    if (loop.asyncgens_shut_down) {
        qCWarning(logCategory).noquote()
            << QStringLiteral(
                   "asynchronous generator %1 was scheduled after loop.shutdown_asyncgens() call")
                   .arg(describe());
    }
    next = std::exchange(loop.first_generator, this);
    if (next)
        next->previous = this;
    m_registered = true;
}

void GeneratorState::leave_registry() noexcept
{
    if (!std::exchange(m_registered, false))
        return;
    (previous ? previous->next : static_cast<LoopPrivate *>(m_core)->first_generator) = next;
    if (next)
        next->previous = previous;
    previous = next = nullptr;
}

QString GeneratorState::describe() const
{
    return describe_site("async_generator", m_promise ? &m_promise->site : nullptr);
}

void check_thrown(const std::exception_ptr &exception)
{
    if (!exception)
        throw TypeError(QStringLiteral("invalid exception object"));
}

Coroutine<> close_generator(Ref<GeneratorState> state)
{
    if (!state || state->ended())
        co_return;
    if (!state->started()) {
        state->set_finished();
        co_return;
    }
    bool goes_on = false;
    try {
        goes_on = co_await ClosingStep(state, "aclose", std::make_exception_ptr(GeneratorExit()));
    } catch (const GeneratorExit &) {
    }
    if (goes_on)
        throw RuntimeError(QStringLiteral("async generator ignored GeneratorExit"));
}

} // namespace QAsyncio::detail

using namespace QAsyncio;
using namespace QAsyncio::detail;

Coroutine<> QAsyncioLoop::shutdown_asyncgens()
{
    LoopPrivate &d = LoopPrivate::of(*this);
    const auto kept = Ref<LoopCore>::share(&d);
    d.asyncgens_shut_down = true;
    std::vector<QString> names;
    std::vector<Coroutine<>> closings;
    while (GeneratorState *state = d.first_generator) {
        names.push_back(state->describe());
        closings.push_back(close_generator(Ref<GeneratorState>::share(state)));
        state->leave_registry(); // as in asyncio, there is only one attempt
    }
    if (closings.empty())
        co_return;
    auto all = gather(return_exceptions, std::move(closings));
    const auto outcomes = co_await all;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (outcomes[i].has_value() || is_cancellation(outcomes[i].exception()))
            continue;
        ExceptionContext report;
        report.message = QStringLiteral(
                             "an error occurred during closing of asynchronous generator %1")
                             .arg(names[i]);
        report.exception = outcomes[i].exception();
        d.call_handler(report); // which may destroy the loop
    }
}
