#!/usr/bin/env node
// SPDX-FileCopyrightText: 2026 QAsyncio contributors
// SPDX-License-Identifier: MIT

// The CPython that QAsyncio is compared with: a real one, compiled to WebAssembly, from npm's package pyodide (which
// scripts/conformance fetches). Runs `-c CODE` or a file, as python3 does. Of Pyodide's own event loop nothing is left: what
// runs is unmodified asyncio.

import fs from "node:fs";

const { loadPyodide } = await import(new URL("../../build/pyodide/node_modules/pyodide/pyodide.mjs", import.meta.url));

const [first, ...rest] = process.argv.slice(2);
const [source, name, args] = first === "-c" ? [rest[0], "-c", rest.slice(1)] : [fs.readFileSync(first, "utf8"), first, rest];

const python = await loadPyodide();
python.setStdin({ read: (buffer) => fs.readSync(0, buffer) });
python.setStdout({ write: (buffer) => fs.writeSync(1, buffer) });
python.setStderr({ write: (buffer) => fs.writeSync(2, buffer) });
python.globals.set("arguments_of_the_program", python.toPy([name, ...args]));
python.runPython(`
import asyncio.unix_events, sys
sys.argv = arguments_of_the_program
asyncio._set_running_loop(None)
for method in "_make_self_pipe", "_close_self_pipe":    # there are no sockets
    setattr(asyncio.SelectorEventLoop, method, lambda self: None)
`);
try {
    python.runPython(source, { filename: name });
} catch (error) {
    console.error(error.message);
    process.exitCode = 1;
}
