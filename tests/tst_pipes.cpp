// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qregularexpression.h>
#include <QtCore/qtemporaryfile.h>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <optional>
#include <string>
#include <sys/socket.h>

namespace {

/// A pipe whose ends are handed to streams; what is left of them is closed with it.
class Ends
{
public:
    Ends()
    {
        if (::pipe2(m_fds, O_CLOEXEC) != 0)
            qFatal("pipe2");
    }
    ~Ends()
    {
        close_read_end();
        close_write_end();
    }
    Q_DISABLE_COPY_MOVE(Ends)

    int take_read_end() { return std::exchange(m_fds[0], -1); }
    int take_write_end() { return std::exchange(m_fds[1], -1); }
    int read_end() const { return m_fds[0]; }
    int write_end() const { return m_fds[1]; }
    void close_read_end() { close(0); }
    void close_write_end() { close(1); }

private:
    void close(int end)
    {
        if (m_fds[end] >= 0)
            ::close(std::exchange(m_fds[end], -1));
    }
    int m_fds[2];
};

bool is_open(int fd)
{
    return ::fcntl(fd, F_GETFD) >= 0;
}

/// Everything that can be read now.
QByteArray read_now(int fd)
{
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    QByteArray all;
    char block[65536];
    for (ssize_t count; (count = ::read(fd, block, sizeof block)) > 0;)
        all.append(block, count);
    return all;
}

QByteArray pattern(qsizetype size)
{
    QByteArray data(size, Qt::Uninitialized);
    for (qsizetype i = 0; i < size; ++i)
        data[i] = char(i * 31 + i / 251);
    return data;
}

constexpr qsizetype more_than_a_pipe = 300000;

} // namespace

