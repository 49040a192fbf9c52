// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/result_type.h"
#include "qasyncio/global.h"

#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

namespace QAsyncio {

/// Pass failed_outcome as the first argument to construct an Outcome from an exception.
struct FailedOutcome
{
};
inline constexpr FailedOutcome failed_outcome{};

/// A value, or the exception that came instead: what gather() gives with return_exceptions.
///
///     const auto [a, b] = co_await gather(return_exceptions, load(), save());
///     if (!a.has_value())
///         qWarning() << describe(a.exception());
///
/// T is any type that can be moved, including std::exception_ptr. It needs neither a default
/// constructor nor an assignment operator. For T = void the value is a std::monostate.
template<class T = void>
class Outcome
{
public:
    static_assert(detail::ResultType<T>::checked);
    using value_type = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

    /// From a value. A template, because with a plain `value_type value` the compiler would have to
    /// find out, to copy an Outcome<std::any>, whether a std::any can be made of one.
    template<class Value = value_type>
        requires(!std::is_same_v<std::remove_cvref_t<Value>, Outcome>
                 && !std::is_same_v<std::remove_cvref_t<Value>, std::in_place_t>
                 && std::is_convertible_v<Value, value_type>)
    explicit Outcome(Value &&value) : m_content(std::in_place_index<0>, std::forward<Value>(value))
    { }
    /// From an exception.
    explicit Outcome(std::exception_ptr exception)
        requires(!std::is_same_v<value_type, std::exception_ptr>) // that one is a value
        : Outcome(failed_outcome, std::move(exception))
    { }
    /// From a value that is made of `args`, for any T.
    template<class... Args>
    explicit Outcome(std::in_place_t, Args &&...args)
        : m_content(std::in_place_index<0>, std::forward<Args>(args)...)
    { }
    /// From an exception, for any T.
    Outcome(FailedOutcome, std::exception_ptr exception)
        : m_content(std::in_place_index<1>, std::move(exception))
    { }

    /// True if there is a value, false if there is an exception.
    bool has_value() const { return m_content.index() == 0; }
    /// The exception; null if there is a value.
    std::exception_ptr exception() const
    {
        return has_value() ? std::exception_ptr() : std::get<1>(m_content);
    }
    /// The value. Throws the exception if there is one.
    const value_type &value() const &
    {
        rethrow();
        return std::get<0>(m_content);
    }
    /// The same, to move the value out.
    value_type &&value() &&
    {
        rethrow();
        return std::get<0>(std::move(m_content));
    }

private:
    void rethrow() const
    {
        if (!has_value())
            std::rethrow_exception(std::get<1>(m_content));
    }

    std::variant<value_type, std::exception_ptr> m_content;
};

template<class T>
struct detail::IsCopyable<Outcome<T>> : detail::IsCopyable<typename Outcome<T>::value_type>
{
};

} // namespace QAsyncio
