// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include <qasyncio.h>

#include <QtCore/qcoreapplication.h>

namespace {

class Answer : public QObject
{
    Q_OBJECT

public:
    QAsyncio::Coroutine<int> give() const
    {
        co_await QAsyncio::sleep(std::chrono::milliseconds(1));
        co_return 42;
    }
};

QAsyncio::Coroutine<int> start()
{
    const Answer answer;
    auto task = QAsyncio::create_task(&Answer::give, &answer);
    co_return co_await task;
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    return QAsyncio::run(app, start());
}

#include "main.moc"
