# SPDX-License-Identifier: Apache-2.0
"""Reading C++ sources well enough to check rules on them."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent

_TOKEN = re.compile(
    r"""
      (?P<comment>//[^\n]*|/\*.*?\*/)
    | (?P<raw>\b(?:u8|u|U|L)?R"(?P<tag>[^()\\\s]*)\(.*?\)(?P=tag)")
    | (?P<string>(?:u8|u|U|L)?"(?:[^"\\\n]|\\.)*")
    | (?P<number>\.?[0-9](?:'?[0-9A-Za-z_.]|[eEpP][+-])*)
    | (?P<char>'(?:[^'\\\n]|\\.)+')
    | (?P<word>[A-Za-z_][A-Za-z_0-9]*)
    | (?P<arrow>->|::|\[\[)
    | (?P<other>[^\s])
    """,
    re.VERBOSE | re.DOTALL,
)


def sources(*folders, suffixes=(".hpp", ".cpp")):
    """The C++ files below these folders of the repository, as paths relative to its root."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield path.relative_to(ROOT)


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def _blank(match):
    kind = match.lastgroup if match.lastgroup != "tag" else "raw"
    text = match.group()
    if kind == "comment":
        return re.sub(r"[^\n]", " ", text)
    if kind in ("raw", "string") and len(text) >= 2:
        return '"' + re.sub(r"[^\n]", " ", text[1:-1]) + '"'
    return text


def code_only(text):
    """The text with comments and the insides of strings blanked; lines stay where they are."""
    return _TOKEN.sub(_blank, text)


def tokens(text):
    """Pairs (token, line), without comments; strings are '""'."""
    result = []
    line, seen = 1, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", seen, match.start())
        seen = match.start()
        if match.group("comment"):
            continue
        is_text = match.group("raw") or match.group("string")
        result.append(('""' if is_text else match.group(), line))
    return result


_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def includes(text):
    """Triples (spelt, line, quoted) of the includes."""
    for match in _INCLUDE.finditer(text):
        yield match.group(2), text.count("\n", 0, match.start()) + 1, match.group(1) == '"'
