// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "support.h"

#include <QtCore/qfile.h>
#include <QtCore/qstringlist.h>
#include <QtCore/qtemporaryfile.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

/// add_reader(), add_writer(): with both selectors and a foreign one.
class tst_Fds : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aSecondReaderReplacesTheFirst_data() { selectors(); }
    void aSecondReaderReplacesTheFirst();
    void removingTellsWhetherThereWasOne_data() { selectors(); }
    void removingTellsWhetherThereWasOne();
    void oneThatWasClosedBeforeItWasRemovedCallsNobody();
    void oneThatWasClosedAndOpenedAgainIsServed_data() { selectors(); }
    void oneThatWasClosedAndOpenedAgainIsServed();
    void aHangUpWakesTheWriter_data() { selectors(); }
    void aHangUpWakesTheWriter();
    void aRefusedReaderLeavesTheOldOne();
    void whatTheSelectorDoesNotKnowAnyMoreIsRemoved();
    void theOthersAreServedWhenTheSetIsMadeAnew();
    void theSetIsMadeAnewWhenThereIsADescriptorForIt();
    void readinessIsALevel_data() { selectors(); }
    void readinessIsALevel();
    void aReaderRemovedInTheSameBatchDoesNotRun_data() { selectors(); }
    void aReaderRemovedInTheSameBatchDoesNotRun();
    void readerAndWriterOfOneDescriptor_data() { selectors(); }
    void readerAndWriterOfOneDescriptor();
    void aNumberUsedAgainIsServedForTheNewOneOnly_data() { selectors(); }
    void aNumberUsedAgainIsServedForTheNewOneOnly();
    void aRegularFileIsRefused_data() { selectors(); }
    void aRegularFileIsRefused();
    void endOfFileWakesTheReader_data() { selectors(); }
    void endOfFileWakesTheReader();
    void nothingIsServedBetweenTheRuns_data() { selectors(); }
    void nothingIsServedBetweenTheRuns();
    void aForeignSelectorIsUsed();
    void anIdleLoopBurnsNoTime_data() { selectors(); }
    void anIdleLoopBurnsNoTime();
    void theSelectorIsToldOfEveryChange();

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

// A duplicate keeps what was closed in epoll's set, where its number does not reach it any more.
void tst_Fds::oneThatWasClosedBeforeItWasRemovedCallsNobody()
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

// The loop was not told that the number has another file now.
void tst_Fds::oneThatWasClosedAndOpenedAgainIsServed()
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

