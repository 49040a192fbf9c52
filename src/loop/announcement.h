// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/loop.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace QAsyncio::detail {

/// What several may wait for, each with a future of their own: a time-out of one, which cancels its future, is no end for the
/// others. Belongs to the loop's thread.
class Announcement
{
public:
    /// A future that the next announce() completes.
    Future<> future(QAsyncioLoop &loop)
    {
        std::erase_if(m_futures, [](const Future<> &future) { return future.done() || state(future).sole_owner(); });
        m_futures.push_back(loop.create_future<void>());
        return m_futures.back();
    }
    void announce()
    {
        for (Future<> &future : take())
            future.set_result();
    }
    void cancel()
    {
        for (Future<> &future : take())
            future.cancel();
    }
    /// Somebody waits now.
    bool is_awaited() const
    {
        return std::any_of(m_futures.begin(), m_futures.end(),
                           [](const Future<> &future) { return !future.done() && !state(future).callbacks.empty(); });
    }
    /// It is one of the futures that the task waits for.
    bool is_awaited_by(const TaskStateBase &task) const
    {
        return std::any_of(m_futures.begin(), m_futures.end(),
                           [&task](const Future<> &future) { return task.waiting_on() == &state(future); });
    }

private:
    static FutureStateBase &state(const Future<> &future) { return *FutureAccess::state(future); }

    /// Those that can be completed.
    std::vector<Future<>> take()
    {
        std::vector<Future<>> futures = std::exchange(m_futures, {});
        std::erase_if(futures, [](const Future<> &future) { return future.done() || state(future).core->has(LoopCore::Closed); });
        return futures;
    }

    std::vector<Future<>> m_futures;
};

} // namespace QAsyncio::detail
