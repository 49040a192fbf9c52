# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""Random programs of the conformance language (README.md), each from a seed of its own."""

import collections
import random

# The operations that a body draws from. Every program scales each of these by chance, so that some programs consist of little
# else than gathers and cancellations and others never see either.
WEIGHTS = {
    "create_task": 6, "sleep": 5, "await": 6, "cancel": 5, "set_result": 2.5, "set_exception": 1, "call_soon": 3,
    "call_later": 3, "call_at": 1.5, "cancel_handle": 1, "try": 4, "call": 1.5, "gather": 2.5, "shield": 2, "wait": 2,
    "wait_for": 2.5, "timeout": 3, "reschedule": 1, "expired": 0.5, "group": 3, "group_task": 1.5, "as_completed": 1.5,
    "complete_in_tasks": 1,
    "agen": 1.5, "next": 1.5, "aclose": 0.5, "athrow": 0.5, "drop": 0.5, "add_done_callback": 2, "remove_done_callback": 1,
    "uncancel": 1, "state": 1, "result": 0.7, "exception": 0.5, "raise": 1.2, "return": 0.5, "set_var": 0.5, "get_var": 0.7,
    "copy_context": 0.3, "stop": 0.4, "report": 0.2, "shutdown_asyncgens": 0.1, "future": 0.3,
    "race": 2.5, "scope_race": 0.7,
    "make": 0.5, "use": 6, "rivals": 3,
    "acquire": 1.5, "release": 2, "with": 2, "locked": 0.7, "event_set": 1.5, "event_clear": 1, "event_wait": 2,
    "condition_wait": 1, "notify": 1.5, "barrier_wait": 2, "barrier_reset": 0.5, "barrier_abort": 0.3, "put": 2, "get": 2,
    "put_nowait": 1.5, "get_nowait": 1.5, "task_done": 1, "join": 0.7, "queue_shutdown": 0.4, "feed_data": 1, "feed_eof": 0.5,
    "read": 0.5, "readline": 0.5, "readexactly": 0.5, "readuntil": 0.5,
}
# Those of locks, queues and the like: the kinds they are for, and what makes their arguments.
CALLS = {
    "acquire": "lnp", "release": "lnp", "locked": "lnp", "event_set": "e", "event_clear": "e", "event_wait": "e",
    "condition_wait": "n", "notify": "n", "barrier_wait": "b", "barrier_reset": "b", "barrier_abort": "b", "put": "q",
    "get": "q", "put_nowait": "q", "get_nowait": "q", "task_done": "q", "join": "q", "queue_shutdown": "q",
    "feed_data": "r", "feed_eof": "r", "read": "r", "readline": "r", "readexactly": "r", "readuntil": "r",
}
ARGUMENTS = {
    "notify": lambda g: [g.random.choice([0, 1, 1, 1, 2])],
    "put": lambda g: [g.random.randint(1, 99)], "put_nowait": lambda g: [g.random.randint(1, 99)],
    "queue_shutdown": lambda g: [g.chance(0.3)], "feed_data": lambda g: [g.random.choice(["a", "ab;", "a\nb", "abcdefgh"])],
    "read": lambda g: [g.random.choice([-1, 0, 2])], "readexactly": lambda g: [g.random.randint(0, 4)],
    "readuntil": lambda g: [";"],
}
MAKERS = {
    "lock": ("l", None), "event": ("e", None), "condition": ("n", None), "semaphore": ("p", (0, 2)),
    "bounded_semaphore": ("p", (1, 2)), "barrier": ("b", (1, 3)), "queue": ("q", (0, 2)), "priority_queue": ("q", (0, 2)),
    "lifo_queue": ("q", (0, 2)), "reader": ("r", (2, 8)),
}
# The operations, besides CALLS, that need something that was made: of these kinds.
NEED = {"make": "lenpbqr", "use": "lenpbqr", "rivals": "lenpbqr", "with": "lnp", **CALLS}
PLAIN = {
    "create_task", "cancel", "set_result", "set_exception", "call_soon", "call_later", "call_at", "cancel_handle", "gather",
    "shield", "reschedule", "expired", "group_task", "agen", "drop", "add_done_callback", "remove_done_callback", "uncancel",
    "state", "result", "exception", "raise", "set_var", "get_var", "complete_in_tasks", "copy_context", "stop", "report",
    "future", "race", "rivals",
    "release", "locked", "event_set", "event_clear", "notify", "put_nowait", "get_nowait", "task_done", "queue_shutdown",
    "feed_data", "feed_eof", *MAKERS, "make",
}
CONTAINERS = {
    "create_task", "call_soon", "call_later", "call_at", "try", "call", "gather", "shield", "wait_for", "timeout", "group",
    "group_task", "agen", "add_done_callback", "scope_race", "with", "use", "rivals",
}
CONTAINERS_AT_DEPTH = [1.5, 0.8, 0.4, 0.15, 0]
DELAYS = [0, 0, 1, 1, 1, 2, 2, 3, -1]
ERRORS = ["ValueError", "AppError", "AppError", "RuntimeError", "TimeoutError", "CancelledError", "InvalidStateError"]

