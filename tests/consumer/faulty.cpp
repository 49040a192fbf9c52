// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include <qasyncio.h>

namespace {

struct Request
{
    QString host;
    int port;
};

QAsyncio::Coroutine<> open(Request)
{
    co_return;
}

} // namespace

QAsyncio::Coroutine<> start(QString host)
{
    co_await open(Request{host, 80}); // found: aggregate
}

int main()
{
    return 0;
}
