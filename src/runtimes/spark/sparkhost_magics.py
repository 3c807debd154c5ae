# SPDX-License-Identifier: Apache-2.0
"""Livy's magics for kind pyspark, and what else than text a value can be shown as."""

import base64
import collections
import datetime
import decimal
import io
import json
import math

from sparkhost_text import plain_text

TABLE = "application/vnd.livy.table.v1+json"

CodePart = collections.namedtuple("CodePart", "text")
MagicPart = collections.namedtuple("MagicPart", "name argument")


class UnknownMagic(Exception):
    """Named as Livy names it."""


UnknownMagic.__module__ = "__main__"  # so that tracebacks do not name ours


def split_magics(code):
    """The parts of code that has lines with magics; those of Python keep their line numbers."""
    parts, lines = [], []
    for number, line in enumerate(code.rstrip().split("\n")):
        if line.startswith("%"):
            parts += _code_part(lines, number)
            name, _, argument = line[1:].rstrip().partition(" ")
            parts.append(MagicPart(name, argument.strip()))
            lines = []
        else:
            lines.append(line)
    return parts + _code_part(lines, number + 1)


def _code_part(lines, end):
    return [CodePart("\n" * (end - len(lines)) + "\n".join(lines))] if lines else []


def has_magics(code):
    return code.startswith("%") or "\n%" in code


def run_magic(part, names):
    """{MIME type: text}"""
    if not part.name:
        raise UnknownMagic("magic command not specified")
    magic = MAGICS.get(part.name)
    if magic is None:
        raise UnknownMagic(f"unknown magic command '{part.name}'")
    if not part.argument:
        raise TypeError(f"%{part.name} needs the name of a variable")
    if part.argument not in names:
        raise NameError(f"name '{part.argument}' is not defined")
    return magic(names[part.argument])


# ---- %json -----------------------------------------------------------------------------------

def json_text(value):
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _plain(value):
    """What JSON has no words for is null, or shows its code, and does not spoil the rest."""
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {_plain(key) if isinstance(key, str) else key: _plain(one)
                for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value


# ---- %table ----------------------------------------------------------------------------------

TABLE_TYPES = {
    type(None): "NULL_TYPE", bool: "BOOLEAN_TYPE", int: "INT_TYPE", float: "DOUBLE_TYPE",
    str: "STRING_TYPE", datetime.date: "DATE_TYPE", datetime.datetime: "TIMESTAMP_TYPE",
    decimal.Decimal: "DECIMAL_TYPE", list: "ARRAY_TYPE", tuple: "ARRAY_TYPE", dict: "MAP_TYPE",
}
AS_THEY_ARE = ("NULL_TYPE", "BOOLEAN_TYPE", "INT_TYPE", "DOUBLE_TYPE")


def table_cell(value):
    """(type, value) of a cell."""
    kind = TABLE_TYPES.get(type(value), "STRING_TYPE")
    if kind in AS_THEY_ARE:
        return kind, value
    if kind == "ARRAY_TYPE":
        return kind, _cells_of_one_type(value)
    if kind == "MAP_TYPE":
        _cells_of_one_type(value)
        return kind, dict(zip(map(str, value), _cells_of_one_type(value.values())))
    return kind, str(value)


def _cells_of_one_type(values):
    cells = [table_cell(value) for value in values]
    if len({kind for kind, _ in cells} - {"NULL_TYPE"}) > 1:
        raise ValueError("value has inconsistent types")
    return [value for _, value in cells]


def table_columns(row):
    """{name or number of the column: value}"""
    if type(row).__name__ == "Row":
        row = row.asDict()
    if isinstance(row, dict):
        return row
    return dict(enumerate(row if isinstance(row, (list, tuple)) else [row]))


def table_text(value):
    """A list of rows; a row is a dictionary, a list or one value."""
    kinds, rows = {}, []
    for row in value if isinstance(value, (list, tuple)) else [value]:
        cells = {name: table_cell(cell) for name, cell in table_columns(row).items()}
        for name, (kind, _) in cells.items():
            if kinds.get(name, "NULL_TYPE") == "NULL_TYPE":
                kinds[name] = kind
            elif kind not in ("NULL_TYPE", kinds[name]):
                raise TypeError("table rows have different types")
        rows.append(cells)
    try:
        names = sorted(kinds)
    except TypeError:  # numbers of one row and names of another
        raise TypeError("table rows have different types") from None
    # a column that a row has not is null there, so that the others stay in their places
    data = [[cells[name][1] if name in cells else None for name in names] for cells in rows]
    headers = [{"name": str(name), "type": kinds[name]} for name in names]
    return json_text({"headers": headers, "data": data})


# ---- %matplot --------------------------------------------------------------------------------

def figure_png(figure):
    image = io.BytesIO()
    figure.savefig(image, format="png")
    return base64.b64encode(image.getvalue()).decode("ascii")


def matplot(plot):
    """The current figure of matplotlib.pyplot, which is closed then, or the figure given."""
    figure = plot if hasattr(plot, "savefig") and not hasattr(plot, "gcf") else plot.gcf()
    image = figure_png(figure)
    if figure is not plot and hasattr(plot, "close"):
        plot.close(figure)
    return {"image/png": image}


MAGICS = {
    "json": lambda value: {"application/json": json_text(value)},
    "table": lambda value: {TABLE: table_text(value)},
    "matplot": matplot,
}


# ---- rich forms ------------------------------------------------------------------------------

RICH_METHODS = {
    "text/html": "_repr_html_", "text/markdown": "_repr_markdown_", "text/latex": "_repr_latex_",
    "image/svg+xml": "_repr_svg_", "image/png": "_repr_png_", "image/jpeg": "_repr_jpeg_",
    "application/json": "_repr_json_",
}


def rich_forms(value, max_size):
    """({MIME type: text}, notes) beside the text of a value. A form that fails is a note."""
    found, notes = {}, []
    if isinstance(value, type):
        return found, notes
    try:
        found.update(_bundle(value))
    except Exception as error:
        notes.append(f"_repr_mimebundle_ has failed: {error!r}")
    for kind, method in RICH_METHODS.items():
        # of the type: some objects claim to have every attribute
        if kind not in found and hasattr(type(value), method):
            try:
                found[kind] = getattr(value, method)()
            except Exception as error:
                notes.append(f"{method} has failed: {error!r}")
    if type(value).__module__ == "matplotlib.figure" and "image/png" not in found:
        found["image/png"] = figure_png(value)
    texts = {}
    for kind, form in found.items():
        text = _form_text(kind, form)
        if text is not None and len(text.encode("utf-8", "surrogatepass")) <= max_size:
            texts[kind] = text
        elif text is not None:
            notes.append(f"{kind} is left out: it is larger than {max_size} bytes")
    return texts, notes


def _bundle(value):
    if not hasattr(type(value), "_repr_mimebundle_"):
        return {}
    bundle = value._repr_mimebundle_(include=None, exclude=None)
    if isinstance(bundle, tuple):  # with metadata
        bundle = bundle[0]
    return {kind: form for kind, form in (bundle or {}).items() if kind != "text/plain"}


def _form_text(kind, form):
    if isinstance(form, tuple):
        form = form[0]
    if isinstance(form, bytes):
        return base64.b64encode(form).decode("ascii")
    if form is None or (isinstance(form, str) and not kind.endswith("json")):
        return form
    return json_text(form)
