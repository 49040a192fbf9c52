// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <functional>
#include <limits>

namespace {
/// Notes what the reader says, and pauses nothing.
class Source final : public ReadTransport
{
public:
    void pause_reading() override { log << u"pause"_s; }
    void resume_reading() override { log << u"resume"_s; }
    QStringList log;
};

/// A reader with these data, whose end has come.
std::unique_ptr<StreamReader> reader_of(QByteArrayView data,
                                        qsizetype limit = StreamReader::default_limit)
{
    auto reader = std::make_unique<StreamReader>(limit);
    reader->feed_data(data);
    reader->feed_eof();
    return reader;
}
} // namespace

class tst_stream_reader : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    //
    void aLimitIsPositive()
    {
        QCOMPARE(error_in([] { StreamReader reader(0); }), u"ValueError: Limit cannot be <= 0"_s);
        QCOMPARE(error_in([] { StreamReader reader(-1); }), u"ValueError: Limit cannot be <= 0"_s);
        QCOMPARE(StreamReader().to_string(), u"<StreamReader>"_s);
        QCOMPARE(StreamReader::default_limit, 65536);
    }

    //
    void onlyOneTaskMayWait()
    {
        Test::run([&]() -> Coroutine<> {
            StreamReader reader;
            Task<QByteArray> waiting = create_task(reader.read(10));
            co_await turns(1);
            const QString rest =
                u"() called while another coroutine is already waiting for incoming data"_s;
            QASYNCIO_COMPARE(co_await error_of(reader.read(1)), u"RuntimeError: read"_s + rest);
            QASYNCIO_COMPARE(co_await error_of(reader.read()), u"RuntimeError: read"_s + rest);
            QASYNCIO_COMPARE(co_await error_of(reader.readline()),
                             u"RuntimeError: readuntil"_s + rest);
            QASYNCIO_COMPARE(co_await error_of(reader.readexactly(1)),
                             u"RuntimeError: readexactly"_s + rest);
            reader.feed_data("x");
            QASYNCIO_COMPARE(co_await waiting, "x");
        });
    }

    //
    void readGivesWhatIsThere()
    {
        Test::run([&]() -> Coroutine<> {
            StreamReader reader(4);
            reader.feed_data("abcdefghij");
            QASYNCIO_COMPARE(co_await reader.read(0), "");
            QASYNCIO_COMPARE(co_await reader.read(3), "abc");
            QASYNCIO_COMPARE(co_await reader.read(100), "defghij");
            Task<QByteArray> waiting = create_task(reader.read(2));
            co_await turns(3);
            QASYNCIO_COMPARE(waiting.done(), false);
            reader.feed_data("klm");
            QASYNCIO_COMPARE(co_await waiting, "kl");
            reader.feed_eof();
            QASYNCIO_COMPARE(reader.at_eof(), false);
            QASYNCIO_COMPARE(co_await reader.read(2), "m");
            QASYNCIO_COMPARE(reader.at_eof(), true);
            QASYNCIO_COMPARE(co_await reader.read(2), "");
        });
    }

    //
    void readWithoutASizeGivesAllUpToTheEnd()
    {
        Test::run([&]() -> Coroutine<> {
            StreamReader reader(2);
            reader.feed_data("abc");
            Task<QByteArray> waiting = create_task(reader.read());
            co_await turns(2);
            reader.feed_data("defghij");
            co_await turns(2);
            reader.feed_data("k");
            reader.feed_eof();
            QASYNCIO_COMPARE(co_await waiting, "abcdefghijk");
            QASYNCIO_COMPARE(co_await reader.read(), "");
        });
    }

    // The data that a read was woken for have been taken by another task: that is not the end.
    void aReadWhoseDataWereTakenWaitsOn()
    {
        Test::run([&]() -> Coroutine<> {
            StreamReader reader;
            Task<QByteArray> waiting = create_task(reader.read(10));
            co_await turns(1);
            reader.feed_data("a");
            QASYNCIO_COMPARE(co_await reader.read(10), "a");
            co_await turns(2);
            QASYNCIO_COMPARE(waiting.done(), false);
            reader.feed_data("b");
            QASYNCIO_COMPARE(co_await waiting, "b");
        });
    }

    //
    void readexactlyWaitsForAll()
    {
        Test::run([&]() -> Coroutine<> {
            StreamReader reader(2);
            QASYNCIO_COMPARE(co_await error_of(reader.readexactly(-1)),
                             u"ValueError: readexactly size can not be less than zero"_s);
            QASYNCIO_COMPARE(co_await reader.readexactly(0), "");
            Task<QByteArray> waiting = create_task(reader.readexactly(7));
            co_await turns(1);
            reader.feed_data("abcdef");
            co_await turns(2);
            QASYNCIO_COMPARE(waiting.done(), false);
            reader.feed_data("ghi");
            QASYNCIO_COMPARE(co_await waiting, "abcdefg");
            QASYNCIO_COMPARE(co_await reader.readexactly(2), "hi");
        });
    }

    //
    void readexactlyOfAStreamThatEndsBeforeHasWhatThereWas()
    {
        Test::run([&]() -> Coroutine<> {
            const auto reader = reader_of("abc");
            try {
                co_await reader->readexactly(5);
                QASYNCIO_VERIFY(false);
            } catch (const IncompleteReadError &error) {
                QASYNCIO_COMPARE(error.message(), u"3 bytes read on a total of 5 expected bytes"_s);
                QASYNCIO_COMPARE(error.partial(), "abc");
                QASYNCIO_COMPARE(error.expected(), 5);
            }
            QASYNCIO_COMPARE(reader->at_eof(), true);
        });
    }

    //
    void aSeparatorIsNotEmpty()
    {
        Test::run([&]() -> Coroutine<> {
            StreamReader reader;
            QASYNCIO_COMPARE(co_await error_of(reader.readuntil("")),
                             u"ValueError: Separator should be at least one-byte string"_s);
            QByteArrayList separators;
            QASYNCIO_COMPARE(co_await error_of(reader.readuntil(separators)),
                             u"ValueError: Separator should contain at least one element"_s);
            separators << "x" << "";
            QASYNCIO_COMPARE(co_await error_of(reader.readuntil(separators)),
                             u"ValueError: Separator should be at least one-byte string"_s);
        });
    }

    //
    void readuntilOfAStreamThatEndsBeforeHasWhatThereWas()
    {
        Test::run([&]() -> Coroutine<> {
            const auto reader = reader_of("abc");
            try {
                co_await reader->readuntil(";");
                QASYNCIO_VERIFY(false);
            } catch (const IncompleteReadError &error) {
                QASYNCIO_COMPARE(error.message(),
                                 u"3 bytes read on a total of undefined expected bytes"_s);
                QASYNCIO_COMPARE(error.partial(), "abc");
                QASYNCIO_VERIFY(!error.expected());
            }
            QASYNCIO_COMPARE(reader->at_eof(), true);
        });
    }

    void aSeparatorMayComeInPieces()
    {
        Test::run([&]() -> Coroutine<> {
            StreamReader reader;
            Task<QByteArray> waiting = create_task(reader.readuntil("--end"));
            for (const char *piece : {"a-", "-e", "n", "-", "-en"}) {
                co_await turns(2);
                reader.feed_data(piece);
            }
            co_await turns(2);
            QASYNCIO_COMPARE(waiting.done(), false);
            reader.feed_data("d!");
            QASYNCIO_COMPARE(co_await waiting, "a--en--end");
            QASYNCIO_COMPARE(co_await reader.read(9), "!");
        });
    }

    //
    void aSeparatorBehindTheLimitIsAnError()
    {
        Test::run([&]() -> Coroutine<> {
            StreamReader reader(3);
            reader.feed_data("abc;"); // as many as the limit
            QASYNCIO_COMPARE(co_await reader.readuntil(";"), "abc;");
            reader.feed_data("abcd;");
            try {
                co_await reader.readuntil(";");
                QASYNCIO_VERIFY(false);
            } catch (const LimitOverrunError &error) {
                QASYNCIO_COMPARE(error.message(),
                                 u"Separator is found, but chunk is longer than limit"_s);
                QASYNCIO_COMPARE(error.consumed(), 4);
            }
            QASYNCIO_COMPARE(co_await reader.readexactly(5), "abcd;"); // nothing is lost
        });
    }

    //
    void noSeparatorUpToTheLimitIsAnError()
    {
        Test::run([&]() -> Coroutine<> {
            StreamReader reader(3);
            Task<QString> waiting = create_task(error_of(reader.readuntil(";;")));
            co_await turns(1);
            reader.feed_data("abc;"); // the last may belong to a separator
            co_await turns(2);
            QASYNCIO_COMPARE(waiting.done(), false);
            reader.feed_data("d");
            QASYNCIO_COMPARE(
                co_await waiting,
                u"LimitOverrunError: Separator is not found, and chunk exceed the limit"_s);
            try {
                co_await reader.readuntil(";;");
                QASYNCIO_VERIFY(false);
            } catch (const LimitOverrunError &error) {
                QASYNCIO_COMPARE(error.consumed(), 4); // 5 + 1 - 2
            }
            QASYNCIO_COMPARE(co_await reader.readexactly(5), "abc;d");
        });
    }

    //
    void ofSeveralSeparatorsTheOneThatEndsFirstCounts()
    {
        Test::run([&]() -> Coroutine<> {
            StreamReader reader;
            reader.feed_data("xABCya\r\nb");
            const QByteArrayList long_and_short{"ABC", "B"};
            QASYNCIO_COMPARE(co_await reader.readuntil(long_and_short), "xAB");
            QASYNCIO_COMPARE(co_await reader.readexactly(2), "Cy");
            const QByteArrayList ends{"\n", "\r\n"};
            QASYNCIO_COMPARE(co_await reader.readuntil(ends), "a\r\n");
        });
    }

    //
    void aWholeMessageIsGivenThoughTheEndHasCome()
    {
        Test::run([&]() -> Coroutine<> {
            const auto reader = reader_of("one\ntwo;three");
            QASYNCIO_COMPARE(co_await reader->readline(), "one\n");
            QASYNCIO_COMPARE(co_await reader->readuntil(";"), "two;");
            QASYNCIO_COMPARE(co_await reader->readexactly(5), "three");
        });
    }

    //
    void theLastLineNeedsNoEnd()
    {
        Test::run([&]() -> Coroutine<> {
            const auto reader = reader_of("one\n\ntwo");
            QASYNCIO_COMPARE(co_await reader->readline(), "one\n");
            QASYNCIO_COMPARE(co_await reader->readline(), "\n");
            QASYNCIO_COMPARE(co_await reader->readline(), "two");
            QASYNCIO_COMPARE(co_await reader->readline(), "");
            QASYNCIO_COMPARE(co_await reader->readline(), "");
        });
    }

    //
    void aLineThatIsTooLongIsDropped()
    {
        Test::run([&]() -> Coroutine<> {
            StreamReader reader(3);
            reader.feed_data("abcd\nok\n");
            QASYNCIO_COMPARE(co_await error_of(reader.readline()),
                             u"ValueError: Separator is found, but chunk is longer than limit"_s);
            QASYNCIO_COMPARE(co_await reader.readline(), "ok\n");
            reader.feed_data("abcde");
            QASYNCIO_COMPARE(co_await error_of(reader.readline()),
                             u"ValueError: Separator is not found, and chunk exceed the limit"_s);
            reader.feed_data("f\n");
            QASYNCIO_COMPARE(co_await reader.readline(), "f\n");
        });
    }

    //
    void anExceptionComesFirst()
    {
        Test::run([&]() -> Coroutine<> {
            StreamReader reader;
            reader.feed_data("data\n");
            QASYNCIO_VERIFY(!reader.exception());
            reader.set_exception(std::make_exception_ptr(RuntimeError(u"reset"_s)));
            const QString text = u"RuntimeError: reset"_s;
            QASYNCIO_COMPARE(describe(reader.exception()), text);
            QASYNCIO_COMPARE(co_await error_of(reader.read(0)), text);
            QASYNCIO_COMPARE(co_await error_of(reader.read(1)), text);
            QASYNCIO_COMPARE(co_await error_of(reader.read()), text);
            QASYNCIO_COMPARE(co_await error_of(reader.readexactly(0)), text);
            QASYNCIO_COMPARE(co_await error_of(reader.readline()), text);
            QASYNCIO_COMPARE(co_await error_of(reader.readuntil(";")), text);
            QASYNCIO_COMPARE(error_in([&] { reader.set_exception(nullptr); }),
                             u"TypeError: invalid exception object"_s);
        });
    }

    //
    void anExceptionEndsTheWait()
    {
        Test::run([&]() -> Coroutine<> {
            StreamReader reader;
            Task<QString> waiting = create_task(error_of(reader.readline()));
            co_await turns(1);
            reader.set_exception(std::make_exception_ptr(RuntimeError(u"reset"_s)));
            QASYNCIO_COMPARE(co_await waiting, u"RuntimeError: reset"_s);
        });
    }

    //
    void aReaderThatIsFullPausesItsSource()
    {
        Test::run([&]() -> Coroutine<> {
            Source source;
            StreamReader reader(4);
            reader.set_transport(&source);
            reader.feed_data("12345678"); // twice the limit
            QASYNCIO_COMPARE(source.log.isEmpty(), true);
            reader.feed_data("9");
            reader.feed_data("0");
            QASYNCIO_COMPARE(source.log.join(u' '), u"pause"_s);
            QASYNCIO_VERIFY(reader.to_string().endsWith(u" paused>"));
            co_await reader.read(5); // five are left
            QASYNCIO_COMPARE(source.log.join(u' '), u"pause"_s);
            co_await reader.read(1);
            QASYNCIO_COMPARE(source.log.join(u' '), u"pause resume"_s);
            co_await reader.read(1);
            QASYNCIO_COMPARE(source.log.join(u' '), u"pause resume"_s);
            reader.set_transport(nullptr);
        });
    }

    //
    void whoWaitsForMoreThanFitsResumesTheSource()
    {
        Test::run([&]() -> Coroutine<> {
            Source source;
            StreamReader reader(2);
            reader.set_transport(&source);
            Task<QByteArray> waiting = create_task(reader.readexactly(12));
            co_await turns(1);
            reader.feed_data("123456");
            QASYNCIO_COMPARE(source.log.join(u' '), u"pause"_s);
            co_await turns(2);
            QASYNCIO_COMPARE(source.log.join(u' '), u"pause resume"_s);
            reader.feed_data("789012");
            QASYNCIO_COMPARE(co_await waiting, "123456789012");
            QASYNCIO_COMPARE(source.log.join(u' '), u"pause resume pause resume"_s);
            reader.set_transport(nullptr);
        });
    }

    //
    void aReadThatIsCancelledOrTimedOutLosesNothing()
    {
        Test::run([&]() -> Coroutine<> {
            StreamReader reader;
            reader.feed_data("abc");
            QASYNCIO_COMPARE(co_await error_of(wait_for(reader.readexactly(5), 1s)),
                             u"TimeoutError"_s);
            QASYNCIO_COMPARE(co_await error_of(wait_for(reader.readline(), 1s)), u"TimeoutError"_s);
            QASYNCIO_COMPARE(co_await error_of(wait_for(reader.read(), 1s)), u"TimeoutError"_s);
            Task<QByteArray> cancelled = create_task(reader.readuntil(";"));
            co_await turns(1);
            reader.feed_data("de;");
            cancelled.cancel(); // it was woken already
            QASYNCIO_COMPARE(co_await error_of(cancelled), u"CancelledError"_s);
            QASYNCIO_COMPARE(co_await reader.readuntil(";"), "abcde;");
        });
    }

    //
    void whatIsFedAfterTheEndIsRefused()
    {
        StreamReader reader;
        reader.feed_data("");
        QCOMPARE(reader.at_eof(), false);
        reader.feed_eof();
        reader.feed_eof();
        QCOMPARE(reader.at_eof(), true);
        QCOMPARE(error_in([&] { reader.feed_data("x"); }),
                 u"RuntimeError: feed_data after feed_eof"_s);
    }

    //
    void feedingNothingWakesNobody()
    {
        Test::run([&]() -> Coroutine<> {
            StreamReader reader;
            Task<QByteArray> waiting = create_task(reader.read(1));
            co_await turns(1);
            reader.feed_data("");
            co_await turns(3);
            QASYNCIO_COMPARE(waiting.done(), false);
            reader.feed_eof();
            QASYNCIO_COMPARE(co_await waiting, "");
        });
    }

    //
    void itsLinesAreAGenerator()
    {
        Test::run([&]() -> Coroutine<> {
            const auto reader = reader_of("one\n\nthree");
            auto lines = reader->lines();
            QByteArrayList all;
            while (auto line = co_await lines.next())
                all << *line;
            QASYNCIO_COMPARE(all, (QByteArrayList{"one\n", "\n", "three"}));
        });
    }

    void aReaderThatDiesEndsTheWait()
    {
        Test::run([&]() -> Coroutine<> {
            auto reader = std::make_unique<StreamReader>();
            Task<QString> waiting = create_task(error_of(reader->readline()));
            Coroutine<QString> later = error_of(reader->read(1));
            co_await turns(1);
            reader.reset();
            const QString text =
                u"RuntimeError: The StreamReader was destroyed while a task was reading"_s;
            QASYNCIO_COMPARE(co_await waiting, text);
            QASYNCIO_COMPARE(co_await std::move(later), text);
        });
    }

    void anObjectDiesWithItsReaderBeforeItsTask()
    {
        Test::run([&]() -> Coroutine<> {
            struct Window : QObject
            {
                StreamReader reader;
            };
            auto window = std::make_unique<Window>();
            create_task(window->reader.readline(), TaskOptions().context(window.get()));
            co_await turns(1);
            window.reset(); // nobody is told of an exception
            co_await turns(2);
        });
    }

    void itsTextTellsWhatItHas()
    {
        StreamReader reader(10);
        reader.feed_data("abc");
        reader.feed_eof();
        reader.set_exception(std::make_exception_ptr(ValueError(u"no"_s)));
        QCOMPARE(reader.to_string(),
                 u"<StreamReader 3 bytes eof limit=10 exception=ValueError: no>"_s);
    }

    void aMegabyteInLines()
    {
        Test::run([&]() -> Coroutine<> {
            StreamReader reader;
            const QByteArray line = QByteArray(99, 'x') + '\n';
            for (int i = 0; i < 10'000; ++i)
                reader.feed_data(line);
            reader.feed_eof();
            auto lines = reader.lines();
            int count = 0;
            while (auto next = co_await lines.next()) {
                QASYNCIO_COMPARE(next->size(), 100);
                ++count;
            }
            QASYNCIO_COMPARE(count, 10'000);
        });
    }

    //
    void ofTwoSeparatorsThatEndTogetherTheShorterOneIsMeasured()
    {
        Test::run([&]() -> Coroutine<> {
            StreamReader reader(3);
            reader.feed_data("some dataA");
            const QByteArrayList separators{"ome dataA", "A"};
            QASYNCIO_COMPARE(
                co_await error_of(reader.readuntil(separators)),
                u"LimitOverrunError: Separator is found, but chunk is longer than limit"_s);
            QASYNCIO_COMPARE(co_await reader.read(100), "some dataA");
        });
    }

    //
    void aSeparatorMayBeLongerThanWhatHasCome()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            StreamReader reader;
            reader.feed_data("data");
            loop.call_soon([&] { reader.feed_data("Z"); });
            loop.call_soon([&] { reader.feed_data("Aaaa"); });
            const QByteArrayList separators{"A", "long sep"};
            QASYNCIO_COMPARE(co_await reader.readuntil(separators), "dataZA");
            QASYNCIO_COMPARE(co_await reader.read(100), "aaa");
        });
    }

    //
    void aLineThatGrowsTooLongIsDroppedWhenItIsThere()
    {
        Test::run([&](QAsyncioLoop &loop) -> Coroutine<> {
            const QString text =
                u"ValueError: Separator is found, but chunk is longer than limit"_s;
            StreamReader reader(7);
            loop.call_soon([&] {
                reader.feed_data("chunk1");
                reader.feed_data("chunk2\n");
                reader.feed_data("chunk3\n");
                reader.feed_eof();
            });
            QASYNCIO_COMPARE(co_await error_of(reader.readline()), text);
            QASYNCIO_COMPARE(co_await reader.readline(), "chunk3\n");
            QASYNCIO_COMPARE(reader.at_eof(), true);
        });
    }

    //
    void anExceptionAfterACancellationHarmsNobody()
    {
        Test::run([&]() -> Coroutine<> {
            StreamReader reader;
            Task<QByteArray> reading = create_task(reader.readline());
            co_await turns(1);
            reading.cancel();
            reader.set_exception(std::make_exception_ptr(RuntimeError(u"reset"_s)));
            QASYNCIO_COMPARE(co_await error_of(reading), u"CancelledError"_s);
            QASYNCIO_COMPARE(co_await error_of(reader.readline()), u"RuntimeError: reset"_s);
        });
    }

    void anErrorThatComesWithTooFewDataEndsTheWait()
    {
        Test::run([&]() -> Coroutine<> {
            auto reader = std::make_unique<StreamReader>();
            Task<QString> waiting = create_task(error_of(reader->readexactly(10)));
            co_await turns(1);
            reader->feed_data("abc");
            reader->set_exception(std::make_exception_ptr(RuntimeError(u"reset"_s)));
            QASYNCIO_COMPARE(co_await wait_for(waiting, 1s), u"RuntimeError: reset"_s);
            reader = std::make_unique<StreamReader>();
            waiting = create_task(error_of(reader->readexactly(10)));
            co_await turns(1);
            reader->feed_data("abc");
            reader.reset();
            QASYNCIO_COMPARE(
                co_await wait_for(waiting, 1s),
                u"RuntimeError: The StreamReader was destroyed while a task was reading"_s);
        });
    }

    // A source may have data at hand, or find that there is an error, when it is told to go on.
    void aSourceThatAnswersAtOnceWhenItIsResumed_data()
    {
        QTest::addColumn<int>("answer");
        QTest::newRow("data") << 0;
        QTest::newRow("the end") << 1;
        QTest::newRow("an error") << 2;
        QTest::newRow("the reader goes") << 3;
    }
    void aSourceThatAnswersAtOnceWhenItIsResumed()
    {
        QFETCH(int, answer);
        struct Eager final : ReadTransport
        {
            void pause_reading() override { }
            void resume_reading() override { at_resume(); }
            std::function<void()> at_resume;
        };
        Test::run([&]() -> Coroutine<> {
            auto reader = std::make_unique<StreamReader>(2);
            Eager source;
            source.at_resume = [&] {
                switch (answer) {
                case 0:
                    return reader->feed_data("6789");
                case 1:
                    return reader->feed_eof();
                case 2:
                    return reader->set_exception(std::make_exception_ptr(ValueError(u"no"_s)));
                case 3:
                    return reader.reset();
                }
            };
            reader->set_transport(&source);
            reader->feed_data("12345");
            const QString expected[] = {
                QString(), u"IncompleteReadError: 5 bytes read on a total of 8 expected bytes"_s,
                u"ValueError: no"_s,
                u"RuntimeError: The StreamReader was destroyed while a task was reading"_s};
            QASYNCIO_COMPARE(co_await wait_for(error_of(reader->readexactly(8)), 1s),
                             expected[answer]);
        });
    }

    void aSeparatorIsFoundThoughAnotherTaskHasReadMeanwhile()
    {
        Test::run([&]() -> Coroutine<> {
            StreamReader reader;
            reader.feed_data("abcdef");
            Task<QByteArray> waiting = create_task(reader.readline());
            co_await turns(1);
            reader.feed_data("gh\n");
            QASYNCIO_COMPARE(co_await reader.read(6), "abcdef");
            QASYNCIO_COMPARE(co_await wait_for(waiting, 1s), "gh\n");
        });
    }

    //
    void withTheLargestLimitNothingPauses()
    {
        Source source;
        StreamReader reader(std::numeric_limits<qsizetype>::max());
        reader.set_transport(&source);
        reader.feed_data("data");
        QCOMPARE(source.log.isEmpty(), true);
    }
};

QTEST_GUILESS_MAIN(tst_stream_reader)
#include "tst_stream_reader.moc"
