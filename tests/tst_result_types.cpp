// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtCore/qjsonarray.h>

#include <any>
#include <variant>

namespace {

class NoDefault
{
public:
    explicit NoDefault(int number) : m_number(number) { }
    int number() const { return m_number; }

private:
    int m_number;
};

struct NoAssignment
{
    explicit NoAssignment(int number) : number(number) { }
    const int number;
};

/// Can be moved, and nothing else.
struct Rigid
{
    explicit Rigid(int number) : m_number(new int(number)) { }
    Rigid(Rigid &&other) noexcept : m_number(std::exchange(other.m_number, nullptr)) { }
    ~Rigid() { delete m_number; }
    Rigid &operator=(Rigid &&) = delete;
    int number() const { return m_number ? *m_number : -1; }

private:
    int *m_number;
};

/// As vectors of SIMD are; says so if it lies elsewhere.
template<std::size_t Alignment>
class alignas(Alignment) Aligned
{
public:
    explicit Aligned(int number) : m_number(number) { check(); }
    Aligned(const Aligned &other) : m_number(other.m_number) { check(); }
    Aligned &operator=(const Aligned &) = delete;
    ~Aligned() { check(); }
    int number() const { return m_number; }

private:
    void check() const
    {
        if (reinterpret_cast<std::uintptr_t>(this) % Alignment != 0)
            qFatal("a value that needs an alignment of %zu lies at %p", Alignment,
                   static_cast<const void *>(this));
    }

