// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/errors.h"

#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace QAsyncio {

/// Several exceptions in one: what a task group throws. Groups may contain groups.
///
/// `catch (const ExceptionGroup &group)` takes the place of Python's `except*`; split() and
/// subgroup() tell the kinds of exceptions apart:
///
///     catch (const ExceptionGroup &group) {
///         const auto [timeouts, others] = group.split<TimeoutError>();
///         if (others)
///             throw *others;
///         retry();
///     }
///
/// Copies share the exceptions.
/// \sa https://docs.python.org/3/library/exceptions.html#ExceptionGroup
class QASYNCIO_EXPORT ExceptionGroup : public Error
{
public:
    /// A group with these members. Throws ValueError if there are none, or if one of them is null.
    ExceptionGroup(const QString &message, std::vector<std::exception_ptr> exceptions);
    ExceptionGroup(const ExceptionGroup &) = default;
    ExceptionGroup &operator=(const ExceptionGroup &) = default;
    ~ExceptionGroup() override;
    // Groups may be nested to any depth: building, destroying, split() and leaves() do not recurse.

    /// The text that was passed to the constructor. what() appends the number of exceptions to it.
    const QString &message() const { return m_message; }
    /// The members. A group among them counts as one member.
    const std::vector<std::exception_ptr> &exceptions() const { return m_exceptions; }
    /// All exceptions that are not groups, at any depth, from left to right.
    std::vector<std::exception_ptr> leaves() const;

    /// Tells whether an exception is one of those that are wanted.
    using Condition = std::function<bool(const std::exception_ptr &)>;

    /// The exceptions for which `condition` is true, and the rest. Each half is a group with the
    /// structure of this one, or std::nullopt if it has no exceptions. The condition is asked about
    /// groups too: a group for which it is true is taken as a whole.
    std::pair<std::optional<ExceptionGroup>, std::optional<ExceptionGroup>> split(
        const Condition &condition) const;
    /// The first half of split().
    std::optional<ExceptionGroup> subgroup(const Condition &condition) const;
    /// Splits by type: `group.split<ValueError, std::out_of_range>()`. Derived classes count.
    template<class... E>
    auto split() const
    {
        return split(&is_any_of<E...>);
    }
    /// The first half of that.
    template<class... E>
    std::optional<ExceptionGroup> subgroup() const
    {
        return subgroup(&is_any_of<E...>);
    }

private:
    template<class E>
    static bool is_a(const std::exception_ptr &exception)
    {
        try {
            std::rethrow_exception(exception);
        } catch (const E &) {
            return true;
        } catch (...) {
            return false;
        }
    }
    template<class... E>
    static bool is_any_of(const std::exception_ptr &exception)
    {
        static_assert(sizeof...(E) > 0, "name the types of the exceptions");
        return (is_a<E>(exception) || ...);
    }

    QString m_message;
    std::vector<std::exception_ptr> m_exceptions;
};

} // namespace QAsyncio
