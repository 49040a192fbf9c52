// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "smoke.h"

#include "demo_window.h"
#include "file_name.h"
#include "smoke_tree.h"

#include <qasyncio.h>

#include <QtCore/qcoreapplication.h>
#include <QtCore/qdir.h>
#include <QtCore/qelapsedtimer.h>
#include <QtCore/qfile.h>
#include <QtCore/qpoint.h>
#include <QtCore/qprocess.h>
#include <QtCore/qstringlist.h>
#include <QtCore/qtemporarydir.h>
#include <QtGui/qevent.h>
#include <QtGui/qguiapplication.h>
#include <QtGui/qimage.h>
#include <QtQuick/qquickitem.h>
#include <QtQuick/qquickwindow.h>

#include <algorithm>
#include <cstdio>
#include <unistd.h>

namespace Demo {

using namespace QAsyncio;
using namespace std::chrono_literals;

namespace {

constexpr int longest_gap = 100; // milliseconds for which the window may stand still
constexpr int answer_time = 100; // milliseconds until a button has its effect

class Smoke
{
public:
    explicit Smoke(Options options) : m_options(std::move(options)) { }
    ~Smoke() { remove_smoke_tree(m_tree); }
    Q_DISABLE_COPY_MOVE(Smoke)

    Coroutine<int> run();

private:
    // The scenes. A reference is to a local of the scene that awaits the coroutine, or of main().
    Coroutine<> unpleasant_tree();
    Coroutine<> pause_and_resume(DemoWindow &demo);
    Coroutine<> cancel_half_way(DemoWindow &demo);
    Coroutine<> restart_twice(DemoWindow &demo);
    Coroutine<> change_files(DemoWindow &demo);
    Coroutine<> real_directory();
    Coroutine<> vanished_directory();
    Coroutine<> die_while_hashing();
    Coroutine<> close_while_hashing();
    void check_rows(Hasher &hasher);
    bool stalled(DemoWindow &demo);

    // The hand
    void click(DemoWindow &demo, const QString &button);
    void press(DemoWindow &demo, Qt::Key key);
    Coroutine<> screenshot(DemoWindow &demo, QString name);

    // The eye
    void check(bool ok, const QString &what);
    template<class F>
    Coroutine<> until(QString what, F condition, std::chrono::milliseconds limit = 20s);
    Coroutine<> verify(Hasher &hasher, QByteArray directory);
    Coroutine<std::pair<int, QByteArray>> command(QString directory, QString program,
                                                  QStringList arguments);

    QString output(const char *name) const { return m_folder.filePath(QLatin1String(name)); }

