// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <QtCore/qabstracteventdispatcher.h>
#include <QtCore/qfile.h>
#include <QtCore/qlogging.h>
#include <QtCore/qsocketnotifier.h>
#include <QtCore/qstringlist.h>
#include <QtCore/qtemporaryfile.h>
#include <QtCore/qtimer.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>
#include <limits>
#include <new>
#include <optional>
#include <thread>
#include <utility>

namespace {
/// A reader of a pipe that was closed before it was removed; a duplicate keeps its data readable.
struct Lost
{
    explicit Lost(QAsyncioLoop &loop) : loop(loop)
    {
        if (::pipe(fds) != 0 || (duplicate = ::dup(fds[0])) < 0 || ::write(fds[1], "x", 1) != 1)
            qFatal("no pipe");
        loop.add_reader(fds[0], [this] { ++calls; });
        ::close(fds[0]);
    }
    ~Lost()
    {
        ::close(fds[1]);
        ::close(duplicate);
    }
    bool remove() { return loop.remove_reader(fds[0]); }

    QAsyncioLoop &loop;
    int fds[2];
    int duplicate = -1;
    int calls = 0;
};

int lowest_free_descriptor()
{
    const int fd = ::dup(0);
    ::close(fd);
    return fd;
}

/// A socket whose buffer is full: nothing can be written into it.
class FullSocket
{
public:
    FullSocket()
    {
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, m_fds) != 0)
            qFatal("socketpair");
        const QByteArray block(4096, 'x');
        while (::write(m_fds[0], block.constData(), size_t(block.size())) > 0) {
        }
    }
    ~FullSocket()
    {
        ::close(m_fds[0]);
        ::close(m_fds[1]);
    }
    Q_DISABLE_COPY_MOVE(FullSocket)
    int fd() const { return m_fds[0]; }
    void make_readable() const { QVERIFY(::write(m_fds[1], "x", 1) == 1); }
    void make_writable() const
    {
        QByteArray block(4096, 'x');
        while (::read(m_fds[1], block.data(), size_t(block.size())) > 0) {
        }
    }

private:
    int m_fds[2];
};

qint64 turns_of(QAsyncioLoop &loop, std::chrono::milliseconds time)
{
    qint64 turns = -detail::rest_of(loop.core()).turns;
    loop.call_later(time, [&] { loop.stop(); });
    loop.run_forever();
    return turns + detail::rest_of(loop.core()).turns;
}
} // namespace

namespace {
/// Writes down what it is told, and says once after each change that a descriptor, which it does
/// not look at, is ready.
class Fake : public Selector
{
public:
    explicit Fake(QStringList *log) : m_log(log) { }
    void open(QObject *, std::function<void()>) override { }
    void set_interest(int fd, unsigned interest) override
    {
        *m_log << QStringLiteral("%1:%2").arg(fd).arg(interest);
        m_fd = fd;
        m_ready = interest;
    }
    void poll(std::vector<Ready> &ready) override
    {
        ++polls;
        if (m_ready)
            ready.push_back({m_fd, std::exchange(m_ready, 0u)});
    }
    void set_enabled(bool enabled) override { *m_log << (enabled ? "on" : "off"); }
    void speak_of(int fd, unsigned interest = Read)
    {
        m_fd = fd;
        m_ready = interest;
    }
    int polls = 0;

private:
    QStringList *m_log;
    int m_fd = -1;
    unsigned m_ready = 0;
};
} // namespace

namespace {
/// Refuses when it is told to.
class Refusing : public Fake
{
public:
    Refusing(QStringList *log, const bool *refuses) : Fake(log), m_refuses(refuses) { }
    void set_interest(int fd, unsigned interest) override
    {
        if (*m_refuses)
            throw OSError(EBADF, QStringLiteral("refused"));
        Fake::set_interest(fd, interest);
    }

private:
    const bool *m_refuses;
};
} // namespace

/// Turns of Qt's event loop in a while in which nothing happens.
static int passes_of_qt()
{
    int passes = 0;
    QEventLoop idle;
    const auto counting = QObject::connect(QAbstractEventDispatcher::instance(),
                                           &QAbstractEventDispatcher::awake, [&] { ++passes; });
    QTimer::singleShot(30, &idle, &QEventLoop::quit);
    idle.exec();
    QObject::disconnect(counting);
    return passes;
}

namespace {
/// The first warning that a descriptor has two notifiers opens an event loop, in which `act` is
/// called. That may change nothing of other descriptors: Qt is in the middle of its own list of
/// them.
class ActsOnAWarning
{
public:
    explicit ActsOnAWarning(std::function<void()> act) : m_outer(qInstallMessageHandler(take))
    {
        m_act = std::move(act);
    }
    ~ActsOnAWarning() { qInstallMessageHandler(m_outer); }
    Q_DISABLE_COPY_MOVE(ActsOnAWarning)

    bool has_acted() const { return !m_act; }
    /// glib's dispatcher does not warn.
    bool has_acted_where_qt_warns() const
    {
        return has_acted() || !qEnvironmentVariableIsSet("QT_NO_GLIB");
    }

private:
    static void take(QtMsgType, const QMessageLogContext &, const QString &text)
    {
        if (!m_act || !text.contains("Multiple socket notifiers"))
            return;
        QEventLoop dialog;
        QTimer::singleShot(0, &dialog, [&, act = std::exchange(m_act, nullptr)] {
            act();
            dialog.quit();
        });
        dialog.exec();
    }

    static inline std::function<void()> m_act;
    QtMessageHandler m_outer;
};

/// A notifier of the program's own, for a descriptor that the loop watches as well.
class OwnNotifier
{
public:
    explicit OwnNotifier(const Pipe &pipe) : m_notifier(pipe.read_end(), QSocketNotifier::Read) { }
    /// Qt forgets of it when another one of the same descriptor is silenced.
    void show_again()
    {
        m_notifier.setEnabled(false);
        m_notifier.setEnabled(true);
    }

private:
    QSocketNotifier m_notifier;
};

bool qt_knows_a_notifier_of(const Pipe &pipe)
{
    const ActsOnAWarning warned([] { });
    const OwnNotifier own(pipe);
    return warned.has_acted();
}
} // namespace

namespace {
/// Calls back before it does what it is told, and when it has found what is ready; each time once.
class CallsBack : public Fake
{
public:
    explicit CallsBack(QStringList *log) : Fake(log), m_log(log) { }
    ~CallsBack() override { *m_log << "gone"; }
    void set_interest(int fd, unsigned interest) override
    {
        call(when_told);
        Fake::set_interest(fd, interest);
    }
    void poll(std::vector<Ready> &ready) override
    {
        Fake::poll(ready);
        call(when_polled);
    }

