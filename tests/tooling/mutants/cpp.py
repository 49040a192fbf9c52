# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""The tokens of a C++ file in the project's format (.clang-format), its brackets, and the functions they stand in."""
import bisect
import dataclasses
import re

TOKEN = re.compile(r"""
    (?P<space>\s+|//[^\n]*|/\*.*?\*/|(?<![^\n])[ \t]*\#(?:\\.|[^\n\\])*)
  | (?P<string>(?:u8|[uUL])?R"(?P<delimiter>[^()\\\s]*)\(.*?\)(?P=delimiter)"\w* | (?:u8|[uUL])?"(?:\\.|[^"\\\n])*"\w*
        | (?:u8|[uUL])?'(?:\\.|[^'\\\n])*')
  | (?P<number>\.?\d(?:'?[\w.])*)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<operator><=>|->\*|<<=|>>=|\.\.\.|->|\+\+|--|<=|>=|==|!=|&&|\|\||::|[-+*/%&|^]=|<<|>>|.)
""", re.VERBOSE | re.DOTALL | re.MULTILINE)
OPENING = {"(": ")", "[": "]", "{": "}"}
NO_FUNCTIONS = {"if", "for", "while", "switch", "catch", "return", "else", "do", "try", "case", "default"}


@dataclasses.dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int


@dataclasses.dataclass(frozen=True)
class Function:
    name: str       # as it stands there: Task::cancel, or cancel within the class
    head: str       # all that is before its brace
    first: int      # the index of its opening brace
    last: int


class Source:
    """One file. Tokens are named by their index."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.tokens = [Token(m.lastgroup if m.lastgroup != "delimiter" else "string", m[0], m.start(), m.end())
                       for m in TOKEN.finditer(text) if m.lastgroup != "space"]
        self.match = self._matching_brackets()
        self.functions = list(self._find_functions())
        self._line_starts = [0] + [m.end() for m in re.finditer("\n", text)]

    def __getitem__(self, index):
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def __len__(self):
        return len(self.tokens)

    def line(self, index):
        """The number of a token's line, from 1."""
        return self.line_at(self.tokens[index].start)

    def line_at(self, offset):
        return bisect.bisect_right(self._line_starts, offset)

    def span(self, first, last):
        """The text from one token to another, both included."""
        return self.text[self.tokens[first].start:self.tokens[last].end]

    def is_spaced(self, index):
        """Is there white space on both sides? So a comparison differs from the bracket of a template."""
        token = self.tokens[index]
        return self.text[token.start - 1].isspace() and self.text[token.end].isspace()

    def function_at(self, index):
        """The innermost function (no lambda) around a token, or None."""
        around = [f for f in self.functions if f.first < index < f.last]
        return max(around, key=lambda f: f.first, default=None)

    def function_at_line(self, number):
        """The name of the function that has this line; its first lines included."""
        inside = [f for f in self.functions
                  if self.line_at(self.tokens[f.first].start) - 1 <= number <= self.line(f.last)]
        return max(inside, key=lambda f: f.first).name if inside else ""

    def skip(self, index):
        """The index behind a token, or behind the bracket that it opens."""
        return self.match.get(index, index) + 1

    def _matching_brackets(self):
        match, open_ones = {}, []
        for index, token in enumerate(self.tokens):
            if token.kind != "operator":
                continue
            if token.text in OPENING:
                open_ones.append(index)
            elif open_ones and token.text == OPENING[self[open_ones[-1]]]:
                match[open_ones.pop()] = index
        return match

    def _find_functions(self):
        """Blocks whose head has an argument list behind a name, at the beginning: neither control flow nor lambdas."""
        begin = 0
        for index, token in enumerate(self.tokens):
            if token.text in (";", "}") or (token.text == ":" and self[index - 1] in ("public", "private", "protected")):
                begin = index + 1
            elif token.text == "{" and token.kind == "operator":
                name = self._function_name(begin, index)
                if name and index in self.match:
                    yield Function(name, self.span(begin, index), index, self.match[index])
                begin = index + 1

    def _function_name(self, begin, end):
        if begin >= end or self[begin] in NO_FUNCTIONS:
            return None
        index = begin
        while index < end and self[index] != "(":
            if self[index] == "=" and self[index - 1] != "operator":
                return None
            index = self.skip(index)
        if self[index - 1] == "operator":               # operator()(
            index = self.skip(index)
        if index >= end or index == begin or self.match.get(index, end) >= end:
            return None
        if self[index - 1].startswith("Q_"):            # a macro above
            return self._function_name(self.skip(index), end)
        first = index - 1
        for number in range(begin, index):
            if self[number] == "operator":
                first = number
        while first > begin and (self[first - 1] in ("::", "~") or self[first] == "::"):
            first -= 1
        return self.text[self.tokens[first].start:self.tokens[index].start].strip()