    int m_number;
};

/// Converts from everything, as a script's value or a signal's argument does.
class Anything
{
public:
    Anything() = default;
    template<class T>
        requires(!std::is_same_v<std::decay_t<T>, Anything>)
    Anything(T &&value) : m_value(std::forward<T>(value))
    { }
    const std::any &value() const { return m_value; }

private:
    std::any m_value;
};

// Sample<T>: a value for each number, and the way back.

template<class T>
struct Sample;

template<>
struct Sample<NoDefault>
{
    static NoDefault make(int n) { return NoDefault(n); }
    static int number(const NoDefault &value) { return value.number(); }
};
template<>
struct Sample<NoAssignment>
{
    static NoAssignment make(int n) { return NoAssignment(n); }
    static int number(const NoAssignment &value) { return value.number; }
};
template<>
struct Sample<std::unique_ptr<int>>
{
    static std::unique_ptr<int> make(int n) { return std::make_unique<int>(n); }
    static int number(const std::unique_ptr<int> &value) { return value ? *value : -1; }
};
template<>
struct Sample<Rigid>
{
    static Rigid make(int n) { return Rigid(n); }
    static int number(const Rigid &value) { return value.number(); }
};
template<std::size_t Alignment>
struct Sample<Aligned<Alignment>>
{
    static Aligned<Alignment> make(int n) { return Aligned<Alignment>(n); }
    static int number(const Aligned<Alignment> &value) { return value.number(); }
};
template<>
struct Sample<std::exception_ptr>
{
    static std::exception_ptr make(int n) { return std::make_exception_ptr(n); }
    static int number(const std::exception_ptr &value)
    {
        try {
            if (value)
                std::rethrow_exception(value);
        } catch (int n) {
            return n;
        } catch (...) {
        }
        return -1;
    }
};
template<class T>
struct Sample<std::optional<T>>
{
    static std::optional<T> make(int n)
    {
        return n == 0 ? std::nullopt : std::optional<T>(Sample<T>::make(n));
    }
    static int number(const std::optional<T> &value)
    {
        return value ? Sample<T>::number(*value) : 0;
    }
};
template<>
struct Sample<int>
{
    static int make(int n) { return n; }
    static int number(int value) { return value; }
};
using Pointers = std::vector<std::unique_ptr<int>>;
template<>
struct Sample<Pointers>
{
    static Pointers make(int n)
    {
        Pointers pointers;
        pointers.push_back(std::make_unique<int>(n));
        return pointers;
    }
    static int number(const Pointers &value) { return value.size() == 1 ? *value[0] : -1; }
};
using PointersOrText = std::variant<QString, Pointers>;
template<>
struct Sample<PointersOrText>
{
    static PointersOrText make(int n) { return Sample<Pointers>::make(n); }
    static int number(const PointersOrText &value)
    {
        return Sample<Pointers>::number(std::get<Pointers>(value));
    }
};
using Variant = std::variant<std::monostate, int, QString, std::exception_ptr>;
template<>
struct Sample<Variant>
{
    static Variant make(int n)
    {
        switch (n) {
        case 0:
            return {};
        case 1:
            return 1;
        case 2:
            return std::make_exception_ptr(2);
        default:
            return QString::number(n);
        }
    }
    static int number(const Variant &value)
    {
        if (const int *n = std::get_if<int>(&value))
            return *n;
        if (const auto *text = std::get_if<QString>(&value))
            return text->toInt();
        return int(value.index()) > 0 ? Sample<std::exception_ptr>::number(std::get<3>(value)) : 0;
    }
};
template<>
struct Sample<bool>
{
    static bool make(int n) { return n % 2; }
    static int number(bool value) { return value; }
};
template<>
struct Sample<std::vector<bool>>
{
    static std::vector<bool> make(int n) { return std::vector<bool>(std::size_t(n), true); }
    static int number(const std::vector<bool> &value) { return int(value.size()); }
};
template<>
struct Sample<std::any>
{
    static std::any make(int n) { return n; }
    static int number(const std::any &value)
    {
        const int *n = std::any_cast<int>(&value);
        return n ? *n : -1;
    }
};
template<>
struct Sample<Anything>
{
    static Anything make(int n) { return n; }
    static int number(const Anything &value) { return Sample<std::any>::number(value.value()); }
};
template<>
struct Sample<QVariantList>
{
    static QVariantList make(int n) { return QVariantList() << n << u"two"_s; }
    static int number(const QVariantList &value)
    {
        return value.size() == 2 ? value[0].toInt() : -1;
    }
};
int numbers[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
template<>
struct Sample<std::reference_wrapper<int>>
{
    static std::reference_wrapper<int> make(int n) { return std::ref(numbers[n]); }
    static int number(const std::reference_wrapper<int> &value) { return value.get(); }
};
template<>
struct Sample<Outcome<int>>
{
    static Outcome<int> make(int n)
    {
        return n == 2 ? Outcome<int>(failed_outcome, std::make_exception_ptr(2)) : Outcome<int>(n);
    }
    static int number(const Outcome<int> &value)
    {
        return value.has_value() ? value.value()
                                 : Sample<std::exception_ptr>::number(value.exception());
    }
};
using Tuple = std::tuple<NoAssignment, std::unique_ptr<int>>;
template<>
struct Sample<Tuple>
{
    static Tuple make(int n) { return Tuple(NoAssignment(n), std::make_unique<int>(n)); }
    static int number(const Tuple &value)
    {
        const auto &[first, second] = value;
        return second && *second == first.number ? first.number : -1;
    }
};

/// Whether a value is the one that make(n) gives.
template<class T>
bool is(const T &value, int n)
{
    return Sample<T>::number(value) == Sample<T>::number(Sample<T>::make(n));
}

template<class T>
T make(int n)
{
    return Sample<T>::make(n);
}

template<class T>
Coroutine<T> give_one(int n, std::chrono::nanoseconds delay = 1ms)
{
    co_await sleep(delay);
    co_return make<T>(n);
}

template<class T>
Coroutine<T> give_at_once(int n)
{
    T value = make<T>(n);
    co_return value;
}

template<class T>
Coroutine<T> fail(std::chrono::nanoseconds delay = 1ms)
{
    co_await sleep(delay);
    throw ValueError(u"no"_s);
}

template<class T>
AsyncGenerator<T> generate(int n)
{
    co_yield make<T>(n);
    co_await sleep(0s);
    T value = make<T>(n + 1);
    co_yield std::move(value);
}

/// Somebody else's awaitable.
template<class T>
struct Foreign
{
    explicit Foreign(int n) : n(n) { }
    bool await_ready() const { return true; }
    void await_suspend(std::coroutine_handle<>) const { }
    T await_resume() const { return make<T>(n); }
    int n;
};

template<class T>
Coroutine<> awaits(QAsyncioLoop &loop)
{
    QASYNCIO_VERIFY(is(co_await give_one<T>(1), 1));
    QASYNCIO_VERIFY(is(co_await give_at_once<T>(2), 2));
    QASYNCIO_VERIFY(is(co_await create_task(give_one<T>(0)), 0));
    QASYNCIO_VERIFY(is(co_await create_task(give_one<T>(1), TaskOptions().eager_start()), 1));
    QASYNCIO_VERIFY(is(co_await ensure_future(give_one<T>(1)), 1));
    QASYNCIO_VERIFY(is(co_await sleep(1ms, make<T>(2)), 2));
    QASYNCIO_VERIFY(is(co_await Foreign<T>(1), 1));
    QASYNCIO_VERIFY(is(co_await ensure_future(Foreign<T>(2)), 2));

    Future<T> future = loop.create_future<T>();
    future.set_result(make<T>(1));
    QASYNCIO_VERIFY(is(co_await std::move(future), 1));
    Future<T> later = loop.create_future<T>();
    loop.call_soon([later]() mutable { later.set_result(make<T>(2)); });
    const T value = co_await later;
    QASYNCIO_VERIFY(is(value, 2));
    Future<T> failing = loop.create_future<T>();
    failing.set_exception(std::make_exception_ptr(ValueError(u"no"_s)));
    QASYNCIO_COMPARE(co_await error_of(failing), u"ValueError: no"_s);
    QASYNCIO_VERIFY(failing.exception());
}

template<class T>
Coroutine<> gathers(QAsyncioLoop &)
{
    auto both = co_await gather(give_one<T>(1), give_one<T>(2));
    QASYNCIO_VERIFY(is<T>(std::get<0>(both), 1) && is<T>(std::get<1>(both), 2));
    const auto single = co_await gather(give_one<T>(1));
    QASYNCIO_VERIFY(is<T>(std::get<0>(single), 1));
    std::vector<Coroutine<T>> many;
    many.push_back(give_one<T>(0));
    many.push_back(give_one<T>(1));
    const std::vector<T> all = co_await gather(std::move(many));
    QASYNCIO_VERIFY(is<T>(all[0], 0) && is<T>(all[1], 1));

    const auto outcomes = co_await gather(return_exceptions, give_one<T>(1), fail<T>());
    QASYNCIO_VERIFY(is<T>(std::get<0>(outcomes).value(), 1) && !std::get<1>(outcomes).has_value());
    QASYNCIO_COMPARE(describe(std::get<1>(outcomes).exception()), u"ValueError: no"_s);
    std::vector<Coroutine<T>> mixed;
    mixed.push_back(fail<T>());
    mixed.push_back(give_one<T>(2));
    const std::vector<Outcome<T>> kept = co_await gather(return_exceptions, std::move(mixed));
    QASYNCIO_VERIFY(!kept[0].has_value() && kept[0].exception() && is<T>(kept[1].value(), 2)
                    && !kept[1].exception());
    QASYNCIO_COMPARE(co_await error_of(gather(give_one<T>(1, 0s), fail<T>())), u"ValueError: no"_s);
}

template<class T>
Coroutine<> races(QAsyncioLoop &)
{
    const auto first = co_await race(give_one<T>(1), give_one<T>(2, 1h));
    QASYNCIO_VERIFY(first.index() == 0 && is<T>(std::get<0>(first), 1));
    const auto second = co_await race(sleep(1h), give_one<T>(2));
    QASYNCIO_VERIFY(second.index() == 1 && is<T>(std::get<1>(second), 2));
    std::vector<Coroutine<T>> many;
    many.push_back(give_one<T>(1, 1h));
    many.push_back(give_one<T>(2));
    const auto won = co_await race(std::move(many));
    QASYNCIO_VERIFY(won.index == 1 && is<T>(won.value, 2));
    QASYNCIO_COMPARE(co_await error_of(race(give_one<T>(1, 1h), fail<T>())), u"ValueError: no"_s);
}

template<class T>
Coroutine<> waits(QAsyncioLoop &)
{
    QASYNCIO_VERIFY(is(co_await wait_for(give_one<T>(1), 1s), 1));
    QASYNCIO_VERIFY(is(co_await wait_for(create_task(give_one<T>(2)), std::nullopt), 2));
    QASYNCIO_COMPARE(co_await error_of(wait_for(give_one<T>(1, 1h), 1s)), u"TimeoutError"_s);
    QASYNCIO_COMPARE(co_await error_of(wait_for(give_one<T>(1, 1h), 0s)), u"TimeoutError"_s);
    const auto body = [](Timeout &) { return give_one<T>(1); };
    QASYNCIO_VERIFY(is(co_await timeout(1s, body), 1));
    QASYNCIO_VERIFY(is(co_await shield(give_one<T>(2)), 2));
    QASYNCIO_COMPARE(co_await error_of(shield(fail<T>())), u"ValueError: no"_s);

    std::vector<Task<T>> tasks;
    tasks.push_back(create_task(give_one<T>(1)));
    tasks.push_back(create_task(give_one<T>(2, 1h)));
    const WaitOptions options = WaitOptions().return_when(ReturnWhen::FirstCompleted);
    auto waited = co_await wait(tasks, options);
    QASYNCIO_VERIFY(waited.done.size() == 1 && is(waited.done[0].result(), 1));
    tasks[1].cancel();

    std::vector<Coroutine<T>> some;
    some.push_back(give_one<T>(1, 2ms));
    some.push_back(give_one<T>(2, 1ms));
    auto completed = as_completed(std::move(some));
    const auto next = co_await completed.next();
    QASYNCIO_VERIFY(is(co_await Future<T>(*next), 2));
    for (auto awaitable : completed)
        QASYNCIO_VERIFY(is(co_await std::move(awaitable), 1));
}

template<class T>
Coroutine<> scopes(QAsyncioLoop &)
{
    const auto body = [](TaskGroup &group) -> Coroutine<T> {
        Task<T> child = group.create_task(give_one<T>(1));
        T value = co_await std::move(child);
        co_return value;
    };
    QASYNCIO_VERIFY(is(co_await task_group(body), 1));
    const auto work = [] { return give_one<T>(2); };
    const auto clean_up = []() -> Coroutine<> { co_await sleep(0s); };
    QASYNCIO_VERIFY(is(co_await finally(work, clean_up), 2));

    auto values = generate<T>(1);
    const std::optional<T> one = co_await values.next();
    QASYNCIO_VERIFY(one && is<T>(*one, 1));
    const std::optional<T> two = co_await values.next();
    QASYNCIO_VERIFY(two && is<T>(*two, 2));
    const std::optional<T> none = co_await values.next();
    QASYNCIO_VERIFY(!none.has_value());
}

template<class T>
Coroutine<> threads(QAsyncioLoop &loop)
{
    QASYNCIO_VERIFY(is(co_await to_thread(make<T>, 1), 1));
    QASYNCIO_VERIFY(is(co_await loop.run_in_executor(nullptr, make<T>, 2), 2));
    const auto failing = []() -> T { throw ValueError(u"no"_s); };
    QASYNCIO_COMPARE(co_await error_of(to_thread(failing)), u"ValueError: no"_s);
    const auto hand_on = [](T value) { return value; };
    QASYNCIO_VERIFY(is(co_await to_thread(hand_on, make<T>(1)), 1));

    LoopThread worker;
    QASYNCIO_VERIFY(is(co_await on_loop(worker.loop(), give_one<T>, 1, 0ns), 1));
    QASYNCIO_COMPARE(co_await error_of(on_loop(worker.loop(), fail<T>, 0ns)), u"ValueError: no"_s);
    auto concurrent = run_coroutine_threadsafe(give_one<T>(2), worker.loop());
    QASYNCIO_VERIFY(is(concurrent.result(), 2));
    QASYNCIO_VERIFY(!concurrent.exception());
    auto failed = run_coroutine_threadsafe(fail<T>(), worker.loop());
    QASYNCIO_COMPARE(describe(failed.exception()), u"ValueError: no"_s);
}

template<class T>
void through_everything()
{
    for (const auto part : {awaits<T>, gathers<T>, races<T>, waits<T>, scopes<T>, threads<T>})
        Test::run(part);
}

template<class T>
void in_a_context_variable()
{
    ContextVar<T> variable(u"variable"_s);
    ContextVar<T> with_default(u"with default"_s, make<T>(2));
    Context().run([&] {
        QVERIFY(is(with_default.get(), 2));
        QVERIFY(is(variable.get(make<T>(1)), 1));
        QVERIFY_THROWS_EXCEPTION(LookupError, variable.get());
        Token<T> first = variable.set(make<T>(1));
        QVERIFY(!first.old_value());
        Token<T> second = variable.set(make<T>(2));
        QVERIFY(second.old_value() && is<T>(*second.old_value(), 1));
        QVERIFY(is(variable.get(), 2));
        QVERIFY(is(variable.get(make<T>(0)), 2));
        variable.reset(second);
        QVERIFY(is(variable.get(), 1));
        variable.reset(first);
        QVERIFY_THROWS_EXCEPTION(LookupError, variable.get());
    });
}

class Sender : public QObject
{
    Q_OBJECT

public:
    template<class T>
    static auto signal()
    {
        return qOverload<const T &>(&Sender::emitted);
    }

Q_SIGNALS:
    void emitted(const NoDefault &value);
    void emitted(const NoAssignment &value);
    void emitted(const std::exception_ptr &value);
    void emitted(const std::optional<int> &value);
    void emitted(const Aligned<64> &value);
    void emitted(const Variant &value);
    void emitted(const bool &value);
    void emitted(const std::vector<bool> &value);
    void emitted(const std::any &value);
    void emitted(const QVariantList &value);
};

template<class T>
Coroutine<> signal_results(QAsyncioLoop &loop)
{
    Sender sender;
    auto stream = signal_stream(&sender, Sender::signal<T>());
    loop.call_soon([&] { (sender.*Sender::signal<T>())(make<T>(1)); });
    QASYNCIO_VERIFY(is<T>(co_await from_signal(&sender, Sender::signal<T>()), 1));
    const std::optional<T> value = co_await stream.next();
    QASYNCIO_VERIFY(value && is<T>(*value, 1));

    auto future = from_signal(&sender, Sender::signal<T>());
    const auto emit_elsewhere = [&sender] { (sender.*Sender::signal<T>())(make<T>(2)); };
    co_await to_thread(emit_elsewhere);
    QASYNCIO_VERIFY(is<T>(co_await std::move(future), 2));
    const std::optional<T> other = co_await stream.next();
    QASYNCIO_VERIFY(other && is<T>(*other, 2));
}

template<class T>
void by_signals()
{
    Test::run(signal_results<T>);
}

} // namespace

/// Values of every kind of type, through every function that has a result.
class tst_result_types : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void withoutADefaultConstructor()
    {
        through_everything<NoDefault>();
        in_a_context_variable<NoDefault>();
        by_signals<NoDefault>();
    }

