// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtTest/qtest.h>

#include <stdexcept>

namespace {
template<class E>
std::exception_ptr make(const char *text)
{
    return std::make_exception_ptr(E(QString::fromLatin1(text)));
}

QString texts(const std::vector<std::exception_ptr> &exceptions)
{
    QStringList list;
    for (const std::exception_ptr &exception : exceptions)
        list << describe(exception);
    return list.join(u", "_s);
}

QString texts(const std::optional<ExceptionGroup> &group)
{
    return group ? texts(group->exceptions()) : u"none"_s;
}
} // namespace

class tst_exception_group : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void causesAndGroupsOfAnyDepth()
    {
        constexpr int depth = 1'000'000;
        std::exception_ptr cause = std::make_exception_ptr(ValueError(QStringLiteral("first")));
        for (int i = 0; i < depth; ++i)
            cause = std::make_exception_ptr(TimeoutError(QString(), std::move(cause)));
        cause = nullptr;
        std::exception_ptr group = std::make_exception_ptr(ValueError(QStringLiteral("leaf")));
        for (int i = 0; i < depth; ++i) {
            group = std::make_exception_ptr(
                ExceptionGroup(QStringLiteral("group"), {std::move(group)}));
            if (i != depth / 20)
                continue;
            try {
                std::rethrow_exception(group);
            } catch (const ExceptionGroup &outer) {
                QCOMPARE(outer.leaves().size(), std::size_t(1));
                QCOMPARE(describe(outer.leaves().front()), QStringLiteral("ValueError: leaf"));
            }
        }
        group = nullptr;
    }

    void anErrorThatIsAssignedHasTheCauseOfTheOther()
    {
        ValueError error(u"one"_s, make<TypeError>("cause of one"));
        const ValueError other(u"other"_s, make<TypeError>("cause of the other"));
        error = other;
        QCOMPARE(error.message(), u"other"_s);
        QCOMPARE(describe(error.cause()), u"TypeError: cause of the other"_s);
        error = ValueError(u"none"_s);
        QVERIFY(!error.cause());
        QVERIFY(other.cause());
    }

    void tellsItsMembersAndTheirNumber()
    {
        const ExceptionGroup group(u"several"_s, {make<ValueError>("a"), make<TypeError>("b")});
        QCOMPARE(group.message(), u"several"_s);
        QCOMPARE(group.what(), "several (2 sub-exceptions)");
        QCOMPARE(texts(group.exceptions()), u"ValueError: a, TypeError: b"_s);
        QCOMPARE(ExceptionGroup(u"one"_s, {make<ValueError>("a")}).what(), "one (1 sub-exception)");
    }

    void refusesNothingAndNull()
    {
        QCOMPARE(error_in([] { return ExceptionGroup(u"x"_s, {}); }),
                 u"ValueError: an ExceptionGroup needs at least one exception"_s);
        QCOMPARE(error_in([] { return ExceptionGroup(u"x"_s, {nullptr}); }),
                 u"ValueError: an ExceptionGroup cannot hold a null exception"_s);
    }

    void splitsByTypeAndKeepsTheStructure()
    {
        const ExceptionGroup inner(u"inner"_s, {make<TypeError>("c"), make<ValueError>("d")});
        const ExceptionGroup group(
            u"outer"_s,
            {make<ValueError>("a"), make<RuntimeError>("b"), std::make_exception_ptr(inner)});
        const auto [matching, rest] = group.split<ValueError>();
        QCOMPARE(texts(matching), u"ValueError: a, ExceptionGroup: inner (1 sub-exception)"_s);
        QCOMPARE(texts(matching->leaves()), u"ValueError: a, ValueError: d"_s);
        QCOMPARE(texts(rest->leaves()), u"RuntimeError: b, TypeError: c"_s);
        for (const ExceptionGroup &half : {*matching, *rest}) {
            QCOMPARE(half.message(), u"outer"_s);
            QCOMPARE(error_in([&] { std::rethrow_exception(half.exceptions().back()); }),
                     u"ExceptionGroup: inner (1 sub-exception)"_s);
        }
        QCOMPARE(texts(group.leaves()),
                 u"ValueError: a, RuntimeError: b, TypeError: c, ValueError: d"_s);
    }

    void aHalfWithoutExceptionsIsNone()
    {
        const ExceptionGroup group(u"g"_s, {make<ValueError>("a")});
        QVERIFY(!group.split<ValueError>().second);
        QVERIFY(!group.split<TypeError>().first);
        QVERIFY(!group.subgroup<TypeError>());
        QCOMPARE(texts(group.subgroup<TypeError, ValueError>()), u"ValueError: a"_s);
    }

    void aGroupInAGroupGoesWholeWithItsHalf()
    {
        const auto inner = [](std::exception_ptr one) {
            return std::make_exception_ptr(ExceptionGroup(u"inner"_s, {std::move(one)}));
        };
        const ExceptionGroup group(u"outer"_s,
                                   {inner(make<ValueError>("a")), inner(make<TypeError>("b"))});
        const auto [matching, rest] = group.split<ValueError>();
        QCOMPARE(texts(matching->leaves()), u"ValueError: a"_s);
        QCOMPARE(matching->exceptions().size(), std::size_t(1));
        QCOMPARE(texts(rest->leaves()), u"TypeError: b"_s);
        QCOMPARE(rest->exceptions().size(), std::size_t(1));
    }

    void baseClassesAndForeignExceptionsMatch()
    {
        const ExceptionGroup group(
            u"g"_s,
            {make<ValueError>("a"), std::make_exception_ptr(std::out_of_range("b")),
             std::make_exception_ptr(7), std::make_exception_ptr(CancelledError())});
        QCOMPARE(int(group.subgroup<std::exception>()->exceptions().size()), 2);
        QCOMPARE(int(group.subgroup<Error>()->exceptions().size()), 1);
        QCOMPARE(int(group.subgroup<int>()->exceptions().size()), 1);
        QCOMPARE(texts(group.subgroup<CancelledError>()), u"CancelledError"_s);
    }

    void splitsAtAnyDepth()
    {
        constexpr int depth = 5'000;
        std::exception_ptr nested = make<ValueError>("first");
        for (int i = 0; i < depth; ++i) {
            nested = std::make_exception_ptr(ExceptionGroup(
                u"g"_s, {make<TypeError>("before"), std::move(nested), make<TypeError>("behind")}));
        }
        std::size_t matching = 0, rest = 0, subgroup = 0;
        on_a_small_stack([&] {
            const ExceptionGroup group(u"outermost"_s, {std::exchange(nested, nullptr)});
            const auto halves = group.split<ValueError>();
            matching = halves.first->leaves().size();
            rest = halves.second->leaves().size();
            subgroup = group.subgroup<TypeError>()->leaves().size();
        });
        QCOMPARE(matching, std::size_t(1));
        QCOMPARE(rest, std::size_t(2 * depth));
        QCOMPARE(subgroup, std::size_t(2 * depth));
    }

    void splitAsksFromLeftToRightAndForAGroupBeforeItsMembers()
    {
        const ExceptionGroup inner(u"inner"_s, {make<ValueError>("b"), make<TypeError>("c")});
        const ExceptionGroup group(
            u"outer"_s,
            {make<ValueError>("a"), std::make_exception_ptr(inner), make<TypeError>("d")});
        QStringList asked;
        const auto [matching, rest] = group.split([&](const std::exception_ptr &exception) {
            asked << describe(exception).right(1);
            return asked.last() == u"c"_s;
        });
        QCOMPARE(asked.join(QString()), u"a)bcd"_s); // "inner (2 sub-exceptions)"
        QCOMPARE(texts(matching->leaves()), u"TypeError: c"_s);
        QCOMPARE(texts(rest->leaves()), u"ValueError: a, ValueError: b, TypeError: d"_s);
    }

    void aConditionMayTakeAGroupWhole()
    {
        const ExceptionGroup inner(u"inner"_s, {make<TypeError>("c")});
        const ExceptionGroup group(u"outer"_s,
                                   {make<ValueError>("a"), std::make_exception_ptr(inner)});
        const auto [groups, rest] = group.split<ExceptionGroup>();
        QCOMPARE(texts(groups), u"ExceptionGroup: inner (1 sub-exception)"_s);
        QCOMPARE(texts(rest), u"ValueError: a"_s);
    }
};

QTEST_GUILESS_MAIN(tst_exception_group)
#include "tst_exception_group.moc"
