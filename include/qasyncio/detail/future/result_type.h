// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace QAsyncio::detail {

/// Whether a T can really be copied. std::is_copy_constructible is also true for a vector of
/// std::unique_ptr and for what has one inside. Classes of a program cannot be looked into: Future
/// says what they have to do.
template<class T>
struct IsCopyable : std::is_copy_constructible<T>
{
};
template<class T>
    requires requires(const T &container) {
        typename T::value_type;
        container.begin();
    } && (!std::is_same_v<T, typename T::value_type>)
struct IsCopyable<T>
    : std::conjunction<std::is_copy_constructible<T>, IsCopyable<typename T::value_type>>
{
};
template<class... T>
struct IsCopyable<std::tuple<T...>> : std::conjunction<IsCopyable<T>...>
{
};
template<class First, class Second>
struct IsCopyable<std::pair<First, Second>>
    : std::conjunction<IsCopyable<First>, IsCopyable<Second>>
{
};
template<class T>
struct IsCopyable<std::optional<T>> : IsCopyable<T>
{
};
template<class... T>
struct IsCopyable<std::variant<T...>> : std::conjunction<IsCopyable<T>...>
{
};

/// Refuses what no coroutine, future or variable can hold, everywhere with the same message.
template<class T>
struct ResultType
{
    static_assert(!std::is_reference_v<T>,
                  "a result cannot be a reference, since nobody knows how long what it refers to "
                  "will live: give a value, a "
                  "pointer, or a std::reference_wrapper (std::ref(x))");
    static constexpr bool checked = true;
};

} // namespace QAsyncio::detail
