// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "options.h"

#include <qasyncio/coroutine.h>

namespace Demo {

/// Drives the window as a person would, over a tree of its own and over the directory of the
/// options, and checks what comes out. Gives 0, or 1 with a line for each thing that is wrong.
QAsyncio::Coroutine<int> smoke(Options options);

} // namespace Demo
