# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Pretty-printers of QAsyncio for gdb, and commands that list the tasks of a process.

    (gdb) source qasyncio.py
    (gdb) print task
    $1 = <Task pending name='loader' load() at page.cpp:12 <- main_task() at main.cpp:40>
    (gdb) qasyncio-tasks loop
    (gdb) qasyncio tasks
    2 unfinished tasks:
    * Task 'main' waits for Task 'loader', at main.cpp:40 in main_task()
        * Task 'loader' waits for lock held by Task 'sync', at page.cpp:12 in load()

Debug information of the library is needed; nothing of the program is run. A core file is as good as a process.
"""
import re

import gdb
import gdb.printing

STATES = {0: "pending", 1: "finished", 2: "cancelled"}


def real(pointer):
    """What the pointer points to, as the class that it is; None for null."""
    if int(pointer) == 0:
        return None
    return pointer.cast(pointer.dynamic_type).dereference()


def referenced(reference):
    """What a detail::Ref refers to; None for null."""
    return real(reference["m_state"])


def qstring(value):
    data = value["d"]
    size = int(data["size"])
    if size == 0:
        return ""
    memory = gdb.selected_inferior().read_memory(int(data["ptr"]), 2 * size)
    return memory.tobytes().decode("utf-16-le", "replace")


def function_name(signature):
    """"load" of "Coroutine<int> {anonymous}::load(Url)"."""
    name = re.sub(r"(\(anonymous namespace\)|\{anonymous\})::", "", signature).split(" [with ")[0]
    if name.endswith(".Frame*)"):  # g++, inside of a coroutine: "void load(load(int)::_Z4loadi.Frame*)"
        depth, at = 1, len(name) - 1
        while depth > 0 and at > 0:
            at -= 1
            depth += (name[at] == ")") - (name[at] == "(")
        name = name[:at] + "()"
    outer = re.split(r"::(?:<lambda\(|\(anonymous class\)|\(lambda)", name, maxsplit=1)
    if len(outer) > 1:
        return function_name(outer[0]) + "::<lambda>"
    depth, begin = 0, 0
    for i, c in enumerate(name):
        depth += (c == "<") - (c == ">")
        if c == " " and depth == 0:
            begin = i + 1
        elif c == "(" and depth == 0:
            return name[begin:i]
    return name[begin:]


def function_of(location):
    return function_name(location["_M_impl"]["_M_function_name"].string())


def site(location):
    """"load() at page.cpp:12" of a std::source_location."""
    impl = location["_M_impl"]
    if int(impl) == 0:
        return "?"
    file = impl["_M_file_name"].string().rsplit("/", 1)[-1]
    return f"{function_name(impl['_M_function_name'].string())}() at {file}:{int(impl['_M_line'])}"


def frames(task):
    """The coroutines of a suspended task, the innermost first."""
    return " <- ".join(site(place) for place in places(task))


def places(task):
    """Where the coroutines of a task are (a std::source_location each), the innermost first. Wrappers have no place."""
    promise, found = task["m_frame"], []
    while int(promise) != 0 and len(found) < 50:
        if int(promise["site"]["_M_impl"]) != 0:
            found.append(promise["site"])
        link = promise["link"]
        promise = link["parent"] if int(link) != 0 else gdb.Value(0)
    return found


def task_name(task):
    extra_type = gdb.lookup_type("QAsyncio::detail::TaskExtra").pointer()
    extra = task["m_extra"].address.cast(extra_type.pointer()).dereference()  # a std::unique_ptr
    name = qstring(extra["name"]) if int(extra) != 0 else ""
    return name or f"Task-{int(task['m_number'])}"


def describe_future(state):
    if state is None:
        return "<Future none>"
    task_type = gdb.lookup_type("QAsyncio::detail::TaskStateBase")
    is_task = int(state["flags"]) & 1
    text = f"<{'Task' if is_task else 'Future'} {STATES.get(int(state['m_state']), '?')}"
    if int(state["m_state"]) != 0 and int(state["m_exception"]["_M_exception_object"]) != 0:
        text += " exception"
    if is_task:
        task = state.cast(task_type)
        text += f" name='{task_name(task)}'"
        if int(state["m_state"]) == 0:
            text += " " + frames(task)
    return text + ">"


def class_name(pointer):
    """By its vtable: the class may have a closure's type in it, which gdb does not find."""
    vtable = pointer.cast(gdb.lookup_type("long").pointer()).dereference()
    return gdb.execute(f"info symbol {int(vtable):#x}", to_string=True)


