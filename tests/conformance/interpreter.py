#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Runs programs of the conformance language (README.md) on asyncio: JSON lines in, JSON lines with their traces out."""

import asyncio
import contextvars
import gc
import heapq
import inspect
import itertools
import json
import selectors
import sys
import warnings

TICK = 0.125          # seconds; exact in binary, so that equal deadlines are equal
GUARD = 8000          # ticks after which a run that nothing ends is stopped
CLEANUP_ROUNDS = 40
MAX_LINES = 400

var = contextvars.ContextVar("var", default=0)


class AppError(Exception):
    """The program's own exception."""


EXCEPTIONS = {
    "AppError": AppError,
    "CancelledError": asyncio.CancelledError,
    "InvalidStateError": asyncio.InvalidStateError,
    "LoopExit": SystemExit,
    "RuntimeError": RuntimeError,
    "TimeoutError": TimeoutError,
    "ValueError": ValueError,
}
CATCHES = {"": (), "Exception": Exception, "CancelledError": asyncio.CancelledError,
           "any": (Exception, asyncio.CancelledError, SystemExit)}
WAIT_MODES = {"FIRST_COMPLETED": asyncio.FIRST_COMPLETED, "FIRST_EXCEPTION": asyncio.FIRST_EXCEPTION,
              "ALL_COMPLETED": asyncio.ALL_COMPLETED}
AWAITABLE = "ftas"    # the first letters of the names that can be awaited

# Locks, queues and the like: how they are made, and the operations that only call a method of one of these kinds.
MAKERS = {"lock": asyncio.Lock, "event": asyncio.Event, "condition": asyncio.Condition, "semaphore": asyncio.Semaphore,
          "bounded_semaphore": asyncio.BoundedSemaphore, "barrier": getattr(asyncio, "Barrier", None),
          "queue": asyncio.Queue, "priority_queue": asyncio.PriorityQueue, "lifo_queue": asyncio.LifoQueue,
          "reader": lambda limit: Reader(limit)}
CALLS = {"release": ("lnp", "release"), "event_set": ("e", "set"), "event_clear": ("e", "clear"), "notify": ("n", "notify"),
         "locked": ("lnp", "locked"), "put_nowait": ("q", "put_nowait"), "get_nowait": ("q", "get_nowait"),
         "task_done": ("q", "task_done"), "queue_shutdown": ("q", "shutdown"), "feed_eof": ("r", "feed_eof")}
AWAITED_CALLS = {"acquire": ("lnp", "acquire"), "event_wait": ("e", "wait"), "condition_wait": ("n", "wait"),
                 "barrier_wait": ("b", "wait"), "barrier_reset": ("b", "reset"), "barrier_abort": ("b", "abort"),
                 "put": ("q", "put"), "get": ("q", "get"), "join": ("q", "join"), "read": ("r", "read"),
                 "readline": ("r", "readline"), "readexactly": ("r", "readexactly")}


class OrderedSet(dict):
    """A set in the order of insertion, in place of CPython's sets, whose order is that of addresses."""

    def __init__(self, items=()):
        super().__init__((item, True) for item in items)

    def add(self, item):
        self[item] = True

    def discard(self, item):
        self.pop(item, None)


class NewestFirst(OrderedSet):
    def __iter__(self):
        return reversed(list(super().__iter__()))

    def copy(self):     # what a WeakSet goes through since 3.14
        return list(self)


asyncio.tasks.set = OrderedSet      # wait() makes a set of what it is given


class OrderedTimer(asyncio.TimerHandle):
    """Equal deadlines in the order of the calls, which CPython leaves open (L-014)."""

    counter = itertools.count()

    def __init__(self, *args):
        super().__init__(*args)
        self.sequence = next(self.counter)

    def __lt__(self, other):
        return (self._when, self.sequence) < (other._when, other.sequence)


class ClockSelector(selectors.SelectSelector):
    """Nothing is ever ready: instead of waiting it moves the clock."""

    now = 1000.0

    def select(self, timeout=None):
        self.now += timeout
        return []