void tst_Fds::aHangUpWakesTheWriter()
{
    QAsyncioLoop loop(options());
    int fds[2];
    QVERIFY(::pipe2(fds, O_NONBLOCK) == 0);
    const QByteArray block(4096, 'x');
    while (::write(fds[1], block.constData(), size_t(block.size())) > 0) { // until it is full: nothing can be written then
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

// L-119
void tst_Fds::aSecondReaderReplacesTheFirst()
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

// L-120
void tst_Fds::removingTellsWhetherThereWasOne()
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

// L-122
void tst_Fds::readinessIsALevel()
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

// L-123
void tst_Fds::aReaderRemovedInTheSameBatchDoesNotRun()
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

// H-66
void tst_Fds::readerAndWriterOfOneDescriptor()
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

// H-66
void tst_Fds::aNumberUsedAgainIsServedForTheNewOneOnly()
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

// L-119
void tst_Fds::aRegularFileIsRefused()
{
    QAsyncioLoop loop(options());
    QTemporaryFile file;
    QVERIFY(file.open());
    const auto token = std::make_shared<int>();
    QVERIFY(error_in([&] { loop.add_reader(file.handle(), [token] { }); }).contains("OSError"));
    QVERIFY(error_in([&] { loop.add_writer(file.handle(), [token] { }); }).contains("Operation not permitted"));
    QVERIFY(error_in([&] { loop.add_reader(-1, [] { }); }).contains("Bad file descriptor"));
    QCOMPARE(token.use_count(), 1L);
    QVERIFY(!loop.remove_reader(file.handle()));
    loop.close();
}

// L-122
void tst_Fds::endOfFileWakesTheReader()
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

// L-026
void tst_Fds::nothingIsServedBetweenTheRuns()
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

namespace {
/// Writes down what it is told, and says once after each change that a descriptor, which it does not look at, is ready.
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
        if (m_ready)
            ready.push_back({m_fd, std::exchange(m_ready, 0u)});
    }
    void set_enabled(bool enabled) override { *m_log << (enabled ? "on" : "off"); }
    void speak_of(int fd)
    {
        m_fd = fd;
        m_ready = Read;
    }

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

void tst_Fds::aRefusedReaderLeavesTheOldOne()
{
    QStringList told;
    QStringList log;
    bool refuses = false;
    QAsyncioLoop loop(LoopOptions().selector(std::make_unique<Refusing>(&told, &refuses)));
    const auto token = std::make_shared<int>();
    loop.add_reader(7, [&log, token] { log << "old"; });
    refuses = true;
    QVERIFY(error_in([&] { loop.add_reader(7, [&log] { log << "new"; }); }).contains("refused"));
    QVERIFY(error_in([&] { loop.add_writer(7, [&log] { log << "writer"; }); }).contains("refused"));
    QVERIFY(error_in([&] { loop.add_writer(8, [&log] { log << "writer"; }); }).contains("refused"));
    refuses = false;
    QCOMPARE(token.use_count(), 2L);
    run_once(loop);
    QCOMPARE(log, QStringList({"old"}));
    QVERIFY(!loop.remove_writer(7) && !loop.remove_writer(8));
    QVERIFY(loop.remove_reader(7));
    QCOMPARE(token.use_count(), 1L);
    QCOMPARE(told, QStringList({"7:1", "on", "off", "7:0"}));
    loop.close();
}

/// The descriptor was closed: the selector refuses, and may still speak of it.
void tst_Fds::whatTheSelectorDoesNotKnowAnyMoreIsRemoved()
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

qint64 turns_of(QAsyncioLoop &loop, std::chrono::milliseconds time)
{
    qint64 turns = -detail::rest_of(loop.core()).turns;
    loop.call_later(time, [&] { loop.stop(); });
    loop.run_forever();
    return turns + detail::rest_of(loop.core()).turns;
}
} // namespace

void tst_Fds::theOthersAreServedWhenTheSetIsMadeAnew()
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

void tst_Fds::theSetIsMadeAnewWhenThereIsADescriptorForIt()
{
    QAsyncioLoop loop;
    Pipe other;
    loop.add_reader(other.read_end(), [] { });
    Lost lost(loop);
    rlimit old;
    QVERIFY(::getrlimit(RLIMIT_NOFILE, &old) == 0);
    rlimit none = old;
    none.rlim_cur = 0;
    QVERIFY(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    QVERIFY(lost.remove());
    run_once(loop);
    QVERIFY(::setrlimit(RLIMIT_NOFILE, &old) == 0);
    run_once(loop);
    QVERIFY(turns_of(loop, 50ms) < 20); // an idle loop sleeps
    QCOMPARE(lost.calls, 0);
    loop.remove_reader(other.read_end());
    loop.close();
}

// L-001
void tst_Fds::aForeignSelectorIsUsed()
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

// L-005
void tst_Fds::anIdleLoopBurnsNoTime()
{
    QAsyncioLoop loop(options());
    Pipe idle;
    int reads = 0;
    loop.add_reader(idle.read_end(), [&] { ++reads; });
    rusage before;
    rusage after;
    loop.call_later(100ms, [&] { loop.stop(); });
    ::getrusage(RUSAGE_SELF, &before);
    loop.run_forever();
    ::getrusage(RUSAGE_SELF, &after);
    QCOMPARE(reads, 0);
    const auto waits = after.ru_nvcsw - before.ru_nvcsw;
    QVERIFY2(waits < 20, QByteArray::number(qlonglong(waits))); // a spinning loop would be at thousands
    loop.close();
}

// L-119, L-120
void tst_Fds::theSelectorIsToldOfEveryChange()
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
    QCOMPARE(log, QStringList({"7:1", "7:3", "7:3", "7:3", "on", "reader", "writer", "off", "7:2", "7:0",
                               "8:2", "8:3", "8:1", "8:0"}));
    loop.close();
}

QTEST_GUILESS_MAIN(tst_Fds)
#include "tst_fds.moc"