# What changed between CPython's versions (section 6.2 of the semantics): not generated for those before.
SINCE = {
    "uncancel": (3, 13), "timeout": (3, 13), "wait_for": (3, 13), "group": (3, 13), "as_completed": (3, 13),
    "complete_in_tasks": (3, 13),
    "eager": (3, 12), "gather": (3, 12), "agen": (3, 13), "eager_in_group": (3, 14),
    "condition": (3, 13), "semaphore": (3, 13), "bounded_semaphore": (3, 13), "barrier": (3, 13), "queue_shutdown": (3, 13),
}


def left_out(version):
    return {operation for operation, first in SINCE.items() if version < first}


class Generator:
    def __init__(self, seed, leave_out=(), size=None):
        self.random = random.Random(seed)
        self.leave_out = set(leave_out)
        self.budget = size or round(3 + 55 * self.random.random() ** 1.5)
        self.weights = {operation: weight * self.random.choice([0, 0.3, 1, 1, 1, 3])
                        for operation, weight in WEIGHTS.items() if operation not in self.leave_out}
        self.names = collections.Counter()
        self.all = collections.defaultdict(list)    # by first letter; also of tasks whose body is still being written
        self.done = []                              # what may be awaited: no cycle of awaits comes of these
        self.generators = []                        # those that may be stepped, for the same reason
        self.callback_targets = {}
        self.scopes = []
        self.groups = []
        self.depth = 0
        self.exits = self.random.random() < 0.05
        self.kinds = self.some_kinds()
        letters = {MAKERS[kind][0] for kind in self.kinds}
        boost = self.random.choice([1, 1, 2, 3])
        for operation, needed in NEED.items():
            if not letters & set(needed):
                self.weights.pop(operation, None)
            elif operation in self.weights:
                self.weights[operation] *= boost

    def some_kinds(self):
        """The locks, queues and the like that the program may make: few, so that many things are done to each."""
        if self.chance(0.35):
            return []
        kinds = [kind for kind in MAKERS if kind not in self.leave_out]
        return self.random.sample(kinds, self.random.choice([1, 1, 2, 3]))

    def new(self, letter):
        name = f"{letter}{self.names[letter]}"
        self.names[letter] += 1
        self.all[letter].append(name)
        return name

    def chance(self, probability):
        return self.random.random() < probability

    def delay(self):
        return self.random.choice(DELAYS)

    def maybe_delay(self):
        return None if self.chance(0.15) else self.delay()

    def message(self, probability=0.5):
        self.names["message"] += 1
        return f"m{self.names['message']}" if self.chance(probability) else None

    def value(self):
        self.names["value"] += 1
        return self.names["value"]

    def error(self):
        return self.random.choice(ERRORS)

    def any_of(self, letters):
        """A name of one of these kinds; most often one of the last that were made."""
        names = [name for letter in letters for name in self.all[letter]]
        return self.random.choice(names[-5:] if self.chance(0.6) else names) if names else None

    def awaitable(self, letters="ftas"):
        names = [name for name in self.done if name[0] in letters]
        return self.random.choice(names[-5:] if self.chance(0.6) else names) if names else None

    def several(self, letters):
        names = [self.awaitable(letters) for _ in range(self.random.randint(1, 4))]
        return [name for name in names if name]

    def spec(self):
        if self.chance(0.5) and (name := self.awaitable()):
            return name
        return self.coroutine()

    def coroutine(self):
        name = self.new("c")
        return ["coro", name, self.body("await", 4)]

    # Bodies

    def body(self, kind, most, least=1):
        steps = []
        self.depth += 1
        for _ in range(self.random.randint(least, most)):
            steps += self.steps(kind)
            if self.budget <= 0 or steps and steps[-1][0] in ("return", "raise"):
                break
        self.depth -= 1
        return steps

    def steps(self, kind):
        """One operation and what belongs to it."""
        self.budget -= 1
        weights = {o: w for o, w in self.weights.items() if kind != "plain" or o in PLAIN}
        containers = CONTAINERS_AT_DEPTH[min(self.depth, 5) - 1] if self.budget > 0 else 0
        for operation in weights.keys() & CONTAINERS:
            weights[operation] *= containers
        for _ in range(5):      # some operations find nothing to work on
            if not any(weights.values()):
                break
            operation = self.random.choices(list(weights), list(weights.values()))[0]
            steps = self.make(operation)
            if kind == "plain":     # some of them come with an await
                steps = [step for step in steps or [] if step[0] in PLAIN]
            if steps:
                return steps
        return []

    def make(self, operation):
        if operation not in CALLS:
            return getattr(self, "make_" + operation)()
        name = self.any_of(CALLS[operation])
        return name and [self.call(operation, name)]

    def call(self, operation, name):
        return [operation, name, *ARGUMENTS.get(operation, lambda _: [])(self)]

    def options(self):
        context = self.any_of("k")
        return {"context": context} if context and self.chance(0.3) else {}

    def make_call_soon(self):
        name = self.new("h")
        return [["call_soon", name, self.body("plain", 3), self.options()]]

    def make_call_later(self):
        name = self.new("h")
        return [["call_later", name, self.delay(), self.body("plain", 3), self.options()]]

    def make_call_at(self):
        name = self.new("h")
        return [["call_at", name, self.random.randint(0, 6), self.body("plain", 3), self.options()]]

    def make_cancel_handle(self):
        name = self.any_of("h")
        return name and [["cancel_handle", name]]

    def make_stop(self):
        return [["stop"]]

    def make_raise(self):
        if self.exits and self.chance(0.3):
            return [["raise", "LoopExit", None]]
        return [["raise", self.error(), self.message(0.8)]]

    def make_return(self):
        return [["return", self.value()]]

    def make_report(self):
        return [["report", "hello"]]

    def make_set_var(self):
        return [["set_var", self.value()]]

    def make_get_var(self):
        return [["get_var"]]

    def make_copy_context(self):
        return [["copy_context", self.new("k")]]

    def make_future(self):
        name = self.new("f")
        self.done.append(name)
        return [["future", name]]

    def make_create_task(self):
        name = self.new("t")
        body = self.body("await", 5)
        self.done.append(name)
        return [["create_task", name, body, self.task_options() or self.options()]]

    def task_options(self):
        eager = "eager" not in self.leave_out and self.chance(0.15)
        return {"eager": True} if eager else {}

    def make_set_result(self):
        name = self.any_of("f")
        return name and [["set_result", name, self.value()]]

    def make_set_exception(self):
        name = self.any_of("f")
        return name and [["set_exception", name, self.error(), self.message(0.8)]]

    def make_cancel(self):
        name = "me" if self.chance(0.08) else self.any_of("ttttfas")
        steps = name and [["cancel", name, self.message(0.4)]]
        if steps and self.chance(0.15):
            steps *= 2
        return steps

    def make_uncancel(self):
        name = "me" if self.chance(0.6) else self.any_of("t")
        return name and [["uncancel", name]]

    def make_result(self):
        name = self.any_of("ftas")
        return name and [["result", name]]

    def make_exception(self):
        name = self.any_of("ftas")
        return name and [["exception", name]]

    def make_state(self):
        name = self.any_of("ftas")
        return name and [["state", name]]

    def make_add_done_callback(self):
        target = self.any_of("ftas")
        return target and [self.done_callback(target, self.body("plain", 2, 0), self.options())]

    def done_callback(self, target, steps, options):
        name = self.new("d")
        self.callback_targets[name] = target
        return ["add_done_callback", target, name, steps, options]

    def make_remove_done_callback(self):
        name = self.any_of("d")
        steps = name and [["remove_done_callback", name]]
        if steps and self.chance(0.2):  # another one comes, and must not go instead
            steps += [self.done_callback(self.callback_targets[name], [], {}), *steps]
        return steps

    def make_drop(self):
        name = self.any_of("ftg")
        steps = name and [["drop", name]]
        if steps and name[0] == "g" and "shutdown_asyncgens" in self.weights and self.chance(0.1):
            steps += self.make_shutdown_asyncgens()
        return steps

    def make_sleep(self):
        return [["sleep", self.delay()]]

    def make_await(self):
        name = self.awaitable()
        return name and [["await", name]]

    def make_call(self):
        return [["call", self.new("c"), self.body("await", 4)]]

    def guarded(self, body):
        """["try", ...] around a body."""
        catch = self.random.choice(["", "CancelledError", "CancelledError", "Exception", "any"])
        handler = self.body("await", 3, 0) if catch else []
        cleanup = self.body("await", 2, 0) if self.chance(0.4) or not catch else []
        return ["try", body, catch, handler, self.random.choice(["swallow", "reraise"]), cleanup]

    def make_try(self):
        return [self.guarded(self.body("await", 4))]

    def make_gather(self):
        specs = [self.spec() for _ in range(self.random.randint(0, 3))]
        if specs and self.chance(0.2):
            specs.append(next((s for s in specs if isinstance(s, str)), specs[0]))  # the same one twice
            specs = [s for i, s in enumerate(specs) if isinstance(s, str) or s not in specs[:i]]
        name = self.new("a")
        if specs and self.chance(0.05):     # one that never ends, because nobody knows what it waits for
            never = self.new("f")
            self.all["f"].remove(never)
            return [["future", never], ["gather", name, [*specs, never], self.chance(0.7)]]
        self.done.append(name)
        return [["gather", name, specs, self.chance(0.4)]] + [["await", name]] * self.chance(0.7)

    def make_shield(self):
        if self.chance(0.15) and (inner := self.awaitable("ft")):
            return self.left_shields(inner)
        spec, name = self.spec(), self.new("s")
        self.done.append(name)
        return [["shield", name, spec]] + [["await", name]] * self.chance(0.7)

    def left_shields(self, inner):
        """Several of one future, some of them left."""
        names = [self.new("s") for _ in range(self.random.randint(2, 3))]
        self.done += names
        steps = [["cancel", name, self.message(0.4)] for name in names if self.chance(0.7)]
        if self.chance(0.3):
            steps.insert(self.random.randint(0, len(steps)), self.done_callback(inner, [], {}))
        return [["shield", name, inner] for name in names] + steps

    def make_wait(self):
        mode = self.random.choice(["FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"])
        names = self.several("ftas")
        return (names or self.chance(0.05)) and [["wait", names, mode, None if self.chance(0.5) else self.delay()]]

    def make_wait_for(self):
        return [["wait_for", self.spec(), self.maybe_delay()]]

    def make_as_completed(self):
        names = list(dict.fromkeys(self.several("ft")))
        timeout = None if self.chance(0.6) else self.delay()
        style = self.random.choice(["futures", "plain"])
        return (names or self.chance(0.05)) and [["as_completed", names, timeout, style, self.random.randint(1, 5)]]

    def make_complete_in_tasks(self):
        names = list(dict.fromkeys(self.several("ft")))
        tasks = [self.new("t") for _ in range(self.random.randint(1, 3))]
        self.done += tasks
        timeout = None if self.chance(0.6) else self.delay()
        steps = names and [["complete_in_tasks", names, timeout, tasks]]
        if steps and self.chance(0.4):  # cancelled when it has just been told
            cancel = ["cancel", self.random.choice(tasks), self.message(0.4)]
            steps.append(self.done_callback(self.random.choice(names), [cancel], {}))
        return steps

    def make_timeout(self):
        name = self.new("x")
        delay = self.maybe_delay()
        self.scopes.append(name)
        body = self.body("await", 4)
        if self.chance(0.3):
            self.scopes.remove(name)
        return [["timeout", name, delay, body]]

    def make_reschedule(self):
        return self.scopes and [["reschedule", self.random.choice(self.scopes), self.maybe_delay()]]

    def make_expired(self):
        return self.scopes and [["expired", self.random.choice(self.scopes)]]

    def make_group(self):
        name = self.new("u")
        self.groups.append(name)
        body = self.body("await", 3, 0)
        for _ in range(self.random.randint(0, 3)):
            body.insert(self.random.randint(0, len(body)), self.group_task(name))
        if self.chance(0.5):
            self.groups.remove(name)
        return [["group", name, body]]

    def group_task(self, group):
        name = self.new("t")
        body = self.body("await", 4)
        self.done.append(name)
        eager = "eager_in_group" not in self.leave_out and self.chance(0.15)
        return ["group_task", group, name, body] + [{"eager": True}] * eager

    def make_group_task(self):
        return self.groups and [self.group_task(self.random.choice(self.groups))]

    def make_agen(self):
        name = self.new("g")
        body = []
        for _ in range(self.random.randint(1, 4)):
            if self.chance(0.35):
                inner = self.body("await", 2, 0)
                inner.insert(self.random.randint(0, len(inner)), ["yield", self.value()])
                body.append(self.guarded(inner))
            elif self.chance(0.6):
                body.append(["yield", self.value()])
            else:
                body += self.body("await", 2)
        self.generators.append(name)
        return [["agen", name, body]] + [["next", name]] * self.random.randint(0, 2)

    def generator(self):
        return self.random.choice(self.generators) if self.generators else None

    def make_next(self):
        name = self.generator()
        return name and [["next", name]] * self.random.randint(1, 2)

    def make_aclose(self):
        name = self.generator()
        return name and [["aclose", name]]

    def make_athrow(self):
        name = self.generator()
        return name and [["athrow", name, self.error(), self.message()]]

    def make_shutdown_asyncgens(self):
        return [["shutdown_asyncgens"]]

    # Locks, queues and the like

    def make_make(self):
        return [self.made(self.random.choice(self.kinds))]

    def made(self, kind):
        letter, sizes = MAKERS[kind]
        return [kind, self.new(letter)] + ([self.random.randint(*sizes)] if sizes else [])

    def make_with(self):
        name = self.any_of("lnp")
        return name and [["with", name, self.body("await", 3)]]

    def make_use(self):
        name = self.any_of("lenpbqr")
        return name and self.use(name)

    def use(self, name):
        """What a task does with it as a rule. Sometimes there is not the time for it."""
        uses = {"e": self.use_event, "n": self.use_condition, "b": self.use_barrier, "q": self.use_queue, "r": self.use_reader}
        steps = uses.get(name[0], self.use_lock)(name)
        if self.chance(0.25):
            steps = self.limited(steps)
        if self.chance(0.15):
            steps = [self.guarded(steps)]
        return steps

    def limited(self, steps):
        if "timeout" in self.weights and self.chance(0.5):
            return [["timeout", self.new("x"), self.delay(), steps]]
        if "wait_for" in self.weights:
            return [["wait_for", ["coro", self.new("c"), steps], self.delay()]]
        return steps

    def use_lock(self, name):
        # Permits at once, for several who wait.
        permits = [["release", name]] * self.random.randint(2, 3) if name[0] == "p" and self.chance(0.15) else []
        return permits + self.held(name, self.body("await", 2))

    def held(self, name, steps):
        """Steps between an acquire() and, most often, a release()."""
        if self.chance(0.6):
            return [["with", name, steps]]
        if self.chance(0.7):
            return [["acquire", name], ["try", steps, "", [], "swallow", [["release", name]]]]
        return [["acquire", name], *steps] + [["release", name]] * self.chance(0.7)

    def use_condition(self, name):
        before, after = self.body("await", 1, 0), self.body("await", 1, 0)
        if self.chance(0.6):
            return self.held(name, before + [["condition_wait", name]] * self.random.choice([1, 1, 2]) + after)
        return self.notifying(name, before, after)

    def notifying(self, name, before, after):
        return [["sleep", self.delay()]] * self.chance(0.6) + self.held(name, before + [self.call("notify", name)] + after)

    def use_event(self, name):
        wait, set_, clear = ([operation, name] for operation in ("event_wait", "event_set", "event_clear"))
        return self.random.choice([[wait], [wait], [wait, clear], [set_], [set_, clear], [clear, wait]])

    def use_barrier(self, name):
        operation = self.random.choices(["barrier_wait", "barrier_reset", "barrier_abort"], [8, 1.5, 0.5])[0]
        return [[operation, name]] + [["barrier_wait", name]] * self.chance(0.4)

    def use_queue(self, name):
        operations = self.random.choices(["put", "get", "put_nowait", "get_nowait", "join"], [4, 5, 1, 1, 1],
                                         k=self.random.randint(1, 3))
        steps = []
        for operation in operations:
            steps.append(self.call(operation, name))
            if operation.startswith("get") and self.chance(0.5):
                steps.append(["task_done", name])
        return steps

    def use_reader(self, name):
        operations = self.random.choices(["feed_data", "feed_eof", "read", "readline", "readexactly", "readuntil"],
                                         [6, 1, 3, 2, 2, 2], k=self.random.randint(1, 3))
        return [self.call(operation, name) for operation in operations]

    def make_rivals(self):
        """Several tasks at one of them, and what is done to it and to them in one turn."""
        name = self.any_of("lenpbqr")
        if not name:
            return None
        bodies = [[["sleep", self.delay()]] * self.chance(0.4) + self.use(name) for _ in range(self.random.randint(2, 4))]
        if name[0] == "n":      # for those who wait; some of them keep the lock for a while
            pause = [["sleep", self.random.randint(1, 3)]]
            bodies += [self.notifying(name, pause * self.chance(0.4), pause * self.chance(0.4))
                       for _ in range(self.random.randint(1, 2))]
        if "gather" in self.weights and self.chance(0.15):
            gathered = self.new("a")
            self.done.append(gathered)
            return [["gather", gathered, [["coro", self.new("c"), body] for body in bodies], self.chance(0.4)],
                    ["await", gathered]]
        tasks = [self.new("t") for _ in bodies]
        self.done += tasks
        victim = self.random.choice(tasks)
        strikes = [self.strike(name, [victim, self.random.choice(tasks)]) for _ in range(self.random.choice([0, 1, 2, 3]))]
        if "group" in self.weights and self.chance(0.2):
            group = self.new("u")
            return [*strikes, ["group", group, [["group_task", group, *task] for task in zip(tasks, bodies)]]]
        return [["create_task", task, body, self.task_options()] for task, body in zip(tasks, bodies)] + strikes

    def strike(self, name, tasks):
        calls = [operation for operation, letters in CALLS.items()
                 if name[0] in letters and operation in PLAIN and operation in self.weights]
        steps = []
        for _ in range(self.random.randint(1, 4)):
            if calls and self.chance(0.6):
                steps.append(self.call(self.random.choice(calls), name))
            else:
                steps.append(["cancel", self.random.choice(tasks), self.message()])
        return ["call_later", self.new("h"), self.delay(), steps, {}]

    # Several things due in one turn

    def blow(self):
        """Completes or cancels something."""
        operations = ["cancel", "cancel", "set_result", "set_result", "set_exception", "uncancel"]
        operations += [operation for operation in CALLS if operation in PLAIN and operation in self.weights]
        operation = self.random.choice(operations)
        return operation in self.weights and self.make(operation) or []

    def make_race(self):
        delay = self.delay()
        steps = []
        for _ in range(self.random.randint(1, 3)):
            blows = [step for _ in range(self.random.randint(1, 3)) for step in self.blow()]
            steps.append(["call_later", self.new("h"), delay, blows, {}])
        return steps

    def make_scope_race(self):
        """Scopes in each other with one deadline, or the next tick."""
        delay = self.random.randint(0, 2)
        steps = self.body("await", 3) + [["sleep", delay + self.random.randint(-1, 1)]]
        for _ in range(2):
            if "timeout" in self.weights and self.chance(0.7):
                steps = [["timeout", self.new("x"), delay, steps]]
            elif "group" in self.weights and self.chance(0.7):
                group = self.new("u")
                steps = [["group", group, [self.group_task(group)] + steps]]
            else:
                steps = [["try", steps, "CancelledError", [["sleep", self.delay()]], "reraise", []]]
        return steps

    # The whole

    def setters(self):
        """Completes some of the futures, several of them at the same time."""
        steps = []
        for name in list(self.all["f"]):
            if self.chance(0.75):
                operation = self.random.choice(["set_result", "set_result", "set_exception", "cancel"])
                step = {"set_result": [operation, name, self.value()],
                        "set_exception": [operation, name, self.error(), self.message(0.8)],
                        "cancel": [operation, name, self.message(0.4)]}[operation]
                steps.append(["call_later", self.new("h"), self.random.randint(0, 3), [step], {}])
        self.random.shuffle(steps)
        return steps

    def program(self):
        driver = [self.made(kind) for kind in self.kinds]
        for _ in range(self.random.choice([0, 1, 1, 2, 3, 4])):
            driver += self.make_future()
        driver += self.setters()
        driver += self.body("plain", 3, 0) if self.chance(0.6) else []
        for run in range(self.random.choice([1, 1, 1, 2, 3])):
            if self.budget <= 0 and run:
                break
            kind = self.random.choice(["run", "run", "run", "run_coro", "run_slot", "run_forever"]) if run else "run"
            if kind == "run":
                name = self.new("t")
                tasks = [self.make_create_task()[0] for _ in range(self.random.choice([0, 0, 1, 2, 3]))]
                if self.kinds and "rivals" in self.weights and self.chance(0.4):
                    tasks += self.make_rivals()
                driver.append(["run", name, tasks + self.body("await", 8)])
                self.done.append(name)
            elif kind == "run_coro":
                driver.append(["run_coro", self.new("c"), self.body("await", 5)])
            elif kind == "run_slot":
                driver += [["run_slot", name]] if (name := self.awaitable()) else []
            else:
                driver += [["stop"]] if self.chance(0.5) else []
                driver.append(["run_forever"])
            if self.chance(0.2):
                driver += self.body("plain", 2, 0)
        return driver


def program(seed, leave_out=(), size=None):
    return Generator(seed, leave_out, size).program()
