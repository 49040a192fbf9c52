// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/exception_group.h"

#include <cstddef>
#include <deque>

namespace QAsyncio {

namespace {

QString text_of(const QString &message, std::size_t count)
{
    return QStringLiteral("%1 (%2 sub-exception%3)")
        .arg(message)
        .arg(count)
        .arg(count == 1 ? QString() : QStringLiteral("s"));
}

std::optional<ExceptionGroup> as_group(const std::exception_ptr &exception)
{
    try {
        std::rethrow_exception(exception);
    } catch (const ExceptionGroup &group) {
        return group;
    } catch (...) {
        return std::nullopt;
    }
}

std::optional<ExceptionGroup> group_of(const QString &message,
                                       std::vector<std::exception_ptr> exceptions)
{
    if (exceptions.empty())
        return std::nullopt;
    return ExceptionGroup(message, std::move(exceptions));
}

/// A group that is being split.
struct Split
{
    explicit Split(const ExceptionGroup &group) : group(group) { }
    std::pair<std::optional<ExceptionGroup>, std::optional<ExceptionGroup>> halves()
    {
        return {group_of(group.message(), std::move(matching)),
                group_of(group.message(), std::move(rest))};
    }

    const ExceptionGroup group;
    std::size_t next = 0;
    std::vector<std::exception_ptr> matching;
    std::vector<std::exception_ptr> rest;
};

} // namespace

ExceptionGroup::ExceptionGroup(const QString &message, std::vector<std::exception_ptr> exceptions)
    : Error(text_of(message, exceptions.size())), m_message(message),
      m_exceptions(std::move(exceptions))
{
    if (m_exceptions.empty())
        throw ValueError(QStringLiteral("an ExceptionGroup needs at least one exception"));
    for (const std::exception_ptr &exception : m_exceptions) {
        if (!exception)
            throw ValueError(QStringLiteral("an ExceptionGroup cannot hold a null exception"));
    }
}

ExceptionGroup::~ExceptionGroup()
{
    for (std::exception_ptr &exception : m_exceptions)
        detail::release_exception(std::move(exception));
}

std::vector<std::exception_ptr> ExceptionGroup::leaves() const
{
    std::vector<std::exception_ptr> all;
    // In reverse order: the next one is taken from the end.
    std::vector<std::exception_ptr> left(m_exceptions.rbegin(), m_exceptions.rend());
    while (!left.empty()) {
        std::exception_ptr exception = std::move(left.back());
        left.pop_back();
        if (const auto group = as_group(exception))
            left.insert(left.end(), group->m_exceptions.rbegin(), group->m_exceptions.rend());
        else
            all.push_back(std::move(exception));
    }
    return all;
}

std::pair<std::optional<ExceptionGroup>, std::optional<ExceptionGroup>> ExceptionGroup::split(
    const Condition &condition) const
{
    std::deque<Split> levels; // this, a group in it, a group in that one...
    levels.emplace_back(*this);
    for (;;) {
        Split &level = levels.back();
        if (level.next < level.group.exceptions().size()) {
            const std::exception_ptr exception = level.group.exceptions()[level.next++];
            if (condition(exception))
                level.matching.push_back(exception);
            else if (auto group = as_group(exception))
                levels.emplace_back(*group);
            else
                level.rest.push_back(exception);
            continue;
        }
        auto halves = level.halves();
        levels.pop_back();
        if (levels.empty())
            return halves;
        if (halves.first)
            levels.back().matching.push_back(std::make_exception_ptr(*halves.first));
        if (halves.second)
            levels.back().rest.push_back(std::make_exception_ptr(*halves.second));
    }
}

std::optional<ExceptionGroup> ExceptionGroup::subgroup(const Condition &condition) const
{
    return split(condition).first;
}

} // namespace QAsyncio