/// connect_read_pipe(), connect_write_pipe(): StreamReader and StreamWriter over descriptors.
class tst_pipes : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init() { std::signal(SIGPIPE, SIG_DFL); } // Qt Test has a handler of its own
    // C-043
    void refusesWhatIsNoStream()
    {
        QAsyncioLoop loop;
        QTemporaryFile file;
        QVERIFY(file.open());
        const int fd = file.handle();
        QCOMPARE(error_in([&] { static_cast<void>(loop.connect_read_pipe(fd)); }),
                 u"ValueError: Pipe transport is for pipes/sockets only."_s);
        QCOMPARE(error_in([&] { static_cast<void>(loop.connect_write_pipe(fd)); }),
                 u"ValueError: Pipe transport is only for pipes, sockets and character devices"_s);
        QVERIFY(is_open(fd));
        QCOMPARE(error_in([&] { static_cast<void>(loop.connect_read_pipe(-1)); }),
                 u"OSError: descriptor -1: Bad file descriptor"_s);
        QCOMPARE(error_in([&] { static_cast<void>(loop.connect_write_pipe(9999)); }),
                 u"OSError: descriptor 9999: Bad file descriptor"_s);
        const Ends ends;
        QCOMPARE(error_in([&] { static_cast<void>(loop.connect_read_pipe(ends.read_end(), 0)); }),
                 u"ValueError: Limit cannot be <= 0"_s);
        loop.close();
        QCOMPARE(error_in([&] { static_cast<void>(loop.connect_read_pipe(ends.read_end())); }),
                 u"RuntimeError: Event loop is closed"_s);
        QCOMPARE(error_in([&] { static_cast<void>(loop.connect_write_pipe(ends.write_end())); }),
                 u"RuntimeError: Event loop is closed"_s);
        QVERIFY(is_open(ends.read_end()));
        QVERIFY(is_open(ends.write_end()));
    }

    void writesAndReads()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                Ends ends;
                const int fds[] = {ends.read_end(), ends.write_end()};
                StreamReader reader = loop.connect_read_pipe(ends.take_read_end());
                StreamWriter writer = loop.connect_write_pipe(ends.take_write_end());
                QASYNCIO_COMPARE(reader.fileno(), fds[0]);
                QASYNCIO_COMPARE(writer.fileno(), fds[1]);
                writer.write("first\nsecond");
                co_await writer.drain();
                QASYNCIO_COMPARE(co_await reader.readline(), "first\n");
                writer.writelines({" line\n", "", "third\n"});
                QASYNCIO_COMPARE(co_await reader.readline(), "second line\n");
                writer.write(QByteArray("last"));
                writer.close();
                QASYNCIO_COMPARE(co_await reader.read(), "third\nlast");
                QASYNCIO_VERIFY(reader.at_eof());
                co_await writer.wait_closed();
                QASYNCIO_VERIFY(!is_open(fds[0]));
                QASYNCIO_VERIFY(!is_open(fds[1]));
                QASYNCIO_COMPARE(reader.fileno(), -1);
                QASYNCIO_COMPARE(writer.fileno(), -1);
            },
            Test::TestOptions().real_time());
    }

    void everyByteOfALargeStreamArrives()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                Ends ends;
                StreamReader reader = loop.connect_read_pipe(ends.take_read_end());
                StreamWriter writer = loop.connect_write_pipe(ends.take_write_end());
                const QByteArray data = pattern(8 * 1024 * 1024 + 17);
                const auto write_all = [&]() -> Coroutine<> {
                    // Pieces of many sizes, some given away, some not.
                    qsizetype from = 0;
                    for (qsizetype size = 1; from < data.size(); size = size * 3 % 200003 + 1) {
                        const QByteArray piece = data.sliced(from,
                                                             std::min(size, data.size() - from));
                        if (size % 3 == 0)
                            writer.write(QByteArrayView(piece));
                        else if (size % 3 == 1)
                            writer.write(QByteArray(piece.constData(), piece.size()));
                        else
                            writer.writelines(
                                {piece.first(piece.size() / 2), piece.sliced(piece.size() / 2)});
                        from += piece.size();
                        co_await writer.drain();
                    }
                    writer.close();
                };
                Task<> writing = create_task(write_all);
                QByteArray seen;
                while (!reader.at_eof())
                    seen += co_await reader.read(100000);
                co_await writing;
                QASYNCIO_VERIFY(seen == data);
            },
            Test::TestOptions().real_time());
    }

    //
    void readingPausesAboveTwiceTheLimit()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                Ends ends;
                ::fcntl(ends.write_end(), F_SETFL, O_NONBLOCK);
                StreamReader reader = loop.connect_read_pipe(ends.take_read_end(), 1000);
                qsizetype written = 0;
                const QByteArray block(5000, 'x');
                // Until neither the pipe nor the reader takes more.
                for (int full = 0; full < 20;) {
                    const ssize_t count = ::write(ends.write_end(), block.constData(), 5000);
                    full = count > 0 ? 0 : full + 1;
                    written += std::max<ssize_t>(count, 0);
                    co_await sleep(count > 0 ? 0ms : 1ms);
                }
                QASYNCIO_VERIFY(reader.to_string().contains(u"paused"_s));
                QASYNCIO_VERIFY(written < 5000 + 2 * 65536);
                // Whoever wants more than fits gets it.
                QASYNCIO_COMPARE((co_await reader.readexactly(written)).size(), written);
                QASYNCIO_VERIFY(::write(ends.write_end(), "more", 4) == 4);
                QASYNCIO_COMPARE(co_await reader.read(100), "more");
            },
            Test::TestOptions().real_time());
    }

    //
    void aReadThatIsCancelledOrTimedOutLosesNothing()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                Ends ends;
                StreamReader reader = loop.connect_read_pipe(ends.take_read_end());
                QASYNCIO_VERIFY(::write(ends.write_end(), "abc", 3) == 3);
                QASYNCIO_COMPARE(co_await error_of(wait_for(reader.readexactly(6), 5ms)),
                                 u"TimeoutError"_s);
                Task<QByteArray> task = create_task(reader.readline());
                co_await sleep(1ms);
                QASYNCIO_VERIFY(task.to_string().contains(u"wait_for=<reading from pipe "_s));
                task.cancel();
                QASYNCIO_VERIFY(::write(ends.write_end(), "def\n", 4) == 4);
                QASYNCIO_COMPARE(co_await error_of(task), u"CancelledError"_s);
                QASYNCIO_COMPARE(co_await reader.readline(), "abcdef\n");
            },
            Test::TestOptions().real_time());
    }

    void closingTheReaderEndsTheReadWithItsOwnError()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                Ends ends;
                StreamReader reader = loop.connect_read_pipe(ends.take_read_end());
                Task<QByteArray> task = create_task(reader.read());
                QASYNCIO_VERIFY(::write(ends.write_end(), "abc", 3) == 3);
                co_await sleep(1ms);
                const int fd = reader.fileno();
                reader.close();
                QASYNCIO_VERIFY(!is_open(fd));
                QASYNCIO_COMPARE(co_await error_of(task),
                                 u"StreamClosedError: The stream was closed"_s);
                QASYNCIO_COMPARE(co_await error_of(reader.read(1)),
                                 u"StreamClosedError: The stream was closed"_s);
                reader.close();
                // One without a descriptor too.
                StreamReader other;
                other.feed_data("abc");
                other.close();
                QASYNCIO_COMPARE(co_await error_of(other.readline()),
                                 u"StreamClosedError: The stream was closed"_s);
            },
            Test::TestOptions().real_time());
    }

    void aReaderThatDiesEndsTheReadAndClosesTheDescriptor()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                Ends ends;
                const int fd = ends.read_end();
                std::optional<StreamReader> reader(loop.connect_read_pipe(ends.take_read_end()));
                Task<QByteArray> task = create_task(reader->read());
                co_await turns(2);
                reader.reset();
                QASYNCIO_VERIFY(!is_open(fd));
                QASYNCIO_COMPARE(co_await error_of(task),
                                 u"RuntimeError: The StreamReader was destroyed while a task was "
                                 "reading"_s);
            },
            Test::TestOptions().real_time());
    }

    void streamsCanBeMoved()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                Ends one, two;
                StreamReader reader = loop.connect_read_pipe(one.take_read_end());
                StreamWriter writer = loop.connect_write_pipe(one.take_write_end());
                const int fds[] = {two.read_end(), two.write_end()};
                StreamReader other_reader = loop.connect_read_pipe(two.take_read_end());
                StreamWriter other_writer = loop.connect_write_pipe(two.take_write_end());
                Task<QByteArray> task = create_task(reader.readline()); // goes on
                co_await turns(1);
                other_reader = std::move(reader);
                other_writer = std::move(writer);
                co_await turns(3);
                QASYNCIO_VERIFY(!is_open(fds[0]));
                QASYNCIO_VERIFY(!is_open(fds[1]));
                other_writer.write("moved\nagain\n");
                QASYNCIO_COMPARE(co_await task, "moved\n");
                reader = std::move(other_reader);
                QASYNCIO_COMPARE(co_await reader.readline(), "again\n");
            },
            Test::TestOptions().real_time());
    }

    void anErrorOfTheSystemReachesTheReader()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                int fds[2];
                QASYNCIO_VERIFY(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
                StreamReader reader = loop.connect_read_pipe(fds[0]);
                QASYNCIO_VERIFY(::write(fds[0], "unread", 6) == 6);
                Task<QByteArray> task = create_task(reader.readexactly(10));
                QASYNCIO_VERIFY(::write(fds[1], "seen", 4) == 4);
                co_await sleep(1ms);
                ::close(fds[1]); // with data that nobody has read: a reset
                QASYNCIO_VERIFY((co_await error_of(task))
                                    .startsWith(u"ConnectionResetError: "
                                                "reading from socket "_s));
                QASYNCIO_VERIFY(
                    (co_await error_of(reader.read(1))).startsWith(u"ConnectionResetError: "_s));
                QASYNCIO_VERIFY(!is_open(fds[0]));
            },
            Test::TestOptions().real_time());
    }

    // C-001
    void theLimitsOfTheWriteBuffer()
    {
        QAsyncioLoop loop;
        Ends ends;
        StreamWriter writer = loop.connect_write_pipe(ends.take_write_end());
        const auto limits = [&] { return writer.get_write_buffer_limits(); };
        using Limits = std::pair<qsizetype, qsizetype>;
        QCOMPARE(limits(), Limits(16384, 65536));
        writer.set_write_buffer_limits(100);
        QCOMPARE(limits(), Limits(25, 100));
        writer.set_write_buffer_limits({}, 100);
        QCOMPARE(limits(), Limits(100, 400));
        writer.set_write_buffer_limits(8, 3);
        QCOMPARE(limits(), Limits(3, 8));
        writer.set_write_buffer_limits(0);
        QCOMPARE(limits(), Limits(0, 0));
        QCOMPARE(error_in([&] { writer.set_write_buffer_limits(1, 2); }),
                 u"ValueError: high (1) must be >= low (2) must be >= 0"_s);
        QCOMPARE(error_in([&] { writer.set_write_buffer_limits(1, -1); }),
                 u"ValueError: high (1) must be >= low (-1) must be >= 0"_s);
        QCOMPARE(limits(), Limits(0, 0));
        writer.set_write_buffer_limits();
        QCOMPARE(limits(), Limits(16384, 65536));
        writer.close();
        run_ready(loop);
        loop.close();
    }

    // C-002, C-003, C-004
    void drainWaitsOnlyWhileTooMuchIsKept()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                Ends ends;
                StreamWriter writer = loop.connect_write_pipe(ends.take_write_end());
                writer.write("");
                QASYNCIO_COMPARE(writer.get_write_buffer_size(), 0);
                writer.write("at once");
                QASYNCIO_COMPARE(writer.get_write_buffer_size(), 0);
                QASYNCIO_COMPARE(read_now(ends.read_end()), "at once");
                ::fcntl(writer.fileno(), F_SETPIPE_SZ, 65536);
                writer.write(QByteArray(65536 + 65536, 'x')); // as much as the limit stays
                QASYNCIO_COMPARE(writer.get_write_buffer_size(), 65536);
                Task<> not_paused = create_task(writer.drain());
                co_await turns(2);
                QASYNCIO_VERIFY(not_paused.done());
                writer.write("y"); // one more than the limit
                std::vector<Task<>> drains;
                for (int i = 0; i < 3; ++i)
                    drains.push_back(create_task(writer.drain()));
                co_await turns(3);
                QASYNCIO_VERIFY(!drains[0].done() && !drains[1].done() && !drains[2].done());
                QASYNCIO_VERIFY(drains[0].to_string().contains(u"<writing to pipe "_s));
                drains[1].cancel();
                QASYNCIO_COMPARE(co_await error_of(drains[1]), u"CancelledError"_s);
                // Down to the low limit, not below the high one only.
                QByteArray seen;
                while (writer.get_write_buffer_size() > 16384) {
                    QASYNCIO_VERIFY(!drains[0].done());
                    char block[4096];
                    const ssize_t count = ::read(ends.read_end(), block, sizeof block);
                    seen.append(block, std::max<ssize_t>(count, 0));
                    co_await sleep(0s);
                }
                co_await drains[0];
                co_await drains[2];
                while (seen.size() < 2 * 65536 + 1) {
                    seen += read_now(ends.read_end());
                    co_await sleep(0s);
                }
                QASYNCIO_COMPARE(seen, QByteArray(2 * 65536, 'x') + 'y');
                QASYNCIO_COMPARE(writer.get_write_buffer_size(), 0);
                // Limits that are set meanwhile count too.
                writer.write(QByteArray(65536 + 100, 'x'));
                writer.set_write_buffer_limits(99);
                Task<> waits = create_task(writer.drain());
                co_await turns(3);
                QASYNCIO_VERIFY(!waits.done());
                read_now(ends.read_end());
                co_await waits;
            },
            Test::TestOptions().real_time());
    }

    // C-019
    void manyPiecesInOrder()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                Ends ends;
                StreamReader reader = loop.connect_read_pipe(ends.take_read_end());
                StreamWriter writer = loop.connect_write_pipe(ends.take_write_end());
                QByteArrayList pieces;
                for (int i = 0; i < 300; ++i) // more chunks than one call of the system takes
                    pieces << QByteArray(40000, char(i));
                writer.writelines(pieces);
                QASYNCIO_VERIFY(writer.get_write_buffer_size() > 65536);
                writer.close();
                QASYNCIO_VERIFY(co_await reader.read() == pieces.join());
            },
            Test::TestOptions().real_time());
    }

    void whatBelongsToSomebodyElseIsCopied()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                Ends ends;
                StreamReader reader = loop.connect_read_pipe(ends.take_read_end());
                StreamWriter writer = loop.connect_write_pipe(ends.take_write_end());
                {
                    std::string bytes(size_t(more_than_a_pipe), 'a');
                    writer.write(QByteArray::fromRawData(bytes.data(), more_than_a_pipe));
                    bytes.assign(size_t(more_than_a_pipe), 'z');
                }
                QByteArray shared(more_than_a_pipe, 'b');
                writer.write(QByteArray(shared));
                writer.write(shared);
                shared.fill('z');
                writer.close();
                const QByteArray all = co_await reader.read();
                QASYNCIO_VERIFY(all
                                == QByteArray(more_than_a_pipe, 'a')
                                    + QByteArray(2 * more_than_a_pipe, 'b'));
            },
            Test::TestOptions().real_time());
    }

    // C-007
    void closeWritesWhatIsKept()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                Ends ends;
                StreamReader reader = loop.connect_read_pipe(ends.take_read_end());
                StreamWriter writer = loop.connect_write_pipe(ends.take_write_end());
                QASYNCIO_VERIFY(!writer.is_closing());
                QASYNCIO_VERIFY(writer.can_write_eof());
                writer.write(QByteArray(more_than_a_pipe, 'x'));
                Task<> drain = create_task(writer.drain());
                co_await turns(1);
                writer.close();
                QASYNCIO_VERIFY(writer.is_closing());
                QASYNCIO_VERIFY(writer.to_string().contains(u"closing"_s));
                writer.close();
                writer.write("too late"); // a pipe takes nothing after close()
                QASYNCIO_COMPARE((co_await reader.read()).size(), more_than_a_pipe);
                co_await writer.wait_closed();
                co_await writer.wait_closed();
                co_await drain; // C-006: it has ended well
                QASYNCIO_COMPARE(writer.to_string(), u"<StreamWriter closed>"_s);
            },
            Test::TestOptions().real_time());
    }

    // C-011
    void writeEofIsTheEndOfAPipe()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                Ends ends;
                StreamReader reader = loop.connect_read_pipe(ends.take_read_end());
                StreamWriter writer = loop.connect_write_pipe(ends.take_write_end());
                writer.write("abc");
                writer.write_eof();
                writer.write_eof();
                QASYNCIO_COMPARE(co_await reader.read(), "abc");
                co_await writer.wait_closed();
            },
            Test::TestOptions().real_time());
    }

    // C-009
    void abortDropsWhatIsKept()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                Ends ends;
                StreamReader reader = loop.connect_read_pipe(ends.take_read_end());
                StreamWriter writer = loop.connect_write_pipe(ends.take_write_end());
                writer.write(QByteArray(more_than_a_pipe, 'x'));
                const qsizetype kept = writer.get_write_buffer_size();
                Task<> drain = create_task(writer.drain());
                co_await turns(1);
                writer.abort();
                QASYNCIO_COMPARE(writer.get_write_buffer_size(), 0);
                QASYNCIO_VERIFY(writer.is_closing());
                co_await writer.wait_closed();
                co_await drain;
                QASYNCIO_VERIFY((co_await reader.read()).size() <= more_than_a_pipe - kept + 65536);
                writer.abort();
                co_await turns(2);
            },
            Test::TestOptions().real_time());
    }

    // C-005, C-008
    void writingAfterTheEndIsDropped()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                Ends ends;
                StreamWriter writer = loop.connect_write_pipe(ends.take_write_end());
                writer.close();
                for (int i = 0; i < 4; ++i)
                    writer.write("x");
                const auto text = QRegularExpression(u"write\\(\\) to a stream that was closed"_s);
                for (int i = 0; i < 3; ++i) {
                    QTest::ignoreMessage(QtWarningMsg, text);
                    if (i == 1)
                        writer.write(QByteArray("x"));
                    else if (i == 2)
                        writer.writelines({"x"});
                    else
                        writer.write("x");
                }
                QASYNCIO_COMPARE(
                    co_await error_of(writer.drain()),
                    u"ConnectionResetError: Connection lost: Connection reset by peer"_s);
                QASYNCIO_COMPARE(read_now(ends.read_end()), "");
                co_await writer.wait_closed();
            },
            Test::TestOptions().real_time());
    }

    // C-043, C-006, C-010
    void noticesThatNobodyReads()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                Ends kept;
                StreamWriter writer = loop.connect_write_pipe(kept.take_write_end());
                writer.write(QByteArray(more_than_a_pipe, 'x'));
                Task<> drain = create_task(writer.drain());
                co_await turns(1);
                kept.close_read_end();
                QASYNCIO_VERIFY(
                    (co_await error_of(drain)).startsWith(u"BrokenPipeError: writing"_s));
                QASYNCIO_VERIFY(writer.is_closing());
                QASYNCIO_VERIFY(
                    (co_await error_of(writer.wait_closed())).startsWith(u"BrokenPipeError: "_s));
                QASYNCIO_COMPARE(
                    co_await error_of(writer.drain()),
                    u"ConnectionResetError: Connection lost: Connection reset by peer"_s);
                // With nothing to be written it is no error, but the end.
                Ends empty;
                StreamWriter other = loop.connect_write_pipe(empty.take_write_end());
                Task<> closed = create_task(other.wait_closed());
                co_await turns(1);
                QASYNCIO_VERIFY(closed.to_string().contains(u"<the end of pipe "_s));
                empty.close_read_end();
                co_await closed;
                QASYNCIO_VERIFY(other.is_closing());
            },
            Test::TestOptions().real_time());
    }

    void writingToABrokenPipeIsNoSignal()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                Ends ends;
                StreamWriter writer = loop.connect_write_pipe(ends.take_write_end());
                ends.close_read_end();
                writer.write("x"); // before the loop has noticed
                QASYNCIO_VERIFY(writer.is_closing());
                QASYNCIO_VERIFY(
                    (co_await error_of(writer.wait_closed())).startsWith(u"BrokenPipeError: "_s));
            },
            Test::TestOptions().real_time());
    }

    // C-020
    void aWriterThatIsDroppedStillWrites()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                Ends ends;
                StreamReader reader = loop.connect_read_pipe(ends.take_read_end());
                const int fd = ends.write_end();
                {
                    StreamWriter writer = loop.connect_write_pipe(ends.take_write_end());
                    writer.write(QByteArray(more_than_a_pipe, 'x'));
                }
                QASYNCIO_VERIFY(is_open(fd));
                QASYNCIO_COMPARE((co_await reader.read()).size(), more_than_a_pipe);
                co_await turns(2);
                QASYNCIO_VERIFY(!is_open(fd));
            },
            Test::TestOptions().real_time());
        QAsyncioLoop loop;
        loop.set_debug(true);
        Ends ends;
        QTest::ignoreMessage(QtWarningMsg,
                             QRegularExpression(u"unclosed <StreamWriter fd=\\d+>"_s));
        static_cast<void>(loop.connect_write_pipe(ends.take_write_end()));
        {
            Ends closed;
            StreamWriter writer = loop.connect_write_pipe(closed.take_write_end());
            writer.close(); // in silence
        }
        run_ready(loop);
        loop.close();
    }

    void theEndOfTheLoopClosesWhatNobodyHolds()
    {
        Ends ends, held;
        const int fds[] = {ends.write_end(), held.read_end(), held.write_end()};
        {
            std::optional<StreamReader> reader;
            std::optional<StreamWriter> writer;
            {
                QAsyncioLoop loop;
                {
                    StreamWriter dropped = loop.connect_write_pipe(ends.take_write_end());
                    dropped.write(QByteArray(more_than_a_pipe, 'x'));
                }
                reader = loop.connect_read_pipe(held.take_read_end());
                writer = loop.connect_write_pipe(held.take_write_end());
                writer->write(QByteArray(more_than_a_pipe, 'x'));
                QVERIFY(is_open(fds[0]));
                loop.close();
                QVERIFY(!is_open(fds[0]));
                QCOMPARE(error_in([&] { writer->write("more"); }),
                         u"RuntimeError: Event loop is closed"_s);
            }
            QVERIFY(is_open(fds[1]));
            QVERIFY(is_open(fds[2]));
            // Nothing will ever come: another loop does not wait for it.
            Test::run([&]() -> Coroutine<> {
                QASYNCIO_COMPARE(co_await error_of(reader->read()),
                                 u"RuntimeError: Event loop is closed"_s);
                QASYNCIO_COMPARE(co_await error_of(writer->drain()),
                                 u"RuntimeError: Event loop is closed"_s);
                QASYNCIO_COMPARE(co_await error_of(writer->wait_closed()),
                                 u"RuntimeError: Event loop is closed"_s);
            });
        }
        QVERIFY(!is_open(fds[1]));
        QVERIFY(!is_open(fds[2]));
    }

    void anotherLoopIsRefused()
    {
        QAsyncioLoop loop;
        Ends ends;
        StreamReader reader = loop.connect_read_pipe(ends.take_read_end());
        StreamWriter writer = loop.connect_write_pipe(ends.take_write_end());
        writer.write(QByteArray(more_than_a_pipe, 'x'));
        const QString refused = u"RuntimeError: This stream belongs to another event loop"_s;
        Test::run([&]() -> Coroutine<> {
            QASYNCIO_COMPARE(co_await error_of(reader.read(1)), refused);
            QASYNCIO_COMPARE(co_await error_of(writer.drain()), refused);
            QASYNCIO_COMPARE(co_await error_of(writer.wait_closed()), refused);
        });
        loop.close();
    }

    void aNestedLoopGoesOnReading()
    {
        QAsyncioLoop loop;
        Ends ends;
        StreamReader reader = loop.connect_read_pipe(ends.take_read_end());
        StreamWriter writer = loop.connect_write_pipe(ends.take_write_end());
        QByteArray seen;
        loop.run_until_complete([&]() -> Coroutine<> {
            QEventLoop dialog;
            Task<> task = create_task([&]() -> Coroutine<> {
                seen = co_await reader.read();
                dialog.quit();
            });
            writer.write(QByteArray(more_than_a_pipe, 'x'));
            writer.close();
            dialog.exec();
            co_await task;
        }());
        QCOMPARE(seen.size(), more_than_a_pipe);
        loop.close();
    }

    void aTerminalIsAStreamToo()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
                QASYNCIO_VERIFY(master >= 0 && ::grantpt(master) == 0 && ::unlockpt(master) == 0);
                const int slave = ::open(::ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
                QASYNCIO_VERIFY(slave >= 0);
                // Both directions through one descriptor, each with a copy of its own.
                StreamWriter writer = loop.connect_write_pipe(::dup(master));
                StreamReader reader = loop.connect_read_pipe(master);
                writer.write("typed\n");
                co_await writer.drain();
                StreamReader typed = loop.connect_read_pipe(slave);
                QASYNCIO_COMPARE(co_await typed.readline(), "typed\n");
                QASYNCIO_COMPARE(co_await reader.readline(), "typed\r\n"); // its echo
                typed.close();
                QASYNCIO_VERIFY((co_await error_of(reader.readline()))
                                    .startsWith(u"OSError: reading from device "_s)); // EIO
                writer.close();
                co_await writer.wait_closed();
            },
            Test::TestOptions().real_time());
    }

    void raceTakesFromTheWinnerOnly()
    {
        Test::run(
            [](QAsyncioLoop &loop) -> Coroutine<> {
                Ends one, two;
                StreamReader first = loop.connect_read_pipe(one.take_read_end());
                StreamReader second = loop.connect_read_pipe(two.take_read_end());
                QASYNCIO_VERIFY(::write(one.write_end(), "one\n", 4) == 4);
                const auto winner = co_await race(first.readline(), second.readline());
                QASYNCIO_COMPARE(std::get<0>(winner), "one\n");
                QASYNCIO_VERIFY(::write(two.write_end(), "two\n", 4) == 4);
                QASYNCIO_COMPARE(co_await second.readline(), "two\n");
            },
            Test::TestOptions().real_time());
    }
};

QTEST_GUILESS_MAIN(tst_pipes)
#include "tst_pipes.moc"
