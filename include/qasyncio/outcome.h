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

/// Says that an Outcome is made of the exception that came instead of a value.
struct FailedOutcome
{
};
inline constexpr FailedOutcome failed_outcome{};

/// A value or the exception that came instead: what gather() gives with return_exceptions.
///
/// T is any type that can be moved, std::exception_ptr among them. It need have neither a default constructor nor an
/// assignment.
template<class T = void>
class Outcome
{
public:
    static_assert(detail::ResultType<T>::checked);
    using value_type = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

    /// The value. Not a plain `value_type value`: to copy an Outcome<std::any> the compiler would ask whether a std::any can
    /// be made of it, and hence whether it can be copied.
    template<class Value = value_type>
        requires(!std::is_same_v<std::remove_cvref_t<Value>, Outcome>
                 && !std::is_same_v<std::remove_cvref_t<Value>, std::in_place_t> && std::is_convertible_v<Value, value_type>)
    explicit Outcome(Value &&value) : m_content(std::in_place_index<0>, std::forward<Value>(value)) { }
    explicit Outcome(std::exception_ptr exception)
        requires(!std::is_same_v<value_type, std::exception_ptr>) // that one is a value
        : Outcome(failed_outcome, std::move(exception)) { }
    /// For any T: the value that is made of `args`.
    template<class... Args>
    explicit Outcome(std::in_place_t, Args &&...args)
        : m_content(std::in_place_index<0>, std::forward<Args>(args)...) { }
    /// For any T: the exception.
    Outcome(FailedOutcome, std::exception_ptr exception) : m_content(std::in_place_index<1>, std::move(exception)) { }

    bool has_value() const { return m_content.index() == 0; }
    /// Null if there is a value.
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
