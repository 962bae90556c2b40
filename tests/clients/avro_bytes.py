"""Avro object container files, written and read by the specification alone."""
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
UNPACK = {
    "null": lambda b: b,
    "deflate": lambda b: zlib.decompress(b, -15),
    "zstandard": lambda b: pa.CompressedInputStream(pa.BufferReader(b), "zstd").read(),
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


def avro_file(schema, rows, codec="null", block_rows=100, more_head=None):
    head = {**(more_head or {}), "avro.schema": json.dumps(schema), "avro.codec": codec}
    out = b"Obj\1" + number(len(head)) + b"".join(text(k) + text(v) for k, v in head.items()) + number(0) + SYNC
    for at in range(0, len(rows), block_rows):
        part = rows[at:at + block_rows]
        out += number(len(part)) + text(PACK[codec](b"".join(encode(schema, row) for row in part))) + SYNC
    return out


class Reader:
    """The values of a file's blocks, by the schema it was written with."""

    def __init__(self, data):
        self.data, self.at, self.named = data, 0, {}

    def take(self, size):
        self.at += size
        assert self.at <= len(self.data)
        return self.data[self.at - size:self.at]

    def number(self):
        value = shift = 0
        while True:
            (byte,) = self.take(1)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value >> 1 ^ -(value & 1)

    def items(self, read):
        values = []
        while count := self.number():
            if count < 0:
                count, _ = -count, self.number()
            values += [read() for _ in range(count)]
        return values

    def value(self, schema):
        if isinstance(schema, list):
            return self.value(schema[self.number()])
        kind = schema["type"] if isinstance(schema, dict) else schema
        if isinstance(schema, dict) and "name" in schema:
            self.named[schema["name"]] = schema
        if kind in self.named and not isinstance(schema, dict):
            return self.value(self.named[kind])
        if kind in ("int", "long"):
            return self.number()
        if kind in ("bytes", "string"):
            read = self.take(self.number())
            return read if kind == "bytes" else read.decode()
        if kind in ("float", "double"):
            size = 4 if kind == "float" else 8
            return struct.unpack("<f" if size == 4 else "<d", self.take(size))[0]
        if kind == "record":
            return {f["name"]: self.value(f["type"]) for f in schema["fields"]}
        if kind == "array":
            return self.items(lambda: self.value(schema["items"]))
        if kind == "map":
            return dict(self.items(lambda: (self.value("string"), self.value(schema["values"]))))
        simple = {"null": lambda: None, "boolean": lambda: self.take(1) == b"\1", "fixed": lambda: self.take(schema["size"]),
                  "enum": lambda: schema["symbols"][self.number()]}
        return simple[kind]()


def read_avro(data):
    """Answers the header's entries and the rows; of any codec but snappy."""
    reader = Reader(data)
    assert reader.take(4) == b"Obj\1"
    head = dict(reader.items(lambda: (reader.value("string"), reader.value("bytes"))))
    sync, rows = reader.take(16), []
    schema = json.loads(head["avro.schema"])
    while reader.at < len(data):
        count, block = reader.number(), reader.take(reader.number())
        block = Reader(UNPACK[head.get("avro.codec", b"null").decode()](block))
        rows += [block.value(schema) for _ in range(count)]
        assert reader.take(16) == sync
    return head, rows
