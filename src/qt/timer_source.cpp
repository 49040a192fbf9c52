// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qt/timer_source.h"

#include "qasyncio/detail/loop/duration.h"
#include "qasyncio/errors.h"

#include <QtCore/qbasictimer.h>
#include <QtCore/qobject.h>
#include <QtCore/qsocketnotifier.h>

#include <algorithm>
#include <utility>

#ifdef Q_OS_LINUX
#  include <sys/timerfd.h>
#  include <unistd.h>

#  include <cerrno>
#endif

namespace QAsyncio::detail {

TimerSource::~TimerSource() = default;

namespace {

/// asyncio's limit for one wait (L-006): for a later deadline the loop waits again.
constexpr std::chrono::hours longest_wait(24);

class QtTimerSource final : public TimerSource
{
public:
    explicit QtTimerSource(QObject *owner) : m_owner(owner) { }

    void arm(TimePoint when, TimePoint now) override
    {
        const std::chrono::nanoseconds wait = std::min<std::chrono::nanoseconds>(
            time_between(now, when), longest_wait);
        m_timer.start(timer_milliseconds(wait), Qt::PreciseTimer, m_owner);
    }
    void disarm() override { m_timer.stop(); }

private:
    QObject *m_owner;
    QBasicTimer m_timer;
};

#ifdef Q_OS_LINUX
class TimerfdSource final : public TimerSource
{
public:
    explicit TimerfdSource(std::function<void()> wake)
        : m_fd(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC))
    {
        if (m_fd < 0)
            throw OSError(errno, QStringLiteral("timerfd_create"));
        m_notifier = std::make_unique<QSocketNotifier>(m_fd, QSocketNotifier::Read);
        QObject::connect(m_notifier.get(), &QSocketNotifier::activated, m_notifier.get(),
                         [this, wake] {
                             disarm();
                             wake();
                         });
    }
    ~TimerfdSource() override
    {
        m_notifier.reset();
        ::close(m_fd);
    }

    void arm(TimePoint when, TimePoint now) override
    {
        const auto at = std::max(std::min(when, deadline(now, longest_wait)),
                                 TimePoint(std::chrono::nanoseconds(1)));
        set(at.time_since_epoch().count());
    }
    void disarm() override { set(0); } // also takes back an expiry that was not read

private:
    void set(qint64 nanoseconds)
    {
        itimerspec spec{};
        spec.it_value.tv_sec = nanoseconds / 1'000'000'000;
        spec.it_value.tv_nsec = nanoseconds % 1'000'000'000;
        ::timerfd_settime(m_fd, TFD_TIMER_ABSTIME, &spec, nullptr);
    }

    const int m_fd;
    std::unique_ptr<QSocketNotifier> m_notifier;
};
#endif

} // namespace

std::unique_ptr<TimerSource> make_qt_timer_source(QObject *owner)
{
    return std::make_unique<QtTimerSource>(owner);
}

std::unique_ptr<TimerSource> make_timerfd_source(std::function<void()> wake)
{
#ifdef Q_OS_LINUX
    return std::make_unique<TimerfdSource>(std::move(wake));
#else
    Q_UNUSED(wake);
    return nullptr;
#endif
}

} // namespace QAsyncio::detail
