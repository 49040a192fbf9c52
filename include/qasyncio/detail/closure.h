// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/coroutine.h"

#include <functional>
#include <optional>

namespace QAsyncio {

/// Says that a named closure may be moved from: `co_await to_thread(moved(work))`. Unlike std::move() it tells a named
/// closure from a temporary, which g++ 12 would destroy twice (docs/compilers.md).
template<class F>
class Moved
{
public:
    explicit Moved(F &closure) : m_closure(&closure) { }
    operator F &&() const { return std::move(*m_closure); }

private:
    F *m_closure;
};
template<class F>
Moved<F> moved(F &closure)
{
    return Moved<F>(closure);
}

namespace detail {

template<class F>
struct ClosureOf
{
    using type = F;
};
template<class F>
struct ClosureOf<Moved<F>>
{
    using type = F;
};
/// The closure that the callee keeps for an argument of type F.
template<class F>
using closure_t = typename ClosureOf<std::decay_t<F>>::type;

template<class C>
struct CoroutineValue
{
    static_assert(!sizeof(C), "this function must be a coroutine: it has to return a QAsyncio::Coroutine<...>");
};
template<class T>
struct CoroutineValue<Coroutine<T>>
{
    using type = T;
};
template<class C>
using coroutine_value_t = typename CoroutineValue<C>::type;

} // namespace detail
} // namespace QAsyncio