def is_timer(handle):
    return "TimerState" in class_name(handle)


def detail(name):
    return gdb.lookup_type("QAsyncio::detail::" + name).pointer()


def seconds(time_point):
    return int(time_point["__d"]["__r"]) / 1e9


class Tasks:
    """The unfinished tasks of a loop (a LoopPrivate), and who waits for whom."""

    def __init__(self, loop):
        self.loop = loop
        self.tasks = {}  # by address, oldest first
        task = loop["first_task"]
        while int(task) != 0:
            self.tasks[int(task)] = task.dereference()
            task = task["next"]
        self.below = {address: [] for address in self.tasks}
        self.roots = []
        for address, task in self.tasks.items():
            above = self.waiting_for(task.address.cast(detail("FutureStateBase")))
            for waiting in above:
                self.below[waiting].append(address)
            if not above:
                self.roots.append(address)

    def waiting_for(self, future):
        """The addresses of the tasks that wait for a future (a pointer), also by way of gather() and the like."""
        found, to_follow, seen = [], [future], set()
        while to_follow:
            for callback in callbacks(to_follow.pop()):
                waiting = int(callback) if int(callback) in self.tasks else waiting_by(callback)
                if waiting is None or int(waiting) == 0 or int(waiting) in seen:
                    continue
                seen.add(int(waiting))
                if int(waiting) in self.tasks:
                    found.append(int(waiting))
                else:
                    to_follow.append(waiting)
        return found

    def lines(self):
        listed = set()
        for root in self.roots + list(self.tasks):  # what is left at the end waits in circles
            to_list = [(root, 0)] if root not in listed else []
            while to_list:
                address, level = to_list.pop()
                again = address in listed
                listed.add(address)
                yield " " * 4 * min(level, 30) + "* " + self.describe(self.tasks[address]) + (" (see above)" if again else "")
                if not again:
                    to_list += [(below, level + 1) for below in reversed(self.below[address])]

    def describe(self, task):
        flags = int(task["flags"])
        text = f"Task '{task_name(task)}'"
        if int(task["m_cancel_requests"]) > 0:
            text += " (cancelling)"
        if not flags & 128:
            text += " has not started"
        elif flags & 256:
            text += " is running"
        elif flags & 512 or int(task["task_flags"]) & 2:
            text += " is ready"
        else:
            text += " waits" + self.words(task["m_suspended_at"])
        where = places(task)
        if not where:
            return text
        own = [place for place in where if not function_of(place).startswith("QAsyncio::")]
        impl = (own or where)[0]["_M_impl"]
        return (f"{text}, at {impl['_M_file_name'].string()}:{int(impl['_M_line'])} "
                f"in {function_name(impl['_M_function_name'].string())}()")

    def words(self, awaiter):
        """" for timer in 2.500 s": what an awaiter waits for; empty if this does not know."""
        if int(awaiter) == 0:
            return ""
        name = class_name(awaiter)
        try:
            if "SleepAwaiter" in name:
                return self.words_of_timer(awaiter.cast(detail("SleepAwaiter"))["m_timer"])
            if "SyncAwaiter" in name or "AcquireAwaiter" in name or "ScopedAwaiter" in name or "SyncState" in name:
                return self.words_of_lock(real(awaiter)["m_source"]["m_state"])
            if "FutureAwaiter" in name or "ForeignAwaiter" in name:
                return " for " + self.words_of_future(awaiter.cast(detail("FutureAwaiterBase"))["m_future"])
        except (gdb.error, KeyError, AttributeError):
            pass
        found = re.search(r"Await<(.*)> \+ \d+", name)
        return f" for {found[1]}" if found else ""

    def words_of_timer(self, timer):
        if int(timer) == 0:
            return ""
        when = seconds(timer["when"])
        if int(self.loop["clock"]["_M_ptr"]) != 0:
            return f" for timer at {when:.3f} s"
        return f" for timer in {when - seconds(self.loop['m_clock_seen']):.3f} s"

    def words_of_lock(self, source):
        state = source.dereference()
        text = state["m_type_name"].string().lower()
        if "LockState" in str(state.type):
            owner = int(state["m_owner"])
            for task in self.tasks.values():
                if bool(state["m_locked"]) and int(task["m_number"]) == owner:
                    text += f" held by Task '{task_name(task)}'"
        return " for " + text

    def words_of_future(self, future):
        if int(future) in self.tasks:
            return f"Task '{task_name(self.tasks[int(future)])}'"
        name = class_name(future)
        for part, words in (("GatherState", "gather()"), ("GatherVectorState", "gather()"), ("WaitFuture", "wait()"),
                            ("ShieldState", "shield()"), ("ExecutorFuture", "a function in a thread"), ("SignalFuture", "a signal"),
                            ("GatherState", "gather()")):
            if part in name:
                return words
        if "NamedFuture" in name:
            words = real(future)["m_words"].string()
            return words
        return "a future"