async def awaiting(closing):
    """For aclose(): its object, which is no coroutine, would throw a cancellation into the generator before the first step."""
    try:
        await closing
    finally:
        closing = None      # which holds the generator, and an exception's traceback holds this frame


class TakenByAnother(Exception):
    """While readuntil() waited."""


class Reader(asyncio.StreamReader):
    """asyncio's reader with what QAsyncio does on purpose (docs/differences.md): where another task has taken the data that a
    read was woken for, it waits on, and looks for its separator from the beginning; one that goes on does not forget another
    one that has begun to wait meanwhile; read(-1) takes nothing before the end; and an assertion is a RuntimeError."""

    fed = 0

    def taken(self):
        return self.fed - len(self._buffer)

    def feed_data(self, data):
        if self._eof:
            raise RuntimeError("feed_data after feed_eof")
        self.fed += len(data)
        super().feed_data(data)

    async def read(self, n=-1):
        while n != 0 and not self._eof and (n < 0 or not self._buffer):
            await self._wait_for_data("read")
        return await super().read(n)

    async def readuntil(self, separator=b"\n"):
        while True:
            try:
                return await super().readuntil(separator)
            except TakenByAnother:
                pass

    async def _wait_for_data(self, name):
        if self._waiter is not None:
            raise RuntimeError(f"{name}() called while another coroutine is already waiting for incoming data")
        waiter = self._waiter = self._loop.create_future()
        taken = self.taken()
        try:
            await waiter
        finally:
            if self._waiter is waiter:
                self._waiter = None
        if name == "readuntil" and self.taken() != taken:
            raise TakenByAnother


class VirtualLoop(asyncio.SelectorEventLoop):
    """asyncio's loop with virtual time. Keeps its tasks alive, as QAsyncio's does (T-007), in the order of their making."""

    def __init__(self):
        super().__init__(ClockSelector())
        self._asyncgens.data = NewestFirst()
        self.tasks = []

    def time(self):
        return self._selector.now

    def _asyncgen_finalizer_hook(self, generator):
        self._asyncgens.discard(generator)      # dropped, it is destroyed there and then, without its clean-up (L-106)

    async def shutdown_asyncgens(self):
        for ended in [generator for generator in self._asyncgens if generator.ag_frame is None]:
            self._asyncgens.discard(ended)      # QAsyncio's loop knows generators until they end
        ended = None
        try:
            await super().shutdown_asyncgens()
        except BaseException as error:
            raise error.with_traceback(None)    # whose frames hold the generators

    def call_at(self, when, callback, *args, context=None):
        self._check_closed()
        timer = OrderedTimer(when, callback, args, self, context)
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer

    def create_task(self, coro, *, eager=False, **options):
        if not inspect.iscoroutine(coro):
            coro = awaiting(coro)
        place = len(self.tasks)
        self.tasks.append(None)
        try:
            task = (asyncio.Task(coro, loop=self, eager_start=True, **options) if eager
                    else super().create_task(coro, **options))
        except BaseException:
            del self.tasks[place]
            raise
        self.tasks[place] = task
        return task


