// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/coroutine.h"
#include "qasyncio/detail/future/settle.h"

namespace QAsyncio::detail {

/// `co_await BodyAwaiter<T>(body)` runs the coroutine that `body()` returns, as a part of this
/// task, and gives its outcome instead of throwing. For code that has something to do afterwards
/// however the body ends. An exception from `body()` itself is an outcome too.
template<class T>
class BodyAwaiter : public Coroutine<T>::ChildAwaiter
{
    using Base = typename Coroutine<T>::ChildAwaiter;

public:
    template<class F>
    explicit BodyAwaiter(F &body) : Base(nullptr)
    {
        try {
            auto running = body();
            this->child = running.release_checked();
        } catch (...) {
            m_failure = std::current_exception();
        }
    }
    BodyAwaiter(BodyAwaiter &&) noexcept = default;

    bool await_ready() const noexcept { return m_failure != nullptr; }
    Outcome<T> await_resume() noexcept
    {
        if (m_failure)
            return Outcome<T>(failed_outcome, std::move(m_failure));
        const auto result = [this] { return Base::await_resume(); };
        return outcome_of<T>(result);
    }

private:
    std::exception_ptr m_failure;
};

} // namespace QAsyncio::detail
