# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Pretty-printers of QAsyncio for gdb, and the command that lists a loop's tasks.

    (gdb) source qasyncio.py
    (gdb) print task
    $1 = <Task pending name='loader' load() at page.cpp:12 <- main_task() at main.cpp:40>
    (gdb) qasyncio-tasks loop

Debug information of the library is needed; nothing of the program is run.
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


def site(location):
    """"load() at page.cpp:12" of a std::source_location."""
    impl = location["_M_impl"]
    if int(impl) == 0:
        return "?"
    file = impl["_M_file_name"].string().rsplit("/", 1)[-1]
    return f"{function_name(impl['_M_function_name'].string())}() at {file}:{int(impl['_M_line'])}"


def frames(task):
    """The coroutines of a suspended task, the innermost first."""
    awaiter = task["m_suspended_at"]
    promise = task["m_root"]
    if int(awaiter) != 0:
        promise = awaiter["m_frame"].cast(promise.type)
    names = []
    while int(promise) != 0 and len(names) < 50:
        names.append(site(promise["site"]))
        link = promise["link"]
        promise = link["parent"] if int(link) != 0 else gdb.Value(0)
    return " <- ".join(names)


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
        extra_type = gdb.lookup_type("QAsyncio::detail::TaskExtra").pointer()
        extra = task["m_extra"].address.cast(extra_type.pointer()).dereference()  # a std::unique_ptr
        name = qstring(extra["name"]) if int(extra) != 0 else ""
        text += f" name='{name or 'Task-%d' % int(task['m_number'])}'"
        if int(state["m_state"]) == 0:
            text += " " + frames(task)
    return text + ">"


def is_timer(handle):
    """By the name of its vtable: the class has a closure's type in it, which gdb does not find."""
    vtable = handle.cast(gdb.lookup_type("long").pointer()).dereference()
    return "TimerState" in gdb.execute(f"info symbol {int(vtable):#x}", to_string=True)


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
