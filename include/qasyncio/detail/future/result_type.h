// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

namespace QAsyncio::detail {

/// Refuses what no coroutine, future or variable can keep. One place, so that it is one sentence everywhere.
template<class T>
struct ResultType
{
    static_assert(!std::is_reference_v<T>,
                  "a result cannot be a reference, since nobody knows how long what it refers to will live: give a value, a "
                  "pointer, or a std::reference_wrapper (std::ref(x))");
    static constexpr bool checked = true;
};

} // namespace QAsyncio::detail
