// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/selector.h"

#include "qasyncio/errors.h"

#include <QtCore/qsocketnotifier.h>

#include <utility>

#ifdef Q_OS_LINUX
#  include <fcntl.h>
#  include <sys/epoll.h>
#  include <unistd.h>

#  include <array>
#  include <cerrno>
#  include <vector>
#endif

namespace QAsyncio {

Selector::~Selector() = default;

#ifdef Q_OS_LINUX

namespace {

/// One epoll set for all descriptors of a loop; Qt watches its descriptor with one notifier.
/// Belongs to the loop's thread.
class EpollSelector final : public Selector
{
public:
    EpollSelector() : m_epoll(::epoll_create1(EPOLL_CLOEXEC))
    {
        if (m_epoll < 0)
            throw OSError(errno, QStringLiteral("epoll_create1"));
    }
    ~EpollSelector() override
    {
        m_notifier.reset();
        ::close(m_epoll);
    }

    void open(QObject *, std::function<void()> wake) override
    {
        m_notifier = std::make_unique<QSocketNotifier>(m_epoll, QSocketNotifier::Read);
        m_notifier->setEnabled(false);
        QObject::connect(m_notifier.get(), &QSocketNotifier::activated, m_notifier.get(),
                         std::move(wake));
    }

    void set_interest(int fd, unsigned interest) override
    {
        const bool known = is_watched(fd);
        if (interest == None) {
            if (!known)
                return;
            note(fd, None);
            // If this fails fd was closed, or is another file now; a duplicate of the old one may
            // keep it in the set for ever.
            if (::epoll_ctl(m_epoll, EPOLL_CTL_DEL, fd, nullptr) < 0)
                rebuild();
            return;
        }
        int result = control(known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, interest);
        if (result < 0 && errno == ENOENT) { // closed and opened again behind our back
            note(fd, None);
            rebuild();
            result = control(EPOLL_CTL_ADD, fd, interest);
        }
        if (result < 0)
            throw OSError(errno, QStringLiteral("file descriptor %1 cannot be watched").arg(fd));
        note(fd, interest);
        if (m_stale)
            rebuild();
    }

    void poll(std::vector<Ready> &ready) override
    {
        if (m_watched == 0)
            return;
        std::array<epoll_event, 256> events;
        const int count = ::epoll_wait(m_epoll, events.data(), int(events.size()), 0);
        bool strange = false;
        for (int i = 0; i < count; ++i) {
            if (!is_watched(events[size_t(i)].data.fd)) {
                strange = true;
                continue;
            }
            const quint32 bits = events[size_t(i)].events;
            unsigned interest = None;
            if (bits & ~quint32(EPOLLOUT)) // an error or hang-up is reported to both, as in asyncio
                interest |= Read;
            if (bits & ~quint32(EPOLLIN))
                interest |= Write;
            ready.push_back({events[size_t(i)].data.fd, interest});
        }
        if (strange)
            rebuild();
    }

    void set_enabled(bool enabled) override
    {
        m_enabled = enabled;
        update_notifier();
    }

private:
    int control(int operation, int fd, unsigned interest)
    {
        epoll_event event{};
        event.events = (interest & Read ? EPOLLIN : 0u) | (interest & Write ? EPOLLOUT : 0u);
        event.data.fd = fd;
        return ::epoll_ctl(m_epoll, operation, fd, &event);
    }
    bool is_watched(int fd) const
    {
        return size_t(fd) < m_interest.size() && m_interest[size_t(fd)] != None;
    }
    void note(int fd, unsigned interest)
    {
        if (size_t(fd) >= m_interest.size())
            m_interest.resize(size_t(fd) + 1);
        quint8 &noted = m_interest[size_t(fd)];
        m_watched = m_watched - (noted != None ? 1u : 0u) + (interest != None ? 1u : 0u);
        noted = quint8(interest);
    }
    /// Replaces the set by a new one under the same number, so that the notifier stays. The kernel
    /// forgets what was in the old one.
    void rebuild()
    {
        const int fresh = ::epoll_create1(EPOLL_CLOEXEC);
        m_stale = fresh < 0; // there was no descriptor left for it
        if (m_stale)
            return update_notifier();
        m_notifier->setEnabled(false);
        ::dup3(fresh, m_epoll, O_CLOEXEC);
        ::close(fresh);
        for (size_t fd = 0; fd < m_interest.size(); ++fd) {
            // Fails for those that were closed as well.
            if (m_interest[fd] != None)
                control(EPOLL_CTL_ADD, int(fd), m_interest[fd]);
        }
        update_notifier();
    }
    /// If nobody watches anything, a stale set must not wake the loop: nothing would take the event
    /// out of it, since poll() is not called for an empty table.
    void update_notifier() { m_notifier->setEnabled(m_enabled && !(m_stale && m_watched == 0)); }

    const int m_epoll;
    bool m_enabled = false;
    bool m_stale = false; // the set still has descriptors that nobody watches
    // By descriptor: small numbers, since all of them have been open.
    std::vector<quint8> m_interest;
    size_t m_watched = 0; // how many are not None
    std::unique_ptr<QSocketNotifier> m_notifier;
};

} // namespace

std::unique_ptr<Selector> make_epoll_selector()
{
    return std::make_unique<EpollSelector>();
}

#else

std::unique_ptr<Selector> make_epoll_selector()
{
    return nullptr;
}

#endif

} // namespace QAsyncio
