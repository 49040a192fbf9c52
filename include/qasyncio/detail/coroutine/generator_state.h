// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/coroutine.h"

#include <new>
#include <optional>

namespace QAsyncio::detail {

struct GeneratorPromiseBase;

/// The state of a generator outside its frame, which may be destroyed first.
///
/// The AsyncGenerator, each step and whoever closes the generator hold references. They belong to
/// the thread of the loop in which the first step ran. When the last one goes the frame is
/// destroyed; no step is under way then.
class QASYNCIO_EXPORT GeneratorState final : public Pooled
{
public:
    explicit GeneratorState(GeneratorPromiseBase &promise) : m_promise(&promise) { }
    Q_DISABLE_COPY_MOVE(GeneratorState)

    /// Allocates the memory that the next make() in this thread uses.
    static void reserve();
    static GeneratorState *make(GeneratorPromiseBase &promise);

    void retain() noexcept { ++m_refs; }
    void release() noexcept
    {
        if (--m_refs == 0)
            last_reference_gone();
    }

    /// While one of these lives, no step can begin.
    class Busy
    {
    public:
        explicit Busy(GeneratorState &state) : m_state(state) { m_state.m_running = true; }
        ~Busy() { m_state.m_running = false; }
        Q_DISABLE_COPY_MOVE(Busy)

    private:
        GeneratorState &m_state;
    };

    /// Called before a step. Throws RuntimeError if another step is under way or, in debug mode, in
    /// another thread. The message names `operation`: "anext".
    void check_idle(const char *operation) const;
    /// True if there is nothing left to run.
    bool ended() const noexcept { return !m_promise || m_finished; }
    /// A step begins; `link` is the await of it in a frame of `task`.
    void begin_step(FrameLink &link, TaskStateBase &task);
    /// The step has come to a co_yield or to the end. Returns the frame to resume.
    std::coroutine_handle<> end_step(bool finished) noexcept;
    void set_finished() noexcept;
    /// The frame is being destroyed.
    void promise_gone() noexcept;
    /// Leaves the loop's list of generators.
    void leave_registry() noexcept;

    bool started() const noexcept { return m_started; }
    GeneratorPromiseBase &promise() const { return *m_promise; }
    QString describe() const;

    std::exception_ptr thrown; // thrown at the co_yield when the generator goes on
    // In the loop's list of generators that have begun and not ended.
    GeneratorState *previous = nullptr;
    GeneratorState *next = nullptr;

private:
    ~GeneratorState();
    void last_reference_gone() noexcept;
    void enter_registry(LoopCore &core);

    GeneratorPromiseBase *m_promise; // null once its frame is destroyed
    LoopCore *m_core = nullptr;      // owned; set by the first step
    quint32 m_refs = 1;
    bool m_started = false;
    bool m_running = false;
    bool m_finished = false;
    bool m_registered = false;
    bool m_sent_home = false; // the last reference was dropped in another thread
};

/// The promise of a generator, without the type of its values. Lives in its frame.
struct GeneratorPromiseBase : PromiseBase
{
    // The memory for the state is allocated before the frame. Otherwise the promise's constructor
    // or get_return_object() could throw; clang's clean-up after that uses the frame when it is
    // already freed.
    static void *operator new(std::size_t size)
    {
        GeneratorState::reserve();
        return PromiseBase::operator new(size);
    }
    static void *operator new(std::size_t size, std::align_val_t alignment)
    {
        GeneratorState::reserve();
        return PromiseBase::operator new(size, alignment);
    }
    static void operator delete(void *frame, std::size_t size) noexcept
    {
        PromiseBase::operator delete(frame, size);
    }
    static void operator delete(void *frame, std::size_t size, std::align_val_t alignment) noexcept
    {
        PromiseBase::operator delete(frame, size, alignment);
    }
    GeneratorPromiseBase() : state(GeneratorState::make(*this)) { }
    ~GeneratorPromiseBase()
    {
        if (state)
            state->promise_gone();
    }
    void unhandled_exception() noexcept { error = std::current_exception(); }
    void return_void() const noexcept { }

