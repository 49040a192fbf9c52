// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/future/result_type.h"
#include "qasyncio/detail/loop/context_state.h"
#include "qasyncio/errors.h"

#include <optional>

namespace QAsyncio {

/// A set of values of context variables. Every callback and every task runs in one.
///
/// This class is a handle on shared state: copying the handle does not copy the values;
/// copy_context() does.
/// Thread: a context may be used by only one thread at a time.
/// \sa https://docs.python.org/3/library/contextvars.html#contextvars.Context
class QASYNCIO_EXPORT Context
{
public:
    /// An empty context.
    Context();

    /// Calls `f()` in this context and returns its result. Values that `f` sets are kept in this
    /// context and are not visible outside it. What `f` throws is passed on.
    template<class F>
    decltype(auto) run(F &&f) const
    {
        detail::ContextEntry entry(m_state);
        return std::forward<F>(f)();
    }

    /// "<Context with 2 values>"
    QString to_string() const;

    /// True if both are handles on the same context; the values are not compared.
    friend bool operator==(const Context &, const Context &) = default;

private:
    friend QASYNCIO_EXPORT Context copy_context();
    friend class detail::ContextAccess;
    explicit Context(detail::Ref<detail::ContextState> state) : m_state(std::move(state)) { }

    detail::Ref<detail::ContextState> m_state;
};

/// A copy of the current context. This is cheap: the values are shared until one of the two
/// contexts is changed.
QASYNCIO_EXPORT Context copy_context();

/// The optional last argument of functions that take a callback: the context to run the callback
/// in. Without one the callback runs in a copy of the current context.
class CallbackContext
{
public:
    /// None: a copy of the current context.
    CallbackContext() { }
    /// The given context, which must exist until the call returns.
    CallbackContext(const Context &context) : m_context(&context) { }

    bool is_given() const { return m_context; }
    /// Used by the library: the context for a callback that is made now, while `current` is the
    /// current one. The caller owns the result; null means an empty context.
    detail::ContextState *take(detail::ContextState *current) const
    {
        return m_context ? detail::Ref(detail::ContextAccess::state(*m_context)).leak()
                         : detail::capture_context(current);
    }

private:
    const Context *m_context = nullptr; // the caller's, valid until the call returns
};

/// What ContextVar::set() returns; pass it to ContextVar::reset() to restore the earlier value.
template<class T>
class Token
{
public:
    /// The value that set() replaced; std::nullopt if the variable had none in that context.
    const std::optional<T> &old_value() const { return m_old; }
    /// "<Token>", or "<Token used>" after reset().
    QString to_string() const
    {
        return m_used ? QStringLiteral("<Token used>") : QStringLiteral("<Token>");
    }

private:
    template<class>
    friend class ContextVar;
    Token(quint64 key, std::optional<T> old, detail::Ref<detail::ContextState> context)
        : m_key(key), m_old(std::move(old)), m_context(std::move(context))
    { }

    quint64 m_key;
    std::optional<T> m_old;
    detail::Ref<detail::ContextState> m_context; // kept alive, so that its address stays unique
    bool m_used = false;
};

/// A variable that has a separate value in each context: the current request, the user, the prefix
/// for log lines of "this task". Usually a global variable.
///
///     ContextVar<QString> user(u"user"_s, u"nobody"_s);
///
///     Coroutine<> serve(QString name)
///     {
///         user.set(name);      // for this task and whatever it starts from now on
///         co_await answer();   // calls user.get()
///     }
///
/// T is any type that can be copied. A program that uses no context variables pays nothing for
/// them.
/// Thread: any. Each thread sees the value in its own current context.
/// \sa https://docs.python.org/3/library/contextvars.html#contextvars.ContextVar
template<class T>
class ContextVar
{
public:
    static_assert(detail::ResultType<T>::checked);

    /// A variable without a default value. The name only serves to be read, in messages and in
    /// to_string(): two variables with the same name are independent.
    explicit ContextVar(QString name) : m_name(std::move(name)) { }
    /// A variable with a default value, which every context has until set() is called in it.
    ContextVar(QString name, T default_value)
        : m_name(std::move(name)), m_default(std::move(default_value))
    { }
    Q_DISABLE_COPY_MOVE(ContextVar)

    const QString &name() const { return m_name; }
    /// "<ContextVar name='user'>"
    QString to_string() const { return QStringLiteral("<ContextVar name='%1'>").arg(m_name); }

    /// The value in the current context, or the default value. Throws LookupError if there is
    /// neither.
    T get() const
    {
        if (const auto value = find())
            return *value;
        if (m_default)
            return *m_default;
        throw LookupError(m_name);
    }
    /// The value in the current context, or `fallback` (even if the variable has a default value).
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
        detail::Ref<detail::ContextState> context = detail::set_context_value(
            m_key, std::make_shared<T>(std::move(value)));
        return Token<T>(m_key, std::move(old), std::move(context));
    }
    /// Restores the value that the variable had before the set() that returned `token`; if it had
    /// none, it has none again.
    /// Throws ValueError if the token comes from another variable or another context, RuntimeError
    /// if it has been used before.
    void reset(Token<T> &token)
    {
        if (token.m_used)
            throw RuntimeError(QStringLiteral("<Token> has already been used once"));
        if (token.m_key != m_key)
            throw ValueError(QStringLiteral("<Token> was created by a different ContextVar"));
        if (token.m_context.get() != *detail::context_slot())
            throw ValueError(QStringLiteral("<Token> was created in a different Context"));
        token.m_used = true;
        detail::set_context_value(
            m_key, token.m_old ? std::make_shared<T>(std::as_const(*token.m_old)) : nullptr);
    }
    void reset(Token<T> &&token) { reset(token); }

private:
    /// The result owns the value, which is copied from it: a copy constructor may set the variable.
    std::shared_ptr<const T> find() const
    {
        return std::static_pointer_cast<const T>(detail::find_context_value(m_key));
    }

    QString m_name;
    std::optional<T> m_default;
    quint64 m_key = detail::next_context_key();
};

} // namespace QAsyncio
