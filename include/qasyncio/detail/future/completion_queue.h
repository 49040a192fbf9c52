// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/done_listener.h"

namespace QAsyncio::detail {

/// Futures in the order of their completion, for as_completed(). Whoever is to get one holds a reference; when the last one
/// goes, callbacks and timer go with it.
class QASYNCIO_EXPORT CompletionQueue final : public DoneListener
{
public:
    CompletionQueue() = default;
    ~CompletionQueue() override;

    /// Listens to each distinct future once.
    void begin(std::vector<AnyFuture> futures, std::optional<std::chrono::nanoseconds> timeout);
    /// How many have not been asked for.
    std::size_t left() const { return m_left; }
    /// False if all have been asked for; else the caller is to get() one.
    bool take_turn();
    /// The next one to be done, to each caller its own, in the order of the calls. Throws TimeoutError in the place of one
    /// that was not done in time.
    static Coroutine<AnyFuture> get(std::shared_ptr<CompletionQueue> queue);

private:
    class Place;

    void heard(AnyFuture future) override;
    void time_out();
    void put(AnyFuture future);
    void call_next();

    std::vector<AnyFuture> m_done; // one that is none stands for one that was not done in time. There is room for all
    std::size_t m_given = 0;       // of m_done
    Place *m_first_in_line = nullptr; // those who wait
    Place *m_last_in_line = nullptr;
    std::size_t m_unfinished = 0;
    std::size_t m_left = 0;
    TimerHandle m_timer;
};

} // namespace QAsyncio::detail
