// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qelapsedtimer.h>
#include <QtCore/qpoint.h>
#include <QtCore/qprocess.h>
#include <QtCore/qrect.h>
#include <QtCore/qtimer.h>
#include <QtGui/qbackingstore.h>
#include <QtGui/qevent.h>
#include <QtGui/qpainter.h>
#include <QtGui/qwindow.h>
#include <QtWidgets/qboxlayout.h>
#include <QtWidgets/qdialog.h>
#include <QtWidgets/qlabel.h>
#include <QtWidgets/qlineedit.h>
#include <QtWidgets/qwidget.h>

namespace {

class Label : public QLabel
{
public:
    using QLabel::QLabel;
    QString painted;

protected:
    void paintEvent(QPaintEvent *event) override
    {
        QLabel::paintEvent(event);
        painted = text();
    }
};

/// A window without widgets, which draws when Qt says so: requestUpdate().
class Window : public QWindow
{
public:
    Window() : m_store(this) { resize(100, 50); }
    int wanted = 0;
    int painted = -1;

protected:
    bool event(QEvent *event) override
    {
        if (event->type() == QEvent::UpdateRequest)
            paint();
        return QWindow::event(event);
    }
    void exposeEvent(QExposeEvent *) override
    {
        if (isExposed())
            paint();
    }

private:
    void paint()
    {
        const QRect all(QPoint(), size());
        m_store.resize(size());
        m_store.beginPaint(all);
        QPainter(m_store.paintDevice()).fillRect(all, wanted % 2 ? Qt::red : Qt::blue);
        m_store.endPaint();
        m_store.flush(all);
        painted = wanted;
    }

    QBackingStore m_store;
};

Coroutine<> stay_busy()
{
    for (;;) {
        QThread::usleep(500);
        co_await sleep(0s);
    }
}

Coroutine<> tick()
{
    for (;;)
        co_await sleep(1ms);
}

/// With whatever else is going on: "idle", "busy" tasks, "ticking" ones.
std::vector<Task<>> start_others(const QString &others)
{
    std::vector<Task<>> tasks;
    for (int i = 0; i < 3 && others != u"idle"_s; ++i)
        tasks.push_back(create_task(others == u"busy"_s ? stay_busy() : tick()));
    return tasks;
}

void add_rows_of_others()
{
    QTest::addColumn<QString>("others");
    for (const char *others : {"idle", "busy", "ticking"})
        QTest::newRow(others) << QString::fromLatin1(others);
}

void run_for_real(const std::function<Coroutine<>()> &body)
{
    QAsyncioLoop loop;
    loop.run_until_complete(body());
    loop.close();
}

void cancel_all(std::vector<Task<>> &tasks)
{
    for (Task<> &task : tasks)
        task.cancel();
}

Coroutine<> change(Label &label, QString text)
{
    label.setText(text);
    co_await process_qt_events();
    QASYNCIO_COMPARE(label.painted, text);
}

} // namespace

namespace {
int looks = 0;
bool at_the_third_look()
{
    return ++looks >= 3;
}
bool never()
{
    ++looks;
    return false;
}
} // namespace

