# SPDX-License-Identifier: Apache-2.0
"""Texts of the session agent: how they travel, are cut, and tell of exceptions."""

import base64
import os
import traceback

OWN_FOLDER = os.path.dirname((lambda: None).__code__.co_filename)


def is_own_file(name):
    """Whether a code object's file is one of the agent's."""
    folder, base = os.path.split(name)
    return folder == OWN_FOLDER and base.startswith("sparkhost_")


def statement_file(statement_id):
    return f"<statement {statement_id}>"


def wire_text(value):
    """A text as frames carry it: a JSON string where it is Unicode, else its bytes in base64."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(value).decode("ascii")}
    try:
        value.encode("utf-8")
        return value
    except UnicodeEncodeError:  # lone surrogates
        return wire_text(value.encode("utf-8", "surrogatepass"))


def read_wire_text(value):
    """The reverse of wire_text, into str. Raises ValueError for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and isinstance(value.get("base64"), str):
        return base64.b64decode(value["base64"], validate=True).decode("utf-8", "surrogatepass")
    raise ValueError("not a text")


def unfinished_tail(data):
    """How many bytes at the end may be the beginning of a UTF-8 character."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        needed = 4 if byte >> 3 == 0x1E else 3 if byte >> 4 == 0xE else 2 if byte >> 5 == 6 else 1
        return back if needed > back else 0
    return 0


def cut_text(text, limit):
    """At most `limit` bytes of UTF-8, with a note where it is cut."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    if size <= limit:
        return text
    kept = text.encode("utf-8", "surrogatepass")[:limit]
    kept = kept[:len(kept) - unfinished_tail(kept)].decode("utf-8", "surrogatepass")
    return f"{kept}\n[sparkhost: cut after {limit} of {size} bytes]"


def plain_text(value):
    """JSON inside a text must be Unicode: what is not shows its code."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def describe_exception(error, cut):
    """(name, value, traceback) as clients show it: without our frames, and below the first frame
    of the statement, if there is one."""
    summary = traceback.TracebackException(type(error), error, error.__traceback__)
    todo, seen = [summary], set()
    while todo:
        one = todo.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        frames = list(one.stack)
        first = next((at for at, frame in enumerate(frames)
                      if frame.filename.startswith(statement_file("")[:-1])), 0)
        one.stack[:] = [frame for frame in frames[first:] if not is_own_file(frame.filename)]
        todo += [one.__cause__, one.__context__] + list(getattr(one, "exceptions", None) or [])
    lines = list(summary.format())
    # older versions announce a traceback also where no frame is left
    lines = [line for at, line in enumerate(lines)
             if not (line == "Traceback (most recent call last):\n"
                     and not "".join(lines[at + 1:at + 2]).startswith("  File"))]
    try:
        value = str(error)
    except Exception:
        value = "<str() of the exception failed>"
    size = sum(map(len, lines))
    if size > cut:
        text = "".join(lines)
        lines = [text[:cut // 2], f"\n[sparkhost: {size - cut} characters are cut]\n",
                 text[-(cut // 2):]]
    return plain_text(str(type(error).__name__)), cut_text(value, cut), lines
