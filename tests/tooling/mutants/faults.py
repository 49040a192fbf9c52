# SPDX-FileCopyrightText: 2026 QAsyncio contributors
# SPDX-License-Identifier: MIT
"""All small faults that a file can get: each is a piece of text and what stands there instead."""
import dataclasses
import difflib
import re

from .cpp import NO_FUNCTIONS

OTHER_OPERATOR = {"==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "&&": "||", "||": "&&", "+": "-", "-": "+",
                  "+=": "-=", "-=": "+="}
OTHER_NAME = {"true": "false", "false": "true", "min": "max", "max": "min", "front": "back", "back": "front"}
# What is in the brackets behind these is for the compiler, or says nothing about what the program does.
UNSEEN = {"static_assert", "Q_ASSERT", "Q_ASSERT_X", "Q_STATIC_ASSERT", "noexcept", "decltype", "sizeof", "alignof", "alignas",
          "requires", "Q_UNUSED", "constexpr"}
NO_EXPRESSION = NO_FUNCTIONS | {"using", "typedef", "goto", "static_assert", "Q_ASSERT", "Q_ASSERT_X", "Q_UNUSED", "new", "const",
                                "constexpr", "static", "struct", "class", "template", "namespace", "friend", "public", "private"}
SYMMETRIC = {"min", "max", "swap", "exchange"}


@dataclasses.dataclass(frozen=True)
class Fault:
    path: str           # from the top of the tree
    function: str
    line: int
    start: int          # offsets in the file's text
    end: int
    replacement: str

    def apply(self, text):
        return text[:self.start] + self.replacement + text[self.end:]

    def lines(self, text):
        """(before, after): the lines that differ, each in one line, as equivalent.txt names them."""
        begin, end = text.rfind("\n", 0, self.start) + 1, text.find("\n", self.end)
        return (" ".join(text[begin:end].split()),
                " ".join((text[begin:self.start] + self.replacement + text[self.end:end]).split()))

    def diff(self, text):
        return "".join(difflib.unified_diff(text.splitlines(True), self.apply(text).splitlines(True), "a/" + self.path,
                                            "b/" + self.path, n=2))


