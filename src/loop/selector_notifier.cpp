// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/selector.h"

#include "qasyncio/errors.h"

#include <QtCore/qsocketnotifier.h>

#ifdef Q_OS_UNIX
#  include <sys/stat.h>

#  include <cerrno>
#endif

#include <map>
#include <utility>

namespace QAsyncio {

namespace {

/// A notifier that has spoken is silent until poll() has reported it, so that Qt does not spin on it meanwhile.
class NotifierSelector final : public Selector
{
public:
    void open(QObject *, std::function<void()> wake) override { m_wake = std::move(wake); }

    void set_interest(int fd, unsigned interest) override
    {
        if (interest != None)
            check_watchable(fd);
        for (const Interest direction : {Read, Write}) {
            if (!(interest & direction))
                m_watches.erase({fd, direction});
            else if (!m_watches.contains({fd, direction}))
                add(fd, direction);
        }
    }

    void poll(std::vector<Ready> &ready) override
    {
        // Reported in ascending order of descriptors, the reader of one before its writer.
        for (auto &[key, watch] : m_watches) {
            if (!std::exchange(watch.activated, false))
                continue;
            if (!ready.empty() && ready.back().fd == key.first)
                ready.back().interest |= key.second;
            else
                ready.push_back({key.first, key.second});
            watch.notifier->setEnabled(m_enabled);
        }
    }

    void set_enabled(bool enabled) override
    {
        m_enabled = enabled;
        for (auto &[key, watch] : m_watches)
            watch.notifier->setEnabled(enabled && !watch.activated);
    }

private:
    struct Watch
    {
        std::unique_ptr<QSocketNotifier> notifier;
        bool activated = false;
    };

    void add(int fd, Interest direction)
    {
        const auto type = direction == Read ? QSocketNotifier::Read : QSocketNotifier::Write;
        Watch &watch = m_watches[{fd, direction}];
        watch.notifier = std::make_unique<QSocketNotifier>(fd, type);
        watch.notifier->setEnabled(m_enabled);
        QObject::connect(watch.notifier.get(), &QSocketNotifier::activated, watch.notifier.get(), [this, &watch] {
            watch.activated = true;
            watch.notifier->setEnabled(false);
            m_wake();
        });
    }

    /// The same refusals as epoll's: a program must not depend on which selector it gets.
    static void check_watchable(int fd)
    {
#ifdef Q_OS_UNIX
        struct stat status;
        int error = ::fstat(fd, &status) < 0 ? errno : 0;
        if (!error && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)))
            error = EPERM;
        if (error)
            throw OSError(error, QStringLiteral("file descriptor %1 cannot be watched").arg(fd));
#else
        Q_UNUSED(fd);
#endif
    }

    std::function<void()> m_wake;
    bool m_enabled = false;
    std::map<std::pair<int, Interest>, Watch> m_watches; // stable addresses
};

} // namespace

std::unique_ptr<Selector> make_notifier_selector()
{
    return std::make_unique<NotifierSelector>();
}

} // namespace QAsyncio
