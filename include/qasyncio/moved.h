// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

namespace QAsyncio {

/// The type of moved(). Unlike the result of std::move() it shows that the closure has a name. That
/// matters with g++ 12, which destroys temporary closures twice in await expressions
/// (docs/compilers.md).
template<class F>
class Moved
{
public:
    explicit Moved(F &closure) : m_closure(&closure) { }
    operator F &&() const { return std::move(*m_closure); }

private:
    F *m_closure;
};
/// Allows a function of QAsyncio to move from a named closure instead of copying it:
///
///     auto work = [image = std::move(image)]() mutable { return scale(std::move(image)); };
///     co_await to_thread(moved(work));
template<class F>
Moved<F> moved(F &closure)
{
    return Moved<F>(closure);
}

} // namespace QAsyncio