    std::function<void()> when_told;
    std::function<void()> when_polled;

private:
    void call(std::function<void()> &function)
    {
        QStringList *const log = m_log;
        if (const auto once = std::exchange(function, nullptr)) {
            once();
            *log << "returns";
        }
    }

    QStringList *m_log;
};

struct CalledBackLoop
{
    QStringList log;
    CallsBack *selector = new CallsBack(&log); // the loop's
    QAsyncioLoop loop{LoopOptions().selector(std::unique_ptr<Selector>(selector))};
};
} // namespace

/// add_reader(), add_writer(): with both selectors and a foreign one.
class tst_fds : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aSecondReaderReplacesTheFirst_data() { selectors(); }
    // L-119
    void aSecondReaderReplacesTheFirst()
    {
        QAsyncioLoop loop(options());
        Pipe pipe;
        pipe.fill();
        QStringList log;
        const auto token = std::make_shared<int>();
        loop.add_reader(pipe.read_end(), [&log, token] { log << "first"; });
        loop.add_reader(pipe.read_end(), [&] {
            log << "second";
            loop.stop();
        });
        QCOMPARE(token.use_count(), 1L);
        loop.run_forever();
        QCOMPARE(log, QStringList({"second"}));
        loop.close();
    }

    void removingTellsWhetherThereWasOne_data() { selectors(); }
    // L-120
    void removingTellsWhetherThereWasOne()
    {
        QAsyncioLoop loop(options());
        Pipe pipe;
        QVERIFY(!loop.remove_reader(pipe.read_end()));
        loop.add_reader(pipe.read_end(), [] { });
        QVERIFY(!loop.remove_writer(pipe.read_end()));
        QVERIFY(loop.remove_reader(pipe.read_end()));
        QVERIFY(!loop.remove_reader(pipe.read_end()));
        loop.add_writer(pipe.write_end(), [] { });
        QVERIFY(loop.remove_writer(pipe.write_end()));
        loop.close();
    }

    // A duplicate keeps what was closed in epoll's set, where its number does not reach it any
    // more.
    void oneThatWasClosedBeforeItWasRemovedCallsNobody()
    {
        QAsyncioLoop loop;
        QStringList log;
        int old[2];
        QVERIFY(::pipe(old) == 0);
        const int duplicate = ::dup(old[0]);
        QVERIFY(::write(old[1], "x", 1) == 1); // and nobody reads it
        loop.add_reader(old[0], [&] { log << "old"; });
        ::close(old[0]);
        QVERIFY(loop.remove_reader(old[0]));
        int fresh[2];
        QVERIFY(::pipe(fresh) == 0);
        QCOMPARE(fresh[0], old[0]);
        for (const bool removed : {true, false}) {
            loop.add_reader(fresh[0], [&] { log << "new"; });
            for (int i = 0; i < 20; ++i)
                run_once(loop);
            QCOMPARE(log, QStringList());
            if (removed)
                QVERIFY(loop.remove_reader(fresh[0]));
        }
        qint64 turns = -detail::rest_of(loop.core()).turns;
        loop.call_later(50ms, [&] { loop.stop(); });
        loop.run_forever();
        turns += detail::rest_of(loop.core()).turns;
        QVERIFY(turns < 20); // an idle loop sleeps
        loop.remove_reader(fresh[0]);
        for (const int fd : {old[1], duplicate, fresh[0], fresh[1]})
            ::close(fd);
        loop.close();
    }

    void oneThatWasClosedAndOpenedAgainIsServed_data() { selectors(); }
    // The loop was not told that the number has another file now.
    void oneThatWasClosedAndOpenedAgainIsServed()
    {
        QAsyncioLoop loop(options());
        QStringList log;
        int old[2];
        QVERIFY(::pipe(old) == 0);
        loop.add_reader(old[0], [&] { log << "old"; });
        ::close(old[0]);
        int fresh[2];
        QVERIFY(::pipe(fresh) == 0);
        QCOMPARE(fresh[0], old[0]);
        loop.add_reader(fresh[0], [&] {
            log << "new";
            loop.stop();
        });
        QVERIFY(::write(fresh[1], "x", 1) == 1);
        loop.run_forever();
        QCOMPARE(log, QStringList({"new"}));
        QVERIFY(loop.remove_reader(fresh[0]));
        for (const int fd : {old[1], fresh[0], fresh[1]})
            ::close(fd);
        loop.close();
    }

    void oneThatWasClosedAndOpenedAgainIsNotServedForTheOldOne_data() { selectors(); }
    // And a duplicate keeps the old file in epoll's set.
    void oneThatWasClosedAndOpenedAgainIsNotServedForTheOldOne()
    {
        QAsyncioLoop loop(options());
        const Pipe idle;
        Lost lost(loop);
        const int fd = lost.fds[0];
        QVERIFY(::dup2(idle.read_end(), fd) == fd);
        int calls = 0;
        loop.add_reader(fd, [&] { ++calls; });
        run_ready(loop);
        QCOMPARE(calls, 0);
        idle.fill();
        turns_of(loop, 2ms);
        QVERIFY(calls > 0);
        QCOMPARE(lost.calls, 0);
        QVERIFY(loop.remove_reader(fd));
        ::close(fd);
        loop.close();
    }

    void aHangUpWakesTheWriter_data() { selectors(); }
    void aHangUpWakesTheWriter()
    {
        QAsyncioLoop loop(options());
        int fds[2];
        QVERIFY(::pipe2(fds, O_NONBLOCK) == 0);
        const QByteArray block(4096, 'x');
        // until it is full: nothing can be written then
        while (::write(fds[1], block.constData(), size_t(block.size())) > 0) {
        }
        bool woken = false;
        loop.add_writer(fds[1], [&] {
            woken = true;
            loop.stop();
        });
        run_once(loop);
        run_once(loop);
        QVERIFY(!woken);
        ::close(fds[0]);
        loop.run_forever();
        QVERIFY(woken);
        loop.remove_writer(fds[1]);
        ::close(fds[1]);
        loop.close();
    }

    void aRefusedReaderLeavesTheOldOne()
    {
        QStringList told;
        QStringList log;
        bool refuses = false;
        QAsyncioLoop loop(LoopOptions().selector(std::make_unique<Refusing>(&told, &refuses)));
        const auto token = std::make_shared<int>();
        loop.add_reader(7, [&log, token] { log << "old"; });
        refuses = true;
        QVERIFY(
            error_in([&] { loop.add_reader(7, [&log] { log << "new"; }); }).contains("refused"));
        QVERIFY(
            error_in([&] { loop.add_writer(7, [&log] { log << "writer"; }); }).contains("refused"));
        QVERIFY(
            error_in([&] { loop.add_writer(8, [&log] { log << "writer"; }); }).contains("refused"));
        refuses = false;
        QCOMPARE(token.use_count(), 2L);
        run_once(loop);
        QCOMPARE(log, QStringList({"old"}));
        QVERIFY(!loop.remove_writer(7) && !loop.remove_writer(8));
        QVERIFY(loop.remove_reader(7));
        QCOMPARE(token.use_count(), 1L);
        QCOMPARE(told, QStringList({"7:1", "on", "off", "7:0"}));
        loop.add_writer(9, [&log] { log << "writer"; });
        refuses = true;
        QVERIFY(
            error_in([&] { loop.add_reader(9, [&log] { log << "new"; }); }).contains("refused"));
        refuses = false;
        QVERIFY(loop.remove_writer(9) && !loop.remove_reader(9));
        loop.close();
    }

    /// The descriptor was closed: the selector refuses, and may still speak of it.
    void whatTheSelectorDoesNotKnowAnyMoreIsRemoved()
    {
        QStringList told;
        bool refuses = false;
        int calls = 0;
        auto owned = std::make_unique<Refusing>(&told, &refuses);
        Refusing &selector = *owned;
        QAsyncioLoop loop(LoopOptions().selector(std::move(owned)));
        loop.add_reader(7, [&] { ++calls; });
        loop.add_reader(8, [&] { ++calls; });
        refuses = true;
        QVERIFY(loop.remove_reader(7));
        selector.speak_of(7);
        run_once(loop);
        QCOMPARE(calls, 0);
        refuses = false;
        QVERIFY(loop.remove_reader(8));
        loop.close();
    }

    void theOthersAreServedWhenTheSetIsMadeAnew()
    {
        QAsyncioLoop loop;
        Pipe readable;
        Pipe writable;
        QStringList log;
        loop.add_reader(readable.read_end(), [&] {
            log << "read";
            loop.remove_reader(readable.read_end());
        });
        Lost lost(loop);
        QVERIFY(lost.remove());
        loop.add_writer(writable.write_end(), [&] {
            log << "written";
            loop.remove_writer(writable.write_end());
        });
        turns_of(loop, 5ms);
        QCOMPARE(log, QStringList({"written"}));
        readable.fill();
        turns_of(loop, 5ms);
        QCOMPARE(log, QStringList({"written", "read"}));
        QCOMPARE(lost.calls, 0);
        loop.close();
    }

    void theSetIsMadeAnewWhileTheLoopRuns()
    {
        QAsyncioLoop loop;
        Pipe other;
        int calls = 0;
        loop.add_reader(other.read_end(), [&] {
            ++calls;
            loop.stop();
        });
        const int before = lowest_free_descriptor();
        {
            Lost lost(loop);
            loop.call_soon([&] { QVERIFY(lost.remove()); });
            QTimer::singleShot(20, qApp, [&] { other.fill(); }); // the loop sleeps then
            loop.run_forever();
            QCOMPARE(lost.calls, 0);
        }
        QCOMPARE(calls, 1);
        QCOMPARE(lowest_free_descriptor(), before);
        loop.remove_reader(other.read_end());
        loop.close();
    }

    void theSetIsMadeAnewWhenThereIsADescriptorForIt()
    {
        QAsyncioLoop loop;
        Pipe other;
        loop.add_reader(other.read_end(), [] { });
        Lost lost(loop);
        std::optional<NoMoreDescriptors> none(std::in_place);
        QVERIFY(lost.remove());
        run_once(loop);
        none.reset();
        run_once(loop);
        QVERIFY(turns_of(loop, 50ms) < 20); // an idle loop sleeps
        QCOMPARE(lost.calls, 0);
        loop.remove_reader(other.read_end());
        loop.close();
    }

    void whatIsLeftInTheSetAloneDoesNotSpin()
    {
        QAsyncioLoop loop;
        Lost lost(loop);
        Pipe next;
        std::optional<NoMoreDescriptors> none(std::in_place);
        QVERIFY(lost.remove());
        const auto turns_without = turns_of(loop, 50ms);
        none.reset();
        QVERIFY(turns_without < 20);
        int calls = 0;
        loop.add_reader(next.read_end(), [&] {
            ++calls;
            next.drain_one();
        });
        next.fill();
        QVERIFY(turns_of(loop, 50ms) < 20);
        QCOMPARE(calls, 1);
        QCOMPARE(lost.calls, 0);
        loop.remove_reader(next.read_end());
        loop.close();
    }

    void readinessIsALevel_data() { selectors(); }
    void whatIsReadyAgainNeedsNoWayThroughQt()
    {
        QAsyncioLoop loop(LoopOptions().time_slice(1h));
        const Pipe pipe;
        int rounds = 0;
        int passes = 0;
        const auto count = [&] { ++passes; };
        QObject context;
        QObject::connect(QAbstractEventDispatcher::instance(), &QAbstractEventDispatcher::awake,
                         &context, count);
        loop.add_reader(pipe.read_end(), [&] {
            pipe.drain_one();
            if (++rounds == 1000)
                return loop.stop();
            pipe.fill();
        });
        pipe.fill();
        loop.run_forever();
        loop.close();
        QCOMPARE(rounds, 1000);
        QVERIFY2(passes < 20, qPrintable(QString::number(passes)));
    }

    // L-122
    void readinessIsALevel()
    {
        QAsyncioLoop loop(options());
        Pipe pipe;
        for (int i = 0; i < 3; ++i)
            pipe.fill();
        int calls = 0;
        loop.add_reader(pipe.read_end(), [&] {
            pipe.drain_one(); // leaves some: it is called again
            if (++calls == 3)
                loop.stop();
        });
        loop.run_forever();
        QCOMPARE(calls, 3);
        loop.close();
    }

    void aReaderRemovedInTheSameBatchDoesNotRun_data() { selectors(); }
    // L-123
    void aReaderRemovedInTheSameBatchDoesNotRun()
    {
        QAsyncioLoop loop(options());
        Pipe one;
        Pipe two;
        one.fill();
        two.fill();
        int calls = 0;
        const auto reader = [&](Pipe &mine, Pipe &other) {
            ++calls;
            loop.remove_reader(mine.read_end());
            loop.remove_reader(other.read_end());
            loop.call_soon([&] { loop.stop(); });
        };
        loop.add_reader(one.read_end(), [&] { reader(one, two); });
        loop.add_reader(two.read_end(), [&] { reader(two, one); });
        loop.run_forever();
        QCOMPARE(calls, 1);
        loop.close();
    }

    void aReaderReplacedInTheSameBatchDoesNotRun_data() { selectors(); }
    void aReaderReplacedInTheSameBatchDoesNotRun()
    {
        QAsyncioLoop loop(options());
        const Pipe one;
        const Pipe two;
        one.fill();
        two.fill();
        QStringList log;
        const auto reader = [&](const Pipe &mine, const Pipe &other) {
            log << "old";
            loop.remove_reader(mine.read_end());
            loop.add_reader(other.read_end(), [&] {
                log << "new";
                loop.stop();
            });
        };
        loop.add_reader(one.read_end(), [&] { reader(one, two); });
        loop.add_reader(two.read_end(), [&] { reader(two, one); });
        loop.run_forever();
        QCOMPARE(log, QStringList({"old", "new"}));
        loop.close();
    }

    void readerAndWriterOfOneDescriptor_data() { selectors(); }
    // H-66
    void readerAndWriterOfOneDescriptor()
    {
        QAsyncioLoop loop(options());
        int fds[2];
        QVERIFY(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
        QVERIFY(::write(fds[1], "x", 1) == 1);
        int reads = 0;
        int writes = 0;
        loop.add_reader(fds[0], [&] {
            ++reads;
            char byte;
            QVERIFY(::read(fds[0], &byte, 1) == 1);
        });
        loop.add_writer(fds[0], [&] {
            if (++writes == 5) {
                loop.remove_writer(fds[0]);
                QVERIFY(::write(fds[1], "y", 1) == 1); // the reader is still there
            }
            if (writes > 5)
                loop.stop();
        });
        loop.call_later(1h, [] { });
        while (reads < 2)
            run_once(loop);
        QCOMPARE(writes, 5);
        loop.remove_reader(fds[0]);
        ::close(fds[0]);
        ::close(fds[1]);
        loop.close();
    }

    void aNumberUsedAgainIsServedForTheNewOneOnly_data() { selectors(); }
    // H-66
    void aNumberUsedAgainIsServedForTheNewOneOnly()
    {
        QAsyncioLoop loop(options());
        QStringList log;
        int old[2];
        QVERIFY(::pipe(old) == 0);
        QVERIFY(::write(old[1], "x", 1) == 1);
        loop.add_reader(old[0], [&] { log << "old"; });
        QVERIFY(loop.remove_reader(old[0]));
        ::close(old[0]);
        int fresh[2];
        QVERIFY(::pipe(fresh) == 0);
        QCOMPARE(fresh[0], old[0]); // the number is given out again
        loop.add_reader(fresh[0], [&] {
            log << "new";
            loop.stop();
        });
        run_once(loop);
        run_once(loop);
        QCOMPARE(log, QStringList()); // nothing to read in the new one
        QVERIFY(::write(fresh[1], "y", 1) == 1);
        loop.run_forever();
        QCOMPARE(log, QStringList({"new"}));
        loop.remove_reader(fresh[0]);
        for (const int fd : {old[1], fresh[0], fresh[1]})
            ::close(fd);
        loop.close();
    }

    void aRegularFileIsRefused_data() { selectors(); }
    // L-119
    void aRegularFileIsRefused()
    {
        QAsyncioLoop loop(options());
        QTemporaryFile file;
        QVERIFY(file.open());
        const auto token = std::make_shared<int>();
        QVERIFY(error_in([&] { loop.add_reader(file.handle(), [token] { }); }).contains("OSError"));
        QVERIFY(error_in([&] {
                    loop.add_writer(file.handle(), [token] { });
                }).contains("Operation not permitted"));
        QVERIFY(error_in([&] { loop.add_reader(-1, [] { }); }).contains("Bad file descriptor"));
        QCOMPARE(token.use_count(), 1L);
        QVERIFY(!loop.remove_reader(file.handle()));
        loop.close();
    }

    // L-062
    void aReaderRunsInTheContextInWhichItWasAdded()
    {
        static ContextVar<int> var(QStringLiteral("var"), 0);
        QAsyncioLoop loop;
        Pipe pipe;
        pipe.fill();
        int seen = -1;
        loop.run_until_complete([](QAsyncioLoop &loop, const Pipe &pipe, int &seen) -> Coroutine<> {
            var.set(7); // in the task's own context
            loop.add_reader(pipe.read_end(), [&] {
                seen = var.get();
                loop.remove_reader(pipe.read_end());
                loop.stop();
            });
            co_return;
        }(loop, pipe, seen));
        loop.run_forever();
        QCOMPARE(seen, 7);
        QCOMPARE(var.get(), 0);
        loop.close();
    }

    void endOfFileWakesTheReader_data() { selectors(); }
    // L-122
    void endOfFileWakesTheReader()
    {
        QAsyncioLoop loop(options());
        int fds[2];
        QVERIFY(::pipe(fds) == 0);
        ssize_t got = -1;
        loop.add_reader(fds[0], [&] {
            char byte;
            got = ::read(fds[0], &byte, 1);
            loop.stop();
        });
        loop.call_soon([&] { ::close(fds[1]); });
        loop.run_forever();
        QCOMPARE(got, ssize_t(0));
        loop.remove_reader(fds[0]);
        ::close(fds[0]);
        loop.close();
    }

    void nothingIsServedBetweenTheRuns_data() { selectors(); }
    // L-026
    void nothingIsServedBetweenTheRuns()
    {
        QAsyncioLoop loop(options());
        Pipe pipe;
        int calls = 0;
        loop.add_reader(pipe.read_end(), [&] {
            ++calls;
            pipe.drain_one();
            loop.stop();
        });
        run_once(loop);
        pipe.fill();
        for (int i = 0; i < 5; ++i)
            QCoreApplication::processEvents();
        QCOMPARE(calls, 0);
        loop.run_forever();
        QCOMPARE(calls, 1);
        loop.close();
    }

    // L-001
    void aForeignSelectorIsUsed()
    {
        QStringList log;
        QAsyncioLoop loop(LoopOptions().selector(std::make_unique<Fake>(&log)));
        loop.add_reader(77, [&] {
            log << "read";
            loop.stop();
        });
        loop.run_forever();
        loop.remove_reader(77);
        loop.close();
        QCOMPARE(log, QStringList({"77:1", "on", "read", "off", "77:0"}));
    }

    void anIdleLoopBurnsNoTime_data() { selectors(); }
    // L-005
    void anIdleLoopBurnsNoTime()
    {
        QAsyncioLoop loop(options());
        Pipe idle;
        int reads = 0;
        loop.add_reader(idle.read_end(), [&] { ++reads; });
        rusage before;
        rusage after;
        loop.call_later(100ms, [&] { loop.stop(); });
        int passes = 0; // of Qt's event loop
        const auto counting = connect(QAbstractEventDispatcher::instance(),
                                      &QAbstractEventDispatcher::awake, [&] { ++passes; });
        ::getrusage(RUSAGE_SELF, &before);
        loop.run_forever();
        ::getrusage(RUSAGE_SELF, &after);
        disconnect(counting);
        QCOMPARE(reads, 0);
        QVERIFY2(passes < 30, QByteArray::number(passes));
        const auto waits = after.ru_nvcsw - before.ru_nvcsw;
        // a spinning loop would be at thousands
        QVERIFY2(waits < 20, QByteArray::number(qlonglong(waits)));
        loop.close();
    }

    // L-119, L-120
    void theSelectorIsToldOfEveryChange()
    {
        QStringList log;
        QAsyncioLoop loop(LoopOptions().selector(std::make_unique<Fake>(&log)));
        QVERIFY(!loop.remove_reader(7) && !loop.remove_writer(7));
        QCOMPARE(log, QStringList()); // there was nothing to tell
        loop.add_reader(7, [&] { log << "old reader"; });
        loop.add_writer(7, [&] { log << "old writer"; });
        loop.add_writer(7, [&] { log << "writer"; });
        loop.add_reader(7, [&] { log << "reader"; });
        run_once(loop);
        QVERIFY(loop.remove_reader(7) && !loop.remove_reader(7));
        QVERIFY(loop.remove_writer(7) && !loop.remove_writer(7));
        loop.add_writer(8, [] { });
        loop.add_reader(8, [] { });
        QVERIFY(loop.remove_writer(8) && loop.remove_reader(8));
        QCOMPARE(log,
                 QStringList({"7:1", "7:3", "7:3", "7:3", "on", "reader", "writer", "off", "7:2",
                              "7:0", "8:2", "8:3", "8:1", "8:0"}));
        loop.close();
    }

    void aSelectorIsOfOneLoop()
    {
        QStringList log;
        LoopOptions options;
        options.selector(std::make_unique<Fake>(&log));
        QAsyncioLoop loop(options);
        const QString error = error_in([&] { QAsyncioLoop another(options); });
        QCOMPARE(error, "ValueError: QAsyncioLoop: this selector belongs to another loop");
        run_once(loop);
        loop.close();
    }

    void aSelectorThatCouldNotBeOpenedIsOfNoLoop()
    {
        class Closed : public Fake
        {
        public:
            using Fake::Fake;
            void open(QObject *, std::function<void()>) override
            {
                if (!std::exchange(m_is_open, true))
                    throw std::bad_alloc();
            }

        private:
            bool m_is_open = false;
        };
        QStringList log;
        LoopOptions options;
        options.selector(std::make_unique<Closed>(&log));
        QVERIFY_THROWS_EXCEPTION(std::bad_alloc, QAsyncioLoop{options});
        QAsyncioLoop loop(options);
        loop.close();
    }

    void aSlowSelectorDoesNotEatTheLoop()
    {
        class Slow : public Fake
        {
        public:
            Slow(QStringList *log, int *polls) : Fake(log), m_polls(polls) { }
            void poll(std::vector<Ready> &) override
            {
                ++*m_polls;
                std::this_thread::sleep_for(std::chrono::microseconds(200));
            }

        private:
            int *m_polls;
        };
        QStringList log;
        int polls = 0;
        int callbacks = 0;
        QAsyncioLoop loop(LoopOptions().selector(std::make_unique<Slow>(&log, &polls)));
        loop.add_reader(0, [] { });
        std::function<void()> chain = [&] {
            ++callbacks;
            if (polls < 20)
                loop.call_soon(chain);
            else
                loop.stop();
        };
        loop.call_soon(chain);
        loop.run_forever();
        QVERIFY2(callbacks > 20 * polls, qPrintable(QString::number(callbacks)));
        loop.close();
    }

    void aSelectorReportsWhatIsReady_data() { selectors(); }
    void aSelectorReportsWhatIsReady()
    {
        QFETCH(bool, epoll);
        const std::unique_ptr<Selector> selector = epoll ? make_epoll_selector()
                                                         : make_notifier_selector();
        int wakes = 0;
        selector->open(qApp, [&] { ++wakes; });
        const Pipe readable;
        const Pipe idle;
        const FullSocket both;
        readable.fill();
        both.make_readable();
        both.make_writable();
        for (const int fd : {readable.read_end(), idle.read_end()})
            selector->set_interest(fd, Selector::Read);
        selector->set_interest(both.fd(), Selector::Read | Selector::Write);
        QVERIFY(passes_of_qt() < 20);
        QCOMPARE(wakes, 0); // it is not enabled
        const auto polled = [&] {
            for (int i = 0; i < 5; ++i)
                QCoreApplication::processEvents();
            std::vector<Selector::Ready> ready;
            selector->poll(ready);
            std::vector<std::pair<int, unsigned>> found;
            for (const Selector::Ready &event : ready)
                found.emplace_back(event.fd, event.interest);
            std::sort(found.begin(), found.end());
            return found;
        };
        using Found = std::vector<std::pair<int, unsigned>>;
        selector->set_enabled(true);
        const Found all{{readable.read_end(), Selector::Read},
                        {both.fd(), Selector::Read | Selector::Write}};
        QCOMPARE(polled(), all);
        QVERIFY(wakes > 0);
        QCOMPARE(polled(), all); // nobody has read
        readable.drain_one();
        if (epoll) { // the other one asks Qt first
            std::vector<Selector::Ready> ready;
            selector->poll(ready);
            QCOMPARE(ready.size(), std::size_t(1));
            QCOMPARE(ready.front().fd, both.fd());
        }
        selector->set_interest(both.fd(), Selector::Write);
        for (int i = 0; i < 2; ++i) // the second time it is unknown
            selector->set_interest(readable.read_end(), Selector::None);
        readable.fill();
        QCOMPARE(polled(), Found({{both.fd(), Selector::Write}}));
        selector->set_enabled(false);
        const int wakes_before = wakes;
        QVERIFY(passes_of_qt() < 20);
        QCOMPARE(wakes, wakes_before);
        selector->set_interest(both.fd(), Selector::None);
        selector->set_interest(idle.read_end(), Selector::None);
    }

    void manyAreServedInOneRun_data() { selectors(); }
    void manyAreServedInOneRun()
    {
        QAsyncioLoop loop(options());
        constexpr int count = 300; // more than one look at epoll tells
        std::vector<std::unique_ptr<Pipe>> pipes;
        int served = 0;
        for (int i = 0; i < count; ++i) {
            pipes.push_back(std::make_unique<Pipe>());
            pipes.back()->fill();
            const int fd = pipes.back()->read_end();
            loop.add_reader(fd, [&, fd] {
                loop.remove_reader(fd);
                if (++served == count)
                    loop.stop();
            });
        }
        loop.run_forever();
        QCOMPARE(served, count);
        loop.close();
    }

    void whatCanBeReadDoesNotWakeAWriter_data() { selectors(); }
    void whatCanBeReadDoesNotWakeAWriter()
    {
        QAsyncioLoop loop(options());
        const FullSocket socket;
        socket.make_readable();
        int calls = 0;
        loop.add_writer(socket.fd(), [&] {
            ++calls;
            loop.remove_writer(socket.fd());
        });
        QVERIFY(turns_of(loop, 30ms) < 20);
        QCOMPARE(calls, 0);
        {
            Lost lost(loop); // the others are watched anew, for what they were
            QVERIFY(lost.remove());
        }
        QVERIFY(turns_of(loop, 30ms) < 20);
        QCOMPARE(calls, 0);
        socket.make_writable();
        turns_of(loop, 5ms);
        QCOMPARE(calls, 1);
        loop.close();
    }

    void onlyTheDirectionThatIsReadyIsCalled()
    {
        QStringList told;
        QStringList log;
        auto owned = std::make_unique<Fake>(&told);
        Fake &selector = *owned;
        QAsyncioLoop loop(LoopOptions().selector(std::move(owned)));
        loop.add_reader(7, [&] { log << "reader"; });
        loop.add_writer(7, [&] { log << "writer"; });
        for (const auto interest : {Selector::Read, Selector::Write,
                                    Selector::Interest(Selector::Read | Selector::Write)}) {
            selector.speak_of(7, interest);
            run_once(loop);
            log << "|";
        }
        QCOMPARE(log.join(u' '), "reader | writer | reader writer |");
        loop.remove_reader(7);
        loop.remove_writer(7);
        loop.close();
    }

    void oneThatIsFoundReadyTwiceIsCalledOnce()
    {
        QAsyncioLoop loop(virtual_time());
        const Pipe pipe;
        int calls = 0;
        loop.add_reader(pipe.read_end(), [&] {
            ++calls;
            loop.remove_reader(pipe.read_end());
        });
        loop.call_later(1h, [&] { loop.stop(); });
        // Becomes ready behind a turn, before the clock is asked to move on: looked at then, and by
        // the turn that follows.
        loop.call_soon(
            [&] { QMetaObject::invokeMethod(qApp, [&] { pipe.fill(); }, Qt::QueuedConnection); });
        loop.run_forever();
        QCOMPARE(calls, 1);
        loop.close();
    }

    void anErrorOfBeforeIsNoneOfTheNextReader_data() { selectors(); }
    void anErrorOfBeforeIsNoneOfTheNextReader()
    {
        QAsyncioLoop loop(options());
        const Pipe pipe;
        for (int round = 0; round < 2; ++round) {
            errno = ENOENT; // of somebody else's call
            loop.add_reader(pipe.read_end(), [&] { loop.stop(); });
        }
        pipe.fill();
        loop.run_forever();
        QVERIFY(loop.remove_reader(pipe.read_end()));
        loop.close();
    }

    void aPollNeverWaits_data() { selectors(); }
    void aPollNeverWaits()
    {
        QAsyncioLoop loop(options().strict()); // looks in every turn
        const Pipe idle;
        loop.add_reader(idle.read_end(), [] { });
        constexpr int count = 2000;
        int turns = 0;
        std::function<void()> next = [&] {
            if (++turns == count)
                loop.stop();
            else
                loop.call_soon(next);
        };
        loop.call_soon(next);
        rusage before;
        rusage after;
        ::getrusage(RUSAGE_THREAD, &before);
        loop.run_forever();
        ::getrusage(RUSAGE_THREAD, &after);
        const auto waits = after.ru_nvcsw - before.ru_nvcsw;
        QVERIFY2(waits < count / 4, QByteArray::number(qlonglong(waits)));
        loop.remove_reader(idle.read_end());
        loop.close();
    }

    void aLoopThatDoesNotRunKeepsNobodyAwake_data() { selectors(); }
    void aLoopThatDoesNotRunKeepsNobodyAwake()
    {
        QAsyncioLoop loop(options());
        const Pipe pipe;
        pipe.fill();
        loop.add_reader(pipe.read_end(), [] { });
        QVERIFY(passes_of_qt() < 20); // has not run yet
        run_once(loop);
        QVERIFY(passes_of_qt() < 20);
        loop.attach();
        loop.detach();
        QVERIFY(passes_of_qt() < 20);
        loop.remove_reader(pipe.read_end());
        loop.close();
    }

    void nothingIsAskedOfASelectorThatWatchesNothing()
    {
        QStringList told;
        bool refuses = false;
        auto owned = std::make_unique<Refusing>(&told, &refuses);
        Refusing &selector = *owned;
        QAsyncioLoop loop(LoopOptions().selector(std::move(owned)).strict());
        refuses = true;
        QVERIFY(!error_in([&] { loop.add_reader(7, [] { }); }).isEmpty());
        QVERIFY(!error_in([&] { loop.add_writer(8, [] { }); }).isEmpty());
        refuses = false;
        run_ready(loop);
        QCOMPARE(selector.polls, 0);
        loop.add_reader(7, [] { });
        loop.add_writer(8, [] { });
        run_ready(loop);
        QVERIFY(selector.polls > 0);
        QVERIFY(loop.remove_reader(7) && loop.remove_writer(8));
        selector.polls = 0;
        run_ready(loop);
        QCOMPARE(selector.polls, 0);
        loop.close();
    }

    void theSelectorGoesWithTheLoop()
    {
        struct Leaving : Fake
        {
            using Fake::Fake;
            ~Leaving() override { *told << "gone"; }
            QStringList *told = nullptr;
        };
        QStringList told;
        auto owned = std::make_unique<Leaving>(&told);
        owned->told = &told;
        QAsyncioLoop loop(LoopOptions().selector(std::move(owned)));
        const auto token = std::make_shared<int>();
        loop.add_reader(7, [token] { });
        loop.add_writer(7, [token] { });
        const auto outlives = loop.create_future<int>();
        told.clear();
        loop.close();
        // told once more, though a future still refers to the loop
        QCOMPARE(told, QStringList({"7:0", "gone"}));
        QCOMPARE(token.use_count(), 1L);
    }

    void aReaderThatADestructorAddsToAClosingLoopIsDropped()
    {
        const Pipe pipe;
        const auto token = std::make_shared<int>();
        bool added = false;
        QAsyncioLoop loop(virtual_time());
        {
            const auto add = [&](void *) {
                loop.add_reader(pipe.read_end(), [token] { });
                loop.add_writer(pipe.write_end(), [token] { });
                added = true;
            };
            std::shared_ptr<void> last(&loop, add);
            loop.call_later(1h, [last = std::move(last)] { });
        }
        loop.close();
        QVERIFY(added);
        QCOMPARE(token.use_count(), 1L);
    }

    void aReaderRemovedInsideOfItsEventLoopIsNotWatchedAgain()
    {
        for (const bool replaced : {false, true}) {
            QStringList told;
            auto owned = std::make_unique<Fake>(&told);
            Fake &selector = *owned;
            QAsyncioLoop loop(LoopOptions().selector(std::move(owned)));
            QStringList log;
            loop.add_reader(7, [&] {
                log << "begins";
                selector.speak_of(7); // nobody has read
                QEventLoop inner;
                loop.call_soon([&] {
                    QVERIFY(loop.remove_reader(7));
                    if (replaced)
                        loop.add_reader(7, [&] { log << "another"; });
                    inner.quit();
                });
                inner.exec();
                log << "ends";
                told << "returned";
                loop.stop();
            });
            loop.run_forever();
            QVERIFY(told.contains("7:0")); // not watched while it ran
            QCOMPARE(told.mid(told.indexOf("returned")), QStringList({"returned", "off"}));
            QCOMPARE(log.mid(0, 1) + log.mid(log.size() - 1), QStringList({"begins", "ends"}));
            QCOMPARE(loop.remove_reader(7), replaced);
            loop.close();
        }
    }

    void withoutADescriptorThereIsNoLoop()
    {
        if (QASYNCIO_SANITIZED)
            QSKIP("sanitizers ask with a pipe whether memory can be read");
        std::optional<NoMoreDescriptors> none(std::in_place);
        const QString no_selector = error_in([] { make_epoll_selector(); });
        const QString no_timer = error_in([] {
            QAsyncioLoop loop(LoopOptions().selector(make_notifier_selector()).precise_timers());
        });
        none.reset();
        QVERIFY2(no_selector.startsWith("OSError: epoll_create1"), qPrintable(no_selector));
        QVERIFY2(no_timer.startsWith("OSError: timerfd_create"), qPrintable(no_timer));
    }

    // A program may have closed its standard input.
    void numbersMayBeFarApart()
    {
        QStringList told;
        QStringList log;
        auto *const selector = new Fake(&told);
        QAsyncioLoop loop(LoopOptions().selector(std::unique_ptr<Selector>(selector)));
        const auto token = std::make_shared<int>();
        const std::vector<int> numbers{0, 1023, 1024, 70'000, std::numeric_limits<int>::max()};
        for (const int fd : numbers)
            loop.add_reader(fd, [&log, fd, token] { log << QString::number(fd); });
        QVERIFY(!loop.remove_reader(1025) && !loop.remove_reader(5000) && !loop.remove_reader(-1));
        QStringList expected;
        for (const int fd : {70'000, 5000, 1024, -1, 0, numbers.back(), 1023}) {
            selector->speak_of(fd);
            run_once(loop);
            if (fd != 5000 && fd != -1)
                expected << QString::number(fd);
        }
        QCOMPARE(log, expected);
        for (const int fd : numbers)
            QVERIFY(loop.remove_reader(fd) && !loop.remove_reader(fd));
        QCOMPARE(token.use_count(), 1L);
        selector->polls = 0;
        run_once(loop);
        QCOMPARE(selector->polls, 0);
        told.clear();
        loop.add_writer(70'000, [token] { });
        loop.add_writer(3, [token] { });
        loop.close();
        QCOMPARE(told, QStringList({"70000:2", "3:2", "3:0", "70000:0"}));
        QCOMPARE(token.use_count(), 1L);
    }

    void aNegativeNumberIsRefused_data() { selectors(); }
    void aNegativeNumberIsRefused()
    {
        QAsyncioLoop loop(options());
        for (const int fd : {-1, std::numeric_limits<int>::min()}) {
            const QString message = QStringLiteral("file descriptor %1 cannot be watched").arg(fd);
            QVERIFY(error_in([&] { loop.add_reader(fd, [] { }); }).contains(message));
            QVERIFY(error_in([&] { loop.add_writer(fd, [] { }); }).contains(message));
            QVERIFY(!loop.remove_reader(fd) && !loop.remove_writer(fd));
        }
        loop.close();
    }

    void theLowestNumbersAreAsGoodAsOthers()
    {
        const int input = ::dup(0);
        const Pipe pipe;
        pipe.fill();
        const auto reads = [&](LoopOptions options) {
            ::close(0);
            QAsyncioLoop loop(std::move(options)); // a descriptor of its own has the number 0
            bool called = false;
            loop.add_reader(pipe.read_end(), [&] { called = true; });
            turns_of(loop, 1ms);
            loop.close();
            return called && ::dup(0) < 0; // and gives it back
        };
        const bool epoll = reads(LoopOptions());
        const bool timer = reads(LoopOptions().selector(make_notifier_selector()).precise_timers());
        QVERIFY(::dup2(input, 0) == 0);
        QVERIFY(epoll);
        QVERIFY(timer);

        QAsyncioLoop loop;
        const Pipe idle;
        Lost lost(loop);
        ::close(0);
        const bool removed = lost.remove(); // the set is made anew, by way of the number 0
        QVERIFY(::dup2(input, 0) == 0);
        ::close(input);
        QVERIFY(removed);
        QVERIFY(::dup2(idle.read_end(), lost.fds[0]) == lost.fds[0]);
        int calls = 0;
        loop.add_reader(lost.fds[0], [&] { ++calls; });
        run_ready(loop);
        QCOMPARE(calls, 0);
        loop.remove_reader(lost.fds[0]);
        ::close(lost.fds[0]);
        loop.close();
    }

    void whoTakesAWarningOfANewReaderMayRemoveIt()
    {
        const Pipe pipe;
        const OwnNotifier own(pipe);
        QAsyncioLoop loop(LoopOptions().selector(make_notifier_selector()));
        bool removed = false;
        loop.call_soon([&] {
            const ActsOnAWarning warned([&] { removed = loop.remove_reader(pipe.read_end()); });
            loop.add_reader(pipe.read_end(), [] { });
            QVERIFY(warned.has_acted_where_qt_warns());
            if (!warned.has_acted())
                removed = loop.remove_reader(pipe.read_end());
            loop.stop();
        });
        loop.run_forever();
        QVERIFY(removed);
        QVERIFY(!loop.remove_reader(pipe.read_end()));
        QVERIFY(!qt_knows_a_notifier_of(pipe));
        loop.close();
    }

    void whoTakesAWarningOfANewReaderMayCloseTheLoop()
    {
        const Pipe pipe;
        const OwnNotifier own(pipe);
        QAsyncioLoop loop(LoopOptions().selector(make_notifier_selector()));
        const auto token = std::make_shared<int>();
        {
            const ActsOnAWarning warned([&] { loop.close(); });
            loop.add_reader(pipe.read_end(), [token] { });
            QVERIFY(warned.has_acted_where_qt_warns());
            QCOMPARE(loop.is_closed(), warned.has_acted());
        }
        loop.close();
        QCOMPARE(token.use_count(), 1L);
        QVERIFY(!qt_knows_a_notifier_of(pipe));
    }

    void whoTakesAWarningOfAReaderThatIsSwitchedOnMayRemoveIt()
    {
        const Pipe pipes[3];
        QAsyncioLoop loop(LoopOptions().selector(make_notifier_selector()));
        QStringList log;
        for (const Pipe &pipe : pipes) {
            loop.add_reader(pipe.read_end(), [&] {
                pipe.drain_one();
                log << QString::number(&pipe - pipes);
                if (log.size() == 2)
                    loop.stop();
            });
        }
        OwnNotifier own(pipes[1]);
        own.show_again();
        {
            const ActsOnAWarning warned([&] { loop.remove_reader(pipes[1].read_end()); });
            run_once(loop);
            QVERIFY(warned.has_acted_where_qt_warns());
            if (!warned.has_acted())
                loop.remove_reader(pipes[1].read_end());
        }
        QVERIFY(!qt_knows_a_notifier_of(pipes[1]));
        for (const Pipe &pipe : pipes)
            pipe.fill();
        loop.run_forever();
        log.sort();
        QCOMPARE(log, QStringList({"0", "2"}));
        for (const int i : {0, 2})
            QVERIFY(loop.remove_reader(pipes[i].read_end()));
        loop.close();
    }

    void whoTakesAWarningInAPollMayRemoveWhatIsPolled()
    {
        const Pipe pipes[2];
        OwnNotifier own(pipes[0]);
        const std::unique_ptr<Selector> selector = make_notifier_selector();
        int wakes = 0;
        selector->open(qApp, [&] {
            own.show_again();
            ++wakes;
        });
        selector->set_enabled(true);
        for (const Pipe &pipe : pipes) {
            pipe.fill();
            selector->set_interest(pipe.read_end(), Selector::Read);
        }
        while (wakes < 2)
            QCoreApplication::processEvents();
        std::vector<Selector::Ready> ready;
        {
            const ActsOnAWarning warned(
                [&] { selector->set_interest(pipes[0].read_end(), Selector::None); });
            selector->poll(ready);
            QVERIFY(warned.has_acted_where_qt_warns());
            if (!warned.has_acted())
                selector->set_interest(pipes[0].read_end(), Selector::None);
        }
        QCOMPARE(ready.size(), std::size_t(2)); // both had been found before
        QVERIFY(!qt_knows_a_notifier_of(pipes[0]));
    }

    void aSelectorMayRemoveWhatItIsToldToWatch()
    {
        CalledBackLoop test;
        QAsyncioLoop &loop = test.loop;
        const auto token = std::make_shared<int>();
        test.selector->when_told = [&] { QVERIFY(loop.remove_reader(7)); };
        loop.add_reader(7, [token] { });
        // nothing is watched for nobody
        QCOMPARE(test.log, QStringList({"7:0", "returns", "7:1", "7:0"}));
        QCOMPARE(token.use_count(), 1L);
        QVERIFY(!loop.remove_reader(7));
        loop.close();
    }

    void aSelectorMayCloseItsLoopWhenItIsTold()
    {
        CalledBackLoop test;
        QAsyncioLoop &loop = test.loop;
        const auto token = std::make_shared<int>();
        test.selector->when_told = [&] { loop.close(); };
        loop.add_reader(7, [token] { });
        QVERIFY(loop.is_closed());
        QCOMPARE(test.log, QStringList({"7:0", "returns", "7:1", "gone"})); // not inside of itself
        QCOMPARE(token.use_count(), 1L);
    }

    void aSelectorMayOpenAnEventLoopInAPoll_data()
    {
        QTest::addColumn<bool>("removes");
        QTest::newRow("and leave what it has found") << false;
        QTest::newRow("and remove what it has found") << true;
    }

    void aSelectorMayOpenAnEventLoopInAPoll()
    {
        QFETCH(const bool, removes);
        CalledBackLoop test;
        QAsyncioLoop &loop = test.loop;
        loop.add_reader(7, [&] { test.log << "found before"; });
        loop.add_reader(8, [&] { test.log << "found inside"; });
        test.selector->speak_of(7);
        test.selector->when_polled = [&] {
            QEventLoop inner;
            test.selector->speak_of(8);
            loop.call_later(1ms, [&] {
                if (removes)
                    QVERIFY(loop.remove_reader(7));
                loop.add_reader(9, [&] { test.log << "added inside"; });
                inner.quit();
            });
            inner.exec();
        };
        run_ready(loop);
        QCOMPARE(test.log.count("found before"), removes ? 0 : 1);
        QCOMPARE(test.log.count("found inside"), 1);
        QCOMPARE(test.log.count("added inside"), 1);
        QCOMPARE(loop.remove_reader(7), !removes);
        QVERIFY(loop.remove_reader(8) && loop.remove_reader(9));
        loop.close();
    }

    void theOtherDispatcherServesThem()
    {
        SKIP_WITHOUT_PROCESSES();
        QCOMPARE(failure_without_glib({"readerAndWriterOfOneDescriptor", "readinessIsALevel",
                                       "endOfFileWakesTheReader", "aSelectorReportsWhatIsReady",
                                       "anIdleLoopBurnsNoTime", "nothingIsServedBetweenTheRuns",
                                       "aNumberUsedAgainIsServedForTheNewOneOnly",
                                       "whoTakesAWarningOfANewReaderMayRemoveIt",
                                       "whoTakesAWarningOfANewReaderMayCloseTheLoop",
                                       "whoTakesAWarningOfAReaderThatIsSwitchedOnMayRemoveIt",
                                       "whoTakesAWarningInAPollMayRemoveWhatIsPolled"}),
                 QByteArray());
    }


private:
    void selectors()
    {
        QTest::addColumn<bool>("epoll");
        QTest::newRow("epoll") << true;
        QTest::newRow("notifiers") << false;
    }
    static LoopOptions options()
    {
        QFETCH(bool, epoll);
        return LoopOptions().selector(epoll ? make_epoll_selector() : make_notifier_selector());
    }
};

QTEST_GUILESS_MAIN(tst_fds)
#include "tst_fds.moc"
