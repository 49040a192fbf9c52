// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/detail/gather_state.h"

#include "loop/loop_p.h"

#include <algorithm>

namespace QAsyncio::detail {

/// Waits in the list of a child's callbacks, and tells the gather, if that is still there.
class GatherCallback final : public Runnable
{
public:
    explicit GatherCallback(GatherCore &gather, FutureStateBase &child)
        : m_gather(&gather), m_child(&child)
    {
        gather.m_callbacks.push_back(this);
    }
    ~GatherCallback() override
    {
        if (m_gather)
            std::erase(m_gather->m_callbacks, this);
    }

    void run(LoopCore &) noexcept override
    {
        if (GatherCore *gather = m_gather) {
            const auto outer = Ref<FutureStateBase>::share(&gather->outer());
            gather->child_done(*m_child);
        }
        delete this;
    }
    void discard() noexcept override { delete this; }
    void future_done(FutureStateBase &future) override { future.core->push(this); }
    void forget() { m_gather = nullptr; }

private:
    GatherCore *m_gather;     // null when it is dead; it owns a reference of the child
    FutureStateBase *m_child;
};

GatherCore::~GatherCore()
{
    for (GatherCallback *callback : m_callbacks)
        callback->forget();
}

void GatherCore::add_child(Ref<FutureStateBase> child, bool implicit_task)
{
    if (child->core != outer().core) {
        throw ValueError(
            QStringLiteral("The future belongs to a different loop than the one specified as the loop argument"));
    }
    if (implicit_task)
        child->flags &= ~FutureStateBase::LogDestroyed;
    m_children.push_back(std::move(child));
}

void GatherCore::begin()
{
    std::vector<FutureStateBase *> distinct;
    for (const auto &child : m_children) {
        if (std::find(distinct.begin(), distinct.end(), child.get()) == distinct.end())
            distinct.push_back(child.get());
    }
    m_unfinished = distinct.size();
    if (distinct.empty())
        return set_results();
    for (FutureStateBase *child : distinct) {
        if (!child->done())
            child->add_callback(new GatherCallback(*this, *child));
    }
    for (FutureStateBase *child : distinct) {
        if (child->done())
            child_done(*child);
    }
}

void GatherCore::child_done(FutureStateBase &child)
{
    --m_unfinished;
    const std::exception_ptr exception = child.take_exception(); // retrieved, also if it is dropped (G-004)
    if (outer().done())
        return;
    if (!m_return_exceptions) {
        if (child.state() == FutureStateBase::Cancelled) // as an exception: the outer is not cancelled (G-005)
            return set_error(exception ? exception : std::make_exception_ptr(CancelledError()));
        if (exception)
            return set_error(exception);
    }
    if (m_unfinished > 0)
        return;
    if (m_cancel_requested) // whatever the children made of it (G-009)
        return set_error(std::make_exception_ptr(CancelledError()));
    set_results();
}

bool GatherCore::cancel_children(const QString &message)
{
    bool any = false;
    const auto children = m_children; // a child may end the outer one
    for (const auto &child : children)
        any |= child->cancel(message);
    m_cancel_requested |= any;
    return any;
}

} // namespace QAsyncio::detail
