// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// A signal's handler may run in any thread, at any moment. It counts the signal and wakes the main
// thread through a descriptor, and nothing else; the loop that reads the descriptor queues the
// callbacks, for whichever loop they belong to.

#include "loop/signals.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qthread.h>

#ifdef Q_OS_UNIX
#  include <fcntl.h>
#  include <unistd.h>

#  include <array>
#  include <cerrno>
#  include <csignal>
#endif
#ifdef Q_OS_LINUX
#  include <sys/eventfd.h>
#endif

namespace QAsyncio::detail {

#ifdef Q_OS_UNIX

namespace {

#  ifdef SIGRTMAX
constexpr int most_signals = 128;
#  else
constexpr int most_signals = NSIG;
#  endif

// Lock-free, as the handler of a signal needs them.
std::array<std::atomic<unsigned>, most_signals> arrived; // and not given to a loop yet
std::atomic<int> wake_fd{-1};
static_assert(std::atomic<unsigned>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void on_signal(int signal)
{
    const int saved = errno;
    arrived[std::size_t(signal)].fetch_add(1, std::memory_order_relaxed);
    const quint64 one = 1;
    // If it cannot be written there is plenty to read already.
    [[maybe_unused]] const auto written = ::write(wake_fd.load(std::memory_order_relaxed), &one,
                                                  sizeof one);
    errno = saved;
}

struct Slot
{
    LoopPrivate *loop = nullptr;
    SignalState *state = nullptr; // owned
};

struct Entry
{
    Slot handler, fallback;
    struct sigaction previous; // while one of them is there

    Slot &slot(SignalRank rank) { return rank == SignalRank::Handler ? handler : fallback; }
    bool is_used() const { return handler.state || fallback.state; }
};

/// The signals of the process that loops handle. For the main thread only.
class SignalTable
{
public:
    static SignalTable &instance()
    {
        static SignalTable *const table = new SignalTable; // outlives static destruction
        return *table;
    }

    Entry &entry(int signal) { return m_entries[std::size_t(signal)]; }
    void set(Slot slot, int signal, SignalRank rank);
    Slot take(int signal, SignalRank rank);
    bool is_used_by(const LoopPrivate &loop) const;
    /// Throws OSError.
    void open();
    void watch(LoopPrivate &loop);
    void stop_watching(LoopPrivate &loop);

private:
    void dispatch();

    std::array<Entry, most_signals> m_entries{};
    int m_read_fd = -1; // opened once: a handler may be about to write to the other end
};

void SignalTable::open()
{
    if (m_read_fd >= 0)
        return;
#  ifdef Q_OS_LINUX
    const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const int fds[2] = {fd, fd};
    const bool is_open = fd >= 0;
#  else
    int fds[2];
    const bool is_open = ::pipe(fds) == 0;
    for (int i = 0; is_open && i < 2; ++i) {
        ::fcntl(fds[i], F_SETFD, FD_CLOEXEC);
        ::fcntl(fds[i], F_SETFL, O_NONBLOCK);
    }
#  endif
    if (!is_open)
        throw OSError(errno, QStringLiteral("no descriptor for signals"));
    m_read_fd = fds[0];
    wake_fd.store(fds[1]);
}

void SignalTable::watch(LoopPrivate &loop)
{
    open();
    if (!is_used_by(loop))
        loop.loop->add_reader(m_read_fd, [this] { dispatch(); });
}

void SignalTable::stop_watching(LoopPrivate &loop)
{
    if (loop.loop && !is_used_by(loop))
        loop.loop->remove_reader(m_read_fd);
}

bool SignalTable::is_used_by(const LoopPrivate &loop) const
{
    for (const Entry &entry : m_entries) {
        if (entry.handler.loop == &loop || entry.fallback.loop == &loop)
            return true;
    }
    return false;
}

void SignalTable::set(Slot slot, int signal, SignalRank rank)
{
    struct sigaction action{};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    struct sigaction before;
    Entry &of = entry(signal);
    if (!of.is_used()) // nobody is told of what has arrived earlier
        arrived[std::size_t(signal)].store(0, std::memory_order_relaxed);
    if (::sigaction(signal, &action, &before) < 0)
        throw OSError(errno, QStringLiteral("signal %1 cannot be handled").arg(signal));
    if (before.sa_handler != on_signal)
        of.previous = before;
    of.slot(rank) = slot;
}

Slot SignalTable::take(int signal, SignalRank rank)
{
    Entry &of = entry(signal);
    const Slot taken = std::exchange(of.slot(rank), {});
    struct sigaction now;
    if (taken.state && !of.is_used() && ::sigaction(signal, nullptr, &now) == 0
        && now.sa_handler == on_signal) // else the program has replaced it
        ::sigaction(signal, &of.previous, nullptr);
    return taken;
}

void SignalTable::dispatch()
{
    std::array<quint64, 64> woken; // of a pipe: one for each signal
    while (::read(m_read_fd, woken.data(), sizeof woken) == sizeof woken)
        ;
    for (std::size_t signal = 0; signal < arrived.size(); ++signal) {
        if (arrived[signal].load(std::memory_order_relaxed) == 0)
            continue;
        const Entry &of = m_entries[signal];
        const Slot &slot = of.handler.state ? of.handler : of.fallback;
        for (unsigned count = arrived[signal].exchange(0); count > 0 && slot.state; --count)
            slot.state->arrived(*slot.loop);
    }
}

void let_go(const Slot &slot)
{
    slot.state->cancel();
    slot.state->release();
}

void check_signal(int signal)
{
    bool exists = signal > 0 && signal < most_signals;
#  ifdef SIGRTMAX
    // Those in between are the C library's own.
    exists = exists && (signal < 32 || signal >= SIGRTMIN) && signal <= SIGRTMAX;
#  endif
    if (!exists)
        throw ValueError(QStringLiteral("invalid signal number %1").arg(signal));
    if (signal == SIGKILL || signal == SIGSTOP)
        throw RuntimeError(QStringLiteral("sig %1 cannot be caught").arg(signal));
}

bool is_main_thread()
{
    // Null if the loop of a thread has outlived it.
    const QCoreApplication *const app = QCoreApplication::instance();
    return app && QThread::currentThread() == app->thread();
}

} // namespace

void add_signal(LoopPrivate &loop, SignalState *state, SignalRank rank)
{
    check_signal(state->signal);
    check_open(loop);
    if (!is_main_thread() || !loop.in_own_thread())
        throw RuntimeError(QStringLiteral("signals can be handled in the main thread only"));
    SignalTable &table = SignalTable::instance();
    table.watch(loop);
    loop.handles_signals = true;
    const Slot replaced = table.entry(state->signal).slot(rank);
    try {
        table.set({&loop, state}, state->signal, rank);
    } catch (...) {
        table.stop_watching(loop);
        throw;
    }
    if (!replaced.state)
        return;
    if (replaced.loop != &loop)
        table.stop_watching(*replaced.loop);
    let_go(replaced);
}

bool remove_signal(LoopPrivate &loop, int signal, SignalRank rank)
{
    check_signal(signal);
    SignalTable &table = SignalTable::instance();
    if (!is_main_thread() || table.entry(signal).slot(rank).loop != &loop)
        return false;
    const Slot removed = table.take(signal, rank);
    table.stop_watching(loop);
    let_go(removed);
    return true;
}

void forget_signals(LoopPrivate &loop) noexcept
{
    if (!loop.handles_signals)
        return;
    for (int signal = 1; signal < most_signals; ++signal) {
        for (const SignalRank rank : {SignalRank::Handler, SignalRank::Fallback}) {
            if (SignalTable::instance().entry(signal).slot(rank).loop == &loop)
                let_go(SignalTable::instance().take(signal, rank));
        }
    }
}

SignalWatch::SignalWatch(QAsyncioLoop &loop, int signal, std::function<void()> callback)
    : m_loop(Ref<LoopCore>::share(&loop.core())), m_signal(signal)
{
    check_signal(signal);
    if (!is_main_thread())
        return;
    struct sigaction now;
    const Entry &entry = SignalTable::instance().entry(signal);
    if (entry.is_used())
        now = entry.previous;
    else if (::sigaction(signal, nullptr, &now) < 0)
        return;
    if (now.sa_handler != SIG_DFL || entry.fallback.state)
        return;
    try {
        SignalTable::instance().open();
        auto state = Ref<HandleState>::adopt(
            new CallbackState<std::function<void()>, SignalState>(std::move(callback), signal));
        add_signal(static_cast<LoopPrivate &>(*m_loop), static_cast<SignalState *>(state.get()),
                   SignalRank::Fallback);
        state.leak();
        m_is_installed = true;
    } catch (const std::system_error &) { // no descriptor is left: the signal ends the program
    }
}

SignalWatch::~SignalWatch()
{
    if (m_is_installed)
        remove_signal(static_cast<LoopPrivate &>(*m_loop), m_signal, SignalRank::Fallback);
}

#else

void add_signal(LoopPrivate &, SignalState *, SignalRank)
{
    throw RuntimeError(QStringLiteral("signals cannot be handled on this system"));
}
bool remove_signal(LoopPrivate &, int, SignalRank)
{
    return false;
}
void forget_signals(LoopPrivate &) noexcept { }

SignalWatch::SignalWatch(QAsyncioLoop &loop, int signal, std::function<void()>)
    : m_loop(Ref<LoopCore>::share(&loop.core())), m_signal(signal)
{ }
SignalWatch::~SignalWatch() = default;

#endif

} // namespace QAsyncio::detail
