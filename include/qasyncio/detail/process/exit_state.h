// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/event.h"

#include <optional>

namespace QAsyncio::detail {

/// Is set when a process has ended.
class QASYNCIO_EXPORT ExitState final : public EventState
{
public:
    explicit ExitState(qint64 pid) : EventState(false, "Process"), m_pid(pid) { }
    QString describe_wait() const override;

    void end(int returncode)
    {
        m_returncode = returncode;
        set();
    }
    std::optional<int> returncode() const { return m_returncode; }

private:
    const qint64 m_pid;
    std::optional<int> m_returncode;
};

struct TakeReturncode
{
    int operator()(const Ref<ExitState> &state) const { return *state->returncode(); }
};

/// What Process::wait() gives.
class ExitAwaiter : public SyncAwaiter<ExitState>
{
public:
    using SyncAwaiter<ExitState>::SyncAwaiter;

    int await_resume()
    {
        SyncAwaiter<ExitState>::await_resume();
        return TakeReturncode()(source());
    }
    /// For race().
    auto claim() && { return SyncClaim<ExitState, TakeReturncode>(source()); }
};

} // namespace QAsyncio::detail
