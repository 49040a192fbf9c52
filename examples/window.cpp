// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
//
// A window whose story is told in one function: clicks are awaited, with a time-out.
#include <qasyncio.h>

#include <QApplication>
#include <QPushButton>

using namespace QAsyncio;
using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

Coroutine<> play(QPushButton *button)
{
    while (true) {
        button->setText(u"Click to begin"_s);
        co_await from_signal(button, &QPushButton::clicked);
        int clicks = 0;
        const auto count = [&](Timeout &) -> Coroutine<> {
            auto stream = signal_stream(button,
                                        &QPushButton::clicked); // none is missed between two
            while (true) {
                button->setText(u"Quick! %1"_s.arg(clicks));
                co_await stream.next();
                ++clicks;
            }
        };
        try {
            co_await timeout(5s, count);
        } catch (const TimeoutError &) {
            button->setText(u"%1 clicks in five seconds"_s.arg(clicks));
        }
        co_await sleep(3s);
    }
}

int main(int argc, char **argv)
{
    QApplication app(argc, argv);
    QPushButton button;
    button.resize(320, 120);
    button.show();
    return run(app, play(&button)); // closing the window cancels play(), wherever it waits
}
