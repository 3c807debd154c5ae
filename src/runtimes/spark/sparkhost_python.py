# SPDX-License-Identifier: Apache-2.0
"""Runs statements of kind pyspark."""

import __future__
import ast
import builtins
import collections
import contextlib
import inspect
import linecache
import sys
import types

from sparkhost_completion import complete_python
from sparkhost_magics import MagicPart, has_magics, rich_forms, run_magic, split_magics
from sparkhost_text import cut_text, describe_exception, statement_file


# What is shown at the end of a statement: an expression's value or, as at the prompt, what stands in
# a block by itself.
CodePart = collections.namedtuple("CodePart", "body tail is_block")
SHOWN = (ast.Expr, ast.If, ast.For, ast.While, ast.With, ast.Try, ast.AsyncFor, ast.AsyncWith)


class SourceLines:
    """Makes tracebacks show the lines of statements; forgets the oldest."""

    def __init__(self, capacity=16 << 20):
        self._capacity = capacity
        self._used = 0
        self._sizes = collections.OrderedDict()

    def add(self, name, code):
        # without a time, so that linecache does not look for a file
        linecache.cache[name] = (len(code), None, code.splitlines(True), name)
        self._sizes[name] = len(code)
        self._used += len(code)
        while self._used > self._capacity and len(self._sizes) > 1:
            oldest, size = self._sizes.popitem(last=False)
            linecache.cache.pop(oldest, None)
            self._used -= size


class PythonCode:
    """Runs statements of kind pyspark in a module of their own, `__main__`."""

    def __init__(self, max_size, rich=False):
        self._max_size = max_size
        self._rich = rich
        module = types.ModuleType("__main__")
        module.__dict__.update(__builtins__=builtins, __doc__=None)
        self.names = module.__dict__
        self._own_main = sys.modules["__main__"]  # must live on: its globals are ours
        sys.modules["__main__"] = module
        self._sources = SourceLines()
        self._features = 0  # of `from __future__`, from then on
        self._all_features = 0
        for name in __future__.all_feature_names:
            self._all_features |= getattr(__future__, name).compiler_flag
        self._loop = None
        self._echoes = []  # of one statement
        self._in_block = False
        self._forms = {}, []
        sys.displayhook = self._display

    def run(self, statement):
        """Gives (data, notes). Raises what the code raises."""
        name = statement_file(statement.id)
        self._sources.add(name, statement.code)
        self._echoes, self._forms = [], ({}, [])
        for part in self._parts(statement.code, name):
            self._forms = {}, []  # the last part is what is shown
            if isinstance(part, MagicPart):
                self._forms = run_magic(part, self.names), []
            else:
                self._run_code(part)
        data, notes = self._forms
        if self._echoes:
            data["text/plain"] = cut_text("\n".join(self._echoes), self._max_size)
        return data, notes

    def _parts(self, code, name):
        """Magics and compiled code. Lines that begin with % are magics only where the whole is not
        Python, as with Livy: it may be an expression or a text that goes on. Raises SyntaxError
        before anything has run."""
        try:
            return [self._compile(code, name)]
        except SyntaxError as error:
            if not has_magics(code):
                raise
            whole = error
        try:
            return [part if isinstance(part, MagicPart) else self._compile(part.text, name)
                    for part in split_magics(code)]
        except SyntaxError as error:
            # the one that tells more: the whole's, unless a magic is all that it stumbles over
            line = (code.split("\n") + [""])[(whole.lineno or 0) - 1]
            raise (error if line.startswith("%") else whole) from None

    def _run_code(self, part):
        self._in_block = part.is_block
        if any(code.co_flags & inspect.CO_COROUTINE for code in part[:2] if code):
            self._in_loop(self._await(part.body, part.tail))
            return
        if part.body is not None:
            eval(part.body, self.names)
        if part.tail is not None:
            sys.displayhook(eval(part.tail, self.names))  # a block has no value

    def _compile(self, code, name):
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | self._features
        tree = compile(code, name, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
        body = tail = None
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], SHOWN) else None
        if tree.body:
            body = compile(tree, name, "exec", flags, dont_inherit=True)
            self._features |= body.co_flags & self._all_features
            flags |= self._features
        if isinstance(last, ast.Expr):
            tail = compile(ast.Expression(last.value), name, "eval", flags, dont_inherit=True)
        elif last is not None:
            tail = compile(ast.Interactive([last]), name, "single", flags, dont_inherit=True)
        return CodePart(body, tail, last is not None and not isinstance(last, ast.Expr))

    async def _await(self, body, tail):
        """All of a statement that awaits anywhere runs inside the loop."""
        for part in (body, tail):
            if part is not None:
                value = eval(part, self.names)
                if part.co_flags & inspect.CO_COROUTINE:
                    value = await value
                if part is tail:
                    sys.displayhook(value)

    def _in_loop(self, coroutine):
        import asyncio
        if self._loop is None or self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        task = self._loop.create_task(coroutine)
        try:
            self._loop.run_until_complete(task)
        except BaseException:
            if task.done():
                task.cancelled() or task.exception()  # or asyncio complains that nobody looked
            else:  # interrupted: the coroutine is told and may clean up
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    self._loop.run_until_complete(task)
            raise

    def _display(self, value):
        if value is None:
            return
        builtins._ = None
        if self._in_block:
            print(repr(value))
        else:
            self._echoes.append(repr(value))
        if self._rich:
            self._forms = rich_forms(value, self._max_size)
        builtins._ = value

    @staticmethod
    def describe(error, cut):
        return describe_exception(error, cut)

    def complete(self, before):
        """Words that continue the text before the cursor, and how long their beginning is."""
        return complete_python(before, self.names)
