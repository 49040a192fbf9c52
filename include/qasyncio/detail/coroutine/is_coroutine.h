// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

namespace QAsyncio {
template<class T>
class Coroutine;

namespace detail {
template<class A>
struct IsCoroutine : std::false_type
{
};
template<class T>
struct IsCoroutine<Coroutine<T>> : std::true_type
{
};
} // namespace detail
} // namespace QAsyncio