    void withoutAssignment()
    {
        through_everything<NoAssignment>();
        in_a_context_variable<NoAssignment>();
        by_signals<NoAssignment>();
    }

    void movedOnly() { through_everything<std::unique_ptr<int>>(); }

    void movedOnlyWithoutAssignmentAndDefault() { through_everything<Rigid>(); }

    void ofHighAlignment()
    {
        through_everything<Aligned<64>>();
        in_a_context_variable<Aligned<64>>();
        by_signals<Aligned<64>>();
        Test::run(awaits<Aligned<1024>>);
        Test::run(scopes<Aligned<1024>>);
    }

    void exceptionPointers()
    {
        through_everything<std::exception_ptr>();
        in_a_context_variable<std::exception_ptr>();
        by_signals<std::exception_ptr>();
    }

    void optionals()
    {
        through_everything<std::optional<int>>();
        in_a_context_variable<std::optional<int>>();
        by_signals<std::optional<int>>();
    }

    void optionalsOfWhatIsMovedOnly() { through_everything<std::optional<Rigid>>(); }

    // std::is_copy_constructible says so of a vector of std::unique_ptr, and of all that has one
    // inside.
    void whatOnlySaysThatItCanBeCopied()
    {
        Test::run(awaits<std::optional<Pointers>>);
        Test::run(threads<std::optional<Pointers>>);
        Test::run(awaits<PointersOrText>);
        Test::run(scopes<PointersOrText>);
    }

