# SPDX-License-Identifier: Apache-2.0
"""Values of rows as Livy writes them; real ones are in test_spark.py."""

import datetime
import decimal
import json

import pytest
import sparkhost_sql as sql


class Type:
    """As much of a pyspark.sql.types.DataType as is asked."""

    def __init__(self, name, **parts):
        self._name = name
        self.__dict__.update(parts)

    def typeName(self):
        return self._name

    def simpleString(self):
        return self._name


class Field:
    def __init__(self, name, kind):
        self.name, self.dataType = name, kind


class Frame:
    """A DataFrame of these rows."""

    def __init__(self, rows, *fields):
        self._rows = rows
        self.schema = type("Schema", (), {
            "fields": fields,
            "jsonValue": lambda _: {"type": "struct", "fields": [f.name for f in fields]}})()

    def take(self, count):
        return self._rows[:count]


class Variant:
    def toJson(self):
        return '{"a":[1]}'


INT, TEXT, STAMP = Type("integer"), Type("string"), Type("timestamp")


@pytest.mark.parametrize("value, kind, written", [
    (None, INT, None), (7, INT, 7), (True, Type("boolean"), True), ("é", TEXT, "é"),
    ("\ud800", TEXT, "\\ud800"),
    (1.5, Type("double"), 1.5), (float("nan"), Type("double"), None),
    (float("inf"), Type("float"), None), (decimal.Decimal("1.50"), Type("decimal"), 1.5),
    (datetime.date(2019, 7, 24), Type("date"), "2019-07-24"),
    (datetime.datetime(2019, 7, 24, 10, 11, 12, 999, datetime.timezone.utc), STAMP,
     "2019-07-24T10:11:12Z"),
    (datetime.datetime(7, 1, 2, tzinfo=datetime.timezone.utc), STAMP, "0007-01-02T00:00:00Z"),
    (datetime.datetime(2019, 7, 24, 10, 11, 12, 5), Type("timestamp_ntz"),
     "2019-07-24T10:11:12.000005"),
    (bytearray(b"\0\xff"), Type("binary"), [0, 255]),
    ([1, None], Type("array", elementType=INT), [1, None]),
    ({"k": [1]}, Type("map", keyType=TEXT, valueType=Type("array", elementType=INT)), {"k": [1]}),
    ({True: 1}, Type("map", keyType=Type("boolean"), valueType=INT), {"true": 1}),
    ((1, "x"), Type("struct", fields=[Field("a", INT), Field("b", TEXT)]), {"a": 1, "b": "x"}),
    (datetime.timedelta(hours=1), Type("daytimeinterval"), "1:00:00"),
    (Variant(), Type("variant"), {"a": [1]}),
    (object, Type("udt"), "<class 'object'>"),
])
def test_a_value_is_written_as_livy_does(value, kind, written):
    assert sql.sql_value(value, kind) == written
    json.dumps(sql.sql_value(value, kind)).encode()


def test_a_map_with_keys_that_are_no_text_is_an_error():
    kind = Type("map", keyType=Type("array", elementType=INT), valueType=INT)
    with pytest.raises(TypeError, match="keys of type array"):
        sql.sql_value({(1,): 1}, kind)


@pytest.mark.parametrize("count, rows, notes", [
    (2, 2, []), (3, 3, []), (4, 3, ["only the first 3 rows are shown"])])
def test_a_table_has_at_most_so_many_rows(count, rows, notes):
    text, told = sql.sql_table(Frame([(n,) for n in range(count)], Field("n", INT)), 3, 1000)
    assert json.loads(text)["data"] == [[n] for n in range(rows)] and told == notes


def test_a_table_has_at_most_so_many_bytes():
    text, notes = sql.sql_table(Frame([("x" * 40,)] * 9, Field("t", TEXT)), 100, 200)
    assert len(text) <= 200 and len(json.loads(text)["data"]) == 3
    assert notes == ["only the first 3 of 9 rows fit into 200 bytes"]


def test_a_table_is_compact_json():
    assert sql.sql_table(Frame([(1, "é")], Field("a", INT), Field("b", TEXT)), 9, 999)[0] == \
        '{"schema":{"type":"struct","fields":["a","b"]},"data":[[1,"é"]]}'
