// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT
#include "qasyncio/detail/task/task_family.h"

#include "base/logging.h"
#include "tasks/object_owner.h"

#include "qasyncio/detail/thread/message.h"

namespace QAsyncio::detail {

namespace {
void report_unfinished(const std::vector<Ref<TaskStateBase>> &tasks, const char *why) noexcept
try {
    for (const Ref<TaskStateBase> &task : tasks)
        qCWarning(logCategory).noquote()
            << "Task is unwound unfinished, since" << why << "is gone:" << task->describe();
} catch (const std::bad_alloc &) {
}
} // namespace

// TaskOwner

TaskOwner::~TaskOwner()
{
    while (m_youngest)
        m_youngest->leave_owner();
}

TaskFamily &TaskOwner::family_for(TaskStateBase *parent)
{
    TaskFamily *family = parent ? parent->family() : nullptr;
    return family && family->m_owner == this ? *family : *new TaskFamily(*this);
}

void TaskOwner::unwind_all(const char *why) noexcept
{
    LoopCore *const loop = core();
    if (!loop)
        return;
    // A destructor may end the loop.
    const LoopPrivate::Activation active(static_cast<LoopPrivate &>(*loop));
    while (m_oldest) { // destructors may add tasks
        end_families(why);
        std::vector<Ref<TaskStateBase>> tasks;
        try {
            tasks = members();
        } catch (const std::bad_alloc &) {
            unwind_without_memory();
            continue;
        }
        TaskStateBase::unwind_together(tasks);
        // What is left waits for a task on the stack, and no longer belongs to this owner.
        while (m_youngest && m_youngest->m_ending)
            m_youngest->leave_owner();
    }
}

void TaskOwner::end_families(const char *why)
{
    std::vector<Ref<TaskStateBase>> unfinished;
    for (TaskFamily *family = m_oldest, *next; family; family = next) {
        next = family->m_younger;
        const bool ends_now = !std::exchange(family->m_ending, true);
        family->doom(); // what runs from here on may open an event loop; no member may go on in it
        if (!family->m_oldest) { // no task could join it: no memory
            family->leave_owner();
            delete family;
        } else if (ends_now && family->m_oldest->core->has(LoopCore::Debug)) {
            family->try_append_to(unfinished);
        }
    }
    report_unfinished(unfinished, why);
}

void TaskOwner::unwind_without_memory()
{
    while (TaskFamily *family = m_youngest) {
        family->leave_owner();
        Ref<TaskStateBase>::share(family->m_oldest)->unwind();
    }
}

LoopCore *TaskOwner::core() const noexcept
{
    const TaskStateBase *task = m_oldest ? m_oldest->m_oldest : nullptr;
    return task ? task->core : nullptr;
}

std::vector<Ref<TaskStateBase>> TaskOwner::members() const
{
    std::vector<Ref<TaskStateBase>> tasks;
    for (const TaskFamily *family = m_oldest; family; family = family->m_younger)
        family->append_to(tasks);
    return tasks;
}

/// The first family that set_looked_at() has not seen, or all if one has grown. New families come
/// last, so asking after each new task does not visit the others again.
TaskFamily *TaskOwner::oldest_to_look_at() const
{
    if (m_one_has_grown)
        return m_oldest;
    TaskFamily *first = nullptr;
    for (TaskFamily *family = m_youngest; family && !family->m_looked_at; family = family->m_older)
        first = family;
    return first;
}

std::vector<Ref<TaskStateBase>> TaskOwner::members_behind(quint32 number) const
{
    std::vector<Ref<TaskStateBase>> tasks;
    for (const TaskFamily *family = oldest_to_look_at(); family; family = family->m_younger) {
        if (family->m_youngest && family->m_youngest->number() > number)
            family->append_to(tasks);
    }
    std::erase_if(tasks, [number](const auto &task) { return task->number() <= number; });
    return tasks;
}

void TaskOwner::set_looked_at() noexcept
{
    for (TaskFamily *family = oldest_to_look_at(); family; family = family->m_younger)
        family->m_looked_at = true;
    m_one_has_grown = false;
}

// TaskFamily

TaskFamily::TaskFamily(TaskOwner &owner) : m_owner(&owner), m_older(owner.m_youngest)
{
    (m_older ? m_older->m_younger : owner.m_oldest) = this;
    owner.m_youngest = this;
}

void TaskFamily::leave_owner()
{
    if (!m_owner)
        return;
    (m_older ? m_older->m_younger : m_owner->m_oldest) = m_younger;
    (m_younger ? m_younger->m_older : m_owner->m_youngest) = m_older;
    m_older = m_younger = nullptr;
    m_owner->m_size -= m_size;
    m_owner = nullptr;
}

void TaskFamily::add(TaskStateBase &task)
{
    TaskExtra &extra = task.extra();
    extra.family = this;
    extra.elder = m_youngest;
    (m_youngest ? m_youngest->m_extra->younger : m_oldest) = &task;
    m_youngest = &task;
    ++m_size;
    if (is_ending()) // started by a member that still runs after the end of the owner
        task.flags |= TaskStateBase::Doomed;
    if (m_owner) {
        ++m_owner->m_size;
        m_owner->m_one_has_grown |= std::exchange(m_looked_at, false);
        m_owner->has_joined();
    }
}

void TaskFamily::remove(TaskStateBase &task)
{
    TaskExtra &extra = task.extra();
    (extra.elder ? extra.elder->m_extra->younger : m_oldest) = extra.younger;
    (extra.younger ? extra.younger->m_extra->elder : m_youngest) = extra.elder;
    extra.elder = extra.younger = nullptr;
    extra.family = nullptr;
    --m_size;
    TaskOwner *const owner = m_owner;
    if (owner)
        --owner->m_size;
    if (m_size == 0) {
        if (owner)
            leave_owner();
        delete this;
    }
    if (owner && owner->m_size == 0)
        owner->became_empty(); // the owner may delete itself
}

void TaskFamily::doom() const
{
    for (TaskStateBase *task = m_oldest; task; task = task->m_extra->younger)
        task->flags |= TaskStateBase::Doomed;
}

TaskStateBase *TaskFamily::youngest_to_unwind() const
{
    TaskStateBase *task = m_youngest;
    for (; task && (task->flags & TaskStateBase::OnStack); task = task->m_extra->elder)
        task->flags |= TaskStateBase::UnwindPending;
    return task;
}

void TaskFamily::append_to(std::vector<Ref<TaskStateBase>> &tasks) const
{
    for (TaskStateBase *task = m_oldest; task; task = task->m_extra->younger)
        tasks.push_back(Ref<TaskStateBase>::share(task));
}

void TaskFamily::try_append_to(std::vector<Ref<TaskStateBase>> &tasks) const noexcept
try {
    append_to(tasks);
} catch (const std::bad_alloc &) {
}

// ObjectOwner

/// The slot of destroyed(). When it is destroyed, the program may have disconnected it: then it is
/// connected again. Either may happen in another thread, if the object was moved there.
class ObjectOwner::Slot
{
public:
    explicit Slot(ObjectOwner &owner)
        : m_core(Ref<LoopCore>::share(&owner.m_loop)), m_owner(&owner), m_key(owner.m_key)
    { }
    Slot(Slot &&other) noexcept = default;
    Slot &operator=(Slot &&) = delete;
    ~Slot() { tell(&ObjectOwner::disconnected); }
    void operator()() { tell(&ObjectOwner::object_died); }

private:
    void tell(void (ObjectOwner::*event)())
    {
        ObjectOwner *const owner = m_core ? std::exchange(m_owner, nullptr) : nullptr;
        if (!owner)
            return;
        if (m_core->in_own_thread())
            return (owner->*event)();
        qCWarning(
            logCategory,
            "a context object of tasks ends, or is disconnected, in another thread than theirs");
        try {
            // The owner may be gone by then.
            run_there(*m_core, [loop = m_core, key = m_key, owner] {
                const auto &all = static_cast<LoopPrivate &>(*loop).object_owners;
                if (const auto found = all.find(key);
                    found != all.end() && found->second.get() == owner)
                    owner->look_again();
            });
        } catch (const std::bad_alloc &) {
            qCCritical(logCategory, "no memory to tell tasks that their context object is gone");
        }
    }