    void variants()
    {
        through_everything<Variant>();
        in_a_context_variable<Variant>();
        by_signals<Variant>();
    }

    void booleans()
    {
        through_everything<bool>();
        in_a_context_variable<bool>();
        by_signals<bool>();
    }

    void vectorsOfBooleans()
    {
        through_everything<std::vector<bool>>();
        in_a_context_variable<std::vector<bool>>();
        by_signals<std::vector<bool>>();
    }

    void any()
    {
        through_everything<std::any>();
        in_a_context_variable<std::any>();
        by_signals<std::any>();
    }

    // G-006
    void outcomesOfAnyAreCopied()
    {
        Test::run([](QAsyncioLoop &) -> Coroutine<> {
            const auto both = gather(return_exceptions, give_one<std::any>(1), fail<std::any>());
            for (int i = 0; i < 2; ++i) { // the first time must leave it as it is
                const auto [value, failure] = co_await both;
                QASYNCIO_VERIFY(value.has_value() && is(value.value(), 1));
                QASYNCIO_COMPARE(describe(failure.exception()), u"ValueError: no"_s);
            }
        });
        const Outcome<std::any> value(3);
        const Outcome<std::any> copy = value;
        QVERIFY(copy.has_value() && is(copy.value(), 3));
        const Outcome<std::any> empty(std::in_place);
        QVERIFY(empty.has_value() && !empty.value().has_value());
    }

