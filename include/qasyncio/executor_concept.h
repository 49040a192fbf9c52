// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/global.h"

#include <concepts>
#include <functional>
#include <memory>
#include <utility>

namespace QAsyncio {

/// What QAsyncioLoop::run_in_executor() and set_default_executor() take beside a QThreadPool: any
/// class with a member function execute() that takes a std::function<void()> and calls it, once, in
/// some thread.
///
///     class Workers
///     {
///     public:
///         void execute(std::function<void()> job) { m_pool.post(std::move(job)); }
///         ...
///     };
///     const int answer = co_await loop.run_in_executor(&workers, compute);
///
/// What execute() may do:
/// - Call the job at once, in the loop's own thread. The result arrives in a later turn all the
///   same; meanwhile the loop stands still.
/// - Copy the job. Only the first call of all copies runs the function.
/// - Destroy it without calling it, at any time and in any thread: the future gets RuntimeError.
/// - Throw: the future gets that exception. (If the function has begun by then its outcome counts,
///   and the exception is logged.)
///
/// The job throws nothing. An executor that keeps it for ever keeps the future pending. The
/// function is destroyed when it has returned, or when its future is cancelled before it begins.
/// Thread: execute() is called in the loop's thread.
template<class E>
concept Executor = requires(E &executor, std::function<void()> job) {
    executor.execute(std::move(job));
};

namespace detail {

/// Any Executor.
class QASYNCIO_EXPORT AnyExecutor
{
public:
    AnyExecutor() = default;
    virtual ~AnyExecutor();
    Q_DISABLE_COPY_MOVE(AnyExecutor)

    virtual void execute(std::function<void()> job) = 0;
};

template<Executor E>
class BorrowedExecutor final : public AnyExecutor
{
public:
    explicit BorrowedExecutor(E &executor) : m_executor(executor) { }
    void execute(std::function<void()> job) override { m_executor.execute(std::move(job)); }

private:
    E &m_executor;
};

template<Executor E>
class SharedExecutor final : public AnyExecutor
{
public:
    explicit SharedExecutor(std::shared_ptr<E> executor) : m_executor(std::move(executor)) { }
    void execute(std::function<void()> job) override { m_executor->execute(std::move(job)); }

private:
    const std::shared_ptr<E> m_executor;
};

} // namespace detail
} // namespace QAsyncio
