// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "loop/loop_p.h"
#include "task_helpers.h"

#include <QtCore/qabstracteventdispatcher.h>
#include <QtCore/qrandom.h>
#include <QtCore/qtimer.h>

#include <algorithm>
#include <ratio>

using namespace std::chrono;

namespace {

__extension__ using Wide = __int128;

constexpr auto most = nanoseconds::max().count();
constexpr auto least = nanoseconds::min().count();

/// Whether `ns` is `count * numerator / denominator`, rounded up, or the end of the range that this
/// is beyond. All products must fit into 128 bits.
bool is_ceiling(Wide count, Wide numerator, Wide denominator, nanoseconds::rep ns)
{
    const Wide exact = count * numerator; // in parts
    if (exact > Wide(most) * denominator)
        return ns == most;
    if (exact <= Wide(least) * denominator)
        return ns == least;
    return exact <= Wide(ns) * denominator && exact > (Wide(ns) - 1) * denominator;
}

template<class Rep>
Rep random_count(QRandomGenerator &random)
{
    const quint64 bits = random.generate64() >> random.bounded(64); // of all sizes
    return Rep(random.bounded(2) ? bits : quint64(0) - bits);
}

template<class Rep, class Period>
void check_integers()
{
    constexpr Wide common = std::gcd(std::intmax_t(1'000'000'000), Period::den);
    constexpr Wide numerator = Wide(Period::num) * (1'000'000'000 / common);
    constexpr Wide denominator = Period::den / common;
    using Limits = std::numeric_limits<Rep>;
    std::vector<Rep> counts{
        Limits::min(), Limits::max(), Rep(Limits::min() + 1), Rep(Limits::max() - 1), Rep(0),
        Rep(1),        Rep(-1)};
    // Where the range of nanoseconds ends, on both sides.
    for (const Wide edge : {Wide(most), Wide(least)}) {
        for (int step = -2; step <= 2; ++step)
            counts.push_back(Rep(edge * denominator / numerator + step));
    }
    QRandomGenerator random(1);
    for (int i = 0; i < 5000; ++i)
        counts.push_back(random_count<Rep>(random));
    for (const Rep count : counts) {
        const nanoseconds ns = detail::saturated(duration<Rep, Period>(count));
        QVERIFY2(is_ceiling(Wide(count), numerator, denominator, ns.count()),
                 qPrintable(QString("%1 times %2/%3 s: %4")
                                .arg(qint64(count))
                                .arg(Period::num)
                                .arg(Period::den)
                                .arg(ns.count())));
    }
}

template<class Period>
void check_integers_of()
{
    check_integers<qint8, Period>();
    check_integers<quint8, Period>();
    check_integers<short, Period>();
    check_integers<int, Period>();
    check_integers<unsigned, Period>();
    check_integers<qint64, Period>();
    check_integers<quint64, Period>();
}

template<class Rep>
void check_floating()
{
    QRandomGenerator random(2);
    for (int i = 0; i < 20000; ++i) {
        const Rep value = Rep(
            std::ldexp(random.generateDouble() - 0.5, int(random.bounded(80)) - 40));
        const nanoseconds ns = detail::saturated(duration<Rep>(value));
        const long double exact = static_cast<long double>(value) * 1e9L;
        if (exact >= 9.2e18L || exact <= -9.2e18L)
            continue;
        const long double late = static_cast<long double>(ns.count()) - exact;
        const long double digit = std::abs(exact)
            * static_cast<long double>(std::numeric_limits<Rep>::epsilon());
        QVERIFY2(late >= -std::min(digit, 1.0L),
                 qPrintable(QString::number(double(value), 'g', 17)));
        QVERIFY2(late < 1, qPrintable(QString::number(double(value), 'g', 17)));
    }
}

/// A virtual clock that begins at `begin`.
std::shared_ptr<VirtualClock> clock_at(TimePoint begin)
{
    auto clock = std::make_shared<VirtualClock>();
    clock->move(detail::time_between(clock->now(), begin));
    clock->move(detail::time_between(clock->now(), begin)); // the rest, if that was too far
    return clock;
}

/// The system's clock, as if it had begun at `begin`.
class ShiftedClock : public Clock
{
public:
    explicit ShiftedClock(TimePoint begin) : m_begin(begin) { }
    TimePoint now() override { return m_begin + (steady_clock::now() - m_real_begin); }

private:
    const TimePoint m_begin;
    const steady_clock::time_point m_real_begin = steady_clock::now();
};

const std::vector<TimePoint> &moments()
{
    static const std::vector<TimePoint> all{
        TimePoint::min(), TimePoint::min() + 1ns, TimePoint(-5s),   TimePoint(-1ns),
        TimePoint(),      TimePoint(1ns),         TimePoint(1000s), TimePoint::max() - 1h};
    return all;
}

using Centuries = duration<int, std::ratio<3'155'760'000>>;
using Ticks1024 = duration<int, std::ratio<1, 1024>>;

} // namespace

/// Durations of every type, moments of every clock: against arithmetic in 128 bits.
class tst_durations : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    // L-060
    void anyIntegerOfAnyPeriodIsRoundedUpAndNeverOverflows()
    {
        check_integers_of<std::nano>();
        check_integers_of<std::micro>();
        check_integers_of<std::milli>();
        check_integers_of<std::ratio<1>>();
        check_integers_of<std::ratio<60>>();
        check_integers_of<std::ratio<3600>>();
        check_integers_of<years::period>();
        check_integers_of<std::ratio<1, 1024>>();
        check_integers_of<std::ratio<1, 32768>>();
        check_integers_of<std::ratio<1, 90000>>();
        check_integers_of<std::ratio<3, 7>>();
        check_integers_of<std::ratio<1001, 30000>>();
        check_integers_of<std::ratio<1, 3'579'545>>();
        check_integers_of<std::pico>();
        check_integers_of<std::femto>();
        check_integers_of<std::ratio<1, INTMAX_MAX>>();
        check_integers_of<std::ratio<2, 6>>(); // not in lowest terms
    }

    void ticksOfAgesAndOfNearlyNothing()
    {
        using Ages = duration<qint64, std::ratio<INTMAX_MAX>>;
        QCOMPARE(detail::saturated(Ages(0)), 0ns);
        for (const qint64 count : {qint64(1), qint64(2), std::numeric_limits<qint64>::max()}) {
            QCOMPARE(detail::saturated(Ages(count)), nanoseconds::max());
            QCOMPARE(detail::saturated(Ages(-count)), nanoseconds::min());
        }
        using Attoseconds = duration<qint64, std::atto>;
        QCOMPARE(detail::saturated(Attoseconds(1)), 1ns);
        QCOMPARE(detail::saturated(Attoseconds(-1)), 0ns);
        QCOMPARE(detail::saturated(Attoseconds(1'000'000'001)), 2ns);
        using Bit = duration<bool>;
        QCOMPARE(detail::saturated(Bit(true)), nanoseconds(1s));
        __extension__ using Huge = duration<__int128, std::ratio<1, 3>>;
        QCOMPARE(detail::saturated(Huge(Wide(1) << 100)), nanoseconds::max());
        QCOMPARE(detail::saturated(Huge(-(Wide(1) << 100))), nanoseconds::min());
        QCOMPARE(detail::saturated(Huge(6)), nanoseconds(2s));
        // 1.5 ns each
        __extension__ using Largest = duration<unsigned __int128, std::ratio<3, 2'000'000'000>>;
        QCOMPARE(detail::saturated(Largest(~Largest::rep(0))), nanoseconds::max());
        QCOMPARE(detail::saturated(Largest(3)), 5ns);
    }

    void aDecimalNumberOfSecondsIsThatNumberOfNanoseconds()
    {
        for (qint64 ms = -5000; ms <= 5000; ++ms)
            QCOMPARE(detail::saturated(duration<double>(double(ms) / 1000)),
                     nanoseconds(milliseconds(ms)));
        for (const qint64 us : {qint64(1), qint64(3), qint64(7), qint64(999'999), qint64(1'000'001),
                                qint64(86'400'000'001)}) {
            QCOMPARE(detail::saturated(duration<double>(double(us) / 1e6)),
                     nanoseconds(microseconds(us)));
            QCOMPARE(detail::saturated(duration<double, std::milli>(double(us) / 1e3)),
                     nanoseconds(microseconds(us)));
        }
        // The number next to 0.1 is another one: it is above by more than half of the last digit.
        QCOMPARE(detail::saturated(duration<double>(std::nextafter(0.1, 1.0))), 100'000'001ns);
    }

    void anyFloatingNumberIsNeverEarlyByMoreThanItsLastDigit()
    {
        check_floating<float>();
        check_floating<double>();
        check_floating<long double>();
        QCOMPARE(detail::saturated(duration<double>(1e-15)), 1ns);
        QCOMPARE(detail::saturated(duration<double>(std::numeric_limits<double>::denorm_min())),
                 1ns);
        QCOMPARE(detail::saturated(duration<double>(-1e-15)), 0ns);
    }

    // L-060
    void infinitiesAndNaN()
    {
        const double infinity = std::numeric_limits<double>::infinity();
        for (const double large : {infinity, std::numeric_limits<double>::max(), 1e300, 9.3e9}) {
            QCOMPARE(detail::saturated(duration<double>(large)), nanoseconds::max());
            QCOMPARE(detail::saturated(duration<double>(-large)), nanoseconds::min());
            QCOMPARE(detail::saturated(duration<float>(float(large))), nanoseconds::max());
        }
        QCOMPARE(detail::saturated(
                     duration<long double, years::period>(std::numeric_limits<long double>::max())),
                 nanoseconds::max());
        QCOMPARE(detail::saturated(duration<double, std::nano>(9223372036854775808.0)),
                 nanoseconds::max());
        QCOMPARE(detail::saturated(duration<double, std::nano>(9223372036854774784.0)),
                 nanoseconds(9223372036854774784));
        QCOMPARE(detail::saturated(duration<double, std::nano>(-9223372036854775808.0)),
                 nanoseconds::min());
        const double nan = std::numeric_limits<double>::quiet_NaN();
        QVERIFY_THROWS_EXCEPTION(ValueError, detail::saturated(duration<double>(nan)));
        QVERIFY_THROWS_EXCEPTION(ValueError,
                                 detail::saturated(duration<float, std::milli>(float(nan))));
    }

    void sumsAndDifferencesStopAtTheEndsOfTheRange()
    {
        std::vector<nanoseconds::rep> all{least, least + 1, least / 2,    -1,       0,
                                          1,     most / 2,  most / 2 + 1, most - 1, most};
        QRandomGenerator random(3);
        for (int i = 0; i < 100; ++i)
            all.push_back(random_count<qint64>(random));
        const auto clamped = [](Wide value) {
            return value > most ? nanoseconds::max()
                : value < least ? nanoseconds::min()
                                : nanoseconds(nanoseconds::rep(value));
        };
        for (const auto a : all) {
            for (const auto b : all) {
                const TimePoint moment{nanoseconds(a)};
                QCOMPARE(detail::deadline(moment, nanoseconds(b)).time_since_epoch(),
                         clamped(Wide(a) + b));
                QCOMPARE(detail::time_between(moment, TimePoint(nanoseconds(b))),
                         clamped(Wide(b) - a));
            }
        }
    }

    void millisecondsOfQtTimers()
    {
        QRandomGenerator random(4);
        std::vector<nanoseconds::rep> all{least,   -1'000'001, -1,        0,   1,
                                          999'999, 1'000'000,  1'000'001, most};
        for (int i = 0; i < 1000; ++i)
            all.push_back(random_count<qint64>(random));
        for (const auto ns : all) {
            const Wide up = ns <= 0 ? Wide(0) : (Wide(ns) + 999'999) / 1'000'000;
            QCOMPARE(detail::timer_milliseconds(nanoseconds(ns)), int(std::min<Wide>(up, INT_MAX)));
        }
    }

    // L-061
    void aClockThatBeginsAnywhere()
    {
        for (const TimePoint begin : moments()) {
            const auto clock = clock_at(begin);
            QCOMPARE(clock->now(), begin);
            QAsyncioLoop loop(LoopOptions().clock(clock));
            QList<int> order;
            const auto body = [](QAsyncioLoop &loop, QList<int> &order) -> Coroutine<> {
                const TimePoint start = loop.time();
                loop.call_later(20ms, [&] { order << 3; });
                loop.call_later(Ticks1024(10), [&] { order << 1; });
                loop.call_later(duration<double>(0.015), [&] { order << 2; });
                loop.call_later(Centuries(-1000), [&] { order << 0; });
                loop.call_later(Centuries(1000), [&] { order << 5; });
                loop.call_at(TimePoint::max(), [&] { order << 5; });
                const TimerHandle past = loop.call_at(TimePoint::min(), [&] { order << 0; });
                QASYNCIO_COMPARE(past.when(), TimePoint::min());
                co_await sleep(duration<float>(1.5f));
                QASYNCIO_COMPARE(loop.time() - start, TimePoint::duration(1500ms));
                order << 4;
            };
            loop.run_until_complete(body(loop, order));
            QCOMPARE(order, QList<int>({0, 0, 1, 2, 3, 4}));
            loop.close();
        }
    }

    void aSleepOnAClockBelowZeroEndsInRealTime_data()
    {
        QTest::addColumn<bool>("precise");
        QTest::addColumn<qint64>("begin");
        for (const bool precise : {false, true}) {
            const char *const timer = precise ? "timerfd" : "Qt timer";
            QTest::addRow("%s, the beginning of all", timer) << precise << qint64(least);
            QTest::addRow("%s, -5 s", timer) << precise << qint64(-5'000'000'000);
            QTest::addRow("%s, -5 ms", timer) << precise << qint64(-5'000'000);
            QTest::addRow("%s, near the end of all", timer)
                << precise << qint64(most - 60'000'000'000);
        }
    }

    // L-061
    void aSleepOnAClockBelowZeroEndsInRealTime()
    {
        QFETCH(bool, precise);
        QFETCH(qint64, begin);
        const auto clock = std::make_shared<ShiftedClock>(TimePoint(nanoseconds(begin)));
        QAsyncioLoop loop(LoopOptions().clock(clock).precise_timers(precise));
        const auto body = [](QAsyncioLoop &loop) -> Coroutine<> {
            const TimePoint start = loop.time();
            const auto real_start = steady_clock::now();
            loop.call_later(Centuries(5), [] { });
            co_await sleep(10ms);
            QASYNCIO_VERIFY(loop.time() - start >= 10ms);
            QASYNCIO_VERIFY(steady_clock::now() - real_start >= 10ms);
        };
        loop.run_until_complete(body(loop));
        loop.close();
    }

    void aDurationOfAnotherPeriodEndsInRealTime()
    {
        QAsyncioLoop loop;
        const auto body = []() -> Coroutine<> {
            const auto start = steady_clock::now();
            co_await sleep(Ticks1024(20));
            co_await sleep(duration<int, std::ratio<1, 32768>>(1));
            co_await sleep(duration<quint64, std::femto>(1));
            co_await sleep(duration<int, std::ratio<3, 700>>(1));
            QASYNCIO_VERIFY(steady_clock::now() - start >= 23ms);
        };
        loop.run_until_complete(body());
        loop.close();
    }

    void deadlinesOfCenturiesAreWaitedForInSteps_data()
    {
        QTest::addColumn<qint64>("seconds");
        QTest::addColumn<int>("interval");
        const int day = 24 * 3600 * 1000;
        QTest::newRow("an hour") << qint64(3600) << 3600 * 1000;
        QTest::newRow("a day and a second") << qint64(24 * 3600 + 1) << day;
        QTest::newRow("25 days, more than an int has milliseconds")
            << qint64(25 * 24 * 3600) << day;
        QTest::newRow("50 days") << qint64(50 * 24 * 3600) << day;
        QTest::newRow("two centuries") << qint64(6'311'520'000) << day;
    }

    // L-006
    void deadlinesOfCenturiesAreWaitedForInSteps()
    {
        QFETCH(qint64, seconds);
        QFETCH(int, interval);
        QAsyncioLoop loop;
        loop.call_later(duration<qint64>(seconds), [] { });
        QObject *const bridge = detail::LoopPrivate::of(loop).bridge.get();
        int armed = -1;
        QTimer::singleShot(5ms, bridge, [&] { // while the loop waits
            const auto timers = QAbstractEventDispatcher::instance()->registeredTimers(bridge);
            if (timers.size() == 1)
                armed = timers.front().interval;
            loop.stop();
        });
        loop.run_forever();
        QVERIFY(armed <= interval && armed > interval - 60'000);
        // nothing wakes Qt between the runs
        QVERIFY(QAbstractEventDispatcher::instance()->registeredTimers(bridge).empty());
        loop.close();
    }

    void everyWaitTakesEveryLimit()
    {
        for (const TimePoint begin : moments()) {
            QAsyncioLoop loop(LoopOptions().clock(clock_at(begin)));
            const auto body = [](QAsyncioLoop &loop) -> Coroutine<> {
                // Long enough for what is there in a second.
                QASYNCIO_COMPARE(co_await wait_for(give(1, 1s), Centuries(1000)), 1);
                QASYNCIO_COMPARE(
                    co_await wait_for(give(2, 1s),
                                      duration<double>(std::numeric_limits<double>::infinity())),
                    2);
                QASYNCIO_COMPARE(
                    co_await wait_for(give(3, 1s), duration<short, std::ratio<1, 1024>>(2000)), 3);
                const auto four = [](Timeout &) { return give(4, 1s); };
                QASYNCIO_COMPARE(co_await timeout(years(5000), four), 4);
                auto futures = futures_of(loop, 1);
                const WaitOptions options = WaitOptions().timeout(
                    duration<unsigned char, std::ratio<1, 7>>(7));
                const auto waited = co_await wait(futures, options);
                QASYNCIO_COMPARE(waited.pending.size(), std::size_t(1));
                // Over at once.
                QASYNCIO_COMPARE(co_await error_of(wait_for(futures[0], Centuries(-1000))),
                                 "TimeoutError"_L1);
                QASYNCIO_COMPARE(co_await error_of(timeout(years(-5000), four)), "TimeoutError"_L1);
                const double nan = std::numeric_limits<double>::quiet_NaN();
                QASYNCIO_THROWS(static_cast<void>(sleep(duration<double>(nan))), ValueError);
                QASYNCIO_THROWS(loop.call_later(duration<double>(nan), [] { }), ValueError);
            };
            loop.run_until_complete(body(loop));
            loop.close();
        }
    }

    // G-043, G-047
    void timeoutsAtTheEndsOfTheRange()
    {
        for (const TimePoint begin : moments()) {
            QAsyncioLoop loop(LoopOptions().clock(clock_at(begin)));
            const auto body = [](QAsyncioLoop &) -> Coroutine<> {
                const auto moved_to_the_end = [](Timeout &scope) -> Coroutine<int> {
                    scope.reschedule(TimePoint::max());
                    co_await sleep(1s);
                    co_return 1;
                };
                QASYNCIO_COMPARE(co_await timeout(100ms, moved_to_the_end), 1);
                const auto moved_to_the_beginning = [](Timeout &scope) -> Coroutine<int> {
                    scope.reschedule(TimePoint::min());
                    co_await sleep(1s);
                    co_return 1;
                };
                QASYNCIO_COMPARE(co_await error_of(timeout(1h, moved_to_the_beginning)),
                                 "TimeoutError"_L1);
                const auto one = [](Timeout &) { return give(1, 1s); };
                QASYNCIO_COMPARE(co_await timeout_at(TimePoint::max(), one), 1);
                QASYNCIO_COMPARE(co_await error_of(timeout_at(TimePoint::min(), one)),
                                 "TimeoutError"_L1);
            };
            loop.run_until_complete(body(loop));
            loop.close();
        }
    }

    void optionsOfAnyDuration()
    {
        const double infinity = std::numeric_limits<double>::infinity();
        const std::vector<LoopOptions> all{
            LoopOptions().time_slice(years(5000)).quit_deadline(years(5000)),
            LoopOptions().time_slice(years(-5000)).quit_deadline(years(-5000)),
            LoopOptions()
                .time_slice(duration<double>(infinity))
                .quit_deadline(duration<double>(-infinity)),
            LoopOptions().time_slice(0s).quit_deadline(Ticks1024(1)),
        };
        for (const LoopOptions &options : all) {
            QVERIFY(!options.to_string().isEmpty());
            QAsyncioLoop loop(options);
            loop.set_debug(true);
            for (const auto slow : {Centuries(1000), Centuries(1), Centuries(100)})
                loop.set_slow_callback_duration(slow);
            int count = 0;
            for (int i = 0; i < 100; ++i)
                loop.call_soon([&] { ++count; });
            loop.run_until_complete(sleeper(1ms));
            QCOMPARE(count, 100);
            loop.run_until_complete(loop.shutdown_default_executor(years(5000)));
            loop.close();
        }
        QVERIFY_THROWS_EXCEPTION(ValueError,
                                 LoopOptions().quit_deadline(duration<double>(std::nan(""))));
    }

    void aVirtualClockMovesByAnything()
    {
        VirtualClock clock;
        const TimePoint begin = clock.now();
        clock.move(Ticks1024(1024));
        QCOMPARE(clock.now() - begin, TimePoint::duration(1s));
        clock.move(Centuries(1000));
        QCOMPARE(clock.now(), TimePoint::max());
        clock.move(1h);
        QCOMPARE(clock.now(), TimePoint::max());
        QVERIFY(clock.to_string().contains("9223372036.855"_L1));
        QVERIFY_THROWS_EXCEPTION(ValueError, clock.move(duration<double>(std::nan(""))));
    }

    void aThreadWaitsForAnyTime()
    {
        LoopThread thread;
        auto future = run_coroutine_threadsafe(give(1, 20ms), thread.loop());
        QCOMPARE(future.result(years(5000)), 1);
        auto late = run_coroutine_threadsafe(give(2, 100ms), thread.loop());
        QVERIFY_THROWS_EXCEPTION(TimeoutError, late.result(years(-5000)));
        QVERIFY_THROWS_EXCEPTION(TimeoutError, late.result(Ticks1024(5)));
        QVERIFY_THROWS_EXCEPTION(ValueError, late.result(duration<double>(std::nan(""))));
        QCOMPARE(late.result(), 2);
    }
};

QTEST_GUILESS_MAIN(tst_durations)
#include "tst_durations.moc"
