// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
//
// Work in a thread, with progress, and a button that ends it. Closing the window ends it as well.
#include <qasyncio.h>

#include <QApplication>
#include <QDialogButtonBox>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>
#include <QWidget>

#include <stop_token>

using namespace QAsyncio;
using namespace Qt::StringLiterals;

int count_primes(const std::stop_token &stop, const Progress<int> &percent, int below)
{
    int count = 0;
    for (int n = 2; n < below && !stop.stop_requested(); ++n) {
        bool prime = true;
        for (int d = 2; prime && d * d <= n; ++d)
            prime = n % d != 0;
        count += prime ? 1 : 0;
        if (n % (below / 100) == 0)
            percent.report(n / (below / 100));
    }
    return count;
}

class Window : public QWidget
{
public:
    Window()
    {
        auto *layout = new QVBoxLayout(this);
        auto *buttons = new QDialogButtonBox;
        auto *start = buttons->addButton(u"Count primes"_s, QDialogButtonBox::ActionRole);
        auto *cancel = buttons->addButton(QDialogButtonBox::Cancel);
        layout->addWidget(&m_label);
        layout->addWidget(&m_bar);
        layout->addWidget(buttons);
        connect(start, &QPushButton::clicked, this, [this] {
            m_tasks.cancel(); // the second click begins anew
            m_tasks.create_task(&Window::count, this);
        });
        connect(cancel, &QPushButton::clicked, this, [this] { m_tasks.cancel(); });
    }

private:
    Coroutine<> count()
    {
        const auto show = [this](int percent) { m_bar.setValue(percent); };
        m_label.setText(u"Counting..."_s);
        try {
            const int count = co_await to_thread_with_progress<int>(count_primes, show, 20'000'000);
            m_label.setText(u"%1 primes"_s.arg(count));
        } catch (const CancelledError &) {
            m_label.setText(u"Cancelled"_s);
            throw;
        }
    }

    QLabel m_label{u"Ready"_s};
    QProgressBar m_bar;
    TaskScope m_tasks; // last: it ends the tasks before anything they use
};

Coroutine<> start()
{
    Window window;
    window.show();
    co_await get_running_loop().quit_requested();
}

int main(int argc, char **argv)
{
    QApplication app(argc, argv);
    return run(app, start()); // waits for the function in the thread, which has been told to stop
}
