// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/detail/future/future_state.h"

#include <algorithm>
#include <unordered_map>

namespace QAsyncio::detail {

namespace {
constexpr std::size_t few_callbacks = 32; // up to so many a linear search is faster
}

struct CallbackVector::Index : std::unordered_map<const FutureCallback *, std::size_t>
{
};

CallbackVector::CallbackVector() = default;
CallbackVector::~CallbackVector() = default;

void CallbackVector::append(FutureCallback *callback)
{
    m_all.push_back(callback);
    if (!m_index)
        return;
    try {
        m_index->emplace(callback, m_all.size() - 1);
    } catch (const std::bad_alloc &) {
        m_index.reset();
    }
}

bool CallbackVector::remove(const FutureCallback *callback)
{
    const std::size_t place = place_of(callback);
    if (place == none)
        return false;
    m_all[place] = nullptr;
    ++m_gaps;
    if (m_index)
        m_index->erase(callback);
    if (m_gaps > m_all.size() / 2)
        close_gaps();
    return true;
}

std::size_t CallbackVector::place_of(const FutureCallback *callback) const
{
    if (!m_index && m_all.size() > few_callbacks)
        make_index();
    if (m_index) {
        const auto found = m_index->find(callback);
        return found == m_index->end() ? none : found->second;
    }
    const auto found = std::find(m_all.begin(), m_all.end(), callback);
    return found == m_all.end() ? none : static_cast<std::size_t>(found - m_all.begin());
}

void CallbackVector::close_gaps()
{
    std::erase(m_all, nullptr);
    m_gaps = 0;
    m_index.reset();
}

void CallbackVector::make_index() const noexcept
{
    try {
        auto index = std::make_unique<Index>();
        for (std::size_t place = 0; place < m_all.size(); ++place) {
            if (m_all[place])
                index->emplace(m_all[place], place);
        }
        m_index = std::move(index);
    } catch (const std::bad_alloc &) { // then the search is linear
    }
}

void CallbackList::append_further(FutureCallback *callback)
{
    if (!(m_bits & 1)) {
        auto several = std::make_unique<CallbackVector>();
        several->append(reinterpret_cast<FutureCallback *>(m_bits));
        several->append(callback);
        m_bits = reinterpret_cast<std::uintptr_t>(several.release()) | 1;
        return;
    }
    vector_of(m_bits)->append(callback);
}

bool CallbackList::remove(const FutureCallback *callback)
{
    if (m_bits & 1) {
        CallbackVector &several = *vector_of(m_bits);
        if (!several.remove(callback))
            return false;
        if (several.empty())
            clear_storage();
        return true;
    }
    if (!callback || reinterpret_cast<FutureCallback *>(m_bits) != callback)
        return false;
    m_bits = 0;
    return true;
}

bool CallbackList::contains(const FutureCallback *callback) const
{
    if (!callback)
        return false;
    return m_bits & 1 ? vector_of(m_bits)->contains(callback)
                      : reinterpret_cast<FutureCallback *>(m_bits) == callback;
}

void CallbackList::clear_storage()
{
    if (m_bits & 1)
        delete vector_of(m_bits);
    m_bits = 0;
}

} // namespace QAsyncio::detail
