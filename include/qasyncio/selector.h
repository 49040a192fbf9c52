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

/// Watches file descriptors for a loop. Readiness is level-triggered: it is reported by every poll() until somebody reads
/// or writes.
///
/// A selector never blocks: Qt waits, and the selector tells it what for. One loop owns one selector.
/// Thread: all calls come from the loop's thread.
class QASYNCIO_EXPORT Selector
{
public:
    /// Directions, as a bit set.
    enum Interest : unsigned { None = 0, Read = 1, Write = 2 };

    struct Ready
    {
        int fd;
        unsigned interest; ///< what `fd` is ready for; an error or a hang-up makes it ready for both
    };

    virtual ~Selector();

    /// Called once, before anything else. `wake` is to be called from Qt's event loop when poll() would report something.
    /// Objects that the selector makes are to be children of `parent` or die with the selector.
    virtual void open(QObject *parent, std::function<void()> wake) = 0;

    /// Watches `fd` for exactly `interest` from now on; None forgets it.
    /// Throws OSError if the system refuses (a regular file: EPERM; a closed descriptor: EBADF).
    virtual void set_interest(int fd, unsigned interest) = 0;

    /// Appends to `ready` what is ready now, each descriptor once, and returns at once.
    virtual void poll(std::vector<Ready> &ready) = 0;

    /// False while the loop does not run: nothing is to be watched, nothing woken.
    virtual void set_enabled(bool enabled) = 0;
};

/// All descriptors in one epoll set, which Qt watches through one QSocketNotifier: the cost of a wake-up does not depend on
/// the number of idle descriptors. The default on Linux; null elsewhere.
QASYNCIO_EXPORT std::unique_ptr<Selector> make_epoll_selector();

/// One QSocketNotifier a descriptor and direction: works wherever Qt does. Qt polls every one at every turn.
QASYNCIO_EXPORT std::unique_ptr<Selector> make_notifier_selector();

} // namespace QAsyncio