class Faults:
    """Iterates over the faults of one source file."""

    def __init__(self, source):
        self.source = source
        self.unseen = self._unseen_tokens()

    def __iter__(self):
        s = self.source
        for index in range(len(s)):
            function = s.function_at(index)
            if function is None or index in self.unseen:
                continue
            for first, last, replacement in self._at(index):
                yield self._fault(function.name, first, last, replacement)
        for function in s.functions:
            yield from self._early_return(function)

    def _fault(self, name, first, last, replacement):
        s = self.source
        return Fault(s.path, name, s.line(first), s.tokens[first].start, s.tokens[last].end, replacement)

    def _at(self, index):
        """(first token, last token, replacement) of each fault that begins with a token."""
        token = self.source.tokens[index]
        if token.kind == "number":
            yield from self._other_number(index)
        elif token.kind == "name":
            yield from self._other_name(index)
            yield from self._negated_condition(index)
            yield from self._negated_result(index)
            yield from self._swapped_arguments(index)
        elif token.kind == "operator":
            yield from self._other_operator(index)
            yield from self._dropped_flag(index)
            yield from self._negated_choice(index)
        yield from self._deleted_statement(index)

    def _other_number(self, index):
        digits = re.fullmatch(r"(\d+)([a-zA-Z]*)", self.source[index])
        if digits:
            yield index, index, str(int(digits[1]) + 1) + digits[2]
            if int(digits[1]) > 0:
                yield index, index, str(int(digits[1]) - 1) + digits[2]

    def _other_name(self, index):
        s = self.source
        if s[index] in ("true", "false") or (s[index] in OTHER_NAME and s[index + 1] == "(" and s[index - 1] in (".", "->", "::")):
            yield index, index, OTHER_NAME[s[index]]

    def _other_operator(self, index):
        s = self.source
        if s[index] in OTHER_OPERATOR and s.is_spaced(index):
            yield index, index, OTHER_OPERATOR[s[index]]
        elif s[index] == "!" and s[index + 1] != "=":
            yield index, index, ""
        elif s[index] in ("++", "--"):
            yield index, index, "--" if s[index] == "++" else "++"

    def _negated_condition(self, index):
        s = self.source
        if s[index] not in ("if", "while") or s[index + 1] != "(":
            return
        first, last = index + 2, s.match[index + 1] - 1
        position, declares = first, False
        while position <= last:
            if s[position] == ";":
                first, declares = position + 1, False
            declares = declares or s[position] == "="
            position = s.skip(position)
        if not declares and s[first] != "!":
            yield first, last, f"!({s.span(first, last)})"

    def _negated_result(self, index):
        s = self.source
        if s[index] in ("return", "co_return") and s.function_at(index).head.startswith("bool "):
            last = self._statement_end(index)
            if last and last > index + 1 and s[index + 1] not in ("true", "false", "!"):
                yield index, last, f"{s[index]} !({s.span(index + 1, last - 1)});"

    def _negated_choice(self, index):
        """The condition of ?: is all back to the beginning of the expression."""
        s = self.source
        if s[index] != "?":
            return
        first, closing = index, {end: begin for begin, end in s.match.items()}
        while s[first - 1] not in ("(", "[", "{", "}", ";", ",", "=", "return", "co_return", "?", ":", "<<", "+"):
            first = closing.get(first - 1, first - 1)
        if first < index:
            yield first, index - 1, f"!({s.span(first, index - 1)})"

    def _swapped_arguments(self, index):
        s = self.source
        if s[index + 1] != "(" or s[index] in NO_FUNCTIONS | SYMMETRIC or index + 1 not in s.match:
            return
        end = s.match[index + 1]
        commas, position = [], index + 2
        while position < end:
            if s[position] == ",":
                commas.append(position)
            position = s.skip(position)
        for comma, after in zip(commas, commas[1:] + [end]):
            begin = max([c + 1 for c in commas if c < comma], default=index + 2)
            left, right = s.span(begin, comma - 1), s.span(comma + 1, after - 1)
            if left != right:
                yield begin, after - 1, f"{right}, {left}"

    def _dropped_flag(self, index):
        s = self.source
        if s[index] == "|" and s.is_spaced(index):
            last = self._qualified_name(index + 1)
            if last:
                yield index, last, ""
        elif s[index] == "&" and s[index + 1] == "~" and self._qualified_name(index + 2):
            yield index, self._qualified_name(index + 2), ""

    def _deleted_statement(self, index):
        s = self.source
        if s[index] == ";" or not self._begins_statement(index):
            return
        last = self._statement_end(index)
        if last and (self._is_expression(index, last) or s[index] in ("break", "continue", "throw")
                     or (s[index] in ("return", "co_return") and (last == index + 1 or s[index - 1] == ")"))):
            yield index, last, ";"

    def _early_return(self, function):
        s = self.source
        body = [s[i] for i in range(function.first, function.last)]
        word = "co_return" if any(t.startswith("co_") for t in body) else "return"
        if len(body) < 2:
            return
        if re.match(r"(static |inline |virtual |constexpr )*void ", function.head) or (
                word == "co_return" and re.match(r"(static |inline )*Coroutine<> ", function.head)):
            yield self._fault(function.name, function.first, function.first, "{ " + word + ";")
        elif word == "return" and re.match(r"(static |inline |virtual )*bool ", function.head) and len(body) > 4:
            for result in ("true", "false"):
                yield self._fault(function.name, function.first, function.first, "{ return " + result + ";")

    def _begins_statement(self, index):
        s = self.source
        if s[index - 1] in (";", "{", "}", "else", "do"):
            return True
        if s[index - 1] == ")":
            opening = next((begin for begin, end in s.match.items() if end == index - 1), None)
            return opening is not None and s[opening - 1] in ("if", "for", "while", "constexpr")
        return s[index - 1] == ":" and s[index - 3] in ("case", "::", "default")

    def _statement_end(self, index):
        """Its semicolon."""
        s = self.source
        while s[index] not in (";", "}", ")", "]", ""):
            index = s.skip(index)
        return index if s[index] == ";" else None

    def _is_expression(self, index, last):
        """An expression that does something; no declaration."""
        s = self.source
        if s[index] in NO_EXPRESSION or ".reserve(" in s.span(index, last):
            return False
        if s[index] in ("++", "--", "*", "delete", "co_await", "co_yield", "("):
            return True
        if s[index] == "static_cast" and re.fullmatch(r"static_cast<void>\(\w+\);", s.span(index, last)):
            return False
        while index < last:
            if s[index] == "<" and not s.is_spaced(index):      # arguments of a template
                while s[index] not in (">", ">>", ";"):
                    index = s.skip(index)
            elif s[index] in ("=", "+=", "-=", "|=", "&=", "++", "--", "<<"):
                return True
            elif s.tokens[index].kind == "name" and s.tokens[index - 1].kind == "name" and s[index - 1] not in ("else", "do"):
                return False
            elif s[index] in ("*", "&", "&&", "{"):
                return False
            index = s.skip(index)
        return True

    def _qualified_name(self, index):
        """The last token of a name such as TaskFlags::Done, or None."""
        s = self.source
        if not s.tokens[index].kind == "name":
            return None
        while s[index + 1] == "::" and s.tokens[index + 2].kind == "name":
            index += 2
        return index if s[index + 1] != "(" else None

    def _unseen_tokens(self):
        s = self.source
        unseen = set()
        for index in range(len(s)):
            if s[index] in UNSEEN and s[index + 1] == "(" and index + 1 in s.match:
                unseen.update(range(index, s.match[index + 1] + 1))
        return unseen
