// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
//
// Two coroutines side by side, in one thread.
#include <qasyncio.h>

#include <QCoreApplication>
#include <QTextStream>

using namespace QAsyncio;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

Coroutine<int> count(QString name, int to)
{
    for (int i = 1; i <= to; ++i) {
        QTextStream(stdout) << name << ' ' << i << '\n';
        co_await sleep(200ms);
    }
    co_return to;
}

Coroutine<> start()
{
    auto first = count(u"one"_s, 2);
    auto second = count(u"two"_s, 3);
    const auto [a, b] = co_await gather(std::move(first), std::move(second));
    QTextStream(stdout) << "together " << a + b << '\n';
}

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    return run(app, start());
}
