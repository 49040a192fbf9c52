// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

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

} // namespace QAsyncio
