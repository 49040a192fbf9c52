// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/process/exit_state.h"

#include "process/spawn.h"

namespace QAsyncio::detail {

/// A child process until it has been waited for. Shared by its Process and the loop, which is told
/// by a pidfd when it ends; where the system has none, by a thread that waits.
class Child : public std::enable_shared_from_this<Child>
{
public:
    Child(LoopCore &loop, pid_t pid);
    /// One that has not ended is left to those who start or drop others: see reap_orphans().
    ~Child();
    Q_DISABLE_COPY_MOVE(Child)

    /// Throws OSError.
    void watch();
    pid_t pid() const { return m_pid; }
    /// Nothing if it has ended. Throws OSError.
    void send_signal(int signal);
    /// SIGKILL. For a child that has a group of its own.
    void kill_group() noexcept;

    const Ref<ExitState> exit;

private:
    void look();
    void stop_watching() noexcept;
    void watch_by_thread();

    const Ref<LoopCore> m_loop;
    const pid_t m_pid;
    OwnedFd m_pidfd;
};

/// Waits, without blocking, for children that have outlived their loop. In any thread.
void reap_orphans() noexcept;
/// Ends a child that cannot be watched, and waits for it.
void kill_and_reap(pid_t pid) noexcept;

} // namespace QAsyncio::detail