    const Options m_options;
    const QTemporaryDir m_folder{QDir::tempPath() + QStringLiteral("/qasyncio-demo-XXXXXX")};
    const QByteArray m_tree = QFile::encodeName(m_folder.filePath(QStringLiteral("tree")));
    int m_checks = 0;
    int m_failures = 0;
};

// --- the hand

void Smoke::click(DemoWindow &demo, const QString &button)
{
    const QQuickItem *item = demo.item(button);
    check(item && item->isVisible() && item->isEnabled(),
          QStringLiteral("%1 can be clicked").arg(button));
    if (!item)
        return;
    const QPointF at = item->mapToScene(QPointF(item->width() / 2, item->height() / 2));
    const QPointF global = demo.window().mapToGlobal(at);
    QMouseEvent down(QEvent::MouseButtonPress, at, global, Qt::LeftButton, Qt::LeftButton,
                     Qt::NoModifier);
    QCoreApplication::sendEvent(&demo.window(), &down);
    QMouseEvent up(QEvent::MouseButtonRelease, at, global, Qt::LeftButton, Qt::NoButton,
                   Qt::NoModifier);
    QCoreApplication::sendEvent(&demo.window(), &up);
}

void Smoke::press(DemoWindow &demo, Qt::Key key)
{
    if (!demo.window().isActive()) { // a display without a window manager gives nobody the focus
        QFocusEvent focus(QEvent::FocusIn);
        QCoreApplication::sendEvent(&demo.window(), &focus);
    }
    QKeyEvent down(QEvent::KeyPress, key, Qt::NoModifier);
    QCoreApplication::sendEvent(&demo.window(), &down);
    QKeyEvent up(QEvent::KeyRelease, key, Qt::NoModifier);
    QCoreApplication::sendEvent(&demo.window(), &up);
}

Coroutine<> Smoke::screenshot(DemoWindow &demo, QString name)
{
    if (m_options.screenshots.isEmpty())
        co_return;
    const QImage picture = demo.window().grabWindow();
    check(!picture.isNull(), QStringLiteral("the window can be grabbed (%1)").arg(name));
    const QString file = QStringLiteral("%1/%2.png").arg(m_options.screenshots, name);
    const auto save = [](const QImage &image, const QString &path) { return image.save(path); };
    const bool saved = co_await to_thread(save, picture, file);
    check(saved, QStringLiteral("%1 can be written").arg(file));
}

// --- the eye

void Smoke::check(bool ok, const QString &what)
{
    ++m_checks;
    if (ok)
        return;
    ++m_failures;
    std::printf("smoke: FAILED: %s\n", qPrintable(what));
    std::fflush(stdout);
}

template<class F>
Coroutine<> Smoke::until(QString what, F condition, std::chrono::milliseconds limit)
{
    QElapsedTimer timer;
    timer.start();
    while (!condition() && !timer.hasExpired(limit.count()))
        co_await sleep(2ms);
    check(condition(), what);
}

Coroutine<std::pair<int, QByteArray>> Smoke::command(QString directory, QString program,
                                                     QStringList arguments)
{
    QProcess process;
    process.setWorkingDirectory(directory);
    process.setProcessChannelMode(QProcess::MergedChannels);
    auto finished = from_signal(&process, &QProcess::finished);
    process.start(program, arguments);
    const auto result = co_await wait_for(std::move(finished), 60s);
    co_return std::make_pair(std::get<0>(result), process.readAll());
}

/// The checksum file against sha256sum, and against the files that there are.
Coroutine<> Smoke::verify(Hasher &hasher, QByteArray directory)
{
    const QString where = QFile::decodeName(directory);
    const QString file = hasher.checksumFile();
    QStringList arguments = QStringList() << QStringLiteral("--check") << QStringLiteral("--strict")
                                          << QStringLiteral("--quiet") << file;
    const auto sums = co_await command(where, QStringLiteral("sha256sum"), arguments);
    const QString said = QString::fromLocal8Bit(sums.second.left(2000));
    check(sums.first == 0, QStringLiteral("sha256sum agrees with %1: %2").arg(file, said));

    arguments = QStringList() << where + u'/' << QStringLiteral("-type") << QStringLiteral("f")
                              << QStringLiteral("-readable") << QStringLiteral("-printf")
                              << QStringLiteral("x");
    const auto found = co_await command(where, QStringLiteral("find"), arguments);
    const auto hashed = static_cast<qsizetype>(hasher.digests().size());
    check(hashed == found.second.size(),
          QStringLiteral("%1: %2 files are hashed, and there are %3")
              .arg(where)
              .arg(hashed)
              .arg(found.second.size()));
}

/// Prints what the meter has seen since its reset(); whether that was a stall.
bool Smoke::stalled(DemoWindow &demo)
{
    const FrameMeter &meter = demo.meter();
    const int frame = meter.longest_frame_since_reset();
    const int turn = meter.longest_turn_since_reset();
    std::printf("smoke: %s: %s, %s; longest frame %d ms, longest turn of the event loop %d ms\n",
                qPrintable(demo.hasher().directory()), qPrintable(demo.hasher().countText()),
                qPrintable(demo.hasher().rateText()), frame, turn);
    std::fflush(stdout);
    check(frame > 0 && turn > 0, QStringLiteral("the frame meter sees frames and turns"));
    return frame >= longest_gap || turn >= longest_gap;
}

// --- the scenes

Coroutine<> Smoke::unpleasant_tree()
{
    const auto make = [](const QByteArray &root) {
        QDir().mkpath(QFile::decodeName(root));
        build_smoke_tree(root);
    };
    co_await to_thread(make, m_tree);
    DemoWindow demo(m_tree, output("tree.sha256"));
    install_accidents(m_tree, demo.hasher());
    demo.hasher().restart();
    co_await until(QStringLiteral("a run gets going"),
                   [&demo] { return demo.hasher().progress() > 0.1; });
    co_await screenshot(demo, QStringLiteral("1-running"));
    co_await pause_and_resume(demo);
    co_await cancel_half_way(demo);
    co_await restart_twice(demo);
    co_await change_files(demo);
    co_await demo.hasher().close();
}

Coroutine<> Smoke::pause_and_resume(DemoWindow &demo)
{
    Hasher &hasher = demo.hasher();
    click(demo, QStringLiteral("pauseButton"));
    check(hasher.paused(), QStringLiteral("Pause pauses"));
    co_await sleep(300ms); // a thread ends its block first
    const qint64 bytes = hasher.bytes_hashed();
    co_await sleep(200ms);
    check(hasher.bytes_hashed() == bytes, QStringLiteral("nothing is hashed during a pause"));
    co_await screenshot(demo, QStringLiteral("2-paused"));
    press(demo, Qt::Key_Space);
    check(!hasher.paused(), QStringLiteral("the space bar ends the pause"));
    co_await until(QStringLiteral("it goes on after the pause"),
                   [&hasher, bytes] { return hasher.bytes_hashed() > bytes; });
}

Coroutine<> Smoke::cancel_half_way(DemoWindow &demo)
{
    Hasher &hasher = demo.hasher();
    co_await until(QStringLiteral("the run comes half-way"),
                   [&hasher] { return hasher.progress() > 0.5; });
    QElapsedTimer timer;
    timer.start();
    click(demo, QStringLiteral("cancelButton"));
    co_await until(QStringLiteral("Cancel cancels"),
                   [&hasher] { return hasher.phase() == Hasher::Cancelled; });
    std::printf("smoke: cancelled within %lld ms\n", static_cast<long long>(timer.elapsed()));
    check(timer.elapsed() < answer_time, QStringLiteral("Cancel took %1 ms").arg(timer.elapsed()));
    check(hasher.progress() < 1, QStringLiteral("it was not finished when it was cancelled"));
    check(!QFile::exists(hasher.checksumFile()),
          QStringLiteral("a cancelled run writes no checksum file"));
    check(!hasher.canPause() && !hasher.canCancel() && hasher.canRestart(),
          QStringLiteral("after Cancel only Restart makes sense"));
    co_await sleep(100ms);
    co_await screenshot(demo, QStringLiteral("3-cancelled"));
}

Coroutine<> Smoke::restart_twice(DemoWindow &demo)
{
    Hasher &hasher = demo.hasher();
    prepare_accidents(m_tree);
    click(demo, QStringLiteral("restartButton"));
    co_await until(QStringLiteral("Restart restarts"),
                   [&hasher] { return hasher.phase() == Hasher::Hashing; });
    prepare_accidents(m_tree);
    click(demo, QStringLiteral("restartButton"));
    click(demo, QStringLiteral("restartButton"));
    co_await until(QStringLiteral("the run comes to its end"),
                   [&hasher] { return hasher.phase() == Hasher::Finished; });
    check(hasher.runs() == 3,
          QStringLiteral("two clicks on Restart begin one run (%1)").arg(hasher.runs()));
    check_rows(hasher);
    co_await verify(hasher, m_tree);
    co_await screenshot(demo, QStringLiteral("4-finished"));
    click(demo, QStringLiteral("problemsTab"));
    co_await sleep(100ms);
    co_await screenshot(demo, QStringLiteral("5-not-hashed"));
    click(demo, QStringLiteral("allTab"));
}

void Smoke::check_rows(Hasher &hasher)
{
    hasher.problems()->flush();
    const auto expect = [this, &hasher](LogModel::Kind kind, const QByteArray &name,
                                        const QString &reason) {
        const auto &rows = hasher.problems()->rows();
        const bool there = std::any_of(rows.begin(), rows.end(), [&](const LogModel::Row &row) {
            return row.kind == kind && row.name == display_name(name)
                && row.detail.contains(reason);
        });
        check(there, QStringLiteral("there is a row for '%1': %2").arg(display_name(name), reason));
        check(!hasher.digests().contains(name),
              QStringLiteral("'%1' is not hashed").arg(display_name(name)));
    };
    expect(LogModel::Skipped, "fifo", QStringLiteral("FIFO"));
    expect(LogModel::Skipped, "socket", QStringLiteral("Socket"));
    expect(LogModel::Error, "self", QStringLiteral("Too many levels"));
    expect(LogModel::Error, "broken", QStringLiteral("No such file"));
    expect(LogModel::Error, "loop/again", QStringLiteral("circle"));
    expect(LogModel::Error, "vanishes", QStringLiteral("No such file"));
    expect(LogModel::Error, "vanishing file", QStringLiteral("No such file"));
    expect(LogModel::Error, "becomes a fifo", QStringLiteral("No regular file"));
    if (::access((m_tree + "/no permission").constData(), R_OK) != 0) // root reads it all the same
        expect(LogModel::Error, "no permission", QStringLiteral("Permission denied"));
    check(hasher.links() == 1, QStringLiteral("one link is left out in silence"));
    for (const char *name :
         {"latin-1 gr\xfc\xdf", "new\nline", "back\\slash", "-", "empty", "large/c"})
        check(hasher.digests().contains(name),
              QStringLiteral("'%1' is hashed").arg(display_name(name)));
}

Coroutine<> Smoke::change_files(DemoWindow &demo)
{
    Hasher &hasher = demo.hasher();
    const QByteArray before = hasher.digests().at("plain.txt");
    change_smoke_tree(m_tree);
    co_await until(QStringLiteral("what changes is hashed"), [&hasher, &before] {
        const Digests &digests = hasher.digests();
        const auto plain = digests.find("plain.txt");
        return hasher.phase() == Hasher::Finished && plain != digests.end()
            && plain->second != before && digests.contains("added/deeper/file")
            && digests.contains("added \xe9t\xe9") && !digests.contains("empty")
            && digests.contains("small three/0.data") && !digests.contains("small 3/0.data");
    });
    co_await verify(hasher, m_tree);
    co_await sleep(100ms);
    co_await screenshot(demo, QStringLiteral("6-changed"));
    demo.window().resize(demo.window().minimumSize());
    co_await sleep(300ms);
    co_await screenshot(demo, QStringLiteral("7-small"));
}

Coroutine<> Smoke::real_directory()
{
    DemoWindow demo(m_options.directory, output("real.sha256"));
    Hasher &hasher = demo.hasher();
    hasher.restart();
    co_await until(QStringLiteral("a run begins"), [&hasher] { return hasher.canCancel(); });
    press(demo, Qt::Key_Escape);
    co_await until(QStringLiteral("Escape cancels"),
                   [&hasher] { return hasher.phase() == Hasher::Cancelled; });
    // A stall of this program comes back; one that another program causes does not.
    bool stalls = true;
    for (int attempt = 0; stalls && attempt < 3; ++attempt) {
        co_await sleep(300ms); // what the attempt before has left to draw
        demo.meter().reset();
        click(demo, QStringLiteral("restartButton"));
        co_await until(QStringLiteral("Restart restarts"),
                       [&hasher] { return hasher.canCancel(); });
        co_await until(
            QStringLiteral("%1 is hashed").arg(hasher.directory()),
            [&hasher] { return hasher.phase() == Hasher::Finished; }, 60s);
        stalls = stalled(demo);
    }
    check(!stalls, QStringLiteral("the window never stands still for %1 ms").arg(longest_gap));
    co_await verify(hasher, m_options.directory);
    co_await screenshot(demo, QStringLiteral("8-real"));
    co_await hasher.close();
}

Coroutine<> Smoke::vanished_directory()
{
    const QString folder = m_folder.filePath(QStringLiteral("short-lived"));
    Hasher hasher(QFile::encodeName(folder), output("short-lived.sha256"));
    hasher.start();
    hasher.restart();
    co_await until(QStringLiteral("what does not exist is an error"),
                   [&hasher] { return hasher.phase() == Hasher::Failed; });
    QDir().mkpath(folder);
    hasher.restart();
    co_await until(QStringLiteral("an empty directory is none"),
                   [&hasher] { return hasher.phase() == Hasher::Finished; });
    QDir().rmdir(folder);
    co_await until(QStringLiteral("that it vanishes is noticed"),
                   [&hasher] { return hasher.phase() == Hasher::Failed; });
    co_await hasher.close();
}

/// Without close(): the tasks end with the object.
Coroutine<> Smoke::die_while_hashing()
{
    auto hasher = std::make_unique<Hasher>(m_tree, output("died.sha256"));
    hasher->start();
    hasher->restart();
    co_await until(QStringLiteral("a run gets going"),
                   [&hasher] { return hasher->progress() > 0.1; });
    hasher.reset();
    co_await sleep(50ms);
    check(all_tasks().size() == 1, QStringLiteral("no task outlives its object"));
}

Coroutine<> Smoke::close_while_hashing()
{
    DemoWindow demo(m_tree, output("closed.sha256"));
    Hasher &hasher = demo.hasher();
    hasher.restart();
    co_await until(QStringLiteral("a run gets going"),
                   [&hasher] { return hasher.progress() > 0.1; });
    QElapsedTimer timer;
    timer.start();
    demo.window().close();
    co_await wait_for(get_running_loop().quit_requested(), 5s);
    co_await hasher.close();
    check(timer.elapsed() < answer_time,
          QStringLiteral("closing the window took %1 ms").arg(timer.elapsed()));
    check(!QFile::exists(hasher.checksumFile()),
          QStringLiteral("a run that was closed writes no checksum file"));
}

Coroutine<int> Smoke::run()
{
    // Asked for now, so that a window that is closed by mistake cannot end the run in silence.
    const Future<> quit = get_running_loop().quit_requested();
    QGuiApplication::setQuitOnLastWindowClosed(false);
    if (!m_options.screenshots.isEmpty())
        QDir().mkpath(m_options.screenshots);
    check(m_folder.isValid(), m_folder.errorString());
    co_await unpleasant_tree();
    co_await vanished_directory();
    co_await die_while_hashing();
    co_await real_directory();
    check(!quit.done(), QStringLiteral("nobody quits meanwhile"));
    QGuiApplication::setQuitOnLastWindowClosed(true);
    co_await close_while_hashing();
    std::printf("smoke: %d of %d checks passed\n", m_checks - m_failures, m_checks);
    co_return m_failures == 0 ? 0 : 1;
}

} // namespace

Coroutine<int> smoke(Options options)
{
    Smoke run(std::move(options));
    co_return co_await run.run();
}

} // namespace Demo
