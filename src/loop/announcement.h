// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/loop.h"

#include <algorithm>
#include <unordered_set>
#include <utility>
#include <vector>

namespace QAsyncio::detail {

/// What several tasks may wait for, each with a future of its own, so that a time-out of one, which
/// cancels its future, does not end the wait of the others. Belongs to the loop's thread.
class Announcement
{
public:
    /// A future that the next announce() completes.
    Future<> future(QAsyncioLoop &loop)
    {
        if (m_futures.size() >= m_most)
            forget_who_has_left();
        m_futures.push_back(make_named_future<void>(loop.core(), "the application to quit"));
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
                           [](const Future<> &future) { return state(future).has_callbacks(); });
    }
    /// The states of the futures, to be found among what tasks wait for.
    std::unordered_set<const Runnable *> states() const
    {
        std::unordered_set<const Runnable *> all;
        for (const Future<> &future : m_futures)
            all.insert(&state(future));
        return all;
    }

private:
    static FutureStateBase &state(const Future<> &future) { return *FutureAccess::state(future); }

    /// Drops futures that are done, or that nobody holds or waits for. Only called when so many
    /// have been added that the cost does not matter.
    void forget_who_has_left()
    {
        std::vector<Future<>> left; // destroyed last: a report about one may ask for a new future
        left.reserve(m_futures.size());
        for (Future<> &future : m_futures) {
            if (future.done() || (state(future).sole_owner() && !state(future).has_callbacks()))
                left.push_back(std::move(future));
        }
        std::erase_if(m_futures, [](const Future<> &future) { return !future; });
        m_most = std::max(fewest, 2 * m_futures.size());
    }

    /// Empties the list; returns the futures that can be completed.
    std::vector<Future<>> take()
    {
        std::vector<Future<>> futures = std::exchange(m_futures, {});
        std::erase_if(futures, [](const Future<> &future) {
            return future.done() || state(future).core->has(LoopCore::Closed);
        });
        return futures;
    }

    static constexpr std::size_t fewest = 16;
    std::vector<Future<>> m_futures;
    std::size_t m_most = fewest;
};

} // namespace QAsyncio::detail
