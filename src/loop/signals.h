// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "loop/loop_p.h"

namespace QAsyncio::detail {

/// Who is told of a signal: the program's handler, or, while it has none, a Runner.
enum class SignalRank { Handler, Fallback };

/// Calls `state` in `loop` each time its signal arrives. Takes over the caller's reference, and
/// cancels the callback of that rank that was there before, of whichever loop. Throws ValueError
/// for a number that is no signal, RuntimeError for one that cannot be caught and outside of the
/// main thread, OSError; then the reference stays with the caller.
void add_signal(LoopPrivate &loop, SignalState *state, SignalRank rank);
/// Returns false if `loop` has none. If nobody is told of the signal any more, it does again what
/// it did before.
bool remove_signal(LoopPrivate &loop, int signal, SignalRank rank);
/// Removes all of a loop that ends.
void forget_signals(LoopPrivate &loop) noexcept;

/// While it lives, a signal calls a function in the loop, unless the program handles that signal
/// (L-115) or this is not the main thread. Throws ValueError and RuntimeError as add_signal() does.
class SignalWatch
{
public:
    SignalWatch(QAsyncioLoop &loop, int signal, std::function<void()> callback);
    ~SignalWatch();
    Q_DISABLE_COPY_MOVE(SignalWatch)

private:
    Ref<LoopCore> m_loop;
    const int m_signal;
    bool m_is_installed = false;
};

} // namespace QAsyncio::detail
