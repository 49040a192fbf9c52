// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/global.h"

#include <functional>
#include <memory>
#include <vector>

QT_BEGIN_NAMESPACE
class QObject;
QT_END_NAMESPACE

namespace QAsyncio {

namespace detail {
class LoopPrivate;
}

/// Watches file descriptors for a loop. Readiness is level-triggered: every poll() reports it until
/// somebody reads or writes. Pass one to LoopOptions::selector().
///
/// A selector never blocks. It is Qt that waits; the selector tells Qt what to wait for. Each
/// selector belongs to one loop.
/// Thread: all calls come from the loop's thread.
class QASYNCIO_EXPORT Selector
{
public:
    /// Directions, to be combined as bits.
    enum Interest : unsigned { None = 0, Read = 1, Write = 2 };

    /// A descriptor that poll() has found ready.
    struct Ready
    {
        int fd;
        unsigned interest; ///< what `fd` is ready for; an error or a hang-up counts as both
    };

    virtual ~Selector();

    /// Called once, before anything else. `wake` must be called from Qt's event loop whenever
    /// poll() would report something. QObjects that the selector makes must be children of `parent`
    /// or be destroyed with the selector.
    virtual void open(QObject *parent, std::function<void()> wake) = 0;

    /// Watches `fd` for exactly `interest` from now on. None forgets it.
    /// Throws OSError if the system refuses: EPERM for a regular file, EBADF for a closed
    /// descriptor.
    virtual void set_interest(int fd, unsigned interest) = 0;

    /// Appends to `ready` what is ready now, each descriptor once. Returns at once.
    virtual void poll(std::vector<Ready> &ready) = 0;

    /// Called with false when the loop stops running: from then on nothing is to be watched and
    /// `wake` not to be called, until it is called with true.
    virtual void set_enabled(bool enabled) = 0;

private:
    friend class detail::LoopPrivate;
    bool m_is_taken = false;
};

/// All descriptors in one epoll set, which Qt watches through one QSocketNotifier. The cost of a
/// wake-up does not depend on the number of idle descriptors. The default on Linux; returns null
/// elsewhere.
QASYNCIO_EXPORT std::unique_ptr<Selector> make_epoll_selector();

/// One QSocketNotifier for each descriptor and direction. It works wherever Qt does, but Qt polls
/// every descriptor in every turn of its event loop.
QASYNCIO_EXPORT std::unique_ptr<Selector> make_notifier_selector();

} // namespace QAsyncio
