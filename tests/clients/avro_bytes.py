"""Avro object container files, written by the specification alone."""
import json
import struct
import zlib

import pyarrow as pa

SYNC = bytes(range(16))
PACK = {
    "null": lambda b: b,
    "deflate": lambda b: zlib.compress(b, 6, -15),
    "snappy": lambda b: pa.compress(b, "snappy", asbytes=True) + struct.pack(">I", zlib.crc32(b)),
    "zstandard": lambda b: pa.compress(b, "zstd", asbytes=True),
}


def number(value):
    value = value << 1 ^ value >> 63
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def text(value):
    value = value.encode() if isinstance(value, str) else value
    return number(len(value)) + value


def is_branch(schema, value):
    kind = schema["type"] if isinstance(schema, dict) else schema
    return (kind == "null") == (value is None)


def encode(schema, value):
    if isinstance(schema, list):
        branch = next(i for i, s in enumerate(schema) if is_branch(s, value))
        return number(branch) + encode(schema[branch], value)
    kind = schema["type"] if isinstance(schema, dict) else schema
    if kind == "null":
        return b""
    if kind == "boolean":
        return bytes([value])
    if kind in ("int", "long"):
        return number(value)
    if kind in ("float", "double"):
        return struct.pack("<f" if kind == "float" else "<d", value)
    if kind in ("bytes", "string"):
        return text(value)
    if kind == "fixed":
        return value
    if kind == "enum":
        return number(schema["symbols"].index(value))
    if kind == "record":
        return b"".join(encode(f["type"], value[f["name"]]) for f in schema["fields"])
    if kind == "array":
        return (number(len(value)) + b"".join(encode(schema["items"], v) for v in value) if value else b"") + number(0)
    assert kind == "map"
    return (number(len(value)) + b"".join(text(k) + encode(schema["values"], v) for k, v in value.items()) if value else b"") + number(0)


def avro_file(schema, rows, codec="null", block_rows=100):
    head = {"avro.schema": json.dumps(schema), "avro.codec": codec}
    out = b"Obj\1" + number(len(head)) + b"".join(text(k) + text(v) for k, v in head.items()) + number(0) + SYNC
    for at in range(0, len(rows), block_rows):
        part = rows[at:at + block_rows]
        out += number(len(part)) + text(PACK[codec](b"".join(encode(schema, row) for row in part))) + SYNC
    return out