def callbacks(future):
    """What is called when a future (a pointer) is done."""
    if int(future["m_state"]) != 0:
        return
    bits = int(future["m_callbacks"]["m_bits"])
    if not bits & 1:
        if bits:
            yield gdb.Value(bits).cast(detail("FutureCallback"))
        return
    items = gdb.Value(bits & ~1).cast(detail("CallbackVector"))["m_all"]["_M_impl"]
    item = items["_M_start"]
    while item != items["_M_finish"]:
        if int(item.dereference()) != 0:
            yield item.dereference()
        item += 1


def waiting_by(callback):
    """FutureCallback::waiting_future() of what is no task; None if nobody waits."""
    name = class_name(callback)
    future = detail("FutureStateBase")
    if "GatherCallback" in name:
        gather = callback.cast(detail("GatherCallback"))["m_gather"]
        return real(gather).address.cast(future) if int(gather) != 0 else None
    if "GroupChild" in name:
        group = callback.cast(detail("GroupChild"))["m_group"]
        return group["m_parent"]["m_state"].cast(future) if int(group) != 0 else None
    if "EarCallback" in name:
        weak = callback.cast(detail("DoneListener::EarCallback"))["m_listener"]
        count = weak["_M_refcount"]["_M_pi"]
        if int(count) == 0 or int(count["_M_use_count"]) == 0:
            return None
        listener = weak["_M_ptr"].cast(detail("DoneListener"))  # not by the name that std::weak_ptr has for it
        name = class_name(listener)
        if "WaitListener" in name:
            return real(listener)["released"]["m_state"]["m_state"]
        if "ShieldListener" in name:
            return real(listener)["m_outer"].cast(future)
        first = listener.cast(detail("CompletionQueue"))["m_first_in_line"]
        return first["called"]["m_state"]["m_state"] if int(first) != 0 else None
    return None


def all_loops():
    loop = gdb.parse_and_eval("QAsyncio::detail::newest_loop")
    while int(loop) != 0:
        if not int(loop["status"]["_M_i"]) & 1:  # closed
            yield loop.dereference()
        loop = loop["older_loop"]


class Command(gdb.Command):
    """Commands for the event loops of QAsyncio."""

    def __init__(self):
        super().__init__("qasyncio", gdb.COMMAND_DATA, prefix=True)


