// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/task/task_state.h"

namespace QAsyncio::detail {

class TaskFamily;

/// What tasks end with: a QObject or a TaskScope. Keeps a list of the families of these tasks.
/// Belongs to the loop's thread.
class QASYNCIO_EXPORT TaskOwner
{
public:
    TaskOwner() = default;
    virtual ~TaskOwner();
    Q_DISABLE_COPY_MOVE(TaskOwner)

    /// The family that a new task joins: that of `parent` if it belongs to this owner, otherwise a
    /// new one.
    TaskFamily &family_for(TaskStateBase *parent);
    /// The owner is destroyed: unwinds all of its tasks, the youngest first. If one of them is on
    /// the stack, it and the older ones are unwound when it has left the stack. In debug mode each
    /// unfinished task is reported, with `why` as the reason.
    void unwind_all(const char *why) noexcept;
    std::vector<Ref<TaskStateBase>> members() const;
    /// The members with a number above `number`, which must be the highest one that there was at
    /// the last set_looked_at(): families that have not grown since are skipped.
    std::vector<Ref<TaskStateBase>> members_behind(quint32 number) const;
    void set_looked_at() noexcept;
    /// The loop of its tasks; null if it has none.
    LoopCore *core() const noexcept;
    std::size_t size() const { return m_size; }

protected:
    /// Called when the last task has ended.
    virtual void became_empty() { }
    /// Called when a task has joined.
    virtual void has_joined() { }

private:
    friend class TaskFamily;
    void end_families(const char *why);
    void unwind_without_memory();
    TaskFamily *oldest_to_look_at() const;

    TaskFamily *m_oldest = nullptr;
    TaskFamily *m_youngest = nullptr;
    std::size_t m_size = 0;       // tasks
    bool m_one_has_grown = false; // a family that is m_looked_at has a new member
};

/// A task that was given to an owner, with all tasks that it and its descendants have started. They
/// may use each other's locals, so they end together. Deletes itself when the last of them leaves.
class QASYNCIO_EXPORT TaskFamily
{
public:
    explicit TaskFamily(TaskOwner &owner);
    Q_DISABLE_COPY_MOVE(TaskFamily)

    void add(TaskStateBase &task);
    /// Deletes the family if this was its last task.
    void remove(TaskStateBase &task);
    bool is_headed_by(const TaskStateBase &task) const { return m_oldest == &task; }
    /// The owner is gone or going: if one member is unwound, all are.
    bool is_ending() const { return m_ending || !m_owner; }
    /// From now on the owner neither counts these tasks nor is told when they end. Does nothing the
    /// second time.
    void leave_owner();
    void append_to(std::vector<Ref<TaskStateBase>> &tasks) const;
    /// No member runs another line.
    void doom() const;
    TaskStateBase *oldest() const { return m_oldest; }
    /// The youngest task that can be unwound now, or null. Younger ones that are on the stack are
    /// marked, to be unwound when they leave it.
    TaskStateBase *youngest_to_unwind() const;

private:
    friend class TaskOwner;
    /// Stops when there is no more memory.
    void try_append_to(std::vector<Ref<TaskStateBase>> &tasks) const noexcept;

    TaskOwner *m_owner;
    TaskFamily *m_older;
    TaskFamily *m_younger = nullptr;
    TaskStateBase *m_oldest = nullptr;
    TaskStateBase *m_youngest = nullptr;
    std::size_t m_size = 0;
    bool m_ending = false;
    bool m_looked_at = false; // set_looked_at() was called, and no task has joined since
};

} // namespace QAsyncio::detail
