// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/progress.h"

namespace QAsyncio::detail {

ProgressStateBase::ProgressStateBase(LoopCore &core) : m_core(Ref<LoopCore>::share(&core)) { }

ProgressStateBase::~ProgressStateBase() = default;

Future<> ProgressStateBase::news()
{
    m_news = make_future<void>(*m_core);
    if (std::exchange(m_has_news, false))
        m_news.set_result();
    return m_news;
}

void ProgressStateBase::wake() noexcept
{
    if (m_news && !m_news.done())
        m_news.set_result();
    else
        m_has_news = true;
}

void ProgressStateBase::close() noexcept
{
    Ref<LoopCore> core; // released without the lock
    m_news = {};
    const std::lock_guard lock(m_mutex);
    core = std::move(m_core);
}

void ProgressStateBase::arrive() noexcept
{
    {
        const std::lock_guard lock(m_mutex);
        m_is_told = false;
    }
    wake();
}

} // namespace QAsyncio::detail
