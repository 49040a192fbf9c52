// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>

class Sender : public QObject
{
    Q_OBJECT

Q_SIGNALS:
    void fired(int value);
};