/// process_qt_events(): behind it Qt has taken input and painted.
class tst_paint : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aLabelIsPainted_data() { add_rows_of_others(); }

    void aLabelIsPainted()
    {
        QFETCH(QString, others);
        run_for_real([&]() -> Coroutine<> {
            Label label;
            label.show();
            co_await process_qt_events();
            auto tasks = start_others(others);
            for (int i = 0; i < 30; ++i)
                co_await change(label, QString::number(i));
            cancel_all(tasks);
        });
    }

    void aLabelIsPaintedWhileADialogIsOpen()
    {
        run_for_real([&]() -> Coroutine<> {
            Label label;
            label.show();
            co_await process_qt_events();
            for (int i = 0; i < 10; ++i) {
                QDialog dialog;
                auto changing = create_task(change(label, QString::number(i)));
                changing.add_done_callback([&] { dialog.accept(); });
                dialog.exec(); // our loop runs in that of the dialog
                co_await changing;
            }
        });
    }

    void whatALayoutMovesIsPainted()
    {
        run_for_real([&]() -> Coroutine<> {
            QWidget window;
            auto *const layout = new QVBoxLayout(&window);
            window.show();
            co_await process_qt_events();
            for (int i = 0; i < 10; ++i) {
                auto *const label = new Label(QString::number(i));
                layout->addWidget(label);
                co_await process_qt_events();
                QASYNCIO_COMPARE(label->painted, QString::number(i));
            }
        });
    }

    void aWindowThatPaintsItselfIsPainted_data() { add_rows_of_others(); }

    void aWindowThatPaintsItselfIsPainted()
    {
        QFETCH(QString, others);
        run_for_real([&]() -> Coroutine<> {
            Window window;
            window.show();
            co_await process_qt_events();
            auto tasks = start_others(others);
            for (int i = 1; i < 30; ++i) {
                window.wanted = i;
                window.requestUpdate(); // Qt holds it back for 5 ms
                co_await process_qt_events();
                QASYNCIO_COMPARE(window.painted, i);
            }
            cancel_all(tasks);
        });
    }

    void aWindowThatWasJustShownIsPainted()
    {
        run_for_real([&]() -> Coroutine<> {
            for (int i = 0; i < 10; ++i) {
                Label label(u"just shown"_s);
                label.show();
                Window window;
                window.show();
                co_await process_qt_events();
                QASYNCIO_COMPARE(label.painted, u"just shown"_s);
                QASYNCIO_COMPARE(window.painted, 0);
            }
        });
    }

    void aWindowThatNobodyShowsIsNotWaitedForLong()
    {
        run_for_real([&]() -> Coroutine<> {
            QWidget minimized;
            minimized.showMinimized();
            QElapsedTimer timer;
            timer.start();
            co_await process_qt_events();
            QASYNCIO_VERIFY(timer.elapsed() < 5000);
        });
    }

    void inputIsTaken()
    {
        run_for_real([&]() -> Coroutine<> {
            QLineEdit edit;
            edit.show();
            co_await process_qt_events();
            for (const QChar c : u"abc"_s) {
                QCoreApplication::postEvent(
                    &edit,
                    new QKeyEvent(QEvent::KeyPress, c.toUpper().unicode(), Qt::NoModifier, c),
                    Qt::LowEventPriority);
            }
            co_await process_qt_events();
            QASYNCIO_COMPARE(edit.text(), u"abc"_s);
        });
    }

    void windowsThatAreNotReadyAreWaitedFor()
    {
        run_for_real([]() -> Coroutine<> {
            looks = 0;
            co_await detail::process_qt_events(at_the_third_look);
            QASYNCIO_VERIFY(looks >= 3);
            looks = 0;
            QElapsedTimer timer;
            timer.start();
            co_await detail::process_qt_events(never); // but not for ever
            QASYNCIO_VERIFY(timer.elapsed() >= 250);
            QASYNCIO_VERIFY(looks > 1);
        });
    }

    void noWindowIsAskedForInAnotherThread()
    {
        looks = 0;
        const std::unique_ptr<QThread> thread(QThread::create([] {
            run_for_real([]() -> Coroutine<> { co_await detail::process_qt_events(never); });
        }));
        thread->start();
        QVERIFY(thread->wait(60000));
        QCOMPARE(looks, 0);
    }

    void aVirtualClockStandsStillMeanwhile()
    {
        QAsyncioLoop loop(virtual_time());
        const auto body = [](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint begin = loop.time();
            co_await wait_for(process_qt_events(), 1ms);
            QASYNCIO_COMPARE(loop.time(), begin);
            co_await sleep(1h); // then it moves on
        };
        loop.run_until_complete(body(loop));
        loop.close();
    }

    void theUpdateIntervalOfTheEnvironmentIsRespected()
    {
        SKIP_WITHOUT_PROCESSES();
        for (const char *interval : {"40", "0"}) { // Qt reads it once
            QProcess process;
            QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
            environment.insert(u"QT_QPA_UPDATE_IDLE_TIME"_s, QString::fromLatin1(interval));
            process.setProcessEnvironment(environment);
            process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
            process.start(QCoreApplication::applicationFilePath(),
                          {u"aWindowThatPaintsItselfIsPainted:idle"_s,
                           u"windowsThatAreNotReadyAreWaitedFor"_s});
            QVERIFY(process.waitForFinished(60000));
            QVERIFY2(process.exitCode() == 0, process.readAllStandardOutput());
        }
    }
};

QTEST_MAIN(tst_paint)
#include "tst_paint.moc"