    Ref<LoopCore> m_core; // null: moved from
    ObjectOwner *m_owner;
    const QObject *m_key;
};

ObjectOwner::ObjectOwner(LoopPrivate &loop, const QObject &object)
    : m_loop(loop), m_key(&object), m_object(&object)
{ }

ObjectOwner &ObjectOwner::of(LoopPrivate &loop, const QObject &object)
{
    const QPointer<const QObject> alive(&object);
    while (alive) { // looks again after connect(): connectNotify() may run any code
        std::unique_ptr<ObjectOwner> &owner = loop.object_owners[&object];
        if (owner && !owner->m_object.isNull())
            return *owner;
        // An old one belonged to another object at this address.
        owner.reset(new ObjectOwner(loop, object));
        owner->connect();
    }
    throw ValueError(QStringLiteral("create_task: the context object is being destroyed"));
}

void ObjectOwner::forget_if_unused()
{
    if (size() == 0)
        const std::unique_ptr<ObjectOwner> self = take();
}

void ObjectOwner::connect()
{
    m_connected = false;
    if (!m_object)
        return;
    m_connecting = true;
    try {
        m_connection = QObject::connect(m_object.data(), &QObject::destroyed, Slot(*this));
    } catch (...) {
        m_connecting = false;
        forget_if_unused();
        throw;
    }
    m_connecting = false;
    m_connected = true;
    if (m_ending)
        delete this; // connectNotify() has deleted the object
}

void ObjectOwner::disconnected()
{
    if (m_ending || !m_connected) // not connected: connect() had no memory
        return;
    if (!m_object) // disconnected while the object dies, before the slot was called
        return object_died();
    try {
        connect(); // the program has disconnected all slots, but did not mean this one
    } catch (const std::bad_alloc &) {
        qCCritical(logCategory,
                   "no memory to tie tasks to their context object again after a disconnect()");
    }
}

void ObjectOwner::look_again()
{
    if (!m_object)
        object_died();
    else if (!m_connection)
        disconnected();
}

void ObjectOwner::object_died()
{
    std::unique_ptr<ObjectOwner> self = take();
    if (!self)
        return;
    unwind_all("its context object");
    if (m_connecting)
        (void)self.release(); // connect() deletes it
}

void ObjectOwner::became_empty()
{
    if (!m_connecting)
        const std::unique_ptr<ObjectOwner> self = take(); // null while the object dies
}

std::unique_ptr<ObjectOwner> ObjectOwner::take()
{
    const auto found = m_loop.object_owners.find(m_key);
    if (found == m_loop.object_owners.end() || found->second.get() != this)
        return {};
    std::unique_ptr<ObjectOwner> self = std::move(found->second);
    m_loop.object_owners.erase(found);
    m_ending = true;
    QObject::disconnect(m_connection);
    return self;
}

} // namespace QAsyncio::detail
