// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "qasyncio/detail/task/task_state.h"

namespace QAsyncio::detail {

class TaskFamily;

/// What tasks end with: a QObject, or a TaskScope. Owns families. Belongs to the loop's thread.
class QASYNCIO_EXPORT TaskOwner
{
public:
    TaskOwner() = default;
    virtual ~TaskOwner();
    Q_DISABLE_COPY_MOVE(TaskOwner)

    /// A family of this owner for a new task: that of `parent`, if it is one of them, else a new one.
    TaskFamily &family_for(TaskStateBase *parent);
    /// The owner dies: all that belongs to it is unwound, the youngest family first. One of which a frame is being executed, at
    /// its next suspension. `why` is for debug mode, which names each task that was not finished.
    void unwind_all(const char *why) noexcept;
    std::vector<Ref<TaskStateBase>> members() const;
    /// Those with a higher number, which no member had at the last set_looked_at().
    std::vector<Ref<TaskStateBase>> members_behind(quint32 number) const;
    void set_looked_at() noexcept;
    /// The loop of its tasks; null if it has none.
    LoopCore *core() const noexcept;
    std::size_t size() const { return m_size; }

protected:
    /// The last task has ended.
    virtual void became_empty() { }
    /// There is one more.
    virtual void has_joined() { }

private:
    friend class TaskFamily;
    void end_families(const char *why);
    void unwind_without_memory();
    TaskFamily *oldest_to_look_at() const;

    TaskFamily *m_oldest = nullptr;
    TaskFamily *m_youngest = nullptr;
    std::size_t m_size = 0; // tasks
    bool m_one_has_grown = false; // of those that are m_looked_at
};

/// A task that was given to an owner, and all that it, and these, have begun: they use each other's locals, and end together.
class QASYNCIO_EXPORT TaskFamily
{
public:
    explicit TaskFamily(TaskOwner &owner);
    Q_DISABLE_COPY_MOVE(TaskFamily)

    void add(TaskStateBase &task);
    /// The last one that leaves deletes the family.
    void remove(TaskStateBase &task);
    bool is_headed_by(const TaskStateBase &task) const { return m_oldest == &task; }
    /// Its owner is gone: what becomes of one of them becomes of all.
    bool is_ending() const { return m_ending || !m_owner; }
    /// The owner neither counts these tasks nor is told of their ends any more. Nothing if that is so already.
    void leave_owner();
    void append_to(std::vector<Ref<TaskStateBase>> &tasks) const;
    /// None of them runs another line.
    void doom() const;
    TaskStateBase *oldest() const { return m_oldest; }
    /// The youngest one that can be unwound now; those on the stack are, when they have left it. Null if there is none.
    TaskStateBase *youngest_to_unwind() const;

private:
    friend class TaskOwner;
    /// As many as there is memory for.
    void try_append_to(std::vector<Ref<TaskStateBase>> &tasks) const noexcept;

    TaskOwner *m_owner;
    TaskFamily *m_older;
    TaskFamily *m_younger = nullptr;
    TaskStateBase *m_oldest = nullptr;
    TaskStateBase *m_youngest = nullptr;
    std::size_t m_size = 0;
    bool m_ending = false;
    bool m_looked_at = false; // and none has joined since
};

} // namespace QAsyncio::detail
