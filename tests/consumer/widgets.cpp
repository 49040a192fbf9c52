// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// Compiled without any of Qt's macros of CMake.
#include <QApplication>

#include <qasyncio.h>

QAsyncio::Coroutine<> start()
{
    co_await QAsyncio::sleep(std::chrono::milliseconds(1));
}

int main(int argc, char **argv)
{
    QApplication app(argc, argv);
    return QAsyncio::run(app, start());
}