    GeneratorState *state;    // null once the state has let go of this promise
    std::exception_ptr error; // thrown by the body; until a step rethrows it
};

template<class T>
struct GeneratorPromise : GeneratorPromiseBase
{
    std::optional<Boxed<T>> value;
};

/// Ends the step and goes back to the frame that awaits it.
inline auto leave_step(GeneratorPromiseBase &promise, bool finished) noexcept
{
#if QASYNCIO_TAIL_CALLS
    return promise.state->end_step(finished);
#else
    LoopCore *const core = promise.task->core;
    core->next_frame = promise.state->end_step(finished);
#endif
}

/// Awaited at a co_yield: goes back to the frame that awaits the step.
struct GeneratorPause
{
    bool await_ready() const noexcept { return false; }

    template<class P>
    auto await_suspend(std::coroutine_handle<P> frame) noexcept
    {
        state = frame.promise().state;
        return leave_step(frame.promise(), false);
    }
    void await_resume()
    {
        if (state->thrown)
            std::rethrow_exception(std::exchange(state->thrown, nullptr));
    }

    GeneratorState *state = nullptr;
};

/// Awaited at the end of the generator: the same.
struct GeneratorEnd
{
    bool await_ready() const noexcept { return false; }
    template<class P>
    auto await_suspend(std::coroutine_handle<P> frame) noexcept
    {
        return leave_step(frame.promise(), true);
    }
    void await_resume() const noexcept { }
};

/// One step of a generator: runs it to the next co_yield or to its end.
class GeneratorStepBase : public FrameLink
{
public:
    GeneratorStepBase(Ref<GeneratorState> state, const char *operation,
                      std::exception_ptr thrown = nullptr)
        : m_state(std::move(state)), m_operation(operation), m_thrown(std::move(thrown))
    { }
    GeneratorStepBase(GeneratorStepBase &&other) noexcept
        : m_state(std::move(other.m_state)), m_operation(other.m_operation),
          m_thrown(std::move(other.m_thrown))
    { }

    bool await_ready() const
    {
        if (!m_state || m_state->ended())
            return true;
        m_state->check_idle(m_operation);
        if (m_thrown && !m_state->started()) {
            m_state->set_finished();
            std::rethrow_exception(m_thrown);
        }
        return false;
    }
    template<TaskPromise P>
    auto await_suspend(std::coroutine_handle<P> frame)
    {
        parent = &frame.promise();
        m_state->thrown = std::move(m_thrown);
        m_state->begin_step(*this, *parent->task);
#if QASYNCIO_TAIL_CALLS
        return frame_of(m_state->promise());
#else
        parent->task->core->next_frame = frame_of(m_state->promise());
#endif
    }

protected:
    /// Throws what the body has thrown.
    void check_outcome()
    {
        if (parent && m_state->promise().error)
            std::rethrow_exception(std::exchange(m_state->promise().error, nullptr));
    }

    Ref<GeneratorState> m_state;

private:
    const char *m_operation;
    std::exception_ptr m_thrown; // thrown at the co_yield when the generator goes on
};

/// A step that gives the value of the co_yield, or nothing at the end.
template<class T>
class GeneratorStep : public GeneratorStepBase
{
public:
    using GeneratorStepBase::GeneratorStepBase;

    std::optional<T> await_resume()
    {
        check_outcome();
        if (!parent || m_state->ended())
            return std::nullopt;
        const GeneratorState::Busy busy(*m_state); // moving the value may run any code
        auto &value = static_cast<GeneratorPromise<T> &>(m_state->promise()).value;
        std::optional<T> taken(std::in_place, std::move(value->get()));
        value.reset();
        return taken;
    }
};

/// Throws TypeError for null.
QASYNCIO_EXPORT void check_thrown(const std::exception_ptr &exception);
QASYNCIO_EXPORT Coroutine<> close_generator(Ref<GeneratorState> state);

} // namespace QAsyncio::detail
