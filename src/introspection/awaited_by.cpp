// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "introspection/awaited_by.h"

#include "qasyncio/detail/coroutine/promise.h"

#include <cstring>
#include <unordered_set>

namespace QAsyncio::detail {

std::vector<TaskStateBase *> tasks_waiting_for(const FutureStateBase &future)
{
    std::vector<TaskStateBase *> tasks;
    std::unordered_set<const FutureStateBase *> seen;
    std::vector<const FutureStateBase *> to_follow{&future};
    while (!to_follow.empty()) {
        const FutureStateBase *const next = to_follow.back();
        to_follow.pop_back();
        next->for_each_callback([&](FutureCallback &callback) {
            FutureStateBase *const waiting = callback.waiting_future();
            if (!waiting || waiting->done() || !seen.insert(waiting).second)
                return;
            if (waiting->is_task())
                tasks.push_back(static_cast<TaskStateBase *>(waiting));
            else
                to_follow.push_back(waiting);
        });
    }
    return tasks;
}

TaskActivity activity_of(const TaskStateBase &task)
{
    if (!task.is_started())
        return TaskActivity::NotStarted;
    if (task.is_on_stack())
        return TaskActivity::Running;
    return task.is_queued() ? TaskActivity::Ready : TaskActivity::Waiting;
}

namespace {
/// Calls `f` with each place until it returns false.
template<class F>
void for_each_place(const TaskStateBase &task, F &&f)
{
    const PromiseBase *frame = task.innermost_frame();
    while (frame) {
        if (frame->site.line() != 0 && !f(frame->site))
            return;
        frame = frame->link ? frame->link->parent : nullptr;
    }
}

/// "QAsyncio::detail::run_wait" in "Coroutine<> QAsyncio::detail::run_wait(WaitOptions)": as
/// function_name() finds it, but without a string.
bool is_in_library(const char *signature)
{
    const char *begin = signature;
    int depth = 0;
    for (const char *c = signature; *c && !(*c == '(' && depth == 0); ++c) {
        depth += (*c == '<') - (*c == '>');
        if (*c == ' ' && depth == 0)
            begin = c + 1;
    }
    return std::strncmp(begin, "QAsyncio::", 10) == 0;
}
} // namespace

std::vector<std::source_location> places_of(const TaskStateBase &task)
{
    std::vector<std::source_location> places;
    for_each_place(task, [&places](const std::source_location &place) {
        places.push_back(place);
        return true;
    });
    return places;
}

std::source_location place_of(const TaskStateBase &task)
{
    std::source_location innermost, found;
    for_each_place(task, [&](const std::source_location &place) {
        if (innermost.line() == 0)
            innermost = place;
        if (is_in_library(place.function_name()))
            return true;
        found = place;
        return false;
    });
    return found.line() != 0 ? found : innermost;
}

} // namespace QAsyncio::detail
