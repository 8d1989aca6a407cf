#!/usr/bin/env python3
"""Writes tests/data/sample.safetensors from the format's description, independently of the product: python3 safetensors_sample.py OUT."""
import json
import struct
import sys

tensors = [
    ("weights", "F32", [2, 3], struct.pack("<6f", 0.5, -1.25, 3e38, -0.0, 1e-40, float("inf"))),
    ("half", "F16", [2], struct.pack("<2e", 1.5, -65504.0)),
    ("brain", "BF16", [3], b"".join(struct.pack("<f", v)[2:] for v in (1.0, -2.5, 3.140625))),
    ("ids", "I64", [3], struct.pack("<3q", 1, -(2**63), 2**63 - 1)),
    ("small", "I32", [2, 1], struct.pack("<2i", -7, 2147483647)),
    ("pixels", "U8", [4], bytes([0, 1, 254, 255])),
    ("mask", "BOOL", [3], bytes([1, 0, 1])),
    ("scalar", "F32", [], struct.pack("<f", 42.0)),
    ("nothing", "F32", [0, 5], b""),
]
header, offset = {"__metadata__": {"made by": "safetensors_sample.py", "snow": "\u96ea"}}, 0
# The header names them in another order than that of the values.
spans = {}
for name, dtype, shape, data in tensors:
    spans[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
    offset += len(data)
for name in sorted(spans):
    header[name] = spans[name]
text = json.dumps(header, ensure_ascii=False).encode("utf-8")
text += b" " * (-len(text) % 8)
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + b"".join(t[3] for t in tensors))
