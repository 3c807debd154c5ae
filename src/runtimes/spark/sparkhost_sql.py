# SPDX-License-Identifier: Apache-2.0
"""Runs statements of kind sql."""

import datetime
import decimal
import json
import math

from sparkhost_text import cut_text, describe_exception, plain_text


def sql_value(value, kind):
    """A value of a row as Livy writes it. `kind` is its pyspark.sql.types.DataType."""
    name = kind.typeName()
    if value is None:
        return None
    if name in ("double", "float", "decimal"):
        value = float(value)
        return value if math.isfinite(value) else None
    if name == "timestamp":  # comes as local time
        value = value.astimezone(datetime.timezone.utc).replace(microsecond=0, tzinfo=None)
        return value.isoformat() + "Z"
    if name == "binary":
        return list(value)
    if name == "array":
        return [sql_value(item, kind.elementType) for item in value]
    if name == "map":
        return {sql_key(key, kind.keyType): sql_value(item, kind.valueType)
                for key, item in value.items()}
    if name == "struct":
        return {field.name: sql_value(item, field.dataType)
                for field, item in zip(kind.fields, value)}
    if isinstance(value, (bool, int, str)):
        return plain_text(value)
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return str(value)
    to_json = getattr(value, "toJson", None)  # a variant
    return json.loads(to_json()) if to_json else plain_text(str(value))


def sql_key(key, kind):
    if isinstance(key, (str, int, decimal.Decimal, float, datetime.date)):
        key = sql_value(key, kind)
        return key if isinstance(key, str) else json.dumps(key)
    raise TypeError(f"a map with keys of type {kind.simpleString()} cannot be shown")


def sql_table(frame, max_rows, max_size):
    """(application/json, notes) of a DataFrame."""
    rows = frame.take(max_rows + 1)
    notes = []
    if len(rows) > max_rows:
        rows.pop()
        notes.append(f"only the first {max_rows} rows are shown")
    fields = frame.schema.fields
    # in Spark's order, which json() has not
    schema = json.dumps(frame.schema.jsonValue(), ensure_ascii=False, separators=(",", ":"))
    head = '{"schema":' + schema + ',"data":['
    size, texts = len(head.encode()) + 2, []
    for row in rows:
        values = [sql_value(value, field.dataType) for value, field in zip(row, fields)]
        text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
        size += len(text.encode()) + 1
        if size > max_size:
            notes.append(
                f"only the first {len(texts)} of {len(rows)} rows fit into {max_size} bytes")
            break
        texts.append(text)
    return head + ",".join(texts) + "]}", notes


class SqlCode:
    """Runs statements of kind sql."""

    def __init__(self, spark, max_rows, max_size):
        self._spark = spark
        self._max_rows, self._max_size = max_rows, max_size

    def run(self, statement):
        table, notes = sql_table(self._spark.session().sql(statement.code), self._max_rows,
                                 self._max_size)
        return {"application/json": table}, notes

    @staticmethod
    def describe(error, cut):
        """Livy shows the message and Java's frames."""
        if isinstance(error, KeyboardInterrupt):
            return describe_exception(error, cut)
        java = getattr(error, "_stackTrace", None) or getattr(error, "stackTrace", None) or ""
        frames = [line[len("\tat "):].rstrip() for line in str(java)[:cut].splitlines()
                  if line.startswith("\tat ")]
        return "Error", cut_text(str(error), cut), frames
