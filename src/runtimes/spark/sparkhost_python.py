# SPDX-License-Identifier: Apache-2.0
"""Runs statements of kind pyspark."""

import __future__
import ast
import builtins
import collections
import contextlib
import inspect
import linecache
import re
import rlcompleter
import sys
import types

from sparkhost_text import cut_text, describe_exception, statement_file


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

    def __init__(self, max_size):
        self._max_size = max_size
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
        self._echo = None
        sys.displayhook = self._display

    def run(self, statement):
        """Gives (data, notes). Raises what the code raises."""
        name = statement_file(statement.id)
        self._sources.add(name, statement.code)
        self._echo = None
        body, tail = self._compile(statement.code, name)
        if any(part.co_flags & inspect.CO_COROUTINE for part in (body, tail) if part):
            self._in_loop(self._await(body, tail))
        else:
            if body is not None:
                eval(body, self.names)
            if tail is not None:
                sys.displayhook(eval(tail, self.names))
        echo, self._echo = self._echo, None
        return {} if echo is None else {"text/plain": cut_text(echo, self._max_size)}, []

    def _compile(self, code, name):
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | self._features
        tree = compile(code, name, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
        body = tail = None
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        if tree.body:
            body = compile(tree, name, "exec", flags, dont_inherit=True)
            self._features |= body.co_flags & self._all_features
            flags |= self._features
        if last is not None:
            tail = compile(ast.Expression(last.value), name, "eval", flags, dont_inherit=True)
        return body, tail

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
        self._echo = repr(value)
        builtins._ = value

    @staticmethod
    def describe(error, cut):
        return describe_exception(error, cut)

    def complete(self, before):
        """Words that continue the text before the cursor, and how long their beginning is."""
        word = re.search(r"[\w.]*$", before).group()
        if not word:
            return [], 0
        completer, found = rlcompleter.Completer(self.names), []
        while len(found) < 200:
            candidate = completer.complete(word, len(found))
            if candidate is None:
                break
            found.append(candidate.rstrip("() "))
        return sorted(set(found)), len(word)