class TreeCommand(gdb.Command):
    """qasyncio tasks [LOOP]: the unfinished tasks of a QAsyncioLoop, or of all loops, as a tree: who waits for whom, for what, and
    where. As print_tasks() prints it, but without running anything."""

    def __init__(self):
        super().__init__("qasyncio tasks", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        if argument:
            loop = gdb.parse_and_eval(argument)
            if loop.type.code in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_REF):
                loop = loop.referenced_value()
            loops = [loop["m_core"].cast(detail("LoopPrivate")).dereference()]
        else:
            loops = list(all_loops())
        for loop in loops:
            tasks = Tasks(loop)
            count = len(tasks.tasks)
            if len(loops) > 1:
                print(f"loop {int(loop['loop']):#x}, ", end="")
            print("no unfinished tasks" if count == 0 else f"{count} unfinished task{'s' if count > 1 else ''}:")
            for line in tasks.lines():
                print(line)


class Printer:
    def __init__(self, value):
        self.value = value


class FuturePrinter(Printer):
    def to_string(self):
        return describe_future(referenced(self.value["m_state"]))


class CoroutinePrinter(Printer):
    def to_string(self):
        promise = self.value["m_promise"]
        return "<Coroutine>" if int(promise) == 0 else f"<Coroutine {site(promise['site'])}>"


class GeneratorPrinter(Printer):
    def to_string(self):
        state = referenced(self.value["m_state"])
        if state is None or int(state["m_promise"]) == 0:
            return "<async_generator>"
        return f"<async_generator {site(state['m_promise']['site'])}>"


class HandlePrinter(Printer):
    def to_string(self):
        pointer = self.value["m_state"]["m_state"]
        if int(pointer) == 0:
            return "<Handle none>"
        state = pointer.dereference()
        text = "<Handle"
        if is_timer(pointer):
            timer = pointer.cast(gdb.lookup_type("QAsyncio::detail::TimerState").pointer())
            nanoseconds = int(timer["when"]["__d"]["__r"])
            text = f"<TimerHandle when={nanoseconds / 1e9:.3f}"
        flags = int(state["m_flags"]["_M_i"])
        return text + (" cancelled>" if flags & 1 else ">")


class LoopPrinter(Printer):
    def to_string(self):
        status = int(real(self.value["m_core"])["status"]["_M_i"])
        word = {True: "true", False: "false"}
        return (f"<QAsyncioLoop running={word[bool(status & 4)]} closed={word[bool(status & 1)]} "
                f"debug={word[bool(status & 2)]}>")


class GroupPrinter(Printer):
    def to_string(self):
        word = "cancelling" if self.value["m_aborting"] else "entered"
        return f"<TaskGroup tasks={int(self.value['m_count'])} {word}>"


class TasksCommand(gdb.Command):
    """qasyncio-tasks LOOP: every unfinished task of a QAsyncioLoop and where it waits."""

    def __init__(self):
        super().__init__("qasyncio-tasks", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        loop = gdb.parse_and_eval(argument)
        if loop.type.code in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_REF):
            loop = loop.referenced_value()
        task = real(loop["m_core"])["first_task"]
        while int(task) != 0:
            print(describe_future(real(task)))
            task = task["next"]


def printers():
    collection = gdb.printing.RegexpCollectionPrettyPrinter("QAsyncio")
    for name, pattern, printer in (
            ("future", r"^QAsyncio::(AnyFuture|AnyTask|Future<.*>|Task<.*>)$", FuturePrinter),
            ("coroutine", r"^QAsyncio::Coroutine<.*>$", CoroutinePrinter),
            ("generator", r"^QAsyncio::AsyncGenerator<.*>$", GeneratorPrinter),
            ("handle", r"^QAsyncio::(Timer)?Handle$", HandlePrinter),
            ("group", r"^QAsyncio::TaskGroup$", GroupPrinter),
            ("loop", r"^QAsyncio::QAsyncioLoop$", LoopPrinter)):
        collection.add_printer(name, pattern, printer)
    return collection


gdb.printing.register_pretty_printer(gdb.current_objfile(), printers(), replace=True)
TasksCommand()
Command()
TreeCommand()