    void whatIsMadeOfAnything()
    {
        through_everything<Anything>();
        in_a_context_variable<Anything>();
    }

    void listsOfVariants()
    {
        through_everything<QVariantList>();
        in_a_context_variable<QVariantList>();
        by_signals<QVariantList>();
    }

    void referenceWrappers()
    {
        through_everything<std::reference_wrapper<int>>();
        in_a_context_variable<std::reference_wrapper<int>>();
    }

    void outcomes()
    {
        through_everything<Outcome<int>>();
        in_a_context_variable<Outcome<int>>();
    }

    void tuples() { through_everything<Tuple>(); }

    void futures()
    {
        Test::run([](QAsyncioLoop &) -> Coroutine<> {
            const auto begin = []() -> Coroutine<Task<int>> { co_return create_task(give(5)); };
            Task<int> task = co_await begin();
            QASYNCIO_COMPARE(co_await std::move(task), 5);
            const auto later = []() -> Coroutine<Coroutine<int>> { co_return give(6); };
            Coroutine<int> coroutine = co_await create_task(later());
            QASYNCIO_COMPARE(co_await std::move(coroutine), 6);
        });
    }


    void aBracedResult()
    {
        Test::run([](QAsyncioLoop &) -> Coroutine<> {
            const auto list = []() -> Coroutine<std::vector<int>> { co_return {}; };
            QASYNCIO_VERIFY((co_await list()).empty());
            const auto no_exception = []() -> Coroutine<std::exception_ptr> { co_return {}; };
            QASYNCIO_VERIFY(!co_await no_exception());
            const auto nothing = []() -> Coroutine<std::optional<Rigid>> {
                co_return std::nullopt;
            };
            QASYNCIO_VERIFY(!(co_await nothing()).has_value());
            const auto pairs = []() -> AsyncGenerator<std::pair<int, double>> {
                co_yield {1, 2.5};
            };
            auto generator = pairs();
            const auto pair = co_await generator.next();
            QASYNCIO_VERIFY(pair && pair->second > 2);
            co_await generator.aclose();
        });
    }

