// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "task_helpers.h"

#include <QtTest/qabstractitemmodeltester.h>
#include <QtTest/qsignalspy.h>

namespace {

TaskOptions named(const QString &name)
{
    return TaskOptions().name(name);
}

/// The names with their states, a level each: "main waiting, >load ready".
void add_shape(QStringList &lines, const TaskModel &model, const QModelIndex &parent, int level)
{
    for (int row = 0; row < model.rowCount(parent); ++row) {
        const QModelIndex index = model.index(row, 0, parent);
        lines << QString(level, u'>') + index.data(TaskModel::NameRole).toString() + u' '
                + index.data(TaskModel::StateRole).toString();
        add_shape(lines, model, index, level + 1);
    }
}
QStringList shape(const TaskModel &model)
{
    QStringList lines;
    add_shape(lines, model, {}, 0);
    return lines;
}

} // namespace

/// The tasks of a loop as an item model.
class tst_task_model : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void showsTheTree()
    {
        QAsyncioLoop loop(virtual_time());
        TaskModel model(loop);
        const QAbstractItemModelTester tester(&model);
        model.set_interval(0);
        QCOMPARE(shape(model), QStringList());
        const int line = __LINE__ + 1;
        const auto body = []() -> Coroutine<> { co_await sleep(2500ms); };
        Task<> load = loop.create_task(body(), named(u"load"_s));
        const auto wait_for_it = [&]() -> Coroutine<> { co_await load; };
        Task<> main = loop.create_task(wait_for_it(), named(u"main"_s));
        model.refresh();
        QCOMPARE(shape(model), QStringList({u"load new"_s, u"main new"_s}));
        run_once(loop);
        model.refresh();
        QCOMPARE(shape(model), QStringList({u"main waiting"_s, u">load waiting"_s}));

        const QModelIndex main_index = model.index(0, 0);
        const QModelIndex load_index = model.index(0, 0, main_index);
        const QString file = QString::fromUtf8(__FILE__);
        QCOMPARE(load_index.data().toString(), u"load"_s);
        QCOMPARE(load_index.siblingAtColumn(TaskModel::StateColumn).data().toString(),
                 u"waiting"_s);
        QCOMPARE(load_index.siblingAtColumn(TaskModel::WaitsForColumn).data().toString(),
                 u"timer in 2.500 s"_s);
        QCOMPARE(load_index.siblingAtColumn(TaskModel::PlaceColumn).data().toString(),
                 u"%1:%2"_s.arg(file).arg(line));
        QCOMPARE(load_index.siblingAtColumn(TaskModel::FunctionColumn).data().toString(),
                 u"tst_task_model::showsTheTree::<lambda>"_s);
        QCOMPARE(load_index.data(TaskModel::LineRole).toInt(), line);
        QCOMPARE(load_index.data(TaskModel::FileRole).toString(), file);
        QCOMPARE(main_index.data(TaskModel::WaitsForRole).toString(), u"Task 'load'"_s);
        QCOMPARE(model.roleNames().value(TaskModel::WaitsForRole), QByteArray("waitsFor"));
        QCOMPARE(model.headerData(TaskModel::PlaceColumn, Qt::Horizontal).toString(), u"Place"_s);

        main.cancel();
        model.refresh();
        QCOMPARE(shape(model), QStringList({u"main cancelling"_s, u">load cancelling"_s}));
        run_ready(loop);
        model.refresh();
        QCOMPARE(shape(model), QStringList());
        loop.close();
    }

    void aLookChangesOnlyWhatHasChanged()
    {
        QAsyncioLoop loop(virtual_time());
        TaskModel model(loop);
        const QAbstractItemModelTester tester(&model);
        Task<> first = loop.create_task(sleeper(), named(u"first"_s));
        Task<> second = loop.create_task(sleeper(), named(u"second"_s));
        Task<> third = loop.create_task(sleeper(), named(u"third"_s));
        run_once(loop);
        model.refresh();
        const QPersistentModelIndex kept = model.index(1, 0);
        QSignalSpy changed(&model, &QAbstractItemModel::dataChanged);
        QSignalSpy removed(&model, &QAbstractItemModel::rowsRemoved);
        QSignalSpy inserted(&model, &QAbstractItemModel::rowsInserted);
        QSignalSpy reset(&model, &QAbstractItemModel::modelReset);
        model.refresh();
        QCOMPARE(changed.size() + removed.size() + inserted.size(), 0);

        first.cancel();
        run_ready(loop);
        const Task<> fourth = loop.create_task(sleeper(), named(u"fourth"_s));
        second.set_name(u"renamed"_s);
        model.refresh();
        QCOMPARE(shape(model),
                 QStringList({u"renamed waiting"_s, u"third waiting"_s, u"fourth new"_s}));
        QCOMPARE(removed.size(), 1);
        QCOMPARE(inserted.size(), 1);
        QCOMPARE(changed.size(), 1);
        QCOMPARE(reset.size(), 0);
        QVERIFY(kept.isValid());
        QCOMPARE(kept.row(), 0);
        QCOMPARE(kept.data().toString(), u"renamed"_s);

        // a task moves below the one that waits for it
        const auto body = [&]() -> Coroutine<> { co_await third; };
        Task<> waits = loop.create_task(body(), named(u"waits"_s));
        run_ready(loop);
        model.refresh();
        QCOMPARE(shape(model),
                 QStringList({u"renamed waiting"_s, u"fourth waiting"_s, u"waits waiting"_s,
                              u">third waiting"_s}));
        for (AnyTask task : loop.all_tasks())
            task.cancel();
        run_ready(loop);
        model.refresh();
        QCOMPARE(model.rowCount(), 0);
        loop.close();
    }

    void aTaskThatSeveralWaitForIsBelowEach()
    {
        QAsyncioLoop loop(virtual_time());
        TaskModel model(loop);
        const QAbstractItemModelTester tester(&model);
        Task<> deep = loop.create_task(sleeper(), named(u"deep"_s));
        const auto middle_body = [&]() -> Coroutine<> { co_await deep; };
        Task<> middle = loop.create_task(middle_body(), named(u"middle"_s));
        const auto body = [&]() -> Coroutine<> { co_await middle; };
        Task<> one = loop.create_task(body(), named(u"one"_s));
        Task<> other = loop.create_task(body(), named(u"other"_s));
        run_ready(loop);
        model.refresh();
        QCOMPARE(shape(model),
                 QStringList({u"one waiting"_s, u">middle waiting"_s, u">>deep waiting"_s,
                              u"other waiting"_s, u">middle waiting"_s}));
        one.cancel();
        run_ready(loop);
        model.refresh();
        QCOMPARE(model.rowCount(), 0);
        static_cast<void>(other);
        loop.close();
    }

    void aChainOfAnyLengthIsCut()
    {
        QAsyncioLoop loop(virtual_time());
        Future<> future = loop.create_future<>();
        const auto first = [](Future<> awaited) -> Coroutine<> { co_await awaited; };
        Task<> last = loop.create_task(first(future));
        for (int i = 0; i < 300; ++i) {
            const auto body = [](Task<> next) -> Coroutine<> { co_await next; };
            last = loop.create_task(body(last));
        }
        run_once(loop);
        const TaskModel model(loop);
        int levels = 0;
        for (QModelIndex index = model.index(0, 0); index.isValid();
             index = model.index(0, 0, index))
            ++levels;
        QCOMPARE(levels, 100);
        future.set_result();
        loop.run_until_complete(last);
        loop.close();
    }

    void looksByItselfAndOutlivesTheLoop()
    {
        auto loop = std::make_unique<QAsyncioLoop>(virtual_time());
        TaskModel model(*loop);
        QSignalSpy intervals(&model, &TaskModel::intervalChanged);
        model.set_interval(1);
        model.set_interval(1);
        QCOMPARE(intervals.size(), 1);
        Task<> task = loop->create_task(sleeper());
        QTRY_COMPARE(model.rowCount(), 1);
        task.cancel();
        run_ready(*loop);
        QTRY_COMPARE(model.rowCount(), 0);
        task = loop->create_task(sleeper());
        QTRY_COMPARE(model.rowCount(), 1);
        task.cancel();
        run_ready(*loop);
        loop->close();
        loop.reset();
        QTRY_COMPARE(model.rowCount(), 0);
    }
};

QTEST_GUILESS_MAIN(tst_task_model)
#include "tst_task_model.moc"
