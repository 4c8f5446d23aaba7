"""Writes containers.json and messages.json with Avro implementations other than the one under test.

Needs the Python packages fastavro 1.13.1 and avro 1.12.2. containers.json holds what fastavro reads from the container
files beside this script; messages.json holds single records that fastavro or Apache's own Python library wrote, with the
value that decode_avro promises for them, spelled out by hand.
"""

import glob
import io
import json
from datetime import date, datetime, timezone
from decimal import Decimal

import avro.io
import avro.schema
import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form

SAFE = 2**53


def plain(value):
    """Bytes as hex, longs that a double cannot hold as text."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= SAFE:
        return str(value)
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    if isinstance(value, dict):
        return {name: plain(entry) for name, entry in value.items()}
    return value


containers = {}
for name in sorted(glob.glob("*.avro")):
    with open(name, "rb") as file:
        containers[name] = plain(list(fastavro.reader(file)))
with open("containers.json", "w") as file:
    json.dump(containers, file, indent=1, ensure_ascii=False)


def record(name, *fields):
    return {"type": "record", "name": name, "namespace": "org.example", "fields": list(fields)}


def field(name, type, **more):
    return {"name": name, "type": type, **more}


def logical(base, logical_type, **more):
    return {"type": base, "logicalType": logical_type, **more}


PRIMITIVES = record(
    "Primitives",
    field("nothing", "null"),
    field("yes", "boolean"),
    field("small", "int"),
    field("large", "long"),
    field("half", "float"),
    field("tenth", "double"),
    field("raw", "bytes"),
    field("text", "string"),
    field("suit", {"type": "enum", "name": "Suit", "symbols": ["HEARTS", "SPADES"]}),
    field("four", {"type": "fixed", "name": "Four", "size": 4}),
    field("list", {"type": "array", "items": "int"}),
    field("map", {"type": "map", "values": "string"}),
    field("maybe", ["null", "string"]),
)
PRIMITIVES_VALUE = {
    "nothing": None,
    "yes": True,
    "small": -2147483648,
    "large": 9007199254740990,
    "half": 0.5,
    "tenth": 0.1,
    "raw": b"\x00\xff",
    "text": "Größe 東京 🙂",
    "suit": "SPADES",
    "four": b"\x01\x02\x03\x04",
    "list": [0, -1, 2147483647],
    "map": {"a": "1", "": "empty"},
    "maybe": "some",
}
LOGICALS = record(
    "Logicals",
    field("millis", logical("long", "timestamp-millis")),
    field("micros", logical("long", "timestamp-micros")),
    field("day", logical("int", "date")),
    field("price", logical("bytes", "decimal", precision=9, scale=2)),
    field("debt", logical("bytes", "decimal", precision=9, scale=2)),
    field("fixedPrice", logical("fixed", "decimal", name="Price", size=8, precision=12, scale=3)),
    field("uid", logical("string", "uuid")),
)
WHEN = datetime(2024, 2, 29, 12, 34, 56, 789000, tzinfo=timezone.utc)
LOGICALS_WRITTEN = {
    "millis": WHEN,
    "micros": WHEN.replace(microsecond=789012),
    "day": date(2024, 2, 29),
    "price": Decimal("12.30"),
    "debt": Decimal("-0.05"),
    "fixedPrice": Decimal("-123456.789"),
    "uid": "89791762-2336-4186-9674-299b90a802e2",
}
LOGICALS_VALUE = {
    "millis": 1709210096789,
    "micros": 1709210096789.012,
    "day": 1709164800000,
    "price": "12.30",
    "debt": "-0.05",
    "fixedPrice": "-123456.789",
    "uid": "89791762-2336-4186-9674-299b90a802e2",
}
TREE = record("Tree", field("name", "string"), field("children", {"type": "array", "items": "Tree"}))
TREE_VALUE = {
    "name": "root",
    "children": [{"name": "left", "children": []}, {"name": "right", "children": [{"name": "leaf", "children": []}]}],
}
OLD = record("Order", field("total", "int"), field("buyer", "string"), field("gone", {"type": "map", "values": "long"}))
NEW = record(
    "Order",
    field("customer", "string", aliases=["buyer"]),
    field("total", "double"),
    field("currency", "string", default="EUR"),
)


def by_fastavro(schema, value):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, value)
    return out.getvalue()


def by_apache(schema, value):
    out = io.BytesIO()
    avro.io.DatumWriter(avro.schema.parse(json.dumps(schema))).write(value, avro.io.BinaryEncoder(out))
    return out.getvalue()


messages = []
for name, schema, written, value, reader in [
    ("primitives", PRIMITIVES, PRIMITIVES_VALUE, PRIMITIVES_VALUE, None),
    ("logicals", LOGICALS, LOGICALS_WRITTEN, LOGICALS_VALUE, None),
    ("recursive", TREE, TREE_VALUE, TREE_VALUE, None),
    (
        "evolved",
        OLD,
        {"total": 7, "buyer": "ada", "gone": {"x": 1, "y": 2}},
        {"customer": "ada", "total": 7, "currency": "EUR"},
        NEW,
    ),
]:
    for by, write in (("fastavro", by_fastavro), ("apache", by_apache)):
        messages.append(
            {
                "name": f"{name}, written by {by}",
                "schema": schema,
                "reader": reader,
                "fingerprint": fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"),
                "record": write(schema, written).hex(),
                "value": plain(value),
            }
        )
with open("messages.json", "w") as file:
    json.dump(messages, file, indent=1, ensure_ascii=False)
