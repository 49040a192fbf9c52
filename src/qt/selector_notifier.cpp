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

/// A selector made of QSocketNotifiers. One that was activated is disabled until poll() has
/// reported it, so that Qt does not spin on it meanwhile.
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
        for_each_watch([this, &ready](const Key &key, Watch &watch) {
            if (!std::exchange(watch.activated, false))
                return;
            if (!ready.empty() && ready.back().fd == key.first)
                ready.back().interest |= key.second;
            else
                ready.push_back({key.first, key.second});
            watch.notifier->setEnabled(m_enabled);
        });
    }

    void set_enabled(bool enabled) override
    {
        m_enabled = enabled;
        for_each_watch([this](const Key &, Watch &watch) {
            watch.notifier->setEnabled(m_enabled && !watch.activated);
        });
    }

private:
    using Key = std::pair<int, Interest>;
    struct Watch
    {
        std::shared_ptr<QSocketNotifier> notifier;
        bool activated = false;
    };

    void add(int fd, Interest direction)
    {
        const auto type = direction == Read ? QSocketNotifier::Read : QSocketNotifier::Write;
        auto notifier = std::make_shared<QSocketNotifier>(fd, type);
        Watch &watch = m_watches[{fd, direction}];
        watch.notifier = std::move(notifier);
        QObject::connect(watch.notifier.get(), &QSocketNotifier::activated, watch.notifier.get(),
                         [this, &watch] {
                             watch.activated = true;
                             watch.notifier->setEnabled(false);
                             m_wake();
                         });
        if (!m_enabled)
            watch.notifier->setEnabled(false);
    }
    /// Qt may warn here that others watch a descriptor as well, and the program's message handler
    /// may add and remove some.
    template<class F>
    void for_each_watch(const F &act)
    {
        for (auto next = m_watches.begin(); next != m_watches.end();) {
            const Key key = next->first;
            // Qt still uses it after the warning.
            const std::shared_ptr<QSocketNotifier> kept = next->second.notifier;
            act(key, next->second);
            next = m_watches.upper_bound(key);
        }
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
    std::map<Key, Watch> m_watches; // a map, since the addresses have to be stable
};

} // namespace

std::unique_ptr<Selector> make_notifier_selector()
{
    return std::make_unique<NotifierSelector>();
}

} // namespace QAsyncio
