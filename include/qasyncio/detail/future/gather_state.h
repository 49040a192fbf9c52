// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/done_callback.h"
#include "qasyncio/detail/future/settle.h"

#include <tuple>

namespace QAsyncio::detail {

class GatherCallback;
class CancelWalk;

/// The rules of gather(), without its types. The children refer to it only through a
/// GatherCallback, so it may die before them.
class QASYNCIO_EXPORT GatherCore
{
public:
    explicit GatherCore(bool return_exceptions) : m_return_exceptions(return_exceptions) { }
    virtual ~GatherCore();
    Q_DISABLE_COPY_MOVE(GatherCore)

    void add_child(Ref<FutureStateBase> child, bool implicit_task);
    /// Begins to wait for the children. Those that are done already are counted at once; if all
    /// are, the future is done.
    void begin();
    void child_done(FutureStateBase &child);
    bool cancel_children(const QString &message);
    QString describe_children() const;

protected:
    virtual FutureStateBase &outer() = 0;
    virtual void set_results() = 0;
    virtual void set_error(std::exception_ptr exception) = 0;

    // As passed: the same one may be there twice; unchanged once begun.
    std::vector<Ref<FutureStateBase>> m_children;

private:
    friend class GatherCallback;
    friend class CancelWalk;
    void fail(std::exception_ptr exception);

    std::vector<GatherCallback *> m_callbacks; // null for those that were called
    std::size_t m_unfinished = 0;
    bool m_return_exceptions;
    bool m_cancel_requested = false;
    bool m_failed = false;

    /// What a CancelWalk notes at this gather; a member, so that the walk takes no memory.
    struct Walk
    {
        bool is_active = false;
        bool any = false; // a child took the cancellation
        bool requested_before = false;
        std::size_t next = 0; // the next child's index
        GatherCore *outer_level = nullptr;
        Ref<FutureStateBase> outer; // keeps this alive: cancelling a child may end it
        // The task that awaits this gather, if the walk came through it.
        Ref<FutureStateBase> waiting;
    } m_walk;
};

/// The result of a child as an element of the results: a value or an Outcome.
template<class Element, class T>
Element gathered(FutureStateBase &child)
{
    const bool movable = child.sole_owner();
    if constexpr (std::is_same_v<Element, Outcome<T>>) {
        const auto value = [&] { return take_value<T>(child, movable); };
        return outcome_of<T>(value);
    } else if constexpr (std::is_void_v<T>) {
        return std::monostate();
    } else {
        return take_value<T>(child, movable);
    }
}

/// The future that gather() gives, and the GatherCore behind it.
template<class Result>
class GatherStateBase : public FutureState<Result>, protected GatherCore
{
public:
    GatherStateBase(LoopCore &core, bool return_exceptions)
        : FutureState<Result>(core), GatherCore(return_exceptions)
    { }

    bool cancel(const QString &message) override
    {
        return !this->done() && cancel_children(message);
    }
    GatherCore *gathering() override { return this->done() ? nullptr : this; }
    QString describe_wait() const override { return describe_children(); }
    bool is_compound() const override { return true; }
    template<class Future>
    void add(Future child, bool implicit_task)
    {
        add_child(FutureAccess::take(std::move(child)), implicit_task);
    }
    using GatherCore::begin;

private:
    FutureStateBase &outer() override { return *this; }
    void set_error(std::exception_ptr exception) override
    {
        this->set_exception(std::move(exception));
    }
};

/// For children that are given one by one: the result is a tuple.
template<class Result, class... T>
class GatherState final : public GatherStateBase<Result>
{
public:
    using GatherStateBase<Result>::GatherStateBase;

private:
    void set_results() override { collect(std::index_sequence_for<T...>()); }
    template<std::size_t... I>
    void collect(std::index_sequence<I...>)
    {
        this->set_value(
            Result(gathered<std::tuple_element_t<I, Result>, T>(*this->m_children[I])...));
    }
};

/// For children that are given as a vector.
template<class Element, class T>
class GatherVectorState final : public GatherStateBase<std::vector<Element>>
{
public:
    using GatherStateBase<std::vector<Element>>::GatherStateBase;

private:
    void set_results() override
    {
        std::vector<Element> results;
        results.reserve(this->m_children.size());
        for (const Ref<FutureStateBase> &child : this->m_children)
            results.push_back(gathered<Element, T>(*child));
        this->set_value(std::move(results));
    }
};

} // namespace QAsyncio::detail