class Run:
    """One program in a loop of its own. Methods do_* are its plain steps, await_* those that await."""

    def __init__(self):
        self.loop = VirtualLoop()
        self.loop.set_exception_handler(self.report)
        self.begin = self.loop.time()
        self.slots = {}
        self.lines = []
        self.unretrieved = []
        self.message_given = False
        self.over = False

    # The trace

    def line(self, who, text):
        if self.over or len(self.lines) >= MAX_LINES:
            return
        task = asyncio.current_task(self.loop)
        count = task.cancelling() if task else 0
        cancelling = f"+{count}" if count else ""
        self.lines.append(f"{self.ticks(self.loop.time())} {who}{cancelling} {text}")

    def ticks(self, when):
        return int((when - self.begin) / TICK)

    def describe(self, error):
        name = type(error).__name__
        if isinstance(error, BaseExceptionGroup):
            return f"{name}({error.message})[{'; '.join(self.describe(e) for e in error.exceptions)}]"
        if isinstance(error, SystemExit):
            name = "LoopExit"
        text = str(error).split(": <")[0]
        if text:
            return f"{name}: {text}"
        # Later awaiters of a cancelled task lose its message (T-033), QAsyncio's do not: "?" stands for any message.
        return name + "?" if isinstance(error, asyncio.CancelledError) and self.message_given else name

    def value(self, value):
        if isinstance(value, list):
            return "[" + ", ".join(self.value(v) for v in value) + "]"
        if isinstance(value, bytes):
            value = value.decode().replace("\n", "\\n")
        return "!! " + self.describe(value) if isinstance(value, BaseException) else str(value)

    def state(self, future):
        if not future.done():
            return "pending"
        if future.cancelled():
            return "cancelled"
        error = future.exception()
        return f"!! {self.describe(error)}" if error else f"-> {self.value(future.result())}"

    def report(self, _loop, context):
        message, error = context["message"], context.get("exception")
        if message.endswith("exception was never retrieved"):
            self.unretrieved.append(("Task" if message.startswith("Task") else "Future", self.describe(error)))
            return
        message = "Exception in callback" if message.startswith("Exception in callback") else message.split(" <")[0]
        message = message.replace("SystemExit", "LoopExit")
        keys = " ".join(k for k in ("exception", "future", "task") if k in context)
        context_var = f" var={var.get()}" if sys.version_info >= (3, 12) else ""
        self.line("!", f"report {message}: {self.describe(error) if error else ''} ({keys}){context_var}")

    # Names

    def find(self, who, name, letters):
        """What a name of one of these kinds stands for; None, with a line of the trace, if nothing does."""
        found = None
        if name == "me":
            found = asyncio.current_task(self.loop)
        elif name[0] in letters:
            found = self.slots.get(name)
        if found is None:
            self.line(who, f"unset {name}")
        return found

    def find_all(self, who, names, letters):
        found = [(name, self.find(who, name, letters)) for name in names]
        return [(name, future) for name, future in found if future is not None]

    def awaitable(self, who, spec):
        return self.find(who, spec, AWAITABLE) if isinstance(spec, str) else self.body(spec[1], spec[2])

    def context(self, options):
        context = self.slots.get(options.get("context"))
        return {} if context is None else {"context": context}

    # Bodies

    def run_plain(self, who, steps):
        for step in steps:
            PLAIN[step[0]](self, who, *step[1:])

    async def run(self, who, steps):
        """Gives the step "return" that ended it, or None."""
        for step in steps:
            operation = step[0]
            if operation == "return":
                return step
            if operation in PLAIN:
                PLAIN[operation](self, who, *step[1:])
            else:
                returned = await AWAITING[operation](self, who, *step[1:])
                if returned:
                    return returned
        return None

    async def body(self, name, steps):
        self.line(name, "begin")
        try:
            returned = await self.run(name, steps)
        except BaseException as error:
            self.line(name, f"end !! {self.describe(error)}")
            raise
        value = returned[1] if returned else None
        self.line(name, f"end -> {self.value(value)}")
        return value

    def callback(self, name, steps):
        def call(*_):
            self.line(name, "run")
            self.run_plain(name, steps)
        return call

    async def generator(self, name, steps):
        self.line(name, "begin")
        try:
            for step in steps:
                if step[0] == "yield":
                    yield step[1]
                    self.line(name, "goes on")
                elif step[0] == "try":
                    _, inner, kind, handler, then, cleanup = step
                    try:
                        try:
                            for inner_step in inner:
                                if inner_step[0] == "yield":
                                    yield inner_step[1]
                                    self.line(name, "goes on")
                                elif await self.run(name, [inner_step]):
                                    return
                        except CATCHES[kind] as error:
                            self.line(name, f"caught {self.describe(error)}")
                            if await self.run(name, handler):
                                return
                            if then == "reraise":
                                raise
                    finally:
                        await self.run(name, cleanup)
                elif await self.run(name, [step]):
                    return
        except BaseException as error:
            self.line(name, f"end !! {self.describe(error)}")
            raise
        self.line(name, "end")

    # Callbacks

    def do_call_soon(self, who, name, steps, options={}):
        self.slots[name] = self.loop.call_soon(self.callback(name, steps), **self.context(options))

    def do_call_later(self, who, name, delay, steps, options={}):
        self.slots[name] = self.loop.call_later(delay * TICK, self.callback(name, steps), **self.context(options))

    def do_call_at(self, who, name, when, steps, options={}):
        self.slots[name] = self.loop.call_at(self.begin + when * TICK, self.callback(name, steps), **self.context(options))

    def do_cancel_handle(self, who, name):
        if handle := self.find(who, name, "h"):
            handle.cancel()
            self.line(who, f"cancel_handle {name} -> {handle.cancelled()}")

    def do_stop(self, who):
        self.loop.stop()

    def do_raise(self, who, kind, message):
        raise self.exception(kind, message)

    def exception(self, kind, message):
        if kind == "CancelledError" and message is not None:
            self.message_given = True
        if kind == "LoopExit":
            return SystemExit(0)
        return EXCEPTIONS[kind](*([] if message is None else [message]))

    def do_report(self, who, message):
        self.loop.call_exception_handler({"message": message})

    # Context variables

    def do_set_var(self, who, value):
        var.set(value)

    def do_get_var(self, who):
        self.line(who, f"get_var -> {var.get()}")

    def do_copy_context(self, who, name):
        self.slots[name] = contextvars.copy_context()

    # Futures and tasks

    def do_future(self, who, name):
        self.slots[name] = self.loop.create_future()

    def do_create_task(self, who, name, steps, options={}):
        self.slots[name] = self.loop.create_task(self.body(name, steps), eager=options.get("eager", False),
                                                 **self.context(options))

    def attempt(self, who, text, call):
        """A plain step that may fail: it says so and the program goes on."""
        try:
            result = call()
        except BaseException as error:
            self.line(who, f"{text} !! {self.describe(error)}")
        else:
            self.line(who, f"{text} -> {self.value(result)}")

    def do_set_result(self, who, name, value):
        if (future := self.find(who, name, "f")) is not None:
            self.attempt(who, f"set_result {name}", lambda: future.set_result(value))

    def do_set_exception(self, who, name, kind, message):
        if (future := self.find(who, name, "f")) is not None:
            self.attempt(who, f"set_exception {name}", lambda: future.set_exception(self.exception(kind, message)))

    def do_cancel(self, who, name, message=None):
        if (future := self.find(who, name, AWAITABLE)) is not None:
            self.message_given |= message is not None
            self.attempt(who, f"cancel {name}", lambda: future.cancel(message))

    def do_uncancel(self, who, name):
        if (task := self.find(who, name, "t")) is not None:
            self.attempt(who, f"uncancel {name}", task.uncancel)

    def do_result(self, who, name):
        if (future := self.find(who, name, AWAITABLE)) is not None:
            self.attempt(who, f"result {name}", future.result)

    def do_exception(self, who, name):
        if (future := self.find(who, name, AWAITABLE)) is not None:
            self.attempt(who, f"exception {name}", future.exception)

    def do_state(self, who, name):
        if (future := self.find(who, name, AWAITABLE)) is not None:
            count = f" cancelling={future.cancelling()}" if name[0] in "tm" else ""
            self.line(who, f"state {name} {self.state(future)}{count}")

    def do_add_done_callback(self, who, name, callback_name, steps, options={}):
        if (future := self.find(who, name, AWAITABLE)) is not None:
            callback = self.callback(callback_name, steps)
            future.add_done_callback(callback, **self.context(options))
            self.slots[callback_name] = future, callback

    def do_remove_done_callback(self, who, name):
        if found := self.find(who, name, "d"):
            future, callback = found
            self.line(who, f"remove_done_callback {name} -> {future.remove_done_callback(callback)}")

    def do_drop(self, who, name):
        if self.find(who, name, "ftg") is not None:
            self.slots.pop(name, None)

    async def await_sleep(self, who, delay):
        try:
            await asyncio.sleep(delay * TICK)
        except BaseException as error:
            self.line(who, f"sleep !! {self.describe(error)}")
            raise
        self.line(who, "sleep")

    async def awaiting(self, who, text, awaitable):
        try:
            result = await awaitable
        except BaseException as error:
            self.line(who, f"{text} !! {self.describe(error)}")
            raise
        self.line(who, f"{text} -> {self.value(result)}")

    async def await_await(self, who, name):
        if (future := self.find(who, name, AWAITABLE)) is not None:
            await self.awaiting(who, f"await {name}", future)

    async def await_call(self, who, name, steps):
        await self.body(name, steps)

    async def await_try(self, who, steps, kind, handler, then, cleanup):
        try:
            try:
                return await self.run(who, steps)
            except CATCHES[kind] as error:
                self.line(who, f"caught {self.describe(error)}")
                returned = await self.run(who, handler)
                if returned or then == "swallow":
                    return returned
                raise
        finally:
            await self.run(who, cleanup)

    # Waiting for several

    def running(self, who, text):
        if not self.loop.is_running():
            self.line(who, f"{text}: no running loop")
        return self.loop.is_running()

    def do_gather(self, who, name, specs, return_exceptions):
        if self.running(who, "gather"):
            found = [self.awaitable(who, s) for s in specs if not isinstance(s, str) or s[0] in "ft"]
            children = [child for child in found if child is not None]
            self.slots[name] = asyncio.gather(*children, return_exceptions=return_exceptions)

    def do_shield(self, who, name, spec):
        if self.running(who, "shield") and (inner := self.awaitable(who, spec)) is not None:
            self.slots[name] = asyncio.shield(inner)

    async def await_wait(self, who, names, mode, timeout):
        found = self.find_all(who, names, AWAITABLE)
        try:
            done, pending = await asyncio.wait([future for _, future in found], return_when=WAIT_MODES[mode],
                                               timeout=None if timeout is None else timeout * TICK)
        except BaseException as error:
            self.line(who, f"wait !! {self.describe(error)}")
            raise
        text = [" ".join(name for name, future in dict(found).items() if future in part) for part in (done, pending)]
        self.line(who, f"wait -> done [{text[0]}] pending [{text[1]}]")

    async def await_wait_for(self, who, spec, timeout):
        if (awaitable := self.awaitable(who, spec)) is not None:
            limited = asyncio.wait_for(awaitable, None if timeout is None else timeout * TICK)
            await self.awaiting(who, "wait_for", limited)

    def to_complete(self, who, names, timeout):
        """(futures by name, what as_completed() makes of them)"""
        # The order of those that are done already is open (G-025): only the first of them takes part.
        found = {}
        for name, future in self.find_all(who, names, "ft"):
            if not future.done() or not any(other.done() for other in found.values()):
                found.setdefault(name, future)
        return found, asyncio.as_completed(list(found.values()), timeout=None if timeout is None else timeout * TICK)

    def do_complete_in_tasks(self, who, names, timeout, task_names):
        if self.running(who, "complete_in_tasks"):
            _, completed = self.to_complete(who, names, timeout)
            for name, awaitable in zip(task_names, completed):
                self.slots[name] = self.loop.create_task(self.awaiting(name, "completed", awaitable))

    async def await_as_completed(self, who, names, timeout, style, count):
        found, completed = self.to_complete(who, names, timeout)
        if style == "plain":
            for awaitable in itertools.islice(completed, count):
                await self.awaiting(who, "completed", awaitable)
            return
        for _ in range(count):
            try:
                future = await anext(completed)
            except StopAsyncIteration:
                self.line(who, "completed all")
                break
            except BaseException as error:
                self.line(who, f"completed !! {self.describe(error)}")
                raise
            name = next(name for name, other in found.items() if other is future)
            self.line(who, f"completed {name} {self.state(future)}")

    # Scopes

    async def await_timeout(self, who, name, delay, steps):
        expired = None
        try:
            async with asyncio.timeout(None if delay is None else delay * TICK) as scope:
                self.slots[name] = expired = scope
                returned = await self.run(who, steps)
        except BaseException as error:
            self.line(who, f"timeout {name} !! {self.describe(error)}")
            raise
        finally:
            self.slots.pop(name, None)
        self.line(who, f"timeout {name} left")
        return returned

    def do_reschedule(self, who, name, delay):
        if scope := self.find(who, name, "x"):
            when = None if delay is None else self.loop.time() + delay * TICK
            self.attempt(who, f"reschedule {name}", lambda: self.reschedule(scope, when))

    @staticmethod
    def reschedule(scope, when):
        """Refused outside of a run, it changes nothing; CPython has then lost the old deadline (G-040)."""
        if when is not None and scope._state is asyncio.timeouts._State.ENTERED:
            asyncio.get_running_loop()
        scope.reschedule(when)

    def do_expired(self, who, name):
        if scope := self.find(who, name, "x"):
            when = scope.when()
            text = "None" if when is None else self.ticks(when)
            self.line(who, f"expired {name} -> {scope.expired()} {text}")

    async def await_group(self, who, name, steps):
        try:
            async with asyncio.TaskGroup() as group:
                group._tasks = OrderedSet()
                self.slots[name] = group
                returned = await self.run(who, steps)
        except BaseException as error:
            self.line(who, f"group {name} !! {self.describe(error)}")
            raise
        finally:
            self.slots.pop(name, None)
        self.line(who, f"group {name} left")
        return returned

    def do_group_task(self, who, name, task_name, steps, options={}):
        if (group := self.find(who, name, "u")) is not None:
            try:
                self.slots[task_name] = group.create_task(self.body(task_name, steps), **options)
            except RuntimeError as error:
                self.line(who, f"group_task {name} !! {self.describe(error)}")

    # Asynchronous generators. No local variable may hold one: it ends when its last reference goes.

    def do_agen(self, who, name, steps):
        self.slots[name] = self.generator(name, steps)

    async def step_generator(self, who, text, awaitable):
        try:
            value = await awaitable
        except StopAsyncIteration:
            self.line(who, f"{text} end")
        except BaseException as error:
            self.line(who, f"{text} !! {self.describe(error)}")
            raise
        else:
            # athrow() gives None once a generator has ended; what is yielded is never None.
            ended = value is None and text.startswith("athrow")
            self.line(who, f"{text} end" if ended else f"{text} -> {value}")
        finally:
            awaitable = None    # which holds the generator, and an exception's traceback holds this frame

    async def await_next(self, who, name):
        if self.find(who, name, "g"):
            await self.step_generator(who, f"next {name}", self.slots[name].__anext__())

    async def await_athrow(self, who, name, kind, message):
        if self.find(who, name, "g"):
            error = self.exception(kind, message)
            await self.step_generator(who, f"athrow {name}", self.slots[name].athrow(error))

    async def await_aclose(self, who, name):
        if self.find(who, name, "g"):
            await self.step_generator(who, f"aclose {name}", self.slots[name].aclose())

    async def await_shutdown_asyncgens(self, who):
        await self.awaiting(who, "shutdown_asyncgens", self.loop.shutdown_asyncgens())

    # Locks, queues and the like

    async def await_with(self, who, name, steps):
        if (lock := self.find(who, name, "lnp")) is not None:
            async with lock:
                return await self.run(who, steps)

    def do_feed_data(self, who, name, text):
        if (reader := self.find(who, name, "r")) is not None:
            self.attempt(who, f"feed_data {name}", lambda: reader.feed_data(text.encode()))

    async def await_readuntil(self, who, name, separator):
        if (reader := self.find(who, name, "r")) is not None:
            await self.awaiting(who, f"readuntil {name}", reader.readuntil(separator.encode()))

    # The driver: what is done with the loop from outside

    def idle(self):
        self.was_idle = True
        self.line("-", "idle")
        self.loop.stop()

    def drive(self, text, run):
        guard = self.loop.call_later(GUARD * TICK, self.idle)
        try:
            result = run()
        except BaseException as error:
            self.line("-", f"{text} !! {self.describe(error)}")
        else:
            self.line("-", f"{text} -> {self.value(result)}")
        guard.cancel()

    def do_run(self, who, name, steps):
        task = self.slots[name] = self.loop.create_task(self.body(name, steps))
        self.drive(f"run {name}", lambda: self.loop.run_until_complete(task))

    def do_run_coro(self, who, name, steps):
        self.drive(f"run_coro {name}", lambda: self.loop.run_until_complete(self.body(name, steps)))

    def do_run_slot(self, who, name):
        if (future := self.find(who, name, AWAITABLE)) is not None:
            self.drive(f"run_slot {name}", lambda: self.loop.run_until_complete(future))

    def do_run_forever(self, who):
        self.drive("run_forever", self.loop.run_forever)

    def end(self):
        """Cancels what is left until nothing is, closes the generators, tells what became of everything."""
        generators, queued = True, True
        for cleanup_round in range(CLEANUP_ROUNDS):
            pending = [task for task in self.loop.tasks if task and not task.done()]
            if pending:
                self.line("-", f"cleanup {len(pending)}")
                if cleanup_round:
                    self.release_locks()
                for task in pending:
                    task.cancel()
                self.drive("run_forever", self.loop.run_forever)
            elif generators:
                generators = False
                self.drive("shutdown_asyncgens", lambda: self.loop.run_until_complete(self.loop.shutdown_asyncgens()))
            elif queued:
                self.was_idle = False       # else stop() has ended it too early
                self.drive("run_forever", self.loop.run_forever)
                queued = not self.was_idle
            else:
                break
        for name in sorted(self.slots):
            if name[0] in AWAITABLE:
                self.line("-", f"final {name} {self.state(self.slots[name])}")
        self.over = True
        pending = task = None       # let go of the tasks
        self.slots.clear()
        self.loop.tasks.clear()
        self.loop.close()
        gc.collect()
        return self.lines + sorted(f"unretrieved {kind} {error}" for kind, error in self.unretrieved)


    def release_locks(self):
        """So that whoever waits for a lock that nobody releases any more goes on: a cancelled wait for a condition does not
        end without it."""
        for name in sorted(self.slots):
            if name[0] in "ln" and self.slots[name].locked():
                self.slots[name].release()


