// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/detail/future/gather_state.h"

#include "loop/loop_p.h"
#include "tasks/cancel_walk.h"
#include "tasks/done_watch.h"

#include <unordered_set>

namespace QAsyncio::detail {

/// Owned by a child's list of callbacks. Tells the gather, if that still exists, that the child is
/// done.
class GatherCallback final : public DoneWatch
{
public:
    explicit GatherCallback(GatherCore &gather, FutureStateBase &child)
        : m_gather(&gather), m_child(&child)
    {
        m_place = gather.m_callbacks.size();
        gather.m_callbacks.push_back(this);
    }
    ~GatherCallback() override
    {
        if (m_gather)
            m_gather->m_callbacks[m_place] = nullptr;
    }

    FutureStateBase *waiting_future() override { return m_gather ? &m_gather->outer() : nullptr; }
    void future_done(FutureStateBase &future) override
    {
        if (m_drops_exception)
            future.take_exception();
        DoneWatch::future_done(future);
    }
    /// The gather is destroyed. If it had failed, an exception that this child throws later is
    /// dropped as well (G-004).
    void forget(bool had_failed)
    {
        m_gather = nullptr;
        m_drops_exception = had_failed;
        if (had_failed)
            m_child->take_exception(); // it may be done already
    }

private:
    void heard() noexcept override
    {
        if (GatherCore *gather = m_gather) {
            const auto outer = Ref<FutureStateBase>::share(&gather->outer());
            gather->child_done(*m_child);
        }
    }

    GatherCore *m_gather; // null when it is destroyed; it owns a reference of m_child
    FutureStateBase *m_child;
    bool m_drops_exception = false;
    std::size_t m_place; // in the gather's list of callbacks
};

GatherCore::~GatherCore()
{
    for (GatherCallback *callback : m_callbacks) {
        if (callback)
            callback->forget(m_failed);
    }
}

void GatherCore::add_child(Ref<FutureStateBase> child, bool implicit_task)
{
    check_loop(*child, *outer().core);
    if (implicit_task)
        child->die_in_silence();
    m_children.push_back(std::move(child));
}

void GatherCore::begin()
{
    std::vector<FutureStateBase *> distinct;
    std::unordered_set<FutureStateBase *> seen;
    for (const auto &child : m_children) {
        if (seen.insert(child.get()).second)
            distinct.push_back(child.get());
    }
    m_unfinished = distinct.size();
    if (distinct.empty())
        return set_results();
    m_callbacks.reserve(distinct.size());
    for (FutureStateBase *child : distinct) {
        if (child->done())
            continue;
        std::unique_ptr<GatherCallback> callback(new GatherCallback(*this, *child));
        child->append_callback(callback.get());
        callback.release(); // the child owns it now
    }
    for (FutureStateBase *child : distinct) {
        if (child->done())
            child_done(*child);
    }
}

/// The CancelledError that `child` makes the gather end with. For a cancelled gather asyncio takes
/// it from the last child, whatever that one made of the cancellation.
static std::exception_ptr cancellation_of(FutureStateBase &child)
{
    if (child.state() == FutureStateBase::Cancelled && child.has_exception())
        return child.peek_exception();
    const bool has_message = child.state() != FutureStateBase::Cancelled && child.is_task();
    const QString message = has_message ? static_cast<TaskStateBase &>(child).cancel_message()
                                        : QString();
    return std::make_exception_ptr(CancelledError(message));
}

void GatherCore::child_done(FutureStateBase &child)
{
    --m_unfinished;
    if (outer().done()) {
        child.take_exception(); // retrieved, and dropped (G-004)
        return;
    }
    if (!m_return_exceptions) {
        const std::exception_ptr exception = child.take_exception();
        // The gather fails with it as an exception: its future is not cancelled (G-005).
        if (child.state() == FutureStateBase::Cancelled)
            return fail(cancellation_of(child));
        if (exception)
            return fail(exception);
    }
    if (m_unfinished > 0)
        return;
    if (m_cancel_requested) { // whatever the children made of it (G-009)
        for (const auto &each : m_children)
            each->take_exception();
        return fail(cancellation_of(*m_children.back()));
    }
    try {
        set_results();
    } catch (...) { // copying a result has thrown
        fail(std::current_exception());
    }
}

void GatherCore::fail(std::exception_ptr exception)
{
    m_failed = true;
    if (outer().is_pending()) // copying a result may have cancelled it
        set_error(std::move(exception));
}

bool GatherCore::cancel_children(const QString &message)
{
    if (m_walk.is_active) // a child awaits this gather: the walk would never end
        return false;
    return CancelWalk(message).cancel(*this);
}

QString GatherCore::describe_children() const
{
    WaitWords words;
    for (const auto &child : m_children)
        words.add(*child);
    return words.text("gather");
}

CancelWalk::~CancelWalk()
{
    while (m_innermost) {
        m_innermost->m_walk.waiting = {};
        leave(*m_innermost);
    }
}

bool CancelWalk::cancel(GatherCore &gather)
{
    enter(gather, nullptr);
    bool result = false;
    while (GatherCore *const innermost = m_innermost) {
        auto &walk = innermost->m_walk;
        if (walk.next < innermost->m_children.size()) {
            const Ref<FutureStateBase> child = innermost->m_children[walk.next++];
            cancel_child(*child);
            continue;
        }
        result = leave(*innermost);
        if (m_innermost)
            m_innermost->m_walk.any |= result;
    }
    return result;
}

void CancelWalk::enter(GatherCore &gather, TaskStateBase *waiting)
{
    auto &walk = gather.m_walk;
    walk.is_active = true;
    walk.any = false;
    walk.next = 0;
    // Set first: in its cancel() a child may end, and with it the gather.
    walk.requested_before = std::exchange(gather.m_cancel_requested, true);
    if (waiting)
        walk.waiting = Ref<FutureStateBase>::share(waiting);
    walk.outer = Ref<FutureStateBase>::share(&gather.outer());
    walk.outer_level = std::exchange(m_innermost, &gather);
}

bool CancelWalk::leave(GatherCore &gather)
{
    auto &walk = gather.m_walk;
    const Ref<FutureStateBase> keeper = std::move(walk.outer);
    const Ref<FutureStateBase> waiting = std::move(walk.waiting);
    m_innermost = walk.outer_level;
    walk.is_active = false;
    gather.m_cancel_requested = walk.any || walk.requested_before;
    if (waiting && !walk.any) // no child took it: the task itself is to be cancelled
        static_cast<TaskStateBase &>(*waiting).note_cancellation(m_message);
    return walk.any || static_cast<bool>(waiting);
}

void CancelWalk::cancel_child(FutureStateBase &child)
{
    GatherCore &parent = *m_innermost;
    if (GatherCore *inner = child.gathering()) {
        if (!inner->m_walk.is_active)
            enter(*inner, nullptr);
        return;
    }
    if (!child.is_task()) {
        parent.m_walk.any |= child.cancel(m_message);
        return;
    }
    TaskStateBase *last = static_cast<TaskStateBase &>(child).request_cancellation();
    if (!last)
        return; // it is done
    parent.m_walk.any = true;
    FutureStateBase *const awaited = last->awaited_future();
    GatherCore *inner = awaited ? awaited->gathering() : nullptr;
    if (inner && !inner->m_walk.is_active)
        return enter(*inner, last);
    last->deliver_cancellation(m_message);
}

} // namespace QAsyncio::detail
