// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/loop/context_state.h"
#include "qasyncio/detail/future/result_type.h"
#include "qasyncio/errors.h"

#include <optional>

namespace QAsyncio {

/// A set of values of context variables. Every callback and every task runs in one.
///
/// A handle on shared state: copying the handle does not copy the values, copy_context() does.
/// Thread: a context may be used by one thread at a time.
/// \sa https://docs.python.org/3/library/contextvars.html#contextvars.Context
class QASYNCIO_EXPORT Context
{
public:
    /// An empty context.
    Context();

    /// Runs `f` in this context: what it sets is kept here and is not seen outside.
    template<class F>
    decltype(auto) run(F &&f) const
    {
        detail::ContextEntry entry(m_state);
        return std::forward<F>(f)();
    }

    /// "<Context with 2 values>"
    QString to_string() const;

    friend bool operator==(const Context &, const Context &) = default;

private:
    friend QASYNCIO_EXPORT Context copy_context();
    friend class detail::ContextAccess;
    explicit Context(detail::Ref<detail::ContextState> state) : m_state(std::move(state)) { }

    detail::Ref<detail::ContextState> m_state;
};

/// A copy of the current context (cheap: the values are shared until one of both is changed).
QASYNCIO_EXPORT Context copy_context();

/// Where a callback runs: in the context that is given or, without one, in a copy of the current one.
class CallbackContext
{
public:
    CallbackContext() { }
    CallbackContext(const Context &context) : m_context(&context) { }

    bool is_given() const { return m_context; }
    /// For what is made now, while `current` is the current one. Owned by the caller; null: empty.
    detail::ContextState *take(detail::ContextState *current) const
    {
        return m_context ? detail::Ref(detail::ContextAccess::state(*m_context)).leak() : detail::capture_context(current);
    }

private:
    const Context *m_context = nullptr; // until the call returns
};

/// What ContextVar::set() gives back, for reset().
template<class T>
class Token
{
public:
    /// The value that set() replaced; nothing if there was none.
    const std::optional<T> &old_value() const { return m_old; }
    /// "<Token>", "<Token used>"
    QString to_string() const { return m_used ? QStringLiteral("<Token used>") : QStringLiteral("<Token>"); }

private:
    template<class>
    friend class ContextVar;
    Token(quint64 key, std::optional<T> old, detail::Ref<detail::ContextState> context)
        : m_key(key), m_old(std::move(old)), m_context(std::move(context)) { }

    quint64 m_key;
    std::optional<T> m_old;
    detail::Ref<detail::ContextState> m_context; // kept: another one at the same address would pass for it
    bool m_used = false;
};

/// A variable with a value for each context: what a request, a user, a log prefix is "for this task".
///
/// T is any type that can be copied. Usually a global. Programs that use none pay nothing. Thread: any; each sees the values of its own current context.
/// \sa https://docs.python.org/3/library/contextvars.html#contextvars.ContextVar
template<class T>
class ContextVar
{
public:
    static_assert(detail::ResultType<T>::checked);

    explicit ContextVar(QString name) : m_name(std::move(name)) { }
    ContextVar(QString name, T default_value) : m_name(std::move(name)), m_default(std::move(default_value)) { }
    Q_DISABLE_COPY_MOVE(ContextVar)

    const QString &name() const { return m_name; }
    /// "<ContextVar name='user'>"
    QString to_string() const { return QStringLiteral("<ContextVar name='%1'>").arg(m_name); }

    /// The value in the current context, else the default. Throws LookupError if there is neither.
    T get() const
    {
        if (const auto value = find())
            return *value;
        if (m_default)
            return *m_default;
        throw LookupError(m_name);
    }
    /// The value in the current context, else `fallback`.
    T get(T fallback) const
    {
        if (const auto value = find())
            return *value;
        return fallback;
    }
    /// Sets the value in the current context.
    Token<T> set(T value)
    {
        std::optional<T> old;
        if (const auto current = find())
            old.emplace(*current);
        detail::Ref<detail::ContextState> context = detail::set_context_value(m_key, std::make_shared<T>(std::move(value)));
        return Token<T>(m_key, std::move(old), std::move(context));
    }
    /// Goes back to what was there before the set() that gave `token`.
    /// Throws ValueError for the token of another variable or context, RuntimeError for one that was used.
    void reset(Token<T> &token)
    {
        if (token.m_used)
            throw RuntimeError(QStringLiteral("<Token> has already been used once"));
        if (token.m_key != m_key)
            throw ValueError(QStringLiteral("<Token> was created by a different ContextVar"));
        if (token.m_context.get() != *detail::context_slot())
            throw ValueError(QStringLiteral("<Token> was created in a different Context"));
        token.m_used = true;
        detail::set_context_value(m_key, token.m_old ? std::make_shared<T>(std::as_const(*token.m_old)) : nullptr);
    }
    void reset(Token<T> &&token) { reset(token); }

private:
    /// Kept while it is copied: a copy constructor may set the variable.
    std::shared_ptr<const T> find() const { return std::static_pointer_cast<const T>(detail::find_context_value(m_key)); }

    QString m_name;
    std::optional<T> m_default;
    quint64 m_key = detail::next_context_key();
};

} // namespace QAsyncio