def maker(make):
    def step(run, who, name, *arguments):
        run.slots[name] = make(*arguments)
    return step


def call(operation, letters, method):
    def step(run, who, name, *arguments):
        if (target := run.find(who, name, letters)) is not None:
            run.attempt(who, f"{operation} {name}", lambda: getattr(target, method)(*arguments))
    return step


def awaited_call(operation, letters, method):
    async def step(run, who, name, *arguments):
        if (target := run.find(who, name, letters)) is not None:
            await run.awaiting(who, f"{operation} {name}", getattr(target, method)(*arguments))
    return step


PLAIN = {name[3:]: method for name, method in vars(Run).items() if name.startswith("do_")}
AWAITING = {name[6:]: method for name, method in vars(Run).items() if name.startswith("await_")}

PLAIN |= {operation: maker(make) for operation, make in MAKERS.items()}
PLAIN |= {operation: call(operation, *what) for operation, what in CALLS.items()}
AWAITING |= {operation: awaited_call(operation, *what) for operation, what in AWAITED_CALLS.items()}


def trace_of(program):
    run = Run()
    asyncio.set_event_loop(run.loop)

    def drive():
        for step in program["driver"]:
            try:
                PLAIN[step[0]](run, "-", *step[1:])
            except BaseException as error:
                run.line("-", f"{step[0]} !! {run.describe(error)}")
        return run.end()

    return contextvars.Context().run(drive)


def main():
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda *_: None
    gc.disable()
    gc.collect()
    gc.freeze()
    for text in sys.stdin:
        program = json.loads(text)
        print(json.dumps({"id": program["id"], "trace": trace_of(program)}), flush=True)


if __name__ == "__main__":
    main()
