// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "support.h"

/// A result that can be moved only so often; then it throws.
struct SurvivesMoves
{
    explicit SurvivesMoves(int moves) : moves(moves) { }
    SurvivesMoves(SurvivesMoves &&other) : moves(other.moves - 1)
    {
        if (moves < 0)
            throw ValueError(QStringLiteral("broken on the way"));
    }
    int moves;
};
