#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Finds what g++ 12 miscompiles: an expression with `co_await` that also has a braced object, a
capturing lambda or `?:` frees those temporaries twice. Name the object first, then move it in.

Finds `if (co_await f())` and `while (co_await f())` too, whose temporaries are freed in the middle of
a statement. Name the result first, or in the condition: `if (auto r = co_await f())`.

Finds `co_await co_spawn(...)` too, outside SPAWN_ALLOWED: cancelling it across executors is a
use-after-free in Boost 1.81.

Usage: check_co_await.py [--self-test] [FILE...]
"""

import sys

import cpp_text

FOLDERS = ("include", "src", "examples", "tests", "benchmarks")
# where co_spawn may be awaited: the one place where code changes executor, and what stays on its
# own strand
SPAWN_ALLOWED = {"src/hop.hpp", "src/rest/connection.cpp"}

OPEN = {"(": ")", "[": "]", "{": "}", "[[": "]"}
STATEMENT_HEADS = {"if", "while", "for", "switch", "catch"}
# what stands before the brace of a block
BLOCK_HEADS = {")", "else", "do", "try", "const", "noexcept", "mutable", "override", "final", ";",
               "{", "}", ":"}


class Finder:
    def __init__(self, text):
        self.tokens = cpp_text.tokens(text)
        self.match = {}
        stack = []
        for index, (token, _) in enumerate(self.tokens):
            if token in OPEN:
                stack.append(index)
                if token == "[[":  # closed by two brackets
                    stack.append(index)
            elif token in (")", "]", "}") and stack:
                start = stack.pop()
                self.match[start] = index
                self.match[index] = start

    def word(self, index):
        return self.tokens[index][0] if 0 <= index < len(self.tokens) else ""

    def is_lambda(self, index):
        """Whether the `[` at index introduces a lambda (not a subscript, attribute, binding)."""
        if self.word(index) != "[":
            return False
        before = self.word(index - 1)
        if before in ("&", "&&") and self.word(index - 2) == "auto" or before == "auto":
            return False
        named = before.isidentifier() and before not in ("return", "co_return", "co_await", "co_yield")
        return not named and before not in (")", "]", '""')

    def is_block(self, index):
        """Whether the `{` at index opens a block, a body or a type; else a braced object."""
        if self.word(index - 1) in BLOCK_HEADS or index == 0:
            return True
        if self.word(index - 1) == "]" and self.is_lambda(self.match.get(index - 1, 0)):
            return True
        # a trailing return type, a base list, a type's or namespace's name
        step = index - 1
        while step >= 0:
            token = self.word(step)
            if token in (")", "]", ">", "}") and step in self.match and token != "}":
                step = self.match[step] - 1
                continue
            if token == "->" and self.word(step - 1) in (")", "]", "mutable", "noexcept"):
                return True
            if token in ("struct", "class", "union", "enum", "namespace"):
                return True
            if token in (";", "{", "}", "(", "=", ",", "return", "co_return", "co_await", "?"):
                return False
            step -= 1
        return True

    def bounds(self, at):
        """First and past-the-last token of the full expression around the token `at`."""
        start = at
        while start > 0:
            token = self.word(start - 1)
            if token == ";":
                break
            if token in (")", "]"):
                if start - 1 not in self.match:
                    break
                opening = self.match[start - 1]
                # the head of a statement: `if (…) co_await f();`
                if token == ")" and self.word(opening - 1) in STATEMENT_HEADS:
                    break
                start = opening
            elif token == "}":
                if start - 1 not in self.match or self.ends_statement(self.match[start - 1]):
                    break
                start = self.match[start - 1]
            elif token == "{":
                if self.is_block(start - 1):
                    break
                start -= 1
            elif token == "(" and self.word(start - 2) in STATEMENT_HEADS:
                break
            elif token in ("else", "do"):
                break
            else:
                start -= 1
        end = start
        while end < len(self.tokens):
            token = self.word(end)
            if token == ";" or token in (")", "]", "}") and end >= at and self.match.get(end, end) < start:
                break
            if token == "{" and end > at and self.is_block(end) and not self.is_body(end):
                break
            end = self.match[end] + 1 if token in OPEN and end in self.match and not (
                end < at < self.match[end]) else end + 1
        return start, end

    def is_body(self, index):
        """Whether the block at index is a lambda's, so the expression goes on behind it."""
        step = index - 1
        while step >= 0 and self.word(step) not in (";", "{", "}"):
            if self.word(step) in (")", "]") and step in self.match:
                step = self.match[step]
                if self.is_lambda(step):
                    return True
            step -= 1
        return False

    def ends_statement(self, opening):
        return self.is_block(opening) and not self.is_body(opening)

    def faults_in(self, start, end):
        """(line, what) for each trap between the tokens; bodies of lambdas are not looked into."""
        index = start
        while index < end:
            token, line = self.tokens[index]
            if token == "?":
                yield line, "?:"
            elif self.is_lambda(index):
                if self.match.get(index, index + 1) > index + 1:
                    yield line, "a capturing lambda"
                index = self.match.get(index, index)
            elif token == "{":
                if not self.is_block(index):
                    yield line, "a braced object"
                if not self.is_block(index) or self.is_body(index):
                    index = self.match.get(index, index)
            index += 1

    def condition_around(self, at):
        """The `(` of the condition that the token `at` stands in; None: in none."""
        index = at - 1
        while index >= 0:
            token = self.word(index)
            if token in (")", "]", "}") and index in self.match:
                index = self.match[index]
            elif token == "(" and self.condition_head(index):
                return index
            elif token == "{" and (self.is_block(index) or self.is_body(index)):
                return None
            index -= 1
        return None

    def condition_head(self, opening):
        """The word before the `(` when what follows is a condition."""
        word = self.word(opening - 1)
        word = self.word(opening - 2) if word == "constexpr" else word
        return word if word in ("if", "while") else None

    def is_nameless_condition(self, at):
        """Whether the token `at` stands in a condition, and its result gets no name."""
        opening = self.condition_around(at)
        if opening is None:
            return False
        start = index = opening + 1
        while index < self.match.get(opening, index):
            if self.word(index) == ";":
                start = index + 1  # what comes before is a statement of its own
            index = self.match[index] + 1 if self.word(index) in OPEN and index in self.match else index + 1
        return start <= at and not self.declares(start, at)

    def declares(self, start, at):
        """Whether the tokens between are those of `auto r =`."""
        for index in range(start, at):
            if self.word(index) == "=":
                compares = self.word(index + 1) == "=" or self.word(index - 1) in ("!", "<", ">")
                return not compares and index - start >= 2 and self.word(index - 1).isidentifier()
        return False

    def faults(self, spawn_allowed):
        found = set()
        for index, (token, line) in enumerate(self.tokens):
            if token != "co_await":
                continue
            found.update(self.faults_in(*self.bounds(index)))
            if self.is_nameless_condition(index):
                found.add((line, "a condition with no name for the result"))
            call = index + 1
            while self.word(call + 1) == "::":
                call += 2
            if self.word(call) == "co_spawn" and not spawn_allowed:
                found.add((line, "co_spawn (use src/hop.hpp)"))
        return sorted(found)


def check(text, spawn_allowed=False):
    return Finder(text).faults(spawn_allowed)


def self_test():
    """Lines marked `// bad` must be found, and no others."""
    wrong = 0
    for sample in sorted((cpp_text.ROOT / "tests/checks/samples").glob("co_await*.txt")):
        text = sample.read_text(encoding="utf-8")
        expected = {number for number, line in enumerate(text.splitlines(), 1)
                    if line.rstrip().endswith("// bad")}
        found = {line for line, _ in check(text)}
        for line in sorted(expected - found):
            print(f"{sample}:{line}: not found")
        for line in sorted(found - expected):
            print(f"{sample}:{line}: found, but it is fine")
        wrong += len(expected ^ found)
        print(f"{sample.name}: {len(expected)} traps expected, {len(found)} found")
    return 1 if wrong else 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    paths = arguments or list(cpp_text.sources(*FOLDERS))
    count = 0
    for path in paths:
        for line, what in check(cpp_text.read(path), str(path) in SPAWN_ALLOWED):
            print(f"{path}:{line}: {what} in an expression with co_await")
            count += 1
    print(f"{len(paths)} files, {count} faults")
    return 1 if count or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