    // G-006
    void anOutcomeOfAnExceptionIsAValueUnlessItIsSaidToHaveFailed()
    {
        const auto exception = std::make_exception_ptr(7);
        const Outcome<std::exception_ptr> value(exception);
        QVERIFY(value.has_value() && value.value() == exception && !value.exception());
        const Outcome<std::exception_ptr> made(std::in_place, exception);
        QVERIFY(made.has_value() && made.value() == exception);
        const Outcome<std::exception_ptr> failed(failed_outcome, exception);
        QVERIFY(!failed.has_value() && failed.exception() == exception);
        QVERIFY_THROWS_EXCEPTION(int, failed.value());
        const Outcome<int> other(exception);
        QVERIFY(!other.has_value() && other.exception() == exception);
        const Outcome<std::any> any(exception); // not a value, although that could be made of it
        QVERIFY(!any.has_value());
        const Outcome<> nothing(std::in_place);
        QVERIFY(nothing.has_value());
    }

    void anEmptyOptionalIsAValueOfAStream()
    {
        Test::run([](QAsyncioLoop &) -> Coroutine<> {
            Sender sender;
            auto stream = signal_stream(&sender, Sender::signal<std::optional<int>>());
            Q_EMIT sender.emitted(std::optional<int>());
            const auto value = co_await stream.next();
            QASYNCIO_VERIFY(value.has_value() && !value->has_value());
        });
    }
};

QTEST_GUILESS_MAIN(tst_result_types)
#include "tst_result_types.moc"
