// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "process/child.h"

#include "base/logging.h"

#include "qasyncio/detail/thread/message.h"
#include "qasyncio/loop.h"

#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <thread>

namespace QAsyncio::detail {

namespace {

// The same number everywhere but on alpha.
#ifdef SYS_pidfd_open
constexpr long pidfd_open_number = SYS_pidfd_open;
constexpr long pidfd_send_signal_number = SYS_pidfd_send_signal;
#else
constexpr long pidfd_open_number = 434;
constexpr long pidfd_send_signal_number = 424;
#endif

int open_pidfd(pid_t pid)
{
    if (qgetenv("QASYNCIO_CHILD_WATCHER") == "thread") { // lets the tests run with the other one
        errno = ENOSYS;
        return -1;
    }
    return int(::syscall(pidfd_open_number, pid, 0));
}

/// What became of a child. Empty while it runs.
std::optional<int> look_at(pid_t pid)
{
    siginfo_t info{};
    int result;
    do {
        result = ::waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG);
    } while (result < 0 && errno == EINTR);
    if (result == 0 && info.si_pid == 0)
        return {};
    if (result == 0)
        return info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
    constexpr int unknown = 255;
    qCWarning(logCategory,
              "something else has waited for child process %lld; its returncode is given as %d",
              static_cast<long long>(pid), unknown);
    return unknown;
}

/// Children that have outlived their loop.
struct Orphans
{
    std::mutex mutex;
    std::vector<pid_t> pids;

    static Orphans &instance()
    {
        static Orphans *const orphans = new Orphans; // outlives static destruction
        return *orphans;
    }
};

} // namespace

void reap_orphans() noexcept
{
    Orphans &orphans = Orphans::instance();
    const std::lock_guard lock(orphans.mutex);
    std::erase_if(orphans.pids, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
}

void kill_and_reap(pid_t pid) noexcept
{
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR)
        ;
}

QString ExitState::describe_wait() const
{
    return QStringLiteral("the end of process %1").arg(m_pid);
}

Child::Child(LoopCore &loop, pid_t pid)
    : exit(Ref<ExitState>::adopt(new ExitState(pid))), m_loop(Ref<LoopCore>::share(&loop)),
      m_pid(pid)
{
    exit->bind(loop);
}

Child::~Child()
{
    stop_watching();
    if (!exit->returncode()) {
        Orphans &orphans = Orphans::instance();
        const std::lock_guard lock(orphans.mutex);
        orphans.pids.push_back(m_pid);
    }
    reap_orphans();
}

void Child::watch()
{
    m_pidfd = OwnedFd(open_pidfd(m_pid));
    if (m_pidfd)
        m_loop->loop->add_reader(m_pidfd.get(), [self = shared_from_this()] { self->look(); });
    else if (errno == ENOSYS || errno == EPERM)
        watch_by_thread();
    else if (errno == ESRCH) // somebody has waited for it already
        look();
    else
        std::rethrow_exception(make_os_error(errno, QStringLiteral("pidfd_open")));
}

/// It does not take the child away: until look() does, its number belongs to no other process.
void Child::watch_by_thread()
{
    std::thread([loop = m_loop, pid = m_pid, child = weak_from_this()]() mutable {
        siginfo_t info;
        while (::waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
            ;
        run_there(*loop, [child = std::move(child)] {
            if (const std::shared_ptr<Child> alive = child.lock())
                alive->look();
        });
        loop = {};
    }).detach();
}

void Child::look()
{
    const auto self = shared_from_this(); // what is watched no longer owns it
    if (exit->returncode())
        return;
    const std::optional<int> returncode = look_at(m_pid);
    if (!returncode)
        return;
    stop_watching();
    exit->end(*returncode);
}

void Child::stop_watching() noexcept
{
    if (m_pidfd && m_loop->loop)
        m_loop->loop->remove_reader(m_pidfd.get());
    m_pidfd = OwnedFd();
}

void Child::send_signal(int signal)
{
    if (exit->returncode())
        return;
    const long result = m_pidfd
        ? ::syscall(pidfd_send_signal_number, m_pidfd.get(), signal, nullptr, 0)
        : ::kill(m_pid, signal);
    if (result < 0 && errno != ESRCH) {
        std::rethrow_exception(
            make_os_error(errno, QStringLiteral("signal %1 to process %2").arg(signal).arg(m_pid)));
    }
}

void Child::kill_group() noexcept
{
    if (!exit->returncode()) // else the number may be another group's
        ::kill(-m_pid, SIGKILL);
}

} // namespace QAsyncio::detail
