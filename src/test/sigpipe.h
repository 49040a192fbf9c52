// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <QtCore/qglobal.h>

#ifdef Q_OS_UNIX
#  include <csignal>
#endif

namespace QAsyncio::Test {

/// Qt Test has a handler of SIGPIPE, which ends the test program. Without it, writing to a pipe
/// that nobody reads is an error, as in other programs.
inline void take_sigpipe_from_qt_test()
{
#ifdef Q_OS_UNIX
    struct sigaction now;
    if (::sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler != SIG_IGN)
        std::signal(SIGPIPE, SIG_DFL);
#endif
}

} // namespace QAsyncio::Test
