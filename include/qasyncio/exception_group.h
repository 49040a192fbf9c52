// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/errors.h"

#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace QAsyncio {

/// Several exceptions at once: what a task group throws. Groups may hold groups.
///
/// `catch (const ExceptionGroup &group)` stands for Python's `except*`; split() and subgroup() tell the kinds apart.
/// Copies share the exceptions.
/// \sa https://docs.python.org/3/library/exceptions.html#ExceptionGroup
class QASYNCIO_EXPORT ExceptionGroup : public Error
{
public:
    /// Throws ValueError if `exceptions` is empty or one of them is null.
    ExceptionGroup(const QString &message, std::vector<std::exception_ptr> exceptions);
    ExceptionGroup(const ExceptionGroup &) = default;
    ExceptionGroup &operator=(const ExceptionGroup &) = default;
    ~ExceptionGroup() override;
    // A group in a group in a group... of any depth is built, destroyed and split, and leaves() found, without recursion.

    /// The text without the number of exceptions that what() ends with.
    const QString &message() const { return m_message; }
    /// The members, groups among them as they are.
    const std::vector<std::exception_ptr> &exceptions() const { return m_exceptions; }
    /// All exceptions that are no groups, from left to right.
    std::vector<std::exception_ptr> leaves() const;

    using Condition = std::function<bool(const std::exception_ptr &)>;

    /// The exceptions for which `condition` holds and the rest, each in the structure of this group; nothing where there are
    /// none. The condition is asked for groups too: one that it holds for is taken whole.
    std::pair<std::optional<ExceptionGroup>, std::optional<ExceptionGroup>> split(const Condition &condition) const;
    /// The first half of split().
    std::optional<ExceptionGroup> subgroup(const Condition &condition) const;
    /// By type: `group.split<ValueError, std::out_of_range>()`. Derived classes count.
    template<class... E>
    auto split() const
    {
        return split(&is_any_of<E...>);
    }
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
