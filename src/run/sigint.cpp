// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "run/sigint.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qthread.h>

#include <utility>

#ifdef Q_OS_LINUX
#  include <sys/eventfd.h>
#  include <unistd.h>

#  include <atomic>
#  include <cerrno>
#  include <csignal>
#endif

namespace QAsyncio::detail {

#ifdef Q_OS_LINUX

namespace {

std::atomic<int> s_fd{-1}; // what the handler writes to; lock-free, as a signal handler needs
struct sigaction s_previous;

void on_sigint(int)
{
    const int saved = errno;
    const quint64 one = 1;
    [[maybe_unused]] const auto written = ::write(s_fd.load(std::memory_order_relaxed), &one,
                                                  sizeof one);
    errno = saved;
}

} // namespace

SigintWatch::SigintWatch(QAsyncioLoop &loop, std::function<void()> callback) : m_loop(loop)
{
    // Null if the loop of a thread has outlived it.
    const QCoreApplication *const app = QCoreApplication::instance();
    if (!app || QThread::currentThread() != app->thread() || s_fd.load() >= 0)
        return;
    struct sigaction current;
    if (::sigaction(SIGINT, nullptr, &current) < 0 || current.sa_handler != SIG_DFL)
        return;
    m_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (m_fd < 0)
        return;
    s_fd.store(m_fd);
    struct sigaction action{};
    action.sa_handler = on_sigint;
    action.sa_flags = SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, &s_previous);
    m_loop.add_reader(m_fd, [fd = m_fd, callback = std::move(callback)] {
        quint64 count = 0;
        if (::read(fd, &count, sizeof count) != sizeof count)
            return;
        for (; count > 0; --count)
            callback();
    });
}

SigintWatch::~SigintWatch()
{
    if (m_fd < 0)
        return;
    m_loop.remove_reader(m_fd);
    ::sigaction(SIGINT, &s_previous, nullptr);
    s_fd.store(-1);
    ::close(m_fd);
}

#else

SigintWatch::SigintWatch(QAsyncioLoop &loop, std::function<void()>) : m_loop(loop) { }
SigintWatch::~SigintWatch() = default;

#endif

} // namespace QAsyncio::detail
