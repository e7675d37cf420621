"""Records what gguf-py makes of quantised blocks: fixtures/weights/blocks.json.

    .build/peers/venv/bin/python scripts/peers/record_weights.py

Blocks are pseudo-random with a fixed seed; scales are random float16 numbers, then the extremes: zero, negative zero,
the smallest denormal, the largest number, all payload bits set or none.
"""

import json
import random

import numpy
from bench import FIXTURES
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

# Offsets of the float16 numbers in a block.
SCALES = {"F32": [], "F16": [0], "BF16": [], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
          "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
EXTREMES = [0x0000, 0x8000, 0x0001, 0x83ff, 0x7bff, 0xfbff, 0x3c00]
PLAIN = {"F32": ["00000000", "00000080", "01000000", "ffff7f7f", "ffff7fff", "0000803f", "db0f4940"],
         "BF16": ["0000", "0080", "0100", "7f7f", "7fff", "803f", "4940"]}


def finite_half(generator):
    """The bits of a float16 number that is neither infinite nor none."""
    bits = generator.getrandbits(16)
    return bits if bits & 0x7c00 != 0x7c00 else bits ^ 0x0400


def blocks(name, size):
    if name in PLAIN:
        return [bytes.fromhex(block) for block in PLAIN[name]]
    generator = random.Random(name)
    made = []
    for scale in [None, None, *EXTREMES]:
        # The payload of extremes alternates between all bits and none; large types need no more than a few of them.
        fill = None if scale is None else 0xff if len(made) % 2 else 0
        block = bytearray(generator.getrandbits(8) if fill is None else fill for _ in range(size))
        for offset in SCALES[name]:
            block[offset:offset + 2] = (finite_half(generator) if scale is None else scale).to_bytes(2, "little")
        made.append(bytes(block))
    return made[:5] if size > 100 else made


def main():
    recorded = {}
    for name in SCALES:
        kind = GGMLQuantizationType[name]
        data = b"".join(blocks(name, GGML_QUANT_SIZES[kind][1]))
        values = dequantize(numpy.frombuffer(data, numpy.uint8).copy(), kind)
        assert numpy.isfinite(values).all(), name
        recorded[name] = {"blocks": data.hex(), "values": values.astype("<f4").tobytes().hex()}
    text = json.dumps(recorded, indent=0)
    (FIXTURES / "weights").mkdir(exist_ok=True)
    (FIXTURES / "weights/blocks.json").write_text(text + "\n")
    print(f"fixtures/weights/blocks.json: {len(text)} bytes")


main()
