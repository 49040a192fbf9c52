// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/coroutine/pool.h"

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include <QtCore/qglobal.h>

namespace QAsyncio::detail {

/// A value of a high alignment in a place of a low one. It stays where it is made.
template<class T>
class Realigned
{
public:
    template<class... Args>
    explicit Realigned(std::in_place_t, Args &&...args)
    {
        std::construct_at(&get(), std::forward<Args>(args)...);
    }
    ~Realigned() { std::destroy_at(&get()); }
    Q_DISABLE_COPY_MOVE(Realigned)

    T &get()
    {
        const auto gap = -reinterpret_cast<std::uintptr_t>(m_storage) & (alignof(T) - 1);
        return *reinterpret_cast<T *>(m_storage + gap);
    }

private:
    alignas(pool_granularity) std::byte m_storage[sizeof(T) + alignof(T) - pool_granularity];
};

/// The value of a promise, whose alignment must stay that of all promises: see PromiseBase. Where nothing can be thrown the
/// compiler has to know: a std::variant moves what it makes into its place else, 14 % of the await of a child that is ready.
template<class T>
class Plain
{
public:
    template<class... Args>
    explicit Plain(std::in_place_t, Args &&...args) noexcept(std::is_nothrow_constructible_v<T, Args...>)
        : m_value(std::forward<Args>(args)...) { }
    T &get() noexcept { return m_value; }

private:
    T m_value;
};

template<class T>
using Boxed = std::conditional_t<(alignof(T) > pool_granularity), Realigned<T>, Plain<T>>;

} // namespace QAsyncio::detail
