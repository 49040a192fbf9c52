// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/as_completed.h"

#include "qasyncio/wait.h"

namespace QAsyncio::detail {

/// The place of a get() in the line of those that wait for a result. If a get() ends after it was
/// called and before it has gone on, it calls the next one.
class CompletionQueue::Place
{
public:
    explicit Place(CompletionQueue &queue)
        : called(make_named_future<void>(running_core(), "next future of as_completed()")),
          m_queue(queue), m_previous(queue.m_last_in_line)
    {
        (m_previous ? m_previous->m_next : m_queue.m_first_in_line) = this;
        m_queue.m_last_in_line = this;
    }
    ~Place()
    {
        if (m_waits)
            leave_line();
        else if (!goes_on && m_queue.m_given < m_queue.m_done.size())
            m_queue.call_next();
    }
    Q_DISABLE_COPY_MOVE(Place)

    void leave_line()
    {
        (m_previous ? m_previous->m_next : m_queue.m_first_in_line) = m_next;
        (m_next ? m_next->m_previous : m_queue.m_last_in_line) = m_previous;
        m_waits = false;
    }

    Future<> called;
    bool goes_on = false;

private:
    CompletionQueue &m_queue;
    Place *m_previous;
    Place *m_next = nullptr;
    bool m_waits = true;
};

CompletionQueue::~CompletionQueue()
{
    HandleAccess::drop(m_timer);
}

FutureStateBase *CompletionQueue::waiting_future() const
{
    return m_first_in_line ? FutureAccess::state(m_first_in_line->called) : nullptr;
}

void CompletionQueue::begin(std::vector<AnyFuture> futures,
                            std::optional<std::chrono::nanoseconds> timeout)
{
    futures = distinct(std::move(futures));
    QAsyncioLoop &loop = get_running_loop();
    for (const AnyFuture &future : futures)
        check_loop(*FutureAccess::state(future), loop.core());
    m_done.reserve(futures.size());
    for (const AnyFuture &future : futures)
        listen_to(future);
    m_unfinished = m_left = futures.size();
    if (timeout && !futures.empty())
        m_timer = loop.call_later(*timeout, [this] {
            // What time_out() drops may own the last reference.
            const auto self = shared_from_this();
            time_out();
        });
}

bool CompletionQueue::claim_next()
{
    if (m_left == 0)
        return false;
    --m_left;
    return true;
}

Coroutine<AnyFuture> CompletionQueue::get(std::shared_ptr<CompletionQueue> queue)
{
    while (queue->m_given == queue->m_done.size()) {
        Place place(*queue);
        co_await place.called;
        place.goes_on = true;
    }
    AnyFuture future = std::move(queue->m_done[queue->m_given++]);
    if (!future)
        throw TimeoutError();
    co_return future;
}

void CompletionQueue::heard(AnyFuture future)
{
    if (--m_unfinished == 0)
        m_timer.cancel();
    put(std::move(future));
}

void CompletionQueue::time_out()
{
    stop_listening();
    for (; m_unfinished > 0; --m_unfinished)
        put(AnyFuture());
}

void CompletionQueue::put(AnyFuture future)
{
    m_done.push_back(std::move(future));
    call_next();
}

void CompletionQueue::call_next()
{
    while (Place *const place = m_first_in_line) {
        place->leave_line();
        if (!place->called.done())
            return place->called.set_result();
    }
}

} // namespace QAsyncio::detail
