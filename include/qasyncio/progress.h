// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/thread/progress_state.h"

namespace QAsyncio {

/// With what a function that runs in a thread tells how far it has come: the first argument of a
/// function that is given to to_thread_with_progress().
///
/// Copies report to the same task. Thread: any, and several at once.
template<class P>
class Progress
{
public:
    using value_type = P;

    /// Nobody hears of what is reported here: to call the function without a task.
    Progress() = default;

    /// Tells the task this value. It replaces one that the task has not seen yet: a task that is
    /// busy sees only the newest. Never blocks, and wakes the loop only if it has seen all values
    /// before. Does nothing when the task has ended.
    /// Throws nothing but what assigning or moving the value throws. The value that is replaced is
    /// destroyed in this thread.
    void report(P value) const
    {
        if (m_state)
            m_state->report(std::move(value));
    }

private:
    template<class R, class Q, class F, class Show, class... Args>
    friend Coroutine<R> detail::run_with_progress(F function, Show show, Args... args);
    explicit Progress(std::shared_ptr<detail::ProgressState<P>> state) : m_state(std::move(state))
    { }

    std::shared_ptr<detail::ProgressState<P>> m_state;
};

/// `co_await to_thread_with_progress<P>(function, show, args...)` is to_thread() for a function
/// that tells how far it has come: it runs `function(progress, args...)` in a thread, calls
/// `show(value)` in the awaiting task with what the function reports, and gives the function's
/// result or throws what it throws.
///
///     const auto digest = [](Progress<int> progress, QByteArray data) {
///         for (int percent = 0; percent <= 100; ++percent) {
///             ... // some work
///             progress.report(percent);
///         }
///         return ...;
///     };
///     const auto show = [this](int percent) { m_bar->setValue(percent); };
///     const QByteArray sum = co_await to_thread_with_progress<int>(digest, show, data);
///
/// The task gets the newest value, once in a turn of its loop at most; the last one always, before
/// the result. After the result nothing comes any more, even if the function has given a copy of
/// its Progress away.
/// Stopping: a function that takes a std::stop_token in front of the Progress gets one, see
/// to_thread().
/// Cancellation: as that of to_thread(). Nothing is shown once the task is cancelled or unwound
/// (because its object has died, for instance). What `show` throws is thrown here, and ends the
/// function as a cancellation does.
/// Thread: that of the running loop. `show` is kept until the end, and called in that thread.
/// Throws as to_thread() does.
/// \sa https://docs.python.org/3/library/asyncio-task.html#asyncio.to_thread
template<class P, class F, class Show, class... Args>
auto to_thread_with_progress(F &&function, Show &&show, Args &&...args)
{
    detail::check_closure<F>();
    detail::check_closure<Show>();
    using Function = detail::closure_t<F>;
    using R = detail::thread_result_t<Function, Progress<P>, std::decay_t<Args>...>;
    detail::check_thread_function<R>();
    static_assert(detail::ResultType<R>::checked);
    static_assert(std::is_invocable_v<detail::closure_t<Show> &, P>,
                  "show(value) is called with each value that the task gets");
    return detail::run_with_progress<R, P, Function, detail::closure_t<Show>,
                                     std::decay_t<Args>...>(
        std::forward<F>(function), std::forward<Show>(show), std::forward<Args>(args)...);
}

namespace detail {

template<class R, class P, class F, class Show, class... Args>
Coroutine<R> run_with_progress(F function, Show show, Args... args)
{
    QAsyncioLoop &loop = get_running_loop();
    const auto state = std::make_shared<ProgressState<P>>(loop.core());
    const ProgressEnd end(*state);
    using Work = InContext<R, F>;
    Work work(std::move(function));
    Future<R> running = loop.run_in_executor(nullptr, moved(work), Progress<P>(state),
                                             std::move(args)...);
    const CancelAtEnd cancel(running);
    const auto told = [state] { state->wake(); };
    running.add_done_callback(told);
    bool is_done = false;
    while (!is_done) {
        Future<> news = state->news();
        co_await news;
        is_done = running.done(); // before the value is taken: then that is the last one
        if (std::optional<P> value = state->take())
            std::invoke(show, *std::move(value));
    }
    ForeignFutureAwaiter<R> result(FutureAccess::take(std::move(running)));
    co_return co_await result;
}

} // namespace detail
} // namespace QAsyncio
